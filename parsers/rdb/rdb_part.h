/* Parts of a dump that are read apart from each other, by several threads.
 *
 * A reader over the whole dump cuts off runs of whole records that stand in its buffer. It steps over them, sums them
 * up and counts their keys, so that it knows what the next record means; it says nothing about them. A second reader
 * takes such a part and gives its items and damage, exactly as the first would have. What cannot be cut (the header,
 * the end, records larger than the buffer, records that later ones refer to, and all that is not certain) the first
 * one reads itself, with rdb_next(), when it is its turn:
 *
 *     while (more)
 *         if (rdb_cut(reader, &part))    hand the part to another thread
 *         else                           rdb_next(reader, &item)
 */
#ifndef RCF_RDB_PART_H
#define RCF_RDB_PART_H

#include "parsers/rdb/rdb.h"

enum { RDB_PART_ROOM = 4096 }; /* readable bytes behind each buffer: a walk may prefetch so far */

/* A count that the dump states about itself, and what had been seen when it did. */
struct rdb_claim {
    bool open;
    struct place place;
    uint64_t keys, expires;
    uint64_t keys_before, expires_before;
};

/* What the reading of a record depends on besides its bytes: for the readers only. */
struct rdb_carry {
    unsigned dialect;
    uint32_t version;
    bool disputed;
    uint32_t db;
    uint64_t keys, expires;
    struct rdb_claim db_claim, slot_claim;
    bool claims_unsure;
    bool has_prefix, has_expiry, has_idle, has_freq;
    uint8_t freq;
    uint64_t prefix_offset, idle_s;
    int64_t expire_ms;
    uint64_t dump; /* offset of the magic */
    bool marked;   /* the mark of a capture follows the dump */
};

struct rdb_part {
    struct bytes bytes; /* in the reader's buffer, with RDB_PART_ROOM readable bytes behind them */
    uint64_t offset;
    struct rdb_carry carry;
};

/* Where a reader that is cut gets its buffers. */
struct rdb_lender {
    uint8_t *(*another)(void *context); /* NULL without memory */
    void *context;
};

/* A reader that can be cut. Its buffers, of `size` bytes and RDB_PART_ROOM, come from `lender`, which owns them: a
 * buffer from which a part was cut is not written to any more; at the next call of another() the reader has no use for
 * the one before. NULL without memory. */
struct rdb *rdb_open_lent(struct source *source, unsigned flags, size_t size, struct rdb_lender lender);

/* Whole records in front of the reader, and past them. False when the next record is one for rdb_next(): always while
 * damage or an item waits to be told, and in a dump that fits into the buffer. */
bool rdb_cut(struct rdb *reader, struct rdb_part *part);

/* A reader for parts. NULL without memory. */
struct rdb *rdb_open_parts(unsigned flags);

/* Moves a reader of parts to the start of one; PARSE_END follows its last record. */
void rdb_read_part(struct rdb *reader, const struct rdb_part *part);

#endif
