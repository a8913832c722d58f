/* A log whose clock runs backwards while one process writes it. Lines of several threads and children come out of order by
 * less than a moment; a rotated or copied log begins anew. */
#include "tools/history/chronicle.h"

enum { BACKWARDS_MS = 1000 };

static void add(struct chronicle *chronicle, size_t instance, size_t before, size_t after)
{
    const struct occurrence *one = chronicle_at(chronicle, before), *two = chronicle_at(chronicle, after);
    struct draft *draft = draft_new(chronicle, EPISODE_CLOCK, BASIS_STATED);
    if (!draft)
        return;
    draft_begins(chronicle, draft, after);
    draft_shows(chronicle, draft, before);
    draft_ends(chronicle, draft, after);
    draft->episode.instance = instance;
    draft->episode.node = two->writer;
    draft->episode.title = chronicle_text(chronicle, "the log clock of %s went back by %s",
                                          chronicle->evidence->instances[instance].name,
                                          chronicle_span(chronicle, one->until.raw_ms - two->when.raw_ms));
    draft_detail(chronicle, draft, "line %lu is earlier than line %lu before it", (unsigned long)two->place.line,
                 (unsigned long)one->place.line);
}

static bool comparable(const struct occurrence *one, const struct occurrence *two)
{
    unsigned doubtful = MOMENT_OF_NEIGHBOUR | MOMENT_RECEIVED;
    return one->file == two->file && one->when.source == CLOCK_LOG && two->when.source == CLOCK_LOG &&
           (one->when.flags & MOMENT_ZONE_STATED) == (two->when.flags & MOMENT_ZONE_STATED) &&
           !((one->when.flags | two->when.flags) & doubtful) && one->count == 1 && two->count == 1;
}

void build_clock_steps(struct chronicle *chronicle)
{
    for (size_t i = 0; i < chronicle->evidence->instance_count; i++) {
        const struct numbers *track = &chronicle->tracks[i];
        for (size_t p = 1; p < track->count; p++) {
            const struct occurrence *one = chronicle_at(chronicle, track->at[p - 1]);
            const struct occurrence *two = chronicle_at(chronicle, track->at[p]);
            if (comparable(one, two) && two->when.raw_ms < one->when.raw_ms - BACKWARDS_MS)
                add(chronicle, i, track->at[p - 1], track->at[p]);
        }
    }
}
