#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tools/render/escape.h"
#include "tools/evidence/flags.h"
#include "tools/render/topology_private.h"

enum {
    N_NODE_ID, N_ADDRESS, N_HOST, N_PORT, N_BUS_PORT, N_HOSTNAME, N_ROLE, N_PRIMARY_ID, N_FLAGS, N_LINK, N_CONFIG_EPOCH,
    N_SLOTS, N_SLOT_COUNT, N_KEYS, N_VIEWS_LISTING, N_VIEWS_TOTAL, N_STANDING, N_FAILED, N_CLUSTER
};

static const struct column node_columns[] = {
    [N_NODE_ID] = {"node_id", COLUMN_TEXT, "id", 11, .help = "id of the node"},
    [N_ADDRESS] = {"address", COLUMN_TEXT, .help = "ip:port by the claim that stands"},
    [N_HOST] = {"host", COLUMN_TEXT, .help = "what is lost together"},
    [N_PORT] = {"port", COLUMN_COUNT, .flags = COLUMN_MACHINE, .help = "port for clients"},
    [N_BUS_PORT] = {"bus_port", COLUMN_COUNT, .flags = COLUMN_MACHINE,
        .help = "port of the cluster bus; port + 10000 where it is not written"},
    [N_HOSTNAME] = {"hostname", COLUMN_TEXT, .flags = COLUMN_MACHINE, .help = "announced hostname"},
    [N_ROLE] = {"role", COLUMN_TEXT, .help = "primary or replica"},
    [N_PRIMARY_ID] = {"primary_id", COLUMN_TEXT, "primary", 11, .help = "id of the primary of a replica"},
    [N_FLAGS] = {"flags", COLUMN_TEXT, .help = "as in the newest view other than the node's own"},
    [N_LINK] = {"link", COLUMN_TEXT, .help = "connected or disconnected, in the same view"},
    [N_CONFIG_EPOCH] = {"config_epoch", COLUMN_U64, "epoch", .help = "configEpoch by the claim that stands"},
    [N_SLOTS] = {"slots", COLUMN_TEXT, NULL, 40, .help = "slots it owns by the cluster's decision, as ranges"},
    [N_SLOT_COUNT] = {"slot_count", COLUMN_COUNT, "count", .flags = COLUMN_GROUPED, .help = "how many"},
    [N_KEYS] = {"keys", COLUMN_U64, .flags = COLUMN_GROUPED, .help = "keys in its own dump; absent without a dump"},
    [N_VIEWS_LISTING] = {"views_listing", COLUMN_COUNT, "listed",
        .help = "views of the cluster that list it, its own included"},
    [N_VIEWS_TOTAL] = {"views_total", COLUMN_COUNT, "views",
        .help = "views of the cluster, one an instance, outsiders included"},
    [N_STANDING] = {"standing", COLUMN_TEXT,
        .help = "member, outsider (no member lists it) or ghost (listed without address or in handshake)"},
    [N_FAILED] = {"failed", COLUMN_BOOL, .help = "FAIL in a member's view that no later pong refutes"},
    [N_CLUSTER] = {"cluster", COLUMN_COUNT, .flags = COLUMN_MACHINE,
        .help = "number of the cluster in the case, from 0"},
};

enum {
    S_FIRST, S_LAST, S_OWNER_ID, S_OWNER_ADDRESS, S_CONFIG_EPOCH, S_CLAIMED_BY, S_STATE, S_SLOT_COUNT, S_CLAIMED_BY_IDS,
    S_MARKS, S_CLUSTER
};

static const struct column slot_columns[] = {
    [S_FIRST] = {"first", COLUMN_COUNT, .help = "first slot of the run"},
    [S_LAST] = {"last", COLUMN_COUNT, .help = "last slot of the run"},
    [S_OWNER_ID] = {"owner_id", COLUMN_TEXT, "owner id", 11, .help = "id of the owner; absent when nobody owns them"},
    [S_OWNER_ADDRESS] = {"owner_address", COLUMN_TEXT, "owner", .help = "its address"},
    [S_CONFIG_EPOCH] = {"config_epoch", COLUMN_U64, "epoch", .help = "its configEpoch"},
    [S_CLAIMED_BY] = {"claimed_by", COLUMN_LIST, "claimed by",
        .help = "addresses of all nodes to which a member's view, or their own, gives the slots"},
    [S_STATE] = {"state", COLUMN_TEXT, .help = "ok, uncovered, dropped, conflict, failed or open"},
    [S_SLOT_COUNT] = {"slot_count", COLUMN_COUNT, "count", .flags = COLUMN_GROUPED, .help = "how many slots"},
    [S_CLAIMED_BY_IDS] = {"claimed_by_ids", COLUMN_LIST, .flags = COLUMN_MACHINE, .help = "ids of the same nodes"},
    [S_MARKS] = {"marks", COLUMN_TEXT, .help = "marks of open slots on members' own lines"},
    [S_CLUSTER] = {"cluster", COLUMN_COUNT, .flags = COLUMN_MACHINE,
        .help = "number of the cluster in the case, from 0"},
};

