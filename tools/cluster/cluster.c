#include "tools/cluster/cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/evidence/hosts.h"

/* Sets of small numbers that are joined: each points towards its set's first number. */
struct sets {
    uint32_t *up;
    size_t count;
};

static bool sets_init(struct sets *sets, struct arena *arena, size_t count)
{
    sets->count = count;
    sets->up = arena_array(arena, count, sizeof(*sets->up));
    if (!sets->up)
        return false;
    for (size_t i = 0; i < count; i++)
        sets->up[i] = (uint32_t)i;
    return true;
}

static uint32_t sets_find(struct sets *sets, uint32_t i)
{
    while (sets->up[i] != i) {
        sets->up[i] = sets->up[sets->up[i]];
        i = sets->up[i];
    }
    return i;
}

static void sets_join(struct sets *sets, uint32_t a, uint32_t b)
{
    a = sets_find(sets, a);
    b = sets_find(sets, b);
    if (a < b)
        sets->up[b] = a;
    else
        sets->up[a] = b;
}

enum { GHOST_FLAGS = NODE_HANDSHAKE | NODE_NOADDR | NODE_NOFLAGS };

bool sighting_names(const struct sighting *sighting)
{
    return !(sighting->entry->flags & GHOST_FLAGS);
}

/* A line that shows contact: leftovers about a failed node of another cluster do not make one cluster of two. */
static bool relates(const struct sighting *sighting)
{
    return !(sighting->entry->flags & (GHOST_FLAGS | NODE_FAIL));
}

const char *claim_rule_text(enum claim_rule rule)
{
    static const char *const texts[] = {
        [CLAIM_NONE] = "no claim",
        [CLAIM_OWN] = "its own file, which overrides what peers list for it at the same configEpoch",
        [CLAIM_EPOCH] = "a peer's view with a higher configEpoch than its own file",
        [CLAIM_FRESHEST] = "the view with the highest epochs, then the newest pong (its own file is missing)",
    };
    return texts[rule];
}

/* ------------------------------------------------------------------ which views belong together */

struct building {
    const struct evidence *evidence;
    struct arena *arena;
    struct sets related; /* node numbers that some view lists together */
    uint32_t *carrier;   /* node number -> first instance with this own id and a view, or NO_NODE */
};

static uint64_t own_slots(const struct instance *instance)
{
    const struct sighting *own = instance->view ? view_own(instance->view) : NULL;
    return own && own->entry->flags & NODE_PRIMARY ? own->entry->slot_count : 0;
}

static bool relate_views(struct building *b)
{
    size_t nodes = view_store_nodes(b->evidence->store);
    if (!sets_init(&b->related, b->arena, nodes))
        return false;
    b->carrier = arena_array(b->arena, nodes, sizeof(*b->carrier));
    if (!b->carrier)
        return false;
    memset(b->carrier, 0xff, nodes * sizeof(*b->carrier));
    for (size_t i = 0; i < b->evidence->instance_count; i++) {
        const struct instance *instance = &b->evidence->instances[i];
        if (!instance->view)
            continue;
        uint32_t first = instance->node;
        for (size_t s = 0; s < instance->view->count; s++) {
            const struct sighting *sighting = &instance->view->sightings[s];
            if (!relates(sighting))
                continue;
            if (first == NO_NODE)
                first = sighting->entry->node;
            sets_join(&b->related, first, sighting->entry->node);
        }
        if (instance->node != NO_NODE && b->carrier[instance->node] == NO_NODE)
            b->carrier[instance->node] = (uint32_t)i;
    }
    return true;
}

/* The set of node numbers that an instance's view belongs to, or NO_NODE. */
static uint32_t relation_of(struct building *b, const struct instance *instance)
{
    if (!instance->view)
        return NO_NODE;
    if (instance->node != NO_NODE)
        return sets_find(&b->related, instance->node);
    for (size_t s = 0; s < instance->view->count; s++)
        if (relates(&instance->view->sightings[s]))
            return sets_find(&b->related, instance->view->sightings[s].entry->node);
    return NO_NODE;
}

