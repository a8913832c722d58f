/* Runs of plain keys: rdb_plain.h. What is not known here for certain is not judged here. */
#include "parsers/rdb/rdb_plain.h"

#include "parsers/bytes/lzf.h"
#include "parsers/rdb/rdb_quick.h"
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
    key->stored = length;
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
    key->stored = length;
    key->size = (uint16_t)length;
    key->form = integer ? RDB_PLAIN_INTEGER : RDB_PLAIN_TEXT;
    return cursor_ok(cursor) && (integer || !may_be_sketch(stored, false));
}

static ALWAYS_INLINE bool take_checked(struct rdb *reader, struct cursor *cursor, struct rdb_plain_key *key)
{
    struct bytes rest = {cursor->at, cursor_left(cursor)};
    struct bytes value = cursor_take(cursor, rdb_quick_length(reader, key->row, rest, &key->elements));
    key->value = value.at;
    key->stored = (uint32_t)value.len;
    key->form = RDB_PLAIN_NO_STRING;
    return value.len && value.len <= UINT32_MAX && cursor_ok(cursor);
}

/* What a reader is asked for, as far as it matters here. */
struct asked {
    bool verify; /* that strings can be expanded */
    bool all;    /* values of all types */
};

/* False where it is none; the cursor then stands anywhere. */
static ALWAYS_INLINE bool take_key(struct rdb *reader, struct cursor *cursor, struct rdb_plain_key *key,
                                   struct asked asked)
{
    const struct rdb_row *row = reader->rows[cursor_u8(cursor)];
    unsigned length;
    int64_t expire_ms = 0;
    key->has_expiry = row && row->role == RDB_ROLE_EXPIRE_MS;
    if (key->has_expiry) {
        expire_ms = (int64_t)cursor_le(cursor, EXPIRY_MS);
        row = reader->rows[cursor_u8(cursor)];
    }
    if (!row || expire_ms < 0 || row->role != RDB_ROLE_KEY || (row->byte != STRING && !(asked.all && row->layout)))
        return false;
    key->row = row;
    key->expire_ms = expire_ms;
    if (!take_length(cursor, cursor_u8(cursor), &length))
        return false;
    key->name = cursor_take(cursor, length).at;
    key->name_length = (uint16_t)length;
    if (row->byte != STRING)
        return take_checked(reader, cursor, key);
    key->elements = 1;
    return take_value(cursor, key, asked.verify) && length; /* without a name it may be a stretch of zeros */
}

size_t rdb_plain(struct rdb *reader, struct rdb_plain *run)
{
    struct cursor *window = &reader->window.cursor;
    struct cursor cursor = cursor_over((struct bytes){window->at, cursor_left(window)});
    const struct asked asked = {.verify = reader->flags & (RDB_CHECK_VALUES | RDB_VALUES),
                                .all = reader->flags == RDB_CHECK_VALUES};
    size_t count = 0, whole = 0;
    uint64_t expires = 0;
    if (!rdb_at_record(reader) || reader->has_prefix || reader->flags & RDB_DIGEST_VALUES)
        return 0;
    while (count < RDB_PLAIN_MOST && cursor_left(&cursor)) {
        struct rdb_plain_key *key = &run->keys[count];
        __builtin_prefetch(cursor.at + PREFETCH_AHEAD); /* the window has this much room behind its end */
        key->from = (uint32_t)whole;
        if (!take_key(reader, &cursor, key, asked))
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
    run->type = run->keys[0].row->byte;
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
    const struct rdb_row *row = key->row;
    bool counted = run->flags & RDB_COUNT_ELEMENTS && key->form != RDB_PLAIN_INTEGER;
    *item = (struct rdb_item){
        .kind = RDB_KEY,
        .place = rdb_plain_place(run, key),
        .key = {
            .db = run->db,
            .name = rdb_plain_name(key),
            .type = row->byte,
            .datatype = row->datatype,
            .type_name = row->name,
            .encoding = key->form == RDB_PLAIN_INTEGER ? rdb_integer_encoding : row->encoding,
            .has_expiry = key->has_expiry,
            .expire_ms = key->expire_ms,
            .value_offset = run->offset + value_from,
            .value_length = (uint64_t)(key->value + key->stored - run->bytes) - value_from,
            .elements = run->flags & (RDB_COUNT_ELEMENTS | RDB_CHECK_VALUES) ? key->elements : 0,
            .strings = counted,
            .string_bytes = counted ? key->size : 0,
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
