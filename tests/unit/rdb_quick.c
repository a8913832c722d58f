/* The quick way over values and the walk over elements say the same. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/rdb_notation.h"
#include "tests/unit/rdb_walk.h"

#define LONG_TEXT "a-text-that-is-longer-than-six-bits-can-say:0123456789-0123456789-0123456789-0123456789"
#define LONGER_TEXT LONG_TEXT LONG_TEXT LONG_TEXT

enum { WINDOW = 64 * 1024 };

#define NODE_ID "#16 x:0000000000000005" "0000000000000000 "

/* Nothing is wrong with any of them, and the quick way knows them. */
static const struct {
    const char *magic;
    unsigned type;
    const char *body;
    bool walked; /* only parts of it are read quickly */
} sound[] = {
    {"REDIS0006", 1, "#4 a int:5 ~aaaaaaaaaaaaaaaaaaaa " LONG_TEXT},
    {"REDIS0006", 2, "#6 a int:5 '007 ~bbbbbbbbbbbbbbbbbbbb '-3 \"\""},
    {"REDIS0006", 3, "#4 a z:1.5 b z:inf c z:-inf d z:-0.25"},
    {"REDIS0006", 4, "#4 f v '12 int:12 ~cccccccccccccccccc ~dddddddddddddddddd int:-9 \"\""},
    {"REDIS0008", 5, "#3 a d:1.5 c d:3 b d:2"},
    {"REDIS0010", 5, "#5 e d:7 d d:1.5 c d:1.5 b d:1.5 a d:-1"},
    {"REDIS0006", 10, "(1 a -1 12 13 300 70000 9000000 5000000000 " LONG_TEXT " 2-3)"},
    {"REDIS0006", 10, "~(a a a a a a a a a a a a a a)"},
    {"REDIS0006", 11, "<1 2 3>"},
    {"REDIS0006", 11, "<-70000 2 5000000000>"},
    {"REDIS0006", 12, "(a 1 b 1 c 1.5 d 1e20 e inf)"},
    {"REDIS0006", 13, "(1 a 2 " LONGER_TEXT " b 7 c " LONG_TEXT ")"},
    {"REDIS0007", 14, "#2 (a b) ~(a b a b a b a b a b a b)"},
    {"REDIS0010", 16, "[name x age 7 1 2 300 -4000 70000 9000000 5000000000 -1 00 " LONG_TEXT " c " LONGER_TEXT "]"},
    {"REDIS0010", 16, "~[field-1 value-1 field-2 value-2 field-3 value-3 field-4 value-4]"},
    {"REDIS0010", 17, "[m -inf k -2.5 10 1 9 1 a 1 b 1 c 1.5 d 17.125 e 1234567890123456 f 1e300 g inf]"},
    {"REDIS0010", 17, "~[m1:1 1.5 m2:1 2 m3:1 2.5 m4:1 3 m5:1 3.5]"},
    {"REDIS0010", 18, "#3 #2 [a b 1] #1 plain #2 ~[item-1-1 item-1-2 item-1-3 item-1-4]"},
    {"REDIS0009", 15,
     "#1 " NODE_ID "[3 1 2 a b 0 2 0 0 x 1 5 3 0 7 y z 5 2 1 0 " LONG_TEXT " 2 5 0 300 -1 1 c d 6] #3 #305 #0 #0", true},
    {"REDIS0011", 20, "[a 1 2 b '01 '-0 '+1 1-2]"},
};

enum { SOUND = sizeof(sound) / sizeof(sound[0]) };

/* Without checksum, so that a flip is nothing but what it is. */
static struct rdb_build build_dump(size_t i)
{
    struct rdb_build build = rdb_build_begin(sound[i].magic);
    rdb_build_key(&build, sound[i].type, "key");
    rdb_notation_build(&build, sound[i].body);
    rdb_build_string_key(&build, "after", "it");
    rdb_build_u8(&build, 0xff);
    if (strcmp(sound[i].magic, "REDIS0005") >= 0)
        rdb_build_le(&build, 0, 8);
    return build;
}

