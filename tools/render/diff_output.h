/* A comparison of views as people and programs read it. */
#ifndef RCF_DIFF_OUTPUT_H
#define RCF_DIFF_OUTPUT_H

#include "tools/cluster/diff.h"
#include "tools/evidence/evidence.h"
#include "tools/render/format.h"
#include "tools/render/out.h"
#include "tools/render/table.h"

/* One row a value of a difference: CSV and JSON lines. */
extern const struct record_type diff_record;

/* For people. Long lists are shortened unless `whole`, which also adds file and line to every difference. */
void diff_write_text(struct out *out, const struct evidence *evidence, const struct diff *diff, bool whole);

/* CSV, JSON lines or one JSON document. */
void diff_write_records(struct out *out, const struct evidence *evidence, const struct diff *diff, enum format format);

/* The first view of a group that holds the value, by its index in the operands. */
static inline uint32_t diff_first_holder(const struct diff *diff, const struct diff_value *value)
{
    return diff->groups[value->groups[0]].views[0];
}

#endif
