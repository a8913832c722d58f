/* Jobs done by several threads whose results leave in order: the answer does not depend on the number of processors.
 *
 * Each job may hold back what it made until it is its turn, which comes when all jobs before it have ended. So what waits
 * is bounded by what jobs are willing to hold.
 */
#ifndef RCF_IN_ORDER_H
#define RCF_IN_ORDER_H

#include <stdbool.h>
#include <stddef.h>

struct in_order;

/* Does jobs 0 to `count` - 1 by job(context, order, number), in as many threads as there are processors, at most
 * `threads_most`; in the calling thread alone when there is one. Returns when all have ended. */
void in_order_run(size_t count, size_t threads_most, void (*job)(void *context, struct in_order *order, size_t number),
                  void *context);

/* For a job: whether all before it have ended. */
bool in_order_is_turn(struct in_order *order, size_t number);

/* For a job: waits until all before it have ended. */
void in_order_wait(struct in_order *order, size_t number);

#endif
