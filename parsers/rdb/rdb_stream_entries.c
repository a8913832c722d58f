/* Streams: nodes, their entries, and what the stream says about them (t_stream.c of Redis 5.0 to 7.2).
 *
 *     node    := id listpack                            the id: sixteen bytes in a string, big-endian
 *     listpack: live deleted n field1 .. fieldn 0       what entries share; then the entries:
 *               flags ms seq [n field1] value1 .. words
 *
 * ms and seq are differences to the node's id, words is how many words of the listpack the entry has before it. Entries
 * with the flag "same fields" have values only. Deleted entries stay, marked; a node without live ones is legal: exact
 * trimming leaves it.
 */
#include <inttypes.h>

#include "parsers/rdb/packed_private.h"
#include "parsers/rdb/rdb_stream_private.h"

enum {
    ENTRY_DELETED = 1,
    ENTRY_SAME_FIELDS = 2,
    ENTRY_FLAGS = ENTRY_DELETED | ENTRY_SAME_FIELDS,
    RAW_ID = 16,
};

static void report_packed(struct rdb *reader, struct rdb_stream *stream)
{
    const struct damage *damage = packed_damage(&stream->packed);
    rdb_blob_report(reader, (enum rdb_defect)damage->code, &stream->blob, damage->place, damage->expected, "%s",
                    damage->found);
}

static struct place place_of_node(const struct rdb_stream *stream)
{
    return (struct place){.offset = stream->blob.offset, .length = stream->blob.length};
}

static enum parse_step next_of_node(struct rdb *reader, struct rdb_stream *stream, struct packed_entry *entry)
{
    enum parse_step step;
    while ((step = packed_next(&stream->packed, entry)) == PARSE_DAMAGE)
        report_packed(reader, stream);
    if (step == PARSE_STOP) {
        report_packed(reader, stream);
        stream->incomplete = true;
    }
    return step;
}

/* The rest of a node whose entries cannot be told apart any more; the listpack itself is still compared. */
static void abandon(struct rdb *reader, struct rdb_stream *stream, struct place place, const char *expected,
                    const char *found)
{
    struct packed_entry rest;
    rdb_blob_report(reader, RDB_BAD_STREAM, &stream->blob, place, expected, "%s", found);
    stream->incomplete = true;
    while (next_of_node(reader, stream, &rest) == PARSE_ITEM)
        ;
}

/* The next word, where one has to be. False when the node is over. */
static bool next_word(struct rdb *reader, struct rdb_stream *stream, struct packed_entry *entry, const char *expected)
{
    enum parse_step step = next_of_node(reader, stream, entry);
    if (step == PARSE_END) {
        rdb_value_report(reader, RDB_BAD_STREAM, place_of_node(stream), expected, "the end of the listpack");
        stream->incomplete = true;
    }
    stream->words++;
    return step == PARSE_ITEM;
}

static bool next_number(struct rdb *reader, struct rdb_stream *stream, struct packed_entry *entry, const char *expected)
{
    if (!next_word(reader, stream, entry, expected))
        return false;
    if (!entry->word.integer)
        abandon(reader, stream, entry->place, expected, "text");
    return entry->word.integer;
}

/* The same for a number of something. */
static bool next_count(struct rdb *reader, struct rdb_stream *stream, uint64_t *count, const char *expected)
{
    struct packed_entry entry;
    if (!next_number(reader, stream, &entry, expected))
        return false;
    if (entry.word.number < 0)
        abandon(reader, stream, entry.place, expected, "a number below 0");
    *count = (uint64_t)entry.word.number;
    return entry.word.number >= 0;
}

enum rdb_stream_outcome rdb_stream_nodes(struct rdb *reader, struct rdb_stream *stream, struct rdb_element *element)
{
    (void)element;
    if (!rdb_stream_count(reader, stream, RDB_STREAM_NODES, "nodes of a stream:"))
        return RDB_STREAM_STOPS;
    return rdb_stream_to(stream, RDB_STREAM_AT_NODE);
}

