/* Remedies for members: those that are down come back, copies stop, ghosts are forgotten, views are given time to
 * agree. */
#include <inttypes.h>
#include <string.h>

#include "tools/plan/making.h"

/* ------------------------------------------------------------------ members that do not run */

/* A member whose slots another one has taken over comes back as a replica, and is flushed: what only its dump holds
 * must exist elsewhere first. One that still owns its slots serves its own keys again. */
static bool check_return(struct making *m, uint32_t index)
{
    struct stage *stage = m->stage;
    const struct node *node = &stage->cluster->nodes[index];
    stage->content = "nothing: it serves its own keys again";
    if (node->slots_owned)
        return true;
    stage->copies = copies_of(stage->cluster, stage->target.instance, m->arena);
    if (!stage->copies)
        return making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
    if (!stage->copies->possible && stage->copies->file != SIZE_MAX)
        return making_stop(m, PLAN_REFUSED, stage->copies->why_not, "collect its dump again");
    stage->content = stage->copies->file == SIZE_MAX ? "nothing that the files show: it has no dump"
                     : !stage->copies->count        ? "nothing: its dump holds no keys" : NULL;
    if (stage->content)
        return true;
    stage->content = arena_format(
        m->arena,
        "%" PRIu64 " keys of its dump, which is kept: %" PRIu64 " exist with equal value in dumps of members, %" PRIu64
        " with another value there, %" PRIu64 " nowhere else",
        stage->copies->count, stage->copies->covered, stage->copies->differs, stage->copies->only_here);
    stage->given_up = stage->copies->only_here;
    if (stage->copies->only_here && !m->wish->accepted_loss)
        return making_stop(
            m, PLAN_REFUSED,
            arena_format(m->arena,
                         "%" PRIu64 " keys exist only in its dump, and it is flushed when it comes back as a replica",
                         stage->copies->only_here),
            arena_format(m->arena, "%s; or give them up: --accept-loss=%" PRIu64, RESCUE_BY_HAND,
                         stage->copies->only_here));
    return stage->content != NULL;
}

/* Its log ends with an orderly stop: somebody meant it. */
static bool was_stopped(const struct instance *instance)
{
    const struct logbook *last = instance->logbook_count ? instance->logbooks[instance->logbook_count - 1] : NULL;
    bool stopped = false;
    for (size_t l = 0; last && l < last->count; l++)
        stopped = last->lines[l].event == LOGBOOK_SHUTDOWN || (stopped && last->lines[l].event != LOGBOOK_START);
    return stopped;
}

static bool make_return_stage(struct making *m, size_t instance, const struct finding *finding)
{
    struct stage *stage = making_stage(m, STAGE_RETURN);
    uint32_t index;
    if (!stage)
        return making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
    if (!target_find(m, instance, &index))
        return false;
    if (index == NO_NODE || stage->cluster->nodes[index].standing != STANDING_MEMBER)
        return making_stop(m, PLAN_REFUSED, "it is no member", NULL);
    if (stage->cluster->nodes[index].primary && !stage->cluster->nodes[index].slots_owned &&
        was_stopped(&m->scene->evidence->instances[instance]))
        return making_stop(
            m, PLAN_REFUSED,
            "it was stopped in good order and serves no slots: whether it is to come back is not for a tool to say",
            arena_format(m->arena, "start it, or end its membership: rcf-plan remove %s", stage->target.name));
    struct membership membership = membership_of(stage->cluster, index, m->arena);
    if (membership.forgot)
        return making_stop(
            m, PLAN_REFUSED,
            arena_format(m->arena, "%zu members have forgotten it: it was meant to go", membership.forgot),
            arena_format(m->arena, "rcf-plan remove %s ends that, rcf-plan rejoin %s takes it back", stage->target.name,
                         stage->target.name));
    if (!check_single(m, index) || !check_readable(m) || !check_views(m) || !check_return(m, index))
        return false;
    stage->target.down = true;
    stage->answers = finding_word(finding->id);
    stage->headline =
        arena_format(m->arena, "Bring back %s (%.8s), which does not run", stage->target.name, stage->target.id);
    const struct wanted steps[] = {
        {ACTION_VERIFY_DOWN, true}, {ACTION_VERIFY_FILES, true},    {ACTION_KEEP_FILES, true},
        {ACTION_BRING_BACK, true},  {ACTION_VERIFY_RETURNED, true},
    };
    if (!target_take_stock(m, NULL) || !stage->headline)
        return making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
    return making_order(m, steps, sizeof(steps) / sizeof(steps[0])) &&
           making_bind_cluster(m, &(struct slot_set){.count = 0}) && making_done(m);
}

