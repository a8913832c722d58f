#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <string.h>

#include "parsers/bytes/text.h"
#include "tests/unit/rdb_walk.h"

/* Envelope */

static struct rdb_walk walk_text(const char *text)
{
    return rdb_walk_bytes(text, strlen(text), 4096);
}

Test(rdb, tells_other_files_from_dumps)
{
    static const struct {
        const char *text;
        enum rdb_stop stop;
        uint64_t offset;
    } cases[] = {
        {"", RDB_STOP_TRUNCATED, 0},
        {"RED", RDB_STOP_TRUNCATED, 3},
        {"VALKEY08", RDB_STOP_TRUNCATED, 8},
        {"hello", RDB_STOP_NOT_RDB, 0},
        {"*2\r\n$6\r\nSELECT\r\n", RDB_STOP_NOT_RDB, 0},
        {"REDIS00x1\xff", RDB_STOP_NOT_RDB, 0},
        {"REDIS0000\xff", RDB_STOP_CORRUPT, 5},
        {"REDIS0080\xff", RDB_STOP_UNSUPPORTED, 5},
        {"VALKEY011\xff", RDB_STOP_CORRUPT, 6},
        {"VCS\x01\x01\x01\x01lz4frame", RDB_STOP_UNSUPPORTED, 5},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rdb_walk walk = walk_text(cases[i].text);
        cr_assert(walk.last == PARSE_STOP && walk.stop == cases[i].stop, "%s: %s", cases[i].text, walk.why);
        cr_assert_eq(walk.offset, cases[i].offset, "%s", cases[i].text);
    }
}

Test(rdb, a_source_that_fails_is_no_truncation)
{
    struct rdb_walk walk = rdb_walk_source(source_open(AT_FDCWD, "fixtures/no-such-file", 0), 0, 4096);
    cr_assert_eq(walk.stop, RDB_STOP_READ);
    cr_assert(strstr(walk.why, "No such file"));
}

Test(rdb, versions_before_5_have_no_checksum)
{
    static const char dump[] = "REDIS0004\xfe\x01\xfd\xff\xff\xff\xff\x00\x03" "abc\x01x\xff";
    struct rdb_walk walk = rdb_walk_bytes(dump, sizeof(dump) - 1, 4096);
    cr_assert(rdb_walk_sound(&walk), "%s", walk.why);
    cr_assert(!walk.item[3].has_checksum);
    cr_assert_eq(walk.item[2].key.expire_ms, -1000, "seconds are signed");
}

Test(rdb, checksum_is_compared_unless_zero)
{
    struct rdb_build build = rdb_build_begin("REDIS0011");
    rdb_build_string_key(&build, "k", "v");
    rdb_build_end(&build);
    struct rdb_walk walk = rdb_walk_build(&build);
    cr_assert(rdb_walk_sound(&walk));
    cr_assert(walk.item[2].has_checksum);
    cr_assert_eq(walk.item[2].stored_checksum, walk.item[2].computed_checksum);

    build.at[build.len - 1] ^= 1;
    walk = rdb_walk_build(&build);
    cr_assert(rdb_walk_only(&walk, RDB_BAD_CHECKSUM));
    cr_assert(walk.places[0].offset == build.len - 8 && walk.places[0].length == 8);
    cr_assert_eq(walk.kinds[walk.items - 1], RDB_EOF, "the item comes all the same");

    memset(build.at + build.len - 8, 0, 8);
    walk = rdb_walk_build(&build);
    cr_assert(rdb_walk_sound(&walk));
    cr_assert(!walk.item[2].has_checksum);
    rdb_build_free(&build);
}

