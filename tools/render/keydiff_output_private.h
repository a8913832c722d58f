/* Between keydiff_records.c and keydiff_text.c. */
#ifndef RCF_KEYDIFF_OUTPUT_PRIVATE_H
#define RCF_KEYDIFF_OUTPUT_PRIVATE_H

#include "tools/render/keydiff_output.h"

void keydiff_write_summary(struct out *out, const struct keydiff *diff);
void keydiff_write_more(struct out *out, uint64_t more);

#endif
