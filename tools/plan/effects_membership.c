/* What steps do to who knows whom. Gossip is taken as done: a step that starts it has the effect that the wait and the
 * verification behind it see. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "tools/plan/model.h"

/* An id that nothing else has, made from the instance's name. */
static uint32_t new_identity(struct model *model, size_t instance)
{
    char id[41];
    const char *name = model_instance(model, instance)->name;
    XXH128_hash_t a = XXH3_128bits(name, strlen(name)), b = XXH3_128bits_withSeed(name, strlen(name), 1);
    snprintf(id, sizeof(id), "%016" PRIx64 "%016" PRIx64 "%08" PRIx32, a.high64, a.low64, (uint32_t)b.low64);
    return view_store_node(model->evidence.store, (struct bytes){(const uint8_t *)id, 40});
}

/* The view of a server that has just been reset: itself under a new id. */
static bool be_born_at(struct model *model, const char *ip, uint16_t port, size_t number)
{
    struct instance *instance = model_instance(model, number);
    const struct sighting *own = instance->view ? view_own(instance->view) : NULL;
    struct entry draft = {.node = new_identity(model, number), .ip = ip, .hostname = "",
                          .shard_id = "", .nodename = "", .port = port,
                          .bus_port = own ? own->entry->bus_port : 0, .flags = NODE_PRIMARY, .primary = NO_NODE};
    struct view *view = model_copy_view(model, NULL, 1);
    if (!view || draft.node == NO_NODE)
        return false;
    view->file = instance->view ? instance->view->file : SIZE_MAX;
    view->has_vars = view->has_current_epoch = view->has_last_vote_epoch = true;
    if (!model_add_sighting(model, view, &draft, 0, true) || !model_set_view(model, number, view))
        return false;
    instance->node = draft.node;
    instance->history_count = 0;
    instance->logbook_count = 0; /* its log speaks of the old id */
    return true;
}

static bool be_born(struct model *model, const struct stage *stage, size_t number)
{
    const struct instance *instance = model_instance(model, number);
    bool subject = number == stage->target.instance;
    return be_born_at(model, subject ? stage->target.ip : instance->ip, subject ? stage->target.port : instance->port,
                      number);
}

bool model_born(struct model *model, size_t number)
{
    const struct instance *instance = model_instance(model, number);
    return be_born_at(model, instance->ip, instance->port, number);
}

static const char *reset(struct model *model, const struct stage *stage, const struct step *step)
{
    struct instance *instance = model_instance(model, step->on);
    struct process *process = &model->processes[step->on];
    const struct sighting *own = instance->view ? view_own(instance->view) : NULL;
    if (own && own->entry->flags & NODE_PRIMARY && process->memory_keys)
        return "CLUSTER RESET can't be called with master nodes containing keys";
    if (!be_born(model, stage, step->on))
        return MODEL_NO_MEMORY;
    process->memory_keys = 0;
    process->keys = NULL;
    return NULL;
}

static const char *forget(struct model *model, const struct stage *stage, const struct step *step)
{
    uint32_t node = model_subject(model, stage);
    (void)step;
    for (size_t i = 0; i < stage->cluster->core_count; i++) {
        size_t number = stage->cluster->core[i];
        const struct view *view = model_instance(model, number)->view;
        const struct sighting *own = view ? view_own(view) : NULL;
        if (number == stage->target.instance || !view || !view_find(view, node))
            continue;
        if (own && own->entry->primary == node)
            return "Can't forget my master!";
        if (!model_drop_node(model, number, node))
            return MODEL_NO_MEMORY;
    }
    return NULL;
}

static const char *prove_empty(struct model *model, const struct stage *stage, const struct step *step)
{
    (void)stage;
    if (!model_knows_nobody(model, step->on))
        return "cluster_known_nodes is above 1";
    return model->processes[step->on].memory_keys ? "keyspace is not empty" : NULL;
}

static const char *prove_forgotten(struct model *model, const struct stage *stage, const struct step *step)
{
    uint32_t node = model_subject(model, stage);
    (void)step;
    for (size_t i = 0; node != NO_NODE && i < stage->cluster->core_count; i++) {
        size_t number = stage->cluster->core[i];
        if (number != stage->target.instance && view_find(model_instance(model, number)->view, node))
            return "a member still lists the old id";
    }
    return NULL;
}

