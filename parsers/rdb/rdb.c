/* RDB dumps: the walk over envelope, opcodes and keys.
 *
 *     MAGIC(9)  { opcode payload | [prefix opcodes] type key value }...  EOF(0xff)  [CRC-64 (8), since version 5]
 *
 * Example, a dump of Redis 3.0 with nothing in it:
 *
 *     52 45 44 49 53 30 30 30 36   REDIS0006
 *     ff                           EOF
 *     dc b3 43 f0 5a dc f2 56      CRC-64 of the ten bytes before it, little-endian
 *
 * What stands between magic and EOF is read by rdb_record.c, values are stepped over by rdb_step.c.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "parsers/bytes/text.h"
#include "parsers/rdb/rdb_private.h"

enum {
    WINDOW = 256 * 1024, /* stays in the second-level cache while it is summed and walked */
    MAGIC = 9,
    NEWEST_REDIS = 15, /* versions whose opcodes and types are in the tables, as far as they are known */
    NEWEST_VALKEY = 81,
    FIRST_VALKEY = 80, /* "VALKEY" counts from here, "REDIS" ends before */
};

static bool is_start_of(struct bytes bytes, const char *magic)
{
    return bytes.len < strlen(magic) && !memcmp(bytes.at, magic, bytes.len);
}

static bool read_magic(struct rdb *reader, struct rdb_item *item)
{
    struct rdb_window *window = &reader->window;
    *item = (struct rdb_item){0};
    bool whole = rdb_window_need(window, MAGIC);
    struct bytes magic = cursor_take(&window->cursor, whole ? MAGIC : cursor_left(&window->cursor));
    if (!whole && (source_why(window->source) || is_start_of(magic, "REDIS") || is_start_of(magic, "VALKEY") ||
                   text_starts(magic, "REDIS") || text_starts(magic, "VALKEY")))
        return rdb_ran_out(reader);
    if (text_starts(magic, "VCS"))
        return rdb_fail(reader, RDB_STOP_UNSUPPORTED, 0, "a dump in Valkey's compressed container");

    bool valkey = text_starts(magic, "VALKEY");
    uint64_t version;
    if ((!valkey && !text_starts(magic, "REDIS")) || !text_u64(text_from(magic, valkey ? 6 : 5), &version))
        return rdb_fail(reader, RDB_STOP_NOT_RDB, 0, "no RDB magic");
    if (!version || (valkey ? version < FIRST_VALKEY : version >= FIRST_VALKEY))
        return rdb_fail(reader, RDB_STOP_CORRUPT, valkey ? 6 : 5, "%s version %" PRIu64, valkey ? "VALKEY" : "REDIS",
                        version);

    reader->version = (uint32_t)version;
    reader->dialect = valkey ? RDB_VALKEY : RDB_REDIS;
    reader->state = RDB_AT_RECORD;
    rdb_dialect_apply(reader);
    *item = (struct rdb_item){
        .kind = RDB_HEADER, .place = {.length = MAGIC}, .version = reader->version, .valkey_magic = valkey};
    if (version > (valkey ? NEWEST_VALKEY : NEWEST_REDIS))
        rdb_fail(reader, RDB_STOP_UNSUPPORTED, MAGIC, "version %" PRIu64 " is newer than what is known", version);
    return true;
}

/* After the dump: what follows is counted when nothing may. False when the reader stopped. */
static bool read_trailing(struct rdb *reader, struct rdb_item *item)
{
    reader->state = RDB_AT_END;
    *item = (struct rdb_item){0};
    if (!reader->end_expected)
        return true;
    struct rdb_window *window = &reader->window;
    struct place place = {.offset = rdb_window_offset(&reader->window)};
    while (rdb_window_need(window, 1))
        rdb_window_skip(window, cursor_left(&window->cursor));
    if (source_why(window->source))
        return rdb_ran_out(reader);
    place.length = rdb_window_offset(&reader->window) - place.offset;
    if (place.length)
        rdb_report(reader, RDB_TRAILING_BYTES, place, "the end of the evidence", "%" PRIu64 " bytes more",
                   place.length);
    return true;
}

/* Reads on until there is something to say. */
static enum parse_step advance(struct rdb *reader, struct rdb_item *item)
{
    reader->damage_count = reader->damage_next = 0;
    if (reader->state == RDB_AT_MAGIC)
        return read_magic(reader, item) ? PARSE_ITEM : PARSE_STOP;
    if (reader->state == RDB_AFTER_EOF)
        return read_trailing(reader, item) ? PARSE_END : PARSE_STOP;
    if (reader->state == RDB_AT_END)
        return PARSE_END;
    for (;;) {
        reader->lost = false;
        switch (rdb_record(reader, item)) {
        case RDB_RECORD_ITEM:
            return PARSE_ITEM;
        case RDB_RECORD_STOP:
            return PARSE_STOP;
        case RDB_RECORD_LOST:
            return PARSE_DAMAGE; /* that the record queued */
        case RDB_RECORD_MORE:
            break;
        }
    }
}

enum parse_step rdb_next(struct rdb *reader, struct rdb_item *item)
{
    if (reader->damage_next < reader->damage_count) {
        reader->damage_next++;
        return PARSE_DAMAGE;
    }
    if (reader->item_waits) {
        reader->item_waits = false;
        *item = reader->waiting;
        return PARSE_ITEM;
    }
    if (reader->stop) {
        *item = reader->waiting;
        return PARSE_STOP;
    }
    enum parse_step step = advance(reader, item);
    if (step == PARSE_STOP)
        reader->waiting = *item;
    if (!reader->damage_count)
        return step;
    reader->item_waits = step == PARSE_ITEM;
    reader->waiting = *item;
    reader->damage_next = 1;
    return PARSE_DAMAGE;
}

struct rdb *rdb_open_sized(struct source *source, unsigned flags, size_t size)
{
    struct rdb *reader = calloc(1, sizeof(*reader));
    if (!reader)
        return NULL;
    reader->flags = flags;
    if (rdb_window_open(&reader->window, source, size))
        return reader;
    rdb_close(reader);
    return NULL;
}

struct rdb *rdb_open(struct source *source, unsigned flags)
{
    return rdb_open_sized(source, flags, WINDOW);
}

void rdb_expect_end(struct rdb *reader)
{
    reader->end_expected = true;
}

struct bytes rdb_rest(const struct rdb *reader)
{
    struct cursor rest = reader->window.cursor;
    return cursor_take(&rest, reader->state == RDB_AT_END ? cursor_left(&rest) : 0);
}

const struct damage *rdb_damage(const struct rdb *reader)
{
    return reader->damage_next ? &reader->damages[reader->damage_next - 1] : NULL;
}

const char *rdb_why(const struct rdb *reader)
{
    return reader->stop ? reader->why : NULL;
}

enum rdb_stop rdb_stop(const struct rdb *reader)
{
    return reader->stop;
}

uint64_t rdb_offset(const struct rdb *reader)
{
    return reader->stop ? reader->stop_offset : rdb_window_offset(&reader->window);
}

void rdb_close(struct rdb *reader)
{
    if (!reader)
        return;
    rdb_window_close(&reader->window);
    free(reader);
}
