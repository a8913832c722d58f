/* The one way to read binary or text evidence in memory: a position with a hard end.
 *
 * Names give order and width. A read past the end gives zero and sets a sticky failure, so a caller reads a whole
 * structure and asks cursor_ok() once. No other code in parsers/ does arithmetic on evidence pointers.
 */
#ifndef RCF_CURSOR_H
#define RCF_CURSOR_H

#include <endian.h>
#include <stdbool.h>
#include <string.h>

#include "parsers/parse.h"

/* A cursor that is the argument of one real call lives in memory for good; kept in registers, a step costs a third. */
#define CURSOR_INLINE static inline __attribute__((always_inline))

struct cursor {
    const uint8_t *start;
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
};

CURSOR_INLINE struct cursor cursor_over(struct bytes bytes)
{
    return (struct cursor){.start = bytes.at, .at = bytes.at, .end = bytes.len ? bytes.at + bytes.len : bytes.at};
}

static inline bool cursor_ok(const struct cursor *cursor)
{
    return !cursor->failed;
}

CURSOR_INLINE size_t cursor_left(const struct cursor *cursor)
{
    return (size_t)(cursor->end - cursor->at);
}

static inline size_t cursor_offset(const struct cursor *cursor)
{
    return (size_t)(cursor->at - cursor->start);
}

/* `n` bytes and past them; an empty run and failure when fewer are left. */
CURSOR_INLINE struct bytes cursor_take(struct cursor *cursor, size_t n)
{
    if (n > cursor_left(cursor)) {
        cursor->failed = true;
        cursor->at = cursor->end;
        return (struct bytes){cursor->end, 0};
    }
    struct bytes taken = {cursor->at, n};
    cursor->at += n;
    return taken;
}

/* The next `width` bytes, up to 8, as one number; where the width is a constant, by one load. */
CURSOR_INLINE uint64_t cursor_be(struct cursor *cursor, size_t width)
{
    struct bytes raw = cursor_take(cursor, width);
    uint64_t value = 0;
    if (!width || width > sizeof(value) || raw.len != width)
        return 0;
    memcpy(&value, raw.at, width);
    return be64toh(value) >> 8 * (sizeof(value) - width);
}

CURSOR_INLINE uint64_t cursor_le(struct cursor *cursor, size_t width)
{
    struct bytes raw = cursor_take(cursor, width);
    uint64_t value = 0;
    if (width > sizeof(value) || raw.len != width)
        return 0;
    memcpy(&value, raw.at, width);
    return le64toh(value);
}

CURSOR_INLINE uint8_t cursor_u8(struct cursor *cursor) { return (uint8_t)cursor_be(cursor, 1); }
static inline uint16_t cursor_be16(struct cursor *cursor) { return (uint16_t)cursor_be(cursor, 2); }
static inline uint32_t cursor_be32(struct cursor *cursor) { return (uint32_t)cursor_be(cursor, 4); }
static inline uint64_t cursor_be64(struct cursor *cursor) { return cursor_be(cursor, 8); }
static inline uint16_t cursor_le16(struct cursor *cursor) { return (uint16_t)cursor_le(cursor, 2); }
static inline uint32_t cursor_le32(struct cursor *cursor) { return (uint32_t)cursor_le(cursor, 4); }
static inline uint64_t cursor_le64(struct cursor *cursor) { return cursor_le(cursor, 8); }

/* The bytes up to `stop` or the end, without consuming `stop`. */
static inline struct bytes cursor_until(struct cursor *cursor, uint8_t stop)
{
    size_t left = cursor_left(cursor);
    const uint8_t *hit = left ? memchr(cursor->at, stop, left) : NULL;
    return cursor_take(cursor, hit ? (size_t)(hit - cursor->at) : left);
}

/* One line without its LF; `ended` says whether the LF was there. False when nothing is left. */
static inline bool cursor_line(struct cursor *cursor, struct bytes *line, bool *ended)
{
    if (!cursor_left(cursor))
        return false;
    *line = cursor_until(cursor, '\n');
    *ended = cursor_left(cursor) > 0;
    if (*ended)
        cursor->at++;
    return true;
}

/* The next word: runs of blanks and tabs are skipped, then bytes up to the next of them. False when none is left. */
static inline bool cursor_word(struct cursor *cursor, struct bytes *word)
{
    while (cursor->at < cursor->end && (*cursor->at == ' ' || *cursor->at == '\t'))
        cursor->at++;
    const uint8_t *from = cursor->at;
    while (cursor->at < cursor->end && *cursor->at != ' ' && *cursor->at != '\t')
        cursor->at++;
    *word = (struct bytes){from, (size_t)(cursor->at - from)};
    return word->len > 0;
}

#endif
