#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "parsers/rdb/rdb_private.h"
#include "tests/unit/rdb_notation.h"
#include "tests/unit/rdb_walk.h"

/* A value, what its elements are, and where servers never write it what is wrong. Values of the same group are the same
 * for a user. */
static const struct {
    const char *magic;
    const char *aux; /* the aux field that tells the dialect, if it is one */
    unsigned type;
    const char *body;
    const char *expected;
    char group;
} values[] = {
    {"REDIS0006", NULL, 0, "hello", "hello", 's'},
    {"REDIS0006", NULL, 0, "~hello", "hello", 's'},
    {"REDIS0006", NULL, 0, "int:-5", "-5", 'i'},
    {"REDIS0006", NULL, 0, "'-5", "-5", 'i'},
    {"REDIS0006", NULL, 0, "'05", "05", 0},
    {"REDIS0006", NULL, 0, "'-0", "-0", 0},
    {"REDIS0006", NULL, 0, "'9223372036854775808", "9223372036854775808", 0},
    {"REDIS0006", NULL, 0, "'-9223372036854775808", "-9223372036854775808", 0},
    {"REDIS0006", NULL, 0, "\"\"", "", 0},

    {"REDIS0006", NULL, 1, "#3 a int:5 \"\"", "a; 5; ", 'l'},
    {"REDIS0006", NULL, 10, "(a 5 \"\")", "a; 5; ", 'l'},
    {"REDIS0007", NULL, 14, "#2 ~(a 5) (\"\")", "a; 5; ", 'l'},
    {"REDIS0010", NULL, 18, "#2 #2 [a 5] #1 \"\"", "a; 5; ", 'l'},
    {"REDIS0010", NULL, 18, "#3 #1 ~a #1 int:5 #2 [\"\"]", "a; 5; ", 'l'},
    {"REDIS0010", NULL, 18, "#1 #2 [\"\" a 5]", "; a; 5", 0},

    {"REDIS0006", NULL, 2, "#3 7 int:-2 int:30", "7; -2; 30", 'm'},
    {"REDIS0006", NULL, 11, "<-2 7 30>", "-2; 7; 30", 'm'},
    {"REDIS0006", NULL, 11, "~<-2 7 30>", "-2; 7; 30", 'm'},
    {"REDIS0011", NULL, 20, "[30 7 -2]", "30; 7; -2", 'm'},
    {"REDIS0009", "df-ver", 32, "#3 7 '-1 int:-2 int:-1 int:30 int:-1", "7; -2; 30", 'm'},
    {"REDIS0009", "df-ver", 32, "#1 m '1000", "m@1675210600000", 0},

    {"REDIS0006", NULL, 3, "#2 a z:1.5 b z:-inf", "a:1.5; b:-inf", 'z'},
    {"REDIS0009", NULL, 5, "#2 a d:1.5 b d:-inf", "a:1.5; b:-inf", 'z'},
    {"REDIS0006", NULL, 12, "(b -inf a 1.5)", "b:-inf; a:1.5", 'z'},
    {"REDIS0006", NULL, 3, "#1 a z:-0", "a:-0", '0'},
    {"REDIS0010", NULL, 17, "[a 0]", "a:0", '0'},
    {"REDIS0010", NULL, 17, "~[b -inf a 1.5]", "b:-inf; a:1.5", 'z'},
    {"REDIS0010", NULL, 17, "[10 3 9 3 a 3 a 4]", "10:3; 9:3; a:3; !duplicate-element; a:4", 0},

    {"REDIS0006", NULL, 4, "#2 f v g int:1", "f=v; g=1", 'h'},
    {"REDIS0006", NULL, 9, "{f v g 1}", "f=v; g=1", 'h'},
    {"REDIS0006", NULL, 13, "(g 1 f v)", "g=1; f=v", 'h'},
    {"REDIS0010", NULL, 16, "~[f v g 1]", "f=v; g=1", 'h'},
    {"REDIS0012", NULL, 22, "#2 #0 f v #0 g 1", "f=v; g=1", 'h'},
    {"VALKEY080", NULL, 22, "#2 f v e:-1 g 1 e:-1", "f=v; g=1", 'h'},
    {"REDIS0012", NULL, 23, "[f v 0 g 1 0]", "f=v; g=1", 'h'},
    {"REDIS0012", NULL, 24, "e:0 #2 #0 f v #0 g 1", "f=v; g=1", 'h'},
    {"REDIS0012", NULL, 25, "e:0 [f v 0 g 1 0]", "f=v; g=1", 'h'},
    {"REDIS0009", "df-ver", 31, "#2 f v int:-1 g 1 '-1", "f=v; g=1", 'h'},
    {"REDIS0015", NULL, 29, "#1 #2 f g [0 v 1]", "f=v; g=1", 'h'},
    {"REDIS0015", NULL, 29, "#0 [f g] [0 v 1]", "f=v; g=1", 'h'},
    {"REDIS0015", NULL, 31, "#1 #2 f g v int:1", "f=v; g=1", 'h'},
    {"REDIS0015", NULL, 30, "~[7 v 1]", "f=v; g=1", 'h'},
    {"REDIS0015", NULL, 32, "#7 v int:1", "f=v; g=1", 'h'},

    {"REDIS0012", NULL, 22, "#2 #1700 f v #0 g 1", "f=v@1700; g=1", 't'},
    {"VALKEY080", NULL, 22, "#2 f v e:1700 g 1 e:-1", "f=v@1700; g=1", 't'},
    {"REDIS0012", NULL, 23, "[f v 1700 g 1 0]", "f=v@1700; g=1", 't'},
    {"REDIS0012", NULL, 24, "e:1000 #2 #701 f v #0 g 1", "f=v@1700; g=1", 't'},
    {"REDIS0012", NULL, 25, "e:1700 ~[f v 1700 g 1 0]", "f=v@1700; g=1", 't'},

    {"REDIS0008", NULL, 7, "x:810000000100000c0a #2 #5 #1 #7 #5 abc #4 d:1.5 #3 x:0000c03f #0",
     "AAAAAQAAD v10; 5; 7; abc; 1.5f; 1.5f", 0},
    {"REDIS0014", NULL, 28, "#4 #1 #9 #0 #0 text #1 #1 e:-7 #2 #2 d:0.5 #300 #3 small",
     "0=text; 1=-7; 2=0.5f; 300=small", 0},
    {"REDIS0014", NULL, 28, "#0 #0", "", 0},
    {"REDIS0009", "df-ver", 30, "'{\"a\":1}", "{\"a\":1}", 0},
    {"REDIS0015", NULL, 33, "#1000", "1000", 0},
    {"REDIS0009", "mvcc-tstamp", 64, "script e:1 e:2 #1 k #2 a b", "script; k; a; b", 0},

    /* Defects. */
    {"REDIS0006", NULL, 0, "x:c30305016162", "!string", 0},
    {"REDIS0006", NULL, 0, "x:c30264016162", "!string", 0},
    {"REDIS0006", NULL, 1, "#2 x:c30305016162 b", "!string; b", 0},
    {"REDIS0006", NULL, 1, "#0", "!empty-value", 0},
    {"REDIS0006", NULL, 4, "#0", "!empty-value", 0},
    {"REDIS0006", NULL, 11, "<>", "!empty-value", 0},
    {"REDIS0010", NULL, 16, "[]", "!empty-value", 0},
    {"REDIS0010", NULL, 18, "#2 #2 [] #2 [a]", "!empty-value; a", 0},
    {"REDIS0010", NULL, 18, "#2 #2 int:5 #2 [a]", "!packed; a", 0},
    {"REDIS0010", NULL, 18, "#2 #2 x:050000000000 #2 [a]", "!packed-frame; a", 0},
    {"REDIS0009", "df-ver", 31, "#0", "", 0},
    {"REDIS0006", NULL, 2, "#3 a b a", "a; b; a; !duplicate-element", 0},
    {"REDIS0006", NULL, 2, "#3 '5 b int:5", "5; b; 5; !duplicate-element", 0},
    {"REDIS0006", NULL, 4, "#2 f v f w", "f=v; f=w; !duplicate-element", 0},
    {"REDIS0006", NULL, 3, "#2 f z:1 f z:2", "f:1; f:2; !duplicate-element", 0},
    {"REDIS0011", NULL, 20, "[a b a]", "a; b; !duplicate-element; a", 0},
    {"REDIS0011", NULL, 20, "~[a b a a]", "a; b; !duplicate-element; a; !duplicate-element; a", 0},
    {"REDIS0010", NULL, 16, "[f v f w]", "f=v; !duplicate-element; f=w", 0},
    {"REDIS0006", NULL, 9, "{f v f w}", "f=v; !duplicate-element; f=w", 0},
    {"REDIS0012", NULL, 25, "e:0 [f v 0 f w 0]", "f=v; !duplicate-element; f=w", 0},
    {"REDIS0014", NULL, 28, "#2 #0 #3 #0 a #3 #0 b", "3=a; 3=b; !duplicate-element", 0},
    {"REDIS0010", NULL, 16, "[f v g]", "f=v; !elements", 0},
    {"REDIS0010", NULL, 17, "~[m 1 n]", "m:1; !elements", 0},
    {"REDIS0012", NULL, 25, "e:0 [f v 0 g v]", "f=v; !elements", 0},
    {"REDIS0010", NULL, 17, "[a 2 b 1]", "a:2; !order; b:1", 0},
    {"REDIS0010", NULL, 17, "[b 1 a 1]", "b:1; !order; a:1", 0},
    {"REDIS0006", NULL, 12, "(b 1 ab 1 a 2)", "b:1; !order; ab:1; a:2", 0},
    {"REDIS0009", NULL, 5, "#2 a d:1 b d:2", "a:1; !order; b:2", 0},
    {"REDIS0009", NULL, 5, "#2 a d:1 b d:1", "a:1; !order; b:1", 0},
    {"REDIS0009", NULL, 5, "#2 b d:1 a d:1", "b:1; a:1", 0},
    {"REDIS0008", NULL, 5, "#2 a d:1 b d:2", "a:1; b:2", 'o'},
    {"REDIS0009", "df-ver", 5, "#2 a d:1 b d:2", "a:1; b:2", 'o'},
    {"REDIS0009", NULL, 5, "#1 a d:nan", "!score; a:nan", 0},
    {"REDIS0006", NULL, 3, "#1 a z:nan", "!score; a:nan", 0},
    {"REDIS0006", NULL, 3, "#2 a z:1x b z:1", "!score; b:1", 0},
    {"REDIS0010", NULL, 17, "[a nan]", "!score; a:nan", 0},
    {"REDIS0010", NULL, 17, "[a x b 1]", "!score; b:1", 0},
    {"VALKEY080", NULL, 22, "#1 f v e:-2", "!field-expiry; f=v@-2", 0},
    {"REDIS0012", NULL, 22, "#1 #281474976710656 f v", "!field-expiry; f=v@281474976710656", 0},
    {"REDIS0012", NULL, 23, "[f v x]", "!field-expiry; f=v", 0},
    {"REDIS0012", NULL, 23, "[f v 5 g v 4]", "f=v@5; !field-expiry; g=v@4", 0},
    {"REDIS0012", NULL, 23, "[f v 0 g v 4]", "f=v; !field-expiry; g=v@4", 0},
    {"REDIS0012", NULL, 25, "e:6 [f v 5]", "f=v@5; !field-expiry", 0},
    {"REDIS0012", NULL, 25, "e:-1 [f v 0]", "f=v; !field-expiry", 0},
    {"REDIS0009", "df-ver", 32, "#1 m soon", "!field-expiry; m", 0},
    {"REDIS0015", NULL, 30, "[8 v 1]", "!hash-template", 0},
    {"REDIS0015", NULL, 30, "[x v 1]", "!hash-template", 0},
    {"REDIS0015", NULL, 30, "[7 v]", "f=v; !hash-template", 0},
    {"REDIS0015", NULL, 30, "[7 v 1 2]", "f=v; g=1; !hash-template", 0},
    {"REDIS0015", NULL, 31, "#1 #2 g f v int:1", "!hash-template; g=v; f=1", 0},
    {"REDIS0015", NULL, 31, "#1 #2 f f v int:1", "!hash-template; f=v; f=1", 0},
    {"REDIS0015", NULL, 31, "#1 #0", "!hash-template; !empty-value", 0},
    {"REDIS0015", NULL, 29, "#1 #2 f g [1 v 1]", "!hash-template; f=v; g=1", 0},
};

