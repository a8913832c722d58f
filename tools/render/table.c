#include "tools/render/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/render/escape.h"
#include "tools/render/time.h"

enum {
    ROWS_HELD = 1000, /* rows of text that decide the widths */
    GAP = 2           /* blanks between columns of text */
};

/* Where the text of a held cell ends, and how wide it is. */
struct mark {
    size_t end;
    size_t width;
};

struct table {
    struct out *out;
    const struct record_type *type;
    enum format format;
    size_t rows;

    struct json *json; /* NULL in text and CSV */
    struct json own;
    bool whole_document;
    bool row_written;

    struct out *held; /* CSV: one cell; text: the cells of the rows that are held */
    struct mark *marks;
    size_t *widths;
    size_t rows_held;
    bool widths_known;
    unsigned indent;

    struct cell cells[];
};

static void write_csv_header(struct table *table)
{
    for (size_t i = 0; i < table->type->count; i++) {
        out_text(table->out, i ? "," : "");
        out_text(table->out, table->type->columns[i].key);
    }
    out_text(table->out, "\r\n");
}

static void release(struct table *table)
{
    out_close(table->held);
    free(table->marks);
    free(table->widths);
    free(table);
}

static struct table *table_new(struct out *out, const struct record_type *type, enum format format)
{
    struct table *table = calloc(1, sizeof *table + type->count * sizeof table->cells[0]);
    if (!table) {
        out_fail(out, ENOMEM);
        return NULL;
    }
    table->out = out;
    table->type = type;
    table->format = format;
    bool complete = true;
    if (format != FORMAT_JSON && format != FORMAT_JSONL) {
        table->held = out_open_memory();
        complete = table->held != NULL;
    }
    if (complete && format == FORMAT_TEXT) {
        table->marks = calloc(type->count * ROWS_HELD, sizeof table->marks[0]);
        table->widths = calloc(type->count, sizeof table->widths[0]);
        complete = table->marks && table->widths;
    }
    if (!complete) {
        out_fail(out, ENOMEM);
        release(table);
        return NULL;
    }
    return table;
}

struct table *table_open(struct out *out, const struct record_type *type, enum format format)
{
    if (format != FORMAT_CSV && format != FORMAT_JSON && format != FORMAT_JSONL)
        format = FORMAT_TEXT;
    struct table *table = table_new(out, type, format);
    if (!table)
        return NULL;

    if (format == FORMAT_CSV)
        write_csv_header(table);
    if (format == FORMAT_JSON || format == FORMAT_JSONL) {
        table->own = json_on(out, format == FORMAT_JSON ? JSON_INDENTED : JSON_LINE);
        table->json = &table->own;
    }
    if (format == FORMAT_JSON) {
        table->whole_document = true;
        json_object(table->json, NULL);
        json_text(table->json, "schema", type->schema);
        json_number(table->json, "version", type->version);
        json_array(table->json, type->array);
    }
    return table;
}

struct table *table_open_in(struct json *json, const struct record_type *type)
{
    struct table *table = table_new(json->out, type, FORMAT_JSON);
    if (!table)
        return NULL;
    table->json = json;
    json_array(json, type->array);
    return table;
}

void table_indent(struct table *table, unsigned columns)
{
    if (table)
        table->indent = columns;
}

/* The cell to fill, now present; NULL, and a failure, when the column is none of this type. */
static struct cell *fill(struct table *table, size_t column, enum column_type type)
{
    if (!table)
        return NULL;
    if (column >= table->type->count || table->type->columns[column].type != type) {
        out_fail(table->out, EINVAL);
        return NULL;
    }
    table->cells[column].present = true;
    return &table->cells[column];
}

void table_bytes(struct table *table, size_t column, struct bytes bytes)
{
    bool is_text = table && column < table->type->count && table->type->columns[column].type == COLUMN_TEXT;
    struct cell *cell = fill(table, column, is_text ? COLUMN_TEXT : COLUMN_BYTES);
    if (cell)
        cell->bytes = bytes;
}

