#include "tools/evidence/dump_scan.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/rdb_build.h"

/* What a reader said, as text: two readings are the same when their texts are. */
struct transcript {
    char *text;
    size_t len, cap;
};

__attribute__((format(printf, 2, 3))) static void say(struct transcript *transcript, const char *format, ...)
{
    enum { LONGEST = 600 };
    if (transcript->cap - transcript->len < LONGEST) {
        transcript->cap = 2 * transcript->cap + 4 * LONGEST;
        transcript->text = realloc(transcript->text, transcript->cap);
        cr_assert_not_null(transcript->text);
    }
    va_list list;
    va_start(list, format);
    int len = vsnprintf(transcript->text + transcript->len, LONGEST, format, list);
    va_end(list);
    transcript->len += (size_t)(len < LONGEST ? len : LONGEST - 1);
}

static uint64_t sum(struct bytes bytes)
{
    uint64_t sum = bytes.len;
    for (size_t i = 0; i < bytes.len; i++)
        sum = sum * 31 + bytes.at[i];
    return sum;
}

static bool strings_told; /* with RDB_COUNT_ELEMENTS */

static void say_item(struct transcript *transcript, const struct rdb_item *item)
{
    say(transcript, "%d at %" PRIu64 "+%" PRIu64, item->kind, item->place.offset, item->place.length);
    if (item->kind == RDB_KEY) {
        const struct rdb_key *key = &item->key;
        say(transcript, " db%u %" PRIx64 " %s %d %" PRId64 " idle %d %" PRIu64 " freq %d %u at %" PRIu64 "+%" PRIu64,
            key->db, sum(key->name), key->type_name, key->has_expiry, key->expire_ms, key->has_idle, key->idle_s,
            key->has_freq, key->freq, key->value_offset, key->value_length);
        say(transcript, " %u %d %s %" PRIu64 " elements, %" PRIx64 "\n", key->type, key->datatype, key->encoding,
            key->elements, sum((struct bytes){key->digest, 16}));
        if (strings_told)
            say(transcript, "%" PRIu64 " strings, %" PRIu64 "\n", key->strings, key->string_bytes);
        return;
    }
    say(transcript, " %" PRIx64 " %" PRIx64 " v%u db%u slot%u %" PRIu64 " %" PRIu64 " crc %d %" PRIx64 " %" PRIx64 "\n",
        sum(item->name), sum(item->value), item->version, item->db, item->slot, item->keys, item->expires,
        item->has_checksum, item->stored_checksum, item->computed_checksum);
}

static void say_damage(struct transcript *transcript, const struct damage *damage, struct bytes key)
{
    say(transcript, "damage %u at %" PRIu64 "+%" PRIu64 " resumed %" PRIu64 " in %" PRIx64 ": %s, %s\n", damage->code,
        damage->place.offset, damage->place.length, damage->resumed, sum(key), damage->expected, damage->found);
}

static void say_end(struct transcript *transcript, enum rdb_stop stop, uint64_t offset, const char *why)
{
    say(transcript, "end %d at %" PRIu64 " %s\n", stop, offset, why);
}

static void read_alone(struct source *source, unsigned flags, struct transcript *transcript)
{
    struct rdb *reader = rdb_open(source, flags);
    cr_assert_not_null(reader);
    rdb_expect_end(reader);
    struct rdb_item item;
    enum parse_step step;
    while ((step = rdb_next(reader, &item)) == PARSE_ITEM || step == PARSE_DAMAGE)
        if (step == PARSE_ITEM)
            say_item(transcript, &item);
        else
            say_damage(transcript, rdb_damage(reader), rdb_damage_key(reader));
    say_end(transcript, rdb_stop(reader), rdb_offset(reader), rdb_why(reader) ? rdb_why(reader) : "");
    rdb_close(reader);
}

static void *begin(void *context)
{
    (void)context;
    return calloc(1, sizeof(struct transcript));
}

static bool take_item(void *batch, struct rdb *reader, const struct rdb_item *item)
{
    (void)reader;
    say_item(batch, item);
    return true;
}

static bool take_plain(void *batch, const struct rdb_plain *run)
{
    uint64_t expires = 0;
    cr_assert(run->count > 0 && run->count <= RDB_PLAIN_MOST);
    for (size_t i = 0; i < run->count; i++) {
        struct rdb_item item;
        rdb_plain_item(run, &run->keys[i], &item);
        say_item(batch, &item);
        expires += item.key.has_expiry;
    }
    cr_assert_eq(run->expires, expires);
    return true;
}

