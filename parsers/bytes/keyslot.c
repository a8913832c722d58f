#include "parsers/bytes/keyslot.h"

#include "parsers/bytes/cursor.h"
#include "parsers/bytes/text.h"

enum { SLICE = 8 };

static const uint16_t remainders[SLICE][256] = {
#include "parsers/bytes/keyslot_remainders.def"
};

/* The remainder of eight bytes, each of which has a table for the zeros behind it. In 64 bits, as sums of 16 bits wait
 * for each other. */
static inline uint64_t slice(uint64_t eight)
{
    uint64_t low = (uint64_t)remainders[0][eight & 0xff] ^ remainders[1][eight >> 8 & 0xff] ^
                   remainders[2][eight >> 16 & 0xff] ^ remainders[3][eight >> 24 & 0xff];
    uint64_t high = (uint64_t)remainders[4][eight >> 32 & 0xff] ^ remainders[5][eight >> 40 & 0xff] ^
                    remainders[6][eight >> 48 & 0xff] ^ remainders[7][eight >> 56];
    return low ^ high;
}

/* Zeros in front change nothing, so what does not fill a slice comes first. */
static unsigned crc16(struct bytes run)
{
    struct cursor cursor = cursor_over(run), first = cursor;
    size_t odd = run.len % SLICE;
    uint64_t crc = 0;
    if (odd && run.len > SLICE)
        crc = slice(cursor_be64(&first) >> 8 * (SLICE - odd));
    else if (odd)
        crc = slice(cursor_be(&first, odd));
    cursor_take(&cursor, odd);
    while (cursor_left(&cursor))
        crc = slice(cursor_be64(&cursor) ^ crc << 48);
    return (unsigned)crc;
}

/* An empty tag is no tag: "foo{}{bar}" is hashed as a whole. */
static struct bytes hashed_part(struct bytes key)
{
    struct bytes before, behind, tag, rest;
    if (!key.len || !memchr(key.at, '{', key.len))
        return key;
    if (text_split(key, '{', &before, &behind) && text_split(behind, '}', &tag, &rest) && tag.len)
        return tag;
    return key;
}

unsigned keyslot(struct bytes key)
{
    return crc16(hashed_part(key)) % SLOT_COUNT;
}
