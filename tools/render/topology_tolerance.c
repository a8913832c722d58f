#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tools/render/escape.h"
#include "tools/render/topology_private.h"

enum { SLOTS_SHOWN = 30 /* columns */ };

#define CLUSTER_COLUMN \
    {"cluster", COLUMN_COUNT, .flags = COLUMN_MACHINE, .help = "number of the cluster in the case, from 0"}

enum {
    A_VOTING,
    A_VOTING_NOW,
    A_VOTES_NEEDED,
    A_FULL_COVERAGE,
    A_SERVICE,
    A_HOSTS,
    A_HARMFUL_HOSTS,
    A_PAIRS,
    A_HARMFUL_PAIRS,
    A_CLUSTER
};

const struct column topology_totals_columns[] = {
    [A_VOTING] = {"voting_primaries", COLUMN_COUNT, "voting", .help = "primaries with slots"},
    [A_VOTING_NOW] = {"voting_now", COLUMN_COUNT, "can vote", .help = "those of them that are not failed"},
    [A_VOTES_NEEDED] = {"votes_needed", COLUMN_COUNT, "needed", .help = "how many make a majority"},
    [A_FULL_COVERAGE] = {"full_coverage", COLUMN_BOOL, "full coverage",
                         .help = "cluster-require-full-coverage: slots that are not served stop the whole cluster"},
    [A_SERVICE] = {"service_now", COLUMN_TEXT, "service now", .help = "whole, partial or down, as it stands"},
    [A_HOSTS] = {"groups", COLUMN_COUNT, .help = "hosts and zones whose loss was weighed"},
    [A_HARMFUL_HOSTS] = {"groups_harmful", COLUMN_COUNT, "harmful",
                         .help = "those that would leave slots unserved or no majority"},
    [A_PAIRS] = {"pairs", COLUMN_U64, .flags = COLUMN_GROUPED, .help = "pairs of members whose loss was weighed"},
    [A_HARMFUL_PAIRS] = {"pairs_harmful", COLUMN_U64, "harmful", .flags = COLUMN_GROUPED,
                         .help = "those that would leave slots unserved or no majority"},
    [A_CLUSTER] = CLUSTER_COLUMN,
};

enum {
    G_KIND,
    G_LOST,
    G_INSTANCES,
    G_VOTING,
    G_VOTING_LEFT,
    G_MAJORITY,
    G_SERVICE,
    G_TAKEN_OVER,
    G_HEIRS,
    G_STUCK_COUNT,
    G_STUCK,
    G_LOST_COUNT,
    G_LOST_SLOTS,
    G_BASIS,
    G_CLUSTER
};

const struct column topology_tolerance_columns[] = {
    [G_KIND] = {"kind", COLUMN_TEXT, "loss of", .help = "host or zone"},
    [G_LOST] = {"lost", COLUMN_TEXT, "", .help = "its name"},
    [G_INSTANCES] = {"instances", COLUMN_COUNT, .help = "members on it"},
    [G_VOTING] = {"primaries", COLUMN_COUNT, .help = "of them primaries with slots that are not failed already"},
    [G_VOTING_LEFT] = {"voting_left", COLUMN_COUNT, "voting left", .help = "primaries with slots that would be left"},
    [G_MAJORITY] = {"majority", COLUMN_BOOL, .help = "they are a majority, so replicas can take over"},
    [G_SERVICE] = {"service", COLUMN_TEXT, "service after",
                   .help = "whole: every slot is served after the failovers; partial; or down"},
    [G_TAKEN_OVER] = {"taken_over", COLUMN_COUNT, "taken over", .flags = COLUMN_GROUPED,
                      .help = "slots that replicas elsewhere take over"},
    [G_HEIRS] = {"heirs", COLUMN_LIST, "by",
                 .help = "the replicas that would, one for each primary; | between those of which one would"},
    [G_STUCK_COUNT] = {"stuck", COLUMN_COUNT, .flags = COLUMN_GROUPED,
                       .help = "slots of which a copy is left, but nobody takes over without help: no majority, or "
                               "cluster-replica-no-failover"},
    [G_STUCK] = {"stuck_slots", COLUMN_TEXT, "slots", SLOTS_SHOWN, .help = "these slots as ranges"},
    [G_LOST_COUNT] = {"lost_count", COLUMN_COUNT, "lost", .flags = COLUMN_GROUPED,
                      .help = "slots of which no copy is left"},
    [G_LOST_SLOTS] = {"lost_slots", COLUMN_TEXT, "slots", SLOTS_SHOWN, .help = "these slots as ranges"},
    [G_BASIS] = {"host_basis", COLUMN_TEXT, .flags = COLUMN_MACHINE, .help = "where hosts come from"},
    [G_CLUSTER] = CLUSTER_COLUMN,
};