/* All that the reader says, a line a step; to be freed. `walked`: a value was walked over by elements. */
static char *said(struct source *source, unsigned flags, size_t window, bool quick, bool *walked)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    struct rdb *reader = rdb_open_sized(source, flags, window);
    cr_assert(out && reader);
    reader->value.quick.off = !quick;
    struct rdb_item item;
    enum parse_step step;
    bool counts = flags == RDB_COUNT_ELEMENTS;
    while ((step = rdb_next(reader, &item)) == PARSE_ITEM || step == PARSE_DAMAGE) {
        const struct damage *damage = rdb_damage(reader);
        if (step == PARSE_DAMAGE)
            fprintf(out, "%u %ju+%ju %s: %s\n", damage->code, (uintmax_t)damage->place.offset,
                    (uintmax_t)damage->place.length, damage->expected, damage->found);
        else if (item.kind == RDB_KEY)
            fprintf(out, "%ju+%ju %.*s %ju %ju %ju\n", (uintmax_t)item.place.offset, (uintmax_t)item.place.length,
                    (int)item.key.name.len, (const char *)item.key.name.at, (uintmax_t)item.key.elements,
                    counts ? (uintmax_t)item.key.strings : 0, counts ? (uintmax_t)item.key.string_bytes : 0);
    }
    fprintf(out, "%d %ju %s\n", rdb_stop(reader), (uintmax_t)rdb_offset(reader), rdb_why(reader) ? rdb_why(reader) : "");
    *walked = reader->value.words;
    rdb_close(reader);
    source_close(source);
    fclose(out);
    return text;
}

/* False when the quick way gave up. */
static bool agrees(const uint8_t *at, size_t len, size_t window, const char *about)
{
    static const unsigned flags[] = {RDB_COUNT_ELEMENTS, RDB_CHECK_VALUES};
    bool given_up = false, walked;
    for (size_t i = 0; i < 2; i++) {
        char *quick = said(source_memory(at, len), flags[i], window, true, &given_up);
        char *general = said(source_memory(at, len), flags[i], window, false, &walked);
        cr_assert_str_eq(quick, general, "%s", about);
        free(quick);
        free(general);
    }
    return !given_up;
}

Test(rdb_quick, knows_what_is_sound)
{
    for (size_t i = 0; i < SOUND; i++) {
        struct rdb_build build = build_dump(i);
        struct rdb_walk walk = rdb_walk_bytes(build.at, build.len, WINDOW);
        cr_expect(rdb_walk_sound(&walk), "%s", sound[i].body);
        cr_expect_neq(agrees(build.at, build.len, WINDOW, sound[i].body), sound[i].walked, "%s", sound[i].body);
        rdb_build_free(&build);
    }
}

Test(rdb_quick, values_larger_than_the_window)
{
    for (size_t i = 0; i < SOUND; i++) {
        struct rdb_build build = build_dump(i);
        for (size_t window = RDB_WINDOW_LEAST; window < build.len; window += 7)
            agrees(build.at, build.len, window, sound[i].body);
        rdb_build_free(&build);
    }
}

Test(rdb_quick, every_cut)
{
    for (size_t i = 0; i < SOUND; i++) {
        struct rdb_build build = build_dump(i);
        for (size_t len = 0; len < build.len; len++)
            agrees(build.at, len, WINDOW, sound[i].body);
        rdb_build_free(&build);
    }
}

