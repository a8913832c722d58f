/* Failovers, asked for or not, and the elections that they rest on or that nobody won. */
#include <string.h>

#include "tools/history/chronicle.h"

enum { SOON_MS = 60000 /* how long after it was won an election is heard of */ };

static const char *field(const struct chronicle *chronicle, size_t number, enum log_field_id id)
{
    const char *text = number == NONE ? NULL : occurrence_field(chronicle_at(chronicle, number), id);
    return text ? text : "?";
}

static int64_t end_of(const struct chronicle *chronicle, const struct election *election)
{
    size_t last = election->won;
    if (last == NONE && election->lines.count)
        last = election->lines.at[election->lines.count - 1];
    return last == NONE ? election->ms : chronicle_at(chronicle, last)->until.ms;
}

/* "127.0.0.6:7000, 127.0.0.8:9000" */
static const char *writers(struct chronicle *chronicle, const struct numbers *lines)
{
    const char *text = "";
    for (size_t i = 0; i < lines->count && i < 16; i++) {
        const struct occurrence *line = chronicle_at(chronicle, lines->at[i]);
        const char *name =
            line->instance == SIZE_MAX ? "a log of nobody" : chronicle->evidence->instances[line->instance].name;
        text = chronicle_text(chronicle, "%s%s%s", text, i ? ", " : "", name);
    }
    return lines->count > 16 ? chronicle_text(chronicle, "%s and %zu more", text, lines->count - 16) : text;
}

static void tell_votes(struct chronicle *chronicle, struct draft *draft, const struct election *election)
{
    if (election->delayed != NONE)
        draft_detail(chronicle, draft, "delayed for %s ms, rank %s, offset %s",
                     field(chronicle, election->delayed, LOG_FIELD_MILLISECONDS),
                     field(chronicle, election->delayed, LOG_FIELD_RANK),
                     field(chronicle, election->delayed, LOG_FIELD_OFFSET));
    if (election->votes.count)
        draft_detail(chronicle, draft, "%zu %s: %s", election->votes.count,
                     election->votes.count == 1 ? "vote" : "votes", writers(chronicle, &election->votes));
    for (size_t i = 0; i < election->denials.count && i < 16; i++) {
        const struct occurrence *line = chronicle_at(chronicle, election->denials.at[i]);
        draft_detail(chronicle, draft, "%s: %s",
                     line->instance == SIZE_MAX ? "?" : chronicle->evidence->instances[line->instance].name,
                     line->text);
    }
}

/* The last reason that its log gives, or the last of those who denied their votes. */
static const char *why_lost(struct chronicle *chronicle, const struct election *election)
{
    if (election->timed_out)
        return "the manual failover timed out";
    if (election->blocked.count)
        return chronicle_text(chronicle, "its log: \"%s\"",
                              chronicle_at(chronicle, election->blocked.at[election->blocked.count - 1])->text);
    if (election->denials.count)
        return chronicle_text(chronicle, "\"%s\"",
                              chronicle_at(chronicle, election->denials.at[election->denials.count - 1])->text);
    return NULL;
}

/* Reasons that differ, each once. */
static void tell_reasons(struct chronicle *chronicle, struct draft *draft, const struct election *election)
{
    for (size_t i = 0; i < election->blocked.count; i++) {
        const char *text = chronicle_at(chronicle, election->blocked.at[i])->text;
        bool seen = false;
        for (size_t k = 0; k < i && !seen; k++)
            seen = strcmp(chronicle_at(chronicle, election->blocked.at[k])->text, text) == 0;
        if (!seen)
            draft_detail(chronicle, draft, "%s", text);
    }
}

/* It was won, whoever says so: its own log, or a view that shows the candidate with the election's epoch. */
static bool is_won(const struct chronicle *chronicle, const struct election *election, size_t *view)
{
    *view = NONE;
    return election->won != NONE ||
           (election->instance == SIZE_MAX && entry_at_epoch(chronicle, election->candidate, election->epoch, view));
}

