#include <stdlib.h>
#include <string.h>

#include "tools/cluster/diff_private.h"

/* ------------------------------------------------------------------ own lines without an ip */

/* How often views list a node at an ip. */
struct rumour {
    const char *ip;
    size_t times;
    struct rumour *next;
};

static bool lacks_ip(const struct diff_operand *operand)
{
    const struct sighting *own = view_own(operand->view);
    return own && !*own->entry->ip && !(own->entry->flags & NODE_NOADDR);
}

static bool hear(struct comparing *comparing, struct rumour **rumours, const struct view *view, const bool *wanted)
{
    for (size_t s = 0; s < view->count; s++) {
        const struct entry *entry = view->sightings[s].entry;
        if (!wanted[entry->node] || !*entry->ip)
            continue;
        struct rumour *rumour = rumours[entry->node];
        while (rumour && strcmp(rumour->ip, entry->ip) != 0)
            rumour = rumour->next;
        if (!rumour) {
            rumour = arena_alloc(comparing->scratch, sizeof(*rumour));
            if (!rumour)
                return false;
            *rumour = (struct rumour){entry->ip, 0, rumours[entry->node]};
            rumours[entry->node] = rumour;
        }
        rumour->times++;
    }
    return true;
}

static const char *most_heard(const struct rumour *rumour)
{
    const struct rumour *best = rumour;
    for (; rumour; rumour = rumour->next)
        if (rumour->times > best->times || (rumour->times == best->times && strcmp(rumour->ip, best->ip) < 0))
            best = rumour;
    return best ? best->ip : NULL;
}

bool diff_complete_own_lines(struct comparing *comparing)
{
    size_t nodes = view_store_nodes(comparing->store);
    bool *wanted = arena_array(comparing->scratch, nodes, sizeof(*wanted));
    struct rumour **rumours = arena_array(comparing->scratch, nodes, sizeof(struct rumour *));
    comparing->own = arena_array(comparing->scratch, comparing->count, sizeof(const struct entry *));
    if (!wanted || !rumours || !comparing->own)
        return false;
    bool any = false;
    for (size_t i = 0; i < comparing->count; i++)
        if (lacks_ip(&comparing->operands[i])) {
            wanted[view_own(comparing->operands[i].view)->entry->node] = true;
            any = true;
        }
    for (size_t i = 0; any && i < comparing->count; i++)
        if (!hear(comparing, rumours, comparing->operands[i].view, wanted))
            return false;
    for (size_t i = 0; any && i < comparing->count; i++) {
        if (!lacks_ip(&comparing->operands[i]))
            continue;
        struct entry draft = *view_own(comparing->operands[i].view)->entry;
        const char *ip = most_heard(rumours[draft.node]);
        if (!ip)
            continue;
        draft.ip = ip;
        comparing->own[i] = view_store_intern(comparing->store, &draft);
        if (!comparing->own[i])
            return false;
    }
    return true;
}

/* ------------------------------------------------------------------ groups */

/* Equal for views that state the same, whatever the order of their lines. */
struct signature {
    uint64_t sum;
    size_t lines;
    uint32_t operand;
};

/* The finaliser of SplitMix64: spreads dense numbers, so that their sums rarely agree. */
static uint64_t spread(uint64_t number)
{
    number += UINT64_C(0x9e3779b97f4a7c15);
    number = (number ^ number >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    number = (number ^ number >> 27) * UINT64_C(0x94d049bb133111eb);
    return number ^ number >> 31;
}

static int by_signature(const void *one, const void *two)
{
    const struct signature *a = one, *b = two;
    if (a->sum != b->sum)
        return a->sum < b->sum ? -1 : 1;
    if (a->lines != b->lines)
        return a->lines < b->lines ? -1 : 1;
    return (a->operand > b->operand) - (a->operand < b->operand);
}

/* Adds `step` for each line of a view to the tally of its stance. True when no tally leaves 0 to its former value. */
static bool tally_view(const struct comparing *comparing, size_t operand, uint32_t *tally, int step)
{
    const struct view *view = comparing->operands[operand].view;
    bool within = true;
    for (size_t s = 0; s < view->count; s++) {
        uint32_t *count = &tally[stated(comparing, operand, &view->sightings[s])->stance];
        within &= step > 0 || *count != 0;
        *count += (uint32_t)step;
    }
    return within;
}

/* Of views with one signature, those that state the same as the first one that has no group yet become a group. */
static size_t group_equal(const struct comparing *comparing, const struct signature *run, size_t count, uint32_t *tally,
                          uint32_t *group_of, uint32_t group)
{
    size_t grouped = 0;
    bool first = true;
    uint32_t model = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t operand = run[i].operand;
        if (group_of[operand] != NO_VALUE)
            continue;
        bool same = first;
        if (first) {
            model = operand;
            tally_view(comparing, model, tally, 1);
            first = false;
        } else {
            same = tally_view(comparing, operand, tally, -1);
            tally_view(comparing, operand, tally, 1);
        }
        if (same) {
            group_of[operand] = group;
            grouped++;
        }
    }
    if (!first)
        tally_view(comparing, model, tally, -1);
    return grouped;
}