enum { VALUES = sizeof(values) / sizeof(values[0]) };

static struct rdb_build build_value(size_t i)
{
    struct rdb_build build = rdb_build_begin(values[i].magic);
    if (values[i].aux)
        rdb_build_aux(&build, values[i].aux, "1");
    if (!strcmp(values[i].magic, "REDIS0015")) {
        rdb_build_u8(&build, 242);
        rdb_notation_build(&build, "#7 #2 f g");
    }
    rdb_build_key(&build, values[i].type, "the-key");
    rdb_notation_build(&build, values[i].body);
    rdb_build_string_key(&build, "after", "it");
    rdb_build_end(&build);
    return build;
}

static bool is_sound(size_t i)
{
    return !strchr(values[i].expected, '!');
}

Test(rdb_value, gives_the_elements_of_every_type)
{
    static const size_t windows[] = {4096, 16, 17, 23, 61};
    for (size_t i = 0; i < VALUES; i++) {
        struct rdb_build build = build_value(i);
        for (size_t w = 0; w < sizeof(windows) / sizeof(windows[0]); w++) {
            struct rdb_transcript transcript = rdb_notation_read(&build, windows[w]);
            cr_assert_str_eq(transcript.text, values[i].expected, "type %u, %s, window %zu: %s", values[i].type,
                             values[i].body, windows[w], transcript.text);
            cr_assert_eq(transcript.last, PARSE_END);
        }
        rdb_build_free(&build);
    }
}

