/* Which views belong together, and which of them testify. */
#include <string.h>

#include "tools/cluster/cluster_private.h"

static bool sets_init(struct sets *sets, struct arena *arena, size_t count)
{
    sets->count = count;
    sets->up = arena_array(arena, count, sizeof(*sets->up));
    if (!sets->up)
        return false;
    for (size_t i = 0; i < count; i++)
        sets->up[i] = (uint32_t)i;
    return true;
}

static uint32_t sets_find(struct sets *sets, uint32_t i)
{
    while (sets->up[i] != i) {
        sets->up[i] = sets->up[sets->up[i]];
        i = sets->up[i];
    }
    return i;
}

static void sets_join(struct sets *sets, uint32_t a, uint32_t b)
{
    a = sets_find(sets, a);
    b = sets_find(sets, b);
    if (a < b)
        sets->up[b] = a;
    else
        sets->up[a] = b;
}

/* A line that shows contact: leftovers about a failed node of another cluster do not make one cluster of two. */
static bool relates(const struct sighting *sighting)
{
    return sighting_names(sighting) && !(sighting->entry->flags & NODE_FAIL);
}

static uint64_t own_slots(const struct instance *instance)
{
    const struct sighting *own = instance->view ? view_own(instance->view) : NULL;
    return own && own->entry->flags & NODE_PRIMARY ? own->entry->slot_count : 0;
}

bool core_relate(struct building *b)
{
    size_t nodes = view_store_nodes(b->evidence->store);
    if (!sets_init(&b->related, b->arena, nodes))
        return false;
    b->carrier = arena_array(b->arena, nodes, sizeof(*b->carrier));
    if (!b->carrier)
        return false;
    memset(b->carrier, 0xff, nodes * sizeof(*b->carrier));
    for (size_t i = 0; i < b->evidence->instance_count; i++) {
        const struct instance *instance = &b->evidence->instances[i];
        if (!instance->view)
            continue;
        uint32_t first = instance->node;
        for (size_t s = 0; s < instance->view->count; s++) {
            const struct sighting *sighting = &instance->view->sightings[s];
            if (!relates(sighting))
                continue;
            if (first == NO_NODE)
                first = sighting->entry->node;
            sets_join(&b->related, first, sighting->entry->node);
        }
        if (instance->node != NO_NODE && b->carrier[instance->node] == NO_NODE)
            b->carrier[instance->node] = (uint32_t)i;
    }
    return true;
}

uint32_t core_relation(struct building *b, const struct instance *instance)
{
    if (!instance->view)
        return NO_NODE;
    if (instance->node != NO_NODE)
        return sets_find(&b->related, instance->node);
    for (size_t s = 0; s < instance->view->count; s++)
        if (relates(&instance->view->sightings[s]))
            return sets_find(&b->related, instance->view->sightings[s].entry->node);
    return NO_NODE;
}

static bool lists(const struct instance *instance, uint32_t node)
{
    const struct sighting *sighting = node == NO_NODE ? NULL : view_find(instance->view, node);
    if (!sighting && instance->view->limits & VIEW_SOME_NODES)
        return true; /* it could not, so its silence does not part them */
    return sighting && sighting_names(sighting);
}

struct score {
    uint64_t slots;
    size_t instances;
    uint64_t epoch;
    int64_t pong;
};

static bool better(struct score a, struct score b)
{
    if (a.slots != b.slots)
        return a.slots > b.slots;
    if (a.instances != b.instances)
        return a.instances > b.instances;
    if (a.epoch != b.epoch)
        return a.epoch > b.epoch;
    return a.pong > b.pong;
}

bool core_choose(struct building *b, const size_t *related, size_t count, struct cluster *cluster)
{
    struct sets mutual;
    const struct instance *all = b->evidence->instances;
    uint32_t *position = arena_array(b->arena, b->evidence->instance_count, sizeof(*position));
    struct score *scores = arena_array(b->arena, count, sizeof(*scores));
    size_t *core = arena_array(b->arena, count, sizeof(*core));
    if (!position || !scores || !core || !sets_init(&mutual, b->arena, count))
        return false;
    for (size_t i = 0; i < count; i++)
        position[related[i]] = (uint32_t)i;
    for (size_t i = 0; i < count; i++) {
        const struct instance *one = &all[related[i]];
        for (size_t s = 0; one->node != NO_NODE && s < one->view->count; s++) {
            uint32_t peer = b->carrier[one->view->sightings[s].entry->node];
            if (peer != NO_NODE && sighting_names(&one->view->sightings[s]) && lists(&all[peer], one->node))
                sets_join(&mutual, (uint32_t)i, position[peer]);
        }
        if (one->node != NO_NODE) /* a second carrier of one id stands with the first */
            sets_join(&mutual, (uint32_t)i, position[b->carrier[one->node]]);
    }
    for (size_t i = 0; i < count; i++) {
        const struct instance *one = &all[related[i]];
        struct score *score = &scores[sets_find(&mutual, (uint32_t)i)];
        score->slots += own_slots(one);
        score->instances++;
        if (one->view->current_epoch > score->epoch)
            score->epoch = one->view->current_epoch;
        if (one->view->newest_pong_ms > score->pong)
            score->pong = one->view->newest_pong_ms;
    }
    uint32_t best = sets_find(&mutual, 0);
    for (size_t i = 1; i < count; i++)
        if (mutual.up[i] == i && better(scores[i], scores[best]))
            best = (uint32_t)i;
    cluster->core = core;
    for (size_t i = 0; i < count; i++)
        if (sets_find(&mutual, (uint32_t)i) == best)
            core[cluster->core_count++] = related[i];
    return true;
}
