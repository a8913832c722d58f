/* The cluster as a whole: each instance writes down when it refuses queries and when it accepts them again. */
#include <stdlib.h>
#include <string.h>

#include "tools/history/chronicle.h"

enum { JUST_BEFORE_MS = 2000 };

static int by_time(const void *a, const void *b)
{
    const struct down *left = a, *right = b;
    return (left->fail > right->fail) - (left->fail < right->fail);
}

static void add(struct chronicle *chronicle, struct down down)
{
    struct down *all =
        arena_grow(chronicle->arena, chronicle->downs, chronicle->down_count, &chronicle->down_cap, sizeof(*all));
    if (!all)
        return;
    chronicle->downs = all;
    all[chronicle->down_count++] = down;
}

static void follow(struct chronicle *chronicle, size_t instance)
{
    const struct numbers *track = &chronicle->tracks[instance];
    struct down down = {instance, NONE, NONE};
    for (size_t p = 0; p < track->count; p++) {
        const struct occurrence *line = chronicle_at(chronicle, track->at[p]);
        const char *state = line->event == LOG_CLUSTER_STATE ? occurrence_field(line, LOG_FIELD_STATE) : NULL;
        bool ends =
            line->event == LOG_STARTING || line->event == LOG_START; /* a process begins in state fail, in silence */
        if (down.fail != NONE && (ends || (state && strcmp(state, "ok") == 0))) {
            down.ok = ends ? NONE : track->at[p];
            add(chronicle, down);
            down = (struct down){instance, NONE, NONE};
        } else if (down.fail == NONE && state && strcmp(state, "fail") == 0) {
            down.fail = track->at[p];
        }
    }
    if (down.fail != NONE)
        add(chronicle, down);
}

void chronicle_downs(struct chronicle *chronicle)
{
    for (size_t i = 0; i < chronicle->evidence->instance_count; i++)
        follow(chronicle, i);
    if (chronicle->down_count)
        qsort(chronicle->downs, chronicle->down_count, sizeof(*chronicle->downs), by_time);
}

/* ------------------------------------------------------------------ episodes */

/* What the instance itself had written just before. */
static const char *own_reason(struct chronicle *chronicle, struct draft *draft, const struct down *down)
{
    const struct numbers *track = &chronicle->tracks[down->instance];
    const struct occurrence *fail = chronicle_at(chronicle, down->fail);
    const char *failed = "";
    size_t count = 0;
    for (size_t p = chronicle->positions[down->fail] + 1; p < track->count; p++) {
        const struct occurrence *line = chronicle_at(chronicle, track->at[p]);
        if (line->when.ms > fail->when.ms + JUST_BEFORE_MS)
            break;
        if (line->event == LOG_CLUSTER_DOWN) {
            draft_shows(chronicle, draft, track->at[p]);
            return line->text;
        }
    }
    for (size_t p = chronicle->positions[down->fail]; p-- > 0;) {
        const struct occurrence *line = chronicle_at(chronicle, track->at[p]);
        if (line->when.ms < fail->when.ms - JUST_BEFORE_MS)
            break;
        if (line->event == LOG_CLUSTER_DOWN) {
            draft_shows(chronicle, draft, track->at[p]);
            return line->text;
        }
        if (line->event != LOG_FAILED_BY_QUORUM && line->event != LOG_FAILED_BY_MESSAGE)
            continue;
        failed =
            chronicle_text(chronicle, "%s%s%s", failed, count++ ? ", " : "", chronicle_name(chronicle, line->node));
        draft_shows(chronicle, draft, track->at[p]);
    }
    return count ? chronicle_text(chronicle,
                                  "%s failed just before: slots without an owner that serves them, and full "
                                  "coverage is required",
                                  failed)
                 : NULL;
}

/* Primaries with slots whose logs end before the moment. */
static size_t silent_primaries(const struct chronicle *chronicle, const struct cluster *cluster, int64_t ms)
{
    size_t silent = 0;
    for (size_t n = 0; n < cluster->member_count; n++) {
        const struct node *node = &cluster->nodes[n];
        if (!node->slots_owned || node->instance == SIZE_MAX || !chronicle->tracks[node->instance].count)
            continue;
        const struct numbers *track = &chronicle->tracks[node->instance];
        silent += chronicle_at(chronicle, track->at[track->count - 1])->until.ms < ms;
    }
    return silent;
}