Test(rdb, what_follows_is_damage_or_given_back)
{
    struct rdb_build build = rdb_build_begin("REDIS0011");
    rdb_build_end(&build);
    size_t len = build.len;
    rdb_build_bytes(&build, RDB_RAW("*1\r\n$4\r\nPING\r\n"));
    struct rdb_walk walk = rdb_walk_bytes(build.at, build.len, 20);
    cr_assert(rdb_walk_only(&walk, RDB_TRAILING_BYTES));
    cr_assert(walk.places[0].offset == len && walk.places[0].length == 14);

    struct source *source = source_memory(build.at, build.len);
    struct rdb *reader = rdb_open_sized(source, 0, 20);
    struct rdb_item item;
    cr_assert_eq(rdb_next(reader, &item), PARSE_ITEM);
    cr_assert_eq(rdb_rest(reader).len, 0, "nothing is given back before the end");
    cr_assert_eq(rdb_next(reader, &item), PARSE_ITEM);
    cr_assert_eq(rdb_next(reader, &item), PARSE_END);
    cr_assert_eq(rdb_offset(reader), len);
    uint8_t tail[32];
    struct bytes rest = rdb_rest(reader);
    memcpy(tail, rest.at, rest.len);
    size_t more = source_read(source, tail + rest.len, sizeof(tail) - rest.len);
    cr_assert(rest.len + more == 14 && !memcmp(tail, "*1\r\n$4\r\nPING\r\n", 14));
    rdb_close(reader);
    source_close(source);
    rdb_build_free(&build);
}

/* Opcodes */

Test(rdb, aux_fields_are_decoded)
{
    struct rdb_build build = rdb_build_begin("REDIS0009");
    rdb_build_aux(&build, "redis-ver", "6.2.6");
    rdb_build_bytes(&build, RDB_RAW("\xfa\x05" "ctime\xc2\xff\xff\xff\xff"));
    rdb_build_bytes(&build, RDB_RAW("\xfa\x01" "b\xc0\x80"));
    rdb_build_bytes(&build, RDB_RAW("\xfa\x01" "w\xc1\x00\x80"));
    rdb_build_bytes(&build, RDB_RAW("\xfa\x01" "z\xc3\x05\x09\x01" "ab\x80\x01")); /* LZF: "ab", then 6 from 2 back */
    struct rdb_walk walk = rdb_walk_finish(&build);
    cr_assert_eq(walk.last, PARSE_END, "%s", walk.why);
    cr_assert_str_eq(walk.text[1][0], "redis-ver");
    cr_assert_str_eq(walk.text[1][1], "6.2.6");
    cr_assert_str_eq(walk.text[2][1], "-1");
    cr_assert_str_eq(walk.text[3][1], "-128");
    cr_assert_str_eq(walk.text[4][1], "-32768");
    cr_assert(rdb_walk_only(&walk, RDB_BAD_STRING), "8 bytes come out where 9 are stated");
    cr_assert_eq(walk.items, 6, "a field that cannot be read is no item");

    build = rdb_build_begin("REDIS0009");
    rdb_build_bytes(&build, RDB_RAW("\xfa\x01" "z\xc3\x05\x08\x01" "ab\x80\x01"));
    walk = rdb_walk_finish(&build);
    cr_assert(rdb_walk_sound(&walk), "%s", walk.why);
    cr_assert_str_eq(walk.text[1][1], "abababab");
}

Test(rdb, keys_are_decoded)
{
    struct rdb_build build = rdb_build_begin("REDIS0009");
    rdb_build_resize(&build, 3, 0);
    rdb_build_bytes(&build, RDB_RAW("\x00\xc1\xd2\x04\x00"));
    rdb_build_bytes(&build, RDB_RAW("\x00\xc3\x05\x08\x01" "ab\x80\x01\x01v"));
    rdb_build_bytes(&build, RDB_RAW("\x00\xc3\x05\x09\x01" "ab\x80\x01\x01v"));
    struct rdb_walk walk = rdb_walk_finish(&build);
    cr_assert(rdb_walk_only(&walk, RDB_BAD_STRING), "and the lost key counts: %zu", walk.damages);
    cr_assert_eq(walk.keys, 2);
    cr_assert_str_eq(walk.text[2][2], "1234");
    cr_assert_str_eq(walk.text[3][2], "abababab");
}

Test(rdb, counts_are_compared)
{
    static const struct {
        uint64_t keys, expires;
        size_t damages;
    } claims[] = {{2, 1, 0}, {3, 1, 1}, {2, 0, 1}, {UINT64_MAX, UINT64_MAX, 1}};
    for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
        struct rdb_build build = rdb_build_begin("REDIS0011");
        rdb_build_select(&build, 0);
        size_t at = build.len;
        rdb_build_resize(&build, claims[i].keys, claims[i].expires);
        rdb_build_string_key(&build, "a", "1");
        rdb_build_expire_ms(&build, 1);
        rdb_build_string_key(&build, "b", "2");
        rdb_build_select(&build, 1);
        rdb_build_resize(&build, 1, 0);
        rdb_build_string_key(&build, "a", "1");
        struct rdb_walk walk = rdb_walk_finish(&build);
        cr_assert(walk.last == PARSE_END && walk.damages == claims[i].damages);
        cr_assert(!walk.damages || (walk.codes[0] == RDB_BAD_COUNT && walk.places[0].offset == at));
    }
}

