#include "tools/render/escape.h"

#include <string.h>

#include "tools/render/put.h"

enum { SHORT_ID = 8 };

struct range {
    uint32_t from, to;
};

/* What the printable form hides, ascending. Unicode 15: general categories Cc, Cf, Zs (but U+0020), Zl, Zp, Co; the
 * property Default_Ignorable_Code_Point and, with has_noncharacter_end(), Noncharacter_Code_Point; the empty Braille
 * pattern. Bidirectional controls are all Cf. */
static const struct range hidden[] = {
    {0x0000, 0x001f}, {0x007f, 0x00a0}, {0x00ad, 0x00ad}, {0x034f, 0x034f}, {0x0600, 0x0605}, {0x061c, 0x061c},
    {0x06dd, 0x06dd}, {0x070f, 0x070f}, {0x0890, 0x0891}, {0x08e2, 0x08e2}, {0x115f, 0x1160}, {0x1680, 0x1680},
    {0x17b4, 0x17b5}, {0x180b, 0x180f}, {0x2000, 0x200f}, {0x2028, 0x202f}, {0x205f, 0x206f}, {0x2800, 0x2800},
    {0x3000, 0x3000}, {0x3164, 0x3164}, {0xe000, 0xf8ff}, {0xfdd0, 0xfdef}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff},
    {0xffa0, 0xffa0}, {0xfff0, 0xfffb}, {0x110bd, 0x110bd}, {0x110cd, 0x110cd}, {0x13430, 0x1343f},
    {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff}, {0xf0000, 0x10ffff},
};

/* Marks that combine with the character before them: the blocks made of them, and the marks of common scripts. */
static const struct range combining[] = {
    {0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x0610, 0x061a}, {0x064b, 0x065f}, {0x06d6, 0x06dc},
    {0x093c, 0x093c}, {0x0941, 0x0948}, {0x094d, 0x094d}, {0x0e31, 0x0e31}, {0x0e34, 0x0e3a}, {0x0e47, 0x0e4e},
    {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x20d0, 0x20ff}, {0x3099, 0x309a}, {0xfe20, 0xfe2f},
};

/* East Asian Width W or F, by whole blocks, and emoji. */
static const struct range wide[] = {
    {0x1100, 0x115f}, {0x2e80, 0x303e}, {0x3041, 0xa4cf},   {0xa960, 0xa97f},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},
    {0xfe30, 0xfe6f}, {0xff01, 0xff60}, {0xffe0, 0xffe6},   {0x16fe0, 0x18cff}, {0x1b000, 0x1b2ff}, {0x1f300, 0x1f64f},
    {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd},
};

#define IN_RANGES(code, ranges) in_ranges(code, ranges, sizeof ranges / sizeof ranges[0])

static bool in_ranges(uint32_t code, const struct range *ranges, size_t count)
{
    for (size_t i = 0; i < count && code >= ranges[i].from; i++)
        if (code <= ranges[i].to)
            return true;
    return false;
}

/* The last two code points of each plane are noncharacters. */
static bool has_noncharacter_end(uint32_t code)
{
    return (code & 0xfffe) == 0xfffe;
}

/* One character, or one byte that belongs to none. */
struct unit {
    uint32_t code;
    uint8_t len;
    bool valid;
    bool shown;
};

/* The character at the start of `len` > 0 bytes. RFC 3629, section 4, as the ranges that a second byte may have. */
static struct unit unit_at(const uint8_t *at, size_t len)
{
    struct unit byte = {.code = at[0], .len = 1};
    if (at[0] < 0x80) {
        byte.valid = true;
        byte.shown = at[0] >= 0x20 && at[0] != 0x7f;
        return byte;
    }

