/* The quick way over values: the layouts that it knows, and strings. */
#include "parsers/rdb/rdb_names.h"

#include <stdlib.h>

#include "parsers/rdb/rdb_quick_walk.h"

void rdb_quick_close(struct rdb_quick *quick)
{
    free(quick->names.slots);
}

bool rdb_names_widen(struct rdb_names *names, size_t cap)
{
    uint32_t *slots = realloc(names->slots, cap * sizeof(*slots));
    if (!slots)
        return false;
    names->slots = slots;
    names->cap = cap;
    return true;
}

uint64_t rdb_names_hash_text(struct bytes text)
{
    return XXH3_64bits(text.at, text.len);
}

bool rdb_names_add_behind(struct rdb_names *names, uint64_t hash)
{
    uint32_t mark = rdb_name_mark(hash);
    for (size_t looks = 0; looks < RDB_NAMES_CROWD; looks++) {
        uint32_t *slot = &names->slots[(hash + looks) & names->mask];
        if (!*slot) {
            *slot = mark;
            return true;
        }
        if (*slot == mark)
            return false;
    }
    return false;
}

bool rdb_take_any_string(struct cursor *cursor, struct rdb_stored *string)
{
    enum { INTEGER = 0xc0, LZF = 0xc3 };
    uint64_t length;
    uint8_t first = cursor_left(cursor) ? *cursor->at : 0;
    string->size = 0;
    string->integer = false;
    if (first >= INTEGER && first < LZF) {
        size_t width = (size_t)1 << (first - INTEGER);
        cursor_u8(cursor);
        uint64_t sign = UINT64_C(1) << (8 * width - 1), raw = cursor_le(cursor, width);
        string->integer = true;
        string->bytes = (struct bytes){0};
        string->number = (int64_t)((raw ^ sign) - sign);
        return cursor_ok(cursor);
    }
    if (first == LZF) {
        cursor_u8(cursor);
        if (!rdb_take_length(cursor, &length) || !rdb_take_length(cursor, &string->size) || !string->size ||
            string->size > lzf_most((size_t)length) || string->size > RDB_STRING_LARGEST)
            return false;
    } else if (!rdb_take_length(cursor, &length)) {
        return false;
    }
    string->bytes = cursor_take(cursor, (size_t)length);
    return cursor_ok(cursor);
}

static const struct rdb_quick_way ways[] = {
    {"v.", NULL, rdb_count_string},
    {"L", rdb_check_listpack, rdb_count_listpack},
    {"Z", rdb_check_ziplist, rdb_count_ziplist},
    {"I", rdb_check_intset, rdb_count_intset},
    {"#(Z)", rdb_check_ziplist_nodes, rdb_count_ziplist_nodes},
    {"#(cq.)", rdb_check_nodes, rdb_count_nodes},
    {"#(v.)", rdb_check_items, rdb_count_words},
    {"#(m.)", rdb_check_members, rdb_count_words},
    {"#(mv.)", rdb_check_fields, rdb_count_pairs},
    {"#(md.)", rdb_check_scored, rdb_count_scored},
    {"#(mz.)", rdb_check_scored_by_text, NULL},
};

static const struct rdb_quick_way *find_way(struct rdb_quick *quick, const struct rdb_row *row)
{
    static const struct rdb_quick_way unknown = {0};
    const struct rdb_quick_way *way = &unknown;
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
        if (!strcmp(row->layout, ways[i].layout))
            way = &ways[i];
    quick->rows[row->byte] = row;
    return quick->ways[row->byte] = way;
}

static inline const struct rdb_quick_way *way_of(struct rdb_quick *quick, const struct rdb_row *row)
{
    return quick->rows[row->byte] == row ? quick->ways[row->byte] : find_way(quick, row);
}

size_t rdb_quick_length(struct rdb *reader, const struct rdb_row *row, struct bytes bytes, uint64_t *elements)
{
    struct rdb_quick *quick = &reader->value.quick;
    rdb_quick_fn *check = way_of(quick, row)->check;
    struct rdb_quick_walk walk = {.reader = reader, .row = row, .cursor = cursor_over(bytes)};
    if (quick->off || !check || !check(&walk))
        return 0;
    *elements = walk.elements;
    return cursor_offset(&walk.cursor);
}

bool rdb_quick_value(struct rdb *reader, const struct rdb_row *row, struct rdb_key *key)
{
    struct rdb_quick *quick = &reader->value.quick;
    struct cursor *cursor = &reader->window.cursor;
    const struct rdb_quick_way *way = way_of(quick, row);
    rdb_quick_fn *take = reader->flags == RDB_CHECK_VALUES     ? way->check
                         : reader->flags == RDB_COUNT_ELEMENTS ? way->count
                                                               : NULL;
    struct rdb_quick_walk walk = {reader, row, {cursor->start, cursor->at, cursor->end, false}, 0, 0, 0};
    if (quick->off || !take || !take(&walk))
        return false;
    cursor->at = walk.cursor.at;
    key->elements = walk.elements;
    key->strings = walk.strings;
    key->string_bytes = walk.string_bytes;
    return true;
}
