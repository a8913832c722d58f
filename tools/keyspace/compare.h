/* Two sides, each of one dump or of several that add up: which keys one side holds alone, and which keys both hold with
 * another type, value or expiry.
 *
 * All dumps of side A are read first, then those of side B, each once and on all cores. A key takes 32 bytes
 * (tools/keyspace/key_parts.h), however large its value or name: those of A, those that only B has, and those of B that
 * wait for their turn, at most half as many as A has, or 262,144. Then the counts are known. Names are not kept:
 * compare_list() reads a dump again to give the keys that differ; each of them takes 100 bytes more then.
 *
 * Values are equal by rdb_key.digest (parsers/rdb/value.h), so encodings and the order of members are no difference.
 * Where several dumps of a side hold a key: each value that A has is looked for, and that of any dump of B is enough.
 */
#ifndef RCF_COMPARE_H
#define RCF_COMPARE_H

#include "tools/evidence/dump_scan.h"

enum compare_side { COMPARE_A, COMPARE_B, COMPARE_SIDES };

/* Of a type and a value and an expiry that differ, the first is told. */
enum compare_how {
    COMPARE_EQUAL,
    COMPARE_ONLY_A,
    COMPARE_ONLY_B,
    COMPARE_TYPE,
    COMPARE_VALUE,
    COMPARE_EXPIRY, /* only the expiry */
    COMPARE_HOWS
};

struct compare_options {
    /* Which keys are compared; NULL takes all. Asked by several threads. Only of what is the same on both sides:
     * database and name. */
    bool (*wants)(const void *context, const struct rdb_key *key);
    const void *context;
    bool ignore_expiry;
    bool ignore_only_b; /* keys that B alone holds are neither kept nor counted */
    unsigned threads;   /* as in struct scan_options */
};

struct compare_counts {
    uint64_t read[COMPARE_SIDES];     /* keys compared */
    uint64_t repeated[COMPARE_SIDES]; /* of them: names that the side had given before, in A with the same
                                       * value; where a key has more values than there are dumps of A, as in a
                                       * corrupt one, those too many */
    uint64_t keys[COMPARE_HOWS];      /* those of A that are not repeated; ONLY_B counts those of B */
};

/* How a key is stored in one dump. */
struct compare_stored {
    uint32_t file; /* the caller's number */
    enum rdb_datatype datatype;
    const char *type_name; /* static */
    struct place place;    /* of the record */
    uint64_t bytes;        /* of the serialised value */
    bool has_expiry;
    int64_t expire_ms;
};

struct compare_key {
    enum compare_how how;
    uint32_t db;
    struct bytes name; /* borrowed for the call */
    uint16_t slot;
    const struct compare_stored *a, *b; /* NULL where the side does not hold it */
};

/* How far a dump was compared. */
struct compare_end {
    struct scan_end scan;
    uint64_t keys;     /* read and wanted */
    uint64_t corrupt;  /* defects that leave a key or value in doubt, and stretches that were skipped */
    struct place first; /* of the first of them */
    bool whole;        /* read to its end, without any of them */
};

struct compare;

/* NULL without memory. The caller owns the comparison; the options are copied, what they point to is borrowed. */
struct compare *compare_new(const struct compare_options *options);
void compare_free(struct compare *compare);

/* From now on dumps are read on behind damage that loses the position, in both readings alike: `reopen` opens the dump
 * that is read once more, as scan_options.reopen does. NULL, as at first: reading ends there. */
void compare_salvage(struct compare *compare, struct source *(*reopen)(void *context), void *context);

/* Reads one more dump, all of A before the first of B. False without memory only;
 * then the comparison is of no more use. */
bool compare_read(struct compare *compare, enum compare_side side, struct source *source, struct compare_end *end);

/* From now on this `wants` is asked: for dumps that may speak for some keys only. */
void compare_narrow(struct compare *compare, bool (*wants)(const void *context, const struct rdb_key *key),
                    const void *context);

/* After all dumps: what the counts and lists need. False without memory. */
bool compare_settle(struct compare *compare);

/* After compare_settle(). */
struct compare_counts compare_counts(const struct compare *compare);

/* Reads a dump again, for which the caller has the number `file`, and gives to `visit`, in the order of the file, keys
 * that are not equal: for a dump of A those only there, for one of B those only there and those that differ. A key that
 * several dumps of a side hold is given once. All dumps of A come before those of B, both in the order of
 * compare_read(). `visit` returns false to end. False without memory, or when `visit` ended it. */
bool compare_list(struct compare *compare, enum compare_side side, uint32_t file, struct source *source,
                  bool (*visit)(void *context, const struct compare_key *key), void *context, struct scan_end *end);

/* Keys that lists of this side should give and have not given yet: 0 after lists of all its dumps, or one changed
 * meanwhile. */
uint64_t compare_unlisted(const struct compare *compare, enum compare_side side);

/* Bytes that the comparison keeps. */
uint64_t compare_bytes(const struct compare *compare);

/* "equal", "only-a", "only-b", "type", "value", "expiry". */
const char *compare_how_word(enum compare_how how);

#endif
