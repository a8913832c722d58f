/* Tests:     whether a majority of voting primaries is left to agree on anything.
 * Relies on: FAIL and PFAIL in members' views; where they show none, the last word of members' logs on the state.
 * Reports:   no-quorum. */
#include <string.h>

#include "tools/cluster/membership.h"
#include "tools/findings/checks.h"
#include "tools/history/history.h"

/* ------------------------------------------------------------------ by flags */

/* Views show FAIL; PFAIL only captures do. */
static bool check_flags(struct findings *findings, const struct cluster *cluster)
{
    size_t failing = 0;
    struct finding *f = NULL;
    for (size_t n = 0; n < cluster->member_count; n++)
        failing += cluster->nodes[n].slots_owned &&
                   (cluster->nodes[n].failed || cluster->nodes[n].suspected > cluster->nodes[n].listing / 2);
    size_t majority = cluster->voting / 2 + 1;
    if (!cluster->voting || cluster->voting - failing >= majority)
        return false;
    if (!(f = findings_add(findings, FINDING_NO_QUORUM, CERTAINTY_PROVED)))
        return true;
    f->cluster = (size_t)(cluster - findings->clusters->all);
    f->summary = arena_format(findings->arena,
                              "%zu of %zu voting primaries are failing: no majority is left to agree on a failover.",
                              failing, cluster->voting);
    f->rule = "a failover needs the votes of more than half of the primaries with slots";
    f->settles = "later views in which the primaries answer";
    for (size_t i = 0; i < cluster->core_count; i++) { /* what the members themselves make of it */
        const struct instance *instance = &cluster->evidence->instances[cluster->core[i]];
        for (size_t s = 0; s < instance->status_count; s++) {
            const struct status_value *state = &instance->statuses[s]->words[STATUS_STATE];
            if (state->known && strcmp(state->word, "fail") == 0)
                finding_shows(findings, f, instance->statuses[s]->file, state->place);
        }
    }
    for (size_t n = 0; n < cluster->member_count; n++) {
        const struct node *node = &cluster->nodes[n];
        for (size_t c = 0; node->slots_owned && c < node->claim_count; c++)
            if (!node->claims[c].own && node->claims[c].sighting->entry->flags & (NODE_FAIL | NODE_PFAIL))
                finding_shows_claim(findings, f, &node->claims[c]);
    }
    return true;
}

/* ------------------------------------------------------------------ by logs */

/* What brings the clocks of an instance to the one on which all are compared, in ms to be added: its log's, whose lines
 * are then taken for UTC, and that of its file's pongs. Without a history nothing is known, and zones are as inferred. */
struct correction {
    bool known;
    int64_t log_ms, pong_ms;
};

static struct correction *corrections_of(const struct history *history, size_t instances, struct arena *arena)
{
    struct correction *all = arena_array(arena, instances, sizeof(*all));
    for (size_t o = 0; all && history && o < history->count; o++) {
        const struct occurrence *seen = &history->occurrences[o];
        if (seen->instance == SIZE_MAX || seen->when.source == CLOCK_NONE)
            continue;
        struct correction *correction = &all[seen->instance];
        if (seen->kind == OCCURRENCE_VIEW_SAVED && seen->when.source == CLOCK_EPOCH)
            correction->pong_ms = seen->when.ms - seen->when.raw_ms;
        if (seen->kind == OCCURRENCE_LOG && seen->when.source == CLOCK_LOG) {
            correction->known = true;
            correction->log_ms = seen->when.ms - seen->when.raw_ms;
        }
    }
    return all;
}

/* What an instance's logs say last. */
struct last_word {
    const struct logbook_line *state; /* "Cluster state changed: ..."; NULL when there is none */
    int64_t state_ms, end_ms;         /* of that line; of the last line that is known */
};

static struct last_word last_word_of(const struct instance *instance, const struct correction *correction, int year)
{
    struct last_word word = {NULL, INT64_MIN, INT64_MIN};
    int32_t zone = 0;
    instance_log_zone(instance, &zone, &year);
    if (correction->known)
        zone = 0;
    for (size_t b = 0; b < instance->logbook_count; b++)
        for (size_t l = 0; l < instance->logbooks[b]->count; l++) {
            const struct logbook_line *line = &instance->logbooks[b]->lines[l];
            int64_t ms = line->time.known ? log_unix_ms(&line->time, year, zone) + correction->log_ms : INT64_MIN;
            word.end_ms = ms > word.end_ms ? ms : word.end_ms;
            if (line->event == LOGBOOK_CLUSTER_OK || line->event == LOGBOOK_CLUSTER_FAIL) {
                word.state = line;
                word.state_ms = ms;
            } else if (line->event == LOGBOOK_START || line->event == LOGBOOK_SHUTDOWN) {
                /* A server begins in state fail, and says so only when it changes. One that was stopped in good order
                 * had seen the others being stopped. */
                word.state = NULL;
            }
        }
    return word;
}

