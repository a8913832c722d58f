/* Step 2: the topology that the views of a case add up to, laid out for tables: what is known of each cluster beyond
 * struct cluster is worked out here, and nothing is decided anew. */
#ifndef RCF_TOPOLOGY_H
#define RCF_TOPOLOGY_H

#include "tools/cluster/cluster.h"

enum slot_state {
    SLOTS_OK,
    SLOTS_UNCOVERED, /* nobody owns them */
    SLOTS_DROPPED,   /* peers list an owner whose own file no longer claims them */
    SLOTS_CONFLICT,  /* another member claims them in its own file */
    SLOTS_FAILED,    /* their owner is failed */
    SLOTS_OPEN,      /* a migrating or importing mark is on them */
};

/* A mark of an open slot on a member's own line. */
struct slot_open {
    uint16_t slot;
    enum slot_mark kind;
    uint32_t node; /* index in cluster.nodes: whose line */
    uint32_t peer; /* node number in the store, or NO_NODE */
};

/* Consecutive slots about which everything is the same. */
struct slot_run {
    uint16_t first, last;
    uint32_t owner; /* index in cluster.nodes, or NO_NODE */
    enum slot_state state;
    const uint32_t *claimants; /* indexes: nodes to which a testifying view or their own gives the slots; ascending */
    size_t claimant_count;
    const struct slot_open *marks; /* those of the first slot */
    size_t mark_count;
};

struct topology {
    const struct cluster *cluster;
    size_t number;                /* in clusters.all */
    const struct claim **seen_by; /* by node: what the newest testifying view other than its own says, or NULL */
    const size_t *listing;        /* by node: views of the cluster's instances that list it, its own included */
    size_t view_count;            /* newest views of the cluster's instances, outsiders included */
    size_t outsiders, ghosts, replicas;
    struct slot_run *runs; /* cover every slot, ascending */
    size_t run_count;
};

/* A view of the case. */
struct topology_view {
    size_t instance;
    const struct view *view;
    bool newest;    /* of its instance: only these count */
    size_t cluster; /* in clusters.all, or SIZE_MAX */
    bool testifies;
    uint32_t group; /* newest views that state the same have one number, 0 for the most frequent; NO_NODE for older */
};

struct topologies {
    const struct clusters *clusters;
    struct topology *all; /* one a cluster, in their order */
    struct topology_view *views; /* by instance, newest first */
    size_t view_count;
};

/* Works it out for every cluster of the case; in `arena`, NULL without memory. */
struct topologies *topologies_of(const struct evidence *evidence, const struct clusters *clusters, struct arena *arena);

/* "ok", "uncovered", ... */
const char *slot_state_word(enum slot_state state);

/* "migrating to 127.0.0.7:8000", in the words of tables; in `arena`. */
const char *slot_open_text(const struct cluster *cluster, const struct slot_open *mark, struct arena *arena);

#endif
