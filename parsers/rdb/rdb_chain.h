/* Private to the search for records behind damage: a chain of records, and what it is worth. rdb_resync.h tells why. */
#ifndef RCF_RDB_CHAIN_H
#define RCF_RDB_CHAIN_H

#include "parsers/bytes/cursor.h"
#include "parsers/rdb/rdb_part.h"

enum {
    RDB_CHAIN_ENOUGH = 48, /* bits, to be believed ... */
    RDB_CHAIN_KEYS = 3,    /* ... with so many keys, or with one before the end of the dump */
    RDB_CHAIN_NEAR = 1024, /* bytes of the first look; a longer string costs no more */
};

/* Records that follow each other. */
struct rdb_chain {
    unsigned bits, keys;
    unsigned first_bits; /* what its first key is worth */
    bool strange_first; /* its first name is no text, and all others are */
    bool at_end;        /* the end of the dump follows, and nothing behind it */
    bool stored;        /* the end of a dump follows, and more behind it */
    bool ran_out;       /* of bytes to look at */
    uint64_t first_end; /* offset in what was looked at, behind its first key */
    uint64_t end;       /* ... and behind its last record */
    uint64_t work;
};

/* What is looked at, and how far. */
struct rdb_chain_view {
    struct bytes bytes;
    bool last;     /* the evidence ends where they do */
    uint64_t past; /* a chain has to lead past this and must not come to it; 0 for nothing */
    unsigned bits; /* nobody needs more */
};

/* Whether a record may begin at the cursor; `text`: with a name that is text. Opcodes of keys are passed over. What is
 * no part of a key may begin a chain only where it says something of what follows. */
bool rdb_chain_may_begin(const struct rdb *reader, struct cursor cursor, bool *text);

/* Past bytes that begin nothing here; `keep` of them stay. */
void rdb_chain_pass_idle(const struct rdb *reader, struct cursor *cursor, size_t keep);

/* Reads records from the start of what is looked at. `reader` reads parts; `slots` as for rdb_resync_find(). */
struct rdb_chain rdb_chain_follow(struct rdb *reader, const struct rdb_carry *carry, const struct rdb_chain_view *view,
                                  const uint8_t *slots);

bool rdb_chain_is_enough(const struct rdb_chain *chain);

/* What a reader that begins somewhere does not know any more. */
void rdb_carry_forget(struct rdb_carry *carry);

#endif
