/* Tests:     every slot: owned, served, claimed twice, and seen alike.
 * Relies on: the owners that tools/cluster decides on.
 * Reports:   slot-uncovered, slot-unserved, slot-conflict, slot-view-mismatch. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/findings/checks.h"

/* A set of slots under construction. */
struct slot_set {
    bool has[SLOT_COUNT];
    unsigned count;
};

static bool in_set(const void *context, unsigned slot)
{
    return ((const struct slot_set *)context)->has[slot];
}

static struct place line_of(const struct sighting *sighting)
{
    return (struct place){sighting->offset, sighting->length, sighting->line};
}


/* ------------------------------------------------------------------ uncovered and unserved */

/* The newest view of another node that lists one of the slots for `node`, or NULL. */
static const struct claim *newest_listing(const struct node *node, const struct slot_set *set)
{
    const struct claim *newest = NULL;
    for (size_t c = 0; c < node->claim_count; c++) {
        const struct claim *claim = &node->claims[c];
        const struct entry *entry = claim->sighting->entry;
        bool lists = false;
        for (uint32_t r = 0; !claim->own && r < entry->range_count && !lists; r++)
            for (unsigned slot = entry->ranges[r].first; slot <= entry->ranges[r].last && slot < SLOT_COUNT && !lists; slot++)
                lists = set->has[slot];
        if (lists && (!newest || claim->view->newest_pong_ms > newest->view->newest_pong_ms))
            newest = claim;
    }
    return newest;
}

static void tell_dropped(struct findings *findings, const struct cluster *cluster, struct finding *f, uint32_t listed,
                         const struct slot_set *set, const char *effect)
{
    const struct node *node = &cluster->nodes[listed];
    const struct claim *own = node->claim_count && node->claims[0].own ? &node->claims[0] : NULL;
    const struct claim *listing = newest_listing(node, set);
    const char *them = set->count == 1 ? "it" : "them";
    if (own && listing && own->view->newest_pong_ms < listing->view->newest_pong_ms)
        f->certainty = CERTAINTY_PROBABLE; /* its file may be from before it was given them */
    if (!own)
        f->certainty = CERTAINTY_PROBABLE;
    f->summary = own ? arena_format(findings->arena, "%u slot%s that peers still list for %s: its own file does not claim %s. %s.",
                                    set->count, set->count == 1 ? "" : "s", node->name, them, effect)
                     : arena_format(findings->arena, "%u slot%s that only older views list for %s, whose file is missing. %s.",
                                    set->count, set->count == 1 ? "" : "s", node->name, effect);
    f->rule = own ? "an owner's own file overrides what peers list for it at the same configEpoch: peers never drop a slot because its owner did"
                  : "the freshest view of a node without a file of its own decides";
    f->settles = own ? "a newer file of this node that claims them" : "the file of this node";
    const struct dump *dump = node->instance == SIZE_MAX ? NULL : cluster->evidence->instances[node->instance].dump;
    f->has_keys = dump != NULL;
    for (unsigned slot = 0; dump && dump->slot_keys && slot < SLOT_COUNT; slot++)
        f->keys += set->has[slot] ? dump->slot_keys[slot] : 0;
    if (f->keys)
        f->detail = arena_format(findings->arena, "its dump still holds %llu key%s of these slots: assign them to it before anybody else",
                                 (unsigned long long)f->keys, f->keys == 1 ? "" : "s");
    finding_shows_claim(findings, f, own ? own : node->stands);
    finding_shows_claim(findings, f, listing);
}

static void tell_unclaimed(struct findings *findings, const struct cluster *cluster, struct finding *f,
                           const struct slot_set *set, const char *effect)
{
    if (cluster->missing_count)
        f->certainty = CERTAINTY_PROBABLE;
    f->summary = arena_format(findings->arena, "%u slot%s that no member claims in any view. %s.", set->count,
                              set->count == 1 ? "" : "s", effect);
    f->rule = "no claim of a member names the slot";
    f->settles = cluster->missing_count ? "the files of the members that are missing, if one of them claims the slots"
                                        : "a newer file of a member that claims them";
    for (size_t i = 0; i < cluster->core_count && i < 3; i++) {
        const struct view *view = cluster->evidence->instances[cluster->core[i]].view;
        const struct sighting *own = view_own(view);
        if (own || view->count)
            finding_shows(findings, f, view->file, line_of(own ? own : &view->sightings[0]));
    }
}