struct summary {
    enum parse_step last;
    size_t damages, keys;
    struct rdb_key key;
    uint64_t places;
};

static struct summary summarise(const struct rdb_build *build, unsigned flags, size_t window)
{
    struct summary summary = {0};
    struct source *source = source_memory(build->at, build->len);
    struct rdb *reader = rdb_open_sized(source, flags, window);
    struct rdb_item item;
    while ((summary.last = rdb_next(reader, &item)) == PARSE_ITEM || summary.last == PARSE_DAMAGE) {
        if (summary.last == PARSE_DAMAGE) {
            const struct damage *damage = rdb_damage(reader);
            summary.damages++;
            summary.places = summary.places * 31 + damage->place.offset * 7 + damage->place.length + damage->code;
        } else if (item.kind == RDB_KEY && !summary.keys++) {
            summary.key = item.key;
        }
    }
    rdb_close(reader);
    source_close(source);
    return summary;
}

Test(rdb_value, checks_what_it_gives)
{
    for (size_t i = 0; i < VALUES; i++) {
        struct rdb_build build = build_value(i);
        struct rdb_transcript pulled = rdb_notation_read(&build, 4096);
        struct summary checked = summarise(&build, RDB_CHECK_VALUES, 4096);
        struct summary digested = summarise(&build, RDB_DIGEST_VALUES, 61);
        struct summary counted = summarise(&build, RDB_COUNT_ELEMENTS, 16);
        cr_assert(checked.last == PARSE_END && checked.keys == 2, "%s", values[i].body);
        cr_assert_eq(checked.damages, pulled.damages, "%s", values[i].body);
        cr_assert_eq(checked.damages, digested.damages, "%s", values[i].body);
        cr_assert_eq(checked.places, digested.places, "%s", values[i].body);
        cr_assert_eq(checked.key.elements, digested.key.elements, "%s", values[i].body);
        cr_assert_eq(checked.key.elements, pulled.key.elements, "%s", values[i].body);
        cr_assert_eq(checked.key.value_length, counted.key.value_length, "%s", values[i].body);
        if (is_sound(i)) {
            cr_assert_eq(checked.key.elements, counted.key.elements, "%s: %d, counted %d", values[i].body,
                         (int)checked.key.elements, (int)counted.key.elements);
            cr_assert_eq(digested.key.strings, counted.key.strings, "%s", values[i].body);
            cr_assert_eq(digested.key.string_bytes, counted.key.string_bytes, "%s", values[i].body);
        }
        rdb_build_free(&build);
    }
}

