/* Streams: the walk from phase to phase, names, and producers.
 *
 *     stream  := nodes facts groups [ producers ]      rdbSaveObject() and rdbLoadObject() of Redis 5.0 to 7.2
 *     nodes   := count { id listpack }                 rdb_stream_entries.c
 *     groups  := count { group }                       rdb_stream_groups.c
 */
#include "parsers/rdb/rdb_stream.h"

#include <inttypes.h>
#include <stdlib.h>

#include "parsers/rdb/rdb_stream_private.h"

/* More were never written; see rdb_step.c. */
static const uint64_t MOST_ITEMS = UINT64_C(1) << 40;

struct place rdb_stream_place(const struct rdb *reader, uint64_t offset)
{
    return (struct place){.offset = offset, .length = rdb_window_offset(&reader->window) - offset};
}

bool rdb_stream_count(struct rdb *reader, struct rdb_stream *stream, enum rdb_stream_list list, const char *what)
{
    stream->has_before = stream->out_of_order = false;
    return rdb_number(reader, MOST_ITEMS, what, &stream->left[list]);
}

bool rdb_stream_id(struct rdb *reader, struct rdb_stream_id *id)
{
    return rdb_length(reader, &id->ms) && rdb_length(reader, &id->seq);
}

bool rdb_stream_raw_id(struct rdb *reader, struct rdb_stream_id *id)
{
    if (!rdb_window_need(&reader->window, 16))
        return rdb_ran_out(reader);
    id->ms = cursor_be64(&reader->window.cursor);
    id->seq = cursor_be64(&reader->window.cursor);
    return true;
}

bool rdb_stream_text(struct rdb *reader, struct place *place)
{
    uint64_t offset = rdb_window_offset(&reader->window);
    if (!rdb_string(reader, RDB_VALUE))
        return false;
    *place = rdb_stream_place(reader, offset);
    if (reader->lost)
        reader->window.runs[RDB_VALUE].bytes = (struct bytes){0};
    reader->lost = false;
    return true;
}

void *rdb_stream_grow(struct rdb *reader, void *at, size_t *room, size_t count, size_t size)
{
    if (count < *room)
        return at;
    size_t wanted = count < 16 ? 16 : 2 * count;
    void *larger = wanted <= SIZE_MAX / size ? realloc(at, wanted * size) : NULL;
    if (!larger) {
        rdb_fail(reader, RDB_STOP_MEMORY, rdb_window_offset(&reader->window), "out of memory");
        return NULL;
    }
    *room = wanted;
    return larger;
}

void rdb_stream_names_begin(struct rdb_stream_names *names)
{
    names->count = 0;
    names->sorted = true;
    names->last_length = 0;
}