enum {
    R_REPLICA_ID, R_REPLICA_ADDRESS, R_REPLICA_HOST, R_PRIMARY_ID, R_PRIMARY_ADDRESS, R_PRIMARY_HOST, R_SAME_HOST,
    R_LINK, R_FAILED, R_PRIMARY_FAILED, R_STANDING, R_CLUSTER
};

static const struct column replica_columns[] = {
    [R_REPLICA_ID] = {"replica_id", COLUMN_TEXT, "id", 11, .help = "id of the replica"},
    [R_REPLICA_ADDRESS] = {"replica_address", COLUMN_TEXT, "replica", .help = "its address"},
    [R_REPLICA_HOST] = {"replica_host", COLUMN_TEXT, "host", .help = "its host"},
    [R_PRIMARY_ID] = {"primary_id", COLUMN_TEXT, "primary id", 11, .help = "id of its primary"},
    [R_PRIMARY_ADDRESS] = {"primary_address", COLUMN_TEXT, "primary",
        .help = "address of its primary; absent when that is in no view"},
    [R_PRIMARY_HOST] = {"primary_host", COLUMN_TEXT, "primary host", .help = "host of its primary"},
    [R_SAME_HOST] = {"same_host", COLUMN_BOOL, "same host", .help = "both are lost together"},
    [R_LINK] = {"link", COLUMN_TEXT, .help = "link to the replica in the newest view other than its own"},
    [R_FAILED] = {"failed", COLUMN_BOOL, .help = "the replica is marked FAIL and not heard since"},
    [R_PRIMARY_FAILED] = {"primary_failed", COLUMN_BOOL, "primary failed", .help = "its primary is"},
    [R_STANDING] = {"standing", COLUMN_TEXT, .help = "of the replica: member, outsider or ghost"},
    [R_CLUSTER] = {"cluster", COLUMN_COUNT, .flags = COLUMN_MACHINE,
        .help = "number of the cluster in the case, from 0"},
};

enum {
    V_INSTANCE, V_NODE_ID, V_FILE, V_SHA256, V_KIND, V_LINES, V_CURRENT_EPOCH, V_LAST_VOTE_EPOCH, V_NEWEST_PONG,
    V_TESTIFIES, V_GROUP, V_NEWEST, V_HOST, V_CLUSTER
};

static const struct column view_columns[] = {
    [V_INSTANCE] = {"instance", COLUMN_TEXT, .help = "whose view it is"},
    [V_NODE_ID] = {"node_id", COLUMN_TEXT, "id", 11, .help = "its own id, by its own line"},
    [V_FILE] = {"file", COLUMN_TEXT, .help = "where it stands"},
    [V_SHA256] = {"sha256", COLUMN_TEXT, .flags = COLUMN_MACHINE, .help = "hash of that file"},
    [V_KIND] = {"kind", COLUMN_TEXT, .help = "nodes.conf or cluster-nodes, a capture"},
    [V_LINES] = {"lines", COLUMN_COUNT, .help = "nodes it lists"},
    [V_CURRENT_EPOCH] = {"current_epoch", COLUMN_U64, "epoch", .help = "currentEpoch; captures have none"},
    [V_LAST_VOTE_EPOCH] = {"last_vote_epoch", COLUMN_U64, "last vote", .help = "lastVoteEpoch; captures have none"},
    [V_NEWEST_PONG] = {"newest_pong", COLUMN_TIME, "newest pong", .help = "the view was saved then or later"},
    [V_TESTIFIES] = {"testifies", COLUMN_BOOL, .help = "it has a say in who is a member"},
    [V_GROUP] = {"group", COLUMN_COUNT,
        .help = "newest views that state the same share a number; 0 is the largest group"},
    [V_NEWEST] = {"newest", COLUMN_BOOL, .help = "it is the newest view of its instance; the others are history"},
    [V_HOST] = {"host", COLUMN_TEXT, .flags = COLUMN_MACHINE, .help = "host of the instance"},
    [V_CLUSTER] = {"cluster", COLUMN_COUNT, .help = "number of the cluster in the case, from 0; absent for none"},
};

