#include "tools/keyspace/sum_table.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { FIRST_PLACES = 256 /* of the hash table; a power of two */ };


struct place_in {
    uint32_t entry; /* 1 + index of the entry; 0: free */
    uint32_t hash;
};

struct entry {
    struct stat_sum sum;
    uint32_t hash;
    uint8_t len;
    uint8_t name[SUM_NAME_LONGEST];
};

struct sum_table {
    struct entry *entries; /* in the order in which they came */
    size_t count, cap, most;
    struct place_in *places;
    size_t mask;
    struct stat_sum none, others;
    struct sum_row *sorted;
    size_t last; /* the entry that was counted last: names come in runs */
};

struct sum_table *sum_table_new(size_t most)
{
    struct sum_table *table = calloc(1, sizeof(*table));
    if (!table)
        return NULL;
    table->most = most;
    table->places = calloc(FIRST_PLACES, sizeof(*table->places));
    table->mask = FIRST_PLACES - 1;
    if (!table->places) {
        free(table);
        return NULL;
    }
    return table;
}

void sum_table_free(struct sum_table *table)
{
    if (!table)
        return;
    free(table->entries);
    free(table->places);
    free(table->sorted);
    free(table);
}

static void clear_places(struct sum_table *table)
{
    memset(table->places, 0, (table->mask + 1) * sizeof(*table->places));
}

void sum_table_clear(struct sum_table *table)
{
    table->count = table->last = 0;
    table->none = table->others = (struct stat_sum){0};
    clear_places(table);
}

static void place_entry(struct sum_table *table, uint32_t hash, size_t entry)
{
    size_t at = hash & table->mask;
    while (table->places[at].entry)
        at = (at + 1) & table->mask;
    table->places[at] = (struct place_in){(uint32_t)entry + 1, hash};
}

static void place_all(struct sum_table *table)
{
    clear_places(table);
    for (size_t i = 0; i < table->count; i++)
        place_entry(table, table->entries[i].hash, i);
}

static bool room_for_one(struct sum_table *table)
{
    if (table->count == table->cap) {
        size_t cap = table->cap ? 2 * table->cap : 64;
        struct entry *entries = realloc(table->entries, cap * sizeof(*entries));
        if (!entries)
            return false;
        table->entries = entries;
        table->cap = cap;
    }
    if (2 * (table->count + 1) > table->mask + 1) {
        size_t places = 2 * (table->mask + 1);
        struct place_in *grown = calloc(places, sizeof(*grown));
        if (!grown)
            return false;
        free(table->places);
        table->places = grown;
        table->mask = places - 1;
        place_all(table);
    }
    return true;
}

static inline bool is_entry(const struct entry *entry, struct bytes name)
{
    return entry->len == name.len && memcmp(entry->name, name.at, name.len) == 0;
}

static bool add_entry(struct sum_table *table, struct bytes name, uint32_t hash, const struct stat_sum *sum)
{
    if (table->most && table->count == table->most) {
        stat_sum_add(&table->others, sum);
        return true;
    }
    if (!room_for_one(table))
        return false;
    struct entry *entry = &table->entries[table->count];
    entry->sum = *sum;
    entry->hash = hash;
    entry->len = (uint8_t)name.len;
    memcpy(entry->name, name.at, name.len);
    place_entry(table, hash, table->count);
    table->last = table->count++;
    return true;
}

bool sum_table_count(struct sum_table *table, struct bytes name, const struct stat_sum *sum)
{
    if (!name.len) {
        stat_sum_add(&table->none, sum);
        return true;
    }
    if (table->last < table->count && is_entry(&table->entries[table->last], name)) {
        stat_sum_add(&table->entries[table->last].sum, sum);
        return true;
    }
    uint32_t hash = (uint32_t)XXH3_64bits(name.at, name.len);
    for (size_t at = hash & table->mask; table->places[at].entry; at = (at + 1) & table->mask) {
        size_t index = table->places[at].entry - 1;
        if (table->places[at].hash != hash || !is_entry(&table->entries[index], name))
            continue;
        stat_sum_add(&table->entries[index].sum, sum);
        table->last = index;
        return true;
    }
    return add_entry(table, name, hash, sum);
}

bool sum_table_merge(struct sum_table *table, const struct sum_table *from)
{
    bool ok = true;
    for (size_t i = 0; ok && i < from->count; i++) {
        const struct entry *entry = &from->entries[i];
        ok = sum_table_count(table, (struct bytes){entry->name, entry->len}, &entry->sum);
    }
    stat_sum_add(&table->none, &from->none);
    stat_sum_add(&table->others, &from->others);
    return ok;
}

static int compare_names(struct bytes a, struct bytes b)
{
    int order = memcmp(a.at, b.at, a.len < b.len ? a.len : b.len);
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int by_bytes(const void *a, const void *b)
{
    const struct entry *left = a, *right = b;
    if (left->sum.bytes != right->sum.bytes)
        return left->sum.bytes < right->sum.bytes ? 1 : -1;
    return compare_names((struct bytes){left->name, left->len}, (struct bytes){right->name, right->len});
}

static int by_name(const void *a, const void *b)
{
    const struct entry *left = a, *right = b;
    return compare_names((struct bytes){left->name, left->len}, (struct bytes){right->name, right->len});
}

static void sort(struct sum_table *table, enum sum_order order)
{
    if (table->count)
        qsort(table->entries, table->count, sizeof(*table->entries), order == SUM_BY_BYTES ? by_bytes : by_name);
    table->last = 0;
    place_all(table);
}

void sum_table_prune(struct sum_table *table, size_t most)
{
    if (table->count <= most)
        return;
    sort(table, SUM_BY_BYTES);
    for (size_t i = most; i < table->count; i++)
        stat_sum_add(&table->others, &table->entries[i].sum);
    table->count = most;
    table->last = 0;
    place_all(table);
}

const struct sum_row *sum_table_rows(struct sum_table *table, enum sum_order order, size_t *count)
{
    *count = table->count;
    struct sum_row *sorted = realloc(table->sorted, (table->count + 1) * sizeof(*sorted));
    if (!sorted)
        return NULL;
    table->sorted = sorted;
    sort(table, order);
    for (size_t i = 0; i < table->count; i++)
        sorted[i] = (struct sum_row){{table->entries[i].name, table->entries[i].len}, table->entries[i].sum};
    return sorted;
}

const struct stat_sum *sum_table_none(const struct sum_table *table)
{
    return &table->none;
}

const struct stat_sum *sum_table_others(const struct sum_table *table)
{
    return &table->others;
}

void sum_table_count_others(struct sum_table *table, const struct stat_sum *sum)
{
    stat_sum_add(&table->others, sum);
}
