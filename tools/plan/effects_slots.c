/* What steps do to who serves which slots. Keys move with their slots, and count as saved where they arrive. */
#include <string.h>

#include "tools/plan/model.h"

static bool owns(const struct entry *entry, unsigned slot)
{
    for (uint32_t r = 0; r < entry->range_count; r++)
        if (slot >= entry->ranges[r].first && slot <= entry->ranges[r].last)
            return true;
    return false;
}

bool model_with_slots(struct model *model, const struct entry *entry, const bool *has, struct entry *draft)
{
    struct slot_range *ranges = arena_array(model->arena, SLOT_COUNT / 2 + 1, sizeof(*ranges));
    uint32_t count = 0;
    if (!ranges)
        return false;
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
        if (!has[slot])
            continue;
        if (count && ranges[count - 1].last + 1u == slot)
            ranges[count - 1].last = (uint16_t)slot;
        else
            ranges[count++] = (struct slot_range){(uint16_t)slot, (uint16_t)slot};
    }
    *draft = *entry;
    draft->ranges = ranges;
    draft->range_count = count;
    return true;
}

/* In the view of an instance, `node` gets or loses slots; `epoch` above 0 is its new configEpoch. */
static bool change_slots(struct model *model, size_t number, uint32_t node, const struct slot_set *slots, bool gets,
                         uint64_t epoch)
{
    const struct view *view = model_instance(model, number)->view;
    const struct sighting *sighting = view ? view_find(view, node) : NULL;
    bool has[SLOT_COUNT];
    struct entry draft;
    if (!sighting)
        return true;
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
        has[slot] = slots->has[slot] ? gets : owns(sighting->entry, slot);
    if (!model_with_slots(model, sighting->entry, has, &draft))
        return false;
    if (epoch)
        draft.config_epoch = epoch;
    return model_change_entry(model, number, &draft, 0);
}

/* The instance follows the primary, by its own line. */
static bool follows(const struct model *model, size_t number, size_t primary)
{
    const struct view *view = model->evidence.instances[number].view;
    const struct sighting *own = view ? view_own(view) : NULL;
    return own && own->entry->flags & NODE_REPLICA && own->entry->primary == model->evidence.instances[primary].node;
}

/* Marks of open slots stand in the own line only; those of these slots are gone. */
static bool close_own_marks(struct model *model, size_t number, const struct slot_set *slots)
{
    const struct view *view = model_instance(model, number)->view;
    const struct sighting *own = view ? view_own(view) : NULL;
    if (!own || !own->entry->mark_count)
        return true;
    struct mark *marks = arena_array(model->arena, own->entry->mark_count, sizeof(*marks));
    struct entry draft = *own->entry;
    if (!marks)
        return false;
    draft.mark_count = 0;
    for (uint32_t k = 0; k < own->entry->mark_count; k++)
        if (!slots->has[own->entry->marks[k].slot])
            marks[draft.mark_count++] = own->entry->marks[k];
    draft.marks = marks;
    return model_change_entry(model, number, &draft, 0);
}

/* And in the lines of its replicas, where servers that send SETSLOT to replicas have left them. */
static bool close_marks(struct model *model, size_t number, const struct slot_set *slots)
{
    bool closed = close_own_marks(model, number, slots);
    for (size_t i = 0; i < model->evidence.instance_count && closed; i++)
        if (follows(model, i, number))
            closed = close_own_marks(model, i, slots);
    return closed;
}

/* CLUSTER SETSLOT NODE and ADDSLOTS after gossip: `node` has the slots in every member's view, the other ones have
 * not. */
static bool give_slots(struct model *model, const struct stage *stage, size_t to, const struct slot_set *slots,
                       uint64_t epoch)
{
    const struct cluster *cluster = stage->cluster;
    uint32_t node = model_instance(model, to)->node;
    for (size_t i = 0; i < cluster->core_count; i++) {
        size_t number = cluster->core[i];
        for (uint32_t n = 0; n < cluster->member_count; n++) {
            bool gets = cluster->nodes[n].number == node;
            if ((gets || cluster->nodes[n].slots_owned) &&
                !change_slots(model, number, cluster->nodes[n].number, slots, gets, gets ? epoch : 0))
                return false;
        }
        if (epoch && !model_raise_epoch(model, number, epoch))
            return false;
    }
    return true;
}

