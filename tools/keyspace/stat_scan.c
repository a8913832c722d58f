/* Adding up one dump, on all cores: workers count batches, and merge() adds them to the scan in the order of the file.
 * What was counted in a batch that is dropped is nowhere. */
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parsers/bytes/text.h"
#include "tools/keyspace/stat_private.h"

enum {
    HOUR_MS = 3600 * 1000,
    TYPE_BYTES = 256,
    MOST_ENCODINGS = 64, /* there are fewer rows of types */
    SLOT_SHIFT = 50,
    SPREAD_KEYS = 200, /* fewer keys may miss a sixteenth of the slots by chance */
    PARTS = 16,
};

/* What the first records of a dump say. */
struct head {
    struct server writer;
    uint32_t version;
    bool valkey_magic;
    bool has_ctime, has_used, replicated, clustered;
    int64_t ctime_s, used;
};

/* What a key adds to its slot: cheaper to keep than an array of all slots for each batch. */
struct slot_entry {
    uint64_t slot_bytes; /* the slot above SLOT_SHIFT bits of bytes */
    uint64_t memory;
};

struct encoding_row {
    const char *name; /* the reader's name of type and encoding together: static, so its address tells it */
    struct stat_encoding row;
};

/* Sums of a batch, or of the scan so far. */
struct counts {
    uint64_t seen;
    struct stat_sum total;
    struct stat_sum expiries[STAT_EXPIRIES], sizes[STAT_SIZES];
    struct encoding_row encodings[MOST_ENCODINGS];
    size_t encoding_count;
    struct stat_heap big[STAT_ORDERS]; /* owns the names */
    struct sum_table *prefixes, *dbs;
    bool clustered;
    uint64_t damages;
    struct stat_damage damage[STAT_DAMAGES]; /* owns the texts */
};

struct batch {
    struct batch *next; /* among the idle ones */
    struct stat_scan *scan;
    struct counts counts;
    uint64_t needed[STAT_ORDERS]; /* to be among the biggest of the scan and of this batch */
    uint32_t db;                  /* of the keys since the table of databases was filled */
    struct stat_sum before;       /* what is in that table */
    uint8_t by_type[TYPE_BYTES]; /* 1 + index of the encoding that a type byte had last */
    struct slot_entry *slots;
    size_t slot_count, slot_cap;
    struct prefix_memory prefix;
};

struct stat_scan {
    struct key_stat *stat;
    struct scan_job job;
    struct stat_file file;
    struct head head;
    struct memory_model model;
    char writer[40], model_text[64];
    pthread_mutex_t lock; /* of the list */
    struct batch *idle;
    struct counts counts;
    struct stat_slot *slots; /* SLOT_COUNT */
    _Atomic uint64_t
        needed[STAT_ORDERS]; /* to be among the biggest of what is merged, which all stands before the rest */
};

/* ---------------------------------------------------------------- the head of the dump */


static void take_aux(struct head *head, struct bytes name, struct bytes value)
{
    int64_t number;
    if (text_is(name, "redis-ver") && head->writer.product != PRODUCT_VALKEY)
        server_parse(PRODUCT_REDIS, value, &head->writer);
    else if (text_is(name, "valkey-ver"))
        server_parse(PRODUCT_VALKEY, value, &head->writer);
    else if (text_is(name, "ctime"))
        head->has_ctime = text_i64(value, &head->ctime_s);
    else if (text_is(name, "used-mem"))
        head->has_used = text_i64(value, &head->used);
    else if (text_is(name, "repl-offset"))
        head->replicated = text_i64(value, &number) && number > 0;
    else if (text_is(name, "slot-info"))
        head->clustered = true;
}

