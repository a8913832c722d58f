/* Lengths, strings and the stepper that walks over values. */
#include <inttypes.h>
#include <stdio.h>

#include "parsers/bytes/lzf.h"
#include "parsers/rdb/rdb_private.h"

enum {
    LENGTH_SHORT = 0x40,               /* below: the length itself */
    LENGTH_MEDIUM = 0x80,              /* below: 14 bits, big-endian */
    LENGTH_32 = 0x80,                  /* 32 bits, big-endian, follow */
    LENGTH_64 = 0x81,                  /* 64 bits, big-endian, follow; since version 8 */
    ENCODED = 0xC0,                    /* from here on: a string in the encoding of the lower six bits */
    ENCODED_LZF = 3,                   /* below: integers of 1, 2 and 4 bytes */
    DEEPEST = 4,                       /* nested loops in a layout */
    TEXT_LEAST = 64,                   /* room for any number as text */
    STRING_LARGEST = 512 * 1024 * 1024 /* what is decoded into memory; the servers' default for a string */
};

/* No server held so much: a length or count beyond it was never written by one. */
static const uint64_t ABSURD = UINT64_C(1) << 40;

static inline bool read_byte(struct rdb *reader, uint8_t *byte)
{
    if (!rdb_window_need(&reader->window, 1))
        return rdb_ran_out(reader);
    *byte = cursor_u8(&reader->window.cursor);
    return true;
}

static inline bool skip(struct rdb *reader, uint64_t n)
{
    return rdb_window_skip(&reader->window, n) || rdb_ran_out(reader);
}

/* A length form that is wider than the value needs, or marked in a way that no server writes. */
static void report_odd_length(struct rdb *reader, unsigned width, uint64_t value)
{
    struct place place = {.offset = rdb_window_offset(&reader->window) - width, .length = width};
    rdb_report(reader, RDB_BAD_LENGTH, place, "a length in its shortest form", "%" PRIu64 " in a form of %u bytes",
               value, width);
}

static bool wide_length(struct rdb *reader, uint8_t first, uint64_t *value)
{
    /* Up to version 6 servers took any 10xxxxxx for 32 bits. */
    bool is_32 = first == LENGTH_32 || (first < ENCODED && reader->version <= 6);
    bool is_64 = first == LENGTH_64 && reader->version >= 8;
    if (!is_32 && !is_64)
        return rdb_fail(reader, RDB_STOP_CORRUPT, rdb_window_offset(&reader->window) - 1,
                        "0x%02x does not begin a length", first);
    size_t width = is_32 ? 4 : 8;
    if (!rdb_window_need(&reader->window, width))
        return rdb_ran_out(reader);
    *value = cursor_be(&reader->window.cursor, width);
    if (*value < 1u << 14 || (is_64 && *value <= UINT32_MAX) || (is_32 && first != LENGTH_32))
        report_odd_length(reader, (unsigned)width + 1, *value);
    return true;
}

static inline bool length_after(struct rdb *reader, uint8_t first, uint64_t *value)
{
    if (first < LENGTH_SHORT) {
        *value = first;
        return true;
    }
    if (first >= LENGTH_MEDIUM)
        return wide_length(reader, first, value);
    uint8_t second = 0;
    if (!read_byte(reader, &second))
        return false;
    *value = (uint64_t)(first & 0x3f) << 8 | second;
    if (*value < LENGTH_SHORT)
        report_odd_length(reader, 2, *value);
    return true;
}

bool rdb_length(struct rdb *reader, uint64_t *value)
{
    uint8_t first = 0;
    return read_byte(reader, &first) && length_after(reader, first, value);
}

bool rdb_number(struct rdb *reader, uint64_t limit, const char *what, uint64_t *value)
{
    *value = 0;
    if (!rdb_window_need(&reader->window, 1))
        return rdb_ran_out(reader);
    uint64_t offset = rdb_window_offset(&reader->window);
    if (!rdb_length(reader, value))
        return false;
    if (*value > limit)
        return rdb_fail(reader, RDB_STOP_CORRUPT, offset, "%s %" PRIu64 ", at most %" PRIu64 " can be", what, *value,
                        limit);
    return true;
}

