#include "tools/render/row.h"

#include <criterion/criterion.h>
#include <string.h>

#include "tools/render/escape.h"
#include "tools/render/row_mould.h"

enum { TEXT, BYTES, COUNT, U64, TIME, BOOL, LIST, COLUMNS };

static const struct column columns[COLUMNS] = {
    [TEXT] = {"text", COLUMN_TEXT},
    [BYTES] = {"a_name_that_is_longer_than_the_bytes_that_are_copied_at_once", COLUMN_BYTES},
    [COUNT] = {"count", COLUMN_COUNT},
    [U64] = {"u64", COLUMN_U64, NULL, 0, COLUMN_GROUPED},
    [TIME] = {"time", COLUMN_TIME},
    [BOOL] = {"bool", COLUMN_BOOL},
    [LIST] = {"list", COLUMN_LIST},
};

static const struct record_type sample = {"rcf-sample", 1, "rows", columns, COLUMNS};
static const struct record_type single = {"rcf-sample", 1, "rows", columns, 1};

static const enum format formats[] = {FORMAT_CSV, FORMAT_JSON, FORMAT_JSONL};
enum { FORMATS = sizeof(formats) / sizeof(*formats) };

static struct out *by_table(const struct record_type *type, enum format format, const struct cell (*rows)[COLUMNS],
                            size_t count)
{
    struct out *out = out_open_memory();
    struct table *table = table_open(out, type, format);
    for (size_t i = 0; i < count; i++)
        table_cells(table, rows[i]);
    table_close(table);
    return out;
}

static struct out *by_rows(const struct record_type *type, enum format format, const struct cell (*cells)[COLUMNS],
                           size_t count)
{
    struct out *out = out_open_memory(), *part = out_open_memory();
    struct rows *rows = rows_open(out, type, format);
    for (size_t i = 0; i < count; i++) {
        row_write(rows_form(rows), part, cells[i]);
        if (i % 2 == 0) {
            rows_add(rows, out_held(part));
            out_empty(part);
        }
    }
    rows_add(rows, out_held(part));
    rows_close(rows);
    out_close(part);
    return out;
}

/* Every row from a mould of its own: the cells that are there are holes, or but for one in three. */
static struct out *by_moulds(const struct record_type *type, enum format format, const struct cell (*cells)[COLUMNS],
                             size_t count, bool all)
{
    struct out *out = out_open_memory();
    struct rows *rows = rows_open(out, type, format);
    struct row_mould *mould = row_mould_new(rows_form(rows));
    for (size_t i = 0; i < count; i++) {
        struct out *part = out_open_memory(), *fixed = row_mould_begin(mould);
        for (size_t column = 0; column < type->count; column++) {
            if (cells[i][column].present && (all || (i + column) % 3))
                row_mould_hole(mould, column);
            else
                row_piece(rows_form(rows), fixed, cells[i], column, column + 1);
        }
        row_end(rows_form(rows), fixed);
        cr_assert(row_mould_end(mould));
        row_mould_write(mould, part, cells[i]);
        rows_add(rows, out_held(part));
        out_close(part);
    }
    row_mould_free(mould);
    rows_close(rows);
    return out;
}

static void expect_equal(enum format format, struct out *slow, struct out *fast)
{
    struct bytes expected = out_held(slow), found = out_held(fast);
    cr_expect_eq(out_error(fast), 0);
    cr_expect(expected.len == found.len && memcmp(expected.at, found.at, found.len) == 0,
              "format %d: expected\n%.*s\nfound\n%.*s", (int)format, (int)expected.len, (const char *)expected.at,
              (int)found.len, (const char *)found.at);
    out_close(fast);
}

static void expect_same(const struct record_type *type, const struct cell (*cells)[COLUMNS], size_t count)
{
    for (size_t i = 0; i < FORMATS; i++) {
        struct out *slow = by_table(type, formats[i], cells, count);
        expect_equal(formats[i], slow, by_rows(type, formats[i], cells, count));
        expect_equal(formats[i], slow, by_moulds(type, formats[i], cells, count, true));
        expect_equal(formats[i], slow, by_moulds(type, formats[i], cells, count, false));
        out_close(slow);
    }
}