/* Workers need from the start what the first records say, so these are looked at before. Nothing is consumed. */
static struct head read_head(struct source *source)
{
    struct head head = {0};
    struct bytes start = source_peek(source, SOURCE_PEEK_MAX);
    struct source *copy = source_memory(start.at, start.len);
    struct rdb *reader = copy ? rdb_open(copy, 0) : NULL;
    enum parse_step step = PARSE_ITEM;
    struct rdb_item item = {.kind = RDB_HEADER};
    while (reader && (step == PARSE_ITEM || step == PARSE_DAMAGE) && item.kind != RDB_KEY) {
        step = rdb_next(reader, &item);
        if (step != PARSE_ITEM)
            continue;
        if (item.kind == RDB_HEADER) {
            head.version = item.version;
            head.valkey_magic = item.valkey_magic;
        } else if (item.kind == RDB_AUX) {
            take_aux(&head, item.name, item.value);
        }
    }
    if (reader)
        rdb_close(reader);
    source_close(copy);
    return head;
}

/* libc's malloc leaves odd numbers in used-mem; jemalloc's classes are multiples of eight. */
static enum memory_allocator allocator_of(const struct stat_options *options, const struct head *head)
{
    return options->allocator == MEMORY_BUNDLED && head->has_used && head->used % 8 ? MEMORY_LIBC : options->allocator;
}

static void take_head(struct stat_scan *scan, struct head head)
{
    struct stat_file *file = &scan->file;
    scan->head = head;
    scan->model = memory_model_of(head.writer, head.version, head.valkey_magic,
                                  allocator_of(&scan->stat->options, &head));
    file->rdb_version = head.version;
    file->writer = head.writer.product == PRODUCT_UNKNOWN ? NULL : server_name(head.writer, scan->writer);
    snprintf(scan->model_text, sizeof(scan->model_text), "%s, %s", memory_model_name(&scan->model),
             memory_allocator_name(scan->model.allocator));
    file->model = scan->model_text;
    file->has_ctime = head.has_ctime && !__builtin_mul_overflow(head.ctime_s, INT64_C(1000), &file->ctime_ms);
    if (!file->has_ctime)
        file->ctime_ms = 0;
    file->has_used = head.has_used && head.used > 0;
    file->used = file->has_used ? (uint64_t)head.used : 0;
}

/* ---------------------------------------------------------------- batches */

static bool init_counts(struct counts *counts, size_t top, size_t prefixes, size_t dbs)
{
    for (int order = 0; order < STAT_ORDERS; order++)
        counts->big[order] = (struct stat_heap){.order = (enum stat_order)order, .most = top};
    counts->prefixes = sum_table_new(prefixes);
    counts->dbs = sum_table_new(dbs);
    return counts->prefixes && counts->dbs;
}

static void free_run(const void *at)
{
    free((void *)(uintptr_t)at);
}

/* Back to nothing; the memory stays. */
static void clear_counts(struct counts *counts)
{
    for (int order = 0; order < STAT_ORDERS; order++) {
        for (size_t i = 0; i < counts->big[order].count; i++)
            free_run(counts->big[order].at[i].name.at);
        counts->big[order].count = 0;
    }
    for (size_t i = 0; i < STAT_DAMAGES; i++) {
        free_run(counts->damage[i].text);
        counts->damage[i].text = NULL;
    }
    sum_table_clear(counts->prefixes);
    sum_table_clear(counts->dbs);
    memset(counts->expiries, 0, sizeof(counts->expiries));
    memset(counts->sizes, 0, sizeof(counts->sizes));
    counts->total = (struct stat_sum){0};
    counts->seen = counts->damages = 0;
    counts->encoding_count = 0;
    counts->clustered = false;
}

static void free_counts(struct counts *counts)
{
    if (counts->prefixes && counts->dbs)
        clear_counts(counts);
    for (int order = 0; order < STAT_ORDERS; order++)
        free(counts->big[order].at);
    sum_table_free(counts->prefixes);
    sum_table_free(counts->dbs);
}

static void free_batch(struct batch *batch)
{
    free_counts(&batch->counts);
    free(batch->slots);
    free(batch);
}

static struct batch *new_batch(struct stat_scan *scan)
{
    struct batch *batch = calloc(1, sizeof(*batch));
    if (!batch)
        return NULL;
    batch->scan = scan;
    if (init_counts(&batch->counts, scan->stat->options.top, 0, 0))
        return batch;
    free_batch(batch);
    return NULL;
}