bool repair_return(struct making *m, const struct finding *finding)
{
    size_t instance = repair_subject(m, finding);
    return instance != SIZE_MAX && make_return_stage(m, instance, finding);
}

/* A majority is missing: the first of the voting primaries that most members suspect. */
bool repair_quorum(struct making *m, const struct finding *finding)
{
    const struct cluster *cluster = finding->cluster == SIZE_MAX ? NULL : &m->scene->clusters->all[finding->cluster];
    for (uint32_t n = 0; cluster && n < cluster->member_count; n++) {
        const struct node *node = &cluster->nodes[n];
        if (node->slots_owned && node->instance != SIZE_MAX && (node->failed || node->suspected > node->listing / 2))
            return make_return_stage(m, node->instance, finding);
    }
    return making_stop(
        m, PLAN_REFUSED, "the logs tell that a majority fell silent, and no view tells which primaries are down",
        "collect CLUSTER NODES of a member that runs; start the primaries that do not, on their own files");
}

/* ------------------------------------------------------------------ copies of a member */

/* The copy is the one at the address that the members do not list. */
static size_t find_copy(const struct making *m, const struct finding *finding)
{
    const struct evidence *evidence = m->scene->evidence;
    const struct cluster *cluster = &m->scene->clusters->all[finding->cluster];
    for (uint32_t n = 0; n < cluster->node_count; n++) {
        const struct node *node = &cluster->nodes[n];
        if (node->instance_count < 2 || !finding->node_id || strcmp(node->id, finding->node_id) != 0)
            continue;
        for (size_t i = 0; i < evidence->instance_count; i++)
            if (evidence->instances[i].node == node->number && i != node->instance)
                return i;
    }
    return SIZE_MAX;
}

/* The own line of a copied file may be the other node's still: where the copy runs, its configuration tells. */
static void find_copy_address(struct making *m, size_t copy)
{
    struct target *target = &m->stage->target;
    const char *ip = settings_address(m->scene->evidence->instances[copy].settings);
    if (!*ip || strcmp(ip, target->ip) == 0)
        return;
    target->ip = ip;
    target->name = arena_format(m->arena, "%s:%u", ip, target->port);
}

bool repair_copy(struct making *m, const struct finding *finding)
{
    struct stage *stage = making_stage(m, STAGE_STOP_COPY);
    size_t copy = finding->cluster == SIZE_MAX ? SIZE_MAX : find_copy(m, finding);
    uint32_t index;
    if (!stage)
        return making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
    if (copy == SIZE_MAX)
        return making_stop(m, PLAN_REFUSED, "nothing shows which of the two the members talk to",
                           "collect CLUSTER NODES of a member");
    if (!target_find(m, copy, &index) || !check_readable(m) || !check_views(m))
        return false;
    find_copy_address(m, copy);
    stage->target.listed = true; /* as the member's id */
    stage->answers = finding_word(finding->id);
    stage->content = "nothing: the copy is stopped with its data saved, and its files stay where they are";
    stage->headline = arena_format(m->arena, "Stop %s, a copy that carries the id of a member (%.8s)",
                                   stage->target.name, stage->target.id);
    making_detail(m, arena_format(m->arena,
                                  "%s may have taken writes of its own while the members knew two addresses: "
                                  "rcf-rdb-diff compares its dump with the member's",
                                  stage->target.name));
    const struct wanted steps[] = {
        {ACTION_VERIFY_MEMBERS, true}, {ACTION_VERIFY_IDENTITY, true}, {ACTION_VERIFY_CONTENT, true},
        {ACTION_KEEP_FILES, true},     {ACTION_SHUTDOWN, true},        {ACTION_MOVE_ASIDE, true},
    };
    if (!target_take_stock(m, NULL) || !stage->headline)
        return making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
    return making_order(m, steps, sizeof(steps) / sizeof(steps[0])) && making_done(m);
}

