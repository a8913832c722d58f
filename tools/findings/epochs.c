/* Tests:     the logical clock of the cluster: unique config epochs, and files that are behind.
 * Relies on: standing claims and slot owners.
 * Reports:   epoch-collision, stale-view, no-quorum. */
#include "tools/findings/checks.h"

static void check_collisions(struct findings *findings, const struct cluster *cluster)
{
    for (uint32_t a = 0; a < cluster->member_count; a++)
        for (uint32_t b = a + 1; b < cluster->member_count; b++) {
            const struct node *one = &cluster->nodes[a], *two = &cluster->nodes[b];
            if (!one->slots_owned || !two->slots_owned || one->entry->config_epoch != two->entry->config_epoch)
                continue;
            struct finding *f = findings_add(findings, FINDING_EPOCH_COLLISION, CERTAINTY_PROVED);
            if (!f)
                return;
            finding_about(findings, f, cluster, a);
            f->goal = "repair";
            f->summary = arena_format(findings->arena, "%s and %s both hold configEpoch %llu.", one->name, two->name,
                                      (unsigned long long)one->entry->config_epoch);
            f->rule = "voting primaries have unique config epochs; the one with the smaller id raises its own when the two talk";
            f->settles = "newer files of both: a collision heals itself once the nodes talk to each other";
            finding_shows_claim(findings, f, one->stands);
            finding_shows_claim(findings, f, two->stands);
        }
}

/* Why a view is behind for one of its lines, or NULL. */
static const char *behind(struct findings *findings, const struct cluster *cluster, const struct sighting *sighting)
{
    const struct entry *entry = sighting->entry;
    uint32_t index = cluster_node(cluster, entry->node);
    if (index == NO_NODE || cluster->nodes[index].standing != STANDING_MEMBER || !(entry->flags & NODE_PRIMARY))
        return NULL;
    const struct node *node = &cluster->nodes[index];
    unsigned long long shown = entry->config_epoch, stands = node->entry->config_epoch;
    if (node->primary && stands > shown)
        return arena_format(findings->arena, "it shows configEpoch %llu for %s, which has reached %llu", shown, node->name, stands);
    for (uint32_t r = 0; r < entry->range_count; r++)
        for (unsigned slot = entry->ranges[r].first; slot <= entry->ranges[r].last && slot < SLOT_COUNT; slot++) {
            uint32_t owner = cluster->slots[slot].node;
            if (owner != NO_NODE && owner != index && cluster->nodes[owner].entry->config_epoch > shown)
                return arena_format(findings->arena, "it shows %s as the owner of slot %u at configEpoch %llu, which %s owns at %llu",
                                    node->name, slot, shown, cluster->nodes[owner].name,
                                    (unsigned long long)cluster->nodes[owner].entry->config_epoch);
        }
    if (node->replica && node->follows != NO_NODE && cluster->nodes[node->follows].entry->config_epoch > shown)
        return arena_format(findings->arena, "it shows %s as a primary at configEpoch %llu, which is a replica of %s at %llu now",
                            node->name, shown, cluster->nodes[node->follows].name,
                            (unsigned long long)cluster->nodes[node->follows].entry->config_epoch);
    return NULL;
}

static void check_stale_views(struct findings *findings, const struct cluster *cluster)
{
    for (size_t i = 0; i < cluster->core_count; i++) {
        const struct instance *instance = &cluster->evidence->instances[cluster->core[i]];
        const char *why = NULL;
        size_t lines = 0;
        struct finding *f = NULL;
        uint32_t index = cluster_node_of(cluster, cluster->core[i]);
        for (size_t s = 0; s < instance->view->count; s++) {
            const struct sighting *sighting = &instance->view->sightings[s];
            const char *line = behind(findings, cluster, sighting);
            if (!line)
                continue;
            if (!f && !(f = findings_add(findings, FINDING_STALE_VIEW, CERTAINTY_PROVED)))
                return;
            if (!lines++)
                why = line;
            finding_shows(findings, f, instance->view->file, (struct place){sighting->offset, sighting->length, sighting->line});
        }
        if (!f)
            continue;
        if (index != NO_NODE)
            finding_about(findings, f, cluster, index);
        f->summary = arena_format(findings->arena, "The view of %s is behind: %s%s.", instance->name, why ? why : "",
                                  lines > 1 ? arena_format(findings->arena, " (and %zu more line%s)", lines - 1, lines == 2 ? "" : "s") : "");
        f->rule = "a higher configEpoch in another member's view has replaced what this file shows";
        f->settles = "a newer file of this instance";
    }
}

/* Views show FAIL; PFAIL only captures do. */
static void check_quorum(struct findings *findings, const struct cluster *cluster)
{
    size_t failing = 0;
    struct finding *f = NULL;
    for (size_t n = 0; n < cluster->member_count; n++)
        failing += cluster->nodes[n].slots_owned && (cluster->nodes[n].failed || cluster->nodes[n].suspected > cluster->nodes[n].listing / 2);
    size_t majority = cluster->voting / 2 + 1;
    if (!cluster->voting || cluster->voting - failing >= majority)
        return;
    if (!(f = findings_add(findings, FINDING_NO_QUORUM, CERTAINTY_PROVED)))
        return;
    f->cluster = (size_t)(cluster - findings->clusters->all);
    f->summary = arena_format(findings->arena, "%zu of %zu voting primaries are failing: no majority is left to agree on a failover.",
                              failing, cluster->voting);
    f->rule = "a failover needs the votes of more than half of the primaries with slots";
    f->settles = "later views in which the primaries answer";
    for (size_t n = 0; n < cluster->member_count; n++) {
        const struct node *node = &cluster->nodes[n];
        for (size_t c = 0; node->slots_owned && c < node->claim_count; c++)
            if (!node->claims[c].own && node->claims[c].sighting->entry->flags & (NODE_FAIL | NODE_PFAIL))
                finding_shows_claim(findings, f, &node->claims[c]);
    }
}

void check_epochs(struct findings *findings, const struct cluster *cluster)
{
    check_collisions(findings, cluster);
    check_stale_views(findings, cluster);
    check_quorum(findings, cluster);
}
