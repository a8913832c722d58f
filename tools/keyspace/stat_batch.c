/* Counting the keys of a batch, by one worker. What was counted in a batch that is dropped is nowhere. */
#include <stdio.h>
#include <string.h>

#include "parsers/bytes/text.h"
#include "tools/keyspace/stat_scan_private.h"

enum { HOUR_MS = 3600 * 1000 };

bool stat_counts_init(struct stat_counts *counts, size_t top, size_t prefixes, size_t dbs)
{
    for (int order = 0; order < STAT_ORDERS; order++)
        counts->big[order] = (struct stat_heap){.order = (enum stat_order)order, .most = top};
    counts->prefixes = sum_table_new(prefixes);
    counts->dbs = sum_table_new(dbs);
    return counts->prefixes && counts->dbs;
}

/* Back to nothing; the memory stays. */
static void stat_counts_clear(struct stat_counts *counts)
{
    for (int order = 0; order < STAT_ORDERS; order++) {
        for (size_t i = 0; i < counts->big[order].count; i++)
            stat_free_owned(counts->big[order].at[i].name.at);
        counts->big[order].count = 0;
    }
    for (size_t i = 0; i < STAT_DAMAGES; i++) {
        stat_free_owned(counts->damage[i].text);
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

void stat_counts_free(struct stat_counts *counts)
{
    if (counts->prefixes && counts->dbs)
        stat_counts_clear(counts);
    for (int order = 0; order < STAT_ORDERS; order++)
        free(counts->big[order].at);
    sum_table_free(counts->prefixes);
    sum_table_free(counts->dbs);
}

void stat_batch_free(struct stat_batch *batch)
{
    stat_counts_free(&batch->counts);
    free(batch->slots);
    free(batch);
}

static struct stat_batch *new_batch(struct stat_scan *scan)
{
    struct stat_batch *batch = calloc(1, sizeof(*batch));
    if (!batch)
        return NULL;
    batch->scan = scan;
    if (stat_counts_init(&batch->counts, scan->stat->options.top, 0, 0))
        return batch;
    stat_batch_free(batch);
    return NULL;
}

void *stat_batch_begin(void *context)
{
    struct stat_scan *scan = context;
    pthread_mutex_lock(&scan->lock);
    struct stat_batch *batch = scan->idle;
    if (batch)
        scan->idle = batch->next;
    pthread_mutex_unlock(&scan->lock);
    if (!batch)
        batch = new_batch(scan);
    for (int order = 0; batch && order < STAT_ORDERS; order++)
        batch->needed[order] = atomic_load_explicit(&scan->needed[order], memory_order_relaxed);
    return batch;
}

void stat_batch_drop(void *context, void *dropped)
{
    struct stat_scan *scan = context;
    struct stat_batch *batch = dropped;
    stat_counts_clear(&batch->counts);
    memset(batch->by_type, 0, sizeof(batch->by_type));
    batch->slot_count = 0;
    batch->before = (struct stat_sum){0};
    pthread_mutex_lock(&scan->lock);
    batch->next = scan->idle;
    scan->idle = batch;
    pthread_mutex_unlock(&scan->lock);
}

static inline bool is_row(const struct stat_encoding_row *row, const char *name, const char *encoding)
{
    return row->name == name && row->row.encoding == encoding;
}

struct stat_sum *stat_counts_encoding(struct stat_counts *counts, const char *name, const struct stat_encoding *row)
{
    size_t at = 0;
    while (at < counts->encoding_count && !is_row(&counts->encodings[at], name, row->encoding))
        at++;
    if (at == STAT_ENCODING_ROWS)
        return NULL;
    if (at == counts->encoding_count) {
        counts->encodings[counts->encoding_count++] = (struct stat_encoding_row){name, *row};
        counts->encodings[at].row.sum = (struct stat_sum){0};
    }
    return &counts->encodings[at].row.sum;
}

static bool count_encoding(struct stat_batch *batch, const struct rdb_key *key, const struct stat_sum *sum)
{
    struct stat_counts *counts = &batch->counts;
    size_t known = batch->by_type[key->type];
    if (known && is_row(&counts->encodings[known - 1], key->type_name, key->encoding)) {
        stat_sum_add(&counts->encodings[known - 1].row.sum, sum);
        return true;
    }
    struct stat_encoding row = {.type = rdb_datatype_name(key->datatype), .encoding = key->encoding};
    struct stat_sum *of_encoding = stat_counts_encoding(counts, key->type_name, &row);
    if (!of_encoding)
        return false;
    stat_sum_add(of_encoding, sum);
    for (size_t i = 0; i < counts->encoding_count; i++)
        if (&counts->encodings[i].row.sum == of_encoding)
            batch->by_type[key->type] = (uint8_t)(i + 1);
    return true;
}

static bool count_slot(struct stat_batch *batch, unsigned slot, const struct stat_sum *sum)
{
    if (batch->slot_count == batch->slot_cap) {
        size_t cap = batch->slot_cap ? 2 * batch->slot_cap : 4096;
        struct stat_slot_entry *grown = realloc(batch->slots, cap * sizeof(*grown));
        if (!grown)
            return false;
        batch->slots = grown;
        batch->slot_cap = cap;
    }
    batch->slots[batch->slot_count++] = (struct stat_slot_entry){
        (uint64_t)slot << STAT_SLOT_SHIFT | (sum->bytes & ((UINT64_C(1) << STAT_SLOT_SHIFT) - 1)), sum->memory};
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

uint64_t stat_heap_needed(const struct stat_heap *heap, uint64_t least)
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
    stat_free_owned(dropped.name.at);
    return true;
}

static bool offer_big(struct stat_batch *batch, const struct rdb_item *item, const struct stat_sum *sum)
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
        batch->needed[order] = stat_heap_needed(heap, batch->needed[order]);
    }
    return ok;
}

