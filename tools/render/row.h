/* Rows of a record type at the speed of millions a second: the bytes that a table (table.h) writes, without the table.
 *
 * A form is a record type compiled for one machine format: what stands before each cell is made once. It is constant,
 * so any number of threads may write rows with it, each into an output of its own; rows put what they wrote into one
 * document, in the order in which it is given.
 *
 *     struct rows *rows = rows_open(out, &record, FORMAT_CSV);
 *     row_write(rows_form(rows), memory, cells);             ... in any thread
 *     rows_add(rows, out_held(memory));                      ... in one
 *     rows_close(rows);
 */
#ifndef RCF_ROW_H
#define RCF_ROW_H

#include "tools/render/table.h"

struct row_form;

/* One row, cells in the order of the columns. */
void row_write(const struct row_form *form, struct out *out, const struct cell *cells);

/* The same in pieces, for rows that hold more than columns: the columns `from` to `to` - 1, of which the first piece
 * has 0, then what the caller writes after row_key(), and so on, then the end. Only in JSON may anything come between
 * the pieces. */
void row_piece(const struct row_form *form, struct out *out, const struct cell *cells, size_t from, size_t to);
void row_key(const struct row_form *form, struct out *out, const char *key);
void row_end(const struct row_form *form, struct out *out);

/* A document of such rows. */
struct rows;

/* Begins a document on an output that outlives it: the head of JSON, the header row of CSV. NULL, and the output
 * failed, without memory or for another format than FORMAT_CSV, FORMAT_JSON and FORMAT_JSONL. */
struct rows *rows_open(struct out *out, const struct record_type *type, enum format format);

const struct row_form *rows_form(const struct rows *rows);

/* Adds what row_write() and its pieces made: rows, or a part of one that goes on with the next call. */
void rows_add(struct rows *rows, struct bytes written);

/* Ends the document. NULL is allowed. */
void rows_close(struct rows *rows);

#endif
