/* Listpacks (listpack.c of Redis 5.0 and newer): size in 4 bytes, count in 2, entries, FF.
 *
 * An entry is an encoding with its data and, behind it, the length of both, in a form that reads from right to left. */
#include "parsers/rdb/packed_private.h"

enum kind { U7, STR6, I13, STR12, STR32, I16, I24, I32, I64, UNDEFINED, END };

static const struct packed_kind kinds[] = {
    [U7] = {.integer = true, .head = 1, PACKED_MASK(7)},
    [I13] = {.integer = true, .head = 2, PACKED_MASK(13), PACKED_SIGN(13), .narrow_count = 128},
    [I16] = {.integer = true, .head = 3, .little = true, PACKED_SIGN(16), PACKED_NARROW_SIGNED(13)},
    [I24] = {.integer = true, .head = 4, .little = true, PACKED_SIGN(24), PACKED_NARROW_SIGNED(16)},
    [I32] = {.integer = true, .head = 5, .little = true, PACKED_SIGN(32), PACKED_NARROW_SIGNED(24)},
    [I64] = {.integer = true, .head = 9, .little = true, PACKED_NARROW_SIGNED(32)},
    [STR6] = {.head = 1, PACKED_MASK(6)},
    [STR12] = {.head = 2, PACKED_MASK(12), .narrow_count = 64},
    [STR32] = {.head = 5, .little = true, .narrow_count = 4096},
};

#define TIMES4(kind) kind, kind, kind, kind
#define TIMES16(kind) TIMES4(kind), TIMES4(kind), TIMES4(kind), TIMES4(kind)
#define TIMES64(kind) TIMES16(kind), TIMES16(kind), TIMES16(kind), TIMES16(kind)

/* By the encoding byte. */
static const uint8_t kind_of[256] = {
    TIMES64(U7), TIMES64(U7), TIMES64(STR6), TIMES16(I13), TIMES16(I13), TIMES16(STR12),
    STR32, I16, I24, I32, I64, UNDEFINED, UNDEFINED, UNDEFINED,
    UNDEFINED, UNDEFINED, UNDEFINED, UNDEFINED, UNDEFINED, UNDEFINED, UNDEFINED, END,
};

bool listpack_head(struct packed *packed)
{
    struct cursor *cursor = &packed->cursor;
    uint64_t blob = cursor_left(cursor);
    packed->size = cursor_le32(cursor);
    uint16_t stated = cursor_le16(cursor);
    if (!cursor_ok(cursor)) {
        packed_report(packed, RDB_BAD_FRAME, 0, blob, "a listpack's head of 6 bytes", "%llu bytes",
                      (unsigned long long)blob);
        return false;
    }
    packed->stated = stated == UINT16_MAX ? PACKED_UNSTATED : stated;
    if (packed->size != blob)
        packed_report(packed, RDB_BAD_FRAME, 0, 4, "the size of the listpack", "%llu, but it has %llu bytes",
                      (unsigned long long)packed->size, (unsigned long long)blob);
    return true;
}

/* The width is by length alone, so that it can be skipped unread. The borders are the server's, not powers of two. */
static size_t back_width(uint64_t length)
{
    static const uint64_t least[] = {128, 16383, 2097151, 268435455};
    size_t width = 1;
    for (size_t i = 0; i < sizeof(least) / sizeof(least[0]); i++)
        width += length >= least[i];
    return width;
}

/* Seven bits a byte, the most significant first; all but the first have their upper bit set. */
static bool back_agrees(struct bytes back, uint64_t length)
{
    for (size_t i = back.len; i > 0; i--, length >>= 7)
        if (back.at[i - 1] != ((length & 127) | (i > 1 ? 128 : 0)))
            return false;
    return length == 0;
}

/* Any entry, and any fault. */
static __attribute__((noinline)) enum parse_step next_of_any(struct packed *packed, struct packed_entry *entry)
{
    struct cursor *cursor = &packed->cursor;
    uint64_t at = cursor_offset(cursor);
    if (!cursor_left(cursor))
        return packed_cut(packed, at, "an entry or the end mark of the listpack", "the end of its bytes");
    struct cursor ahead = *cursor;
    enum kind which = kind_of[cursor_u8(&ahead)];
    if (which == UNDEFINED)
        return packed_stop(packed, at, "an encoding of a listpack's entry", "a byte that is none");
    if (which == END) {
        *cursor = ahead;
        return packed_finish(packed, entry);
    }
    const struct packed_kind *kind = &kinds[which];
    uint64_t value = packed_value(kind, cursor);
    struct bytes text = cursor_take(cursor, kind->integer ? 0 : value);
    uint64_t length = cursor_offset(cursor) - at;
    size_t width = back_width(length);
    struct bytes back = cursor_take(cursor, width);
    if (!cursor_ok(cursor))
        return packed_stop(packed, at, "an entry inside the listpack", "one that reaches beyond its end");

    packed_fill(entry, kind, value, text, at, length + width);
    packed_check_kind(packed, kind, entry);
    if (!back_agrees(back, length))
        packed_report(packed, RDB_BAD_PACKED, at + length, width, "the length of the listpack's entry behind it",
                      "not %llu", (unsigned long long)length);
    if (packed->given < packed->queued)
        return packed_deliver(packed, PARSE_ITEM, entry);
    packed->seen++;
    return PARSE_ITEM;
}

/* Of a kind that is known when this is compiled, so that each row becomes a reader of a few instructions. */
static inline __attribute__((always_inline)) bool take_kind(const struct packed_kind *kind, struct cursor *cursor,
                                                            struct rdb_scalar *word)
{
    uint64_t value = packed_value(kind, cursor), size = kind->integer ? 0 : value, length = kind->head + size;
    word->integer = kind->integer;
    word->number = (int64_t)value;
    word->text = cursor_take(cursor, size);
    struct bytes back = cursor_take(cursor, back_width(length));
    return cursor_ok(cursor) && !packed_fits_narrower(kind, value) && back_agrees(back, length);
}

bool listpack_take_rare(struct cursor *cursor, struct rdb_scalar *word)
{
    switch (kind_of[*cursor->at]) {
    case I13:
        return take_kind(&kinds[I13], cursor, word);
    case I16:
        return take_kind(&kinds[I16], cursor, word);
    case I24:
        return take_kind(&kinds[I24], cursor, word);
    case I32:
        return take_kind(&kinds[I32], cursor, word);
    case I64:
        return take_kind(&kinds[I64], cursor, word);
    case STR12:
        return take_kind(&kinds[STR12], cursor, word);
    case STR32:
        return take_kind(&kinds[STR32], cursor, word);
    default:
        return false;
    }
}

size_t listpack_read(struct packed *packed, struct packed_entry *entries, size_t most)
{
    /* A copy stays in registers. Member by member: a wide load of what was just stored would wait for it. */
    struct cursor cursor = {packed->cursor.start, packed->cursor.at, packed->cursor.end, false};
    size_t n = 0;
    while (n < most && cursor_left(&cursor)) {
        struct cursor ahead = cursor;
        struct rdb_scalar word;
        if (!listpack_take(&ahead, &word) || !packed_as_written(&word))
            break;
        entries[n].word = word;
        entries[n++].place = (struct place){cursor_offset(&cursor), (uint64_t)(ahead.at - cursor.at), 0};
        cursor.at = ahead.at;
    }
    packed->cursor.at = cursor.at;
    packed->seen += n;
    return n;
}

enum parse_step listpack_next(struct packed *packed, struct packed_entry *entry)
{
    return listpack_read(packed, entry, 1) ? PARSE_ITEM : next_of_any(packed, entry);
}
