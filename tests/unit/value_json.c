#include "tools/render/value_json.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/render/escape.h"

#define WORD(text_) {.text = {(const uint8_t *)(text_), sizeof(text_) - 1}}
#define NUMBER(number_) {.integer = true, .number = (number_)}

static void expect_value(enum rdb_datatype datatype, const struct rdb_element *elements, size_t count,
                         const char *expected)
{
    struct out *out = out_open_memory();
    struct value_json writer;
    value_json_begin(&writer, out, datatype);
    for (size_t i = 0; i < count; i++)
        value_json_element(&writer, &elements[i]);
    value_json_end(&writer);
    struct bytes held = out_held(out);
    cr_expect(held.len == strlen(expected) && memcmp(held.at, expected, held.len) == 0, "found\n%.*s\nexpected\n%s",
              (int)held.len, (const char *)held.at, expected);
    out_close(out);
}

Test(value_json, strings)
{
    expect_value(RDB_STRING, &(struct rdb_element){.kind = RDB_ELEMENT_STRING, .value = WORD("a\n\"b\"")}, 1,
                 "{\"string\":\"a\\u000a\\\"b\\\"\"}");
    expect_value(RDB_STRING, &(struct rdb_element){.kind = RDB_ELEMENT_STRING, .value = NUMBER(INT64_MIN)}, 1,
                 "{\"string\":\"-9223372036854775808\"}");
    expect_value(RDB_STRING, &(struct rdb_element){.kind = RDB_ELEMENT_STRING, .value = WORD("\xff\\")}, 1,
                 "{\"string\":\"\\\\xff\\\\\\\\\",\"string_base64\":\"/1w=\"}");
    expect_value(RDB_STRING, &(struct rdb_element){.kind = RDB_ELEMENT_STRING}, 1, "{\"string\":\"\"}");
}

Test(value_json, collections)
{
    const struct rdb_element items[] = {
        {.kind = RDB_ELEMENT_ITEM, .value = WORD("a")},
        {.kind = RDB_ELEMENT_ITEM, .value = NUMBER(5)},
    };
    expect_value(RDB_LIST, items, 2, "{\"items\":[{\"item\":\"a\"},{\"item\":\"5\"}]}");
    const struct rdb_element members[] = {
        {.kind = RDB_ELEMENT_MEMBER, .name = WORD("m")},
        {.kind = RDB_ELEMENT_MEMBER, .name = WORD("n"), .has_expiry = true, .expire_ms = 1795358545199},
    };
    expect_value(RDB_SET, members, 2,
                 "{\"members\":[{\"member\":\"m\"},{\"member\":\"n\",\"expires\":\"2026-11-22T14:42:25.199Z\"}]}");
    const struct rdb_element scored[] = {
        {.kind = RDB_ELEMENT_SCORED, .name = WORD("m"), .score = -INFINITY},
        {.kind = RDB_ELEMENT_SCORED, .name = WORD("n"), .score = 0.1},
    };
    expect_value(RDB_ZSET, scored, 2,
                 "{\"members\":[{\"member\":\"m\",\"score\":\"-inf\"},{\"member\":\"n\",\"score\":\"0.1\"}]}");
    const struct rdb_element fields[] = {{.kind = RDB_ELEMENT_FIELD, .name = WORD("f"), .value = WORD("v")}};
    expect_value(RDB_HASH, fields, 1, "{\"fields\":[{\"field\":\"f\",\"value\":\"v\"}]}");
    const struct rdb_element slots[] = {{.kind = RDB_ELEMENT_SLOT, .index = UINT64_MAX, .value = WORD("v")}};
    expect_value(RDB_ARRAY, slots, 1, "{\"elements\":[{\"index\":\"18446744073709551615\",\"value\":\"v\"}]}");
}

