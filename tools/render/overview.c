#include "tools/render/overview.h"

#include <string.h>

#include "tools/render/escape.h"
#include "tools/render/table.h"
#include "tools/render/time.h"

static void safe(struct out *out, const char *text)
{
    escape_terminal(out, escape_string(text));
}

/* ------------------------------------------------------------------ counting */

struct census {
    size_t hosts, nodesconf, captures, replies, tools, statuses, dumps, journals, logs, configurations, unread, unrecognised, unattributed;
    uint64_t keys; /* in the dumps of the members that own slots, else in all */
};

static const char *trouble_of(const struct evidence_file *file)
{
    if (file->unread)
        return file->unread;
    if (file->changed)
        return "changed while it was read";
    if (file->kind == EVIDENCE_UNKNOWN)
        return "not recognised";
    if (file->instance == SIZE_MAX && file->unattributed)
        return file->unattributed;
    return NULL;
}

static struct census take_census(const struct evidence *evidence, const struct clusters *clusters)
{
    struct census census = {0};
    for (size_t i = 0; i < evidence->instance_count; i++) {
        bool first = true;
        for (size_t j = 0; j < i && first; j++)
            first = strcmp(evidence->instances[i].host, evidence->instances[j].host) != 0;
        census.hosts += first;
    }
    for (size_t f = 0; f < evidence->file_count; f++) {
        const struct evidence_file *file = &evidence->files[f];
        census.nodesconf += file->kind == EVIDENCE_NODESCONF;
        census.captures += file->kind == EVIDENCE_CLUSTER_NODES;
        census.replies += file->kind == EVIDENCE_CLUSTER_SLOTS || file->kind == EVIDENCE_CLUSTER_SHARDS;
        census.tools += file->view && file->view->source == VIEW_TOOL;
        census.statuses += file->status != NULL;
        census.dumps += file->kind == EVIDENCE_RDB;
        census.journals += file->kind == EVIDENCE_AOF;
        census.logs += file->kind == EVIDENCE_LOG;
        census.configurations += file->kind == EVIDENCE_CONF;
        census.unread += file->unread || file->changed;
        census.unrecognised += !file->unread && file->kind == EVIDENCE_UNKNOWN;
        census.unattributed += !file->unread && file->kind != EVIDENCE_UNKNOWN && file->instance == SIZE_MAX && file->unattributed;
    }
    for (size_t c = 0; c < clusters->count; c++)
        for (size_t n = 0; n < clusters->all[c].member_count; n++) {
            const struct node *node = &clusters->all[c].nodes[n];
            if (node->primary && node->instance != SIZE_MAX && evidence->instances[node->instance].dump)
                census.keys += evidence->instances[node->instance].dump->keys;
        }
    return census;
}

/* The owners that a view shows, as one number: equal exactly (but for chance) when the views agree about slots. */
static uint64_t slot_signature(const struct view *view)
{
    uint64_t sum = 0;
    for (size_t s = 0; s < view->count; s++) {
        const struct entry *entry = view->sightings[s].entry;
        for (uint32_t r = 0; r < entry->range_count; r++) {
            uint64_t x = (uint64_t)entry->node << 32 | (uint64_t)entry->ranges[r].first << 16 | entry->ranges[r].last;
            x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
            x = (x ^ x >> 27) * 0x94d049bb133111ebu;
            sum += x ^ x >> 31;
        }
    }
    return sum;
}

static size_t agreeing(const struct cluster *cluster)
{
    /* The largest group of views with one signature; counted against the first view of each group. */
    size_t best = 0;
    uint64_t *signatures = arena_array(cluster->arena, cluster->core_count, sizeof(*signatures));
    for (size_t i = 0; signatures && i < cluster->core_count; i++)
        signatures[i] = slot_signature(cluster->evidence->instances[cluster->core[i]].view);
    for (size_t i = 0; signatures && i < cluster->core_count && best * 2 <= cluster->core_count; i++) {
        size_t same = 0;
        for (size_t j = 0; j < cluster->core_count; j++)
            same += signatures[i] == signatures[j];
        best = same > best ? same : best;
    }
    return best;
}

