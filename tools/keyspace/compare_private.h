/* Between compare.c, which reads keys, compare_join.c, which brings both sides together, and compare_list.c, which
 * names what differs. */
#ifndef RCF_COMPARE_PRIVATE_H
#define RCF_COMPARE_PRIVATE_H

#include "tools/keyspace/compare.h"
#include "tools/keyspace/key_parts.h"

/* A mark: what became of a key so far, its datatype, and whether it was listed. */
enum {
    MARK_TYPE_SHIFT = 3,
    MARK_STATE = (1 << MARK_TYPE_SHIFT) - 1, /* enum compare_how, or: */
    MARK_REPEATED = COMPARE_HOWS,            /* of A, and another entry stands for it */
    MARK_TYPE = 15 << MARK_TYPE_SHIFT,
    MARK_LISTED = 128,
};
_Static_assert(RDB_DATATYPES <= 16, "a datatype has four bits in a mark");
_Static_assert(MARK_REPEATED <= MARK_STATE, "a state has three bits in a mark");

/* How to find an entry in a part, in cells of 64 bits: the number of the entry + 1, and bits of its name before it. */
struct join {
    uint64_t *cells;
    size_t cell_cap, mask;
    struct key_chunk **chunks; /* of the part */
    size_t chunk_cap, chunk_count;
};

/* Where A holds a key that differs; compare_list.c's. */
struct listed {
    struct key_entry *entry; /* NULL: a free place */
    struct compare_stored *a;
};

enum { STORED_BLOCK = 4096 };

struct compare {
    struct compare_options options;
    struct source *(*reopen)(void *context);
    void *reopen_context;
    struct compare_counts counts;
    uint64_t dumps[COMPARE_SIDES];
    uint64_t versions; /* keys of A whose name another entry has too: only their values tell them apart */

    struct key_pool pool;
    struct key_part kept[KEY_PARTS];     /* A's keys, and those that only B has */
    uint64_t settled[KEY_PARTS];         /* so many of them have met each other */
    struct key_part waiting[KEY_PARTS];  /* B's keys */
    uint64_t kept_count, waiting_count;
    struct join join;

    struct listed *index; /* what is to be listed, by name; a power of two of places */
    size_t index_size;
    struct compare_stored **blocks;
    size_t block_count, block_cap, stored_count;
    uint64_t listed[COMPARE_SIDES];
};

static inline unsigned state_of(const struct key_entry *entry)
{
    return key_entry_mark(entry) & MARK_STATE;
}

/* An expiry in 64 bits, absence included. */
uint64_t compare_expiry_code(const struct compare *compare, const struct rdb_key *key);

/* How any dump is read. */
static inline struct scan_options scan_options_of(const struct compare *compare)
{
    return (struct scan_options){.threads = compare->options.threads,
                                 .expect_end = true,
                                 .reopen = compare->reopen,
                                 .reopen_context = compare->reopen_context};
}

/* The keys of B that wait meet those of A. False without memory. */
bool compare_join(struct compare *compare);

void compare_free_list(struct compare *compare);

#endif