Test(rdb, slot_counts_are_compared)
{
    for (unsigned wrong = 0; wrong < 2; wrong++) {
        struct rdb_build build = rdb_build_begin("REDIS0012");
        rdb_build_bytes(&build, RDB_RAW("\xf4\x05\x01\x00"));
        rdb_build_string_key(&build, "a", "1");
        rdb_build_bytes(&build, RDB_RAW("\xf4\x7f\xff"));
        rdb_build_u8(&build, 1 + wrong);
        rdb_build_u8(&build, 0);
        rdb_build_string_key(&build, "b", "1");
        struct rdb_walk walk = rdb_walk_finish(&build);
        cr_assert(wrong ? rdb_walk_only(&walk, RDB_BAD_COUNT) : rdb_walk_sound(&walk), "%s", walk.why);
        cr_assert(walk.kinds[3] == RDB_SLOT_INFO && walk.item[3].slot == 16383 && walk.item[3].keys == 1 + wrong);

        build = rdb_build_begin("REDIS0011");
        rdb_build_aux(&build, "valkey-ver", "8.0.1");
        rdb_build_resize(&build, 2 + wrong, 0);
        rdb_build_aux(&build, "slot-info", wrong ? "5,2,0" : "5,1,0");
        rdb_build_string_key(&build, "a", "1");
        rdb_build_aux(&build, "slot-info", "6,1,0,0");
        rdb_build_string_key(&build, "b", "1");
        walk = rdb_walk_finish(&build);
        cr_assert(walk.last == PARSE_END && walk.damages == 2 * wrong);
    }
}

Test(rdb, opcodes_of_redis)
{
    struct rdb_build build = rdb_build_begin("REDIS0013");
    rdb_build_bytes(&build, RDB_RAW("\xf7\x81\x00\x00\x00\x00\x00\x00\x04\x00\x02\x01\x05\x02hi\x00"));
    rdb_build_bytes(&build, RDB_RAW("\xf5\x0a#!lua code"));
    rdb_build_bytes(&build, RDB_RAW("\xf6\x01n\x03lua\x01\x04" "desc\x04" "code"));
    rdb_build_bytes(&build, RDB_RAW("\xf6\x01n\x03lua\x00\x04" "code"));
    size_t at = build.len;
    rdb_build_expire_ms(&build, 5);
    rdb_build_bytes(&build, RDB_RAW("\xf8\x10\xf9\x07"));
    rdb_build_bytes(&build, RDB_RAW("\xf3\x01" "spec\x05\x01x\x00"));
    rdb_build_string_key(&build, "k", "v");
    rdb_build_bytes(&build, RDB_RAW("\x6b\x05"));
    struct rdb_walk walk = rdb_walk_finish(&build);
    cr_assert_eq(walk.last, PARSE_END, "%s", walk.why);
    cr_assert(rdb_walk_only(&walk, RDB_BAD_LENGTH), "the module's id fits into fewer bytes");
    cr_assert_eq(walk.kinds[1], RDB_MODULE_AUX);
    cr_assert_str_eq(walk.text[1][0], "AAAAAAAAB");
    cr_assert_eq(walk.kinds[2], RDB_FUNCTION);
    cr_assert_str_eq(walk.text[2][1], "#!lua code");
    cr_assert_str_eq(walk.text[3][0], "n");
    cr_assert_str_eq(walk.text[3][1], "code");
    cr_assert_str_eq(walk.text[4][1], "code");
    cr_assert(walk.kinds[5] == RDB_KEY && walk.item[5].place.offset == at && walk.item[5].key.expire_ms == 5);
    cr_assert_eq(walk.kinds[6], RDB_OPCODE);
    cr_assert_str_eq(walk.text[6][0], "enterprise-lru");
}

