/* HyperLogLog counters: string values that begin with "HYLL" (hyperloglog.c of Redis). */
#ifndef RCF_HYPERLOGLOG_H
#define RCF_HYPERLOGLOG_H

#include <stdbool.h>

#include "parsers/parse.h"

/* The string begins as a HyperLogLog does. Any string may by accident: then its length decides whether a server would
 * take it for one (sparse or dense encoding byte). */
bool hyperloglog_begins(struct bytes value);

/* NULL when the counter is sound, else what is wrong, as a static text, with its offset in `at`: encoding byte, length of the
 * dense form, opcodes of the sparse form that do not add up to 16,384 registers. */
const char *hyperloglog_fault(struct bytes value, uint64_t *at);

#endif
