/* Streams, written as text. A value is a row of words:
 *
 *     7            a length                        #1-0         id of a node: a string of sixteen bytes
 *     1-0          two lengths                     @1-0         sixteen bytes
 *     'name        a string                        ^5           a time, eight bytes
 *     [1 a b]      a listpack in a string: integers and texts
 *     {1 a b}      the same, compressed
 *
 * and what the reader makes of it is a line for each element and damage. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parsers/rdb/rdb_private.h"
#include "parsers/rdb/value.h"
#include "tests/unit/rdb_build.h"
#include "tests/unit/trials.h"

enum { NARROWEST = 16, NARROW = 61, WIDE = 4096, PACK_ROOM = 1024 };

struct pack {
    uint8_t bytes[PACK_ROOM];
    size_t len;
    unsigned words;
};

static void pack_byte(struct pack *pack, unsigned byte)
{
    cr_assert_lt(pack->len, PACK_ROOM);
    pack->bytes[pack->len++] = (uint8_t)byte;
}

static void pack_word(struct pack *pack, const char *word, size_t len)
{
    char *end;
    long long number = strtoll(word, &end, 10);
    size_t start = pack->len;
    if (len && end == word + len && number >= 0 && number < 128) {
        pack_byte(pack, (unsigned)number);
    } else if (len && end == word + len) {
        cr_assert(number >= -4096 && number < 4096);
        pack_byte(pack, 0xC0 | (number >> 8 & 31));
        pack_byte(pack, number & 255);
    } else {
        cr_assert_lt(len, 64);
        pack_byte(pack, 0x80 | (unsigned)len);
        for (size_t i = 0; i < len; i++)
            pack_byte(pack, (uint8_t)word[i]);
    }
    pack_byte(pack, (unsigned)(pack->len - start));
    pack->words++;
}

/* From [ or { on; gives what is behind it. */
static const char *build_listpack(struct rdb_build *build, const char *text)
{
    enum { LITERALS = 32, LZF = 0xC3 };
    struct pack pack = {.len = 6};
    bool compressed = *text++ == '{';
    text += strspn(text, " ");
    while (*text != ']' && *text != '}') {
        size_t len = strcspn(text, " ]}");
        pack_word(&pack, text, len);
        text += len;
        text += strspn(text, " ");
    }
    pack_byte(&pack, 0xFF);
    for (size_t i = 0; i < 4; i++)
        pack.bytes[i] = (uint8_t)(pack.len >> (8 * i));
    pack.bytes[4] = (uint8_t)pack.words;
    if (compressed) {
        cr_assert_leq(pack.len, LITERALS);
        rdb_build_u8(build, LZF);
        rdb_build_length(build, pack.len + 1);
    }
    rdb_build_length(build, pack.len);
    if (compressed)
        rdb_build_u8(build, (unsigned)pack.len - 1);
    rdb_build_bytes(build, pack.bytes, pack.len);
    return text + 1;
}

static uint64_t build_number(const char **text)
{
    char *end;
    uint64_t number = strtoull(*text, &end, 10);
    cr_assert(end != *text, "%s", *text);
    *text = end;
    return number;
}

static void build_be64(struct rdb_build *build, uint64_t value)
{
    for (size_t i = 8; i > 0; i--)
        rdb_build_u8(build, value >> (8 * (i - 1)) & 255);
}

static const char *build_raw_id(struct rdb_build *build, const char *text)
{
    build_be64(build, build_number(&text));
    text++;
    build_be64(build, build_number(&text));
    return text;
}

static const char *build_word(struct rdb_build *build, const char *text)
{
    char name[64];
    size_t len;
    switch (*text) {
    case '[':
    case '{':
        return build_listpack(build, text);
    case '#':
        rdb_build_length(build, 16);
        return build_raw_id(build, text + 1);
    case '@':
        return build_raw_id(build, text + 1);
    case '^':
        text++;
        rdb_build_le(build, build_number(&text), 8);
        return text;
    case '\'':
        len = strcspn(text + 1, " ");
        snprintf(name, sizeof(name), "%.*s", (int)len, text + 1);
        rdb_build_string(build, name);
        return text + 1 + len;
    default:
        rdb_build_length(build, build_number(&text));
        if (*text == '-') {
            text++;
            rdb_build_length(build, build_number(&text));
        }
        return text;
    }
}

