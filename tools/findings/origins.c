/* Tests:     instances that are not, or not only, what members take them for: reset, renamed, of another cluster.
 * Relies on: own views and their history, and the members' claims about an id or an address.
 * Reports:   reset-not-forgotten, identity-lost, address-reused, epoch-leak, clusters-merged. */
#include <inttypes.h>
#include <string.h>

#include "tools/findings/checks.h"

/* ------------------------------------------------------------------ reset, and nobody was told */

static void check_reset(struct findings *findings, const struct cluster *cluster, uint32_t index)
{
    const struct node *node = &cluster->nodes[index];
    const struct claim *own = node->claim_count && node->claims[0].own ? &node->claims[0] : NULL;
    if (node->standing != STANDING_MEMBER || !own || own->view->count != 1 || !node->listing ||
        own->sighting->entry->slot_count || node->instance_count > 1)
        return;
    uint64_t epoch = view_epoch(own->view);
    struct finding *f =
        findings_add(findings, FINDING_RESET_NOT_FORGOTTEN, epoch ? CERTAINTY_PROVED : CERTAINTY_PROBABLE);
    if (!f)
        return;
    finding_about(findings, f, cluster, index);
    if (!epoch)
        f->severity = SEVERITY_WARNING;
    f->summary =
        arena_format(findings->arena,
                     "Its own file knows nobody but itself; %zu member%s still list%s it under this id. They bring it "
                     "back by gossip.",
                     node->listing, node->listing == 1 ? "" : "s", node->listing == 1 ? "s" : "");
    f->rule = epoch ? arena_format(findings->arena,
                                   "alone in its file at epoch %" PRIu64
                                   ": CLUSTER RESET SOFT forgets the others and keeps id and epochs",
                                   epoch)
                    : "alone in its file at epoch 0: reset, or the file is older than its joining";
    f->settles = epoch ? "a newer file of this node that lists the members" : "a newer file of this node; its log";
    finding_shows_claim(findings, f, own);
    for (size_t c = 0; c < node->claim_count; c++)
        if (!node->claims[c].own)
            finding_shows_claim(findings, f, &node->claims[c]);
}

/* ------------------------------------------------------------------ a new id over old keys */

/* Every slot of which the dump has keys is claimed, and no other. */
static bool claims_what_it_found(const struct entry *entry, const struct dump *dump)
{
    uint32_t keyed = 0, matched = 0;
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
        keyed += dump->slot_keys[slot] > 0;
    for (uint32_t r = 0; r < entry->range_count; r++)
        for (unsigned slot = entry->ranges[r].first; slot <= entry->ranges[r].last && slot < SLOT_COUNT; slot++)
            matched += dump->slot_keys[slot] > 0;
    return keyed == matched && keyed == entry->slot_count;
}

static bool is_claimed_slot(const void *context, unsigned slot)
{
    const struct entry *entry = context;
    for (uint32_t r = 0; r < entry->range_count; r++)
        if (entry->ranges[r].first <= slot && slot <= entry->ranges[r].last)
            return true;
    return false;
}

/* A line of its log in which it was somebody else, or NULL; `*reset` gets the line of the reset that made it what it
 * is. */
static const struct logbook_line *former_id(const struct findings *findings, const struct instance *instance,
                                            const struct logbook_line **reset)
{
    const struct logbook_line *former = NULL;
    const char *id = view_store_id(findings->evidence->store, instance->node);
    for (size_t b = 0; b < instance->logbook_count; b++)
        for (size_t l = 0; l < instance->logbooks[b]->count; l++) {
            const struct logbook_line *line = &instance->logbooks[b]->lines[l];
            bool identity = line->event == LOGBOOK_NEW_IDENTITY || line->event == LOGBOOK_LOADED_IDENTITY ||
                            line->event == LOGBOOK_RESET_IDENTITY;
            if (!identity || !line->text)
                continue;
            if (strcmp(line->text, id) != 0)
                former = line;
            else if (line->event == LOGBOOK_RESET_IDENTITY)
                *reset = line;
        }
    return former;
}

/* The node that members of some cluster list at the instance's address under another id, or that they lost sight of and
 * whose slots the instance has taken; NULL for none. */
