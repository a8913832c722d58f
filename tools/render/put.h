/* Private to the quick writers: numbers and plain text put into room that is there already (out_room()).
 *
 * Each function gives the place behind what it wrote. It may overwrite up to PUT_SLACK bytes from there on, so that few
 * copies depend on a length.
 */
#ifndef RCF_PUT_H
#define RCF_PUT_H

#include <endian.h>
#include <stdbool.h>
#include <string.h>

#include "parsers/parse.h"

enum { PUT_SLACK = 32, PUT_NUMBER_MOST = 24 /* bytes of any number of 64 bits, and slack */ };

/* Copies of few bytes, without a call: two that overlap in the middle do for any length between theirs. */
static inline uint8_t *put(uint8_t *at, const void *from, size_t len)
{
    const uint8_t *bytes = from;
    if (len > 16) {
        memcpy(at, bytes, len);
    } else if (len >= 8) {
        memcpy(at, bytes, 8);
        memcpy(at + len - 8, bytes + len - 8, 8);
    } else if (len >= 4) {
        memcpy(at, bytes, 4);
        memcpy(at + len - 4, bytes + len - 4, 4);
    } else {
        for (size_t i = 0; i < len; i++)
            at[i] = bytes[i];
    }
    return at + len;
}

/* Copies bytes behind which PUT_SLACK more can be read. */
static inline uint8_t *put_padded(uint8_t *at, struct bytes text)
{
    memcpy(at, text.at, PUT_SLACK);
    for (size_t i = PUT_SLACK; i < text.len; i += PUT_SLACK)
        memcpy(at + i, text.at + i, PUT_SLACK);
    return at + text.len;
}

/* The eight decimal digits of a number below 10^8, leading zeros included, as the bytes of a word of which the first is
 * the lowest: halves, then quarters, then digits are divided side by side. 10486 / 2^20 and 103 / 2^10 are 1/100 and
 * 1/10, exact in these ranges when cut. */
static inline uint64_t put_eight_digits(uint64_t value)
{
    uint64_t fours = value / 10000 | value % 10000 << 32;
    uint64_t hundreds = fours * 10486 >> 20 & UINT64_C(0x0000007f0000007f);
    uint64_t twos = hundreds | (fours - 100 * hundreds) << 16;
    uint64_t tens = twos * 103 >> 10 & UINT64_C(0x000f000f000f000f);
    return tens | (twos - 10 * tens) << 8;
}

static inline uint8_t *put_digits(uint8_t *at, uint64_t digits, unsigned skipped)
{
    uint64_t text = htole64((digits | UINT64_C(0x3030303030303030)) >> 8 * skipped);
    memcpy(at, &text, sizeof(text));
    return at + sizeof(text) - skipped;
}

/* A number of fewer than nine digits. */
static inline uint8_t *put_few(uint8_t *at, uint64_t value)
{
    uint64_t digits = put_eight_digits(value);
    return put_digits(at, digits, digits ? (unsigned)__builtin_ctzll(digits) / 8 : 7);
}

static inline uint8_t *put_u64(uint8_t *at, uint64_t value)
{
    enum { EIGHT_DIGITS = 100000000 };
    if (value < 10) {
        *at = (uint8_t)('0' + value);
        return at + 1;
    }
    if (value < EIGHT_DIGITS)
        return put_few(at, value);
    uint64_t upper = value / EIGHT_DIGITS;
    if (upper < EIGHT_DIGITS) {
        at = put_few(at, upper);
    } else {
        at = put_few(at, upper / EIGHT_DIGITS);
        at = put_digits(at, put_eight_digits(upper % EIGHT_DIGITS), 0);
    }
    return put_digits(at, put_eight_digits(value % EIGHT_DIGITS), 0);
}

static inline uint8_t *put_i64(uint8_t *at, int64_t value)
{
    if (value < 0)
        *at++ = '-';
    return put_u64(at, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

/* Sixteen bytes at once, on any processor: a comparison gives 0 or -1 in each. */
typedef signed char put_block __attribute__((vector_size(16)));

/* Marks the bytes that are no ASCII characters which can be seen, and three special ones. */
static inline put_block put_odd(put_block block, const char special[3])
{
    return (put_block)(block < 0x20) | (put_block)(block == 0x7f) | (put_block)(block == special[0]) |
           (put_block)(block == special[1]) | (put_block)(block == special[2]);
}

static inline bool put_is_odd(put_block odd)
{
    uint64_t halves[2];
    memcpy(halves, &odd, sizeof(halves));
    return halves[0] | halves[1];
}

static inline put_block put_block_at(const uint8_t *at)
{
    put_block block;
    memcpy(&block, at, sizeof(block));
    return block;
}

/* Up to fifteen bytes, at least one, as a block in which some stand twice. */
static inline put_block put_short_block(const uint8_t *at, size_t len)
{
    uint64_t halves[2] = {0};
    put_block block;
    if (len >= 8) {
        memcpy(&halves[0], at, 8);
        memcpy(&halves[1], at + len - 8, 8);
    } else if (len >= 4) {
        uint32_t first, last;
        memcpy(&first, at, 4);
        memcpy(&last, at + len - 4, 4);
        halves[0] = halves[1] = first | (uint64_t)last << 32;
    } else {
        const uint64_t ones = UINT64_C(0x0101010101010101);
        halves[0] = halves[1] = (at[0] | (uint64_t)at[len / 2] << 8 | (uint64_t)at[len - 1] << 16) | ones * at[0] << 24;
    }
    memcpy(&block, halves, sizeof(block));
    return block;
}

/* A text that is copied and looked at in one pass: NULL when escape_plain() (escape.h) would find something. */
static inline uint8_t *put_plain(uint8_t *at, struct bytes text, const char special[3])
{
    put_block odd = {0};
    if (text.len >= sizeof(put_block)) {
        size_t last = text.len - sizeof(put_block);
        put_block block = put_block_at(text.at + last);
        memcpy(at + last, &block, sizeof(block));
        odd = put_odd(block, special);
        for (size_t i = 0; i < last; i += sizeof(block)) {
            block = put_block_at(text.at + i);
            memcpy(at + i, &block, sizeof(block));
            odd |= put_odd(block, special);
        }
    } else if (text.len) {
        put(at, text.at, text.len);
        odd = put_odd(put_short_block(text.at, text.len), special);
    }
    return put_is_odd(odd) ? NULL : at + text.len;
}

#endif
