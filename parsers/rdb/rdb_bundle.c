/* Records that Dragonfly compressed together: opcode 201 (zstd) or 202 (LZ4), a string that is one frame, and in what
 * it expands to records, the last of which is opcode 203.
 *
 * Sources: HandleCompressedBlob() of Dragonfly's rdb_load.cc and its decompress.cc, which takes LZ4 frames, not blocks.
 * A blob is expanded as it is read; it is expanded once before without keeping anything, so that a blob that is broken
 * or expands beyond measure is known before a record in it is believed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "parsers/rdb/rdb_private.h"

enum { ZSTD_BLOB = 201, SCRATCH = 256 * 1024 };

/* What a blob may expand to, whatever its size, and beyond that for each of its bytes. */
static const uint64_t ALWAYS = UINT64_C(64) << 20, FOLD = 1024;

struct rdb_bundle {
    struct place place; /* of the record in the file */
    struct source *source;
    struct rdb_window outer;
};

struct place rdb_bundle_place(const struct rdb *reader, struct place place)
{
    return reader->bundle ? reader->bundle->place : place;
}

void rdb_bundle_drop(struct rdb *reader)
{
    struct rdb_bundle *bundle = reader->bundle;
    if (!bundle)
        return;
    rdb_window_close(&reader->window);
    reader->window = bundle->outer;
    source_close(bundle->source);
    free(bundle);
    reader->bundle = NULL;
}

static bool no_memory(struct rdb *reader)
{
    return rdb_fail(reader, RDB_STOP_MEMORY, rdb_window_offset(&reader->window), "out of memory");
}

/* What the blob expands to, counted up to more than `most`; `why` is empty when it is whole. False without memory. */
static bool expand_once(struct bytes bytes, enum source_coding coding, uint64_t most, uint64_t *size,
                        char why[RDB_FOUND_TEXT])
{
    struct source *source = source_memory(bytes.at, bytes.len);
    uint8_t *scratch = malloc(SCRATCH);
    struct source_facts facts;
    size_t got = 1;
    *size = 0;
    if (source && scratch) {
        while (got && *size <= most)
            *size += got = source_read(source, scratch, SCRATCH);
        const char *fault = source_why(source);
        if (!fault && *size <= most && source_finish(source, &facts) && facts.coding != coding)
            fault = "bytes in another coding";
        snprintf(why, RDB_FOUND_TEXT, "%s", fault ? fault : "");
    }
    free(scratch);
    source_close(source);
    return source && scratch;
}

/* False when the reader stopped. Leaves reader->bundle NULL, and damage queued, for a blob that cannot be read. */
static bool enter(struct rdb *reader, const struct rdb_row *row, struct place place)
{
    struct bytes bytes = reader->window.runs[RDB_VALUE].bytes;
    enum source_coding coding = row->byte == ZSTD_BLOB ? SOURCE_ZSTD : SOURCE_LZ4;
    uint64_t most = bytes.len > ALWAYS / FOLD ? bytes.len * FOLD : ALWAYS, size;
    char why[RDB_FOUND_TEXT];
    if (!expand_once(bytes, coding, most, &size, why))
        return no_memory(reader);
    if (size > most)
        return rdb_fail(reader, RDB_STOP_UNSUPPORTED, place.offset,
                        "a compressed blob of %zu bytes that expands to more than %" PRIu64, bytes.len, most);
    if (*why) {
        rdb_report(reader, RDB_BAD_STRING, place, "a compressed blob of records that expands", "%s", why);
        return true;
    }
    struct rdb_bundle *bundle = calloc(1, sizeof(*bundle));
    struct source *source = source_memory(bytes.at, bytes.len);
    struct rdb_window inner = {0};
    if (!bundle || !source || !rdb_window_open(&inner, source, reader->window.cap)) {
        rdb_window_close(&inner);
        source_close(source);
        free(bundle);
        return no_memory(reader);
    }
    bundle->place = place;
    bundle->source = source;
    bundle->outer = reader->window;
    reader->window = inner;
    reader->bundle = bundle;
    return true;
}

enum rdb_outcome rdb_bundle_begin(struct rdb *reader, const struct rdb_row *row, struct rdb_item *item)
{
    item->kind = RDB_OPCODE;
    item->name = (struct bytes){(const uint8_t *)row->name, strlen(row->name)};
    rdb_prefix_drop(reader, item);
    if (reader->bundle) {
        rdb_fail(reader, RDB_STOP_CORRUPT, item->place.offset, "a compressed blob inside of another");
        return RDB_RECORD_STOP;
    }
    if (!rdb_string(reader, RDB_VALUE))
        return RDB_RECORD_STOP;
    if (reader->lost)
        return RDB_RECORD_LOST;
    struct place place = item->place;
    place.length = rdb_window_offset(&reader->window) - place.offset;
    if (!enter(reader, row, place))
        return RDB_RECORD_STOP;
    return reader->bundle ? RDB_RECORD_ITEM : RDB_RECORD_LOST;
}

enum rdb_outcome rdb_bundle_end(struct rdb *reader, const struct rdb_row *row, struct rdb_item *item)
{
    (void)row;
    rdb_prefix_drop(reader, item);
    if (!reader->bundle) {
        struct place place = {.offset = item->place.offset, .length = 1};
        rdb_report(reader, RDB_DANGLING_OPCODE, place, "the end of a compressed blob inside of one",
                   "one outside of any");
        return RDB_RECORD_LOST;
    }
    if (rdb_window_need(&reader->window, 1)) {
        rdb_fail(reader, RDB_STOP_CORRUPT, item->place.offset, "bytes behind the end of a compressed blob");
        return RDB_RECORD_STOP;
    }
    if (source_why(reader->window.source)) {
        rdb_ran_out(reader);
        return RDB_RECORD_STOP;
    }
    rdb_bundle_drop(reader);
    return RDB_RECORD_MORE;
}
