/* HyperLogLog counters: string values that begin with "HYLL" (hyperloglog.c of Redis). */
#ifndef RCF_HYPERLOGLOG_H
#define RCF_HYPERLOGLOG_H

#include <stdbool.h>

#include "parsers/parse.h"

/* A server takes the string for a counter: it begins with "HYLL" and an encoding byte of 0 and has the length of a
 * dense counter, or one of 1 (sparse) and a whole header. Any other string that begins so is just a string. */
bool hyperloglog_begins(struct bytes value);

/* NULL when the string is no counter or a sound one, else what is wrong as a static text, with its offset in `at`: the
 * opcodes of a sparse counter that do not make up its 16,384 registers. Of a dense one, any content is sound. */
const char *hyperloglog_fault(struct bytes value, uint64_t *at);

#endif
