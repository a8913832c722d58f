#include "tools/plan/shares.h"

#include <math.h>

/* Insertion keeps equal ones in their order; sources are as many as primaries at most. */
static void largest_first(struct share *shares, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct share share = shares[i];
        size_t at = i;
        for (; at > 0 && shares[at - 1].slots < share.slots; at--)
            shares[at] = shares[at - 1];
        shares[at] = share;
    }
}

static unsigned part(unsigned wanted, unsigned total, unsigned slots, bool first, enum shares_precision precision)
{
    double exact = (double)wanted / total * slots;
    if (precision == SHARES_SINGLE) {
        float single = (float)wanted / (float)total;
        single *= (float)slots;
        exact = single;
    }
    double whole = first ? ceil(exact) : floor(exact);
    return whole > slots ? slots : (unsigned)whole;
}

unsigned shares_compute(struct share *shares, size_t count, unsigned wanted, enum shares_precision precision)
{
    unsigned total = 0, taken = 0;
    for (size_t i = 0; i < count; i++)
        total += shares[i].slots;
    largest_first(shares, count);
    for (size_t i = 0; i < count; i++) {
        unsigned left = wanted - taken, gives = total ? part(wanted, total, shares[i].slots, i == 0, precision) : 0;
        shares[i].gives = gives < left ? gives : left;
        taken += shares[i].gives;
    }
    return taken;
}

bool share_gives(const struct share *share, unsigned slot)
{
    unsigned before = 0;
    if (slot >= SHARES_SLOTS || !share->owned[slot])
        return false;
    for (unsigned s = 0; s < slot; s++)
        before += share->owned[s];
    return before < share->gives;
}
