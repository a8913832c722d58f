/* Layouts: the tools' is the tools', ours is the best there is for small clusters and never worse than theirs. */
#include <criterion/criterion.h>
#include <string.h>

#include "tools/plan/placement.h"

enum { MOST = 8 };

static const char *const names[] = {"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6", "10.0.0.7", "10.0.0.8"};

static size_t weigh(const struct placement *placement, const struct placement_node *nodes, size_t count, struct arena *arena)
{
    struct placement_cost cost;
    cr_assert(placement_cost(placement, nodes, count, arena, &cost));
    return cost.replicas_on_primary_host * 1000000 + cost.majority_hosts * 100000 + cost.replicas_sharing_host * 1000 + cost.uneven;
}

/* The best of all layouts with one replica each, by trying: every choice of primaries, every order of replicas. */
struct search {
    const struct placement_node *nodes;
    size_t count, primaries, best;
    size_t order[MOST], follows[MOST];
    bool used[MOST];
    struct arena *arena;
};

static void try_replicas(struct search *s)
{
    /* An odometer instead of recursion: replica i of `rest` follows order[turn[i]], all turns different. */
    size_t rest[MOST], turn[MOST] = {0}, left = 0;
    for (size_t n = 0; n < s->count; n++)
        if (!s->used[n])
            rest[left++] = n;
    for (;;) {
        bool different = true;
        for (size_t i = 0; i < left && different; i++)
            for (size_t j = 0; j < i; j++)
                different &= turn[i] != turn[j];
        if (different) {
            for (size_t n = 0; n < s->count; n++)
                s->follows[n] = n;
            for (size_t i = 0; i < left; i++)
                s->follows[rest[i]] = s->order[turn[i]];
            struct placement placement = {.primaries = s->primaries, .order = s->order, .follows = s->follows};
            size_t cost = weigh(&placement, s->nodes, s->count, s->arena);
            if (cost < s->best)
                s->best = cost;
        }
        size_t i = 0;
        while (i < left && ++turn[i] == s->primaries)
            turn[i++] = 0;
        if (i == left)
            return;
    }
}

static size_t best_of_all(const struct placement_node *nodes, size_t count, struct arena *arena)
{
    struct search s = {.nodes = nodes, .count = count, .primaries = count / 2, .best = SIZE_MAX, .arena = arena};
    for (unsigned set = 0; set < 1u << count; set++) {
        size_t chosen = 0;
        for (size_t n = 0; n < count; n++) {
            s.used[n] = set >> n & 1;
            if (s.used[n] && chosen < MOST)
                s.order[chosen++] = n;
        }
        if (chosen == s.primaries)
            try_replicas(&s);
    }
    return s.best;
}

Test(placement, ours_is_the_best_of_all_for_six_nodes)
{
    /* Every way of putting six nodes on up to four hosts. */
    for (unsigned code = 0; code < 4 * 4 * 4 * 4 * 4; code++) {
        struct arena *arena = arena_new();
        struct placement_node nodes[6] = {{names[0], names[0], NULL}};
        unsigned rest = code;
        for (size_t n = 1; n < 6; n++, rest /= 4)
            nodes[n] = (struct placement_node){names[rest % 4], names[rest % 4], NULL};
        const struct placement *ours = placement_of(nodes, 6, 1, arena), *tools = placement_of_tools(nodes, 6, 1, arena);
        cr_assert(ours && tools);
        cr_expect_leq(weigh(ours, nodes, 6, arena), weigh(tools, nodes, 6, arena), "layout %u", code);
        cr_expect_eq(weigh(ours, nodes, 6, arena), best_of_all(nodes, 6, arena), "layout %u", code);
        arena_free(arena);
    }
}

Test(placement, every_replica_has_a_primary_and_shares_are_even)
{
    for (size_t count = 3; count <= 30; count++)
        for (size_t replicas = 0; replicas < 4 && count / (replicas + 1) >= 1; replicas++) {
            struct arena *arena = arena_new();
            struct placement_node nodes[30];
            for (size_t n = 0; n < count; n++)
                nodes[n] = (struct placement_node){names[n % 5], names[n % 5], names[n % 3]};
            const struct placement *ours = placement_of(nodes, count, replicas, arena);
            cr_assert_not_null(ours);
            cr_expect_eq(ours->primaries, count / (replicas + 1));
            size_t followers[30] = {0};
            for (size_t n = 0; n < count; n++) {
                cr_assert_eq(ours->follows[ours->follows[n]], ours->follows[n], "a replica of a replica");
                followers[ours->follows[n]] += ours->follows[n] != n;
            }
            for (size_t p = 0; p < ours->primaries; p++)
                cr_expect_geq(followers[ours->order[p]], replicas);
            arena_free(arena);
        }
}

/* What redis-cli 7.0.15 --cluster create --cluster-replicas 1 proposes for nodes on these hosts, in this order. */
static const struct {
    size_t count, primaries;
    size_t host[MOST], order[MOST], follows[MOST];
} proposed[] = {
    {6, 3, {0, 0, 1, 1, 2, 2}, {0, 2, 4}, {0, 4, 2, 0, 4, 2}},
    {8, 4, {0, 0, 0, 1, 1, 2, 2, 2}, {0, 3, 5, 1}, {0, 1, 3, 3, 5, 5, 0, 1}},
};

Test(placement, the_tools_layout_is_that_of_redis_cli)
{
    for (size_t i = 0; i < sizeof(proposed) / sizeof(proposed[0]); i++) {
        struct placement_node nodes[MOST];
        struct arena *arena = arena_new();
        for (size_t n = 0; n < proposed[i].count; n++)
            nodes[n] = (struct placement_node){names[proposed[i].host[n]], names[proposed[i].host[n]], NULL};
        const struct placement *tools = placement_of_tools(nodes, proposed[i].count, 1, arena);
        cr_assert_not_null(tools);
        cr_expect_eq(tools->primaries, proposed[i].primaries);
        for (size_t n = 0; n < proposed[i].count; n++)
            cr_expect_eq(tools->follows[n], proposed[i].follows[n], "node %zu follows %zu", n, tools->follows[n]);
        for (size_t p = 0; p < proposed[i].primaries; p++)
            cr_expect_eq(tools->order[p], proposed[i].order[p]);
        arena_free(arena);
    }
}

Test(placement, slots_meet_and_end_at_16383)
{
    for (size_t primaries = 1; primaries <= 1000; primaries++) {
        unsigned expected = 0, first = 0, last = 0;
        for (size_t p = 0; p < primaries; p++) {
            placement_slots(p, primaries, &first, &last);
            cr_assert_eq(first, expected);
            cr_assert_geq(last, first);
            expected = last + 1;
        }
        cr_expect_eq(last, 16383);
    }
}

Test(placement, three_primaries_get_the_slots_that_everybody_knows)
{
    static const unsigned borders[3][2] = {{0, 5460}, {5461, 10922}, {10923, 16383}};
    for (size_t p = 0; p < 3; p++) {
        unsigned first, last;
        placement_slots(p, 3, &first, &last);
        cr_expect_eq(first, borders[p][0]);
        cr_expect_eq(last, borders[p][1]);
    }
}