enum {
    K_KIND,
    K_LOST,
    K_PRIMARY_ID,
    K_PRIMARY,
    K_SLOT_COUNT,
    K_SLOTS,
    K_FATE,
    K_HEIR,
    K_CANDIDATES,
    K_CANDIDATE_IDS,
    K_OFFSETS,
    K_CLUSTER
};

const struct column topology_takeovers_columns[] = {
    [K_KIND] = {"kind", COLUMN_TEXT, "loss of", .help = "host or zone"},
    [K_LOST] = {"lost", COLUMN_TEXT, "", .help = "its name"},
    [K_PRIMARY_ID] = {"primary_id", COLUMN_TEXT, "primary id", 11,
                      .help = "a primary with slots that is lost, or "
                              "failed before and now without its last copy"},
    [K_PRIMARY] = {"primary_address", COLUMN_TEXT, "primary", .help = "its address"},
    [K_SLOT_COUNT] = {"slot_count", COLUMN_COUNT, "count", .flags = COLUMN_GROUPED, .help = "how many slots it owns"},
    [K_SLOTS] = {"slots", COLUMN_TEXT, NULL, SLOTS_SHOWN, .help = "as ranges"},
    [K_FATE] = {"fate", COLUMN_TEXT, .help = "taken-over, no-candidate, no-majority or lost"},
    [K_HEIR] =
        {"heir", COLUMN_TEXT, "which one",
         .help = "how the one is known that takes over: only; offset: its dump is ahead in one history; open: the one "
                 "with the highest offset at that moment; none"},
    [K_CANDIDATES] = {"candidates", COLUMN_LIST, .help = "replicas that are left and may stand, the best first"},
    [K_CANDIDATE_IDS] = {"candidate_ids", COLUMN_LIST, .flags = COLUMN_MACHINE, .help = "their ids"},
    [K_OFFSETS] = {"offsets", COLUMN_LIST, .flags = COLUMN_MACHINE,
                   .help = "replication offsets in their dumps; - where there is none"},
    [K_CLUSTER] = CLUSTER_COLUMN,
};

enum {
    P_KIND,
    P_FIRST_ID,
    P_FIRST,
    P_SECOND_ID,
    P_SECOND,
    P_VOTING_LEFT,
    P_MAJORITY,
    P_SERVICE,
    P_STUCK_COUNT,
    P_STUCK,
    P_LOST_COUNT,
    P_LOST_SLOTS,
    P_CLUSTER
};

const struct column topology_pairs_columns[] = {
    [P_KIND] = {"kind", COLUMN_TEXT, "loss of",
                .help = "pair; or instance, which loses this alone and so with any other"},
    [P_FIRST_ID] = {"first_id", COLUMN_TEXT, .flags = COLUMN_MACHINE, .help = "id of the one"},
    [P_FIRST] = {"first", COLUMN_TEXT, "", .help = "its address"},
    [P_SECOND_ID] = {"second_id", COLUMN_TEXT, .flags = COLUMN_MACHINE, .help = "id of the other"},
    [P_SECOND] = {"second", COLUMN_TEXT, "and", .help = "its address; absent for one instance alone"},
    [P_VOTING_LEFT] = {"voting_left", COLUMN_COUNT, "voting left", .help = "primaries with slots that would be left"},
    [P_MAJORITY] = {"majority", COLUMN_BOOL, .help = "they are a majority"},
    [P_SERVICE] = {"service", COLUMN_TEXT, "service after", .help = "whole, partial or down, after the failovers"},
    [P_STUCK_COUNT] = {"stuck", COLUMN_COUNT, .flags = COLUMN_GROUPED,
                       .help = "slots of which a copy is left, but nobody takes over without help"},
    [P_STUCK] = {"stuck_slots", COLUMN_TEXT, "slots", SLOTS_SHOWN, .help = "these slots as ranges"},
    [P_LOST_COUNT] = {"lost_count", COLUMN_COUNT, "lost", .flags = COLUMN_GROUPED,
                      .help = "slots of which no copy is left"},
    [P_LOST_SLOTS] = {"lost_slots", COLUMN_TEXT, "slots", SLOTS_SHOWN, .help = "these slots as ranges"},
    [P_CLUSTER] = CLUSTER_COLUMN,
};

const struct tolerance *topology_tolerance(struct topology_writing *w, const struct topology *topology)
{
    if (!w->tolerances)
        w->tolerances = arena_array(w->arena, w->topologies->clusters->count, sizeof(*w->tolerances));
    if (!w->tolerances)
        return NULL;
    const struct tolerance **place = &w->tolerances[topology->number];
    if (!*place)
        *place = tolerance_of(topology->cluster, w->arena);
    return *place;
}

