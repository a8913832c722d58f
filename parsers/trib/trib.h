/* What redis-trib.rb (Redis 3.0 to 4.0), redis-cli --cluster and valkey-cli --cluster print: check, info, create,
 * add-node, fix, reshard and the others, which are made of the same lines. docs/formats/captures.md has them by version.
 *
 * The lines of a node are what the node itself answered at that moment: its own line of CLUSTER NODES. The tool asks one
 * node for the others, and leaves out those that are failed, without address, or not reached; so it never shows who is
 * missing. Before a check has begun the lines of create are a plan, not what is.
 */
#ifndef RCF_TRIB_H
#define RCF_TRIB_H

#include "parsers/capture/capture.h"
#include "parsers/nodesconf/nodesconf.h"

struct trib;

enum trib_kind {
    TRIB_ACTION,      /* ">>> Creating cluster", ">>> Adding node A to cluster B", "Ready to move 10 slots." */
    TRIB_CHECK,       /* ">>> Performing Cluster Check (using node ADDRESS)": the nodes behind it are what is */
    TRIB_NODE,        /* "M: ID ADDRESS" and the lines that belong to it */
    TRIB_COUNT,       /* "ADDRESS (ID8...) -> 3 keys | 5461 slots | 1 slaves." */
    TRIB_OPEN,        /* "[WARNING] Node ADDRESS has slots in migrating state 1,2." */
    TRIB_VERDICT,     /* what the check found, see enum trib_verdict */
    TRIB_UNREACHABLE, /* "Could not connect to Redis at ADDRESS: ..." */
    TRIB_MOVE,        /* "Moving slot 5 from ADDRESS to ADDRESS: " */
};

enum trib_verdict {
    TRIB_AGREE,
    TRIB_DISAGREE,
    TRIB_COVERED,
    TRIB_UNCOVERED,
    TRIB_JOINED,    /* "[OK] New node added correctly." */
    TRIB_NOT_EMPTY, /* "[ERR] Node ADDRESS is not empty..." */
};

enum trib_action { TRIB_CREATE, TRIB_ADD_NODE, TRIB_DEL_NODE, TRIB_RESHARD, TRIB_REBALANCE, TRIB_FIX, TRIB_OTHER };

struct trib_address {
    struct bytes ip; /* without brackets; empty when the tool had none */
    uint16_t port;
};

/* Texts point into the evidence. */
struct trib_item {
    enum trib_kind kind;
    enum trib_action action;       /* TRIB_ACTION */
    enum trib_verdict verdict;     /* TRIB_VERDICT */
    struct trib_address address;   /* the node that is spoken of; TRIB_CHECK, and add-node: whom the tool asked */
    struct bytes id;               /* TRIB_NODE: 40 digits; TRIB_COUNT: the first 8 */
    bool planned;                  /* TRIB_NODE: part of what create proposes */
    bool listed;                   /* TRIB_NODE: behind a check; false: in the list of a reshard, said again */
    unsigned flags;                /* TRIB_NODE: enum nodesconf_flag, of M, S and the words behind the slots */
    struct bytes primary;          /* TRIB_NODE: whom it replicates, or empty */
    const struct slot_range *ranges; /* TRIB_NODE, TRIB_OPEN, TRIB_MOVE; borrowed until the next call */
    size_t range_count;
    enum slot_mark mark;           /* TRIB_OPEN */
    uint64_t keys, slots, replicas; /* TRIB_COUNT */
    struct place place;            /* of the first line */
};

/* A reader over the whole text, which stays the caller's and must outlive it. NULL without memory. */
struct trib *trib_open(struct bytes text);

/* The next step; see parsers/parse.h. Never PARSE_STOP. Damage codes: enum capture_defect; damage of a
 * node comes before it. Lines that are none of the kinds are passed over. */
enum parse_step trib_next(struct trib *reader, struct trib_item *item);

/* The damage of the latest PARSE_DAMAGE step. Borrowed until the next call. */
const struct damage *trib_damage(const struct trib *reader);

void trib_close(struct trib *reader);

#endif
