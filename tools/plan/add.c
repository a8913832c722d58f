/* Adding an empty node: let the server prove that it is empty, add it, see that every member lists it.
 *
 * What add-node asks of it is asked of its files first. An address that the case holds no files of may be added too:
 * then the live proof is all there is, and the plan says what that leaves open. */
#include "tools/cluster/prejoin.h"
#include "tools/plan/making.h"

static bool order(struct making *m)
{
    const struct wanted steps[] = {
        {ACTION_VERIFY_MEMBERS, true}, {ACTION_VERIFY_IDENTITY, m->stage->target.id != NULL},
        {ACTION_VERIFY_EMPTY, true},   {ACTION_ADD_NODE, true},
        {ACTION_VERIFY_JOINED, true},
    };
    return making_order(m, steps, sizeof(steps) / sizeof(steps[0]));
}

static bool refuse_not_empty(struct making *m, const char *hint)
{
    return making_stop(
        m, PLAN_REFUSED,
        arena_format(m->arena,
                     "Node %s is not empty. Either the node already knows other nodes (check with CLUSTER NODES) "
                     "or contains some key in database 0.",
                     m->stage->target.name),
        hint);
}

/* Somebody lists its id or its address. */
static bool check_known(struct making *m, uint32_t index)
{
    const struct cluster *cluster = m->stage->cluster;
    const struct node *node = index == NO_NODE ? NULL : &cluster->nodes[index];
    if (!node)
        return true;
    const char *name = m->stage->target.name;
    if (node->standing == STANDING_OUTSIDER)
        return refuse_not_empty(
            m, arena_format(m->arena, "it still lists the cluster it was removed from: rcf-plan rejoin %s", name));
    struct membership membership = membership_of(cluster, index, m->arena);
    if (membership.forgot || node->standing == STANDING_GHOST)
        return making_stop(m, PLAN_REFUSED,
                           arena_format(m->arena, "%zu members list %.8s at %s, and %zu have forgotten it",
                                        membership.lists, node->id, name, membership.forgot),
                           arena_format(m->arena, "rcf-plan rejoin %s brings it back whole", name));
    return making_stop(m, PLAN_NOTHING, arena_format(m->arena, "%s is a member already, as %.8s", name, node->id),
                       NULL);
}

/* What its files say about a start on them. */
static bool check_files(struct making *m, size_t instance)
{
    const struct prejoin *prejoin = prejoin_of(m->scene->evidence, instance, m->scene->evidence, m->scene->clusters,
                                               m->arena);
    if (!prejoin)
        return making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
    if (prejoin->verdict == PREJOIN_EMPTY)
        return true;
    enum prejoin_effect shown = prejoin->verdict == PREJOIN_NOT_EMPTY ? PREJOIN_AGAINST : PREJOIN_OPEN;
    for (size_t r = 0; r < prejoin->reason_count; r++)
        if (prejoin->reasons[r].effect == shown)
            making_detail(m, prejoin->reasons[r].text);
    if (prejoin->verdict == PREJOIN_CANNOT_TELL)
        return making_stop(
            m, PLAN_REFUSED,
            arena_format(m->arena, "whether %s is empty cannot be told from its files", m->stage->target.name),
            "rcf-prejoin says what is missing");
    if (prejoin->tool == PREJOIN_EMPTY)
        return making_stop(m, PLAN_REFUSED,
                           arena_format(m->arena, "%s is not empty, although the server's tool would take it for empty",
                                        m->stage->target.name),
                           arena_format(m->arena, "rcf-plan rejoin %s empties it first", m->stage->target.name));
    return refuse_not_empty(m, arena_format(m->arena, "rcf-plan rejoin %s empties it first", m->stage->target.name));
}

bool make_add_stage(struct making *m, size_t instance)
{
    struct stage *stage = making_stage(m, STAGE_ADD);
    uint32_t index;
    if (!stage)
        return making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
    if (!target_find(m, instance, &index) || !check_known(m, index) || !check_readable(m) || !check_views(m) ||
        !choose_entry(m, NO_NODE) || !check_missing(m, false))
        return false;
    const char *objection = tool_objects(m);
    if (objection)
        return making_stop(m, PLAN_REFUSED, objection,
                           "add-node checks the cluster first, and stops: repair that before");
    if (!stage->target.assumed && !check_files(m, instance))
        return false;
    if (stage->target.assumed)
        making_detail(
            m, "the case holds no files of it: the script proves its memory empty, and nothing is known of its disk; "
               "an old dump or AOF there comes back at a start that loads it (rcf-prejoin on its files tells)");
    stage->given = FACT(NO_KEYS) | FACT(RESET) | FACT(GONE) | FACT(STAYED_FORGOTTEN);
    stage->needs = stage->target.id ? FACT(IDENTITY) : 0;
    stage->premise = "unlisted";
    stage->content = "nothing: the node is empty";
    stage->headline = arena_format(m->arena, "Add %s to the cluster of %s", stage->target.name, stage->entry);
    return order(m) && making_done(m);
}

bool make_add(struct making *m)
{
    const char *why;
    size_t instance = evidence_instance(m->scene->evidence, m->wish->operands[0], &why);
    if (instance == SIZE_MAX)
        instance = making_assume(m, m->wish->operands[0]);
    return instance != SIZE_MAX && make_add_stage(m, instance);
}
