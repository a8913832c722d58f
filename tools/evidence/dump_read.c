/* Reading a dump on all cores: batches, and the dump that they add up to. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tools/evidence/distinct.h"
#include "tools/evidence/dump_batch.h"
#include "tools/evidence/dump_duplicates.h"
#include "tools/evidence/dump_scan.h"
#include "tools/evidence/dump_transfer.h"

struct reading {
    struct dump_builder *builder;
    struct distinct *distinct; /* NULL when nobody looks for duplicates */
    uint64_t keys;             /* seen */
    uint64_t compared;         /* the first so many have fingerprints in `distinct` */
    pthread_mutex_t lock;      /* of `spare` */
    struct dump_batch *spare;
};

static void *begin(void *context)
{
    struct reading *reading = context;
    pthread_mutex_lock(&reading->lock);
    struct dump_batch *batch = reading->spare;
    if (batch)
        reading->spare = batch->next;
    pthread_mutex_unlock(&reading->lock);
    if (!batch)
        batch = dump_batch_new();
    return batch;
}

static void drop(void *context, void *batch)
{
    struct reading *reading = context;
    struct dump_batch *done = batch;
    dump_batch_clear(done);
    pthread_mutex_lock(&reading->lock);
    done->next = reading->spare;
    reading->spare = done;
    pthread_mutex_unlock(&reading->lock);
}

static bool take_item(void *batch, struct rdb *reader, const struct rdb_item *item)
{
    (void)reader;
    return dump_batch_item(batch, item);
}

static bool take_plain(void *batch, const struct rdb_plain *run)
{
    return dump_batch_plain(batch, run);
}

static bool take_damage(void *batch, const struct damage *damage, struct bytes key)
{
    return dump_batch_damage(batch, damage, key);
}

static bool merge(void *context, void *batch)
{
    struct reading *reading = context;
    const struct dump_batch *done = batch;
    bool ok = dump_batch_give(done, reading->builder);
    if (reading->distinct && reading->compared == reading->keys)
        reading->compared += distinct_add(reading->distinct, done->prints, done->key_count);
    reading->keys += done->key_count;
    drop(context, batch);
    return ok;
}

static void end_reading(struct reading *reading)
{
    for (struct dump_batch *batch = reading->spare, *next; batch; batch = next) {
        next = batch->next;
        dump_batch_free(batch);
    }
    distinct_free(reading->distinct);
    pthread_mutex_destroy(&reading->lock);
}

static const uint32_t *slot_keys(void *context)
{
    const struct reading *reading = context;
    return dump_builder_slot_keys(reading->builder);
}

static struct bytes key_of(struct arena *arena, const struct scan_key *key)
{
    const char *copy = key->len ? arena_copy(arena, key->at, key->len) : NULL;
    return copy ? (struct bytes){(const uint8_t *)copy, key->len} : (struct bytes){0};
}

/* What was got over is what the dump is judged by; how reading ended stands beside it. */
static void take_losses(struct arena *arena, struct dump *dump, const struct scan_end *end)
{
    dump->losses = end->losses;
    dump->lost_bytes = end->lost_bytes;
    dump->last_stop = dump->stop;
    dump->last_why = dump->why;
    dump->last_stopped_at = dump->stopped_at;
    dump->last_stopped_key = dump->stopped_key;
    dump->stop = end->first_stop;
    dump->why = arena_string(arena, end->first_why);
    dump->stopped_at = end->first_offset;
    dump->stopped_key = key_of(arena, &end->first_key);
    dump->whole = false;
}

/* At some place, what stands there could not be read on from. */
static bool is_unreadable(const struct scan_end *end)
{
    enum rdb_stop stop = end->losses ? end->first_stop : end->stop;
    return stop == RDB_STOP_TRUNCATED || stop == RDB_STOP_CORRUPT || stop == RDB_STOP_UNSUPPORTED;
}

struct dump *dump_read(struct arena *arena, struct source *source, size_t file)
{
    return dump_read_how(arena, source, file, &(struct dump_how){0});
}

struct dump *dump_read_how(struct arena *arena, struct source *source, size_t file, const struct dump_how *how)
{
    struct reading reading = {.builder = dump_builder_new(arena, file)};
    struct scan_end end;
    const struct scan_job job = {RDB_CHECK_VALUES, &reading, begin, take_item, take_damage, merge, drop, take_plain};
    const struct scan_options options = {
        .threads = how->threads,
        .expect_end = true,
        .reopen = how->salvage ? how->reopen : NULL,
        .reopen_context = how->context,
        .slot_keys = slot_keys,
        .slots_context = &reading,
    };
    struct dump *dump = NULL;
    pthread_mutex_init(&reading.lock, NULL);
    if (how->duplicates)
        reading.distinct = distinct_new(how->memory, !how->reopen);
    bool ok = reading.builder && (reading.distinct || !how->duplicates);
    if (ok)
        ok = how->block ? dump_scan_sized(source, &options, &job, &end, how->block)
                        : dump_scan(source, &options, &job, &end);
    if (ok && is_unreadable(&end))
        ok = dump_transfer(how, reading.builder);
    struct duplicates duplicates = {.how = how, .keys = reading.keys, .compared = reading.compared, .end = end.offset};
    if (ok && reading.distinct)
        ok = dump_duplicates(&duplicates, reading.distinct, reading.builder);
    if (ok)
        dump = dump_builder_done(reading.builder, end.stop, *end.why ? end.why : NULL, end.offset);
    if (dump)
        dump->stopped_key = key_of(arena, &end.key);
    if (dump && end.losses)
        take_losses(arena, dump, &end);
    if (dump && reading.distinct) {
        dump->duplicates_checked = true;
        dump->duplicates_limited = duplicates.compared < reading.keys;
        dump->duplicates_unchecked_from = duplicates.compared;
    }
    end_reading(&reading);
    return dump;
}

static const char *walk_why(const struct source *source, enum rdb_stop stop)
{
    const char *why = stop == RDB_STOP_READ ? source_why(source) : NULL;
    return why ? why : dump_stop_text(stop);
}

bool dump_walk(struct source *source, bool digests, bool (*visit)(void *context, const struct rdb_item *item),
               void *context, const char **why)
{
    struct rdb *reader = rdb_open(source, digests ? RDB_DIGEST_VALUES : 0);
    *why = dump_stop_text(RDB_STOP_MEMORY);
    if (!reader)
        return false;
    struct rdb_item item;
    enum parse_step step;
    bool visited = true;
    while (visited && ((step = rdb_next(reader, &item)) == PARSE_ITEM || step == PARSE_DAMAGE))
        if (step == PARSE_ITEM && item.kind == RDB_KEY)
            visited = visit(context, &item);
    *why = visited ? walk_why(source, rdb_stop(reader)) : NULL;
    rdb_close(reader);
    return visited && !*why;
}
