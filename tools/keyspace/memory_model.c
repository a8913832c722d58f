#include "tools/keyspace/memory_model.h"

#include <string.h>

/* Sources: sds.h, object.c, server.h, dict.h, quicklist.h, stream.h, rax.h of each generation; sizes on 64-bit
 * machines. The sizes of a server without keys are measured where that is said, else those of the generation before. */
struct memory_era {
    const char *name;
    enum product product;
    unsigned major, minor;  /* from this version on */
    uint32_t rdb_version;   /* the newest that it writes */
    uint16_t string_header; /* 8: sds before 3.2; 0: by length */
    uint16_t embedded;      /* the longest string inside its object */
    uint16_t object;
    uint16_t table;         /* struct dict or hashtable */
    uint16_t entry;         /* of a table, without what it points to */
    uint16_t set_entry;     /* the same of a set; 0: members stand in the buckets */
    uint16_t key_in_entry;  /* the key's bytes are part of the entry */
    uint16_t list, list_node;
    uint16_t tree_levels;   /* of the first node of a skiplist */
    uint16_t member_object; /* a skiplist's member is an object of its own */
    uint16_t stream;
    uint16_t stream_tail;   /* allocated in advance for the last node of a stream */
    uint16_t per_bucket;    /* entries that a bucket of 64 bytes holds; 0: a bucket is one pointer */
    uint32_t page_from;     /* allocations from here on are whole pages; 0: size classes go on */
    uint32_t server, backlog, cluster;
    uint16_t cluster_key;   /* of the index by slots: per key */
    uint16_t cluster_slot;  /* per slot with keys: a table of its own */
};

enum {
    KILOBYTE = 1024,
    PAGE = 4096,
    POINTER = 8,
    SORTED_SET = 16,         /* struct zset */
    SKIPLIST = 32,           /* struct zskiplist */
    SKIPLIST_NODE = 24,      /* without levels */
    SKIPLIST_LEVEL = 16,
    INTEGER_TEXT = 12,       /* room of a member that the dump stores as an integer: 1 to 11 digits with header and end */
    STREAM_NODE = 48,        /* of the radix tree, per listpack: measured */
    PENDING_STORED = 41,     /* of a dump, per pending entry: 16 + 8 + 1 in the group, 16 in its consumer */
    PENDING_KEPT = 150,      /* in memory: the entry and two places in radix trees */
    LEAST_BUCKETS = 4,
    BUCKET = 64,
    MODULE_OVERHEAD = 64,
};