/* The election that another replica of the same primary won meanwhile, or soon after; NULL when none is known. */
static const struct election *winner_instead(const struct chronicle *chronicle, const struct election *election)
{
    for (size_t e = 0; election->old_primary && e < chronicle->election_count; e++) {
        const struct election *other = &chronicle->elections[e];
        if (other == election || other->won == NONE || !same_id(other->old_primary, election->old_primary) ||
            same_id(other->candidate, election->candidate))
            continue;
        int64_t end = end_of(chronicle, other);
        if (end >= election->ms && end <= end_of(chronicle, election) + SOON_MS)
            return other;
    }
    return NULL;
}

static const char *election_title(struct chronicle *chronicle, const struct election *election, bool won)
{
    const char *name = chronicle_name(chronicle, election->candidate);
    const struct election *instead = won || election->attempts ? NULL : winner_instead(chronicle, election);
    if (instead)
        return chronicle_text(chronicle, "%s waited for its turn, and %s won", name,
                              chronicle_name(chronicle, instead->candidate));
    if (won)
        return chronicle_text(chronicle, "%s won the election for epoch %lld", name, (long long)election->epoch);
    if (!election->attempts)
        return chronicle_text(chronicle, "%s could not start an election", name);
    if (election->attempts > 1)
        return chronicle_text(chronicle, "%s asked for votes %zu times, epochs %lld to %lld, and did not win", name,
                              election->attempts, (long long)election->first_epoch, (long long)election->epoch);
    if (election->instance == SIZE_MAX)
        return chronicle_text(chronicle, "%s asked for votes for epoch %lld; its log is not here", name,
                              (long long)election->epoch);
    return chronicle_text(chronicle, "%s did not win the election for epoch %lld", name, (long long)election->epoch);
}

static void add_election(struct chronicle *chronicle, const struct election *election)
{
    size_t view;
    bool won = is_won(chronicle, election, &view);
    struct draft *draft = draft_new(chronicle, EPISODE_ELECTION, BASIS_STATED);
    if (!draft)
        return;
    draft->episode.node = election->candidate;
    draft->episode.peer = election->old_primary;
    draft->episode.instance = election->instance;
    draft->episode.epoch = election->epoch;
    draft->episode.title = election_title(chronicle, election, won);
    size_t first = election->lines.count ? election->lines.at[0] : election->votes.count ? election->votes.at[0] : NONE;
    if (first != NONE && chronicle_at(chronicle, first)->when.ms < election->ms) /* it told only whom it replicated */
        first = election->lines.count > 1 ? election->lines.at[1] : first;
    draft_begins(chronicle, draft, first);
    draft_shows_all(chronicle, draft, &election->lines);
    draft_shows_all(chronicle, draft, &election->votes);
    draft_shows_all(chronicle, draft, &election->denials);
    draft_shows(chronicle, draft, view);
    if (election->won != NONE)
        draft_ends(chronicle, draft, election->won);
    else if (election->lines.count)
        draft_ends(chronicle, draft, election->lines.at[election->lines.count - 1]);
    else
        draft->episode.end = draft->episode.begin;
    tell_votes(chronicle, draft, election);
    if (won)
        return;
    const struct election *instead = winner_instead(chronicle, election);
    if (instead) {
        draft->episode.cause = chronicle_text(chronicle, "%s won the election for epoch %lld",
                                              chronicle_name(chronicle, instead->candidate), (long long)instead->epoch);
        draft_shows(chronicle, draft, instead->won);
    } else {
        draft->episode.cause = why_lost(chronicle, election);
    }
    tell_reasons(chronicle, draft, election);
}

/* ------------------------------------------------------------------ failovers */

/* The old primary's own words: who asked it, and that it is a replica now. */
static void show_old_primary(struct chronicle *chronicle, struct draft *draft, const struct election *election)
{
    int64_t end = end_of(chronicle, election);
    size_t instance = chronicle_instance(chronicle, election->old_primary);
    for (size_t o = occurrences_from(chronicle, election->ms - SOON_MS); o < chronicle->history->count; o++) {
        const struct occurrence *line = chronicle_at(chronicle, o);
        if (line->when.source == CLOCK_NONE || line->when.ms > end + 10 * SOON_MS)
            break;
        if (line->event == LOG_FAILOVER_ASKED && same_id(line->node, election->candidate) &&
            line->when.ms <= end + 1000) {
            draft_detail(chronicle, draft, "%s was asked to hand over",
                         line->instance == SIZE_MAX ? "a primary"
                                                    : chronicle->evidence->instances[line->instance].name);
            draft_shows(chronicle, draft, o);
        } else if (line->event == LOG_BECAME_REPLICA && line->when.ms >= election->ms && line->instance == instance &&
                   instance != SIZE_MAX && same_id(occurrence_field(line, LOG_FIELD_PRIMARY), election->candidate)) {
            draft_detail(chronicle, draft, "%s became its replica %s later",
                         chronicle_name(chronicle, election->old_primary),
                         chronicle_span(chronicle, line->when.ms - end));
            draft_shows(chronicle, draft, o);
            break;
        }
    }
}