static uint64_t view_epoch(const struct view *view)
{
    uint64_t epoch = view->has_current_epoch ? view->current_epoch : 0;
    for (size_t s = 0; !view->has_current_epoch && s < view->count; s++)
        if (view->sightings[s].entry->config_epoch > epoch)
            epoch = view->sightings[s].entry->config_epoch;
    return epoch;
}

static int by_weight(const void *one, const void *two)
{
    const struct diff_group *a = one, *b = two;
    if (a->count != b->count)
        return a->count > b->count ? -1 : 1;
    if (a->epoch != b->epoch)
        return a->epoch > b->epoch ? -1 : 1;
    if (a->pong_ms != b->pong_ms)
        return a->pong_ms > b->pong_ms ? -1 : 1;
    return (a->views[0] > b->views[0]) - (a->views[0] < b->views[0]);
}

/* Lists the views of each group, and puts the groups in order. */
static bool fill_groups(struct comparing *comparing, uint32_t *group_of, size_t group_count)
{
    struct diff *diff = comparing->diff;
    uint32_t *views = arena_array(comparing->arena, comparing->count, sizeof(*views));
    size_t *filled = arena_array(comparing->scratch, group_count, sizeof(*filled));
    diff->groups = arena_array(comparing->arena, group_count, sizeof(*diff->groups));
    if (!views || !filled || !diff->groups)
        return false;
    diff->group_count = group_count;
    for (size_t i = 0; i < comparing->count; i++)
        diff->groups[group_of[i]].count++;
    size_t start = 0;
    for (size_t g = 0; g < group_count; g++) {
        diff->groups[g].views = views + start;
        filled[g] = start;
        start += diff->groups[g].count;
    }
    for (size_t i = 0; i < comparing->count; i++) {
        struct diff_group *group = &diff->groups[group_of[i]];
        const struct view *view = comparing->operands[i].view;
        uint64_t epoch = view_epoch(view);
        views[filled[group_of[i]]++] = (uint32_t)i;
        if (epoch > group->epoch)
            group->epoch = epoch;
        if (view->newest_pong_ms > group->pong_ms)
            group->pong_ms = view->newest_pong_ms;
    }
    qsort(diff->groups, group_count, sizeof(*diff->groups), by_weight);
    for (size_t g = 0; g < group_count; g++)
        for (size_t i = 0; i < diff->groups[g].count; i++)
            group_of[diff->groups[g].views[i]] = (uint32_t)g;
    diff->group_of = group_of;
    return true;
}

bool diff_make_groups(struct comparing *comparing)
{
    struct signature *signatures = arena_array(comparing->scratch, comparing->count, sizeof(*signatures));
    uint32_t *group_of = arena_array(comparing->arena, comparing->count, sizeof(*group_of));
    uint32_t highest = 0;
    if (!signatures || !group_of)
        return false;
    for (size_t i = 0; i < comparing->count; i++) {
        const struct view *view = comparing->operands[i].view;
        signatures[i] = (struct signature){.lines = view->count, .operand = (uint32_t)i};
        group_of[i] = NO_VALUE;
        for (size_t s = 0; s < view->count; s++) {
            uint32_t stance = stated(comparing, i, &view->sightings[s])->stance;
            signatures[i].sum += spread(stance);
            highest = stance > highest ? stance : highest;
        }
    }
    uint32_t *tally = arena_array(comparing->scratch, (size_t)highest + 1, sizeof(*tally));
    if (!tally)
        return false;
    qsort(signatures, comparing->count, sizeof(*signatures), by_signature);
    uint32_t groups = 0;
    for (size_t first = 0, next; first < comparing->count; first = next) {
        for (next = first + 1; next < comparing->count && signatures[next].sum == signatures[first].sum &&
                               signatures[next].lines == signatures[first].lines;)
            next++;
        for (size_t left = next - first; left; groups++)
            left -= group_equal(comparing, &signatures[first], next - first, tally, group_of, groups);
    }
    return fill_groups(comparing, group_of, groups);
}