/* A dump with the key s, which is such a stream, and another key behind it. */
static struct rdb_build dump_of(unsigned type, const char *text)
{
    struct rdb_build build = rdb_build_begin("REDIS0015");
    rdb_build_key(&build, type, "s");
    for (text += strspn(text, " "); *text; text += strspn(text, " "))
        text = build_word(&build, text);
    rdb_build_string_key(&build, "next", "value");
    rdb_build_end(&build);
    return build;
}

struct report {
    char *text;
    size_t len;
    FILE *to;
    size_t elements, damages;
};

static const char *shown(const struct rdb_scalar *scalar, char text[128])
{
    char room[RDB_SCALAR_ROOM];
    struct bytes bytes = rdb_scalar_text(scalar, room);
    snprintf(text, 128, "%.*s", (int)bytes.len, bytes.len ? (const char *)bytes.at : "");
    return text;
}

#define ID "%" PRIu64 "-%" PRIu64
#define ID_OF(id) (id).ms, (id).seq

static void tell_stream(FILE *to, const struct rdb_stream_facts *facts)
{
    fprintf(to, "stream of %" PRIu64 ", last " ID, facts->length, ID_OF(facts->last));
    if (facts->has_history)
        fprintf(to, ", first " ID ", deleted " ID ", added %" PRIu64, ID_OF(facts->first), ID_OF(facts->max_deleted),
                facts->added);
    fprintf(to, ", groups %" PRIu64, facts->groups);
}

static void tell_element(FILE *to, const struct rdb_element *element)
{
    char name[128], value[128];
    switch (element->kind) {
    case RDB_ELEMENT_ENTRY:
        fprintf(to, "entry " ID "%s", ID_OF(element->id), element->deleted ? " deleted" : "");
        break;
    case RDB_ELEMENT_ENTRY_FIELD:
        fprintf(to, "%s=%s", shown(&element->name, name), shown(&element->value, value));
        break;
    case RDB_ELEMENT_STREAM:
        tell_stream(to, &element->stream);
        break;
    case RDB_ELEMENT_GROUP:
        fprintf(to, "group %s at " ID ", read %" PRId64, shown(&element->name, name), ID_OF(element->id),
                (int64_t)element->count);
        break;
    case RDB_ELEMENT_PENDING:
        fprintf(to, "pending " ID " since %" PRId64 ", %" PRIu64 " times", ID_OF(element->id), element->time_ms,
                element->count);
        break;
    case RDB_ELEMENT_CONSUMER:
        fprintf(to, "consumer %s seen %" PRId64 ", active %" PRId64, shown(&element->name, name), element->time_ms,
                element->active_ms);
        break;
    case RDB_ELEMENT_CONSUMER_PENDING:
        fprintf(to, "has " ID, ID_OF(element->id));
        break;
    case RDB_ELEMENT_NACK:
        fprintf(to, "back " ID, ID_OF(element->id));
        break;
    case RDB_ELEMENT_PRODUCER:
        fprintf(to, "producer %s", shown(&element->name, name));
        break;
    case RDB_ELEMENT_PRODUCED:
        fprintf(to, "%s is " ID, shown(&element->name, name), ID_OF(element->id));
        break;
    default:
        cr_assert(false, "kind %d in a stream", (int)element->kind);
    }
    fputc('\n', to);
}

static void tell_damage(struct report *report, const struct rdb *reader, size_t size)
{
    const struct damage *damage = rdb_damage(reader);
    cr_assert(damage && damage->expected && damage->found);
    cr_assert_leq(damage->place.offset + damage->place.length, size);
    fprintf(report->to, "! %s: %s\n", rdb_defect_name((enum rdb_defect)damage->code), damage->expected);
    report->damages++;
}

static enum parse_step read_value(struct report *report, struct rdb *reader, size_t size)
{
    const struct rdb_element *element;
    enum parse_step step;
    while ((step = rdb_value_next(reader, &element)) == PARSE_ITEM || step == PARSE_DAMAGE) {
        if (step == PARSE_DAMAGE) {
            tell_damage(report, reader, size);
            continue;
        }
        cr_assert_leq(element->place.offset + element->place.length, size);
        tell_element(report->to, element);
        report->elements++;
    }
    return step;
}

