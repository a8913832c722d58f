#include "tools/cluster/topology.h"

#include <stdlib.h>
#include <string.h>

#include "parsers/bytes/keyslot.h"
#include "tools/cluster/diff.h"

struct building {
    const struct evidence *evidence;
    const struct clusters *clusters;
    struct arena *arena;
    struct arena *scratch;
    size_t *cluster_of; /* instance -> cluster, SIZE_MAX for none */
    bool *testifies;    /* by instance */
    uint32_t *index;    /* node number -> index in its cluster, or NO_NODE; set for one cluster at a time */
};

const char *slot_state_word(enum slot_state state)
{
    static const char *const words[] = {
        [SLOTS_OK] = "ok",             [SLOTS_UNCOVERED] = "uncovered", [SLOTS_DROPPED] = "dropped",
        [SLOTS_CONFLICT] = "conflict", [SLOTS_FAILED] = "failed",       [SLOTS_OPEN] = "open",
    };
    return words[state];
}

const char *slot_open_text(const struct cluster *cluster, const struct slot_open *mark, struct arena *arena)
{
    uint32_t peer = mark->peer == NO_NODE ? NO_NODE : cluster_node(cluster, mark->peer);
    const char *name = peer != NO_NODE ? cluster->nodes[peer].name
                                       : view_store_id(cluster->evidence->store, mark->peer);
    return arena_format(arena, mark->kind == SLOT_MIGRATING ? "%s migrating to %s" : "%s importing from %s",
                        cluster->nodes[mark->node].name, name);
}

/* ------------------------------------------------------------------ nodes */

static void index_nodes(struct building *b, const struct cluster *cluster)
{
    memset(b->index, 0xff, view_store_nodes(b->evidence->store) * sizeof(*b->index));
    for (size_t n = 0; n < cluster->node_count; n++)
        b->index[cluster->nodes[n].number] = (uint32_t)n;
}

static void place_instances(struct building *b, size_t number)
{
    const struct cluster *cluster = &b->clusters->all[number];
    for (size_t i = 0; i < cluster->core_count; i++) {
        b->cluster_of[cluster->core[i]] = number;
        b->testifies[cluster->core[i]] = true;
    }
    for (size_t i = 0; i < b->evidence->instance_count; i++) {
        uint32_t node = b->evidence->instances[i].node;
        if (b->cluster_of[i] == SIZE_MAX && node != NO_NODE && b->index[node] != NO_NODE)
            b->cluster_of[i] = number;
    }
}

static bool fresher(const struct view *a, const struct view *b)
{
    if (a->has_current_epoch && b->has_current_epoch && a->current_epoch != b->current_epoch)
        return a->current_epoch > b->current_epoch;
    return a->newest_pong_ms > b->newest_pong_ms;
}

static const struct claim *newest_other(const struct node *node)
{
    const struct claim *newest = NULL;
    for (size_t c = 0; c < node->claim_count; c++)
        if (!node->claims[c].own && (!newest || fresher(node->claims[c].view, newest->view)))
            newest = &node->claims[c];
    return newest;
}

static bool describe_nodes(struct building *b, struct topology *topology)
{
    const struct cluster *cluster = topology->cluster;
    size_t *listing = arena_array(b->arena, cluster->node_count, sizeof(*listing));
    topology->seen_by = arena_array(b->arena, cluster->node_count, sizeof(struct claim *));
    if (!listing || !topology->seen_by)
        return false;
    for (size_t i = 0; i < b->evidence->instance_count; i++) {
        const struct view *view = b->evidence->instances[i].view;
        if (b->cluster_of[i] != topology->number || !view)
            continue;
        topology->view_count++;
        for (size_t s = 0; s < view->count; s++) {
            uint32_t node = b->index[view->sightings[s].entry->node];
            if (node != NO_NODE && view_find(view, view->sightings[s].entry->node) == &view->sightings[s])
                listing[node]++;
        }
    }
    for (size_t n = 0; n < cluster->node_count; n++) {
        const struct node *node = &cluster->nodes[n];
        topology->seen_by[n] = newest_other(node);
        topology->outsiders += node->standing == STANDING_OUTSIDER;
        topology->ghosts += node->standing == STANDING_GHOST;
        topology->replicas += node->standing == STANDING_MEMBER && node->replica;
    }
    topology->listing = listing;
    return true;
}

/* ------------------------------------------------------------------ slots */

/* Which nodes claim each slot: those of slot S are nodes[start[S]] up to nodes[start[S + 1]]. */
struct claimants {
    uint32_t *start; /* SLOT_COUNT + 1 */
    uint32_t *nodes;
};

struct slot_visit {
    uint32_t *latest; /* slot -> the node that claimed it last, so that each counts once */
    uint32_t *count;  /* first pass: slot -> claimants */
    uint32_t *next;   /* second pass: slot -> place of the next claimant */
    uint32_t *nodes;
};

