/* Where primaries and replicas of a new cluster go: on which host each primary, and away from which hosts its replicas.
 *
 * What is lost together is a host, and hosts of one zone. The order of what a layout has to keep, strongest first: no
 * replica on its primary's host; no host with a majority of the primaries; replicas of one primary on different hosts;
 * no replica in its primary's zone; primaries spread evenly. A layout is searched from the tools' own by exchanging two
 * nodes as long as that makes it better, so the outcome is never worse than theirs and always the same.
 */
#ifndef RCF_PLAN_PLACEMENT_H
#define RCF_PLAN_PLACEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parsers/memory/arena.h"

struct placement_node {
    const char *ip;   /* what the servers' tools look at */
    const char *host; /* what is lost together */
    const char *zone; /* or NULL */
};

/* A role for each node, by its number in the list that was given. */
struct placement {
    size_t primaries;
    const size_t *order;  /* the primaries, in the order in which slots are given to them */
    const size_t *follows; /* per node: the number of its primary; its own number for a primary */
};

/* How good a layout is: counts, best is zero. */
struct placement_cost {
    size_t replicas_on_primary_host;
    size_t majority_hosts;            /* hosts with more than half of the primaries */
    size_t replicas_sharing_host;     /* pairs of replicas of one primary on one host */
    size_t replicas_in_primary_zone;  /* 0 where zones are not known */
    size_t uneven;                    /* sum of squares of primaries per host */
};

/* The layout that `--cluster create` and redis-trib.rb compute before they try random exchanges: nodes interleaved by
 * IP, the first ones primaries, each replica the next one on another IP (redis-cli.c, clusterManagerCommandCreate).
 * `count / (replicas + 1)` nodes become primaries; nodes beyond that are extra replicas. NULL without memory, or when
 * there is not one primary. */
const struct placement *placement_of_tools(const struct placement_node *nodes, size_t count, size_t replicas,
                                           struct arena *arena);

/* Our layout, for the same numbers. */
const struct placement *placement_of(const struct placement_node *nodes, size_t count, size_t replicas,
                                     struct arena *arena);

/* False without memory. */
bool placement_cost(const struct placement *placement, const struct placement_node *nodes, size_t count,
                    struct arena *arena, struct placement_cost *cost);

/* The slots of primary `at` of `primaries`: first and last, as the tools cut 16384 slots into equal parts. */
void placement_slots(size_t at, size_t primaries, unsigned *first, unsigned *last);

#endif
