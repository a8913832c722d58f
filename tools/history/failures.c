/* Failures: when members took a node for failed, and when they took that back. Each member writes down what it does
 * itself, so one failure is in as many logs as there are members; it is a new one when somebody marks the node again
 * after having cleared it. */
#include "tools/history/chronicle.h"

enum { LATE_MS = 10000 /* a member may mark a node while another has cleared it already */ };

/* The writer of the line has cleared the failure before. */
static bool cleared_by(const struct chronicle *chronicle, const struct failure *failure, const struct occurrence *line)
{
    for (size_t i = failure->lines.count; i-- > 0;) {
        const struct occurrence *before = chronicle_at(chronicle, failure->lines.at[i]);
        if (before->event == LOG_FAILURE_CLEARED && before->instance == line->instance)
            return true;
    }
    return false;
}

static struct failure *begin(struct chronicle *chronicle, struct actor *actor, const struct occurrence *line)
{
    struct failure *all = arena_grow(chronicle->arena, chronicle->failures, chronicle->failure_count,
                                     &chronicle->failure_cap, sizeof(*all));
    if (!all)
        return NULL;
    chronicle->failures = all;
    actor->failure = chronicle->failure_count;
    struct failure *failure = &all[chronicle->failure_count++];
    *failure = (struct failure){.id = line->node, .marked = NONE, .cleared = NONE, .ms = line->when.ms};
    return failure;
}

static bool is_mark(const struct occurrence *line)
{
    return line->event == LOG_FAILED_BY_QUORUM || line->event == LOG_FAILED_BY_MESSAGE;
}

static void take(struct chronicle *chronicle, size_t number)
{
    const struct occurrence *line = chronicle_at(chronicle, number);
    struct actor *actor = chronicle_actor(chronicle, line->node);
    struct failure *failure = actor && actor->failure != NONE ? &chronicle->failures[actor->failure] : NULL;
    bool clears = line->event == LOG_FAILURE_CLEARED;
    if (failure && !clears) {
        const struct occurrence *cleared = failure->cleared == NONE ? NULL : chronicle_at(chronicle, failure->cleared);
        if (cleared && (line->when.ms - cleared->when.ms > LATE_MS || cleared_by(chronicle, failure, line)))
            failure = NULL;
    }
    if (!actor || (!failure && clears))
        return;
    if (!failure && !(failure = begin(chronicle, actor, line)))
        return;
    numbers_add(chronicle, &failure->lines, number);
    if (is_mark(line) && failure->marked == NONE)
        failure->marked = number;
    if (clears && failure->cleared == NONE)
        failure->cleared = number;
}

void chronicle_failures(struct chronicle *chronicle)
{
    for (size_t o = 0; o < chronicle->history->count; o++) {
        const struct occurrence *line = chronicle_at(chronicle, o);
        if (line->kind == OCCURRENCE_LOG && line->node &&
            (line->event == LOG_POSSIBLY_FAILING || is_mark(line) || line->event == LOG_FAILURE_CLEARED))
            take(chronicle, o);
    }
}
