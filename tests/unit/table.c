#include "tools/render/table.h"

#include <criterion/criterion.h>
#include <csv.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { KEY, TYPE, TTL, SIZE, SAVED, WHOLE, RANGES, SHA, COLUMNS };

static const struct column columns[COLUMNS] = {
    [KEY] = {"key", COLUMN_BYTES, NULL, 12, 0, "the key"},
    [TYPE] = {"type", COLUMN_TEXT},
    [TTL] = {"ttl", COLUMN_COUNT},
    [SIZE] = {"size", COLUMN_U64, "bytes", 0, COLUMN_GROUPED},
    [SAVED] = {"saved", COLUMN_TIME},
    [WHOLE] = {"whole", COLUMN_BOOL},
    [RANGES] = {"ranges", COLUMN_LIST},
    [SHA] = {"sha256", COLUMN_TEXT, NULL, 0, COLUMN_MACHINE},
};

static const struct record_type sample = {"rcf-sample", 1, "keys", columns, COLUMNS};

static const struct bytes ranges[] = {{(const uint8_t *)"0-5494", 6}, {(const uint8_t *)"6 7", 3}};

static void expect_held(struct out *out, const char *expected)
{
    struct bytes held = out_held(out);
    cr_expect_eq(out_error(out), 0);
    cr_expect(held.len == strlen(expected) && memcmp(held.at, expected, held.len) == 0, "got:\n%.*s\nexpected:\n%s",
              (int)held.len, (const char *)held.at, expected);
    out_close(out);
}

static void fill_sample(struct table *table)
{
    table_bytes(table, KEY, (struct bytes){(const uint8_t *)"user:\xff", 6});
    table_text(table, TYPE, "string");
    table_count(table, TTL, -1);
    table_u64(table, SIZE, 1234567);
    table_time(table, SAVED, 1795358545199);
    table_bool(table, WHOLE, true);
    table_list(table, RANGES, ranges, 2);
    table_text(table, SHA, "abc");
    table_row(table);

    table_text(table, KEY, "=a longer key, cut");
    table_text(table, TYPE, "");
    table_count(table, TTL, 1000);
    table_u64(table, SIZE, UINT64_MAX);
    table_bool(table, WHOLE, false);
    table_list(table, RANGES, NULL, 0);
    table_row(table);

    table_text(table, KEY, NULL);
    table_row(table);
}

static struct out *write_sample(enum format format)
{
    struct out *out = out_open_memory();
    struct table *table = table_open(out, &sample, format);
    fill_sample(table);
    cr_expect_eq(table_rows(table), 3);
    table_close(table);
    return out;
}

Test(table, text)
{
    /* each line in two pieces */
    expect_held(write_sample(FORMAT_TEXT),
                "key           type     ttl                       bytes  "
                "saved                     whole  ranges\n"
                "user:\\xff     string    -1                   1,234,567  "
                "2026-11-22T14:42:25.199Z  yes    0-5494 6\\x207\n"
                "=a longer...  \"\"      1000  18,446,744,073,709,551,615  "
                "-                         no     -\n"
                "-             -          -                           -  "
                "-                         -      -\n");
}

Test(table, csv)
{
    expect_held(write_sample(FORMAT_CSV),
                "key,type,ttl,size,saved,whole,ranges,sha256\r\n"
                "user:\\xff,string,-1,1234567,2026-11-22T14:42:25.199Z,true,0-5494 6\\x207,abc\r\n"
                "\"'=a longer key, cut\",\"\",1000,18446744073709551615,,false,\"\",\r\n"
                ",,,,,,,\r\n");
}

static const char sample_lines[] =
    "{\"key\":\"user:\\\\xff\",\"key_base64\":\"dXNlcjr/\",\"type\":\"string\",\"ttl\":-1,\"size\":\"1234567\","
    "\"saved\":\"2026-11-22T14:42:25.199Z\",\"whole\":true,\"ranges\":[\"0-5494\",\"6 7\"],\"sha256\":\"abc\"}\n"
    "{\"key\":\"=a longer key, cut\",\"type\":\"\",\"ttl\":1000,\"size\":\"18446744073709551615\",\"saved\":null,"
    "\"whole\":false,\"ranges\":[],\"sha256\":null}\n"
    "{\"key\":null,\"type\":null,\"ttl\":null,\"size\":null,\"saved\":null,\"whole\":null,\"ranges\":null,"
    "\"sha256\":null}\n";

