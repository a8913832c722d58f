#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "parsers/rdb/packed.h"
#include "parsers/rdb/rdb.h"

#define BLOB(text) .blob = text, .len = sizeof(text) - 1

/* Heads of a blob of so many bytes and entries; ziplists have their last entry at `tail`. */
#define LP(size, count) size "\0\0\0" count "\0"
#define ZL(size, tail, count) size "\0\0\0" tail "\0\0\0" count "\0"
#define IS(width, count) width "\0\0\0" count "\0\0\0"

/* Size, head and end make the frame of a blob, and all that an intset has besides its numbers. */
static unsigned structural_code(const struct damage *damage)
{
    static const char *const frame[] = {"the size of the", "head of ", "or the end mark", "a zipmap's count",
                                        "an intset with"};
    for (size_t i = 0; i < sizeof(frame) / sizeof(frame[0]); i++)
        if (strstr(damage->expected, frame[i]))
            return RDB_BAD_FRAME;
    return RDB_BAD_PACKED;
}

static const struct {
    enum packed_form form;
    const char *blob;
    size_t len;
    const char *text; /* of the entries, each behind a blank */
    enum parse_step last;
    const char *damages; /* what was expected: parts of the texts in their order, each behind '|' */
    uint64_t offset;     /* of the first damage */
    unsigned code;       /* of all; 0: as structural_code() says */
} cases[] = {
    /* The examples of docs/formats/rdb.md. */
    {PACKED_LISTPACK, BLOB(LP("\x13", "\4") "\x81" "a\x02" "\x05\x01" "\xc1\x2c\x02" "\xf1\x50\xc3\x03" "\xff"),
     " 'a' 5 300 -15536", PARSE_END, ""},
    {PACKED_ZIPLIST, BLOB(ZL("\x10", "\x0c", "\2") "\x00\xf6" "\x02\x01" "a" "\xff"), " 5 'a'", PARSE_END, ""},
    {PACKED_INTSET, BLOB(IS("\2", "\2") "\xff\xff\1\0"), " -1 1", PARSE_END, ""},
    {PACKED_ZIPMAP, BLOB("\1" "\1k" "\1\2v??" "\xff"), " 'k' 'v'", PARSE_END, ""},

    /* Listpacks: sound. */
    {PACKED_LISTPACK, BLOB(LP("\x07", "\0") "\xff"), "", PARSE_END, ""},
    {PACKED_LISTPACK, BLOB(LP("\x0c", "\2") "\x05\x01" "\x81" "a\x02" "\xff"), " 5 'a'", PARSE_END, ""},
    {PACKED_LISTPACK, BLOB(LP("\x0a", "\1") "\xc0\x80\x02" "\xff"), " 128", PARSE_END, ""},
    {PACKED_LISTPACK, BLOB(LP("\x0a", "\1") "\xdf\xff\x02" "\xff"), " -1", PARSE_END, ""},
    {PACKED_LISTPACK, BLOB(LP("\x0b", "\1") "\xf1\xff\xef\x03" "\xff"), " -4097", PARSE_END, ""},
    {PACKED_LISTPACK, BLOB(LP("\x0b", "\1") "\xf1\x00\x10\x03" "\xff"), " 4096", PARSE_END, ""},
    {PACKED_LISTPACK, BLOB(LP("\x0c", "\1") "\xf2\xff\x7f\xff\x04" "\xff"), " -32769", PARSE_END, ""},
    {PACKED_LISTPACK, BLOB(LP("\x0d", "\1") "\xf3\x00\x00\x80\x00\x05" "\xff"), " 8388608", PARSE_END, ""},
    {PACKED_LISTPACK, BLOB(LP("\x11", "\1") "\xf4\x00\x00\x00\x80\0\0\0\0\x09" "\xff"), " 2147483648", PARSE_END, ""},
    {PACKED_LISTPACK, BLOB("\x0c\0\0\0\xff\xff" "\x05\x01" "\x81" "a\x02" "\xff"), " 5 'a'", PARSE_END, ""},
    {PACKED_LISTPACK, BLOB(LP("\x0b", "\1") "\x82" "-0\x03" "\xff"), " '-0'", PARSE_END, ""},
    {PACKED_LISTPACK, BLOB(LP("\x0b", "\1") "\x82" "07\x03" "\xff"), " '07'", PARSE_END, ""},
    {PACKED_LISTPACK, BLOB(LP("\x0a", "\1") "\x81" "-\x02" "\xff"), " '-'", PARSE_END, ""},
    {PACKED_LISTPACK, BLOB(LP("\x0c", "\1") "\x83" "1.5\x04" "\xff"), " '1.5'", PARSE_END, ""},
    {PACKED_LISTPACK, BLOB(LP("\x1c", "\1") "\x93" "9223372036854775808\x14" "\xff"), " '9223372036854775808'",
     PARSE_END, ""},
    {PACKED_LISTPACK, BLOB(LP("\x1d", "\1") "\x94" "-9223372036854775809\x15" "\xff"), " '-9223372036854775809'",
     PARSE_END, ""},

    /* Listpacks: what contradicts itself. */
    {PACKED_LISTPACK, BLOB("\x07\0\0\0\0"), "", PARSE_STOP, "|head of 6 bytes"},
    {PACKED_LISTPACK, BLOB(LP("\x06", "\0")), "", PARSE_STOP, "|end mark", 6},
    {PACKED_LISTPACK, BLOB(LP("\x0d", "\2") "\x05\x01" "\x81" "a\x02" "\xff"), " 5 'a'", PARSE_END, "|size"},
    {PACKED_LISTPACK, BLOB(LP("\x0b", "\2") "\x05\x01" "\x81" "a\x02" "\xff"), " 5 'a'", PARSE_END, "|size"},
    {PACKED_LISTPACK, BLOB(LP("\x09", "\1") "\x05\x01" "\xff" "more"), " 5", PARSE_END, "|size"},
    {PACKED_LISTPACK, BLOB(LP("\x0d", "\1") "\x05\x01" "\xff" "more"), " 5", PARSE_END, "|nothing behind", 9},
    {PACKED_LISTPACK, BLOB(LP("\x0c", "\1") "\x05\x01" "\xff" "more"), " 5", PARSE_END, "|size|nothing behind"},
    {PACKED_LISTPACK, BLOB(LP("\x0c", "\3") "\x05\x01" "\x81" "a\x02" "\xff"), " 5 'a'", PARSE_END, "|as many"},
    {PACKED_LISTPACK, BLOB(LP("\x0c", "\1") "\x05\x01" "\x81" "a\x02" "\xff"), " 5 'a'", PARSE_END, "|as many"},
    {PACKED_LISTPACK, BLOB(LP("\x0b", "\2") "\x05\x01" "\x81" "a\x02"), " 5 'a'", PARSE_STOP, "|end mark", 11},
    {PACKED_LISTPACK, BLOB(LP("\x0c", "\2") "\x05\x02" "\x81" "a\x02" "\xff"), " 5 'a'", PARSE_END,
     "|entry behind it", 7},
    {PACKED_LISTPACK, BLOB(LP("\x0c", "\2") "\x05\x81" "\x81" "a\x02" "\xff"), " 5 'a'", PARSE_END,
     "|entry behind it", 7},
    {PACKED_LISTPACK, BLOB(LP("\x0c", "\2") "\x05\x01" "\x81" "a\x03" "\xff"), " 5 'a'", PARSE_END,
     "|entry behind it", 10},
    {PACKED_LISTPACK, BLOB(LP("\x0b", "\2") "\x05\x01" "\xf5" "a\xff"), " 5", PARSE_STOP, "|encoding", 8},
    {PACKED_LISTPACK, BLOB(LP("\x0b", "\2") "\x05\x01" "\xfe" "a\xff"), " 5", PARSE_STOP, "|encoding", 8},
    {PACKED_LISTPACK, BLOB(LP("\x0c", "\2") "\x05\x01" "\x83" "a\x02" "\xff"), " 5", PARSE_STOP, "|inside", 8},
    {PACKED_LISTPACK, BLOB(LP("\x0c", "\1") "\xf0\xff\xff\xff\xff" "a"), "", PARSE_STOP, "|inside", 6},
    {PACKED_LISTPACK, BLOB(LP("\x0b", "\1") "\xf4\x01\x00\x00\x00"), "", PARSE_STOP, "|inside", 6},

    /* Listpacks: what no server writes. */
    {PACKED_LISTPACK, BLOB(LP("\x0a", "\1") "\xc0\x7f\x02" "\xff"), " 127", PARSE_END, "|encoding of a number", 6},
    {PACKED_LISTPACK, BLOB(LP("\x0b", "\1") "\xf1\x00\xf0\x03" "\xff"), " -4096", PARSE_END,
     "|encoding of a number", 6},
    {PACKED_LISTPACK, BLOB(LP("\x0c", "\1") "\xf2\x00\x80\xff\x04" "\xff"), " -32768", PARSE_END,
     "|encoding of a number", 6},
    {PACKED_LISTPACK, BLOB(LP("\x0d", "\1") "\xf3\xff\xff\x7f\x00\x05" "\xff"), " 8388607", PARSE_END,
     "|encoding of a number", 6},
    {PACKED_LISTPACK, BLOB(LP("\x11", "\1") "\xf4\x00\x00\x00\x80\xff\xff\xff\xff\x09" "\xff"), " -2147483648",
     PARSE_END, "|encoding of a number", 6},
    {PACKED_LISTPACK, BLOB(LP("\x0b", "\1") "\xe0\x01" "a\x03" "\xff"), " 'a'", PARSE_END, "|encoding of a length", 6},
    {PACKED_LISTPACK, BLOB(LP("\x0e", "\1") "\xf0\x01\0\0\0" "a\x06" "\xff"), " 'a'", PARSE_END,
     "|encoding of a length", 6},
    {PACKED_LISTPACK, BLOB(LP("\x0a", "\1") "\x81" "7\x02" "\xff"), " '7'", PARSE_END, "|binary form", 6},
    {PACKED_LISTPACK, BLOB(LP("\x1d", "\1") "\x94" "-9223372036854775808\x15" "\xff"), " '-9223372036854775808'",
     PARSE_END, "|binary form", 6},
    {PACKED_LISTPACK, BLOB(LP("\x0b", "\1") "\xe0\x01" "7\x04" "\xff"), " '7'", PARSE_END,
     "|encoding of a length|binary form|entry behind it", 6},

    /* Ziplists: sound, also with a previous length in five bytes, and with what Redis 2.4 wrote. */
    {PACKED_ZIPLIST, BLOB(ZL("\x0b", "\x0a", "\0") "\xff"), "", PARSE_END, ""},
    {PACKED_ZIPLIST, BLOB(ZL("\x14", "\x0c", "\2") "\x00\xf6" "\xfe\x02\0\0\0\x01" "a" "\xff"), " 5 'a'", PARSE_END,
     ""},
    {PACKED_ZIPLIST, BLOB(ZL("\x14", "\x10", "\2") "\xfe\0\0\0\0\xf6" "\x06\x01" "a" "\xff"), " 5 'a'", PARSE_END, ""},
    {PACKED_ZIPLIST, BLOB(ZL("\x0d", "\x0a", "\1") "\x00\xf1" "\xff"), " 0", PARSE_END, ""},
    {PACKED_ZIPLIST, BLOB(ZL("\x0d", "\x0a", "\1") "\x00\xfd" "\xff"), " 12", PARSE_END, ""},
    {PACKED_ZIPLIST, BLOB(ZL("\x0e", "\x0a", "\1") "\x00\xfe\x0d" "\xff"), " 13", PARSE_END, ""},
    {PACKED_ZIPLIST, BLOB(ZL("\x0e", "\x0a", "\1") "\x00\xfe\x80" "\xff"), " -128", PARSE_END, ""},
    {PACKED_ZIPLIST, BLOB(ZL("\x0f", "\x0a", "\1") "\x00\xc0\x05\x00" "\xff"), " 5", PARSE_END, ""},
    {PACKED_ZIPLIST, BLOB(ZL("\x10", "\x0a", "\1") "\x00\xf0\x00\x80\x00" "\xff"), " 32768", PARSE_END, ""},
    {PACKED_ZIPLIST, BLOB(ZL("\x11", "\x0a", "\1") "\x00\xd0\x00\x80\x00\x00" "\xff"), " 32768", PARSE_END, ""},
    {PACKED_ZIPLIST, BLOB(ZL("\x15", "\x0a", "\1") "\x00\xe0\0\0\0\x80\0\0\0\0" "\xff"), " 2147483648", PARSE_END, ""},

    /* Ziplists: what contradicts itself. */
    {PACKED_ZIPLIST, BLOB("\x0b\0\0\0\x0a\0\0\0\0"), "", PARSE_STOP, "|head of 10 bytes"},
    {PACKED_ZIPLIST, BLOB(ZL("\x11", "\x0c", "\2") "\x00\xf6" "\x02\x01" "a" "\xff"), " 5 'a'", PARSE_END, "|size"},
    {PACKED_ZIPLIST, BLOB(ZL("\x10", "\x0a", "\2") "\x00\xf6" "\x02\x01" "a" "\xff"), " 5 'a'", PARSE_END,
     "|last entry", 4},
    {PACKED_ZIPLIST, BLOB(ZL("\x0b", "\x0b", "\0") "\xff"), "", PARSE_END, "|last entry", 4},
    {PACKED_ZIPLIST, BLOB(ZL("\x10", "\x0c", "\3") "\x00\xf6" "\x02\x01" "a" "\xff"), " 5 'a'", PARSE_END, "|as many"},
    {PACKED_ZIPLIST, BLOB(ZL("\x10", "\x0c", "\2") "\x01\xf6" "\x02\x01" "a" "\xff"), " 5 'a'", PARSE_END,
     "|entry before", 10},
    {PACKED_ZIPLIST, BLOB(ZL("\x10", "\x0c", "\2") "\x00\xf6" "\x03\x01" "a" "\xff"), " 5 'a'", PARSE_END,
     "|entry before", 12},
    {PACKED_ZIPLIST, BLOB(ZL("\x14", "\x0c", "\2") "\x00\xf6" "\xfe\x03\0\0\0\x01" "a" "\xff"), " 5 'a'", PARSE_END,
     "|entry before", 12},
    {PACKED_ZIPLIST, BLOB(ZL("\x10", "\x0c", "\2") "\x00\xf6" "\x02\x04" "a" "\xff"), " 5", PARSE_STOP, "|inside", 12},
    {PACKED_ZIPLIST, BLOB(ZL("\x11", "\x0c", "\2") "\x00\xf6" "\x02\x80\xff\xff\xff"), " 5", PARSE_STOP, "|inside", 12},
    {PACKED_ZIPLIST, BLOB(ZL("\x10", "\x0c", "\2") "\x00\xf6" "\x02\xc1" "ab"), " 5", PARSE_STOP, "|encoding", 13},
    {PACKED_ZIPLIST, BLOB(ZL("\x10", "\x0c", "\2") "\x00\xf6" "\x02\xff" "ab"), " 5", PARSE_STOP, "|encoding", 13},
    {PACKED_ZIPLIST, BLOB(ZL("\x0c", "\x0a", "\1") "\x00\xf6"), " 5", PARSE_STOP, "|end mark", 12},
    {PACKED_ZIPLIST, BLOB(ZL("\x0e", "\x0a", "\1") "\x00\xf6" "\xff" "x"), " 5", PARSE_END, "|nothing behind", 13},

    /* Ziplists: what no server writes. */
    {PACKED_ZIPLIST, BLOB(ZL("\x0e", "\x0a", "\1") "\x00\xfe\x0c" "\xff"), " 12", PARSE_END,
     "|encoding of a number", 10},
    {PACKED_ZIPLIST, BLOB(ZL("\x10", "\x0a", "\1") "\x00\xf0\xff\x7f\x00" "\xff"), " 32767", PARSE_END,
     "|encoding of a number", 10},
    {PACKED_ZIPLIST, BLOB(ZL("\x11", "\x0a", "\1") "\x00\xd0\xff\x7f\x00\x00" "\xff"), " 32767", PARSE_END,
     "|encoding of a number", 10},
    {PACKED_ZIPLIST, BLOB(ZL("\x0e", "\x0a", "\1") "\x00\x01" "7" "\xff"), " '7'", PARSE_END, "|binary form", 10},
    {PACKED_ZIPLIST, BLOB(ZL("\x0f", "\x0a", "\1") "\x00\x40\x01" "a" "\xff"), " 'a'", PARSE_END,
     "|encoding of a length", 10},
    {PACKED_ZIPLIST, BLOB(ZL("\x12", "\x0a", "\1") "\x00\x81\0\0\0\x01" "a" "\xff"), " 'a'", PARSE_END,
     "|encoding of a length|80 before", 10},

    /* Intsets. A number may be narrower than the width. */
    {PACKED_INTSET, BLOB(IS("\2", "\0")), "", PARSE_END, ""},
    {PACKED_INTSET, BLOB(IS("\x08", "\1") "\1\0\0\0\0\0\0\0"), " 1", PARSE_END, ""},
    {PACKED_INTSET, BLOB("\2\0\0\0\0\0\0"), "", PARSE_STOP, "|head of 8 bytes"},
    {PACKED_INTSET, BLOB(IS("\3", "\0")), "", PARSE_STOP, "|2, 4 or 8"},
    {PACKED_INTSET, BLOB(IS("\0", "\1")), "", PARSE_STOP, "|2, 4 or 8"},
    {PACKED_INTSET, BLOB(IS("\2", "\2") "\1\0"), " 1", PARSE_END, "|size"},
    {PACKED_INTSET, BLOB(IS("\2", "\1") "\1\0\2\0"), " 1", PARSE_END, "|size"},
    {PACKED_INTSET, BLOB("\2\0\0\0\xff\xff\xff\xff" "\1\0\2\0\3"), " 1 2", PARSE_END, "|size"},
    {PACKED_INTSET, BLOB(IS("\2", "\3") "\1\0\3\0\2\0"), " 1 3 2", PARSE_END, "|ascending", 12, RDB_BAD_ORDER},
    {PACKED_INTSET, BLOB(IS("\2", "\2") "\1\0\1\0"), " 1 1", PARSE_END, "|once", 10, RDB_DUPLICATE_ELEMENT},

    /* Zipmaps. Unused bytes behind a value mean nothing. */
    {PACKED_ZIPMAP, BLOB("\0\xff"), "", PARSE_END, ""},
    {PACKED_ZIPMAP, BLOB("\1" "\1k" "\1\0v" "\xff"), " 'k' 'v'", PARSE_END, ""},
    {PACKED_ZIPMAP, BLOB("\xfe" "\1k" "\1\0v" "\xff"), " 'k' 'v'", PARSE_END, ""},
    {PACKED_ZIPMAP, BLOB(""), "", PARSE_STOP, "|count"},
    {PACKED_ZIPMAP, BLOB("\2" "\1k" "\1\0v" "\xff"), " 'k' 'v'", PARSE_END, "|as many"},
    {PACKED_ZIPMAP, BLOB("\1" "\1k" "\1\0v" "\xff" "x"), " 'k' 'v'", PARSE_END, "|nothing behind", 7},
    {PACKED_ZIPMAP, BLOB("\1" "\1k" "\1\0v"), " 'k' 'v'", PARSE_STOP, "|end mark", 6},
    {PACKED_ZIPMAP, BLOB("\1" "\1k" "\xff"), " 'k'", PARSE_STOP, "|a value for each", 3},
    {PACKED_ZIPMAP, BLOB("\1" "\1k" "\1\3v" "\xff"), " 'k'", PARSE_STOP, "|inside", 3},
    {PACKED_ZIPMAP, BLOB("\1" "\6k" "\1\0v" "\xff"), "", PARSE_STOP, "|inside", 1},
    {PACKED_ZIPMAP, BLOB("\1" "\xfe\xff\xff\xff\xff" "k"), "", PARSE_STOP, "|inside", 1},
    {PACKED_ZIPMAP, BLOB("\1" "\xfe\1\0\0\0k" "\1\0v" "\xff"), " 'k' 'v'", PARSE_END, "|in one byte", 1},
    {PACKED_ZIPMAP, BLOB("\1" "\1k" "\xfe\1\0\0\0\0v" "\xff"), " 'k' 'v'", PARSE_END, "|in one byte", 3},
};