static void visit_claims(const struct cluster *cluster, struct slot_visit *visit)
{
    memset(visit->latest, 0xff, SLOT_COUNT * sizeof(*visit->latest));
    for (uint32_t n = 0; n < cluster->node_count; n++) {
        const struct entry *before = NULL;
        for (size_t c = 0; c < cluster->nodes[n].claim_count; c++) {
            const struct entry *entry = cluster->nodes[n].claims[c].sighting->entry;
            if (entry == before || !(entry->flags & NODE_PRIMARY))
                continue;
            before = entry;
            for (uint32_t r = 0; r < entry->range_count; r++)
                for (unsigned slot = entry->ranges[r].first; slot <= entry->ranges[r].last; slot++) {
                    if (slot >= SLOT_COUNT || visit->latest[slot] == n)
                        continue;
                    visit->latest[slot] = n;
                    if (visit->nodes)
                        visit->nodes[visit->next[slot]++] = n;
                    else
                        visit->count[slot]++;
                }
        }
    }
}

static bool collect_claimants(struct building *b, const struct cluster *cluster, struct claimants *claimants)
{
    struct slot_visit visit = {
        .latest = arena_array(b->scratch, SLOT_COUNT, sizeof(uint32_t)),
        .count = arena_array(b->scratch, SLOT_COUNT, sizeof(uint32_t)),
        .next = arena_array(b->scratch, SLOT_COUNT, sizeof(uint32_t)),
    };
    claimants->start = arena_array(b->scratch, SLOT_COUNT + 1, sizeof(uint32_t));
    if (!visit.latest || !visit.count || !visit.next || !claimants->start)
        return false;
    visit_claims(cluster, &visit);
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
        visit.next[slot] = claimants->start[slot];
        claimants->start[slot + 1] = claimants->start[slot] + visit.count[slot];
    }
    claimants->nodes = arena_array(b->arena, claimants->start[SLOT_COUNT], sizeof(uint32_t));
    visit.nodes = claimants->nodes;
    if (!visit.nodes)
        return false;
    visit_claims(cluster, &visit);
    return true;
}

static int by_slot(const void *one, const void *two)
{
    const struct slot_open *a = one, *b = two;
    if (a->slot != b->slot)
        return a->slot < b->slot ? -1 : 1;
    if (a->node != b->node)
        return a->node < b->node ? -1 : 1;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    return (a->peer > b->peer) - (a->peer < b->peer);
}

/* The marks on the own lines of members, by slot, without those that replicas have from their primaries. Other lines
 * never have any, unless a hand has written them. */
static struct slot_open *collect_marks(struct building *b, const struct cluster *cluster, size_t *count)
{
    size_t cap = 0;
    struct slot_open *marks = arena_array(b->arena, 1, sizeof(*marks));
    *count = 0;
    for (uint32_t n = 0; marks && n < cluster->member_count; n++) {
        const struct node *node = &cluster->nodes[n];
        const struct claim *words = node_own_words(node);
        for (size_t c = 0; c < node->claim_count; c++) {
            const struct entry *entry = node->claims[c].sighting->entry;
            if (!node->claims[c].own && &node->claims[c] != words)
                continue;
            for (uint32_t m = 0; m < entry->mark_count; m++) {
                struct slot_open *grown = arena_grow(b->arena, marks, *count, &cap, sizeof(*marks));
                if (!grown)
                    return NULL;
                marks = grown;
                const struct mark *mark = &entry->marks[m];
                uint32_t of = cluster_marks_of(cluster, n);
                if (of != n && node_is_marked(&cluster->nodes[of], mark))
                    continue;
                marks[(*count)++] = (struct slot_open){mark->slot, mark->kind, n, mark->peer};
            }
        }
    }
    if (marks && *count)
        qsort(marks, *count, sizeof(*marks), by_slot);
    return marks;
}

static enum slot_state state_of(const struct cluster *cluster, unsigned slot, size_t marks)
{
    const struct slot_owner *owner = &cluster->slots[slot];
    if (owner->node == NO_NODE)
        return owner->listed != NO_NODE ? SLOTS_DROPPED : SLOTS_UNCOVERED;
    if (owner->rival != NO_NODE)
        return SLOTS_CONFLICT;
    if (cluster->nodes[owner->node].failed)
        return SLOTS_FAILED;
    return marks ? SLOTS_OPEN : SLOTS_OK;
}

static bool same_marks(const struct slot_run *a, const struct slot_run *b)
{
    if (a->mark_count != b->mark_count)
        return false;
    for (size_t m = 0; m < a->mark_count; m++)
        if (a->marks[m].kind != b->marks[m].kind || a->marks[m].node != b->marks[m].node ||
            a->marks[m].peer != b->marks[m].peer)
            return false;
    return true;
}

