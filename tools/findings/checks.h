/* The checks, one function a subject; tools/findings/findings.c runs them in this order. */
#ifndef RCF_CHECKS_H
#define RCF_CHECKS_H

#include "tools/findings/findings.h"

/* Once for each cluster. */
void check_membership(struct findings *findings, const struct cluster *cluster);
void check_identity(struct findings *findings, const struct cluster *cluster);
void check_slots(struct findings *findings, const struct cluster *cluster);
void check_open_slots(struct findings *findings, const struct cluster *cluster);
void check_epochs(struct findings *findings, const struct cluster *cluster);
void check_quorum(struct findings *findings, const struct cluster *cluster);
void check_origins(struct findings *findings, const struct cluster *cluster);
void check_layouts(struct findings *findings, const struct cluster *cluster);
void check_configuration(struct findings *findings, const struct cluster *cluster);
void check_replicas(struct findings *findings, const struct cluster *cluster);
void check_hosts(struct findings *findings, const struct cluster *cluster);
void check_keys(struct findings *findings, const struct cluster *cluster);
void check_statuses(struct findings *findings, const struct cluster *cluster);

/* Once for the case. */
void check_case(struct findings *findings);
void check_dumps(struct findings *findings);
void check_nodesconf(struct findings *findings);
void check_journals(struct findings *findings);
void check_identities(struct findings *findings);
void check_persistence(struct findings *findings);

/* Last, and only with a history: it adds to what the others have found. */
void check_history(struct findings *findings);

#endif
