/* Records as a text table, CSV, JSON or JSON lines, from one declaration.
 *
 * A record type declares its columns once; all formats, and the field list in --help, come from it. A command opens a
 * table, fills the columns of a row in any order, ends the row, and closes the table. A column that is not filled is
 * absent: `-` in text, an empty cell in CSV, null in JSON. Failures go to the output (out_error()); a table that could
 * not be opened for want of memory is NULL, has failed the output, and every function here accepts it.
 *
 * Text columns are as wide as the widest cell of the first thousand rows; from then on rows are written as they come,
 * so a table of any length takes bounded memory.
 */
#ifndef RCF_TABLE_H
#define RCF_TABLE_H

#include <stdbool.h>

#include "tools/render/cell.h"
#include "tools/render/format.h"
#include "tools/render/json.h"
#include "tools/render/out.h"

struct record_type {
    const char *schema; /* "rcf-nodes" */
    unsigned version;
    const char *array; /* the key of the records in a JSON document: "nodes" */
    const struct column *columns;
    size_t count;
};

struct table;

/* A table on an output that outlives it. JSON: the table is the whole document, {"schema": ..., "version": ...,
 * ARRAY: [...]}. CSV: the header row is written at once. A format without a table form is written as text. */
struct table *table_open(struct out *out, const struct record_type *type, enum format format);

/* A table as one more member, ARRAY, of a JSON object that the caller has begun and will end. */
struct table *table_open_in(struct json *json, const struct record_type *type);

/* Columns between the margin and the first column of text. Before the first row. */
void table_indent(struct table *table, unsigned columns);

/* Fill one column of the current row, by its index in the declaration and by its declared type (text and bytes may fill
 * either; anything else fails the output with EINVAL). Nothing is copied: what is pointed to stays until
 * table_row(). A NULL text is an absent value. */
void table_text(struct table *table, size_t column, const char *text);
void table_bytes(struct table *table, size_t column, struct bytes bytes);
void table_count(struct table *table, size_t column, int64_t count);
void table_u64(struct table *table, size_t column, uint64_t value);
void table_time(struct table *table, size_t column, int64_t ms);
void table_bool(struct table *table, size_t column, bool value);
void table_list(struct table *table, size_t column, const struct bytes *words, size_t count);

/* Ends the row; all columns are absent again. */
void table_row(struct table *table);

/* A whole row at once: as many cells as the type has columns. */
void table_cells(struct table *table, const struct cell *cells);

/* For members that no column can hold: writes the columns of the row and gives the writer inside the row's JSON object,
 * until table_row(). NULL in text and CSV. */
struct json *table_more(struct table *table);

/* Rows ended so far. */
size_t table_rows(const struct table *table);

/* Writes what is left and ends the table. In text a table without rows is nothing at all. */
void table_close(struct table *table);

#endif
