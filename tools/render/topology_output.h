/* The topology of a case as people and programs read it. */
#ifndef RCF_TOPOLOGY_OUTPUT_H
#define RCF_TOPOLOGY_OUTPUT_H

#include "tools/cluster/tolerance.h"
#include "tools/cluster/topology.h"
#include "tools/render/format.h"
#include "tools/render/out.h"
#include "tools/render/table.h"

enum topology_table {
    TOPOLOGY_NODES,
    TOPOLOGY_SLOTS,
    TOPOLOGY_REPLICAS,
    TOPOLOGY_VIEWS,
    TOPOLOGY_TOTALS,    /* fault tolerance, a row a cluster */
    TOPOLOGY_TOLERANCE, /* ... a row a host or zone */
    TOPOLOGY_TAKEOVERS, /* ... a row a host or zone and primary */
    TOPOLOGY_PAIRS,     /* ... a row a pair of instances that loses something */
    TOPOLOGY_TABLES
};

/* One a table, in this order; their arrays are "nodes", "slots", "replicas", "views", "totals", "tolerance",
 * "takeovers", "pairs". */
extern const struct record_type topology_records[TOPOLOGY_TABLES];

struct topology_writing {
    struct out *out;
    const struct evidence *evidence;
    const struct topologies *topologies;
    struct arena *arena; /* for texts; grows with the tables */
    const struct tolerance **tolerances; /* by cluster; NULL until it is asked for */
};

/* For people: the clusters with their primaries, replicas and outsiders. `whole` shortens no list. */
void topology_write_overview(struct topology_writing *writing, bool whole);

/* For people: one table, a cluster after the other. */
void topology_write_text(struct topology_writing *writing, enum topology_table table);

/* One table as CSV, JSON lines or a JSON document. */
void topology_write_table(struct topology_writing *writing, enum topology_table table, enum format format);

/* One JSON document with a summary of each cluster and all tables. */
void topology_write_document(struct topology_writing *writing);

/* A graph for Graphviz. */
void topology_write_dot(struct topology_writing *writing);

/* The rows of one table: of one cluster, or of all for NULL; views of no cluster come with all. */
void topology_rows(struct topology_writing *writing, struct table *table, enum topology_table which,
                   const struct topology *only);

/* The fault tolerance of a cluster, worked out when it is first asked for. NULL without memory. */
const struct tolerance *topology_tolerance(struct topology_writing *writing, const struct topology *topology);

/* What the cluster can lose, in a sentence or two before its tables. */
void topology_write_totals(struct topology_writing *writing, const struct topology *topology);

/* The slots a node owns as words, "0-5460 10923", or NULL when there are none. */
const char *topology_slots(struct topology_writing *writing, const struct topology *topology, uint32_t node);

/* The dump of the instance that a node is, or NULL. */
const struct dump *topology_dump(const struct topology_writing *writing, const struct node *node);

#endif
