/* What stands around the records: the header of a replication capture, magic and version, the end of a capture, and
 * what follows.
 *
 *     $EOF:<mark of 40 bytes>\r\n  dump  <mark>      a primary that streams to replicas (rdbSaveRioWithEOFMark)
 *     $<length>\r\n  dump                           one that sends a file
 */
#include <inttypes.h>

#include "parsers/bytes/text.h"
#include "parsers/bytes/vcs.h"
#include "parsers/rdb/rdb_private.h"

enum {
    MAGIC = 9,
    NEWEST_REDIS = 15, /* versions whose opcodes and types are in the tables, as far as they are known */
    NEWEST_VALKEY = 81,
    FIRST_VALKEY = 80, /* "VALKEY" counts from here, "REDIS" ends before */
    CAPTURE_LINE = sizeof("$EOF:\r\n") - 1 + RDB_MARK,
    DRAGONFLY_OFFSET = 211, /* may follow the checksum, with 8 bytes */
};

static uint64_t offset_of(const struct rdb *reader)
{
    return rdb_window_offset(&reader->window);
}

/* The bytes, which end the evidence, are the beginning of this one. */
static bool is_start_of(struct bytes bytes, const char *whole)
{
    return bytes.len < strlen(whole) && !memcmp(bytes.at, whole, bytes.len);
}

static bool not_rdb(struct rdb *reader, uint64_t offset)
{
    return rdb_fail(reader, RDB_STOP_NOT_RDB, offset, "no RDB magic");
}

/* Files that hold a dump and are none: how they begin. */
static const struct {
    const char *start;
    size_t length;
    const char *found;
} wrapped[] = {
    {"\xef\xbb\xbfREDIS", 8, "a byte order mark before it, as editors write it"},
    {"\xef\xbb\xbfVALKEY", 9, "a byte order mark before it, as editors write it"},
    {"\xff\xfeR\0E\0", 6, "a dump that was written as UTF-16"},
    {"\xff\xfeV\0A\0", 6, "a dump that was written as UTF-16"},
    {"UkVESVMw", 8, "a dump in Base64"},
    {"VkFMS0VZ", 8, "a dump in Base64"},
    {"524544495", 9, "a dump in hexadecimal digits"},
    {"56414c4b4", 9, "a dump in hexadecimal digits"},
    {"\x1f\x8b", 2, "a dump or something else that gzip compressed once more"},
    {"\x28\xb5\x2f\xfd", 4, "a dump or something else that zstd compressed once more"},
    {"\x04\x22\x4d\x18", 4, "a dump or something else that lz4 compressed once more"},
    {"\0\0\0\0\0\0\0\0\0", 9, "zero bytes: a page that was never written"},
};

static bool refuse_magic(struct rdb *reader, uint64_t offset, struct bytes magic)
{
    for (size_t i = 0; i < sizeof(wrapped) / sizeof(*wrapped); i++)
        if (magic.len >= wrapped[i].length && !memcmp(magic.at, wrapped[i].start, wrapped[i].length))
            return rdb_fail(reader, RDB_STOP_NOT_RDB, offset, "no RDB magic, but %s", wrapped[i].found);
    return not_rdb(reader, offset);
}

/* The header of a capture can begin so. */
static bool may_be_capture(struct bytes line)
{
    uint64_t length;
    struct bytes rest = text_from(line, 1);
    if (text_ends(rest, "\r"))
        rest.len--;
    return !rest.len || is_start_of(rest, "EOF:") || text_starts(rest, "EOF:") || text_u64(rest, &length);
}

static bool read_capture(struct rdb *reader)
{
    struct rdb_window *window = &reader->window;
    struct rdb_capture *capture = &reader->capture;
    uint8_t text[CAPTURE_LINE];
    struct bytes line = {text, 0};
    while (line.len < sizeof(text) && !text_ends(line, "\n")) {
        if (!rdb_window_need(window, 1))
            return source_why(window->source) || may_be_capture(line) ? rdb_ran_out(reader) : not_rdb(reader, 0);
        text[line.len++] = cursor_u8(&window->cursor);
    }
    if (!text_ends(line, "\r\n"))
        return not_rdb(reader, 0);
    line = text_from((struct bytes){text, line.len - 2}, 1);
    capture->marked = text_starts(line, "EOF:");
    capture->measured = text_u64(line, &capture->length);
    if (capture->marked && line.len == strlen("EOF:") + RDB_MARK)
        memcpy(capture->mark, line.at + strlen("EOF:"), RDB_MARK);
    else if (!capture->measured)
        return not_rdb(reader, 0);
    rdb_window_checksum_begin(window);
    capture->start = offset_of(reader);
    return true;
}

/* The header tells why this container was not seen through where the source was opened. */
static bool refuse_container(struct rdb *reader, uint64_t start, const struct vcs_header *header)
{
    size_t at;
    const char *why = vcs_why_not(header, &at);
    return rdb_fail(reader, RDB_STOP_UNSUPPORTED, start + at, "Valkey's container for compressed dumps, %s",
                    why ? why : "inside of another compression or of a capture");
}

/* In words what is said of a version that is newer than the tables. */
static void report_newer(struct rdb *reader, struct place place, bool valkey)
{
    rdb_report(reader, RDB_NEWER_VERSION, place, valkey ? "VALKEY081 or older" : "REDIS0015 or older",
               "version %" PRIu32 ", newer than what is known", reader->version);
}

