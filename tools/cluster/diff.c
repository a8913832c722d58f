#include <stdlib.h>
#include <string.h>

#include "tools/cluster/diff_private.h"

/* What one group says about one node that the baseline does not say. */
struct saying {
    uint32_t node, group;
    const struct entry *entry; /* NULL: it does not list the node */
    const char *repeats;       /* all lines about a node that it lists more than once, else NULL */
};

struct seen {
    uint32_t group; /* that the counting was for */
    uint32_t times;
};

/* A saying about one aspect. */
struct stance {
    uint32_t identity;
    uint32_t group;
    const struct saying *saying;
};

enum { IDENTITY_SILENT = NO_VALUE - 1, IDENTITY_LISTED = NO_VALUE - 2 };

struct apart {
    struct comparing *all;
    struct saying *baseline; /* by node; its group is NO_VALUE where the baseline is silent */
    struct seen *seen;       /* by node */
    struct saying *sayings;
    size_t saying_count, saying_cap;
    struct stance *stances; /* room for one a group */
    uint32_t *held;         /* group -> index of its value in the difference at hand */
    size_t difference_cap;
};

/* ------------------------------------------------------------------ what groups say otherwise */

/* All lines about a node that one view lists more than once, so that no contradiction is lost. */
static const char *repeats_text(const struct comparing *all, uint32_t operand, uint32_t node, uint32_t times)
{
    const struct view *view = all->operands[operand].view;
    struct arena *arena = all->arena;
    const char *text = arena_format(arena, "listed %u times:", (unsigned)times);
    for (size_t s = 0; text && s < view->count; s++) {
        const struct entry *entry = stated(all, operand, &view->sightings[s]);
        if (entry->node != node)
            continue;
        const char *separator = text[strlen(text) - 1] == ':' ? "" : ";";
        text = arena_format(arena, "%s%s", text, separator);
        for (int aspect = DIFF_ADDRESS; text && aspect < DIFF_ASPECTS; aspect++) {
            if (aspect == DIFF_EPOCH && entry->flags & NODE_REPLICA)
                continue;
            text = arena_format(arena, "%s %s %s", text, diff_aspect_word((enum diff_aspect)aspect),
                                diff_aspect_text(all->store, (enum diff_aspect)aspect, entry, arena));
        }
    }
    return text;
}

static bool same_saying(const struct saying *a, const struct saying *b)
{
    if (a->group == NO_VALUE || b->group == NO_VALUE || a->entry->stance != b->entry->stance)
        return false;
    return a->repeats && b->repeats ? strcmp(a->repeats, b->repeats) == 0 : !a->repeats && !b->repeats;
}

static bool say(struct apart *apart, struct saying saying)
{
    struct saying *sayings = arena_grow(apart->all->scratch, apart->sayings, apart->saying_count, &apart->saying_cap,
                                        sizeof(*sayings));
    if (!sayings)
        return false;
    apart->sayings = sayings;
    sayings[apart->saying_count++] = saying;
    return true;
}

/* Takes what a group says about each node that it lists: as the baseline, or where it differs from the baseline. */
static bool hear_group(struct apart *apart, uint32_t group)
{
    struct comparing *all = apart->all;
    uint32_t operand = all->diff->groups[group].views[0];
    const struct view *view = all->operands[operand].view;
    size_t nodes = 0;
    for (size_t s = 0; s < view->count; s++) {
        struct seen *seen = &apart->seen[view->sightings[s].entry->node];
        if (seen->group != group)
            *seen = (struct seen){group, 0};
        nodes += seen->times++ == 0;
    }
    all->diff->groups[group].nodes = nodes;
    for (size_t s = 0; s < view->count; s++) {
        const struct sighting *sighting = &view->sightings[s];
        uint32_t node = sighting->entry->node;
        struct saying saying = {node, group, stated(all, operand, sighting), NULL};
        if (apart->seen[node].times > 1) {
            if (view_find(view, node) != sighting)
                continue;
            saying.repeats = repeats_text(all, operand, node, apart->seen[node].times);
            if (!saying.repeats)
                return false;
        }
        if (group == 0)
            apart->baseline[node] = saying;
        else if (!same_saying(&saying, &apart->baseline[node]) && !say(apart, saying))
            return false;
    }
    return true;
}

