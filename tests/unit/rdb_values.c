#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/rdb_walk.h"

#define ID "abcdefghijklmnop"
#define STREAM_HEAD "\x01\x10" ID "\x03lpk" "\x01\x05\x00"
#define STREAM_V2 "\x05\x01\x05\x00\x01"
#define EIGHT "12345678"

#define BODY(text) .body = text, .len = sizeof(text) - 1
static const struct {
    const char *magic;
    const char *aux; /* the aux field that tells the dialect, if it is one */
    uint8_t type;
    const char *body;
    size_t len;
    const char *name;
} values[] = {
    {"REDIS0006", NULL, 0, BODY("\x05hello"), "string"},
    {"REDIS0006", NULL, 0, BODY("\xc0\x7f"), "string"},
    {"REDIS0006", NULL, 0, BODY("\xc1\x01\x02"), "string"},
    {"REDIS0006", NULL, 0, BODY("\xc2\x01\x02\x03\x04"), "string"},
    {"REDIS0006", NULL, 0, BODY("\xc3\x04\x05\x01" "ab\x20"), "string"},
    {"REDIS0006", NULL, 1, BODY("\x03\x01" "a\xc0\x05\x00"), "list"},
    {"REDIS0006", NULL, 1, BODY("\x00"), "list"},
    {"REDIS0006", NULL, 2, BODY("\x02\x01" "a\x01" "b"), "set"},
    {"REDIS0006", NULL, 3, BODY("\x04\x01" "a\x03" "1.5" "\x01" "b\xfd\x01" "c\xfe\x01" "d\xff"), "zset (text scores)"},
    {"REDIS0006", NULL, 4, BODY("\x01\x01" "f\x01v"), "hash"},
    {"REDIS0008", NULL, 5, BODY("\x02\x01" "a" EIGHT "\x01" "b" EIGHT), "zset"},
    {"REDIS0008", NULL, 7, BODY("\x81\x11\x22\x33\x44\x55\x66\x77\x88\x01\x05\x02\x40\x80\x03" "1234" "\x04" EIGHT
                                "\x05\x03" "abc\x00"), "module"},
    {"REDIS0006", NULL, 9, BODY("\x02zm"), "hash (zipmap)"},
    {"REDIS0006", NULL, 10, BODY("\x02zl"), "list (ziplist)"},
    {"REDIS0006", NULL, 11, BODY("\x02is"), "set (intset)"},
    {"REDIS0006", NULL, 12, BODY("\x02zl"), "zset (ziplist)"},
    {"REDIS0006", NULL, 13, BODY("\x02zl"), "hash (ziplist)"},
    {"REDIS0007", NULL, 14, BODY("\x02\x02zl\x02zl"), "list (quicklist of ziplists)"},
    {"REDIS0009", NULL, 15, BODY(STREAM_HEAD "\x01\x02g1\x05\x00" "\x01" ID EIGHT "\x01" "\x01\x02" "c1" EIGHT
                                 "\x01" ID), "stream"},
    {"REDIS0009", NULL, 15, BODY("\x00\x00\x00\x00\x00"), "stream"},
    {"REDIS0010", NULL, 16, BODY("\x02lp"), "hash (listpack)"},
    {"REDIS0010", NULL, 17, BODY("\x02lp"), "zset (listpack)"},
    {"REDIS0010", NULL, 18, BODY("\x02\x02\x02lp\x01\x05plain"), "list (quicklist)"},
    {"REDIS0010", NULL, 19, BODY(STREAM_HEAD STREAM_V2 "\x01\x02g1\x05\x00\x01" "\x01" ID EIGHT "\x01"
                                 "\x01\x02" "c1" EIGHT "\x01" ID), "stream (2)"},
    {"REDIS0011", NULL, 20, BODY("\x02lp"), "set (listpack)"},
    {"REDIS0011", NULL, 21, BODY(STREAM_HEAD STREAM_V2 "\x02\x02g1\x05\x00\x01" "\x00" "\x02\x02" "c1" EIGHT EIGHT
                                 "\x00\x02" "c2" EIGHT EIGHT "\x02" ID ID
                                 "\x02g2\x05\x00\x81\xff\xff\xff\xff\xff\xff\xff\xff" "\x00\x00"), "stream (3)"},
    {"REDIS0012", NULL, 22, BODY("\x02\x00\x01" "f\x01v\x81\x00\x00\x01\x99\x00\x00\x00\x00\x01" "f\x01v"),
     "hash (field expiry, before 7.4)"},
    {"VALKEY080", NULL, 22, BODY("\x02\x01" "f\x01v" EIGHT "\x01g\x01v\xff\xff\xff\xff\xff\xff\xff\xff"),
     "hash (field expiry)"},
    {"REDIS0012", NULL, 23, BODY("\x02lp"), "hash (listpack, field expiry, before 7.4)"},
    {"REDIS0012", NULL, 24, BODY(EIGHT "\x02\x00\x01" "f\x01v\x07\x01g\x01v"), "hash (field expiry)"},
    {"REDIS0012", NULL, 25, BODY(EIGHT "\x02lp"), "hash (listpack, field expiry)"},
    {"REDIS0013", NULL, 26, BODY(STREAM_HEAD STREAM_V2 "\x00" "\x3c\x0a\x01\x02p1\x01\x02i1\x05\x00\x01\x00"),
     "stream (4)"},
    {"REDIS0014", NULL, 27, BODY(STREAM_HEAD STREAM_V2 "\x01\x02g1\x05\x00\x01\x00\x00\x01" ID
                                 "\x3c\x0a\x00\x01\x00"), "stream (5)"},
    {"REDIS0014", NULL, 28, BODY("\x04\x01\x09\x00\x00\x01s\x01\x01" EIGHT "\x02\x02" EIGHT "\x03\x03\x01t"), "array"},
    {"REDIS0014", NULL, 28, BODY("\x00\x00"), "array"},
    {"REDIS0015", NULL, 30, BODY("\x02lp"), "hash (template, listpack)"},
    {"REDIS0009", "df-ver", 30, BODY("\x02{}"), "json"},
    {"REDIS0009", "df-ver", 31, BODY("\x01\x01" "f\x01v\xc0\x05"), "hash (field expiry)"},
    {"REDIS0009", "df-ver", 32, BODY("\x01\x01m\xc0\x05"), "set (member expiry)"},
    {"REDIS0009", "df-ver", 18, BODY("\x01\x02\x02lp"), "list (quicklist)"},
    {"REDIS0009", "mvcc-tstamp", 64, BODY("\x01s" EIGHT EIGHT "\x01\x01k\x02\x01" "a\x01" "b"), "cron job"},
};