static const struct memory_era eras[] = {
    {.name = "Redis 3.0", .product = PRODUCT_REDIS, .major = 0, .rdb_version = 6, .string_header = 8, .embedded = 39,
     .object = 16, .table = 96, .entry = 24, .set_entry = 24, .list = 48, .list_node = 24, .tree_levels = 32,
     .member_object = 1, .page_from = PAGE,
     .server = 850 * KILOBYTE, .backlog = 1024 * KILOBYTE, .cluster = 620 * KILOBYTE, .cluster_key = 80},
    {.name = "Redis 3.2", .product = PRODUCT_REDIS, .major = 3, .minor = 2, .rdb_version = 7, .embedded = 44,
     .object = 16, .table = 96, .entry = 24, .set_entry = 24, .list = 32, .list_node = 32, .tree_levels = 32,
     .member_object = 1,
     .server = 850 * KILOBYTE, .backlog = 1024 * KILOBYTE, .cluster = 620 * KILOBYTE, .cluster_key = 80},
    {.name = "Redis 4.0", .product = PRODUCT_REDIS, .major = 4, .rdb_version = 8, .embedded = 44, .object = 16,
     .table = 96, .entry = 24, .set_entry = 24, .list = 40, .list_node = 32, .tree_levels = 32,
     .server = 850 * KILOBYTE, .backlog = 1024 * KILOBYTE, .cluster = 620 * KILOBYTE, .cluster_key = 80},
    {.name = "Redis 5.0", .product = PRODUCT_REDIS, .major = 5, .rdb_version = 9, .embedded = 44, .object = 16,
     .table = 96, .entry = 24, .set_entry = 24, .list = 40, .list_node = 32, .tree_levels = 64, .stream = 40,
     .server = 850 * KILOBYTE, .backlog = 1024 * KILOBYTE, .cluster = 620 * KILOBYTE, .cluster_key = 80},
    {.name = "Redis 6.2", .product = PRODUCT_REDIS, .major = 6, .minor = 2, .rdb_version = 9, .embedded = 44,
     .object = 16, .table = 96, .entry = 24, .set_entry = 24, .list = 40, .list_node = 32, .tree_levels = 32,
     .stream = 40, .stream_tail = PAGE,
     .server = 850 * KILOBYTE, .backlog = 1024 * KILOBYTE, .cluster = 620 * KILOBYTE, .cluster_key = 80},
    {.name = "Redis 7.0", .product = PRODUCT_REDIS, .major = 7, .rdb_version = 10, .embedded = 44, .object = 16,
     .table = 56, .entry = 24, .set_entry = 24, .list = 40, .list_node = 40, .tree_levels = 32, .stream = 80,
     .stream_tail = PAGE,
     .server = 880 * KILOBYTE, .backlog = 80 * KILOBYTE, .cluster = 870 * KILOBYTE, .cluster_key = 16},
    {.name = "Redis 7.2", .product = PRODUCT_REDIS, .major = 7, .minor = 2, .rdb_version = 11, .embedded = 44,
     .object = 16, .table = 56, .entry = 24, .list = 40, .list_node = 40, .tree_levels = 32, .stream = 80,
     .stream_tail = PAGE,
     .server = 880 * KILOBYTE, .backlog = 80 * KILOBYTE, .cluster = 870 * KILOBYTE, .cluster_key = 16},
    {.name = "Redis 7.4", .product = PRODUCT_REDIS, .major = 7, .minor = 4, .rdb_version = 15, .embedded = 44,
     .object = 16, .table = 56, .entry = 24, .list = 40, .list_node = 40, .tree_levels = 32, .stream = 80,
     .stream_tail = PAGE,
     .server = 880 * KILOBYTE, .backlog = 80 * KILOBYTE, .cluster = 1900 * KILOBYTE,
     .cluster_slot = 130},
    {.name = "Valkey 7.2", .product = PRODUCT_VALKEY, .major = 7, .minor = 2, .rdb_version = 11, .embedded = 44,
     .object = 16, .table = 56, .entry = 24, .list = 40, .list_node = 40, .tree_levels = 32, .stream = 80,
     .stream_tail = PAGE,
     .server = 880 * KILOBYTE, .backlog = 80 * KILOBYTE, .cluster = 870 * KILOBYTE, .cluster_key = 16},
    {.name = "Valkey 8.0", .product = PRODUCT_VALKEY, .major = 8, .rdb_version = 11, .embedded = 44, .object = 16,
     .table = 56, .entry = 24, .key_in_entry = 17, .list = 40, .list_node = 40, .tree_levels = 32, .stream = 80,
     .stream_tail = PAGE,
     .server = 880 * KILOBYTE, .backlog = 80 * KILOBYTE, .cluster = 1900 * KILOBYTE,
     .cluster_slot = 130},
    {.name = "Valkey 8.1", .product = PRODUCT_VALKEY, .major = 8, .minor = 1, .rdb_version = 81, .embedded = 44,
     .object = 16, .table = 72, .entry = 0, .key_in_entry = 1, .list = 40, .list_node = 40, .tree_levels = 32,
     .stream = 80, .stream_tail = PAGE, .per_bucket = 7,
     .server = 880 * KILOBYTE, .backlog = 80 * KILOBYTE, .cluster = 1900 * KILOBYTE,
     .cluster_slot = 130},
};

enum { ERAS = sizeof(eras) / sizeof(*eras) };

static const struct memory_era *era_by_writer(struct server writer)
{
    const struct memory_era *found = NULL;
    for (size_t i = 0; i < ERAS; i++)
        if (eras[i].product == writer.product && server_compare(writer, eras[i].major, eras[i].minor, 0) >= 0)
            found = &eras[i];
    return found;
}

static const struct memory_era *era_by_format(uint32_t rdb_version, bool valkey_magic)
{
    enum product product = valkey_magic ? PRODUCT_VALKEY : PRODUCT_REDIS;
    const struct memory_era *last = NULL;
    for (size_t i = 0; i < ERAS; i++) {
        if (eras[i].product != product)
            continue;
        last = &eras[i];
        if (rdb_version <= last->rdb_version)
            break;
    }
    return last;
}

struct memory_model memory_model_of(struct server writer, uint32_t rdb_version, bool valkey_magic,
                                    enum memory_allocator allocator)
{
    const struct memory_era *era = era_by_writer(writer);
    return (struct memory_model){.era = era ? era : era_by_format(rdb_version, valkey_magic), .allocator = allocator};
}

const char *memory_model_name(const struct memory_model *model)
{
    return model->era->name;
}

const char *memory_allocator_name(enum memory_allocator allocator)
{
    static const char *const names[] = {"bundled jemalloc", "system jemalloc", "libc malloc"};
    return names[allocator];
}

static inline uint64_t round_up(uint64_t size, uint64_t step)
{
    return (size + step - 1) & ~(step - 1);
}

/* jemalloc: multiples of the quantum up to eight of them, then four classes for each power of two (jemalloc.3, "SIZE
 * CLASSES"). libc of the servers' zmalloc.c: 8 bytes before each allocation where its size is kept. */
