/* Who is a member according to whom, and what a file's silence about a node is worth.
 *
 * A view that does not list X means that X was forgotten only if the view was saved after X had become a member;
 * otherwise X may simply not have been saved yet: from Redis 5.0.10 and 6.0.5 and in Valkey, gossip adds a node to memory
 * without saving the file. "After" is proved by one of two clocks:
 *   - epochs: X's own configEpoch (as a primary) or lastVoteEpoch is above 0 and not above the view's epochs: the
 *     cluster had reached that epoch, which X took part in, when the view was saved;
 *   - time: the view's newest pong is later than the earliest proof of X in the cluster: another view's pong for X, the line
 *     "Cluster state changed: ok" in X's log, and for a node that nobody lists the newest pong of its own view.
 * Moments of two hosts are compared with a minute's tolerance, since their clocks may differ; those of one host exactly, and so
 * are all where epochs say the same.
 * A damaged view may have lost the line: about a node that others list its silence says nothing, and about one that nobody
 * lists it proves nothing.
 * Epochs alone do not tell a node that was forgotten from one that has just come back with its old epochs (CLUSTER RESET
 * SOFT keeps them): for a node that somebody lists, they make the verdict probable only.
 */
#ifndef RCF_MEMBERSHIP_H
#define RCF_MEMBERSHIP_H

#include "tools/cluster/cluster.h"

enum silence {
    SILENCE_LISTS,    /* not silent */
    SILENCE_FORGOT,   /* saved after X was a member, and does not list it */
    SILENCE_UNSAVED,  /* may be older than X's membership */
    SILENCE_BY_RULE,  /* its source leaves nodes out, so it says nothing */
};

enum former {
    FORMER_UNKNOWN,
    FORMER_CONFIG_EPOCH, /* its own configEpoch above 0, not above the members' epochs */
    FORMER_VOTE,         /* its lastVoteEpoch likewise */
    FORMER_LOG,          /* "Cluster state changed: ok" in its log */
    FORMER_VIEW,         /* an older view of a member names it */
};

struct membership {
    size_t lists, forgot, unsaved; /* core views other than its own, by enum silence */
    size_t damaged;                /* silent views that may have lost its line to damage: nothing is proved by them */
    size_t forgot_in_time;         /* of those that forgot: shown by the clock of pongs, not by epochs alone */
    enum former former;            /* how it is known that X was a member before */
    const struct logbook_line *former_line; /* FORMER_LOG */
    const struct claim *former_claim;       /* FORMER_VIEW: borrowed from the arena */
    int64_t log_ms;                /* when it was in the cluster by its log, in Unix milliseconds; 0 when that cannot be told */
};

/* Judges node `node` of the cluster against its core views. */
struct membership membership_of(const struct cluster *cluster, uint32_t node, struct arena *arena);

/* When the node's id was made, by its log; 0 when that is not known. */
int64_t membership_birth_ms(const struct cluster *cluster, uint32_t node);

/* The file is damaged in a way that may have cost it lines: its silence about a node may be the damage's. */
bool view_may_have_lost(const struct view *view);

/* What the view of one core instance says of the node. */
enum silence membership_silence(const struct cluster *cluster, uint32_t node, size_t instance,
                                const struct membership *membership);

/* "its own configEpoch is 8, and the members have reached 9", ... in `arena`. */
const char *membership_former_text(const struct cluster *cluster, uint32_t node, const struct membership *membership,
                                   struct arena *arena);

/* The zone in which an instance's logs are written, in seconds east of UTC, by its dump's ctime against "DB saved on disk"
 * lines; false when it cannot be told. `year` is for logs without one. */
bool instance_log_zone(const struct instance *instance, int32_t *zone_s, int *year);

#endif
