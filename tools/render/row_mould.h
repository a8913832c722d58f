/* Rows (row.h) most of whose cells are always the same: what does not change is written once, then copied.
 *
 *     struct out *fixed = row_mould_begin(mould);
 *     row_piece(form, fixed, cells, 0, 2);      ... whatever is written there stands in every row
 *     row_mould_hole(mould, 2);                 ... here comes a cell
 *     row_end(form, fixed);
 *     if (row_mould_end(mould))
 *         row_mould_write(mould, out, cells);   ... for each row
 *
 * It writes the same bytes as row_write() does. One thread at a time may use a mould.
 */
#ifndef RCF_ROW_MOULD_H
#define RCF_ROW_MOULD_H

#include "tools/render/row.h"

struct row_mould;

/* An empty mould, which its form must outlive; NULL without memory. */
struct row_mould *row_mould_new(const struct row_form *form);
void row_mould_free(struct row_mould *mould);

/* Begins anew; what is written to the output that it gives, which stays the mould's, stands in every row. */
struct out *row_mould_begin(struct row_mould *mould);

/* Here stands the cell of a column; no more holes than there are columns. */
void row_mould_hole(struct row_mould *mould, size_t column);

/* False without memory. */
bool row_mould_end(struct row_mould *mould);

/* A row. Of `cells`, which are in the order of the columns, only those are looked at for which there are holes; they
 * count as present. */
void row_mould_write(const struct row_mould *mould, struct out *out, const struct cell *cells);

#endif
