/* Two sides key by key, on dumps made by hand. Values are strings: what makes other values equal is the digest's. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/rdb_build.h"
#include "tools/keyspace/compare.h"

/* A key of a made dump: database, name, value, expiry (0: none). */
struct made {
    unsigned db;
    const char *name, *value;
    int64_t expire_ms;
};

struct dump_of {
    enum compare_side side;
    const struct made *keys;
    size_t count;
};

#define DUMP(side, ...)                                                                                                \
    {side, (const struct made[]){__VA_ARGS__}, sizeof((const struct made[]){__VA_ARGS__}) / sizeof(struct made)}

static struct rdb_build build_of(const struct made *keys, size_t count)
{
    struct rdb_build build = rdb_build_begin("REDIS0010");
    unsigned db = UINT32_MAX;
    for (size_t i = 0; i < count; i++) {
        if (keys[i].db != db)
            rdb_build_select(&build, db = keys[i].db);
        if (keys[i].expire_ms)
            rdb_build_expire_ms(&build, keys[i].expire_ms);
        rdb_build_string_key(&build, keys[i].name, keys[i].value);
    }
    rdb_build_end(&build);
    return build;
}

struct trial {
    struct compare *compare;
    struct compare_counts counts;
    char rows[1024]; /* "how db:name a b, " in the order of the lists; a and b as file.expiry or - */
};

static void say_stored(char *text, size_t room, const struct compare_stored *stored)
{
    if (!stored)
        snprintf(text, room, "-");
    else
        snprintf(text, room, "%u.%lld", (unsigned)stored->file,
                 (long long)(stored->has_expiry ? stored->expire_ms : 0));
}

static bool take_row(void *context, const struct compare_key *key)
{
    struct trial *trial = context;
    size_t len = strlen(trial->rows);
    char a[64], b[64];
    say_stored(a, sizeof(a), key->a);
    say_stored(b, sizeof(b), key->b);
    snprintf(trial->rows + len, sizeof(trial->rows) - len, "%s %u:%.*s %s %s, ", compare_how_word(key->how),
             (unsigned)key->db, (int)key->name.len, (const char *)key->name.at, a, b);
    return true;
}

static struct trial compare_dumps(const struct compare_options *options, const struct dump_of *dumps, size_t count)
{
    struct rdb_build builds[8];
    struct trial trial = {.compare = compare_new(options)};
    cr_assert(trial.compare && count <= 8);
    for (size_t d = 0; d < count; d++) {
        builds[d] = build_of(dumps[d].keys, dumps[d].count);
        struct source *source = source_memory(builds[d].at, builds[d].len);
        struct compare_end end;
        cr_assert(compare_read(trial.compare, dumps[d].side, source, &end));
        cr_expect(end.whole);
        cr_expect_eq(end.keys, dumps[d].count);
        source_close(source);
    }
    cr_assert(compare_settle(trial.compare));
    trial.counts = compare_counts(trial.compare);
    for (size_t d = 0; d < count; d++) {
        struct source *source = source_memory(builds[d].at, builds[d].len);
        struct scan_end end;
        cr_assert(compare_list(trial.compare, dumps[d].side, (uint32_t)d, source, take_row, &trial, &end));
        source_close(source);
        rdb_build_free(&builds[d]);
    }
    cr_expect_eq(compare_unlisted(trial.compare, COMPARE_A), 0);
    cr_expect_eq(compare_unlisted(trial.compare, COMPARE_B), 0);
    const struct compare_counts *counts = &trial.counts;
    uint64_t of_a = counts->repeated[COMPARE_A];
    for (int how = 0; how < COMPARE_HOWS; how++)
        of_a += how == COMPARE_ONLY_B ? 0 : counts->keys[how];
    cr_expect_eq(of_a, counts->read[COMPARE_A], "each key of A has one fate");
    return trial;
}

static void expect_trial(const struct compare_options *options, const struct dump_of *dumps, size_t count,
                         const char *rows, uint64_t equal)
{
    struct trial trial = compare_dumps(options, dumps, count);
    cr_expect_str_eq(trial.rows, rows);
    cr_expect_eq(trial.counts.keys[COMPARE_EQUAL], equal, "%s: %llu equal", rows,
                 (unsigned long long)trial.counts.keys[COMPARE_EQUAL]);
    compare_free(trial.compare);
}

