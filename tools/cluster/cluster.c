#include "tools/cluster/cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/cluster/cluster_private.h"

enum { GHOST_FLAGS = NODE_HANDSHAKE | NODE_NOADDR | NODE_NOFLAGS };

bool sighting_names(const struct sighting *sighting)
{
    return !(sighting->entry->flags & GHOST_FLAGS);
}

const char *claim_rule_text(enum claim_rule rule)
{
    static const char *const texts[] = {
        [CLAIM_NONE] = "no claim",
        [CLAIM_OWN] = "its own file, which overrides what peers list for it at the same configEpoch",
        [CLAIM_EPOCH] = "a peer's view with a higher configEpoch than its own file",
        [CLAIM_FULL] = "a peer's view, which states epochs; its own capture does not",
        [CLAIM_FRESHEST] = "the view with the highest epochs, then the newest pong (its own file is missing)",
    };
    return texts[rule];
}

bool claim_has_epoch(const struct claim *claim)
{
    return !(claim->view->limits & VIEW_NO_EPOCHS);
}

bool node_has_epoch(const struct node *node)
{
    return node->stands && claim_has_epoch(node->stands);
}

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

static bool settle_environment(struct cluster *cluster)
{
    bool timeout_known = false, coverage_known = false;
    cluster->node_timeout_ms = 15000;
    cluster->full_coverage = true;
    cluster->partial = true;
    for (size_t i = 0; i < cluster->core_count; i++) {
        const struct instance *instance = &cluster->evidence->instances[cluster->core[i]];
        uint64_t epoch = view_epoch(instance->view);
        for (size_t s = 0; s < instance->status_count; s++)
            if (instance->statuses[s]->numbers[STATUS_CURRENT_EPOCH].number > epoch)
                epoch = instance->statuses[s]->numbers[STATUS_CURRENT_EPOCH].number;
        if (epoch > cluster->current_epoch)
            cluster->current_epoch = epoch;
        cluster->epochs_known |= !(instance->view->limits & VIEW_NO_EPOCHS);
        cluster->partial &= (instance->view->limits & VIEW_SOME_NODES) != 0;
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
    if (!core_choose(b, related, count, cluster) || !claims_collect(b, cluster, related, count) ||
        !claims_decide(b, cluster, related, count))
        return false;
    qsort(cluster->nodes, cluster->node_count, sizeof(*cluster->nodes), by_standing_and_name);
    if (!index_numbers(cluster))
        return false;
    adopt_by_address(cluster);
    for (size_t n = 0; n < cluster->node_count; n++) {
        struct node *node = &cluster->nodes[n];
        if (node->replica && node->entry->primary != NO_NODE)
            node->follows = cluster_node(cluster, node->entry->primary);
    }
    return slots_decide(cluster) && settle_environment(cluster);
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
    if (!clusters || !related || !alone || !done || !core_relate(&b))
        return NULL;
    *clusters = (struct clusters){.arena = arena, .all = arena_array(arena, n, sizeof(*clusters->all)), .alone = alone};
    for (size_t i = 0; i < n; i++) {
        uint32_t relation = core_relation(&b, &evidence->instances[i]);
        size_t count = 0, lines = 0;
        if (done[i])
            continue;
        for (size_t j = i; relation != NO_NODE && j < n; j++)
            if (!done[j] && core_relation(&b, &evidence->instances[j]) == relation) {
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

const struct claim *node_own_words(const struct node *node)
{
    if (node->claim_count && node->claims[0].own)
        return &node->claims[0];
    for (size_t c = 0; c < node->claim_count; c++)
        if (node->claims[c].view->source == VIEW_TOOL)
            return &node->claims[c];
    return NULL;
}

uint32_t cluster_marks_of(const struct cluster *cluster, uint32_t node)
{
    const struct node *of = &cluster->nodes[node];
    return of->replica && of->follows != NO_NODE ? of->follows : node;
}

bool node_is_marked(const struct node *node, const struct mark *mark)
{
    const struct claim *words = node_own_words(node);
    for (uint32_t m = 0; words && m < words->sighting->entry->mark_count; m++) {
        const struct mark *own = &words->sighting->entry->marks[m];
        if (own->slot == mark->slot && own->kind == mark->kind && own->peer == mark->peer)
            return true;
    }
    return false;
}

const char *cluster_limits_text(const struct cluster *cluster, struct arena *arena)
{
    bool said[VIEW_SOURCES] = {false};
    const char *text = "";
    for (size_t i = 0; text && i < cluster->core_count; i++) {
        const struct view *view = cluster->evidence->instances[cluster->core[i]].view;
        if (!view->limits || said[view->source])
            continue;
        said[view->source] = true;
        text = arena_format(arena, "%s%s%s: %s", text, *text ? "; " : "", view_source_name(view->source),
                            view_limits_text(view));
    }
    return text;
}
