#include "tools/evidence/distinct.h"

#include <endian.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/* Fingerprints are scattered by their upper bits: what is equal meets in one bucket, and what is needed to look through
 * a bucket fits into the cache. The bucket's number is not stored with them. */
enum {
    BUCKET_BITS = 12,
    BUCKETS = 1 << BUCKET_BITS,
    NARROW = 5, /* bytes that are stored of a fingerprint: of 52 bits in all */
    WIDE = 7,   /* of all 64 */
    CHUNK = 248,
    SLAB = 2 * 1024 * 1024, /* what is asked of the system at once */
    AHEAD = 8,              /* places that are fetched into the cache before they are written to */
    SPARSE = 64,            /* bits of a bitmap for each fingerprint of a bucket */
    MOST_THREADS = 8,
};

struct chunk {
    struct chunk *before;
    uint8_t prints[CHUNK]; /* 3 bytes at least stay free: 8 are written at once */
};

struct bucket {
    uint8_t *at, *end; /* room in the last chunk; both NULL in the beginning */
    struct chunk *last;
    uint64_t count;
};

struct slab {
    struct slab *next;
    size_t used;
    struct chunk chunks[SLAB / sizeof(struct chunk) - 1];
};

struct distinct {
    struct bucket buckets[BUCKETS];
    struct slab *slabs;
    uint64_t size, most;
    uint64_t odd; /* by chance: nobody can make up names that all meet in one place */
    unsigned width, dropped; /* bytes that are stored, bits that are not */
    bool full;
};

struct distinct *distinct_new(uint64_t most, bool exact)
{
    struct distinct *distinct = calloc(1, sizeof(*distinct));
    if (!distinct)
        return NULL;
    distinct->most = most;
    distinct->width = exact ? WIDE : NARROW;
    distinct->dropped = exact ? 0 : 64 - BUCKET_BITS - 8 * NARROW;
    if (getrandom(&distinct->odd, sizeof(distinct->odd), GRND_NONBLOCK) < 0)
        distinct->odd = (uintptr_t)distinct;
    distinct->odd |= 1;
    return distinct;
}

void distinct_free(struct distinct *distinct)
{
    if (!distinct)
        return;
    for (struct slab *slab = distinct->slabs, *next; slab; slab = next) {
        next = slab->next;
        free(slab);
    }
    free(distinct);
}

uint64_t distinct_key(uint32_t db, struct bytes name)
{
    static const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15); /* 2^64 by the golden ratio: spreads small numbers */
    return XXH3_64bits(name.len ? name.at : (const uint8_t *)"", name.len) ^ db * odd;
}

static bool more_chunks(struct distinct *distinct)
{
    if (distinct->size + SLAB > distinct->most)
        return false;
    struct slab *slab = aligned_alloc(SLAB, SLAB);
    if (!slab)
        return false;
    madvise(slab, SLAB, MADV_HUGEPAGE); /* else page faults are a tenth of the job */
    slab->next = distinct->slabs;
    slab->used = 0;
    distinct->slabs = slab;
    distinct->size += SLAB;
    return true;
}

static bool grow(struct distinct *distinct, struct bucket *bucket)
{
    struct slab *slab = distinct->slabs;
    if (!slab || slab->used == sizeof(slab->chunks) / sizeof(slab->chunks[0])) {
        if (!more_chunks(distinct)) {
            distinct->full = true;
            return false;
        }
        slab = distinct->slabs;
    }
    struct chunk *chunk = &slab->chunks[slab->used++];
    chunk->before = bucket->last;
    bucket->last = chunk;
    bucket->at = chunk->prints;
    bucket->end = chunk->prints + (CHUNK - 8 + NARROW) / distinct->width * distinct->width;
    return true;
}