/* By this view the cluster's slots are all served, so only a missing majority can have made its state fail. */
static bool all_served(const struct view *view)
{
    unsigned served = 0;
    for (size_t s = 0; s < view->count; s++)
        if (view->sightings[s].entry->flags & NODE_PRIMARY && !(view->sightings[s].entry->flags & NODE_FAIL))
            served += view->sightings[s].entry->slot_count;
    return served >= SLOT_COUNT;
}

struct hearing {
    struct last_word *words; /* by member */
    size_t failing;          /* members whose logs end in state fail */
    int64_t since_ms;        /* the earliest of these lines */
};

static bool hear_logs(struct findings *findings, const struct cluster *cluster, struct hearing *hearing)
{
    /* The mean length of a year is exact enough for logs that leave it out. */
    int year = (int)(1970 + cluster->newest_pong_ms / 1000 / 31556952);
    struct correction *corrections =
        corrections_of(findings->history, cluster->evidence->instance_count, findings->arena);
    hearing->words = arena_array(findings->arena, cluster->member_count, sizeof(*hearing->words));
    hearing->since_ms = INT64_MAX;
    for (uint32_t n = 0; corrections && hearing->words && n < cluster->member_count; n++) {
        const struct node *node = &cluster->nodes[n];
        struct last_word *word = &hearing->words[n];
        if (node->instance == SIZE_MAX || !cluster_testifies(cluster, node->instance))
            continue;
        const struct instance *instance = &cluster->evidence->instances[node->instance];
        const struct correction *correction = &corrections[node->instance];
        *word = last_word_of(instance, correction, year);
        if (!word->state || word->state->event != LOGBOOK_CLUSTER_FAIL || word->state_ms == INT64_MIN)
            continue;
        if (!all_served(instance->view) || instance->view->newest_pong_ms + correction->pong_ms > word->state_ms)
            return false; /* told by the slots; or the file is younger than the failure */
        hearing->failing++;
        hearing->since_ms = word->state_ms < hearing->since_ms ? word->state_ms : hearing->since_ms;
    }
    return corrections && hearing->words && hearing->failing;
}

static void check_logs(struct findings *findings, const struct cluster *cluster)
{
    struct hearing hearing = {0};
    if (cluster->uncovered || !hear_logs(findings, cluster, &hearing))
        return;
    size_t answering = 0, silent = 0, unknown = 0;
    const char *names = "";
    for (uint32_t n = 0; n < cluster->member_count; n++) {
        const struct last_word *word = &hearing.words[n];
        bool goes_on = word->end_ms >= hearing.since_ms;
        if (word->state && word->state->event == LOGBOOK_CLUSTER_OK && goes_on)
            return; /* somebody is in a majority: a node or a host is cut off, the cluster is not */
        if (!cluster->nodes[n].slots_owned)
            continue;
        if (word->end_ms == INT64_MIN) {
            unknown++;
        } else if (goes_on) {
            answering++;
        } else {
            names =
                arena_format(findings->arena, "%s%s%s", names ? names : "", silent ? ", " : "", cluster->nodes[n].name);
            silent++;
        }
    }
    struct finding *f = findings_add(findings, FINDING_NO_QUORUM, CERTAINTY_PROBABLE);
    if (!f)
        return;
    f->cluster = (size_t)(cluster - findings->clusters->all);
    f->summary =
        silent
            ? arena_format(
                  findings->arena,
                  "The logs of %zu member%s end in \"Cluster state changed: fail\", and those of %zu of %zu voting "
                  "primaries (%s) end before it: no majority is left to agree on a failover.",
                  hearing.failing, hearing.failing == 1 ? "" : "s", silent, cluster->voting, names ? names : "")
            : arena_format(findings->arena,
                           "The logs of %zu member%s end in \"Cluster state changed: fail\": too few of the %zu voting "
                           "primaries could be reached.",
                           hearing.failing, hearing.failing == 1 ? "" : "s", cluster->voting);
    f->rule = "the state fails when slots are not served or a majority cannot be reached; by their own files every "
              "slot has an owner that is not failed";
    f->settles =
        unknown
            ? "the logs of the voting primaries that are missing; CLUSTER NODES, which shows fail? as files never do"
            : "later logs with \"Cluster state changed: ok\"; CLUSTER NODES, which shows fail? as files never do";
    for (uint32_t n = 0; n < cluster->member_count; n++) {
        const struct last_word *word = &hearing.words[n];
        if (!word->state)
            continue;
        if (word->state->event == LOGBOOK_CLUSTER_FAIL || cluster->nodes[n].slots_owned)
            finding_shows(findings, f, word->state->file, word->state->place);
    }
}

void check_quorum(struct findings *findings, const struct cluster *cluster)
{
    if (!check_flags(findings, cluster))
        check_logs(findings, cluster);
}