uint64_t memory_allocated(enum memory_allocator allocator, uint64_t size)
{
    static const uint8_t quanta[] = {[MEMORY_BUNDLED] = 8, [MEMORY_SYSTEM] = 16};
    if (allocator == MEMORY_LIBC)
        return size + POINTER;
    uint64_t quantum = quanta[allocator];
    if (size <= 8)
        return 8;
    if (size <= 8 * quantum)
        return round_up(size, quantum);
    if (size > UINT64_C(1) << 62)
        return size;
    return round_up(size, UINT64_C(1) << (61 - __builtin_clzll(size - 1)));
}

static inline uint64_t allocated(const struct memory_model *model, uint64_t size)
{
    if (model->era->page_from && size > model->era->page_from && model->allocator != MEMORY_LIBC)
        return round_up(size, PAGE); /* jemalloc 3 */
    return memory_allocated(model->allocator, size);
}

/* An sds string with its header and the zero behind it, not yet rounded. */
static inline uint64_t string_size(const struct memory_era *era, uint64_t length, bool shortest)
{
    if (era->string_header)
        return era->string_header + length + 1;
    uint64_t header = length < 32 && shortest ? 1
                      : length < 256          ? 3
                      : length < 65536        ? 5
                      : length <= UINT32_MAX  ? 9
                                              : 17;
    return header + length + 1;
}

static uint64_t string_allocated(const struct memory_model *model, uint64_t length)
{
    return allocated(model, string_size(model->era, length, true));
}

static uint64_t buckets(const struct memory_model *model, uint64_t entries)
{
    uint64_t count = LEAST_BUCKETS;
    if (model->era->per_bucket) {
        uint64_t least = entries / model->era->per_bucket + 1;
        for (count = 1; count < least && count >> 62 == 0;)
            count *= 2;
        return entries ? allocated(model, count * BUCKET) : 0;
    }
    while (count < entries && count >> 60 == 0)
        count *= 2;
    return entries ? allocated(model, count * POINTER) : 0;
}

/* What the words of a collection take, by their average length. */
static uint64_t words_allocated(const struct memory_model *model, const struct rdb_key *key, uint64_t words)
{
    uint64_t stored = key->strings < words ? key->strings : words;
    uint64_t integers = words - stored;
    uint64_t average = key->strings ? key->string_bytes / key->strings : 0;
    return stored * string_allocated(model, average) + integers * allocated(model, INTEGER_TEXT);
}

static uint64_t table_of(const struct memory_model *model, uint64_t entries, uint64_t entry)
{
    uint64_t each = entry ? allocated(model, entry) : 0;
    return allocated(model, model->era->table) + buckets(model, entries) + entries * each;
}

static uint64_t hash_memory(const struct memory_model *model, const struct rdb_key *key)
{
    const struct memory_era *era = model->era;
    uint64_t words = words_allocated(model, key, 2 * key->elements);
    uint64_t objects = era->string_header ? 2 * key->elements * allocated(model, era->object) : 0;
    return table_of(model, key->elements, era->per_bucket ? 2 * POINTER : era->entry) + words + objects;
}

static uint64_t set_memory(const struct memory_model *model, const struct rdb_key *key)
{
    const struct memory_era *era = model->era;
    uint64_t objects = era->string_header ? key->elements * allocated(model, era->object) : 0;
    return table_of(model, key->elements, era->set_entry) + words_allocated(model, key, key->elements) + objects;
}

/* Levels are drawn with a chance of one in four. */
static uint64_t skiplist_nodes(const struct memory_model *model, uint64_t count)
{
    uint64_t sum = 0, left = count;
    for (unsigned level = 1; left && level <= 6; level++) {
        uint64_t of_level = level < 6 ? left - left / 4 : left;
        sum += of_level * allocated(model, SKIPLIST_NODE + level * SKIPLIST_LEVEL);
        left -= of_level;
    }
    return sum;
}

static uint64_t sorted_set_memory(const struct memory_model *model, const struct rdb_key *key)
{
    const struct memory_era *era = model->era;
    uint64_t members = words_allocated(model, key, key->elements);
    if (era->member_object)
        members += key->elements * allocated(model, era->object);
    return allocated(model, SORTED_SET) + allocated(model, SKIPLIST) +
           allocated(model, SKIPLIST_NODE + era->tree_levels * SKIPLIST_LEVEL) + skiplist_nodes(model, key->elements) +
           table_of(model, key->elements, era->entry) + members;
}

