#include "parsers/bytes/transfer.h"

#include <string.h>

#include "parsers/bytes/crc64.h"
#include "parsers/bytes/cursor.h"

enum {
    CR = '\r',
    LF = '\n',
    HIGH = 0x80,
    SAMPLE_LEAST = 128,
    OFTEN = 32, /* times that a byte occurs */
    CHECKSUM = 8,
};

/* ---------------------------------------------------------------- the rules */

struct counts {
    size_t bytes[256];
    size_t after_cr; /* line feeds */
    size_t high, replaced;
    bool utf8; /* in its shortest form, but for a last character that is cut */
};

/* The characters of UTF-8 by their first byte: how many bytes follow. */
static unsigned following(uint8_t first)
{
    return first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
}

static void count(struct bytes sample, struct counts *counts)
{
    static const uint8_t replacement[] = {0xef, 0xbf, 0xbd};
    struct cursor cursor = cursor_over(sample);
    *counts = (struct counts){.utf8 = true};
    unsigned more = 0;
    for (uint8_t byte = 0, before; cursor_left(&cursor);) {
        size_t left = cursor_left(&cursor);
        counts->replaced += left >= sizeof(replacement) && !memcmp(cursor.at, replacement, sizeof(replacement));
        before = byte;
        byte = cursor_u8(&cursor);
        counts->bytes[byte]++;
        counts->after_cr += byte == LF && before == CR;
        counts->high += byte >= HIGH;
        bool continues = (byte & 0xc0) == HIGH;
        if (continues != (more > 0) || (byte >= HIGH && !more && (byte < 0xc2 || byte > 0xf4)))
            counts->utf8 = false;
        more = more ? more - 1 : byte >= HIGH ? following(byte) : 0;
    }
}

/* Where the bytes beside these two are frequent, so would they be. */
static bool are_beside_frequent(const struct counts *counts)
{
    static const uint8_t beside[] = {LF - 1, LF + 1, CR - 1, CR + 1};
    bool frequent = true;
    for (size_t i = 0; i < sizeof(beside); i++)
        frequent &= counts->bytes[beside[i]] >= OFTEN;
    return frequent;
}

enum transfer transfer_of(struct bytes sample, bool *certain)
{
    struct counts counts;
    *certain = true;
    if (sample.len < SAMPLE_LEAST)
        return TRANSFER_NONE;
    count(sample, &counts);
    if (!counts.high)
        return TRANSFER_SEVEN;
    if (counts.utf8)
        return counts.replaced ? TRANSFER_REPLACED : TRANSFER_UTF8;
    *certain = are_beside_frequent(&counts);
    if (counts.after_cr && counts.after_cr == counts.bytes[LF])
        return TRANSFER_CRLF;
    return !counts.bytes[CR] && *certain ? TRANSFER_NO_CR : TRANSFER_NONE;
}

static const struct {
    const char *sign, *remedy;
} words[TRANSFERS] = {
    [TRANSFER_CRLF] = {"a carriage return before each line feed",
                       "with each CR LF turned back into LF its checksum is valid"},
    [TRANSFER_UTF8] = {"each byte from 0x80 on written as UTF-8", "with these characters turned back into bytes its "
                                                                    "checksum is valid"},
    [TRANSFER_REPLACED] = {"U+FFFD in place of bytes that are no UTF-8", "they are lost"},
    [TRANSFER_SEVEN] = {"no byte from 0x80 on, though each opcode is one", "what they were is lost"},
    [TRANSFER_NO_CR] = {"no carriage return, though the bytes beside it are frequent", "where they stood is lost"},
};

const char *transfer_sign(enum transfer transfer)
{
    return words[transfer].sign;
}

const char *transfer_remedy(enum transfer transfer)
{
    return words[transfer].remedy;
}

/* ---------------------------------------------------------------- undoing it */

void transfer_undo_start(struct transfer_undo *undo, enum transfer transfer)
{
    memset(undo, 0, sizeof(*undo));
    undo->transfer = transfer;
}

/* All but the last bytes, which may be the checksum, are summed up. */
static void sum_up(struct transfer_undo *undo)
{
    if (undo->len <= CHECKSUM)
        return;
    size_t before = undo->len - CHECKSUM;
    undo->crc = crc64(undo->crc, (struct bytes){undo->out, before});
    memmove(undo->out, undo->out + before, CHECKSUM);
    undo->len = CHECKSUM;
}

static void put(struct transfer_undo *undo, uint8_t byte)
{
    if (undo->len == sizeof(undo->out))
        sum_up(undo);
    undo->out[undo->len++] = byte;
}

static void undo_crlf(struct transfer_undo *undo, uint8_t byte)
{
    bool turned = undo->waiting && byte == LF;
    undo->undone += turned;
    undo->broken |= byte == LF && !turned;
    if (undo->waiting && !turned)
        put(undo, CR);
    undo->waiting = byte == CR ? CR : 0;
    if (byte != CR)
        put(undo, byte);
}

/* Characters up to U+00FF begin with c2 or c3. */
static void undo_utf8(struct transfer_undo *undo, uint8_t byte)
{
    bool first = byte == 0xc2 || byte == 0xc3, second = (byte & 0xc0) == HIGH;
    undo->broken |= undo->waiting ? !second : byte >= HIGH && !first;
    if (undo->waiting)
        put(undo, (uint8_t)((undo->waiting & 3) << 6 | (byte & 0x3f)));
    else if (!first)
        put(undo, byte);
    undo->undone += undo->waiting != 0;
    undo->waiting = !undo->waiting && first ? byte : 0;
}

void transfer_undo(struct transfer_undo *undo, struct bytes bytes)
{
    void (*const step)(struct transfer_undo *, uint8_t) = undo->transfer == TRANSFER_CRLF ? undo_crlf : undo_utf8;
    struct cursor cursor = cursor_over(bytes);
    while (cursor_left(&cursor) && !undo->broken)
        step(undo, cursor_u8(&cursor));
}

bool transfer_undo_proves(struct transfer_undo *undo)
{
    if (undo->waiting && undo->transfer == TRANSFER_CRLF)
        put(undo, CR);
    else
        undo->broken |= undo->waiting != 0;
    sum_up(undo);
    struct cursor stored = cursor_over((struct bytes){undo->out, undo->len});
    uint64_t sum = cursor_le64(&stored);
    return !undo->broken && cursor_ok(&stored) && sum && sum == undo->crc;
}
