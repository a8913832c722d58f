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

/* Not 0 when one of the eight bytes may be '{': where there is none it is always 0. */
static inline uint64_t brace_in(uint64_t eight)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t zeros = eight ^ ones * '{';
    return (zeros - ones) & ~zeros & ones << 7;
}

/* Zeros in front change nothing, so what does not fill a slice comes first. `braces` becomes not 0 when there may be '{'
 * in the run: a search of its own would take as long as the sum. */
static inline unsigned crc16(struct bytes run, uint64_t *braces)
{
    struct cursor cursor = cursor_over(run), first = cursor;
    size_t odd = run.len % SLICE;
    uint64_t crc = 0;
    if (odd) {
        uint64_t head = run.len > SLICE ? cursor_be64(&first) : cursor_be(&first, odd) << 8 * (SLICE - odd);
        *braces |= brace_in(head);
        crc = slice(head >> 8 * (SLICE - odd));
    }
    cursor_take(&cursor, odd);
    while (cursor_left(&cursor)) {
        uint64_t eight = cursor_be64(&cursor);
        *braces |= brace_in(eight);
        crc = slice(eight ^ crc << 48);
    }
    return (unsigned)crc;
}

/* An empty tag is no tag: "foo{}{bar}" is hashed as a whole. */
static struct bytes hashed_part(struct bytes key)
{
    struct bytes before, behind, tag, rest;
    if (text_split(key, '{', &before, &behind) && text_split(behind, '}', &tag, &rest) && tag.len)
        return tag;
    return key;
}

unsigned keyslot(struct bytes key)
{
    uint64_t braces = 0;
    unsigned whole = crc16(key, &braces);
    return (braces ? crc16(hashed_part(key), &braces) : whole) % SLOT_COUNT;
}