/* ------------------------------------------------------------------ keys */

/* A copy of the keys by slot that may be changed; zeros for none. NULL without memory. */
static uint32_t *own_keys(struct model *model, size_t number)
{
    uint32_t *keys = arena_array(model->arena, SLOT_COUNT, sizeof(*keys));
    const struct process *process = &model->processes[number];
    if (keys && process->keys)
        memcpy(keys, process->keys, SLOT_COUNT * sizeof(*keys));
    return keys;
}

/* Replicas hold what their primary holds, as far as these slots go. */
static bool replicate_keys(struct model *model, size_t primary, const struct slot_set *slots)
{
    const struct process *leader = &model->processes[primary];
    for (size_t i = 0; i < model->evidence.instance_count; i++) {
        if (!follows(model, i, primary))
            continue;
        struct process *process = &model->processes[i];
        uint32_t *keys = own_keys(model, i);
        if (!keys)
            return false;
        for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
            if (!slots->has[slot])
                continue;
            process->memory_keys = process->memory_keys - keys[slot] + leader->keys[slot];
            keys[slot] = leader->keys[slot];
        }
        process->keys = keys;
        if (!model_save(model, i))
            return false;
    }
    return true;
}

static bool move_keys(struct model *model, size_t from, size_t to, const struct slot_set *slots)
{
    uint32_t *here = own_keys(model, from), *there = own_keys(model, to);
    if (!here || !there)
        return false;
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
        if (!slots->has[slot])
            continue;
        model->processes[from].memory_keys -= here[slot];
        model->processes[to].memory_keys += here[slot];
        there[slot] += here[slot];
        here[slot] = 0;
    }
    model->processes[from].keys = here;
    model->processes[to].keys = there;
    return model_save(model, from) && model_save(model, to) && replicate_keys(model, from, slots) &&
           replicate_keys(model, to, slots);
}

/* ------------------------------------------------------------------ effects */

static const struct sighting *own_line(const struct model *model, size_t number)
{
    const struct view *view = model->evidence.instances[number].view;
    return view ? view_own(view) : NULL;
}

static const char *is_serving_primary(const struct model *model, size_t number)
{
    const struct sighting *own = own_line(model, number);
    return own && own->entry->flags & NODE_PRIMARY ? NULL : "Please use SETSLOT only with masters.";
}

static const char *move_slots(struct model *model, const struct stage *stage, const struct step *step)
{
    const struct sighting *source = own_line(model, step->peer);
    const char *refusal = is_serving_primary(model, step->on);
    refusal = refusal ? refusal : is_serving_primary(model, step->peer);
    for (unsigned slot = 0; slot < SLOT_COUNT && !refusal; slot++)
        if (step->slots->has[slot] && !owns(source->entry, slot))
            refusal = arena_format(model->arena, "I'm not the owner of hash slot %u", slot);
    if (refusal)
        return refusal;
    uint64_t epoch = model_highest_epoch(model, stage->cluster);
    epoch = own_line(model, step->on)->entry->config_epoch == epoch && epoch ? epoch : epoch + 1;
    bool moved = move_keys(model, step->peer, step->on, step->slots) &&
                 give_slots(model, stage, step->on, step->slots, epoch) &&
                 close_marks(model, step->peer, step->slots) && close_marks(model, step->on, step->slots);
    return moved ? NULL : MODEL_NO_MEMORY;
}

/* Marks slots of its own line as importing. */
static bool open_slots(struct model *model, size_t number, uint32_t owner, const struct slot_set *slots)
{
    const struct sighting *own = own_line(model, number);
    struct mark *marks = own ? arena_array(model->arena, own->entry->mark_count + slots->count, sizeof(*marks)) : NULL;
    if (!marks || !close_marks(model, number, slots))
        return false;
    struct entry draft = *own_line(model, number)->entry;
    for (uint32_t k = 0; k < draft.mark_count; k++)
        marks[k] = draft.marks[k];
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
        if (slots->has[slot])
            marks[draft.mark_count++] = (struct mark){.slot = (uint16_t)slot, .kind = SLOT_IMPORTING, .peer = owner};
    draft.marks = marks;
    return model_change_entry(model, number, &draft, 0);
}

