/* Private to rows: a form, and the writer of any cell. */
#ifndef RCF_ROW_PRIVATE_H
#define RCF_ROW_PRIVATE_H

#include "tools/render/row.h"

struct row_form {
    const struct record_type *type;
    enum format format;
    struct out *text; /* owns the bytes of the leads */
    struct bytes begin, end; /* of a row */
    struct bytes leads[];    /* what stands before each cell */
};

/* Any cell, with what stands before it, as tables write it. `scratch` is an output in memory. */
void row_cell(const struct row_form *form, struct out *out, struct out *scratch, size_t column,
              const struct cell *cell);

#endif