/* False when the entries of the node have no ids, or the reader has stopped. */
static bool read_node_id(struct rdb *reader, struct rdb_stream *stream)
{
    struct place place;
    if (!rdb_stream_text(reader, &place))
        return false;
    struct bytes raw = reader->window.runs[RDB_VALUE].bytes;
    if (raw.at && raw.len != RAW_ID)
        rdb_value_report(reader, RDB_BAD_STREAM_NODE, place, "sixteen bytes as id of a stream's node", "%zu", raw.len);
    if (raw.len != RAW_ID)
        return false;
    struct cursor cursor = cursor_over(raw);
    struct rdb_stream_id id = {.ms = cursor_be64(&cursor)};
    id.seq = cursor_be64(&cursor);
    int order = stream->has_node ? rdb_stream_compare(&stream->node, &id) : -1;
    if (!order)
        rdb_value_report(reader, RDB_DUPLICATE_ELEMENT, place, "a node of a stream once", RDB_STREAM_ID " again",
                         RDB_STREAM_ID_OF(id));
    if (order > 0)
        rdb_value_report(reader, RDB_BAD_ORDER, place, "nodes of a stream that ascend",
                         RDB_STREAM_ID " after " RDB_STREAM_ID, RDB_STREAM_ID_OF(id), RDB_STREAM_ID_OF(stream->node));
    stream->node = id;
    stream->has_node = true;
    return true;
}

/* The same when there is no listpack to read. */
static bool read_listpack(struct rdb *reader, struct rdb_stream *stream)
{
    struct place place;
    struct rdb_run *run = &reader->window.runs[RDB_VALUE];
    if (!rdb_stream_text(reader, &place) || !run->bytes.at)
        return false;
    bool decoded = run->bytes.at == run->text;
    stream->blob = (struct rdb_blob){.offset = place.offset, .length = place.length};
    if (!decoded)
        stream->blob.inside = place.offset + place.length - run->bytes.len;
    packed_open(&stream->packed, PACKED_LISTPACK, run->bytes);
    packed_open(&stream->names, PACKED_LISTPACK, run->bytes);
    return true;
}

/* What the entries of a node share. False when there is nothing to be read behind it. */
static bool read_shared(struct rdb *reader, struct rdb_stream *stream)
{
    struct packed_entry entry;
    stream->seen_live = stream->seen_deleted = 0;
    if (!next_count(reader, stream, &stream->stated_live, "the number of live entries in a node") ||
        !next_count(reader, stream, &stream->stated_deleted, "the number of deleted entries in a node") ||
        !next_count(reader, stream, &stream->shared, "the number of fields of a node"))
        return false;
    for (uint64_t i = 0; i < stream->shared; i++) {
        if (!next_word(reader, stream, &entry, "the fields of a node"))
            return false;
        if (!i)
            stream->names_at = entry.place.offset;
    }
    if (!next_word(reader, stream, &entry, "0 behind the fields of a node"))
        return false;
    if (!entry.word.integer || entry.word.number)
        rdb_blob_report(reader, RDB_BAD_STREAM, &stream->blob, entry.place, "0 behind the fields of a node",
                        "another word");
    return true;
}

enum rdb_stream_outcome rdb_stream_node(struct rdb *reader, struct rdb_stream *stream, struct rdb_element *element)
{
    (void)element;
    if (!stream->left[RDB_STREAM_NODES])
        return rdb_stream_to(stream, RDB_STREAM_AT_FACTS);
    stream->left[RDB_STREAM_NODES]--;
    bool identified = read_node_id(reader, stream);
    bool readable = !reader->stop && read_listpack(reader, stream);
    if (reader->stop)
        return RDB_STREAM_STOPS;
    if (identified && readable)
        return read_shared(reader, stream) ? rdb_stream_to(stream, RDB_STREAM_AT_ENTRY) : RDB_STREAM_MOVES;
    stream->incomplete = true;
    return RDB_STREAM_MOVES;
}

