/* Private to the quick way over values: whether a name of a collection may have been there before.
 *
 * Only hashes are kept, so what is said to be new is new, and what is not may be. Names that were made to collide cost
 * no more than that nothing is known. To be included before anything else, like rdb_word.h.
 */
#ifndef RCF_RDB_NAMES_H
#define RCF_RDB_NAMES_H

#include "parsers/rdb/rdb_word.h"

#include "parsers/rdb/rdb_quick.h"

enum {
    RDB_NAMES_MOST = 32768, /* of one collection */
    RDB_NAMES_CROWD = 128,  /* looks at slots for one name */
    RDB_NAMES_LEAST = 32,   /* slots */
};

/* Room for so many slots, a power of two. False without memory. */
bool rdb_names_widen(struct rdb_names *names, size_t cap);

/* Forgets all names; room for `count`. False without memory, or for more than RDB_NAMES_MOST. */
static inline bool rdb_names_begin(struct rdb_names *names, uint64_t count)
{
    enum { FEW = 32 }; /* so few are spread widely: a place that is taken costs more than one that has to be cleared */
    size_t cap = RDB_NAMES_LEAST, want = (count <= FEW ? 4 : 2) * (size_t)count;
    if (count > RDB_NAMES_MOST)
        return false;
    while (cap < want)
        cap *= 2;
    if (cap > names->cap && !rdb_names_widen(names, cap))
        return false;
    memset(names->slots, 0, cap * sizeof(*names->slots));
    names->mask = cap - 1;
    return true;
}

static inline uint64_t rdb_name_fold(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Of a text of any length. */
uint64_t rdb_names_hash_text(struct bytes text);

/* Of a text that is not that of a number: then names that users cannot tell apart have the same hash. */
static inline __attribute__((always_inline)) uint64_t rdb_name_hash(const struct rdb_scalar *name)
{
    static const uint64_t KEY = UINT64_C(0x9e3779b97f4a7c15), OTHER_KEY = UINT64_C(0xd6e8feb86659fd93);
    size_t len = name->text.len;
    uint64_t first = 0, last = 0;
    uint32_t first_half, last_half;
    if (len > 2 * sizeof(first))
        return rdb_names_hash_text(name->text);
    if (name->integer) {
        first = (uint64_t)name->number;
    } else if (len >= sizeof(first)) {
        memcpy(&first, name->text.at, sizeof(first));
        memcpy(&last, &name->text.at[len - sizeof(last)], sizeof(last));
    } else if (len >= sizeof(first_half)) {
        memcpy(&first_half, name->text.at, sizeof(first_half));
        memcpy(&last_half, &name->text.at[len - sizeof(last_half)], sizeof(last_half));
        first = first_half;
        last = last_half;
    } else if (len) {
        first = name->text.at[0] | (uint64_t)name->text.at[len / 2] << 8 | (uint64_t)name->text.at[len - 1] << 16;
    }
    return rdb_name_fold(first ^ KEY, last ^ OTHER_KEY ^ len << 56);
}

static inline uint32_t rdb_name_mark(uint64_t hash)
{
    return (uint32_t)(hash >> 32) | 1;
}

/* The name with this hash is not the first in its slot. */
bool rdb_names_add_behind(struct rdb_names *names, uint64_t hash);

/* False when the name may have been there, or when it cannot be told. */
static inline __attribute__((always_inline)) bool rdb_names_add(struct rdb_names *names,
                                                                const struct rdb_scalar *name)
{
    uint64_t hash = rdb_name_hash(name);
    uint32_t *slot = &names->slots[hash & names->mask];
    if (*slot)
        return rdb_names_add_behind(names, hash);
    *slot = rdb_name_mark(hash);
    return true;
}

#endif