Test(value_json, nothing_was_read)
{
    expect_value(RDB_STRING, NULL, 0, "{}");
    expect_value(RDB_LIST, NULL, 0, "{\"items\":[]}");
    expect_value(RDB_STREAM, NULL, 0, "{\"entries\":[],\"groups\":[]}");
}

Test(value_json, streams)
{
    const struct rdb_element elements[] = {
        {.kind = RDB_ELEMENT_ENTRY, .id = {1, 2}},
        {.kind = RDB_ELEMENT_ENTRY_FIELD, .name = WORD("f"), .value = WORD("v")},
        {.kind = RDB_ELEMENT_ENTRY_FIELD, .name = WORD("g"), .value = NUMBER(1)},
        {.kind = RDB_ELEMENT_ENTRY, .id = {3, 0}, .deleted = true},
        {.kind = RDB_ELEMENT_STREAM,
         .stream = {.length = 1, .last = {3, 0}, .has_history = true, .first = {1, 2}, .added = 2, .groups = 2}},
        {.kind = RDB_ELEMENT_GROUP, .name = WORD("one"), .id = {1, 2}, .count = UINT64_MAX},
        {.kind = RDB_ELEMENT_PENDING, .id = {1, 2}, .time_ms = 0, .count = 7},
        {.kind = RDB_ELEMENT_CONSUMER, .name = WORD("c"), .time_ms = 1, .active_ms = -1},
        {.kind = RDB_ELEMENT_CONSUMER_PENDING, .id = {1, 2}},
        {.kind = RDB_ELEMENT_CONSUMER_PENDING, .id = {3, 0}},
        {.kind = RDB_ELEMENT_CONSUMER, .name = WORD("d"), .time_ms = 1, .active_ms = 2},
        {.kind = RDB_ELEMENT_GROUP, .name = WORD("two"), .count = 1},
    };
    expect_value(RDB_STREAM, elements, sizeof(elements) / sizeof(*elements),
                 "{\"entries\":[{\"id\":\"1-2\",\"deleted\":false,\"fields\":[{\"field\":\"f\",\"value\":\"v\"},"
                 "{\"field\":\"g\",\"value\":\"1\"}]},{\"id\":\"3-0\",\"deleted\":true,\"fields\":[]}],"
                 "\"length\":\"1\",\"last_id\":\"3-0\",\"first_id\":\"1-2\",\"max_deleted_id\":\"0-0\","
                 "\"entries_added\":\"2\",\"groups\":[{\"name\":\"one\",\"last_delivered_id\":\"1-2\","
                 "\"entries_read\":null,\"pending\":[{\"id\":\"1-2\",\"delivered\":\"1970-01-01T00:00:00.000Z\","
                 "\"deliveries\":\"7\"}],\"consumers\":[{\"name\":\"c\",\"seen\":\"1970-01-01T00:00:00.001Z\","
                 "\"active\":null,\"pending\":[\"1-2\",\"3-0\"]},{\"name\":\"d\",\"seen\":"
                 "\"1970-01-01T00:00:00.001Z\",\"active\":\"1970-01-01T00:00:00.002Z\",\"pending\":[]}]},"
                 "{\"name\":\"two\",\"last_delivered_id\":\"0-0\",\"entries_read\":\"1\",\"pending\":[],"
                 "\"consumers\":[]}]}");
}

/* Elements whose owner was lost to damage do not break the document. */
Test(value_json, orphans_are_left_out)
{
    const struct rdb_element elements[] = {
        {.kind = RDB_ELEMENT_ENTRY_FIELD, .name = WORD("f"), .value = WORD("v")},
        {.kind = RDB_ELEMENT_CONSUMER_PENDING, .id = {1, 2}},
    };
    expect_value(RDB_STREAM, elements, 2, "{\"entries\":[],\"groups\":[]}");
}