/* ------------------------------------------------------------------ text */

static void list_item(struct out *out, bool *first, uint64_t count, const char *one, const char *many)
{
    if (!count)
        return;
    out_text(out, *first ? ": " : ", ");
    out_count(out, count, one, many);
    *first = false;
}

static void case_line(struct out *out, const struct evidence *evidence, const struct clusters *clusters, const struct census *census)
{
    char server[40];
    bool first = true;
    out_count(out, evidence->instance_count, "instance", "instances");
    out_text(out, " on ");
    out_count(out, census->hosts, "host", "hosts");
    if (clusters->count && clusters->all[0].server.product != PRODUCT_UNKNOWN)
        out_format(out, ", %s", server_name(clusters->all[0].server, server));
    list_item(out, &first, census->nodesconf, "nodes.conf", "nodes.conf");
    list_item(out, &first, census->captures, "capture of CLUSTER NODES", "captures of CLUSTER NODES");
    list_item(out, &first, census->replies, "capture of CLUSTER SLOTS or SHARDS", "captures of CLUSTER SLOTS or SHARDS");
    list_item(out, &first, census->tools, "output of a cluster tool", "outputs of a cluster tool");
    list_item(out, &first, census->statuses, "capture of INFO or CLUSTER INFO", "captures of INFO or CLUSTER INFO");
    list_item(out, &first, census->dumps, "dump", "dumps");
    if (census->dumps) {
        out_text(out, " (");
        out_count(out, census->keys, "key", "keys");
        out_text(out, " in primaries)");
    }
    list_item(out, &first, census->journals, "AOF", "AOFs");
    list_item(out, &first, census->logs, "log", "logs");
    list_item(out, &first, census->configurations, "redis.conf", "redis.conf");
    out_text(out, ". ");
    if (!census->unread && !census->unrecognised && !census->unattributed) {
        out_text(out, "Nothing unread.\n");
        return;
    }
    out_format(out, "%zu unread, %zu not recognised, %zu without an instance:\n", census->unread, census->unrecognised,
               census->unattributed);
}

static void trouble_lines(struct out *out, const struct evidence *evidence, bool verbose)
{
    enum { MOST = 12 };
    size_t shown = 0, all = 0;
    for (size_t f = 0; f < evidence->file_count; f++) {
        const char *trouble = trouble_of(&evidence->files[f]);
        if (!trouble)
            continue;
        all++;
        if (!verbose && shown == MOST)
            continue;
        shown++;
        out_text(out, "  ");
        safe(out, evidence->files[f].path);
        out_text(out, ": ");
        safe(out, trouble);
        out_byte(out, '\n');
    }
    if (shown < all)
        out_format(out, "  and %zu more (-v lists them)\n", all - shown);
}

static const char *replicas_of(const struct cluster *cluster, uint32_t primary, struct arena *arena)
{
    const char *text = NULL;
    for (uint32_t n = 0; n < cluster->member_count; n++)
        if (cluster->nodes[n].replica && cluster->nodes[n].follows == primary)
            text = arena_format(arena, "%s%s%s%s", text ? text : "", text ? ", " : "", cluster->nodes[n].name,
                                cluster->nodes[n].failed ? " (failed)" : "");
    return text;
}

static const struct dump *dump_of(const struct cluster *cluster, const struct node *node)
{
    return node->instance == SIZE_MAX ? NULL : cluster->evidence->instances[node->instance].dump;
}

static const struct column primary_columns[] = {
    {"primary", COLUMN_TEXT, .width = 60},          {"epoch", COLUMN_U64},
    {"slots", COLUMN_TEXT, .width = 48},            {"count", COLUMN_COUNT, .heading = ""},
    {"keys", COLUMN_U64, .flags = COLUMN_GROUPED},  {"replicas", COLUMN_TEXT, .width = 70},
};
static const struct record_type primary_record = {"primaries", 1, "primaries", primary_columns, 6};

static const struct column outside_columns[] = {
    {"outside", COLUMN_TEXT, .width = 60, .heading = "outside"},
    {"epoch", COLUMN_U64},
    {"keys", COLUMN_U64, .flags = COLUMN_GROUPED},
    {"what", COLUMN_TEXT, .heading = ""},
};
static const struct record_type outside_record = {"outsiders", 1, "outsiders", outside_columns, 4};

