/* Cutting a dump into parts of whole records: rdb_part.h.
 *
 * Keys whose layout is one string or counted strings are stepped over here, in a loop that does nothing else. All other
 * records are read by rdb_record() in silence, up to a fence at the end of the window: so there is no second opinion on
 * where a record ends.
 */
#include <stdlib.h>
#include <string.h>

#include "parsers/rdb/rdb_part.h"
#include "parsers/rdb/rdb_private.h"

enum {
    PREFETCH_AHEAD = 2048,
    SHORT = 0x40,   /* lengths: below, the length itself */
    MEDIUM = 0x80,  /* below, 14 bits */
    WIDE = 0x80,    /* 32 bits */
    INTEGER = 0xc0, /* strings: 1, 2 and 4 bytes of an integer */
    LZF = 0xc3,
};

/* What a layout comes to for somebody who only steps. */
enum rdb_shape {
    SHAPE_END,    /* no record to step over: the cut ends before it */
    SHAPE_RECORD, /* by rdb_record() */
    SHAPE_STRING,
    SHAPE_STRINGS, /* counted */
    SHAPE_PAIRS,   /* counted, two and two */
    SHAPE_SCORED,  /* counted strings, 8 bytes behind each */
    SHAPE_NODES,   /* counted strings, a length before each */
    SHAPE_EXPIRY,  /* 8 bytes, then the rest of the record */
};

static enum rdb_shape shape_of_layout(const char *layout)
{
    static const char strings[] = "smvLZIP", eights[] = "8d";
    static const struct {
        const char *plain;
        enum rdb_shape shape;
    } shapes[] = {
        {"s", SHAPE_STRING}, {"#(s)", SHAPE_STRINGS}, {"#(ss)", SHAPE_PAIRS}, {"#(s8)", SHAPE_SCORED},
        {"#(cq)", SHAPE_NODES}};
    char plain[8];
    size_t len = 0;
    if (!layout || strpbrk(layout, "Hhnk")) /* templates: what other records said is known to one reader only */
        return SHAPE_END;
    for (; *layout && len < sizeof(plain) - 1; layout++)
        if (*layout != '.')
            plain[len++] = (char)(strchr(strings, *layout) ? 's' : strchr(eights, *layout) ? '8' : *layout);
    plain[len] = 0;
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
        if (strcmp(plain, shapes[i].plain) == 0)
            return shapes[i].shape;
    return SHAPE_RECORD;
}

static enum rdb_shape shape_of(const struct rdb_row *row)
{
    static const uint8_t shapes[RDB_ROLES] = {
        [RDB_ROLE_SELECT_DB] = SHAPE_RECORD, [RDB_ROLE_EXPIRE_SECONDS] = SHAPE_RECORD,
        [RDB_ROLE_PREFIX] = SHAPE_RECORD,    [RDB_ROLE_RESIZE_DB] = SHAPE_RECORD,
        [RDB_ROLE_AUX] = SHAPE_RECORD,       [RDB_ROLE_SLOT_INFO] = SHAPE_RECORD,
        [RDB_ROLE_IDLE] = SHAPE_RECORD,      [RDB_ROLE_FREQ] = SHAPE_RECORD,
        [RDB_ROLE_EXPIRE_MS] = SHAPE_EXPIRY,
    };
    if (!row)
        return SHAPE_END;
    return row->role == RDB_ROLE_KEY ? shape_of_layout(row->layout) : (enum rdb_shape)shapes[row->role];
}

static void find_shapes(struct rdb *reader)
{
    for (size_t i = 0; i < RDB_BYTES; i++)
        reader->shapes[i] = (uint8_t)shape_of(reader->rows[i]);
    reader->shapes_known = true;
}

void rdb_carry_from(const struct rdb *reader, struct rdb_carry *carry)
{
    *carry = (struct rdb_carry){
        .dialect = reader->dialect,
        .version = reader->version,
        .disputed = reader->disputed,
        .db = reader->db,
        .keys = reader->keys,
        .expires = reader->expires,
        .db_claim = reader->db_claim,
        .slot_claim = reader->slot_claim,
        .claims_unsure = reader->claims_unsure,
        .has_prefix = reader->has_prefix,
        .has_expiry = reader->has_expiry,
        .has_idle = reader->has_idle,
        .has_freq = reader->has_freq,
        .freq = reader->freq,
        .prefix_offset = reader->prefix_offset,
        .idle_s = reader->idle_s,
        .expire_ms = reader->expire_ms,
        .dump = reader->capture.start,
        .marked = reader->capture.marked,
    };
}

