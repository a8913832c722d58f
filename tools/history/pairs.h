/* Events that belong together by content: what two hosts have written about one exchange. */
#ifndef RCF_PAIRS_H
#define RCF_PAIRS_H

#include "tools/history/history.h"

enum pair_kind {
#define PAIR(id, strength, meaning) PAIR_##id,
#include "tools/history/pairs.def"
#undef PAIR
    PAIR_KINDS
};

/* Two occurrences on different clocks, of which `second` was written after `first` if they belong together. Where a
 * content comes more than once, all combinations are pairs, each with less weight. */
struct pair {
    uint32_t first_clock, second_clock;
    enum pair_kind kind;
    uint32_t weight; /* 0: it counts only where nothing else does */
    int64_t apart_ms; /* second - first, each by its own clock */
};

struct pairs {
    struct pair *all;
    size_t count;
};

/* The pairs of a history; `clock_of` gives for each occurrence the number of its clock, or UINT32_MAX. In `arena`. False
 * without memory. */
bool pairs_find(const struct history *history, const uint32_t *clock_of, struct arena *arena, struct pairs *pairs);

#endif
