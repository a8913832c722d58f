/* Finding the place where records begin again, behind damage that lost the position.
 *
 * Nothing in the format marks the start of a record, so the search asks of each offset whether a chain of records that
 * begins there could be chance. A record counts when its type is known to this dialect and version, its key has a name,
 * its value is sound and no rule contradicts it: the name has not come before in the chain, the slot is one of the
 * dump's. Each such record is worth some bits of evidence:
 *
 *     6   the record as such: of bytes at random, fewer than 1 in 64 pairs of type and lengths fit; none when its name
 *         is no text and has fewer than 8 bytes or zeros beside each other, as tables of numbers have
 *     1   for each character of its name, up to 16, when all of the name is text; a number is worth 2 in all
 *     8   when the dump states the slot's number before it, and the key belongs there
 *     32  when the end of the dump follows in the last bytes of the evidence: there is one such place
 *
 * A chain with 48 bits and 3 keys (1 key before the end of the dump) is believed. A record that begins a chain must
 * itself be worth it: a name that is not text before names that are does not begin one, nor does an empty name. A chain
 * that runs into the end of a dump while the evidence goes on is a dump that was stored as a value, and is passed over
 * unless there is nothing else.
 *
 * A chain that comes to a contradiction within 2 MiB needs twice that, and four times where the evidence may just end too
 * soon. When records inside of the first of a chain make a better one to the same end, the first is chance; so it is
 * when it is worth less than 16 bits and those inside 192, up to further damage: what is between two losses is found.
 *
 * The search reads forward only, in 16 MiB. A value of more than 8 MiB directly behind a loss is lost with it, and so
 * are fewer than 3 keys when the end of the dump does not follow. Its work is bounded: 64 MiB of values are
 * looked at, and 4 bytes for each byte of evidence, where each offset that is tried counts as 32. What is beyond that is
 * passed over until the bytes that follow have made up for it.
 */
#ifndef RCF_RDB_RESYNC_H
#define RCF_RDB_RESYNC_H

#include "parsers/rdb/rdb_part.h"

/* Where a reader stopped, and what it knew. */
struct rdb_stopped {
    struct rdb_carry carry;
    uint64_t record; /* offset of the record that it could not read, opcodes of its key included */
    bool truncated;  /* a length may be a lie, or the evidence ends too soon */
    uint64_t last_key; /* offset of the key's record before it; 0 when there is none */
    struct bytes key; /* of the record, as far as known; borrowed from the reader until it is used again */
};

/* False when there is nothing to search for: the header could not be read, the dump has ended, or the source failed. */
bool rdb_stopped(const struct rdb *reader, struct rdb_stopped *stopped);

/* One flipped byte can look like the opcode that ends a dump. With this, an end whose checksum is wrong or absent and
 * behind which more follows, but no other dump, stops the reader as corrupt, so that records can be searched for. */
void rdb_doubt_end(struct rdb *reader);

/* Lets a reader that stopped so take the end for what it says. False when it stopped for another reason. */
bool rdb_believe_end(struct rdb *reader);

struct rdb_resync;

/* A search over the same evidence as the reader's: `source` stands where the reader's source stood when it was opened,
 * and stays the caller's. One serves for all losses of a dump. NULL without memory. */
struct rdb_resync *rdb_resync_open(struct source *source);

/* The first offset behind the start of the record from which records may be read. When a length in the record before it
 * was a lie that led into the middle of another, that is an offset inside of that record, from which a chain leads past
 * the place where reading stopped; `*from` is then its start, else the start of the record. `slots`: a bit for each hash slot
 * that keys may have, the lowest bit of a byte first; or NULL. False when there is none, or the source failed. */
bool rdb_resync_find(struct rdb_resync *resync, const struct rdb_stopped *stopped, const uint8_t *slots,
                     uint64_t *from, uint64_t *offset);

/* CRC-64 of the dump from its magic up to what was found last. */
uint64_t rdb_resync_checksum(const struct rdb_resync *resync);

void rdb_resync_close(struct rdb_resync *resync);

/* Lets a reader that was opened over the whole dump go on at `offset`, where `source` stands now. Counts that the dump
 * stated before are not compared any more. `carry` may be that of another reader, which read a part. */
void rdb_resume(struct rdb *reader, struct source *source, uint64_t offset, const struct rdb_carry *carry,
                uint64_t checksum);

/* For tests and for measuring: the evidence of the chain that begins at `at`, in bits; 0 when none can. */
unsigned rdb_resync_weigh(struct bytes at, const struct rdb_carry *carry);

#endif
