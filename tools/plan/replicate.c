/* Giving a node a primary to follow. A full synchronization replaces all that the node holds: a primary has to be
 * empty, as the server asks; a replica must hold nothing that its present primary does not hold too. */
#include <inttypes.h>
#include <string.h>

#include "parsers/bytes/text.h"
#include "tools/plan/making.h"

static const char *server_word(const struct cluster *cluster)
{
    bool new_word = cluster->server.product == PRODUCT_VALKEY || server_compare(cluster->server, 7, 0, 0) >= 0;
    return cluster->server.product != PRODUCT_UNKNOWN && new_word ? "replica" : "slave";
}

/* What CLUSTER REPLICATE asks of the primary to be. */
static bool check_primary(struct making *m, uint32_t index, uint32_t primary, const char *name)
{
    const struct cluster *cluster = m->stage->cluster;
    const struct node *node = primary == NO_NODE ? NULL : &cluster->nodes[primary];
    if (!node || node->standing != STANDING_MEMBER)
        return making_stop(m, PLAN_REFUSED, arena_format(m->arena, "Unknown node %s", name),
                           node ? "it is no member: rcf-plan rejoin brings it back"
                                : "no member of the cluster is called so");
    if (primary == index)
        return making_stop(m, PLAN_REFUSED, "Can't replicate myself", NULL);
    if (node->replica)
        return making_stop(m, PLAN_REFUSED,
                           arena_format(m->arena, "I can only replicate a master, not a %s.", server_word(cluster)),
                           node->follows == NO_NODE ? NULL
                                                    : arena_format(m->arena, "%s replicates %s: name that one",
                                                                   node->name, cluster->nodes[node->follows].name));
    if (node->failed)
        return making_stop(m, PLAN_REFUSED,
                           arena_format(m->arena, "%s is failed: nothing can be copied from it", node->name), NULL);
    if (!node->slots_owned)
        making_detail(m, arena_format(m->arena, "%s has no slots: a replica of it holds nothing", node->name));
    return true;
}

/* A member that every member lists. */
static bool check_member(struct making *m, uint32_t index, const struct membership *membership)
{
    const char *name = m->stage->target.name;
    const struct node *node = index == NO_NODE ? NULL : &m->stage->cluster->nodes[index];
    if (!node || node->standing != STANDING_MEMBER || membership->forgot)
        return making_stop(
            m, PLAN_REFUSED, arena_format(m->arena, "%s is no member, or not of every member's knowledge", name),
            arena_format(m->arena, node ? "rcf-plan rejoin %s brings it back first" : "rcf-plan add %s adds it first",
                         name));
    if (node->failed)
        return making_stop(m, PLAN_REFUSED, arena_format(m->arena, "%s is failed", name), "start it first");
    return true;
}

/* ------------------------------------------------------------------ what the synchronization replaces */

static bool check_empty_primary(struct making *m, uint32_t index)
{
    const struct node *node = &m->stage->cluster->nodes[index];
    const struct copies *copies = m->stage->copies;
    if (node->slots_owned || copies->count || (!copies->possible && copies->file != SIZE_MAX))
        return making_stop(m, PLAN_REFUSED, "To set a master the node must be empty and without assigned slots.",
                           node->slots_owned
                               ? arena_format(m->arena,
                                              "it owns %u slots (%s): rcf-plan reshard moves them to other members",
                                              node->slots_owned, cluster_slots_of(m->stage->cluster, index, m->arena))
                               : arena_format(m->arena, "its dump holds %" PRIu64 " keys", copies->count));
    return true;
}

/* What a replica holds of its present primary's slots, that primary holds as long as their link is up, which the script
 * verifies; keys of other slots need another proof. */
