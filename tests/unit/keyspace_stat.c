#include "tools/keyspace/stat.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/rdb_build.h"
#include "tools/keyspace/stat_prefix.h"

static const struct stat_options plain = {.depth = 2, .top = 3};

static struct stat_file *read_build(struct key_stat *stat, const char *path, const struct rdb_build *build)
{
    struct source *source = source_memory(build->at, build->len);
    struct stat_file *file = key_stat_read(stat, path, source);
    cr_assert_not_null(file);
    source_close(source);
    return file;
}

static struct bytes run_of(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

Test(keyspace_stat, cuts_prefixes)
{
    static const struct {
        const char *name;
        unsigned depth;
        const char *prefix;
    } rows[] = {
        {"user:42:cart", 2, "user:*:"},
        {"user:42:cart", 1, "user:"},
        {"user:42:cart", 8, "user:*:"},
        {"user", 2, ""},
        {"", 2, ""},
        {":", 2, ":"},
        {"::", 2, "::"},
        {"session:0123", 2, "session:"},
        {"big-hash:1", 2, "big-hash:"},
        {"big-hash-1", 2, "big-hash-"},
        {"user_1_x", 2, "user_*_"},
        {"a/b/c.d", 2, "a/b/"},
        {"v2:item7x:3", 2, "v*:item*x:"},
        {"d41d8cd98f00b204:x", 2, "*:"},
        {"550e8400-e29b-41d4:x", 2, "*-e*b-*d*:"},
        {"deadbeef:x", 2, "deadbeef:"},
        {"{user1000}.following", 2, "{user*}."},
        {"{a:b}c:d", 2, "{a:b}c:"},
        {"{a:b}c", 2, "{a:b}"},
        {"hash:{u75}:12", 2, "hash:{u*}:"},
        {"{a:b", 2, "{a:"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        uint8_t room[PREFIX_ROOM];
        struct bytes prefix = prefix_of(run_of(rows[i].name), rows[i].depth, room);
        cr_expect(prefix.len == strlen(rows[i].prefix) && memcmp(prefix.at, rows[i].prefix, prefix.len) == 0,
                  "%s: %.*s", rows[i].name, (int)prefix.len, (const char *)prefix.at);
    }
}

/* What is remembered of the name before changes nothing. */
Test(keyspace_stat, prefixes_do_not_depend_on_the_name_before)
{
    static const char *const names[] = {"a:b:c", "a:b:", "a:b", "a:b:{x}", "a:b.d:e", "{t}x:y:1", "{t}:y:1", "{t}:y", "a:{t}", "a:{t}:b",
                                        "a:{t}b", "a-b-c", "a-b-c:d", "1:2:3", "12:2:3", "1:23:3", "", "a", "aaaaaaaaaaaaaaaaaa:1:b"};
    enum { NAMES = sizeof(names) / sizeof(*names) };
    for (unsigned depth = 1; depth <= 3; depth++)
        for (size_t before = 0; before < NAMES; before++)
            for (size_t i = 0; i < NAMES; i++) {
                struct prefix_memory memory = {0};
                uint8_t room[PREFIX_ROOM];
                prefix_next(&memory, run_of(names[before]), depth);
                struct bytes found = prefix_next(&memory, run_of(names[i]), depth);
                struct bytes wanted = prefix_of(run_of(names[i]), depth, room);
                cr_expect(found.len == wanted.len && memcmp(found.at, wanted.at, wanted.len) == 0, "%s after %s, depth %u: %.*s",
                          names[i], names[before], depth, (int)found.len, (const char *)found.at);
            }
}

Test(keyspace_stat, long_names_have_short_prefixes)
{
    uint8_t room[PREFIX_ROOM];
    char name[600];
    for (size_t len = 1; len < sizeof(name); len++) {
        memset(name, 'x', sizeof(name));
        name[len - 1] = ':';
        struct bytes prefix = prefix_of((struct bytes){(uint8_t *)name, sizeof(name)}, 2, room);
        cr_expect_eq(prefix.len, len <= PREFIX_LONGEST ? len : 0, "%zu: %zu", len, prefix.len);
    }
    memset(name, '{', sizeof(name));
    cr_expect_eq(prefix_of((struct bytes){(uint8_t *)name, sizeof(name)}, 2, room).len, 0);
    for (unsigned byte = 0; byte < 256; byte++) {
        memset(name, (int)byte, sizeof(name));
        cr_expect_leq(prefix_of((struct bytes){(uint8_t *)name, sizeof(name)}, 8, room).len, PREFIX_LONGEST);
    }
}

/* Names in parts of any size, merged in order, give the table of the whole, also when it is full. */
Test(keyspace_stat, a_table_does_not_depend_on_parts)
{
    enum { NAMES = 500, MOST = 40 };
    struct sum_table *whole = sum_table_new(MOST);
    char name[16];
    for (size_t part = 1; part < 100; part += 7) {
        struct sum_table *table = sum_table_new(MOST), *piece = sum_table_new(0);
        sum_table_clear(whole);
        for (size_t i = 0; i < NAMES; i++) {
            snprintf(name, sizeof(name), "%zu", i * i % 97);
            const struct stat_sum sum = {.keys = 1, .bytes = i};
            cr_assert(sum_table_count(whole, run_of(name), &sum) && sum_table_count(piece, run_of(name), &sum));
            if (i % part == 0 || i + 1 == NAMES) {
                cr_assert(sum_table_merge(table, piece));
                sum_table_clear(piece);
            }
        }
        size_t count, wanted;
        const struct sum_row *rows = sum_table_rows(table, SUM_BY_BYTES, &count);
        const struct sum_row *expected = sum_table_rows(whole, SUM_BY_BYTES, &wanted);
        cr_assert_eq(count, wanted);
        for (size_t i = 0; i < count; i++)
            cr_expect(rows[i].name.len == expected[i].name.len &&
                      memcmp(rows[i].name.at, expected[i].name.at, rows[i].name.len) == 0 &&
                      rows[i].sum.bytes == expected[i].sum.bytes);
        cr_expect_eq(sum_table_others(table)->bytes, sum_table_others(whole)->bytes);
        sum_table_free(table);
        sum_table_free(piece);
    }
    sum_table_free(whole);
}

Test(keyspace_stat, counts_a_dump)
{
    struct rdb_build build = rdb_build_begin("REDIS0010");
    rdb_build_aux(&build, "redis-ver", "7.0.15");
    rdb_build_aux(&build, "ctime", "1700000000");
    rdb_build_aux(&build, "used-mem", "1000000");
    rdb_build_select(&build, 0);
    rdb_build_string_key(&build, "a:1", "x");
    rdb_build_expire_ms(&build, INT64_C(1700000000000));
    rdb_build_string_key(&build, "a:2", "xy");
    rdb_build_expire_ms(&build, INT64_C(1700003600001));
    rdb_build_string_key(&build, "b:3", "xyz");
    rdb_build_select(&build, 7);
    rdb_build_string_key(&build, "c", "xyzz");
    rdb_build_end(&build);
    struct key_stat *stat = key_stat_new(&plain);
    struct stat_file *file = read_build(stat, "small", &build);
    cr_expect_eq(file->sum.keys, 4);
    cr_expect_eq(file->sum.expires, 2);
    cr_expect_str_eq(file->writer, "Redis 7.0.15");
    cr_expect(file->has_used && file->used == 1000000 && file->has_modelled && !file->stopped);
    key_stat_finish(stat);
    cr_expect_eq(stat->expiries[STAT_NO_EXPIRY].keys, 2);
    cr_expect_eq(stat->expiries[STAT_EXPIRED].keys, 1);
    cr_expect_eq(stat->expiries[STAT_DAY].keys, 1);
    cr_expect_eq(stat->sizes[0].keys, 4);
    cr_expect_eq(stat->total.bytes, 2 + 3 + 4 + 5);
    size_t count;
    const struct sum_row *rows = sum_table_rows(stat->dbs, SUM_BY_NAME, &count);
    cr_assert_eq(count, 2);
    cr_expect(stat_db_number(rows[0].name) == 0 && rows[0].sum.keys == 3);
    cr_expect(stat_db_number(rows[1].name) == 7 && rows[1].sum.keys == 1);
    cr_expect_eq(sum_table_none(stat->prefixes)->keys, 1);
    rows = sum_table_rows(stat->prefixes, SUM_BY_NAME, &count);
    cr_expect(count == 2 && rows[0].sum.keys == 2 && rows[1].sum.keys == 1);
    cr_assert_eq(stat->big[STAT_BY_BYTES].count, 3);
    cr_expect_eq(stat->big[STAT_BY_BYTES].at[0].name.at[0], 'c');
    key_stat_free(stat);
    rdb_build_free(&build);
}

/* Of equal keys the first in the file is bigger, however many there are. */
Test(keyspace_stat, ties_go_by_offset)
{
    struct rdb_build build = rdb_build_begin("REDIS0010");
    char name[16];
    for (unsigned i = 0; i < 20000; i++) {
        snprintf(name, sizeof(name), "k:%05u", i);
        rdb_build_string_key(&build, name, "same");
    }
    rdb_build_end(&build);
    for (unsigned threads = 1; threads <= 4; threads++) {
        struct stat_options options = plain;
        options.threads = threads;
        struct key_stat *stat = key_stat_new(&options);
        read_build(stat, "ties", &build);
        key_stat_finish(stat);
        for (int order = 0; order < STAT_ORDERS; order++) {
            cr_assert_eq(stat->big[order].count, 3);
            for (size_t i = 0; i < 3; i++) {
                snprintf(name, sizeof(name), "k:%05zu", i);
                cr_expect(memcmp(stat->big[order].at[i].name.at, name, 7) == 0, "%u threads, order %d", threads, order);
            }
        }
        key_stat_free(stat);
    }
    rdb_build_free(&build);
}

/* What stands before a stop is counted, with any number of threads the same. */
Test(keyspace_stat, counts_what_stands_before_a_stop)
{
    struct rdb_build build = rdb_build_begin("REDIS0010");
    char name[24];
    for (unsigned i = 0; i < 100000; i++) {
        snprintf(name, sizeof(name), "key:%u", i);
        rdb_build_string_key(&build, name, "value");
        if (i == 60000)
            rdb_build_u8(&build, 200);
    }
    for (unsigned threads = 1; threads <= 4; threads++) {
        struct stat_options options = plain;
        options.threads = threads;
        struct key_stat *stat = key_stat_new(&options);
        struct stat_file *file = read_build(stat, "broken", &build);
        cr_expect_eq(file->sum.keys, 60001, "%lu", file->sum.keys);
        cr_expect_not_null(file->stopped);
        cr_expect(!file->has_modelled);
        key_stat_free(stat);
    }
    rdb_build_free(&build);
}
