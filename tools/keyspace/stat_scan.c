/* Adding up one dump, on all cores: merge_batch() adds batches in the order of the file. */
#include <string.h>

#include "tools/keyspace/stat_scan_private.h"

enum {
    SPREAD_KEYS = 200, /* fewer keys may miss a sixteenth of the slots by chance */
    PARTS = 16,
};

/* ---------------------------------------------------------------- merging */

static void merge_damage(struct stat_counts *counts, struct stat_counts *from)
{
    for (size_t i = 0; i < STAT_DAMAGES && i < from->damages && counts->damages + i < STAT_DAMAGES; i++) {
        counts->damage[counts->damages + i] = from->damage[i];
        from->damage[i].text = NULL;
    }
    counts->damages += from->damages;
}

static bool merge_big(struct stat_scan *scan, struct stat_heap *from)
{
    struct stat_heap *heap = &scan->counts.big[from->order];
    for (size_t i = 0; i < from->count; i++) {
        struct stat_big dropped = {0};
        if (!stat_heap_wants(heap, &from->at[i]))
            continue;
        if (!stat_heap_put(heap, &from->at[i], &dropped))
            return false;
        from->at[i].name.at = NULL;
        stat_free_owned(dropped.name.at);
    }
    atomic_store_explicit(&scan->needed[from->order], stat_heap_needed(heap, 0), memory_order_relaxed);
    return true;
}

static void merge_slots(struct stat_scan *scan, const struct stat_batch *batch)
{
    for (size_t i = 0; i < batch->slot_count; i++) {
        struct stat_slot *slot = &scan->slots[batch->slots[i].slot_bytes >> STAT_SLOT_SHIFT];
        slot->keys++;
        slot->bytes += batch->slots[i].slot_bytes & ((UINT64_C(1) << STAT_SLOT_SHIFT) - 1);
        slot->memory += batch->slots[i].memory;
    }
}

static bool merge_batch(void *context, void *merged)
{
    struct stat_scan *scan = context;
    struct stat_batch *batch = merged;
    struct stat_counts *counts = &scan->counts, *from = &batch->counts;
    bool ok = stat_batch_end_db(batch, batch->db) && sum_table_merge(counts->prefixes, from->prefixes) &&
              sum_table_merge(counts->dbs, from->dbs);
    counts->seen += from->seen;
    counts->clustered |= from->clustered;
    stat_sum_add(&counts->total, &from->total);
    for (size_t i = 0; i < STAT_EXPIRIES; i++)
        stat_sum_add(&counts->expiries[i], &from->expiries[i]);
    for (size_t i = 0; i < STAT_SIZES; i++)
        stat_sum_add(&counts->sizes[i], &from->sizes[i]);
    for (size_t i = 0; ok && i < from->encoding_count; i++) {
        struct stat_sum *sum = stat_counts_encoding(counts, from->encodings[i].name, &from->encodings[i].row);
        ok = sum != NULL;
        if (ok)
            stat_sum_add(sum, &from->encodings[i].row.sum);
    }
    for (int order = 0; ok && order < STAT_ORDERS; order++)
        ok = merge_big(scan, &from->big[order]);
    merge_damage(counts, from);
    merge_slots(scan, batch);
    stat_batch_drop(scan, batch);
    return ok;
}

/* ---------------------------------------------------------------- the whole dump */

/* There are keys in each sixteenth of the slots. A node of a cluster has some stretches of slots, another server has
 * all. */
static bool is_spread(uint64_t keys, const struct stat_slot *slots)
{
    unsigned parts = 0;
    for (size_t slot = 0; slot < SLOT_COUNT; slot++)
        if (slots[slot].keys)
            parts |= 1u << slot / (SLOT_COUNT / PARTS);
    return keys >= SPREAD_KEYS && parts == (1u << PARTS) - 1;
}

static void add_slots(struct key_stat *stat, struct stat_file *file, const struct stat_slot *slots)
{
    for (size_t slot = 0; slot < SLOT_COUNT; slot++) {
        struct stat_slot *total = &stat->slots[slot];
        if (!slots[slot].keys)
            continue;
        file->slots++;
        total->keys += slots[slot].keys;
        total->bytes += slots[slot].bytes;
        total->memory += slots[slot].memory;
        total->files++;
    }
}

/* The keys, the tables of each database, the index by slots, and a server without keys. 0 without memory. */
static uint64_t model_file(const struct stat_scan *scan)
{
    uint64_t sum = scan->counts.total.memory + memory_of_server(&scan->model, scan->head.replicated);
    size_t count;
    const struct sum_row *dbs = sum_table_rows(scan->counts.dbs, SUM_BY_NAME, &count);
    for (size_t i = 0; dbs && i < count; i++)
        sum += memory_of_database(&scan->model, dbs[i].sum.keys, dbs[i].sum.expires);
    if (scan->file.clustered)
        sum += memory_of_slots(&scan->model, scan->counts.total.keys, scan->file.slots);
    return dbs ? sum : 0;
}

