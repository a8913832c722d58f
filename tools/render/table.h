/* Records as a text table, CSV, JSON or JSON lines, from one declaration.
 *
 * A record type declares its columns once; all formats, and the field list in --help, come from it. A command opens a
 * table, fills the columns of a row in any order, ends the row, and closes the table. A column that is not filled is
 * absent: `-` in text, an empty cell in CSV, null in JSON. Failures go to the output (out_error()); a table that could
 * not be opened for want of memory is NULL, has failed the output, and every function here accepts it.
 *
 *            text                     CSV                JSON
 *   TEXT     printable form           printable form     string
 *   BYTES    printable form           printable form     string, and KEY_base64 when not UTF-8
 *   COUNT    1,021 if GROUPED         1021               number
 *   U64      1,021 if GROUPED         1021               "1021"
 *   TIME     2026-11-22T14:52:25.199Z (in all of them)
 *   BOOL     yes, no                  true, false        true, false
 *   LIST     words, blanks between    the same           array of strings
 *
 * Text columns are as wide as the widest cell of the first thousand rows; from then on rows are written as they come,
 * so a table of any length takes bounded memory.
 */
#ifndef RCF_TABLE_H
#define RCF_TABLE_H

#include <stdbool.h>

#include "tools/render/format.h"
#include "tools/render/json.h"
#include "tools/render/out.h"

enum column_type { COLUMN_TEXT, COLUMN_BYTES, COLUMN_COUNT, COLUMN_U64, COLUMN_TIME, COLUMN_BOOL, COLUMN_LIST };

enum column_flag {
    COLUMN_GROUPED = 1, /* thousands separators in text: for counts and sizes, not for ports and epochs */
    COLUMN_MACHINE = 2, /* in CSV and JSON only: too wide or too dull for a screen */
    COLUMN_RIGHT = 4    /* right-aligned in text although it is not a number */
};

struct column {
    const char *key; /* in JSON and in the CSV header: a-z 0-9 _ */
    enum column_type type;
    const char *heading; /* in text; NULL takes the key */
    unsigned width;      /* TEXT and BYTES cells are cut to this many columns of text; 0 never cuts */
    unsigned flags;      /* of enum column_flag */
    const char *help;    /* one sentence without a full stop */
};

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

/* For members that no column can hold: writes the columns of the row and gives the writer inside the row's JSON object,
 * until table_row(). NULL in text and CSV. */
struct json *table_more(struct table *table);

/* Rows ended so far. */
size_t table_rows(const struct table *table);

/* Writes what is left and ends the table. In text a table without rows is nothing at all. */
void table_close(struct table *table);

#endif
