/* A host that holds the majority of voting primaries: some of them change roles with replicas that live elsewhere.
 *
 * CLUSTER FAILOVER on a replica that is in step loses nothing and moves no key. It is planned only when enough
 * primaries can change for no host to hold the majority; each change is a stage of its own, so that the next one is
 * made for the cluster that it leaves. Roles change within a shard, so the hosts on which a slot has copies stay
 * the same. */
#include <inttypes.h>
#include <string.h>

#include "tools/plan/making.h"

/* Where the shards' primaries live, and would live. */
struct seating {
    const struct cluster *cluster;
    const char **seats; /* by member: the host of its shard's primary; NULL for members without slots */
    bool *moved;
};

struct change {
    uint32_t primary, replica; /* NO_NODE: none */
};

static size_t load_of(const struct seating *seating, const char *host)
{
    size_t load = 0;
    for (uint32_t n = 0; n < seating->cluster->member_count; n++)
        load += seating->seats[n] && strcmp(seating->seats[n], host) == 0;
    return load;
}

/* With so many primaries on one host, those elsewhere are no majority. */
static bool is_too_much(const struct seating *seating, size_t load)
{
    return seating->cluster->voting - load < seating->cluster->voting / 2 + 1;
}

static const char *crowded_host(const struct seating *seating)
{
    for (uint32_t n = 0; n < seating->cluster->member_count; n++)
        if (seating->seats[n] && is_too_much(seating, load_of(seating, seating->seats[n])))
            return seating->seats[n];
    return NULL;
}

static bool is_sound(const struct node *node)
{
    return node->standing == STANDING_MEMBER && !node->failed && node->instance != SIZE_MAX &&
           node->instance_count == 1 && node->entry && !node->entry->mark_count;
}

/* Somebody follows a replica, as none should: what becomes of that one is for another remedy to say. */
static bool has_followers(const struct cluster *cluster, uint32_t replica)
{
    for (uint32_t n = 0; n < cluster->node_count; n++)
        if (cluster->nodes[n].replica && cluster->nodes[n].follows == replica)
            return true;
    return false;
}

/* A replica of the same primary lives on the host: it would then follow one beside it. */
static bool has_sibling_on(const struct cluster *cluster, uint32_t replica, const char *host)
{
    for (uint32_t n = 0; n < cluster->member_count; n++)
        if (n != replica && cluster->nodes[n].replica && cluster->nodes[n].follows == cluster->nodes[replica].follows &&
            strcmp(cluster->nodes[n].host, host) == 0)
            return true;
    return false;
}

/* The change to the host with the fewest primaries. */
static struct change best_change(const struct seating *seating, const char *host)
{
    const struct cluster *cluster = seating->cluster;
    struct change best = {NO_NODE, NO_NODE};
    size_t least = SIZE_MAX;
    for (uint32_t n = 0; n < cluster->member_count; n++) {
        const struct node *node = &cluster->nodes[n];
        uint32_t primary = node->replica ? node->follows : NO_NODE;
        if (primary == NO_NODE || !seating->seats[primary] || seating->moved[primary] ||
            strcmp(seating->seats[primary], host) != 0 || strcmp(node->host, host) == 0 || !is_sound(node) ||
            !is_sound(&cluster->nodes[primary]) || has_sibling_on(cluster, n, node->host) || has_followers(cluster, n))
            continue;
        size_t load = load_of(seating, node->host);
        if (load < least && !is_too_much(seating, load + 1)) {
            least = load;
            best = (struct change){primary, n};
        }
    }
    return best;
}

static bool seat(struct seating *seating, const struct cluster *cluster, struct arena *arena)
{
    *seating = (struct seating){.cluster = cluster,
                                .seats = arena_array(arena, cluster->member_count, sizeof(*seating->seats)),
                                .moved = arena_array(arena, cluster->member_count, sizeof(*seating->moved))};
    for (uint32_t n = 0; seating->seats && n < cluster->member_count; n++)
        seating->seats[n] = cluster->nodes[n].slots_owned ? cluster->nodes[n].host : NULL;
    return seating->seats && seating->moved;
}

/* The first of the changes after which no host is crowded; false when there are none. */
static bool find_change(struct seating *seating, struct change *first)
{
    const char *host;
    *first = (struct change){NO_NODE, NO_NODE};
    while ((host = crowded_host(seating))) {
        struct change change = best_change(seating, host);
        if (change.primary == NO_NODE)
            return false;
        seating->seats[change.primary] = seating->cluster->nodes[change.replica].host;
        seating->moved[change.primary] = true;
        if (first->primary == NO_NODE)
            *first = change;
    }
    return first->primary != NO_NODE;
}

/* ------------------------------------------------------------------ why not */

static size_t hosts_of(const struct cluster *cluster)
{
    size_t hosts = 0;
    for (uint32_t n = 0; n < cluster->member_count; n++) {
        bool known = false;
        for (uint32_t before = 0; before < n && !known; before++)
            known = strcmp(cluster->nodes[before].host, cluster->nodes[n].host) == 0;
        hosts += !known;
    }
    return hosts;
}

