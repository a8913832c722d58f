#include "tools/plan/placement.h"

#include <math.h>
#include <string.h>

/* Two exchanges at once are tried up to so many nodes: the work grows with the fourth power. */
enum { SLOTS = 16384, PAIRS_MOST = 40 };

/* A layout while it is searched: hosts and zones as numbers, so that comparing two nodes costs nothing. */
struct layout {
    size_t count, primaries;
    size_t *order, *follows;
    size_t *host, *zone; /* per node; zone SIZE_MAX: unknown */
    size_t hosts;
    size_t *load;        /* primaries per host */
    size_t *head, *next; /* replicas of one primary as a chain, rebuilt by each cost_of() */
};

/* Equal texts get equal numbers; NULL gets SIZE_MAX. */
static size_t number_texts(const struct placement_node *nodes, size_t count, size_t offset, size_t *numbers)
{
    size_t known = 0;
    for (size_t n = 0; n < count; n++) {
        const char *text = *(const char *const *)(const void *)((const char *)&nodes[n] + offset);
        numbers[n] = text ? known : SIZE_MAX;
        for (size_t before = 0; text && before < n; before++) {
            const char *other = *(const char *const *)(const void *)((const char *)&nodes[before] + offset);
            if (other && strcmp(other, text) == 0) {
                numbers[n] = numbers[before];
                break;
            }
        }
        known += numbers[n] == known;
    }
    return known;
}

/* ------------------------------------------------------------------ the tools' layout */

/* One node of each IP in turn, IPs in the order of their first node. */
static void interleave(const size_t *ip, size_t ips, size_t count, size_t *list)
{
    size_t filled = 0;
    for (size_t round = 0; filled < count; round++)
        for (size_t i = 0; i < ips; i++) {
            size_t seen = 0;
            for (size_t n = 0; n < count; n++)
                if (ip[n] == i && seen++ == round) {
                    list[filled++] = n;
                    break;
                }
        }
}

/* The first of the list that lives on another IP than the primary; else the first at all, and then what stands before
 * it is out of reach for later ones, as in the tools. */
static size_t take_replica(size_t *list, size_t count, size_t *from, const size_t *ip, size_t primary)
{
    size_t first = SIZE_MAX;
    for (size_t i = *from; i < count; i++) {
        if (list[i] == SIZE_MAX)
            continue;
        if (ip[list[i]] != ip[primary]) {
            size_t node = list[i];
            list[i] = SIZE_MAX;
            return node;
        }
        if (first == SIZE_MAX)
            first = i;
    }
    if (first == SIZE_MAX)
        return SIZE_MAX;
    *from = first + 1;
    return list[first];
}

static void give_replicas(struct layout *layout, const size_t *ip, size_t replicas, size_t *list, size_t left)
{
    size_t from = 0, available = left;
    for (size_t extra = 0; extra < 2 && available; extra++)
        for (size_t p = 0; p < layout->primaries; p++)
            for (size_t given = 0; available && given < (extra ? 1 : replicas); given++) {
                size_t node = take_replica(list, left, &from, ip, layout->order[p]);
                if (node == SIZE_MAX)
                    break;
                layout->follows[node] = layout->order[p];
                available--;
            }
}

static void lay_out_as_tools(struct layout *layout, const size_t *ip, size_t ips, size_t replicas, size_t *list)
{
    size_t left = layout->count - layout->primaries;
    interleave(ip, ips, layout->count, list);
    for (size_t n = 0; n < layout->count; n++)
        layout->follows[n] = SIZE_MAX;
    for (size_t p = 0; p < layout->primaries; p++) {
        layout->order[p] = list[p];
        layout->follows[list[p]] = list[p];
    }
    size_t *rest = list + layout->primaries;
    if (left) {
        size_t first = rest[0];
        memmove(rest, rest + 1, (left - 1) * sizeof(*rest));
        rest[left - 1] = first;
    }
    give_replicas(layout, ip, replicas, rest, left);
    /* More left over than one extra replica each: the rest go round. */
    size_t next = 0;
    for (size_t n = 0; n < layout->count; n++)
        if (layout->follows[n] == SIZE_MAX)
            layout->follows[n] = layout->order[next++ % layout->primaries];
}

