/* Tests:     the logical clock of the cluster: unique config epochs, and files that are behind.
 * Relies on: standing claims and slot owners.
 * Reports:   epoch-collision, epoch-outlier, epoch-decreased, stale-view. */
#include <inttypes.h>

#include "tools/findings/checks.h"

static void check_collisions(struct findings *findings, const struct cluster *cluster)
{
    for (uint32_t a = 0; a < cluster->member_count; a++)
        for (uint32_t b = a + 1; b < cluster->member_count; b++) {
            const struct node *one = &cluster->nodes[a], *two = &cluster->nodes[b];
            if (!node_has_epoch(one) || !node_has_epoch(two))
                continue;
            if (!one->slots_owned || !two->slots_owned || one->entry->config_epoch != two->entry->config_epoch)
                continue;
            struct finding *f = findings_add(findings, FINDING_EPOCH_COLLISION, CERTAINTY_PROVED);
            if (!f)
                return;
            finding_about(findings, f, cluster, a);
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
        if (instance->view->limits & VIEW_NO_EPOCHS)
            continue;
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

/* ------------------------------------------------------------------ epochs out of line */

/* So many elections take a year at one failed election every 30 s. */
enum { EPOCHS_OUT_OF_REACH = 1000000, EPOCHS_IN_REACH = 1000 };

/* "Without bit 40 it would be 7", where one flipped bit explains the epoch; else NULL. */
static const char *flipped_bit(struct findings *findings, uint64_t epoch, uint64_t usual)
{
    for (int bit = 63; bit >= 20; bit--)
        if (epoch >> bit & 1 && (epoch ^ UINT64_C(1) << bit) <= usual + EPOCHS_IN_REACH)
            return arena_format(findings->arena, "without bit %d it would be %" PRIu64, bit,
                                epoch ^ UINT64_C(1) << bit);
    return NULL;
}

static void check_outlier(struct findings *findings, const struct cluster *cluster)
{
    const struct node *highest = NULL;
    const struct view *view = NULL;
    uint64_t second = 0;
    for (uint32_t n = 0; n < cluster->member_count; n++) {
        const struct node *node = &cluster->nodes[n];
        if (!node->primary)
            continue;
        if (!highest || node->entry->config_epoch > highest->entry->config_epoch) {
            second = highest ? highest->entry->config_epoch : 0;
            highest = node;
        } else if (node->entry->config_epoch > second) {
            second = node->entry->config_epoch;
        }
    }
    if (!highest)
        return;
    for (size_t i = 0; i < cluster->core_count; i++) {
        const struct view *its = cluster->evidence->instances[cluster->core[i]].view;
        if (!view || view_epoch(its) > view_epoch(view))
            view = its;
    }
    uint64_t epoch = highest->entry->config_epoch, usual = second;
    bool of_node = epoch - second > EPOCHS_OUT_OF_REACH;
    if (!of_node) {
        usual = epoch;
        epoch = view ? view_epoch(view) : 0;
        if (epoch <= usual || epoch - usual <= EPOCHS_OUT_OF_REACH)
            return;
    }
    struct finding *f = findings_add(findings, FINDING_EPOCH_OUTLIER, CERTAINTY_PROBABLE);
    if (!f)
        return;
    f->cluster = (size_t)(cluster - findings->clusters->all);
    if (of_node)
        finding_about(findings, f, cluster, (uint32_t)(highest - cluster->nodes));
    f->summary = of_node ? arena_format(findings->arena, "%s holds configEpoch %" PRIu64 ", the next highest of a primary is %" PRIu64
                                        ": damage, or an edit by hand, rather than elections.", highest->name, epoch, usual)
                         : arena_format(findings->arena, "currentEpoch has reached %" PRIu64 ", the highest configEpoch is %" PRIu64
                                        ": damage, or an edit by hand, rather than elections.", epoch, usual);
    f->detail = flipped_bit(findings, epoch, usual);
    f->rule = "an epoch more than a million above all others: elections, moves of slots and collisions add one each";
    f->settles = "logs that show so many elections; older files of the node";
    if (of_node)
        finding_shows_claim(findings, f, highest->stands);
    if (view)
        finding_shows_vars(findings, f, view);
}

/* What fell between an older view of an instance and its newest, or NULL. */
static const char *decreased(struct findings *findings, const struct view *old, const struct view *new)
{
    const struct sighting *was = view_own(old), *is = view_own(new);
    if (!was || !is || was->entry->node != is->entry->node)
        return NULL;
    const struct {
        const char *name;
        bool known;
        uint64_t was, is;
    } epochs[] = {
        {"currentEpoch", old->has_current_epoch && new->has_current_epoch, old->current_epoch, new->current_epoch},
        {"lastVoteEpoch", old->has_last_vote_epoch && new->has_last_vote_epoch, old->last_vote_epoch, new->last_vote_epoch},
        {"configEpoch", was->entry->flags & is->entry->flags & NODE_PRIMARY, was->entry->config_epoch, is->entry->config_epoch},
    };
    for (size_t e = 0; e < sizeof(epochs) / sizeof(epochs[0]); e++)
        if (epochs[e].known && epochs[e].is < epochs[e].was)
            return arena_format(findings->arena, "its %s was %" PRIu64 " and is %" PRIu64, epochs[e].name,
                                epochs[e].was, epochs[e].is);
    return NULL;
}

static void check_decreases(struct findings *findings, const struct cluster *cluster)
{
    for (size_t i = 0; i < cluster->core_count; i++) {
        const struct instance *instance = &cluster->evidence->instances[cluster->core[i]];
        const struct view *older = NULL;
        const char *how = NULL;
        for (size_t h = 0; h < instance->history_count && !how; h++) {
            older = instance->history[h];
            how = decreased(findings, older, instance->view);
        }
        struct finding *f = how ? findings_add(findings, FINDING_EPOCH_DECREASED, CERTAINTY_PROBABLE) : NULL;
        if (!f)
            continue;
        finding_about_instance(findings, f, cluster->core[i]);
        f->summary = arena_format(findings->arena, "Between two of its files %s: it was restored, copied, or lost its vars line. "
                                  "It may vote twice in one epoch.", how);
        f->rule = "the epochs of a node never fall while it keeps its id; the view with the newest pong is taken for the newer one";
        f->settles = "the times at which the two files were saved; a log without a restart between them";
        finding_shows_vars(findings, f, instance->view);
        finding_shows_line(findings, f, instance->view, view_own(instance->view));
        finding_shows_vars(findings, f, older);
        finding_shows_line(findings, f, older, view_own(older));
    }
}

void check_epochs(struct findings *findings, const struct cluster *cluster)
{
    check_collisions(findings, cluster);
    check_stale_views(findings, cluster);
    check_outlier(findings, cluster);
    check_decreases(findings, cluster);
}