static bool take_damage(void *batch, const struct damage *damage, struct bytes key)
{
    say_damage(batch, damage, key);
    return true;
}

static void drop(void *context, void *batch)
{
    (void)context;
    struct transcript *transcript = batch;
    free(transcript->text);
    free(transcript);
}

static bool merge(void *context, void *batch)
{
    struct transcript *whole = context, *part = batch;
    if (part->len) {
        whole->text = realloc(whole->text, whole->len + part->len + 4096);
        cr_assert_not_null(whole->text);
        memcpy(whole->text + whole->len, part->text, part->len + 1);
        whole->len += part->len;
        whole->cap = whole->len + 4096;
    }
    drop(context, batch);
    return true;
}

static void read_together(struct source *source, unsigned flags, unsigned threads, size_t block, bool runs,
                          struct transcript *transcript)
{
    const struct scan_job job = {flags, transcript, begin, take_item, take_damage, merge, drop,
                                 runs ? take_plain : NULL};
    const struct scan_options options = {.threads = threads, .expect_end = true};
    struct scan_end end;
    cr_assert(dump_scan_sized(source, &options, &job, &end, block));
    cr_assert(!end.interrupted);
    say_end(transcript, end.stop, end.offset, end.why);
}

/* Where they differ first. */
static const char *difference(const struct transcript *one, const struct transcript *other)
{
    size_t line = 0, i = 0;
    while (i < one->len && i < other->len && one->text[i] == other->text[i])
        if (one->text[i++] == '\n')
            line = i;
    return other->len > line ? other->text + line : "shorter";
}

static void compare(const void *at, size_t len, unsigned flags, const size_t *blocks, size_t block_count,
                    const char *name)
{
    struct transcript alone = {0};
    struct source *source = source_memory(at, len);
    strings_told = flags & RDB_COUNT_ELEMENTS;
    read_alone(source, flags, &alone);
    source_close(source);
    for (size_t i = 0; i < 2 * block_count; i++) {
        struct transcript together = {0};
        size_t block = blocks[i / 2];
        bool runs = i % 2; /* plain keys many at once */
        source = source_memory(at, len);
        read_together(source, flags, 1 + i / 2 % 5, block, runs, &together);
        source_close(source);
        cr_assert(together.len == alone.len && !memcmp(together.text, alone.text, alone.len),
                  "%s, blocks of %zu, runs %d:\n%s", name, block, runs, difference(&alone, &together));
        free(together.text);
    }
    free(alone.text);
}

/* Each kind of record, and each way in which one may be wrong and read on. */
static struct rdb_build build_all(void)
{
    struct rdb_build build = rdb_build_begin("REDIS0012");
    rdb_build_aux(&build, "redis-ver", "7.4.0");
    rdb_build_aux(&build, "ctime", "1700000000");
    rdb_build_bytes(&build, "\xf5\x0b#!lua name=", 13);
    rdb_build_select(&build, 0);
    rdb_build_resize(&build, 40, 13);
    for (unsigned i = 0; i < 40; i++) {
        char name[32];
        snprintf(name, sizeof(name), "key:%u", i);
        if (i % 8 == 0)
            rdb_build_bytes(&build, i == 16 ? "\xf4\x05\x07\x01" : "\xf4\x05\x08\x03", 4);
        if (i % 3 == 0)
            rdb_build_expire_ms(&build, 1800000000000 + i);
        if (i % 5 == 1)
            rdb_build_bytes(&build, "\xf8\x41\x22", 3);
        if (i % 5 == 2)
            rdb_build_bytes(&build, "\xf9\x07", 2);
        if (i == 20)
            rdb_build_bytes(&build, "\x00\xc3\x03\x20\x01" "ab\x01v", 9); /* its name does not expand */
        switch (i % 6) {
        case 0:
            rdb_build_string_key(&build, name, "value");
            break;
        case 1:
            rdb_build_key(&build, 2, name);
            rdb_build_bytes(&build, "\x03\x01" "a\xc0\x05\xc1\x00\x01", 8);
            break;
        case 2:
            rdb_build_key(&build, 4, name);
            rdb_build_bytes(&build, "\x02\x01" "f\x01v\x01g\xc3\x04\x0a\x00x\xe0\x00", 14);
            break;
        case 3:
            rdb_build_key(&build, 5, name);
            rdb_build_bytes(&build, "\x01\x01m", 3);
            rdb_build_le(&build, UINT64_C(0x3ff0000000000000), 8);
            break;
        case 4:
            rdb_build_key(&build, 0, name);
            rdb_build_run(&build, 'x', i == 28 ? 300 : 70);
            break;
        default:
            rdb_build_key(&build, 1, name);
            rdb_build_bytes(&build, "\x40\x02\x01" "a\x01" "b", 6); /* a count in a longer form than needed */
        }
        if (i == 30)
            rdb_build_select(&build, 3);
    }
    rdb_build_expire_ms(&build, 5); /* no key follows */
    rdb_build_end(&build);
    return build;
}

