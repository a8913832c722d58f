/* Step 2: the views side by side, and the cluster that they add up to.
 *
 * Vocabulary: a *view* is what one node's file says; a *claim* is "node X is this, at this epoch, says this view". Claims
 * are kept with their sources; which of them stands, and by which rule, is decided here and said (`enum claim_rule`).
 *
 * Views that share a member belong to one *cluster*. Within it the *core* is the largest group of instances that list each
 * other and hold the most slots; only the core's views testify about who is a member. An instance of the case whose
 * id no core view lists is an *outsider*.
 */
#ifndef RCF_CLUSTER_H
#define RCF_CLUSTER_H

#include "tools/evidence/evidence.h"

/* What a view says about one node. */
struct claim {
    size_t instance; /* whose view */
    const struct view *view;
    const struct sighting *sighting;
    bool own; /* the view is the node's own */
};

enum claim_rule {
    CLAIM_NONE,
    CLAIM_OWN,      /* its own file, which overrides peers at the same config epoch */
    CLAIM_EPOCH,    /* a peer's view holds a higher config epoch for it than its own file */
    CLAIM_FULL,     /* its own capture states no epochs, a peer's view does */
    CLAIM_FRESHEST, /* no file of its own: the view with the highest epochs, then the newest pong */
};

/* "own file at the same or a higher configEpoch", ... */
const char *claim_rule_text(enum claim_rule rule);

enum standing {
    STANDING_MEMBER,   /* listed by the core */
    STANDING_OUTSIDER, /* has a file in the case, which lists members; no core view lists it */
    STANDING_GHOST,    /* listed, but only as handshake or without address */
};

/* A node id of the cluster. */
struct node {
    uint32_t number; /* in the view store */
    const char *id;
    const char *name; /* "ip:port" by the standing claim, else the id's first 8 digits */
    enum standing standing;
    const struct claim *claims; /* by core views and its own; own first */
    size_t claim_count;
    size_t instance;       /* the instance that carries this id, or SIZE_MAX; of several, the one at the address that peers list */
    size_t instance_count; /* more than one: a duplicated id */
    const struct claim *stands; /* the claim that stands */
    enum claim_rule rule;
    const struct entry *entry; /* of the standing claim */
    bool primary, replica;
    uint32_t follows;      /* index of its primary in cluster.nodes, or NO_NODE */
    bool failed;           /* FAIL in a member's view that no later pong elsewhere refutes */
    const struct claim *failed_by;
    size_t suspected;      /* core views that mark it PFAIL or FAIL */
    uint32_t slots_owned;  /* by the cluster's decision, not by its claim */
    size_t listing;        /* core views other than its own that list it */
    const char *host;      /* of its instance, else by its address */
    int64_t last_seen_ms;  /* newest pong for it in any core view other than its own, 0 when none */
};

/* Who owns a slot, and who else says so. */
struct slot_owner {
    uint32_t node;    /* index in cluster.nodes, or NO_NODE */
    uint32_t rival;   /* another member that claims it in its own file, or NO_NODE */
    uint32_t listed;  /* without an owner: the member for which other views still list it, or NO_NODE */
};

struct cluster {
    const struct evidence *evidence;
    struct arena *arena;
    const size_t *core; /* instances whose views testify */
    size_t core_count;
    struct node *nodes; /* members, outsiders and ghosts, in this order, by name */
    size_t node_count;
    uint32_t *by_number; /* number in the view store -> index in nodes, or NO_NODE; see cluster_node() */
    size_t number_count;
    size_t member_count;
    struct slot_owner *slots; /* SLOT_COUNT */
    uint32_t uncovered;
    size_t voting;     /* primaries with slots */
    uint64_t current_epoch; /* the highest of the core, by its views and its captures of CLUSTER INFO */
    bool epochs_known;      /* false: no view of the core states epochs, so current_epoch is 0 or CLUSTER INFO's */
    bool partial;           /* every view of the core leaves nodes out by rule (view->limits): who is missing is not known */
    int64_t newest_pong_ms;
    struct server server;   /* of the core's instances, the newest where they differ; with product unknown when none is known */
    const uint32_t *missing; /* indexes of members whose own view is not in the case */
    size_t missing_count;
    uint32_t node_timeout_ms; /* by redis.conf of the core: the largest; 15000 when nothing is known */
    bool full_coverage; /* cluster-require-full-coverage: yes unless every core redis.conf says no */
};

struct clusters {
    struct arena *arena; /* not owned */
    struct cluster *all; /* largest first */
    size_t count;
    const size_t *alone; /* instances with a one-line view or none: no cluster */
    size_t alone_count;
};

/* Builds the clusters of a case; everything lives in `arena`. NULL without memory. */
struct clusters *clusters_build(const struct evidence *evidence, struct arena *arena);

/* How far the cluster had come when a view was saved: its currentEpoch; a capture has no vars, so the highest config epoch
 * that it shows serves instead. */
uint64_t view_epoch(const struct view *view);

/* The claim comes from a view that states epochs; the claim that stands does. */
bool claim_has_epoch(const struct claim *claim);
bool node_has_epoch(const struct node *node);

/* The line names a node that somebody has talked to: not a handshake, a placeholder, or a node without address. */
bool sighting_names(const struct sighting *sighting);

/* The index of a node number in the cluster, or NO_NODE. */
uint32_t cluster_node(const struct cluster *cluster, uint32_t number);

/* The node that an instance of the case is, by its own id, else by a member's address; NO_NODE when it is none of this
 * cluster. */
uint32_t cluster_node_of(const struct cluster *cluster, size_t instance);

/* The instance's view is one of the core. */
bool cluster_testifies(const struct cluster *cluster, size_t instance);

/* The cluster that an instance belongs to, as a member or an outsider, or NULL. */
const struct cluster *clusters_of(const struct clusters *clusters, size_t instance);

/* What the node said of itself: its own file or capture, else its line in a tool's check, which each node answers; NULL
 * when neither is in the case. */
const struct claim *node_own_words(const struct node *node);

/* Whose open-slot marks stand on the own line of a node (an index): its own, or, on a replica's, its primary's. Valkey
 * 8.0 and newer send SETSLOT to replicas, so these carry the marks too; no other server leaves one on a replica's
 * line. */
uint32_t cluster_marks_of(const struct cluster *cluster, uint32_t node);

/* The node's own words have the same mark. False without own words. */
bool node_is_marked(const struct node *node, const struct mark *mark);

/* What the sources of the core's views never say, "CLUSTER SLOTS: it never says epochs, ..."; "" when nothing. In
 * `arena`, NULL without memory. */
const char *cluster_limits_text(const struct cluster *cluster, struct arena *arena);

/* The claim of one instance's view about a node, or NULL when it is silent. */
const struct claim *node_claim(const struct node *node, size_t instance);

/* The slots of a set as text, "0-5460,10923"; allocated from `arena`, "" when empty. `owns(context, slot)` says which. */
char *slots_text(struct arena *arena, bool (*owns)(const void *context, unsigned slot), const void *context);

/* The slots that a node owns by the cluster's decision, as text. */
char *cluster_slots_of(const struct cluster *cluster, uint32_t node, struct arena *arena);

#endif