static bool lists(const struct instance *instance, uint32_t node)
{
    const struct sighting *sighting = node == NO_NODE ? NULL : view_find(instance->view, node);
    return sighting && sighting_names(sighting);
}

struct score {
    uint64_t slots;
    size_t instances;
    uint64_t epoch;
    int64_t pong;
};

static bool better(struct score a, struct score b)
{
    if (a.slots != b.slots)
        return a.slots > b.slots;
    if (a.instances != b.instances)
        return a.instances > b.instances;
    if (a.epoch != b.epoch)
        return a.epoch > b.epoch;
    return a.pong > b.pong;
}

/* Splits the instances of one relation into groups that list each other, and makes the best of them the core. */
static bool choose_core(struct building *b, const size_t *related, size_t count, struct cluster *cluster)
{
    struct sets mutual;
    const struct instance *all = b->evidence->instances;
    uint32_t *position = arena_array(b->arena, b->evidence->instance_count, sizeof(*position));
    struct score *scores = arena_array(b->arena, count, sizeof(*scores));
    size_t *core = arena_array(b->arena, count, sizeof(*core));
    if (!position || !scores || !core || !sets_init(&mutual, b->arena, count))
        return false;
    for (size_t i = 0; i < count; i++)
        position[related[i]] = (uint32_t)i;
    for (size_t i = 0; i < count; i++) {
        const struct instance *one = &all[related[i]];
        for (size_t s = 0; one->node != NO_NODE && s < one->view->count; s++) {
            uint32_t peer = b->carrier[one->view->sightings[s].entry->node];
            if (peer != NO_NODE && sighting_names(&one->view->sightings[s]) && lists(&all[peer], one->node))
                sets_join(&mutual, (uint32_t)i, position[peer]);
        }
        if (one->node != NO_NODE) /* a second carrier of one id stands with the first */
            sets_join(&mutual, (uint32_t)i, position[b->carrier[one->node]]);
    }
    for (size_t i = 0; i < count; i++) {
        const struct instance *one = &all[related[i]];
        struct score *score = &scores[sets_find(&mutual, (uint32_t)i)];
        score->slots += own_slots(one);
        score->instances++;
        if (one->view->current_epoch > score->epoch)
            score->epoch = one->view->current_epoch;
        if (one->view->newest_pong_ms > score->pong)
            score->pong = one->view->newest_pong_ms;
    }
    uint32_t best = sets_find(&mutual, 0);
    for (size_t i = 1; i < count; i++)
        if (mutual.up[i] == i && better(scores[i], scores[best]))
            best = (uint32_t)i;
    cluster->core = core;
    for (size_t i = 0; i < count; i++)
        if (sets_find(&mutual, (uint32_t)i) == best)
            core[cluster->core_count++] = related[i];
    return true;
}

/* ------------------------------------------------------------------ nodes and their claims */

