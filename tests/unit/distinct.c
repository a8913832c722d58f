#include "tools/evidence/distinct.h"

#include <criterion/criterion.h>
#include <stdlib.h>

/* Different for each number: odd multipliers permute 64 bits. */
static uint64_t print_of(uint64_t number)
{
    return number * UINT64_C(0xd1342543de82ef95);
}

static void add_run(struct distinct *distinct, uint64_t first, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        cr_assert_eq(distinct_add(distinct, (uint64_t[]){print_of(first + i)}, 1), 1);
}

Test(distinct, finds_what_came_twice)
{
    for (unsigned threads = 1; threads <= 3; threads++) {
        struct distinct *distinct = distinct_new(1 << 30, threads == 2);
        uint64_t *repeated;
        size_t count;
        add_run(distinct, 0, 200000);
        add_run(distinct, 77, 1);
        add_run(distinct, 199999, 1);
        add_run(distinct, 77, 1);
        cr_assert(distinct_repeated(distinct, threads, &repeated, &count));
        cr_assert_eq(count, 2);
        uint64_t first = distinct_kept(distinct, print_of(77)), second = distinct_kept(distinct, print_of(199999));
        cr_expect_eq(repeated[0], first < second ? first : second);
        cr_expect_eq(repeated[1], first < second ? second : first);
        free(repeated);
        distinct_free(distinct);
    }
}

Test(distinct, zero_is_a_fingerprint)
{
    for (size_t zeros = 0; zeros < 4; zeros++) {
        struct distinct *distinct = distinct_new(1 << 30, zeros % 2);
        uint64_t *repeated;
        size_t count;
        add_run(distinct, 1, 1000);
        cr_assert_eq(distinct_add(distinct, (uint64_t[]){0, 0, 0}, zeros), zeros);
        cr_assert(distinct_repeated(distinct, 2, &repeated, &count));
        cr_expect_eq(count, zeros > 1, "%zu zeros", zeros);
        free(repeated);
        distinct_free(distinct);
    }
}

Test(distinct, nothing_repeats_in_nothing)
{
    struct distinct *distinct = distinct_new(1 << 20, false);
    uint64_t *repeated;
    size_t count = 9;
    cr_assert(distinct_repeated(distinct, 2, &repeated, &count));
    cr_expect(!count && !repeated);
    distinct_free(distinct);
}

Test(distinct, ends_at_its_limit)
{
    struct distinct *distinct = distinct_new(4 << 20, true);
    uint64_t added = 0;
    while (added < 10 << 20 && distinct_add(distinct, (uint64_t[]){print_of(added)}, 1))
        added++;
    cr_expect(added > 200000 && added <= (4 << 20) / 8, "%llu", (unsigned long long)added);
    cr_expect_eq(distinct_add(distinct, (uint64_t[]){print_of(1)}, 1), 0, "and stays there");
    distinct_free(distinct);
}

Test(distinct, the_database_counts)
{
    struct bytes name = {(const uint8_t *)"user:1", 6}, none = {0};
    cr_expect_neq(distinct_key(0, name), distinct_key(1, name));
    cr_expect_eq(distinct_key(3, name), distinct_key(3, name));
    cr_expect_neq(distinct_key(0, none), distinct_key(0, name));
}
