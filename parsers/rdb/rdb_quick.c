/* The quick way over values: strings, collections of strings, and what packed blobs stand in. */
#include "parsers/rdb/rdb_names.h"

#include <stdlib.h>

#include "parsers/bytes/lzf.h"
#include "parsers/rdb/rdb_string.h"
#include "parsers/rdb/score.h"

/* One value. The cursor goes ahead of the window's. */
struct rdb_quick_walk {
    struct rdb *reader;
    const struct rdb_row *row;
    struct cursor cursor;
    uint64_t elements;
};

/* A string as it stands in the dump. */
struct stored {
    struct bytes bytes;
    uint64_t size; /* LZF: once expanded; else 0 */
    bool integer;
    int64_t number;
};

void rdb_quick_close(struct rdb_quick *quick)
{
    free(quick->names.slots);
}

bool rdb_names_begin(struct rdb_names *names, uint64_t count)
{
    enum { LEAST = 32 };
    size_t cap = LEAST;
    if (count > RDB_NAMES_MOST)
        return false;
    while (cap < 2 * count)
        cap *= 2;
    if (cap > names->cap) {
        uint32_t *slots = realloc(names->slots, cap * sizeof(*slots));
        if (!slots)
            return false;
        names->slots = slots;
        names->cap = cap;
    }
    memset(names->slots, 0, cap * sizeof(*names->slots));
    names->mask = cap - 1;
    return true;
}

/* A length in its shortest form, but for those of 64 bits. */
static inline bool take_length(struct cursor *cursor, uint64_t *length)
{
    enum { MEDIUM = 0x80, WIDE = 0x80, MEDIUM_MOST = 0x3fff };
    uint8_t first = cursor_u8(cursor);
    *length = first;
    if (first < RDB_LENGTH_SHORT)
        return cursor_ok(cursor);
    if (first < MEDIUM) {
        *length = (first & 0x3fu) << 8 | cursor_u8(cursor);
        return cursor_ok(cursor) && *length >= RDB_LENGTH_SHORT;
    }
    *length = cursor_be32(cursor);
    return cursor_ok(cursor) && first == WIDE && *length > MEDIUM_MOST;
}

static __attribute__((noinline)) bool take_long_string(struct cursor *cursor, struct stored *string)
{
    enum { INTEGER = 0xc0, LZF = 0xc3 };
    uint64_t length;
    uint8_t first = cursor_left(cursor) ? *cursor->at : 0;
    *string = (struct stored){0};
    if (first >= INTEGER && first < LZF) {
        size_t width = (size_t)1 << (first - INTEGER);
        cursor_u8(cursor);
        uint64_t sign = UINT64_C(1) << (8 * width - 1), raw = cursor_le(cursor, width);
        string->integer = true;
        string->number = (int64_t)((raw ^ sign) - sign);
        return cursor_ok(cursor);
    }
    if (first == LZF) {
        cursor_u8(cursor);
        if (!take_length(cursor, &length) || !take_length(cursor, &string->size) || !string->size ||
            string->size > lzf_most((size_t)length) || string->size > RDB_STRING_LARGEST)
            return false;
    } else if (!take_length(cursor, &length)) {
        return false;
    }
    string->bytes = cursor_take(cursor, (size_t)length);
    return cursor_ok(cursor);
}

static inline bool take_string(struct cursor *cursor, struct stored *string)
{
    if (!cursor_left(cursor) || *cursor->at >= RDB_LENGTH_SHORT) {
        struct cursor other = {cursor->start, cursor->at, cursor->end, false};
        struct stored taken;
        bool sound = take_long_string(&other, &taken);
        cursor->at = other.at;
        *string = taken;
        return sound;
    }
    size_t length = cursor_u8(cursor);
    string->bytes = cursor_take(cursor, length);
    string->size = 0;
    string->integer = false;
    return cursor_ok(cursor);
}

/* The bytes of a string, expanded into a run where they are compressed. */
static bool expand(struct rdb *reader, enum rdb_run_of which, struct stored *string)
{
    struct rdb_run *run = &reader->window.runs[which];
    if (!string->size)
        return true;
    if (!rdb_run_room(run, (size_t)string->size + LZF_ROOM) ||
        !lzf_expand_roomy(string->bytes, run->text, (size_t)string->size))
        return false;
    string->bytes = (struct bytes){run->text, (size_t)string->size};
    return true;
}

/* A string that nobody looks at. */
static inline bool pass_value(struct cursor *cursor)
{
    struct stored string;
    return take_string(cursor, &string) && (!string.size || lzf_verify(string.bytes, string.size));
}

/* `lasts`: it stands in the window. */
static inline bool take_name(struct rdb_quick_walk *walk, struct rdb_scalar *name, bool *lasts)
{
    struct stored string;
    if (!take_string(&walk->cursor, &string))
        return false;
    *lasts = !string.size;
    if (string.size && !expand(walk->reader, RDB_FIELD, &string))
        return false;
    name->integer = string.integer;
    name->number = string.number;
    name->text = string.bytes;
    if (name->text.len && name->text.at[0] <= '9')
        *name = rdb_word_plain(*name);
    return rdb_names_add(&walk->reader->value.quick.names, name);
}

/* How many elements follow, each of at least so many bytes; none is for others to tell of. */
static bool take_count(struct rdb_quick_walk *walk, uint64_t *count)
{
    return take_length(&walk->cursor, count) && *count && *count <= cursor_left(&walk->cursor);
}

static bool take_named_count(struct rdb_quick_walk *walk, uint64_t *count)
{
    return take_count(walk, count) && rdb_names_begin(&walk->reader->value.quick.names, *count);
}

