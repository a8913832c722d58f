/* Logs that were collected more than once: an earlier capture is the beginning of a later one. */
#ifndef RCF_REPEATED_H
#define RCF_REPEATED_H

#include "tools/evidence/evidence.h"

/* True when the decoded bytes of one file are the beginning of the other's: both are opened again and compared to the
 * first difference. A file that was not read whole, or is empty, is nobody's beginning. */
bool repeated_in(const struct evidence *evidence, size_t part, size_t whole);

#endif