static void compare_counts(struct rdb *reader, const struct rdb_stream *stream)
{
    struct place place = place_of_node(stream);
    if (!stream->seen_live && !stream->seen_deleted)
        rdb_value_report(reader, RDB_BAD_STREAM_NODE, place, "an entry in each node of a stream", "none");
    if (stream->seen_live != stream->stated_live)
        rdb_value_report(reader, RDB_BAD_STREAM, place, "as many live entries as the node states",
                         "%" PRIu64 " instead of %" PRIu64, stream->seen_live, stream->stated_live);
    if (stream->seen_deleted != stream->stated_deleted)
        rdb_value_report(reader, RDB_BAD_STREAM, place, "as many deleted entries as the node states",
                         "%" PRIu64 " instead of %" PRIu64, stream->seen_deleted, stream->stated_deleted);
}

/* Ids of deleted entries are not compared: before 7.0 XSETID could set a stream back behind them. */
static void see_live(struct rdb *reader, struct rdb_stream *stream, const struct rdb_stream_id *id, struct place place)
{
    if (!id->ms && !id->seq)
        rdb_blob_report(reader, RDB_BAD_STREAM, &stream->blob, place, "an id above 0-0", "0-0");
    if (!stream->has_live) {
        stream->first_live = stream->highest = *id;
    } else if (rdb_stream_compare(&stream->previous, id) >= 0) {
        rdb_blob_report(reader, RDB_BAD_ORDER, &stream->blob, place, "ids of entries that ascend",
                        RDB_STREAM_ID " after " RDB_STREAM_ID, RDB_STREAM_ID_OF(*id),
                        RDB_STREAM_ID_OF(stream->previous));
    }
    if (rdb_stream_compare(&stream->highest, id) < 0)
        stream->highest = *id;
    stream->previous = *id;
    stream->has_live = true;
    stream->live++;
}

static void check_entry(struct rdb *reader, struct rdb_stream *stream, uint64_t flags, const struct rdb_stream_id *id,
                        struct place place)
{
    if (flags > ENTRY_FLAGS)
        rdb_blob_report(reader, RDB_BAD_STREAM, &stream->blob, place, "flags of an entry from 0 to 3", "%" PRIu64,
                        flags);
    if (!stream->seen_live && !stream->seen_deleted && rdb_stream_compare(id, &stream->node))
        rdb_blob_report(reader, RDB_BAD_STREAM, &stream->blob, place, "the id of a node as that of its first entry",
                        RDB_STREAM_ID " in " RDB_STREAM_ID, RDB_STREAM_ID_OF(*id), RDB_STREAM_ID_OF(stream->node));
    if (!stream->deleted)
        see_live(reader, stream, id, place);
    stream->seen_live += !stream->deleted;
    stream->seen_deleted += stream->deleted;
}

static bool take_number(struct cursor *cursor, int64_t *number)
{
    struct rdb_scalar word;
    if (!cursor_left(cursor) || !listpack_take(cursor, &word) || !word.integer)
        return false;
    *number = word.number;
    return true;
}

static bool take_words(struct cursor *cursor, uint64_t count)
{
    struct rdb_scalar word;
    for (uint64_t i = 0; i < count; i++)
        if (!cursor_left(cursor) || !listpack_take(cursor, &word) || !packed_as_written(&word))
            return false;
    return true;
}

/* Past an entry with its fields in which nothing is wrong. False, with nothing read, where there may be something to
 * say. */
