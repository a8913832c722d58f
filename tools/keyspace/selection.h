/* Which keys of a dump are wanted: by name, type, slot, database, expiry and size.
 *
 * A selection of zeros takes every key. Conditions of one kind are alternatives (any pattern, any type, any range),
 * kinds add up: a key is taken when each kind that was asked for lets it through. Nothing is allocated; strings stay
 * the caller's.
 */
#ifndef RCF_SELECTION_H
#define RCF_SELECTION_H

#include <stdbool.h>

#include "parsers/bytes/keyslot.h"
#include "parsers/rdb/rdb.h"

enum { SELECTION_MOST = 64 /* patterns, and ranges of databases */ };

enum selection_expiry {
    SELECTION_EXPIRY_ANY,    /* every key */
    SELECTION_EXPIRY_NONE,   /* keys that stay */
    SELECTION_EXPIRY_SOME,   /* keys that expire, whenever */
    SELECTION_EXPIRY_BEFORE, /* that expire before expiry_ms */
    SELECTION_EXPIRY_AFTER   /* that expire at expiry_ms or later */
};

struct selection {
    struct bytes patterns[SELECTION_MOST]; /* globs, see selection_glob() */
    size_t pattern_count;
    struct {
        uint32_t first, last;
    } dbs[SELECTION_MOST];
    size_t db_count;
    unsigned types; /* a bit for each enum rdb_datatype; 0: all */
    bool by_slot;   /* only those in `slots` */
    uint64_t slots[SLOT_COUNT / 64];
    enum selection_expiry expiry;
    int64_t expiry_ms; /* Unix milliseconds */
    bool has_least, has_most;
    uint64_t least, most; /* bytes of the serialised value */
    bool narrow; /* set by every function that adds a condition */
};

/* Each adds a condition. False when there is no room for more, or the range is empty or out of bounds. */
bool selection_add_pattern(struct selection *selection, struct bytes pattern);
bool selection_add_dbs(struct selection *selection, uint64_t first, uint64_t last);
bool selection_add_slots(struct selection *selection, uint64_t first, uint64_t last);
void selection_add_type(struct selection *selection, enum rdb_datatype type);
void selection_set_expiry(struct selection *selection, enum selection_expiry expiry, int64_t ms);
void selection_set_least(struct selection *selection, uint64_t bytes);
void selection_set_most(struct selection *selection, uint64_t bytes);

/* The key is wanted. `slot` is keyslot(key->name). */
bool selection_takes(const struct selection *selection, const struct rdb_key *key, unsigned slot);

/* The two halves of it, for readers that meet a key before its value (RDB_VALUES): everything but the size, and the
 * size alone. */
bool selection_takes_key(const struct selection *selection, const struct rdb_key *key, unsigned slot);
bool selection_takes_size(const struct selection *selection, uint64_t bytes);

/* The name fits the pattern by the rules of KEYS and SCAN: * any run of bytes, ? one byte, [a-z] and [^a-z] one byte of
 * a class, \ takes the next byte as it is; a class without its ] reaches to the end of the pattern (util.c of Redis,
 * stringmatchlen). Where the server goes back to every star, this goes back to the last one alone, which decides the
 * same: the time is bounded by the product of both lengths, whatever the pattern. */
bool selection_glob(struct bytes pattern, struct bytes name);

#endif
