#include "parsers/bytes/keyslot.h"

#include "parsers/bytes/cursor.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

enum { SLICE = 8, BLOCK = 16 };

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
    struct cursor cursor = cursor_over(key);
    cursor_until(&cursor, '{');
    cursor_take(&cursor, 1);
    struct bytes tag = cursor_until(&cursor, '}');
    return tag.len && cursor_left(&cursor) ? tag : key;
}

unsigned keyslot_by_tables(struct bytes key)
{
    uint64_t braces = 0;
    unsigned whole = crc16(key, &braces);
    return (braces ? crc16(hashed_part(key), &braces) : whole) % SLOT_COUNT;
}

#ifdef __x86_64__
/* By products of polynomials, which processors form that know SSSE3 anyway: what stands before 16 bytes is folded into
 * them, as x^192 and x^128 may be replaced by what they leave when they are divided by the polynomial of the sum. */
#define PRODUCTS __attribute__((target("pclmul,ssse3")))

static PRODUCTS inline __m128i load(const uint8_t *block)
{
    return _mm_loadu_si128((const __m128i *)(const void *)block);
}

static PRODUCTS inline __m128i load_half(const uint8_t *slice)
{
    return _mm_loadl_epi64((const __m128i *)(const void *)slice);
}

/* Up to 7 bytes, as a number. */
static inline uint64_t take_few(struct bytes run, uint64_t *braces)
{
    struct cursor first = cursor_over(run), last = first;
    uint64_t few;
    if (run.len >= 4) {
        cursor_take(&last, run.len - 4);
        few = (uint64_t)cursor_be32(&first) << 8 * (run.len - 4) | cursor_be32(&last);
    } else {
        few = run.len ? cursor_be(&first, run.len) : 0;
    }
    *braces = brace_in(few);
    return few;
}

/* From BLOCK - n on: the first n bytes of a block, the last of them first, and zeros. */
static const uint8_t first_bytes[2 * BLOCK] = {15,  14,  13,  12,  11,  10,  9,   8,   7,   6,   5,
                                               4,   3,   2,   1,   0,   255, 255, 255, 255, 255, 255,
                                               255, 255, 255, 255, 255, 255, 255, 255, 255, 255};

/* From SLICE to BLOCK bytes: the last ones, and in front of them what they leave of the first ones. */
static PRODUCTS inline __m128i take_short(struct bytes run, uint64_t *braces)
{
    struct cursor last = cursor_over(run);
    cursor_take(&last, run.len - SLICE);
    __m128i ends = _mm_unpacklo_epi64(load_half(run.at), load_half(last.at));
    *braces = (uint64_t)_mm_movemask_epi8(_mm_cmpeq_epi8(ends, _mm_set1_epi8('{')));
    return _mm_shuffle_epi8(ends, _mm_unpacklo_epi64(load_half(first_bytes),
                                                     load_half(first_bytes + BLOCK + SLICE - run.len)));
}

static PRODUCTS inline __m128i take_long(struct bytes run, uint64_t *braces)
{
    const __m128i reverse = load(first_bytes), brace = _mm_set1_epi8('{');
    const __m128i fold = _mm_set_epi64x(0x650b, 0xaefc); /* x^192, x^128 */
    size_t odd = (run.len - 1) % BLOCK + 1;
    struct cursor cursor = cursor_over(run);
    __m128i block = load(cursor.at), found = _mm_cmpeq_epi8(block, brace);
    __m128i sum = _mm_shuffle_epi8(block, load(first_bytes + BLOCK - odd));
    cursor_take(&cursor, odd);
    while (cursor_left(&cursor) >= BLOCK) {
        block = load(cursor_take(&cursor, BLOCK).at);
        found = _mm_or_si128(found, _mm_cmpeq_epi8(block, brace));
        sum = _mm_xor_si128(_mm_clmulepi64_si128(sum, fold, 0x11), _mm_clmulepi64_si128(sum, fold, 0));
        sum = _mm_xor_si128(sum, _mm_shuffle_epi8(block, reverse));
    }
    *braces = (uint64_t)_mm_movemask_epi8(found);
    return sum;
}

/* `braces` becomes not 0 when there may be '{' in the run. */
static PRODUCTS inline unsigned slot_by_products(struct bytes run, uint64_t *braces)
{
    /* x^144 divided by the polynomial, without x^128; the polynomial without x^16. */
    const __m128i inverse = _mm_set_epi64x(INT64_C(0x11303471a041b343), (int64_t)UINT64_C(0xe569d503417ca4a2));
    const __m128i polynomial = _mm_set_epi64x(0, 0x1021);
    __m128i sum = run.len < SLICE    ? _mm_set_epi64x(0, (int64_t)take_few(run, braces))
                  : run.len <= BLOCK ? take_short(run, braces)
                                     : take_long(run, braces);
    /* How many times the polynomial fits into sum * x^16, of which the lowest 16 bits are enough; what they leave. */
    __m128i below = _mm_xor_si128(_mm_clmulepi64_si128(sum, inverse, 0x01), _mm_clmulepi64_si128(sum, inverse, 0x10));
    __m128i times = _mm_xor_si128(_mm_unpackhi_epi64(below, below), _mm_clmulepi64_si128(sum, inverse, 0x11));
    times = _mm_xor_si128(times, sum);
    return (unsigned)_mm_cvtsi128_si64(_mm_clmulepi64_si128(times, polynomial, 0)) % SLOT_COUNT;
}

static PRODUCTS void each_by_products(const struct bytes *keys, size_t count, uint16_t *slots)
{
    uint64_t braces, ignored;
    for (size_t i = 0; i < count; i++) {
        unsigned slot = slot_by_products(keys[i], &braces);
        slots[i] = (uint16_t)(braces ? slot_by_products(hashed_part(keys[i]), &ignored) : slot);
    }
}
#endif

void keyslot_each(const struct bytes *keys, size_t count, uint16_t *slots)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("pclmul")) {
        each_by_products(keys, count, slots);
        return;
    }
#endif
    for (size_t i = 0; i < count; i++)
        slots[i] = (uint16_t)keyslot_by_tables(keys[i]);
}

unsigned keyslot(struct bytes key)
{
    uint16_t slot;
    keyslot_each(&key, 1, &slot);
    return slot;
}