/* Slots that nobody owns, by whom peers still list for them. */
static void check_uncovered(struct findings *findings, const struct cluster *cluster)
{
    const char *effect = cluster->full_coverage ? "Full coverage is required, so the whole cluster is down"
                                                : "Full coverage is not required: only these slots are down";
    for (uint32_t group = 0; group <= cluster->member_count; group++) {
        uint32_t listed = group == cluster->member_count ? NO_NODE : group;
        struct slot_set set = {.count = 0};
        for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
            if (cluster->slots[slot].node == NO_NODE && cluster->slots[slot].listed == listed) {
                set.has[slot] = true;
                set.count++;
            }
        if (set.count == 0)
            continue;
        struct finding *f = findings_add(findings, FINDING_SLOT_UNCOVERED, CERTAINTY_PROVED);
        if (!f)
            return;
        f->cluster = (size_t)(cluster - findings->clusters->all);
        f->slots = slots_text(findings->arena, in_set, &set);
        if (listed == NO_NODE) {
            tell_unclaimed(findings, cluster, f, &set, effect);
        } else {
            finding_about(findings, f, cluster, listed);
            tell_dropped(findings, cluster, f, listed, &set, effect);
        }
    }
}

static bool has_healthy_copy(const struct cluster *cluster, uint32_t primary)
{
    for (uint32_t n = 0; n < cluster->member_count; n++)
        if (cluster->nodes[n].replica && cluster->nodes[n].follows == primary && !cluster->nodes[n].failed)
            return true;
    return false;
}

static void check_unserved(struct findings *findings, const struct cluster *cluster)
{
    for (uint32_t n = 0; n < cluster->member_count; n++) {
        const struct node *node = &cluster->nodes[n];
        if (!node->failed || !node->slots_owned)
            continue;
        struct finding *f = findings_add(findings, FINDING_SLOT_UNSERVED, CERTAINTY_PROVED);
        if (!f)
            return;
        finding_about(findings, f, cluster, n);
        f->slots = cluster_slots_of(cluster, n, findings->arena);
        f->summary = arena_format(findings->arena, "Their owner %s is failed and no replica has taken over%s. %s.", node->name,
                                  has_healthy_copy(cluster, n) ? ", although a healthy one is listed" : "",
                                  cluster->full_coverage ? "Full coverage is required, so the whole cluster is down"
                                                         : "Full coverage is not required: only these slots are down");
        f->rule = "the newest claim to the slots is that of a failed primary";
        f->settles = "a later view in which another node claims the slots at a higher configEpoch";
        finding_shows_claim(findings, f, node->failed_by);
        finding_shows_claim(findings, f, node->stands);
    }
}

/* ------------------------------------------------------------------ conflicts */

static bool marked_failed(const struct cluster *cluster, uint32_t by, uint32_t node)
{
    const struct node *winner = &cluster->nodes[by];
    if (winner->instance == SIZE_MAX)
        return false;
    const struct claim *claim = node_claim(&cluster->nodes[node], winner->instance);
    return claim && claim->sighting->entry->flags & NODE_FAIL;
}

static void report_conflict(struct findings *findings, const struct cluster *cluster, uint32_t winner, uint32_t loser)
{
    struct slot_set set = {.count = 0};
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
        if (cluster->slots[slot].node == winner && cluster->slots[slot].rival == loser) {
            set.has[slot] = true;
            set.count++;
        }
    const struct node *won = &cluster->nodes[winner], *lost = &cluster->nodes[loser];
    const struct claim *claim = node_own_words(lost);
    unsigned long long high = won->entry->config_epoch, low = claim ? claim->sighting->entry->config_epoch : 0;
    struct finding *f = findings_add(findings, FINDING_SLOT_CONFLICT, CERTAINTY_PROVED);
    if (!f)
        return;
    finding_about(findings, f, cluster, winner);
    f->slots = slots_text(findings->arena, in_set, &set);
    if (high == low) {
        f->summary = arena_format(findings->arena, "%s and %s both claim them at configEpoch %llu: neither wins until one of them raises its epoch.",
                                  won->name, lost->name, high);
        f->rule = "equal config epochs: the node with the smaller id raises its own when the two talk";
    } else if (marked_failed(cluster, winner, loser)) {
        f->severity = SEVERITY_WARNING;
        f->summary = arena_format(findings->arena, "%s owns them at configEpoch %llu; the file of %s, which it marks as failed, still claims them at %llu. "
                                  "When %s returns it yields, and what only its dump holds is lost.",
                                  won->name, high, lost->name, low, lost->name);
        f->rule = "the higher configEpoch wins";
    } else {
        f->summary = arena_format(findings->arena, "%s claims them at configEpoch %llu, %s at %llu: %s wins once they talk.",
                                  won->name, high, lost->name, low, won->name);
        f->rule = "the higher configEpoch wins";
    }
    f->settles = "newer files of both nodes";
    /* The loser's file may be from before it gave the slots away. */
    if (claim && claim->view->newest_pong_ms < won->stands->view->newest_pong_ms && lost->last_seen_ms > claim->view->newest_pong_ms)
        f->certainty = CERTAINTY_PROBABLE;
    finding_shows_claim(findings, f, won->stands);
    finding_shows_claim(findings, f, claim);
}

