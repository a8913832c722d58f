/* Tests:     primaries that gave way without an election, and epochs that nothing explains.
 * Relies on: the history of the case; a silence proves something only where the logs of all members are whole.
 * Reports:   clusters-merged, epoch-jump. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tools/findings/checks.h"
#include "tools/findings/history_private.h"

/* ------------------------------------------------------------------ many primaries gave way at once */

enum { AT_ONCE_MS = 5000, BEFORE_MS = 60000, PRIMARIES_MANY = 2 };

/* The case has a log of the node. */
static bool is_heard(const struct findings *findings, const char *id)
{
    const struct evidence *evidence = findings->evidence;
    for (size_t i = 0; i < evidence->instance_count; i++)
        if (evidence->instances[i].logbook_count && evidence->instances[i].node != NO_NODE &&
            same_text(view_store_id(evidence->store, evidence->instances[i].node), id))
            return true;
    return false;
}

/* The line of a primary that follows another now, although that one asked nobody for votes; a primary that lost
 * its last slot to an import follows its new owner, too. */
static bool gave_way(const struct findings *findings, const struct occurrence *line)
{
    const struct history *history = findings->history;
    const char *winner = occurrence_field(line, LOG_FIELD_PRIMARY);
    if (!winner || line->role != 'M' || line->instance == SIZE_MAX || !is_heard(findings, winner))
        return false;
    for (size_t e = 0; e < history->episode_count; e++) {
        const struct episode *episode = &history->episodes[e];
        bool elected = (episode->kind == EPISODE_ELECTION && same_text(episode->node, winner)) ||
                       (episode->kind == EPISODE_MANUAL_FAILOVER && same_text(episode->peer, winner));
        bool moved = episode->kind == EPISODE_SLOT_MOVE && same_text(episode->node, winner) &&
                     (episode->how == BASIS_STATED || episode->epoch >= 0) &&
                     episode->end.ms >= line->when.ms - BEFORE_MS;
        if ((elected || moved) && episode->begin.ms <= line->when.ms + AT_ONCE_MS)
            return false;
    }
    return true;
}

static void report_merger(struct findings *findings, const size_t *lines, size_t count)
{
    const struct occurrence *all = findings->history->occurrences;
    const struct cluster *cluster = clusters_of(findings->clusters, all[lines[0]].instance);
    size_t number = cluster ? (size_t)(cluster - findings->clusters->all) : SIZE_MAX;
    struct finding *f = NULL;
    for (size_t i = 0; i < findings->count && !f; i++)
        if (findings->all[i].id == FINDING_CLUSTERS_MERGED && findings->all[i].cluster == number)
            f = &findings->all[i];
    if (!f) {
        const char *names = "";
        if (!(f = findings_add(findings, FINDING_CLUSTERS_MERGED, CERTAINTY_PROBABLE)))
            return;
        for (size_t i = 0; i < count && i < 6; i++)
            names = arena_format(findings->arena, "%s%s%s", names ? names : "", i ? ", " : "",
                                 findings->evidence->instances[all[lines[i]].instance].name);
        f->cluster = number;
        f->summary = arena_format(
            findings->arena, "%zu primaries became replicas within %" PRId64 " ms, and nobody had been elected: %s%s.",
            count, all[lines[count - 1]].when.ms - all[lines[0]].when.ms, names ? names : "", count > 6 ? ", ..." : "");
        f->rule =
            "a primary gives way to a higher configEpoch; without an election, a takeover or a move of slots it came "
            "from another cluster";
        f->settles = "older views of the winners: members of the same cluster, or of another";
    }
    for (size_t i = 0; i < count; i++)
        finding_shows_event(findings, f, &all[lines[i]]);
}

void check_mergers(struct findings *findings)
{
    const struct history *history = findings->history;
    enum { MOST = 64 };
    size_t lines[MOST], count = 0;
    for (size_t o = 0; o <= history->count; o++) {
        const struct occurrence *line = o < history->count ? &history->occurrences[o] : NULL;
        if (line && line->event != LOG_BECAME_REPLICA)
            continue;
        if (count && (!line || line->when.ms - history->occurrences[lines[0]].when.ms > AT_ONCE_MS)) {
            if (count >= PRIMARIES_MANY)
                report_merger(findings, lines, count);
            count = 0;
        }
        bool again = false;
        for (size_t i = 0; line && i < count; i++)
            again |= history->occurrences[lines[i]].instance == line->instance;
        if (line && !again && count < MOST && gave_way(findings, line))
            lines[count++] = o;
    }
}

/* ------------------------------------------------------------------ epochs without a cause */

