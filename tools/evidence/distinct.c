#include "tools/evidence/distinct.h"

#include <endian.h>
#include <pthread.h>
#include <stddef.h>
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
    CHUNK = 256,
    ROOM = 245, /* of a chunk for fingerprints: a multiple of both widths */
    SLAB = 2 * 1024 * 1024, /* what is asked of the system at once */
    AHEAD = 8,              /* places that are fetched into the cache before they are written to */
    SPARSE = 64,            /* bits of a bitmap for each fingerprint of a bucket */
    MOST_THREADS = 8,
};

/* Stands at a multiple of its size, so that a place in it tells where it begins and ends. */
struct chunk {
    struct chunk *before;
    uint8_t prints[CHUNK - sizeof(struct chunk *)]; /* 3 bytes stay free: 8 are written at once */
};

enum { FULL = offsetof(struct chunk, prints) + ROOM }; /* where the place stands behind the last fingerprint */
_Static_assert(sizeof(struct chunk) == CHUNK && ROOM % NARROW == 0 && ROOM % WIDE == 0 &&
                   FULL - NARROW + sizeof(uint64_t) <= CHUNK,
               "chunks of either width are full at one place, and 8 bytes can be written before it");

struct slab {
    struct slab *next;
    size_t used;
    _Alignas(CHUNK) struct chunk chunks[SLAB / CHUNK - 1];
};

struct distinct {
    uint8_t *buckets[BUCKETS]; /* the place behind the last fingerprint; that many buckets fit into the first-level cache */
    struct slab *slabs;
    _Alignas(CHUNK) struct chunk none; /* where buckets are that have nothing yet */
    uint64_t size, most;
    uint64_t odd; /* by chance: nobody can make up names that all meet in one place */
    unsigned width, dropped; /* bytes that are stored, bits that are not */
    bool full;
};

struct distinct *distinct_new(uint64_t most, bool exact)
{
    struct distinct *distinct = aligned_alloc(_Alignof(struct distinct), sizeof(*distinct));
    if (!distinct)
        return NULL;
    memset(distinct, 0, sizeof(*distinct));
    for (size_t i = 0; i < BUCKETS; i++)
        distinct->buckets[i] = distinct->none.prints + ROOM;
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

void distinct_keys(uint32_t db, const struct bytes *names, size_t count, uint64_t *fingerprints)
{
    for (size_t i = 0; i < count; i++)
        fingerprints[i] = distinct_key(db, names[i]);
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

static inline size_t offset_in_chunk(const uint8_t *place)
{
    return (uintptr_t)place % CHUNK;
}

static inline struct chunk *chunk_of(uint8_t *place)
{
    return (struct chunk *)(void *)(place - offset_in_chunk(place));
}

static bool grow(struct distinct *distinct, uint8_t **bucket)
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
    chunk->before = chunk_of(*bucket);
    *bucket = chunk->prints;
    return true;
}

size_t distinct_add(struct distinct *distinct, const uint64_t *fingerprints, size_t count)
{
    const unsigned width = distinct->width, dropped = distinct->dropped;
    if (distinct->full)
        return 0;
    for (size_t i = 0; i < count; i++) {
        uint8_t **bucket = &distinct->buckets[fingerprints[i] >> (64 - BUCKET_BITS)];
        if (i + AHEAD < count)
            __builtin_prefetch(distinct->buckets[fingerprints[i + AHEAD] >> (64 - BUCKET_BITS)], 1);
        if (offset_in_chunk(*bucket) == FULL && !grow(distinct, bucket))
            return i;
        uint64_t stored = htole64((fingerprints[i] << BUCKET_BITS) >> (BUCKET_BITS + dropped));
        uint8_t *at = *bucket;
        *bucket = at + width;
        memcpy(at, &stored, sizeof(stored));
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
    size_t print_cap;
    uint64_t *suspects;
    uint64_t *bits, *suspect_bits;
    size_t cap; /* fingerprints for which these have room */
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

/* Room for suspects, and two empty bitmaps with SPARSE bits or more for each fingerprint of the bucket. */
static bool make_room(struct look *look, size_t count)
{
    if (count <= look->cap)
        return true;
    size_t cap = 2 * count;
    unsigned bits_log = 12;
    while ((UINT64_C(1) << bits_log) < (uint64_t)SPARSE * cap)
        bits_log++;
    free(look->suspects);
    free(look->bits);
    free(look->suspect_bits);
    look->cap = 0;
    look->suspects = malloc(cap * sizeof(*look->suspects));
    look->bits = calloc((size_t)1 << (bits_log - 6), sizeof(*look->bits));
    look->suspect_bits = calloc((size_t)1 << (bits_log - 6), sizeof(*look->suspect_bits));
    look->bits_log = bits_log;
    if (!look->suspects || !look->bits || !look->suspect_bits)
        return false;
    look->cap = cap;
    return true;
}

/* From the chunks into one run, of so many. False without memory. */
static bool unpack(struct look *look, uint8_t *bucket, size_t *count)
{
    const unsigned width = look->distinct->width;
    const uint64_t mask = UINT64_MAX >> (64 - 8 * width);
    const uint8_t *end = bucket;
    size_t n = 0;
    for (const struct chunk *chunk = chunk_of(bucket); chunk != &look->distinct->none; chunk = chunk->before) {
        __builtin_prefetch(chunk->before);
        if (look->print_cap < n + ROOM / NARROW) {
            size_t cap = 2 * (n + ROOM / NARROW);
            uint64_t *larger = realloc(look->prints, cap * sizeof(*larger));
            if (!larger)
                return false;
            look->prints = larger;
            look->print_cap = cap;
        }
        for (const uint8_t *at = chunk->prints; at < end; at += width) {
            uint64_t stored;
            memcpy(&stored, at, sizeof(stored));
            look->prints[n++] = le64toh(stored) & mask;
        }
        end = chunk->before->prints + ROOM;
    }
    *count = n;
    return true;
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
    size_t count;
    if (!unpack(look, distinct->buckets[number], &count))
        return false;
    if (count < 2)
        return true;
    if (!make_room(look, count))
        return false;
    size_t suspected = find_suspects(look, count);
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