enum { VALUES = sizeof(values) / sizeof(values[0]) };

static struct rdb_build build_value(size_t i)
{
    struct rdb_build build = rdb_build_begin(values[i].magic);
    if (values[i].aux)
        rdb_build_aux(&build, values[i].aux, "1");
    rdb_build_select(&build, 3);
    rdb_build_expire_ms(&build, 1700000000123);
    rdb_build_key(&build, values[i].type, "key");
    rdb_build_bytes(&build, values[i].body, values[i].len);
    rdb_build_string_key(&build, "after", "it");
    rdb_build_end(&build);
    return build;
}

Test(rdb, steps_over_every_type)
{
    for (size_t i = 0; i < VALUES; i++) {
        struct rdb_build build = build_value(i);
        struct rdb_walk walk = rdb_walk_build(&build);
        cr_assert(rdb_walk_sound(&walk), "type %u: %s", values[i].type, walk.why);
        cr_assert_eq(walk.keys, 2, "type %u", values[i].type);
        const struct rdb_item *item = &walk.item[walk.items - 3];
        cr_assert_str_eq(walk.text[walk.items - 3][2], "key");
        cr_assert_str_eq(walk.text[walk.items - 2][2], "after");
        cr_assert_eq(item->key.type, values[i].type);
        cr_assert_str_eq(item->key.type_name, values[i].name);
        cr_assert_eq(item->key.db, 3);
        cr_assert_eq(item->key.value_length, values[i].len);
        cr_assert(!memcmp(build.at + item->key.value_offset, values[i].body, values[i].len));
        cr_assert(item->key.has_expiry && item->key.expire_ms == 1700000000123);
        cr_assert_eq(build.at[item->place.offset], 252, "the record begins with its expiry");
        cr_assert_eq(item->place.offset + item->place.length, walk.item[walk.items - 2].place.offset);
        cr_assert(!walk.item[walk.items - 2].key.has_expiry);
        rdb_build_free(&build);
    }
}

