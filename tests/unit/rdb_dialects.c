#include <criterion/criterion.h>
#include <lz4frame.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "tests/unit/rdb_walk.h"

enum { FRAME_ROOM = 64 * 1024 };

/* Dragonfly stores no checksum. */
static struct rdb_walk finish_unsummed(struct rdb_build *build)
{
    rdb_build_u8(build, 255);
    rdb_build_le(build, 0, 8);
    struct rdb_walk walk = rdb_walk_bytes(build->at, build->len, RDB_WINDOW_LEAST);
    struct rdb_walk wide = rdb_walk_bytes(build->at, build->len, 4096);
    cr_assert(walk.last == wide.last && walk.items == wide.items && walk.damages == wide.damages);
    cr_assert_eq(walk.offset, wide.offset);
    rdb_build_free(build);
    return walk;
}

static size_t pack_lz4(const void *at, size_t len, uint8_t *frame)
{
    size_t size = LZ4F_compressFrame(frame, FRAME_ROOM, at, len, NULL);
    cr_assert_not(LZ4F_isError(size));
    return size;
}

static size_t pack_zstd(const void *at, size_t len, uint8_t *frame)
{
    size_t size = ZSTD_compress(frame, FRAME_ROOM, at, len, 3);
    cr_assert_not(ZSTD_isError(size));
    return size;
}

/* Dragonfly */

static struct rdb_build dragonfly(void)
{
    struct rdb_build build = rdb_build_begin("REDIS0009");
    rdb_build_aux(&build, "df-ver", "df-v1.21.2");
    return build;
}

static void add_bundle(struct rdb_build *build, unsigned opcode, const void *at, size_t len)
{
    uint8_t frame[FRAME_ROOM];
    size_t size = opcode == 201 ? pack_zstd(at, len, frame) : pack_lz4(at, len, frame);
    rdb_build_u8(build, opcode);
    rdb_build_length(build, size);
    rdb_build_bytes(build, frame, size);
}

#define RECORDS \
    "\x00\x01" "a\x01" "1" \
    "\xfc\x88\x13\0\0\0\0\0\0\x1e\x01" "j\x04{\"\"}" \
    "\x1f\x01h\x01\x01" "f\x01v\x01" "0"

Test(rdb_dialects, dragonfly_bundles_hold_records)
{
    for (unsigned opcode = 201; opcode <= 202; opcode++) {
        struct rdb_build build = dragonfly();
        struct place place = {.offset = build.len};
        add_bundle(&build, opcode, RDB_RAW(RECORDS "\xcb"));
        place.length = build.len - place.offset;
        rdb_build_string_key(&build, "behind", "it");
        struct rdb_walk walk = finish_unsummed(&build);
        cr_assert(rdb_walk_sound(&walk), "%u: %s", opcode, walk.why);
        cr_assert_eq(walk.keys, 4);
        cr_assert_str_eq(walk.text[2][0], opcode == 201 ? "dragonfly-zstd-blob" : "dragonfly-lz4-blob");
        static const char *const names[] = {"a", "j", "h", "behind"};
        static const enum rdb_datatype types[] = {RDB_STRING, RDB_JSON, RDB_HASH, RDB_STRING};
        for (size_t i = 0; i < 4; i++) {
            cr_assert_str_eq(walk.text[3 + i][2], names[i]);
            cr_assert_eq(walk.item[3 + i].key.datatype, types[i]);
        }
        for (size_t i = 2; i < 6; i++)
            cr_assert(walk.item[i].place.offset == place.offset && walk.item[i].place.length == place.length);
        cr_assert_eq(walk.item[4].key.expire_ms, 5000);
        cr_assert(walk.item[4].key.value_offset == place.offset && walk.item[4].key.value_length == 5);
        cr_assert_eq(walk.item[6].place.offset, place.offset + place.length);
    }
}

/* What a value digests to does not depend on whether it stood in a blob. */
Test(rdb_dialects, dragonfly_bundles_do_not_change_values)
{
    unsigned char digests[2][16];
    for (size_t bundled = 0; bundled < 2; bundled++) {
        struct rdb_build build = dragonfly();
        if (bundled)
            add_bundle(&build, 201, RDB_RAW("\x00\x01" "a\x05" "hello\xcb"));
        else
            rdb_build_string_key(&build, "a", "hello");
        rdb_build_u8(&build, 255);
        rdb_build_le(&build, 0, 8);
        struct rdb_walk walk =
            rdb_walk_source(source_memory(build.at, build.len), RDB_DIGEST_VALUES, RDB_WINDOW_LEAST);
        cr_assert(rdb_walk_sound(&walk), "%s", walk.why);
        memcpy(digests[bundled], walk.item[2 + bundled].key.digest, 16);
        rdb_build_free(&build);
    }
    cr_assert_eq(memcmp(digests[0], digests[1], 16), 0);
}

