/* Tests:     what only the order of events shows: strangers who speak or copy, elections nobody wins, clocks.
 * Relies on: the history of the case (tools/history/); adds lines of logs to what the checks of files have found.
 * Reports:   stale-self-membership, shadow-replica, election-never-wins, clock-skew; the rest: history_epochs.c. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tools/findings/checks.h"
#include "tools/findings/history_private.h"
#include "tools/history/clocks.h"

bool same_text(const char *one, const char *other)
{
    return one && other && strcmp(one, other) == 0;
}

struct finding *finding_of_node(const struct findings *findings, enum finding_id id, const char *node_id)
{
    for (size_t f = 0; f < findings->count; f++)
        if (findings->all[f].id == id && same_text(findings->all[f].node_id, node_id))
            return &findings->all[f];
    return NULL;
}

void finding_shows_event(struct findings *findings, struct finding *finding, const struct occurrence *occurrence)
{
    finding_shows(findings, finding, occurrence->file, occurrence->place);
}

/* The instance that carries an id now, or SIZE_MAX. */
static size_t instance_of(const struct findings *findings, const char *id)
{
    const struct evidence *evidence = findings->evidence;
    for (size_t i = 0; id && i < evidence->instance_count; i++)
        if (evidence->instances[i].node != NO_NODE &&
            strcmp(view_store_id(evidence->store, evidence->instances[i].node), id) == 0)
            return i;
    return SIZE_MAX;
}

static bool is_member(const struct findings *findings, const char *id)
{
    for (size_t c = 0; c < findings->clusters->count; c++) {
        const struct cluster *cluster = &findings->clusters->all[c];
        for (size_t n = 0; n < cluster->member_count; n++)
            if (strcmp(cluster->nodes[n].id, id) == 0)
                return true;
    }
    return false;
}

/* Names the node, by its instance where the case has one. */
static void set_subject(struct findings *findings, struct finding *finding, const char *id,
                        const struct occurrence *line)
{
    size_t instance = instance_of(findings, id);
    if (instance != SIZE_MAX) {
        finding_about_instance(findings, finding, instance);
        return;
    }
    const struct cluster *cluster = clusters_of(findings->clusters, line->instance);
    finding->cluster = cluster ? (size_t)(cluster - findings->clusters->all) : SIZE_MAX;
    finding->node_id = id;
}

static const char *name_of(const struct findings *findings, const char *id)
{
    size_t instance = instance_of(findings, id);
    if (instance != SIZE_MAX)
        return findings->evidence->instances[instance].name;
    for (size_t c = 0; id && c < findings->clusters->count; c++)
        for (size_t n = 0; n < findings->clusters->all[c].node_count; n++)
            if (strcmp(findings->clusters->all[c].nodes[n].id, id) == 0)
                return findings->clusters->all[c].nodes[n].name;
    return id ? id : "an unknown node";
}

/* ------------------------------------------------------------------ strangers who speak */

/* It has forgotten the cluster since: it was reset, or its own file knows nobody. */
static bool has_let_go(const struct findings *findings, const char *id, int64_t since_ms)
{
    const struct history *history = findings->history;
    size_t instance = instance_of(findings, id);
    const struct view *view = instance == SIZE_MAX ? NULL : findings->evidence->instances[instance].view;
    if (view && view->count <= 1)
        return true;
    for (size_t e = 0; e < history->episode_count; e++) {
        const struct episode *episode = &history->episodes[e];
        if (episode->kind == EPISODE_RESET && (same_text(episode->node, id) || same_text(episode->peer, id)) &&
            episode->begin.ms >= since_ms)
            return true;
    }
    return false;
}

static void check_strangers(struct findings *findings)
{
    const struct history *history = findings->history;
    for (size_t e = 0; e < history->episode_count; e++) {
        const struct episode *episode = &history->episodes[e];
        const struct occurrence *last = episode->occurrence_count
                                            ? &history->occurrences[episode->occurrences[episode->occurrence_count - 1]]
                                            : NULL;
        if (episode->kind != EPISODE_MEMBERSHIP || !last || last->event != LOG_UNKNOWN_SENDER || !episode->node)
            continue;
        struct finding *f = finding_of_node(findings, FINDING_STALE_SELF_MEMBERSHIP, episode->node);
        const struct cluster *cluster = clusters_of(findings->clusters, last->instance);
        if (!f) {
            if (is_member(findings, episode->node) || !cluster || !cluster_testifies(cluster, last->instance) ||
                has_let_go(findings, episode->node, episode->end.ms))
                continue;
            if (!(f = findings_add(findings, FINDING_STALE_SELF_MEMBERSHIP, CERTAINTY_PROBABLE)))
                return;
            set_subject(findings, f, episode->node, last);
            f->summary =
                arena_format(findings->arena, "%s sends messages as a member; members' logs call it an unknown node.",
                             name_of(findings, episode->node));
            f->rule = "a member ignores what a node says that it does not know; only who was a member once says it";
            f->settles = "a view of a member that lists it; its own nodes.conf";
            f->goal = "rejoin";
        }
        for (size_t i = 0; i < episode->occurrence_count; i++)
            finding_shows_event(findings, f, &history->occurrences[episode->occurrences[i]]);
    }
}

