/* The quick way over packed blobs. */
#include "parsers/rdb/rdb_names.h"

#include <math.h>

#include "parsers/rdb/packed_private.h"
#include "parsers/rdb/rdb_value_private.h"
#include "parsers/rdb/score.h"

#define INLINE inline __attribute__((always_inline))

enum { INTSET_HEAD = 8, END_MARK = 0xff };

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
    *score = (double)word->number;
    /* What has a point is no integer's digits. */
    return word->integer || score_parse_short(word->text, score) ||
           (score_parse(word->text, score) && packed_as_written(word));
}

/* Where an entry begins. */
struct spot {
    const uint8_t *at;
    uint64_t before;
};

/* Members with the same score are in the order of their names; that of the first begins at `spot`. */
static __attribute__((noinline)) bool names_ascend(enum packed_form form, struct entries entries, struct spot spot,
                                                   struct rdb_scalar name)
{
    struct rdb_scalar first;
    entries.cursor.at = spot.at;
    entries.before = spot.before;
    return take(form, &entries, &first) && rdb_name_order(&first, &name) < 0;
}

/* `form` and `datatype` are known when this is compiled: each pair becomes a loop of its own. *tail is where the last
 * entry begins, in a ziplist. */
static INLINE bool walk(enum packed_form form, enum rdb_datatype datatype, struct rdb_names *names,
                        struct entries *all, uint64_t stated, uint64_t *tail)
{
    struct entries entries = {{all->cursor.start, all->cursor.at, all->cursor.end, false}, 0};
    struct spot spot, spot_before = {0}; /* of names */
    struct rdb_scalar word, other;
    uint64_t seen = 0, last = 0;
    double score = 0, score_before = -INFINITY;
    if (datatype != RDB_LIST && !rdb_names_begin(names, stated))
        return false;
    while (cursor_left(&entries.cursor)) {
        last = cursor_offset(&entries.cursor);
        spot = (struct spot){entries.cursor.at, entries.before};
        if (!take(form, &entries, &word) || !packed_as_written(&word) ||
            (datatype != RDB_LIST && !rdb_names_add(names, &word)))
            return false;
        seen++;
        if (datatype == RDB_LIST || datatype == RDB_SET)
            continue;
        last = cursor_offset(&entries.cursor);
        if (!cursor_left(&entries.cursor) || !take(form, &entries, &other))
            return false;
        if (datatype == RDB_ZSET ? !set_score(&other, &score) : !packed_as_written(&other))
            return false;
        if (datatype == RDB_ZSET && !(score_before < score) &&
            (score != score_before || (seen > 1 && !names_ascend(form, entries, spot_before, word))))
            return false;
        score_before = score;
        spot_before = spot;
        seen++;
    }
    if (form == PACKED_ZIPLIST)
        *tail = last;
    return seen == stated;
}

typedef bool walk_fn(struct rdb_names *names, struct entries *entries, uint64_t stated, uint64_t *tail);

#define WALK(name, form, datatype)                                                                             \
    static bool name(struct rdb_names *names, struct entries *entries, uint64_t stated, uint64_t *tail)        \
    {                                                                                                          \
        return walk(form, datatype, names, entries, stated, tail);                                             \
    }

WALK(walk_listpack_list, PACKED_LISTPACK, RDB_LIST)
WALK(walk_listpack_set, PACKED_LISTPACK, RDB_SET)
WALK(walk_listpack_zset, PACKED_LISTPACK, RDB_ZSET)
WALK(walk_listpack_hash, PACKED_LISTPACK, RDB_HASH)
WALK(walk_ziplist_list, PACKED_ZIPLIST, RDB_LIST)
WALK(walk_ziplist_zset, PACKED_ZIPLIST, RDB_ZSET)
WALK(walk_ziplist_hash, PACKED_ZIPLIST, RDB_HASH)

static walk_fn *const walks[PACKED_FORMS][RDB_DATATYPES] = {
    [PACKED_LISTPACK] = {[RDB_LIST] = walk_listpack_list, [RDB_SET] = walk_listpack_set,
                         [RDB_ZSET] = walk_listpack_zset, [RDB_HASH] = walk_listpack_hash},
    [PACKED_ZIPLIST] = {[RDB_LIST] = walk_ziplist_list, [RDB_ZSET] = walk_ziplist_zset,
                        [RDB_HASH] = walk_ziplist_hash},
};

/* Size, offset of the last entry (ziplist) and count before the entries, the end mark behind them. */
static bool walk_list(struct rdb_names *names, enum packed_form form, enum rdb_datatype datatype, struct bytes blob,
                      uint64_t *entries)
{
    struct cursor cursor = cursor_over(blob);
    uint64_t size = cursor_le32(&cursor), tail = form == PACKED_ZIPLIST ? cursor_le32(&cursor) : 0, last = 0;
    *entries = cursor_le16(&cursor);
    uint64_t head = cursor_offset(&cursor);
    if (!cursor_left(&cursor) || size != blob.len || !*entries || *entries == UINT16_MAX || !walks[form][datatype])
        return false;
    struct entries body = {.cursor = cursor_over(cursor_take(&cursor, cursor_left(&cursor) - 1))};
    return cursor_u8(&cursor) == END_MARK && walks[form][datatype](names, &body, *entries, &last) &&
           (form != PACKED_ZIPLIST || tail == head + last);
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
    bool sound = form == PACKED_INTSET ? datatype == RDB_SET && walk_intset(blob, &entries)
                                       : walk_list(names, form, datatype, blob, &entries);
    *elements += datatype == RDB_ZSET || datatype == RDB_HASH ? entries / 2 : entries;
    return sound;
}