uint64_t view_epoch(const struct view *view)
{
    if (view->has_current_epoch)
        return view->current_epoch;
    uint64_t epoch = 0;
    for (size_t s = 0; s < view->count; s++)
        if (view->sightings[s].entry->config_epoch > epoch)
            epoch = view->sightings[s].entry->config_epoch;
    return epoch;
}

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
        } else if (rule == CLAIM_OWN && overtakes(best, claim)) {
            best = claim;
            rule = CLAIM_EPOCH;
        } else if (rule != CLAIM_OWN && fresher(claim->view, best->view) &&
                   (rule == CLAIM_FRESHEST || overtakes(best, claim))) {
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

static bool collect_nodes(struct building *b, struct cluster *cluster, const size_t *related, size_t related_count)
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

static unsigned long address_key(const char *name)
{
    const char *colon = strrchr(name, ':');
    return colon ? strtoul(colon + 1, NULL, 10) : 0;
}

static int compare_names(const char *a, const char *b)
{
    size_t la = strcspn(a, ":"), lb = strcspn(b, ":");
    const char *ca = strrchr(a, ':'), *cb = strrchr(b, ':');
    if (ca)
        la = (size_t)(ca - a);
    if (cb)
        lb = (size_t)(cb - b);
    int order = memcmp(a, b, la < lb ? la : lb);
    if (order || la != lb)
        return order ? order : la < lb ? -1 : 1;
    unsigned long pa = address_key(a), pb = address_key(b);
    return pa < pb ? -1 : pa > pb;
}

static int by_standing_and_name(const void *one, const void *two)
{
    const struct node *a = one, *b = two;
    if (a->standing != b->standing)
        return a->standing < b->standing ? -1 : 1;
    int order = compare_names(a->name, b->name);
    return order ? order : strcmp(a->id, b->id);
}

/* ------------------------------------------------------------------ slots */

static void take_ranges(struct cluster *cluster, uint32_t node, const struct entry *entry)
{
    for (uint32_t r = 0; r < entry->range_count; r++)
        for (unsigned slot = entry->ranges[r].first; slot <= entry->ranges[r].last && slot < SLOT_COUNT; slot++) {
            struct slot_owner *owner = &cluster->slots[slot];
            if (owner->node == NO_NODE ||
                cluster->nodes[owner->node].entry->config_epoch < entry->config_epoch)
                owner->node = node;
        }
}

/* What a member's own file claims although another one owns it, and what peers list although the owner dropped it. */
static void note_rivals(struct cluster *cluster, uint32_t index)
{
    const struct node *node = &cluster->nodes[index];
    for (size_t c = 0; c < node->claim_count; c++) {
        const struct entry *entry = node->claims[c].sighting->entry;
        if (!(entry->flags & NODE_PRIMARY))
            continue;
        for (uint32_t r = 0; r < entry->range_count; r++)
            for (unsigned slot = entry->ranges[r].first; slot <= entry->ranges[r].last && slot < SLOT_COUNT; slot++) {
                struct slot_owner *owner = &cluster->slots[slot];
                if (owner->node == NO_NODE) {
                    const struct node *other = owner->listed == NO_NODE ? NULL : &cluster->nodes[owner->listed];
                    if (!other || other->entry->config_epoch < node->entry->config_epoch)
                        owner->listed = index;
                } else if (owner->node != index && node->claims[c].own && owner->rival == NO_NODE) {
                    owner->rival = index;
                }
            }
    }
}

static bool decide_slots(struct cluster *cluster)
{
    cluster->slots = arena_array(cluster->arena, SLOT_COUNT, sizeof(*cluster->slots));
    if (!cluster->slots)
        return false;
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
        cluster->slots[slot] = (struct slot_owner){NO_NODE, NO_NODE, NO_NODE};
    for (uint32_t n = 0; n < cluster->member_count; n++)
        if (cluster->nodes[n].primary)
            take_ranges(cluster, n, cluster->nodes[n].entry);
    for (uint32_t n = 0; n < cluster->member_count; n++)
        note_rivals(cluster, n);
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
        uint32_t owner = cluster->slots[slot].node;
        if (owner == NO_NODE)
            cluster->uncovered++;
        else
            cluster->nodes[owner].slots_owned++;
    }
    for (size_t n = 0; n < cluster->member_count; n++)
        cluster->voting += cluster->nodes[n].slots_owned > 0;
    return true;
}

/* ------------------------------------------------------------------ the whole */

