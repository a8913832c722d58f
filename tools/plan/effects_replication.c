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

/* ------------------------------------------------------------------ a replica and its primary change roles */

static const struct entry *own_entry(const struct model *model, size_t number)
{
    const struct view *view = model->evidence.instances[number].view;
    const struct sighting *own = view ? view_own(view) : NULL;
    return own ? own->entry : NULL;
}

static const char *prove_ready(struct model *model, const struct stage *stage, const struct step *step)
{
    const struct entry *own = own_entry(model, step->on);
    (void)stage;
    if (!model->processes[step->peer].running)
        return "its primary does not answer";
    if (!own || !(own->flags & NODE_REPLICA) || own->primary != model_instance(model, step->peer)->node)
        return "it is no replica of this primary";
    model->processes[step->on].in_step = true;
    return NULL;
}

/* What a server asks of CLUSTER FAILOVER without FORCE. That its link is up was shown before. */
static const char *failover_refused(const struct model *model, const struct step *step)
{
    const struct view *view = model->evidence.instances[step->on].view;
    const struct entry *own = own_entry(model, step->on);
    const struct sighting *primary = own && own->primary != NO_NODE ? view_find(view, own->primary) : NULL;
    if (!own || !(own->flags & NODE_REPLICA))
        return "ERR You should send CLUSTER FAILOVER to a replica";
    if (!primary)
        return "ERR I'm a replica but my master is unknown to me";
    if (primary->entry->flags & NODE_FAIL || !model->processes[step->peer].running)
        return "ERR Master is down or failed, please use CLUSTER FAILOVER FORCE";
    return model->processes[step->on].in_step ? NULL : "nothing has shown that it holds what its primary holds";
}

/* What every member says about a node after the election: the winner has the slots at the new epoch, all others of the
 * shard follow it. */
static bool take_role(struct model *model, const struct step *step, const struct entry *entry, uint64_t epoch,
                      struct entry *draft)
{
    static const bool none[SLOT_COUNT];
    uint32_t winner = model_instance(model, step->on)->node;
    bool wins = entry->node == winner;
    if (!model_with_slots(model, entry, wins ? step->slots->has : none, draft))
        return false;
    draft->flags = (draft->flags & ~(unsigned)(NODE_PRIMARY | NODE_REPLICA)) | (wins ? NODE_PRIMARY : NODE_REPLICA);
    draft->primary = wins ? NO_NODE : winner;
    draft->config_epoch = epoch;
    return true;
}

static const char *fail_over(struct model *model, const struct stage *stage, const struct step *step)
{
    const struct cluster *cluster = stage->cluster;
    const char *refusal = failover_refused(model, step);
    uint64_t epoch = model_highest_epoch(model, cluster) + 1;
    uint32_t primary = cluster_node_of(cluster, step->peer);
    if (refusal || primary == NO_NODE)
        return refusal ? refusal : "its primary is no member";
    for (uint32_t n = 0; n < cluster->member_count; n++) {
        const struct node *node = &cluster->nodes[n];
        struct entry draft;
        if (!node->entry || (n != primary && node->follows != primary))
            continue;
        if (!take_role(model, step, node->entry, epoch, &draft))
            return MODEL_NO_MEMORY;
        for (size_t i = 0; i < cluster->core_count; i++)
            if (!model_change_entry(model, cluster->core[i], &draft, cluster->newest_pong_ms))
                return MODEL_NO_MEMORY;
    }
    for (size_t i = 0; i < cluster->core_count; i++)
        if (!model_raise_epoch(model, cluster->core[i], epoch))
            return MODEL_NO_MEMORY;
    if (!model->processes[step->peer].keys)
        return NULL;
    model->processes[step->on].keys = model->processes[step->peer].keys;
    model->processes[step->on].memory_keys = model->processes[step->peer].memory_keys;
    return model_save(model, step->on) ? NULL : MODEL_NO_MEMORY;
}

static const char *prove_promoted(struct model *model, const struct stage *stage, const struct step *step)
{
    const struct entry *own = own_entry(model, step->on);
    (void)stage;
    return own && own->flags & NODE_PRIMARY ? NULL : "it is a replica still";
}

static const char *prove_handed_over(struct model *model, const struct stage *stage, const struct step *step)
{
    uint32_t winner = model_instance(model, step->on)->node, other = model_instance(model, step->peer)->node;
    for (size_t i = 0; i < stage->cluster->core_count; i++) {
        const struct view *view = model_instance(model, stage->cluster->core[i])->view;
        const struct sighting *first = view ? view_find(view, winner) : NULL,
                              *second = view ? view_find(view, other) : NULL;
        if (!first || !second || !(first->entry->flags & NODE_PRIMARY) || !(second->entry->flags & NODE_REPLICA) ||
            second->entry->primary != winner)
            return "a member does not show both in their new roles";
    }
    return NULL;
}

const struct effect effects_replication[ACTIONS] = {
    [ACTION_VERIFY_VACANT] = {prove_vacant, true},
    [ACTION_VERIFY_IN_SYNC] = {NULL, true},
    [ACTION_REPLICATE] = {replicate, true},
    [ACTION_REPLICATE_OVER] = {replicate, true},
    [ACTION_WAIT_SYNC] = {synchronize, true},
    [ACTION_VERIFY_REPLICA] = {prove_following, true},
    [ACTION_VERIFY_READY] = {prove_ready, true},
    [ACTION_FAIL_OVER] = {fail_over, true},
    [ACTION_WAIT_PROMOTED] = {prove_promoted, true},
    [ACTION_VERIFY_HANDED_OVER] = {prove_handed_over, false},
};
