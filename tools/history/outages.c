/* Slots that nobody served: from the last sighting of their owner until the next one, or the same again, served
 * them. */
#include <string.h>

#include "tools/history/chronicle.h"

enum { AFTER_MS = 60000 /* how long after the new owner the members' "state ok" belongs to it */ };

/* The failover that ended the failure of an owner, or NULL. */
static const struct election *taken_over(const struct chronicle *chronicle, const char *owner, int64_t from, int64_t to)
{
    for (size_t e = 0; e < chronicle->election_count; e++) {
        const struct election *election = &chronicle->elections[e];
        if (election->won != NONE && same_id(election->old_primary, owner)) {
            int64_t won = chronicle_at(chronicle, election->won)->when.ms;
            if (won >= from && won <= to)
                return election;
        }
    }
    return NULL;
}

/* The members that wrote "state ok" after the slots were served again. */
static void show_recovery(struct chronicle *chronicle, struct draft *draft)
{
    int64_t served = draft->episode.end.ms, last = served;
    size_t count = 0;
    for (size_t d = 0; d < chronicle->down_count; d++) {
        const struct down *down = &chronicle->downs[d];
        const struct occurrence *ok = down->ok == NONE ? NULL : chronicle_at(chronicle, down->ok);
        if (!ok || chronicle_at(chronicle, down->fail)->when.ms > served || ok->when.ms < served - 1000 ||
            ok->when.ms > served + AFTER_MS)
            continue;
        draft_shows(chronicle, draft, down->ok);
        last = ok->when.ms > last ? ok->when.ms : last;
        count++;
    }
    if (count)
        draft_detail(chronicle, draft, "%zu %s accepted queries again, the last %s after that", count,
                     count == 1 ? "instance" : "instances", chronicle_span(chronicle, last - served));
}

static void set_title(struct chronicle *chronicle, struct draft *draft)
{
    struct episode *episode = &draft->episode;
    const char *what = episode->slots
                           ? chronicle_text(chronicle, "slots %s", episode->slots)
                           : chronicle_text(chronicle, "the slots of %s", chronicle_name(chronicle, episode->node));
    episode->title = episode->end.source == CLOCK_NONE
                         ? chronicle_text(chronicle, "%s not served, and not seen to be served again", what)
                         : chronicle_text(chronicle, "%s not served for %s", what,
                                          chronicle_span(chronicle, episode->end.ms - episode->begin.ms));
}

static struct draft *begin(struct chronicle *chronicle, const char *owner, int64_t before)
{
    size_t seen;
    struct moment last = last_seen(chronicle, owner, before, &seen);
    struct draft *draft = draft_new(chronicle, EPISODE_OUTAGE, BASIS_STATED);
    if (!draft)
        return NULL;
    draft->episode.node = owner;
    draft->episode.instance = chronicle_instance(chronicle, owner);
    draft->episode.begin = last;
    draft_shows(chronicle, draft, seen);
    if (seen != NONE)
        draft_detail(chronicle, draft, "%s last known to be alive by: %s", chronicle_name(chronicle, owner),
                     chronicle_at(chronicle, seen)->text);
    return draft;
}

/* Nothing was seen of the owner for longer than members wait: it may have served on in the meantime. */
static void tell_doubt(struct chronicle *chronicle, struct draft *draft, const struct failure *failure)
{
    int64_t timeout = node_timeout(chronicle);
    int64_t more = failure ? failure->ms - timeout - draft->episode.begin.ms : 0;
    if (more > timeout / 2)
        draft_detail(chronicle, draft,
                     "it may have served for %s more: members wait for %s before they take a node for failing",
                     chronicle_span(chronicle, more), chronicle_span(chronicle, timeout));
}

/* A failover that nobody asked for ends an outage. */
static void add_failover(struct chronicle *chronicle, const struct election *election)
{
    size_t before, after;
    int64_t won = chronicle_at(chronicle, election->won)->when.ms;
    const struct failure *failure = failure_at(chronicle, election->old_primary, won);
    struct draft *draft = begin(chronicle, election->old_primary, failure ? failure->ms : election->ms);
    if (!draft)
        return;
    if (draft->episode.begin.source == CLOCK_NONE)
        draft->episode.begin = chronicle_at(chronicle, failure ? failure->marked : election->won)->when;
    if (failure)
        draft_shows(chronicle, draft, failure->marked);
    tell_doubt(chronicle, draft, failure);
    draft->episode.peer = election->candidate;
    draft->episode.epoch = election->epoch;
    draft_ends(chronicle, draft, election->won);
    draft_shows(chronicle, draft, election->epoch_won);
    const struct entry *old = entry_before(chronicle, election->old_primary, election->ms, &before);
    const struct entry *new = entry_at_epoch(chronicle, election->candidate, election->epoch, &after);
    draft_shows(chronicle, draft, before);
    draft_shows(chronicle, draft, after);
    draft->episode.slots = entry_slots(chronicle, old && old->slot_count ? old : NULL, new);
    draft_detail(chronicle, draft, "served by %s from epoch %lld on", chronicle_name(chronicle, election->candidate),
                 (long long)election->epoch);
    set_title(chronicle, draft);
    show_recovery(chronicle, draft);
}