static bool settle_environment(struct cluster *cluster)
{
    bool timeout_known = false, coverage_known = false;
    cluster->node_timeout_ms = 15000;
    cluster->full_coverage = true;
    for (size_t i = 0; i < cluster->core_count; i++) {
        const struct instance *instance = &cluster->evidence->instances[cluster->core[i]];
        uint64_t epoch = view_epoch(instance->view);
        if (epoch > cluster->current_epoch)
            cluster->current_epoch = epoch;
        if (instance->view->newest_pong_ms > cluster->newest_pong_ms)
            cluster->newest_pong_ms = instance->view->newest_pong_ms;
        if (instance->server.product != PRODUCT_UNKNOWN &&
            (cluster->server.product == PRODUCT_UNKNOWN || server_compare(instance->server, cluster->server.major,
                                                                          cluster->server.minor, cluster->server.patch) > 0))
            cluster->server = instance->server;
        const char *timeout = instance->settings ? settings_text(instance->settings, "cluster-node-timeout", NULL) : NULL;
        if (timeout) {
            unsigned long ms = strtoul(timeout, NULL, 10);
            if (ms && ms <= 3600000 && (!timeout_known || ms > cluster->node_timeout_ms))
                cluster->node_timeout_ms = (uint32_t)ms;
            timeout_known = true;
        }
        if (instance->settings) {
            bool full = settings_yes(instance->settings, "cluster-require-full-coverage", true);
            cluster->full_coverage = coverage_known ? cluster->full_coverage || full : full;
            coverage_known = true;
        }
    }
    size_t missing = 0;
    uint32_t *list = arena_array(cluster->arena, cluster->member_count, sizeof(*list));
    if (!list)
        return false;
    for (uint32_t n = 0; n < cluster->member_count; n++)
        if (cluster->nodes[n].claim_count == 0 || !cluster->nodes[n].claims[0].own)
            list[missing++] = n;
    cluster->missing = list;
    cluster->missing_count = missing;
    return true;
}

static bool index_numbers(struct cluster *cluster)
{
    cluster->number_count = view_store_nodes(cluster->evidence->store);
    cluster->by_number = arena_array(cluster->arena, cluster->number_count, sizeof(*cluster->by_number));
    if (!cluster->by_number)
        return false;
    memset(cluster->by_number, 0xff, cluster->number_count * sizeof(*cluster->by_number));
    for (size_t n = 0; n < cluster->node_count; n++)
        cluster->by_number[cluster->nodes[n].number] = (uint32_t)n;
    return true;
}

/* An instance whose nodes.conf and log were not collected has no id of its own, but it sits at a member's address. */
static void adopt_by_address(struct cluster *cluster)
{
    for (size_t n = 0; n < cluster->member_count; n++) {
        struct node *node = &cluster->nodes[n];
        for (size_t i = 0; node->instance == SIZE_MAX && node->entry && i < cluster->evidence->instance_count; i++) {
            const struct instance *instance = &cluster->evidence->instances[i];
            if (instance->node == NO_NODE && instance->port && instance->port == node->entry->port &&
                strcmp(instance->ip, node->entry->ip) == 0) {
                node->instance = i;
                node->host = instance->host;
            }
        }
    }
}

static bool build_cluster(struct building *b, const size_t *related, size_t count, struct cluster *cluster)
{
    *cluster = (struct cluster){.evidence = b->evidence, .arena = b->arena};
    if (!choose_core(b, related, count, cluster) || !collect_nodes(b, cluster, related, count))
        return false;
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
    qsort(cluster->nodes, cluster->node_count, sizeof(*cluster->nodes), by_standing_and_name);
    if (!index_numbers(cluster))
        return false;
    adopt_by_address(cluster);
    for (size_t n = 0; n < cluster->node_count; n++) {
        struct node *node = &cluster->nodes[n];
        if (node->replica && node->entry->primary != NO_NODE)
            node->follows = cluster_node(cluster, node->entry->primary);
    }
    return decide_slots(cluster) && settle_environment(cluster);
}

static int larger_first(const void *one, const void *two)
{
    const struct cluster *a = one, *b = two;
    if (a->core_count != b->core_count)
        return a->core_count > b->core_count ? -1 : 1;
    if (a->member_count != b->member_count)
        return a->member_count > b->member_count ? -1 : 1;
    return a->core[0] < b->core[0] ? -1 : 1;
}

