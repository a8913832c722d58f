/* Tests:     what is lost together.
 * Relies on: hosts as the evidence gives them (evidence.host_basis says from where).
 * Reports:   replica-on-primary-host, host-holds-majority, host-loss-uncovers-slots. */
#include <string.h>

#include "tools/findings/checks.h"

static bool on_host(const struct node *node, const char *host)
{
    return strcmp(node->host, host) == 0;
}

static const char *basis(struct findings *findings, const char *rule)
{
    return arena_format(findings->arena, "%s; hosts by %s", rule, findings->evidence->host_basis);
}

static void check_pairs(struct findings *findings, const struct cluster *cluster)
{
    for (uint32_t n = 0; n < cluster->member_count; n++) {
        const struct node *node = &cluster->nodes[n];
        if (!node->replica || node->follows == NO_NODE || !on_host(node, cluster->nodes[node->follows].host))
            continue;
        const struct node *primary = &cluster->nodes[node->follows];
        struct finding *f = findings_add(findings, FINDING_REPLICA_ON_PRIMARY_HOST, CERTAINTY_PROVED);
        if (!f)
            return;
        finding_about(findings, f, cluster, n);
        f->summary = arena_format(findings->arena, "It lives on host %s with its primary %s: they are lost together.", node->host,
                                  primary->name);
        f->rule = basis(findings, "a replica protects against the loss of another host than its own");
        f->settles = "a table of hosts (--hosts) that puts them on different ones";
        finding_shows_claim(findings, f, node->stands);
        finding_shows_claim(findings, f, primary->stands);
    }
}

/* The node is the first member on its host: each host is judged once. */
static bool first_on_host(const struct cluster *cluster, uint32_t index)
{
    for (uint32_t n = 0; n < index; n++)
        if (on_host(&cluster->nodes[n], cluster->nodes[index].host))
            return false;
    return true;
}

static void check_majority(struct findings *findings, const struct cluster *cluster, const char *host)
{
    size_t here = 0;
    for (uint32_t n = 0; n < cluster->member_count; n++)
        here += cluster->nodes[n].slots_owned && on_host(&cluster->nodes[n], host);
    if (cluster->voting == 0 || here == 0 || cluster->voting - here >= cluster->voting / 2 + 1)
        return;
    struct finding *f = findings_add(findings, FINDING_HOST_HOLDS_MAJORITY, cluster->partial ? CERTAINTY_PROBABLE : CERTAINTY_PROVED);
    if (!f)
        return;
    f->cluster = (size_t)(cluster - findings->clusters->all);
    f->host = host;
    f->summary = arena_format(findings->arena, "%zu of %zu voting primaries live on it: losing it leaves no majority, so no replica can take over.",
                              here, cluster->voting);
    f->rule = basis(findings, "a failover needs the votes of more than half of the primaries with slots");
    f->settles = cluster->partial ? "a view that leaves no node out (CLUSTER NODES, nodes.conf); a table of hosts (--hosts)"
                                  : "a table of hosts (--hosts) that spreads them";
    for (uint32_t n = 0; n < cluster->member_count; n++)
        if (cluster->nodes[n].slots_owned && on_host(&cluster->nodes[n], host))
            finding_shows_claim(findings, f, cluster->nodes[n].stands);
}

struct loss {
    const struct cluster *cluster;
    const char *host;
    const bool *copied_elsewhere; /* by index of the primary */
};

static bool lost(const void *context, unsigned slot)
{
    const struct loss *loss = context;
    uint32_t owner = loss->cluster->slots[slot].node;
    return owner != NO_NODE && on_host(&loss->cluster->nodes[owner], loss->host) && !loss->copied_elsewhere[owner];
}

static void check_coverage(struct findings *findings, const struct cluster *cluster, const char *host)
{
    bool *elsewhere = arena_array(findings->arena, cluster->node_count, sizeof(*elsewhere));
    bool any_replica = false;
    if (!elsewhere)
        return;
    for (uint32_t n = 0; n < cluster->member_count; n++) {
        const struct node *node = &cluster->nodes[n];
        any_replica |= node->replica;
        if (node->replica && node->follows != NO_NODE && !node->failed && !on_host(node, host))
            elsewhere[node->follows] = true;
    }
    if (!any_replica)
        return; /* told once, as primary-without-replica */
    const char *slots = slots_text(findings->arena, lost, &(struct loss){cluster, host, elsewhere});
    if (!slots || !*slots)
        return;
    struct finding *f = findings_add(findings, FINDING_HOST_LOSS_UNCOVERS_SLOTS, cluster->partial ? CERTAINTY_PROBABLE : CERTAINTY_PROVED);
    if (!f)
        return;
    f->cluster = (size_t)(cluster - findings->clusters->all);
    f->host = host;
    f->slots = slots;
    f->rule = basis(findings, "every healthy copy of these slots, by the newest claims, is on this host");
    f->settles = "a table of hosts (--hosts), or views that list a replica elsewhere";
    const char *who = "";
    for (uint32_t n = 0; n < cluster->member_count; n++) {
        const struct node *node = &cluster->nodes[n];
        bool owner = node->slots_owned && on_host(node, host) && !elsewhere[n];
        bool copy = node->replica && node->follows != NO_NODE && on_host(node, host) &&
                    cluster->nodes[node->follows].slots_owned && on_host(&cluster->nodes[node->follows], host) && !elsewhere[node->follows];
        if (!owner && !copy)
            continue;
        who = arena_format(findings->arena, "%s%s%s%s", who ? who : "", who && *who ? ", " : "", node->name, copy ? " (replica)" : "");
        finding_shows_claim(findings, f, node->stands);
    }
    f->summary = arena_format(findings->arena, "Losing it loses every copy of these slots: %s.", who ? who : "");
}

void check_hosts(struct findings *findings, const struct cluster *cluster)
{
    check_pairs(findings, cluster);
    for (uint32_t n = 0; n < cluster->member_count; n++)
        if (first_on_host(cluster, n)) {
            check_majority(findings, cluster, cluster->nodes[n].host);
            check_coverage(findings, cluster, cluster->nodes[n].host);
        }
}