/* ------------------------------------------------------------------ how good a layout is */

static bool is_primary(const struct layout *layout, size_t node)
{
    return layout->follows[node] == node;
}

static struct placement_cost cost_of(struct layout *layout)
{
    struct placement_cost cost = {0};
    memset(layout->load, 0, layout->hosts * sizeof(*layout->load));
    for (size_t n = 0; n < layout->count; n++)
        layout->head[n] = SIZE_MAX;
    for (size_t n = 0; n < layout->count; n++) {
        size_t primary = layout->follows[n];
        if (primary == n) {
            layout->load[layout->host[n]]++;
            continue;
        }
        cost.replicas_on_primary_host += layout->host[n] == layout->host[primary];
        cost.replicas_in_primary_zone += layout->zone[n] != SIZE_MAX && layout->zone[n] == layout->zone[primary];
        for (size_t other = layout->head[primary]; other != SIZE_MAX; other = layout->next[other])
            cost.replicas_sharing_host += layout->host[other] == layout->host[n];
        layout->next[n] = layout->head[primary];
        layout->head[primary] = n;
    }
    for (size_t h = 0; h < layout->hosts; h++) {
        cost.majority_hosts += layout->load[h] > layout->primaries / 2;
        cost.uneven += layout->load[h] * layout->load[h];
    }
    return cost;
}

/* Less than zero when `a` is better: field by field, in the order of the declaration's importance. */
static int compare(const struct placement_cost *a, const struct placement_cost *b)
{
    const size_t x[] = {a->replicas_on_primary_host, a->majority_hosts, a->replicas_sharing_host,
                        a->replicas_in_primary_zone, a->uneven};
    const size_t y[] = {b->replicas_on_primary_host, b->majority_hosts, b->replicas_sharing_host,
                        b->replicas_in_primary_zone, b->uneven};
    for (size_t i = 0; i < sizeof(x) / sizeof(x[0]); i++)
        if (x[i] != y[i])
            return x[i] < y[i] ? -1 : 1;
    return 0;
}

/* ------------------------------------------------------------------ the search */

static size_t swapped(size_t node, size_t a, size_t b)
{
    return node == a ? b : node == b ? a : node;
}

/* Two nodes take each other's place: role, primary and followers. */
static void exchange(struct layout *layout, size_t a, size_t b)
{
    size_t place_a = layout->follows[a], place_b = layout->follows[b];
    for (size_t n = 0; n < layout->count; n++)
        layout->follows[n] = swapped(layout->follows[n], a, b);
    layout->follows[a] = swapped(place_b, a, b);
    layout->follows[b] = swapped(place_a, a, b);
    for (size_t p = 0; p < layout->primaries; p++)
        layout->order[p] = swapped(layout->order[p], a, b);
}

/* Exchanging them changes nothing: they live in one place, or are replicas of one primary. */
static bool alike(const struct layout *layout, size_t a, size_t b)
{
    return (layout->host[a] == layout->host[b] && layout->zone[a] == layout->zone[b]) ||
           (layout->follows[a] == layout->follows[b] && !is_primary(layout, a) && !is_primary(layout, b));
}

/* An exchange on top of which another one is tried: two at once leave places that no single one leaves. */
static bool try_exchange(struct layout *layout, size_t a, size_t b, struct placement_cost *best)
{
    if (alike(layout, a, b))
        return false;
    exchange(layout, a, b);
    struct placement_cost cost = cost_of(layout);
    if (compare(&cost, best) < 0) {
        *best = cost;
        return true;
    }
    exchange(layout, a, b);
    return false;
}

static bool improve_once(struct layout *layout, struct placement_cost *best)
{
    bool better = false;
    for (size_t a = 0; a < layout->count; a++)
        for (size_t b = a + 1; b < layout->count; b++)
            better |= try_exchange(layout, a, b, best);
    return better;
}