/* The same for a user: the same datatype and elements, whatever type they are stored as. */
Test(rdb_value, digests_tell_what_users_can_tell)
{
    static struct summary digested[VALUES];
    for (size_t i = 0; i < VALUES; i++) {
        struct rdb_build build = build_value(i);
        digested[i] = summarise(&build, RDB_DIGEST_VALUES, 4096);
        rdb_build_free(&build);
    }
    for (size_t i = 0; i < VALUES; i++)
        for (size_t j = 0; j < i; j++) {
            bool same = values[i].group && values[i].group == values[j].group;
            bool equal = !memcmp(digested[i].key.digest, digested[j].key.digest, 16);
            if (is_sound(i) && is_sound(j))
                cr_assert_eq(same, equal, "%s and %s", values[i].body, values[j].body);
        }
}

Test(rdb_value, every_cut_stops)
{
    for (size_t i = 0; i < VALUES; i++) {
        struct rdb_build build = build_value(i);
        size_t len = build.len;
        for (build.len = 0; build.len < len; build.len++) {
            struct rdb_transcript transcript = rdb_notation_read(&build, 61);
            struct summary checked = summarise(&build, RDB_CHECK_VALUES, 4096);
            cr_assert_eq(transcript.last, PARSE_STOP);
            cr_assert_eq(checked.last, PARSE_STOP);
        }
        build.len = len;
        rdb_build_free(&build);
    }
}

