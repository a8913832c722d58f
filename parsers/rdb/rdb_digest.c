/* Digests of values. A word is hashed on its own; the hashes of an element's words and its numbers are hashed again;
 * the elements are chained where their order counts, and added up (modulo 2^128) where it does not. */
#include "parsers/rdb/rdb_word.h"

#include <endian.h>

#include "parsers/rdb/value.h"

/* What of an element a user can see. */
enum part {
    PART_NAME = 1,
    PART_VALUE = 2,
    PART_SCORE = 4,
    PART_EXPIRY = 8,
    PART_INDEX = 16,
    PART_COUNT = 32,
    PART_ID = 64,
    PART_TIME = 128,
    PART_STREAM = 256,
    PART_FLOAT = 512, /* the value may be a score */
};

static const uint16_t parts[] = {
    [RDB_ELEMENT_STRING] = PART_VALUE,
    [RDB_ELEMENT_ITEM] = PART_VALUE,
    [RDB_ELEMENT_MEMBER] = PART_NAME | PART_EXPIRY,
    [RDB_ELEMENT_SCORED] = PART_NAME | PART_SCORE,
    [RDB_ELEMENT_FIELD] = PART_NAME | PART_VALUE | PART_EXPIRY,
    [RDB_ELEMENT_SLOT] = PART_INDEX | PART_VALUE | PART_FLOAT,
    [RDB_ELEMENT_ENTRY] = PART_ID,
    [RDB_ELEMENT_ENTRY_FIELD] = PART_NAME | PART_VALUE,
    [RDB_ELEMENT_STREAM] = PART_STREAM,
    [RDB_ELEMENT_GROUP] = PART_NAME | PART_ID | PART_COUNT,
    [RDB_ELEMENT_PENDING] = PART_ID | PART_TIME | PART_COUNT,
    [RDB_ELEMENT_CONSUMER] = PART_NAME,
    [RDB_ELEMENT_CONSUMER_PENDING] = PART_ID,
    [RDB_ELEMENT_NACK] = PART_ID,
    [RDB_ELEMENT_PRODUCER] = PART_NAME,
    [RDB_ELEMENT_PRODUCED] = PART_NAME | PART_ID,
    [RDB_ELEMENT_MODULE] = PART_NAME | PART_COUNT,
    [RDB_ELEMENT_MODULE_VALUE] = PART_VALUE | PART_FLOAT,
    [RDB_ELEMENT_OPAQUE] = PART_VALUE,
};

/* The numbers that stand for an element, least significant byte first wherever this runs. */
struct record {
    uint64_t numbers[16];
    size_t count;
};

struct rdb_digest {
    enum rdb_datatype datatype;
    bool ordered;
    bool skips; /* the fields of a deleted entry */
    uint64_t count;
    XXH128_hash_t sum;
};

size_t rdb_digest_size(void)
{
    return sizeof(struct rdb_digest);
}

void rdb_digest_begin(struct rdb_digest *digest, enum rdb_datatype datatype)
{
    *digest = (struct rdb_digest){
        .datatype = datatype,
        .ordered = datatype != RDB_SET && datatype != RDB_ZSET && datatype != RDB_HASH,
    };
}

static void put(struct record *record, uint64_t number)
{
    record->numbers[record->count++] = htole64(number);
}

static void put_hash(struct record *record, XXH128_hash_t hash)
{
    put(record, hash.low64);
    put(record, hash.high64);
}

static void put_word(struct record *record, const struct rdb_scalar *word)
{
    put_hash(record, rdb_word_hash(word));
}

/* Servers lose the sign of 0 when they pack a sorted set. */
static void put_score(struct record *record, double score)
{
    uint64_t bits = UINT64_MAX; /* whatever the bits of a NaN are */
    if (score == 0)
        bits = 0;
    else if (score == score)
        memcpy(&bits, &score, sizeof(bits));
    put(record, bits);
}

static void put_id(struct record *record, struct rdb_stream_id id)
{
    put(record, id.ms);
    put(record, id.seq);
}

/* Old versions do not store what the server then takes for granted. */
static void put_stream(struct record *record, const struct rdb_stream_facts *facts)
{
    put(record, facts->length);
    put_id(record, facts->last);
    put_id(record, facts->has_history ? facts->max_deleted : (struct rdb_stream_id){0});
    put(record, facts->has_history ? facts->added : facts->length);
}

static XXH128_hash_t hash_of(const struct record *record)
{
    return XXH3_128bits(record->numbers, record->count * sizeof(record->numbers[0]));
}

/* Each kind has its own parts, so the numbers need no labels but the kind. */
static void put_element(struct record *record, const struct rdb_element *element)
{
    unsigned mask = parts[element->kind];
    put(record, element->kind);
    if (mask & PART_NAME)
        put_word(record, &element->name);
    if (mask & PART_FLOAT && element->is_float)
        put_score(record, element->score);
    else if (mask & PART_VALUE)
        put_word(record, &element->value);
    if (mask & PART_SCORE)
        put_score(record, element->score);
    if (mask & PART_EXPIRY)
        put(record, element->has_expiry ? (uint64_t)element->expire_ms : UINT64_MAX);
    if (mask & PART_INDEX)
        put(record, element->index);
    if (mask & PART_COUNT)
        put(record, element->count);
    if (mask & PART_ID)
        put_id(record, element->id);
    if (mask & PART_TIME)
        put(record, (uint64_t)element->time_ms);
    if (mask & PART_STREAM)
        put_stream(record, &element->stream);
}

void rdb_digest_add(struct rdb_digest *digest, const struct rdb_element *element)
{
    if (element->kind == RDB_ELEMENT_ENTRY)
        digest->skips = element->deleted;
    if (digest->skips && (element->kind == RDB_ELEMENT_ENTRY || element->kind == RDB_ELEMENT_ENTRY_FIELD))
        return;
    struct record record = {.count = 0};
    if (digest->ordered)
        put_hash(&record, digest->sum);
    put_element(&record, element);
    XXH128_hash_t hash = hash_of(&record);
    digest->count++;
    if (digest->ordered) {
        digest->sum = hash;
        return;
    }
    digest->sum.low64 += hash.low64;
    digest->sum.high64 += hash.high64 + (digest->sum.low64 < hash.low64);
}

void rdb_digest_end(struct rdb_digest *digest, unsigned char out[16])
{
    struct record record = {.count = 0};
    put(&record, digest->datatype);
    put(&record, digest->count);
    put_hash(&record, digest->sum);
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, hash_of(&record));
    memcpy(out, canonical.digest, sizeof(canonical.digest));
}
