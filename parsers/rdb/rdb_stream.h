/* Private to parsers/rdb: the walk over the value of a stream.
 *
 * The reader of values drives it, with one structure for all streams of a dump:
 *
 *     rdb_stream_begin(reader, stream, version);
 *     while ((step = rdb_stream_next(reader, stream, &element)) == PARSE_ITEM)
 *         ...
 *
 * A step is PARSE_ITEM with an element in the order of value.h, PARSE_END behind the value, or PARSE_STOP when the
 * reader has stopped. Damage is queued with rdb_value_report() and belongs before what the step gives. What is wrong
 * inside a node of entries never ends the walk: where the node ends is known. The rules, and what looks wrong but is
 * legal: docs/formats/rdb.md.
 *
 * Names and values are borrowed, from the run RDB_VALUE, until the next step. Memory: a node at a time; 24 bytes a
 * pending entry of a group; 40 bytes a name where names must differ (groups of a stream, consumers of a group,
 * producers of a stream, ids of a producer). It grows with what was read, never with what is stated.
 */
#ifndef RCF_RDB_STREAM_H
#define RCF_RDB_STREAM_H

#include <xxhash.h>

#include "parsers/rdb/rdb_value_private.h"
#include "parsers/rdb/value.h"

/* By the type of the value; each version adds to the one before. */
enum rdb_stream_version {
    RDB_STREAM_1 = 1, /* type 15, Redis 5.0 */
    RDB_STREAM_2,     /* type 19, Redis 7.0: first id, largest deleted id, entries ever added; entries read of groups */
    RDB_STREAM_3,     /* type 21, Redis 7.2: activity of consumers */
    RDB_STREAM_4,     /* type 26, Redis 8.6: producers */
    RDB_STREAM_5,     /* type 27, Redis 8.8: what was given back to a group */
};

/* The lists that a stream is made of, from the outside in. */
enum rdb_stream_list {
    RDB_STREAM_NODES,
    RDB_STREAM_GROUPS,
    RDB_STREAM_PENDING,
    RDB_STREAM_CONSUMERS,
    RDB_STREAM_CONSUMER_PENDING,
    RDB_STREAM_NACKS,
    RDB_STREAM_PRODUCERS,
    RDB_STREAM_PRODUCED,
    RDB_STREAM_LISTS
};

/* A name that was seen. */
struct rdb_stream_name {
    XXH128_hash_t hash;
    struct place place;
};

/* Names of which none may occur twice. */
struct rdb_stream_names {
    struct rdb_stream_name *at;
    size_t count, room;
    bool sorted;   /* so far: then none occurs twice */
    uint8_t *last; /* a copy of the one before */
    size_t last_length, last_room;
};

/* An entry that is pending in a group. */
struct rdb_stream_pending {
    struct rdb_stream_id id;
    uint64_t owner; /* the consumer that has it, counted from 1; 0: none so far */
};

/* All zeros before the first stream; then all of it is the walk's own. */
struct rdb_stream {
    enum rdb_stream_version version;
    unsigned phase;
    uint64_t left[RDB_STREAM_LISTS]; /* items to come, of each list that is being read */

    /* Entries. */
    bool incomplete; /* entries may be missing: a node could not be read to its end */
    bool has_node, has_live;
    struct rdb_stream_id node;                /* the current one, or the one before */
    struct rdb_stream_id first_live, highest; /* of live entries */
    struct rdb_stream_id previous;            /* the live entry before */
    uint64_t live;
    struct rdb_stream_facts facts;
    struct rdb_blob blob; /* the node's listpack */
    struct packed packed;
    struct packed names;  /* over the same listpack: names of the fields that its entries share */
    uint64_t names_at;    /* the first of them, in the listpack */
    uint64_t shared;      /* how many */
    uint64_t stated_live, stated_deleted, seen_live, seen_deleted; /* of the node */

    /* The current entry. */
    bool same_fields, deleted;
    uint64_t fields_left, words; /* words of the listpack that it took so far */

    /* Groups. */
    struct rdb_stream_names groups, consumers;
    struct rdb_stream_pending *pending; /* of the current group, sorted when all are read */
    size_t pending_count, pending_room;
    size_t pending_next;          /* the one behind that found last */
    struct place pending_place;   /* of the list */
    uint64_t consumer;            /* the current one, counted from 1 */
    struct rdb_stream_id before;  /* the id before, in the list that is being read */
    bool has_before, out_of_order;

    /* Producers. */
    struct rdb_stream_names producers, produced;
};

/* The reader stands behind the key. `version` is an enum rdb_stream_version. */
void rdb_stream_begin(struct rdb *reader, struct rdb_stream *stream, unsigned version);

/* Contract above. Of `element`, what its kind names is set. */
enum parse_step rdb_stream_next(struct rdb *reader, struct rdb_stream *stream, struct rdb_element *element);

/* Frees what the structure holds, not itself. */
void rdb_stream_close(struct rdb_stream *stream);

#endif
