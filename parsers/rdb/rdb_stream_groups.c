/* Streams: consumer groups, and who has which pending entry.
 *
 *     group    := name last [entries read] pending consumers [nacks]
 *     pending  := count { id delivered times }          every entry that was delivered and not acknowledged
 *     consumers:= count { name seen [active] own }
 *     own      := count { id }                          its part of what is pending
 *     nacks    := count { id }                          pending, but given back, so nobody's; in no order (Redis 8.8)
 *
 * Each pending entry belongs to one consumer or is in `nacks`. Two consumers that had the same one were a memory fault
 * in servers (CVE-2026-63639), like one that had it twice. Groups, consumers, `pending` and `own` come from radix
 * trees, so they are sorted. Pending entries may be deleted, or above the last id of the group or stream: XGROUP SETID,
 * XSETID and XCLAIM see to that.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "parsers/rdb/rdb_stream_private.h"

#define NOT_KNOWN UINT64_MAX /* entries read by a group */
#define GIVEN_BACK UINT64_MAX /* owner of a pending entry */

/* 9999-12-31 23:59:59.999 UTC in Unix milliseconds. */
static const int64_t LATEST_MS = INT64_C(253402300799999);

static bool read_time(struct rdb *reader, int64_t *ms)
{
    if (!rdb_window_need(&reader->window, 8))
        return rdb_ran_out(reader);
    *ms = (int64_t)cursor_le64(&reader->window.cursor);
    return true;
}

static void check_time(struct rdb *reader, int64_t ms, int64_t least, struct place place, const char *expected)
{
    if (ms < least || ms > LATEST_MS)
        rdb_value_report(reader, RDB_BAD_STREAM, place, expected, "%" PRId64 " ms", ms);
}

static enum rdb_stream_outcome end_groups(struct rdb *reader, struct rdb_stream *stream)
{
    rdb_stream_names_end(reader, &stream->groups, "a consumer group once");
    return rdb_stream_to(stream, stream->version >= RDB_STREAM_4 ? RDB_STREAM_AT_PRODUCERS : RDB_STREAM_AT_END);
}

enum rdb_stream_outcome rdb_stream_group(struct rdb *reader, struct rdb_stream *stream, struct rdb_element *element)
{
    if (!stream->left[RDB_STREAM_GROUPS])
        return end_groups(reader, stream);
    stream->left[RDB_STREAM_GROUPS]--;
    struct place name;
    uint64_t offset = rdb_window_offset(&reader->window), entries_read = NOT_KNOWN;
    if (!rdb_stream_text(reader, &name) ||
        !rdb_stream_names_add(reader, &stream->groups, name, "consumer groups in the order of their names") ||
        !rdb_stream_id(reader, &element->id) ||
        (stream->version >= RDB_STREAM_2 && !rdb_length(reader, &entries_read)))
        return RDB_STREAM_STOPS;
    element->place = rdb_stream_place(reader, offset);
    if (entries_read > INT64_MAX && entries_read != NOT_KNOWN)
        rdb_value_report(reader, RDB_BAD_STREAM, element->place, "entries read from 0, or -1",
                         "%" PRId64, (int64_t)entries_read);
    stream->pending_count = 0;
    stream->pending_place.offset = rdb_window_offset(&reader->window);
    if (!rdb_stream_count(reader, stream, RDB_STREAM_PENDING, "pending entries:"))
        return RDB_STREAM_STOPS;
    element->kind = RDB_ELEMENT_GROUP;
    element->name = rdb_stream_word(reader);
    element->count = entries_read;
    stream->phase = RDB_STREAM_AT_PENDING;
    return RDB_STREAM_GIVES;
}

static int compare_pending(const void *left, const void *right)
{
    const struct rdb_stream_pending *a = left, *b = right;
    return rdb_stream_compare(&a->id, &b->id);
}

/* For a list that was not sorted: so that ids can be looked up, and to find those that occur twice. */
static void sort_pending(struct rdb *reader, struct rdb_stream *stream)
{
    size_t kept = 1;
    qsort(stream->pending, stream->pending_count, sizeof(*stream->pending), compare_pending);
    for (size_t i = 1; i < stream->pending_count; i++)
        if (rdb_stream_compare(&stream->pending[kept - 1].id, &stream->pending[i].id))
            stream->pending[kept++] = stream->pending[i];
        else
            rdb_value_report(reader, RDB_DUPLICATE_ELEMENT, stream->pending_place, "a pending entry once",
                             RDB_STREAM_ID " again", RDB_STREAM_ID_OF(stream->pending[i].id));
    stream->pending_count = kept;
}

