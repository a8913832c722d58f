/* From hashes to the dense numbers of things that are stored once: open addressing, in an arena. The caller keeps the
 * things and compares them: several may have one hash. */
#ifndef RCF_NUMBERING_H
#define RCF_NUMBERING_H

#include <stdbool.h>
#include <stdint.h>

#include "parsers/memory/arena.h"

struct number_slot {
    uint64_t hash;
    uint32_t number_after; /* number + 1; 0 is free */
};

/* Zeroed memory is an empty numbering. */
struct numbering {
    struct number_slot *slots;
    size_t mask; /* slots - 1; at most half of them are used, so a probe always ends */
    size_t used;
};

/* The next number under `hash`. Start with `*at` = hash; false when there are no more. */
static inline bool numbering_next(const struct numbering *numbering, uint64_t hash, size_t *at, uint32_t *number)
{
    if (!numbering->slots)
        return false;
    for (;; ++*at) {
        const struct number_slot *slot = &numbering->slots[*at & numbering->mask];
        if (!slot->number_after)
            return false;
        if (slot->hash == hash) {
            *number = slot->number_after - 1;
            ++*at;
            return true;
        }
    }
}

/* Puts `number`, which is below UINT32_MAX, under `hash`. False without memory. */
bool numbering_add(struct numbering *numbering, struct arena *arena, uint64_t hash, uint32_t number);

#endif