/* A quicklist has a node for each blob; before 3.2 a list node has an item. */
static uint64_t list_memory(const struct memory_model *model, const struct rdb_key *key)
{
    const struct memory_era *era = model->era;
    uint64_t nodes = key->strings, head = allocated(model, era->list);
    if (era->string_header)
        return head + words_allocated(model, key, key->elements) +
               key->elements * (allocated(model, era->list_node) + allocated(model, era->object));
    uint64_t average = nodes ? key->string_bytes / nodes : 0;
    return head + nodes * (allocated(model, era->list_node) + allocated(model, average));
}

/* The first string of each node is its id, 16 bytes; nodes are full but the last. */
static uint64_t stream_memory(const struct memory_model *model, const struct rdb_key *key)
{
    const struct memory_era *era = model->era;
    uint64_t nodes = key->strings / 2, blobs = key->string_bytes > 16 * nodes ? key->string_bytes - 16 * nodes : 0;
    uint64_t average = nodes ? blobs / nodes : 0;
    uint64_t beyond = key->value_length > key->string_bytes ? key->value_length - key->string_bytes : 0;
    uint64_t pending = beyond / PENDING_STORED;
    uint64_t tail = average < era->stream_tail ? era->stream_tail : average;
    uint64_t listpacks = nodes ? (nodes - 1) * allocated(model, average) + allocated(model, tail) : 0;
    return allocated(model, era->stream) + allocated(model, 24) + nodes * STREAM_NODE + listpacks +
           pending * PENDING_KEPT;
}

static uint64_t blob_memory(const struct memory_model *model, const struct rdb_key *key)
{
    return allocated(model, key->string_bytes);
}

static uint64_t opaque_memory(const struct memory_model *model, const struct rdb_key *key)
{
    uint64_t bytes = key->string_bytes > key->value_length ? key->string_bytes : key->value_length;
    return allocated(model, bytes) + MODULE_OVERHEAD;
}

/* The object apart. */
static uint64_t collection_memory(const struct memory_model *model, const struct rdb_key *key)
{
    static const struct {
        const char *encoding;
        uint64_t (*memory)(const struct memory_model *model, const struct rdb_key *key);
    } forms[] = {
        {"listpack", blob_memory}, {"ziplist", blob_memory}, {"intset", blob_memory}, {"zipmap", blob_memory},
        {"listpackex", blob_memory}, {"quicklist", list_memory}, {"linkedlist", list_memory},
        {"stream", stream_memory}, {"skiplist", sorted_set_memory},
    };
    for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++)
        if (strcmp(forms[i].encoding, key->encoding) == 0 &&
            (key->datatype != RDB_LIST || forms[i].memory == list_memory))
            return forms[i].memory(model, key);
    if (key->datatype == RDB_HASH)
        return hash_memory(model, key);
    if (key->datatype == RDB_SET)
        return set_memory(model, key);
    if (key->datatype == RDB_LIST) /* a ziplist of its own: the one node of a quicklist since 3.2 */
        return model->era->string_header ? blob_memory(model, key) : list_memory(model, key);
    return opaque_memory(model, key);
}

/* Integers stand in the object; a string that fits stands behind it. */
static inline uint64_t string_memory(const struct memory_model *model, const struct rdb_key *key)
{
    const struct memory_era *era = model->era;
    if (!key->strings)
        return allocated(model, era->object);
    uint64_t size = string_size(era, key->string_bytes, false);
    if (key->string_bytes <= era->embedded)
        return allocated(model, era->object + size);
    return allocated(model, era->object) + allocated(model, size);
}

/* Where the key's bytes stand: by themselves, in the entry (Valkey 8.0) or in the object (Valkey 8.1). */
static inline uint64_t name_and_entry(const struct memory_model *model, uint64_t length)
{
    const struct memory_era *era = model->era;
    uint64_t name = string_size(era, length, true);
    if (era->key_in_entry)
        return allocated(model, era->key_in_entry + name);
    return allocated(model, era->entry) + allocated(model, name);
}

uint64_t memory_of_key(const struct memory_model *model, const struct rdb_key *key)
{
    const struct memory_era *era = model->era;
    uint64_t sum = name_and_entry(model, key->name.len);
    if (key->has_expiry)
        sum += era->per_bucket ? POINTER : allocated(model, era->entry);
    if (key->datatype == RDB_STRING)
        return sum + string_memory(model, key);
    return sum + allocated(model, era->object) + collection_memory(model, key);
}

uint64_t memory_of_database(const struct memory_model *model, uint64_t keys, uint64_t expires)
{
    return buckets(model, keys) + buckets(model, expires);
}

uint64_t memory_of_server(const struct memory_model *model, bool replicated)
{
    return model->era->server + (replicated ? model->era->backlog : 0);
}

uint64_t memory_of_slots(const struct memory_model *model, uint64_t keys, uint64_t slots)
{
    const struct memory_era *era = model->era;
    return era->cluster + keys * era->cluster_key + slots * era->cluster_slot;
}