/* What is said of a dump, a line each; damage of the checksum aside. */
static struct report read_dump(struct bytes dump, size_t window)
{
    struct report report = {0};
    struct source *source = source_memory(dump.at, dump.len);
    struct rdb *reader = rdb_open_sized(source, RDB_VALUES, window);
    struct rdb_item item;
    enum parse_step step;
    report.to = open_memstream(&report.text, &report.len);
    cr_assert(report.to && reader);
    while ((step = rdb_next(reader, &item)) == PARSE_ITEM || step == PARSE_DAMAGE) {
        if (step == PARSE_DAMAGE && rdb_damage(reader)->code != RDB_BAD_CHECKSUM)
            tell_damage(&report, reader, dump.len);
        if (step == PARSE_ITEM && item.kind == RDB_KEY && item.key.datatype == RDB_STREAM &&
            read_value(&report, reader, dump.len) == PARSE_STOP)
            break;
        if (step == PARSE_ITEM && item.kind == RDB_KEY && item.key.datatype == RDB_STRING)
            fputs("next\n", report.to);
    }
    if (rdb_stop(reader))
        fputs("stop\n", report.to);
    rdb_close(reader);
    source_close(source);
    fclose(report.to);
    return report;
}

static struct report read_text(unsigned type, const char *text, size_t window)
{
    struct rdb_build build = dump_of(type, text);
    struct report report = read_dump((struct bytes){build.at, build.len}, window);
    rdb_build_free(&build);
    return report;
}

/* Two nodes: entries with the fields of their node, with others, and deleted; the facts follow. */
#define NODES                                                                                                          \
    "2 #5-0 [2 1 2 a b 0  2 0 0 x 1 5  3 0 1 y 2 5  0 4 -0 1 other 7 6] "                                              \
    "#1000-9 [1 0 1 a 0  2 0 0 z 4] "
#define ENTRIES                                                                                                        \
    "entry 5-0\na=x\nb=1\nentry 5-1 deleted\na=y\nb=2\nentry 9-0\nother=7\nentry 1000-9\na=z\n"

static const struct {
    unsigned type;
    const char *text, *expected;
} versions[] = {
    {15, NODES "3 1000-9 1 'g 9-0 1 @9-0 ^70 2 1 'c ^80 1 @9-0",
     ENTRIES "stream of 3, last 1000-9, groups 1\n"
             "group g at 9-0, read -1\npending 9-0 since 70, 2 times\n"
             "consumer c seen 80, active -1\nhas 9-0\nnext\n"},
    {19, NODES "3 1000-9 5-0 5-1 4 1 'g 9-0 2 1 @9-0 ^70 2 1 'c ^80 1 @9-0",
     ENTRIES "stream of 3, last 1000-9, first 5-0, deleted 5-1, added 4, groups 1\n"
             "group g at 9-0, read 2\npending 9-0 since 70, 2 times\n"
             "consumer c seen 80, active -1\nhas 9-0\nnext\n"},
    {21, NODES "3 1000-9 5-0 5-1 4 2 'g 9-0 2 1 @9-0 ^70 2 1 'c ^80 ^79 1 @9-0 'h 0-0 18446744073709551615 0 0",
     ENTRIES "stream of 3, last 1000-9, first 5-0, deleted 5-1, added 4, groups 2\n"
             "group g at 9-0, read 2\npending 9-0 since 70, 2 times\n"
             "consumer c seen 80, active 79\nhas 9-0\n"
             "group h at 0-0, read -1\nnext\n"},
    {26, NODES "3 1000-9 5-0 5-1 4 0  600 100 2 'p 2 'i 5-0 'j 9-0 'q 0 3 1",
     ENTRIES "stream of 3, last 1000-9, first 5-0, deleted 5-1, added 4, groups 0\n"
             "producer p\ni is 5-0\nj is 9-0\nproducer q\nnext\n"},
    {27, NODES "3 1000-9 5-0 5-1 4 1 'g 1000-9 3 3 @5-0 ^70 2 @9-0 ^70 1 @1000-9 ^71 1 1 'c ^80 ^79 1 @9-0 "
               "2 @1000-9 @5-0  600 100 0 0 0",
     ENTRIES "stream of 3, last 1000-9, first 5-0, deleted 5-1, added 4, groups 1\n"
             "group g at 1000-9, read 3\npending 5-0 since 70, 2 times\npending 9-0 since 70, 1 times\n"
             "pending 1000-9 since 71, 1 times\nconsumer c seen 80, active 79\nhas 9-0\nback 1000-9\nback 5-0\n"
             "next\n"},
};
enum { VERSIONS = sizeof(versions) / sizeof(versions[0]) };

