#include "tools/keyspace/stat.h"

#include <stdlib.h>
#include <string.h>

#include "tools/keyspace/stat_private.h"

const char *stat_expiry_word(enum stat_expiry expiry)
{
    static const char *const words[STAT_EXPIRIES] = {
        [STAT_NO_EXPIRY] = "none", [STAT_EXPIRED] = "expired", [STAT_HOUR] = "hour",   [STAT_DAY] = "day",
        [STAT_WEEK] = "week",      [STAT_MONTH] = "month",     [STAT_LATER] = "later", [STAT_UNDATED] = "undated"};
    return words[expiry];
}

const char *stat_order_word(enum stat_order order)
{
    static const char *const words[STAT_ORDERS] = {
        [STAT_BY_BYTES] = "bytes", [STAT_BY_ELEMENTS] = "elements", [STAT_BY_MEMORY] = "memory"};
    return words[order];
}

uint64_t stat_size_limit(size_t size)
{
    return size + 1 < STAT_SIZES ? UINT64_C(16) << 2 * size : UINT64_MAX;
}

struct bytes stat_db_name(uint32_t db, uint8_t room[STAT_DB_NAME])
{
    for (size_t i = 0; i < STAT_DB_NAME; i++)
        room[i] = (uint8_t)(db >> 8 * (STAT_DB_NAME - 1 - i));
    return (struct bytes){room, STAT_DB_NAME};
}

uint32_t stat_db_number(struct bytes name)
{
    uint32_t db = 0;
    for (size_t i = 0; i < name.len; i++)
        db = db << 8 | name.at[i];
    return db;
}

uint64_t stat_big_value(const struct stat_big *big, enum stat_order order)
{
    return order == STAT_BY_BYTES ? big->bytes : order == STAT_BY_ELEMENTS ? big->elements : big->memory;
}

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare_runs(struct bytes a, struct bytes b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.at, b.at, len) : 0;
    return order ? order : compare_numbers(a.len, b.len);
}

int stat_big_compare(const struct stat_big *a, const struct stat_big *b, enum stat_order order)
{
    int by_value = compare_numbers(stat_big_value(b, order), stat_big_value(a, order));
    int by_file = by_value || a->file == b->file ? by_value : strcmp(a->file, b->file);
    int by_offset = by_file ? by_file : compare_numbers(a->offset, b->offset);
    int by_db = by_offset ? by_offset : compare_numbers(a->db, b->db);
    return by_db ? by_db : compare_runs(a->name, b->name);
}

static void sift_down(struct stat_heap *heap, size_t at)
{
    struct stat_big moving = heap->at[at];
    for (size_t child; (child = 2 * at + 1) < heap->count; at = child) {
        if (child + 1 < heap->count && stat_big_compare(&heap->at[child + 1], &heap->at[child], heap->order) > 0)
            child++;
        if (stat_big_compare(&heap->at[child], &moving, heap->order) <= 0)
            break;
        heap->at[at] = heap->at[child];
    }
    heap->at[at] = moving;
}

static void sift_up(struct stat_heap *heap, size_t at)
{
    struct stat_big moving = heap->at[at];
    for (size_t parent; at; at = parent) {
        parent = (at - 1) / 2;
        if (stat_big_compare(&heap->at[parent], &moving, heap->order) >= 0)
            break;
        heap->at[at] = heap->at[parent];
    }
    heap->at[at] = moving;
}

bool stat_heap_put(struct stat_heap *heap, const struct stat_big *big, struct stat_big *dropped)
{
    *dropped = (struct stat_big){0};
    if (heap->count == heap->most) {
        *dropped = heap->at[0];
        heap->at[0] = *big;
        sift_down(heap, 0);
        return true;
    }
    if (heap->count == heap->cap) {
        size_t cap = heap->cap ? 2 * heap->cap : 16;
        struct stat_big *grown = realloc(heap->at, cap * sizeof(*grown));
        if (!grown)
            return false;
        heap->at = grown;
        heap->cap = cap;
    }
    heap->at[heap->count++] = *big;
    sift_up(heap, heap->count - 1);
    return true;
}

