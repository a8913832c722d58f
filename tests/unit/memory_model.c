#include "tools/keyspace/memory_model.h"

#include <criterion/criterion.h>

static struct memory_model model_of(enum product product, unsigned major, unsigned minor)
{
    struct server server = {product, major, minor, 0};
    return memory_model_of(server, 0, false, MEMORY_BUNDLED);
}

Test(memory_model, rounds_as_jemalloc_does)
{
    static const struct {
        enum memory_allocator allocator;
        uint64_t size, allocated;
    } rows[] = {
        {MEMORY_BUNDLED, 1, 8},      {MEMORY_BUNDLED, 8, 8},       {MEMORY_BUNDLED, 9, 16},
        {MEMORY_BUNDLED, 17, 24},    {MEMORY_BUNDLED, 64, 64},     {MEMORY_BUNDLED, 65, 80},
        {MEMORY_BUNDLED, 129, 160},  {MEMORY_BUNDLED, 4097, 5120}, {MEMORY_BUNDLED, 16385, 20480},
        {MEMORY_SYSTEM, 1, 8},       {MEMORY_SYSTEM, 9, 16},       {MEMORY_SYSTEM, 17, 32},
        {MEMORY_SYSTEM, 113, 128},   {MEMORY_SYSTEM, 129, 160},    {MEMORY_LIBC, 10, 18},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        cr_expect_eq(memory_allocated(rows[i].allocator, rows[i].size), rows[i].allocated, "row %zu", i);
    cr_expect_eq(memory_allocated(MEMORY_BUNDLED, UINT64_MAX), UINT64_MAX);
}

Test(memory_model, knows_generations)
{
    static const struct {
        enum product product;
        unsigned major, minor;
        const char *name;
    } rows[] = {
        {PRODUCT_REDIS, 3, 0, "Redis 3.0"},  {PRODUCT_REDIS, 3, 2, "Redis 3.2"},   {PRODUCT_REDIS, 4, 0, "Redis 4.0"},
        {PRODUCT_REDIS, 6, 0, "Redis 5.0"},  {PRODUCT_REDIS, 7, 0, "Redis 7.0"},   {PRODUCT_REDIS, 8, 8, "Redis 7.4"},
        {PRODUCT_VALKEY, 8, 0, "Valkey 8.0"}, {PRODUCT_VALKEY, 9, 0, "Valkey 8.1"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct memory_model model = model_of(rows[i].product, rows[i].major, rows[i].minor);
        cr_expect_str_eq(memory_model_name(&model), rows[i].name);
    }
}

Test(memory_model, goes_by_the_format_without_a_writer)
{
    static const struct {
        uint32_t version;
        bool valkey;
        const char *name;
    } rows[] = {{1, false, "Redis 3.0"},  {6, false, "Redis 3.0"},  {9, false, "Redis 5.0"},
                {10, false, "Redis 7.0"}, {99, false, "Redis 7.4"}, {80, true, "Valkey 8.1"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct memory_model model = memory_model_of((struct server){0}, rows[i].version, rows[i].valkey, MEMORY_BUNDLED);
        cr_expect_str_eq(memory_model_name(&model), rows[i].name);
    }
}

/* Redis 7.0: dictEntry 24, the key's sds 1 + 3 + 1 -> 8, and the object. */
Test(memory_model, adds_up_strings)
{
    static const struct {
        uint64_t strings, bytes, memory;
    } rows[] = {
        {0, 0, 24 + 8 + 16},                /* an integer */
        {1, 5, 24 + 8 + 32},                /* 16 + 3 + 5 + 1 */
        {1, 44, 24 + 8 + 64},               /* the longest inside its object */
        {1, 45, 24 + 8 + 16 + 56},          /* 3 + 45 + 1 */
        {1, 300, 24 + 8 + 16 + 320},        /* 5 + 300 + 1 */
    };
    struct memory_model model = model_of(PRODUCT_REDIS, 7, 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct rdb_key key = {.name = {(const uint8_t *)"key", 3}, .datatype = RDB_STRING, .encoding = "raw",
                              .strings = rows[i].strings, .string_bytes = rows[i].bytes, .elements = 1};
        cr_expect_eq(memory_of_key(&model, &key), rows[i].memory, "row %zu: %lu", i, memory_of_key(&model, &key));
        key.has_expiry = true;
        cr_expect_eq(memory_of_key(&model, &key), rows[i].memory + 24, "row %zu", i);
    }
}

/* Counts in a dump are claims: none of them may lead to a loop without end or to undefined behaviour. */
Test(memory_model, bears_absurd_claims)
{
    static const char *const encodings[] = {"listpack", "hashtable", "skiplist", "quicklist", "stream", "linkedlist", "raw", "?"};
    static const uint64_t claims[] = {0, 1, UINT64_C(1) << 40, UINT64_MAX};
    static const struct server servers[] = {{PRODUCT_REDIS, 3, 0, 0}, {PRODUCT_REDIS, 7, 0, 0}, {PRODUCT_VALKEY, 9, 0, 0}};
    for (size_t s = 0; s < 3; s++) {
        struct memory_model model = memory_model_of(servers[s], 0, false, MEMORY_BUNDLED);
        for (size_t e = 0; e < sizeof(encodings) / sizeof(*encodings); e++)
            for (int type = 0; type < RDB_DATATYPES; type++)
                for (size_t a = 0; a < 64; a++) {
                    struct rdb_key key = {.name = {(const uint8_t *)"k", 1}, .datatype = (enum rdb_datatype)type,
                                          .encoding = encodings[e], .elements = claims[a % 4],
                                          .strings = claims[a / 4 % 4], .string_bytes = claims[a / 16]};
                    memory_of_key(&model, &key);
                }
        memory_of_database(&model, UINT64_MAX, UINT64_MAX);
        memory_of_slots(&model, UINT64_MAX, UINT64_MAX);
    }
}
