#include "parsers/rdb/rdb_resync.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/rdb_build.h"

enum { REDIS = 1, VERSION = 11, ENOUGH = 48 };

static const struct rdb_carry redis = {.dialect = REDIS, .version = VERSION};

/* `keys` strings, and the offset of each. */
static struct rdb_build build_keys(unsigned keys, size_t *starts)
{
    struct rdb_build build = rdb_build_begin("REDIS0011");
    for (unsigned i = 0; i < keys; i++) {
        char name[32];
        snprintf(name, sizeof(name), "key:%04u", i);
        starts[i] = build.len;
        rdb_build_string_key(&build, name, "value");
    }
    return build;
}

static bool find(struct rdb_build build, uint64_t record, const uint8_t *slots, uint64_t *offset)
{
    struct source *source = source_memory(build.at, build.len);
    struct rdb_resync *resync = rdb_resync_open(source);
    const struct rdb_stopped stopped = {.carry = redis, .record = record};
    uint64_t from;
    cr_assert(resync);
    bool found = rdb_resync_find(resync, &stopped, slots, &from, offset);
    rdb_resync_close(resync);
    source_close(source);
    return found;
}

Test(rdb_resync, finds_the_next_record)
{
    size_t starts[20];
    uint64_t offset = 0;
    struct rdb_build build = build_keys(20, starts);
    for (unsigned i = 0; i < 16; i++) {
        cr_assert(find(build, starts[i], NULL, &offset));
        cr_assert_eq(offset, starts[i + 1], "behind %u", i);
    }
    cr_assert_not(find(build, starts[16], NULL, &offset), "three keys of 14 bits that end nowhere are no chain");
    rdb_build_end(&build);
    cr_assert(find(build, starts[17], NULL, &offset) && offset == starts[18], "before the end of the dump they are");
    rdb_build_free(&build);
}

Test(rdb_resync, keys_of_other_slots_are_none)
{
    size_t starts[20];
    uint8_t none[2048] = {0};
    uint64_t offset;
    struct rdb_build build = build_keys(20, starts);
    rdb_build_end(&build);
    cr_assert_not(find(build, starts[3], none, &offset));
    rdb_build_free(&build);
}

Test(rdb_resync, trifles_are_no_evidence)
{
    static const struct {
        const char *name;
        uint8_t bytes[4];
        size_t len;
    } patterns[] = {{"zeros", {0}, 1}, {"ones", {1}, 1}, {"a set with one member", {2, 1, 'A', 1}, 4}, {"ends", {0xff}, 1}};
    uint8_t bytes[4096];
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        for (size_t k = 0; k < sizeof(bytes); k++)
            bytes[k] = patterns[i].bytes[k % patterns[i].len];
        for (size_t k = 0; k < 8; k++)
            cr_assert_lt(rdb_resync_weigh((struct bytes){bytes + k, sizeof(bytes) - k}, &redis), ENOUGH / 2, "%s",
                         patterns[i].name);
    }
}

Test(rdb_resync, bytes_at_random_are_no_evidence)
{
    enum { SIZE = 200000 };
    uint8_t *bytes = malloc(SIZE);
    uint64_t state = 1;
    cr_assert(bytes);
    for (size_t i = 0; i < SIZE; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        bytes[i] = (uint8_t)(state >> 56);
    }
    for (size_t i = 0; i < SIZE; i++) {
        struct bytes rest = {bytes + i, SIZE - i < 2048 ? SIZE - i : 2048};
        cr_assert_lt(rdb_resync_weigh(rest, &redis), ENOUGH, "offset %zu", i);
    }
    free(bytes);
}