static void primaries_table(struct out *out, const struct cluster *cluster, struct arena *arena)
{
    struct table *table = table_open(out, &primary_record, FORMAT_TEXT);
    table_indent(table, 2);
    for (uint32_t n = 0; n < cluster->member_count; n++) {
        const struct node *node = &cluster->nodes[n];
        const struct dump *dump = dump_of(cluster, node);
        if (!node->primary && !node->slots_owned)
            continue;
        table_text(table, 0, node->failed ? arena_format(arena, "%s (failed)", node->name) : node->name);
        if (node_has_epoch(node))
            table_u64(table, 1, node->entry->config_epoch);
        table_text(table, 2, node->slots_owned ? cluster_slots_of(cluster, n, arena) : "none");
        table_count(table, 3, node->slots_owned);
        if (dump)
            table_u64(table, 4, dump->keys);
        table_text(table, 5, replicas_of(cluster, n, arena));
        table_row(table);
    }
    table_close(table);
}

static void outsiders_table(struct out *out, const struct cluster *cluster)
{
    struct table *table = table_open(out, &outside_record, FORMAT_TEXT);
    table_indent(table, 2);
    for (size_t n = cluster->member_count; n < cluster->node_count; n++) {
        const struct node *node = &cluster->nodes[n];
        const struct dump *dump = dump_of(cluster, node);
        table_text(table, 0, node->name);
        if (node_has_epoch(node))
            table_u64(table, 1, node->entry->config_epoch);
        if (dump)
            table_u64(table, 2, dump->keys);
        table_text(table, 3, node->standing == STANDING_OUTSIDER ? "lists members, but no member lists it"
                                                                 : "listed without an address or in handshake");
        table_row(table);
    }
    table_close(table);
}

static void cluster_block(struct out *out, const struct cluster *cluster, struct arena *arena)
{
    size_t replicas = 0, primaries = 0, same = agreeing(cluster);
    char time[TIME_SIZE];
    for (size_t n = 0; n < cluster->member_count; n++) {
        replicas += cluster->nodes[n].replica;
        primaries += cluster->nodes[n].primary;
    }
    out_count(out, cluster->member_count, "member", "members");
    out_format(out, " (%zu primaries, %zu replicas), ", primaries, replicas);
    out_format(out, "%u of %u slots", SLOT_COUNT - cluster->uncovered, (unsigned)SLOT_COUNT);
    if (cluster->epochs_known || cluster->current_epoch)
        out_format(out, ", currentEpoch %llu", (unsigned long long)cluster->current_epoch);
    out_text(out, ". ");
    if (cluster->core_count == 1)
        out_text(out, "One view.");
    else if (same == cluster->core_count)
        out_format(out, "All %zu views agree about slots.", same);
    else
        out_format(out, "%zu of %zu views agree about slots.", same, cluster->core_count);
    if (cluster->newest_pong_ms)
        out_format(out, " Saved up to %s.", time_write(time, cluster->newest_pong_ms));
    out_byte(out, '\n');
    if (cluster->missing_count) {
        out_format(out, "No view of %zu of the members is in the case:", cluster->missing_count);
        for (size_t m = 0; m < cluster->missing_count && m < 12; m++) {
            out_text(out, m ? ", " : " ");
            safe(out, cluster->nodes[cluster->missing[m]].name);
        }
        out_text(out, cluster->missing_count > 12 ? ", ...\n" : "\n");
    }
    const char *limits = cluster_limits_text(cluster, arena);
    if (limits && *limits)
        out_format(out, "%s.\n", limits);
    out_byte(out, '\n');
    primaries_table(out, cluster, arena);
    outsiders_table(out, cluster);
}

