/* May an instance join a cluster: does it know nobody, hold nothing, and is nobody there who knows it.
 *
 * Servers and their tools ask less: cluster_known_nodes:1 and no db0 in INFO. What they miss is said beside our
 * verdict: keys in other databases, keys in files that the start does not load, functions, slots, an id or address that
 * members still list. It is about files: a running process may hold more.
 */
#ifndef RCF_PREJOIN_H
#define RCF_PREJOIN_H

#include "tools/cluster/cluster.h"
#include "tools/cluster/start.h"

enum prejoin_verdict { PREJOIN_EMPTY, PREJOIN_NOT_EMPTY, PREJOIN_CANNOT_TELL };

/* What a reason does to the verdict. */
enum prejoin_effect { PREJOIN_NOTE, PREJOIN_AGAINST, PREJOIN_OPEN };

enum prejoin_subject {
    PREJOIN_KNOWS_OTHERS,
    PREJOIN_SLOTS,
    PREJOIN_OPEN_SLOTS,
    PREJOIN_REPLICA,
    PREJOIN_EPOCHS,
    PREJOIN_NODESCONF, /* absent or damaged */
    PREJOIN_DATA,
    PREJOIN_UNREAD,
    PREJOIN_UNATTRIBUTED, /* data of which nothing says whose it is */
    PREJOIN_LISTED,       /* a member lists its id */
    PREJOIN_ADDRESS,      /* a member lists its address under another id */
    PREJOIN_MEMBERS,      /* what the members' files leave open */
    PREJOIN_CONFIG,
    PREJOIN_SUBJECTS
};

struct prejoin_reason {
    enum prejoin_subject subject;
    enum prejoin_effect effect;
    const char *text;
    const struct evidence *in; /* the case that `file` is of */
    size_t file;               /* SIZE_MAX: about what is absent */
    struct place place;
};

struct prejoin {
    size_t instance;
    enum prejoin_verdict verdict;
    const struct prejoin_reason *reasons; /* against first, then open, then notes */
    size_t reason_count;
    const struct start *start;
    const struct view *view; /* NULL: no nodes.conf */
    size_t known_nodes;      /* with itself; 1 without a nodes.conf */
    uint32_t slots, marks;
    uint64_t current_epoch, config_epoch, last_vote_epoch;
    bool members_asked;  /* a case with members was given */
    size_t members_read; /* members' files that were searched */
    enum prejoin_verdict tool; /* what the server's own tools would say of it, started on these files */
    const char *tool_why;
};

/* Judges one instance. `members_case` and its `members` are the cluster to join, both NULL when it is not asked; it may
 * be the same case, and may hold files of the instance itself. Everything in `arena`; NULL without memory. */
struct prejoin *prejoin_of(const struct evidence *evidence, size_t instance, const struct evidence *members_case,
                           const struct clusters *members, struct arena *arena);

/* "empty", "not-empty", "cannot-tell"; "note", "against", "open"; "knows-others", ... */
const char *prejoin_verdict_word(enum prejoin_verdict verdict);
const char *prejoin_effect_word(enum prejoin_effect effect);
const char *prejoin_subject_word(enum prejoin_subject subject);

#endif