Test(rdb_stream, versions)
{
    static const size_t windows[] = {NARROWEST, NARROW, WIDE};
    for (size_t i = 0; i < VERSIONS; i++)
        for (size_t w = 0; w < sizeof(windows) / sizeof(windows[0]); w++) {
            struct report report = read_text(versions[i].type, versions[i].text, windows[w]);
            cr_assert_str_eq(report.text, versions[i].expected, "type %u, window %zu", versions[i].type, windows[w]);
            free(report.text);
        }
}

/* One node with these entries, of one field. */
#define NODE(words) "1 #5-0 [" words "] "
#define ONE NODE("1 0 1 a 0  2 0 0 x 4")
#define GROUP ONE "1 5-0 5-0 0-0 1 "

static const struct {
    const char *what;
    unsigned type;
    const char *text;
} sound[] = {
    {"nothing", 15, "0 0 0-0 0"},
    {"never had an entry", 19, "0 0 0-0 0-0 0-0 0 0"},
    {"empty, read from version 1", 19, "0 0 5-0 18446744073709551615-18446744073709551615 0-0 0 0"},
    {"emptied, then set back with XSETID", 19, "0 0 5-0 0-0 10-0 1 0"},
    {"trimmed to nothing inside a node", 19, NODE("0 2 1 a 0  3 0 0 x 4  3 1 0 y 4") "0 6-0 0-0 6-0 2 0"},
    {"set back behind a deleted entry by XSETID of 6.2", 15,
     NODE("2 1 1 a 0  2 0 0 x 4  3 9 0 y 4  2 1 0 z 4") "2 6-0 0"},
    {"a sequence number below that of the node", 15, "1 #5-7 [2 0 1 a 0  2 0 0 x 4  2 1 -7 y 4] 2 6-0 0"},
    {"entries without fields", 15, NODE("2 0 0 0  2 0 0 3  0 1 0 0 4") "2 6-0 0"},
    {"added raised by XSETID", 19, ONE "1 9-0 5-0 7-0 100 0"},
    {"a group before its stream", 19, GROUP "1 'g 99-0 50 0 0"},
    {"a group without a name", 19, GROUP "1 ' 0-0 0 0 0"},
    {"a pending entry that is no more, delivered 0 times at 0", 19, GROUP "1 'g 0-0 0 1 @99-0 ^0 0 1 'c ^0 1 @99-0"},
    {"a consumer that never read", 21, GROUP "1 'g 0-0 0 0 1 'c ^5 ^18446744073709551615 0"},
    {"given back in another order", 27,
     GROUP "1 'g 9-0 0 2 @1-0 ^0 0 @2-0 ^0 0 0 2 @2-0 @1-0 1 1 0 0 0"},
    {"producers in any order", 26, GROUP "0 600 100 2 'q 2 'b 5-0 'a 5-0 'p 1 'b 5-0 3 0"},
};

Test(rdb_stream, sound_however_odd)
{
    for (size_t i = 0; i < sizeof(sound) / sizeof(sound[0]); i++) {
        struct report report = read_text(sound[i].type, sound[i].text, WIDE);
        cr_assert(!report.damages && strstr(report.text, "next\n"), "%s:\n%s", sound[i].what, report.text);
        free(report.text);
    }
}