static const char *slots_of(struct chronicle *chronicle, struct draft *draft, const struct election *election)
{
    size_t before, after;
    const struct entry *old = entry_before(chronicle, election->old_primary, election->ms, &before);
    const struct entry *new = entry_at_epoch(chronicle, election->candidate, election->epoch, &after);
    if (old && old->slot_count)
        draft_shows(chronicle, draft, before);
    else
        old = NULL;
    if (new)
        draft_shows(chronicle, draft, after);
    if (new && !old)
        draft_detail(chronicle, draft, "slots as a view saved later shows them at epoch %lld",
                     (long long)election->epoch);
    return entry_slots(chronicle, old, new);
}

static const char *how_asked(const struct chronicle *chronicle, const struct election *election)
{
    const char *text = chronicle_at(chronicle, election->requested)->text;
    return election->takeover                ? "CLUSTER FAILOVER TAKEOVER"
           : strncmp(text, "Forced", 6) == 0 ? "CLUSTER FAILOVER FORCE"
                                             : "CLUSTER FAILOVER";
}

static void add_manual(struct chronicle *chronicle, const struct election *election)
{
    bool won = election->won != NONE;
    struct draft *draft = draft_new(chronicle, EPISODE_MANUAL_FAILOVER, BASIS_STATED);
    if (!draft)
        return;
    const char *name = chronicle_name(chronicle, election->candidate), *client;
    draft->episode.node = election->old_primary;
    draft->episode.peer = election->candidate;
    draft->episode.instance = election->instance;
    draft->episode.epoch = election->epoch;
    draft_begins(chronicle, draft, election->requested);
    draft_shows_all(chronicle, draft, &election->lines);
    draft_shows_all(chronicle, draft, &election->votes);
    draft_ends(chronicle, draft, won ? election->won : election->lines.at[election->lines.count - 1]);
    draft->episode.cause = chronicle_text(chronicle, "%s on %s", how_asked(chronicle, election), name);
    if ((client = occurrence_field(chronicle_at(chronicle, election->requested), LOG_FIELD_CLIENT)))
        draft_detail(chronicle, draft, "asked by %s", client);
    for (size_t i = 0; i < election->lines.count; i++)
        if (chronicle_at(chronicle, election->lines.at[i])->event == LOG_FAILOVER_OFFSET)
            draft_detail(chronicle, draft, "the primary paused at offset %lld",
                         (long long)chronicle_at(chronicle, election->lines.at[i])->offset);
    tell_votes(chronicle, draft, election);
    if (!won) {
        draft->episode.title = chronicle_text(chronicle, "a manual failover to %s did not happen", name);
        draft->episode.cause = why_lost(chronicle, election);
        tell_reasons(chronicle, draft, election);
        return;
    }
    draft->episode.slots = slots_of(chronicle, draft, election);
    draft->episode.title = chronicle_text(chronicle, "%s took over from %s as asked, epoch %lld", name,
                                          chronicle_name(chronicle, election->old_primary), (long long)election->epoch);
    show_old_primary(chronicle, draft, election);
}