static void *begin_batch(void *context)
{
    struct stat_scan *scan = context;
    pthread_mutex_lock(&scan->lock);
    struct batch *batch = scan->idle;
    if (batch)
        scan->idle = batch->next;
    pthread_mutex_unlock(&scan->lock);
    if (!batch)
        batch = new_batch(scan);
    for (int order = 0; batch && order < STAT_ORDERS; order++)
        batch->needed[order] = atomic_load_explicit(&scan->needed[order], memory_order_relaxed);
    return batch;
}

static void drop_batch(void *context, void *dropped)
{
    struct stat_scan *scan = context;
    struct batch *batch = dropped;
    clear_counts(&batch->counts);
    memset(batch->by_type, 0, sizeof(batch->by_type));
    batch->slot_count = 0;
    batch->before = (struct stat_sum){0};
    pthread_mutex_lock(&scan->lock);
    batch->next = scan->idle;
    scan->idle = batch;
    pthread_mutex_unlock(&scan->lock);
}

/* NULL when there are more encodings than types, which cannot be. */
static struct stat_sum *sum_of_encoding(struct counts *counts, const char *name, const struct stat_encoding *row)
{
    size_t at = 0;
    while (at < counts->encoding_count && counts->encodings[at].name != name)
        at++;
    if (at == MOST_ENCODINGS)
        return NULL;
    if (at == counts->encoding_count) {
        counts->encodings[counts->encoding_count++] = (struct encoding_row){name, *row};
        counts->encodings[at].row.sum = (struct stat_sum){0};
    }
    return &counts->encodings[at].row.sum;
}

static bool count_encoding(struct batch *batch, const struct rdb_key *key, const struct stat_sum *sum)
{
    struct counts *counts = &batch->counts;
    size_t known = batch->by_type[key->type];
    if (known && counts->encodings[known - 1].name == key->type_name) {
        stat_sum_add(&counts->encodings[known - 1].row.sum, sum);
        return true;
    }
    struct stat_encoding row = {.type = rdb_datatype_name(key->datatype), .encoding = key->encoding};
    struct stat_sum *of_encoding = sum_of_encoding(counts, key->type_name, &row);
    if (!of_encoding)
        return false;
    stat_sum_add(of_encoding, sum);
    for (size_t i = 0; i < counts->encoding_count; i++)
        if (&counts->encodings[i].row.sum == of_encoding)
            batch->by_type[key->type] = (uint8_t)(i + 1);
    return true;
}

static bool count_slot(struct batch *batch, unsigned slot, const struct stat_sum *sum)
{
    if (batch->slot_count == batch->slot_cap) {
        size_t cap = batch->slot_cap ? 2 * batch->slot_cap : 4096;
        struct slot_entry *grown = realloc(batch->slots, cap * sizeof(*grown));
        if (!grown)
            return false;
        batch->slots = grown;
        batch->slot_cap = cap;
    }
    batch->slots[batch->slot_count++] = (struct slot_entry){
        (uint64_t)slot << SLOT_SHIFT | (sum->bytes & ((UINT64_C(1) << SLOT_SHIFT) - 1)), sum->memory};
    return true;
}

static enum stat_expiry expiry_of(const struct stat_file *file, const struct rdb_key *key)
{
    static const int64_t limits[] = {
        [STAT_EXPIRED] = 0, [STAT_HOUR] = HOUR_MS, [STAT_DAY] = INT64_C(24) * HOUR_MS,
        [STAT_WEEK] = INT64_C(7) * 24 * HOUR_MS, [STAT_MONTH] = INT64_C(30) * 24 * HOUR_MS};
    int64_t left;
    if (!key->has_expiry)
        return STAT_NO_EXPIRY;
    if (!file->has_ctime)
        return STAT_UNDATED;
    if (__builtin_sub_overflow(key->expire_ms, file->ctime_ms, &left))
        return key->expire_ms < 0 ? STAT_EXPIRED : STAT_LATER;
    for (int expiry = STAT_EXPIRED; expiry <= STAT_MONTH; expiry++)
        if (left <= limits[expiry])
            return (enum stat_expiry)expiry;
    return STAT_LATER;
}