Test(row, no_row)
{
    expect_same(&sample, NULL, 0);
}

/* Every text in a row by itself, so that no other one sends the row down the slow way. */
Test(row, texts)
{
    static char longer[600];
    memset(longer, 'x', sizeof(longer) - 1);
    const char *const texts[] = {
        "",     "a",    "ab",   "abc",    "abcd",         "abcdefg",  "abcdefgh",          "abcdefghi",
        "a,b",  "a\"b", "a\\b", " a",     "a ",           "=1",       "+1",                "-1",
        "@x",   "'",    "'=1",  "\t",     "a\nb",         "\x7f",     "caf\xc3\xa9",       "\xff",
        longer, "\x00", "\x01", "\xc2\x80", "12345678\xff", "\x1b[2J", "0123456789abcdef,", "exactly sixteen!",
        "01234567890123456789012345678901234567890123456789",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        const struct cell cells[2][COLUMNS] = {
            {[TEXT] = {.present = true, .bytes = escape_string(texts[i])}},
            {[BYTES] = {.present = true, .bytes = escape_string(texts[i])}},
        };
        expect_same(&sample, cells, 2);
        expect_same(&single, cells, 2);
    }
}

Test(row, every_byte)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        for (size_t at = 0; at < 9; at++) {
            uint8_t text[9] = "abcdefghi";
            text[at] = (uint8_t)byte;
            const struct cell cells[2][COLUMNS] = {
                {[BYTES] = {.present = true, .bytes = {text, sizeof(text)}}},
                {[TEXT] = {.present = true, .bytes = {text, at + 1}}},
            };
            expect_same(&sample, cells, 2);
        }
    }
}

Test(row, numbers)
{
    uint64_t power = 1;
    for (unsigned i = 0; i < 20; i++, power *= 10) {
        for (int delta = -1; delta <= 1; delta++) {
            const struct cell cells[2][COLUMNS] = {
                {[U64] = {.present = true, .u64 = power + (uint64_t)(int64_t)delta}},
                {[COUNT] = {.present = true, .count = (int64_t)(power / 2) * (i % 2 ? -1 : 1)}},
            };
            expect_same(&sample, cells, 2);
        }
    }
    const struct cell cells[3][COLUMNS] = {
        {[U64] = {.present = true, .u64 = UINT64_MAX}, [COUNT] = {.present = true, .count = INT64_MIN}},
        {[COUNT] = {.present = true, .count = INT64_MAX}, [TIME] = {.present = true, .ms = INT64_MAX}},
        {[TIME] = {.present = true, .ms = 1795358545199}, [BOOL] = {.present = true, .yes = true}},
    };
    expect_same(&sample, cells, 3);
}

Test(row, lists)
{
    const struct bytes words[] = {escape_string("a b"), escape_string("=c"), escape_string("\xff")};
    const struct cell cells[2][COLUMNS] = {
        {[LIST] = {.present = true, .list = {words, 3}}, [BOOL] = {.present = true, .yes = false}},
        {[LIST] = {.present = true, .list = {NULL, 0}}},
    };
    expect_same(&sample, cells, 2);
}

Test(row, pieces_and_more)
{
    const struct cell cells[COLUMNS] = {[TEXT] = {.present = true, .bytes = escape_string("t")}};
    struct out *out = out_open_memory(), *part = out_open_memory();
    struct rows *rows = rows_open(out, &sample, FORMAT_JSONL);
    row_piece(rows_form(rows), part, cells, 0, 1);
    row_key(rows_form(rows), part, "more");
    out_text(part, "[1]");
    row_piece(rows_form(rows), part, cells, COUNT, COUNT + 1);
    row_end(rows_form(rows), part);
    rows_add(rows, out_held(part));
    rows_close(rows);
    struct bytes held = out_held(out);
    const char *expected = "{\"text\":\"t\",\"more\":[1],\"count\":null}\n";
    cr_expect(held.len == strlen(expected) && memcmp(held.at, expected, held.len) == 0, "%.*s", (int)held.len,
              (const char *)held.at);
    out_close(part);
    out_close(out);
}
