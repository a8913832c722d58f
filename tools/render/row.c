#include "tools/render/row.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/render/escape.h"
#include "tools/render/time.h"

enum {
    SHORT_TEXT = 512, /* a longer one is not written in place */
    LEAD_COPIED = 32, /* of what stands before a cell, whatever its length */
    CELL_ROOM = SHORT_TEXT + TIME_SIZE + LEAD_COPIED, /* enough for any cell that is, and its lead */
    ROW_DEPTH = 2 /* objects and arrays around a row of a JSON document */
};

struct row_form {
    const struct record_type *type;
    enum format format;
    struct out *text; /* owns the bytes of the leads */
    struct bytes begin, end; /* of a row */
    size_t leads_len;
    struct bytes leads[];    /* what stands before each cell */
};

struct rows {
    struct out *out;
    struct row_form *form;
    struct json json; /* of the document around the rows */
    bool begun;       /* a row has been added */
};

/* Copies of few bytes, without a call: two that overlap in the middle do for any length between theirs. */
static inline uint8_t *put(uint8_t *at, const void *from, size_t len)
{
    const uint8_t *bytes = from;
    if (len > 16) {
        memcpy(at, bytes, len);
    } else if (len >= 8) {
        memcpy(at, bytes, 8);
        memcpy(at + len - 8, bytes + len - 8, 8);
    } else if (len >= 4) {
        memcpy(at, bytes, 4);
        memcpy(at + len - 4, bytes + len - 4, 4);
    } else {
        for (size_t i = 0; i < len; i++)
            at[i] = bytes[i];
    }
    return at + len;
}

static inline uint8_t *put_lead(uint8_t *at, struct bytes lead)
{
    if (lead.len > LEAD_COPIED)
        return put(at, lead.at, lead.len);
    memcpy(at, lead.at, LEAD_COPIED);
    return at + lead.len;
}

/* The eight decimal digits of a number below 10^8, leading zeros included, as the bytes of a word of which the first is
 * the lowest: halves, then quarters, then digits are divided side by side. 10486 / 2^20 and 103 / 2^10 are 1/100 and
 * 1/10, exact in these ranges when cut. */
static inline uint64_t eight_digits(uint64_t value)
{
    uint64_t fours = value / 10000 | value % 10000 << 32;
    uint64_t hundreds = fours * 10486 >> 20 & UINT64_C(0x0000007f0000007f);
    uint64_t twos = hundreds | (fours - 100 * hundreds) << 16;
    uint64_t tens = twos * 103 >> 10 & UINT64_C(0x000f000f000f000f);
    return tens | (twos - 10 * tens) << 8;
}

static inline uint8_t *put_digits(uint8_t *at, uint64_t digits, unsigned skipped)
{
    uint64_t text = htole64((digits | UINT64_C(0x3030303030303030)) >> 8 * skipped);
    memcpy(at, &text, sizeof(text));
    return at + sizeof(text) - skipped;
}

enum { EIGHT_DIGITS = 100000000 };

/* A number of fewer than nine digits. */
static inline uint8_t *put_few(uint8_t *at, uint64_t value)
{
    uint64_t digits = eight_digits(value);
    return put_digits(at, digits, digits ? (unsigned)__builtin_ctzll(digits) / 8 : 7);
}

static inline uint8_t *put_u64(uint8_t *at, uint64_t value)
{
    if (value < 10) {
        *at = (uint8_t)('0' + value);
        return at + 1;
    }
    if (value < EIGHT_DIGITS)
        return put_few(at, value);
    uint64_t upper = value / EIGHT_DIGITS;
    if (upper < EIGHT_DIGITS) {
        at = put_few(at, upper);
    } else {
        at = put_few(at, upper / EIGHT_DIGITS);
        at = put_digits(at, eight_digits(upper % EIGHT_DIGITS), 0);
    }
    return put_digits(at, eight_digits(value % EIGHT_DIGITS), 0);
}

