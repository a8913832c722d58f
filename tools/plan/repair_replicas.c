/* Remedies for replicas: whom they are to follow so that every primary has one elsewhere. */
#include <string.h>

#include "tools/plan/making.h"

static bool is_sound(const struct node *node)
{
    return node->standing == STANDING_MEMBER && !node->failed && node->instance != SIZE_MAX;
}

static size_t replicas_of(const struct cluster *cluster, uint32_t primary)
{
    size_t count = 0;
    for (uint32_t n = 0; n < cluster->member_count; n++)
        count += cluster->nodes[n].replica && cluster->nodes[n].follows == primary && !cluster->nodes[n].failed;
    return count;
}

/* The primary that needs a replica most: the fewest replicas, then one on another host. NO_NODE when there is none. */
static uint32_t neediest(const struct cluster *cluster, uint32_t replica)
{
    uint32_t best = NO_NODE;
    size_t best_cost = SIZE_MAX;
    for (uint32_t n = 0; n < cluster->member_count; n++) {
        const struct node *node = &cluster->nodes[n];
        if (!is_sound(node) || !node->primary || !node->slots_owned || n == cluster->nodes[replica].follows)
            continue;
        size_t cost = 2 * replicas_of(cluster, n) + (strcmp(node->host, cluster->nodes[replica].host) == 0);
        if (cost < best_cost) {
            best_cost = cost;
            best = n;
        }
    }
    return best;
}

/* The servers' tool, told to add a replica and not of whom, takes the primary with the fewest replicas: of equal
 * ones the first that it happens to list (redis-cli.c, clusterManagerNodeWithLeastReplicas). Failed nodes are not
 * in its list. */
static const char *tell_tool(struct making *m, const struct cluster *cluster, uint32_t replica)
{
    const char *names = NULL, *words = m->plan->dialect == DIALECT_TRIB ? "redis-trib.rb add-node --slave"
        : arena_format(m->arena, "%s --cluster add-node --cluster-slave", phrase_client(m->plan->dialect));
    size_t least = SIZE_MAX, equals = 0;
    for (uint32_t n = 0; n < cluster->member_count; n++) {
        const struct node *node = &cluster->nodes[n], *own = &cluster->nodes[replica];
        if (!node->primary || node->failed || n == replica)
            continue;
        size_t count = replicas_of(cluster, n) - (own->replica && own->follows == n && !own->failed);
        if (count < least) {
            least = count;
            equals = 0;
        }
        if (count == least) {
            names = arena_format(m->arena, "%s%s%s", equals ? names : "", equals ? ", " : "", node->name);
            equals++;
        }
    }
    return names ? arena_format(m->arena, "%s without a primary's id would choose %s%s (%zu replica%s%s)", words,
                                equals > 1 ? "at random among " : "", names, least, least == 1 ? "" : "s",
                                equals > 1 ? " each" : "") : NULL;
}

static bool follow(struct making *m, const struct cluster *cluster, uint32_t replica, uint32_t primary)
{
    if (replica == NO_NODE || primary == NO_NODE || cluster->nodes[replica].instance == SIZE_MAX)
        return making_stop(m, PLAN_REFUSED, "no primary is there that it could follow", NULL);
    return make_replicate_stage(m, cluster->nodes[replica].instance, cluster->nodes[primary].id);
}

/* A replica that is to go where one is needed: the tool would have had to choose too. */
static bool place(struct making *m, const struct cluster *cluster, uint32_t replica, uint32_t primary)
{
    if (!follow(m, cluster, replica, primary))
        return false;
    m->plan->stages[m->plan->stage_count - 1]->tool = tell_tool(m, cluster, replica);
    return true;
}

bool repair_followers(struct making *m, const struct cluster *cluster, uint32_t primary)
{
    for (uint32_t n = 0; n < cluster->member_count; n++)
        if (cluster->nodes[n].replica && cluster->nodes[n].follows == primary)
            return place(m, cluster, n, neediest(cluster, n));
    return making_stop(m, PLAN_REFUSED, "nobody follows it", NULL);
}

static const struct cluster *cluster_of(const struct making *m, const struct finding *finding, uint32_t *index)
{
    const struct cluster *cluster = finding->cluster == SIZE_MAX ? NULL : &m->scene->clusters->all[finding->cluster];
    *index = cluster && finding->node_id ? node_named(cluster, finding->node_id) : NO_NODE;
    return cluster;
}

bool repair_orphan(struct making *m, const struct finding *finding)
{
    uint32_t index;
    const struct cluster *cluster = cluster_of(m, finding, &index);
    if (index == NO_NODE)
        return making_stop(m, PLAN_REFUSED, "it is in no view of a member", NULL);
    return place(m, cluster, index, neediest(cluster, index));
}

/* A primary with two replicas or more gives one, from another host where there is one. */
bool repair_lonely(struct making *m, const struct finding *finding)
{
    uint32_t index, giver = NO_NODE;
    const struct cluster *cluster = cluster_of(m, finding, &index);
    size_t best = 0;
    for (uint32_t n = 0; cluster && index != NO_NODE && n < cluster->member_count; n++) {
        const struct node *node = &cluster->nodes[n];
        if (!node->replica || !is_sound(node) || node->follows == NO_NODE || replicas_of(cluster, node->follows) < 2)
            continue;
        size_t worth = 2 * replicas_of(cluster, node->follows) + (strcmp(node->host, cluster->nodes[index].host) != 0);
        if (worth > best) {
            best = worth;
            giver = n;
        }
    }
    if (giver == NO_NODE)
        return making_stop(m, PLAN_REFUSED, "no primary has a replica to spare",
                           "rcf-plan add and replicate give it one");
    return place(m, cluster, giver, index);
}

/* A replica beside its primary changes places with one that may stand there: afterwards neither lives with its
 * primary. */
bool repair_beside(struct making *m, const struct finding *finding)
{
    uint32_t index;
    const struct cluster *cluster = cluster_of(m, finding, &index);
    const struct node *node = index == NO_NODE ? NULL : &cluster->nodes[index];
    if (!node || !node->replica || node->follows == NO_NODE || !is_sound(node))
        return making_stop(m, PLAN_REFUSED, "its view does not say whom it follows", NULL);
    const char *home = cluster->nodes[node->follows].host;
    for (uint32_t n = 0; n < cluster->member_count; n++) {
        const struct node *other = &cluster->nodes[n];
        if (!other->replica || !is_sound(other) || other->follows == NO_NODE || other->follows == node->follows ||
            strcmp(other->host, home) == 0 || strcmp(node->host, cluster->nodes[other->follows].host) == 0)
            continue;
        uint32_t primary = other->follows;
        if (!follow(m, cluster, index, primary) || !making_go_on(m))
            return false;
        m->plan->stages[m->plan->stage_count - 1]->reason = "it makes room for a replica from another host";
        const struct cluster *now = &m->scene->clusters->all[finding->cluster];
        uint32_t giver = node_named(now, other->id), gets = node_named(now, cluster->nodes[node->follows].id);
        return follow(m, now, giver, gets);
    }
    return making_stop(m, PLAN_REFUSED,
                       "no replica can change places with it so that both live apart from their primaries",
                       "rcf-plan add on another host, then replicate");
}