static const struct node *former_node(const struct findings *findings, const struct instance *instance,
                                      const struct entry *own)
{
    for (size_t c = 0; c < findings->clusters->count; c++) {
        const struct cluster *cluster = &findings->clusters->all[c];
        for (uint32_t n = 0; n < cluster->node_count; n++) {
            const struct node *node = &cluster->nodes[n];
            const struct entry *entry = node->entry;
            if (!entry || node->number == instance->node || node->instance != SIZE_MAX)
                continue;
            if (*entry->ip && entry->port == instance->port && strcmp(entry->ip, instance->ip) == 0)
                return node;
            uint32_t within = 0;
            for (uint32_t r = 0; entry->flags & NODE_NOADDR && r < own->range_count; r++)
                for (unsigned slot = own->ranges[r].first; slot <= own->ranges[r].last; slot++)
                    for (uint32_t k = 0; k < entry->range_count; k++)
                        within += entry->ranges[k].first <= slot && slot <= entry->ranges[k].last;
            if (within && within == own->slot_count)
                return node;
        }
    }
    return NULL;
}

static void check_identity_lost(struct findings *findings, size_t number)
{
    const struct instance *instance = &findings->evidence->instances[number];
    const struct sighting *own = instance->view ? view_own(instance->view) : NULL;
    const struct entry *entry = own ? own->entry : NULL;
    const struct dump *dump = instance->dump;
    if (!entry || !(entry->flags & NODE_PRIMARY) || entry->config_epoch || !entry->slot_count || !dump ||
        !dump->whole || !dump->slot_keys || !claims_what_it_found(entry, dump))
        return;
    const struct logbook_line *reset = NULL, *line = former_id(findings, instance, &reset);
    const struct node *node = former_node(findings, instance, entry);
    struct finding *f = findings_add(findings, FINDING_IDENTITY_LOST, line ? CERTAINTY_PROVED : CERTAINTY_PROBABLE);
    if (!f)
        return;
    const char *before = node ? node->id : line ? line->text : NULL;
    finding_about_instance(findings, f, number);
    f->slots = slots_text(findings->arena, is_claimed_slot, entry);
    f->has_keys = true;
    f->keys = dump->keys;
    f->summary = arena_format(
        findings->arena, "It claims %u slot%s at epoch 0, which are exactly those its dump holds keys of%s%.8s%s. %s",
        entry->slot_count, entry->slot_count == 1 ? "" : "s", before ? "; it was " : "", before ? before : "",
        before ? " before" : "",
        reset ? "It was reset, its dump was not, and the next start took them."
              : "It started without its nodes.conf, or after a reset that left the dump, and took them.");
    f->rule =
        "a primary that starts with keys of slots that nobody owns in its view claims them, at whatever epoch it has";
    f->settles =
        reset  ? "the log of the start: \"I have keys for unassigned slot ...\""
        : line ? "a nodes.conf of this instance under its former id: put back before it meets anybody, it heals this"
               : "its log: \"No cluster configuration found, I'm ...\" after another id";
    finding_shows_line(findings, f, instance->view, own);
    if (line)
        finding_shows(findings, f, line->file, line->place);
    if (reset)
        finding_shows(findings, f, reset->file, reset->place);
    if (node)
        finding_shows_claim(findings, f, node->stands);
}

/* ------------------------------------------------------------------ a node of another cluster */

/* The instance of another cluster that sits at an entry's address; SIZE_MAX when none does. A member of which only a
 * damaged file is known has no entry. */
static size_t foreign_instance(const struct findings *findings, const struct cluster *cluster,
                               const struct entry *entry)
{
    for (size_t c = 0; entry && *entry->ip && entry->port && c < findings->clusters->count; c++) {
        const struct cluster *other = &findings->clusters->all[c];
        for (size_t i = 0; other != cluster && i < other->core_count; i++) {
            const struct instance *instance = &findings->evidence->instances[other->core[i]];
            if (instance->port == entry->port && strcmp(instance->ip, entry->ip) == 0)
                return other->core[i];
        }
    }
    return SIZE_MAX;
}

static void check_reused_addresses(struct findings *findings, const struct cluster *cluster)
{
    size_t shared = 0;
    for (uint32_t n = 0; n < cluster->member_count; n++)
        shared += foreign_instance(findings, cluster, cluster->nodes[n].entry) != SIZE_MAX;
    /* Separate networks number their hosts alike, and then most addresses are the same. */
    if (!shared || shared * 2 > cluster->member_count)
        return;
    for (uint32_t n = 0; n < cluster->member_count; n++) {
        const struct node *node = &cluster->nodes[n];
        size_t number = foreign_instance(findings, cluster, node->entry);
        if (number == SIZE_MAX || (node->instance != SIZE_MAX && cluster_testifies(cluster, node->instance)))
            continue;
        const struct view *view = findings->evidence->instances[number].view;
        struct finding *f = findings_add(findings, FINDING_ADDRESS_REUSED, CERTAINTY_PROBABLE);
        if (!f)
            return;
        finding_about(findings, f, cluster, n);
        f->summary = arena_format(
            findings->arena,
            "Members list %.8s at %s; by its own file the node there is %.8s, a member of another cluster.", node->id,
            node->name, view_store_id(findings->evidence->store, findings->evidence->instances[number].node));
        f->rule = "one address can belong to one node; most of the other addresses of the two clusters differ, so they "
                  "share a network";
        f->settles =
            arena_format(findings->arena, "CLUSTER MYID of %s; networks that do not reach each other", node->name);
        finding_shows_claim(findings, f, node->stands);
        finding_shows_line(findings, f, view, view_own(view));
    }
}

