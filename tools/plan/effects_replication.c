/* What steps do to who follows whom. */
#include <string.h>

#include "tools/plan/model.h"

/* The view of an instance names the node as a replica. */
static bool is_replica(struct model *model, size_t instance, uint32_t node)
{
    const struct view *view = model_instance(model, instance)->view;
    const struct sighting *sighting = view ? view_find(view, node) : NULL;
    return sighting && sighting->entry->flags & NODE_REPLICA;
}

static size_t carrier(const struct model *model, uint32_t node)
{
    for (size_t i = 0; i < model->evidence.instance_count; i++)
        if (model->evidence.instances[i].node == node && model->evidence.instances[i].view)
            return i;
    return SIZE_MAX;
}

static uint32_t primary_of(const struct model *model, const struct stage *stage)
{
    return view_store_find(model->evidence.store,
                           (struct bytes){(const uint8_t *)stage->primary_id, strlen(stage->primary_id)});
}

static const char *replicate(struct model *model, const struct stage *stage, const struct step *step)
{
    struct instance *instance = model_instance(model, step->on);
    const struct sighting *own = instance->view ? view_own(instance->view) : NULL;
    uint32_t primary = primary_of(model, stage);
    if (!own || !view_find(instance->view, primary))
        return "ERR Unknown node";
    if (own->entry->node == primary)
        return "ERR Can't replicate myself";
    if (is_replica(model, step->on, primary))
        return "ERR I can only replicate a master, not a slave.";
    if (own->entry->flags & NODE_PRIMARY && (own->entry->slot_count || model->processes[step->on].memory_keys))
        return "ERR To set a master the node must be empty and without assigned slots.";
    struct entry draft = *own->entry;
    draft.flags = (draft.flags & ~(unsigned)NODE_PRIMARY) | NODE_REPLICA;
    draft.primary = primary;
    draft.config_epoch = view_find(instance->view, primary)->entry->config_epoch;
    draft.shard_id = view_find(instance->view, primary)->entry->shard_id;
    draft.ranges = NULL;
    draft.marks = NULL;
    draft.range_count = draft.mark_count = 0;
    if (!model_change_entry(model, step->on, &draft, 0))
        return MODEL_NO_MEMORY;
    for (size_t i = 0; i < stage->cluster->core_count; i++)
        if (!model_change_entry(model, stage->cluster->core[i], &draft, stage->cluster->newest_pong_ms))
            return MODEL_NO_MEMORY;
    return NULL;
}

/* A full synchronization: it holds what its primary holds, and its dump is that of its primary. */
static const char *synchronize(struct model *model, const struct stage *stage, const struct step *step)
{
    struct process *process = &model->processes[step->on];
    size_t primary = carrier(model, primary_of(model, stage));
    const struct sighting *own = view_own(model_instance(model, step->on)->view);
    if (!own || own->entry->primary != primary_of(model, stage))
        return "master_link_status is down";
    if (primary == SIZE_MAX)
        return NULL;
    process->keys = model->processes[primary].keys;
    process->memory_keys = model->processes[primary].memory_keys;
    process->memory_functions = model->processes[primary].memory_functions;
    process->dump_keys = model->processes[primary].dump_keys;
    process->aof_keys = 0;
    model_instance(model, step->on)->dump = model_instance(model, primary)->dump;
    return NULL;
}

static const char *prove_following(struct model *model, const struct stage *stage, const struct step *step)
{
    const struct instance *instance = model_instance(model, step->on);
    for (size_t i = 0; i < stage->cluster->core_count; i++)
        if (!is_replica(model, stage->cluster->core[i], instance->node))
            return "a member does not list it as a replica";
    return NULL;
}

static const char *prove_vacant(struct model *model, const struct stage *stage, const struct step *step)
{
    (void)stage;
    return model->processes[step->on].memory_keys ? "keyspace is not empty" : NULL;
}

const struct effect effects_replication[ACTIONS] = {
    [ACTION_VERIFY_VACANT] = {prove_vacant, true},
    [ACTION_VERIFY_IN_SYNC] = {NULL, true},
    [ACTION_REPLICATE] = {replicate, true},
    [ACTION_REPLICATE_OVER] = {replicate, true},
    [ACTION_WAIT_SYNC] = {synchronize, true},
    [ACTION_VERIFY_REPLICA] = {prove_following, true},
};
