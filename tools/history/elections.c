/* Elections, from the lines of the candidates and of those who vote. */
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "tools/history/chronicle.h"

/* The elections by candidate and epoch, to find the one that a vote belongs to. */
struct ballot {
    struct chronicle *chronicle;
    struct numbering numbering;
};

static uint64_t ballot_hash(const char *candidate, int64_t epoch)
{
    return XXH3_64bits_withSeed(candidate, strlen(candidate), (uint64_t)epoch);
}

static struct election *ballot_find(const struct ballot *ballot, const char *candidate, int64_t epoch)
{
    size_t at = ballot_hash(candidate, epoch);
    uint64_t hash = at;
    uint32_t number;
    while (numbering_next(&ballot->numbering, hash, &at, &number)) {
        struct election *election = &ballot->chronicle->elections[number];
        if (same_id(election->candidate, candidate) && epoch >= election->first_epoch && epoch <= election->epoch)
            return election;
    }
    return NULL;
}

static void ballot_add(struct ballot *ballot, size_t election, int64_t epoch)
{
    const char *candidate = ballot->chronicle->elections[election].candidate;
    if (candidate)
        numbering_add(&ballot->numbering, ballot->chronicle->arena, ballot_hash(candidate, epoch), (uint32_t)election);
}

static struct election *add(struct chronicle *chronicle, const char *candidate, size_t instance, int64_t ms)
{
    struct election *all = arena_grow(chronicle->arena, chronicle->elections, chronicle->election_count,
                                      &chronicle->election_cap, sizeof(*all));
    if (!all)
        return NULL;
    chronicle->elections = all;
    struct election *election = &all[chronicle->election_count++];
    *election = (struct election){.candidate = candidate,
                                  .instance = instance,
                                  .epoch = -1,
                                  .first_epoch = -1,
                                  .requested = NONE,
                                  .delayed = NONE,
                                  .started = NONE,
                                  .won = NONE,
                                  .epoch_won = NONE,
                                  .ms = ms};
    return election;
}

/* ------------------------------------------------------------------ the candidate's lines */

/* One replica's way through its track. */
struct candidacy {
    struct ballot *ballot;
    size_t instance;
    size_t election; /* in chronicle.elections, the open one, or NONE */
};

static struct election *open_election(struct candidacy *candidacy, size_t position)
{
    struct chronicle *chronicle = candidacy->ballot->chronicle;
    const struct occurrence *line = track_at(chronicle, candidacy->instance, position);
    size_t from;
    if (candidacy->election != NONE)
        return &chronicle->elections[candidacy->election];
    struct election *election = add(chronicle, line->writer, candidacy->instance, line->when.ms);
    if (!election)
        return NULL;
    if (!election->candidate)
        election->candidate = chronicle_id_at(chronicle, candidacy->instance, line->when.ms);
    candidacy->election = (size_t)(election - chronicle->elections);
    election->old_primary = chronicle_primary_before(chronicle, candidacy->instance, position, &from);
    if (from != NONE && chronicle_at(chronicle, from)->kind == OCCURRENCE_LOG)
        numbers_add(chronicle, &election->lines, from);
    return election;
}

/* Something that belongs to an election only while one is open. */
static bool is_about_open(enum log_event_id event)
{
    return event == LOG_ELECTION_RANK || event == LOG_ELECTION_VOTES || event == LOG_ELECTION_RESET ||
           event == LOG_FAILOVER_OFFSET || event == LOG_FAILOVER_READY || event == LOG_VOTE_REFUSED;
}

static void start(struct candidacy *candidacy, struct election *election, size_t number)
{
    const struct occurrence *line = chronicle_at(candidacy->ballot->chronicle, number);
    election->started = number;
    election->attempts++;
    election->epoch = line->epoch;
    election->first_epoch = election->first_epoch < 0 ? line->epoch : election->first_epoch;
    ballot_add(candidacy->ballot, candidacy->election, line->epoch);
}

/* The epoch that the node took without votes, for CLUSTER FAILOVER TAKEOVER. */
static void take_over(struct candidacy *candidacy, struct election *election, size_t number)
{
    const struct occurrence *line = chronicle_at(candidacy->ballot->chronicle, number);
    election->won = election->epoch_won = number;
    election->epoch = election->first_epoch = line->epoch;
    candidacy->election = NONE;
}

static void note(struct candidacy *candidacy, size_t position)
{
    struct chronicle *chronicle = candidacy->ballot->chronicle;
    const struct occurrence *line = track_at(chronicle, candidacy->instance, position);
    size_t number = chronicle->tracks[candidacy->instance].at[position];
    bool opens = line->event == LOG_FAILOVER_REQUESTED || line->event == LOG_ELECTION_DELAYED ||
                 line->event == LOG_ELECTION_STARTED || line->event == LOG_ELECTION_BLOCKED ||
                 line->event == LOG_ELECTION_WON;
    struct election *election;
    bool over = candidacy->election != NONE && chronicle->elections[candidacy->election].won != NONE;
    if (line->event == LOG_FAILOVER_REQUESTED || (over && opens))
        candidacy->election = NONE; /* what went before is another election */
    if (!opens && candidacy->election == NONE)
        return;
    if (!(election = open_election(candidacy, position)))
        return;
    if (election->takeover && line->event == LOG_EPOCH_BUMPED) {
        numbers_add(chronicle, &election->lines, number);
        take_over(candidacy, election, number);
        return;
    }
    if (!opens && !is_about_open(line->event) && line->event != LOG_EPOCH_WON && line->event != LOG_FAILOVER_TIMEOUT)
        return;
    numbers_add(chronicle, &election->lines, number);
    switch (line->event) {
    case LOG_FAILOVER_REQUESTED:
        election->requested = number;
        election->takeover = line->text && strncmp(line->text, "Taking over", 11) == 0;
        break;
    case LOG_ELECTION_DELAYED:
        election->delayed = number;
        break;
    case LOG_ELECTION_STARTED:
        start(candidacy, election, number);
        break;
    case LOG_ELECTION_BLOCKED:
    case LOG_ELECTION_RESET:
        numbers_add(chronicle, &election->blocked, number);
        break;
    case LOG_ELECTION_WON:
        election->won = number;
        break;
    case LOG_EPOCH_WON:
        if (election->won != NONE) {
            election->epoch_won = number;
            election->epoch = line->epoch >= 0 ? line->epoch : election->epoch;
            candidacy->election = NONE;
        }
        break;
    case LOG_FAILOVER_TIMEOUT:
        election->timed_out = true;
        candidacy->election = NONE;
        break;
    default:
        break;
    }
}

