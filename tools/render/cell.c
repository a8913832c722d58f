#include "tools/render/cell.h"

#include "tools/render/escape.h"
#include "tools/render/time.h"

static void json_words(struct json *json, const char *key, const struct cell *cell)
{
    json_array(json, key);
    for (size_t i = 0; i < cell->list.count; i++)
        json_string(json, NULL, cell->list.words[i]);
    json_end(json);
}

void cell_json(struct json *json, const struct column *column, const struct cell *cell)
{
    if (!cell->present) {
        json_null(json, column->key);
        return;
    }
    switch (column->type) {
    case COLUMN_TEXT: json_string(json, column->key, cell->bytes); break;
    case COLUMN_BYTES: json_bytes(json, column->key, cell->bytes); break;
    case COLUMN_COUNT: json_number(json, column->key, cell->count); break;
    case COLUMN_U64: json_u64(json, column->key, cell->u64); break;
    case COLUMN_TIME: json_time(json, column->key, cell->ms); break;
    case COLUMN_BOOL: json_bool(json, column->key, cell->yes); break;
    case COLUMN_LIST: json_words(json, column->key, cell); break;
    }
}

void cell_words(struct out *out, const struct cell *cell)
{
    for (size_t i = 0; i < cell->list.count; i++) {
        out_text(out, i ? " " : "");
        escape_word(out, cell->list.words[i]);
    }
}

/* Numbers, times and truth values need no quotes and are no formulas, even when negative. */
void cell_csv(struct out *out, struct out *scratch, const struct column *column, const struct cell *cell, bool alone)
{
    char time[TIME_SIZE];
    if (!cell->present) {
        /* A line with nothing on it would be no row at all. */
        out_text(out, alone ? "\"\"" : "");
        return;
    }
    out_empty(scratch);
    switch (column->type) {
    case COLUMN_TEXT:
    case COLUMN_BYTES: escape_printable(scratch, cell->bytes); break;
    case COLUMN_LIST: cell_words(scratch, cell); break;
    case COLUMN_COUNT: out_i64(out, cell->count); return;
    case COLUMN_U64: out_u64(out, cell->u64); return;
    case COLUMN_TIME: out_text(out, time_write(time, cell->ms)); return;
    case COLUMN_BOOL: out_text(out, cell->yes ? "true" : "false"); return;
    }
    escape_csv(out, out_held(scratch));
}
