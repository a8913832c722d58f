/* Tests:     what captures of INFO and CLUSTER INFO say, against the cluster that the views add up to.
 * Relies on: the newest of them; an older one is history.
 * Reports:   shadow-replica (a connected replica that no member lists), keys-in-nonzero-db (of a running server). */
#include <arpa/inet.h>
#include <string.h>

#include "tools/findings/checks.h"

static bool same_ip(const char *a, const char *b)
{
    unsigned char x[16], y[16];
    if (strcmp(a, b) == 0)
        return true;
    return inet_pton(AF_INET6, a, x) == 1 && inet_pton(AF_INET6, b, y) == 1 && memcmp(x, y, 16) == 0;
}

static bool at(const struct entry *entry, const struct status_replica *replica)
{
    return (entry->port == replica->port || entry->tls_port == replica->port) &&
           (same_ip(entry->ip, replica->ip) || strcmp(entry->hostname, replica->ip) == 0);
}

/* The node of the cluster that some claim puts at the replica's address, or NO_NODE. */
static uint32_t node_at(const struct cluster *cluster, const struct status_replica *replica)
{
    for (uint32_t n = 0; n < cluster->node_count; n++)
        for (size_t c = 0; c < cluster->nodes[n].claim_count; c++)
            if (at(cluster->nodes[n].claims[c].sighting->entry, replica))
                return n;
    return NO_NODE;
}

/* The newest capture that shows replication. */
static const struct status *replication_of(const struct instance *instance)
{
    for (size_t s = 0; s < instance->status_count; s++)
        if (instance->statuses[s]->words[STATUS_ROLE].known)
            return instance->statuses[s];
    return NULL;
}

static size_t listed_replicas(const struct cluster *cluster, uint32_t primary)
{
    size_t count = 0;
    for (uint32_t n = 0; n < cluster->member_count; n++)
        count += cluster->nodes[n].replica && cluster->nodes[n].follows == primary;
    return count;
}

/* A replica behind address translation connects from an address that nobody lists: only where more are connected than
 * are listed is one of them surely a stranger. */
static void check_shadows(struct findings *findings, const struct cluster *cluster, uint32_t index)
{
    const struct node *node = &cluster->nodes[index];
    const struct instance *instance = node->instance == SIZE_MAX ? NULL : &cluster->evidence->instances[node->instance];
    const struct status *status = instance ? replication_of(instance) : NULL;
    if (!status || strcmp(status->words[STATUS_ROLE].word, "master") != 0)
        return;
    size_t online = 0;
    for (size_t r = 0; r < status->replica_count; r++)
        online += status->replicas[r].online;
    if (online <= listed_replicas(cluster, index) || cluster->partial)
        return;
    for (size_t r = 0; r < status->replica_count; r++) {
        const struct status_replica *replica = &status->replicas[r];
        uint32_t known = node_at(cluster, replica);
        bool member = known != NO_NODE && cluster->nodes[known].standing == STANDING_MEMBER;
        /* One whose own view makes it a replica is told of there. */
        if (!replica->online || !replica->port || !*replica->ip || member ||
            (known != NO_NODE && cluster->nodes[known].replica))
            continue;
        struct finding *f = findings_add(findings, FINDING_SHADOW_REPLICA, CERTAINTY_PROBABLE);
        if (!f)
            return;
        f->cluster = (size_t)(cluster - findings->clusters->all);
        if (known != NO_NODE)
            finding_about(findings, f, cluster, known);
        else
            f->node = arena_format(findings->arena, "%s:%u", replica->ip, replica->port);
        f->summary = arena_format(findings->arena, "It replicates from %s (%.8s), and no member lists it: %zu replica%s connected, %zu listed.",
                                  node->name, node->id, online, online == 1 ? " is" : "s are", listed_replicas(cluster, index));
        f->rule = "INFO of the primary shows more connected replicas than members list; replication asks for no membership";
        f->settles = "CLUSTER NODES asked of it; a member's view that lists it; address translation on the way";
        if (known != NO_NODE)
            f->goal = "rejoin";
        finding_shows(findings, f, status->file, replica->place);
    }
}

static bool has_dump_with_databases(const struct instance *instance)
{
    for (size_t d = 0; instance->dump && d < instance->dump->db_count; d++)
        if (instance->dump->dbs[d].db && instance->dump->dbs[d].keys)
            return true;
    return false;
}

/* The running server: its dump, where it shows the same, is told of by itself. Valkey 9 has several databases. */
static void check_databases(struct findings *findings, const struct cluster *cluster, uint32_t index)
{
    const struct node *node = &cluster->nodes[index];
    const struct instance *instance = node->instance == SIZE_MAX ? NULL : &cluster->evidence->instances[node->instance];
    const struct status *status = NULL;
    for (size_t s = 0; instance && !status && s < instance->status_count; s++)
        if (instance->statuses[s]->has_keyspace)
            status = instance->statuses[s];
    if (!status || has_dump_with_databases(instance) ||
        (instance->server.product == PRODUCT_VALKEY && server_compare(instance->server, 9, 0, 0) >= 0))
        return;
    struct finding *f = NULL;
    uint64_t keys = 0;
    for (size_t k = 0; k < status->keys_count; k++) {
        if (!status->keys[k].db || !status->keys[k].keys)
            continue;
        if (!f && !(f = findings_add(findings, FINDING_KEYS_IN_NONZERO_DB, CERTAINTY_PROVED)))
            return;
        keys += status->keys[k].keys;
        finding_shows(findings, f, status->file, status->keys[k].place);
    }
    if (!f)
        return;
    finding_about(findings, f, cluster, index);
    f->has_keys = true;
    f->keys = keys;
    f->summary = arena_format(findings->arena, "INFO shows %llu key%s outside database 0: the server will not start again with them in cluster mode.",
                              (unsigned long long)keys, keys == 1 ? "" : "s");
    f->rule = "cluster mode knows database 0 only (Valkey 9 excepted)";
    f->settles = "a newer INFO of the instance";
}

void check_statuses(struct findings *findings, const struct cluster *cluster)
{
    for (uint32_t n = 0; n < cluster->node_count; n++) {
        if (n < cluster->member_count)
            check_shadows(findings, cluster, n);
        check_databases(findings, cluster, n);
    }
}
