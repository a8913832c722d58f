/* The quick way over packed blobs. */
#include "parsers/rdb/rdb_names.h"

#include "parsers/rdb/packed_private.h"
#include "parsers/rdb/rdb_value_private.h"
#include "parsers/rdb/score.h"

#define INLINE inline __attribute__((always_inline))

enum { LISTPACK_HEAD = 6, ZIPLIST_HEAD = 10, INTSET_HEAD = 8, END_MARK = 0xff };

/* Entries of a blob without head and end mark. */
struct entries {
    struct cursor cursor;
    uint64_t before; /* ziplist: the length of the entry before */
};

static INLINE bool take(enum packed_form form, struct entries *entries, struct rdb_scalar *word)
{
    return form == PACKED_LISTPACK ? listpack_take(&entries->cursor, word)
                                   : ziplist_take(&entries->cursor, &entries->before, word);
}

static INLINE bool set_score(const struct rdb_scalar *word, double *score)
{
    static const double FAR = 1e15; /* nearer to 0 any integer is a double */
    *score = (double)word->number;
    if (word->integer)
        return true;
    if (!score_parse(word->text, score))
        return false;
    bool fraction = *score > -FAR && *score < FAR && (double)(int64_t)*score != *score;
    return fraction || packed_as_written(word);
}

/* By score, then by name. */
struct rank {
    bool any;
    double score;
    struct rdb_scalar name;
};

static INLINE bool ascends(struct rank *before, const struct rdb_scalar *name, double score)
{
    bool higher = before->any ? before->score < score : score == score;
    if (!higher && !(before->any && before->score == score && rdb_name_order(&before->name, name) < 0))
        return false;
    *before = (struct rank){true, score, *name};
    return true;
}

/* `form` and `datatype` are known when this is compiled: each pair becomes a loop of its own. */
static INLINE bool walk(struct rdb_names *names, enum packed_form form, enum rdb_datatype datatype,
                        struct entries entries, uint64_t stated, uint64_t *tail)
{
    struct rdb_scalar word, other;
    struct rank before = {0};
    uint64_t seen = 0;
    double score;
    if (datatype != RDB_LIST && !rdb_names_begin(names, stated))
        return false;
    while (cursor_left(&entries.cursor)) {
        *tail = cursor_offset(&entries.cursor);
        if (!take(form, &entries, &word) || !packed_as_written(&word) ||
            (datatype != RDB_LIST && !rdb_names_add(names, &word)))
            return false;
        seen++;
        if (datatype == RDB_LIST || datatype == RDB_SET)
            continue;
        *tail = cursor_offset(&entries.cursor);
        if (!cursor_left(&entries.cursor) || !take(form, &entries, &other))
            return false;
        if (datatype == RDB_ZSET ? !set_score(&other, &score) || !ascends(&before, &word, score)
                                 : !packed_as_written(&other))
            return false;
        seen++;
    }
    return seen == stated;
}

static INLINE bool walk_any(struct rdb_names *names, enum packed_form form, enum rdb_datatype datatype,
                            struct entries entries, uint64_t stated, uint64_t *tail)
{
    switch (datatype) {
    case RDB_LIST:
        return walk(names, form, RDB_LIST, entries, stated, tail);
    case RDB_SET:
        return walk(names, form, RDB_SET, entries, stated, tail);
    case RDB_ZSET:
        return walk(names, form, RDB_ZSET, entries, stated, tail);
    case RDB_HASH:
        return walk(names, form, RDB_HASH, entries, stated, tail);
    default:
        return false;
    }
}

/* What stands between the head and the end mark, which is there. */
static bool body_of(struct bytes blob, size_t head, struct entries *entries)
{
    struct cursor cursor = cursor_over(blob);
    cursor_take(&cursor, head);
    if (!cursor_left(&cursor))
        return false;
    struct bytes body = cursor_take(&cursor, cursor_left(&cursor) - 1);
    *entries = (struct entries){.cursor = cursor_over(body)};
    return cursor_u8(&cursor) == END_MARK;
}

static bool walk_listpack(struct rdb_names *names, enum rdb_datatype datatype, struct bytes blob, uint64_t *entries)
{
    struct cursor head = cursor_over(blob);
    struct entries body;
    uint64_t tail, size = cursor_le32(&head);
    *entries = cursor_le16(&head);
    return size == blob.len && *entries && *entries != UINT16_MAX && body_of(blob, LISTPACK_HEAD, &body) &&
           walk_any(names, PACKED_LISTPACK, datatype, body, *entries, &tail);
}

static bool walk_ziplist(struct rdb_names *names, enum rdb_datatype datatype, struct bytes blob, uint64_t *entries)
{
    struct cursor head = cursor_over(blob);
    struct entries body;
    uint64_t last, size = cursor_le32(&head), tail = cursor_le32(&head);
    *entries = cursor_le16(&head);
    return size == blob.len && *entries && *entries != UINT16_MAX && body_of(blob, ZIPLIST_HEAD, &body) &&
           walk_any(names, PACKED_ZIPLIST, datatype, body, *entries, &last) && tail == ZIPLIST_HEAD + last;
}

static INLINE bool in_order(struct cursor cursor, size_t width)
{
    uint64_t sign = UINT64_C(1) << (8 * width - 1);
    int64_t before = (int64_t)((cursor_le(&cursor, width) ^ sign) - sign);
    while (cursor_left(&cursor)) {
        int64_t number = (int64_t)((cursor_le(&cursor, width) ^ sign) - sign);
        if (number <= before)
            return false;
        before = number;
    }
    return true;
}

static bool walk_intset(struct bytes blob, uint64_t *entries)
{
    struct cursor cursor = cursor_over(blob);
    uint64_t width = cursor_le32(&cursor);
    *entries = cursor_le32(&cursor);
    if (!*entries || blob.len != INTSET_HEAD + width * *entries)
        return false;
    switch (width) {
    case 2:
        return in_order(cursor, 2);
    case 4:
        return in_order(cursor, 4);
    case 8:
        return in_order(cursor, 8);
    default:
        return false;
    }
}

bool rdb_quick_packed(struct rdb_names *names, enum packed_form form, enum rdb_datatype datatype, struct bytes blob,
                      uint64_t *elements)
{
    uint64_t entries = 0;
    bool sound = form == PACKED_INTSET    ? datatype == RDB_SET && walk_intset(blob, &entries)
                 : form == PACKED_ZIPLIST ? walk_ziplist(names, datatype, blob, &entries)
                                          : walk_listpack(names, datatype, blob, &entries);
    *elements += datatype == RDB_ZSET || datatype == RDB_HASH ? entries / 2 : entries;
    return sound;
}