void rdb_carry_to(struct rdb *reader, const struct rdb_carry *carry)
{
    bool same = reader->state == RDB_AT_RECORD && reader->dialect == carry->dialect &&
                reader->version == carry->version && reader->disputed == carry->disputed;
    reader->dialect = (enum rdb_dialect)carry->dialect;
    reader->version = carry->version;
    reader->disputed = carry->disputed;
    reader->db = carry->db;
    reader->keys = carry->keys;
    reader->expires = carry->expires;
    reader->db_claim = carry->db_claim;
    reader->slot_claim = carry->slot_claim;
    reader->claims_unsure = carry->claims_unsure;
    reader->has_prefix = carry->has_prefix;
    reader->has_expiry = carry->has_expiry;
    reader->has_idle = carry->has_idle;
    reader->has_freq = carry->has_freq;
    reader->freq = carry->freq;
    reader->prefix_offset = carry->prefix_offset;
    reader->idle_s = carry->idle_s;
    reader->expire_ms = carry->expire_ms;
    reader->capture.start = carry->dump;
    reader->capture.marked = carry->marked;
    reader->state = RDB_AT_RECORD;
    if (!same)
        rdb_dialect_apply(reader);
}

/* ---------------------------------------------------------------- the quick steps: false where they do not know */

#define ALWAYS_INLINE inline __attribute__((always_inline))

static ALWAYS_INLINE bool step_count_after(struct cursor *cursor, unsigned first, uint64_t *value)
{
    *value = first;
    if (first < SHORT)
        return true;
    if (first < MEDIUM)
        *value = (uint64_t)(first & 0x3f) << 8 | cursor_u8(cursor);
    else if (first == WIDE)
        *value = cursor_be32(cursor);
    return first <= WIDE;
}

static ALWAYS_INLINE bool step_count(struct cursor *cursor, uint64_t *value)
{
    return step_count_after(cursor, cursor_u8(cursor), value);
}

static ALWAYS_INLINE bool step_string_after(struct cursor *cursor, unsigned first)
{
    uint64_t length, size;
    if (first < SHORT) {
        cursor_take(cursor, first);
        return true;
    }
    if (first == LZF ? !step_count(cursor, &length) || !step_count(cursor, &size)
                     : first > LZF || (first < INTEGER && !step_count_after(cursor, first, &length)))
        return false;
    cursor_take(cursor, first < INTEGER || first == LZF ? (size_t)length : (size_t)1 << (first - INTEGER));
    return true;
}

static ALWAYS_INLINE bool step_string(struct cursor *cursor)
{
    return step_string_after(cursor, cursor_u8(cursor));
}

/* An empty one may be a stretch of zeros. */
static ALWAYS_INLINE bool step_name(struct cursor *cursor)
{
    unsigned first = cursor_u8(cursor);
    return first && step_string_after(cursor, first);
}

__attribute__((noinline)) static bool step_nodes(struct cursor *cursor)
{
    uint64_t count, container;
    if (!step_count(cursor, &count))
        return false;
    for (uint64_t i = 0; i < count && cursor_ok(cursor); i++)
        if (!step_count(cursor, &container) || !container || container > 2 || !step_string(cursor))
            return false;
    return true;
}

__attribute__((noinline)) static bool step_strings(struct cursor *cursor, unsigned each, size_t behind)
{
    uint64_t count;
    if (!step_count(cursor, &count))
        return false;
    for (uint64_t i = 0; i < count * each && cursor_ok(cursor); i++) {
        if (!step_string(cursor))
            return false;
        if (behind)
            cursor_take(cursor, behind);
    }
    return true;
}

/* How many of the bytes it has; 0 where that is not known. Its cursor is its own: the caller's stays in registers. */
__attribute__((noinline)) static size_t collection_length(struct bytes bytes, uint8_t shape)
{
    static const struct {
        uint8_t each, behind;
    } strings[] = {[SHAPE_STRINGS] = {1, 0}, [SHAPE_PAIRS] = {2, 0}, [SHAPE_SCORED] = {1, 8}};
    struct cursor cursor = cursor_over(bytes);
    bool known = shape == SHAPE_NODES;
    if (known)
        known = step_nodes(&cursor);
    else if (shape < SHAPE_NODES)
        known = step_strings(&cursor, strings[shape].each, strings[shape].behind);
    return known && cursor_ok(&cursor) ? cursor_offset(&cursor) : 0;
}

static ALWAYS_INLINE bool step_value(struct cursor *cursor, uint8_t shape)
{
    if (shape == SHAPE_STRING)
        return step_string(cursor);
    struct bytes rest = {cursor->at, cursor_left(cursor)};
    return cursor_take(cursor, collection_length(rest, shape)).len;
}

