#include <string.h>

#include "parsers/bytes/keyslot.h"
#include "tools/render/escape.h"
#include "tools/render/time.h"
#include "tools/render/topology_output.h"

enum { NAMES_SHOWN = 6, SLOTS_SHOWN = 36 /* columns */ };

/* The primaries of the overview; what does not fit is in the tables. */
enum { O_PRIMARY, O_EPOCH, O_SLOTS, O_COUNT, O_KEYS, O_STATE, O_REPLICAS, OVERVIEW_COLUMNS };

static const struct column overview_columns[] = {
    [O_PRIMARY] = {"primary", COLUMN_TEXT},
    [O_EPOCH] = {"epoch", COLUMN_U64},
    [O_SLOTS] = {"slots", COLUMN_TEXT},
    [O_COUNT] = {"count", COLUMN_COUNT, .flags = COLUMN_GROUPED},
    [O_KEYS] = {"keys", COLUMN_U64, .flags = COLUMN_GROUPED},
    [O_STATE] = {"state", COLUMN_TEXT},
    [O_REPLICAS] = {"replicas", COLUMN_TEXT},
};

static void write_summary(struct topology_writing *w, const struct topology *topology)
{
    const struct cluster *cluster = topology->cluster;
    char text[TIME_SIZE], server[40];
    if (w->topologies->clusters->count > 1)
        out_format(w->out, "cluster %zu: ", topology->number);
    out_count(w->out, cluster->member_count, "member", "members");
    out_text(w->out, ": ");
    out_count(w->out, cluster->voting, "primary with slots", "primaries with slots");
    out_text(w->out, ", ");
    out_count(w->out, topology->replicas, "replica", "replicas");
    out_format(w->out, "; %u of %u slots; currentEpoch %llu", (unsigned)SLOT_COUNT - cluster->uncovered,
               (unsigned)SLOT_COUNT, (unsigned long long)cluster->current_epoch);
    if (cluster->server.product != PRODUCT_UNKNOWN)
        out_format(w->out, "; %s", server_name(cluster->server, server));
    out_text(w->out, ".\n");
    out_count(w->out, cluster->core_count, "view testifies", "views testify");
    if (cluster->newest_pong_ms)
        out_format(w->out, ", saved up to %s", time_write(text, cluster->newest_pong_ms));
    out_text(w->out, ". Hosts by ");
    out_text(w->out, w->evidence->host_basis);
    out_text(w->out, ".\n");
    if (!cluster->missing_count)
        return;
    out_text(w->out, "No view of ");
    for (size_t m = 0; m < cluster->missing_count && m < NAMES_SHOWN; m++) {
        out_text(w->out, m ? ", " : "");
        escape_printable(w->out, escape_string(cluster->nodes[cluster->missing[m]].name));
    }
    if (cluster->missing_count > NAMES_SHOWN)
        out_format(w->out, " and %zu more", cluster->missing_count - NAMES_SHOWN);
    out_text(w->out, ".\n");
}

/* "failed", "fail? by 2", or NULL when there is nothing to say. */
static const char *state_of(struct topology_writing *w, const struct node *node)
{
    if (node->failed)
        return "failed";
    if (node->suspected)
        return arena_format(w->arena, "fail? by %zu", node->suspected);
    return NULL;
}

static const char *replicas_of(struct topology_writing *w, const struct cluster *cluster, uint32_t primary, bool whole)
{
    const char *text = NULL;
    size_t count = 0;
    for (size_t n = 0; n < cluster->member_count; n++) {
        const struct node *node = &cluster->nodes[n];
        if (!node->replica || node->follows != primary)
            continue;
        if (count++ >= NAMES_SHOWN && !whole)
            continue;
        const char *state = state_of(w, node);
        text = arena_format(w->arena, "%s%s%s%s%s%s", text ? text : "", text ? ", " : "", node->name, state ? " (" : "",
                            state ? state : "", state ? ")" : "");
    }
    if (count > NAMES_SHOWN && !whole)
        text = arena_format(w->arena, "%s and %zu more", text, count - NAMES_SHOWN);
    return text;
}

static void primary_row(struct topology_writing *w, struct table *table, const struct topology *topology, uint32_t n,
                        bool whole)
{
    const struct node *node = &topology->cluster->nodes[n];
    const struct dump *dump = topology_dump(w, node);
    const char *slots = topology_slots(w, topology, n);
    table_text(table, O_PRIMARY, node->name);
    table_u64(table, O_EPOCH, node->entry->config_epoch);
    table_text(table, O_SLOTS, slots ? slots : "none");
    table_count(table, O_COUNT, node->slots_owned);
    if (dump)
        table_u64(table, O_KEYS, dump->keys);
    table_text(table, O_STATE, state_of(w, node));
    table_text(table, O_REPLICAS, replicas_of(w, topology->cluster, n, whole));
    table_row(table);
}

static void write_unplaced_replica(struct topology_writing *w, const struct cluster *cluster, const struct node *node)
{
    if (node->follows == NO_NODE) {
        out_text(w->out, "replica of a node in no view (");
        escape_short_id(w->out, view_store_id(w->evidence->store, node->entry->primary));
        out_byte(w->out, ')');
    } else {
        out_text(w->out, "replica of ");
        escape_printable(w->out, escape_string(cluster->nodes[node->follows].name));
        out_text(w->out, ", which is no primary of the cluster");
    }
}

