#include "parsers/bytes/lzf.h"

#include "parsers/bytes/cursor.h"

enum {
    LITERALS = 32,  /* a control byte below this begins a run of literals, which is never longer */
    LONG_COPY = 7,  /* a length that goes on in the next byte */
    COPY_EXTRA = 2, /* no copy is shorter than this and one */
    STRIDE = 16,    /* long copies are made in steps of this many bytes */
};

/* One instruction: so many literals (distance 0) or a copy from so far back. */
struct instruction {
    size_t n, distance;
};

static inline struct instruction take_instruction(struct cursor *in)
{
    uint8_t control = cursor_u8(in);
    size_t n = control >> 5;
    if (control < LITERALS)
        return (struct instruction){.n = control + 1u};
    if (n == LONG_COPY)
        n += cursor_u8(in);
    return (struct instruction){.n = n + COPY_EXTRA, .distance = ((control & 31u) << 8 | cursor_u8(in)) + 1};
}

/* `size` bytes from the start and as many up to the end, which together are all: moves n bytes, between one and two
 * times `size`, without a loop and without touching others. */
#define MOVE_ENDS(to, from, n, size)                        \
    do {                                                    \
        uint8_t first[size], last[size];                    \
        memcpy(first, (from), size);                        \
        memcpy(to, first, size);                            \
        memcpy(last, (from) + (n) - (size), size);          \
        memcpy((to) + (n) - (size), last, size);            \
    } while (0)

static inline void move_literals(uint8_t *to, const uint8_t *from, size_t n)
{
    if (n >= 16)
        MOVE_ENDS(to, from, n, 16);
    else if (n >= 8)
        MOVE_ENDS(to, from, n, 8);
    else if (n >= 4)
        MOVE_ENDS(to, from, n, 4);
    else
        for (size_t i = 0; i < n; i++)
            to[i] = from[i];
}

/* At least STRIDE bytes; the source ends that far before what is written, so whole steps see only what is done. */
static inline void move_far(uint8_t *to, const uint8_t *from, size_t n)
{
    for (size_t i = 0; i < n - STRIDE; i += STRIDE)
        memcpy(to + i, from + i, STRIDE);
    memcpy(to + n - STRIDE, from + n - STRIDE, STRIDE);
}

static inline void copy_back(uint8_t *to, size_t distance, size_t n)
{
    const uint8_t *from = to - distance;
    if (distance == 1) {
        memset(to, *from, n);
    } else if (n >= STRIDE && distance >= STRIDE) {
        move_far(to, from, n);
    } else if (n >= 8 && n < STRIDE && distance >= 8) {
        MOVE_ENDS(to, from, n, 8);
    } else {
        /* What repeats after `distance` repeats after any multiple of it. */
        size_t bytewise = n < 3 * STRIDE ? n : STRIDE;
        for (size_t i = 0; i < bytewise; i++)
            to[i] = from[i];
        size_t far = (STRIDE + distance - 1) / distance * distance;
        if (bytewise < n)
            move_far(to + STRIDE, to + STRIDE - far, n - STRIDE);
    }
}

bool lzf_expand(struct bytes packed, uint8_t *to, size_t len)
{
    struct cursor in = cursor_over(packed);
    size_t made = 0;
    while (cursor_left(&in)) {
        struct instruction step = take_instruction(&in);
        if (step.distance > made || step.n > len - made)
            return false;
        if (step.distance) {
            if (!cursor_ok(&in))
                return false;
            copy_back(to + made, step.distance, step.n);
        } else {
            bool wide = cursor_left(&in) >= LITERALS && len - made >= LITERALS;
            struct bytes run = cursor_take(&in, step.n);
            if (!cursor_ok(&in))
                return false;
            if (wide)
                memcpy(to + made, run.at, LITERALS);
            else
                move_literals(to + made, run.at, run.len);
        }
        made += step.n;
    }
    return made == len;
}

/* Most copies are short, and may reach up to STRIDE bytes beyond. */
static inline void copy_back_roomy(uint8_t *to, size_t distance, size_t n)
{
    enum { STEP = STRIDE / 2 };
    const uint8_t *from = to - distance;
    if (distance < STEP || n > STRIDE) {
        copy_back(to, distance, n);
        return;
    }
    memcpy(to, from, STEP);
    memcpy(to + STEP, from + STEP, STEP);
}

bool lzf_expand_roomy(struct bytes packed, uint8_t *to, size_t len)
{
    _Static_assert((int)LZF_ROOM >= LITERALS + LONG_COPY + UINT8_MAX + COPY_EXTRA + STRIDE,
                   "literals and a copy that begin inside end in the room");
    const uint8_t *at = packed.at, *end = at + packed.len;
    uint8_t *made = to, *whole = to + len;
    while (at < end && made <= whole) {
        size_t control = *at++;
        if (control < LITERALS) {
            memcpy(made, at, LITERALS);
            made += control + 1;
            at += control + 1;
            /* Copies follow literals, but for a run at its longest. */
            if (at >= end)
                break;
            control = *at++;
            if (control < LITERALS) {
                at--;
                continue;
            }
        }
        size_t n = control >> 5;
        if (n == LONG_COPY)
            n += *at++;
        n += COPY_EXTRA;
        size_t far = (control & 31u) << 8 | *at++;
        if (far >= (size_t)(made - to))
            return false;
        copy_back_roomy(made, far + 1, n);
        made += n;
    }
    return at == end && made == whole;
}

size_t lzf_head(struct bytes packed, uint8_t *to, size_t want)
{
    struct cursor in = cursor_over(packed);
    size_t made = 0;
    while (made < want && cursor_left(&in)) {
        struct instruction step = take_instruction(&in);
        struct bytes run = cursor_take(&in, step.distance ? 0 : step.n);
        if (!cursor_ok(&in) || step.distance > made)
            break;
        size_t n = step.n < want - made ? step.n : want - made;
        const uint8_t *from = step.distance ? to + made - step.distance : run.at;
        for (size_t i = 0; i < n; i++)
            to[made + i] = from[i];
        made += n;
    }
    return made;
}

bool lzf_verify(struct bytes packed, size_t len)
{
    struct cursor in = cursor_over(packed);
    size_t made = 0;
    while (cursor_left(&in) && made < len) {
        size_t n = cursor_u8(&in);
        if (n < LITERALS) {
            n++;
            cursor_take(&in, n);
        } else {
            size_t far = (n & 31) << 8;
            n >>= 5;
            if (n == LONG_COPY)
                n += cursor_u8(&in);
            n += COPY_EXTRA;
            if ((far | cursor_u8(&in)) >= made)
                return false;
        }
        made += n;
    }
    return cursor_ok(&in) && !cursor_left(&in) && made == len;
}
