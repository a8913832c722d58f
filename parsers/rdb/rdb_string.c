#include "parsers/rdb/rdb_string.h"

#include <inttypes.h>

#include "parsers/bytes/lzf.h"
#include "parsers/rdb/packed.h"
#include "parsers/rdb/rdb_value_private.h"

enum {
    LENGTH_MEDIUM = 0x80, /* below: 14 bits, big-endian */
    LENGTH_32 = 0x80,     /* 32 bits, big-endian, follow */
    LENGTH_64 = 0x81,     /* 64 bits, big-endian, follow; since version 8 */
    ENCODED = 0xC0,       /* from here on: a string in the encoding of the lower six bits */
    ENCODED_LZF = 3,      /* below: integers of 1, 2 and 4 bytes */
};

const char rdb_integer_encoding[] = "int";
const char rdb_string_sound[] = "an LZF string that expands to its stated length";

static inline bool read_byte(struct rdb *reader, uint8_t *byte)
{
    if (!rdb_window_need(&reader->window, 1))
        return rdb_ran_out(reader);
    *byte = cursor_u8(&reader->window.cursor);
    return true;
}

bool rdb_skip(struct rdb *reader, uint64_t n)
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
    if (first < RDB_LENGTH_SHORT) {
        *value = first;
        return true;
    }
    if (first >= LENGTH_MEDIUM)
        return wide_length(reader, first, value);
    uint8_t second = 0;
    if (!read_byte(reader, &second))
        return false;
    *value = (uint64_t)(first & 0x3f) << 8 | second;
    if (*value < RDB_LENGTH_SHORT)
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

static bool absurd_string(struct rdb *reader, const struct rdb_string_head *head)
{
    return rdb_fail(reader, RDB_STOP_CORRUPT, head->offset, "a string of %" PRIu64 " bytes",
                    head->stored > head->size ? head->stored : head->size);
}

static bool integer_head(struct rdb *reader, size_t width, struct rdb_string_head *head)
{
    if (!rdb_window_need(&reader->window, width))
        return rdb_ran_out(reader);
    uint64_t raw = cursor_le(&reader->window.cursor, width);
    uint64_t sign = UINT64_C(1) << (8 * width - 1);
    head->integer = true;
    head->number = (int64_t)(raw & (sign - 1)) - (int64_t)(raw & sign);
    return true;
}

static bool encoded_head(struct rdb *reader, uint8_t encoding, struct rdb_string_head *head)
{
    if (encoding < ENCODED_LZF)
        return integer_head(reader, (size_t)1 << encoding, head);
    if (encoding > ENCODED_LZF)
        return rdb_fail(reader, RDB_STOP_CORRUPT, head->offset, "string encoding %u", encoding);
    head->lzf = true;
    return rdb_length(reader, &head->stored) && rdb_length(reader, &head->size);
}

/* The claim of an LZF string about itself can hold. */
static bool lzf_plausible(const struct rdb_string_head *head)
{
    return head->size && head->size <= lzf_most((size_t)head->stored);
}

bool rdb_string_head(struct rdb *reader, struct rdb_string_head *head)
{
    if (!rdb_window_need(&reader->window, 1))
        return rdb_ran_out(reader);
    *head = (struct rdb_string_head){.offset = rdb_window_offset(&reader->window)};
    uint8_t first = cursor_u8(&reader->window.cursor);
    bool read = first >= ENCODED ? encoded_head(reader, first - ENCODED, head)
                                 : length_after(reader, first, &head->stored);
    if (!head->lzf)
        head->size = head->stored;
    if (read && (head->stored > RDB_ABSURD || head->size > RDB_ABSURD))
        return absurd_string(reader, head);
    reader->value.strings += !head->integer;
    reader->value.string_bytes += head->lzf && !lzf_plausible(head) ? head->stored : head->size;
    return read;
}

struct place rdb_string_place(const struct rdb *reader, const struct rdb_string_head *head)
{
    return (struct place){head->offset, rdb_window_offset(&reader->window) - head->offset, 0};
}

static bool too_large(struct rdb *reader, const struct rdb_string_head *head)
{
    return rdb_fail(reader, RDB_STOP_UNSUPPORTED, head->offset,
                    "a string of %" PRIu64 " bytes where at most %d are decoded", head->size, RDB_STRING_LARGEST);
}

static bool no_memory(struct rdb *reader)
{
    reader->window.no_memory = true;
    return rdb_ran_out(reader);
}

bool rdb_string_body(struct rdb *reader, const struct rdb_string_head *head, struct rdb_run *run, bool *sound)
{
    *sound = true;
    if (head->stored > RDB_STRING_LARGEST)
        return too_large(reader, head);
    if (!rdb_window_take(&reader->window, head->stored, run))
        return rdb_ran_out(reader);
    return !head->lzf || rdb_string_expand(reader, head, run, sound);
}

bool rdb_string_expand(struct rdb *reader, const struct rdb_string_head *head, struct rdb_run *run, bool *sound)
{
    *sound = lzf_plausible(head);
    if (*sound && head->size > RDB_STRING_LARGEST)
        return too_large(reader, head);
    if (*sound && !rdb_run_room(run, (size_t)head->size + LZF_ROOM))
        return no_memory(reader);
    /* Behind what stands in the window is room. */
    *sound = *sound && (run->borrowed ? lzf_expand_roomy : lzf_expand)(run->bytes, run->text, (size_t)head->size);
    run->bytes = (struct bytes){run->text, *sound ? (size_t)head->size : 0};
    run->borrowed = false;
    return true;
}

bool rdb_string_verify(struct rdb *reader, const struct rdb_string_head *head, struct rdb_run *run, bool *sound)
{
    *sound = true;
    if (!head->lzf)
        return rdb_skip(reader, head->stored);
    if (head->stored > RDB_STRING_LARGEST)
        return too_large(reader, head);
    if (!rdb_window_take(&reader->window, head->stored, run))
        return rdb_ran_out(reader);
    *sound = lzf_plausible(head) && lzf_verify(run->bytes, head->size);
    run->borrowed = false;
    return true;
}

bool rdb_string(struct rdb *reader, enum rdb_run_of which)
{
    struct rdb_string_head head;
    struct rdb_run *run = &reader->window.runs[which];
    run->borrowed = rdb_string_short(reader, &run->bytes);
    if (run->borrowed)
        return true;
    bool sound;
    if (!rdb_string_head(reader, &head) || !rdb_string_body(reader, &head, run, &sound))
        return false;
    if (head.integer) {
        if (!rdb_run_room(run, RDB_SCALAR_ROOM))
            return no_memory(reader);
        struct rdb_scalar scalar = {.integer = true, .number = head.number};
        run->bytes = rdb_scalar_text(&scalar, (char *)run->text);
        run->borrowed = false;
    }
    if (!sound)
        rdb_report(reader, RDB_BAD_STRING, rdb_string_place(reader, &head), rdb_string_sound, "one that does not");
    reader->lost |= !sound;
    return true;
}

bool rdb_string_skip(struct rdb *reader)
{
    struct rdb_string_head head;
    struct bytes bytes;
    if (rdb_string_short(reader, &bytes))
        return true;
    if (!rdb_string_head(reader, &head) || !rdb_skip(reader, head.stored))
        return false;
    if (head.lzf && !lzf_plausible(&head))
        rdb_report(reader, RDB_BAD_STRING, rdb_string_place(reader, &head), rdb_string_sound,
                   "a length that LZF cannot reach");
    return true;
}
