/* Private to the walk over streams: its phases, and what they have in common. */
#ifndef RCF_RDB_STREAM_PRIVATE_H
#define RCF_RDB_STREAM_PRIVATE_H

#include "parsers/rdb/rdb_private.h"
#include "parsers/rdb/rdb_stream.h"

/* What is read next. */
enum rdb_stream_phase {
    RDB_STREAM_AT_NODES, /* their number */
    RDB_STREAM_AT_NODE,
    RDB_STREAM_AT_ENTRY,
    RDB_STREAM_AT_FIELD,
    RDB_STREAM_AT_FACTS,
    RDB_STREAM_AT_GROUP,
    RDB_STREAM_AT_PENDING,
    RDB_STREAM_AT_CONSUMER,
    RDB_STREAM_AT_CONSUMER_PENDING,
    RDB_STREAM_AT_NACK,
    RDB_STREAM_AT_PRODUCERS, /* settings and number */
    RDB_STREAM_AT_PRODUCER,
    RDB_STREAM_AT_PRODUCED,
    RDB_STREAM_AT_END,
    RDB_STREAM_PHASES
};

/* What a phase did. */
enum rdb_stream_outcome {
    RDB_STREAM_GIVES, /* an element */
    RDB_STREAM_MOVES, /* to another phase, or past something that could not be given */
    RDB_STREAM_ENDS,
    RDB_STREAM_STOPS, /* the reader did */
};

typedef enum rdb_stream_outcome rdb_stream_phase_fn(struct rdb *reader, struct rdb_stream *stream,
                                                    struct rdb_element *element);

/* rdb_stream_entries.c */
rdb_stream_phase_fn rdb_stream_nodes, rdb_stream_node, rdb_stream_entry, rdb_stream_field, rdb_stream_facts;

/* rdb_stream_groups.c */
rdb_stream_phase_fn rdb_stream_group, rdb_stream_pending, rdb_stream_consumer, rdb_stream_consumer_pending,
    rdb_stream_nack;

/* rdb_stream.c */
rdb_stream_phase_fn rdb_stream_producers, rdb_stream_producer, rdb_stream_produced;

static inline enum rdb_stream_outcome rdb_stream_to(struct rdb_stream *stream, enum rdb_stream_phase phase)
{
    stream->phase = phase;
    return RDB_STREAM_MOVES;
}

static inline int rdb_stream_compare(const struct rdb_stream_id *a, const struct rdb_stream_id *b)
{
    if (a->ms != b->ms)
        return a->ms < b->ms ? -1 : 1;
    return a->seq < b->seq ? -1 : a->seq > b->seq;
}

/* printf arguments of an id. */
#define RDB_STREAM_ID "%" PRIu64 "-%" PRIu64
#define RDB_STREAM_ID_OF(id) (id).ms, (id).seq

/* From `offset` to where the reader stands. */
struct place rdb_stream_place(const struct rdb *reader, uint64_t offset);

/* The number of items of a list. False when the reader has stopped, as in all that follows. */
bool rdb_stream_count(struct rdb *reader, struct rdb_stream *stream, enum rdb_stream_list list, const char *what);

/* An id as two lengths, and as sixteen bytes, big-endian. */
bool rdb_stream_id(struct rdb *reader, struct rdb_stream_id *id);
bool rdb_stream_raw_id(struct rdb *reader, struct rdb_stream_id *id);

/* A string into the run RDB_VALUE; NULL and empty there when it does not expand. And where it stands. */
bool rdb_stream_text(struct rdb *reader, struct place *place);

/* What is in that run. To be asked for again when something was read since: the run may have moved. */
static inline struct rdb_scalar rdb_stream_word(const struct rdb *reader)
{
    return (struct rdb_scalar){.text = reader->window.runs[RDB_VALUE].bytes};
}

/* The array `at`, which has room for `*room` items of `size` bytes, with room for one more behind `count`. NULL when
 * the reader has stopped without memory; the array is then as it was. */
void *rdb_stream_grow(struct rdb *reader, void *at, size_t *room, size_t count, size_t size);

/* Names of one kind: begin, each of them behind rdb_stream_text(), end. The end tells of those that were there before.
 * Where servers write names sorted, `order` says so as the `expected` of a damage; else it is NULL. */
void rdb_stream_names_begin(struct rdb_stream_names *names);
bool rdb_stream_names_add(struct rdb *reader, struct rdb_stream_names *names, struct place place, const char *order);
void rdb_stream_names_end(struct rdb *reader, struct rdb_stream_names *names, const char *expected);

#endif
