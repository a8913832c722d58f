/* The tables of fault tolerance, which stand in a file of their own. */
#ifndef RCF_TOPOLOGY_PRIVATE_H
#define RCF_TOPOLOGY_PRIVATE_H

#include "tools/render/topology_output.h"

enum { TOTALS_COLUMNS = 10, TOLERANCE_COLUMNS = 15, TAKEOVERS_COLUMNS = 12, PAIRS_COLUMNS = 13 };

extern const struct column topology_totals_columns[TOTALS_COLUMNS];
extern const struct column topology_tolerance_columns[TOLERANCE_COLUMNS];
extern const struct column topology_takeovers_columns[TAKEOVERS_COLUMNS];
extern const struct column topology_pairs_columns[PAIRS_COLUMNS];

/* The rows of one cluster. */
void topology_totals_rows(struct topology_writing *w, struct table *table, const struct topology *topology);
void topology_tolerance_rows(struct topology_writing *w, struct table *table, const struct topology *topology);
void topology_takeovers_rows(struct topology_writing *w, struct table *table, const struct topology *topology);
void topology_pairs_rows(struct topology_writing *w, struct table *table, const struct topology *topology);

#endif
