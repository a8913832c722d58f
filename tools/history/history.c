#include "tools/history/history.h"

#include <stdlib.h>
#include <string.h>

#include "tools/history/clocks.h"
#include "tools/history/episode.h"
#include "tools/history/history_private.h"

enum { MERGED_MAX = 256 /* occurrences of one moment that are looked at together */ };

const char *occurrence_word(const struct occurrence *occurrence)
{
    static const char *const words[] = {
#define OCCURRENCE(id, word, meaning) word,
#include "tools/history/occurrences.def"
#undef OCCURRENCE
    };
    return occurrence->kind == OCCURRENCE_LOG ? log_event_word(occurrence->event) : words[occurrence->kind];
}

const char *occurrence_field(const struct occurrence *occurrence, enum log_field_id id)
{
    for (size_t i = 0; i < occurrence->field_count; i++)
        if (occurrence->fields[i].id == id)
            return occurrence->fields[i].text;
    return NULL;
}

/* By corrected time, those without one last; then by file and by the place in it. */
static int by_time(const void *a, const void *b)
{
    const struct occurrence *left = a, *right = b;
    bool left_timed = left->when.source != CLOCK_NONE, right_timed = right->when.source != CLOCK_NONE;
    if (left_timed != right_timed)
        return left_timed ? -1 : 1;
    if (left_timed && left->when.ms != right->when.ms)
        return left->when.ms < right->when.ms ? -1 : 1;
    if (left->file != right->file)
        return left->file < right->file ? -1 : 1;
    return (left->order > right->order) - (left->order < right->order);
}

/* Of messages that were written within one millisecond, which comes first: those that ask, then others, then answers. */
static unsigned phase_of(const struct occurrence *occurrence)
{
    switch (occurrence->kind == OCCURRENCE_LOG ? occurrence->event : LOG_UNKNOWN) {
    case LOG_ELECTION_STARTED:
    case LOG_FAILED_BY_QUORUM:
    case LOG_SYNC_PARTIAL_TRIED:
    case LOG_FAILOVER_REQUESTED:
        return 0;
    case LOG_VOTE_GRANTED:
    case LOG_FAILED_BY_MESSAGE:
    case LOG_SYNC_ASKED:
    case LOG_FAILOVER_ASKED:
        return 2;
    case LOG_ELECTION_WON:
    case LOG_EPOCH_WON:
    case LOG_FAILOVER_OFFSET:
        return 3;
    default:
        return 1;
    }
}

/* Occurrences of one moment, sorted by file: each file keeps its order, and of what is next in the files the earliest phase
 * goes first. */
static void merge(struct occurrence *all, size_t count)
{
    for (size_t i = 0; i + 1 < count; i++) {
        size_t best = i;
        for (size_t j = i + 1; j < count; j++)
            if (all[j].file != all[j - 1].file && phase_of(&all[j]) < phase_of(&all[best]))
                best = j;
        struct occurrence first = all[best];
        memmove(&all[i + 1], &all[i], (best - i) * sizeof(*all));
        all[i] = first;
    }
}

static void order(struct history *history)
{
    struct occurrence *all = history->occurrences;
    if (history->count)
        qsort(all, history->count, sizeof(*all), by_time);
    for (size_t i = 0, end; i < history->count; i = end) {
        for (end = i + 1; end < history->count && end - i < MERGED_MAX && all[end].when.source != CLOCK_NONE &&
                          all[end].when.ms == all[i].when.ms; end++)
            continue;
        if (all[i].when.source != CLOCK_NONE)
            merge(&all[i], end - i);
    }
}

static bool gather(struct gathering *gathering)
{
    return gather_logs(gathering) && gather_views(gathering) && gather_dumps(gathering) &&
           gather_journals(gathering) && gather_captures(gathering);
}

struct history *history_build(const struct evidence *evidence, const struct clusters *clusters,
                              const struct history_options *options, struct arena *arena)
{
    struct history *history = arena_alloc(arena, sizeof(*history));
    if (!history)
        return NULL;
    history->evidence = evidence;
    history->clusters = clusters;
    history->arena = arena;
    history->reference = SIZE_MAX;
    struct gathering gathering = {
        .evidence = evidence, .clusters = clusters, .options = options, .history = history, .texts = {.arena = arena}};
    if (!gather(&gathering) || !clocks_set(history))
        return NULL;
    for (size_t i = 0; i < history->count; i++)
        if (history->occurrences[i].kind != OCCURRENCE_LOG)
            history->occurrences[i].order = i;
    order(history);
    return episodes_build(history) && !arena_failed(arena) ? history : NULL;
}