/* Appends to a text that has room for what the cases give. */
static void append(char *text, size_t room, const char *lead, struct bytes tail)
{
    size_t used = strlen(text), lead_len = strlen(lead);
    cr_assert_lt(used + lead_len + tail.len, room);
    memcpy(text + used, lead, lead_len);
    memcpy(text + used + lead_len, tail.at, tail.len);
    text[used + lead_len + tail.len] = '\0';
}

Test(packed_defects, each_is_told_where_it_is)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t *copy = malloc(cases[i].len + !cases[i].len);
        memcpy(copy, cases[i].blob, cases[i].len);
        char text[256] = "", room[RDB_SCALAR_ROOM];
        const char *damages = cases[i].damages;
        struct packed packed;
        struct packed_entry entry;
        enum parse_step step;
        packed_open(&packed, cases[i].form, (struct bytes){copy, cases[i].len});
        do {
            step = packed_next(&packed, &entry);
            if (step == PARSE_ITEM) {
                append(text, sizeof(text), entry.word.integer ? " " : " '", rdb_scalar_text(&entry.word, room));
                append(text, sizeof(text), entry.word.integer ? "" : "'", (struct bytes){copy, 0});
            } else if (step != PARSE_END) {
                const struct damage *damage = packed_damage(&packed);
                size_t part = strcspn(damages + !!*damages, "|");
                char expected[64] = "";
                append(expected, sizeof(expected), "", (struct bytes){(const uint8_t *)damages + !!*damages, part});
                cr_assert(part && strstr(damage->expected, expected), "case %zu (%s): expected %s", i,
                          cases[i].damages, damage->expected);
                if (damages == cases[i].damages)
                    cr_assert_eq(damage->place.offset, cases[i].offset, "case %zu: at %zu", i,
                                 (size_t)damage->place.offset);
                cr_assert_leq(damage->place.offset + damage->place.length, cases[i].len, "case %zu", i);
                cr_assert_eq(damage->code, cases[i].code ? cases[i].code : structural_code(damage), "case %zu", i);
                damages += 1 + part;
            }
        } while (step == PARSE_ITEM || step == PARSE_DAMAGE);
        cr_assert_eq(step, cases[i].last, "case %zu", i);
        cr_assert_str_eq(text, cases[i].text, "case %zu: %s", i, text);
        cr_assert_str_empty(damages, "case %zu", i);
        free(copy);
    }
}

