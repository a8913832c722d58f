/* Where else the keys of an instance exist: the copy proof behind every destroying step.
 *
 * A key is covered only by a whole dump of its slot's owner, or of a replica of that owner with the same replication
 * history, that is not older than the suspect's dump and holds the key with an equal value and expiry (equal
 * serialised bytes). Covered with another value is "differs". Everything else exists nowhere else as far as the evidence goes.
 */
#ifndef RCF_COPIES_H
#define RCF_COPIES_H

#include "tools/cluster/cluster.h"

enum coverage { COVERAGE_ONLY_HERE, COVERAGE_DIFFERS, COVERAGE_COVERED };

struct copied_key {
    struct bytes name;
    uint32_t db;
    uint16_t slot;
    enum coverage coverage;
    size_t covered_by; /* file that holds it too, or SIZE_MAX */
    struct place place; /* the key's record in the suspect's dump */
    unsigned char digest[16];
    bool has_expiry;
    int64_t expire_ms;
};

struct copies {
    bool possible;       /* the dump could be read a second time, whole */
    const char *why_not;
    size_t file;         /* the suspect's dump, SIZE_MAX when there is none */
    struct copied_key *keys; /* in the order of the dump */
    size_t count;
    uint64_t only_here, differs, covered;
    const size_t *covering; /* files whose keys were compared */
    size_t covering_count;
    const char *const *skipped; /* why a dump of an owner or its replica was no proof */
    size_t skipped_count;
};

/* Compares the keys of an instance's dump with those of the members. `cluster` says who owns which slot. Everything in
 * `arena`; NULL without memory. */
struct copies *copies_of(const struct cluster *cluster, size_t instance, struct arena *arena);

#endif
