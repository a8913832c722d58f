/* The shares of a reshard are those that the tools compute. */
#include <criterion/criterion.h>
#include <string.h>

#include "tools/plan/shares.h"

static bool owned[3][SHARES_SLOTS];

static void own(size_t node, unsigned first, unsigned last)
{
    for (unsigned s = first; s <= last; s++)
        owned[node][s] = true;
}

static struct share share_of(size_t node)
{
    struct share share = {.source = node, .owned = owned[node]};
    for (unsigned s = 0; s < SHARES_SLOTS; s++)
        share.slots += owned[node][s];
    return share;
}

Test(shares, from_all_the_largest_gives_one_more)
{
    own(0, 0, 5460);
    own(1, 5461, 10922);
    own(2, 10923, 16383);
    struct share shares[] = {share_of(0), share_of(1), share_of(2)};
    cr_expect_eq(shares_compute(shares, 3, 1000, SHARES_SINGLE), 1000);
    cr_expect_eq(shares[0].source, 1);
    cr_expect_eq(shares[0].gives, 334);
    cr_expect_eq(shares[1].source, 0);
    cr_expect_eq(shares[1].gives, 333);
    cr_expect_eq(shares[2].gives, 333);
    cr_expect(share_gives(&shares[0], 5461) && share_gives(&shares[0], 5794) && !share_gives(&shares[0], 5795));
    cr_expect_not(share_gives(&shares[0], 0));
}

Test(shares, rounding_down_may_leave_less_than_was_wanted)
{
    own(0, 0, 99);
    own(1, 100, 199);
    own(2, 200, 299);
    struct share shares[] = {share_of(0), share_of(1), share_of(2)};
    cr_expect_eq(shares_compute(shares, 3, 5, SHARES_DOUBLE), 4);
    cr_expect_eq(shares[0].gives, 2);
    cr_expect_eq(shares[1].gives, 1);
}

Test(shares, nobody_gives_more_than_it_has)
{
    own(0, 0, 9);
    struct share shares[] = {share_of(0), share_of(1)};
    cr_expect_eq(shares_compute(shares, 2, 20, SHARES_SINGLE), 10);
    cr_expect_eq(shares[1].gives, 0);
    struct share none[] = {share_of(2)};
    cr_expect_eq(shares_compute(none, 1, 5, SHARES_SINGLE), 0);
}
