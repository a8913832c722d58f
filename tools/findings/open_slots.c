/* Tests:     no slot left half-way between two nodes.
 * Relies on: the own lines of members; what replicas only have from their primaries is told of these.
 * Reports:   slot-open. */
#include <stdio.h>
#include <string.h>

#include "tools/findings/checks.h"

struct marked {
    bool has[SLOT_COUNT];
    unsigned count;
};

static bool is_marked(const void *context, unsigned slot)
{
    return ((const struct marked *)context)->has[slot];
}

/* Marks that one sentence tells of. */
struct mark_group {
    uint32_t of; /* whose they are: the node itself, or the primary of the replica on whose line they stand */
    enum slot_mark kind;
    uint32_t peer;
    bool paired;
};

/* The other half of a mark on the peer's own line. */
static bool paired(const struct cluster *cluster, uint32_t peer, uint32_t node, const struct mark *mark)
{
    const struct claim *claim = peer == NO_NODE ? NULL : node_own_words(&cluster->nodes[peer]);
    for (uint32_t m = 0; claim && m < claim->sighting->entry->mark_count; m++) {
        const struct mark *other = &claim->sighting->entry->marks[m];
        if (other->slot == mark->slot && other->kind != mark->kind && other->peer == cluster->nodes[node].number)
            return true;
    }
    return false;
}

/* A dump that a primary wrote for a replica lists the primary's open slots: "93<ID,100>ID,". */
static bool dump_states(const struct dump *dump, const struct mark *mark, const char *peer)
{
    char text[64];
    int len = snprintf(text, sizeof(text), "%u%c%.40s,", mark->slot, mark->kind == SLOT_IMPORTING ? '<' : '>', peer);
    for (const char *at = dump->open_slots; at && *at; at += strcspn(at, ",") + (at[strcspn(at, ",")] == ','))
        if (strncmp(at, text, (size_t)len) == 0)
            return true;
    return false;
}

/* The dumps of the node and of its replicas that state one of the marks too. */
static void show_dumps(struct findings *findings, struct finding *f, const struct cluster *cluster, uint32_t index,
                       const struct entry *entry, const struct mark_group *group, const struct marked *set)
{
    const char *peer = view_store_id(cluster->evidence->store, group->peer);
    for (uint32_t n = 0; n < cluster->member_count; n++) {
        const struct node *node = &cluster->nodes[n];
        const struct dump *dump = node->instance == SIZE_MAX ? NULL : cluster->evidence->instances[node->instance].dump;
        bool states = false;
        if (!dump || !dump->open_slots || (n != index && !(node->replica && node->follows == index)))
            continue;
        for (uint32_t m = 0; m < entry->mark_count && !states; m++)
            states = entry->marks[m].kind == group->kind && entry->marks[m].peer == group->peer &&
                     set->has[entry->marks[m].slot] && dump_states(dump, &entry->marks[m], peer);
        if (states)
            finding_shows(findings, f, dump->file, dump->open_slots_at);
    }
}

/* How many keys of the slots the dump of a node holds; false without a dump that tells. */
static bool keys_of(const struct cluster *cluster, uint32_t index, const struct marked *set, uint64_t *keys)
{
    const struct node *node = index == NO_NODE ? NULL : &cluster->nodes[index];
    const struct dump *dump =
        node && node->instance != SIZE_MAX ? cluster->evidence->instances[node->instance].dump : NULL;
    *keys = 0;
    for (unsigned slot = 0; dump && dump->slot_keys && slot < SLOT_COUNT; slot++)
        *keys += set->has[slot] ? dump->slot_keys[slot] : 0;
    return dump && dump->whole;
}

/* Where the keys are decides how such a slot is closed. */
static void tell_keys(struct findings *findings, struct finding *f, const struct cluster *cluster, uint32_t index,
                      uint32_t peer, const struct marked *set)
{
    uint64_t here, there;
    bool known_here = keys_of(cluster, index, set, &here), known_there = keys_of(cluster, peer, set, &there);
    if (!known_here && !known_there)
        return;
    f->has_keys = true;
    f->keys = here + there;
    const char *unknown = "unknown";
    f->detail = arena_format(findings->arena, "keys of %s by dumps: %s at %s, %s at the other",
                             set->count == 1 ? "it" : "them",
                             known_here ? arena_format(findings->arena, "%llu", (unsigned long long)here) : unknown,
                             cluster->nodes[index].name,
                             known_there ? arena_format(findings->arena, "%llu", (unsigned long long)there) : unknown);
}

static struct mark_group group_of(const struct cluster *cluster, uint32_t index, const struct mark *mark)
{
    uint32_t of = cluster_marks_of(cluster, index);
    return (struct mark_group){of, mark->kind, mark->peer,
                               paired(cluster, cluster_node(cluster, mark->peer), of, mark)};
}