static void tell_cause(struct chronicle *chronicle, struct draft *draft, const struct down *downs,
                       const struct numbers *members)
{
    const struct down *first = &downs[members->at[0]];
    const struct cluster *cluster = clusters_of(chronicle->history->clusters, first->instance);
    int64_t ms = chronicle_at(chronicle, first->fail)->when.ms;
    for (size_t r = 0; r < chronicle->reset_count; r++)
        if (chronicle->resets[r].moment == first->fail ||
            (chronicle->resets[r].instance == first->instance && chronicle->resets[r].stated &&
             chronicle->resets[r].low_ms <= ms + 1 && ms <= chronicle->resets[r].high_ms + JUST_BEFORE_MS))
            draft->episode.cause = "it had been reset: it knew no slots until it met the others again";
    for (size_t i = 0; i < members->count && !draft->episode.cause; i++)
        draft->episode.cause = own_reason(chronicle, draft, &downs[members->at[i]]);
    size_t silent = draft->episode.cause || !cluster ? 0 : silent_primaries(chronicle, cluster, ms);
    if (silent && silent > cluster->voting / 2)
        draft->episode.cause =
            chronicle_text(chronicle, "%zu of %zu primaries with slots had fallen silent: no majority was left", silent,
                           cluster->voting);
    if (!draft->episode.cause)
        draft_detail(
            chronicle, draft,
            "nobody had been marked as failing: slots without an owner, or no majority of primaries within reach");
}

static int64_t end_ms(const struct chronicle *chronicle, const struct down *down)
{
    return down->ok == NONE ? INT64_MAX : chronicle_at(chronicle, down->ok)->when.ms;
}

static void add_episode(struct chronicle *chronicle, const struct numbers *members)
{
    const struct down *downs = chronicle->downs;
    struct draft *draft = draft_new(chronicle, EPISODE_CLUSTER_DOWN, BASIS_STATED);
    const struct down *last = &downs[members->at[0]];
    bool open = false;
    if (!draft)
        return;
    draft_begins(chronicle, draft, last->fail);
    for (size_t i = 0; i < members->count; i++) {
        const struct down *down = &downs[members->at[i]];
        const char *name = chronicle->evidence->instances[down->instance].name;
        int64_t from = chronicle_at(chronicle, down->fail)->when.ms;
        draft_shows(chronicle, draft, down->fail);
        draft_shows(chronicle, draft, down->ok);
        if (down->ok == NONE)
            draft_detail(chronicle, draft, "%s: down, and not seen to be up again", name);
        else
            draft_detail(chronicle, draft, "%s: down for %s", name,
                         chronicle_span(chronicle, end_ms(chronicle, down) - from));
        open |= down->ok == NONE;
        if (end_ms(chronicle, down) > end_ms(chronicle, last))
            last = down;
    }
    if (!open)
        draft_ends(chronicle, draft, last->ok);
    tell_cause(chronicle, draft, downs, members);
    const char *how_long =
        open ? "and not seen to be up again by all"
             : chronicle_text(chronicle, "for %s",
                              chronicle_span(chronicle, draft->episode.end.ms - draft->episode.begin.ms));
    if (members->count == 1) {
        draft->episode.instance = last->instance;
        draft->episode.node = chronicle_at(chronicle, last->fail)->writer;
        draft->episode.title = chronicle_text(chronicle, "%s alone saw the cluster down, %s",
                                              chronicle->evidence->instances[last->instance].name, how_long);
    } else {
        draft->episode.title =
            chronicle_text(chronicle, "the cluster was down as %zu instances saw it, %s", members->count, how_long);
    }
}

void build_downs(struct chronicle *chronicle)
{
    struct numbers members = {0};
    int64_t end = INT64_MIN;
    for (size_t d = 0; d <= chronicle->down_count; d++) {
        const struct down *down = d < chronicle->down_count ? &chronicle->downs[d] : NULL;
        if (members.count && (!down || chronicle_at(chronicle, down->fail)->when.ms > end)) {
            add_episode(chronicle, &members);
            members = (struct numbers){0};
        }
        if (!down)
            break;
        int64_t until = end_ms(chronicle, down);
        if (until == INT64_MAX) /* the log ends, or the process: only what fails with it belongs to it */
            until = chronicle_at(chronicle, down->fail)->when.ms + node_timeout(chronicle);
        end = !members.count || until > end ? until : end;
        numbers_add(chronicle, &members, d);
    }
}
