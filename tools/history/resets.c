/* Nodes that dropped their view. CLUSTER RESET HARD leaves lines; SOFT leaves none before Valkey 8.1: then a
 * capture shows a view that has lost everybody, or the node alone sees the cluster down, although nobody failed,
 * and is up again as soon as it has been met. */
#include <string.h>

#include "tools/history/chronicle.h"

enum { SLACK_MS = 5000, TOGETHER_MS = 1000 };

static struct reset *add(struct chronicle *chronicle, size_t instance, int64_t low_ms, int64_t high_ms)
{
    for (size_t r = 0; r < chronicle->reset_count; r++) {
        struct reset *known = &chronicle->resets[r];
        if (known->instance == instance && low_ms <= known->high_ms + SLACK_MS && high_ms >= known->low_ms - SLACK_MS)
            return known;
    }
    struct reset *all =
        arena_grow(chronicle->arena, chronicle->resets, chronicle->reset_count, &chronicle->reset_cap, sizeof(*all));
    if (!all)
        return NULL;
    chronicle->resets = all;
    struct reset *reset = &all[chronicle->reset_count++];
    *reset = (struct reset){.instance = instance, .low_ms = low_ms, .high_ms = high_ms, .moment = NONE};
    return reset;
}

/* Lines of one reset follow each other at once. */
static void take_lines(struct chronicle *chronicle, size_t instance)
{
    const struct numbers *track = &chronicle->tracks[instance];
    struct reset *reset = NULL;
    for (size_t p = 0; p < track->count; p++) {
        const struct occurrence *line = chronicle_at(chronicle, track->at[p]);
        if (line->event != LOG_RESET_REQUESTED && line->event != LOG_EPOCH_RESET && line->event != LOG_NODE_RESET)
            continue;
        if (!reset || line->when.ms - reset->high_ms > TOGETHER_MS || line->event == LOG_RESET_REQUESTED) {
            /* not add(): two resets in a row are two */
            struct reset *all = arena_grow(chronicle->arena, chronicle->resets, chronicle->reset_count,
                                           &chronicle->reset_cap, sizeof(*all));
            if (!all)
                return;
            chronicle->resets = all;
            reset = &all[chronicle->reset_count++];
            *reset = (struct reset){.instance = instance,
                                    .low_ms = line->when.ms,
                                    .moment = track->at[p],
                                    .stated = true,
                                    .id = line->writer};
        }
        reset->high_ms = line->when.ms;
        reset->hard |= line->event != LOG_RESET_REQUESTED;
        if (line->event == LOG_NODE_RESET) {
            for (size_t b = p; b-- > 0 && !reset->old_id;) {
                const char *before = track_at(chronicle, instance, b)->writer;
                reset->old_id = before && !same_id(before, line->node) ? before : NULL;
            }
            reset->id = line->node;
        }
        numbers_add(chronicle, &reset->lines, track->at[p]);
    }
}

/* Both are of the same kind and of the same two captures. */
static bool is_same_change(const struct occurrence *one, const struct occurrence *other)
{
    return one->kind == other->kind && one->instance == other->instance && one->when.ms == other->when.ms &&
           one->when.source == other->when.source;
}

bool changed_all(struct chronicle *chronicle, size_t number)
{
    const struct occurrence *change = chronicle_at(chronicle, number);
    const struct view *view = chronicle->evidence->files[change->file].view;
    size_t count = 0;
    if (chronicle->changed_first != NONE && is_same_change(change, chronicle_at(chronicle, chronicle->changed_first)))
        return chronicle->changed_answer;
    for (size_t o = occurrences_from(chronicle, change->when.ms); o < chronicle->history->count; o++) {
        const struct occurrence *other = chronicle_at(chronicle, o);
        if (other->when.ms != change->when.ms)
            break;
        count += is_same_change(change, other);
    }
    chronicle->changed_first = number;
    return chronicle->changed_answer = view && view->count > 1 && count + 1 >= view->count;
}

static int64_t low_of(const struct occurrence *change)
{
    bool bounded = change->when.source != CLOCK_NONE && change->when.error_ms != INT64_MAX;
    return bounded ? change->when.ms - change->when.error_ms : change->when.ms;
}

static void take_captures(struct chronicle *chronicle)
{
    for (size_t o = 0; o < chronicle->history->count; o++) {
        const struct occurrence *change = chronicle_at(chronicle, o);
        bool lost = change->kind == OCCURRENCE_MEMBER_GONE, other_id = change->kind == OCCURRENCE_IDENTITY_CHANGED;
        if ((!lost && !other_id) || change->instance == SIZE_MAX || (lost && !changed_all(chronicle, o)))
            continue;
        struct reset *reset = add(chronicle, change->instance, low_of(change), change->when.ms);
        if (!reset)
            return;
        numbers_add(chronicle, &reset->lines, o);
        reset->id = change->writer ? change->writer : reset->id;
        if (other_id) {
            reset->hard = true;
            reset->old_id = change->peer;
        }
    }
}

/* ------------------------------------------------------------------ by what the node alone saw */