Test(rdb_quick, every_flipped_bit)
{
    for (size_t i = 0; i < SOUND; i++) {
        struct rdb_build build = build_dump(i);
        for (size_t bit = 0; bit < 8 * build.len; bit++) {
            build.at[bit / 8] ^= (uint8_t)(1 << bit % 8);
            agrees(build.at, build.len, WINDOW, sound[i].body);
            build.at[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        rdb_build_free(&build);
    }
}

/* Two bytes at once, so that a length and what it stands for may fit again. */
Test(rdb_quick, two_changed_bytes)
{
    uint32_t state = 1;
    for (size_t round = 0; round < 40000; round++) {
        struct rdb_build build = build_dump(round % SOUND);
        for (size_t i = 0; i < 2; i++) {
            state = state * 1664525 + 1013904223;
            build.at[9 + (state >> 8) % (build.len - 9)] += (uint8_t)(state >> 28) + 1u - 8u;
        }
        agrees(build.at, build.len, WINDOW, sound[round % SOUND].body);
        rdb_build_free(&build);
    }
}

Test(rdb_quick, what_is_wrong_is_told)
{
    static const struct {
        unsigned type;
        const char *body;
    } wrong[] = {
        {2, "#2 a a"},         {2, "#2 int:7 '7"},      {2, "#2 '0 int:0"},
        {4, "#2 a b a c"},     {4, "#2 ~aaaaaaaaaaaaaa 1 aaaaaaaaaaaaaa 2"},
        {5, "#2 a d:nan b d:1"}, {5, "#2 a d:1 b d:1"}, {5, "#2 a d:1 b d:2"},
        {16, "[a 1 a 2]"},     {16, "[a 1 b]"},         {16, "[]"},
        {17, "[a 2 b 1]"},     {17, "[b 1 a 1]"},       {17, "[a 1 b 1.0 c x]"},
        {17, "[a nan]"},       {17, "[9 1 10 1]"},      {20, "[a b a]"},
        {18, "#1 #2 []"},      {18, "#0"},              {11, "<>"},
        {12, "(a 2 b 1)"},     {12, "(b 1 a 1)"},     {13, "(a 1 a 1)"},       {20, "['12 12]"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct rdb_build build = rdb_build_begin("REDIS0011");
        rdb_build_key(&build, wrong[i].type, "key");
        rdb_notation_build(&build, wrong[i].body);
        rdb_build_end(&build);
        cr_expect(!agrees(build.at, build.len, WINDOW, wrong[i].body), "%s", wrong[i].body);
        rdb_build_free(&build);
    }
}

/* A collection of `count` members, one of which may be there twice. */
static struct rdb_build build_members(size_t count, bool twice)
{
    struct rdb_build build = rdb_build_begin("REDIS0011");
    rdb_build_key(&build, 2, "key");
    rdb_build_length(&build, count);
    for (size_t i = 0; i < count; i++) {
        char name[32];
        size_t number = twice && i == count - 1 ? count / 2 : i;
        snprintf(name, sizeof(name), number % 3 ? "member:%zu" : "%zu", number);
        rdb_build_string(&build, name);
    }
    rdb_build_end(&build);
    return build;
}

Test(rdb_quick, collections_of_every_size)
{
    static const size_t counts[] = {1, 15, 16, 17, 600, 5000, 32767, 32768, 32769};
    for (size_t i = 0; i < 2 * sizeof(counts) / sizeof(counts[0]); i++) {
        size_t count = counts[i / 2];
        struct rdb_build build = build_members(count, i % 2);
        bool known = agrees(build.at, build.len, 1 << 20, "members");
        cr_expect_eq(known, count <= 32768 && (!(i % 2) || count == 1), "%zu", count);
        rdb_build_free(&build);
    }
}

static int compare_file(const char *path, const struct stat *facts, int type, struct FTW *place)
{
    (void)facts;
    (void)place;
    size_t len = strlen(path);
    if (type != FTW_F || len < 4 || strcmp(path + len - 4, ".rdb") != 0)
        return 0;
    bool ignored;
    char *quick = said(source_open(AT_FDCWD, path, 0), RDB_CHECK_VALUES, WINDOW, true, &ignored);
    char *general = said(source_open(AT_FDCWD, path, 0), RDB_CHECK_VALUES, WINDOW, false, &ignored);
    cr_expect_str_eq(quick, general, "%s", path);
    free(quick);
    free(general);
    return 0;
}

Test(rdb_quick, every_dump_of_the_fixtures)
{
    cr_assert_eq(nftw("fixtures", compare_file, 16, FTW_PHYS), 0);
}
