/* Runs of plain keys: rdb_plain.h. What is not known here for certain is not judged here. */
#include "parsers/rdb/rdb_plain.h"

#include "parsers/bytes/lzf.h"
#include "parsers/rdb/rdb_string.h"

enum {
    PREFETCH_AHEAD = 2048,
    STRING = 0, /* type byte */
    EXPIRY_MS = 8,
    MEDIUM = 0x80,  /* lengths: below, 14 bits in two bytes */
    INTEGER = 0xc0, /* strings: 1, 2 and 4 bytes of an integer */
    LZF = 0xc3,
};

/* The position and lengths stay in registers: the next record is found through them. */
#define ALWAYS_INLINE inline __attribute__((always_inline))

/* A length in its shortest form, of one or two bytes. */
static ALWAYS_INLINE bool take_length(struct cursor *cursor, unsigned first, unsigned *length)
{
    *length = first;
    if (first < RDB_LENGTH_SHORT)
        return true;
    *length = (first & 0x3fu) << 8 | cursor_u8(cursor);
    return first < MEDIUM && *length >= RDB_LENGTH_SHORT;
}

/* What may be a HyperLogLog begins with an H, behind a control byte where it is compressed. */
static ALWAYS_INLINE bool may_be_sketch(struct bytes stored, bool packed)
{
    return stored.len > 1 && stored.at[packed] == 'H';
}

static ALWAYS_INLINE bool take_packed(struct cursor *cursor, struct rdb_plain_key *key, bool verify)
{
    unsigned length, size;
    if (!take_length(cursor, cursor_u8(cursor), &length) || !take_length(cursor, cursor_u8(cursor), &size))
        return false;
    struct bytes stored = cursor_take(cursor, length);
    key->value = stored.at;
    key->stored = (uint16_t)length;
    key->size = (uint16_t)size;
    key->form = RDB_PLAIN_PACKED;
    return cursor_ok(cursor) && size && size <= lzf_most(length) && !may_be_sketch(stored, true) &&
           (!verify || lzf_verify(stored, size));
}

static ALWAYS_INLINE bool take_value(struct cursor *cursor, struct rdb_plain_key *key, bool verify)
{
    unsigned first = cursor_u8(cursor), length;
    if (first == LZF)
        return take_packed(cursor, key, verify);
    bool integer = first >= INTEGER && first < LZF;
    if (integer)
        length = 1u << (first - INTEGER);
    else if (!take_length(cursor, first, &length))
        return false;
    struct bytes stored = cursor_take(cursor, length);
    key->value = stored.at;
    key->stored = key->size = (uint16_t)length;
    key->form = integer ? RDB_PLAIN_INTEGER : RDB_PLAIN_TEXT;
    return cursor_ok(cursor) && (integer || !may_be_sketch(stored, false));
}

/* False where it is none; the cursor then stands anywhere. */
static ALWAYS_INLINE bool take_key(const struct rdb *reader, struct cursor *cursor, struct rdb_plain_key *key,
                                   bool verify)
{
    unsigned first = cursor_u8(cursor), length;
    int64_t expire_ms = 0;
    key->has_expiry = first != STRING;
    if (first != STRING) {
        const struct rdb_row *row = reader->rows[first];
        if (!row || row->role != RDB_ROLE_EXPIRE_MS)
            return false;
        expire_ms = (int64_t)cursor_le(cursor, EXPIRY_MS);
        if (cursor_u8(cursor) != STRING || expire_ms < 0)
            return false;
    }
    key->expire_ms = expire_ms;
    if (!take_length(cursor, cursor_u8(cursor), &length))
        return false;
    key->name = cursor_take(cursor, length).at;
    key->name_length = (uint16_t)length;
    return take_value(cursor, key, verify);
}

size_t rdb_plain(struct rdb *reader, struct rdb_plain *run)
{
    struct cursor *window = &reader->window.cursor;
    struct cursor cursor = cursor_over((struct bytes){window->at, cursor_left(window)});
    const bool untold = reader->damage_next < reader->damage_count || reader->item_waits || reader->stop ||
                        reader->value.state == RDB_VALUE_OPEN;
    const bool verify = reader->flags & (RDB_CHECK_VALUES | RDB_VALUES);
    size_t count = 0, whole = 0;
    uint64_t expires = 0;
    if (reader->state != RDB_AT_RECORD || untold || reader->has_prefix || reader->bundle ||
        reader->flags & RDB_DIGEST_VALUES || !reader->rows[STRING])
        return 0;
    while (count < RDB_PLAIN_MOST && cursor_left(&cursor)) {
        struct rdb_plain_key *key = &run->keys[count];
        __builtin_prefetch(cursor.at + PREFETCH_AHEAD); /* the window has this much room behind its end */
        key->from = (uint32_t)whole;
        if (!take_key(reader, &cursor, key, verify))
            break;
        whole = cursor_offset(&cursor);
        expires += key->has_expiry;
        count++;
    }
    if (!count)
        return 0;
    run->offset = rdb_window_offset(&reader->window);
    run->bytes = window->at;
    run->db = reader->db;
    run->flags = reader->flags;
    run->type = STRING;
    run->row = reader->rows[STRING];
    run->count = count;
    run->expires = expires;
    cursor_take(window, whole);
    reader->last_key = run->offset + run->keys[count - 1].from;
    reader->keys += count;
    reader->expires += expires;
    return count;
}

struct place rdb_plain_place(const struct rdb_plain *run, const struct rdb_plain_key *key)
{
    uint64_t length = (uint64_t)(key->value + key->stored - run->bytes) - key->from;
    return (struct place){.offset = run->offset + key->from, .length = length};
}

void rdb_plain_item(const struct rdb_plain *run, const struct rdb_plain_key *key, struct rdb_item *item)
{
    uint64_t value_from = (uint64_t)(key->name + key->name_length - run->bytes);
    bool counted = run->flags & RDB_COUNT_ELEMENTS;
    *item = (struct rdb_item){
        .kind = RDB_KEY,
        .place = rdb_plain_place(run, key),
        .key = {
            .db = run->db,
            .name = rdb_plain_name(key),
            .type = run->row->byte,
            .datatype = run->row->datatype,
            .type_name = run->row->name,
            .encoding = run->row->encoding,
            .has_expiry = key->has_expiry,
            .expire_ms = key->expire_ms,
            .value_offset = run->offset + value_from,
            .value_length = (uint64_t)(key->value + key->stored - run->bytes) - value_from,
            .elements = run->flags & (RDB_COUNT_ELEMENTS | RDB_CHECK_VALUES) ? 1 : 0,
            .strings = counted && key->form != RDB_PLAIN_INTEGER,
            .string_bytes = counted && key->form != RDB_PLAIN_INTEGER ? key->size : 0,
        },
    };
}

bool rdb_plain_value(struct rdb *reader)
{
    struct cursor cursor = reader->window.cursor;
    struct rdb_plain_key key;
    if (!take_value(&cursor, &key, true))
        return false;
    reader->window.cursor = cursor;
    return true;
}