static const struct {
    unsigned type;
    const char *text, *damages;
} defects[] = {
    /* Nodes. */
    {15, "1 'short [1 0 1 a 0  2 0 0 x 4] 1 5-0 0", "! stream-node: sixteen bytes as id of a stream's node\n"},
    {15, "1 #5-0 'rubbish 1 5-0 0", NULL},
    {15, "1 #5-0 [] 1 5-0 0", "! stream: the number of live entries in a node\n"},
    {15, NODE("x 0 1 a 0  2 0 0 x 4") "1 5-0 0", "! stream: the number of live entries in a node\n"},
    {15, NODE("1 -1 1 a 0  2 0 0 x 4") "1 5-0 0", "! stream: the number of deleted entries in a node\n"},
    {15, NODE("1 0") "1 5-0 0", "! stream: the number of fields of a node\n"},
    {15, NODE("1 0 4000 a") "1 5-0 0", "! stream: the fields of a node\n"},
    {15, NODE("1 0 1 a 1  2 0 0 x 4") "1 5-0 0", "! stream: 0 behind the fields of a node\n"},
    {15, NODE("1 0 1 a b  2 0 0 x 4") "1 5-0 0", "! stream: 0 behind the fields of a node\n"},
    {15, NODE("0 0 1 a 0") "0 5-0 0", "! stream-node: an entry in each node of a stream\n"},
    {15, NODE("2 0 1 a 0  2 0 0 x 4") "1 5-0 0", "! stream: as many live entries as the node states\n"},
    {15, NODE("1 0 1 a 0  2 0 0 x 4  3 1 0 x 4") "1 5-0 0", "! stream: as many deleted entries as the node states\n"},
    {15, "2 #5-0 [1 0 1 a 0  2 0 0 x 4] #5-0 [0 1 1 a 0  3 0 0 x 4] 1 5-0 0",
     "! duplicate-element: a node of a stream once\n"},
    {15, "2 #6-0 [0 1 1 a 0  3 0 0 x 4] #5-0 [1 0 1 a 0  2 0 0 x 4] 1 6-0 0",
     "! order: nodes of a stream that ascend\n"},
    /* Entries. */
    {15, NODE("1 0 1 a 0  6 0 0 x 4") "1 5-0 0", "! stream: flags of an entry from 0 to 3\n"},
    {15, NODE("1 0 1 a 0  f 0 0 x 4") "1 5-0 0", "! stream: flags of an entry from 0 to 3\n"},
    {15, NODE("1 0 1 a 0  2 x 0 x 4") "1 5-0 0", "! stream: the milliseconds of an entry\n"},
    {15, NODE("1 0 1 a 0  2 0 x x 4") "1 5-0 0", "! stream: the sequence number of an entry\n"},
    {15, NODE("1 0 1 a 0  2 1 0 x 4") "1 6-0 0", "! stream: the id of a node as that of its first entry\n"},
    {15, NODE("1 0 1 a 0  0 0 0 -1 a x 6") "1 5-0 0", "! stream: the number of fields of an entry\n"},
    {15, NODE("1 0 1 a 0  0 0 0 2 a x 6") "1 5-0 0", "! stream: the values of an entry\n"},
    {15, NODE("1 0 1 a 0  0 0 0 2 a x") "1 5-0 0", "! stream: the fields of an entry\n"},
    {15, NODE("1 0 1 a 0  2 0 0 x 5") "1 5-0 0", "! stream: the number of an entry's words behind it\n"},
    {15, NODE("1 0 1 a 0  2 0 0 x y") "1 5-0 0", "! stream: the number of an entry's words behind it\n"},
    {15, NODE("1 0 1 a 0  2 0 0 x") "1 5-0 0", "! stream: the number of an entry's words behind it\n"},
    {15, NODE("2 0 1 a 0  2 0 0 x 4  2 0 0 y 4") "2 5-0 0", "! order: ids of entries that ascend\n"},
    {15, "2 #5-0 [2 0 1 a 0  2 0 0 x 4  2 9 0 y 4] #6-0 [1 0 1 a 0  2 0 0 x 4] 3 14-0 0",
     "! order: ids of entries that ascend\n"},
    {15, "1 #0-0 [1 0 1 a 0  2 0 0 x 4] 1 5-0 0", "! stream: an id above 0-0\n"},
    /* Facts. */
    {15, ONE "2 5-0 0", "! stream: the number of entries of the stream\n"},
    {15, ONE "1 4-9 0", "! stream: no entry above the stream's last id\n"},
    {19, ONE "1 5-0 5-1 0-0 1 0", "! stream: the id of the stream's first entry\n"},
    {19, "0 0 5-0 5-0 0-0 1 0", "! stream: the id of the stream's first entry\n"},
    {19, ONE "1 5-0 5-0 0-0 0 0", "! stream: as many entries added as there are, or more\n"},
    /* Groups. */
    {19, GROUP "2 'g 5-0 0 0 0 'g 5-0 0 0 0", "! duplicate-element: a consumer group once\n"},
    {19, GROUP "2 'h 5-0 0 0 0 'g 5-0 0 0 0", "! order: consumer groups in the order of their names\n"},
    {19, GROUP "3 'g 5-0 0 0 0 'f 5-0 0 0 0 'g 5-0 0 0 0",
     "! order: consumer groups in the order of their names\n! duplicate-element: a consumer group once\n"},
    {19, GROUP "1 'g 5-0 18446744073709551614 0 0", "! stream: entries read from 0, or -1\n"},
    {19, GROUP "1 'g 5-0 0 1 @5-0 ^253402300800000 1 1 'c ^1 1 @5-0",
     "! stream: a delivery between the years 1970 and 9999\n"},
    {19, GROUP "1 'g 5-0 0 1 @5-0 ^1 9223372036854775808 1 'c ^1 1 @5-0",
     "! stream: a number of deliveries from 0\n"},
    {19, GROUP "1 'g 5-0 0 2 @6-0 ^1 1 @5-0 ^1 1 1 'c ^1 2 @5-0 @6-0", "! order: pending entries that ascend\n"},
    {19, GROUP "1 'g 5-0 0 2 @5-0 ^1 1 @5-0 ^1 1 1 'c ^1 1 @5-0", "! duplicate-element: a pending entry once\n"},
    {19, GROUP "1 'g 5-0 0 3 @5-0 ^1 1 @4-0 ^1 1 @5-0 ^1 1 1 'c ^1 2 @4-0 @5-0",
     "! order: pending entries that ascend\n! duplicate-element: a pending entry once\n"},
    {19, GROUP "1 'g 5-0 0 0 2 'c ^1 0 'c ^1 0", "! duplicate-element: a consumer of a group once\n"},
    {19, GROUP "1 'g 5-0 0 0 2 'd ^1 0 'c ^1 0", "! order: consumers in the order of their names\n"},
    {21, GROUP "1 'g 5-0 0 0 1 'c ^18446744073709551615 ^1 0",
     "! stream: a consumer seen between the years 1970 and 9999\n"},
    {21, GROUP "1 'g 5-0 0 0 1 'c ^1 ^18446744073709551614 0",
     "! stream: a consumer active between 1970 and 9999, or -1\n"},
    {19, GROUP "1 'g 5-0 0 0 1 'c ^1 1 @5-0", "! consumer-group: an entry that is pending in the group\n"},
    {19, GROUP "1 'g 5-0 0 1 @5-0 ^1 1 1 'c ^1 2 @5-0 @5-0",
     "! duplicate-element: a pending entry of a consumer once\n"},
    {19, GROUP "1 'g 5-0 0 2 @5-0 ^1 1 @6-0 ^1 1 1 'c ^1 2 @6-0 @5-0", "! order: pending entries that ascend\n"},
    {19, GROUP "1 'g 5-0 0 1 @5-0 ^1 1 2 'c ^1 1 @5-0 'd ^1 1 @5-0",
     "! pending-shared: one owner of a pending entry\n"},
    {19, GROUP "1 'g 5-0 0 2 @5-0 ^1 1 @6-0 ^1 1 1 'c ^1 1 @5-0",
     "! pending-of-nobody: a consumer that has each pending entry\n"},
    {27, GROUP "1 'g 5-0 0 1 @5-0 ^1 1 1 'c ^1 ^1 1 @5-0 1 @5-0 0 0 0 0 0",
     "! pending-shared: one owner of a pending entry\n"},
    {27, GROUP "1 'g 5-0 0 1 @5-0 ^1 1 0 2 @5-0 @5-0 0 0 0 0 0",
     "! duplicate-element: an entry given back once\n"},
    {27, GROUP "1 'g 5-0 0 0 0 1 @5-0 0 0 0 0 0", "! consumer-group: an entry that is pending in the group\n"},
    /* Producers. */
    {26, GROUP "0 600 100 2 'p 0 'p 0 0 0", "! duplicate-element: a producer once\n"},
    {26, GROUP "0 600 100 1 'p 3 'b 5-0 'a 5-0 'b 5-0 3 0", "! duplicate-element: an id of a producer once\n"},
};
enum { DEFECTS = sizeof(defects) / sizeof(defects[0]) };