/* ------------------------------------------------------------------ strangers who copy */

/* The last time that it asked, the connection was not lost again. */
static bool still_copies(const struct history *history, const struct occurrence *asked)
{
    for (size_t o = 0; o < history->count; o++) {
        const struct occurrence *line = &history->occurrences[o];
        if (line->event == LOG_REPLICA_LOST && line->instance == asked->instance && line->when.ms >= asked->when.ms &&
            same_text(line->address, asked->address))
            return false;
    }
    return true;
}

static void check_shadows(struct findings *findings)
{
    const struct history *history = findings->history;
    for (size_t e = 0; e < history->episode_count; e++) {
        const struct episode *episode = &history->episodes[e];
        const struct occurrence *asked = NULL;
        for (size_t i = 0; episode->kind == EPISODE_SHADOW && i < episode->occurrence_count; i++)
            if (history->occurrences[episode->occurrences[i]].event == LOG_SYNC_ASKED)
                asked = &history->occurrences[episode->occurrences[i]];
        struct finding *f = asked ? finding_of_node(findings, FINDING_SHADOW_REPLICA, episode->node) : NULL;
        if (!asked || (!f && (!still_copies(history, asked) || (episode->node && is_member(findings, episode->node)))))
            continue;
        if (!f) {
            if (!(f = findings_add(findings, FINDING_SHADOW_REPLICA, CERTAINTY_PROBABLE)))
                return;
            set_subject(findings, f, episode->node, asked);
            f->node = f->node ? f->node : asked->address;
            f->summary =
                arena_format(findings->arena, "%s asked %s for its data, and its address is in no member's file.",
                             asked->address, findings->evidence->instances[asked->instance].name);
            f->rule = "replication asks for no membership; the log does not say that the connection ended";
            f->settles = arena_format(findings->arena, "INFO replication of %s: a replica at %s",
                                      findings->evidence->instances[asked->instance].name, asked->address);
        }
        for (size_t i = 0; i < episode->occurrence_count; i++)
            if (history->occurrences[episode->occurrences[i]].kind == OCCURRENCE_LOG)
                finding_shows_event(findings, f, &history->occurrences[episode->occurrences[i]]);
    }
}

/* ------------------------------------------------------------------ elections that nobody wins */

enum { LOST_OFTEN = 3 };

static size_t count_event(const struct history *history, const struct episode *episode, enum log_event_id event)
{
    size_t count = 0;
    for (size_t i = 0; i < episode->occurrence_count; i++)
        if (history->occurrences[episode->occurrences[i]].event == event)
            count += history->occurrences[episode->occurrences[i]].count;
    return count;
}

/* Afterwards somebody took over, the node itself won, or its primary was back. */
static bool is_over(const struct history *history, size_t number)
{
    const struct episode *lost = &history->episodes[number];
    for (size_t e = 0; e < history->episode_count; e++) {
        const struct episode *episode = &history->episodes[e];
        bool takes_over =
            (episode->kind == EPISODE_FAILOVER || episode->kind == EPISODE_MANUAL_FAILOVER) && episode->slots != NULL;
        takes_over |= episode->kind == EPISODE_ELECTION && count_event(history, episode, LOG_ELECTION_WON);
        if (e != number && takes_over && episode->end.ms >= lost->begin.ms &&
            (same_text(episode->node, lost->peer) || same_text(episode->node, lost->node) ||
             same_text(episode->peer, lost->node) || (lost->peer && same_text(episode->peer, lost->peer))))
            return true;
    }
    for (size_t o = 0; o < history->count; o++) {
        const struct occurrence *line = &history->occurrences[o];
        if (line->when.ms < lost->end.ms)
            continue;
        if (line->event == LOG_FAILURE_CLEARED && same_text(line->node, lost->peer))
            return true;
        if (line->instance == lost->instance && line->kind == OCCURRENCE_LOG &&
            (line->event == LOG_BECAME_REPLICA || line->event == LOG_SYNC_FINISHED ||
             line->event == LOG_SYNC_PARTIAL_DONE || line->event == LOG_NODE_RESET))
            return true;
    }
    return false;
}

