/* Runs of plain keys: what most dumps mostly hold, many at once.
 *
 * A plain key has a name as it is (no integer, not compressed) and a string as value, at most an expiry in milliseconds
 * in front of it, and nothing is wrong with it. For a reader that checks values and is asked for nothing else
 * (RDB_CHECK_VALUES alone) the value may be of any type that can be checked while it stands in the window. rdb_plain() gives those that follow each other in the reader's window,
 * with the checks that rdb_next() makes, and leaves everything else to it: the first record that is odd in any way is
 * the next one of rdb_next(). So a caller may mix the two as it likes, and hears the same:
 *
 *     if (rdb_plain(reader, &run))  look at run.keys
 *     else                          rdb_next(reader, &item)
 */
#ifndef RCF_RDB_PLAIN_H
#define RCF_RDB_PLAIN_H

#include "parsers/rdb/rdb.h"

enum { RDB_PLAIN_MOST = 128 }; /* keys of a run: it stays in the first-level cache */

enum rdb_plain_form { RDB_PLAIN_TEXT, RDB_PLAIN_PACKED, RDB_PLAIN_INTEGER, RDB_PLAIN_NO_STRING };

struct rdb_row;

struct rdb_plain_key {
    const uint8_t *name;  /* in the window, as is the value: borrowed until the next call of the reader; LZF_ROOM bytes
                           * and more behind them can be read */
    const uint8_t *value; /* as its form says: the text; LZF (lzf.h), known to expand where the reader checks or gives
                           * values, only likely to where it does not; a little-endian integer; what stands behind
                           * the name, where it is no string */
    int64_t expire_ms;    /* 0 without */
    const struct rdb_row *row; /* the reader's own: rdb_plain_item() tells what it says */
    uint64_t elements;    /* 1 of a string */
    uint32_t from;        /* offset of the record behind that of the run */
    uint32_t stored;      /* bytes at `value` */
    uint16_t size;        /* of a string: the same once expanded */
    uint16_t name_length;
    uint8_t form;         /* enum rdb_plain_form */
    bool has_expiry;
};

struct rdb_plain {
    uint64_t offset;      /* of the first record */
    const uint8_t *bytes; /* that record */
    uint32_t db;
    unsigned flags;       /* of the reader */
    uint8_t type;         /* byte of the first */
    size_t count;
    uint64_t expires;     /* keys with an expiry */
    struct rdb_plain_key keys[RDB_PLAIN_MOST];
};

/* The plain keys in front of the reader, and past them: how many. 0, with nothing read, when the next step is one for
 * rdb_next(): always when the reader digests values, or an item, damage or a value waits to be told. */
size_t rdb_plain(struct rdb *reader, struct rdb_plain *run);

static inline struct bytes rdb_plain_name(const struct rdb_plain_key *key)
{
    return (struct bytes){key->name, key->name_length};
}

/* From the first opcode to the end of the value. */
struct place rdb_plain_place(const struct rdb_plain *run, const struct rdb_plain_key *key);

/* The item that rdb_next() would have given; the value of a key cannot be read with rdb_value_next(). */
void rdb_plain_item(const struct rdb_plain *run, const struct rdb_plain_key *key, struct rdb_item *item);

#endif
