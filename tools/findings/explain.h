/* The catalogue's text: docs/findings.md, built into the program, so that the two cannot differ. */
#ifndef RCF_EXPLAIN_H
#define RCF_EXPLAIN_H

#include "tools/findings/findings.h"

/* The section about a finding, from its heading to the next; an empty run when the document has none. */
struct bytes explain_finding(enum finding_id id);

#endif
