#include <criterion/criterion.h>
#include <lz4frame.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/rdb_walk.h"

static struct rdb_build small_dump(const char *magic)
{
    struct rdb_build build = rdb_build_begin(magic);
    rdb_build_select(&build, 0);
    rdb_build_resize(&build, 2, 1);
    rdb_build_string_key(&build, "a", "1");
    rdb_build_expire_ms(&build, 1700000000000);
    rdb_build_string_key(&build, "b", "2");
    rdb_build_end(&build);
    return build;
}

static void append(struct rdb_build *build, struct rdb_build *more)
{
    rdb_build_bytes(build, more->at, more->len);
    rdb_build_free(more);
}

/* Versions */

Test(rdb_envelope, newer_versions_are_read_as_far_as_known)
{
    static const struct {
        const char *magic;
        uint64_t digits;
    } cases[] = {{"REDIS0016", 5}, {"REDIS0079", 5}, {"VALKEY082", 6}, {"VALKEY999", 6}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rdb_build build = small_dump(cases[i].magic);
        struct rdb_walk walk = rdb_walk_build(&build);
        cr_assert(rdb_walk_only(&walk, RDB_NEWER_VERSION), "%s: %s", cases[i].magic, walk.why);
        cr_assert_eq(walk.places[0].offset, cases[i].digits);
        cr_assert_eq(walk.places[0].offset + walk.places[0].length, 9);
        cr_assert_eq(walk.keys, 2);
        cr_assert_eq(walk.kinds[0], RDB_HEADER);
        rdb_build_free(&build);

        build = rdb_build_begin(cases[i].magic);
        rdb_build_string_key(&build, "k", "v");
        rdb_build_key(&build, 77, "new");
        walk = rdb_walk_finish(&build);
        cr_assert(walk.last == PARSE_STOP && walk.stop == RDB_STOP_UNSUPPORTED && walk.keys == 1);
        cr_assert_eq(walk.offset, 14);
    }
}

