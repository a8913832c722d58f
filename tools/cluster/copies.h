/* Where else the keys of an instance exist: the copy proof behind every destroying step.
 *
 * A key is covered only by a whole dump of its slot's owner, or of a replica of that owner with the same replication
 * history, that is not older than the suspect's dump and holds the key with an equal value and expiry. Values are equal
 * as tools/keyspace/compare.h has it, however they are encoded. Covered with another value is "differs". Everything
 * else exists nowhere else as far as the evidence goes.
 */
#ifndef RCF_COPIES_H
#define RCF_COPIES_H

#include "tools/cluster/cluster.h"

enum { COPIES_LISTED = 1000 };

/* A key that exists only here. */
struct copied_key {
    struct bytes name;
    uint32_t db;
    uint16_t slot;
    struct place place; /* the key's record in the suspect's dump */
};

struct copies {
    bool possible;       /* the dump could be read a second time, whole */
    const char *why_not;
    size_t file;         /* the suspect's dump, SIZE_MAX when there is none */
    uint64_t count;      /* its keys: the sum of the three */
    uint64_t only_here, differs, covered;
    const struct copied_key *keys; /* the first COPIES_LISTED that exist only here, in the order of the dump */
    size_t listed;
    const bool *slots;             /* by slot: with keys that exist only here; NULL when there are none */
    size_t slot_count;
    const size_t *covering; /* files whose keys were compared */
    size_t covering_count;
    const char *const *skipped; /* why a dump of an owner or its replica was no proof */
    size_t skipped_count;
};

/* Compares the keys of an instance's dump with those of the members. `cluster` says who owns which slot. Everything in
 * `arena`; NULL without memory. Memory is bounded by the number of keys. */
struct copies *copies_of(const struct cluster *cluster, size_t instance, struct arena *arena);

#endif
