/* Step 2: what the cluster loses when something of it is lost: a host, a zone, or any two instances at once.
 *
 * Only members count, as they stand by the claims that stand; a member that is failed already votes no more and takes
 * over nothing. What is lost is lost at one moment, so replicas do not migrate first (cluster-migration-barrier has no
 * say).
 *   - A failover needs the votes of more than half of all voting primaries, the lost ones counted.
 *   - A replica stands for election when its primary owns slots and it is not kept from it by its own redis.conf
 *     (cluster-replica-no-failover). replica-priority has no say: only Sentinel reads it. How long a replica had been
 *     cut off (cluster-replica-validity-factor) stands in no file.
 *   - Of several candidates servers prefer the one with the highest replication offset at that moment. Dumps show an
 *     older one; it decides only where all candidates' dumps are of one history (repl-id) and one is ahead.
 *   - With cluster-require-full-coverage, slots without an owner that answers stop the whole cluster. Without a
 *     majority it stops whatever is configured.
 */
#ifndef RCF_TOLERANCE_H
#define RCF_TOLERANCE_H

#include "tools/cluster/cluster.h"

/* What becomes of the slots of a voting primary. The order is from good to bad. */
enum fate {
    FATE_TAKEN_OVER,   /* a replica is elected */
    FATE_NO_CANDIDATE, /* copies are left, and redis.conf keeps each from taking over: CLUSTER FAILOVER by hand */
    FATE_NO_MAJORITY,  /* copies are left, and nobody can elect them: CLUSTER FAILOVER TAKEOVER by hand */
    FATE_LOST,         /* no copy is left */
    FATES
};

/* How much is known about which candidate wins. */
enum heir_basis {
    HEIR_NONE,
    HEIR_ONLY,   /* there is one */
    HEIR_OFFSET, /* its dump is ahead of the others' in one history */
    HEIR_OPEN,   /* whichever has the highest offset at that moment */
};

struct shard_loss {
    uint32_t primary; /* index in cluster.nodes: lost, or failed before and now without its last copy */
    enum fate fate;
    const uint32_t *candidates; /* best first; of HEIR_OPEN by name */
    size_t candidate_count;
    enum heir_basis basis;
};

enum service {
    SERVICE_WHOLE,   /* every slot is served, after the failovers */
    SERVICE_PARTIAL, /* some slots are not, the others are */
    SERVICE_DOWN,
};

enum loss_kind { LOSS_HOST, LOSS_ZONE, LOSS_INSTANCE, LOSS_PAIR };

struct loss {
    enum loss_kind kind;
    const char *name;   /* of the host or zone, else NULL */
    uint32_t nodes[2];  /* of an instance or pair: indexes; NO_NODE for none */
    size_t instances;   /* members that are lost */
    size_t voting;      /* of them voting primaries that have not failed before */
    size_t voting_left; /* that can still vote */
    bool majority;
    uint32_t slots[FATES];           /* how many slots have which fate */
    const struct shard_loss *shards; /* each primary that is concerned, by name; without candidates but for groups */
    size_t shard_count;
    enum service service; /* afterwards; what is down already stays down */
};

struct tolerance {
    const struct cluster *cluster;
    size_t voting_now, majority; /* voting primaries that have not failed; how many votes a failover needs */
    enum service now;
    const struct loss *groups; /* every host, then every zone of --hosts, by name */
    size_t group_count;
    /* Instances whose loss alone loses slots or the majority, then pairs that lose more than their two do one by one:
     * an instance that is listed loses the same together with any other. */
    const struct loss *pairs;
    size_t pair_count;
    uint64_t pairs_tried, pairs_harmful; /* of any two members; those that lose slots or the majority */
};

/* Works it out; in `arena`, NULL without memory. Pairs take a few nanoseconds each. */
struct tolerance *tolerance_of(const struct cluster *cluster, struct arena *arena);

/* The slots of some fates as text, "0-5460,10923"; "" for none. Bit 1 << FATE_LOST of `fates` stands for that fate, and
 * so on. In `arena`. */
char *tolerance_slots(const struct cluster *cluster, const struct loss *loss, unsigned fates, struct arena *arena);

/* "taken-over", "no-candidate", "no-majority", "lost"; "whole", "partial", "down"; "host", "zone", "instance", "pair";
 * "none", "only", "offset", "open". */
const char *fate_word(enum fate fate);
const char *service_word(enum service service);
const char *loss_word(enum loss_kind kind);
const char *heir_word(enum heir_basis basis);

#endif
