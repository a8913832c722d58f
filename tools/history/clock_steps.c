/* Logs that go back: a clock that was set, or logs that were put together in the wrong order. */
#include "tools/history/chronicle.h"

void build_clock_steps(struct chronicle *chronicle)
{
    for (size_t o = 0; o < chronicle->history->count; o++) {
        const struct occurrence *back = chronicle_at(chronicle, o);
        struct draft *draft =
            back->kind == OCCURRENCE_CLOCK_BACK ? draft_new(chronicle, EPISODE_CLOCK, BASIS_STATED) : NULL;
        if (!draft)
            continue;
        draft_shows(chronicle, draft, o);
        draft->episode.begin = draft->episode.end = back->when;
        draft->episode.instance = back->instance;
        draft->episode.title =
            back->instance == SIZE_MAX
                ? back->text
                : chronicle_text(chronicle, "%s: %s", chronicle->evidence->instances[back->instance].name, back->text);
    }
}
