/* Replicas and their primaries: each synchronisation from the first try to its end, in part or in full, and why. */
#include <string.h>

#include "tools/history/chronicle.h"

enum {
    CLOSE_MS = 10000 /* what the primary writes of a synchronisation, so far before or after the replica's lines */
};

/* One synchronisation as the replica writes it. */
struct resync {
    size_t instance;
    struct numbers lines;
    size_t lost, tried, full, done, failed, impossible; /* occurrences, or NONE */
    size_t attempts, failures;
    const char *primary;
};

static bool is_step(enum log_event_id event)
{
    return event == LOG_SYNC_STARTED || event == LOG_SYNC_PARTIAL_TRIED || event == LOG_SYNC_PARTIAL_IMPOSSIBLE ||
           event == LOG_SYNC_FULL || event == LOG_SYNC_RECEIVING || event == LOG_SYNC_FLUSHING ||
           event == LOG_SYNC_LOADING || event == LOG_SYNC_FINISHED || event == LOG_SYNC_PARTIAL_DONE ||
           event == LOG_SYNC_FAILED || event == LOG_SYNC_CONNECTING;
}

/* The address under which primaries know the instance. */
static bool is_of(const struct chronicle *chronicle, const struct occurrence *line, size_t instance)
{
    const char *address = line->address;
    return address && strcmp(address, chronicle->evidence->instances[instance].name) == 0;
}

/* What the primary wrote about it at the same time. */
static const char *primary_side(struct chronicle *chronicle, struct draft *draft, const struct resync *resync)
{
    int64_t from = draft->episode.begin.ms, to = draft->episode.end.source == CLOCK_NONE ? from : draft->episode.end.ms;
    const char *why = NULL;
    size_t asked_by = SIZE_MAX;
    for (size_t o = occurrences_from(chronicle, from - CLOSE_MS); o < chronicle->history->count; o++) {
        const struct occurrence *line = chronicle_at(chronicle, o);
        if (line->when.source == CLOCK_NONE || line->when.ms > to + CLOSE_MS)
            break;
        bool names = is_of(chronicle, line, resync->instance);
        if (line->event == LOG_SYNC_ASKED && names)
            asked_by = line->instance;
        bool about = names && (line->event == LOG_SYNC_ASKED || line->event == LOG_SYNC_FULL_ASKED ||
                               line->event == LOG_SYNC_PARTIAL_SENT || line->event == LOG_SYNC_SERVED ||
                               line->event == LOG_SYNC_SEND_FAILED || line->event == LOG_SYNC_PARTIAL_REFUSED);
        /* The refusal follows the request, and names the replica only in some wordings. */
        about |= line->event == LOG_SYNC_PARTIAL_REFUSED && asked_by != SIZE_MAX && line->instance == asked_by;
        if (!about)
            continue;
        draft_shows(chronicle, draft, o);
        if (line->event == LOG_SYNC_PARTIAL_REFUSED)
            why = line->text;
    }
    return why;
}

static const char *why_full(struct chronicle *chronicle, const struct resync *resync, const char *refused)
{
    if (refused)
        return chronicle_text(chronicle, "the primary could not continue: %s", refused);
    if (resync->impossible != NONE)
        return chronicle_at(chronicle, resync->impossible)->text;
    return NULL;
}

static void add(struct chronicle *chronicle, const struct resync *resync)
{
    struct draft *draft = resync->lines.count ? draft_new(chronicle, EPISODE_RESYNC, BASIS_STATED) : NULL;
    if (!draft)
        return;
    const char *name = chronicle->evidence->instances[resync->instance].name,
               *from = chronicle_name(chronicle, resync->primary);
    size_t end = resync->done != NONE ? resync->done : resync->lines.at[resync->lines.count - 1];
    bool done = resync->done != NONE,
         part = done && chronicle_at(chronicle, resync->done)->event == LOG_SYNC_PARTIAL_DONE;
    draft_begins(chronicle, draft, resync->lost != NONE ? resync->lost : resync->lines.at[0]);
    draft_shows_all(chronicle, draft, &resync->lines);
    draft_ends(chronicle, draft, end);
    draft->episode.node = chronicle_at(chronicle, end)->writer;
    draft->episode.peer = resync->primary;
    draft->episode.instance = resync->instance;
    const char *refused = primary_side(chronicle, draft, resync);
    if (part)
        draft->episode.title = chronicle_text(chronicle, "%s got from %s only what it had missed", name, from);
    else if (done)
        draft->episode.title = chronicle_text(chronicle, "%s got all data from %s", name, from);
    else
        draft->episode.title = chronicle_text(chronicle, "%s did not finish synchronising with %s", name, from);
    if (!part)
        draft->episode.cause = why_full(chronicle, resync, refused);
    if (!done && resync->failed != NONE)
        draft->episode.cause = chronicle_at(chronicle, resync->failed)->text;
    if (resync->lost != NONE)
        draft_detail(chronicle, draft, "after the connection with the primary was lost");
    if (resync->tried != NONE)
        draft_detail(chronicle, draft, "%s", chronicle_at(chronicle, resync->tried)->text);
    if (resync->full != NONE)
        draft_detail(chronicle, draft, "%s", chronicle_at(chronicle, resync->full)->text);
    if (resync->failures)
        draft_detail(chronicle, draft, "%zu of %zu tries failed", resync->failures, resync->attempts);
}