static bool improve_by_two(struct layout *layout, struct placement_cost *best)
{
    for (size_t a = 0; a < layout->count; a++)
        for (size_t b = a + 1; b < layout->count; b++) {
            if (alike(layout, a, b))
                continue;
            exchange(layout, a, b);
            for (size_t c = 0; c < layout->count; c++)
                for (size_t d = c + 1; d < layout->count; d++)
                    if (try_exchange(layout, c, d, best))
                        return true;
            exchange(layout, a, b);
        }
    return false;
}

static void improve(struct layout *layout)
{
    struct placement_cost best = cost_of(layout);
    do
        while (improve_once(layout, &best))
            ;
    while (layout->count <= PAIRS_MOST && improve_by_two(layout, &best));
}

/* ------------------------------------------------------------------ both layouts */

static bool prepare(struct layout *layout, const struct placement_node *nodes, size_t count, size_t replicas,
                    struct arena *arena)
{
    *layout = (struct layout){.count = count, .primaries = count / (replicas + 1)};
    size_t **arrays[] = {&layout->order, &layout->follows, &layout->host, &layout->zone,
                         &layout->load,  &layout->head,    &layout->next};
    if (!layout->primaries)
        return false;
    for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++)
        if (!(*arrays[i] = arena_array(arena, count, sizeof(**arrays[i]))))
            return false;
    layout->hosts = number_texts(nodes, count, offsetof(struct placement_node, host), layout->host);
    number_texts(nodes, count, offsetof(struct placement_node, zone), layout->zone);
    return true;
}

static const struct placement *lay_out(const struct placement_node *nodes, size_t count, size_t replicas, bool ours,
                                       struct arena *arena)
{
    struct layout layout;
    struct placement *placement = arena_alloc(arena, sizeof(*placement));
    size_t *ip = arena_array(arena, count, sizeof(*ip)), *list = arena_array(arena, count, sizeof(*list));
    if (!placement || !ip || !list || !prepare(&layout, nodes, count, replicas, arena))
        return NULL;
    size_t ips = number_texts(nodes, count, offsetof(struct placement_node, ip), ip);
    lay_out_as_tools(&layout, ip, ips, replicas, list);
    if (ours)
        improve(&layout);
    *placement = (struct placement){.primaries = layout.primaries, .order = layout.order, .follows = layout.follows};
    return placement;
}

const struct placement *placement_of_tools(const struct placement_node *nodes, size_t count, size_t replicas,
                                           struct arena *arena)
{
    return lay_out(nodes, count, replicas, false, arena);
}

const struct placement *placement_of(const struct placement_node *nodes, size_t count, size_t replicas,
                                     struct arena *arena)
{
    return lay_out(nodes, count, replicas, true, arena);
}

bool placement_cost(const struct placement *placement, const struct placement_node *nodes, size_t count,
                    struct arena *arena, struct placement_cost *cost)
{
    struct layout layout;
    if (!prepare(&layout, nodes, count, 0, arena))
        return false;
    layout.primaries = placement->primaries;
    memcpy(layout.follows, placement->follows, count * sizeof(*layout.follows));
    *cost = cost_of(&layout);
    return true;
}

void placement_slots(size_t at, size_t primaries, unsigned *first, unsigned *last)
{
    /* redis-cli.c adds single precision steps and rounds; the borders of neighbours must meet, so all are computed. */
    float per_node = (float)SLOTS / (float)primaries, cursor = 0;
    long from = 0, to = 0;
    for (size_t p = 0; p <= at; p++) {
        from = p ? to + 1 : 0;
        to = lroundf(cursor + per_node - 1);
        if (to > SLOTS - 1 || p == primaries - 1)
            to = SLOTS - 1;
        if (to < from)
            to = from;
        cursor += per_node;
    }
    *first = (unsigned)from;
    *last = (unsigned)to;
}
