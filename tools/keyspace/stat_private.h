/* Between stat.c and what adds up one dump. */
#ifndef RCF_STAT_PRIVATE_H
#define RCF_STAT_PRIVATE_H

#include "tools/keyspace/stat.h"

/* Negative when `a` comes before `b` among the biggest. A total order of all that is shown, so that the outcome does
 * not depend on the order in which keys came. */
int stat_big_compare(const struct stat_big *a, const struct stat_big *b, enum stat_order order);

/* The key would be kept. Cheap. */
static inline bool stat_heap_wants(const struct stat_heap *heap, const struct stat_big *big)
{
    if (heap->count < heap->most)
        return true;
    if (!heap->count)
        return false;
    uint64_t least = stat_big_value(&heap->at[0], heap->order), value = stat_big_value(big, heap->order);
    return value > least || (value == least && stat_big_compare(big, &heap->at[0], heap->order) < 0);
}

/* Keeps a key that is wanted; `dropped` gets the one that had to go, or one without name. False without memory. */
bool stat_heap_put(struct stat_heap *heap, const struct stat_big *big, struct stat_big *dropped);

#endif
