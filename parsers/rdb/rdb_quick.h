/* Private to parsers/rdb: the quick way over values in which nothing is wrong, which are nearly all.
 *
 * It looks at whole values in memory with loops of a few instructions an element, and sees all that the walk over
 * elements (rdb_value_private.h) sees. It says nothing of what it finds: at the first oddity, and wherever it does not
 * know, it gives up, and that walk reads the value from its start.
 */
#ifndef RCF_RDB_QUICK_H
#define RCF_RDB_QUICK_H

#include "parsers/rdb/packed.h"
#include "parsers/rdb/rdb.h"

struct rdb_row;
struct rdb_quick_way;

enum { RDB_QUICK_TYPES = 256 };

/* The names of one collection so far, as 32 bits of their hashes. */
struct rdb_names {
    uint32_t *slots; /* 0: free */
    size_t cap, mask;
};

/* What a reader keeps from value to value. Zeros are a valid start. */
struct rdb_quick {
    bool off; /* for tests: gives up always */
    struct rdb_names names;
    /* By type byte: the row that was asked for last, and its way. */
    const struct rdb_row *rows[RDB_QUICK_TYPES];
    const struct rdb_quick_way *ways[RDB_QUICK_TYPES];
};

void rdb_quick_close(struct rdb_quick *quick);

/* Behind the name of a key, whose row has a layout: past its value, which is checked or counted as reader->flags say.
 * Fills elements, and where they are counted strings and string_bytes, of `key`. False, with nothing read, where there
 * may be something to say. */
bool rdb_quick_value(struct rdb *reader, const struct rdb_row *row, struct rdb_key *key);

/* How many of the bytes in front of the reader are a value in which nothing is wrong, with its elements; 0 where there
 * may be something to say. */
size_t rdb_quick_length(struct rdb *reader, const struct rdb_row *row, struct bytes bytes, uint64_t *elements);

/* A blob that holds at least one element, all of them of a value of `datatype`, which are added to *elements; `form` is
 * any but a zipmap. False where there may be something to say. */
bool rdb_quick_packed(struct rdb_names *names, enum packed_form form, enum rdb_datatype datatype, struct bytes blob,
                      uint64_t *elements);

#endif