static inline uint8_t *put_i64(uint8_t *at, int64_t value)
{
    if (value < 0)
        *at++ = '-';
    return put_u64(at, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

static inline bool is_plain_csv(struct bytes text)
{
    static const bool special[256] = {
        ['='] = true, ['+'] = true, ['-'] = true, ['@'] = true, ['\''] = true, [' '] = true,
    };
    return text.len > 0 && !special[text.at[0]] && text.at[text.len - 1] != ' ' &&
           escape_plain(text, "\\,\"") == text.len;
}

/* A cell written in place, where there is room for CELL_ROOM bytes. NULL when it is longer, or needs an escape: then
 * nothing counts as written. */
static inline uint8_t *put_cell(uint8_t *at, bool csv, enum column_type type, const struct cell *cell)
{
    char time[TIME_SIZE];
    bool quoted = !csv && (type == COLUMN_U64 || type == COLUMN_TIME || type == COLUMN_TEXT || type == COLUMN_BYTES);
    if (!cell->present)
        return csv ? at : put(at, "null", 4);
    if (quoted)
        *at++ = '"';
    switch (type) {
    case COLUMN_TEXT:
    case COLUMN_BYTES:
        if (cell->bytes.len > SHORT_TEXT ||
            !(csv ? is_plain_csv(cell->bytes) : escape_plain(cell->bytes, "\\\"\"") == cell->bytes.len))
            return NULL;
        at = put(at, cell->bytes.at, cell->bytes.len);
        break;
    case COLUMN_COUNT: at = put_i64(at, cell->count); break;
    case COLUMN_U64: at = put_u64(at, cell->u64); break;
    case COLUMN_TIME:
        time_write(time, cell->ms);
        at = put(at, time, strlen(time));
        break;
    case COLUMN_BOOL: at = cell->yes ? put(at, "true", 4) : put(at, "false", 5); break;
    case COLUMN_LIST: return NULL;
    }
    if (quoted)
        *at++ = '"';
    return at;
}

static unsigned depth_of(enum format format)
{
    return format == FORMAT_JSON ? ROW_DEPTH : 0;
}

/* Any cell, with what stands before it, as tables write it. */
static void write_slowly(const struct row_form *form, struct out *out, size_t column, const struct cell *cell)
{
    const struct column *declared = &form->type->columns[column];
    if (form->format != FORMAT_CSV) {
        struct json json = json_on(out, form->format == FORMAT_JSON ? JSON_INDENTED : JSON_LINE);
        json.depth = depth_of(form->format) + 1;
        json.level[json.depth - 1].used = column > 0;
        cell_json(&json, declared, cell);
        return;
    }
    struct out *scratch = out_open_memory();
    if (!scratch) {
        out_fail(out, ENOMEM);
        return;
    }
    out_bytes(out, form->leads[column].at, form->leads[column].len);
    cell_csv(out, scratch, declared, cell, form->type->count == 1);
    if (out_error(scratch))
        out_fail(out, out_error(scratch));
    out_close(scratch);
}

/* The cells from `from` on that can be written in place, of those before `to`; gives the first that cannot. */
static size_t write_quickly(const struct row_form *form, struct out *out, const struct cell *cells, size_t from,
                            size_t to)
{
    const struct column *columns = form->type->columns;
    bool csv = form->format == FORMAT_CSV;
    uint8_t *room = out_room(out, form->leads_len + (to - from) * CELL_ROOM);
    uint8_t *at = room;
    size_t i = from;
    for (; room && i < to; i++) {
        uint8_t *lead = put_lead(at, form->leads[i]);
        uint8_t *end = put_cell(lead, csv, columns[i].type, &cells[i]);
        if (!end)
            break;
        at = end;
    }
    if (room)
        out_wrote(out, (size_t)(at - room));
    return i;
}

void row_piece(const struct row_form *form, struct out *out, const struct cell *cells, size_t from, size_t to)
{
    if (from == 0)
        out_bytes(out, form->begin.at, form->begin.len);
    while (from < to) {
        if (form->type->count > 1)
            from = write_quickly(form, out, cells, from, to);
        if (from < to)
            write_slowly(form, out, from, &cells[from]);
        from++;
    }
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
    if (form->text)
        out_repeat(form->text, ' ', LEAD_COPIED);
    if (!form->text || out_error(form->text)) {
        form_free(form);
        return NULL;
    }
    const uint8_t *at = out_held(form->text).at;
    form->leads_len = out_held(form->text).len;
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
