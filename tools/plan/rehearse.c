/* The rehearsal: a model of every instance (view, keys in memory, dump on disk, AOF) on which each step has the effect
 * that it would have on the server, including the server's refusals; then the same checks as for evidence. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "tools/plan/plan.h"

/* The target as a running server. The members need no more than their views. */
struct model {
    struct evidence evidence; /* a copy whose instances and files are this model's own */
    size_t target;
    bool running;
    uint64_t memory_keys, memory_functions;
    uint64_t dump_keys, aof_keys;
    bool joined;
    struct arena *arena;
    const struct plan *plan;
};

static bool model_of(const struct plan *plan, struct arena *arena, struct model *model)
{
    const struct evidence *evidence = plan->evidence;
    *model = (struct model){.evidence = *evidence, .target = plan->target, .running = true, .arena = arena, .plan = plan};
    model->evidence.arena = arena;
    model->evidence.instances = arena_array(arena, evidence->instance_count, sizeof(struct instance));
    model->evidence.files = arena_array(arena, evidence->file_count, sizeof(struct evidence_file));
    if (!model->evidence.instances || !model->evidence.files)
        return false;
    memcpy(model->evidence.instances, evidence->instances, evidence->instance_count * sizeof(struct instance));
    memcpy(model->evidence.files, evidence->files, evidence->file_count * sizeof(struct evidence_file));
    const struct dump *dump = evidence->instances[plan->target].dump;
    /* What an unproved AOF holds is unknown, so it counts as keys until it has been rewritten. */
    model->dump_keys = model->memory_keys = dump ? dump->keys : 0;
    model->aof_keys = plan->aof ? 1 : 0;
    model->memory_functions = plan->functions;
    return true;
}

static struct instance *target_of(struct model *model)
{
    return &model->evidence.instances[model->target];
}

/* ------------------------------------------------------------------ views */

static struct view *copy_view(struct model *model, const struct view *view, size_t extra)
{
    struct view *copy = arena_alloc(model->arena, sizeof(*copy));
    size_t count = view ? view->count : 0;
    if (!copy)
        return NULL;
    if (view)
        *copy = *view;
    copy->sightings = arena_array(model->arena, count + extra, sizeof(*copy->sightings));
    if (!copy->sightings)
        return NULL;
    if (count)
        memcpy(copy->sightings, view->sightings, count * sizeof(*copy->sightings));
    copy->count = count;
    return copy;
}

static bool replace_view(struct model *model, size_t instance, struct view *view)
{
    if (!view || !view_index(view, model->arena))
        return false;
    model->evidence.instances[instance].view = view;
    return true;
}

static bool add_sighting(struct model *model, struct view *view, const struct entry *draft, int64_t pong_ms, bool own)
{
    const struct entry *entry = view_store_intern(model->evidence.store, draft);
    if (!entry)
        return false;
    if (own) {
        view->myself = view->count;
        view->myself_count = 1;
    }
    view->sightings[view->count++] = (struct sighting){.entry = entry, .pong_ms = pong_ms, .link = LINK_CONNECTED, .myself = own};
    return true;
}

static bool drop_node(struct model *model, size_t instance, uint32_t node)
{
    struct view *view = copy_view(model, model->evidence.instances[instance].view, 0);
    size_t kept = 0;
    if (!view)
        return false;
    view->myself = SIZE_MAX;
    for (size_t s = 0; s < view->count; s++) {
        if (view->sightings[s].entry->node == node)
            continue;
        if (view->sightings[s].myself)
            view->myself = kept;
        view->sightings[kept++] = view->sightings[s];
    }
    view->count = kept;
    return replace_view(model, instance, view);
}

/* An id that nothing else has, made from the old one. */
static uint32_t new_identity(struct model *model)
{
    char id[41];
    const char *old = model->plan->target_name;
    XXH128_hash_t a = XXH3_128bits(old, strlen(old)), b = XXH3_128bits_withSeed(old, strlen(old), 1);
    snprintf(id, sizeof(id), "%016" PRIx64 "%016" PRIx64 "%08" PRIx32, a.high64, a.low64, (uint32_t)b.low64);
    return view_store_node(model->evidence.store, (struct bytes){(const uint8_t *)id, 40});
}