static void check_conflicts(struct findings *findings, const struct cluster *cluster)
{
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
        uint32_t winner = cluster->slots[slot].node, loser = cluster->slots[slot].rival;
        bool told = false;
        if (winner == NO_NODE || loser == NO_NODE)
            continue;
        for (unsigned before = 0; before < slot && !told; before++)
            told = cluster->slots[before].node == winner && cluster->slots[before].rival == loser;
        if (!told)
            report_conflict(findings, cluster, winner, loser);
    }
}

/* ------------------------------------------------------------------ views that name another owner */

/* The view's picture of the slot is of an earlier epoch than the one that decided: told as stale-view. */
static bool outdated(const struct cluster *cluster, const struct claim *claim, unsigned slot)
{
    uint32_t owner = cluster->slots[slot].node;
    return owner != NO_NODE && claim->sighting->entry->config_epoch < cluster->nodes[owner].entry->config_epoch;
}

static void check_mismatches(struct findings *findings, const struct cluster *cluster)
{
    struct slot_set *set = arena_alloc(findings->arena, sizeof(*set));
    bool *unlisted = arena_array(findings->arena, SLOT_COUNT, sizeof(*unlisted));
    const struct claim *shown[4] = {NULL};
    size_t shown_count = 0, views = 0;
    if (!set || !unlisted)
        return;
    for (size_t i = 0; i < cluster->core_count; i++) {
        const struct instance *instance = &cluster->evidence->instances[cluster->core[i]];
        bool deviates = false;
        memset(unlisted, 1, SLOT_COUNT * sizeof(*unlisted));
        for (size_t s = 0; s < instance->view->count; s++) {
            const struct sighting *sighting = &instance->view->sightings[s];
            const struct entry *entry = sighting->entry;
            if (!(entry->flags & NODE_PRIMARY) || !entry->range_count)
                continue;
            uint32_t index = cluster_node(cluster, entry->node);
            const struct claim *claim = index == NO_NODE ? NULL : node_claim(&cluster->nodes[index], cluster->core[i]);
            for (uint32_t r = 0; claim && r < entry->range_count; r++)
                for (unsigned slot = entry->ranges[r].first; slot <= entry->ranges[r].last && slot < SLOT_COUNT; slot++) {
                    unlisted[slot] = false;
                    if (cluster->slots[slot].node == index || outdated(cluster, claim, slot))
                        continue;
                    deviates = true;
                    set->count += !set->has[slot];
                    set->has[slot] = true;
                    if (shown_count < 4 && (!shown_count || shown[shown_count - 1] != claim))
                        shown[shown_count++] = claim;
                }
        }
        for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
            uint32_t owner = cluster->slots[slot].node;
            /* A view that shows nobody, although it knows the owner at its present epoch. */
            const struct claim *claim = unlisted[slot] && owner != NO_NODE ? node_claim(&cluster->nodes[owner], cluster->core[i]) : NULL;
            if (!claim || claim->own || outdated(cluster, claim, slot))
                continue;
            deviates = true;
            set->count += !set->has[slot];
            set->has[slot] = true;
            if (shown_count < 4 && (!shown_count || shown[shown_count - 1] != claim))
                shown[shown_count++] = claim;
        }
        views += deviates;
    }
    if (!set->count)
        return;
    struct finding *f = findings_add(findings, FINDING_SLOT_VIEW_MISMATCH, CERTAINTY_PROVED);
    if (!f)
        return;
    f->cluster = (size_t)(cluster - findings->clusters->all);
    f->slots = slots_text(findings->arena, in_set, set);
    unsigned unowned = 0;
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
        unowned += set->has[slot] && cluster->slots[slot].node == NO_NODE;
    f->summary = arena_format(findings->arena, "%zu of %zu views %s.", views, cluster->core_count,
                              unowned == set->count ? "still show an owner of slots that by the standing claims nobody owns"
                                                    : "show another owner than the standing claims give, or none");
    f->rule = "the owner is the member whose standing claim has the highest configEpoch; these views show no lower epoch and another owner, or none";
    f->settles = "newer views of the members named";
    for (size_t i = 0; i < shown_count; i++)
        finding_shows_claim(findings, f, shown[i]);
}

void check_slots(struct findings *findings, const struct cluster *cluster)
{
    check_uncovered(findings, cluster);
    check_unserved(findings, cluster);
    check_conflicts(findings, cluster);
    check_mismatches(findings, cluster);
}