void table_text(struct table *table, size_t column, const char *text)
{
    if (text)
        table_bytes(table, column, escape_string(text));
}

void table_count(struct table *table, size_t column, int64_t count)
{
    struct cell *cell = fill(table, column, COLUMN_COUNT);
    if (cell)
        cell->count = count;
}

void table_u64(struct table *table, size_t column, uint64_t value)
{
    struct cell *cell = fill(table, column, COLUMN_U64);
    if (cell)
        cell->u64 = value;
}

void table_time(struct table *table, size_t column, int64_t ms)
{
    struct cell *cell = fill(table, column, COLUMN_TIME);
    if (cell)
        cell->ms = ms;
}

void table_bool(struct table *table, size_t column, bool value)
{
    struct cell *cell = fill(table, column, COLUMN_BOOL);
    if (cell)
        cell->yes = value;
}

void table_list(struct table *table, size_t column, const struct bytes *words, size_t count)
{
    struct cell *cell = fill(table, column, COLUMN_LIST);
    if (cell) {
        cell->list.words = words;
        cell->list.count = count;
    }
}

static void write_time(struct out *out, int64_t ms)
{
    char text[TIME_SIZE];
    out_text(out, time_write(text, ms));
}

/* JSON */

static void begin_json_row(struct table *table)
{
    json_object(table->json, NULL);
    for (size_t i = 0; i < table->type->count; i++)
        cell_json(table->json, &table->type->columns[i], &table->cells[i]);
    table->row_written = true;
}

struct json *table_more(struct table *table)
{
    if (!table || !table->json)
        return NULL;
    if (!table->row_written)
        begin_json_row(table);
    return table->json;
}

/* CSV */

static void write_csv_row(struct table *table)
{
    for (size_t i = 0; i < table->type->count; i++) {
        out_text(table->out, i ? "," : "");
        cell_csv(table->out, table->held, &table->type->columns[i], &table->cells[i], table->type->count == 1);
    }
    out_text(table->out, "\r\n");
    if (out_error(table->held))
        out_fail(table->out, out_error(table->held));
}

/* Text */

static bool is_shown(const struct column *column)
{
    return !(column->flags & COLUMN_MACHINE);
}

static bool is_right(const struct column *column)
{
    return column->type == COLUMN_COUNT || column->type == COLUMN_U64 || column->flags & COLUMN_RIGHT;
}

static const char *heading_of(const struct column *column)
{
    return column->heading ? column->heading : column->key;
}

static void hold_number(struct out *out, const struct column *column, bool negative, uint64_t magnitude)
{
    if (negative)
        out_byte(out, '-');
    if (column->flags & COLUMN_GROUPED)
        out_grouped(out, magnitude);
    else
        out_u64(out, magnitude);
}

static void hold_cell(struct out *out, const struct column *column, const struct cell *cell)
{
    if (!cell->present) {
        out_byte(out, '-');
        return;
    }
    switch (column->type) {
    case COLUMN_TEXT:
    case COLUMN_BYTES:
        if (cell->bytes.len == 0)
            out_text(out, "\"\"");
        escape_cut(out, cell->bytes, column->width);
        break;
    case COLUMN_COUNT:
        hold_number(out, column, cell->count < 0,
                    cell->count < 0 ? 0 - (uint64_t)cell->count : (uint64_t)cell->count);
        break;
    case COLUMN_U64: hold_number(out, column, false, cell->u64); break;
    case COLUMN_TIME: write_time(out, cell->ms); break;
    case COLUMN_BOOL: out_text(out, cell->yes ? "yes" : "no"); break;
    case COLUMN_LIST:
        if (cell->list.count == 0)
            out_byte(out, '-');
        cell_words(out, cell);
        break;
    }
}