/* A line without address and slots, whose epoch is above that of every member and is held in another cluster. */
static void check_leak(struct findings *findings, const struct cluster *cluster, uint32_t index)
{
    const struct node *ghost = &cluster->nodes[index];
    const struct entry *entry = ghost->entry;
    if (!entry || !(entry->flags & NODE_NOADDR) || entry->slot_count || !entry->config_epoch)
        return;
    for (uint32_t n = 0; n < cluster->member_count; n++)
        if (n != index && cluster->nodes[n].primary && cluster->nodes[n].entry->config_epoch >= entry->config_epoch)
            return;
    for (size_t c = 0; c < findings->clusters->count; c++) {
        const struct cluster *other = &findings->clusters->all[c];
        for (uint32_t n = 0; other != cluster && n < other->member_count; n++) {
            const struct node *node = &other->nodes[n];
            if (!node->primary || node->entry->config_epoch != entry->config_epoch)
                continue;
            struct finding *f = findings_add(findings, FINDING_EPOCH_LEAK, CERTAINTY_PROBABLE);
            if (!f)
                return;
            finding_about(findings, f, cluster, index);
            f->summary = arena_format(findings->arena,
                                      "The lost node %.8s shows configEpoch %" PRIu64
                                      ", above every member's, and %s of another cluster "
                                      "holds it: the two have been in contact.",
                                      ghost->id, entry->config_epoch, node->name);
            f->rule = "a node that takes over an address is refused by its id, but from Redis 7.0 on its epochs are "
                      "taken over";
            f->settles = "logs of an election or a BUMPEPOCH of this cluster that explain the epoch";
            finding_shows_claim(findings, f, ghost->stands);
            finding_shows_claim(findings, f, node->stands);
            if (ghost->stands)
                finding_shows_vars(findings, f, ghost->stands->view);
            return;
        }
    }
}

/* ------------------------------------------------------------------ two clusters that became one */

/* Node numbers that older views list together; each points towards the first of its set. */
struct lineage {
    const struct cluster *cluster;
    uint32_t *up;
    uint32_t *slots;  /* slot -> a set that claims it, or NO_NODE */
    uint32_t a, b;    /* two sets that claim one slot, or NO_NODE */
    uint32_t overlap; /* how many slots they both claim */
};

static uint32_t origin_of(struct lineage *lineage, uint32_t node)
{
    while (lineage->up[node] != node) {
        lineage->up[node] = lineage->up[lineage->up[node]];
        node = lineage->up[node];
    }
    return node;
}

static void visit_history(struct lineage *lineage, void (*visit)(struct lineage *, const struct view *))
{
    for (size_t i = 0; i < lineage->cluster->core_count; i++) {
        const struct instance *instance = &lineage->cluster->evidence->instances[lineage->cluster->core[i]];
        for (size_t h = 0; h < instance->history_count; h++)
            visit(lineage, instance->history[h]);
    }
}

static void join_view(struct lineage *lineage, const struct view *view)
{
    uint32_t first = NO_NODE;
    for (size_t s = 0; s < view->count; s++) {
        const struct sighting *sighting = &view->sightings[s];
        if (!sighting_names(sighting) || sighting->entry->flags & NODE_FAIL)
            continue;
        uint32_t origin = origin_of(lineage, sighting->entry->node);
        if (first != NO_NODE)
            lineage->up[origin] = first;
        else
            first = origin;
    }
}

static void claim_slots(struct lineage *lineage, const struct view *view)
{
    for (size_t s = 0; s < view->count; s++) {
        const struct entry *entry = view->sightings[s].entry;
        uint32_t origin = origin_of(lineage, entry->node);
        for (uint32_t r = 0; entry->flags & NODE_PRIMARY && r < entry->range_count; r++)
            for (unsigned slot = entry->ranges[r].first; slot <= entry->ranges[r].last && slot < SLOT_COUNT; slot++) {
                uint32_t before = lineage->slots[slot];
                if (before == NO_NODE)
                    lineage->slots[slot] = origin;
                if (before == NO_NODE || before == origin)
                    continue;
                if (lineage->a == NO_NODE) {
                    lineage->a = before;
                    lineage->b = origin;
                }
                lineage->overlap += before == lineage->a && origin == lineage->b;
            }
    }
}