static bool walk_items(struct rdb_quick_walk *walk)
{
    if (!take_count(walk, &walk->elements))
        return false;
    for (uint64_t i = 0; i < walk->elements; i++)
        if (!pass_value(&walk->cursor))
            return false;
    return true;
}

static bool walk_members(struct rdb_quick_walk *walk)
{
    struct rdb_scalar name;
    bool lasts;
    if (!take_named_count(walk, &walk->elements))
        return false;
    for (uint64_t i = 0; i < walk->elements; i++)
        if (!take_name(walk, &name, &lasts))
            return false;
    return true;
}

static bool walk_fields(struct rdb_quick_walk *walk)
{
    struct rdb_scalar name;
    bool lasts;
    if (!take_named_count(walk, &walk->elements))
        return false;
    for (uint64_t i = 0; i < walk->elements; i++)
        if (!take_name(walk, &name, &lasts) || !pass_value(&walk->cursor))
            return false;
    return true;
}

static bool walk_scored(struct rdb_quick_walk *walk)
{
    struct rdb_scalar name, before = {0};
    double score, score_before = 0;
    bool descends = rdb_scores_descend(walk->reader, walk->row), lasts, lasted = false;
    if (!take_named_count(walk, &walk->elements))
        return false;
    for (uint64_t i = 0; i < walk->elements; i++, before = name, score_before = score, lasted = lasts) {
        if (!take_name(walk, &name, &lasts))
            return false;
        uint64_t raw = cursor_le64(&walk->cursor);
        memcpy(&score, &raw, sizeof(score));
        if (!cursor_ok(&walk->cursor) || score != score)
            return false;
        if (!descends || !i || score < score_before)
            continue;
        if (score > score_before || !lasts || !lasted || rdb_name_order(&before, &name) < 0)
            return false;
    }
    return true;
}

static bool walk_scored_by_text(struct rdb_quick_walk *walk)
{
    struct rdb_scalar name;
    double score;
    bool lasts;
    if (!take_named_count(walk, &walk->elements))
        return false;
    for (uint64_t i = 0; i < walk->elements; i++) {
        if (!take_name(walk, &name, &lasts))
            return false;
        uint8_t length = cursor_u8(&walk->cursor);
        if (length > RDB_SCORE_NAN)
            continue;
        if (length == RDB_SCORE_NAN || !score_parse(cursor_take(&walk->cursor, length), &score) || score != score)
            return false;
    }
    return cursor_ok(&walk->cursor);
}

static bool walk_blob(struct rdb_quick_walk *walk, enum packed_form form)
{
    struct stored blob;
    return take_string(&walk->cursor, &blob) && expand(walk->reader, RDB_VALUE, &blob) &&
           rdb_quick_packed(&walk->reader->value.quick.names, form, walk->row->datatype, blob.bytes, &walk->elements);
}

static bool walk_listpack(struct rdb_quick_walk *walk)
{
    return walk_blob(walk, PACKED_LISTPACK);
}

static bool walk_ziplist(struct rdb_quick_walk *walk)
{
    return walk_blob(walk, PACKED_ZIPLIST);
}

static bool walk_intset(struct rdb_quick_walk *walk)
{
    return walk_blob(walk, PACKED_INTSET);
}

static bool walk_ziplist_nodes(struct rdb_quick_walk *walk)
{
    uint64_t nodes;
    if (!take_count(walk, &nodes))
        return false;
    for (uint64_t i = 0; i < nodes; i++)
        if (!walk_blob(walk, PACKED_ZIPLIST))
            return false;
    return true;
}

static bool walk_nodes(struct rdb_quick_walk *walk)
{
    enum { PLAIN = 1, PACKED = 2 };
    uint64_t nodes, container;
    if (!take_count(walk, &nodes))
        return false;
    for (uint64_t i = 0; i < nodes; i++) {
        if (!take_length(&walk->cursor, &container) || (container != PLAIN && container != PACKED) ||
            !(container == PLAIN ? pass_value(&walk->cursor) : walk_blob(walk, PACKED_LISTPACK)))
            return false;
        walk->elements += container == PLAIN;
    }
    return true;
}

static const struct {
    const char *layout;
    bool (*way)(struct rdb_quick_walk *walk);
} ways[] = {
    {"L", walk_listpack},       {"Z", walk_ziplist},
    {"I", walk_intset},         {"#(Z)", walk_ziplist_nodes},
    {"#(cq.)", walk_nodes},     {"#(v.)", walk_items},
    {"#(m.)", walk_members},    {"#(mv.)", walk_fields},
    {"#(md.)", walk_scored},    {"#(mz.)", walk_scored_by_text},
};

static void find_way(struct rdb_quick *quick, const struct rdb_row *row)
{
    quick->rows[row->byte] = row;
    quick->ways[row->byte] = NULL;
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
        if (!strcmp(row->layout, ways[i].layout))
            quick->ways[row->byte] = ways[i].way;
}

bool rdb_quick_value(struct rdb *reader, const struct rdb_row *row, uint64_t *elements)
{
    struct rdb_quick *quick = &reader->value.quick;
    struct cursor *cursor = &reader->window.cursor;
    if (quick->rows[row->byte] != row)
        find_way(quick, row);
    struct rdb_quick_walk walk = {reader, row, {cursor->start, cursor->at, cursor->end, false}, 0};
    if (quick->off || !quick->ways[row->byte] || !quick->ways[row->byte](&walk))
        return false;
    cursor->at = walk.cursor.at;
    *elements = walk.elements;
    return true;
}