    static const struct {
        uint8_t first, last, low, high, tail;
    } lead[] = {
        {0xc2, 0xdf, 0x80, 0xbf, 1}, {0xe0, 0xe0, 0xa0, 0xbf, 2}, {0xe1, 0xec, 0x80, 0xbf, 2},
        {0xed, 0xed, 0x80, 0x9f, 2}, {0xee, 0xef, 0x80, 0xbf, 2}, {0xf0, 0xf0, 0x90, 0xbf, 3},
        {0xf1, 0xf3, 0x80, 0xbf, 3}, {0xf4, 0xf4, 0x80, 0x8f, 3},
    };
    size_t row = 0;
    while (row < sizeof lead / sizeof lead[0] && !(at[0] >= lead[row].first && at[0] <= lead[row].last))
        row++;
    if (row == sizeof lead / sizeof lead[0] || len <= lead[row].tail || at[1] < lead[row].low || at[1] > lead[row].high)
        return byte;

    uint32_t code = at[0] & (0x3fu >> lead[row].tail);
    for (size_t i = 1; i <= lead[row].tail; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return byte;
        code = code << 6 | (at[i] & 0x3fu);
    }
    return (struct unit){
        .code = code,
        .len = (uint8_t)(lead[row].tail + 1),
        .valid = true,
        .shown = !IN_RANGES(code, hidden) && !has_noncharacter_end(code),
    };
}

static size_t unit_width(struct unit unit)
{
    return IN_RANGES(unit.code, combining) ? 0 : IN_RANGES(unit.code, wide) ? 2 : 1;
}

struct bytes escape_string(const char *string)
{
    return (struct bytes){(const uint8_t *)string, string ? strlen(string) : 0};
}

#define EVERY_BYTE(byte) (UINT64_C(0x0101010101010101) * (uint8_t)(byte))

static uint64_t word_at(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof(word));
    return word;
}

/* Bytes at the start that are ASCII: all of them, or a multiple of eight. */
static size_t ascii_words(struct bytes bytes)
{
    size_t at = 0;
    while (bytes.len - at >= 8 && (word_at(bytes.at + at) & EVERY_BYTE(0x80)) == 0)
        at += 8;
    if (bytes.len >= 8 && bytes.len - at < 8 && (word_at(bytes.at + bytes.len - 8) & EVERY_BYTE(0x80)) == 0)
        return bytes.len;
    return at;
}

bool escape_is_utf8(struct bytes bytes)
{
    for (size_t at = 0; at < bytes.len;) {
        at += ascii_words((struct bytes){bytes.at + at, bytes.len - at});
        if (at == bytes.len)
            return true;
        struct unit unit = unit_at(bytes.at + at, bytes.len - at);
        if (!unit.valid)
            return false;
        at += unit.len;
    }
    return true;
}

static void write_hex(struct out *out, const uint8_t *at, size_t len, const char *before)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        out_text(out, before);
        out_byte(out, digits[at[i] >> 4]);
        out_byte(out, digits[at[i] & 15]);
    }
}

/* The first byte that is marked, of those of a block. */
static size_t first_odd(put_block odd)
{
    uint64_t halves[2];
    memcpy(halves, &odd, sizeof(halves));
    bool upper = !halves[0];
    return 8 * (size_t)upper + (size_t)__builtin_ctzll(le64toh(halves[upper])) / 8;
}

size_t escape_plain(struct bytes bytes, const char special[3])
{
    const char marks[3] = {special[0], special[1], special[2]};
    size_t at = 0;
    put_block odd = {0};
    if (bytes.len < sizeof(odd)) {
        if (bytes.len == 0 || !put_is_odd(put_odd(put_short_block(bytes.at, bytes.len), marks)))
            return bytes.len;
        while (bytes.at[at] >= 0x20 && bytes.at[at] < 0x7f && !memchr(marks, bytes.at[at], sizeof(marks)))
            at++;
        return at;
    }
    const size_t last = bytes.len - sizeof(odd);
    while (at < last && !put_is_odd(odd = put_odd(put_block_at(bytes.at + at), marks)))
        at += sizeof(odd);
    if (at >= last) {
        at = last;
        odd = put_odd(put_block_at(bytes.at + at), marks);
    }
    return put_is_odd(odd) ? at + first_odd(odd) : bytes.len;
}

/* ASCII characters that a form does not let through; DEL, which none does, where there are fewer than two. */
struct special {
    uint8_t first, second;
};