struct clusters *clusters_build(const struct evidence *evidence, struct arena *arena)
{
    struct building b = {.evidence = evidence, .arena = arena};
    struct clusters *clusters = arena_alloc(arena, sizeof(*clusters));
    size_t n = evidence->instance_count;
    size_t *related = arena_array(arena, n, sizeof(*related));
    size_t *alone = arena_array(arena, n, sizeof(*alone));
    bool *done = arena_array(arena, n, sizeof(*done));
    if (!clusters || !related || !alone || !done || !relate_views(&b))
        return NULL;
    *clusters = (struct clusters){.arena = arena, .all = arena_array(arena, n, sizeof(*clusters->all)), .alone = alone};
    for (size_t i = 0; i < n; i++) {
        uint32_t relation = relation_of(&b, &evidence->instances[i]);
        size_t count = 0, lines = 0;
        if (done[i])
            continue;
        for (size_t j = i; relation != NO_NODE && j < n; j++)
            if (!done[j] && relation_of(&b, &evidence->instances[j]) == relation) {
                related[count++] = j;
                lines += evidence->instances[j].view->count;
            }
        /* One-line views are no cluster. */
        if (count == 0 || (count == 1 && lines < 2)) {
            alone[clusters->alone_count++] = i;
            done[i] = true;
            continue;
        }
        for (size_t k = 0; k < count; k++)
            done[related[k]] = true;
        if (!clusters->all || !build_cluster(&b, related, count, &clusters->all[clusters->count++]))
            return NULL;
    }
    qsort(clusters->all, clusters->count, sizeof(*clusters->all), larger_first);
    return arena_failed(arena) ? NULL : clusters;
}

/* ------------------------------------------------------------------ questions */

uint32_t cluster_node(const struct cluster *cluster, uint32_t number)
{
    return number < cluster->number_count ? cluster->by_number[number] : NO_NODE;
}

uint32_t cluster_node_of(const struct cluster *cluster, size_t instance)
{
    uint32_t number = cluster->evidence->instances[instance].node;
    if (number != NO_NODE)
        return cluster_node(cluster, number);
    for (uint32_t n = 0; n < cluster->member_count; n++)
        if (cluster->nodes[n].instance == instance)
            return n;
    return NO_NODE;
}

bool cluster_testifies(const struct cluster *cluster, size_t instance)
{
    size_t low = 0, high = cluster->core_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (cluster->core[middle] < instance)
            low = middle + 1;
        else
            high = middle;
    }
    return low < cluster->core_count && cluster->core[low] == instance;
}

const struct cluster *clusters_of(const struct clusters *clusters, size_t instance)
{
    for (size_t c = 0; c < clusters->count; c++)
        if (cluster_testifies(&clusters->all[c], instance) || cluster_node_of(&clusters->all[c], instance) != NO_NODE)
            return &clusters->all[c];
    return NULL;
}

const struct claim *node_claim(const struct node *node, size_t instance)
{
    size_t low = 0, high = node->claim_count;
    for (; low < high && node->claims[low].own; low++)
        if (node->claims[low].instance == instance)
            return &node->claims[low];
    while (low < high) { /* peers' claims stand in the order of their instances */
        size_t middle = low + (high - low) / 2;
        if (node->claims[middle].instance < instance)
            low = middle + 1;
        else
            high = middle;
    }
    return low < node->claim_count && node->claims[low].instance == instance ? &node->claims[low] : NULL;
}

char *slots_text(struct arena *arena, bool (*owns)(const void *context, unsigned slot), const void *context)
{
    /* The longest text: every second slot alone, each of at most 5 digits and a comma. */
    char text[SLOT_COUNT / 2 * 6 + 16];
    size_t len = 0;
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
        if (!owns(context, slot))
            continue;
        unsigned last = slot;
        while (last + 1 < SLOT_COUNT && owns(context, last + 1))
            last++;
        const char *comma = len ? "," : "";
        int n = slot == last ? snprintf(text + len, 16, "%s%u", comma, slot)
                             : snprintf(text + len, 16, "%s%u-%u", comma, slot, last);
        len += (size_t)n;
        slot = last;
    }
    return arena_copy(arena, text, len);
}

struct owned {
    const struct cluster *cluster;
    uint32_t node;
};

static bool is_owned(const void *context, unsigned slot)
{
    const struct owned *owned = context;
    return owned->cluster->slots[slot].node == owned->node;
}

char *cluster_slots_of(const struct cluster *cluster, uint32_t node, struct arena *arena)
{
    return slots_text(arena, is_owned, &(struct owned){cluster, node});
}