/* Nothing crashes, and the walks agree. */
Test(rdb_value, every_flipped_bit_is_survived)
{
    for (size_t i = 0; i < VALUES; i++) {
        struct rdb_build build = build_value(i);
        for (size_t bit = 0; bit < 8 * build.len; bit++) {
            build.at[bit / 8] ^= (uint8_t)(1 << bit % 8);
            struct rdb_transcript transcript = rdb_notation_read(&build, 4096);
            struct summary narrow = summarise(&build, RDB_DIGEST_VALUES, 16);
            struct summary wide = summarise(&build, RDB_DIGEST_VALUES, 4096);
            struct summary checked = summarise(&build, RDB_CHECK_VALUES, 4096);
            summarise(&build, RDB_COUNT_ELEMENTS, 61);
            cr_assert_eq(narrow.last, wide.last);
            cr_assert_eq(narrow.damages, wide.damages);
            cr_assert_eq(narrow.places, wide.places);
            cr_assert_eq(checked.damages, wide.damages);
            cr_assert_eq(checked.places, wide.places);
            cr_assert_eq(transcript.last == PARSE_STOP, wide.last == PARSE_STOP);
            build.at[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        rdb_build_free(&build);
    }
}

/* What a caller does not pull is stepped over. */
Test(rdb_value, the_rest_may_be_left)
{
    for (size_t i = 0; i < VALUES; i++) {
        struct rdb_build build = build_value(i);
        for (size_t pulled = 0; pulled < 4; pulled++) {
            struct source *source = source_memory(build.at, build.len);
            struct rdb *reader = rdb_open_sized(source, RDB_VALUES, 61);
            struct rdb_item item;
            const struct rdb_element *element;
            enum parse_step step;
            size_t keys = 0;
            while ((step = rdb_next(reader, &item)) == PARSE_ITEM || step == PARSE_DAMAGE) {
                if (step == PARSE_DAMAGE || item.kind != RDB_KEY)
                    continue;
                cr_assert_eq(item.key.name.len, keys ? strlen("after") : strlen("the-key"), "%s", values[i].body);
                keys++;
                for (size_t n = 0; n < pulled; n++)
                    rdb_value_next(reader, &element);
            }
            cr_assert(step == PARSE_END && keys == 2, "%s after %zu: %s", values[i].body, pulled,
                      rdb_why(reader) ? rdb_why(reader) : "");
            rdb_close(reader);
            source_close(source);
        }
        rdb_build_free(&build);
    }
}

Test(rdb_value, tells_all_defects_and_counts_what_is_beyond)
{
    enum { MEMBERS = 200 };
    struct rdb_build build = rdb_build_begin("REDIS0006");
    rdb_build_key(&build, 2, "k");
    rdb_build_length(&build, MEMBERS);
    for (size_t i = 0; i < MEMBERS; i++)
        rdb_build_string(&build, "same");
    rdb_build_end(&build);
    struct summary checked = summarise(&build, RDB_CHECK_VALUES, 4096);
    cr_assert_eq(checked.damages, RDB_VALUE_DAMAGES + 1);
    cr_assert_eq(checked.key.elements, MEMBERS);
    rdb_build_free(&build);
}

static size_t duplicates_of(size_t members, size_t again, bool packed)
{
    struct rdb_build build = rdb_build_begin("REDIS0011"), blob = {0};
    struct rdb_build *to = packed ? &blob : &build;
    char text[16];
    if (packed) {
        rdb_build_le(&blob, 0, 4);
        rdb_build_le(&blob, members < UINT16_MAX ? members : UINT16_MAX, 2);
    } else {
        rdb_build_key(&build, 2, "k");
        rdb_build_length(&build, members);
    }
    for (size_t i = 0; i < members; i++) {
        int len = snprintf(text, sizeof(text), "m%07zu", i == members - 1 ? again : i);
        rdb_build_u8(to, packed ? 0x80u | (unsigned)len : (unsigned)len);
        rdb_build_bytes(to, text, (size_t)len);
        if (packed)
            rdb_build_u8(to, (unsigned)len + 1);
    }
    if (packed) {
        rdb_build_u8(&blob, 0xff);
        for (size_t i = 0; i < 4; i++)
            blob.at[i] = (uint8_t)(blob.len >> (8 * i));
        rdb_build_key(&build, 20, "k");
        rdb_build_length(&build, blob.len);
        rdb_build_bytes(&build, blob.at, blob.len);
        rdb_build_free(&blob);
    }
    rdb_build_end(&build);
    struct summary checked = summarise(&build, RDB_CHECK_VALUES, 4096);
    cr_assert_eq(checked.last, PARSE_END);
    cr_assert_eq(checked.key.elements, members);
    rdb_build_free(&build);
    return checked.damages;
}

Test(rdb_value, finds_twins_in_collections_of_every_size)
{
    static const size_t sizes[] = {2, 32, 33, 64, 65, 4096, 4097, 5000, 32768, 32769, 100000};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        for (unsigned packed = 0; packed < 2; packed++) {
            cr_assert_eq(duplicates_of(sizes[i], sizes[i] / 3, packed), 1, "%zu", sizes[i]);
            cr_assert_eq(duplicates_of(sizes[i], sizes[i], packed), 0, "%zu", sizes[i]);
        }
}
