/* Tests:     who copies whom.
 * Relies on: standing claims.
 * Reports:   primary-without-replica, replica-of-unknown, replica-of-replica, shard-id-mismatch. */
#include <string.h>

#include "tools/findings/checks.h"

static size_t healthy_replicas(const struct cluster *cluster, uint32_t primary)
{
    size_t count = 0;
    for (uint32_t n = 0; n < cluster->member_count; n++)
        count += cluster->nodes[n].replica && cluster->nodes[n].follows == primary && !cluster->nodes[n].failed;
    return count;
}

static void check_primaries(struct findings *findings, const struct cluster *cluster)
{
    bool any = false;
    for (uint32_t n = 0; n < cluster->member_count; n++)
        any |= cluster->nodes[n].replica;
    if (!any && cluster->voting) {
        struct finding *f = findings_add(findings, FINDING_PRIMARY_WITHOUT_REPLICA, CERTAINTY_PROVED);
        if (!f)
            return;
        f->severity = SEVERITY_INFO;
        f->cluster = (size_t)(cluster - findings->clusters->all);
        f->summary = arena_format(findings->arena, "The cluster has no replicas at all: losing any of its %zu primaries loses its slots.",
                                  cluster->voting);
        f->rule = "no member is a replica";
        f->settles = "views that list replicas";
        for (uint32_t n = 0; n < cluster->member_count; n++)
            if (cluster->nodes[n].slots_owned)
                finding_shows_claim(findings, f, cluster->nodes[n].stands);
        return;
    }
    for (uint32_t n = 0; n < cluster->member_count; n++) {
        const struct node *node = &cluster->nodes[n];
        if (!node->slots_owned || node->failed || healthy_replicas(cluster, n))
            continue;
        struct finding *f = findings_add(findings, FINDING_PRIMARY_WITHOUT_REPLICA, CERTAINTY_PROVED);
        if (!f)
            return;
        finding_about(findings, f, cluster, n);
        f->slots = cluster_slots_of(cluster, n, findings->arena);
        f->summary = arena_format(findings->arena, "No healthy replica of it is listed: losing it loses %u slots.", node->slots_owned);
        f->rule = "by the newest claims, no member that is not failed replicates this voting primary";
        f->settles = "newer views that list a replica of it";
        finding_shows_claim(findings, f, node->stands);
        for (uint32_t r = 0; r < cluster->member_count; r++)
            if (cluster->nodes[r].replica && cluster->nodes[r].follows == n)
                finding_shows_claim(findings, f, cluster->nodes[r].stands);
    }
}

static void check_replica(struct findings *findings, const struct cluster *cluster, uint32_t index)
{
    const struct node *node = &cluster->nodes[index];
    const struct node *primary = node->follows == NO_NODE ? NULL : &cluster->nodes[node->follows];
    const char *summary = NULL;
    enum finding_id id = FINDING_REPLICA_OF_UNKNOWN;
    if (node->entry->primary == NO_NODE)
        summary = "It is a replica without a primary.";
    else if (!primary)
        summary = arena_format(findings->arena, "It replicates %.8s, which no member's view lists.",
                               view_store_id(cluster->evidence->store, node->entry->primary));
    else if (primary->standing != STANDING_MEMBER)
        summary = arena_format(findings->arena, "It replicates %s (%.8s), which is no member.", primary->name, primary->id);
    else if (primary->failed && !node->failed)
        summary = arena_format(findings->arena, "Its primary %s is failed, and nobody has succeeded it: this replica still follows it.", primary->name);
    else if (primary->replica && !node->failed && !primary->failed) {
        id = FINDING_REPLICA_OF_REPLICA;
        summary = arena_format(findings->arena, "It replicates %s, which is itself a replica.", primary->name);
    }
    if (!summary)
        return;
    struct finding *f = findings_add(findings, id, CERTAINTY_PROVED);
    if (!f)
        return;
    finding_about(findings, f, cluster, index);
    f->summary = summary;
    f->rule = arena_format(findings->arena, "its newest claim: %s", claim_rule_text(node->rule));
    f->settles = "a newer file of the replica";
    finding_shows_claim(findings, f, node->stands);
    if (primary)
        finding_shows_claim(findings, f, primary->stands);
}

/* One view gives a replica and its primary different shard ids: Redis 7.2 to 7.4 and Valkey up to 8.1 refuse such a file. */
static void check_shards(struct findings *findings, const struct cluster *cluster)
{
    for (size_t i = 0; i < cluster->core_count; i++) {
        const struct instance *instance = &cluster->evidence->instances[cluster->core[i]];
        struct finding *f = NULL;
        size_t count = 0;
        for (size_t s = 0; s < instance->view->count; s++) {
            const struct sighting *replica = &instance->view->sightings[s];
            const struct sighting *primary = replica->entry->primary == NO_NODE ? NULL : view_find(instance->view, replica->entry->primary);
            if (!primary || !*replica->entry->shard_id || !*primary->entry->shard_id ||
                strcmp(replica->entry->shard_id, primary->entry->shard_id) == 0)
                continue;
            if (!f && !(f = findings_add(findings, FINDING_SHARD_ID_MISMATCH, CERTAINTY_PROVED)))
                return;
            count++;
            finding_shows(findings, f, instance->view->file, (struct place){replica->offset, replica->length, replica->line});
            finding_shows(findings, f, instance->view->file, (struct place){primary->offset, primary->length, primary->line});
        }
        if (!f)
            continue;
        uint32_t index = cluster_node_of(cluster, cluster->core[i]);
        if (index != NO_NODE)
            finding_about(findings, f, cluster, index);
        f->summary = arena_format(findings->arena, "In the file of %s, %zu replica%s another shard-id than %s primary: "
                                  "Redis 7.2 to 7.4 and Valkey up to 8.1 would not start with it.", instance->name, count,
                                  count == 1 ? " has" : "s have", count == 1 ? "its" : "their");
        f->rule = "the shard-id of a replica's line against that of its primary's line";
        f->settles = "a newer file of this instance; Redis 8.0 and Valkey 9.0 repair it while loading";
    }
}

void check_replicas(struct findings *findings, const struct cluster *cluster)
{
    check_primaries(findings, cluster);
    for (uint32_t n = 0; n < cluster->member_count; n++)
        if (cluster->nodes[n].replica)
            check_replica(findings, cluster, n);
    check_shards(findings, cluster);
}
