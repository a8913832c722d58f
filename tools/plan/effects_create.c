/* What steps do to servers that become a cluster. Gossip is taken as done after a MEET. */
#include <string.h>

#include "tools/plan/model.h"

static const struct entry *own_entry(const struct model *model, size_t number)
{
    const struct view *view = model->evidence.instances[number].view;
    const struct sighting *own = view ? view_own(view) : NULL;
    return own ? own->entry : NULL;
}

static const char *prove_blank(struct model *model, const struct stage *stage, const struct step *step)
{
    (void)stage;
    if (!model_knows_nobody(model, step->on))
        return "cluster_known_nodes is above 1";
    if (model->processes[step->on].memory_keys)
        return "keyspace is not empty";
    if (!own_entry(model, step->on) && !model_born(model, step->on))
        return MODEL_NO_MEMORY;
    model->processes[step->on].proved_blank = true;
    return NULL;
}

/* Nothing is done to any node before all of them are proved empty. */
static const char *not_proved(const struct model *model, const struct stage *stage)
{
    for (size_t f = 0; f < stage->founder_count; f++)
        if (!model->processes[stage->founders[f]].proved_blank)
            return "nothing has shown that every node is empty";
    return NULL;
}

static const char *take_slots(struct model *model, const struct stage *stage, const struct step *step)
{
    const char *refusal = not_proved(model, stage);
    struct entry draft;
    if (refusal)
        return refusal;
    if (!model_with_slots(model, own_entry(model, step->on), step->slots->has, &draft) ||
        !model_change_entry(model, step->on, &draft, 0))
        return MODEL_NO_MEMORY;
    return NULL;
}

static const char *set_epoch(struct model *model, const struct stage *stage, const struct step *step)
{
    const char *refusal = not_proved(model, stage);
    if (refusal)
        return refusal;
    if (!model_knows_nobody(model, step->on))
        return "The user can assign a config epoch only when the node does not know any other node.";
    struct entry draft = *own_entry(model, step->on);
    for (size_t f = 0; f < stage->founder_count; f++)
        if (stage->founders[f] == step->on)
            draft.config_epoch = f + 1;
    return model_change_entry(model, step->on, &draft, 0) ? NULL : MODEL_NO_MEMORY;
}

/* Everybody whom either of them knows, knows everybody. */
static const char *meet(struct model *model, const struct stage *stage, const struct step *step)
{
    const char *refusal = not_proved(model, stage);
    if (refusal)
        return refusal;
    const struct view *here = model_instance(model, step->on)->view, *there = model_instance(model, step->peer)->view;
    for (size_t f = 0; f < stage->founder_count; f++) {
        const struct view *old = model_instance(model, stage->founders[f])->view;
        uint32_t node = model_instance(model, stage->founders[f])->node;
        if (!old || (!view_find(here, node) && !view_find(there, node)))
            continue;
        struct view *view = model_copy_view(model, old, here->count + there->count);
        for (size_t v = 0; view && v < 2; v++) {
            const struct view *from = v ? there : here;
            for (size_t s = 0; s < from->count; s++) {
                const struct entry *entry = from->sightings[s].entry;
                bool listed = false;
                for (size_t t = 0; t < view->count && !listed; t++)
                    listed = view->sightings[t].entry->node == entry->node;
                if (!listed && !model_add_sighting(model, view, entry, 0, false))
                    return MODEL_NO_MEMORY;
            }
        }
        if (!view || !model_set_view(model, stage->founders[f], view))
            return MODEL_NO_MEMORY;
    }
    return NULL;
}

static const char *prove_met(struct model *model, const struct stage *stage, const struct step *step)
{
    (void)step;
    for (size_t f = 0; f < stage->founder_count; f++) {
        const struct view *view = model_instance(model, stage->founders[f])->view;
        if (!view || view->count != stage->founder_count)
            return "not every node knows all others";
    }
    return NULL;
}

static const char *follow(struct model *model, const struct stage *stage, const struct step *step)
{
    const struct entry *own = own_entry(model, step->on);
    uint32_t primary = model_instance(model, step->peer)->node;
    if (!own || !view_find(model_instance(model, step->on)->view, primary))
        return "Unknown node";
    if (own->range_count || model->processes[step->on].memory_keys)
        return "To set a master the node must be empty and without assigned slots.";
    struct entry draft = *own;
    draft.flags = NODE_REPLICA;
    draft.primary = primary;
    for (size_t f = 0; f < stage->founder_count; f++)
        if (!model_change_entry(model, stage->founders[f], &draft, 0))
            return MODEL_NO_MEMORY;
    return NULL;
}

/* Every slot is owned once, every replica follows the primary of the layout, every configEpoch is its own. */
static const char *prove_created(struct model *model, const struct stage *stage, const struct step *step)
{
    unsigned covered = 0;
    const char *met = prove_met(model, stage, step);
    if (met)
        return met;
    for (size_t f = 0; f < stage->founder_count; f++) {
        const struct entry *own = own_entry(model, stage->founders[f]);
        size_t primary = stage->founders[stage->follows[f]];
        covered += own->slot_count;
        if (stage->follows[f] != f && own->primary != model_instance(model, primary)->node)
            return "a replica does not follow its primary";
        if (own->config_epoch != f + 1)
            return "two nodes have one configEpoch";
    }
    return covered == SLOT_COUNT ? NULL : "not all 16384 slots are covered by nodes";
}

const struct effect effects_create[ACTIONS] = {
    [ACTION_VERIFY_BLANK] = {prove_blank, true},      [ACTION_TAKE_SLOTS] = {take_slots, true},
    [ACTION_SET_EPOCH] = {set_epoch, true},           [ACTION_MEET] = {meet, true},
    [ACTION_WAIT_MET] = {prove_met, false},           [ACTION_FOLLOW] = {follow, true},
    [ACTION_VERIFY_CREATED] = {prove_created, false},
};