/* What has no row among the primaries: replicas without a primary that is known, outsiders, ghosts, open slots. */
static void write_others(struct topology_writing *w, const struct topology *topology)
{
    const struct cluster *cluster = topology->cluster;
    for (size_t n = 0; n < cluster->node_count; n++) {
        const struct node *node = &cluster->nodes[n];
        bool orphan = node->standing == STANDING_MEMBER && node->replica &&
                      (node->follows == NO_NODE || !cluster->nodes[node->follows].primary ||
                       node->follows >= cluster->member_count);
        bool roleless = node->standing == STANDING_MEMBER && !node->replica && !node->primary;
        if (node->standing == STANDING_MEMBER && !orphan && !roleless)
            continue;
        out_text(w->out, "  ");
        escape_printable(w->out, escape_string(node->name));
        out_text(w->out, " (");
        escape_short_id(w->out, node->id);
        out_text(w->out, ")  ");
        if (node->standing == STANDING_OUTSIDER)
            out_format(w->out, "outside: no member lists it; lists members itself; epoch %llu",
                       (unsigned long long)(node->entry ? node->entry->config_epoch : 0));
        else if (node->standing == STANDING_GHOST)
            out_text(w->out, "ghost: listed only in handshake or without address");
        else if (roleless)
            out_text(w->out, "listed without a role");
        else
            write_unplaced_replica(w, cluster, node);
        const struct dump *dump = topology_dump(w, node);
        if (dump) {
            out_text(w->out, "; ");
            out_count(w->out, dump->keys, "key", "keys");
        }
        out_byte(w->out, '\n');
    }
    for (size_t r = 0; r < topology->run_count; r++) {
        const struct slot_run *run = &topology->runs[r];
        if (run->state == SLOTS_OK)
            continue;
        out_format(w->out, run->first == run->last ? "  slot %u" : "  slots %u-%u", run->first, run->last);
        out_format(w->out, "  %s", slot_state_word(run->state));
        for (size_t i = 0; i < run->claimant_count && i < NAMES_SHOWN; i++) {
            out_text(w->out, i ? ", " : run->state == SLOTS_CONFLICT || run->owner == NO_NODE ? ": claimed by " : ": ");
            escape_printable(w->out, escape_string(cluster->nodes[run->claimants[i]].name));
        }
        for (size_t m = 0; m < run->mark_count; m++) {
            out_text(w->out, "; ");
            escape_printable(w->out, escape_string(slot_open_text(cluster, &run->marks[m], w->arena)));
        }
        out_byte(w->out, '\n');
    }
}

/* Instances that have a view of themselves alone, or none. */
static void write_alone(struct topology_writing *w)
{
    const struct clusters *clusters = w->topologies->clusters;
    for (size_t i = 0; i < clusters->alone_count; i++) {
        const struct instance *instance = &w->evidence->instances[clusters->alone[i]];
        out_text(w->out, i || !clusters->count ? "" : "\n");
        escape_printable(w->out, escape_string(instance->name));
        out_text(w->out, "  in no cluster: ");
        out_text(w->out, instance->view ? "its view lists nobody else\n" : "no view of it\n");
    }
}

void topology_write_overview(struct topology_writing *w, bool whole)
{
    struct column columns[OVERVIEW_COLUMNS];
    memcpy(columns, overview_columns, sizeof(columns));
    columns[O_SLOTS].width = whole ? 0 : SLOTS_SHOWN;
    const struct record_type overview = {"", 1, "primaries", columns, OVERVIEW_COLUMNS};
    for (size_t c = 0; c < w->topologies->clusters->count; c++) {
        const struct topology *topology = &w->topologies->all[c];
        const struct cluster *cluster = topology->cluster;
        out_text(w->out, c ? "\n" : "");
        write_summary(w, topology);
        out_byte(w->out, '\n');
        struct table *table = table_open(w->out, &overview, FORMAT_TEXT);
        table_indent(table, 2);
        for (uint32_t n = 0; n < cluster->member_count; n++)
            if (cluster->nodes[n].primary && cluster->nodes[n].slots_owned)
                primary_row(w, table, topology, n, whole);
        for (uint32_t n = 0; n < cluster->member_count; n++)
            if (cluster->nodes[n].primary && !cluster->nodes[n].slots_owned)
                primary_row(w, table, topology, n, whole);
        table_close(table);
        write_others(w, topology);
    }
    write_alone(w);
}

void topology_write_text(struct topology_writing *w, enum topology_table which)
{
    if (which == TOPOLOGY_VIEWS) {
        topology_write_table(w, which, FORMAT_TEXT);
        return;
    }
    for (size_t c = 0; c < w->topologies->clusters->count; c++) {
        out_text(w->out, c ? "\n" : "");
        if (w->topologies->clusters->count > 1)
            out_format(w->out, "cluster %zu\n", c);
        if (which > TOPOLOGY_TOTALS)
            topology_write_totals(w, &w->topologies->all[c]);
        struct table *table = table_open(w->out, &topology_records[which], FORMAT_TEXT);
        topology_rows(w, table, which, &w->topologies->all[c]);
        table_close(table);
    }
    if (which == TOPOLOGY_NODES)
        write_alone(w);
}