static bool check_replica(struct making *m, uint32_t index)
{
    const struct cluster *cluster = m->stage->cluster;
    const struct copies *copies = m->stage->copies;
    const struct node *node = &cluster->nodes[index];
    const struct node *primary = node->follows == NO_NODE ? NULL : &cluster->nodes[node->follows];
    if (primary && primary->failed && primary->slots_owned)
        return making_stop(m, PLAN_REFUSED,
                           arena_format(m->arena,
                                        "its primary %s is failed and owns %u slots (%s): %s may hold their only copy",
                                        primary->name, primary->slots_owned,
                                        cluster_slots_of(cluster, node->follows, m->arena), node->name),
                           "let it take over first (CLUSTER FAILOVER)");
    if (copies->possible && copies->count == 0)
        return true; /* nothing to lose, whether its primary answers or not */
    if (!primary || primary->standing != STANDING_MEMBER || primary->failed || primary->replica)
        return !copies->possible
                   ? making_stop(m, PLAN_REFUSED, copies->why_not, "take a whole dump of it with redis-cli --rdb")
                   : check_loss(m);
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
        if (copies->slots && copies->slots[slot] && cluster->slots[slot].node != node->follows)
            return check_loss(m);
    m->stage->target.follows = primary->id;
    return true;
}

static bool order(struct making *m)
{
    const struct target *target = &m->stage->target;
    bool over = target->empties;
    const struct wanted steps[] = {
        {ACTION_VERIFY_MEMBERS, true},
        {ACTION_VERIFY_IDENTITY, true},
        {ACTION_VERIFY_VACANT, !target->replica},
        {ACTION_VERIFY_CONTENT, target->replica && !target->follows},
        {ACTION_VERIFY_IN_SYNC, target->follows != NULL},
        {ACTION_KEEP_FILES, over},
        {ACTION_REPLICATE, !over},
        {ACTION_REPLICATE_OVER, over},
        {ACTION_WAIT_SYNC, true},
        {ACTION_VERIFY_REPLICA, true},
    };
    return making_order(m, steps, sizeof(steps) / sizeof(steps[0]));
}

static const char *tell_content(const struct making *m)
{
    const struct stage *stage = m->stage;
    const struct copies *copies = stage->copies;
    if (stage->target.follows)
        return arena_format(m->arena, "its copy of what %s holds, which the script proves to be in step before",
                            stage->cluster->nodes[node_named(stage->cluster, stage->target.follows)].name);
    if (copies->count == 0)
        return "nothing: it is empty";
    return arena_format(m->arena,
                        "%" PRIu64 " keys of its dump: %" PRIu64 " exist with equal value in dumps of members, %" PRIu64
                        " with another value there, %" PRIu64 " nowhere else",
                        copies->count, copies->covered, copies->differs, copies->only_here);
}

bool make_replicate_stage(struct making *m, size_t instance, const char *primary_name)
{
    struct stage *stage = making_stage(m, STAGE_REPLICATE);
    struct membership membership = {0};
    uint32_t index;
    if (!stage)
        return making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
    if (!target_examine(m, instance, &index, &membership) || !check_member(m, index, &membership))
        return false;
    uint32_t primary = node_named(stage->cluster, primary_name);
    const struct node *node = &stage->cluster->nodes[index];
    if (!check_primary(m, index, primary, primary_name))
        return false;
    if (node->replica && node->follows == primary)
        return making_stop(m, PLAN_NOTHING, arena_format(m->arena, "%s replicates %s already", stage->target.name,
                                                         stage->cluster->nodes[primary].name), NULL);
    stage->primary_id = stage->cluster->nodes[primary].id;
    stage->copies = copies_of(stage->cluster, instance, m->arena);
    if (!stage->copies)
        return making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
    if (!check_readable(m) || !check_views(m) ||
        !(node->replica ? check_replica(m, index) : check_empty_primary(m, index)) || !check_no_replicas(m, index))
        return false;
    stage->target.empties = !stage->target.follows && stage->copies->count > stage->copies->covered;
    if (!check_missing(m, stage->target.empties))
        return false;
    stage->content = tell_content(m);
    stage->headline = arena_format(m->arena, "Let %s (%.8s, %s) replicate %s (%.8s)", stage->target.name, node->id,
                                   node->replica ? "replica" : "primary without slots",
                                   stage->cluster->nodes[primary].name, stage->primary_id);
    stage->premise = "listed";
    stage->given = FACT(RESCUED); /* nothing exists only here, or it is given up: check_loss() */
    return (target_take_stock(m, NULL) || making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL)) && order(m) && making_done(m);
}

bool make_replicate(struct making *m)
{
    size_t instance = making_named(m, 0);
    return instance != SIZE_MAX && make_replicate_stage(m, instance, m->wish->operands[1]);
}
