#include "tools/history/history.h"

#include <stdlib.h>

#include "tools/history/clocks.h"
#include "tools/history/episode.h"
#include "tools/history/history_private.h"

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
    if (history->count)
        qsort(history->occurrences, history->count, sizeof(*history->occurrences), by_time);
    return episodes_build(history) && !arena_failed(arena) ? history : NULL;
}