/* ------------------------------------------------------------------ effects; NULL, or what the server would answer */

static const char *flush(struct model *model)
{
    if (model->plan->target_replica && target_of(model)->view && target_of(model)->view->count > 1)
        return "READONLY You can't write against a read only replica.";
    model->memory_keys = 0;
    return NULL;
}

static const char *flush_functions(struct model *model)
{
    const struct sighting *own = target_of(model)->view ? view_own(target_of(model)->view) : NULL;
    if (own && own->entry->flags & NODE_REPLICA)
        return "READONLY You can't write against a read only replica.";
    model->memory_functions = 0;
    return NULL;
}

static const char *reset(struct model *model)
{
    struct instance *target = target_of(model);
    struct view *view = copy_view(model, NULL, 1);
    const struct sighting *own = target->view ? view_own(target->view) : NULL;
    uint32_t node = new_identity(model);
    if (own && own->entry->flags & NODE_PRIMARY && model->memory_keys)
        return "CLUSTER RESET can't be called with master nodes containing keys";
    if (!view || node == NO_NODE)
        return "out of memory";
    struct entry draft = {.node = node, .ip = model->plan->target_ip, .hostname = "", .shard_id = "", .nodename = "",
                          .port = model->plan->target_port, .bus_port = own ? own->entry->bus_port : 0, .flags = NODE_PRIMARY,
                          .primary = NO_NODE};
    view->file = target->view ? target->view->file : SIZE_MAX;
    view->has_vars = view->has_current_epoch = view->has_last_vote_epoch = true;
    if (!add_sighting(model, view, &draft, 0, true) || !replace_view(model, model->target, view))
        return "out of memory";
    target->node = node;
    target->history_count = 0;
    target->logbook_count = 0; /* its log speaks of the old id */
    model->memory_keys = 0;
    return NULL;
}

static const char *save(struct model *model)
{
    struct instance *target = target_of(model);
    struct dump *dump = arena_alloc(model->arena, sizeof(*dump));
    if (!dump)
        return "out of memory";
    if (target->dump)
        *dump = *target->dump;
    dump->keys = model->memory_keys;
    model->dump_keys = model->memory_keys;
    if (!model->memory_keys) {
        dump->db_count = 0;
        dump->slot_keys = NULL;
    }
    dump->whole = true;
    target->dump = dump;
    return NULL;
}

static const char *forget(struct model *model)
{
    uint32_t node = model->plan->target_id ? view_store_find(model->evidence.store, (struct bytes){(const uint8_t *)model->plan->target_id, 40})
                                           : NO_NODE;
    for (size_t i = 0; i < model->plan->cluster->core_count; i++) {
        size_t instance = model->plan->cluster->core[i];
        const struct view *view = model->evidence.instances[instance].view;
        const struct sighting *own = view ? view_own(view) : NULL;
        if (instance == model->target || !view || !view_find(view, node))
            continue;
        if (own && own->entry->primary == node)
            return "Can't forget my master!";
        if (!drop_node(model, instance, node))
            return "out of memory";
    }
    return NULL;
}

static bool knows_nobody(struct model *model)
{
    const struct view *view = target_of(model)->view;
    return !view || view->count <= 1;
}

static const char *prove_empty(struct model *model)
{
    if (!knows_nobody(model))
        return "cluster_known_nodes is above 1";
    return model->memory_keys ? "keyspace is not empty" : NULL;
}

static const char *prove_forgotten(struct model *model)
{
    uint32_t node = model->plan->target_id ? view_store_find(model->evidence.store, (struct bytes){(const uint8_t *)model->plan->target_id, 40})
                                           : NO_NODE;
    for (size_t i = 0; node != NO_NODE && i < model->plan->cluster->core_count; i++) {
        size_t instance = model->plan->cluster->core[i];
        if (instance != model->target && view_find(model->evidence.instances[instance].view, node))
            return "a member still lists the old id";
    }
    return NULL;
}