size_t distinct_add(struct distinct *distinct, const uint64_t *fingerprints, size_t count)
{
    const unsigned width = distinct->width, dropped = distinct->dropped;
    for (size_t i = 0; i < count; i++) {
        struct bucket *bucket = &distinct->buckets[fingerprints[i] >> (64 - BUCKET_BITS)];
        if (i + AHEAD < count)
            __builtin_prefetch(distinct->buckets[fingerprints[i + AHEAD] >> (64 - BUCKET_BITS)].at, 1);
        if (distinct->full || (bucket->at == bucket->end && !grow(distinct, bucket)))
            return i;
        uint64_t stored = htole64((fingerprints[i] << BUCKET_BITS) >> (BUCKET_BITS + dropped));
        memcpy(bucket->at, &stored, sizeof(stored));
        bucket->at += width;
        bucket->count++;
    }
    return count;
}

uint64_t distinct_kept(const struct distinct *distinct, uint64_t fingerprint)
{
    return fingerprint >> distinct->dropped << distinct->dropped;
}

/* ---------------------------------------------------------------- looking through the buckets */

struct look {
    struct distinct *distinct;
    size_t first, step; /* of the buckets */
    uint64_t *prints;   /* of the bucket */
    uint64_t *suspects;
    size_t cap; /* of both */
    uint64_t *bits, *suspect_bits;
    unsigned bits_log;
    uint64_t *found;
    size_t found_count, found_cap;
    bool no_memory;
};

static bool keep(struct look *look, uint64_t print)
{
    if (look->found_count == look->found_cap) {
        size_t cap = look->found_cap ? 2 * look->found_cap : 64;
        uint64_t *larger = realloc(look->found, cap * sizeof(*larger));
        if (!larger)
            return false;
        look->found = larger;
        look->found_cap = cap;
    }
    look->found[look->found_count++] = print;
    return true;
}