Test(rdb, opcodes_that_are_only_stepped_over)
{
    static const struct {
        const char *magic;
        const char *aux;
        const char *bytes;
        size_t len;
        const char *name;
    } cases[] = {
        {"REDIS0015", "x", RDB_RAW("\xf2\x01\x02\x01" "f\x01g"), "hash-template"},
        {"REDIS0009", "x", RDB_RAW("\x79\x40\x50"), "enterprise-slot-number"},
        {"REDIS0009", "df-ver", RDB_RAW("\xc8\0\0\0\0\0\0\0\0"), "dragonfly-fullsync-end"},
        {"REDIS0009", "df-ver", RDB_RAW("\xd2\x01\x02xy"), "dragonfly-journal"},
        {"REDIS0009", "df-ver", RDB_RAW("\xd3\0\0\0\0\0\0\0\0"), "dragonfly-journal-offset"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rdb_build build = rdb_build_begin(cases[i].magic);
        rdb_build_aux(&build, cases[i].aux, "1");
        rdb_build_bytes(&build, cases[i].bytes, cases[i].len);
        rdb_build_string_key(&build, "k", "v");
        struct rdb_walk walk = rdb_walk_finish(&build);
        cr_assert(rdb_walk_sound(&walk), "%s: %s", cases[i].name, walk.why);
        cr_assert(walk.kinds[2] == RDB_OPCODE && walk.item[2].place.length == cases[i].len);
        cr_assert_str_eq(walk.text[2][0], cases[i].name);
    }
}

Test(rdb, slot_import_of_valkey)
{
    struct rdb_build build = rdb_build_begin("VALKEY080");
    rdb_build_u8(&build, 243);
    rdb_build_run(&build, 'a', 40);
    rdb_build_bytes(&build, RDB_RAW("\x02\x00\x40\x63\x7f\xff\x7f\xff"));
    rdb_build_resize(&build, 5, 5);
    struct rdb_walk walk = rdb_walk_finish(&build);
    cr_assert(rdb_walk_sound(&walk), "%s; while slots move, counts are not compared", walk.why);
    cr_assert_eq(walk.kinds[1], RDB_SLOT_IMPORT);
    cr_assert_eq(strlen(walk.text[1][0]), 40);
    cr_assert_str_eq(walk.text[1][1], "0-99 16383-16383");
}

Test(rdb, a_prefix_without_a_key_dangles)
{
    struct rdb_build build = rdb_build_begin("REDIS0009");
    size_t at = build.len;
    rdb_build_expire_ms(&build, 5);
    rdb_build_select(&build, 1);
    rdb_build_string_key(&build, "k", "v");
    struct rdb_walk walk = rdb_walk_finish(&build);
    cr_assert(rdb_walk_only(&walk, RDB_DANGLING_OPCODE));
    cr_assert(walk.places[0].offset == at && walk.places[0].length == 9);
    cr_assert(!walk.item[2].key.has_expiry);

    build = rdb_build_begin("REDIS0009");
    rdb_build_expire_ms(&build, 5);
    walk = rdb_walk_finish(&build);
    cr_assert(rdb_walk_only(&walk, RDB_DANGLING_OPCODE), "at the end too");

    build = rdb_build_begin("REDIS0009");
    rdb_build_expire_ms(&build, 5);
    rdb_build_aux(&build, "mvcc-tstamp", "1");
    rdb_build_string_key(&build, "k", "v");
    walk = rdb_walk_finish(&build);
    cr_assert(rdb_walk_sound(&walk), "KeyDB writes aux fields there");
    cr_assert_eq(walk.item[2].key.expire_ms, 5);
}

/* Dialects */

Test(rdb, stops_where_it_cannot_go_on)
{
    static const struct {
        const char *magic;
        uint8_t byte;
        enum rdb_stop stop;
        const char *key;
    } cases[] = {
        {"REDIS0008", 6, RDB_STOP_UNSUPPORTED, "key"},  {"VALKEY081", 23, RDB_STOP_UNSUPPORTED, "key"},
        {"VALKEY080", 24, RDB_STOP_CORRUPT, ""},        {"VALKEY080", 25, RDB_STOP_UNSUPPORTED, ""},
        {"REDIS0011", 22, RDB_STOP_CORRUPT, ""},        {"REDIS0006", 15, RDB_STOP_CORRUPT, ""},
        {"REDIS0012", 243, RDB_STOP_CORRUPT, ""},       {"REDIS0012", 8, RDB_STOP_UNSUPPORTED, ""},
        {"REDIS0012", 77, RDB_STOP_UNSUPPORTED, ""},    {"REDIS0009", 64, RDB_STOP_UNSUPPORTED, ""},
        {"VALKEY080", 242, RDB_STOP_CORRUPT, ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rdb_build build = rdb_build_begin(cases[i].magic);
        rdb_build_key(&build, cases[i].byte, "key");
        struct rdb_walk walk = rdb_walk_finish(&build);
        cr_assert(walk.last == PARSE_STOP && walk.stop == cases[i].stop, "%s %u: %s", cases[i].magic, cases[i].byte,
                  walk.why);
        cr_assert_eq(walk.offset, 9);
        cr_assert_str_eq(walk.stopped_key, cases[i].key);
    }
}

Test(rdb, a_stop_in_a_value_names_the_key)
{
    struct rdb_build build = rdb_build_begin("REDIS0010");
    rdb_build_key(&build, 18, "list");
    rdb_build_run(&build, 'x', 0);
    rdb_build_key(&build, 18, "broken");
    rdb_build_bytes(&build, RDB_RAW("\x01\x03\x00"));
    struct rdb_walk walk = rdb_walk_finish(&build);
    cr_assert(walk.last == PARSE_STOP && walk.stop == RDB_STOP_CORRUPT);
    cr_assert_eq(walk.offset, 9 + 7 + 8 + 1);
    cr_assert_str_eq(walk.stopped_key, "broken");
    cr_assert(walk.stopped_at.kind == RDB_KEY && walk.stopped_at.place.offset == 16);
}

/* Lengths and strings */

Test(rdb, long_forms_are_read_and_reported)
{
    static const struct {
        const char *magic;
        const char *length; /* of a string of one byte */
        size_t len;
        bool read;
    } cases[] = {
        {"REDIS0006", RDB_RAW("\x40\x01"), true},
        {"REDIS0006", RDB_RAW("\x80\x00\x00\x00\x01"), true},
        {"REDIS0006", RDB_RAW("\xbf\x00\x00\x00\x01"), true},
        {"REDIS0007", RDB_RAW("\xbf\x00\x00\x00\x01"), false},
        {"REDIS0007", RDB_RAW("\x81\x00\x00\x00\x00\x00\x00\x00\x01"), false},
        {"REDIS0008", RDB_RAW("\x81\x00\x00\x00\x00\x00\x00\x00\x01"), true},
        {"REDIS0008", RDB_RAW("\x82\x00\x00\x00\x00\x00\x00\x00\x01"), false},
        {"REDIS0008", RDB_RAW("\xc4"), false},
        {"REDIS0008", RDB_RAW("\xff"), false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rdb_build build = rdb_build_begin(cases[i].magic);
        rdb_build_key(&build, 0, "k");
        size_t at = build.len;
        rdb_build_bytes(&build, cases[i].length, cases[i].len);
        rdb_build_u8(&build, 'v');
        struct rdb_walk walk = rdb_walk_finish(&build);
        if (cases[i].read) {
            cr_assert(rdb_walk_only(&walk, RDB_BAD_LENGTH), "case %zu: %s", i, walk.why);
            cr_assert(walk.places[0].offset == at && walk.places[0].length == cases[i].len);
            cr_assert(walk.keys == 1 && walk.item[1].key.value_length == cases[i].len + 1);
        } else {
            cr_assert(walk.last == PARSE_STOP && walk.stop == RDB_STOP_CORRUPT, "case %zu", i);
            cr_assert_eq(walk.offset, at);
        }
    }
}

Test(rdb, claims_allocate_nothing)
{
    static const struct {
        const char *bytes; /* from a type byte on */
        size_t len;
        enum rdb_stop stop;
    } cases[] = {
        {RDB_RAW("\x00\x80\x1f\xff\xff\xff" "abc"), RDB_STOP_TRUNCATED},
        {RDB_RAW("\x00\x80\x40\x00\x00\x00" "abc"), RDB_STOP_UNSUPPORTED},
        {RDB_RAW("\x00\xc3\x03\x80\x1f\xff\xff\xff\x01" "ab\x01v"), RDB_STOP_TRUNCATED},
        {RDB_RAW("\x00\x01k\x80\xff\xff\xff\xff" "abc"), RDB_STOP_TRUNCATED},
        {RDB_RAW("\x00\x01k\x81\xff\xff\xff\xff\xff\xff\xff\xff"), RDB_STOP_CORRUPT},
        {RDB_RAW("\x01\x01k\x81\xff\xff\xff\xff\xff\xff\xff\xff"), RDB_STOP_CORRUPT},
        {RDB_RAW("\x01\x01k\x80\xff\xff\xff\xff\x01" "a"), RDB_STOP_TRUNCATED},
        {RDB_RAW("\x00\x01k\xc3\x81\xff\xff\xff\xff\xff\xff\xff\xff\x01"), RDB_STOP_CORRUPT},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rdb_build build = rdb_build_begin("REDIS0011");
        rdb_build_bytes(&build, cases[i].bytes, cases[i].len);
        struct rdb_walk walk = rdb_walk_build(&build);
        cr_assert(walk.last == PARSE_STOP && walk.stop == cases[i].stop, "case %zu: %s", i, walk.why);
        rdb_build_free(&build);
    }
}

Test(rdb, an_lzf_value_that_cannot_be_is_damage)
{
    struct rdb_build build = rdb_build_begin("REDIS0011");
    rdb_build_bytes(&build, RDB_RAW("\x00\x01k\xc3\x02\x7f\xff" "ab"));
    rdb_build_string_key(&build, "after", "it");
    struct rdb_walk walk = rdb_walk_finish(&build);
    cr_assert(rdb_walk_only(&walk, RDB_BAD_STRING));
    cr_assert_eq(walk.keys, 2, "it is stepped over all the same");
    cr_assert(walk.places[0].offset == 12 && walk.places[0].length == 6);
}

Test(rdb, names_longer_than_the_window)
{
    struct rdb_build build = rdb_build_begin("REDIS0011");
    rdb_build_u8(&build, 0);
    rdb_build_run(&build, 'n', 200000);
    rdb_build_run(&build, 'v', 200000);
    rdb_build_end(&build);
    struct source *source = source_memory(build.at, build.len);
    struct rdb *reader = rdb_open_sized(source, RDB_DIGEST_VALUES, 100);
    struct rdb_item item;
    cr_assert_eq(rdb_next(reader, &item), PARSE_ITEM);
    cr_assert_eq(rdb_next(reader, &item), PARSE_ITEM);
    cr_assert_eq(item.key.name.len, 200000);
    for (size_t i = 0; i < item.key.name.len; i++)
        cr_assert_eq(item.key.name.at[i], 'n');
    cr_assert_eq(rdb_next(reader, &item), PARSE_ITEM);
    cr_assert_eq(item.stored_checksum, item.computed_checksum);
    rdb_close(reader);
    source_close(source);
    rdb_build_free(&build);
}

/* Real dumps */

static size_t dumps_seen, keys_seen;

static int walk_dump(const char *path, const struct stat *info, int type, struct FTW *where)
{
    (void)info;
    const char *name = path + where->base;
    if (type != FTW_F || !text_ends((struct bytes){(const uint8_t *)name, strlen(name)}, ".rdb"))
        return 0;
    struct rdb_walk walk = rdb_walk_source(source_open(AT_FDCWD, path, 0), 0, 64 * 1024);
    cr_assert(walk.last == PARSE_END && !walk.damages, "%s: %s", path, walk.why);
    struct rdb_walk narrow = rdb_walk_source(source_open(AT_FDCWD, path, 0), RDB_DIGEST_VALUES, RDB_WINDOW_LEAST);
    cr_assert(narrow.last == PARSE_END && !narrow.damages && narrow.keys == walk.keys, "%s", path);
    dumps_seen++;
    keys_seen += walk.keys;
    return 0;
}

Test(rdb, every_real_dump_walks_to_its_checksum)
{
    cr_assert_eq(nftw("fixtures", walk_dump, 16, FTW_PHYS), 0);
    cr_assert_gt(dumps_seen, 20);
    cr_assert_gt(keys_seen, 10000);
}
