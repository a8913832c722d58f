/* Intsets (intset.c of Redis): width of a number in 4 bytes (2, 4 or 8), count in 4, numbers in ascending order, all
 * little-endian. The width only grows: numbers that are narrower are no defect. */
#include "parsers/rdb/packed_private.h"

bool intset_head(struct packed *packed)
{
    enum { HEAD = 8 };
    struct cursor *cursor = &packed->cursor;
    uint64_t blob = cursor_left(cursor);
    uint32_t width = cursor_le32(cursor);
    packed->stated = cursor_le32(cursor);
    if (!cursor_ok(cursor)) {
        packed_report(packed, RDB_BAD_FRAME, 0, blob, "an intset's head of 8 bytes", "%llu bytes",
                      (unsigned long long)blob);
        return false;
    }
    if (width != 2 && width != 4 && width != 8) {
        packed_report(packed, RDB_BAD_FRAME, 0, 4, "an intset with numbers of 2, 4 or 8 bytes", "%lu bytes",
                      (unsigned long)width);
        return false;
    }
    packed->width = (uint8_t)width;
    packed->size = HEAD + width * packed->stated;
    if (packed->size != blob)
        packed_report(packed, RDB_BAD_FRAME, 0, HEAD, "the size of the intset", "%llu, but it has %llu bytes",
                      (unsigned long long)packed->size, (unsigned long long)blob);
    return true;
}

static __attribute__((noinline)) enum parse_step out_of_order(struct packed *packed, struct packed_entry *entry)
{
    if (entry->word.number == packed->last_number)
        packed_report(packed, RDB_DUPLICATE_ELEMENT, entry->place.offset, packed->width,
                      "a number once in an intset", "%lld twice", (long long)entry->word.number);
    else
        packed_report(packed, RDB_BAD_ORDER, entry->place.offset, packed->width, "an intset in ascending order",
                      "%lld after %lld", (long long)entry->word.number, (long long)packed->last_number);
    packed->last_number = entry->word.number;
    return packed_deliver(packed, PARSE_ITEM, entry);
}

static inline __attribute__((always_inline)) enum parse_step next_of(uint8_t width, struct packed *packed,
                                                                     struct packed_entry *entry)
{
    struct cursor *cursor = &packed->cursor;
    uint64_t at = cursor_offset(cursor), sign = 1ull << (8u * width - 1);
    /* The size has told already when the two ends differ. */
    if (packed->seen == packed->stated || cursor_left(cursor) < width)
        return packed_deliver(packed, PARSE_END, entry);
    int64_t number = (int64_t)((cursor_le(cursor, width) ^ sign) - sign);

    entry->word.integer = true;
    entry->word.number = number;
    entry->word.text = (struct bytes){0};
    entry->place = (struct place){.offset = at, .length = width};
    if (packed->seen && number <= packed->last_number)
        return out_of_order(packed, entry);
    packed->last_number = number;
    packed->seen++;
    return PARSE_ITEM;
}

enum parse_step intset_next(struct packed *packed, struct packed_entry *entry)
{
    switch (packed->width) {
    case 2:
        return next_of(2, packed, entry);
    case 4:
        return next_of(4, packed, entry);
    default:
        return next_of(8, packed, entry);
    }
}
