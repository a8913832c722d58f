#include "parsers/aof/aof.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "parsers/aof/aof_private.h"
#include "parsers/aof/leading_number.h"
#include "parsers/bytes/text.h"

enum {
    BLOCK = 256 * 1024, /* what is read at once; twice that and so on where a command needs it */
    NAMES = 128,
    LINE_MAX_READ = 1023, /* fgets() of loadSingleAppendOnlyFile(): AOF_ANNOTATION_LINE_MAX_LEN with its NUL */
    MAGIC_LENGTH = 5,     /* servers compare five bytes */
};

/* More than the address space of a 64-bit server: it aborts before it can find the file too short. */
static const int64_t LENGTH_IMPOSSIBLE = INT64_C(1) << 47;

enum phase { PHASE_START, PHASE_PREAMBLE, PHASE_COMMANDS, PHASE_OVER };

struct aof {
    struct source *source;
    unsigned flags;
    struct rdb *rdb; /* lives on after the preamble: it owns the bytes it read beyond */
    enum phase phase;
    enum aof_stop stop;
    struct cursor window;
    uint64_t window_offset; /* of the window's first byte */
    uint64_t stopped_at;
    uint64_t complete_to;
    char why[192];
    bool odd, pending;        /* pending: the damage of `item` was given, the item itself was not */
    struct damage damage;     /* what is odd about the command that is read */
    struct aof_item item;
    const struct aof_command *names[NAMES]; /* those met last, by a hash of the name */
    uint8_t *block;
    size_t block_size;
    uint8_t line[LINE_MAX_READ];
    uint8_t arguments[AOF_ARGUMENTS][AOF_ARGUMENT_KEPT];
};

struct aof *aof_open(struct source *source, unsigned flags)
{
    struct aof *reader = calloc(1, sizeof(*reader));
    if (!reader)
        return NULL;
    reader->source = source;
    reader->flags = flags;
    reader->block = malloc(BLOCK);
    reader->block_size = BLOCK;
    reader->window = cursor_over((struct bytes){reader->block, 0});
    if (reader->block)
        return reader;
    free(reader);
    return NULL;
}

struct aof *aof_open_tail(struct source *source, uint64_t offset)
{
    struct aof *reader = aof_open(source, 0);
    if (!reader)
        return NULL;
    reader->phase = PHASE_COMMANDS;
    reader->window_offset = reader->complete_to = offset;
    return reader;
}

void aof_close(struct aof *reader)
{
    if (!reader)
        return;
    if (reader->rdb)
        rdb_close(reader->rdb);
    free(reader->block);
    free(reader);
}

bool aof_in_preamble(const struct aof *reader)
{
    return reader->phase == PHASE_PREAMBLE;
}

const struct damage *aof_damage(const struct aof *reader)
{
    static const struct damage none = {.expected = "", .found = ""};
    const struct damage *damage = aof_in_preamble(reader) ? rdb_damage(reader->rdb) : &reader->damage;
    return damage && damage->expected ? damage : &none;
}

struct bytes aof_damage_key(const struct aof *reader)
{
    return aof_in_preamble(reader) ? rdb_damage_key(reader->rdb) : (struct bytes){0};
}

const char *aof_why(const struct aof *reader)
{
    return reader->stop == AOF_STOP_NONE ? NULL : reader->why;
}

enum aof_stop aof_stop(const struct aof *reader)
{
    return reader->stop;
}

enum rdb_stop aof_rdb_stop(const struct aof *reader)
{
    return reader->rdb ? rdb_stop(reader->rdb) : RDB_STOP_NONE;
}

static uint64_t position(const struct aof *reader)
{
    return reader->window_offset + cursor_offset(&reader->window);
}

uint64_t aof_offset(const struct aof *reader)
{
    return reader->stop == AOF_STOP_NONE ? position(reader) : reader->stopped_at;
}

uint64_t aof_complete_to(const struct aof *reader)
{
    return reader->complete_to;
}

static enum parse_step stop(struct aof *reader, enum aof_stop cause, uint64_t offset, const char *what)
{
    reader->phase = PHASE_OVER;
    reader->stop = cause;
    reader->stopped_at = offset;
    snprintf(reader->why, sizeof(reader->why), "offset %" PRIu64 ": %s", offset, what);
    return PARSE_STOP;
}

/* At least one unread byte in the window; false at the end of the evidence or at a fault. */
static bool available(struct aof *reader)
{
    if (cursor_left(&reader->window))
        return true;
    reader->window_offset = position(reader);
    size_t got = source_read(reader->source, reader->block, reader->block_size);
    reader->window = cursor_over((struct bytes){reader->block, got});
    return got > 0;
}

