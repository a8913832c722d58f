/* Processes: from start to end, and how they ended. A server that is killed writes nothing: its end is when it was last
 * known to be alive. */
#include <string.h>

#include "tools/history/chronicle.h"

enum { TOGETHER_MS = 5000 /* processes of one host that end so close to each other end by one cause */ };

const struct lifetime *lifetime_next(const struct chronicle *chronicle, const struct lifetime *life)
{
    const struct lifetime *next = life + 1;
    return next < chronicle->lifetimes + chronicle->lifetime_count && next->instance == life->instance ? next : NULL;
}

static int64_t last_line_ms(const struct chronicle *chronicle, const struct lifetime *life)
{
    return track_at(chronicle, life->instance, life->last)->until.ms;
}

/* Others marked it as failing after its last line, and it never wrote again. */
static const struct failure *lost_after(const struct chronicle *chronicle, const struct lifetime *life)
{
    const struct lifetime *next = lifetime_next(chronicle, life);
    int64_t from = last_line_ms(chronicle, life),
            to = next ? track_at(chronicle, life->instance, next->first)->when.ms : INT64_MAX;
    for (size_t f = 0; life->id && f < chronicle->failure_count; f++) {
        const struct failure *failure = &chronicle->failures[f];
        if (failure->marked != NONE && failure->ms > from && failure->ms < to && same_id(failure->id, life->id))
            return failure;
    }
    return NULL;
}

void chronicle_ends(struct chronicle *chronicle)
{
    for (size_t l = 0; l < chronicle->lifetime_count; l++) {
        struct lifetime *life = &chronicle->lifetimes[l];
        const struct failure *failure = lost_after(chronicle, life);
        const struct lifetime *next = lifetime_next(chronicle, life);
        if (life->ending == ENDING_UNKNOWN && failure)
            life->ending = ENDING_LOST;
        if (life->ended != NONE) {
            life->end = chronicle_at(chronicle, life->ended)->when;
            life->end_from = life->ended;
        } else if (life->ending != ENDING_UNKNOWN) {
            int64_t before = next ? track_at(chronicle, life->instance, next->first)->when.ms - 1 : INT64_MAX;
            life->end = last_seen(chronicle, life->id, failure ? failure->ms : before, &life->end_from);
            if (life->end_from == NONE || life->end.ms < last_line_ms(chronicle, life)) {
                life->end_from = chronicle->tracks[life->instance].at[life->last];
                life->end = chronicle_at(chronicle, life->end_from)->until;
            }
        }
    }
}

/* Processes of the same host that ended without a word at about the same time, this one included. */
static const char *with_it(struct chronicle *chronicle, const struct lifetime *life, size_t *count)
{
    const struct instance *instances = chronicle->evidence->instances;
    const char *names = "";
    *count = 0;
    for (size_t l = 0; l < chronicle->lifetime_count; l++) {
        const struct lifetime *other = &chronicle->lifetimes[l];
        bool silent = other->ending == ENDING_SILENT || other->ending == ENDING_LOST;
        int64_t apart = other->end.ms - life->end.ms;
        if (!silent || apart > TOGETHER_MS || apart < -TOGETHER_MS || !instances[other->instance].host ||
            !same_id(instances[other->instance].host, instances[life->instance].host))
            continue;
        names = chronicle_text(chronicle, "%s%s%s", names, *count ? ", " : "", instances[other->instance].name);
        ++*count;
    }
    return names;
}

static const char *how_it_ended(struct chronicle *chronicle, const struct lifetime *life)
{
    switch (life->ending) {
    case ENDING_SIGNAL:
        return "ended by a signal";
    case ENDING_REQUESTED:
        return "ended by SHUTDOWN";
    case ENDING_ORDERLY:
        return "ended in good order";
    case ENDING_CRASH:
        return "crashed";
    case ENDING_REFUSED:
        return chronicle_at(chronicle, life->ended)->text;
    case ENDING_SILENT:
    case ENDING_LOST:
        return "ended without a word";
    default:
        return "its log ends while it runs";
    }
}