/* Each key has one expiry class, so these add up to all keys. */
bool stat_batch_end_db(struct stat_batch *batch, uint32_t next)
{
    struct stat_counts *counts = &batch->counts;
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

static bool take_key(struct stat_batch *batch, const struct rdb_item *item)
{
    const struct stat_scan *scan = batch->scan;
    const struct stat_options *options = &scan->stat->options;
    const struct rdb_key *key = &item->key;
    struct stat_counts *counts = &batch->counts;
    counts->seen++;
    unsigned slot = keyslot(key->name);
    if (options->selection && !selection_takes(options->selection, key, slot))
        return true;
    struct stat_sum sum = {1, key->has_expiry, key->elements, key->value_length, memory_of_key(&scan->model, key)};
    if (key->db != batch->db && !stat_batch_end_db(batch, key->db))
        return false;
    stat_sum_add(&counts->expiries[expiry_of(&scan->file, key)], &sum);
    stat_sum_add(&counts->sizes[size_of(sum.bytes)], &sum);
    struct bytes prefix = prefix_next(&batch->prefix, key->name, options->depth);
    return count_slot(batch, slot, &sum) && count_encoding(batch, key, &sum) &&
           sum_table_count(counts->prefixes, prefix, &sum) &&
           offer_big(batch, item, &sum);
}

bool stat_batch_item(void *context, struct rdb *reader, const struct rdb_item *item)
{
    (void)reader;
    struct stat_batch *batch = context;
    if (item->kind == RDB_KEY)
        return take_key(batch, item);
    if (item->kind == RDB_SLOT_INFO || (item->kind == RDB_AUX && text_is(item->name, "slot-info")))
        batch->counts.clustered = true;
    return true;
}

bool stat_batch_damage(void *context, const struct damage *damage, struct bytes key)
{
    (void)key;
    struct stat_counts *counts = &((struct stat_batch *)context)->counts;
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