/* Keys of slots that `peer` does not own go to `on`, which does: MIGRATE needs the slots to be open. */
static const char *gather_keys(struct model *model, const struct stage *stage, const struct step *step)
{
    const struct sighting *owner = own_line(model, step->on);
    const char *refusal = is_serving_primary(model, step->peer);
    (void)stage;
    for (unsigned slot = 0; slot < SLOT_COUNT && !refusal; slot++)
        if (step->slots->has[slot] && (!owner || !owns(owner->entry, slot)))
            refusal = arena_format(model->arena, "ERR Target instance replied with error: MOVED %u", slot);
    if (refusal)
        return refusal;
    bool done = open_slots(model, step->peer, model_instance(model, step->on)->node, step->slots) &&
                move_keys(model, step->peer, step->on, step->slots);
    return done ? NULL : MODEL_NO_MEMORY;
}

/* SETSLOT STABLE, after the script's own look that no key is cut off. */
static const char *close_slots(struct model *model, const struct stage *stage, const struct step *step)
{
    const struct sighting *own = own_line(model, step->on);
    const struct process *process = &model->processes[step->on];
    (void)stage;
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
        if (step->slots->has[slot] && own && !owns(own->entry, slot) && process->keys && process->keys[slot])
            return arena_format(model->arena, "it holds keys of slot %u, which is not its own", slot);
    return close_marks(model, step->on, step->slots) ? NULL : MODEL_NO_MEMORY;
}

static const char *add_slots(struct model *model, const struct stage *stage, const struct step *step)
{
    const char *refusal = is_serving_primary(model, step->on);
    if (refusal)
        return refusal;
    uint64_t epoch = model_highest_epoch(model, stage->cluster);
    epoch = own_line(model, step->on)->entry->config_epoch == epoch && epoch ? epoch : epoch + 1;
    return give_slots(model, stage, step->on, step->slots, epoch) ? NULL : MODEL_NO_MEMORY;
}

/* In every member's view the node has these slots and nobody else has, and no mark of them is left. */
static const char *prove_owner(struct model *model, const struct stage *stage, const struct step *step)
{
    const struct cluster *cluster = stage->cluster;
    uint32_t node = model_instance(model, step->on)->node;
    for (size_t i = 0; i < cluster->core_count; i++) {
        const struct view *view = model_instance(model, cluster->core[i])->view;
        const struct sighting *own = view ? view_own(view) : NULL;
        for (uint32_t k = 0; own && k < own->entry->mark_count; k++)
            if (step->slots->has[own->entry->marks[k].slot])
                return "a slot is still open";
        for (size_t s = 0; view && s < view->count; s++)
            for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
                if (step->slots->has[slot] &&
                    owns(view->sightings[s].entry, slot) != (view->sightings[s].entry->node == node))
                    return arena_format(model->arena, "slot %u has another owner in a member's view", slot);
    }
    return NULL;
}

/* The script compares what every member shows with the picture: all of them list each other by then. */
static const char *verify_cluster(struct model *model, const struct stage *stage, const struct step *step)
{
    const struct cluster *cluster = stage->cluster;
    (void)step;
    for (size_t i = 0; i < cluster->core_count; i++) {
        const struct view *old = model_instance(model, cluster->core[i])->view;
        struct view *view = old ? model_copy_view(model, old, cluster->member_count) : NULL;
        if (!view)
            return MODEL_NO_MEMORY;
        for (size_t n = 0; n < cluster->member_count; n++)
            if (cluster->nodes[n].entry && !view_find(old, cluster->nodes[n].number) &&
                !model_add_sighting(model, view, cluster->nodes[n].entry, cluster->newest_pong_ms, false))
                return MODEL_NO_MEMORY;
        if (!model_set_view(model, cluster->core[i], view))
            return MODEL_NO_MEMORY;
    }
    return NULL;
}

const struct effect effects_slots[ACTIONS] = {
    [ACTION_VERIFY_CLUSTER] = {verify_cluster, false},
    [ACTION_MOVE_SLOTS] = {move_slots, true},
    [ACTION_GATHER_KEYS] = {gather_keys, true},
    [ACTION_CLOSE_SLOTS] = {close_slots, true},
    [ACTION_ADD_SLOTS] = {add_slots, true},
    [ACTION_VERIFY_OWNER] = {prove_owner, false},
};
