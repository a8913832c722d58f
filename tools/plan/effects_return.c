/* What happens when a member comes back, and when members have talked for long enough. */
#include <string.h>

#include "tools/plan/model.h"

static bool serves(const struct cluster *cluster, uint32_t node, unsigned slot)
{
    return cluster->slots[slot].node == node;
}

/* What every member says about a node once all have heard of its owner's configEpoch: its slots are those that the
 * cluster gives it, FAIL is gone. A primary that lost all its slots follows who has the first of them. */
static bool settle(const struct cluster *cluster, uint32_t index, struct model *model, struct entry *draft)
{
    const struct node *node = &cluster->nodes[index];
    bool has[SLOT_COUNT];
    uint32_t successor = NO_NODE;
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
        has[slot] = serves(cluster, index, slot);
    for (uint32_t r = 0; r < node->entry->range_count && successor == NO_NODE; r++)
        if (!node->slots_owned)
            successor = cluster->slots[node->entry->ranges[r].first].node;
    if (!model_with_slots(model, node->entry, has, draft))
        return false;
    draft->flags &= ~(unsigned)(NODE_FAIL | NODE_PFAIL);
    if (successor != NO_NODE) {
        draft->flags = (draft->flags & ~(unsigned)NODE_PRIMARY) | NODE_REPLICA;
        draft->primary = cluster->nodes[successor].number;
        draft->mark_count = 0;
    }
    return true;
}

static bool tell_all(struct model *model, const struct cluster *cluster, const struct entry *draft)
{
    for (size_t i = 0; i < cluster->core_count; i++)
        if (!model_change_entry(model, cluster->core[i], draft, cluster->newest_pong_ms))
            return false;
    return true;
}

/* Its own file is of the time before; what it then says of the others is what stands. */
static bool tell_it(struct model *model, const struct cluster *cluster, uint32_t index, size_t number)
{
    for (uint32_t n = 0; n < cluster->member_count; n++) {
        const struct entry *entry = n == index ? NULL : cluster->nodes[n].entry;
        struct entry draft;
        if (!entry)
            continue;
        draft = *entry;
        draft.mark_count = 0; /* nobody shows those of others */
        if (!model_change_entry(model, number, &draft, cluster->newest_pong_ms))
            return false;
    }
    return true;
}

static const char *bring_back(struct model *model, const struct stage *stage, const struct step *step)
{
    const struct cluster *cluster = stage->cluster;
    uint32_t index = cluster_node_of(cluster, step->on);
    struct entry draft;
    if (index == NO_NODE || !cluster->nodes[index].entry)
        return "it is no member";
    if (!settle(cluster, index, model, &draft) || !tell_all(model, cluster, &draft) ||
        !tell_it(model, cluster, index, step->on) || !model_change_entry(model, step->on, &draft, 0))
        return MODEL_NO_MEMORY;
    model->processes[step->on].running = true;
    model->processes[step->on].joined = true;
    if (draft.flags & NODE_REPLICA && draft.primary != NO_NODE) {
        uint32_t primary = cluster_node(cluster, draft.primary);
        size_t from = primary == NO_NODE ? SIZE_MAX : cluster->nodes[primary].instance;
        if (from != SIZE_MAX) {
            model->processes[step->on].keys = model->processes[from].keys;
            model->processes[step->on].memory_keys = model->processes[from].memory_keys;
        }
    }
    return model_save(model, step->on) ? NULL : MODEL_NO_MEMORY;
}

static const char *prove_returned(struct model *model, const struct stage *stage, const struct step *step)
{
    uint32_t node = model_instance(model, step->on)->node;
    if (!model->processes[step->on].joined)
        return "it has not come back";
    for (size_t i = 0; i < stage->cluster->core_count; i++) {
        const struct view *view = model_instance(model, stage->cluster->core[i])->view;
        const struct sighting *sighting = view ? view_find(view, node) : NULL;
        if (!sighting || sighting->entry->flags & (NODE_FAIL | NODE_PFAIL))
            return "a member does not list it, or marks it as failed";
    }
    return NULL;
}

/* Of two voting primaries with one configEpoch the one with the smaller id takes a new one. */
static void settle_epoch(const struct cluster *cluster, uint32_t index, uint64_t *highest, struct entry *draft)
{
    const struct node *node = &cluster->nodes[index];
    for (uint32_t n = 0; n < cluster->member_count; n++) {
        const struct node *other = &cluster->nodes[n];
        if (n != index && node->primary && other->primary && node->slots_owned && other->slots_owned &&
            other->entry->config_epoch == draft->config_epoch && strcmp(node->id, other->id) < 0) {
            draft->config_epoch = ++*highest;
            return;
        }
    }
}

static const char *agree(struct model *model, const struct stage *stage, const struct step *step)
{
    const struct cluster *cluster = stage->cluster;
    uint64_t highest = cluster->current_epoch;
    (void)step;
    for (uint32_t n = 0; n < cluster->member_count; n++) {
        struct entry draft;
        if (!cluster->nodes[n].entry)
            continue;
        if (!settle(cluster, n, model, &draft))
            return MODEL_NO_MEMORY;
        settle_epoch(cluster, n, &highest, &draft);
        if (!tell_all(model, cluster, &draft))
            return MODEL_NO_MEMORY;
    }
    return NULL;
}

const struct effect effects_return[ACTIONS] = {
    [ACTION_BRING_BACK] = {bring_back, false},
    [ACTION_VERIFY_RETURNED] = {prove_returned, true},
    [ACTION_WAIT_AGREED] = {agree, false},
};