Test(table, json_lines)
{
    expect_held(write_sample(FORMAT_JSONL), sample_lines);
}

/* Blanks and line ends outside strings. */
static void squeeze(struct bytes text, char *to)
{
    bool inside = false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '"' && (i == 0 || text.at[i - 1] != '\\'))
            inside = !inside;
        if (inside || (text.at[i] != ' ' && text.at[i] != '\n'))
            *to++ = (char)text.at[i];
    }
    *to = '\0';
}

/* The document holds the records of the JSON lines, between commas. */
Test(table, json_document)
{
    char expected[2 * sizeof sample_lines] = "{\"schema\":\"rcf-sample\",\"version\":1,\"keys\":[";
    char *end = expected + strlen(expected);
    for (const char *at = sample_lines; *at; at++)
        *end++ = *at == '\n' ? ',' : *at;
    memcpy(end - 1, "]}", 3);

    struct out *out = write_sample(FORMAT_JSON);
    char got[4 * sizeof sample_lines];
    squeeze(out_held(out), got);
    cr_expect_str_eq(got, expected);
    out_close(out);
}

Test(table, member_of_a_document_and_more_members)
{
    static const struct column one[] = {{"id", COLUMN_TEXT}};
    static const struct record_type type = {"unused", 1, "nodes", one, 1};
    struct out *out = out_open_memory();
    struct json json = json_on(out, JSON_LINE);
    json_object(&json, NULL);
    struct table *table = table_open_in(&json, &type);
    table_text(table, 0, "a");
    struct json *more = table_more(table);
    cr_assert_eq(more, &json);
    json_array(more, "evidence");
    json_end(more);
    table_row(table);
    table_text(table, 0, "b");
    table_row(table);
    table_close(table);
    json_null(&json, "rest");
    json_end(&json);
    expect_held(out, "{\"nodes\":[{\"id\":\"a\",\"evidence\":[]},{\"id\":\"b\"}],\"rest\":null}\n");
}