/* 16 bytes and less are 0, four times as much is one more. */
static size_t size_of(uint64_t bytes)
{
    if (bytes <= 16)
        return 0;
    size_t class = (size_t)(63 - __builtin_clzll(bytes - 1)) / 2 - 1;
    return class < STAT_SIZES ? class : STAT_SIZES - 1;
}

/* The least number with which a later key is kept: of two that are equal the first stays. */
static uint64_t needed_in(const struct stat_heap *heap, uint64_t least)
{
    if (heap->count < heap->most || !heap->count)
        return heap->most ? least : UINT64_MAX;
    uint64_t needed = stat_big_value(&heap->at[0], heap->order);
    return needed < UINT64_MAX && needed + 1 > least ? needed + 1 : least;
}

static bool keep_big(struct stat_heap *heap, const struct stat_big *big)
{
    struct stat_big own = *big, dropped;
    uint8_t *name = malloc(big->name.len + 1);
    if (!name)
        return false;
    if (big->name.len)
        memcpy(name, big->name.at, big->name.len);
    own.name.at = name;
    if (!stat_heap_put(heap, &own, &dropped)) {
        free(name);
        return false;
    }
    free_run(dropped.name.at);
    return true;
}

static bool offer_big(struct batch *batch, const struct rdb_item *item, const struct stat_sum *sum)
{
    const struct rdb_key *key = &item->key;
    struct stat_scan *scan = batch->scan;
    struct stat_big big;
    big.bytes = sum->bytes;
    big.elements = sum->elements;
    big.memory = sum->memory;
    big.file = scan->file.path;
    big.offset = item->place.offset;
    big.db = key->db;
    big.name = key->name;
    bool ok = true;
    for (int order = 0; ok && order < STAT_ORDERS; order++) {
        struct stat_heap *heap = &batch->counts.big[order];
        if (stat_big_value(&big, (enum stat_order)order) < batch->needed[order])
            continue;
        big.type = rdb_datatype_name(key->datatype);
        big.encoding = key->encoding;
        big.has_expiry = key->has_expiry;
        big.expire_ms = key->expire_ms;
        ok = keep_big(heap, &big);
        batch->needed[order] = needed_in(heap, batch->needed[order]);
    }
    return ok;
}

/* Each key has one expiry class, so these add up to all keys. Counts what came since the last change of database to the
 * database of then. */
static bool end_db(struct batch *batch, uint32_t next)
{
    struct counts *counts = &batch->counts;
    struct stat_sum total = {0}, since;
    uint8_t db[STAT_DB_NAME];
    for (size_t i = 0; i < STAT_EXPIRIES; i++)
        stat_sum_add(&total, &counts->expiries[i]);
    since = total;
    stat_sum_subtract(&since, &batch->before);
    bool ok = !since.keys || sum_table_count(counts->dbs, stat_db_name(batch->db, db), &since);
    counts->total = batch->before = total;
    batch->db = next;
    return ok;
}

static bool take_key(struct batch *batch, const struct rdb_item *item)
{
    const struct stat_scan *scan = batch->scan;
    const struct stat_options *options = &scan->stat->options;
    const struct rdb_key *key = &item->key;
    struct counts *counts = &batch->counts;
    counts->seen++;
    unsigned slot = keyslot(key->name);
    if (options->selection && !selection_takes(options->selection, key, slot))
        return true;
    struct stat_sum sum = {1, key->has_expiry, key->elements, key->value_length, memory_of_key(&scan->model, key)};
    if (key->db != batch->db && !end_db(batch, key->db))
        return false;
    stat_sum_add(&counts->expiries[expiry_of(&scan->file, key)], &sum);
    stat_sum_add(&counts->sizes[size_of(sum.bytes)], &sum);
    struct bytes prefix = prefix_next(&batch->prefix, key->name, options->depth);
    return count_slot(batch, slot, &sum) && count_encoding(batch, key, &sum) &&
           sum_table_count(counts->prefixes, prefix, &sum) &&
           offer_big(batch, item, &sum);
}