static char *damages_of(const char *text)
{
    char *lines = calloc(1, strlen(text) + 1), *to = lines;
    cr_assert(lines);
    while (*text) {
        size_t len = strcspn(text, "\n") + 1;
        if (*text == '!')
            to = mempcpy(to, text, len);
        text += len;
    }
    return lines;
}

/* Each is found, alone, and the walk goes on to the key behind. */
Test(rdb_stream, defects)
{
    for (size_t i = 0; i < DEFECTS; i++) {
        struct report report = read_text(defects[i].type, defects[i].text, WIDE);
        char *damages = damages_of(report.text);
        if (defects[i].damages)
            cr_assert_str_eq(damages, defects[i].damages, "%s\n%s", defects[i].text, report.text);
        else
            cr_assert(strstr(damages, "! packed: "), "%s\n%s", defects[i].text, report.text);
        cr_assert(strstr(report.text, "next\n"), "%s\n%s", defects[i].text, report.text);
        free(damages);
        free(report.text);
    }
}

Test(rdb_stream, goes_on_behind_a_broken_node)
{
    static const char text[] = "3 #1-0 [1 0 1 a 0  2 0 0 x 4] #2-0 [2 0 1 a 0  2 0 0 y 4  2 1 z z 4] "
                               "#9-0 [1 0 1 a 0  2 0 0 z 4] 4 9-0 0";
    struct report report = read_text(15, text, WIDE);
    cr_assert_str_eq(report.text, "entry 1-0\na=x\nentry 2-0\na=y\n! stream: the sequence number of an entry\n"
                                  "entry 9-0\na=z\nstream of 4, last 9-0, groups 0\nnext\n");
    free(report.text);
}