/* Strings in all the forms that servers store them in, and in some that they do not. */
static struct rdb_build build_strings(void)
{
    static const struct {
        const char *at;
        size_t len;
    } values[] = {
        {"\x05value", 6},
        {"\x00", 1},
        {"\xc0\x85", 2},
        {"\xc1\x85\x01", 3},
        {"\xc2\x85\x01\x02\x03", 5},
        {"\xc3\x05\x14\x00x\xe0\x0a\x00", 8},
        {"\xc3\x07\x0d\x00" "a\xe0\x02\x00\x00z", 10},
        {"\xc3\x0b\x1d\x03" "abcd\xe0\x0e\x03\x01" "yz", 14},
        {"\xc3\x04\x14\x00x\xe0\x0a", 7},      /* cut inside an instruction */
        {"\xc3\x05\x14\x00x\xe0\x0a\x01", 8}, /* from before its first byte */
        {"\xc3\x05\x15\x00x\xe0\x0a\x00", 8}, /* another size */
        {"\xc3\x01\x00\x00", 4},              /* of none */
        {"\xc3\x40\x05\x14\x00x\xe0\x0a\x00", 9}, /* a length in a longer form than needed */
        {"\x40\x03" "abc", 5},
        {"\x80\x00\x00\x00\x03" "abc", 8},
        {"\x04HYLL", 5}, /* a HyperLogLog without the rest */
        {"\x01H", 2},
        {"\xc3\x05\x04\x03HYLL", 8},
    };
    struct rdb_build build = rdb_build_begin("REDIS0011");
    rdb_build_select(&build, 0);
    rdb_build_resize(&build, 50, 25);
    for (unsigned i = 0; i < RDB_PLAIN_MOST + 9; i++) /* longer than a run */
        rdb_build_bytes(&build, "\x00\x01" "k\xc0\x01", 5);
    for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
        if (i % 2)
            rdb_build_expire_ms(&build, i == 5 ? -7 : 1800000000000 + (int64_t)i);
        rdb_build_key(&build, 0, i == 3 ? "" : "some name");
        rdb_build_bytes(&build, values[i].at, values[i].len);
    }
    rdb_build_u8(&build, 0);
    rdb_build_run(&build, 'n', 70);
    rdb_build_run(&build, 'v', 80);
    rdb_build_bytes(&build, "\x00\xc1\x10\x27\x01v", 6); /* a name that is a number, */
    rdb_build_bytes(&build, "\x00\xc3\x05\x14\x00x\xe0\x0a\x00\x01v", 11); /* and one that is compressed */
    rdb_build_expire_ms(&build, 1800000000000);
    rdb_build_expire_ms(&build, 1800000000001);
    rdb_build_string_key(&build, "expires twice", "v");
    rdb_build_bytes(&build, "\xfd\x00\x00\x00\x70", 5);
    rdb_build_string_key(&build, "expires in seconds", "v");
    rdb_build_end(&build);
    return build;
}

static const size_t tiny_blocks[] = {16, 17, 23, 48, 100, 333};
enum { TINY_BLOCKS = sizeof(tiny_blocks) / sizeof(*tiny_blocks) };

Test(dump_scan, says_what_one_reader_says, .timeout = 120)
{
    struct rdb_build build = build_all();
    size_t sizes[120];
    for (size_t i = 0; i < 120; i++)
        sizes[i] = 16 + i * 3;
    compare(build.at, build.len, 0, sizes, 120, "whole");
    compare(build.at, build.len, RDB_CHECK_VALUES, sizes, 120, "values");
    compare(build.at, build.len, RDB_COUNT_ELEMENTS, sizes, 120, "elements");
    compare(build.at, build.len, RDB_DIGEST_VALUES, sizes, 120, "digests");
    rdb_build_free(&build);
}

