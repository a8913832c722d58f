/* What the checks of the history share; see checks.h. */
#ifndef RCF_FINDINGS_HISTORY_PRIVATE_H
#define RCF_FINDINGS_HISTORY_PRIVATE_H

#include "tools/findings/findings.h"
#include "tools/history/episode.h"

bool same_text(const char *one, const char *other);

/* The finding about a node that was made already, or NULL. */
struct finding *finding_of_node(const struct findings *findings, enum finding_id id, const char *node_id);

/* Adds the line of an occurrence to a finding. */
void finding_shows_event(struct findings *findings, struct finding *finding, const struct occurrence *occurrence);

void check_mergers(struct findings *findings);
void check_jumps(struct findings *findings);

#endif