static bool take_item(void *context, struct rdb *reader, const struct rdb_item *item)
{
    (void)reader;
    struct batch *batch = context;
    if (item->kind == RDB_KEY)
        return take_key(batch, item);
    if (item->kind == RDB_SLOT_INFO || (item->kind == RDB_AUX && text_is(item->name, "slot-info")))
        batch->counts.clustered = true;
    return true;
}

static bool take_damage(void *context, const struct damage *damage, struct bytes key)
{
    (void)key;
    struct counts *counts = &((struct batch *)context)->counts;
    if (!rdb_defect_is_corruption(damage->code))
        return true;
    if (counts->damages < STAT_DAMAGES) {
        char *text;
        if (asprintf(&text, "expected %s, found %s", damage->expected, damage->found) < 0)
            return false;
        counts->damage[counts->damages] = (struct stat_damage){damage->place.offset, text};
    }
    counts->damages++;
    return true;
}

/* ---------------------------------------------------------------- merging */

static void merge_damage(struct counts *counts, struct counts *from)
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
        free_run(dropped.name.at);
    }
    atomic_store_explicit(&scan->needed[from->order], needed_in(heap, 0), memory_order_relaxed);
    return true;
}

static void merge_slots(struct stat_scan *scan, const struct batch *batch)
{
    for (size_t i = 0; i < batch->slot_count; i++) {
        struct stat_slot *slot = &scan->slots[batch->slots[i].slot_bytes >> SLOT_SHIFT];
        slot->keys++;
        slot->bytes += batch->slots[i].slot_bytes & ((UINT64_C(1) << SLOT_SHIFT) - 1);
        slot->memory += batch->slots[i].memory;
    }
}

static bool merge_batch(void *context, void *merged)
{
    struct stat_scan *scan = context;
    struct batch *batch = merged;
    struct counts *counts = &scan->counts, *from = &batch->counts;
    bool ok = end_db(batch, batch->db) && sum_table_merge(counts->prefixes, from->prefixes) &&
              sum_table_merge(counts->dbs, from->dbs);
    counts->seen += from->seen;
    counts->clustered |= from->clustered;
    stat_sum_add(&counts->total, &from->total);
    for (size_t i = 0; i < STAT_EXPIRIES; i++)
        stat_sum_add(&counts->expiries[i], &from->expiries[i]);
    for (size_t i = 0; i < STAT_SIZES; i++)
        stat_sum_add(&counts->sizes[i], &from->sizes[i]);
    for (size_t i = 0; ok && i < from->encoding_count; i++) {
        struct stat_sum *sum = sum_of_encoding(counts, from->encodings[i].name, &from->encodings[i].row);
        ok = sum != NULL;
        if (ok)
            stat_sum_add(sum, &from->encodings[i].row.sum);
    }
    for (int order = 0; ok && order < STAT_ORDERS; order++)
        ok = merge_big(scan, &from->big[order]);
    merge_damage(counts, from);
    merge_slots(scan, batch);
    drop_batch(scan, batch);
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
    struct counts *counts = &scan->counts;
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
        .flags = RDB_COUNT_ELEMENTS, .context = scan, .begin = begin_batch, .item = take_item,
        .damage = take_damage, .merge = merge_batch, .drop = drop_batch};
    pthread_mutex_init(&scan->lock, NULL);
    take_head(scan, (struct head){0});
    scan->slots = calloc(SLOT_COUNT, sizeof(*scan->slots));
    if (init_counts(&scan->counts, stat->options.top, PREFIX_TOLD, STAT_DBS_TOLD) && scan->slots)
        return scan;
    stat_scan_free(scan);
    return NULL;
}

void stat_scan_look(void *context, struct source *source)
{
    take_head(context, read_head(source));
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
    for (struct batch *batch = scan->idle, *next; batch; batch = next) {
        next = batch->next;
        free_batch(batch);
    }
    free_counts(&scan->counts);
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