Test(rdb_envelope, numbers_that_no_server_uses)
{
    static const struct {
        const char *magic;
        enum rdb_stop stop;
        uint64_t offset;
    } cases[] = {
        {"REDIS0000", RDB_STOP_CORRUPT, 5},     {"VALKEY000", RDB_STOP_CORRUPT, 6},
        {"VALKEY079", RDB_STOP_CORRUPT, 6},     {"REDIS0080", RDB_STOP_UNSUPPORTED, 5},
        {"REDIS9999", RDB_STOP_UNSUPPORTED, 5}, {"REDIS00-1", RDB_STOP_NOT_RDB, 0},
        {"VALKEY08x", RDB_STOP_NOT_RDB, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rdb_build build = small_dump(cases[i].magic);
        struct rdb_walk walk = rdb_walk_build(&build);
        cr_assert(walk.last == PARSE_STOP && walk.stop == cases[i].stop, "%s: %s", cases[i].magic, walk.why);
        cr_assert_eq(walk.offset, cases[i].offset);
        rdb_build_free(&build);
    }
}

/* Captures */

#define MARK "0123456789abcdef0123456789abcdef01234567"

static struct rdb_build marked_capture(const char *mark)
{
    struct rdb_build build = rdb_build_begin("$EOF:" MARK "\r\n"), dump = small_dump("REDIS0011");
    append(&build, &dump);
    rdb_build_bytes(&build, mark, strlen(mark));
    return build;
}

static struct rdb_build measured_capture(size_t more)
{
    struct rdb_build dump = small_dump("REDIS0011");
    char line[32];
    snprintf(line, sizeof(line), "$%zu\r\n", dump.len + more);
    struct rdb_build build = rdb_build_begin(line);
    append(&build, &dump);
    return build;
}

Test(rdb_envelope, captures_with_a_mark)
{
    static const struct {
        const char *mark;
        enum rdb_defect defect;
        uint64_t length;
    } cases[] = {
        {MARK, RDB_DEFECTS, 0},
        {"0123456789abcdef0123456789abcdef01234568", RDB_BAD_CAPTURE, 40},
        {"0123456789abcdef", RDB_BAD_CAPTURE, 16},
        {"", RDB_BAD_CAPTURE, 0},
        {MARK "*1\r\n$4\r\nPING\r\n", RDB_TRAILING_BYTES, 14},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rdb_build build = marked_capture(cases[i].mark);
        struct rdb_walk walk = rdb_walk_bytes(build.at, build.len, RDB_WINDOW_LEAST);
        cr_assert(cases[i].defect == RDB_DEFECTS ? rdb_walk_sound(&walk) : rdb_walk_only(&walk, cases[i].defect),
                  "%zu: %s", i, walk.why);
        cr_assert(walk.item[0].place.offset == 47 && walk.item[0].place.length == 9, "offsets are those of the file");
        cr_assert_eq(walk.item[3].place.offset, 47 + 9 + 2 + 3);
        cr_assert_eq(walk.item[5].stored_checksum, walk.item[5].computed_checksum);
        cr_assert_eq(walk.places[0].length, cases[i].length);
        rdb_build_free(&build);
    }
}

Test(rdb_envelope, what_follows_a_capture_is_given_back)
{
    struct rdb_build build = marked_capture(MARK "PING");
    struct source *source = source_memory(build.at, build.len);
    struct rdb *reader = rdb_open(source, 0);
    struct rdb_item item;
    enum parse_step step;
    while ((step = rdb_next(reader, &item)) == PARSE_ITEM)
        continue;
    struct bytes rest = rdb_rest(reader);
    cr_assert(step == PARSE_END && rest.len == 4 && !memcmp(rest.at, "PING", 4));
    rdb_close(reader);
    source_close(source);
    rdb_build_free(&build);
}

Test(rdb_envelope, captures_with_a_length)
{
    for (size_t more = 0; more < 2; more++) {
        struct rdb_build build = measured_capture(more);
        struct rdb_walk walk = rdb_walk_build(&build);
        cr_assert(more ? rdb_walk_only(&walk, RDB_BAD_CAPTURE) : rdb_walk_sound(&walk), "%s", walk.why);
        cr_assert_eq(walk.item[0].place.offset, 5);
        cr_assert(!more || (walk.places[0].offset == 0 && walk.places[0].length == 5));
        rdb_build_free(&build);
    }
}

Test(rdb_envelope, what_begins_like_a_capture)
{
    static const struct {
        const char *text;
        enum rdb_stop stop;
        uint64_t offset;
    } cases[] = {
        {"$", RDB_STOP_TRUNCATED, 1},
        {"$EO", RDB_STOP_TRUNCATED, 3},
        {"$EOF:0123", RDB_STOP_TRUNCATED, 9},
        {"$12\r", RDB_STOP_TRUNCATED, 4},
        {"$12\r\nRED", RDB_STOP_TRUNCATED, 8},
        {"$HOME", RDB_STOP_NOT_RDB, 0},
        {"$12\n", RDB_STOP_NOT_RDB, 0},
        {"$\r\nREDIS0011", RDB_STOP_NOT_RDB, 0},
        {"$-12\r\nREDIS0011", RDB_STOP_NOT_RDB, 0},
        {"$EOF:" MARK "x\r\nREDIS0011", RDB_STOP_NOT_RDB, 0},
        {"$EOF:0123\r\nREDIS0011", RDB_STOP_NOT_RDB, 0},
        {"$4\r\nPING\r\nPING\r\n", RDB_STOP_NOT_RDB, 4},
        {"$4\r\n$4\r\nREDIS0011", RDB_STOP_NOT_RDB, 4},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rdb_walk walk = rdb_walk_bytes(cases[i].text, strlen(cases[i].text), RDB_WINDOW_LEAST);
        cr_assert(walk.last == PARSE_STOP && walk.stop == cases[i].stop, "%s: %s", cases[i].text, walk.why);
        cr_assert_eq(walk.offset, cases[i].offset, "%s", cases[i].text);
    }
}

Test(rdb_envelope, captures_suffer)
{
    struct rdb_build build = marked_capture(MARK);
    rdb_walk_suffer(&build, 0);
    rdb_build_free(&build);
    build = measured_capture(0);
    rdb_walk_suffer(&build, 0);
    rdb_build_free(&build);
}

/* Valkey's container */

enum { FRAME_ROOM = 64 * 1024 };

static size_t pack_lz4(const void *at, size_t len, uint8_t *frame)
{
    size_t size = LZ4F_compressFrame(frame, FRAME_ROOM, at, len, NULL);
    cr_assert_not(LZ4F_isError(size));
    return size;
}

static struct rdb_build contained(const char *header, size_t len, struct rdb_build *dump)
{
    uint8_t frame[FRAME_ROOM];
    struct rdb_build build = {0};
    rdb_build_bytes(&build, header, len);
    rdb_build_bytes(&build, frame, pack_lz4(dump->at, dump->len, frame));
    rdb_build_free(dump);
    return build;
}

Test(rdb_envelope, containers_are_seen_through)
{
    static const struct {
        const char *header;
        size_t len;
    } cases[] = {
        {RDB_RAW("VCS\x01\x01\x00\x00")}, {RDB_RAW("VCS\x01\x01\x00\x01")},
        {RDB_RAW("VKCS\x01\x01\x00\x00")}, {RDB_RAW("VKCS\x01\x01\x00\x01")},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rdb_build dump = small_dump("VALKEY081");
        struct rdb_build build = contained(cases[i].header, cases[i].len, &dump);
        struct rdb_walk walk = rdb_walk_build(&build);
        cr_assert(rdb_walk_sound(&walk) && walk.keys == 2, "case %zu: %s", i, walk.why);

        rdb_build_bytes(&build, RDB_RAW("more"));
        walk = rdb_walk_build(&build);
        cr_assert(rdb_walk_only(&walk, RDB_TRAILING_BYTES), "case %zu", i);
        cr_assert_eq(walk.places[0].length, 4);
        rdb_build_free(&build);
    }
}

Test(rdb_envelope, containers_that_are_not_known)
{
    static const struct {
        const char *header;
        size_t len, at;
        const char *why;
    } cases[] = {
        {RDB_RAW("VCS\x02\x01\x00\x00"), 3, "version"}, {RDB_RAW("VCS\x01\x02\x00\x00"), 4, "codec"},
        {RDB_RAW("VCS\x01\x00\x00\x00"), 4, "codec"},   {RDB_RAW("VCS\x01\x01\x01\x00"), 5, "reserved"},
        {RDB_RAW("VCS\x01\x01\x00\x02"), 6, "kind"},    {RDB_RAW("VKCS\x01\x02\x00\x00"), 5, "codec"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rdb_build dump = small_dump("VALKEY081");
        struct rdb_build build = contained(cases[i].header, cases[i].len, &dump);
        struct rdb_walk walk = rdb_walk_build(&build);
        cr_assert(walk.last == PARSE_STOP && walk.stop == RDB_STOP_UNSUPPORTED, "case %zu: %s", i, walk.why);
        cr_assert(walk.offset == cases[i].at && strstr(walk.why, cases[i].why), "case %zu: %s", i, walk.why);
        rdb_build_free(&build);
    }
    struct rdb_build inner = small_dump("VALKEY081");
    inner = contained(RDB_RAW("VCS\x01\x01\x00\x00"), &inner);
    struct rdb_build outer = contained(RDB_RAW("VCS\x01\x01\x00\x00"), &inner);
    struct rdb_walk walk = rdb_walk_build(&outer);
    cr_assert(walk.stop == RDB_STOP_UNSUPPORTED && strstr(walk.why, "inside"), "%s", walk.why);
    rdb_build_free(&outer);
}

Test(rdb_envelope, containers_suffer)
{
    struct rdb_build dump = small_dump("VALKEY081");
    struct rdb_build build = contained(RDB_RAW("VCS\x01\x01\x00\x00"), &dump);
    rdb_walk_suffer(&build, 1); /* the other kind of stream is a dump too */
    rdb_build_free(&build);
}