/* ------------------------------------------------------------------ ghosts */

bool repair_ghost(struct making *m, const struct finding *finding)
{
    struct stage *stage = making_stage(m, STAGE_FORGET);
    if (!stage || finding->cluster == SIZE_MAX || !finding->node_id)
        return making_stop(m, stage ? PLAN_REFUSED : PLAN_IMPOSSIBLE, stage ? "its id is not known" : NULL, NULL);
    if (!making_about(m, &m->scene->clusters->all[finding->cluster], SIZE_MAX))
        return false;
    uint32_t index = node_named(stage->cluster, finding->node_id);
    if (index == NO_NODE)
        return making_stop(m, PLAN_REFUSED, "no view lists it any more", NULL);
    const struct node *node = &stage->cluster->nodes[index];
    for (size_t c = 0; c < node->claim_count; c++)
        if (node->claims[c].sighting->entry->range_count)
            return making_stop(m, PLAN_REFUSED,
                               "a view still assigns slots to it: forgetting it would leave them to nobody",
                               "find the server whose data that is first");
    if (!check_no_replicas(m, index) || !check_readable(m) || !check_views(m))
        return false;
    stage->target.id = node->id;
    stage->target.listed = true;
    stage->given = FACT(GONE);
    stage->answers = finding_word(finding->id);
    stage->content = "nothing: no server answers to this id";
    stage->headline = arena_format(m->arena, "Forget %.8s, which has no address", node->id);
    const struct wanted steps[] = {
        {ACTION_VERIFY_MEMBERS, true},          {ACTION_FORGET, true},
        {ACTION_VERIFY_FORGOTTEN, true},        {ACTION_WAIT_BAN, true},
        {ACTION_VERIFY_STAYED_FORGOTTEN, true},
    };
    return stage->headline ? making_order(m, steps, sizeof(steps) / sizeof(steps[0])) && making_done(m)
                           : making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
}

/* ------------------------------------------------------------------ views that differ */

/* What the nodes settle by themselves as soon as they talk: equal epochs, older owners, older roles. */
bool repair_wait(struct making *m, const struct finding *finding)
{
    struct stage *stage = making_stage(m, STAGE_AGREE);
    if (!stage || finding->cluster == SIZE_MAX)
        return making_stop(m, stage ? PLAN_REFUSED : PLAN_IMPOSSIBLE, stage ? "no cluster" : NULL, NULL);
    if (!making_about(m, &m->scene->clusters->all[finding->cluster], SIZE_MAX))
        return false;
    for (uint32_t n = 0; n < stage->cluster->member_count; n++)
        if (stage->cluster->nodes[n].failed)
            return making_stop(
                m, PLAN_REFUSED,
                arena_format(m->arena, "%s has failed, and cannot agree with anybody", stage->cluster->nodes[n].name),
                "bring it back first");
    if (!check_readable(m) || !check_views(m))
        return false;
    stage->answers = finding_word(finding->id);
    stage->content = "nothing: members that talk settle this by themselves; the highest configEpoch wins";
    stage->headline = "Let the members agree";
    return making_step(m, ACTION_WAIT_AGREED) && making_bind_cluster(m, &(struct slot_set){.count = 0})
               ? making_done(m)
               : making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
}