/* Notes the nodes of the baseline that a group, heard just now, does not list. */
static bool hear_silence(struct apart *apart, uint32_t group)
{
    const struct diff *diff = apart->all->diff;
    const struct view *view = apart->all->operands[diff->groups[0].views[0]].view;
    for (size_t s = 0; s < view->count; s++) {
        uint32_t node = view->sightings[s].entry->node;
        if (apart->seen[node].group == group || view_find(view, node) != &view->sightings[s])
            continue;
        if (!say(apart, (struct saying){node, group, NULL, NULL}))
            return false;
    }
    return true;
}

static int by_node(const void *one, const void *two)
{
    const struct saying *a = one, *b = two;
    if (a->node != b->node)
        return a->node < b->node ? -1 : 1;
    return (a->group > b->group) - (a->group < b->group);
}

/* ------------------------------------------------------------------ one aspect of one node */

static uint32_t identity_of(struct apart *apart, enum diff_aspect aspect, const struct saying *saying)
{
    if (aspect != DIFF_MEMBER)
        return saying->entry ? diff_aspect_identity(apart->all->store, aspect, saying->entry) : NO_VALUE;
    if (!saying->entry)
        return IDENTITY_SILENT;
    if (!saying->repeats)
        return IDENTITY_LISTED;
    const struct entry draft = {.node = saying->node, .primary = NO_NODE, .ip = "", .hostname = saying->repeats,
                                .shard_id = "", .nodename = ""};
    const struct entry *lines = view_store_intern(apart->all->store, &draft);
    return lines ? lines->stance : NO_VALUE;
}

static const char *text_of(const struct apart *apart, enum diff_aspect aspect, const struct saying *saying)
{
    if (!saying->entry)
        return "not listed";
    if (aspect == DIFF_MEMBER && saying->repeats)
        return saying->repeats;
    return diff_aspect_text(apart->all->store, aspect, saying->entry, apart->all->arena);
}

static int by_identity(const void *one, const void *two)
{
    const struct stance *a = one, *b = two;
    if (a->identity != b->identity)
        return a->identity < b->identity ? -1 : 1;
    return (a->group > b->group) - (a->group < b->group);
}

/* A value while it is counted. */
struct held {
    const struct saying *saying;
    uint32_t identity;
    size_t views;
    uint32_t first_group;
    uint32_t number; /* before the values were put in order */
};

static int by_holders(const void *one, const void *two)
{
    const struct held *a = one, *b = two;
    if (a->views != b->views)
        return a->views > b->views ? -1 : 1;
    return (a->first_group > b->first_group) - (a->first_group < b->first_group);
}

