/* Config epochs as a clock: what happened at a lower epoch was before what happened at a higher one. */
#ifndef RCF_EPOCH_ORDER_H
#define RCF_EPOCH_ORDER_H

#include "tools/history/clocks.h"

/* Moves clocks that nothing else ties to the others as little as the order of epochs demands. `clock_of` is of each
 * occurrence, whose moments are not corrected yet. In `arena`; false without memory. */
bool epochs_order(const struct history *history, const uint32_t *clock_of, struct host_clock *clocks, size_t count,
                  struct arena *arena);

#endif
