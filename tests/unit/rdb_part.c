#include "parsers/rdb/rdb_part.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/rdb_build.h"

enum { BUFFERS = 64, SIZE = 256 };

/* Buffers are never used twice, so a part stays readable. */
struct pool {
    uint8_t bytes[BUFFERS][SIZE + RDB_PART_ROOM];
    size_t taken;
};

static uint8_t *another(void *context)
{
    struct pool *pool = context;
    cr_assert_lt(pool->taken, BUFFERS);
    return pool->bytes[pool->taken++];
}

struct tally {
    size_t parts, part_keys, own_keys, own_items;
    char last[64];
};

static void read_part(struct rdb *reader, const struct rdb_part *part, struct tally *tally)
{
    struct rdb_item item;
    enum parse_step step;
    rdb_read_part(reader, part);
    uint64_t at = part->offset;
    while ((step = rdb_next(reader, &item)) == PARSE_ITEM) {
        cr_assert_eq(item.place.offset, at, "no gap");
        at += item.place.length;
        tally->part_keys += item.kind == RDB_KEY;
        if (item.kind == RDB_KEY)
            snprintf(tally->last, sizeof(tally->last), "db%u %.*s", item.key.db, (int)item.key.name.len,
                     (const char *)item.key.name.at);
    }
    cr_assert_eq(step, PARSE_END);
    cr_assert_eq(at, part->offset + part->bytes.len);
    tally->parts++;
}

/* Parts are read when the reader has long moved on. */
static struct tally read_all(const struct rdb_build *build)
{
    struct tally tally = {0};
    struct pool *pool = calloc(1, sizeof(*pool));
    struct source *source = source_memory(build->at, build->len);
    struct rdb *reader = rdb_open_lent(source, 0, SIZE, (struct rdb_lender){another, pool});
    struct rdb *parts = rdb_open_parts(RDB_CHECK_VALUES);
    struct rdb_part part[BUFFERS];
    size_t count = 0;
    struct rdb_item item;
    enum parse_step step = PARSE_ITEM;
    while (step == PARSE_ITEM) {
        if (rdb_cut(reader, &part[count])) {
            cr_assert_lt(++count, BUFFERS);
            continue;
        }
        step = rdb_next(reader, &item);
        tally.own_items += step == PARSE_ITEM;
        tally.own_keys += step == PARSE_ITEM && item.kind == RDB_KEY;
    }
    cr_assert_eq(step, PARSE_END);
    for (size_t i = 0; i < count; i++)
        read_part(parts, &part[i], &tally);
    rdb_close(parts);
    rdb_close(reader);
    source_close(source);
    free(pool);
    return tally;
}

Test(rdb_part, all_but_the_ends_is_cut_off)
{
    struct rdb_build build = rdb_build_begin("REDIS0011");
    rdb_build_aux(&build, "redis-ver", "7.2.0");
    rdb_build_select(&build, 0);
    rdb_build_resize(&build, 60, 20);
    for (unsigned i = 0; i < 60; i++) {
        char name[32];
        snprintf(name, sizeof(name), "key:%u", i);
        if (i % 3 == 0)
            rdb_build_expire_ms(&build, 1800000000000);
        rdb_build_string_key(&build, name, "a value of some length");
    }
    rdb_build_select(&build, 7);
    rdb_build_string_key(&build, "last", "v");
    rdb_build_end(&build);
    struct tally tally = read_all(&build);
    cr_expect_eq(tally.own_items, 2, "header and end: %zu", tally.own_items);
    cr_expect_eq(tally.part_keys, 61);
    cr_expect_geq(tally.parts, build.len / SIZE);
    cr_expect_str_eq(tally.last, "db7 last");
    rdb_build_free(&build);
}

Test(rdb_part, what_is_larger_than_a_buffer_is_read_in_place)
{
    struct rdb_build build = rdb_build_begin("REDIS0011");
    for (unsigned i = 0; i < 20; i++)
        rdb_build_string_key(&build, i == 10 ? "large" : "small", "a value of some length");
    rdb_build_key(&build, 0, "huge");
    rdb_build_run(&build, 'x', 5000);
    rdb_build_string_key(&build, "behind", "v");
    rdb_build_end(&build);
    struct tally tally = read_all(&build);
    cr_expect_eq(tally.own_keys, 1);
    cr_expect_eq(tally.part_keys, 21);
    cr_expect_str_eq(tally.last, "db0 behind");
    rdb_build_free(&build);
}

Test(rdb_part, functions_are_not_cut)
{
    struct rdb_build build = rdb_build_begin("REDIS0011");
    for (unsigned i = 0; i < 20; i++)
        rdb_build_string_key(&build, "before", "a value of some length");
    rdb_build_bytes(&build, "\xf5\x04" "code", 6);
    for (unsigned i = 0; i < 20; i++)
        rdb_build_string_key(&build, "behind", "a value of some length");
    rdb_build_end(&build);
    struct tally tally = read_all(&build);
    cr_expect_eq(tally.own_items, 3);
    cr_expect_eq(tally.part_keys, 40);
    rdb_build_free(&build);
}

Test(rdb_part, a_dump_in_one_buffer_is_left_alone)
{
    struct rdb_build build = rdb_build_begin("REDIS0011");
    rdb_build_string_key(&build, "k", "v");
    rdb_build_end(&build);
    struct tally tally = read_all(&build);
    cr_expect_eq(tally.parts, 0);
    cr_expect_eq(tally.own_keys, 1);
    rdb_build_free(&build);
}