static int by_value(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

/* Room for the bucket, and two empty bitmaps with SPARSE bits or more for each of its fingerprints. */
static bool make_room(struct look *look, size_t count)
{
    if (count <= look->cap)
        return true;
    size_t cap = 2 * count;
    unsigned bits_log = 12;
    while ((UINT64_C(1) << bits_log) < (uint64_t)SPARSE * cap)
        bits_log++;
    free(look->prints);
    free(look->suspects);
    free(look->bits);
    free(look->suspect_bits);
    look->cap = 0;
    look->prints = malloc(cap * sizeof(*look->prints));
    look->suspects = malloc(cap * sizeof(*look->suspects));
    look->bits = calloc((size_t)1 << (bits_log - 6), sizeof(*look->bits));
    look->suspect_bits = calloc((size_t)1 << (bits_log - 6), sizeof(*look->suspect_bits));
    look->bits_log = bits_log;
    if (!look->prints || !look->suspects || !look->bits || !look->suspect_bits)
        return false;
    look->cap = cap;
    return true;
}

/* From the chunks into one run. */
static void unpack(struct look *look, const struct bucket *bucket)
{
    const unsigned width = look->distinct->width;
    const uint64_t mask = UINT64_MAX >> (64 - 8 * width);
    uint64_t *to = look->prints;
    const uint8_t *end = bucket->at;
    for (const struct chunk *chunk = bucket->last; chunk; chunk = chunk->before) {
        for (const uint8_t *at = chunk->prints; at < end; at += width) {
            uint64_t stored;
            memcpy(&stored, at, sizeof(stored));
            *to++ = le64toh(stored) & mask;
        }
        if (chunk->before)
            end = chunk->before->prints + (CHUNK - 8 + NARROW) / width * width;
    }
}

/* Two fingerprints that meet in a bitmap are suspects; only those are compared. Nothing here waits for a branch. */
static size_t find_suspects(struct look *look, size_t count)
{
    const uint64_t odd = look->distinct->odd, *prints = look->prints;
    const unsigned shift = 64 - look->bits_log;
    uint64_t *bits = look->bits, *suspect_bits = look->suspect_bits, *suspects = look->suspects;
    size_t met = 0, suspected = 0;
    memset(bits, 0, (size_t)1 << (look->bits_log - 3));
    for (size_t i = 0; i < count; i++) {
        uint64_t at = prints[i] * odd >> shift, bit = UINT64_C(1) << (at & 63);
        suspects[met] = prints[i];
        met += (bits[at >> 6] & bit) != 0;
        bits[at >> 6] |= bit;
    }
    if (!met)
        return 0;
    for (size_t i = 0; i < met; i++) {
        uint64_t at = suspects[i] * odd >> shift;
        suspect_bits[at >> 6] |= UINT64_C(1) << (at & 63);
    }
    for (size_t i = 0; i < count; i++) {
        uint64_t at = prints[i] * odd >> shift;
        suspects[suspected] = prints[i];
        suspected += suspect_bits[at >> 6] >> (at & 63) & 1;
    }
    for (size_t i = 0; i < suspected; i++)
        suspect_bits[(suspects[i] * odd >> shift) >> 6] = 0;
    return suspected;
}

static bool look_through(struct look *look, size_t number)
{
    const struct distinct *distinct = look->distinct;
    const struct bucket *bucket = &distinct->buckets[number];
    if (bucket->count < 2)
        return true;
    if (!make_room(look, bucket->count))
        return false;
    unpack(look, bucket);
    size_t suspected = find_suspects(look, bucket->count);
    if (suspected > 1)
        qsort(look->suspects, suspected, sizeof(*look->suspects), by_value);
    for (size_t i = 1; i < suspected; i++)
        if (look->suspects[i] == look->suspects[i - 1] && (i < 2 || look->suspects[i] != look->suspects[i - 2]) &&
            !keep(look, (uint64_t)number << (64 - BUCKET_BITS) | look->suspects[i] << distinct->dropped))
            return false;
    return true;
}

static void *look_through_all(void *context)
{
    struct look *look = context;
    for (size_t i = look->first; i < BUCKETS && !look->no_memory; i += look->step)
        look->no_memory = !look_through(look, i);
    free(look->prints);
    free(look->suspects);
    free(look->bits);
    free(look->suspect_bits);
    return NULL;
}

/* Takes what the looks found, and frees it. */
static bool gather(struct look *looks, unsigned count, uint64_t **repeated, size_t *repeated_count)
{
    size_t total = 0;
    bool ok = true;
    for (unsigned i = 0; i < count; i++) {
        total += looks[i].found_count;
        ok = ok && !looks[i].no_memory;
    }
    uint64_t *all = ok && total ? malloc(total * sizeof(*all)) : NULL;
    ok = ok && (all || !total);
    total = 0;
    for (unsigned i = 0; i < count; i++) {
        if (all && looks[i].found_count)
            memcpy(all + total, looks[i].found, looks[i].found_count * sizeof(*all));
        total += looks[i].found_count;
        free(looks[i].found);
    }
    if (all)
        qsort(all, total, sizeof(*all), by_value);
    *repeated = all;
    *repeated_count = all ? total : 0;
    return ok;
}

bool distinct_repeated(struct distinct *distinct, unsigned threads, uint64_t **repeated, size_t *count)
{
    struct look looks[MOST_THREADS] = {{0}};
    pthread_t others[MOST_THREADS];
    bool started[MOST_THREADS] = {false};
    threads = threads < 1 ? 1 : threads > MOST_THREADS ? MOST_THREADS : threads;
    if (distinct->size <= SLAB)
        threads = 1;
    for (unsigned i = 0; i < threads; i++)
        looks[i] = (struct look){.distinct = distinct, .first = i, .step = threads};
    for (unsigned i = 1; i < threads; i++)
        started[i] = pthread_create(&others[i], NULL, look_through_all, &looks[i]) == 0;
    for (unsigned i = 0; i < threads; i++)
        if (!started[i])
            look_through_all(&looks[i]);
    for (unsigned i = 1; i < threads; i++)
        if (started[i])
            pthread_join(others[i], NULL);
    return gather(looks, threads, repeated, count);
}
