/* How many slots each source gives in a reshard, and which: as the servers' tools compute it, so that a plan moves the
 * slots that `reshard` would have moved. */
#ifndef RCF_PLAN_SHARES_H
#define RCF_PLAN_SHARES_H

#include <stdbool.h>
#include <stddef.h>

enum { SHARES_SLOTS = 16384 };

/* redis-trib.rb computes with double precision, redis-cli and valkey-cli with single: a share may differ by one
 * slot. */
enum shares_precision { SHARES_DOUBLE, SHARES_SINGLE };

struct share {
    size_t source;            /* the caller's number of the node */
    const bool *owned;        /* SHARES_SLOTS: its slots */
    unsigned slots;           /* how many they are */
    unsigned gives;           /* out: the first so many of its slots, in ascending order */
};

/* Fills `gives`. The list is put into the order in which the tools take: from the largest source to the smallest, equal
 * ones as they stood; the first gives its proportional part rounded up, the others rounded down, and none more than
 * what is left. The sum may be less than `wanted`, as with the tools; it is returned. */
unsigned shares_compute(struct share *shares, size_t count, unsigned wanted, enum shares_precision precision);

/* True when `slot` is among those that the share gives. */
bool share_gives(const struct share *share, unsigned slot);

#endif