struct key_stat *key_stat_new(const struct stat_options *options)
{
    struct arena *arena = arena_new();
    struct key_stat *stat = arena ? arena_alloc(arena, sizeof(*stat)) : NULL;
    if (!stat) {
        arena_free(arena);
        return NULL;
    }
    stat->arena = arena;
    stat->options = *options;
    stat->slots = arena_array(arena, SLOT_COUNT, sizeof(*stat->slots));
    stat->prefixes = sum_table_new(0);
    stat->dbs = sum_table_new(0);
    for (int order = 0; order < STAT_ORDERS; order++)
        stat->big[order] = (struct stat_heap){.order = (enum stat_order)order, .most = options->top};
    if (stat->slots && stat->prefixes && stat->dbs)
        return stat;
    key_stat_free(stat);
    return NULL;
}

void key_stat_free(struct key_stat *stat)
{
    if (!stat)
        return;
    sum_table_free(stat->prefixes);
    sum_table_free(stat->dbs);
    for (int order = 0; order < STAT_ORDERS; order++)
        free(stat->big[order].at);
    arena_free(stat->arena);
}

bool key_stat_add_encoding(struct key_stat *stat, const char *type, const char *encoding, const struct stat_sum *sum)
{
    for (size_t i = 0; i < stat->encoding_count; i++) {
        struct stat_encoding *row = &stat->encodings[i];
        if (strcmp(row->type, type) == 0 && strcmp(row->encoding, encoding) == 0) {
            stat_sum_add(&row->sum, sum);
            return true;
        }
    }
    if (stat->encoding_count == STAT_ENCODINGS)
        return false;
    struct stat_encoding *rows = arena_grow(stat->arena, stat->encodings, stat->encoding_count, &stat->encoding_cap,
                                            sizeof(*rows));
    const char *own_type = arena_string(stat->arena, type), *own_encoding = arena_string(stat->arena, encoding);
    if (!rows || !own_type || !own_encoding)
        return false;
    stat->encodings = rows;
    rows[stat->encoding_count++] = (struct stat_encoding){own_type, own_encoding, *sum};
    return true;
}

bool key_stat_add_big(struct key_stat *stat, enum stat_order order, const struct stat_big *big)
{
    struct stat_heap *heap = &stat->big[order];
    if (!stat_heap_wants(heap, big))
        return true;
    struct stat_big own = *big, dropped;
    own.file = arena_string(stat->arena, big->file);
    own.type = arena_string(stat->arena, big->type);
    own.encoding = arena_string(stat->arena, big->encoding);
    own.name.at = (const uint8_t *)arena_copy(stat->arena, big->name.at, big->name.len);
    return own.file && own.type && own.encoding && own.name.at && stat_heap_put(heap, &own, &dropped);
}

struct stat_file *key_stat_add_file(struct key_stat *stat, const struct stat_file *file)
{
    struct arena *arena = stat->arena;
    struct stat_file *files = arena_grow(arena, stat->files, stat->file_count, &stat->file_cap, sizeof(*files));
    if (!files)
        return NULL;
    stat->files = files;
    struct stat_file *own = &files[stat->file_count++];
    *own = *file;
    own->path = arena_string(arena, file->path);
    own->writer = arena_string(arena, file->writer);
    own->model = arena_string(arena, file->model);
    own->stopped = arena_string(arena, file->stopped);
    struct stat_damage *damage = arena_array(arena, file->damage_count, sizeof(*damage));
    for (size_t i = 0; damage && i < file->damage_count; i++)
        damage[i] = (struct stat_damage){file->damage[i].offset, arena_string(arena, file->damage[i].text)};
    own->damage = damage;
    return arena_failed(arena) ? NULL : own;
}