/* More bytes behind those of the window, which move to its beginning; false at the end, and when a command as large as
 * that is not wanted in memory as a whole. */
static bool extend(struct aof *reader)
{
    size_t left = cursor_left(&reader->window);
    reader->window_offset = position(reader);
    /* The bytes behind a preamble are the RDB reader's. */
    struct bytes rest = cursor_take(&reader->window, left);
    if (left > reader->block_size / 2) {
        size_t size = 2 * (left > reader->block_size ? left : reader->block_size);
        uint8_t *block = left < AOF_WHOLE ? malloc(size) : NULL;
        if (!block) {
            reader->window = cursor_over(rest);
            return false;
        }
        memcpy(block, rest.at, left);
        free(reader->block);
        reader->block = block;
        reader->block_size = size;
    } else if (left) {
        memmove(reader->block, rest.at, left);
    }
    size_t got = source_read(reader->source, reader->block + left, reader->block_size - left);
    reader->window = cursor_over((struct bytes){reader->block, left + got});
    return got > 0;
}

static const struct aof_command *command_named(struct aof *reader, struct bytes name)
{
    if (!name.len)
        return NULL;
    size_t hash = (name.len + 5u * (name.at[0] | 0x20u) + 11u * (name.at[name.len - 1] | 0x20u)) % NAMES;
    const struct aof_command *known = reader->names[hash];
    if (known && text_is_nocase(name, known->name))
        return known;
    known = aof_command_named(name);
    if (known)
        reader->names[hash] = known;
    return known;
}

/* What a server's fgets() gives: a line with its LF, or what its buffer holds, or what is left. Empty at the end.
 * `at_end` says that the end of the file cut it, as feof() would. */
static struct bytes read_line(struct aof *reader, bool *at_end)
{
    size_t len = 0;
    bool ended = false;
    *at_end = false;
    while (!ended && len < LINE_MAX_READ && !*at_end) {
        if (!available(reader)) {
            *at_end = true;
            break;
        }
        struct cursor probe = reader->window;
        size_t run = cursor_until(&probe, '\n').len;
        ended = cursor_left(&probe) > 0 && run < LINE_MAX_READ - len;
        run = ended ? run + 1 : run < LINE_MAX_READ - len ? run : LINE_MAX_READ - len;
        memcpy(reader->line + len, cursor_take(&reader->window, run).at, run);
        len += run;
    }
    return (struct bytes){reader->line, len};
}

/* Consumes `len` bytes, of which the first `keep_max` go to `keep`; false when fewer are left. */
static bool read_payload(struct aof *reader, uint64_t len, uint8_t *keep, size_t keep_max)
{
    while (len) {
        if (!available(reader))
            return false;
        size_t left = cursor_left(&reader->window);
        struct bytes run = cursor_take(&reader->window, len < left ? (size_t)len : left);
        size_t kept = run.len < keep_max ? run.len : keep_max;
        if (kept) {
            memcpy(keep, run.at, kept);
            keep += kept;
            keep_max -= kept;
        }
        len -= run.len;
    }
    return true;
}

/* The first thing of a command that servers pass over and none writes. */
static void note_odd(struct aof *reader, enum aof_defect code, uint64_t offset, uint64_t length)
{
    static const struct {
        const char *expected, *found;
    } texts[] = {
        [AOF_ODD_HEADER] = {"a number without blanks, sign and leading zeros, then CR and LF",
                            "a header line that no server writes"},
        [AOF_ODD_ARGUMENT_END] = {"CR and LF behind an argument", "other bytes, which a wrong length would explain"},
    };
    if (reader->odd)
        return;
    reader->odd = true;
    reader->damage = (struct damage){{offset, length, 0}, code, texts[code].expected, texts[code].found, offset + length};
}

/* The end of the evidence where a command goes on: cut off, or unreadable. */
static enum parse_step stop_at_end(struct aof *reader, uint64_t command)
{
    char what[64];
    const char *why = source_why(reader->source);
    if (why)
        return stop(reader, AOF_STOP_READ, position(reader), why);
    snprintf(what, sizeof(what), "the file ends inside a command, which began at %" PRIu64, command);
    return stop(reader, AOF_STOP_TRUNCATED, position(reader), what);
}

