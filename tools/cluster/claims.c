/* Each node with what every view says about it, and which of these claims stands. */
#include <string.h>

#include "tools/cluster/cluster_private.h"
#include "tools/evidence/hosts.h"

static bool fresher(const struct view *a, const struct view *b)
{
    uint64_t ea = view_epoch(a), eb = view_epoch(b);
    return ea != eb ? ea > eb : a->newest_pong_ms > b->newest_pong_ms;
}

/* The peer's claim shows a later state of the node than the node's own file. */
static bool overtakes(const struct claim *own, const struct claim *peer)
{
    const struct entry *mine = own->sighting->entry, *theirs = peer->sighting->entry;
    if (!(theirs->flags & (NODE_PRIMARY | NODE_REPLICA)))
        return false;
    if (mine->flags & NODE_PRIMARY && theirs->flags & NODE_PRIMARY)
        return theirs->config_epoch > mine->config_epoch;
    bool same_role = !((mine->flags ^ theirs->flags) & (NODE_PRIMARY | NODE_REPLICA));
    return !same_role && theirs->config_epoch > view_epoch(own->view);
}

static void decide_claim(struct node *node)
{
    const struct claim *best = NULL;
    enum claim_rule rule = CLAIM_NONE;
    for (size_t c = 0; c < node->claim_count; c++) {
        const struct claim *claim = &node->claims[c];
        if (!best && claim->own) {
            best = claim;
            rule = CLAIM_OWN;
        } else if (!best) {
            best = claim;
            rule = CLAIM_FRESHEST;
        } else if (claim->own) { /* another carrier of the id, or the same node's line in the member's file */
            if (claim->instance == node->instance && best->instance != node->instance)
                best = claim;
        } else if (rule == CLAIM_OWN && !claim_has_epoch(best) && claim_has_epoch(claim)) {
            best = claim;
            rule = CLAIM_FULL;
        } else if (rule == CLAIM_OWN && overtakes(best, claim)) {
            best = claim;
            rule = CLAIM_EPOCH;
        } else if (rule != CLAIM_OWN && fresher(claim->view, best->view) &&
                   (rule != CLAIM_EPOCH || overtakes(best, claim))) {
            best = claim;
        }
    }
    node->stands = best;
    node->rule = rule;
    node->entry = best ? best->sighting->entry : NULL;
    node->primary = best && node->entry->flags & NODE_PRIMARY;
    node->replica = best && node->entry->flags & NODE_REPLICA;
}

/* FAIL is a majority's decision, and stands unless a later view has heard the node after the marking view was saved. */
static void decide_failed(struct node *node)
{
    int64_t heard = 0;
    for (size_t c = 0; c < node->claim_count; c++) {
        const struct claim *claim = &node->claims[c];
        if (!claim->own && !(claim->sighting->entry->flags & NODE_FAIL) && claim->sighting->pong_ms > heard)
            heard = claim->sighting->pong_ms;
    }
    for (size_t c = 0; c < node->claim_count; c++) {
        const struct claim *claim = &node->claims[c];
        if (claim->own)
            continue;
        if (claim->sighting->entry->flags & (NODE_FAIL | NODE_PFAIL))
            node->suspected++;
        if (claim->sighting->entry->flags & NODE_FAIL && heard <= claim->view->newest_pong_ms &&
            (!node->failed_by || fresher(claim->view, node->failed_by->view)))
            node->failed_by = claim;
    }
    node->failed = node->failed_by != NULL;
}

static const char *node_name(struct arena *arena, const struct cluster *cluster, const struct node *node)
{
    const struct entry *entry = node->entry;
    if (entry && *entry->ip)
        return arena_format(arena, "%s:%u", entry->ip, entry->port ? entry->port : entry->tls_port);
    /* The own line of a node that never learnt its address: the peers know it. */
    for (size_t c = 0; c < node->claim_count; c++) {
        entry = node->claims[c].sighting->entry;
        if (*entry->ip && entry->port)
            return arena_format(arena, "%s:%u", entry->ip, entry->port);
    }
    if (node->instance != SIZE_MAX)
        return cluster->evidence->instances[node->instance].name;
    return arena_format(arena, "%.8s", node->id);
}

