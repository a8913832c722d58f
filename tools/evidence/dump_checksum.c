#include "tools/evidence/dump_checksum.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parsers/bytes/crc64.h"
#include "parsers/bytes/cursor.h"

enum {
    MAGIC = 9,
    HEAD = 64, /* the header of a capture, and the magic behind it */
    END = 9, /* the end opcode and the checksum */
    END_OPCODE = 0xff,
    FIRST_CHECKSUM = 5, /* version */
    BLOCK = 1024 * 1024,
    PIECE = 256 * 1024,
    LARGE = 4 * 1024 * 1024, /* worth a thread */
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

/* The reader judges the first bytes; it is given no more. False without memory. */
static bool read_header(struct dump_builder *builder, struct bytes magic, struct header *header)
{
    struct source *source = source_memory(magic.at, magic.len);
    struct rdb *reader = source ? rdb_open(source, 0) : NULL;
    bool ok = reader;
    if (reader) {
        struct rdb_item item;
        enum parse_step step;
        while (ok && (step = rdb_next(reader, &item)) == PARSE_DAMAGE)
            ok = dump_builder_damage(builder, rdb_damage(reader), rdb_damage_key(reader), -1);
        if (ok && step == PARSE_ITEM) {
            header->version = item.version;
            ok = dump_builder_item(builder, &item);
            if (item.place.offset)
                stop_at(header, RDB_STOP_UNSUPPORTED,
                        "a captured replication stream, whose checksum is found only by reading it all", 0);
        }
        if (rdb_stop(reader) == RDB_STOP_READ) /* bytes that are compressed once more */
            stop_at(header, RDB_STOP_NOT_RDB, "no RDB magic", 0);
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

/* From front to back. False without memory. */
static bool sum_up(struct source *source, struct sum *sum)
{
    uint8_t *buffer = malloc(END + BLOCK);
    if (!buffer)
        return false;
    size_t held = 0;
    for (size_t got; (got = source_read(source, buffer + held, BLOCK)) > 0;) {
        sum->size += got;
        held += got;
        if (held <= END)
            continue;
        sum->crc = crc64(sum->crc, (struct bytes){buffer, held - END});
        memmove(buffer, buffer + held - END, END);
        held = END;
    }
    sum->crc = crc64(sum->crc, (struct bytes){buffer, held ? 1 : 0});
    memcpy(sum->last, buffer, held);
    free(buffer);
    return true;
}

/* A stretch of a plain file, summed by a thread of its own. */
struct stretch {
    const struct source *source;
    uint64_t from, length, crc;
    bool summed;
};

static void *sum_stretch(void *context)
{
    struct stretch *stretch = context;
    uint8_t *buffer = malloc(PIECE);
    stretch->summed = buffer;
    for (uint64_t done = 0; stretch->summed && done < stretch->length;) {
        uint64_t left = stretch->length - done;
        size_t piece = left < PIECE ? (size_t)left : PIECE;
        stretch->summed = source_read_ahead(stretch->source, stretch->from + done, buffer, piece);
        if (stretch->summed)
            stretch->crc = crc64(stretch->crc, (struct bytes){buffer, piece});
        done += piece;
    }
    free(buffer);
    return NULL;
}

/* In two halves at the same time, where that can be done; else nothing has been read. */
static bool sum_halves(struct source *source, struct sum *sum)
{
    uint64_t size;
    pthread_t other;
    if (!source_left(source, &size) || size < LARGE || !source_read_ahead(source, size - END, sum->last, END))
        return false;
    uint64_t body = size - (END - 1);
    struct stretch first = {source, 0, body / 2, 0, false};
    struct stretch second = {source, body / 2, body - body / 2, 0, false};
    bool started = pthread_create(&other, NULL, sum_stretch, &second) == 0;
    sum_stretch(&first);
    if (started)
        pthread_join(other, NULL);
    else
        sum_stretch(&second);
    sum->size = size;
    sum->crc = crc64_join(first.crc, second.crc, second.length);
    return first.summed && second.summed;
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
    return (!wrong || dump_builder_damage(builder, &damage, (struct bytes){0}, -1)) &&
           dump_builder_item(builder, &item);
}

struct dump *dump_checksum(struct arena *arena, struct source *source, size_t file)
{
    struct dump_builder *builder = dump_builder_new(arena, file);
    struct header header = {0};
    struct sum sum = {0};
    if (!builder || !read_header(builder, source_peek(source, HEAD), &header))
        return NULL;
    if (!header.stop && !sum_halves(source, &sum)) {
        sum = (struct sum){0};
        if (!sum_up(source, &sum))
            return NULL;
    }
    if (source_why(source))
        stop_at(&header, RDB_STOP_READ, source_why(source), sum.size);
    else if (!header.stop)
        check_end(&header, &sum);
    if (!header.stop && !add_end(builder, header.version, &sum))
        return NULL;
    return dump_builder_done(builder, header.stop, header.why, header.stop ? header.offset : sum.size);
}