static int compare_bytes(struct bytes a, struct bytes b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter ? memcmp(a.at, b.at, shorter) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static bool remember_last(struct rdb *reader, struct rdb_stream_names *names, struct bytes name)
{
    uint8_t *room = rdb_stream_grow(reader, names->last, &names->last_room, name.len, 1);
    if (!room)
        return false;
    names->last = room;
    if (name.len)
        memcpy(room, name.at, name.len);
    names->last_length = name.len;
    return true;
}

bool rdb_stream_names_add(struct rdb *reader, struct rdb_stream_names *names, struct place place, const char *order)
{
    struct bytes name = reader->window.runs[RDB_VALUE].bytes;
    if (!name.at)
        return true;
    struct rdb_stream_name *room = rdb_stream_grow(reader, names->at, &names->room, names->count, sizeof(*room));
    if (!room)
        return false;
    names->at = room;
    if (names->count && names->sorted) {
        int difference = compare_bytes((struct bytes){names->last, names->last_length}, name);
        names->sorted = difference < 0;
        if (order && difference > 0)
            rdb_value_report(reader, RDB_BAD_ORDER, place, order, "one that belongs before the one before it");
    }
    names->at[names->count++] = (struct rdb_stream_name){XXH3_128bits(name.at, name.len), place};
    return !names->sorted || remember_last(reader, names, name);
}

static int compare_names(const void *left, const void *right)
{
    const struct rdb_stream_name *a = left, *b = right;
    int order = XXH128_cmp(&a->hash, &b->hash);
    return order ? order : (a->place.offset > b->place.offset) - (a->place.offset < b->place.offset);
}

void rdb_stream_names_end(struct rdb *reader, struct rdb_stream_names *names, const char *expected)
{
    if (names->sorted)
        return;
    qsort(names->at, names->count, sizeof(*names->at), compare_names);
    for (size_t i = 1; i < names->count; i++)
        if (XXH128_isEqual(names->at[i - 1].hash, names->at[i].hash))
            rdb_value_report(reader, RDB_DUPLICATE_ELEMENT, names->at[i].place, expected,
                             "the one at offset %" PRIu64 " again", names->at[i - 1].place.offset);
}

static void names_close(struct rdb_stream_names *names)
{
    free(names->at);
    free(names->last);
}

/* Producers (Redis 8.6): for how long and how many ids of their entries are kept, so that nothing is added twice; and
 * behind them how many ids were ever added and refused. */
enum rdb_stream_outcome rdb_stream_producers(struct rdb *reader, struct rdb_stream *stream, struct rdb_element *element)
{
    uint64_t seconds, most;
    (void)element;
    if (!rdb_length(reader, &seconds) || !rdb_length(reader, &most) ||
        !rdb_stream_count(reader, stream, RDB_STREAM_PRODUCERS, "producers:"))
        return RDB_STREAM_STOPS;
    rdb_stream_names_begin(&stream->producers);
    return rdb_stream_to(stream, RDB_STREAM_AT_PRODUCER);
}

static enum rdb_stream_outcome end_producers(struct rdb *reader, struct rdb_stream *stream)
{
    uint64_t added, refused;
    rdb_stream_names_end(reader, &stream->producers, "a producer once");
    if (!rdb_length(reader, &added) || !rdb_length(reader, &refused))
        return RDB_STREAM_STOPS;
    return rdb_stream_to(stream, RDB_STREAM_AT_END);
}

enum rdb_stream_outcome rdb_stream_producer(struct rdb *reader, struct rdb_stream *stream, struct rdb_element *element)
{
    if (!stream->left[RDB_STREAM_PRODUCERS])
        return end_producers(reader, stream);
    stream->left[RDB_STREAM_PRODUCERS]--;
    if (!rdb_stream_text(reader, &element->place) ||
        !rdb_stream_names_add(reader, &stream->producers, element->place, NULL) ||
        !rdb_stream_count(reader, stream, RDB_STREAM_PRODUCED, "ids of a producer:"))
        return RDB_STREAM_STOPS;
    element->kind = RDB_ELEMENT_PRODUCER;
    element->name = rdb_stream_word(reader);
    rdb_stream_names_begin(&stream->produced);
    stream->phase = RDB_STREAM_AT_PRODUCED;
    return RDB_STREAM_GIVES;
}

enum rdb_stream_outcome rdb_stream_produced(struct rdb *reader, struct rdb_stream *stream, struct rdb_element *element)
{
    if (!stream->left[RDB_STREAM_PRODUCED]) {
        rdb_stream_names_end(reader, &stream->produced, "an id of a producer once");
        return rdb_stream_to(stream, RDB_STREAM_AT_PRODUCER);
    }
    stream->left[RDB_STREAM_PRODUCED]--;
    if (!rdb_stream_text(reader, &element->place) ||
        !rdb_stream_names_add(reader, &stream->produced, element->place, NULL) ||
        !rdb_stream_id(reader, &element->id))
        return RDB_STREAM_STOPS;
    element->kind = RDB_ELEMENT_PRODUCED;
    element->name = rdb_stream_word(reader);
    return RDB_STREAM_GIVES;
}

static enum rdb_stream_outcome at_end(struct rdb *reader, struct rdb_stream *stream, struct rdb_element *element)
{
    (void)reader;
    (void)stream;
    (void)element;
    return RDB_STREAM_ENDS;
}

static rdb_stream_phase_fn *const phases[RDB_STREAM_PHASES] = {
    [RDB_STREAM_AT_NODES] = rdb_stream_nodes,
    [RDB_STREAM_AT_NODE] = rdb_stream_node,
    [RDB_STREAM_AT_ENTRY] = rdb_stream_entry,
    [RDB_STREAM_AT_FIELD] = rdb_stream_field,
    [RDB_STREAM_AT_FACTS] = rdb_stream_facts,
    [RDB_STREAM_AT_GROUP] = rdb_stream_group,
    [RDB_STREAM_AT_PENDING] = rdb_stream_pending,
    [RDB_STREAM_AT_CONSUMER] = rdb_stream_consumer,
    [RDB_STREAM_AT_CONSUMER_PENDING] = rdb_stream_consumer_pending,
    [RDB_STREAM_AT_NACK] = rdb_stream_nack,
    [RDB_STREAM_AT_PRODUCERS] = rdb_stream_producers,
    [RDB_STREAM_AT_PRODUCER] = rdb_stream_producer,
    [RDB_STREAM_AT_PRODUCED] = rdb_stream_produced,
    [RDB_STREAM_AT_END] = at_end,
};

void rdb_stream_begin(struct rdb *reader, struct rdb_stream *stream, unsigned version)
{
    (void)reader;
    stream->version = version;
    stream->phase = RDB_STREAM_AT_NODES;
    stream->incomplete = stream->has_node = stream->has_live = false;
    stream->live = 0;
}

enum parse_step rdb_stream_next(struct rdb *reader, struct rdb_stream *stream, struct rdb_element *element)
{
    static const enum parse_step steps[] = {
        [RDB_STREAM_GIVES] = PARSE_ITEM,
        [RDB_STREAM_ENDS] = PARSE_END,
        [RDB_STREAM_STOPS] = PARSE_STOP,
    };
    enum rdb_stream_outcome outcome;
    do
        outcome = phases[stream->phase](reader, stream, element);
    while (outcome == RDB_STREAM_MOVES);
    return steps[outcome];
}

void rdb_stream_close(struct rdb_stream *stream)
{
    names_close(&stream->groups);
    names_close(&stream->consumers);
    names_close(&stream->producers);
    names_close(&stream->produced);
    free(stream->pending);
}