static const struct compare_options plain = {0};

Test(keyspace_compare, one_dump_a_side)
{
    const struct dump_of dumps[] = {
        DUMP(COMPARE_A, {0, "same", "v", 0}, {0, "gone", "v", 0}, {0, "other", "v", 0}, {0, "later", "v", 1000},
             {0, "stays", "v", 0}, {1, "same", "v", 0}, {2, "", "v", 0}),
        DUMP(COMPARE_B, {2, "", "v", 0}, {0, "new", "v", 0}, {0, "stays", "v", 5}, {0, "later", "v", 2000},
             {0, "other", "w", 7}, {0, "same", "v", 0}),
    };
    expect_trial(&plain, dumps, 2,
                 "only-a 0:gone 0.0 -, only-a 1:same 0.0 -, only-b 0:new - 1.0, expiry 0:stays 0.0 1.5, "
                 "expiry 0:later 0.1000 1.2000, value 0:other 0.0 1.7, ", 2);
    const struct compare_options no_expiry = {.ignore_expiry = true};
    expect_trial(&no_expiry, dumps, 2,
                 "only-a 0:gone 0.0 -, only-a 1:same 0.0 -, only-b 0:new - 1.0, value 0:other 0.0 1.7, ", 4);
    const struct compare_options no_b = {.ignore_only_b = true};
    expect_trial(&no_b, dumps, 2,
                 "only-a 0:gone 0.0 -, only-a 1:same 0.0 -, expiry 0:stays 0.0 1.5, expiry 0:later 0.1000 1.2000, "
                 "value 0:other 0.0 1.7, ", 2);
}

Test(keyspace_compare, an_empty_side)
{
    const struct dump_of dumps[] = {
        {COMPARE_A, NULL, 0},
        DUMP(COMPARE_B, {0, "k", "v", 0}),
    };
    expect_trial(&plain, dumps, 2, "only-b 0:k - 1.0, ", 0);
    const struct dump_of turned[] = {
        DUMP(COMPARE_A, {0, "k", "v", 0}),
        {COMPARE_B, NULL, 0},
    };
    expect_trial(&plain, turned, 2, "only-a 0:k 0.0 -, ", 0);
}

Test(keyspace_compare, any_dump_of_b_will_do)
{
    const struct dump_of dumps[] = {
        DUMP(COMPARE_A, {0, "a", "v", 0}, {0, "b", "v", 0}, {0, "c", "v", 0}),
        DUMP(COMPARE_B, {0, "a", "other", 0}, {0, "c", "x", 1}, {0, "d", "v", 0}),
        DUMP(COMPARE_B, {0, "a", "v", 0}, {0, "b", "v", 0}, {0, "c", "y", 2}, {0, "d", "w", 0}),
    };
    expect_trial(&plain, dumps, 3, "value 0:c 0.0 1.1, only-b 0:d - 1.0, ", 2);
}

Test(keyspace_compare, each_value_of_a_is_looked_for)
{
    const struct dump_of dumps[] = {
        DUMP(COMPARE_A, {0, "a", "v", 0}, {0, "b", "v", 0}, {0, "c", "v", 0}),
        DUMP(COMPARE_A, {0, "a", "w", 3}, {0, "b", "v", 0}, {0, "c", "w", 0}),
        DUMP(COMPARE_B, {0, "a", "v", 0}, {0, "b", "v", 0}),
    };
    struct trial trial = compare_dumps(&plain, dumps, 3);
    cr_expect_str_eq(trial.rows, "only-a 0:c 0.0 -, only-a 0:c 1.0 -, value 0:a 1.3 2.0, ");
    cr_expect_eq(trial.counts.repeated[COMPARE_A], 1);
    cr_expect_eq(trial.counts.keys[COMPARE_EQUAL], 2);
    compare_free(trial.compare);
}

