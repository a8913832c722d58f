/* The parts that a cluster is built from, in this order: the core (core.c), the nodes and their claims (claims.c), the slots
 * (slots.c); cluster.c puts them together. */
#ifndef RCF_CLUSTER_PRIVATE_H
#define RCF_CLUSTER_PRIVATE_H

#include "tools/cluster/cluster.h"

/* Sets of small numbers that are joined: each points towards its set's first number. */
struct sets {
    uint32_t *up;
    size_t count;
};

struct building {
    const struct evidence *evidence;
    struct arena *arena;
    struct sets related; /* node numbers that some view lists together */
    uint32_t *carrier;   /* node number -> first instance with this own id and a view, or NO_NODE */
};

/* Fills `related` and `carrier`. False without memory, here and below. */
bool core_relate(struct building *b);

/* The set of node numbers that an instance's view belongs to, or NO_NODE. */
uint32_t core_relation(struct building *b, const struct instance *instance);

/* Of the instances of one relation, makes the best group that lists each other the core of the cluster. */
bool core_choose(struct building *b, const size_t *related, size_t count, struct cluster *cluster);

/* The nodes that the core lists and that the related instances are, with their claims; then what stands of each. */
bool claims_collect(struct building *b, struct cluster *cluster, const size_t *related, size_t count);
bool claims_decide(struct building *b, struct cluster *cluster, const size_t *related, size_t count);

/* Owners, rivals and voting primaries, from the standing claims of the members. */
bool slots_decide(struct cluster *cluster);

#endif