Test(rdb_stream, compressed_nodes)
{
    static const char text[] = "2 #1-0 {1 0 1 a 0  2 0 0 x 4} #2-0 {1 0 1 a 0  2 0 0 y 5} 2 2-0 0";
    struct report report = read_text(15, text, NARROWEST);
    cr_assert_str_eq(report.text, "entry 1-0\na=x\nentry 2-0\na=y\n! stream: the number of an entry's words behind it\n"
                                  "stream of 2, last 2-0, groups 0\nnext\n");
    free(report.text);
}

/* Many entries are pending, in the order of the file and looked up in another. */
Test(rdb_stream, many_pending)
{
    enum { MANY = 3000 };
    struct rdb_build build = rdb_build_begin("REDIS0010");
    rdb_build_key(&build, 19, "s");
    static const char facts[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    rdb_build_bytes(&build, facts, sizeof(facts));
    rdb_build_string(&build, "g");
    rdb_build_bytes(&build, facts, 3);
    rdb_build_length(&build, MANY);
    for (uint64_t i = 1; i <= MANY; i++) {
        build_be64(&build, i);
        build_be64(&build, 0);
        rdb_build_le(&build, 1, 8);
        rdb_build_length(&build, 1);
    }
    rdb_build_length(&build, 7);
    for (uint64_t consumer = 0; consumer < 7; consumer++) {
        rdb_build_string(&build, (const char[]){(char)('a' + consumer), 0});
        rdb_build_le(&build, 1, 8);
        rdb_build_length(&build, MANY / 7 + (consumer && consumer <= MANY % 7));
        for (uint64_t i = consumer ? consumer : 7; i <= MANY; i += 7) {
            build_be64(&build, i);
            build_be64(&build, 0);
        }
    }
    rdb_build_end(&build);
    struct report report = read_dump((struct bytes){build.at, build.len}, NARROW);
    cr_assert_eq(report.damages, 0, "%s", damages_of(report.text));
    cr_assert_eq(report.elements, 1 + 1 + MANY + 7 + MANY);
    free(report.text);
    rdb_build_free(&build);
}

static char *transcript(struct bytes dump, size_t ended)
{
    (void)ended;
    struct report narrow = read_dump(dump, NARROWEST), wide = read_dump(dump, WIDE);
    cr_assert_str_eq(narrow.text, wide.text);
    free(narrow.text);
    return wide.text;
}

Test(rdb_stream, cut_everywhere)
{
    for (size_t i = 0; i < VERSIONS; i++) {
        struct rdb_build build = dump_of(versions[i].type, versions[i].text);
        for (size_t len = 0; len < build.len; len++) {
            uint8_t *cut = malloc(len + 1);
            cr_assert(cut);
            memcpy(cut, build.at, len);
            char *text = transcript((struct bytes){cut, len}, len);
            cr_assert(strstr(text, "stop\n"));
            free(text);
            free(cut);
        }
        rdb_build_free(&build);
    }
}

Test(rdb_stream, flipped_everywhere)
{
    for (size_t i = 0; i < VERSIONS; i++) {
        struct rdb_build build = dump_of(versions[i].type, versions[i].text);
        trial_flips((struct bytes){build.at, build.len}, transcript);
        for (size_t bit = 0; bit < build.len * 8; bit++) {
            build.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
            free(transcript((struct bytes){build.at, build.len}, SIZE_MAX));
            build.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        rdb_build_free(&build);
    }
}
