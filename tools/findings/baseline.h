/* What an earlier judgement of the same case had found: new, unchanged, gone.
 *
 * Two findings are the same when they have the same id and subject: the node's id, else its address, else the host; for those
 * about slots, the slots too. Summaries may differ: a cluster lives on.
 */
#ifndef RCF_BASELINE_H
#define RCF_BASELINE_H

#include "tools/findings/findings.h"

struct baseline;

/* From findings of an older state of the case, which must outlive the baseline. NULL without memory. */
struct baseline *baseline_of(const struct findings *findings, struct arena *arena);

/* From a report that rcf-check wrote as json or jsonl. NULL with `why` when it is none. */
struct baseline *baseline_load(const char *path, struct arena *arena, const char **why);

/* The finding was there; remembers that it is still there. */
bool baseline_has(struct baseline *baseline, const struct finding *finding);

/* The findings that baseline_has() was not asked for, one after the other from `*position` (start with 0); false at the
 * end. Only the id, severity, certainty, node, node_id, host, slots and summary are known. */
bool baseline_gone(const struct baseline *baseline, size_t *position, struct finding *finding);

#endif