static uint32_t stuck_count(const struct loss *loss)
{
    return loss->slots[FATE_NO_CANDIDATE] + loss->slots[FATE_NO_MAJORITY];
}

static bool is_harmful(const struct tolerance *tolerance, const struct loss *loss)
{
    return stuck_count(loss) || loss->slots[FATE_LOST] ||
           (!loss->majority && tolerance->voting_now >= tolerance->majority);
}

static size_t harmful_groups(const struct tolerance *tolerance)
{
    size_t count = 0;
    for (size_t g = 0; g < tolerance->group_count; g++)
        count += is_harmful(tolerance, &tolerance->groups[g]);
    return count;
}

enum { STUCK = 1u << FATE_NO_CANDIDATE | 1u << FATE_NO_MAJORITY, LOST = 1u << FATE_LOST };

/* Ranges as words, or NULL for none. */
static const char *slots_words(struct topology_writing *w, const struct cluster *cluster, const struct loss *loss,
                               unsigned fates)
{
    uint32_t count = fates == LOST ? loss->slots[FATE_LOST] : stuck_count(loss);
    char *text = count ? tolerance_slots(cluster, loss, fates, w->arena) : NULL;
    for (char *at = text; at && *at; at++)
        if (*at == ',')
            *at = ' ';
    return text;
}

void topology_totals_rows(struct topology_writing *w, struct table *table, const struct topology *topology)
{
    const struct tolerance *t = topology_tolerance(w, topology);
    if (!t)
        return;
    table_count(table, A_VOTING, (int64_t)topology->cluster->voting);
    table_count(table, A_VOTING_NOW, (int64_t)t->voting_now);
    table_count(table, A_VOTES_NEEDED, (int64_t)t->majority);
    table_bool(table, A_FULL_COVERAGE, topology->cluster->full_coverage);
    table_text(table, A_SERVICE, service_word(t->now));
    table_count(table, A_HOSTS, (int64_t)t->group_count);
    table_count(table, A_HARMFUL_HOSTS, (int64_t)harmful_groups(t));
    table_u64(table, A_PAIRS, t->pairs_tried);
    table_u64(table, A_HARMFUL_PAIRS, t->pairs_harmful);
    table_count(table, A_CLUSTER, (int64_t)topology->number);
    table_row(table);
}

/* "127.0.0.6:7001", or "127.0.0.6:7001|127.0.0.8:9002" where one of them would. */
static const char *heir_text(struct topology_writing *w, const struct cluster *cluster, const struct shard_loss *shard)
{
    const char *text = cluster->nodes[shard->candidates[0]].name;
    for (size_t c = 1; shard->basis == HEIR_OPEN && c < shard->candidate_count && text; c++)
        text = arena_format(w->arena, "%s|%s", text, cluster->nodes[shard->candidates[c]].name);
    return text ? text : "";
}

void topology_tolerance_rows(struct topology_writing *w, struct table *table, const struct topology *topology)
{
    const struct tolerance *t = topology_tolerance(w, topology);
    for (size_t g = 0; t && g < t->group_count; g++) {
        const struct loss *loss = &t->groups[g];
        struct bytes *heirs = arena_array(w->arena, loss->shard_count, sizeof(*heirs));
        size_t count = 0;
        for (size_t s = 0; heirs && s < loss->shard_count; s++)
            if (loss->shards[s].fate == FATE_TAKEN_OVER)
                heirs[count++] = escape_string(heir_text(w, t->cluster, &loss->shards[s]));
        table_text(table, G_KIND, loss_word(loss->kind));
        table_text(table, G_LOST, loss->name);
        table_count(table, G_INSTANCES, (int64_t)loss->instances);
        table_count(table, G_VOTING, (int64_t)loss->voting);
        table_count(table, G_VOTING_LEFT, (int64_t)loss->voting_left);
        table_bool(table, G_MAJORITY, loss->majority);
        table_text(table, G_SERVICE, service_word(loss->service));
        table_count(table, G_TAKEN_OVER, loss->slots[FATE_TAKEN_OVER]);
        table_list(table, G_HEIRS, heirs, count);
        table_count(table, G_STUCK_COUNT, stuck_count(loss));
        table_text(table, G_STUCK, slots_words(w, t->cluster, loss, STUCK));
        table_count(table, G_LOST_COUNT, loss->slots[FATE_LOST]);
        table_text(table, G_LOST_SLOTS, slots_words(w, t->cluster, loss, LOST));
        table_text(table, G_BASIS, w->evidence->host_basis);
        table_count(table, G_CLUSTER, (int64_t)topology->number);
        table_row(table);
    }
}