Test(value_json, modules_and_what_is_opaque)
{
    const struct rdb_element elements[] = {
        {.kind = RDB_ELEMENT_MODULE, .name = WORD("sample-mo"), .count = 3},
        {.kind = RDB_ELEMENT_MODULE_VALUE, .value = NUMBER(-1)},
        {.kind = RDB_ELEMENT_MODULE_VALUE, .value = WORD("s")},
        {.kind = RDB_ELEMENT_MODULE_VALUE, .is_float = true, .score = 0.5},
    };
    expect_value(RDB_MODULE, elements, 4,
                 "{\"module\":\"sample-mo\",\"encoding_version\":\"3\",\"values\":[{\"integer\":\"-1\"},"
                 "{\"string\":\"s\"},{\"float\":\"0.5\"}]}");
    expect_value(RDB_OTHER, &(struct rdb_element){.kind = RDB_ELEMENT_OPAQUE, .value = WORD("\x00\xff")}, 1,
                 "{\"opaque_base64\":[\"AP8=\"]}");
}

Test(value_json, doubles)
{
    static const struct {
        double number;
        const char *text;
    } trials[] = {
        {0, "0"},           {-0.0, "-0"},       {1, "1"},
        {-17, "-17"},       {0.5, "0.5"},       {0.1, "0.1"},
        {-0.001, "-0.001"}, {INFINITY, "inf"},  {-INFINITY, "-inf"},
        {NAN, "nan"},       {1e100, "1e+100"},  {1e-10, "0.0000000001"},
        {1234.5678, "1234.5678"},
        {1.0 / 3, "0.3333333333333333"},
        {9007199254740991, "9007199254740991"},
    };
    for (size_t i = 0; i < sizeof(trials) / sizeof(*trials); i++) {
        struct out *out = out_open_memory();
        value_json_double(out, trials[i].number);
        struct bytes held = out_held(out);
        cr_expect(held.len == strlen(trials[i].text) && memcmp(held.at, trials[i].text, held.len) == 0, "%s: %.*s",
                  trials[i].text, (int)held.len, (const char *)held.at);
        out_close(out);
    }
}

Test(value_json, doubles_read_back)
{
    uint64_t bits = 1;
    for (unsigned i = 0; i < 200000; i++) {
        double number, again;
        bits = bits * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        if (i % 2) /* a decimal fraction rather than any bits */
            number = (double)(int64_t)(bits >> 24) / 100000;
        else
            memcpy(&number, &bits, sizeof(number));
        if (isnan(number))
            continue;
        struct out *out = out_open_memory();
        value_json_double(out, number);
        out_byte(out, '\0');
        again = strtod((const char *)out_held(out).at, NULL);
        cr_expect(memcmp(&again, &number, sizeof(number)) == 0, "%a: %s", number, (const char *)out_held(out).at);
        out_close(out);
    }
}

/* Where a few decimals do not do, it is what "%.17g" gives. */
Test(value_json, doubles_of_17_digits)
{
    uint64_t bits = 7;
    size_t long_ones = 0;
    for (unsigned i = 0; i < 200000; i++) {
        bits = bits * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        static const double scales[] = {1e-4, 1e-3, 1, 10, 99999, 1e9, 1e14, 1e15, 1e16, 1e17, 1e18};
        double number = (double)(bits >> 12) / 0x1p52 * scales[i % (sizeof(scales) / sizeof(scales[0]))];
        if (i % 7 == 0) /* beside a power of ten */
            number = nextafter(pow(10, (int)(bits >> 60) + 2), bits >> 40 & 1 ? INFINITY : 0);
        if (number < 1e-4)
            continue;
        struct out *out = out_open_memory();
        value_json_double(out, number);
        out_byte(out, '\0');
        char text[64];
        snprintf(text, sizeof(text), "%.17g", number);
        const char *held = (const char *)out_held(out).at;
        if (strlen(held) >= strlen(text)) {
            cr_expect_str_eq(held, text);
            long_ones++;
        }
        out_close(out);
    }
    cr_expect_gt(long_ones, 20000);
}
