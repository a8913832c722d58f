/* Tests:     the case as a whole.
 * Relies on: the clusters that its views add up to.
 * Reports:   separate-clusters, address-conflict (an instance of the case at the address of a member with another id). */
#include <string.h>

#include "tools/findings/checks.h"

static void check_separate(struct findings *findings)
{
    const struct clusters *clusters = findings->clusters;
    if (clusters->count < 2)
        return;
    struct finding *f = findings_add(findings, FINDING_SEPARATE_CLUSTERS, CERTAINTY_PROVED);
    if (!f)
        return;
    const char *list = "";
    for (size_t c = 0; c < clusters->count; c++) {
        const struct cluster *cluster = &clusters->all[c];
        const struct instance *first = &findings->evidence->instances[cluster->core[0]];
        if (c < 8)
            list = arena_format(findings->arena, "%s%s%s (%zu member%s)", list ? list : "", c ? ", " : "", first->name,
                                cluster->member_count, cluster->member_count == 1 ? "" : "s");
        const struct sighting *own = view_own(first->view);
        if (own)
            finding_shows(findings, f, first->view->file, (struct place){own->offset, own->length, own->line});
    }
    f->summary = arena_format(findings->arena, "%zu clusters, those of %s%s: each is judged by itself.", clusters->count, list ? list : "",
                              clusters->count > 8 ? ", ..." : "");
    f->rule = "no view lists members of both";
    f->settles = "a view that lists members of both";
}

static void check_squatters(struct findings *findings, const struct cluster *cluster)
{
    for (size_t i = 0; i < findings->evidence->instance_count; i++) {
        const struct instance *instance = &findings->evidence->instances[i];
        const struct sighting *own = instance->view ? view_own(instance->view) : NULL;
        uint32_t index = cluster_node_of(cluster, i);
        if (!own || !instance->port || !*instance->ip || (index != NO_NODE && cluster->nodes[index].standing == STANDING_MEMBER))
            continue;
        for (uint32_t n = 0; n < cluster->member_count; n++) {
            const struct node *node = &cluster->nodes[n];
            const struct entry *entry = node->entry;
            if (index == NO_NODE && clusters_of(findings->clusters, i))
                continue; /* a member of another cluster, on a network with the same addresses */
            if (!entry || entry->port != instance->port || strcmp(entry->ip, instance->ip) != 0 || node->number == instance->node)
                continue;
            struct finding *f = findings_add(findings, FINDING_ADDRESS_CONFLICT, CERTAINTY_PROVED);
            if (!f)
                return;
            finding_about(findings, f, cluster, n);
            f->summary = arena_format(findings->arena, "Members list %.8s at %s, where the instance of the case calls itself %.8s.", node->id,
                                      node->name, own ? view_store_id(findings->evidence->store, own->entry->node) : "");
            f->rule = "one address can belong to one node: its identity was reset or replaced, and the old id was not forgotten";
            f->settles = arena_format(findings->arena, "CLUSTER MYID of %s", node->name);
            finding_shows_claim(findings, f, node->stands);
            finding_shows(findings, f, instance->view->file, (struct place){own->offset, own->length, own->line});
        }
    }
}

void check_case(struct findings *findings)
{
    check_separate(findings);
    for (size_t c = 0; c < findings->clusters->count; c++)
        check_squatters(findings, &findings->clusters->all[c]);
}
