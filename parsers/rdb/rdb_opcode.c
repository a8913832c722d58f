/* Opcodes of one server that no layout describes. */
#include "parsers/bytes/text.h"
#include "parsers/rdb/rdb_private.h"

enum {
    MASK_MEMCACHED = 2,
    MASK_KNOWN = 3, /* 1: sticky, without more bytes */
    DIGITS = 20,    /* of 64 bits */
    MOST_ARGUMENTS = 1 << 20,
};

/* Of an argument: more than any server takes, less than overflows when it is added up. */
static const uint64_t LONGEST_ARGUMENT = UINT64_C(1) << 40;

/* Dragonfly: 32 bits of flags, and 32 more for memcached's when it has them. Source: its rdb_extensions.h. */
enum rdb_outcome rdb_opcode_mask(struct rdb *reader, const struct rdb_row *row, struct rdb_item *item)
{
    struct rdb_window *window = &reader->window;
    rdb_prefix_begin(reader, item);
    if (!rdb_window_need(window, 4)) {
        rdb_ran_out(reader);
        return RDB_RECORD_STOP;
    }
    uint32_t flags = cursor_le32(&window->cursor);
    if (flags & ~(uint32_t)MASK_KNOWN) {
        rdb_fail(reader, RDB_STOP_UNSUPPORTED, item->place.offset,
                 "opcode %u (%s) has flags %#x, of which more bytes may follow than are known", row->byte, row->name,
                 flags);
        return RDB_RECORD_STOP;
    }
    return !(flags & MASK_MEMCACHED) || rdb_step(reader, "4") ? RDB_RECORD_MORE : RDB_RECORD_STOP;
}

/* A mark, digits and CRLF, as RESP writes counts and lengths. */
static bool resp_number(struct rdb *reader, uint8_t mark, uint64_t limit, uint64_t *value)
{
    struct rdb_window *window = &reader->window;
    uint64_t offset = rdb_window_offset(window);
    uint8_t text[1 + DIGITS + 2];
    struct bytes line = {text, 0};
    while (line.len < sizeof(text) && !text_ends(line, "\n")) {
        if (!rdb_window_need(window, 1))
            return rdb_ran_out(reader);
        text[line.len++] = cursor_u8(&window->cursor);
    }
    bool whole = text_ends(line, "\r\n") && text[0] == mark;
    if (whole && text_u64(text_from((struct bytes){text, line.len - 2}, 1), value) && *value <= limit)
        return true;
    return rdb_fail(reader, RDB_STOP_CORRUPT, offset, "no %s of a command", mark == '*' ? "count" : "length");
}

static bool resp_argument(struct rdb *reader)
{
    struct rdb_window *window = &reader->window;
    uint64_t length;
    if (!resp_number(reader, '$', LONGEST_ARGUMENT, &length))
        return false;
    if (!rdb_window_skip(window, length) || !rdb_window_need(window, 2))
        return rdb_ran_out(reader);
    uint64_t offset = rdb_window_offset(window);
    return cursor_be16(&window->cursor) == ('\r' << 8 | '\n') ||
           rdb_fail(reader, RDB_STOP_CORRUPT, offset, "an argument of a command does not end with CRLF");
}

/* Valkey 9.2 saves without a fork: a command that came meanwhile stands in the dump, in RESP. It may change, make or
 * delete keys that stand before it or come after it, so nothing that is counted need agree any more. */
enum rdb_outcome rdb_opcode_update(struct rdb *reader, const struct rdb_row *row, struct rdb_item *item)
{
    uint64_t count, offset = rdb_window_offset(&reader->window);
    rdb_prefix_drop(reader, item);
    reader->claims_unsure = true;
    item->kind = RDB_OPCODE;
    item->name = (struct bytes){(const uint8_t *)row->name, strlen(row->name)};
    if (!resp_number(reader, '*', MOST_ARGUMENTS, &count))
        return RDB_RECORD_STOP;
    if (!count) {
        rdb_fail(reader, RDB_STOP_CORRUPT, offset, "a command without a name");
        return RDB_RECORD_STOP;
    }
    for (uint64_t i = 0; i < count; i++)
        if (!resp_argument(reader))
            return RDB_RECORD_STOP;
    return RDB_RECORD_ITEM;
}