/* One argument: its length line, its bytes, and two bytes more, which servers do not look at. */
static enum parse_step read_argument(struct aof *reader, struct aof_item *item, uint64_t index)
{
    bool at_end;
    uint64_t offset = position(reader);
    struct bytes line = read_line(reader, &at_end);
    if (!line.len)
        return stop_at_end(reader, item->place.offset);
    if (!text_starts(line, "$"))
        return stop(reader, AOF_STOP_FORMAT, offset, "expected '$' and the length of an argument");
    int64_t len = leading_number(text_from(line, 1));
    if (len < 0 || len >= LENGTH_IMPOSSIBLE)
        return stop(reader, AOF_STOP_FORMAT, offset, "the length of an argument is not possible");
    bool keep = index < AOF_ARGUMENTS;
    uint8_t end[2];
    if (!aof_is_plain_header(line, '$'))
        note_odd(reader, AOF_ODD_HEADER, offset, line.len);
    if (!read_payload(reader, (uint64_t)len, keep ? reader->arguments[index] : NULL, keep ? AOF_ARGUMENT_KEPT : 0) ||
        !read_payload(reader, sizeof(end), end, sizeof(end)))
        return stop_at_end(reader, item->place.offset);
    if (end[0] != '\r' || end[1] != '\n')
        note_odd(reader, AOF_ODD_ARGUMENT_END, position(reader) - sizeof(end), sizeof(end));
    if (keep) {
        size_t kept = len < AOF_ARGUMENT_KEPT ? (size_t)len : AOF_ARGUMENT_KEPT;
        item->arguments[index] = (struct bytes){reader->arguments[index], kept};
        item->argument_lengths[index] = (uint64_t)len;
        item->kept = index + 1;
    }
    return PARSE_ITEM;
}

static enum parse_step give(struct aof *reader, struct aof_item *item)
{
    item->place.length = position(reader) - item->place.offset;
    return PARSE_ITEM;
}

static enum parse_step read_command(struct aof *reader, struct bytes line, bool at_end, struct aof_item *item)
{
    uint64_t offset = item->place.offset;
    struct cursor probe = cursor_over(text_from(line, 1));
    bool bare = cursor_u8(&probe) == 0; /* a server sees "*" alone: a read error to it, and at the end a short file */
    if (bare && at_end)
        return stop_at_end(reader, offset);
    /* atoi() keeps the low 32 bits. */
    int64_t number = leading_number(text_from(line, 1));
    int32_t count = (int32_t)(uint32_t)number;
    if (bare || count < 1)
        return stop(reader, AOF_STOP_FORMAT, offset, "the number of arguments is not possible");
    reader->odd = false;
    if (!aof_is_plain_header(line, '*') || number != count)
        note_odd(reader, AOF_ODD_HEADER, offset, line.len);
    item->kind = AOF_COMMAND;
    item->argument_count = (uint64_t)count;
    for (uint64_t i = 0; i < item->argument_count; i++)
        if (read_argument(reader, item, i) != PARSE_ITEM)
            return PARSE_STOP;
    item->command = command_named(reader, item->arguments[0]);
    reader->complete_to = position(reader);
    give(reader, item);
    if (!reader->odd)
        return PARSE_ITEM;
    reader->item = *item;
    reader->pending = true;
    return PARSE_DAMAGE;
}

/* Line by line and with all that servers tolerate: annotations, what no server writes, what is cut, what is larger than
 * the window, and the end. */
static enum parse_step next_by_lines(struct aof *reader, struct aof_item *item)
{
    bool at_end;
    *item = (struct aof_item){.place.offset = position(reader)};
    struct bytes line = read_line(reader, &at_end);
    if (!line.len) {
        const char *why = source_why(reader->source);
        if (why)
            return stop(reader, AOF_STOP_READ, position(reader), why);
        reader->phase = PHASE_OVER;
        return PARSE_END;
    }
    if (text_starts(line, "*"))
        return read_command(reader, line, at_end, item);
    if (!text_starts(line, "#"))
        return stop(reader, AOF_STOP_FORMAT, item->place.offset, "expected '*' and the number of arguments, or '#'");
    item->kind = AOF_ANNOTATION;
    item->text = text_from(line, 1);
    item->text.len -= text_ends(item->text, "\n");
    item->text.len -= text_ends(item->text, "\r");
    return give(reader, item);
}