/* MEET and gossip: every member lists it, it lists every member. */
static const char *join(struct model *model)
{
    struct instance *target = target_of(model);
    const struct cluster *cluster = model->plan->cluster;
    if (!knows_nobody(model) || model->memory_keys)
        return "[ERR] Node is not empty. Either the node already knows other nodes or contains some key in database 0.";
    if (!target->view && reset(model))
        return "out of memory";
    struct entry draft = *view_own(target->view)->entry;
    struct view *view = copy_view(model, NULL, cluster->member_count + 1);
    if (!view)
        return "out of memory";
    if (model->plan->primary_id) {
        draft.flags = NODE_REPLICA;
        draft.primary = view_store_find(model->evidence.store, (struct bytes){(const uint8_t *)model->plan->primary_id, 40});
    }
    *view = (struct view){.file = target->view->file, .sightings = view->sightings, .has_vars = true, .has_current_epoch = true,
                          .has_last_vote_epoch = true, .current_epoch = cluster->current_epoch,
                          .newest_pong_ms = cluster->newest_pong_ms};
    if (!add_sighting(model, view, &draft, 0, true))
        return "out of memory";
    for (size_t n = 0; n < cluster->member_count; n++)
        if (!model->plan->target_id || strcmp(cluster->nodes[n].id, model->plan->target_id) != 0)
            if (!add_sighting(model, view, cluster->nodes[n].entry, cluster->newest_pong_ms, false))
                return "out of memory";
    if (!replace_view(model, model->target, view))
        return "out of memory";
    for (size_t i = 0; i < cluster->core_count; i++) {
        if (cluster->core[i] == model->target)
            continue;
        struct view *member = copy_view(model, model->evidence.instances[cluster->core[i]].view, 1);
        size_t own = member ? member->myself : SIZE_MAX, owned = member ? member->myself_count : 0;
        if (!member || !add_sighting(model, member, &draft, cluster->newest_pong_ms, false))
            return "out of memory";
        member->myself = own;
        member->myself_count = owned;
        if (!replace_view(model, cluster->core[i], member))
            return "out of memory";
    }
    model->joined = true;
    return NULL;
}

static const char *move_aside(struct model *model)
{
    struct instance *target = target_of(model);
    target->view = NULL;
    target->node = NO_NODE;
    target->history_count = 0;
    return NULL;
}

static const char *shut_down(struct model *model)
{
    model->running = false;
    return save(model);
}

static const char *rewrite_aof(struct model *model)
{
    model->aof_keys = model->memory_keys;
    return NULL;
}

/* Actions without a row change nothing in the model. */
static const struct {
    const char *(*apply)(struct model *model);
    bool needs_running;
} effects[ACTIONS] = {
    [ACTION_VERIFY_IDENTITY] = {NULL, true},
    [ACTION_VERIFY_CONTENT] = {NULL, true},
    [ACTION_FLUSH_ALL] = {flush, true},
    [ACTION_FLUSH_FUNCTIONS] = {flush_functions, true},
    [ACTION_RESET] = {reset, true},
    [ACTION_RESET_REPLICA] = {reset, true},
    [ACTION_SAVE] = {save, true},
    [ACTION_REWRITE_AOF] = {rewrite_aof, true},
    [ACTION_VERIFY_EMPTY] = {prove_empty, true},
    [ACTION_SHUTDOWN] = {shut_down, true},
    [ACTION_MOVE_ASIDE] = {move_aside, false},
    [ACTION_FORGET] = {forget, false},
    [ACTION_VERIFY_FORGOTTEN] = {prove_forgotten, false},
    [ACTION_VERIFY_STAYED_FORGOTTEN] = {prove_forgotten, false},
    [ACTION_ADD_NODE] = {join, true},
    [ACTION_VERIFY_JOINED] = {NULL, true},
};

/* ------------------------------------------------------------------ the same checks before and after */