/* Unless there is another database than 0, or keys are in all slots alike: few keys say nothing, and dumps that are
 * looked at here are mostly a cluster's. */
static bool is_clustered(const struct stat_scan *scan)
{
    size_t count;
    if (scan->head.clustered || scan->counts.clustered)
        return true;
    const struct sum_row *dbs = sum_table_rows(scan->counts.dbs, SUM_BY_NAME, &count);
    bool others = !dbs || count > 1 || (count == 1 && stat_db_number(dbs[0].name) != 0);
    return !others && !is_spread(scan->counts.total.keys, scan->slots);
}

static bool add_counts(struct stat_scan *scan)
{
    struct key_stat *stat = scan->stat;
    struct stat_file *file = &scan->file;
    struct stat_counts *counts = &scan->counts;
    bool ok = true;
    file->seen = counts->seen;
    file->sum = counts->total;
    file->damages = counts->damages;
    file->damage = counts->damage;
    file->damage_count = counts->damages < STAT_DAMAGES ? counts->damages : STAT_DAMAGES;
    stat_sum_add(&stat->total, &counts->total);
    for (size_t i = 0; i < STAT_EXPIRIES; i++)
        stat_sum_add(&stat->expiries[i], &counts->expiries[i]);
    for (size_t i = 0; i < STAT_SIZES; i++)
        stat_sum_add(&stat->sizes[i], &counts->sizes[i]);
    for (size_t i = 0; ok && i < counts->encoding_count; i++) {
        const struct stat_encoding *row = &counts->encodings[i].row;
        ok = key_stat_add_encoding(stat, row->type, row->encoding, &row->sum);
    }
    for (int order = 0; ok && order < STAT_ORDERS; order++)
        for (size_t i = 0; ok && i < counts->big[order].count; i++)
            ok = key_stat_add_big(stat, (enum stat_order)order, &counts->big[order].at[i]);
    add_slots(stat, file, scan->slots);
    file->clustered = is_clustered(scan);
    file->modelled = stat->options.selection || file->stopped ? 0 : model_file(scan);
    file->has_modelled = file->modelled != 0;
    sum_table_prune(counts->prefixes, PREFIX_KEPT);
    return ok && sum_table_merge(stat->prefixes, counts->prefixes) && sum_table_merge(stat->dbs, counts->dbs);
}

struct stat_scan *stat_scan_new(struct key_stat *stat, const char *path)
{
    struct stat_scan *scan = calloc(1, sizeof(*scan));
    if (!scan)
        return NULL;
    scan->stat = stat;
    scan->file.path = path;
    scan->job = (struct scan_job){
        .flags = RDB_COUNT_ELEMENTS, .context = scan, .begin = stat_batch_begin, .item = stat_batch_item,
        .damage = stat_batch_damage, .merge = merge_batch, .drop = stat_batch_drop};
    pthread_mutex_init(&scan->lock, NULL);
    stat_head_take(scan, (struct stat_head){0});
    scan->slots = calloc(SLOT_COUNT, sizeof(*scan->slots));
    if (stat_counts_init(&scan->counts, stat->options.top, PREFIX_TOLD, STAT_DBS_TOLD) && scan->slots)
        return scan;
    stat_scan_free(scan);
    return NULL;
}

void stat_scan_look(void *context, struct source *source)
{
    stat_head_take(context, stat_head_read(source));
}

const struct scan_job *stat_scan_job(const struct stat_scan *scan)
{
    return &scan->job;
}

struct stat_file *stat_scan_end(struct stat_scan *scan, const struct scan_end *end, bool lost)
{
    struct stat_file *file = &scan->file;
    if (end->stop != RDB_STOP_NONE || lost) {
        file->stopped = *end->why ? end->why : "not readable";
        file->stopped_at = end->offset;
    } else if (end->losses) {
        file->stopped = end->first_why;
        file->stopped_at = end->first_offset;
    }
    file->unread = lost;
    return lost || add_counts(scan) ? key_stat_add_file(scan->stat, file) : NULL;
}

void stat_scan_free(struct stat_scan *scan)
{
    if (!scan)
        return;
    for (struct stat_batch *batch = scan->idle, *next; batch; batch = next) {
        next = batch->next;
        stat_batch_free(batch);
    }
    stat_counts_free(&scan->counts);
    free(scan->slots);
    pthread_mutex_destroy(&scan->lock);
    free(scan);
}

struct stat_file *key_stat_read(struct key_stat *stat, const char *path, struct source *source)
{
    struct stat_scan *scan = stat_scan_new(stat, path);
    struct scan_options options = {.threads = stat->options.threads};
    struct scan_end end;
    struct stat_file *file = NULL;
    if (scan) {
        stat_scan_look(scan, source);
        if (dump_scan(source, &options, &scan->job, &end))
            file = stat_scan_end(scan, &end, end.stop == RDB_STOP_NOT_RDB || end.stop == RDB_STOP_READ);
    }
    stat_scan_free(scan);
    return file;
}