void overview_text(struct out *out, const struct evidence *evidence, const struct clusters *clusters, struct arena *arena, bool verbose)
{
    struct census census = take_census(evidence, clusters);
    case_line(out, evidence, clusters, &census);
    trouble_lines(out, evidence, verbose);
    for (size_t c = 0; c < clusters->count; c++) {
        if (clusters->count > 1)
            out_format(out, "\ncluster %zu\n", c + 1);
        cluster_block(out, &clusters->all[c], arena);
    }
    for (size_t a = 0; a < clusters->alone_count; a++) {
        const struct instance *instance = &evidence->instances[clusters->alone[a]];
        out_text(out, a ? "  " : "\nin no cluster\n  ");
        safe(out, instance->name);
        out_format(out, "  %s", instance->view ? "knows only itself" : "no view of it is in the case");
        if (instance->dump) {
            out_text(out, ", ");
            out_count(out, instance->dump->keys, "key", "keys");
            out_text(out, " in its dump");
        }
        out_byte(out, '\n');
    }
}

/* ------------------------------------------------------------------ json */

static void node_json(struct json *json, const struct cluster *cluster, uint32_t index, struct arena *arena)
{
    const struct node *node = &cluster->nodes[index];
    const struct dump *dump = dump_of(cluster, node);
    static const char *const standings[] = {"member", "outsider", "ghost"};
    json_object(json, NULL);
    json_text(json, "node_id", node->id);
    json_text(json, "address", node->name);
    json_text(json, "host", node->host);
    json_text(json, "standing", standings[node->standing]);
    json_text(json, "role", node->primary ? "primary" : node->replica ? "replica" : NULL);
    json_text(json, "primary_id", node->follows == NO_NODE ? NULL : cluster->nodes[node->follows].id);
    json_bool(json, "failed", node->failed);
    if (node_has_epoch(node))
        json_u64(json, "config_epoch", node->entry->config_epoch);
    else
        json_text(json, "config_epoch", NULL);
    json_text(json, "slots", cluster_slots_of(cluster, index, arena));
    json_number(json, "slot_count", node->slots_owned);
    if (dump)
        json_u64(json, "keys", dump->keys);
    else
        json_null(json, "keys");
    json_number(json, "views_listing", (int64_t)node->listing);
    json_text(json, "claim", claim_rule_text(node->rule));
    json_end(json);
}

void overview_json(struct json *json, const struct evidence *evidence, const struct clusters *clusters, struct arena *arena)
{
    struct census census = take_census(evidence, clusters);
    char server[40];
    json_object(json, "case");
    json_number(json, "instances", (int64_t)evidence->instance_count);
    json_number(json, "hosts", (int64_t)census.hosts);
    json_text(json, "hosts_by", evidence->host_basis);
    json_number(json, "files", (int64_t)evidence->file_count);
    json_end(json);
    json_array(json, "clusters");
    for (size_t c = 0; c < clusters->count; c++) {
        const struct cluster *cluster = &clusters->all[c];
        json_object(json, NULL);
        json_text(json, "server", cluster->server.product == PRODUCT_UNKNOWN ? NULL : server_name(cluster->server, server));
        json_u64(json, "current_epoch", cluster->current_epoch);
        json_number(json, "slots_covered", SLOT_COUNT - cluster->uncovered);
        json_number(json, "views", (int64_t)cluster->core_count);
        json_number(json, "views_agreeing", (int64_t)agreeing(cluster));
        if (cluster->newest_pong_ms)
            json_time(json, "newest_pong", cluster->newest_pong_ms);
        else
            json_null(json, "newest_pong");
        json_array(json, "missing");
        for (size_t m = 0; m < cluster->missing_count; m++)
            json_text(json, NULL, cluster->nodes[cluster->missing[m]].name);
        json_end(json);
        json_array(json, "nodes");
        for (uint32_t n = 0; n < cluster->node_count; n++)
            node_json(json, cluster, n, arena);
        json_end(json);
        json_end(json);
    }
    json_end(json);
    json_array(json, "unread");
    for (size_t f = 0; f < evidence->file_count; f++) {
        const char *trouble = trouble_of(&evidence->files[f]);
        if (!trouble)
            continue;
        json_object(json, NULL);
        json_text(json, "file", evidence->files[f].path);
        json_text(json, "why", trouble);
        json_end(json);
    }
    json_end(json);
}