/* Of the primaries with slots that older views of one origin show, those that are members now, and all. */
static void count_primaries(struct lineage *lineage, uint32_t origin, size_t *members, size_t *all, bool *counted)
{
    *members = *all = 0;
    for (size_t i = 0; i < lineage->cluster->core_count; i++) {
        const struct instance *instance = &lineage->cluster->evidence->instances[lineage->cluster->core[i]];
        for (size_t h = 0; h < instance->history_count; h++)
            for (size_t s = 0; s < instance->history[h]->count; s++) {
                const struct entry *entry = instance->history[h]->sightings[s].entry;
                if (!(entry->flags & NODE_PRIMARY) || !entry->slot_count || counted[entry->node] ||
                    origin_of(lineage, entry->node) != origin)
                    continue;
                counted[entry->node] = true;
                uint32_t index = cluster_node(lineage->cluster, entry->node);
                *members += index != NO_NODE && lineage->cluster->nodes[index].standing == STANDING_MEMBER;
                ++*all;
            }
    }
}

static void check_merge(struct findings *findings, const struct cluster *cluster)
{
    size_t known = view_store_nodes(findings->evidence->store), of_a, all_a, of_b, all_b;
    struct arena *scratch = arena_new();
    struct lineage lineage = {.cluster = cluster, .a = NO_NODE, .b = NO_NODE};
    bool *counted = scratch ? arena_array(scratch, known, sizeof(*counted)) : NULL;
    lineage.up = scratch ? arena_array(scratch, known, sizeof(*lineage.up)) : NULL;
    lineage.slots = scratch ? arena_array(scratch, SLOT_COUNT, sizeof(*lineage.slots)) : NULL;
    if (!counted || !lineage.up || !lineage.slots)
        goto done;
    for (uint32_t n = 0; n < known; n++)
        lineage.up[n] = n;
    memset(lineage.slots, 0xff, SLOT_COUNT * sizeof(*lineage.slots));
    visit_history(&lineage, join_view);
    visit_history(&lineage, claim_slots);
    if (lineage.a == NO_NODE)
        goto done;
    count_primaries(&lineage, lineage.a, &of_a, &all_a, counted);
    count_primaries(&lineage, lineage.b, &of_b, &all_b, counted);
    if (of_a * 2 <= all_a || of_b * 2 <= all_b)
        goto done; /* single nodes that have changed over */
    struct finding *f = findings_add(findings, FINDING_CLUSTERS_MERGED, CERTAINTY_PROBABLE);
    if (!f)
        goto done;
    f->cluster = (size_t)(cluster - findings->clusters->all);
    f->summary = arena_format(
        findings->arena,
        "Older views show two clusters without a common node; %zu of the %zu primaries with slots of the one and "
        "%zu of the %zu of the other are members of this one now. Where both owned a slot one of them won, and the "
        "keys of the other are in older files only.",
        of_a, all_a, of_b, all_b);
    f->rule = "older views of members fall into groups that share no node, and both claim the same slots";
    f->settles = "older views that name nodes of both groups";
    uint32_t shown_a = 0, shown_b = 0;
    for (size_t i = 0; i < cluster->core_count; i++) {
        const struct instance *instance = &findings->evidence->instances[cluster->core[i]];
        for (size_t h = 0; h < instance->history_count; h++) {
            const struct sighting *own = view_own(instance->history[h]);
            uint32_t origin = own ? origin_of(&lineage, own->entry->node) : NO_NODE;
            if ((origin == lineage.a && shown_a++ < 3) || (origin == lineage.b && own && shown_b++ < 3))
                finding_shows_line(findings, f, instance->history[h], own);
        }
    }
done:
    arena_free(scratch);
}

void check_identities(struct findings *findings)
{
    for (size_t i = 0; i < findings->evidence->instance_count; i++)
        check_identity_lost(findings, i);
}

void check_origins(struct findings *findings, const struct cluster *cluster)
{
    for (uint32_t n = 0; n < cluster->node_count; n++) {
        check_reset(findings, cluster, n);
        check_leak(findings, cluster, n);
    }
    check_reused_addresses(findings, cluster);
    check_merge(findings, cluster);
}