static void tell_start(struct chronicle *chronicle, struct draft *draft, const struct lifetime *life)
{
    const struct numbers *track = &chronicle->tracks[life->instance];
    for (size_t p = life->first; p <= life->last; p++) {
        const struct occurrence *line = chronicle_at(chronicle, track->at[p]);
        const char *version = line->event == LOG_START ? occurrence_field(line, LOG_FIELD_VERSION) : NULL;
        if (version)
            draft_detail(chronicle, draft, "%s %s", occurrence_field(line, LOG_FIELD_PRODUCT), version);
        if (line->event == LOG_NODE_NEW || line->event == LOG_NODE_LOADED || line->event == LOG_LOADED ||
            line->event == LOG_RDB_LOADED || line->event == LOG_LOAD_FAILED || line->event == LOG_AOF_TRUNCATED)
            draft_detail(chronicle, draft, "%s", line->text);
        if (version || line->event == LOG_NODE_NEW || line->event == LOG_NODE_LOADED || line->event == LOG_LOADED ||
            line->event == LOG_LOAD_FAILED)
            draft_shows(chronicle, draft, track->at[p]);
        if (line->event == LOG_READY)
            break;
    }
}

static void tell_end(struct chronicle *chronicle, struct draft *draft, const struct lifetime *life)
{
    size_t count;
    draft->episode.end = life->end;
    draft_shows(chronicle, draft, life->asked);
    draft_shows(chronicle, draft, life->ended);
    draft_shows(chronicle, draft, life->end_from);
    const char *client =
        life->asked == NONE ? NULL : occurrence_field(chronicle_at(chronicle, life->asked), LOG_FIELD_CLIENT);
    if (client)
        draft_detail(chronicle, draft, "asked by %s", client);
    if (life->ending == ENDING_CRASH)
        draft->episode.cause = chronicle_at(chronicle, life->ended)->text;
    if (life->ending == ENDING_SILENT || life->ending == ENDING_LOST) {
        const char *names = with_it(chronicle, life, &count);
        const char *host = chronicle->evidence->instances[life->instance].host;
        draft->episode.how = BASIS_INFERRED;
        draft->episode.basis = life->ending == ENDING_SILENT
                                   ? "another process writes to the log, and this one had said nothing of its end"
                                   : "its log ends, and then members marked it as failing";
        draft->episode.cause = count > 1
                                   ? chronicle_text(chronicle, "host %s was lost, or all on it killed: %s", host, names)
                               : life->ending == ENDING_LOST ? "it was killed, frozen or cut off"
                                                             : "it was killed";
    }
    const struct lifetime *next = lifetime_next(chronicle, life);
    if (next && life->end.source != CLOCK_NONE)
        draft_detail(
            chronicle, draft, "started again %s later",
            chronicle_span(chronicle, track_at(chronicle, next->instance, next->first)->when.ms - life->end.ms));
}

void build_lifetimes(struct chronicle *chronicle)
{
    for (size_t l = 0; l < chronicle->lifetime_count; l++) {
        const struct lifetime *life = &chronicle->lifetimes[l];
        const char *name = chronicle->evidence->instances[life->instance].name;
        struct draft *draft = draft_new(chronicle, EPISODE_LIFETIME, BASIS_STATED);
        if (!draft)
            return;
        bool again = l > 0 && chronicle->lifetimes[l - 1].instance == life->instance;
        const char *began = life->started == NONE ? "ran before its log begins" : again ? "started again" : "started";
        draft->episode.node = life->id;
        draft->episode.instance = life->instance;
        draft_begins(chronicle, draft,
                     life->started != NONE ? life->started : chronicle->tracks[life->instance].at[life->first]);
        draft->episode.title = chronicle_text(chronicle, "%s %s; %s", name, began, how_it_ended(chronicle, life));
        tell_start(chronicle, draft, life);
        tell_end(chronicle, draft, life);
    }
}