/* Who marked the old primary by quorum, who was told, and how long that took. */
static void tell_failure(struct chronicle *chronicle, struct draft *draft, const struct failure *failure, int64_t end)
{
    struct numbers quorum = {0}, told = {0}, suspected = {0};
    for (size_t i = 0; i < failure->lines.count; i++) {
        const struct occurrence *line = chronicle_at(chronicle, failure->lines.at[i]);
        if (line->when.ms > end)
            continue;
        struct numbers *list = line->event == LOG_FAILED_BY_QUORUM    ? &quorum
                               : line->event == LOG_FAILED_BY_MESSAGE ? &told
                               : line->event == LOG_POSSIBLY_FAILING  ? &suspected
                                                                      : NULL;
        if (list)
            numbers_add(chronicle, list, failure->lines.at[i]);
    }
    if (suspected.count)
        draft_detail(chronicle, draft, "taken for possibly failing by %s", writers(chronicle, &suspected));
    if (quorum.count)
        draft_detail(chronicle, draft, "marked as failing, quorum reached, by %s", writers(chronicle, &quorum));
    if (told.count)
        draft_detail(chronicle, draft, "FAIL told to %s", writers(chronicle, &told));
    draft_shows_all(chronicle, draft, &suspected);
    draft_shows_all(chronicle, draft, &quorum);
    draft_shows_all(chronicle, draft, &told);
}

/* What had become of the process, where its log tells. */
static const char *fate(struct chronicle *chronicle, struct draft *draft, const char *id, int64_t ms)
{
    const struct lifetime *life = lifetime_at(chronicle, chronicle_instance(chronicle, id), ms);
    const char *name = chronicle_name(chronicle, id);
    if (!life)
        return NULL;
    switch (life->ending) {
    case ENDING_SIGNAL:
    case ENDING_REQUESTED:
    case ENDING_ORDERLY:
    case ENDING_CRASH:
        if (life->ended == NONE || chronicle_at(chronicle, life->ended)->when.ms > ms)
            return NULL;
        draft_shows(chronicle, draft, life->ended);
        return chronicle_text(chronicle, "%s %s", name, life->ending == ENDING_CRASH ? "crashed" : "was shut down");
    case ENDING_SILENT:
        return chronicle_text(chronicle, "%s ended without a word: killed, or its host lost", name);
    case ENDING_LOST:
        return chronicle_text(chronicle, "the log of %s ends: killed, frozen, or its host lost or cut off", name);
    default:
        return NULL;
    }
}

static void add_failover(struct chronicle *chronicle, const struct election *election)
{
    int64_t end = end_of(chronicle, election);
    const struct failure *failure = failure_at(chronicle, election->old_primary, end);
    struct draft *draft = draft_new(chronicle, EPISODE_FAILOVER, BASIS_STATED);
    size_t seen;
    if (!draft)
        return;
    const char *old = chronicle_name(chronicle, election->old_primary),
               *new = chronicle_name(chronicle, election->candidate);
    draft->episode.node = election->old_primary;
    draft->episode.peer = election->candidate;
    draft->episode.instance = chronicle_instance(chronicle, election->old_primary);
    draft->episode.epoch = election->epoch;
    draft->episode.title =
        chronicle_text(chronicle, "%s took over from %s, epoch %lld", new, old, (long long)election->epoch);
    struct moment last = last_seen(chronicle, election->old_primary, failure ? failure->ms : election->ms, &seen);
    draft_shows_all(chronicle, draft, &election->lines);
    draft_shows_all(chronicle, draft, &election->votes);
    if (election->won != NONE)
        draft_ends(chronicle, draft, election->won);
    else if (election->votes.count)
        draft_ends(chronicle, draft, election->votes.at[election->votes.count - 1]);
    if (seen != NONE && election->old_primary) {
        draft->episode.begin = last;
        draft_shows(chronicle, draft, seen);
    } else {
        draft_begins(chronicle, draft,
                     failure                 ? failure->marked
                     : election->lines.count ? election->lines.at[0]
                                             : election->votes.at[0]);
    }
    draft->episode.slots = slots_of(chronicle, draft, election);
    draft->episode.cause = fate(chronicle, draft, election->old_primary, failure ? failure->ms : election->ms);
    if (failure)
        tell_failure(chronicle, draft, failure, end);
    tell_votes(chronicle, draft, election);
    show_old_primary(chronicle, draft, election);
}

void build_elections(struct chronicle *chronicle)
{
    size_t view;
    for (size_t e = 0; e < chronicle->election_count; e++) {
        const struct election *election = &chronicle->elections[e];
        if (!election->takeover)
            add_election(chronicle, election);
        if (election->requested != NONE)
            add_manual(chronicle, election);
        else if (is_won(chronicle, election, &view))
            add_failover(chronicle, election);
    }
}