struct string_head {
    uint64_t offset; /* of the string, for what is said about it */
    uint64_t stored; /* bytes that follow */
    uint64_t size;   /* LZF: bytes that they stand for; otherwise 0 */
    bool integer;
    bool lzf;
};

static bool absurd_string(struct rdb *reader, const struct string_head *head)
{
    return rdb_fail(reader, RDB_STOP_CORRUPT, head->offset, "a string of %" PRIu64 " bytes",
                    head->stored > head->size ? head->stored : head->size);
}

static void report_bad_lzf(struct rdb *reader, const struct string_head *head, const char *found)
{
    struct place place = {.offset = head->offset};
    place.length = rdb_window_offset(&reader->window) - head->offset;
    rdb_report(reader, RDB_BAD_STRING, place, "an LZF string that expands to its stated length", "%s", found);
}

static bool encoded_head(struct rdb *reader, uint8_t encoding, struct string_head *head)
{
    if (encoding < ENCODED_LZF) {
        head->integer = true;
        head->stored = UINT64_C(1) << encoding;
        return true;
    }
    if (encoding > ENCODED_LZF)
        return rdb_fail(reader, RDB_STOP_CORRUPT, head->offset, "string encoding %u", encoding);
    head->lzf = true;
    if (!rdb_length(reader, &head->stored) || !rdb_length(reader, &head->size))
        return false;
    if (head->stored > ABSURD || head->size > ABSURD)
        return absurd_string(reader, head);
    return true;
}

/* The claim of an LZF string about itself can hold. */
static bool lzf_plausible(const struct string_head *head)
{
    return head->size && head->size <= lzf_most((size_t)head->stored);
}

static inline bool read_head(struct rdb *reader, struct string_head *head)
{
    if (!rdb_window_need(&reader->window, 1))
        return rdb_ran_out(reader);
    *head = (struct string_head){.offset = rdb_window_offset(&reader->window)};
    uint8_t first = cursor_u8(&reader->window.cursor);
    if (first >= ENCODED)
        return encoded_head(reader, first - ENCODED, head);
    if (!length_after(reader, first, &head->stored))
        return false;
    return head->stored <= ABSURD || absurd_string(reader, head);
}

static bool integer_text(struct rdb *reader, struct rdb_run *run, size_t width)
{
    if (!rdb_window_need(&reader->window, width))
        return rdb_ran_out(reader);
    if (!rdb_run_room(run, TEXT_LEAST)) {
        reader->window.no_memory = true;
        return rdb_ran_out(reader);
    }
    uint64_t raw = cursor_le(&reader->window.cursor, width);
    uint64_t sign = UINT64_C(1) << (8 * width - 1);
    int64_t value = (int64_t)(raw & (sign - 1)) - (int64_t)(raw & sign);
    int len = snprintf((char *)run->text, TEXT_LEAST, "%" PRId64, value);
    run->bytes = (struct bytes){run->text, (size_t)len};
    run->borrowed = false;
    return true;
}

static bool expand(struct rdb *reader, const struct string_head *head, struct rdb_run *run)
{
    if (lzf_plausible(head)) {
        if (!rdb_run_room(run, (size_t)head->size)) {
            reader->window.no_memory = true;
            return rdb_ran_out(reader);
        }
        if (lzf_expand(run->bytes, run->text, (size_t)head->size)) {
            run->bytes = (struct bytes){run->text, (size_t)head->size};
            run->borrowed = false;
            return true;
        }
    }
    report_bad_lzf(reader, head, "one that does not");
    reader->lost = true;
    return true;
}

/* The common case: fewer than 64 bytes as they are, all of them in the window. False, with nothing read, otherwise. */
static inline bool short_string(struct rdb *reader, struct bytes *bytes)
{
    struct cursor *cursor = &reader->window.cursor;
    size_t left = cursor_left(cursor);
    if (!left || *cursor->at >= LENGTH_SHORT || *cursor->at >= left)
        return false;
    uint8_t length = cursor_u8(cursor);
    *bytes = cursor_take(cursor, length);
    return true;
}