/* A command as servers write them is read where it lies. */
static enum parse_step next_command(struct aof *reader, struct aof_item *item)
{
    enum aof_look look;
    if (reader->pending) {
        reader->pending = false;
        *item = reader->item;
        return PARSE_ITEM;
    }
    while ((look = aof_look(&reader->window, item)) == AOF_LOOK_CUT && extend(reader))
        continue;
    if (look != AOF_LOOK_WHOLE)
        return next_by_lines(reader, item);
    item->place.offset = position(reader);
    cursor_take(&reader->window, item->place.length);
    item->command = command_named(reader, item->arguments[0]);
    reader->complete_to = position(reader);
    return PARSE_ITEM;
}

static enum parse_step stop_in_preamble(struct aof *reader)
{
    static const enum aof_stop causes[] = {[RDB_STOP_READ] = AOF_STOP_READ, [RDB_STOP_MEMORY] = AOF_STOP_MEMORY};
    const char *why = rdb_why(reader->rdb);
    enum rdb_stop cause = rdb_stop(reader->rdb);
    reader->phase = PHASE_OVER;
    reader->stop = causes[cause] == AOF_STOP_NONE ? AOF_STOP_RDB : causes[cause];
    reader->stopped_at = rdb_offset(reader->rdb);
    snprintf(reader->why, sizeof(reader->why), "preamble: %s", why ? why : "damaged");
    return PARSE_STOP;
}

static enum parse_step next_of_preamble(struct aof *reader, struct aof_item *item)
{
    *item = (struct aof_item){.kind = AOF_RDB};
    enum parse_step step = rdb_next(reader->rdb, &item->rdb);
    if (step == PARSE_ITEM) {
        item->place = item->rdb.place;
        reader->window_offset = item->place.offset + item->place.length;
    } else if (step == PARSE_STOP) {
        return stop_in_preamble(reader);
    } else if (step == PARSE_END) {
        struct bytes rest = rdb_rest(reader->rdb);
        if (rest.len)
            reader->window = cursor_over(rest);
        reader->complete_to = reader->window_offset;
        reader->phase = PHASE_COMMANDS;
    }
    return step;
}

/* What servers do with the first bytes: five of an RDB magic begin a preamble. */
static enum parse_step start(struct aof *reader)
{
    struct bytes magic = source_peek(reader->source, MAGIC_LENGTH);
    reader->phase = PHASE_COMMANDS;
    if (!text_is(magic, "REDIS") && !text_is(magic, "VALKE"))
        return PARSE_ITEM;
    reader->rdb = rdb_open(reader->source, reader->flags);
    if (!reader->rdb)
        return stop(reader, AOF_STOP_MEMORY, 0, "no memory");
    reader->phase = PHASE_PREAMBLE;
    return PARSE_ITEM;
}

enum parse_step aof_next(struct aof *reader, struct aof_item *item)
{
    if (reader->phase == PHASE_START && start(reader) == PARSE_STOP)
        return PARSE_STOP;
    if (reader->phase == PHASE_PREAMBLE) {
        enum parse_step step = next_of_preamble(reader, item);
        if (step != PARSE_END)
            return step;
    }
    if (reader->phase == PHASE_COMMANDS)
        return next_command(reader, item);
    return reader->stop == AOF_STOP_NONE ? PARSE_END : PARSE_STOP;
}

/* The aux fields that a rewrite of an AOF sets to 1 (as an 8-bit integer, C0 01) in its RDB part: aof-preamble in Redis
 * 4.0 to 6.2, aof-base since 7.0. Dumps have them too, with 0. */
static bool says_aof(struct bytes head, const char *field)
{
    size_t at;
    if (!text_find(head, field, &at))
        return false;
    struct cursor in = cursor_over(text_from(head, at + strlen(field)));
    return cursor_be16(&in) == 0xC001;
}

static bool is_header_line(struct cursor *in, char mark)
{
    struct bytes line;
    uint64_t number;
    bool ended;
    if (!cursor_line(in, &line, &ended) || !ended || !line.len || line.at[0] != (uint8_t)mark)
        return false;
    return text_u64(text_trim(text_from(line, 1)), &number);
}

unsigned aof_likeness(struct bytes head)
{
    if (text_starts(head, "REDIS") || text_starts(head, "VALKE"))
        return says_aof(head, "aof-preamble") || says_aof(head, "aof-base") ? 90 : 0;
    struct cursor in = cursor_over(head), probe = in;
    struct bytes line;
    bool ended;
    bool annotated = false;
    while (cursor_line(&probe, &line, &ended) && text_starts(line, "#TS:")) {
        annotated = true;
        in = probe;
    }
    if (!is_header_line(&in, '*'))
        return annotated ? 70 : 0;
    return is_header_line(&in, '$') ? 95 : 40;
}