Test(rdb_dialects, dragonfly_bundles_with_any_bit_flipped_inside)
{
    char records[] = RECORDS "\xcb";
    for (size_t bit = 0; bit < (sizeof(records) - 1) * 8; bit++) {
        records[bit / 8] ^= (char)(1 << bit % 8);
        struct rdb_build build = dragonfly();
        size_t at = build.len;
        add_bundle(&build, 202, records, sizeof(records) - 1);
        size_t end = build.len;
        struct rdb_walk walk = finish_unsummed(&build);
        if (walk.last == PARSE_STOP)
            cr_assert(walk.offset == at || walk.offset >= end, "bit %zu: %s", bit, walk.why);
        for (size_t i = 0; i < walk.damages && i < RDB_WALK_DAMAGES; i++)
            cr_assert(walk.places[i].offset == at || walk.places[i].offset >= end, "bit %zu", bit);
        records[bit / 8] ^= (char)(1 << bit % 8);
    }
}

Test(rdb_dialects, dragonfly_bundles_that_are_broken)
{
    static const struct {
        const char *records;
        size_t len;
        const char *why, *key;
    } cases[] = {
        {RDB_RAW("\x00\x01" "a\x01" "1"), "ends inside", ""},
        {RDB_RAW("\x00\x01" "a\x05" "1"), "ends inside", "a"},
        {RDB_RAW("\x00\x01" "a\x01" "1\xcb\x00"), "behind the end", ""},
        {RDB_RAW("\xff\0\0\0\0\0\0\0\0\xcb"), "end of the dump", ""},
        {RDB_RAW("\xc9\x01x\xcb"), "inside of another", ""},
        {RDB_RAW("\x12\x01l\x01\x03\x01v\xcb"), "container", "l"},
        {RDB_RAW("\x4d\x01k\x01v\xcb"), "no known", ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rdb_build build = dragonfly();
        size_t at = build.len;
        add_bundle(&build, 201, cases[i].records, cases[i].len);
        struct rdb_walk walk = finish_unsummed(&build);
        cr_assert(walk.last == PARSE_STOP && strstr(walk.why, cases[i].why), "case %zu: %s", i, walk.why);
        cr_assert(walk.offset == at && walk.stopped_at.place.offset == at, "case %zu", i);
        cr_assert_str_eq(walk.stopped_key, cases[i].key, "case %zu", i);
    }
}

Test(rdb_dialects, dragonfly_bundles_that_do_not_expand)
{
    static const struct {
        unsigned opcode, as;
    } cases[] = {{201, 202}, {202, 201}, {201, 0}, {202, 0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rdb_build build = dragonfly();
        size_t at = build.len;
        if (cases[i].as)
            add_bundle(&build, cases[i].as, RDB_RAW(RECORDS "\xcb"));
        else
            rdb_build_bytes(&build, RDB_RAW("\xc9\x05hello"));
        build.at[at] = (uint8_t)cases[i].opcode;
        rdb_build_string_key(&build, "behind", "it");
        struct rdb_walk walk = finish_unsummed(&build);
        cr_assert(rdb_walk_only(&walk, RDB_BAD_STRING), "case %zu: %s", i, walk.why);
        cr_assert(walk.places[0].offset == at && walk.keys == 1, "its end is known, so reading goes on");
    }
}

Test(rdb_dialects, dragonfly_bundles_do_not_expand_without_measure)
{
    enum { HUGE_SIZE = 80 << 20 };
    uint8_t *zeros = calloc(1, HUGE_SIZE);
    uint8_t *frame = malloc(ZSTD_compressBound(HUGE_SIZE));
    cr_assert(zeros && frame);
    size_t size = ZSTD_compress(frame, ZSTD_compressBound(HUGE_SIZE), zeros, HUGE_SIZE, 1);
    struct rdb_build build = dragonfly();
    size_t at = build.len;
    rdb_build_u8(&build, 201);
    rdb_build_length(&build, size);
    rdb_build_bytes(&build, frame, size);
    struct rdb_walk walk = finish_unsummed(&build);
    cr_assert(walk.stop == RDB_STOP_UNSUPPORTED && walk.offset == at, "%s", walk.why);
    cr_assert(strstr(walk.why, "expands to more than"), "%s", walk.why);
    free(zeros);
    free(frame);
}

Test(rdb_dialects, dragonfly_opcodes)
{
    struct rdb_build build = dragonfly();
    rdb_build_bytes(&build, RDB_RAW("\xd2\x02\x03xyz"));
    size_t masked = build.len;
    rdb_build_bytes(&build, RDB_RAW("\xfc\x88\x13\0\0\0\0\0\0"));
    rdb_build_bytes(&build, RDB_RAW("\xdc\x03\0\0\0\x07\0\0\0"));
    rdb_build_string_key(&build, "sticky", "v");
    rdb_build_bytes(&build, RDB_RAW("\xdc\x01\0\0\0"));
    rdb_build_string_key(&build, "k", "v");
    rdb_build_bytes(&build, RDB_RAW("\xdf\x01\x03idx\x01\x01k\x05"));
    rdb_build_bytes(&build, RDB_RAW("\xc8\0\0\0\0\0\0\0\0"));
    rdb_build_u8(&build, 255);
    rdb_build_le(&build, 0, 8);
    rdb_build_bytes(&build, RDB_RAW("\xd3\x09\0\0\0\0\0\0\0"));
    struct rdb_walk walk = rdb_walk_build(&build);
    cr_assert(rdb_walk_sound(&walk), "%s", walk.why);
    cr_assert_str_eq(walk.text[2][0], "dragonfly-journal");
    cr_assert_eq(walk.item[3].place.offset, masked);
    cr_assert_eq(walk.item[3].key.expire_ms, 5000);
    cr_assert_eq(walk.keys, 2);
    cr_assert_str_eq(walk.text[5][0], "dragonfly-document-index");
    cr_assert(!walk.item[7].has_checksum);

    rdb_build_u8(&build, 'x');
    walk = rdb_walk_build(&build);
    cr_assert(rdb_walk_only(&walk, RDB_TRAILING_BYTES));
    cr_assert_eq(walk.places[0].length, 1, "the offset of the journal is no rest");
    rdb_build_free(&build);
}

Test(rdb_dialects, dragonfly_opcodes_that_stop)
{
    static const struct {
        const char *bytes;
        size_t len;
        enum rdb_stop stop;
    } cases[] = {
        {RDB_RAW("\xdc\x04\0\0\0"), RDB_STOP_UNSUPPORTED},
        {RDB_RAW("\xde\x01i"), RDB_STOP_UNSUPPORTED},
        {RDB_RAW("\xe0\x01\0\0\0\x01\0\0\0x"), RDB_STOP_UNSUPPORTED},
        {RDB_RAW("\xdd\x01"), RDB_STOP_UNSUPPORTED},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rdb_build build = dragonfly();
        size_t at = build.len;
        rdb_build_bytes(&build, cases[i].bytes, cases[i].len);
        struct rdb_walk walk = finish_unsummed(&build);
        cr_assert(walk.stop == cases[i].stop && walk.offset == at, "case %zu: %s", i, walk.why);
    }
    struct rdb_build build = dragonfly();
    rdb_build_bytes(&build, RDB_RAW("\xcb"));
    rdb_build_string_key(&build, "k", "v");
    struct rdb_walk walk = finish_unsummed(&build);
    cr_assert(rdb_walk_only(&walk, RDB_DANGLING_OPCODE) && walk.keys == 1, "%s", walk.why);
}

Test(rdb_dialects, dragonfly_suffers_without_a_crash)
{
    struct rdb_build build = dragonfly();
    add_bundle(&build, 202, RDB_RAW(RECORDS "\xcb"));
    add_bundle(&build, 201, RDB_RAW(RECORDS "\xcb"));
    rdb_build_bytes(&build, RDB_RAW("\xdc\x03\0\0\0\x07\0\0\0"));
    rdb_build_string_key(&build, "sticky", "v");
    rdb_build_u8(&build, 255);
    rdb_build_le(&build, 0, 8);
    rdb_walk_suffer(&build, build.len * 8); /* nothing is summed */
    rdb_build_free(&build);
}

/* Valkey, KeyDB, Redis Enterprise */

Test(rdb_dialects, updates_of_valkey_are_stepped_over)
{
    struct rdb_build build = rdb_build_begin("VALKEY081");
    rdb_build_resize(&build, 5, 0);
    rdb_build_bytes(&build, RDB_RAW("\xf2*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$4\r\n\r\n\xf2*\r\n"));
    rdb_build_string_key(&build, "k", "v");
    rdb_build_end(&build);
    struct rdb_walk walk = rdb_walk_bytes(build.at, build.len, RDB_WINDOW_LEAST);
    cr_assert(rdb_walk_sound(&walk), "%s", walk.why);
    cr_assert_str_eq(walk.text[2][0], "update");
    cr_assert_eq(walk.item[2].place.length, 1 + 4 + 9 + 7 + 10);
    rdb_walk_suffer(&build, 0);
    rdb_build_free(&build);
}

Test(rdb_dialects, updates_that_are_no_commands)
{
    static const char *const cases[] = {
        "*0\r\n", "*-1\r\n", "*1\n", "$1\r\n", "*\r\n", "*1\r\n*1\r\n", "*1\r\n$1\r\nxy\r\n", "*9999999\r\n",
        "*1\r\n$9999999999999\r\nx", "*00000000000000000000001\r\n", "PING\r\n",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rdb_build build = rdb_build_begin("VALKEY081");
        rdb_build_u8(&build, 242);
        rdb_build_bytes(&build, cases[i], strlen(cases[i]));
        rdb_build_run(&build, 'x', 40);
        struct rdb_walk walk = rdb_walk_finish(&build);
        cr_assert(walk.last == PARSE_STOP && walk.stop == RDB_STOP_CORRUPT, "%s: %s", cases[i], walk.why);
        cr_assert_geq(walk.offset, 10);
    }
}

Test(rdb_dialects, aux_fields_of_other_servers)
{
    struct rdb_build build = rdb_build_begin("REDIS0009");
    rdb_build_aux(&build, "redis-ver", "6.3.4");
    rdb_build_resize(&build, 9, 9);
    rdb_build_aux(&build, "mvcc-tstamp", "1766000000000000000");
    rdb_build_expire_ms(&build, 7);
    rdb_build_string_key(&build, "k", "v");
    rdb_build_aux(&build, "keydb-subexpire-key", "member");
    rdb_build_aux(&build, "keydb-subexpire-when", "1766000000000");
    rdb_build_bytes(&build, RDB_RAW("\x40\x03" "job\x01s"));
    rdb_build_le(&build, 1, 8);
    rdb_build_le(&build, 2, 8);
    rdb_build_bytes(&build, RDB_RAW("\x01\x01k\x00"));
    struct rdb_walk walk = rdb_walk_finish(&build);
    cr_assert(rdb_walk_sound(&walk), "KeyDB counts in its own way: %s", walk.why);
    cr_assert_eq(walk.item[4].key.expire_ms, 7);
    cr_assert_eq(walk.item[7].key.datatype, RDB_OTHER);

    build = rdb_build_begin("REDIS0009");
    rdb_build_aux(&build, "big-used-ram", "1");
    rdb_build_aux(&build, "crdtinfo", "x");
    rdb_build_select(&build, 0);
    rdb_build_aux(&build, "bigdb-ram-keys", "1");
    rdb_build_bytes(&build, RDB_RAW("\x79\x05\x6b\x06"));
    rdb_build_string_key(&build, "k", "v");
    walk = rdb_walk_finish(&build);
    cr_assert(rdb_walk_sound(&walk), "%s", walk.why);
    cr_assert_str_eq(walk.text[5][0], "enterprise-slot-number");
    cr_assert_str_eq(walk.text[6][0], "enterprise-lru");
    for (unsigned byte = 100; byte <= 102; byte++) {
        build = rdb_build_begin("REDIS0009");
        rdb_build_u8(&build, byte);
        walk = rdb_walk_finish(&build);
        cr_assert(walk.stop == RDB_STOP_UNSUPPORTED && walk.offset == 9 && strstr(walk.why, "enterprise"), "%u", byte);
    }

    build = rdb_build_begin("REDIS0011");
    rdb_build_aux(&build, "valkey-ver", "8.1.0");
    rdb_build_aux(&build, "cluster-slot-states", "5<aaaa,");
    walk = rdb_walk_finish(&build);
    cr_assert(rdb_walk_sound(&walk), "%s", walk.why);
    cr_assert_str_eq(walk.text[2][1], "5<aaaa,");
}

/* With a checksum, every cut and every flipped bit of each dialect is reported. */
Test(rdb_dialects, dialects_suffer)
{
    static const struct {
        const char *magic, *aux;
        const char *bytes;
        size_t len;
    } cases[] = {
        {"REDIS0009", "mvcc-tstamp", RDB_RAW("\x40\x03job\x01s1234567812345678\x01\x01k\x00")},
        {"REDIS0009", "big-used-ram", RDB_RAW("\x79\x05\x6b\x06\x00\x01k\x01v")},
        {"REDIS0009", "df-ver", RDB_RAW("\xdc\x03\0\0\0\x07\0\0\0\x1f\x01h\x01\x01" "f\x01v\x01" "0\xd2\x01\x02xy")},
        {"REDIS0013", "redis-ver", RDB_RAW("\xf3\x01spec\x05\x01x\x00\x00\x01k\x01v")},
        {"REDIS0015", "redis-ver", RDB_RAW("\xf2\x01\x02\x01" "f\x01g\x00\x01k\x01v")},
        {"REDIS0011", "valkey-ver", RDB_RAW("\xfa\x09slot-info\x05" "5,1,0\x00\x01k\x01v")},
        {"VALKEY080", "valkey-ver", RDB_RAW("\xf3\x03job\x01\x00\x05\x16\x01k\x01\x01" "f\x01v12345678")},
        {"VALKEY081", "valkey-ver", RDB_RAW("\xf2*1\r\n$4\r\nPING\r\n\x00\x01k\x01v")},
        {"REDIS0017", "redis-ver", RDB_RAW("\x00\x01k\x01v")},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rdb_build build = rdb_build_begin(cases[i].magic);
        rdb_build_aux(&build, cases[i].aux, "1");
        rdb_build_bytes(&build, cases[i].bytes, cases[i].len);
        rdb_build_end(&build);
        rdb_walk_suffer(&build, 0);
        rdb_build_free(&build);
    }
}

/* Bytes with several meanings */

Test(rdb_dialects, one_byte_means_what_its_server_means)
{
    static const struct {
        const char *magic;
        const char *aux; /* or NULL */
        const char *bytes;
        size_t len;
        const char *name; /* of the type, or of the opcode */
    } cases[] = {
        {"REDIS0009", "df-ver", RDB_RAW("\x14\x01k\x02[]"), "json (before 1.x)"},
        {"REDIS0010", "df-ver", RDB_RAW("\x14\x01k\x09\x09\0\0\0\x01\0\x01\x01\xff"), "set (listpack)"},
        {"REDIS0011", NULL, RDB_RAW("\x14\x01k\x09\x09\0\0\0\x01\0\x01\x01\xff"), "set (listpack)"},
        {"REDIS0012", NULL, RDB_RAW("\x16\x01k\x01\x00\x01" "f\x01v"), "hash (field expiry, before 7.4)"},
        {"VALKEY080", NULL, RDB_RAW("\x16\x01k\x01\x01" "f\x01v\xff\xff\xff\xff\xff\xff\xff\xff"),
         "hash (field expiry)"},
        {"REDIS0012", NULL, RDB_RAW("\x18\x01k\0\0\0\0\0\0\0\0\x01\x00\x01" "f\x01v"), "hash (field expiry)"},
        {"REDIS0009", "df-ver", RDB_RAW("\x1e\x01k\x02{}"), "json"},
        {"REDIS0009", "df-ver", RDB_RAW("\x1f\x01k\x01\x01" "f\x01v\x01" "0"), "hash (field expiry)"},
        {"REDIS0009", "df-ver", RDB_RAW("\x20\x01k\x01\x01m\x01" "0"), "set (member expiry)"},
        {"REDIS0015", NULL, RDB_RAW("\xf2\x01\x01\x01" "f"), "hash-template"},
        {"VALKEY081", NULL, RDB_RAW("\xf2*1\r\n$4\r\nPING\r\n"), "update"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rdb_build build = rdb_build_begin(cases[i].magic);
        if (cases[i].aux)
            rdb_build_aux(&build, cases[i].aux, "1");
        size_t number = cases[i].aux ? 2 : 1;
        rdb_build_bytes(&build, cases[i].bytes, cases[i].len);
        struct rdb_walk walk = rdb_walk_finish(&build);
        cr_assert(rdb_walk_sound(&walk), "case %zu: %s", i, walk.why);
        if (walk.kinds[number] == RDB_KEY)
            cr_assert_str_eq(walk.item[number].key.type_name, cases[i].name);
        else
            cr_assert_str_eq(walk.text[number][0], cases[i].name);
    }
}

Test(rdb_dialects, one_byte_where_its_meaning_has_no_known_end)
{
    static const struct {
        const char *magic, *aux;
        uint8_t byte;
        const char *why;
    } cases[] = {
        {"VALKEY081", NULL, 23, "paths"},
        {"VALKEY081", NULL, 24, "member expiry"},
        {"VALKEY081", NULL, 26, "Redis"},
        {"VALKEY081", NULL, 30, "Redis"},
        {"REDIS0009", "df-ver", 35, "count-min"},
        {"REDIS0015", NULL, 34, "Dragonfly"},
        {"REDIS0009", NULL, 64, "KeyDB"},
        {"REDIS0009", NULL, 201, "Dragonfly"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rdb_build build = rdb_build_begin(cases[i].magic);
        if (cases[i].aux)
            rdb_build_aux(&build, cases[i].aux, "1");
        size_t at = build.len;
        rdb_build_key(&build, cases[i].byte, "key");
        struct rdb_walk walk = rdb_walk_finish(&build);
        cr_assert(walk.stop == RDB_STOP_UNSUPPORTED && walk.offset == at, "case %zu: %s", i, walk.why);
        cr_assert(strstr(walk.why, cases[i].why), "case %zu: %s", i, walk.why);
    }
}

Test(rdb_dialects, metadata_of_a_key_or_an_import)
{
    struct rdb_build build = rdb_build_begin("REDIS0013");
    rdb_build_bytes(&build, RDB_RAW("\xf3\x01spec\x05\x01x\x00"));
    rdb_build_string_key(&build, "k", "v");
    struct rdb_walk walk = rdb_walk_finish(&build);
    cr_assert(rdb_walk_sound(&walk) && walk.kinds[1] == RDB_KEY && walk.item[1].place.offset == 9, "%s", walk.why);

    build = rdb_build_begin("VALKEY080");
    rdb_build_u8(&build, 243);
    rdb_build_run(&build, 'a', 40);
    rdb_build_bytes(&build, RDB_RAW("\x01\x00\x05"));
    walk = rdb_walk_finish(&build);
    cr_assert(rdb_walk_sound(&walk) && walk.kinds[1] == RDB_SLOT_IMPORT, "%s", walk.why);
    cr_assert_str_eq(walk.text[1][1], "0-5");
}

Test(rdb_dialects, evidence_that_contradicts_itself)
{
    static const struct {
        const char *magic, *first, *second;
        bool disputed;
    } cases[] = {
        {"VALKEY080", "redis-ver", "valkey-ver", false}, {"REDIS0011", "redis-ver", "valkey-ver", false},
        {"REDIS0012", "redis-ver", "valkey-ver", true},  {"VALKEY080", "valkey-ver", "df-ver", true},
        {"REDIS0009", "df-ver", "mvcc-tstamp", true},    {"REDIS0011", "valkey-ver", "df-ver", true},
        {"REDIS0009", "mvcc-tstamp", "mvcc-tstamp", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rdb_build build = rdb_build_begin(cases[i].magic);
        rdb_build_aux(&build, cases[i].first, "1");
        size_t at = build.len;
        rdb_build_aux(&build, cases[i].second, "1");
        rdb_build_string_key(&build, "k", "v");
        struct rdb_walk walk = rdb_walk_finish(&build);
        cr_assert(cases[i].disputed ? rdb_walk_only(&walk, RDB_MIXED_DIALECT) : rdb_walk_sound(&walk), "%zu: %s", i,
                  walk.why);
        cr_assert(!cases[i].disputed || walk.places[0].offset == at);
    }
    struct rdb_build build = rdb_build_begin("REDIS0012");
    rdb_build_aux(&build, "valkey-ver", "9.0.0");
    size_t at = build.len;
    rdb_build_bytes(&build, RDB_RAW("\x16\x01k\x01\x00\x01" "f\x01v"));
    struct rdb_walk walk = rdb_walk_finish(&build);
    cr_assert(walk.stop == RDB_STOP_UNSUPPORTED && walk.offset == at && walk.damages == 1, "%s", walk.why);
    cr_assert(strstr(walk.why, "several meanings"), "%s", walk.why);
}