/* Since each member got its id, its log is here. */
static bool all_logs_whole(const struct findings *findings, const struct cluster *cluster)
{
    const struct history *history = findings->history;
    size_t whole = 0;
    bool *is_whole = calloc(cluster->node_count + 1, sizeof(*is_whole));
    if (!is_whole)
        return false;
    for (size_t o = 0; o < history->count; o++) {
        const struct occurrence *line = &history->occurrences[o];
        if ((line->event != LOG_NODE_NEW && line->event != LOG_NODE_RESET) || !line->node)
            continue;
        uint32_t number =
            view_store_find(findings->evidence->store, (struct bytes){(const uint8_t *)line->node, strlen(line->node)});
        uint32_t node = number == NO_NODE ? NO_NODE : cluster_node(cluster, number);
        if (node != NO_NODE && node < cluster->member_count && !is_whole[node]) {
            is_whole[node] = true;
            whole++;
        }
    }
    free(is_whole);
    return whole == cluster->member_count;
}

struct known_epoch {
    uint64_t epoch;
    const struct occurrence *line; /* that explains it; NULL: currentEpoch of the members */
};

static int by_epoch(const void *a, const void *b)
{
    const struct known_epoch *one = a, *other = b;
    return (one->epoch > other->epoch) - (one->epoch < other->epoch);
}

static bool explains(const struct occurrence *line)
{
    switch (line->kind == OCCURRENCE_LOG ? line->event : LOG_UNKNOWN) {
    case LOG_EPOCH_SET:
    case LOG_EPOCH_BUMPED:
    case LOG_EPOCH_WON:
    case LOG_EPOCH_COLLISION:
    case LOG_ELECTION_STARTED:
    case LOG_VOTE_GRANTED:
    case LOG_MEMBER_FAILED_OVER:
        return line->epoch >= 0;
    default:
        return false;
    }
}

static void report_jump(struct findings *findings, const struct cluster *cluster, const struct known_epoch *before,
                        const struct known_epoch *after)
{
    struct finding *f = findings_add(findings, FINDING_EPOCH_JUMP, CERTAINTY_PROBABLE);
    if (!f)
        return;
    f->cluster = (size_t)(cluster - findings->clusters->all);
    f->summary =
        arena_format(findings->arena,
                     "The epochs of the cluster go from %" PRIu64 " to %" PRIu64 ", and no log tells of those between.",
                     before->epoch, after->epoch);
    f->rule =
        "the logs of all members begin with their ids; elections and imports write their epochs, collisions cost "
        "one each";
    f->settles =
        "the log of a node that is not in the case: one that asks for votes and gets none; older files, edited or "
        "of another cluster";
    if (before->line)
        finding_shows_event(findings, f, before->line);
    if (after->line)
        finding_shows_event(findings, f, after->line);
    for (size_t i = 0; !after->line && i < cluster->core_count; i++) {
        const struct view *view = cluster->evidence->instances[cluster->core[i]].view;
        if (view_epoch(view) == after->epoch)
            finding_shows_vars(findings, f, view);
    }
}

static bool is_told(const struct findings *findings, size_t cluster)
{
    for (size_t f = 0; f < findings->count; f++)
        if (findings->all[f].cluster == cluster &&
            (findings->all[f].id == FINDING_EPOCH_OUTLIER || findings->all[f].id == FINDING_EPOCH_LEAK ||
             findings->all[f].id == FINDING_CLUSTERS_MERGED))
            return true;
    return false;
}

static void check_cluster_jumps(struct findings *findings, const struct cluster *cluster)
{
    const struct history *history = findings->history;
    size_t count = 0;
    if (!cluster->epochs_known || cluster->missing_count || history->left_out ||
        is_told(findings, (size_t)(cluster - findings->clusters->all)))
        return;
    if (!all_logs_whole(findings, cluster))
        return;
    for (size_t o = 0; o < history->count; o++)
        count += explains(&history->occurrences[o]);
    struct known_epoch *all = calloc(count + 1, sizeof(*all));
    if (!all)
        return;
    count = 0;
    for (size_t o = 0; o < history->count; o++)
        if (explains(&history->occurrences[o]))
            all[count++] = (struct known_epoch){(uint64_t)history->occurrences[o].epoch, &history->occurrences[o]};
    if (count) {
        all[count++] = (struct known_epoch){cluster->current_epoch, NULL};
        qsort(all, count, sizeof(*all), by_epoch);
    }
    for (size_t i = 1; i < count; i++) { /* what somebody set by hand is explained */
        bool by_hand = all[i].line && all[i].line->event == LOG_EPOCH_SET;
        if (!by_hand && all[i].epoch <= cluster->current_epoch &&
            all[i].epoch - all[i - 1].epoch > cluster->member_count + 1)
            report_jump(findings, cluster, &all[i - 1], &all[i]);
    }
    free(all);
}

void check_jumps(struct findings *findings)
{
    for (size_t c = 0; c < findings->clusters->count; c++)
        check_cluster_jumps(findings, &findings->clusters->all[c]);
}
