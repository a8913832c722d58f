#include "tools/evidence/dump_checksum.h"

#include <inttypes.h>
#include <isa-l/crc64.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parsers/bytes/cursor.h"

enum {
    MAGIC = 9,
    END = 9, /* the end opcode and the checksum */
    END_OPCODE = 0xff,
    FIRST_CHECKSUM = 5, /* version */
    BLOCK = 1024 * 1024,
};

struct header {
    uint32_t version;
    enum rdb_stop stop;
    uint64_t offset; /* of the stop */
    char why[128];
};

static void stop_at(struct header *header, enum rdb_stop stop, const char *why, uint64_t offset)
{
    header->stop = stop;
    header->offset = offset;
    snprintf(header->why, sizeof(header->why), "%s", why);
}

/* The reader judges the magic bytes; it is given no more. False without memory. */
static bool read_header(struct dump_builder *builder, struct bytes magic, struct header *header)
{
    struct source *source = source_memory(magic.at, magic.len);
    struct rdb *reader = source ? rdb_open(source, 0) : NULL;
    bool ok = reader;
    if (reader) {
        struct rdb_item item;
        if (rdb_next(reader, &item) == PARSE_ITEM) {
            header->version = item.version;
            ok = dump_builder_item(builder, &item);
        }
        if (rdb_stop(reader) == RDB_STOP_READ) /* bytes that are compressed once more */
            stop_at(header, RDB_STOP_NOT_RDB, "no RDB magic (offset 0)", 0);
        else if (rdb_stop(reader))
            stop_at(header, rdb_stop(reader), rdb_why(reader), rdb_offset(reader));
    }
    rdb_close(reader);
    source_close(source);
    return ok;
}

/* What is known at the end of the source. */
struct sum {
    uint64_t size;
    uint64_t crc; /* of all but the last 8 bytes */
    uint8_t last[END];
};

/* False without memory. */
static bool sum_up(struct source *source, struct sum *sum)
{
    uint8_t *buffer = malloc(END + BLOCK);
    if (!buffer)
        return false;
    uint64_t crc = ~UINT64_C(0);
    size_t held = 0;
    for (size_t got; (got = source_read(source, buffer + held, BLOCK)) > 0;) {
        sum->size += got;
        held += got;
        if (held <= END)
            continue;
        size_t settled = held - END;
        /* ISA-L complements what goes in and what comes out, so its raw results chain. */
        crc = crc64_jones_refl(crc, buffer, settled);
        memmove(buffer, buffer + settled, END);
        held = END;
    }
    sum->crc = ~crc64_jones_refl(crc, buffer, held ? 1 : 0);
    memcpy(sum->last, buffer, held);
    free(buffer);
    return true;
}

/* Where the end of the dump should be. A CRC over its own bytes gives 0, and so does one over zeros that follow: a
 * padded file would compare equal. So the end opcode is asked for before the checksum is. */
static void check_end(struct header *header, const struct sum *sum)
{
    bool checked = header->version >= FIRST_CHECKSUM;
    size_t opcode = checked ? 0 : END - 1;
    if (sum->size < MAGIC + END - opcode)
        stop_at(header, RDB_STOP_TRUNCATED, "the evidence ends inside the dump", sum->size);
    else if (sum->last[opcode] != END_OPCODE)
        stop_at(header, RDB_STOP_CORRUPT,
                checked ? "no end of a dump (ff) before the last 8 bytes: it was cut, or other bytes follow it"
                        : "the last byte is no end of a dump (ff): it was cut, or other bytes follow it",
                sum->size - END + opcode);
}

/* False without memory. */
static bool add_end(struct dump_builder *builder, uint32_t version, const struct sum *sum)
{
    bool checked = version >= FIRST_CHECKSUM;
    struct cursor end = cursor_over((struct bytes){sum->last, END});
    cursor_u8(&end);
    uint64_t stored = checked ? cursor_le64(&end) : 0, length = checked ? END : 1;
    struct rdb_item item = {
        .kind = RDB_EOF,
        .place = {.offset = sum->size - length, .length = length},
        .has_checksum = stored != 0,
        .stored_checksum = stored,
        .computed_checksum = sum->crc,
    };
    char found[64];
    snprintf(found, sizeof(found), "%016" PRIx64 ", computed %016" PRIx64, stored, sum->crc);
    struct damage damage = {
        .place = {.offset = item.place.offset + 1, .length = length - 1},
        .code = RDB_BAD_CHECKSUM,
        .expected = "the CRC-64 of the dump",
        .found = found,
    };
    bool wrong = item.has_checksum && stored != sum->crc;
    return (!wrong || dump_builder_damage(builder, &damage)) && dump_builder_item(builder, &item);
}

struct dump *dump_checksum(struct arena *arena, struct source *source, size_t file)
{
    struct dump_builder *builder = dump_builder_new(arena, file);
    struct header header = {0};
    struct sum sum = {0};
    if (!builder || !read_header(builder, source_peek(source, MAGIC), &header))
        return NULL;
    if (!header.stop && !sum_up(source, &sum))
        return NULL;
    if (source_why(source))
        stop_at(&header, RDB_STOP_READ, source_why(source), sum.size);
    else if (!header.stop)
        check_end(&header, &sum);
    if (!header.stop && !add_end(builder, header.version, &sum))
        return NULL;
    return dump_builder_done(builder, header.stop, header.why, header.stop ? header.offset : sum.size);
}
