/* The quick way over values: whether anything is wrong. */
#include "parsers/rdb/rdb_names.h"

#include "parsers/rdb/rdb_quick_walk.h"
#include "parsers/rdb/score.h"

/* The bytes of a string, expanded into a run where they are compressed. */
static bool expand(struct rdb *reader, enum rdb_run_of which, struct rdb_stored *string)
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
    struct rdb_stored string;
    return rdb_take_string(cursor, &string) && (!string.size || lzf_verify(string.bytes, string.size));
}

/* `lasts`: it stands in the window. */
static inline bool take_name(struct rdb_quick_walk *walk, struct rdb_scalar *name, bool *lasts)
{
    struct rdb_stored string;
    if (!rdb_take_string(&walk->cursor, &string))
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

static bool take_named_count(struct rdb_quick_walk *walk, uint64_t *count)
{
    return rdb_take_count(walk, count) && rdb_names_begin(&walk->reader->value.quick.names, *count);
}

bool rdb_check_items(struct rdb_quick_walk *walk)
{
    if (!rdb_take_count(walk, &walk->elements))
        return false;
    for (uint64_t i = 0; i < walk->elements; i++)
        if (!pass_value(&walk->cursor))
            return false;
    return true;
}

bool rdb_check_members(struct rdb_quick_walk *walk)
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

bool rdb_check_fields(struct rdb_quick_walk *walk)
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

bool rdb_check_scored(struct rdb_quick_walk *walk)
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

bool rdb_check_scored_by_text(struct rdb_quick_walk *walk)
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
    struct rdb_stored blob;
    return rdb_take_any_string(&walk->cursor, &blob) && expand(walk->reader, RDB_VALUE, &blob) &&
           rdb_quick_packed(&walk->reader->value.quick.names, form, walk->row->datatype, blob.bytes, &walk->elements);
}

bool rdb_check_listpack(struct rdb_quick_walk *walk)
{
    return walk_blob(walk, PACKED_LISTPACK);
}

bool rdb_check_ziplist(struct rdb_quick_walk *walk)
{
    return walk_blob(walk, PACKED_ZIPLIST);
}

bool rdb_check_intset(struct rdb_quick_walk *walk)
{
    return walk_blob(walk, PACKED_INTSET);
}

static inline bool pass_string(struct rdb_quick_walk *walk)
{
    return pass_value(&walk->cursor);
}

bool rdb_check_ziplist_nodes(struct rdb_quick_walk *walk)
{
    return rdb_each_ziplist(walk, walk_blob);
}

bool rdb_check_nodes(struct rdb_quick_walk *walk)
{
    return rdb_each_node(walk, pass_string, walk_blob);
}