#define RECORD(array, columns) {"rcf-topology", 1, array, columns, sizeof(columns) / sizeof(*(columns))}

const struct record_type topology_records[TOPOLOGY_TABLES] = {
    [TOPOLOGY_NODES] = RECORD("nodes", node_columns),
    [TOPOLOGY_SLOTS] = RECORD("slots", slot_columns),
    [TOPOLOGY_REPLICAS] = RECORD("replicas", replica_columns),
    [TOPOLOGY_VIEWS] = RECORD("views", view_columns),
    [TOPOLOGY_TOTALS] = RECORD("totals", topology_totals_columns),
    [TOPOLOGY_TOLERANCE] = RECORD("tolerance", topology_tolerance_columns),
    [TOPOLOGY_TAKEOVERS] = RECORD("takeovers", topology_takeovers_columns),
    [TOPOLOGY_PAIRS] = RECORD("pairs", topology_pairs_columns),
};

static const char *const standing_words[] = {
    [STANDING_MEMBER] = "member", [STANDING_OUTSIDER] = "outsider", [STANDING_GHOST] = "ghost",
};

/* The words of nodes.conf itself, since it is quoted here; absent rather than empty. */
static const char *quoted_flags(unsigned flags, struct arena *arena)
{
    const char *text = flags_text(flags, false, arena);
    return text && *text ? text : NULL;
}

static const char *link_text(const struct claim *claim)
{
    static const char *const words[] = {[LINK_CONNECTED] = "connected", [LINK_DISCONNECTED] = "disconnected"};
    unsigned link = claim ? claim->sighting->link : LINK_UNKNOWN;
    return link < sizeof(words) / sizeof(*words) ? words[link] : NULL;
}

static const char *present(const char *text)
{
    return text && *text ? text : NULL;
}

static void put_count(struct table *table, size_t column, int64_t count)
{
    if (count)
        table_count(table, column, count);
}

const char *topology_slots(struct topology_writing *w, const struct topology *topology, uint32_t node)
{
    if (!topology->cluster->nodes[node].slots_owned)
        return NULL;
    char *text = cluster_slots_of(topology->cluster, node, w->arena);
    for (char *at = text; at && *at; at++)
        if (*at == ',')
            *at = ' ';
    return text;
}

const struct dump *topology_dump(const struct topology_writing *w, const struct node *node)
{
    return node->instance == SIZE_MAX ? NULL : w->evidence->instances[node->instance].dump;
}

static void node_rows(struct topology_writing *w, struct table *table, const struct topology *topology)
{
    enum { BUS_PORT_DISTANCE = 10000 };
    const struct cluster *cluster = topology->cluster;
    for (uint32_t n = 0; n < cluster->node_count; n++) {
        const struct node *node = &cluster->nodes[n];
        const struct entry *entry = node->entry;
        const struct claim *seen = topology->seen_by[n];
        const struct dump *dump = topology_dump(w, node);
        table_text(table, N_NODE_ID, node->id);
        table_text(table, N_ADDRESS, node->name);
        table_text(table, N_HOST, present(node->host));
        if (entry) {
            uint16_t port = entry->port ? entry->port : entry->tls_port;
            put_count(table, N_PORT, port);
            put_count(table, N_BUS_PORT, entry->bus_port ? entry->bus_port : port ? port + BUS_PORT_DISTANCE : 0);
            table_text(table, N_HOSTNAME, present(entry->hostname));
            table_text(table, N_ROLE, node->primary ? "primary" : node->replica ? "replica" : NULL);
            table_text(table, N_PRIMARY_ID, present(view_store_id(w->evidence->store, entry->primary)));
            table_u64(table, N_CONFIG_EPOCH, entry->config_epoch);
        }
        table_text(table, N_FLAGS, seen ? quoted_flags(seen->sighting->entry->flags, w->arena) : NULL);
        table_text(table, N_LINK, link_text(seen));
        table_text(table, N_SLOTS, topology_slots(w, topology, n));
        table_count(table, N_SLOT_COUNT, node->slots_owned);
        if (dump)
            table_u64(table, N_KEYS, dump->keys);
        table_count(table, N_VIEWS_LISTING, (int64_t)topology->listing[n]);
        table_count(table, N_VIEWS_TOTAL, (int64_t)topology->view_count);
        table_text(table, N_STANDING, standing_words[node->standing]);
        table_bool(table, N_FAILED, node->failed);
        table_count(table, N_CLUSTER, (int64_t)topology->number);
        table_row(table);
    }
}