/* Says once for a list that it is not sorted. Ids that follow themselves are found when owners are. */
static void check_order(struct rdb *reader, struct rdb_stream *stream, const struct rdb_stream_id *id,
                        struct place place)
{
    int order = stream->has_before ? rdb_stream_compare(&stream->before, id) : -1;
    if (order > 0 && !stream->out_of_order)
        rdb_value_report(reader, RDB_BAD_ORDER, place, "pending entries that ascend",
                         RDB_STREAM_ID " after " RDB_STREAM_ID, RDB_STREAM_ID_OF(*id),
                         RDB_STREAM_ID_OF(stream->before));
    stream->out_of_order |= order >= 0;
    stream->before = *id;
    stream->has_before = true;
}

static bool keep_pending(struct rdb *reader, struct rdb_stream *stream, const struct rdb_stream_id *id)
{
    struct rdb_stream_pending *room = rdb_stream_grow(reader, stream->pending, &stream->pending_room,
                                                      stream->pending_count, sizeof(*room));
    if (!room)
        return false;
    stream->pending = room;
    room[stream->pending_count++] = (struct rdb_stream_pending){.id = *id};
    return true;
}

static enum rdb_stream_outcome end_pending(struct rdb *reader, struct rdb_stream *stream)
{
    stream->pending_place = rdb_stream_place(reader, stream->pending_place.offset);
    if (stream->out_of_order)
        sort_pending(reader, stream);
    if (!rdb_stream_count(reader, stream, RDB_STREAM_CONSUMERS, "consumers:"))
        return RDB_STREAM_STOPS;
    rdb_stream_names_begin(&stream->consumers);
    stream->consumer = 0;
    return rdb_stream_to(stream, RDB_STREAM_AT_CONSUMER);
}

enum rdb_stream_outcome rdb_stream_pending(struct rdb *reader, struct rdb_stream *stream, struct rdb_element *element)
{
    if (!stream->left[RDB_STREAM_PENDING])
        return end_pending(reader, stream);
    stream->left[RDB_STREAM_PENDING]--;
    uint64_t offset = rdb_window_offset(&reader->window);
    if (!rdb_stream_raw_id(reader, &element->id) || !read_time(reader, &element->time_ms) ||
        !rdb_length(reader, &element->count) || !keep_pending(reader, stream, &element->id))
        return RDB_STREAM_STOPS;
    element->kind = RDB_ELEMENT_PENDING;
    element->place = rdb_stream_place(reader, offset);
    check_order(reader, stream, &element->id, element->place);
    check_time(reader, element->time_ms, 0, element->place, "a delivery between the years 1970 and 9999");
    if (element->count > INT64_MAX) /* XCLAIM may set it to 0 */
        rdb_value_report(reader, RDB_BAD_STREAM, element->place, "a number of deliveries from 0", "%" PRId64,
                         (int64_t)element->count);
    return RDB_STREAM_GIVES;
}

static enum rdb_stream_outcome end_consumers(struct rdb *reader, struct rdb_stream *stream)
{
    rdb_stream_names_end(reader, &stream->consumers, "a consumer of a group once");
    stream->left[RDB_STREAM_NACKS] = 0;
    if (stream->version >= RDB_STREAM_5 &&
        !rdb_stream_count(reader, stream, RDB_STREAM_NACKS, "entries given back:"))
        return RDB_STREAM_STOPS;
    return rdb_stream_to(stream, RDB_STREAM_AT_NACK);
}

enum rdb_stream_outcome rdb_stream_consumer(struct rdb *reader, struct rdb_stream *stream, struct rdb_element *element)
{
    if (!stream->left[RDB_STREAM_CONSUMERS])
        return end_consumers(reader, stream);
    stream->left[RDB_STREAM_CONSUMERS]--;
    struct place name;
    uint64_t offset = rdb_window_offset(&reader->window);
    element->active_ms = -1;
    if (!rdb_stream_text(reader, &name) ||
        !rdb_stream_names_add(reader, &stream->consumers, name, "consumers in the order of their names") ||
        !read_time(reader, &element->time_ms) ||
        (stream->version >= RDB_STREAM_3 && !read_time(reader, &element->active_ms)))
        return RDB_STREAM_STOPS;
    element->place = rdb_stream_place(reader, offset);
    check_time(reader, element->time_ms, 0, element->place, "a consumer seen between the years 1970 and 9999");
    check_time(reader, element->active_ms, -1, element->place, "a consumer active between 1970 and 9999, or -1");
    if (!rdb_stream_count(reader, stream, RDB_STREAM_CONSUMER_PENDING, "pending entries of a consumer:"))
        return RDB_STREAM_STOPS;
    element->kind = RDB_ELEMENT_CONSUMER;
    element->name = rdb_stream_word(reader);
    stream->consumer++;
    stream->pending_next = 0;
    stream->phase = RDB_STREAM_AT_CONSUMER_PENDING;
    return RDB_STREAM_GIVES;
}

