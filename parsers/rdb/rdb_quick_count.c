/* The quick way over values: elements, by what heads state, and strings. */
#include "parsers/rdb/rdb_quick_walk.h"

static inline bool count_string(struct rdb_quick_walk *walk)
{
    struct rdb_stored string;
    if (!rdb_take_string(&walk->cursor, &string))
        return false;
    walk->strings += !string.integer;
    walk->string_bytes += string.size ? string.size : string.bytes.len;
    return true;
}

/* A count, and so many times `each` strings with `behind` bytes after them. */
static inline __attribute__((always_inline)) bool count_strings(struct rdb_quick_walk *walk, unsigned each,
                                                                size_t behind)
{
    if (!rdb_take_count(walk, &walk->elements))
        return false;
    for (uint64_t i = 0; i < walk->elements; i++) {
        for (unsigned n = 0; n < each; n++)
            if (!count_string(walk))
                return false;
        cursor_take(&walk->cursor, behind);
    }
    return cursor_ok(&walk->cursor);
}

bool rdb_count_string(struct rdb_quick_walk *walk)
{
    walk->elements = 1;
    return count_string(walk);
}

bool rdb_count_words(struct rdb_quick_walk *walk)
{
    return count_strings(walk, 1, 0);
}

bool rdb_count_pairs(struct rdb_quick_walk *walk)
{
    return count_strings(walk, 2, 0);
}

bool rdb_count_scored(struct rdb_quick_walk *walk)
{
    return count_strings(walk, 1, sizeof(double));
}

static bool count_blob(struct rdb_quick_walk *walk, enum packed_form form)
{
    enum { HEAD = 11 }; /* what packed_stated() wants */
    struct rdb_stored blob;
    uint8_t start[HEAD];
    uint64_t entries;
    if (!rdb_take_any_string(&walk->cursor, &blob) || blob.integer)
        return false;
    struct bytes head = blob.size ? (struct bytes){start, lzf_head(blob.bytes, start, sizeof(start))} : blob.bytes;
    if (!packed_stated(form, head, &entries))
        return false;
    bool pairs = walk->row->datatype == RDB_ZSET || walk->row->datatype == RDB_HASH;
    walk->elements += pairs ? entries / 2 : entries;
    walk->strings++;
    walk->string_bytes += blob.size ? blob.size : blob.bytes.len;
    return true;
}

bool rdb_count_listpack(struct rdb_quick_walk *walk)
{
    return count_blob(walk, PACKED_LISTPACK);
}

bool rdb_count_ziplist(struct rdb_quick_walk *walk)
{
    return count_blob(walk, PACKED_ZIPLIST);
}

bool rdb_count_intset(struct rdb_quick_walk *walk)
{
    return count_blob(walk, PACKED_INTSET);
}

bool rdb_count_ziplist_nodes(struct rdb_quick_walk *walk)
{
    return rdb_each_ziplist(walk, count_blob);
}

bool rdb_count_nodes(struct rdb_quick_walk *walk)
{
    return rdb_each_node(walk, count_string, count_blob);
}