static const char *marks_text(struct topology_writing *w, const struct cluster *cluster, const struct slot_run *run)
{
    const char *text = NULL;
    for (size_t m = 0; m < run->mark_count; m++) {
        const char *mark = slot_open_text(cluster, &run->marks[m], w->arena);
        text = text && mark ? arena_format(w->arena, "%s; %s", text, mark) : mark;
    }
    return text;
}

static void slot_rows(struct topology_writing *w, struct table *table, const struct topology *topology)
{
    const struct cluster *cluster = topology->cluster;
    struct bytes *names = arena_array(w->arena, cluster->node_count, sizeof(*names));
    struct bytes *ids = arena_array(w->arena, cluster->node_count, sizeof(*ids));
    for (size_t r = 0; names && ids && r < topology->run_count; r++) {
        const struct slot_run *run = &topology->runs[r];
        const struct node *owner = run->owner == NO_NODE ? NULL : &cluster->nodes[run->owner];
        for (size_t i = 0; i < run->claimant_count; i++) {
            names[i] = escape_string(cluster->nodes[run->claimants[i]].name);
            ids[i] = escape_string(cluster->nodes[run->claimants[i]].id);
        }
        table_count(table, S_FIRST, run->first);
        table_count(table, S_LAST, run->last);
        if (owner) {
            table_text(table, S_OWNER_ID, owner->id);
            table_text(table, S_OWNER_ADDRESS, owner->name);
            table_u64(table, S_CONFIG_EPOCH, owner->entry->config_epoch);
        }
        table_list(table, S_CLAIMED_BY, names, run->claimant_count);
        table_text(table, S_STATE, slot_state_word(run->state));
        table_count(table, S_SLOT_COUNT, run->last - run->first + 1);
        table_list(table, S_CLAIMED_BY_IDS, ids, run->claimant_count);
        table_text(table, S_MARKS, marks_text(w, cluster, run));
        table_count(table, S_CLUSTER, (int64_t)topology->number);
        table_row(table);
    }
}

static void replica_rows(struct topology_writing *w, struct table *table, const struct topology *topology)
{
    const struct cluster *cluster = topology->cluster;
    for (uint32_t n = 0; n < cluster->node_count; n++) {
        const struct node *node = &cluster->nodes[n];
        if (!node->replica)
            continue;
        const struct node *primary = node->follows == NO_NODE ? NULL : &cluster->nodes[node->follows];
        table_text(table, R_REPLICA_ID, node->id);
        table_text(table, R_REPLICA_ADDRESS, node->name);
        table_text(table, R_REPLICA_HOST, present(node->host));
        table_text(table, R_PRIMARY_ID, present(view_store_id(w->evidence->store, node->entry->primary)));
        if (primary) {
            table_text(table, R_PRIMARY_ADDRESS, primary->name);
            table_text(table, R_PRIMARY_HOST, present(primary->host));
            table_bool(table, R_SAME_HOST, strcmp(primary->host, node->host) == 0);
            table_bool(table, R_PRIMARY_FAILED, primary->failed);
        }
        table_text(table, R_LINK, link_text(topology->seen_by[n]));
        table_bool(table, R_FAILED, node->failed);
        table_text(table, R_STANDING, standing_words[node->standing]);
        table_count(table, R_CLUSTER, (int64_t)topology->number);
        table_row(table);
    }
}

