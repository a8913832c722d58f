/* Zipmaps (zipmap.c of Redis; in dumps of 2.4): count in 1 byte, then a key and a value in turn, FF.
 *
 * A key is a length and so many bytes; a value is a length, a count of unused bytes, its bytes, the unused ones. A
 * length is one byte below 254, or FE and four. */
#include "parsers/rdb/packed_private.h"

enum { UNSTATED = 254, WIDE = 254, END_MARK = 255 };

bool zipmap_head(struct packed *packed)
{
    uint8_t pairs = cursor_u8(&packed->cursor);
    if (!cursor_ok(&packed->cursor)) {
        packed_report(packed, RDB_BAD_FRAME, 0, 0, "a zipmap's count", "no byte");
        return false;
    }
    packed->stated = pairs < UNSTATED ? 2u * pairs : PACKED_UNSTATED;
    return true;
}

enum parse_step zipmap_next(struct packed *packed, struct packed_entry *entry)
{
    struct cursor *cursor = &packed->cursor;
    uint64_t at = cursor_offset(cursor);
    bool value = packed->seen & 1;
    if (!cursor_left(cursor))
        return packed_cut(packed, at, "a key, a value or the end mark of the zipmap", "the end of its bytes");
    uint64_t length = cursor_u8(cursor);
    bool wide = length == WIDE;
    if (length == END_MARK && value)
        return packed_stop(packed, at, "a value for each key of the zipmap", "its end mark");
    if (length == END_MARK)
        return packed_finish(packed, entry);
    if (wide)
        length = cursor_le32(cursor);
    size_t unused = value ? cursor_u8(cursor) : 0;
    entry->word = (struct rdb_scalar){.text = cursor_take(cursor, length)};
    cursor_take(cursor, unused);
    if (!cursor_ok(cursor))
        return packed_stop(packed, at, "an entry inside the zipmap", "one that reaches beyond its end");
    entry->place = (struct place){.offset = at, .length = cursor_offset(cursor) - at};
    if (wide && length < WIDE) {
        packed_report(packed, RDB_BAD_PACKED, at, entry->place.length, "a length of a zipmap in one byte",
                      "%llu in five", (unsigned long long)length);
        return packed_deliver(packed, PARSE_ITEM, entry);
    }
    packed->seen++;
    return PARSE_ITEM;
}