Test(table, without_rows)
{
    static const struct {
        enum format format;
        const char *text;
    } rows[] = {
        {FORMAT_TEXT, ""},
        {FORMAT_CSV, "key,type,ttl,size,saved,whole,ranges,sha256\r\n"},
        {FORMAT_JSON, "{\n  \"schema\": \"rcf-sample\",\n  \"version\": 1,\n  \"keys\": []\n}\n"},
        {FORMAT_JSONL, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct out *out = out_open_memory();
        table_close(table_open(out, &sample, rows[i].format));
        expect_held(out, rows[i].text);
    }
}

/* Rows that come after the held ones keep their columns, and wider ones push what follows. */
Test(table, text_of_any_length)
{
    static const struct column two[] = {{"n", COLUMN_COUNT}, {"word", COLUMN_TEXT}};
    static const struct record_type type = {"rcf-two", 1, "rows", two, 2};
    struct out *out = out_open_memory();
    struct table *table = table_open(out, &type, FORMAT_TEXT);
    table_indent(table, 1);
    for (int64_t i = 0; i < 3000; i++) {
        table_count(table, 0, i == 2999 ? 123456 : i % 1000);
        table_text(table, 1, "x");
        table_row(table);
    }
    table_close(table);
    struct bytes held = out_held(out);
    static const char head[] = "   n  word\n   0  x\n   1  x\n";
    static const char tail[] = " 998  x\n 123456  x\n";
    cr_expect(memcmp(held.at, head, sizeof head - 1) == 0);
    cr_expect(memcmp(held.at + held.len - (sizeof tail - 1), tail, sizeof tail - 1) == 0);
    cr_expect_eq(held.len, 11 + 2999 * 8 + 11);
    out_close(out);
}

Test(table, wrong_column_or_type_fails_the_output)
{
    struct out *out = out_open_memory();
    struct table *table = table_open(out, &sample, FORMAT_CSV);
    table_u64(table, TTL, 1);
    cr_expect_eq(out_error(out), EINVAL);
    table_close(table);
    out_close(out);

    out = out_open_memory();
    table = table_open(out, &sample, FORMAT_CSV);
    table_text(table, COLUMNS, "beyond");
    cr_expect_eq(out_error(out), EINVAL);
    table_close(table);
    out_close(out);
}

Test(table, no_table_is_accepted)
{
    fill_sample(NULL);
    table_indent(NULL, 2);
    cr_expect_null(table_more(NULL));
    cr_expect_eq(table_rows(NULL), 0);
    table_close(NULL);
}

/* A second reader's opinion: every pair of bytes as a key, through libcsv and back to the bytes. */

struct reading {
    unsigned rows;
    unsigned cells_in_row;
    uint8_t key[16];
    size_t key_len;
};

static void undo(struct reading *reading, const uint8_t *cell, size_t len)
{
    size_t apostrophes = strspn((const char *)cell, "'");
    bool formula = apostrophes > 0 && apostrophes < len && strchr("=+-@", cell[apostrophes]);
    reading->key_len = 0;
    for (size_t i = formula ? 1 : 0; i < len; i++) {
        unsigned byte = cell[i];
        if (cell[i] == '\\' && cell[i + 1] == '\\') {
            i++;
        } else if (cell[i] == '\\') {
            cr_assert_eq(sscanf((const char *)cell + i, "\\x%2x", &byte), 1);
            i += 3;
        }
        reading->key[reading->key_len++] = (uint8_t)byte;
    }
}

static void on_cell(void *cell, size_t len, void *context)
{
    struct reading *reading = context;
    if (reading->rows > 0 && reading->cells_in_row == 0) {
        unsigned pair = reading->rows - 1;
        undo(reading, cell, len);
        cr_assert_eq(reading->key_len, 2, "pair %04x", pair);
        cr_assert(reading->key[0] == pair >> 8 && reading->key[1] == (pair & 0xff), "pair %04x", pair);
        cr_assert(!memchr("=+-@\t\r\n", *(const char *)cell, 7), "pair %04x", pair);
    }
    reading->cells_in_row++;
}

static void on_row(int end, void *context)
{
    struct reading *reading = context;
    cr_assert_eq(end, '\r', "rows end with CRLF");
    cr_assert_eq(reading->cells_in_row, 2);
    reading->cells_in_row = 0;
    reading->rows++;
}

Test(table, libcsv_reads_every_pair_of_bytes_back)
{
    static const struct column two[] = {{"key", COLUMN_BYTES}, {"n", COLUMN_COUNT}};
    static const struct record_type type = {"rcf-two", 1, "rows", two, 2};
    struct out *out = out_open_memory();
    struct table *table = table_open(out, &type, FORMAT_CSV);
    for (unsigned pair = 0; pair <= 0xffff; pair++) {
        uint8_t key[2] = {(uint8_t)(pair >> 8), (uint8_t)pair};
        table_bytes(table, 0, (struct bytes){key, 2});
        table_count(table, 1, -(int64_t)pair);
        table_row(table);
    }
    table_close(table);
    cr_assert_eq(out_error(out), 0);

    struct csv_parser parser;
    struct reading reading = {0};
    cr_assert_eq(csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL), 0);
    struct bytes held = out_held(out);
    cr_assert_eq(csv_parse(&parser, held.at, held.len, on_cell, on_row, &reading), held.len);
    cr_assert_eq(csv_fini(&parser, on_cell, on_row, &reading), 0);
    cr_expect_eq(reading.rows, 1 + 0x10000);
    csv_free(&parser);
    out_close(out);
}

static void note_null(void *cell, size_t len, void *context)
{
    unsigned *nulls = context;
    *nulls = *nulls * 10 + (cell == NULL ? 1 : len == 0 ? 2 : 3);
}

static void ignore_row(int end, void *context)
{
    (void)end;
    (void)context;
}

/* An absent cell and an empty text stay different in CSV. */
Test(table, libcsv_tells_absent_from_empty)
{
    static const struct column three[] = {{"a", COLUMN_TEXT}, {"b", COLUMN_TEXT}, {"c", COLUMN_TEXT}};
    static const struct record_type type = {"rcf-three", 1, "rows", three, 3};
    struct out *out = out_open_memory();
    struct table *table = table_open(out, &type, FORMAT_CSV);
    table_text(table, 1, "");
    table_text(table, 2, "x");
    table_row(table);
    table_close(table);

    struct csv_parser parser;
    unsigned nulls = 0;
    cr_assert_eq(csv_init(&parser, CSV_STRICT | CSV_EMPTY_IS_NULL), 0);
    struct bytes held = out_held(out);
    csv_parse(&parser, held.at, held.len, note_null, ignore_row, &nulls);
    csv_fini(&parser, note_null, ignore_row, &nulls);
    cr_expect_eq(nulls, 333123);
    csv_free(&parser);
    out_close(out);
}