static void hold_row(struct table *table)
{
    struct mark *marks = table->marks + table->rows_held * table->type->count;
    for (size_t i = 0; i < table->type->count; i++) {
        size_t from = out_held(table->held).len;
        if (is_shown(&table->type->columns[i]))
            hold_cell(table->held, &table->type->columns[i], &table->cells[i]);
        struct bytes held = out_held(table->held);
        marks[i].end = held.len;
        marks[i].width = escape_width((struct bytes){held.at + from, held.len - from});
    }
    table->rows_held++;
}

/* One line of aligned cells; no blanks at its end. */
struct line {
    struct table *table;
    size_t blanks;
};

static void write_cell(struct line *line, size_t column, struct bytes text, size_t width)
{
    const struct column *declared = &line->table->type->columns[column];
    size_t room = line->table->widths[column];
    size_t padding = room > width ? room - width : 0;
    if (is_right(declared))
        line->blanks += padding;
    out_repeat(line->table->out, ' ', line->blanks);
    out_bytes(line->table->out, text.at, text.len);
    line->blanks = GAP + (is_right(declared) ? 0 : padding);
}

static void write_headings(struct table *table)
{
    struct line line = {table, table->indent};
    out_style(table->out, OUT_BOLD);
    for (size_t i = 0; i < table->type->count; i++) {
        struct bytes heading = escape_string(heading_of(&table->type->columns[i]));
        if (is_shown(&table->type->columns[i]))
            write_cell(&line, i, heading, escape_width(heading));
    }
    out_style(table->out, OUT_PLAIN);
    out_byte(table->out, '\n');
}

static void measure(struct table *table)
{
    for (size_t i = 0; i < table->type->count; i++) {
        table->widths[i] = escape_width(escape_string(heading_of(&table->type->columns[i])));
        for (size_t row = 0; row < table->rows_held; row++) {
            size_t width = table->marks[row * table->type->count + i].width;
            if (width > table->widths[i])
                table->widths[i] = width;
        }
    }
    table->widths_known = true;
}

static void write_held_rows(struct table *table)
{
    if (table->rows_held == 0)
        return;
    if (!table->widths_known) {
        measure(table);
        write_headings(table);
    }
    struct bytes held = out_held(table->held);
    size_t from = 0;
    for (size_t row = 0; row < table->rows_held; row++) {
        struct line line = {table, table->indent};
        for (size_t i = 0; i < table->type->count; i++) {
            struct mark mark = table->marks[row * table->type->count + i];
            if (is_shown(&table->type->columns[i]))
                write_cell(&line, i, (struct bytes){held.at + from, mark.end - from}, mark.width);
            from = mark.end;
        }
        out_byte(table->out, '\n');
    }
    if (out_error(table->held))
        out_fail(table->out, out_error(table->held));
    out_empty(table->held);
    table->rows_held = 0;
}

void table_row(struct table *table)
{
    if (!table)
        return;
    if (table->json) {
        if (!table->row_written)
            begin_json_row(table);
        json_end(table->json);
        table->row_written = false;
    } else if (table->format == FORMAT_CSV) {
        write_csv_row(table);
    } else {
        hold_row(table);
        if (table->widths_known || table->rows_held == ROWS_HELD)
            write_held_rows(table);
    }
    for (size_t i = 0; i < table->type->count; i++)
        table->cells[i].present = false;
    table->rows++;
}

void table_cells(struct table *table, const struct cell *cells)
{
    if (!table)
        return;
    memcpy(table->cells, cells, table->type->count * sizeof(*cells));
    table_row(table);
}

size_t table_rows(const struct table *table)
{
    return table ? table->rows : 0;
}

void table_close(struct table *table)
{
    if (!table)
        return;
    if (table->format == FORMAT_TEXT)
        write_held_rows(table);
    if (table->format == FORMAT_JSON)
        json_end(table->json);
    if (table->whole_document)
        json_end(table->json);
    release(table);
}