bool claims_collect(struct building *b, struct cluster *cluster, const size_t *related, size_t related_count)
{
    const struct evidence *evidence = b->evidence;
    size_t known = view_store_nodes(evidence->store), total = 0;
    uint32_t *index = arena_array(b->arena, known, sizeof(*index));
    uint32_t *claims = arena_array(b->arena, known, sizeof(*claims));
    bool *core = arena_array(b->arena, evidence->instance_count, sizeof(*core));
    if (!index || !claims || !core)
        return false;
    memset(index, 0xff, known * sizeof(*index));
    for (size_t i = 0; i < cluster->core_count; i++)
        core[cluster->core[i]] = true;
    for (size_t i = 0; i < related_count; i++) {
        const struct instance *instance = &evidence->instances[related[i]];
        for (size_t s = 0; s < instance->view->count; s++) {
            const struct sighting *sighting = &instance->view->sightings[s];
            uint32_t number = sighting->entry->node;
            bool own = number == instance->node;
            if (!core[related[i]] && !own)
                continue;
            if (index[number] == NO_NODE)
                index[number] = (uint32_t)total++;
            claims[number]++;
        }
        if (instance->node != NO_NODE && index[instance->node] == NO_NODE)
            index[instance->node] = (uint32_t)total++;
    }
    cluster->nodes = arena_array(b->arena, total, sizeof(*cluster->nodes));
    cluster->node_count = total;
    if (!cluster->nodes)
        return false;
    for (size_t number = 0; number < known; number++) {
        if (index[number] == NO_NODE)
            continue;
        struct node *node = &cluster->nodes[index[number]];
        *node = (struct node){.number = (uint32_t)number, .id = view_store_id(evidence->store, (uint32_t)number),
                              .instance = SIZE_MAX, .follows = NO_NODE};
        node->claims = arena_array(b->arena, claims[number], sizeof(*node->claims));
        if (!node->claims)
            return false;
    }
    /* Own claims first, so two rounds. */
    for (int own_round = 1; own_round >= 0; own_round--)
        for (size_t i = 0; i < related_count; i++) {
            const struct instance *instance = &evidence->instances[related[i]];
            for (size_t s = 0; s < instance->view->count; s++) {
                const struct sighting *sighting = &instance->view->sightings[s];
                bool own = sighting->entry->node == instance->node;
                if (own != own_round || (!own && !core[related[i]]))
                    continue;
                if (view_find(instance->view, sighting->entry->node) != sighting)
                    continue; /* a node listed twice speaks once */
                struct node *node = &cluster->nodes[index[sighting->entry->node]];
                /* The array was sized for this node by the counts above, so the cast away from const is ours to make. */
                struct claim *place = (struct claim *)(uintptr_t)node->claims + node->claim_count++;
                *place = (struct claim){related[i], instance->view, sighting, own};
                if (!own) {
                    node->listing++;
                    if (sighting->pong_ms > node->last_seen_ms)
                        node->last_seen_ms = sighting->pong_ms;
                }
            }
        }
    for (size_t i = 0; i < related_count; i++) {
        const struct instance *instance = &evidence->instances[related[i]];
        if (instance->node == NO_NODE)
            continue;
        struct node *node = &cluster->nodes[index[instance->node]];
        node->instance_count++;
        if (node->instance == SIZE_MAX)
            node->instance = related[i];
    }
    return true;
}

/* Of several instances with one id, the one at the address that the peers list most recently is taken for the member. */
static void choose_carrier(struct cluster *cluster, struct node *node, const size_t *related, size_t related_count)
{
    if (node->instance_count < 2)
        return;
    const struct claim *freshest = NULL;
    for (size_t c = 0; c < node->claim_count; c++)
        if (!node->claims[c].own && (!freshest || fresher(node->claims[c].view, freshest->view)))
            freshest = &node->claims[c];
    for (size_t i = 0; freshest && i < related_count; i++) {
        const struct instance *instance = &cluster->evidence->instances[related[i]];
        if (instance->node == node->number && instance->port == freshest->sighting->entry->port &&
            strcmp(instance->ip, freshest->sighting->entry->ip) == 0)
            node->instance = related[i];
    }
}

static enum standing decide_standing(const struct cluster *cluster, const struct node *node)
{
    bool named = false;
    for (size_t c = 0; c < node->claim_count; c++)
        if (!node->claims[c].own && sighting_names(node->claims[c].sighting))
            named = true;
    if (named || (node->instance != SIZE_MAX && cluster_testifies(cluster, node->instance)))
        return STANDING_MEMBER;
    return node->instance != SIZE_MAX ? STANDING_OUTSIDER : STANDING_GHOST;
}

bool claims_decide(struct building *b, struct cluster *cluster, const size_t *related, size_t count)
{
    for (size_t n = 0; n < cluster->node_count; n++) {
        struct node *node = &cluster->nodes[n];
        choose_carrier(cluster, node, related, count);
        decide_claim(node);
        node->standing = decide_standing(cluster, node);
        decide_failed(node);
        node->name = node_name(b->arena, cluster, node);
        if (node->instance != SIZE_MAX) {
            node->host = b->evidence->instances[node->instance].host;
        } else {
            const char *named = node->entry ? hosts_named(b->evidence, node->entry->ip, node->entry->port) : NULL;
            node->host = named ? named : node->entry && *node->entry->ip ? node->entry->ip : node->name;
            /* A member without files lives on the host of an instance of the case that has its address. */
            for (size_t i = 0; !named && i < b->evidence->instance_count; i++)
                if (node->entry && *node->entry->ip && strcmp(b->evidence->instances[i].ip, node->entry->ip) == 0)
                    node->host = b->evidence->instances[i].host;
        }
        if (node->standing == STANDING_MEMBER)
            cluster->member_count++;
        if (!node->name || !node->host)
            return false;
    }
    return true;
}
