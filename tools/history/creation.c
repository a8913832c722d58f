/* Creation: the tools give each node a config epoch of its own before the nodes meet, 1 for the first. */
#include "tools/history/chronicle.h"

enum {
    TOGETHER_MS = 5000, /* the longest pause between two nodes of one creation */
    MEETING_MS = 600000,
};

/* What each instance of the creation wrote next: its address, and that the cluster is up. */
static void show_meeting(struct chronicle *chronicle, struct draft *draft, size_t number)
{
    const struct occurrence *set = chronicle_at(chronicle, number);
    if (set->instance == SIZE_MAX)
        return;
    const struct numbers *track = &chronicle->tracks[set->instance];
    for (size_t p = chronicle->positions[number] + 1; p < track->count; p++) {
        const struct occurrence *line = chronicle_at(chronicle, track->at[p]);
        if (line->event == LOG_STARTING || line->when.ms > set->when.ms + MEETING_MS)
            return;
        if (line->event == LOG_OWN_ADDRESS_CHANGED || line->event == LOG_MEET_REQUESTED)
            draft_shows(chronicle, draft, track->at[p]);
        if (line->event == LOG_CLUSTER_STATE) {
            if (line->when.ms > draft->episode.end.ms)
                draft_ends(chronicle, draft, track->at[p]);
            draft_shows(chronicle, draft, track->at[p]);
            return;
        }
    }
}

static void add(struct chronicle *chronicle, const struct numbers *sets)
{
    struct draft *draft = draft_new(chronicle, EPISODE_CREATION, BASIS_STATED);
    int64_t low = INT64_MAX, high = 0;
    if (!draft || !sets->count)
        return;
    draft_begins(chronicle, draft, sets->at[0]);
    draft_ends(chronicle, draft, sets->at[sets->count - 1]);
    for (size_t i = 0; i < sets->count; i++) {
        const struct occurrence *set = chronicle_at(chronicle, sets->at[i]);
        low = set->epoch < low ? set->epoch : low;
        high = set->epoch > high ? set->epoch : high;
        draft_shows(chronicle, draft, sets->at[i]);
        draft_detail(chronicle, draft, "epoch %lld: %s", (long long)set->epoch,
                     set->instance == SIZE_MAX ? chronicle_name(chronicle, set->writer)
                                               : chronicle->evidence->instances[set->instance].name);
    }
    const struct occurrence *first = chronicle_at(chronicle, sets->at[0]);
    draft->episode.epoch = high;
    if (sets->count == 1) {
        draft->episode.node = first->writer;
        draft->episode.instance = first->instance;
        draft->episode.title = chronicle_text(chronicle, "%s was given config epoch %lld",
                                              chronicle_name(chronicle, first->writer), (long long)high);
        return;
    }
    draft->episode.title = chronicle_text(chronicle, "a cluster of %zu nodes was created, config epochs %lld to %lld",
                                          sets->count, (long long)low, (long long)high);
    for (size_t i = 0; i < sets->count; i++)
        show_meeting(chronicle, draft, sets->at[i]);
}

/* Two nodes of one creation never get the same epoch; a copied log says everything twice. */
static bool has_epoch(const struct chronicle *chronicle, const struct numbers *sets, const struct occurrence *line,
                      bool *copied)
{
    *copied = false;
    for (size_t i = 0; i < sets->count; i++)
        if (chronicle_at(chronicle, sets->at[i])->epoch == line->epoch) {
            *copied = same_id(chronicle_at(chronicle, sets->at[i])->writer, line->writer);
            return true;
        }
    return false;
}

void build_creation(struct chronicle *chronicle)
{
    struct numbers sets = {0};
    for (size_t o = 0; o < chronicle->history->count; o++) {
        const struct occurrence *line = chronicle_at(chronicle, o);
        bool copied;
        if (line->event != LOG_EPOCH_SET)
            continue;
        bool known = has_epoch(chronicle, &sets, line, &copied);
        if (copied)
            continue;
        if (sets.count &&
            (known || line->when.ms - chronicle_at(chronicle, sets.at[sets.count - 1])->when.ms > TOGETHER_MS)) {
            add(chronicle, &sets);
            sets = (struct numbers){0};
        }
        numbers_add(chronicle, &sets, o);
    }
    if (sets.count)
        add(chronicle, &sets);
}