static void check_elections(struct findings *findings)
{
    const struct history *history = findings->history;
    for (size_t e = 0; e < history->episode_count; e++) {
        const struct episode *episode = &history->episodes[e];
        if (episode->kind != EPISODE_ELECTION || !episode->node || episode->instance == SIZE_MAX ||
            count_event(history, episode, LOG_ELECTION_WON))
            continue;
        size_t started = count_event(history, episode, LOG_ELECTION_STARTED),
               blocked = count_event(history, episode, LOG_ELECTION_BLOCKED);
        if ((started < LOST_OFTEN && blocked < LOST_OFTEN) || is_over(history, e))
            continue;
        struct finding *f = findings_add(findings, FINDING_ELECTION_NEVER_WINS, CERTAINTY_PROBABLE);
        if (!f)
            return;
        finding_about_instance(findings, f, episode->instance);
        f->summary = arena_format(
            findings->arena, "%s%s%s%s.", episode->title, episode->cause ? ": " : "",
            episode->cause ? episode->cause : "",
            episode->peer ? arena_format(findings->arena, " (its primary was %s)", name_of(findings, episode->peer))
                          : "");
        f->rule = "its log names attempts and reasons, and no later line shows a winner or the primary's return";
        f->settles = "later logs in which somebody wins; the logs of the voters, which say why they refuse";
        for (size_t i = 0; i < episode->occurrence_count; i++)
            finding_shows_event(findings, f, &history->occurrences[episode->occurrences[i]]);
    }
}

/* ------------------------------------------------------------------ clocks */

/* What is left of an offset when the zone that explains most of it is taken away. */
static int64_t beside_zone(const struct host_clock *clock)
{
    const int64_t quarter_ms = 15 * 60 * 1000;
    int64_t rest = (clock->offset_ms - clock->zone_ms) % quarter_ms;
    return rest > quarter_ms / 2 ? rest - quarter_ms : rest < -quarter_ms / 2 ? rest + quarter_ms : rest;
}

static const struct occurrence *first_of_host(const struct findings *findings, const char *host)
{
    for (size_t o = 0; o < findings->history->count; o++) {
        const struct occurrence *line = &findings->history->occurrences[o];
        if (line->kind == OCCURRENCE_LOG && line->instance != SIZE_MAX &&
            same_text(findings->evidence->instances[line->instance].host, host))
            return line;
    }
    return NULL;
}

static void check_clocks(struct findings *findings)
{
    enum { MUCH_MS = 1000 };
    const struct history *history = findings->history;
    for (size_t c = 0; c < history->clock_count; c++) {
        const struct host_clock *clock = &history->clocks[c];
        int64_t rest = beside_zone(clock), size = rest < 0 ? -rest : rest;
        const struct occurrence *line = clock->basis == OFFSET_PAIRS && size > MUCH_MS && size > clock->error_ms
                                            ? first_of_host(findings, clock->host)
                                            : NULL;
        struct finding *f = line ? findings_add(findings, FINDING_CLOCK_SKEW, CERTAINTY_PROBABLE) : NULL;
        if (!f)
            continue;
        f->host = clock->host;
        f->summary = arena_format(
            findings->arena,
            "The clock of host %s is %+" PRId64 ".%03" PRId64 " s off against %s, by %zu paired events.", clock->host,
            rest / 1000, size % 1000, clock->against ? clock->against : "the others", clock->pairs);
        f->rule =
            "events that two hosts have both written, such as a vote and its winner; whole quarters of an hour are "
            "taken for time zones";
        f->settles = "the time daemons of the hosts";
        finding_shows_event(findings, f, line);
    }
    for (size_t o = 0; o < history->count; o++) {
        const struct occurrence *back = &history->occurrences[o];
        struct finding *f =
            back->kind == OCCURRENCE_CLOCK_BACK ? findings_add(findings, FINDING_CLOCK_SKEW, CERTAINTY_PROVED) : NULL;
        if (!f)
            continue;
        if (back->instance != SIZE_MAX)
            finding_about_instance(findings, f, back->instance);
        f->summary = arena_format(findings->arena, "A log goes back: %s.", back->text);
        f->rule = "a line is dated earlier than the line above it";
        f->settles = "the host's time daemon; logs that were put together in another order";
        finding_shows_event(findings, f, back);
    }
}

void check_history(struct findings *findings)
{
    check_strangers(findings);
    check_shadows(findings);
    check_elections(findings);
    check_mergers(findings);
    check_jumps(findings);
    check_clocks(findings);
}