/* A primary that failed, and whose slots nobody took. */
static void add_failure(struct chronicle *chronicle, const struct failure *failure)
{
    size_t from;
    const struct occurrence *cleared = failure->cleared == NONE ? NULL : chronicle_at(chronicle, failure->cleared);
    const struct entry *entry = entry_before(chronicle, failure->id, failure->ms, &from);
    const char *reason = cleared ? occurrence_field(cleared, LOG_FIELD_REASON) : NULL;
    if (failure->marked == NONE)
        return;
    if (!entry && !(cleared && reason && strstr(reason, "nobody is serving"))) {
        int64_t pong =
            last_pong(chronicle, failure->id, INT64_MAX, &from); /* a view saved later, which still shows it failed */
        entry = pong <= failure->ms ? entry_before(chronicle, failure->id, INT64_MAX, &from) : NULL;
        if (!entry)
            return;
    }
    if ((entry && !entry->slot_count) ||
        taken_over(chronicle, failure->id, failure->ms, cleared ? cleared->when.ms : INT64_MAX))
        return;
    struct draft *draft = begin(chronicle, failure->id, failure->ms);
    if (!draft)
        return;
    if (draft->episode.begin.source == CLOCK_NONE)
        draft_begins(chronicle, draft, failure->marked);
    draft_shows(chronicle, draft, failure->marked);
    draft_shows(chronicle, draft, from);
    draft_ends(chronicle, draft, failure->cleared);
    draft->episode.slots = entry_slots(chronicle, entry, NULL);
    draft->episode.cause =
        chronicle_text(chronicle, "%s failed and no replica took over", chronicle_name(chronicle, failure->id));
    set_title(chronicle, draft);
}

/* A primary that went away and came back before anybody took it for failing, or although they did. */
static void add_restart(struct chronicle *chronicle, const struct lifetime *life)
{
    const struct lifetime *next = lifetime_next(chronicle, life);
    const struct occurrence *last = track_at(chronicle, life->instance, life->last);
    size_t from;
    if (!next || next->ready == NONE || life->end.source == CLOCK_NONE || life->ending == ENDING_REFUSED ||
        last->role != 'M' || !life->id)
        return;
    const struct occurrence *ready = chronicle_at(chronicle, next->ready);
    const struct entry *entry = entry_before(chronicle, life->id, ready->when.ms, &from);
    if (!entry || !entry->slot_count)
        return;
    for (size_t f = 0; f < chronicle->failure_count; f++) /* told by the failure, or by the failover */
        if (chronicle->failures[f].marked != NONE && same_id(chronicle->failures[f].id, life->id) &&
            chronicle->failures[f].ms >= life->end.ms && chronicle->failures[f].ms <= ready->when.ms)
            return;
    if (taken_over(chronicle, life->id, life->end.ms - 1000, ready->when.ms))
        return;
    struct draft *draft = draft_new(chronicle, EPISODE_OUTAGE, BASIS_STATED);
    if (!draft)
        return;
    draft->episode.node = life->id;
    draft->episode.instance = life->instance;
    draft->episode.begin = life->end;
    draft_shows(chronicle, draft, life->end_from);
    draft_ends(chronicle, draft, next->ready);
    draft_shows(chronicle, draft, from);
    draft->episode.slots = entry_slots(chronicle, entry, NULL);
    draft->episode.cause = chronicle_text(chronicle, "%s was restarted", chronicle_name(chronicle, life->id));
    set_title(chronicle, draft);
}

void build_outages(struct chronicle *chronicle)
{
    for (size_t e = 0; e < chronicle->election_count; e++) {
        const struct election *election = &chronicle->elections[e];
        if (election->won != NONE && election->requested == NONE)
            add_failover(chronicle, election);
    }
    for (size_t f = 0; f < chronicle->failure_count; f++)
        add_failure(chronicle, &chronicle->failures[f]);
    for (size_t l = 0; l < chronicle->lifetime_count; l++)
        add_restart(chronicle, &chronicle->lifetimes[l]);
}