bool key_stat_merge(struct key_stat *stat, const struct key_stat *from)
{
    bool ok = sum_table_merge(stat->prefixes, from->prefixes) && sum_table_merge(stat->dbs, from->dbs);
    stat_sum_add(&stat->total, &from->total);
    for (size_t i = 0; i < STAT_EXPIRIES; i++)
        stat_sum_add(&stat->expiries[i], &from->expiries[i]);
    for (size_t i = 0; i < STAT_SIZES; i++)
        stat_sum_add(&stat->sizes[i], &from->sizes[i]);
    for (size_t slot = 0; slot < SLOT_COUNT; slot++) {
        stat->slots[slot].keys += from->slots[slot].keys;
        stat->slots[slot].bytes += from->slots[slot].bytes;
        stat->slots[slot].memory += from->slots[slot].memory;
        stat->slots[slot].files += from->slots[slot].files;
    }
    for (size_t i = 0; ok && i < from->encoding_count; i++)
        ok = key_stat_add_encoding(stat, from->encodings[i].type, from->encodings[i].encoding, &from->encodings[i].sum);
    for (int order = 0; ok && order < STAT_ORDERS; order++)
        for (size_t i = 0; ok && i < from->big[order].count; i++)
            ok = key_stat_add_big(stat, (enum stat_order)order, &from->big[order].at[i]);
    for (size_t i = 0; ok && i < from->file_count; i++)
        ok = key_stat_add_file(stat, &from->files[i]) != NULL;
    return ok;
}

static int encodings_by_name(const void *a, const void *b)
{
    const struct stat_encoding *left = a, *right = b;
    int by_type = strcmp(left->type, right->type);
    return by_type ? by_type : strcmp(left->encoding, right->encoding);
}

static int compare_texts(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "");
}

/* The same path may name files of several hosts: then what tells them apart decides, and what is shown of them. */
static int files_by_path(const void *a, const void *b)
{
    const struct stat_file *left = a, *right = b;
    const uint64_t numbers[][2] = {
        {(uint64_t)left->ctime_ms, (uint64_t)right->ctime_ms},
        {left->sum.keys, right->sum.keys},
        {left->sum.bytes, right->sum.bytes},
        {left->used, right->used},
        {left->slots, right->slots},
        {left->damages, right->damages},
        {left->stopped_at, right->stopped_at},
    };
    int order = strcmp(left->path, right->path);
    for (size_t i = 0; !order && i < sizeof(numbers) / sizeof(*numbers); i++)
        order = compare_numbers(numbers[i][0], numbers[i][1]);
    order = order ? order : compare_texts(left->stopped, right->stopped);
    return order ? order : compare_texts(left->writer, right->writer);
}

static int by_bytes(const void *a, const void *b)
{
    return stat_big_compare(a, b, STAT_BY_BYTES);
}

static int by_elements(const void *a, const void *b)
{
    return stat_big_compare(a, b, STAT_BY_ELEMENTS);
}

static int by_memory(const void *a, const void *b)
{
    return stat_big_compare(a, b, STAT_BY_MEMORY);
}

static void sort(void *rows, size_t count, size_t size, int (*compare)(const void *a, const void *b))
{
    if (count)
        qsort(rows, count, size, compare);
}

void key_stat_finish(struct key_stat *stat)
{
    static int (*const orders[STAT_ORDERS])(const void *a, const void *b) = {
        [STAT_BY_BYTES] = by_bytes, [STAT_BY_ELEMENTS] = by_elements, [STAT_BY_MEMORY] = by_memory};
    sort(stat->encodings, stat->encoding_count, sizeof(*stat->encodings), encodings_by_name);
    sort(stat->files, stat->file_count, sizeof(*stat->files), files_by_path);
    for (int order = 0; order < STAT_ORDERS; order++)
        sort(stat->big[order].at, stat->big[order].count, sizeof(*stat->big[order].at), orders[order]);
}

unsigned key_stat_slots(const struct key_stat *stat)
{
    unsigned count = 0;
    for (size_t slot = 0; slot < SLOT_COUNT; slot++)
        count += stat->slots[slot].keys != 0;
    return count;
}

unsigned key_stat_shared_slots(const struct key_stat *stat)
{
    unsigned count = 0;
    for (size_t slot = 0; slot < SLOT_COUNT; slot++)
        count += stat->slots[slot].files > 1;
    return count;
}

bool key_stat_memory(const struct key_stat *stat, uint64_t *modelled, uint64_t *used, size_t *files)
{
    *modelled = *used = *files = 0;
    for (size_t i = 0; i < stat->file_count; i++) {
        const struct stat_file *file = &stat->files[i];
        if (!file->has_used || !file->has_modelled)
            continue;
        *modelled += file->modelled;
        *used += file->used;
        ++*files;
    }
    return *files != 0;
}