static bool continues(const struct slot_run *run, const struct slot_run *slot)
{
    return run->owner == slot->owner && run->state == slot->state && run->claimant_count == slot->claimant_count &&
           memcmp(run->claimants, slot->claimants, slot->claimant_count * sizeof(*slot->claimants)) == 0 &&
           same_marks(run, slot);
}

static bool describe_slots(struct building *b, struct topology *topology)
{
    const struct cluster *cluster = topology->cluster;
    struct claimants claimants;
    size_t mark_count, mark = 0, cap = 0;
    struct slot_open *marks = collect_marks(b, cluster, &mark_count);
    if (!marks || !collect_claimants(b, cluster, &claimants))
        return false;
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
        size_t first = mark;
        while (mark < mark_count && marks[mark].slot == slot)
            mark++;
        struct slot_run now = {
            .first = (uint16_t)slot,
            .last = (uint16_t)slot,
            .owner = cluster->slots[slot].node,
            .state = state_of(cluster, slot, mark - first),
            .claimants = claimants.nodes + claimants.start[slot],
            .claimant_count = claimants.start[slot + 1] - claimants.start[slot],
            .marks = marks + first,
            .mark_count = mark - first,
        };
        struct slot_run *last = topology->run_count ? &topology->runs[topology->run_count - 1] : NULL;
        if (last && continues(last, &now)) {
            last->last = now.last;
            continue;
        }
        struct slot_run *runs = arena_grow(b->arena, topology->runs, topology->run_count, &cap, sizeof(*runs));
        if (!runs)
            return false;
        topology->runs = runs;
        runs[topology->run_count++] = now;
    }
    return true;
}

/* ------------------------------------------------------------------ views */

static bool group_views(struct building *b, struct topologies *topologies)
{
    struct diff_operand *operands = arena_array(b->scratch, topologies->view_count, sizeof(*operands));
    struct topology_view **compared = arena_array(b->scratch, topologies->view_count, sizeof(struct topology_view *));
    size_t count = 0;
    if (!operands || !compared)
        return false;
    for (size_t v = 0; v < topologies->view_count; v++) {
        struct topology_view *view = &topologies->views[v];
        if (!view->newest)
            continue;
        operands[count] = (struct diff_operand){b->evidence->instances[view->instance].name, view->view};
        compared[count++] = view;
    }
    struct diff *diff = count ? diff_views(b->evidence->store, operands, count, b->scratch) : NULL;
    for (size_t i = 0; diff && i < count; i++)
        compared[i]->group = diff->group_of[i];
    return diff || !count;
}

static bool list_views(struct building *b, struct topologies *topologies)
{
    const struct evidence *evidence = b->evidence;
    size_t total = 0;
    for (size_t i = 0; i < evidence->instance_count; i++)
        total += (evidence->instances[i].view != NULL) + evidence->instances[i].history_count;
    topologies->views = arena_array(b->arena, total, sizeof(*topologies->views));
    if (!topologies->views)
        return false;
    for (size_t i = 0; i < evidence->instance_count; i++) {
        const struct instance *instance = &evidence->instances[i];
        struct topology_view view = {.instance = i, .cluster = b->cluster_of[i], .group = NO_NODE};
        for (size_t h = 0; h < instance->history_count + 1; h++) {
            view.newest = h == 0;
            view.testifies = view.newest && b->testifies[i];
            view.view = h ? instance->history[h - 1] : instance->view;
            if (view.view)
                topologies->views[topologies->view_count++] = view;
        }
    }
    return group_views(b, topologies);
}

struct topologies *topologies_of(const struct evidence *evidence, const struct clusters *clusters, struct arena *arena)
{
    struct building b = {.evidence = evidence, .clusters = clusters, .arena = arena, .scratch = arena_new()};
    struct topologies *topologies = arena_alloc(arena, sizeof(*topologies));
    bool done = b.scratch && topologies;
    if (done) {
        *topologies = (struct topologies){.clusters = clusters,
                                          .all = arena_array(arena, clusters->count, sizeof(*topologies->all))};
        b.cluster_of = arena_array(b.scratch, evidence->instance_count, sizeof(*b.cluster_of));
        b.testifies = arena_array(b.scratch, evidence->instance_count, sizeof(*b.testifies));
        b.index = arena_array(b.scratch, view_store_nodes(evidence->store), sizeof(*b.index));
        done = topologies->all && b.cluster_of && b.testifies && b.index;
    }
    for (size_t i = 0; done && i < evidence->instance_count; i++)
        b.cluster_of[i] = SIZE_MAX;
    for (size_t c = 0; done && c < clusters->count; c++) {
        struct topology *topology = &topologies->all[c];
        *topology = (struct topology){.cluster = &clusters->all[c], .number = c};
        index_nodes(&b, topology->cluster);
        place_instances(&b, c);
        done = describe_nodes(&b, topology) && describe_slots(&b, topology);
    }
    done = done && list_views(&b, topologies);
    arena_free(b.scratch);
    return done && !arena_failed(arena) ? topologies : NULL;
}