/* The pending entry with this id, or NULL. Most often it stands not far behind the one found last. */
static struct rdb_stream_pending *find_pending(struct rdb_stream *stream, const struct rdb_stream_id *id)
{
    size_t low = 0, high = stream->pending_count, middle = stream->pending_next;
    while (low < high) {
        if (middle >= high)
            middle = low + (high - low) / 2;
        int order = rdb_stream_compare(&stream->pending[middle].id, id);
        if (!order) {
            stream->pending_next = middle + 1;
            return &stream->pending[middle];
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
        middle = low + (high - low) / 2;
    }
    return NULL;
}

static void take(struct rdb *reader, struct rdb_stream *stream, const struct rdb_element *element, uint64_t owner,
                 const char *once)
{
    const struct rdb_stream_id *id = &element->id;
    struct place place = element->place;
    struct rdb_stream_pending *pending = find_pending(stream, id);
    if (!pending)
        rdb_value_report(reader, RDB_BAD_GROUP, place, "an entry that is pending in the group", RDB_STREAM_ID " is not",
                         RDB_STREAM_ID_OF(*id));
    else if (!pending->owner)
        pending->owner = owner;
    else if (pending->owner == owner)
        rdb_value_report(reader, RDB_DUPLICATE_ELEMENT, place, once, RDB_STREAM_ID " again", RDB_STREAM_ID_OF(*id));
    else
        rdb_value_report(reader, RDB_SHARED_PENDING, place, "one owner of a pending entry",
                         RDB_STREAM_ID " has another already", RDB_STREAM_ID_OF(*id));
}

static bool read_taken(struct rdb *reader, struct rdb_element *element, enum rdb_element_kind kind)
{
    uint64_t offset = rdb_window_offset(&reader->window);
    element->kind = kind;
    if (!rdb_stream_raw_id(reader, &element->id))
        return false;
    element->place = rdb_stream_place(reader, offset);
    return true;
}

enum rdb_stream_outcome rdb_stream_consumer_pending(struct rdb *reader, struct rdb_stream *stream,
                                                    struct rdb_element *element)
{
    if (!stream->left[RDB_STREAM_CONSUMER_PENDING])
        return rdb_stream_to(stream, RDB_STREAM_AT_CONSUMER);
    stream->left[RDB_STREAM_CONSUMER_PENDING]--;
    if (!read_taken(reader, element, RDB_ELEMENT_CONSUMER_PENDING))
        return RDB_STREAM_STOPS;
    check_order(reader, stream, &element->id, element->place);
    take(reader, stream, element, stream->consumer, "a pending entry of a consumer once");
    return RDB_STREAM_GIVES;
}

static enum rdb_stream_outcome end_group(struct rdb *reader, struct rdb_stream *stream)
{
    size_t without = 0, first = 0;
    for (size_t i = stream->pending_count; i > 0; i--)
        if (!stream->pending[i - 1].owner) {
            first = i - 1;
            without++;
        }
    if (without)
        rdb_value_report(reader, RDB_UNOWNED_PENDING, stream->pending_place, "a consumer that has each pending entry",
                         "%zu without, the first " RDB_STREAM_ID, without, RDB_STREAM_ID_OF(stream->pending[first].id));
    return rdb_stream_to(stream, RDB_STREAM_AT_GROUP);
}

enum rdb_stream_outcome rdb_stream_nack(struct rdb *reader, struct rdb_stream *stream, struct rdb_element *element)
{
    if (!stream->left[RDB_STREAM_NACKS])
        return end_group(reader, stream);
    stream->left[RDB_STREAM_NACKS]--;
    if (!read_taken(reader, element, RDB_ELEMENT_NACK))
        return RDB_STREAM_STOPS;
    take(reader, stream, element, GIVEN_BACK, "an entry given back once");
    return RDB_STREAM_GIVES;
}
