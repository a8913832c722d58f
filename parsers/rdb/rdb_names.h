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
    RDB_NAMES_CROWD = 128   /* looks at slots for one name */
};

/* Free slots, so many, a power of two. False without memory. */
bool rdb_names_widen(struct rdb_names *names, size_t cap);

/* Forgets all names; room for `count`. False without memory, or for more than RDB_NAMES_MOST. */
static inline bool rdb_names_begin(struct rdb_names *names, uint64_t count)
{
    enum { FEW = 32 };
    size_t cap = 2 * FEW;
    if (count <= FEW && names->cap) {
        memset(names->slots, 0, 2 * FEW * sizeof(*names->slots));
        names->mask = 2 * FEW - 1;
        return true;
    }
    while (cap < 2 * count && count <= RDB_NAMES_MOST)
        cap *= 2;
    return count <= RDB_NAMES_MOST && rdb_names_widen(names, cap);
}

static inline uint64_t rdb_name_fold(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Of a text that is not that of a number: then names that users cannot tell apart have the same hash. */
static inline uint64_t rdb_name_hash(const struct rdb_scalar *name)
{
    static const uint64_t KEY = UINT64_C(0x9e3779b97f4a7c15), OTHER_KEY = UINT64_C(0xd6e8feb86659fd93);
    size_t len = name->text.len;
    uint64_t first = 0, last = 0;
    uint32_t first_half, last_half;
    if (len > 2 * sizeof(first))
        return XXH3_64bits(name->text.at, len);
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

/* False when the name may have been there, or when it cannot be told. */
static inline bool rdb_names_add(struct rdb_names *names, const struct rdb_scalar *name)
{
    uint64_t hash = rdb_name_hash(name);
    uint32_t mark = (uint32_t)(hash >> 32) | 1;
    for (size_t looks = 0; looks < RDB_NAMES_CROWD; looks++) {
        uint32_t *slot = &names->slots[(hash + looks) & names->mask];
        if (!*slot) {
            *slot = mark;
            return true;
        }
        if (*slot == mark)
            return false;
    }
    return false;
}

#endif