static struct resync fresh(size_t instance)
{
    return (struct resync){instance, {0}, NONE, NONE, NONE, NONE, NONE, NONE, 0, 0, NULL};
}

static void take(struct chronicle *chronicle, struct resync *resync, size_t position)
{
    size_t number = chronicle->tracks[resync->instance].at[position], from;
    const struct occurrence *line = chronicle_at(chronicle, number);
    numbers_add(chronicle, &resync->lines, number);
    if (line->event == LOG_SYNC_STARTED)
        resync->attempts += line->count;
    else if (line->event == LOG_SYNC_FAILED)
        resync->failures += line->count;
    if (line->event == LOG_SYNC_CONNECTING)
        resync->primary = chronicle_at_address(chronicle, line->address, line->when.ms);
    else if (!resync->primary)
        resync->primary = chronicle_primary_before(chronicle, resync->instance, position, &from);
    if (line->event == LOG_SYNC_PARTIAL_TRIED)
        resync->tried = number;
    else if (line->event == LOG_SYNC_FULL)
        resync->full = number;
    else if (line->event == LOG_SYNC_FAILED)
        resync->failed = number;
    else if (line->event == LOG_SYNC_PARTIAL_IMPOSSIBLE)
        resync->impossible = number;
}

static void follow(struct chronicle *chronicle, size_t instance)
{
    const struct numbers *track = &chronicle->tracks[instance];
    struct resync resync = fresh(instance);
    bool ended = false; /* its last step was the end: more lines that say so may follow */
    for (size_t p = 0; p < track->count; p++) {
        const struct occurrence *line = chronicle_at(chronicle, track->at[p]);
        bool end = line->event == LOG_SYNC_PARTIAL_DONE || line->event == LOG_SYNC_FINISHED;
        bool over = line->event == LOG_STARTING || line->event == LOG_START || line->event == LOG_ELECTION_WON ||
                    line->event == LOG_BECAME_REPLICA || line->event == LOG_PRIMARY_LOST ||
                    line->event == LOG_PRIMARY_MODE ||
                    (ended && is_step(line->event) && !end && line->event != LOG_SYNC_LOADING);
        if (over) {
            add(chronicle, &resync);
            resync = fresh(instance);
            ended = false;
            if (line->event == LOG_PRIMARY_LOST && line->role != 'M')
                resync.lost = track->at[p];
        }
        if (!is_step(line->event))
            continue;
        take(chronicle, &resync, p);
        if (end) {
            resync.done = track->at[p];
            ended = true;
        }
    }
    add(chronicle, &resync);
}

/* ------------------------------------------------------------------ replicas whose logs are not here */

/* The primary's side alone. */
static void add_asked(struct chronicle *chronicle, size_t number)
{
    const struct occurrence *asked = chronicle_at(chronicle, number);
    const struct numbers *track = &chronicle->tracks[asked->instance];
    const char *replica = chronicle_at_address(chronicle, asked->address, asked->when.ms);
    size_t instance = chronicle_instance(chronicle, replica);
    if (instance != SIZE_MAX && chronicle->tracks[instance].count)
        return; /* it tells itself */
    struct draft *draft = draft_new(chronicle, EPISODE_RESYNC, BASIS_STATED);
    if (!draft)
        return;
    const char *who = replica ? chronicle_name(chronicle, replica) : asked->address ? asked->address : "a replica";
    const char *whose = chronicle->evidence->instances[asked->instance].name, *how = "asked for data of";
    draft_begins(chronicle, draft, number);
    draft_ends(chronicle, draft, number);
    draft->episode.node = replica;
    draft->episode.peer = asked->writer;
    draft->episode.instance = asked->instance;
    for (size_t p = chronicle->positions[number] + 1; p < track->count; p++) {
        const struct occurrence *line = chronicle_at(chronicle, track->at[p]);
        if (line->event == LOG_SYNC_ASKED || line->event == LOG_STARTING || line->event == LOG_START)
            break;
        bool same = !line->address || !asked->address || strcmp(line->address, asked->address) == 0;
        if (!same || (line->event != LOG_SYNC_PARTIAL_SENT && line->event != LOG_SYNC_PARTIAL_REFUSED &&
                      line->event != LOG_SYNC_FULL_ASKED && line->event != LOG_SYNC_SERVED &&
                      line->event != LOG_SYNC_SEND_FAILED))
            continue;
        draft_ends(chronicle, draft, track->at[p]);
        if (line->event == LOG_SYNC_PARTIAL_SENT)
            how = "got only what it had missed from";
        else if (line->event == LOG_SYNC_SERVED)
            how = "got all data from";
        else if (line->event == LOG_SYNC_PARTIAL_REFUSED)
            draft->episode.cause = line->text;
        if (line->event == LOG_SYNC_PARTIAL_SENT || line->event == LOG_SYNC_SERVED)
            break;
    }
    draft->episode.title = chronicle_text(chronicle, "%s %s %s", who, how, whose);
    draft_detail(chronicle, draft, "its own log is not here");
}

void build_resyncs(struct chronicle *chronicle)
{
    for (size_t i = 0; i < chronicle->evidence->instance_count; i++)
        follow(chronicle, i);
    for (size_t o = 0; o < chronicle->history->count; o++) {
        const struct occurrence *line = chronicle_at(chronicle, o);
        if (line->event == LOG_SYNC_ASKED && line->instance != SIZE_MAX)
            add_asked(chronicle, o);
    }
}