static const char *offset_text(struct topology_writing *w, const struct node *node)
{
    const struct dump *dump = topology_dump(w, node);
    const char *text = dump && dump->has_repl_offset ? arena_format(w->arena, "%" PRId64, dump->repl_offset) : NULL;
    return text ? text : "-";
}

static void takeover_row(struct topology_writing *w, struct table *table, const struct topology *topology,
                         const struct loss *loss, const struct shard_loss *shard)
{
    const struct cluster *cluster = topology->cluster;
    const struct node *primary = &cluster->nodes[shard->primary];
    size_t count = shard->candidate_count;
    struct bytes *names = arena_array(w->arena, count, sizeof(*names));
    struct bytes *ids = arena_array(w->arena, count, sizeof(*ids));
    struct bytes *offsets = arena_array(w->arena, count, sizeof(*offsets));
    if (!names || !ids || !offsets)
        return;
    for (size_t c = 0; c < count; c++) {
        const struct node *candidate = &cluster->nodes[shard->candidates[c]];
        names[c] = escape_string(candidate->name);
        ids[c] = escape_string(candidate->id);
        offsets[c] = escape_string(offset_text(w, candidate));
    }
    table_text(table, K_KIND, loss_word(loss->kind));
    table_text(table, K_LOST, loss->name);
    table_text(table, K_PRIMARY_ID, primary->id);
    table_text(table, K_PRIMARY, primary->name);
    table_count(table, K_SLOT_COUNT, primary->slots_owned);
    table_text(table, K_SLOTS, topology_slots(w, topology, shard->primary));
    table_text(table, K_FATE, fate_word(shard->fate));
    table_text(table, K_HEIR, heir_word(shard->basis));
    table_list(table, K_CANDIDATES, names, count);
    table_list(table, K_CANDIDATE_IDS, ids, count);
    table_list(table, K_OFFSETS, offsets, count);
    table_count(table, K_CLUSTER, (int64_t)topology->number);
    table_row(table);
}

void topology_takeovers_rows(struct topology_writing *w, struct table *table, const struct topology *topology)
{
    const struct tolerance *t = topology_tolerance(w, topology);
    for (size_t g = 0; t && g < t->group_count; g++)
        for (size_t s = 0; s < t->groups[g].shard_count; s++)
            takeover_row(w, table, topology, &t->groups[g], &t->groups[g].shards[s]);
}

void topology_pairs_rows(struct topology_writing *w, struct table *table, const struct topology *topology)
{
    const struct tolerance *t = topology_tolerance(w, topology);
    for (size_t p = 0; t && p < t->pair_count; p++) {
        const struct loss *loss = &t->pairs[p];
        const struct node *first = &t->cluster->nodes[loss->nodes[0]];
        const struct node *second = loss->nodes[1] == NO_NODE ? NULL : &t->cluster->nodes[loss->nodes[1]];
        table_text(table, P_KIND, loss_word(loss->kind));
        table_text(table, P_FIRST_ID, first->id);
        table_text(table, P_FIRST, first->name);
        table_text(table, P_SECOND_ID, second ? second->id : NULL);
        table_text(table, P_SECOND, second ? second->name : NULL);
        table_count(table, P_VOTING_LEFT, (int64_t)loss->voting_left);
        table_bool(table, P_MAJORITY, loss->majority);
        table_text(table, P_SERVICE, service_word(loss->service));
        table_count(table, P_STUCK_COUNT, stuck_count(loss));
        table_text(table, P_STUCK, slots_words(w, t->cluster, loss, STUCK));
        table_count(table, P_LOST_COUNT, loss->slots[FATE_LOST]);
        table_text(table, P_LOST_SLOTS, slots_words(w, t->cluster, loss, LOST));
        table_count(table, P_CLUSTER, (int64_t)topology->number);
        table_row(table);
    }
}

void topology_write_totals(struct topology_writing *w, const struct topology *topology)
{
    const struct tolerance *t = topology_tolerance(w, topology);
    if (!t)
        return;
    out_format(w->out,
               "%zu of %zu voting primaries can vote, %zu are a majority; service now: %s. Full coverage is %s.\n",
               t->voting_now, topology->cluster->voting, t->majority, service_word(t->now),
               topology->cluster->full_coverage ? "required" : "not required");
    bool zones = t->group_count && t->groups[t->group_count - 1].kind == LOSS_ZONE;
    out_format(w->out,
               "Of %zu %s, the loss of %zu leaves slots unserved or no majority; of %" PRIu64
               " pairs of members, that of %" PRIu64 ".\nHosts by ",
               t->group_count,
               zones                 ? "hosts and zones"
               : t->group_count == 1 ? "host"
                                     : "hosts",
               harmful_groups(t), t->pairs_tried, t->pairs_harmful);
    out_text(w->out, w->evidence->host_basis);
    out_text(w->out, ".\n\n");
}