static bool pass_entry(struct rdb *reader, struct rdb_stream *stream)
{
    enum { HEAD = 3 }; /* flags, ms, seq */
    struct packed *packed = &stream->packed;
    struct cursor cursor = {packed->cursor.start, packed->cursor.at, packed->cursor.end, false};
    int64_t flags, ms, seq, fields = 0, words;
    if (!take_number(&cursor, &flags) || !take_number(&cursor, &ms) || !take_number(&cursor, &seq) ||
        (uint64_t)flags > ENTRY_FLAGS)
        return false;
    bool same = flags & ENTRY_SAME_FIELDS;
    if (!same && (!take_number(&cursor, &fields) || fields < 0 || (uint64_t)fields > cursor_left(&cursor)))
        return false;
    uint64_t given = same ? stream->shared : 2 * (uint64_t)fields, before = HEAD + !same + given;
    if (!take_words(&cursor, given) || !take_number(&cursor, &words) || (uint64_t)words != before)
        return false;
    struct rdb_stream_id id = {stream->node.ms + (uint64_t)ms, stream->node.seq + (uint64_t)seq};
    bool first = !stream->seen_live && !stream->seen_deleted, deleted = flags & ENTRY_DELETED;
    bool ascends = !stream->has_live || rdb_stream_compare(&stream->previous, &id) < 0;
    if ((first && rdb_stream_compare(&id, &stream->node)) || (!deleted && (!ascends || (!id.ms && !id.seq))))
        return false;
    stream->deleted = deleted;
    check_entry(reader, stream, (uint64_t)flags, &id, (struct place){0});
    reader->value.elements += !deleted;
    packed->seen += before + 1;
    packed->cursor.at = cursor.at;
    return true;
}

enum rdb_stream_outcome rdb_stream_entry(struct rdb *reader, struct rdb_stream *stream, struct rdb_element *element)
{
    struct packed_entry flags, ms, seq;
    bool quickly = !reader->value.wants_values && !reader->value.quick.off;
    while (quickly && pass_entry(reader, stream))
        ;
    enum parse_step step = next_of_node(reader, stream, &flags);
    stream->phase = RDB_STREAM_AT_NODE; /* when anything fails */
    if (step != PARSE_ITEM) {
        if (step == PARSE_END)
            compare_counts(reader, stream);
        return RDB_STREAM_MOVES;
    }
    stream->words = 1;
    if (!flags.word.integer) {
        abandon(reader, stream, flags.place, "flags of an entry from 0 to 3", "text");
        return RDB_STREAM_MOVES;
    }
    if (!next_number(reader, stream, &ms, "the milliseconds of an entry") ||
        !next_number(reader, stream, &seq, "the sequence number of an entry"))
        return RDB_STREAM_MOVES;
    stream->deleted = flags.word.number & ENTRY_DELETED;
    stream->same_fields = flags.word.number & ENTRY_SAME_FIELDS;
    stream->fields_left = stream->shared;
    if (stream->same_fields)
        packed_seek(&stream->names, stream->names_at);
    else if (!next_count(reader, stream, &stream->fields_left, "the number of fields of an entry"))
        return RDB_STREAM_MOVES;

    struct place place = {.offset = flags.place.offset,
                          .length = seq.place.offset + seq.place.length - flags.place.offset};
    element->kind = RDB_ELEMENT_ENTRY;
    element->place = rdb_blob_place(&stream->blob, place);
    element->deleted = stream->deleted;
    element->id.ms = stream->node.ms + (uint64_t)ms.word.number;
    element->id.seq = stream->node.seq + (uint64_t)seq.word.number;
    check_entry(reader, stream, (uint64_t)flags.word.number, &element->id, place);
    stream->phase = RDB_STREAM_AT_FIELD;
    return RDB_STREAM_GIVES;
}

/* The word behind an entry's last, from which servers walk backwards. */
static enum rdb_stream_outcome end_entry(struct rdb *reader, struct rdb_stream *stream)
{
    static const char expected[] = "the number of an entry's words behind it";
    uint64_t words = stream->words;
    struct packed_entry entry;
    stream->phase = RDB_STREAM_AT_NODE;
    if (!next_number(reader, stream, &entry, expected))
        return RDB_STREAM_MOVES;
    if (entry.word.number < 0 || (uint64_t)entry.word.number != words)
        rdb_blob_report(reader, RDB_BAD_STREAM, &stream->blob, entry.place, expected,
                        "%" PRId64 " where there are %" PRIu64, entry.word.number, words);
    return rdb_stream_to(stream, RDB_STREAM_AT_ENTRY);
}