/* Findings that a goal is there to end. A removed node keeps its dump, so only rejoining ends those about keys. */
static bool addressed(enum plan_goal goal, enum finding_id id)
{
    static const struct {
        enum finding_id id;
        bool of_remove;
    } ids[] = {
        {FINDING_STALE_SELF_MEMBERSHIP, true}, {FINDING_HALF_FORGOTTEN, true}, {FINDING_SHADOW_REPLICA, true},
        {FINDING_STALE_CLAIM_WINS, true}, {FINDING_ADDRESS_CONFLICT, true}, {FINDING_KEYS_IN_FOREIGN_SLOT, false},
        {FINDING_KEYS_ONLY_HERE, false},
    };
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
        if (ids[i].id == id)
            return goal == GOAL_REJOIN || ids[i].of_remove;
    return false;
}

static bool about_target(const struct plan *plan, const struct finding *finding)
{
    return finding->node && strcmp(finding->node, plan->target_name) == 0;
}

static enum finding_id *list_of(const struct plan *plan, const struct findings *findings, struct arena *arena, size_t *count)
{
    enum finding_id *ids = arena_array(arena, findings->count, sizeof(*ids));
    for (size_t f = 0; ids && f < findings->count; f++)
        if (about_target(plan, &findings->all[f]))
            ids[(*count)++] = findings->all[f].id;
    return ids;
}

/* The checks read evidence files for the dump of an instance; a file that a step rewrote cannot be read, so the model's
 * dump has no slots to ask for. Findings about files themselves are left out: the steps do not touch the members' files. */
static bool same_subject(const struct finding *a, const struct finding *b)
{
    const char *x = a->node ? a->node : a->host ? a->host : "", *y = b->node ? b->node : b->host ? b->host : "";
    return a->id == b->id && strcmp(x, y) == 0;
}

static const struct finding *new_error(const struct findings *before, const struct findings *after)
{
    for (size_t f = 0; f < after->count; f++) {
        bool known = after->all[f].severity != SEVERITY_ERROR;
        for (size_t b = 0; b < before->count && !known; b++)
            known = same_subject(&before->all[b], &after->all[f]);
        if (!known)
            return &after->all[f];
    }
    return NULL;
}

static struct findings *judge(const struct evidence *evidence, struct arena *arena)
{
    struct clusters *clusters = clusters_build(evidence, arena);
    return clusters ? findings_of(evidence, clusters, arena) : NULL;
}

bool plan_rehearse(struct plan *plan, struct arena *arena, const char **why)
{
    struct model model;
    *why = "out of memory";
    if (!plan_guarded(plan, why) || !model_of(plan, arena, &model))
        return false;
    for (size_t s = 0; s < plan->step_count; s++) {
        enum action action = plan->steps[s].action;
        const char *answer = effects[action].needs_running && !model.running ? "the server does not run"
                             : effects[action].apply ? effects[action].apply(&model) : NULL;
        if (answer) {
            *why = arena_format(arena, "step %zu, %s: %s", s + 1, action_name(action), answer);
            return false;
        }
    }
    if (plan->goal == GOAL_REJOIN && (model.dump_keys || model.aof_keys || model.memory_functions)) {
        *why = "old data would come back at the next start of the node";
        return false;
    }
    struct findings *before = judge(plan->evidence, arena), *after = judge(&model.evidence, arena);
    if (!before || !after) {
        *why = "out of memory";
        return false;
    }
    plan->before = list_of(plan, before, arena, &plan->before_count);
    plan->after = list_of(plan, after, arena, &plan->after_count);
    for (size_t f = 0; f < after->count; f++)
        if (about_target(plan, &after->all[f]) && addressed(plan->goal, after->all[f].id)) {
            *why = arena_format(arena, "%s remains", finding_word(after->all[f].id));
            return false;
        }
    const struct finding *fresh = new_error(before, after);
    if (fresh) {
        *why = arena_format(arena, "%s would be new (%s)", finding_word(fresh->id), fresh->node ? fresh->node : fresh->host ? fresh->host : "cluster");
        return false;
    }
    if (plan->goal == GOAL_REJOIN && !model.joined) {
        *why = "the node has not joined";
        return false;
    }
    return true;
}
