#include "parsers/bytes/lzf.h"

#include "parsers/bytes/cursor.h"

enum {
    LITERALS = 32,  /* a control byte below this begins a run of literals, which is never longer */
    LONG_COPY = 7,  /* a length that goes on in the next byte */
    COPY_EXTRA = 2, /* no copy is shorter than this and one */
    STRIDE = 16,    /* copies are made in steps of this many bytes where there is room to write past their end */
    COPY_INPUT = 3, /* bytes of the longest instruction to copy, */
    COPY_OUTPUT = LONG_COPY + 255 + COPY_EXTRA, /* and the bytes that it makes at most */
};

uint64_t lzf_most(size_t packed)
{
    uint64_t most;
    if (__builtin_mul_overflow((uint64_t)packed, COPY_OUTPUT / COPY_INPUT, &most))
        return UINT64_MAX;
    return most;
}

static bool literals(struct cursor *in, uint8_t *to, size_t room, size_t n)
{
    bool wide = cursor_left(in) >= LITERALS && room >= LITERALS;
    struct bytes run = cursor_take(in, n);
    if (!cursor_ok(in) || n > room)
        return false;
    if (wide)
        memcpy(to, run.at, LITERALS);
    else
        memcpy(to, run.at, n);
    return true;
}

/* Byte by byte when source and target overlap closely: a distance of 1 repeats one byte. */
static void copy_back(uint8_t *to, size_t room, size_t distance, size_t n)
{
    const uint8_t *from = to - distance;
    if (distance >= STRIDE && room >= n + STRIDE) {
        for (size_t i = 0; i < n; i += STRIDE)
            memcpy(to + i, from + i, STRIDE);
    } else {
        for (size_t i = 0; i < n; i++)
            to[i] = from[i];
    }
}

bool lzf_expand(struct bytes packed, uint8_t *to, size_t len)
{
    struct cursor in = cursor_over(packed);
    size_t made = 0;
    while (cursor_left(&in)) {
        uint8_t control = cursor_u8(&in);
        size_t n = control >> 5;
        if (control < LITERALS) {
            n = control + 1u;
            if (!literals(&in, to + made, len - made, n))
                return false;
        } else {
            if (n == LONG_COPY)
                n += cursor_u8(&in);
            n += COPY_EXTRA;
            size_t distance = ((control & 31u) << 8 | cursor_u8(&in)) + 1;
            if (!cursor_ok(&in) || distance > made || n > len - made)
                return false;
            copy_back(to + made, len - made, distance, n);
        }
        made += n;
    }
    return made == len;
}