enum rdb_stream_outcome rdb_stream_field(struct rdb *reader, struct rdb_stream *stream, struct rdb_element *element)
{
    struct packed_entry name = {0}, value;
    if (!stream->fields_left)
        return end_entry(reader, stream);
    stream->fields_left--;
    if (stream->same_fields)
        while (packed_next(&stream->names, &name) == PARSE_DAMAGE)
            ; /* told when they were read first */
    if ((!stream->same_fields && !next_word(reader, stream, &name, "the fields of an entry")) ||
        !next_word(reader, stream, &value, "the values of an entry"))
        return rdb_stream_to(stream, RDB_STREAM_AT_NODE);
    struct place place = value.place;
    if (!stream->same_fields) {
        place.offset = name.place.offset;
        place.length = value.place.offset + value.place.length - place.offset;
    }
    element->kind = RDB_ELEMENT_ENTRY_FIELD;
    element->place = rdb_blob_place(&stream->blob, place);
    element->deleted = stream->deleted;
    element->name = name.word;
    element->value = value.word;
    return RDB_STREAM_GIVES;
}

static bool read_facts(struct rdb *reader, struct rdb_stream *stream)
{
    struct rdb_stream_facts *facts = &stream->facts;
    *facts = (struct rdb_stream_facts){.has_history = stream->version >= RDB_STREAM_2};
    return rdb_length(reader, &facts->length) && rdb_stream_id(reader, &facts->last) &&
           (!facts->has_history ||
            (rdb_stream_id(reader, &facts->first) && rdb_stream_id(reader, &facts->max_deleted) &&
             rdb_length(reader, &facts->added)));
}

/* Servers write 0-0 or the largest id there is as first of a stream without entries. */
static bool first_agrees(const struct rdb_stream *stream)
{
    static const struct rdb_stream_id none[] = {{0, 0}, {UINT64_MAX, UINT64_MAX}};
    const struct rdb_stream_id *first = &stream->facts.first;
    if (stream->has_live)
        return !rdb_stream_compare(first, &stream->first_live);
    return !rdb_stream_compare(first, &none[0]) || !rdb_stream_compare(first, &none[1]);
}

static void check_facts(struct rdb *reader, const struct rdb_stream *stream, struct place place)
{
    const struct rdb_stream_facts *facts = &stream->facts;
    if (!stream->incomplete && facts->length != stream->live)
        rdb_value_report(reader, RDB_BAD_STREAM, place, "the number of entries of the stream",
                         "%" PRIu64 " where there are %" PRIu64, facts->length, stream->live);
    if (stream->has_live && rdb_stream_compare(&stream->highest, &facts->last) > 0)
        rdb_value_report(reader, RDB_BAD_STREAM, place, "no entry above the stream's last id",
                         RDB_STREAM_ID " above " RDB_STREAM_ID, RDB_STREAM_ID_OF(stream->highest),
                         RDB_STREAM_ID_OF(facts->last));
    if (!facts->has_history)
        return;
    if (!stream->incomplete && !first_agrees(stream))
        rdb_value_report(reader, RDB_BAD_STREAM, place, "the id of the stream's first entry", RDB_STREAM_ID,
                         RDB_STREAM_ID_OF(facts->first));
    if (facts->added < facts->length)
        rdb_value_report(reader, RDB_BAD_STREAM, place, "as many entries added as there are, or more",
                         "%" PRIu64 " added, %" PRIu64 " there", facts->added, facts->length);
}

enum rdb_stream_outcome rdb_stream_facts(struct rdb *reader, struct rdb_stream *stream, struct rdb_element *element)
{
    uint64_t offset = rdb_window_offset(&reader->window);
    if (!read_facts(reader, stream))
        return RDB_STREAM_STOPS;
    element->place = rdb_stream_place(reader, offset);
    check_facts(reader, stream, element->place);
    if (!rdb_stream_count(reader, stream, RDB_STREAM_GROUPS, "consumer groups:"))
        return RDB_STREAM_STOPS;
    rdb_stream_names_begin(&stream->groups);
    stream->facts.groups = stream->left[RDB_STREAM_GROUPS];
    element->kind = RDB_ELEMENT_STREAM;
    element->stream = stream->facts;
    stream->phase = RDB_STREAM_AT_GROUP;
    return RDB_STREAM_GIVES;
}
