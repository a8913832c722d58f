/* The elements of a value, one by one: what RDB_VALUES is for.
 *
 *     while ((step = rdb_next(reader, &item)) == PARSE_ITEM || step == PARSE_DAMAGE)
 *         if (step == PARSE_ITEM && item.kind == RDB_KEY)
 *             while ((step = rdb_value_next(reader, &element)) == PARSE_ITEM || step == PARSE_DAMAGE)
 *                 ...
 *
 * Checking, exporting, counting and digesting a value are this one walk. Memory is bounded by the largest element (one
 * packed blob at most is expanded at a time), and for finding duplicates by 16 bytes an element of the largest
 * collection.
 */
#ifndef RCF_VALUE_H
#define RCF_VALUE_H

#include "parsers/rdb/packed.h"
#include "parsers/rdb/rdb.h"

enum rdb_element_kind {
    RDB_ELEMENT_STRING, /* the value of a string key, the text of a JSON document: value */
    RDB_ELEMENT_ITEM,   /* of a list: value */
    RDB_ELEMENT_MEMBER, /* of a set: name; expire_ms where members can expire */
    RDB_ELEMENT_SCORED, /* of a sorted set: name, score */
    RDB_ELEMENT_FIELD,  /* of a hash: name, value; expire_ms where fields can expire */
    RDB_ELEMENT_SLOT,   /* of an array: index, value, or score for a float */

    /* A stream gives, in this order: all entries, each followed by its fields; the stream's own facts; then group by
     * group: the group, what is pending in it, its consumers, each followed by what is pending for it; then
     * producers. */
    RDB_ELEMENT_ENTRY,            /* id; deleted */
    RDB_ELEMENT_ENTRY_FIELD,      /* name, value; deleted */
    RDB_ELEMENT_STREAM,           /* stream */
    RDB_ELEMENT_GROUP,            /* name; id = last delivered; count = entries read, UINT64_MAX when not known */
    RDB_ELEMENT_PENDING,          /* id; time_ms = last delivered, count = deliveries */
    RDB_ELEMENT_CONSUMER,         /* name; time_ms = seen; active_ms, -1 when the version does not say */
    RDB_ELEMENT_CONSUMER_PENDING, /* id */
    RDB_ELEMENT_NACK,             /* id, in the group's zone of what was given back (Redis 8.8) */
    RDB_ELEMENT_PRODUCER,         /* name (Redis 8.6) */
    RDB_ELEMENT_PRODUCED,         /* name = its own id of an entry; id */

    RDB_ELEMENT_MODULE,       /* name = the module's nine letters; count = version of its encoding */
    RDB_ELEMENT_MODULE_VALUE, /* value: an integer or a string, or score for a float */

    RDB_ELEMENT_OPAQUE, /* value: bytes whose inside is not known */
};

struct rdb_stream_id {
    uint64_t ms, seq;
};

struct rdb_stream_facts {
    uint64_t length;            /* live entries, as stated */
    struct rdb_stream_id last;  /* the last id ever given */
    bool has_history;           /* version 2 and newer: the members below */
    struct rdb_stream_id first; /* of the live entries */
    struct rdb_stream_id max_deleted;
    uint64_t added; /* entries ever added */
    uint64_t groups;
};

/* Only what its kind names is set. Borrowed from the reader, as are its words, until the next call. */
struct rdb_element {
    enum rdb_element_kind kind;
    struct place place; /* in the file, like that of a damage */
    struct rdb_scalar name, value;
    double score;
    bool is_float; /* RDB_ELEMENT_SLOT and RDB_ELEMENT_MODULE_VALUE: score has the value */
    bool has_expiry;
    int64_t expire_ms; /* Unix milliseconds */
    uint64_t index, count;
    struct rdb_stream_id id;
    bool deleted;
    int64_t time_ms, active_ms;
    struct rdb_stream_facts stream;
};

/* The next element of the value of the key that rdb_next() gave last; see parsers/parse.h. PARSE_END after the last;
 * then rdb_value_key() knows length and elements. PARSE_STOP where the rest of the dump cannot be read; a value whose
 * inside is broken but whose end is known is damage, and what can be given of it is given: an element of which a part
 * cannot be decoded is counted, but not given. rdb_next() reads what the caller leaves, without a look inside. */
enum parse_step rdb_value_next(struct rdb *reader, const struct rdb_element **element);

/* The key again, complete, after PARSE_END of its value. Its name is borrowed until the next rdb_next(). */
const struct rdb_key *rdb_value_key(const struct rdb *reader);

/* What two values have in common if and only if they are the same for a user, however they are stored: XXH3-128 over
 * the datatype and the elements, in their order for strings, lists, streams and arrays, in any order for sets, hashes
 * and sorted sets; integers as their text, scores as numbers, expiry of fields and members included, expiry of the key
 * not. Consumer groups and pending entries count, with the times of their delivery; times at which consumers were seen
 * do not, nor do deleted entries. Modules: the values in their order. A structure is rdb_digest_size() bytes, aligned
 * as malloc() does; nothing is to be freed in it. */
struct rdb_digest;
size_t rdb_digest_size(void);
void rdb_digest_begin(struct rdb_digest *digest, enum rdb_datatype datatype);
void rdb_digest_add(struct rdb_digest *digest, const struct rdb_element *element);
void rdb_digest_end(struct rdb_digest *digest, unsigned char out[16]);

#endif
