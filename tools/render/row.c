#include "tools/render/row_private.h"

#include <errno.h>
#include <stdlib.h>

#include "tools/render/escape.h"

enum { ROW_DEPTH = 2 /* objects and arrays around a row of a JSON document */ };

struct rows {
    struct out *out;
    struct row_form *form;
    struct json json; /* of the document around the rows */
    bool begun;       /* a row has been added */
};

static unsigned depth_of(enum format format)
{
    return format == FORMAT_JSON ? ROW_DEPTH : 0;
}

void row_cell(const struct row_form *form, struct out *out, struct out *scratch, size_t column,
              const struct cell *cell)
{
    const struct column *declared = &form->type->columns[column];
    if (form->format != FORMAT_CSV) {
        struct json json = json_on(out, form->format == FORMAT_JSON ? JSON_INDENTED : JSON_LINE);
        json.depth = depth_of(form->format) + 1;
        json.level[json.depth - 1].used = column > 0;
        cell_json(&json, declared, cell);
        return;
    }
    out_bytes(out, form->leads[column].at, form->leads[column].len);
    cell_csv(out, scratch, declared, cell, form->type->count == 1);
    if (out_error(scratch))
        out_fail(out, out_error(scratch));
}

void row_piece(const struct row_form *form, struct out *out, const struct cell *cells, size_t from, size_t to)
{
    struct out *scratch = out_open_memory();
    if (!scratch) {
        out_fail(out, ENOMEM);
        return;
    }
    if (from == 0)
        out_bytes(out, form->begin.at, form->begin.len);
    for (size_t i = from; i < to; i++)
        row_cell(form, out, scratch, i, &cells[i]);
    out_close(scratch);
}

void row_key(const struct row_form *form, struct out *out, const char *key)
{
    bool indented = form->format == FORMAT_JSON;
    out_text(out, indented ? ",\n      \"" : ",\"");
    out_text(out, key);
    out_text(out, indented ? "\": " : "\":");
}

void row_end(const struct row_form *form, struct out *out)
{
    out_bytes(out, form->end.at, form->end.len);
}

void row_write(const struct row_form *form, struct out *out, const struct cell *cells)
{
    row_piece(form, out, cells, 0, form->type->count);
    row_end(form, out);
}

/* Forms */

static void write_lead(struct out *text, const struct record_type *type, enum format format, size_t column)
{
    const char *comma = column ? "," : "";
    if (format == FORMAT_CSV)
        out_text(text, comma);
    else if (format == FORMAT_JSONL)
        out_format(text, "%s\"%s\":", comma, type->columns[column].key);
    else
        out_format(text, "%s\n      \"%s\": ", comma, type->columns[column].key);
}

static void form_free(struct row_form *form)
{
    if (form)
        out_close(form->text);
    free(form);
}

/* NULL without memory. */
static struct row_form *form_new(const struct record_type *type, enum format format)
{
    static const char *const begins[] = {[FORMAT_CSV] = "", [FORMAT_JSON] = ",\n    {", [FORMAT_JSONL] = "{"};
    static const char *const ends[] = {[FORMAT_CSV] = "\r\n", [FORMAT_JSON] = "\n    }", [FORMAT_JSONL] = "}\n"};
    struct row_form *form = calloc(1, sizeof(*form) + type->count * sizeof(form->leads[0]));
    if (!form)
        return NULL;
    *form = (struct row_form){
        .type = type,
        .format = format,
        .text = out_open_memory(),
        .begin = escape_string(begins[format]),
        .end = escape_string(ends[format]),
    };
    for (size_t i = 0; form->text && i < type->count; i++) {
        size_t from = out_held(form->text).len;
        write_lead(form->text, type, format, i);
        form->leads[i].len = out_held(form->text).len - from;
    }
    if (!form->text || out_error(form->text)) {
        form_free(form);
        return NULL;
    }
    const uint8_t *at = out_held(form->text).at;
    for (size_t i = 0; i < type->count; at += form->leads[i++].len)
        form->leads[i].at = at;
    return form;
}

/* Documents */

static void begin_document(struct rows *rows)
{
    const struct record_type *type = rows->form->type;
    switch (rows->form->format) {
    case FORMAT_CSV:
        for (size_t i = 0; i < type->count; i++) {
            out_text(rows->out, i ? "," : "");
            out_text(rows->out, type->columns[i].key);
        }
        out_text(rows->out, "\r\n");
        break;
    case FORMAT_JSON:
        json_object(&rows->json, NULL);
        json_text(&rows->json, "schema", type->schema);
        json_number(&rows->json, "version", type->version);
        json_array(&rows->json, type->array);
        break;
    default: break;
    }
}

struct rows *rows_open(struct out *out, const struct record_type *type, enum format format)
{
    if (format != FORMAT_CSV && format != FORMAT_JSON && format != FORMAT_JSONL) {
        out_fail(out, EINVAL);
        return NULL;
    }
    struct rows *rows = calloc(1, sizeof(*rows));
    struct row_form *form = rows ? form_new(type, format) : NULL;
    if (!form) {
        free(rows);
        out_fail(out, ENOMEM);
        return NULL;
    }
    *rows = (struct rows){.out = out, .form = form, .json = json_on(out, JSON_INDENTED)};
    begin_document(rows);
    return rows;
}

const struct row_form *rows_form(const struct rows *rows)
{
    return rows->form;
}

/* Each row of JSON begins with a comma, which the first does not need. */
void rows_add(struct rows *rows, struct bytes written)
{
    if (written.len == 0)
        return;
    size_t comma = rows->form->format == FORMAT_JSON && !rows->begun;
    out_bytes(rows->out, written.at + comma, written.len - comma);
    rows->begun = true;
}

void rows_close(struct rows *rows)
{
    if (!rows)
        return;
    if (rows->form->format == FORMAT_JSON) {
        rows->json.level[rows->json.depth - 1].used = rows->begun;
        json_end(&rows->json);
        json_end(&rows->json);
    }
    form_free(rows->form);
    free(rows);
}