static bool same_group(const struct mark_group *a, const struct mark_group *b)
{
    return a->of == b->of && a->kind == b->kind && a->peer == b->peer && a->paired == b->paired;
}

/* Its primary's line, or that of a replica before it, tells of the mark. */
static bool told_elsewhere(const struct cluster *cluster, uint32_t index, const struct mark *mark)
{
    uint32_t of = cluster_marks_of(cluster, index);
    if (of == index)
        return false;
    bool told = node_is_marked(&cluster->nodes[of], mark);
    for (uint32_t n = 0; n < index && !told; n++)
        told = cluster_marks_of(cluster, n) == of && node_is_marked(&cluster->nodes[n], mark);
    return told;
}

static const char *peer_name(struct findings *findings, const struct cluster *cluster, uint32_t peer)
{
    uint32_t index = cluster_node(cluster, peer);
    if (index != NO_NODE)
        return cluster->nodes[index].name;
    return peer == NO_NODE ? "a node that the check does not name"
                           : arena_format(findings->arena, "%.8s", view_store_id(cluster->evidence->store, peer));
}

/* `index` is the node on whose line the marks stand. */
static void summarise(struct findings *findings, struct finding *f, const struct cluster *cluster, uint32_t index,
                      const struct mark_group *group)
{
    const char *name = cluster->nodes[group->of].name, *peer = peer_name(findings, cluster, group->peer);
    const char *doing = group->kind == SLOT_MIGRATING ? "migrating to" : "importing from";
    const char *other = group->kind == SLOT_MIGRATING ? "importing" : "migrating";
    if (group->of != index && node_own_words(&cluster->nodes[group->of])) {
        f->severity = SEVERITY_WARNING;
        f->summary = arena_format(findings->arena,
                                  "%s, a replica, is marked as %s %s, and its primary %s is not: the mark counts when "
                                  "it takes over.",
                                  cluster->nodes[index].name, doing, peer, name);
    } else if (group->paired) {
        f->summary = arena_format(findings->arena,
                                  "Migrating from %s to %s, and %s is importing: a move that was not finished.", name,
                                  peer, peer);
    } else {
        f->summary = arena_format(findings->arena, "%s is %s %s, but %s is not %s.", name, doing, peer, peer, other);
    }
}

static void report_open(struct findings *findings, const struct cluster *cluster, uint32_t index,
                        const struct claim *claim, const struct mark_group *group)
{
    struct marked set = {.count = 0};
    const struct entry *entry = claim->sighting->entry;
    uint32_t peer = cluster_node(cluster, group->peer);
    for (uint32_t m = 0; m < entry->mark_count; m++) {
        struct mark_group other = group_of(cluster, index, &entry->marks[m]);
        if (same_group(group, &other) && !told_elsewhere(cluster, index, &entry->marks[m])) {
            set.count += !set.has[entry->marks[m].slot];
            set.has[entry->marks[m].slot] = true;
        }
    }
    /* Of a pair, the migrating side speaks for both. */
    if (group->paired && group->kind == SLOT_IMPORTING && group->of == index)
        return;
    struct finding *f = findings_add(findings, FINDING_SLOT_OPEN, CERTAINTY_PROVED);
    if (!f)
        return;
    finding_about(findings, f, cluster, node_own_words(&cluster->nodes[group->of]) ? index : group->of);
    f->slots = slots_text(findings->arena, is_marked, &set);
    summarise(findings, f, cluster, index, group);
    f->rule = "open-slot marks on the own lines of members; a replica's are its primary's";
    f->settles = "newer files of both nodes; a move that is going on at the moment of collection looks the same";
    finding_shows_claim(findings, f, claim);
    finding_shows_claim(findings, f, peer == NO_NODE ? NULL : node_own_words(&cluster->nodes[peer]));
    tell_keys(findings, f, cluster, index, peer, &set);
    show_dumps(findings, f, cluster, index, entry, group, &set);
}

void check_open_slots(struct findings *findings, const struct cluster *cluster)
{
    for (uint32_t n = 0; n < cluster->member_count; n++) {
        const struct claim *claim = node_own_words(&cluster->nodes[n]);
        const struct entry *entry = claim ? claim->sighting->entry : NULL;
        for (uint32_t m = 0; entry && m < entry->mark_count; m++) {
            struct mark_group group = group_of(cluster, n, &entry->marks[m]);
            bool told = told_elsewhere(cluster, n, &entry->marks[m]);
            for (uint32_t before = 0; before < m && !told; before++) {
                struct mark_group earlier = group_of(cluster, n, &entry->marks[before]);
                told = same_group(&group, &earlier) && !told_elsewhere(cluster, n, &entry->marks[before]);
            }
            if (!told)
                report_open(findings, cluster, n, claim, &group);
        }
    }
}
