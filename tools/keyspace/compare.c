#include "tools/keyspace/compare.h"

#include <stdlib.h>

#include "tools/keyspace/compare_private.h"

enum { LEAST_WAITING = 256 * 1024 };

#define NO_EXPIRY ((uint64_t)INT64_MIN)

/* A key as a batch keeps it until its turn comes. */
struct seen {
    struct key_entry entry;
    unsigned part;
};

struct reading {
    struct compare *compare;
    enum compare_side side;
    struct compare_end *end;
};

struct batch {
    const struct reading *reading;
    struct seen *keys;
    size_t count, cap;
    uint64_t corrupt;
    struct place first;
};

struct compare *compare_new(const struct compare_options *options)
{
    struct compare *compare = calloc(1, sizeof(*compare));
    if (compare)
        compare->options = *options;
    return compare;
}

void compare_free(struct compare *compare)
{
    if (!compare)
        return;
    compare_free_list(compare);
    free(compare->join.cells);
    free(compare->join.chunks);
    key_pool_free(&compare->pool);
    free(compare);
}

void compare_narrow(struct compare *compare, bool (*wants)(const void *context, const struct rdb_key *key),
                    const void *context)
{
    compare->options.wants = wants;
    compare->options.context = context;
}

void compare_salvage(struct compare *compare, struct source *(*reopen)(void *context), void *context)
{
    compare->reopen = reopen;
    compare->reopen_context = context;
}

/* The one time that stands for absence is told as its neighbour, in an era before any. */
uint64_t compare_expiry_code(const struct compare *compare, const struct rdb_key *key)
{
    if (!key->has_expiry || compare->options.ignore_expiry)
        return NO_EXPIRY;
    return (uint64_t)key->expire_ms == NO_EXPIRY ? NO_EXPIRY + 1 : (uint64_t)key->expire_ms;
}

/* ------------------------------------------------------------------ the scan */

static void *begin(void *context)
{
    struct batch *batch = calloc(1, sizeof(*batch));
    if (batch)
        batch->reading = context;
    return batch;
}

static void end_batch(struct batch *batch)
{
    free(batch->keys);
    free(batch);
}

static void drop(void *context, void *batch)
{
    (void)context;
    end_batch(batch);
}

static bool take_item(void *context, struct rdb *reader, const struct rdb_item *item)
{
    (void)reader;
    struct batch *batch = context;
    const struct rdb_key *key = &item->key;
    const struct compare *compare = batch->reading->compare;
    if (item->kind != RDB_KEY ||
        (compare->options.wants && !compare->options.wants(compare->options.context, key)))
        return true;
    if (batch->count == batch->cap) {
        size_t cap = batch->cap ? batch->cap * 2 : 1024;
        struct seen *keys = realloc(batch->keys, cap * sizeof(*keys));
        if (!keys)
            return false;
        batch->keys = keys;
        batch->cap = cap;
    }
    struct key_id id = key_id_of(key->db, key->name);
    unsigned char mark = (unsigned char)(COMPARE_ONLY_A | (unsigned)key->datatype << MARK_TYPE_SHIFT);
    batch->keys[batch->count++] = (struct seen){
        key_entry_of(id, key->digest, compare_expiry_code(compare, key), mark), key_part_of(id)};
    return true;
}

static bool take_damage(void *context, const struct damage *damage, struct bytes key)
{
    (void)key;
    struct batch *batch = context;
    enum rdb_defect code = (enum rdb_defect)damage->code;
    if ((rdb_defect_is_corruption(code) || code == RDB_UNREAD_BYTES) && batch->corrupt++ == 0)
        batch->first = damage->place;
    return true;
}

static bool keep(struct compare *compare, enum compare_side side, const struct batch *batch)
{
    struct key_part *parts = side == COMPARE_A ? compare->kept : compare->waiting;
    for (size_t i = 0; i < batch->count; i++)
        if (!key_part_add(&parts[batch->keys[i].part], &compare->pool, &batch->keys[i].entry))
            return false;
    *(side == COMPARE_A ? &compare->kept_count : &compare->waiting_count) += batch->count;
    if (compare->waiting_count < LEAST_WAITING || compare->waiting_count < compare->kept_count / 2)
        return true;
    return compare_join(compare);
}

static bool merge(void *context, void *of)
{
    struct reading *reading = context;
    struct batch *batch = of;
    bool kept = keep(reading->compare, reading->side, batch);
    reading->compare->counts.read[reading->side] += batch->count;
    reading->end->keys += batch->count;
    if (batch->corrupt && !reading->end->corrupt)
        reading->end->first = batch->first;
    reading->end->corrupt += batch->corrupt;
    end_batch(batch);
    return kept;
}

bool compare_read(struct compare *compare, enum compare_side side, struct source *source, struct compare_end *end)
{
    *end = (struct compare_end){0};
    struct reading reading = {.compare = compare, .side = side, .end = end};
    const struct scan_job job = {
        .flags = RDB_DIGEST_VALUES,
        .context = &reading,
        .begin = begin,
        .item = take_item,
        .damage = take_damage,
        .merge = merge,
        .drop = drop,
    };
    const struct scan_options options = scan_options_of(compare);
    compare->dumps[side]++;
    if (!dump_scan(source, &options, &job, &end->scan))
        return false;
    end->whole = end->scan.stop == RDB_STOP_NONE && !end->corrupt;
    return end->scan.stop != RDB_STOP_MEMORY;
}

/* ------------------------------------------------------------------ the answer */

bool compare_settle(struct compare *compare)
{
    return compare_join(compare);
}

struct compare_counts compare_counts(const struct compare *compare)
{
    return compare->counts;
}

uint64_t compare_bytes(const struct compare *compare)
{
    return compare->pool.bytes + compare->join.cell_cap * sizeof(*compare->join.cells) +
           compare->index_size * sizeof(*compare->index) +
           compare->block_count * STORED_BLOCK * sizeof(**compare->blocks);
}

const char *compare_how_word(enum compare_how how)
{
    static const char *const words[] = {
        [COMPARE_EQUAL] = "equal", [COMPARE_ONLY_A] = "only-a", [COMPARE_ONLY_B] = "only-b",
        [COMPARE_TYPE] = "type",   [COMPARE_VALUE] = "value",   [COMPARE_EXPIRY] = "expiry",
    };
    return words[how];
}