static bool add_difference(struct apart *apart, enum diff_aspect aspect, const struct saying *sayings,
                           struct held *values, size_t value_count, bool baseline)
{
    struct comparing *all = apart->all;
    struct diff *diff = all->diff;
    struct difference *differences = arena_grow(all->arena, diff->differences, diff->difference_count,
                                                &apart->difference_cap, sizeof(*differences));
    struct diff_value *final = arena_array(all->arena, value_count, sizeof(*final));
    uint32_t *place = arena_array(all->scratch, value_count, sizeof(*place));
    uint32_t *groups = arena_array(all->arena, diff->group_count, sizeof(*groups));
    if (!differences || !final || !place || !groups)
        return false;
    if (value_count > 1 + (size_t)baseline)
        qsort(values + baseline, value_count - baseline, sizeof(*values), by_holders);
    for (size_t v = 0; v < value_count; v++)
        place[values[v].number] = (uint32_t)v;
    /* Count, then give each value its part of one array, then fill the parts. */
    for (size_t g = 0; g < diff->group_count; g++)
        if (apart->held[g] != NO_VALUE)
            final[place[apart->held[g]]].group_count++;
    size_t start = 0;
    uint32_t **next = arena_array(all->scratch, value_count, sizeof(uint32_t *));
    if (!next)
        return false;
    for (size_t v = 0; v < value_count; v++) {
        next[v] = groups + start;
        final[v].groups = next[v];
        final[v].text = text_of(apart, aspect, values[v].saying);
        final[v].entry = values[v].saying->entry;
        if (!final[v].text)
            return false;
        start += final[v].group_count;
    }
    for (size_t g = 0; g < diff->group_count; g++) {
        if (apart->held[g] == NO_VALUE)
            continue;
        uint32_t v = place[apart->held[g]];
        *next[v]++ = (uint32_t)g;
        final[v].views += diff->groups[g].count;
    }
    const struct entry *named = apart->baseline[sayings->node].group != NO_VALUE ? apart->baseline[sayings->node].entry
                                                                               : NULL;
    for (size_t v = 0; !named && v < value_count; v++)
        named = final[v].entry;
    diff->differences = differences;
    struct difference *difference = &differences[diff->difference_count++];
    *difference = (struct difference){
        .node = sayings->node,
        .name = named ? diff_node_name(all->store, named, all->arena) : "",
        .aspect = aspect,
        .values = final,
        .value_count = value_count,
        .baseline = baseline,
    };
    return difference->name;
}

/* Compares one aspect of a node that `count` groups, ascending, describe otherwise than the baseline. */
static bool compare_aspect(struct apart *apart, enum diff_aspect aspect, const struct saying *sayings, size_t count)
{
    struct comparing *all = apart->all;
    struct diff *diff = all->diff;
    struct saying silent = {.node = sayings->node};
    const struct saying *said = &apart->baseline[sayings->node];
    const struct saying *baseline = said->group == NO_VALUE ? &silent : said;
    uint32_t baseline_identity = identity_of(apart, aspect, baseline);
    size_t others = 0, values = 0, apart_views = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t identity = identity_of(apart, aspect, &sayings[i]);
        if (identity == baseline_identity && identity != NO_VALUE)
            continue;
        apart_views += diff->groups[sayings[i].group].count;
        apart->stances[others++] = (struct stance){identity, sayings[i].group, &sayings[i]};
    }
    if (arena_failed(view_store_arena(all->store)))
        return false;
    if (!others)
        return true;
    qsort(apart->stances, others, sizeof(*apart->stances), by_identity);
    struct held *held = arena_array(all->scratch, others + 1, sizeof(*held));
    if (!held)
        return false;
    bool has_baseline = baseline_identity != NO_VALUE;
    for (size_t g = 0; g < diff->group_count; g++)
        apart->held[g] = has_baseline ? 0 : NO_VALUE;
    if (has_baseline)
        held[values++] = (struct held){baseline, baseline_identity, all->count - apart_views, 0, 0};
    for (size_t i = 0; i < others; i++) {
        const struct stance *stance = &apart->stances[i];
        if (stance->identity == NO_VALUE) {
            apart->held[stance->group] = NO_VALUE;
            continue;
        }
        if (values == 0 || held[values - 1].identity != stance->identity) {
            held[values] = (struct held){stance->saying, stance->identity, 0, stance->group, (uint32_t)values};
            values++;
        }
        held[values - 1].views += diff->groups[stance->group].count;
        apart->held[stance->group] = (uint32_t)(values - 1);
    }
    return values < 2 || add_difference(apart, aspect, sayings, held, values, has_baseline);
}

/* ------------------------------------------------------------------ the whole */

static int by_name(const void *one, const void *two, void *context)
{
    const struct difference *a = one, *b = two;
    const struct view_store *store = context;
    int order = strverscmp(a->name, b->name); /* so that :7000 comes before :10000 */
    if (order)
        return order;
    order = strcmp(view_store_id(store, a->node), view_store_id(store, b->node));
    return order ? order : (a->aspect > b->aspect) - (a->aspect < b->aspect);
}

