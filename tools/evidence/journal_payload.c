/* What RESTORE is given: a value as in a dump, the version of the dump's format, and a checksum. It is read as the dump
 * that it would be with a header, an empty key and an end around it, so that one reader knows values. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parsers/bytes/crc64.h"
#include "tools/evidence/journal_private.h"

/* verifyDumpPayload() and createDumpPayload(), cluster.c: two bytes of version, eight of checksum, little endian. */
enum { FOOTER = 10, CHECKSUM = 8, HEADER = 9, EMPTY_KEY = 1, END = 9, MOST_VERSION = 9999, END_OPCODE = 0xFF };

/* False where reading shows that a server cannot take it. What this reader does not know, a server may. */
static bool reads_as_dump(const uint8_t *dump, size_t len)
{
    struct source *source = source_memory(dump, len);
    struct rdb *reader = source ? rdb_open(source, RDB_CHECK_VALUES) : NULL;
    struct rdb_item item;
    enum parse_step step;
    bool sound = true;
    while (reader && ((step = rdb_next(reader, &item)) == PARSE_ITEM || step == PARSE_DAMAGE))
        sound &= step == PARSE_ITEM || !rdb_defect_is_corruption((enum rdb_defect)rdb_damage(reader)->code);
    enum rdb_stop stop = reader ? rdb_stop(reader) : RDB_STOP_NONE;
    sound &= stop != RDB_STOP_TRUNCATED && stop != RDB_STOP_CORRUPT;
    sound &= stop != RDB_STOP_NONE || !reader || !rdb_rest(reader).len;
    if (reader)
        rdb_close(reader);
    source_close(source);
    return sound;
}

bool journal_payload_is_sound(struct bytes payload, bool functions, const char **why)
{
    *why = "the payload is too short for its checksum";
    if (payload.len < FOOTER + (size_t)!functions)
        return false;
    struct cursor in = cursor_over(payload);
    struct bytes summed = cursor_take(&in, payload.len - CHECKSUM);
    struct cursor footer = cursor_over((struct bytes){summed.at, summed.len});
    struct bytes value = cursor_take(&footer, payload.len - FOOTER);
    unsigned version = cursor_le16(&footer);
    *why = "the checksum of the payload does not match";
    if (cursor_le64(&in) != crc64(0, summed))
        return false;
    *why = "the value in the payload is damaged";
    if (version > MOST_VERSION)
        return true;
    size_t key = functions ? 0 : EMPTY_KEY, len = HEADER + key + value.len + END;
    uint8_t *dump = calloc(1, len + 1);
    if (!dump)
        return true;
    snprintf((char *)dump, HEADER + 1, "REDIS%04u", version);
    struct cursor rest = cursor_over(value);
    struct bytes type = cursor_take(&rest, key);
    if (key)
        dump[HEADER] = type.at[0];
    /* The byte behind the type stays 0: a key of no bytes. */
    struct bytes body = cursor_take(&rest, cursor_left(&rest));
    if (body.len)
        memcpy(dump + HEADER + 2 * key, body.at, body.len);
    dump[len - END] = END_OPCODE;
    bool sound = reads_as_dump(dump, len);
    free(dump);
    return sound;
}
