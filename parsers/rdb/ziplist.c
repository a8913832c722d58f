/* Ziplists (ziplist.c of Redis up to 6.2): size in 4 bytes, offset of the last entry in 4, count in 2, entries, FF.
 *
 * An entry is the length of the entry before it (one byte, or FE and four), an encoding, data. */
#include "parsers/rdb/packed_private.h"

enum kind { STR6, STR14, STR32, I16, I32, I64, I24, I8, IMMEDIATE, UNDEFINED };

/* I16 and I32 may hold what I8, I24 and immediates could: Redis 2.4 did not have those, and later versions keep blobs
 * that they load. */
static const struct packed_kind kinds[] = {
    [STR6] = {.head = 1, PACKED_MASK(6)},
    [STR14] = {.head = 2, PACKED_MASK(14), .narrow_count = 1 << 6},
    [STR32] = {.head = 5, PACKED_MASK(32), .narrow_count = 1 << 14},
    [I16] = {.integer = true, .head = 3, .little = true, PACKED_SIGN(16)},
    [I32] = {.integer = true, .head = 5, .little = true, PACKED_SIGN(32), PACKED_NARROW_SIGNED(16)},
    [I64] = {.integer = true, .head = 9, .little = true, PACKED_NARROW_SIGNED(32)},
    [I24] = {.integer = true, .head = 4, .little = true, PACKED_SIGN(24), PACKED_NARROW_SIGNED(16)},
    [I8] = {.integer = true, .head = 2, .little = true, PACKED_SIGN(8), .narrow_count = 13},
    [IMMEDIATE] = {.integer = true, .head = 1, PACKED_MASK(4), .less = 1},
};

#define TIMES4(kind) kind, kind, kind, kind
#define TIMES16(kind) TIMES4(kind), TIMES4(kind), TIMES4(kind), TIMES4(kind)
#define TIMES64(kind) TIMES16(kind), TIMES16(kind), TIMES16(kind), TIMES16(kind)
#define AND_15_UNDEFINED TIMES4(UNDEFINED), TIMES4(UNDEFINED), TIMES4(UNDEFINED), UNDEFINED, UNDEFINED, UNDEFINED

/* By the encoding byte. */
static const uint8_t kind_of[256] = {
    TIMES64(STR6), TIMES64(STR14), TIMES64(STR32),
    I16, AND_15_UNDEFINED, I32, AND_15_UNDEFINED, I64, AND_15_UNDEFINED,
    I24, TIMES4(IMMEDIATE), TIMES4(IMMEDIATE), TIMES4(IMMEDIATE), IMMEDIATE, I8, UNDEFINED,
};

enum { WIDE = 0xfe, END_MARK = 0xff, STR32_BYTE = 0x80 };

bool ziplist_head(struct packed *packed)
{
    struct cursor *cursor = &packed->cursor;
    uint64_t blob = cursor_left(cursor);
    packed->size = cursor_le32(cursor);
    packed->tail = cursor_le32(cursor);
    uint16_t stated = cursor_le16(cursor);
    if (!cursor_ok(cursor)) {
        packed_report(packed, RDB_BAD_FRAME, 0, blob, "a ziplist's head of 10 bytes", "%llu bytes",
                      (unsigned long long)blob);
        return false;
    }
    packed->stated = stated == UINT16_MAX ? PACKED_UNSTATED : stated;
    if (packed->size != blob)
        packed_report(packed, RDB_BAD_FRAME, 0, 4, "the size of the ziplist", "%llu, but it has %llu bytes",
                      (unsigned long long)packed->size, (unsigned long long)blob);
    return true;
}

static enum parse_step finish(struct packed *packed, struct packed_entry *entry)
{
    uint64_t last = cursor_offset(&packed->cursor) - 1 - packed->before;
    if (packed->tail != last)
        packed_report(packed, RDB_BAD_PACKED, 4, 4, "the offset of the ziplist's last entry", "%llu instead of %llu",
                      (unsigned long long)packed->tail, (unsigned long long)last);
    return packed_finish(packed, entry);
}

