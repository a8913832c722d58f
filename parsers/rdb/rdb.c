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
 * Magic and what may stand around the dump is read by rdb_envelope.c, what stands between magic and EOF by rdb_record.c;
 * values are stepped over by rdb_step.c.
 */
#include <stdlib.h>

#include "parsers/rdb/rdb_part.h"
#include "parsers/rdb/rdb_private.h"

enum { WINDOW = 256 * 1024 }; /* stays in the second-level cache while it is summed and walked */

/* Reads on until there is something to say. */
static enum parse_step advance(struct rdb *reader, struct rdb_item *item)
{
    reader->damage_count = reader->damage_next = 0;
    if (reader->value.state == RDB_VALUE_OPEN && !rdb_value_rest(reader)) {
        *item = reader->waiting;
        item->key.name = reader->window.runs[RDB_NAME].bytes;
        return PARSE_STOP;
    }
    if (reader->end_believed && reader->state == RDB_AT_RECORD) {
        *item = reader->waiting;
        return rdb_record_end(reader, item) == RDB_RECORD_ITEM ? PARSE_ITEM : PARSE_STOP;
    }
    if (reader->state == RDB_AT_MAGIC)
        return rdb_envelope_begin(reader, item) ? PARSE_ITEM : PARSE_STOP;
    if (reader->state == RDB_AFTER_EOF)
        return rdb_envelope_end(reader, item) ? PARSE_END : PARSE_STOP;
    if (reader->state == RDB_AT_END || (reader->part && !cursor_left(&reader->window.cursor)))
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
        if (reader->value.state == RDB_VALUE_OPEN)
            item->key.name = reader->window.runs[RDB_NAME].bytes; /* it may have moved with the window */
        return PARSE_STOP;
    }
    enum parse_step step = advance(reader, item);
    if (step == PARSE_STOP || reader->flags & RDB_VALUES)
        reader->waiting = *item;
    if (!reader->damage_count)
        return step;
    reader->item_waits = step == PARSE_ITEM;
    reader->waiting = *item;
    reader->damage_key = item->kind == RDB_KEY ? item->key.name : (struct bytes){0};
    reader->damage_next = 1;
    return PARSE_DAMAGE;
}

struct rdb *rdb_open_lent(struct source *source, unsigned flags, size_t size, struct rdb_lender lender)
{
    struct rdb *reader = calloc(1, sizeof(*reader));
    if (!reader)
        return NULL;
    reader->flags = flags;
    if (rdb_window_open_lent(&reader->window, source, size, lender))
        return reader;
    rdb_close(reader);
    return NULL;
}

struct rdb *rdb_open_sized(struct source *source, unsigned flags, size_t size)
{
    return rdb_open_lent(source, flags, size, (struct rdb_lender){0});
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
    rdb_bundle_drop(reader);
    rdb_value_close(reader);
    rdb_window_close(&reader->window);
    free(reader);
}