bool rdb_envelope_begin(struct rdb *reader, struct rdb_item *item)
{
    struct rdb_window *window = &reader->window;
    *item = (struct rdb_item){0};
    if (rdb_window_need(window, 1) && *window->cursor.at == '$' && !read_capture(reader))
        return false;
    uint64_t start = offset_of(reader);
    item->place.offset = start;
    bool whole = rdb_window_need(window, MAGIC);
    struct bytes magic = cursor_take(&window->cursor, whole ? MAGIC : cursor_left(&window->cursor));
    bool valkey = text_starts(magic, "VALKEY"), redis = text_starts(magic, "REDIS");
    struct vcs_header container;
    if (vcs_header_read(magic, &container))
        return refuse_container(reader, start, &container);
    if (!magic.len && !start && !source_why(window->source))
        return rdb_fail(reader, RDB_STOP_TRUNCATED, start, "the evidence is empty");
    if (!whole && (source_why(window->source) || is_start_of(magic, "REDIS") || is_start_of(magic, "VALKEY") ||
                   valkey || redis || container.letters))
        return rdb_ran_out(reader);

    size_t letters = valkey ? 6 : 5;
    uint64_t version;
    if ((!valkey && !redis) || !text_u64(text_from(magic, letters), &version))
        return refuse_magic(reader, start, magic);
    struct place digits = {.offset = start + letters, .length = MAGIC - letters};
    if (!version || (valkey && version < FIRST_VALKEY))
        return rdb_fail(reader, RDB_STOP_CORRUPT, digits.offset, "%s version %" PRIu64, valkey ? "VALKEY" : "REDIS",
                        version);
    if (redis && version >= FIRST_VALKEY)
        return rdb_fail(reader, RDB_STOP_UNSUPPORTED, digits.offset,
                        "REDIS version %" PRIu64 ": versions from %d on are known with VALKEY only", version,
                        FIRST_VALKEY);

    reader->version = (uint32_t)version;
    reader->dialect = valkey ? RDB_VALKEY : RDB_REDIS;
    reader->state = RDB_AT_RECORD;
    rdb_dialect_apply(reader);
    *item = (struct rdb_item){.kind = RDB_HEADER,
                              .place = {.offset = start, .length = MAGIC},
                              .version = reader->version,
                              .valkey_magic = valkey};
    if (version > (valkey ? NEWEST_VALKEY : NEWEST_REDIS))
        report_newer(reader, digits, valkey);
    return true;
}

/* The mark again, behind the checksum. False when the source failed. */
static bool read_mark(struct rdb *reader)
{
    struct rdb_window *window = &reader->window;
    struct place place = {.offset = offset_of(reader)};
    bool same = true;
    for (; place.length < RDB_MARK && rdb_window_need(window, 1); place.length++)
        same &= cursor_u8(&window->cursor) == reader->capture.mark[place.length];
    if (source_why(window->source) && place.length < RDB_MARK)
        return rdb_ran_out(reader);
    static const char expected[] = "the mark of 40 bytes with which the capture begins";
    if (place.length < RDB_MARK)
        rdb_report(reader, RDB_BAD_CAPTURE, place, expected, "the end of the evidence after %" PRIu64 " bytes of it",
                   place.length);
    else if (!same)
        rdb_report(reader, RDB_BAD_CAPTURE, place, expected, "other bytes");
    return true;
}

static bool end_capture(struct rdb *reader)
{
    const struct rdb_capture *capture = &reader->capture;
    uint64_t length = offset_of(reader) - capture->start;
    if (capture->marked)
        return read_mark(reader);
    if (capture->measured && length != capture->length) {
        struct place place = {.length = capture->start};
        struct damage *damage = rdb_report(reader, RDB_BAD_CAPTURE, place, "a dump of the length stated before it",
                                           "%" PRIu64 " bytes, stated %" PRIu64, length, capture->length);
        if (damage)
            damage->resumed = offset_of(reader);
    }
    return true;
}

/* What Dragonfly may send behind the end: where its journal goes on. */
static void skip_journal_offset(struct rdb *reader)
{
    struct cursor *cursor = &reader->window.cursor;
    if (reader->dialect == RDB_DRAGONFLY && rdb_window_need(&reader->window, 9) && *cursor->at == DRAGONFLY_OFFSET)
        cursor_take(cursor, 9);
}

static bool are_zeros(struct bytes bytes)
{
    return !bytes.len || (!*bytes.at && !memcmp(bytes.at, bytes.at + 1, bytes.len - 1));
}

bool rdb_envelope_end(struct rdb *reader, struct rdb_item *item)
{
    struct rdb_window *window = &reader->window;
    reader->state = RDB_AT_END;
    *item = (struct rdb_item){0};
    if (!end_capture(reader))
        return false;
    if (!reader->end_expected)
        return true;
    skip_journal_offset(reader);
    struct place place = {.offset = offset_of(reader)};
    rdb_window_need(window, MAGIC);
    struct cursor ahead = window->cursor;
    struct bytes behind = cursor_take(&ahead, cursor_left(&ahead));
    bool another = text_starts(behind, "REDIS") || text_starts(behind, "VALKEY"), zeros = true;
    while (rdb_window_need(window, 1))
        zeros &= are_zeros(cursor_take(&window->cursor, cursor_left(&window->cursor)));
    if (source_why(window->source))
        return rdb_ran_out(reader);
    place.length = offset_of(reader) - place.offset;
    if (place.length)
        rdb_report(reader, RDB_TRAILING_BYTES, place, "the end of the evidence", "%" PRIu64 " bytes more%s",
                   place.length, another ? ", which begin as another dump" : zeros ? ", all zero" : "");
    return true;
}