/* Any entry, and any fault. */
static __attribute__((noinline)) enum parse_step next_of_any(struct packed *packed, struct packed_entry *entry)
{
    struct cursor *cursor = &packed->cursor;
    uint64_t at = cursor_offset(cursor);
    if (!cursor_left(cursor))
        return packed_cut(packed, at, "an entry or the end mark of the ziplist", "the end of its bytes");
    uint64_t before = cursor_u8(cursor);
    if (before == END_MARK)
        return finish(packed, entry);
    /* Four bytes stay four when the entry before becomes short again. */
    if (before == WIDE)
        before = cursor_le32(cursor);
    struct cursor ahead = *cursor;
    uint8_t encoding = cursor_u8(&ahead);
    enum kind which = kind_of[encoding];
    if (which == UNDEFINED)
        return packed_stop(packed, cursor_offset(cursor), "an encoding of a ziplist's entry", "a byte that is none");
    const struct packed_kind *kind = &kinds[which];
    uint64_t value = packed_value(kind, cursor);
    struct bytes text = cursor_take(cursor, kind->integer ? 0 : value);
    if (!cursor_ok(cursor))
        return packed_stop(packed, at, "an entry inside the ziplist", "one that reaches beyond its end");

    uint64_t length = cursor_offset(cursor) - at;
    packed_fill(entry, kind, value, text, at, length);
    packed_check_kind(packed, kind, entry);
    if (which == STR32 && encoding != STR32_BYTE)
        packed_report(packed, RDB_BAD_PACKED, at, length, "80 before a length in four bytes", "%02x", encoding);
    if (before != packed->before)
        packed_report(packed, RDB_BAD_PACKED, at, length, "the length of the ziplist's entry before",
                      "%llu instead of %llu", (unsigned long long)before, (unsigned long long)packed->before);
    packed->before = length;
    if (packed->given < packed->queued)
        return packed_deliver(packed, PARSE_ITEM, entry);
    packed->seen++;
    return PARSE_ITEM;
}

/* Of a kind that is known when this is compiled, so that each row becomes a reader of a few instructions. */
static inline __attribute__((always_inline)) bool take_kind(const struct packed_kind *kind, struct cursor *cursor,
                                                            struct rdb_scalar *word)
{
    uint64_t value = packed_value(kind, cursor);
    word->integer = kind->integer;
    word->number = (int64_t)value;
    word->text = cursor_take(cursor, kind->integer ? 0 : value);
    return cursor_ok(cursor) && !packed_fits_narrower(kind, value);
}

static inline bool take(uint8_t encoding, struct cursor *cursor, struct rdb_scalar *word)
{
    switch (kind_of[encoding]) {
    case STR6:
        return take_kind(&kinds[STR6], cursor, word);
    case STR14:
        return take_kind(&kinds[STR14], cursor, word);
    case STR32:
        return encoding == STR32_BYTE && take_kind(&kinds[STR32], cursor, word);
    case IMMEDIATE:
        return take_kind(&kinds[IMMEDIATE], cursor, word);
    case I8:
        return take_kind(&kinds[I8], cursor, word);
    case I16:
        return take_kind(&kinds[I16], cursor, word);
    case I24:
        return take_kind(&kinds[I24], cursor, word);
    case I32:
        return take_kind(&kinds[I32], cursor, word);
    case I64:
        return take_kind(&kinds[I64], cursor, word);
    default:
        return false;
    }
}

bool ziplist_take(struct cursor *cursor, uint64_t *before, struct rdb_scalar *word)
{
    const uint8_t *from = cursor->at;
    uint8_t first = cursor_u8(cursor);
    uint64_t stated = first == WIDE ? cursor_le32(cursor) : first;
    if (stated != *before || first == END_MARK || !cursor_left(cursor) || !take(*cursor->at, cursor, word))
        return false;
    *before = (uint64_t)(cursor->at - from);
    return true;
}

enum parse_step ziplist_next(struct packed *packed, struct packed_entry *entry)
{
    struct cursor cursor = {packed->cursor.start, packed->cursor.at, packed->cursor.end, false};
    uint64_t at = cursor_offset(&cursor), before = packed->before;
    if (!cursor_left(&cursor) || !ziplist_take(&cursor, &before, &entry->word) || !packed_as_written(&entry->word))
        return next_of_any(packed, entry);
    entry->place = (struct place){.offset = at, .length = before};
    packed->cursor.at = cursor.at;
    packed->before = before;
    packed->seen++;
    return PARSE_ITEM;
}