/* The new node's view: itself, and every member but the subject's old self. */
static bool meet_members(struct model *model, const struct stage *stage, size_t number, const struct entry *draft)
{
    const struct cluster *cluster = stage->cluster;
    struct instance *instance = model_instance(model, number);
    struct view *view = model_copy_view(model, NULL, cluster->member_count + 1);
    if (!view)
        return false;
    view->file = instance->view->file;
    view->has_vars = view->has_current_epoch = view->has_last_vote_epoch = true;
    view->current_epoch = cluster->current_epoch;
    view->newest_pong_ms = cluster->newest_pong_ms;
    if (!model_add_sighting(model, view, draft, 0, true))
        return false;
    for (size_t n = 0; n < cluster->member_count; n++) {
        const struct node *node = &cluster->nodes[n];
        if (stage->target.id && strcmp(node->id, stage->target.id) == 0)
            continue;
        if (node->entry && !model_add_sighting(model, view, node->entry, cluster->newest_pong_ms, false))
            return false;
    }
    return model_set_view(model, number, view);
}

/* MEET and gossip: every member lists it, it lists every member. */
static const char *join(struct model *model, const struct stage *stage, const struct step *step)
{
    struct instance *instance = model_instance(model, step->on);
    const struct cluster *cluster = stage->cluster;
    if (!model_knows_nobody(model, step->on) || model->processes[step->on].memory_keys)
        return "[ERR] Node is not empty. Either the node already knows other nodes or contains some key in database 0.";
    if (!instance->view && !be_born(model, stage, step->on))
        return MODEL_NO_MEMORY;
    struct entry draft = *view_own(instance->view)->entry;
    if (stage->primary_id) {
        draft.flags = NODE_REPLICA;
        draft.primary = view_store_find(model->evidence.store, (struct bytes){(const uint8_t *)stage->primary_id, 40});
    }
    if (!meet_members(model, stage, step->on, &draft))
        return MODEL_NO_MEMORY;
    for (size_t i = 0; i < cluster->core_count; i++) {
        if (cluster->core[i] == step->on)
            continue;
        struct view *view = model_copy_view(model, model_instance(model, cluster->core[i])->view, 1);
        if (!view || !model_add_sighting(model, view, &draft, cluster->newest_pong_ms, false) ||
            !model_set_view(model, cluster->core[i], view))
            return MODEL_NO_MEMORY;
    }
    model->processes[step->on].joined = true;
    return NULL;
}

static const char *prove_joined(struct model *model, const struct stage *stage, const struct step *step)
{
    (void)stage;
    return model->processes[step->on].joined ? NULL : "the node has not joined";
}

/* It comes up with what its disk holds. */
static const char *start(struct model *model, const struct stage *stage, const struct step *step)
{
    struct process *process = &model->processes[step->on];
    if (process->running)
        return "the server runs already";
    if (!model_instance(model, step->on)->view && !be_born(model, stage, step->on))
        return MODEL_NO_MEMORY;
    process->running = true;
    process->memory_keys = process->dump_keys + process->aof_keys;
    process->keys = process->dump_keys && model_instance(model, step->on)->dump
                        ? model_instance(model, step->on)->dump->slot_keys
                        : NULL;
    return NULL;
}

const struct effect effects_membership[ACTIONS] = {
    [ACTION_VERIFY_IDENTITY] = {NULL, true},
    [ACTION_RESET] = {reset, true},
    [ACTION_RESET_REPLICA] = {reset, true},
    [ACTION_VERIFY_EMPTY] = {prove_empty, true},
    [ACTION_START] = {start, false},
    [ACTION_FORGET] = {forget, false},
    [ACTION_VERIFY_FORGOTTEN] = {prove_forgotten, false},
    [ACTION_VERIFY_STAYED_FORGOTTEN] = {prove_forgotten, false},
    [ACTION_ADD_NODE] = {join, true},
    [ACTION_VERIFY_JOINED] = {prove_joined, true},
};