Test(keyspace_compare, a_key_twice_in_one_dump_counts_once)
{
    const struct dump_of dumps[] = {
        DUMP(COMPARE_A, {0, "a", "v", 0}, {0, "a", "w", 0}, {0, "a", "x", 0}),
        DUMP(COMPARE_B, {0, "a", "w", 0}, {0, "b", "v", 0}, {0, "b", "w", 0}),
    };
    struct trial trial = compare_dumps(&plain, dumps, 2);
    cr_expect_str_eq(trial.rows, "value 0:a 0.0 1.0, only-b 0:b - 1.0, ");
    cr_expect_eq(trial.counts.repeated[COMPARE_A], 2);
    cr_expect_eq(trial.counts.repeated[COMPARE_B], 1);
    compare_free(trial.compare);
}

static bool wants_b(const void *context, const struct rdb_key *key)
{
    (void)context;
    return key->name.len && key->name.at[0] == 'b';
}

Test(keyspace_compare, what_is_not_wanted_is_not_there)
{
    const struct compare_options some = {.wants = wants_b};
    struct rdb_build build = build_of((const struct made[]){{0, "a", "v", 0}, {0, "b", "v", 0}}, 2);
    struct compare *compare = compare_new(&some);
    struct compare_end end;
    for (int side = COMPARE_A; side < COMPARE_SIDES; side++) {
        struct source *source = source_memory(build.at, build.len);
        cr_assert(compare_read(compare, (enum compare_side)side, source, &end));
        cr_expect_eq(end.keys, 1);
        source_close(source);
    }
    cr_assert(compare_settle(compare));
    cr_expect_eq(compare_counts(compare).keys[COMPARE_EQUAL], 1);
    compare_free(compare);
    rdb_build_free(&build);
}

Test(keyspace_compare, damage_leaves_a_dump_not_whole)
{
    struct rdb_build build = build_of((const struct made[]){{0, "a", "v", 0}, {0, "b", "v", 0}}, 2);
    for (size_t cut = 0; cut < 2; cut++) {
        struct compare *compare = compare_new(&plain);
        struct compare_end end;
        build.at[build.len - 1] ^= cut == 0;
        struct source *source = source_memory(build.at, build.len - cut * 9);
        cr_assert(compare_read(compare, COMPARE_A, source, &end));
        cr_expect_not(end.whole);
        cr_expect_eq(end.corrupt, cut == 0);
        cr_expect_eq(end.scan.stop, cut == 0 ? RDB_STOP_NONE : RDB_STOP_TRUNCATED);
        source_close(source);
        cr_assert(compare_settle(compare));
        cr_expect_eq(compare_counts(compare).read[COMPARE_A], 2);
        compare_free(compare);
    }
    rdb_build_free(&build);
}

/* Enough keys for every part to take several chunks and for B to wait more than once. */
Test(keyspace_compare, many_keys, .timeout = 120)
{
    enum { KEYS = 1300000 };
    struct rdb_build builds[2];
    for (unsigned side = 0; side < 2; side++) {
        builds[side] = rdb_build_begin("REDIS0010");
        rdb_build_select(&builds[side], 0);
        for (unsigned i = 0; i < KEYS; i++) {
            unsigned number = side ? KEYS - 1 - i : i; /* another order */
            char name[16];
            if (number % 100000 == 7 + side)
                continue;
            snprintf(name, sizeof(name), "k%u", number);
            rdb_build_string_key(&builds[side], name, side && number % 200000 == 5 ? "w" : "v");
        }
        rdb_build_end(&builds[side]);
    }
    struct compare *compare = compare_new(&plain);
    struct compare_end end;
    for (int side = COMPARE_A; side < COMPARE_SIDES; side++) {
        struct source *source = source_memory(builds[side].at, builds[side].len);
        cr_assert(compare_read(compare, (enum compare_side)side, source, &end) && end.whole);
        source_close(source);
    }
    cr_assert(compare_settle(compare));
    struct compare_counts counts = compare_counts(compare);
    cr_expect_eq(counts.keys[COMPARE_ONLY_A], 13);
    cr_expect_eq(counts.keys[COMPARE_ONLY_B], 13);
    cr_expect_eq(counts.keys[COMPARE_VALUE], 7);
    cr_expect_eq(counts.keys[COMPARE_EQUAL], KEYS - 13 - 13 - 7);
    cr_expect_lt(compare_bytes(compare) / KEYS, 60, "%llu bytes a key",
                 (unsigned long long)compare_bytes(compare) / KEYS);
    compare_free(compare);
    rdb_build_free(&builds[0]);
    rdb_build_free(&builds[1]);
}