/* As many whole keys as the quick steps know. */
static void step_keys(struct rdb *reader)
{
    struct cursor *window = &reader->window.cursor;
    struct cursor cursor = cursor_over((struct bytes){window->at, cursor_left(window)});
    const uint8_t *shapes = reader->shapes;
    uint64_t keys = 0, expires = 0;
    size_t whole = 0, last = 0;
    while (cursor_left(&cursor)) {
        __builtin_prefetch(cursor.at + PREFETCH_AHEAD); /* the buffer has this much room behind its end */
        uint8_t shape = shapes[cursor_u8(&cursor)];
        bool expiry = shape == SHAPE_EXPIRY;
        if (expiry) {
            cursor_take(&cursor, 8);
            shape = shapes[cursor_u8(&cursor)];
        }
        if (shape < SHAPE_STRING || !step_name(&cursor) || !step_value(&cursor, shape) || !cursor_ok(&cursor))
            break;
        last = whole;
        whole = cursor_offset(&cursor);
        keys++;
        expires += expiry;
    }
    if (keys)
        reader->last_key = rdb_window_offset(&reader->window) + last;
    cursor_take(window, whole);
    reader->keys += keys;
    reader->expires += expires;
}

/* One record by rdb_record(), of which nothing is told. False, with nothing read, when it does not stand whole in the
 * window or is none that can be read on from; `ran_out` tells the first. */
static bool step_record(struct rdb *reader, bool *ran_out)
{
    struct rdb_window *window = &reader->window;
    struct cursor cursor = window->cursor;
    struct rdb_carry carry;
    struct rdb_item item;
    unsigned flags = reader->flags;
    rdb_carry_from(reader, &carry);
    reader->flags = 0;
    reader->lost = false;
    window->fenced = true;
    enum rdb_outcome outcome = rdb_record(reader, &item);
    while (outcome == RDB_RECORD_MORE && cursor_left(&window->cursor) &&
           reader->shapes[*window->cursor.at] != SHAPE_END)
        outcome = rdb_record(reader, &item);
    window->fenced = false;
    reader->flags = flags;
    reader->damage_count = reader->damage_next = 0;
    /* An aux field may have told who wrote the dump. */
    reader->shapes_known &= reader->dialect == carry.dialect && reader->disputed == carry.disputed;
    if (outcome != RDB_RECORD_STOP && outcome != RDB_RECORD_MORE)
        return true;
    *ran_out = outcome == RDB_RECORD_MORE ? !cursor_left(&window->cursor) : reader->stop == RDB_STOP_TRUNCATED;
    reader->stop = RDB_STOP_NONE;
    window->no_memory = false;
    window->cursor = cursor;
    rdb_carry_to(reader, &carry);
    return false;
}

/* Steps over what is whole in the window. True when it ended where the window does. */
static bool step_window(struct rdb *reader)
{
    struct rdb_window *window = &reader->window;
    bool ran_out = true;
    while (cursor_left(&window->cursor)) {
        if (!reader->shapes_known)
            find_shapes(reader);
        if (!reader->has_prefix)
            step_keys(reader);
        if (!cursor_left(&window->cursor))
            return true;
        if (reader->shapes[*window->cursor.at] == SHAPE_END)
            return false;
        if (!step_record(reader, &ran_out))
            return ran_out;
    }
    return true;
}

bool rdb_cut(struct rdb *reader, struct rdb_part *part)
{
    struct rdb_window *window = &reader->window;
    bool whole = window->ended && !window->base;
    if (!rdb_at_record(reader) || whole)
        return false;
    rdb_carry_from(reader, &part->carry);
    size_t from = cursor_offset(&window->cursor);
    bool ran_out = step_window(reader);
    if (cursor_offset(&window->cursor) == from && ran_out && from &&
        rdb_window_fill(window, cursor_left(&window->cursor) + 1)) {
        from = 0;
        step_window(reader);
    }
    struct cursor cursor = cursor_over((struct bytes){window->cursor.start, cursor_offset(&window->cursor)});
    cursor_take(&cursor, from);
    part->offset = window->base + from;
    part->bytes = cursor_take(&cursor, cursor_left(&cursor));
    window->lent |= part->bytes.len > 0;
    return part->bytes.len > 0;
}

struct rdb *rdb_open_parts(unsigned flags)
{
    return rdb_open_lent(NULL, flags, 0, (struct rdb_lender){0});
}

void rdb_read_part(struct rdb *reader, const struct rdb_part *part)
{
    reader->part = true;
    reader->last_key = 0;
    reader->value.state = RDB_VALUE_NONE;
    reader->stop = RDB_STOP_NONE;
    reader->damage_count = reader->damage_next = 0;
    reader->item_waits = false;
    rdb_carry_to(reader, &part->carry);
    rdb_window_over(&reader->window, part->bytes, part->offset);
}