/* It marked nobody as failing just before, and no other instance was down meanwhile. */
static bool down_alone(const struct chronicle *chronicle, const struct down *down)
{
    const struct numbers *track = &chronicle->tracks[down->instance];
    int64_t from = chronicle_at(chronicle, down->fail)->when.ms;
    int64_t to = down->ok == NONE ? INT64_MAX : chronicle_at(chronicle, down->ok)->when.ms;
    for (size_t p = chronicle->positions[down->fail]; p-- > 0;) {
        const struct occurrence *line = chronicle_at(chronicle, track->at[p]);
        if (line->when.ms < from - 2 * node_timeout(chronicle))
            break;
        if (line->event == LOG_FAILED_BY_QUORUM || line->event == LOG_FAILED_BY_MESSAGE ||
            line->event == LOG_POSSIBLY_FAILING)
            return false;
    }
    return !was_disturbed(chronicle, down->instance, from, to);
}

static void take_down(struct chronicle *chronicle, const struct down *down)
{
    const struct occurrence *fail = chronicle_at(chronicle, down->fail);
    for (size_t r = 0; r < chronicle->reset_count; r++) { /* it dates a reset that is known already */
        struct reset *reset = &chronicle->resets[r];
        if (reset->instance != down->instance || fail->when.ms < reset->low_ms - TOGETHER_MS ||
            fail->when.ms > reset->high_ms + SLACK_MS)
            continue;
        reset->moment = reset->moment == NONE ? down->fail : reset->moment;
        numbers_add(chronicle, &reset->lines, down->fail);
        return;
    }
    const struct lifetime *life = chronicle_lifetime(chronicle, down->instance, chronicle->positions[down->fail]);
    const struct lifetime *before =
        life && life > chronicle->lifetimes && life[-1].instance == life->instance ? life - 1 : NULL;
    if (!before || !away_unnoticed(chronicle, before) || !is_member_now(chronicle, life->id) || down->ok == NONE)
        return;
    struct reset *reset = add(chronicle, down->instance, fail->when.ms, fail->when.ms);
    if (!reset)
        return;
    reset->id = fail->writer;
    reset->moment = down->fail;
    numbers_add(chronicle, &reset->lines, down->fail);
    numbers_add(chronicle, &reset->lines, down->ok);
}

void chronicle_resets(struct chronicle *chronicle)
{
    for (size_t i = 0; i < chronicle->evidence->instance_count; i++)
        take_lines(chronicle, i);
    take_captures(chronicle);
    for (size_t d = 0; d < chronicle->down_count; d++)
        if (down_alone(chronicle, &chronicle->downs[d]))
            take_down(chronicle, &chronicle->downs[d]);
}

/* ------------------------------------------------------------------ episodes */

/* The capture lost everybody because the file was lost: the next start says so. */
static size_t new_identity_line(const struct chronicle *chronicle, const struct reset *reset)
{
    const struct numbers *track = &chronicle->tracks[reset->instance];
    for (size_t p = 0; p < track->count; p++) {
        const struct occurrence *line = chronicle_at(chronicle, track->at[p]);
        if (line->event == LOG_NODE_NEW && same_id(line->node, reset->id) &&
            line->when.ms >= reset->low_ms - SLACK_MS && line->when.ms <= reset->high_ms + SLACK_MS)
            return track->at[p];
    }
    return NONE;
}

void build_resets(struct chronicle *chronicle)
{
    for (size_t r = 0; r < chronicle->reset_count; r++) {
        const struct reset *reset = &chronicle->resets[r];
        const char *name = chronicle->evidence->instances[reset->instance].name;
        bool captured = false;
        for (size_t i = 0; i < reset->lines.count; i++)
            captured |= chronicle_at(chronicle, reset->lines.at[i])->kind != OCCURRENCE_LOG;
        struct draft *draft = draft_new(chronicle, EPISODE_RESET, reset->stated ? BASIS_STATED : BASIS_INFERRED);
        size_t fresh = reset->stated || !reset->hard ? NONE : new_identity_line(chronicle, reset);
        if (!draft)
            return;
        draft_shows_all(chronicle, draft, &reset->lines);
        draft_begins(chronicle, draft,
                     reset->moment != NONE ? reset->moment
                     : fresh != NONE       ? fresh
                                           : reset->lines.at[0]);
        draft->episode.end = draft->episode.begin;
        draft->episode.instance = reset->instance;
        draft->episode.node = reset->id;
        draft->episode.peer = reset->old_id;
        const char *client = occurrence_field(chronicle_at(chronicle, reset->lines.at[0]), LOG_FIELD_CLIENT);
        if (client)
            draft_detail(chronicle, draft, "asked by %s", client);
        if (fresh != NONE)
            draft->episode.title = chronicle_text(chronicle, "%s began with a new nodes.conf and another id", name);
        else if (reset->hard)
            draft->episode.title = chronicle_text(chronicle, "%s was reset hard: its id is %.8s now%s%.8s", name,
                                                  reset->id ? reset->id : "?", reset->old_id ? ", and was " : "",
                                                  reset->old_id ? reset->old_id : "");
        else
            draft->episode.title =
                chronicle_text(chronicle, "%s was reset soft: it dropped its view and kept its id", name);
        if (reset->stated)
            continue;
        draft->episode.basis =
            captured
                ? "between two captures its view lost every other member at once"
                : "it alone saw the cluster down, with nobody failing; before that it was no member, now it is, with "
                   "the same id";
        if (reset->moment == NONE && captured)
            draft_detail(chronicle, draft, "the moment is that of the capture after it");
    }
}