/* How many bytes from `from` on are ASCII characters that can be seen and are not special. */
static size_t plain_run(struct bytes bytes, size_t from, struct special special)
{
    const char both[3] = {(char)special.first, (char)special.second, (char)special.second};
    return from < bytes.len ? escape_plain((struct bytes){bytes.at + from, bytes.len - from}, both) : 0;
}

static void write_form(struct out *out, struct bytes bytes, struct special special)
{
    for (size_t at = 0; at < bytes.len;) {
        size_t run = plain_run(bytes, at, special);
        out_bytes(out, bytes.at + at, run);
        at += run;
        if (at == bytes.len)
            return;
        struct unit unit = unit_at(bytes.at + at, bytes.len - at);
        if (unit.code == '\\')
            out_text(out, "\\\\");
        else if (unit.shown && unit.code != ' ')
            out_bytes(out, bytes.at + at, unit.len);
        else
            write_hex(out, bytes.at + at, unit.len, "\\x");
        at += unit.len;
    }
}

void escape_printable(struct out *out, struct bytes bytes)
{
    write_form(out, bytes, (struct special){'\\', 0x7f});
}

void escape_word(struct out *out, struct bytes bytes)
{
    write_form(out, bytes, (struct special){'\\', ' '});
}

void escape_terminal(struct out *out, struct bytes bytes)
{
    write_form(out, bytes, (struct special){0x7f, 0x7f});
}

void escape_short_id(struct out *out, const char *id)
{
    struct bytes text = escape_string(id);
    escape_printable(out, (struct bytes){text.at, text.len < SHORT_ID ? text.len : SHORT_ID});
}

/* The longest part of the bytes whose printable form is at most `columns` wide. */
static size_t fitting(struct bytes bytes, size_t columns)
{
    size_t at = 0;
    size_t width = 0;
    while (at < bytes.len) {
        struct unit unit = unit_at(bytes.at + at, bytes.len - at);
        width += !unit.shown ? 4 * (size_t)unit.len : unit.code == '\\' ? 2 : unit_width(unit);
        if (width > columns)
            break;
        at += unit.len;
    }
    return at;
}

void escape_cut(struct out *out, struct bytes bytes, size_t columns)
{
    if (columns == 0 || fitting(bytes, columns) == bytes.len) {
        escape_printable(out, bytes);
        return;
    }
    escape_printable(out, (struct bytes){bytes.at, fitting(bytes, columns < 3 ? 0 : columns - 3)});
    out_text(out, "...");
}

size_t escape_width(struct bytes text)
{
    size_t width = 0;
    for (size_t at = 0; at < text.len;) {
        struct unit unit = unit_at(text.at + at, text.len - at);
        width += unit_width(unit);
        at += unit.len;
    }
    return width;
}

/* Apostrophes before the formula count with it, or one that we add could not be told from one that was there. */
static bool is_formula(struct bytes cell)
{
    size_t at = 0;
    while (at < cell.len && cell.at[at] == '\'')
        at++;
    return at < cell.len && memchr("=+-@\t\r\n", cell.at[at], 7);
}

void escape_csv(struct out *out, struct bytes bytes)
{
    bool quoted = bytes.len == 0 || bytes.at[0] == ' ' || bytes.at[bytes.len - 1] == ' ';
    for (size_t i = 0; i < bytes.len && !quoted; i++)
        quoted = bytes.at[i] == ',' || bytes.at[i] == '"' || bytes.at[i] == '\r' || bytes.at[i] == '\n';

    if (quoted)
        out_byte(out, '"');
    if (is_formula(bytes))
        out_byte(out, '\'');
    for (size_t at = 0; at < bytes.len;) {
        const uint8_t *quote = memchr(bytes.at + at, '"', bytes.len - at);
        size_t run = quote ? (size_t)(quote - bytes.at) - at + 1 : bytes.len - at;
        out_bytes(out, bytes.at + at, run);
        if (quote)
            out_byte(out, '"');
        at += run;
    }
    if (quoted)
        out_byte(out, '"');
}