/* Lines after which a replica that had not won is a candidate no more. */
static bool gives_up(enum log_event_id event)
{
    return event == LOG_STARTING || event == LOG_START || event == LOG_BECAME_REPLICA ||
           event == LOG_SYNC_PARTIAL_DONE || event == LOG_SYNC_FINISHED || event == LOG_EXIT ||
           event == LOG_NODE_RESET || event == LOG_REPLICA_MOVED;
}

static void follow(struct ballot *ballot, size_t instance)
{
    struct candidacy candidacy = {ballot, instance, NONE};
    for (size_t p = 0; p < ballot->chronicle->tracks[instance].count; p++) {
        enum log_event_id event = track_at(ballot->chronicle, instance, p)->event;
        if (gives_up(event))
            candidacy.election = NONE;
        else
            note(&candidacy, p);
    }
}

/* ------------------------------------------------------------------ the others' lines */

/* An election whose candidate has no log here: its voters tell of it. */
static struct election *by_votes(struct ballot *ballot, const struct occurrence *line)
{
    struct election *election = add(ballot->chronicle, line->node, SIZE_MAX, line->when.ms);
    if (!election)
        return NULL;
    election->epoch = election->first_epoch = line->epoch;
    election->attempts = 1;
    ballot_add(ballot, (size_t)(election - ballot->chronicle->elections), line->epoch);
    return election;
}

/* A denial has no epoch in most versions: it belongs to the election of that candidate that was under way. */
static struct election *under_way(const struct chronicle *chronicle, const char *candidate, int64_t ms)
{
    enum { LATE_MS = 60000 };
    struct election *best = NULL;
    for (size_t e = 0; e < chronicle->election_count; e++) {
        struct election *election = &chronicle->elections[e];
        const struct numbers *lines = &election->lines;
        int64_t end = lines->count ? chronicle_at(chronicle, lines->at[lines->count - 1])->until.ms : election->ms;
        if (same_id(election->candidate, candidate) && election->ms - 1000 <= ms && ms <= end + LATE_MS)
            best = election;
    }
    return best;
}

static void take_votes(struct ballot *ballot)
{
    struct chronicle *chronicle = ballot->chronicle;
    for (size_t o = 0; o < chronicle->history->count; o++) {
        const struct occurrence *line = chronicle_at(chronicle, o);
        if (line->kind != OCCURRENCE_LOG || !line->node)
            continue;
        if (line->event == LOG_VOTE_GRANTED && line->epoch >= 0) {
            struct election *election = ballot_find(ballot, line->node, line->epoch);
            if (election || (election = by_votes(ballot, line)))
                numbers_add(chronicle, &election->votes, o);
        } else if (line->event == LOG_VOTE_DENIED) {
            struct election *election = under_way(chronicle, line->node, line->when.ms);
            if (election)
                numbers_add(chronicle, &election->denials, o);
        }
    }
}

/* Whom the winner replaced, by what the others write. */
static void find_old_primary(struct chronicle *chronicle, struct election *election)
{
    enum { LATE_MS = 3600000 };
    for (size_t o = occurrences_from(chronicle, election->ms - 1000);
         o < chronicle->history->count && !election->old_primary; o++) {
        const struct occurrence *line = chronicle_at(chronicle, o);
        if (line->when.source == CLOCK_NONE || line->when.ms > election->ms + LATE_MS)
            break;
        if (line->event == LOG_MEMBER_FAILED_OVER && same_id(line->peer, election->candidate) &&
            line->epoch == election->epoch)
            election->old_primary = line->node;
        else if (line->event == LOG_BECAME_PRIMARY && same_id(line->writer, election->candidate))
            election->old_primary = occurrence_field(line, LOG_FIELD_OLD_PRIMARY);
        else if (line->event == LOG_BECAME_REPLICA && line->role == 'M' && line->writer &&
                 same_id(occurrence_field(line, LOG_FIELD_PRIMARY), election->candidate))
            election->old_primary = line->writer;
    }
}

static int by_time(const void *a, const void *b)
{
    const struct election *left = a, *right = b;
    return (left->ms > right->ms) - (left->ms < right->ms);
}

void chronicle_elections(struct chronicle *chronicle)
{
    struct ballot ballot = {.chronicle = chronicle};
    for (size_t i = 0; i < chronicle->evidence->instance_count; i++)
        follow(&ballot, i);
    take_votes(&ballot);
    for (size_t e = 0; e < chronicle->election_count; e++)
        if (!chronicle->elections[e].old_primary)
            find_old_primary(chronicle, &chronicle->elections[e]);
    if (chronicle->election_count)
        qsort(chronicle->elections, chronicle->election_count, sizeof(*chronicle->elections), by_time);
}
