#include "tools/keyspace/key_parts.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <xxhash.h>

enum {
    FIRST_SLAB = 64 * 1024,
    HUGE_PAGE = 2 * 1024 * 1024,
    LAST_SLAB = 2 * HUGE_PAGE,
};

struct key_id key_id_of(uint32_t db, struct bytes name)
{
    XXH128_hash_t hash = XXH3_128bits_withSeed(name.at, name.len, db);
    return (struct key_id){hash.low64, hash.high64};
}

unsigned key_part_of(struct key_id id)
{
    return (unsigned)(id.high >> (64 - KEY_PART_BITS));
}

struct key_entry key_entry_of(struct key_id id, const unsigned char digest[16], uint64_t expiry, unsigned char mark)
{
    struct key_entry entry = {.name = id.low, .name_more = (uint32_t)id.high, .mark = mark, .expiry = expiry};
    memcpy(&entry.value, digest, sizeof(entry.value));
    memcpy(entry.value_more, digest + sizeof(entry.value), sizeof(entry.value_more));
    return entry;
}

bool key_entry_same_name(const struct key_entry *a, const struct key_entry *b)
{
    return a->name == b->name && a->name_more == b->name_more;
}

bool key_entry_same_value(const struct key_entry *a, const struct key_entry *b)
{
    return a->value == b->value && memcmp(a->value_more, b->value_more, sizeof(a->value_more)) == 0;
}

unsigned char key_entry_mark(const struct key_entry *entry)
{
    return atomic_load_explicit(&entry->mark, memory_order_relaxed);
}

void key_entry_set_mark(struct key_entry *entry, unsigned char mark)
{
    atomic_store_explicit(&entry->mark, mark, memory_order_relaxed);
}

/* Slabs double up to a size that huge pages suit: the kernel hands those out many times faster. */
static bool add_slab(struct key_pool *pool)
{
    if (pool->slab_count == pool->slab_cap) {
        size_t cap = pool->slab_cap ? pool->slab_cap * 2 : 16;
        void **slabs = realloc(pool->slabs, cap * sizeof(*slabs));
        if (!slabs)
            return false;
        pool->slabs = slabs;
        pool->slab_cap = cap;
    }
    size_t size = !pool->slab_size ? FIRST_SLAB : pool->slab_size < LAST_SLAB ? pool->slab_size * 2 : pool->slab_size;
    void *slab = size >= HUGE_PAGE ? aligned_alloc(HUGE_PAGE, size) : malloc(size);
    if (!slab)
        return false;
    if (size >= HUGE_PAGE)
        madvise(slab, size, MADV_HUGEPAGE);
    pool->slabs[pool->slab_count++] = slab;
    pool->slab_size = size;
    pool->used = 0;
    pool->bytes += size;
    return true;
}

static struct key_chunk *take_chunk(struct key_pool *pool)
{
    struct key_chunk *chunk = pool->returned;
    if (chunk) {
        pool->returned = chunk->next;
    } else {
        if ((!pool->slab_count || pool->slab_size - pool->used < sizeof(*chunk)) && !add_slab(pool))
            return NULL;
        chunk = (struct key_chunk *)(void *)((char *)pool->slabs[pool->slab_count - 1] + pool->used);
        pool->used += sizeof(*chunk);
    }
    chunk->next = NULL;
    return chunk;
}

struct key_entry *key_part_add(struct key_part *part, struct key_pool *pool, const struct key_entry *entry)
{
    if (part->count % KEY_CHUNK == 0) {
        struct key_chunk *chunk = take_chunk(pool);
        if (!chunk)
            return NULL;
        if (part->last)
            part->last->next = chunk;
        else
            part->first = chunk;
        part->last = chunk;
    }
    struct key_entry *place = &part->last->entries[part->count++ % KEY_CHUNK];
    *place = *entry;
    return place;
}

void key_part_clear(struct key_part *part, struct key_pool *pool)
{
    if (part->last) {
        part->last->next = pool->returned;
        pool->returned = part->first;
    }
    *part = (struct key_part){0};
}

void key_pool_free(struct key_pool *pool)
{
    for (size_t i = 0; i < pool->slab_count; i++)
        free(pool->slabs[i]);
    free(pool->slabs);
    *pool = (struct key_pool){0};
}