static void write_u16(struct out *out, uint32_t code)
{
    uint8_t raw[2] = {(uint8_t)(code >> 8), (uint8_t)code};
    out_text(out, "\\u");
    write_hex(out, raw, sizeof raw, "");
}

/* RFC 8259, section 7: beyond U+FFFF an escape is a pair of UTF-16 surrogates. */
static void write_u_escape(struct out *out, uint32_t code)
{
    if (code > 0xffff) {
        write_u16(out, 0xd800 + ((code - 0x10000) >> 10));
        code = 0xdc00 + ((code - 0x10000) & 0x3ff);
    }
    write_u16(out, code);
}

/* ASCII that stands in a JSON string as it is. */
static bool is_plain_json(uint8_t byte)
{
    return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

/* The first sixteen of them, or the next, once escaped. */
#define SIXTEEN_CONTROLS(high)                                                                  \
    "\\u00" high "0", "\\u00" high "1", "\\u00" high "2", "\\u00" high "3",                     \
        "\\u00" high "4", "\\u00" high "5", "\\u00" high "6", "\\u00" high "7",                 \
        "\\u00" high "8", "\\u00" high "9", "\\u00" high "a", "\\u00" high "b",                 \
        "\\u00" high "c", "\\u00" high "d", "\\u00" high "e", "\\u00" high "f"

enum { CONTROLS = 0x20, ESCAPE_MOST = 6 /* bytes that a byte becomes */ };
static const char json_controls[CONTROLS][8] = {SIXTEEN_CONTROLS("0"), SIXTEEN_CONTROLS("1")};

/* One ASCII character, where there is room for 8 bytes. The printable form, which is what stands in the string when its
 * bytes are not `exact`, doubles the backslash once more. */
static inline uint8_t *put_json_ascii(uint8_t *to, uint8_t byte, bool exact)
{
    static const char digits[] = "0123456789abcdef";
    if (is_plain_json(byte)) {
        *to = byte;
        return to + 1;
    }
    if (byte == '"' || byte == '\\') {
        memcpy(to, "\\\\\\\\", 4);
        to[1] = byte;
        return to + (byte == '"' || exact ? 2 : 4);
    }
    const size_t lead = exact ? 4 : 3;
    memcpy(to, exact ? "\\u00" : "\\\\x", 4);
    to[lead] = (uint8_t)digits[byte >> 4];
    to[lead + 1] = (uint8_t)digits[byte & 15];
    return to + lead + 2;
}

/* A control, and those behind it that are the same: a string may be filled up with zeros. */
static inline uint8_t *put_same_control(uint8_t *to, uint8_t byte, const uint8_t *bytes, size_t *at, size_t end)
{
    uint64_t escaped;
    size_t i = *at;
    memcpy(&escaped, json_controls[byte], sizeof(escaped));
    do {
        memcpy(to, &escaped, sizeof(escaped));
        to += ESCAPE_MOST;
    } while (++i < end && bytes[i] == byte);
    *at = i;
    return to;
}

/* ASCII characters at the start, or at least sixteen of them when there are more, where there is room for all that may
 * become of sixteen. */
static uint8_t *put_json_run(uint8_t *to, struct bytes bytes, bool exact, size_t *count)
{
    enum { RUN = sizeof(put_block) };
    if (bytes.len >= RUN) {
        put_block block = put_block_at(bytes.at);
        if (!put_is_odd(put_odd(block, "\\\"\""))) {
            memcpy(to, &block, sizeof(block));
            *count = RUN;
            return to + RUN;
        }
    }
    size_t most = bytes.len < RUN ? bytes.len : RUN, at = 0;
    while (at < most && bytes.at[at] < 0x80) {
        const uint8_t byte = bytes.at[at];
        if (exact && byte < CONTROLS)
            to = put_same_control(to, byte, bytes.at, &at, most);
        else
            to = put_json_ascii(to, bytes.at[at++], exact);
    }
    *count = at;
    return to;
}

/* A string of few bytes and its quotes, as far as it is ASCII: gives how much. Of it `plain` bytes need no escape. */
static size_t write_json_few(struct out *out, struct bytes bytes, size_t plain, bool exact)
{
    size_t at = plain, run;
    uint8_t *room = out_room(out, bytes.len * ESCAPE_MOST + PUT_SLACK), *to = room;
    if (!room)
        return bytes.len;
    *to++ = '"';
    to = put(to, bytes.at, plain);
    while (at < bytes.len && bytes.at[at] < 0x80) {
        to = put_json_run(to, (struct bytes){bytes.at + at, bytes.len - at}, exact, &run);
        at += run;
    }
    if (at == bytes.len)
        *to++ = '"';
    out_wrote(out, (size_t)(to - room));
    return at;
}

/* The same for a longer run; gives how many. */
static size_t write_json_ascii(struct out *out, struct bytes bytes, bool exact)
{
    enum { MOST = 1024, RUN = sizeof(put_block) };
    size_t at = 0, run;
    uint8_t *room = out_room(out, (MOST + RUN) * ESCAPE_MOST + PUT_SLACK), *to = room;
    if (!room)
        return bytes.len;
    do {
        to = put_json_run(to, (struct bytes){bytes.at + at, bytes.len - at}, exact, &run);
        at += run;
    } while (run && at < bytes.len && at < MOST);
    out_wrote(out, (size_t)(to - room));
    return at;
}

static size_t write_json_unit(struct out *out, struct bytes bytes, bool exact)
{
    struct unit unit = unit_at(bytes.at, bytes.len);
    if (unit.shown)
        out_bytes(out, bytes.at, unit.len);
    else if (exact)
        write_u_escape(out, unit.code);
    else
        write_hex(out, bytes.at, unit.len, "\\\\x");
    return unit.len;
}

bool escape_json_exact(struct out *out, struct bytes bytes)
{
    enum { FEW = 1024 };
    size_t at = escape_plain(bytes, "\\\"\"");
    bool exact = at == bytes.len || escape_is_utf8((struct bytes){bytes.at + at, bytes.len - at});
    if (bytes.len <= FEW) {
        at = write_json_few(out, bytes, at, exact);
        if (at == bytes.len)
            return exact;
    } else {
        out_byte(out, '"');
        out_bytes(out, bytes.at, at);
    }
    while (at < bytes.len) {
        struct bytes rest = {bytes.at + at, bytes.len - at};
        at += *rest.at < 0x80 ? write_json_ascii(out, rest, exact) : write_json_unit(out, rest, exact);
    }
    out_byte(out, '"');
    return exact;
}

void escape_json(struct out *out, struct bytes bytes)
{
    escape_json_exact(out, bytes);
}

void escape_base64(struct out *out, struct bytes bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t at = 0; at < bytes.len; at += 3) {
        size_t left = bytes.len - at;
        uint32_t three = (uint32_t)bytes.at[at] << 16;
        if (left > 1)
            three |= (uint32_t)bytes.at[at + 1] << 8;
        if (left > 2)
            three |= bytes.at[at + 2];
        char four[4] = {
            digits[three >> 18],
            digits[three >> 12 & 63],
            left > 1 ? digits[three >> 6 & 63] : '=',
            left > 2 ? digits[three & 63] : '=',
        };
        out_bytes(out, four, sizeof four);
    }
}

bool escape_shell(struct out *out, struct bytes bytes)
{
    static const char harmless[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./:,@%+=";
    bool bare = bytes.len > 0;
    for (size_t at = 0; at < bytes.len;) {
        struct unit unit = unit_at(bytes.at + at, bytes.len - at);
        if (!unit.shown)
            return false;
        bare = bare && unit.len == 1 && strchr(harmless, (int)unit.code);
        at += unit.len;
    }
    if (bare) {
        out_bytes(out, bytes.at, bytes.len);
        return true;
    }

    out_byte(out, '\'');
    for (size_t i = 0; i < bytes.len; i++) {
        if (bytes.at[i] == '\'')
            out_text(out, "'\\''");
        else
            out_byte(out, (char)bytes.at[i]);
    }
    out_byte(out, '\'');
    return true;
}
