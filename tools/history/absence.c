/* What silence tells: nodes that were away while those who would have said so said nothing. */
#include <string.h>

#include "tools/history/chronicle.h"

bool was_disturbed(const struct chronicle *chronicle, size_t instance, int64_t from, int64_t to)
{
    for (size_t d = 0; d < chronicle->down_count; d++) {
        const struct down *down = &chronicle->downs[d];
        int64_t fail = chronicle_at(chronicle, down->fail)->when.ms;
        int64_t ok = down->ok == NONE ? fail : chronicle_at(chronicle, down->ok)->when.ms;
        if (down->instance != instance && fail <= to && ok >= from)
            return true;
    }
    return false;
}

/* Processes of others that wrote before and after, at a level at which FAIL is written (notice): one that does,
 * and would have. */
static bool is_witnessed(const struct chronicle *chronicle, size_t instance, int64_t from, int64_t to)
{
    const struct cluster *cluster = clusters_of(chronicle->history->clusters, instance);
    for (size_t l = 0; l < chronicle->lifetime_count; l++) {
        const struct lifetime *life = &chronicle->lifetimes[l];
        const struct cluster *other = clusters_of(chronicle->history->clusters, life->instance);
        if (life->instance == instance || !other || (cluster && other != cluster))
            continue;
        bool notice = false;
        for (size_t p = life->first; p <= life->last && !notice; p++) {
            const struct occurrence *line = track_at(chronicle, life->instance, p);
            notice = line->level == '*' || line->event == LOG_READY;
        }
        if (notice && track_at(chronicle, life->instance, life->first)->when.ms <= from &&
            track_at(chronicle, life->instance, life->last)->until.ms >= to)
            return true;
    }
    return false;
}

bool away_unnoticed(const struct chronicle *chronicle, const struct lifetime *life)
{
    const struct lifetime *next = lifetime_next(chronicle, life);
    if (!next || !life->id || life->end.source == CLOCK_NONE || !same_id(next->id, life->id))
        return false;
    int64_t from = life->end.ms, to = track_at(chronicle, next->instance, next->first)->when.ms;
    if (to - from < 4 * node_timeout(chronicle) || life->ready == NONE ||
        was_disturbed(chronicle, life->instance, from, to))
        return false;
    for (size_t f = 0; f < chronicle->failure_count; f++) {
        const struct failure *failure = &chronicle->failures[f];
        if (failure->marked != NONE && same_id(failure->id, life->id) && failure->ms >= from - 1000 &&
            failure->ms <= to + node_timeout(chronicle))
            return false;
    }
    return is_witnessed(chronicle, life->instance, from, to);
}

bool is_member_now(const struct chronicle *chronicle, const char *id)
{
    const struct clusters *clusters = chronicle->history->clusters;
    for (size_t c = 0; id && clusters && c < clusters->count; c++)
        for (size_t n = 0; n < clusters->all[c].member_count; n++)
            if (strcmp(clusters->all[c].nodes[n].id, id) == 0)
                return true;
    return false;
}