static void view_rows(struct topology_writing *w, struct table *table, const struct topology *only)
{
    for (size_t v = 0; v < w->topologies->view_count; v++) {
        const struct topology_view *row = &w->topologies->views[v];
        const struct instance *instance = &w->evidence->instances[row->instance];
        const struct evidence_file *file = &w->evidence->files[row->view->file];
        const struct sighting *own = view_own(row->view);
        if (only && row->cluster != only->number)
            continue;
        table_text(table, V_INSTANCE, instance->name);
        table_text(table, V_NODE_ID, own ? view_store_id(w->evidence->store, own->entry->node) : NULL);
        table_text(table, V_FILE, file->path);
        table_text(table, V_SHA256, present(file->sha256));
        table_text(table, V_KIND, row->view->capture ? "cluster-nodes" : "nodes.conf");
        table_count(table, V_LINES, (int64_t)row->view->count);
        if (row->view->has_current_epoch)
            table_u64(table, V_CURRENT_EPOCH, row->view->current_epoch);
        if (row->view->has_last_vote_epoch)
            table_u64(table, V_LAST_VOTE_EPOCH, row->view->last_vote_epoch);
        if (row->view->newest_pong_ms)
            table_time(table, V_NEWEST_PONG, row->view->newest_pong_ms);
        table_bool(table, V_TESTIFIES, row->testifies);
        if (row->group != NO_NODE)
            table_count(table, V_GROUP, row->group);
        table_bool(table, V_NEWEST, row->newest);
        table_text(table, V_HOST, present(instance->host));
        if (row->cluster != SIZE_MAX)
            table_count(table, V_CLUSTER, (int64_t)row->cluster);
        table_row(table);
    }
}

void topology_rows(struct topology_writing *w, struct table *table, enum topology_table which,
                   const struct topology *only)
{
    static void (*const writers[])(struct topology_writing *, struct table *, const struct topology *) = {
        [TOPOLOGY_NODES] = node_rows,
        [TOPOLOGY_SLOTS] = slot_rows,
        [TOPOLOGY_REPLICAS] = replica_rows,
        [TOPOLOGY_TOTALS] = topology_totals_rows,
        [TOPOLOGY_TOLERANCE] = topology_tolerance_rows,
        [TOPOLOGY_TAKEOVERS] = topology_takeovers_rows,
        [TOPOLOGY_PAIRS] = topology_pairs_rows,
    };
    if (which == TOPOLOGY_VIEWS) {
        view_rows(w, table, only);
        return;
    }
    for (size_t c = 0; c < w->topologies->clusters->count; c++)
        if (!only || only == &w->topologies->all[c])
            writers[which](w, table, &w->topologies->all[c]);
}

void topology_write_table(struct topology_writing *w, enum topology_table which, enum format format)
{
    struct table *table = table_open(w->out, &topology_records[which], format);
    topology_rows(w, table, which, NULL);
    table_close(table);
}

static void write_cluster(struct topology_writing *w, struct json *json, const struct topology *topology)
{
    const struct cluster *cluster = topology->cluster;
    char server[40];
    json_object(json, NULL);
    json_number(json, "cluster", (int64_t)topology->number);
    json_number(json, "members", (int64_t)cluster->member_count);
    json_number(json, "outsiders", (int64_t)topology->outsiders);
    json_number(json, "ghosts", (int64_t)topology->ghosts);
    json_number(json, "voting_primaries", (int64_t)cluster->voting);
    json_number(json, "replicas", (int64_t)topology->replicas);
    json_number(json, "slots_uncovered", cluster->uncovered);
    json_u64(json, "current_epoch", cluster->current_epoch);
    if (cluster->newest_pong_ms)
        json_time(json, "newest_pong", cluster->newest_pong_ms);
    else
        json_null(json, "newest_pong");
    json_text(json, "server", cluster->server.product == PRODUCT_UNKNOWN ? NULL : server_name(cluster->server, server));
    json_text(json, "host_basis", w->evidence->host_basis);
    json_number(json, "views", (int64_t)topology->view_count);
    json_number(json, "views_testifying", (int64_t)cluster->core_count);
    json_array(json, "views_missing");
    for (size_t m = 0; m < cluster->missing_count; m++)
        json_text(json, NULL, cluster->nodes[cluster->missing[m]].id);
    json_end(json);
    json_end(json);
}

void topology_write_document(struct topology_writing *w)
{
    struct json json = json_on(w->out, JSON_INDENTED);
    json_object(&json, NULL);
    json_text(&json, "schema", topology_records[0].schema);
    json_number(&json, "version", topology_records[0].version);
    json_array(&json, "clusters");
    for (size_t c = 0; c < w->topologies->clusters->count; c++)
        write_cluster(w, &json, &w->topologies->all[c]);
    json_end(&json);
    for (int which = 0; which < TOPOLOGY_TABLES; which++) {
        struct table *table = table_open_in(&json, &topology_records[which]);
        topology_rows(w, table, (enum topology_table)which, NULL);
        table_close(table);
    }
    json_end(&json);
}