bool rdb_string(struct rdb *reader, enum rdb_run_of which)
{
    struct string_head head;
    struct rdb_run *run = &reader->window.runs[which];
    run->borrowed = short_string(reader, &run->bytes);
    if (run->borrowed)
        return true;
    if (!read_head(reader, &head))
        return false;
    if (head.integer)
        return integer_text(reader, run, (size_t)head.stored);
    if (head.stored > STRING_LARGEST || head.size > STRING_LARGEST)
        return rdb_fail(reader, RDB_STOP_UNSUPPORTED, head.offset,
                        "a string of %" PRIu64 " bytes where at most %d are decoded",
                        head.lzf ? head.size : head.stored, STRING_LARGEST);
    if (!rdb_window_take(&reader->window, head.stored, run))
        return rdb_ran_out(reader);
    return !head.lzf || expand(reader, &head, run);
}

static bool skip_string(struct rdb *reader)
{
    struct string_head head;
    struct bytes bytes;
    if (short_string(reader, &bytes))
        return true;
    if (!read_head(reader, &head) || !skip(reader, head.stored))
        return false;
    if (head.lzf && !lzf_plausible(&head))
        report_bad_lzf(reader, &head, "a length that LZF cannot reach");
    return true;
}

/* A score as text has its length in one byte; the three largest lengths are values of their own (nan, inf, -inf). */
static bool skip_text_score(struct rdb *reader)
{
    uint8_t length = 0;
    return read_byte(reader, &length) && (length >= 253 || skip(reader, length));
}

/* The letters that stand for one thing. */
static bool step_plain(struct rdb *reader, char letter)
{
    static const uint8_t widths[] = {['1'] = 1, ['4'] = 4, ['8'] = 8, ['R'] = 16, ['s'] = 0};
    uint64_t value;
    if (letter == 's')
        return skip_string(reader);
    if (letter == 'l')
        return rdb_length(reader, &value);
    return skip(reader, widths[(uint8_t)letter]);
}

/* Values of a module: an opcode before each, 0 after the last. */
static bool skip_module_values(struct rdb *reader)
{
    static const char payloads[] = {0, 'l', 'l', '4', '8', 's'};
    for (;;) {
        uint64_t opcode;
        if (!rdb_number(reader, sizeof(payloads) - 1, "module opcode", &opcode))
            return false;
        if (!opcode)
            return true;
        if (!step_plain(reader, payloads[opcode]))
            return false;
    }
}

static bool skip_tagged(struct rdb *reader)
{
    static const char payloads[] = {'s', '8', '8', 's'};
    uint64_t tag;
    return rdb_number(reader, sizeof(payloads) - 1, "array element tag", &tag) && step_plain(reader, payloads[tag]);
}

static bool skip_optional(struct rdb *reader)
{
    uint64_t flag, value;
    return rdb_number(reader, 1, "flag", &flag) && (!flag || rdb_length(reader, &value));
}

static bool skip_container(struct rdb *reader)
{
    uint64_t container, offset = rdb_window_offset(&reader->window);
    if (!rdb_number(reader, 2, "quicklist container", &container))
        return false;
    return container || rdb_fail(reader, RDB_STOP_CORRUPT, offset, "quicklist container 0");
}

static bool step_letter(struct rdb *reader, char letter)
{
    switch (letter) {
    case 'M':
        return skip_module_values(reader);
    case 'z':
        return skip_text_score(reader);
    case 'c':
        return skip_container(reader);
    case 'o':
        return skip_optional(reader);
    case 't':
        return skip_tagged(reader);
    default:
        return step_plain(reader, letter);
    }
}

/* The `)` that belongs to the `(` before `layout`. */
static const char *loop_end(const char *layout)
{
    for (size_t open = 1;; layout++) {
        open += *layout == '(';
        open -= *layout == ')';
        if (!open)
            return layout;
    }
}

bool rdb_step(struct rdb *reader, const char *layout)
{
    struct {
        const char *body;
        uint64_t left;
    } loops[DEEPEST];
    size_t depth = 0;
    uint64_t count = 0;

    for (; *layout; layout++) {
        switch (*layout) {
        case '#':
            if (!rdb_number(reader, ABSURD, "a count of", &count))
                return false;
            break;
        case '(':
            if (count) {
                loops[depth].body = layout;
                loops[depth++].left = count;
            } else {
                layout = loop_end(layout + 1);
            }
            break;
        case ')':
            if (--loops[depth - 1].left)
                layout = loops[depth - 1].body;
            else
                depth--;
            break;
        default:
            if (!step_letter(reader, *layout))
                return false;
        }
    }
    return true;
}
