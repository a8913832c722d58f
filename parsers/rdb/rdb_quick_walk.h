/* Private to the quick way over values: what its parts have in common. */
#ifndef RCF_RDB_QUICK_WALK_H
#define RCF_RDB_QUICK_WALK_H

#include "parsers/bytes/lzf.h"
#include "parsers/rdb/rdb_string.h"

enum { RDB_NODE_PLAIN = 1, RDB_NODE_PACKED = 2 }; /* containers of a list's node */

/* One value. The cursor goes ahead of the window's. */
struct rdb_quick_walk {
    struct rdb *reader;
    const struct rdb_row *row;
    struct cursor cursor;
    uint64_t elements;
    uint64_t strings, string_bytes; /* as in rdb_key, when they are counted */
};

/* Each gives up with false. */
typedef bool rdb_quick_fn(struct rdb_quick_walk *walk);

/* What is known of a layout; NULL: nothing. */
struct rdb_quick_way {
    const char *layout;
    rdb_quick_fn *check, *count;
};

/* rdb_quick_check.c */
rdb_quick_fn rdb_check_listpack, rdb_check_ziplist, rdb_check_intset, rdb_check_ziplist_nodes, rdb_check_nodes,
    rdb_check_items, rdb_check_members, rdb_check_fields, rdb_check_scored, rdb_check_scored_by_text;

/* rdb_quick_count.c */
rdb_quick_fn rdb_count_string, rdb_count_listpack, rdb_count_ziplist, rdb_count_intset, rdb_count_ziplist_nodes,
    rdb_count_nodes, rdb_count_words, rdb_count_pairs, rdb_count_scored;

/* A string as it stands in the dump. */
struct rdb_stored {
    struct bytes bytes;
    uint64_t size; /* LZF: once expanded; else 0 */
    bool integer;
    int64_t number;
};

/* A length in its shortest form, but for those of 64 bits. */
static inline bool rdb_take_length(struct cursor *cursor, uint64_t *length)
{
    enum { MEDIUM = 0x40, MEDIUM_MOST = 0x3fff, WIDE = 0x80 };
    uint8_t first = cursor_left(cursor) ? *cursor->at : 0;
    if (first < RDB_LENGTH_SHORT) {
        *length = cursor_u8(cursor);
        return cursor_ok(cursor);
    }
    if (first < WIDE) {
        *length = cursor_be16(cursor) - (MEDIUM << 8);
        return cursor_ok(cursor) && *length >= RDB_LENGTH_SHORT;
    }
    cursor_u8(cursor);
    *length = cursor_be32(cursor);
    return cursor_ok(cursor) && first == WIDE && *length > MEDIUM_MOST;
}

/* How many parts follow, each of at least one byte; none is for others to tell of. */
static inline bool rdb_take_count(struct rdb_quick_walk *walk, uint64_t *count)
{
    return rdb_take_length(&walk->cursor, count) && *count && *count <= cursor_left(&walk->cursor);
}

/* A string of any form whose head does not contradict itself. */
bool rdb_take_any_string(struct cursor *cursor, struct rdb_stored *string);

static inline bool rdb_take_string(struct cursor *cursor, struct rdb_stored *string)
{
    if (!cursor_left(cursor) || *cursor->at >= RDB_LENGTH_SHORT) {
        /* Copies, so that what most strings need stays in registers. */
        struct cursor other = {cursor->start, cursor->at, cursor->end, false};
        struct rdb_stored any;
        bool taken = rdb_take_any_string(&other, &any);
        cursor->at = other.at;
        *string = any;
        return taken;
    }
    size_t length = cursor_u8(cursor);
    string->bytes = cursor_take(cursor, length);
    string->size = 0;
    string->integer = false;
    string->number = 0;
    return cursor_ok(cursor);
}

/* What is done with a packed blob; with the nodes of a list. The loops are inlined, and with them what they call. */
typedef bool rdb_blob_fn(struct rdb_quick_walk *walk, enum packed_form form);

static inline __attribute__((always_inline)) bool rdb_each_ziplist(struct rdb_quick_walk *walk, rdb_blob_fn *packed)
{
    uint64_t nodes;
    if (!rdb_take_count(walk, &nodes))
        return false;
    for (uint64_t i = 0; i < nodes; i++)
        if (!packed(walk, PACKED_ZIPLIST))
            return false;
    return true;
}

static inline __attribute__((always_inline)) bool rdb_each_node(struct rdb_quick_walk *walk, rdb_quick_fn *plain,
                                                                rdb_blob_fn *packed)
{
    uint64_t nodes, container;
    if (!rdb_take_count(walk, &nodes))
        return false;
    for (uint64_t i = 0; i < nodes; i++) {
        if (!rdb_take_length(&walk->cursor, &container) ||
            (container != RDB_NODE_PLAIN && container != RDB_NODE_PACKED) ||
            !(container == RDB_NODE_PLAIN ? plain(walk) : packed(walk, PACKED_LISTPACK)))
            return false;
        walk->elements += container == RDB_NODE_PLAIN;
    }
    return true;
}

#endif