/* Around each border of the width of a length behind a listpack's entry: the server's borders are not powers of two. */
Test(packed_defects, lengths_behind_entries_have_the_width_that_servers_give_them)
{
    static const struct {
        uint64_t length;
        size_t width;
    } borders[] = {{126, 1}, {127, 1}, {128, 2}, {16382, 2}, {16383, 3}, {16384, 3}, {2097150, 3}, {2097151, 4}};
    for (size_t i = 0; i < sizeof(borders) / sizeof(borders[0]); i++) {
        uint64_t length = borders[i].length;
        size_t head = length < 66 ? 1 : length < 4098 ? 2 : 5, n = length - head, size = 7 + length + borders[i].width;
        uint8_t *blob = calloc(1, size), *at = blob + 6;
        memcpy(blob, &(uint32_t){(uint32_t)size}, 4);
        blob[4] = 1;
        if (head == 2)
            memcpy(at, (uint8_t[]){(uint8_t)(0xe0 | n >> 8), (uint8_t)n}, 2);
        else
            memcpy(at, (uint8_t[]){0xf0, (uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16), 0}, 5);
        memset(at + head, 'x', n);
        for (size_t k = 0; k < borders[i].width; k++)
            at[length + k] = (uint8_t)((length >> 7 * (borders[i].width - 1 - k) & 127) | (k ? 128 : 0));
        blob[size - 1] = 0xff;
        struct packed packed;
        struct packed_entry entry;
        packed_open(&packed, PACKED_LISTPACK, (struct bytes){blob, size});
        cr_assert_eq(packed_next(&packed, &entry), PARSE_ITEM, "%zu", (size_t)length);
        cr_assert_eq(entry.word.text.len, n);
        cr_assert_eq(packed_next(&packed, &entry), PARSE_END, "%zu", (size_t)length);
        free(blob);
    }
}
