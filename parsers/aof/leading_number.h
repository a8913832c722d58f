/* Numbers as strtol() and atoll() take them from a text, for that is how servers read AOFs and their manifests: blanks
 * and one sign before the digits are passed over, whatever follows them is ignored, no digits are 0, and what does not
 * fit becomes the largest or smallest number. */
#ifndef RCF_AOF_LEADING_NUMBER_H
#define RCF_AOF_LEADING_NUMBER_H

#include "parsers/bytes/cursor.h"

static inline int64_t leading_number(struct bytes text)
{
    struct cursor in = cursor_over(text);
    uint8_t c = cursor_u8(&in);
    while (c == ' ' || (c >= '\t' && c <= '\r'))
        c = cursor_u8(&in);
    bool minus = c == '-';
    if (minus || c == '+')
        c = cursor_u8(&in);
    const uint64_t most = (uint64_t)INT64_MAX + minus;
    uint64_t size = 0;
    for (; c >= '0' && c <= '9'; c = cursor_u8(&in))
        if (__builtin_mul_overflow(size, 10, &size) || __builtin_add_overflow(size, c - '0', &size) || size > most)
            return minus ? INT64_MIN : INT64_MAX;
    return minus ? (int64_t)(0 - size) : (int64_t)size;
}

#endif