/* Its primaries without a sound replica elsewhere, or NULL. */
static const char *alone_on(struct making *m, const struct cluster *cluster, const char *host)
{
    const char *names = NULL;
    for (uint32_t n = 0; n < cluster->member_count; n++) {
        const struct node *node = &cluster->nodes[n];
        bool elsewhere = !node->slots_owned || strcmp(node->host, host) != 0;
        for (uint32_t r = 0; r < cluster->member_count && !elsewhere; r++)
            elsewhere = cluster->nodes[r].replica && cluster->nodes[r].follows == n &&
                        strcmp(cluster->nodes[r].host, host) != 0 && is_sound(&cluster->nodes[r]);
        if (!elsewhere)
            names = arena_format(m->arena, "%s%s%s", names ? names : "", names ? ", " : "", node->name);
    }
    return names;
}

static bool refuse(struct making *m, const struct cluster *cluster, const char *host)
{
    size_t hosts = hosts_of(cluster), voting = cluster->voting, most = voting - (voting / 2 + 1);
    const char *alone = alone_on(m, cluster, host);
    if (!most)
        return making_stop(m, PLAN_REFUSED,
                           arena_format(m->arena, "with %zu voting primaries no host may be lost", voting),
                           "three or more on three hosts are needed: rcf-plan add, reshard");
    if (hosts * most < voting)
        return making_stop(
            m, PLAN_REFUSED,
            arena_format(m->arena,
                         "at most %zu of %zu voting primaries may live on one host, and there %s %zu "
                         "host%s: %zu are needed",
                         most, voting, hosts == 1 ? "is" : "are", hosts, hosts == 1 ? "" : "s",
                         (voting + most - 1) / most),
            voting % 2 ? "rcf-plan add nodes on another host, then replicate or reshard"
                       : "rcf-plan add nodes on another host; an even number of voting primaries stands no more "
                         "losses than one less: rcf-plan reshard");
    if (alone)
        return making_stop(
            m, PLAN_REFUSED,
            arena_format(m->arena, "no sound replica whose files are in the case lives on another host for %s", alone),
            "rcf-plan add a node on another host, and replicate one of them there");
    return making_stop(m, PLAN_REFUSED,
                       "each change of roles would put a primary beside its replica, or crowd another host",
                       "rcf-plan replicate moves replicas to other hosts first");
}

/* ------------------------------------------------------------------ the stage */

static const struct slot_set *slots_of(struct making *m, uint32_t node)
{
    struct slot_set *slots = arena_alloc(m->arena, sizeof(*slots));
    if (!slots)
        return NULL;
    *slots = (struct slot_set){.count = 0};
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
        if (m->stage->cluster->slots[slot].node == node)
            slot_set_add(slots, slot);
    return slots;
}

/* One step between both: the replica is `owner`, since the slots are to be its own, the primary `source`. */
static bool add(struct making *m, enum action action, const struct change *change, const struct slot_set *slots)
{
    const struct node *nodes = m->stage->cluster->nodes, *primary = &nodes[change->primary];
    size_t on = nodes[change->replica].instance;
    struct step *step = slots ? making_slots_step(m, action, on, primary->instance, slots)
                              : making_step_on(m, action, on, primary->instance, NULL);
    const char *epoch = arena_format(m->arena, "%" PRIu64, primary->entry->config_epoch);
    return step && making_bind_side(m, step, "owner", on) && making_bind_side(m, step, "source", primary->instance) &&
           making_bind_step(m, step, "old_epoch", FORM_COUNT, epoch, false);
}

static bool build(struct making *m, const struct change *change)
{
    const struct node *nodes = m->stage->cluster->nodes;
    const struct node *primary = &nodes[change->primary], *replica = &nodes[change->replica];
    const struct slot_set *slots = slots_of(m, change->primary);
    m->stage->headline =
        arena_format(m->arena, "Hand over from %s (%.8s, host %s) to its replica %s (%.8s, host %s)", primary->name,
                     primary->id, primary->host, replica->name, replica->id, replica->host);
    m->stage->content = "nothing: the replica is in step before it takes over, and its former primary follows it then";
    return slots && m->stage->headline && making_step(m, ACTION_VERIFY_CLUSTER) &&
           add(m, ACTION_VERIFY_READY, change, NULL) && add(m, ACTION_FAIL_OVER, change, slots) &&
           add(m, ACTION_WAIT_PROMOTED, change, NULL) && add(m, ACTION_VERIFY_HANDED_OVER, change, NULL) &&
           add(m, ACTION_VERIFY_OWNER, change, slots) && making_bind_cluster(m, slots);
}

bool repair_majority(struct making *m, const struct finding *finding)
{
    struct stage *stage = making_stage(m, STAGE_HAND_OVER);
    struct seating seating;
    struct change change;
    if (!stage || finding->cluster == SIZE_MAX || !finding->host)
        return making_stop(m, stage ? PLAN_REFUSED : PLAN_IMPOSSIBLE, stage ? "no host is named" : NULL, NULL);
    const struct cluster *cluster = &m->scene->clusters->all[finding->cluster];
    if (!making_about(m, cluster, SIZE_MAX) || !check_readable(m) || !check_views(m))
        return false;
    if (!seat(&seating, cluster, m->arena))
        return making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
    if (!find_change(&seating, &change))
        return refuse(m, cluster, finding->host);
    stage->answers = finding_word(finding->id);
    return build(m, &change) ? making_done(m) : making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
}