static bool take_apart(struct comparing *all)
{
    struct diff *diff = all->diff;
    size_t nodes = view_store_nodes(all->store);
    struct apart apart = {
        .all = all,
        .baseline = arena_array(all->scratch, nodes, sizeof(*apart.baseline)),
        .seen = arena_array(all->scratch, nodes, sizeof(*apart.seen)),
        .stances = arena_array(all->scratch, diff->group_count, sizeof(*apart.stances)),
        .held = arena_array(all->scratch, diff->group_count, sizeof(*apart.held)),
    };
    if (!apart.baseline || !apart.seen || !apart.stances || !apart.held)
        return false;
    for (size_t n = 0; n < nodes; n++) {
        apart.baseline[n].group = NO_VALUE;
        apart.seen[n].group = NO_VALUE;
    }
    for (uint32_t g = 0; g < diff->group_count; g++)
        if (!hear_group(&apart, g) || (g && !hear_silence(&apart, g)))
            return false;
    if (apart.saying_count)
        qsort(apart.sayings, apart.saying_count, sizeof(*apart.sayings), by_node);
    for (size_t first = 0, next; first < apart.saying_count; first = next) {
        for (next = first + 1; next < apart.saying_count && apart.sayings[next].node == apart.sayings[first].node;)
            next++;
        for (int aspect = 0; aspect < DIFF_ASPECTS; aspect++)
            if (!compare_aspect(&apart, (enum diff_aspect)aspect, &apart.sayings[first], next - first))
                return false;
    }
    if (diff->difference_count) /* the last argument is only read */
        qsort_r(diff->differences, diff->difference_count, sizeof(*diff->differences), by_name, all->store);
    return true;
}

/* Gives each group the list of its deviations: count, share out one array, fill. */
static bool list_deviations(struct comparing *all)
{
    struct diff *diff = all->diff;
    struct deviation **next = arena_array(all->scratch, diff->group_count, sizeof(struct deviation *));
    size_t total = 0;
    for (size_t d = 0; d < diff->difference_count; d++) {
        const struct difference *difference = &diff->differences[d];
        for (size_t v = 1; difference->baseline && v < difference->value_count; v++) {
            for (size_t i = 0; i < difference->values[v].group_count; i++)
                diff->groups[difference->values[v].groups[i]].deviation_count++;
            total += difference->values[v].group_count;
        }
    }
    struct deviation *deviations = arena_array(all->arena, total, sizeof(*deviations));
    if (!next || !deviations)
        return false;
    for (size_t g = 0; g < diff->group_count; g++) {
        next[g] = deviations;
        diff->groups[g].deviations = deviations;
        deviations += diff->groups[g].deviation_count;
    }
    for (size_t d = 0; d < diff->difference_count; d++) {
        const struct difference *difference = &diff->differences[d];
        for (size_t v = 1; difference->baseline && v < difference->value_count; v++)
            for (size_t i = 0; i < difference->values[v].group_count; i++)
                *next[difference->values[v].groups[i]]++ = (struct deviation){(uint32_t)d, (uint32_t)v};
    }
    return true;
}

struct diff *diff_views(struct view_store *store, const struct diff_operand *operands, size_t count,
                        struct arena *arena)
{
    struct diff *diff = arena_alloc(arena, sizeof(*diff));
    struct arena *scratch = arena_new();
    bool done = false;
    if (diff && scratch && count < NO_VALUE) {
        *diff = (struct diff){.store = store, .operands = operands, .operand_count = count};
        struct comparing all = {.store = store, .operands = operands, .count = count, .arena = arena,
                                .scratch = scratch, .diff = diff};
        done = diff_complete_partial(&all) && diff_complete_own_lines(&all) && diff_make_groups(&all) &&
               (diff->group_count < 2 || (take_apart(&all) && list_deviations(&all)));
        if (done && diff->group_count == 1)
            diff->groups[0].nodes = operands[diff->groups[0].views[0]].view->count;
    }
    arena_free(scratch);
    return done && !arena_failed(arena) ? diff : NULL;
}
