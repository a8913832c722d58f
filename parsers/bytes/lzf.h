/* LZF, the compression of long strings in RDB dumps (docs/formats/rdb.md).
 *
 * A control byte below 32 is followed by that many literal bytes and one more. Any other holds a length in its upper
 * three bits (7: the next byte is added) and the upper five bits of a distance, whose lower eight follow; length + 2
 * bytes are copied from distance + 1 bytes back, and may reach into what is being written.
 */
#ifndef RCF_LZF_H
#define RCF_LZF_H

#include <stdbool.h>

#include "parsers/parse.h"

/* The most bytes that `packed` bytes can become. A stored length above it is a lie: ask before allocating. */
static inline uint64_t lzf_most(size_t packed)
{
    enum { EACH = 88 }; /* three bytes become up to 264 */
    uint64_t most;
    return __builtin_mul_overflow((uint64_t)packed, EACH, &most) ? UINT64_MAX : most;
}

/* Expands `packed` into `len` bytes at `to`. False when it does not become exactly `len` bytes, refers to bytes before
 * the first, or ends in the middle of an instruction; the content of `to` is then unspecified. */
bool lzf_expand(struct bytes packed, uint8_t *to, size_t len);

/* The same, and quicker, where LZF_ROOM bytes behind `packed` can be read and so many behind `to` be written, which are
 * then unspecified, too. */
enum { LZF_ROOM = 320 };
bool lzf_expand_roomy(struct bytes packed, uint8_t *to, size_t len);

/* What lzf_expand() would say, without expanding. */
bool lzf_verify(struct bytes packed, size_t len);

/* The first bytes of what `packed` becomes, at most `want`, for looking at a header. Gives how many: fewer when it is
 * shorter or broken before that. */
size_t lzf_head(struct bytes packed, uint8_t *to, size_t want);

#endif