Test(rdb, every_cut_is_truncated)
{
    for (size_t i = 0; i < VALUES; i++) {
        struct rdb_build build = build_value(i);
        struct rdb_walk whole = rdb_walk_build(&build);
        for (size_t len = 0; len < build.len; len++) {
            struct rdb_walk walk = rdb_walk_bytes(build.at, len, 4096);
            cr_assert(walk.last == PARSE_STOP && walk.stop == RDB_STOP_TRUNCATED, "type %u cut at %zu: %s",
                      values[i].type, len, walk.why);
            cr_assert_eq(walk.offset, len);
            cr_assert_lt(walk.items, whole.items);
            for (size_t item = 0; item < walk.items; item++)
                cr_assert_eq(walk.item[item].place.offset, whole.item[item].place.offset);
        }
        rdb_build_free(&build);
    }
}

Test(rdb, every_flipped_bit_is_reported)
{
    for (size_t i = 0; i < VALUES; i++) {
        struct rdb_build build = build_value(i);
        for (size_t bit = 0; bit < 8 * build.len; bit++) {
            build.at[bit / 8] ^= (uint8_t)(1 << bit % 8);
            struct rdb_walk walk = rdb_walk_build(&build);
            cr_assert(walk.last == PARSE_STOP || walk.damages, "type %u, bit %zu", values[i].type, bit);
            build.at[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        rdb_build_free(&build);
    }
}

Test(rdb, window_borders_change_nothing)
{
    for (size_t i = 0; i < VALUES; i++) {
        struct rdb_build build = build_value(i);
        struct rdb_walk whole = rdb_walk_source(source_memory(build.at, build.len), 0, 4096);
        for (size_t window = RDB_WINDOW_LEAST; window < 70; window++) {
            struct rdb_walk walk = rdb_walk_source(source_memory(build.at, build.len), 0, window);
            cr_assert(rdb_walk_sound(&walk), "type %u, window %zu: %s", values[i].type, window, walk.why);
            cr_assert_eq(walk.items, whole.items);
            cr_assert(!memcmp(walk.text, whole.text, sizeof(walk.text)));
        }
        rdb_build_free(&build);
    }
}

Test(rdb, reads_from_a_pipe)
{
    struct rdb_build build = build_value(VALUES / 2);
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(write(ends[1], build.at, build.len), (ssize_t)build.len);
    close(ends[1]);
    struct rdb_walk walk = rdb_walk_source(source_descriptor(ends[0]), 0, 31);
    cr_assert(rdb_walk_sound(&walk), "%s", walk.why);
    close(ends[0]);
    rdb_build_free(&build);
}

Test(rdb, layouts_are_well_formed)
{
#define RDB_TYPE(byte, name, datatype, encoding, dialects, since, layout) layout,
#define RDB_OPCODE_ROW(byte, name, dialects, since, layout, role) layout,
    static const char *const layouts[] = {
#include "parsers/rdb/rdb_opcodes.def"
#include "parsers/rdb/rdb_types.def"
    };
#undef RDB_TYPE
#undef RDB_OPCODE_ROW
    for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
        int depth = 0;
        for (const char *at = layouts[i] ? layouts[i] : ""; *at; at++) {
            cr_assert(strchr("s148lRzcMot#().eumvEdxyXwLZITPqjiHhnk", *at), "%s", layouts[i]);
            depth += (*at == '(') - (*at == ')');
            cr_assert(depth >= 0 && depth <= 4, "%s", layouts[i]);
            if (*at == '(')
                cr_assert(strchr("#ohn", at[-1]) && at[1] != ')', "%s", layouts[i]);
        }
        cr_assert_eq(depth, 0, "%s", layouts[i]);
    }
}

Test(rdb, names_types)
{
    cr_assert_str_eq(rdb_type_name(0), "string");
    cr_assert_str_eq(rdb_type_name(21), "stream (3)");
    cr_assert_str_eq(rdb_type_name(8), "unknown (8)");
    cr_assert_str_eq(rdb_type_name(77), "unknown (77)");
    cr_assert_str_eq(rdb_type_name(255), "unknown (255)", "an opcode is no type");
}