Test(dump_scan, says_the_same_of_strings, .timeout = 120)
{
    static const unsigned flags[] = {0, RDB_CHECK_VALUES, RDB_COUNT_ELEMENTS, RDB_DIGEST_VALUES};
    struct rdb_build build = build_strings();
    size_t sizes[40];
    for (size_t i = 0; i < 40; i++)
        sizes[i] = 16 + i * (i < 30 ? 5 : 50);
    for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
        compare(build.at, build.len, flags[i], sizes, 40, "strings");
    rdb_build_free(&build);
}

Test(dump_scan, strings_are_read_to_their_end)
{
    struct rdb_build build = build_strings();
    struct transcript transcript = {0};
    struct source *source = source_memory(build.at, build.len);
    read_alone(source, RDB_CHECK_VALUES, &transcript);
    cr_expect_not_null(strstr(transcript.text, "\nend 0 at"), "%s", transcript.text);
    source_close(source);
    free(transcript.text);
    rdb_build_free(&build);
}

static void truncate_anywhere(struct rdb_build build)
{
    for (size_t len = 0; len < build.len; len++)
        compare(build.at, len, RDB_CHECK_VALUES, (size_t[]){16 + len % 29, 64 + len % 97}, 2, "truncated");
    rdb_build_free(&build);
}

Test(dump_scan, truncated_anywhere, .timeout = 120)
{
    truncate_anywhere(build_all());
}

Test(dump_scan, strings_truncated_anywhere, .timeout = 120)
{
    truncate_anywhere(build_strings());
}

static void flip_any_bit(struct rdb_build build)
{
    for (size_t bit = 0; bit < 8 * build.len; bit++) {
        char name[32];
        snprintf(name, sizeof(name), "bit %zu", bit);
        build.at[bit / 8] ^= (uint8_t)(1 << bit % 8);
        compare(build.at, build.len, RDB_CHECK_VALUES, &tiny_blocks[bit % TINY_BLOCKS], 1, name);
        build.at[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    rdb_build_free(&build);
}

Test(dump_scan, any_bit_flipped, .timeout = 240)
{
    flip_any_bit(build_all());
}

Test(dump_scan, any_bit_of_strings_flipped, .timeout = 240)
{
    flip_any_bit(build_strings());
}

static unsigned compared;

static int compare_fixture(const char *path, const struct stat *state, int type, struct FTW *where)
{
    (void)state;
    (void)where;
    size_t len = strlen(path);
    if (type != FTW_F || len < 4 || strcmp(path + len - 4, ".rdb") != 0)
        return 0;
    struct source *source = source_open(AT_FDCWD, path, 0);
    struct bytes bytes;
    cr_assert(source_slurp(source, 64 << 20, &bytes), "%s", path);
    compare(bytes.at, bytes.len, RDB_CHECK_VALUES, (size_t[]){200 + len, 4096 + len}, 2, path);
    source_close(source);
    compared++;
    return 0;
}

Test(dump_scan, every_fixture, .timeout = 240)
{
    cr_assert_eq(nftw("fixtures", compare_fixture, 16, FTW_PHYS), 0);
    cr_assert_gt(compared, 20);
}

static bool refuse_item(void *batch, struct rdb *reader, const struct rdb_item *item)
{
    (void)batch;
    (void)reader;
    return item->kind != RDB_KEY || item->key.name.len != 6 || memcmp(item->key.name.at, "key:33", 6) != 0;
}

Test(dump_scan, ends_when_the_job_says_so)
{
    struct rdb_build build = build_all();
    for (size_t i = 0; i < TINY_BLOCKS; i++) {
        struct transcript transcript = {0};
        const struct scan_job job = {0, &transcript, begin, refuse_item, take_damage, merge, drop};
        const struct scan_options options = {.threads = 3, .expect_end = true};
        struct scan_end end;
        struct source *source = source_memory(build.at, build.len);
        cr_assert(!dump_scan_sized(source, &options, &job, &end, tiny_blocks[i]));
        cr_expect(end.interrupted);
        source_close(source);
        free(transcript.text);
    }
    rdb_build_free(&build);
}
