/* When a node was last known to be alive, and what became of it. */
#include <string.h>

#include "tools/history/chronicle.h"

size_t occurrences_from(const struct chronicle *chronicle, int64_t ms)
{
    const struct history *history = chronicle->history;
    size_t low = 0, high = history->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct moment *when = &history->occurrences[middle].when;
        if (when->source != CLOCK_NONE && when->ms < ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct sight {
    struct moment when;
    size_t from;
};

static void look(const struct chronicle *chronicle, struct sight *sight, size_t number)
{
    const struct moment *when = &chronicle_at(chronicle, number)->when;
    if (when->source != CLOCK_NONE && (sight->from == NONE || when->ms > sight->when.ms))
        *sight = (struct sight){*when, number};
}

/* The last line that the node itself had written. */
static void look_at_log(const struct chronicle *chronicle, struct sight *sight, size_t instance, int64_t ms)
{
    const struct numbers *track = &chronicle->tracks[instance];
    for (size_t p = track->count; p-- > 0;)
        if (chronicle_at(chronicle, track->at[p])->when.ms <= ms) {
            look(chronicle, sight, track->at[p]);
            return;
        }
}

/* Replication connections that broke are seen at once, long before a node is taken for failing. */
static void look_at_links(const struct chronicle *chronicle, struct sight *sight, const char *id, int64_t ms)
{
    const struct history *history = chronicle->history;
    const char *name = chronicle_name(chronicle, id);
    int64_t since = ms - 4 * node_timeout(chronicle);
    size_t from;
    if (sight->from != NONE && sight->when.ms < since)
        since = sight->when.ms;
    for (size_t o = occurrences_from(chronicle, since); o < history->count; o++) {
        const struct occurrence *line = chronicle_at(chronicle, o);
        if (line->when.source == CLOCK_NONE || line->when.ms > ms)
            break;
        if (line->event == LOG_REPLICA_LOST && line->address && strcmp(line->address, name) == 0)
            look(chronicle, sight, o);
        else if (line->event == LOG_PRIMARY_LOST && line->role != 'M' && line->instance != SIZE_MAX &&
                 same_id(chronicle_primary_before(chronicle, line->instance, chronicle->positions[o], &from), id))
            look(chronicle, sight, o);
    }
}

struct moment last_seen(const struct chronicle *chronicle, const char *id, int64_t ms, size_t *from)
{
    struct sight sight = {.from = NONE};
    size_t instance = chronicle_instance(chronicle, id), view;
    if (!id) {
        *from = NONE;
        return sight.when;
    }
    if (instance != SIZE_MAX)
        look_at_log(chronicle, &sight, instance, ms);
    look_at_links(chronicle, &sight, id, ms);
    int64_t pong = last_pong(chronicle, id, ms, &view);
    if (view != NONE && (sight.from == NONE || pong > sight.when.ms)) {
        sight = (struct sight){chronicle_at(chronicle, view)->when, view};
        sight.when.raw_ms += pong - sight.when.ms;
        sight.when.ms = pong;
    }
    *from = sight.from;
    return sight.when;
}

const struct lifetime *lifetime_at(const struct chronicle *chronicle, size_t instance, int64_t ms)
{
    const struct lifetime *best = NULL;
    for (size_t l = 0; instance != SIZE_MAX && l < chronicle->lifetime_count; l++) {
        const struct lifetime *life = &chronicle->lifetimes[l];
        if (life->instance == instance && track_at(chronicle, instance, life->first)->when.ms <= ms)
            best = life;
    }
    return best;
}

const struct failure *failure_at(const struct chronicle *chronicle, const char *id, int64_t ms)
{
    for (size_t f = chronicle->failure_count; f-- > 0;) {
        const struct failure *failure = &chronicle->failures[f];
        if (same_id(failure->id, id) && failure->marked != NONE && failure->ms <= ms &&
            (failure->cleared == NONE || chronicle_at(chronicle, failure->cleared)->when.ms >= ms))
            return failure;
    }
    return NULL;
}
