/* How far two clocks are apart, by the pairs of events that both have dated. */
#ifndef RCF_PAIR_OFFSET_H
#define RCF_PAIR_OFFSET_H

#include <stdbool.h>
#include <stdint.h>

#include "parsers/memory/arena.h"

/* What one pair says: the offset is not more than `ms`, or not less, and near it. */
struct offset_bound {
    int64_t ms;
    uint32_t weight;
    bool least; /* the offset is not less; else not more */
};

struct offset_estimate {
    int64_t ms, error_ms;
    size_t agreeing; /* bounds that lie within the window of the estimate */
    size_t others;
    uint64_t weight; /* of the agreeing ones */
    bool both_sides; /* there are bounds from both sides */
};

enum {
    OFFSET_WINDOW_MS = 1000,   /* how long the way of a message may take, where it says something about clocks */
    OFFSET_NEAR_MS = 200,      /* how long it mostly takes; what took longer is no reason to doubt what did not */
    OFFSET_ONE_SIDED_MS = 250, /* the error where all messages went one way */
    OFFSET_LEAST_ERROR_MS = 2,
};

/* The offset on which most of the weight agrees within the window, and in it the one that contradicts least of it; moving
 * all bounds by the same amount moves it by exactly that. Sorts the bounds. False when there are none. */
bool offset_estimate(struct offset_bound *bounds, size_t count, struct offset_estimate *estimate);

#endif
