/* Nodes that came and went: by captures of the members' views, by lines, and by what silence tells. */
#include <string.h>

#include "tools/history/chronicle.h"

enum {
    TOGETHER_MS = 60000, /* a tool sends FORGET or MEET to all within the minute for which FORGET lasts */
    SLACK_MS = 5000,     /* a view is saved a little later than its newest pong */
};

/* The passage, as it may be known already; of several the latest. */
static struct passage *find(const struct chronicle *chronicle, enum passage_way way, const char *id, int64_t low_ms,
                            int64_t high_ms, int64_t slack_ms)
{
    const struct actor *actor = chronicle_actor(chronicle, id);
    struct passage *best = NULL;
    for (size_t p = 0; actor && p < actor->passages.count; p++) {
        struct passage *known = &chronicle->passages[actor->passages.at[p]];
        if (known->way == way && low_ms <= known->high_ms + slack_ms && high_ms >= known->low_ms - slack_ms &&
            (!best || known->low_ms > best->low_ms))
            best = known;
    }
    return best;
}

static struct passage *add(struct chronicle *chronicle, enum passage_way way, const char *id, int64_t low_ms,
                           int64_t high_ms)
{
    struct passage *all = arena_grow(chronicle->arena, chronicle->passages, chronicle->passage_count,
                                     &chronicle->passage_cap, sizeof(*all));
    if (!all)
        return NULL;
    chronicle->passages = all;
    struct actor *actor = chronicle_actor(chronicle, id);
    if (actor)
        numbers_add(chronicle, &actor->passages, chronicle->passage_count);
    struct passage *passage = &all[chronicle->passage_count++];
    *passage = (struct passage){.way = way, .id = id, .low_ms = low_ms, .high_ms = high_ms};
    return passage;
}

/* The same between two moments; what is known of them is narrowed down. */
static struct passage *between(struct chronicle *chronicle, enum passage_way way, const char *id, int64_t low_ms,
                               int64_t high_ms)
{
    struct passage *known = find(chronicle, way, id, low_ms, high_ms, SLACK_MS);
    if (!known)
        return add(chronicle, way, id, low_ms, high_ms);
    if (!known->dated) {
        known->low_ms = low_ms > known->low_ms ? low_ms : known->low_ms;
        known->high_ms = high_ms > known->high_ms ? high_ms : known->high_ms;
    }
    return known;
}

/* The same by a line of its moment. */
static struct passage *dated(struct chronicle *chronicle, enum passage_way way, const char *id, int64_t low_ms,
                             int64_t high_ms)
{
    struct passage *known = find(chronicle, way, id, low_ms, high_ms, TOGETHER_MS);
    if (!known)
        known = add(chronicle, way, id, low_ms, high_ms);
    if (known && !known->dated) {
        known->low_ms = low_ms;
        known->high_ms = high_ms;
        known->dated = true;
    } else if (known) {
        known->low_ms = low_ms < known->low_ms ? low_ms : known->low_ms;
        known->high_ms = high_ms > known->high_ms ? high_ms : known->high_ms;
    }
    return known;
}

const struct passage *passage_before(const struct chronicle *chronicle, enum passage_way way, const char *id,
                                     int64_t ms)
{
    const struct actor *actor = chronicle_actor(chronicle, id);
    const struct passage *best = NULL;
    for (size_t p = 0; actor && p < actor->passages.count; p++) {
        const struct passage *passage = &chronicle->passages[actor->passages.at[p]];
        if (passage->way == way && passage->low_ms <= ms && (!best || passage->low_ms > best->low_ms))
            best = passage;
    }
    return best;
}

/* ------------------------------------------------------------------ captures */

static void take_captures(struct chronicle *chronicle)
{
    for (size_t o = 0; o < chronicle->history->count; o++) {
        const struct occurrence *change = chronicle_at(chronicle, o);
        bool came = change->kind == OCCURRENCE_MEMBER_NEW;
        if (!came && change->kind != OCCURRENCE_MEMBER_GONE)
            continue;
        bool all = changed_all(chronicle, o);
        if (all && !came)
            continue; /* a reset of the viewer */
        bool bounded = change->when.source != CLOCK_NONE && change->when.error_ms != INT64_MAX;
        struct passage *passage =
            between(chronicle, came ? PASSAGE_JOINED : PASSAGE_LEFT, all ? change->writer : change->node,
                    bounded ? change->when.ms - change->when.error_ms : change->when.ms, change->when.ms);
        if (!passage)
            return;
        if (!passage->basis || !passage->dated)
            passage->basis = came ? "captures of members' views before and after: it is new in them"
                                  : "captures of members' views before and after: it is gone from them";
        numbers_add(chronicle, &passage->lines, o);
    }
}

/* ------------------------------------------------------------------ lines */

/* What all lines of handshakes together say, found once. */
struct handshakes {
    struct chronicle *chronicle;
    struct numbers created; /* moments of SET-CONFIG-EPOCH, in order */
    size_t *counts;         /* of each actor, in all */
};

static bool survey(struct handshakes *handshakes)
{
    struct chronicle *chronicle = handshakes->chronicle;
    handshakes->counts = arena_array(chronicle->arena, chronicle->actor_count + 1, sizeof(*handshakes->counts));
    for (size_t o = 0; handshakes->counts && o < chronicle->history->count; o++) {
        const struct occurrence *line = chronicle_at(chronicle, o);
        if (line->event == LOG_EPOCH_SET)
            numbers_add(chronicle, &handshakes->created, o);
        const struct actor *ends[] = {line->event == LOG_HANDSHAKE ? chronicle_actor(chronicle, line->node) : NULL,
                                      line->event == LOG_HANDSHAKE ? chronicle_actor(chronicle, line->writer) : NULL};
        for (size_t e = 0; e < 2; e++)
            if (ends[e])
                handshakes->counts[ends[e] - chronicle->actors]++;
    }
    return handshakes->counts;
}

/* A cluster was being created: everybody meets everybody. */
static bool is_creation(const struct handshakes *handshakes, int64_t ms)
{
    size_t low = 0, high = handshakes->created.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (chronicle_at(handshakes->chronicle, handshakes->created.at[middle])->when.ms < ms - TOGETHER_MS)
            low = middle + 1;
        else
            high = middle;
    }
    return low < handshakes->created.count &&
           chronicle_at(handshakes->chronicle, handshakes->created.at[low])->when.ms <= ms + TOGETHER_MS;
}

static size_t handshakes_of(const struct handshakes *handshakes, const char *id)
{
    const struct actor *actor = chronicle_actor(handshakes->chronicle, id);
    return actor ? handshakes->counts[actor - handshakes->chronicle->actors] : 0;
}

/* Of the two nodes of a handshake the newcomer is the one that shakes more hands. */
static void take_handshake(const struct handshakes *handshakes, size_t number)
{
    struct chronicle *chronicle = handshakes->chronicle;
    const struct occurrence *line = chronicle_at(chronicle, number);
    const char *id = line->node;
    if (is_creation(handshakes, line->when.ms))
        return;
    if (!find(chronicle, PASSAGE_JOINED, id, line->when.ms, line->when.ms, TOGETHER_MS) && line->writer &&
        (find(chronicle, PASSAGE_JOINED, line->writer, line->when.ms, line->when.ms, TOGETHER_MS) ||
         handshakes_of(handshakes, line->writer) > handshakes_of(handshakes, id)))
        id = line->writer;
    struct passage *passage = dated(chronicle, PASSAGE_JOINED, id, line->when.ms, line->when.ms);
    if (!passage)
        return;
    passage->stated = true;
    numbers_add(chronicle, &passage->lines, number);
}

static void take_forget(struct chronicle *chronicle, size_t number)
{
    const struct occurrence *line = chronicle_at(chronicle, number);
    const char *id = line->event == LOG_FORGET_REQUESTED ? occurrence_field(line, LOG_FIELD_NODE_TEXT) : line->node;
    const struct actor *actor = chronicle_actor(chronicle, id);
    if (!id || (line->event == LOG_NODE_REMOVED && !actor))
        return;
    /* A node that is reset removes everybody, in silence or, at debug level, with a line for each. */
    for (size_t r = 0; line->event == LOG_NODE_REMOVED && r < chronicle->reset_count; r++)
        if (chronicle->resets[r].instance == line->instance && line->when.ms >= chronicle->resets[r].low_ms - 1000 &&
            line->when.ms <= chronicle->resets[r].high_ms + 1000)
            return;
    struct passage *passage = dated(chronicle, PASSAGE_LEFT, actor ? actor->id : id, line->when.ms, line->when.ms);
    if (!passage)
        return;
    passage->stated = true;
    numbers_add(chronicle, &passage->lines, number);
}

/* CLUSTER MEET with a node that is known to have joined then. */
static void take_meet(const struct handshakes *handshakes, size_t number)
{
    struct chronicle *chronicle = handshakes->chronicle;
    const struct occurrence *line = chronicle_at(chronicle, number);
    const char *id = chronicle_at_address(chronicle, line->address, line->when.ms);
    const char *ids[] = {id, line->writer};
    if (is_creation(handshakes, line->when.ms))
        return;
    for (size_t i = 0; i < 2; i++) {
        struct passage *passage = find(chronicle, PASSAGE_JOINED, ids[i], line->when.ms, line->when.ms, TOGETHER_MS);
        if (!passage || line->when.ms > passage->high_ms + 1000)
            continue;
        numbers_add(chronicle, &passage->lines, number);
        passage->stated = true;
        return;
    }
    struct passage *passage = id ? dated(chronicle, PASSAGE_JOINED, id, line->when.ms, line->when.ms) : NULL;
    if (!passage)
        return;
    passage->basis = "CLUSTER MEET; that it came in is not shown";
    numbers_add(chronicle, &passage->lines, number);
}

/* ------------------------------------------------------------------ processes */

/* A node with a new id learns its address from the first member that talks to it, and sees the cluster up when it
 * has met it. */
static void take_newcomer(struct chronicle *chronicle, const struct lifetime *life)
{
    const struct numbers *track = &chronicle->tracks[life->instance];
    size_t address = NONE, up = NONE;
    bool fresh = life->identified != NONE && chronicle_at(chronicle, life->identified)->event == LOG_NODE_NEW;
    for (size_t p = life->first; fresh && p <= life->last && up == NONE; p++) {
        const struct occurrence *line = chronicle_at(chronicle, track->at[p]);
        const char *state = line->event == LOG_CLUSTER_STATE ? occurrence_field(line, LOG_FIELD_STATE) : NULL;
        if (line->event == LOG_EPOCH_SET)
            return; /* told by the creation */
        if (line->event == LOG_OWN_ADDRESS_CHANGED && address == NONE)
            address = track->at[p];
        if (state && strcmp(state, "ok") == 0)
            up = track->at[p];
    }
    if (up == NONE && address == NONE)
        return;
    size_t first = address != NONE ? address : up, last = up != NONE ? up : address;
    struct passage *passage = add(chronicle, PASSAGE_JOINED, chronicle_at(chronicle, first)->writer,
                                  chronicle_at(chronicle, first)->when.ms, chronicle_at(chronicle, last)->when.ms);
    if (!passage)
        return;
    passage->dated = true;
    passage->basis = "it began without a nodes.conf, then learned its address from others, or saw the cluster up";
    numbers_add(chronicle, &passage->lines, life->identified);
    numbers_add(chronicle, &passage->lines, first);
    numbers_add(chronicle, &passage->lines, last);
}

/* Away for longer than members wait, and none of them marked it. */
static void take_absence(struct chronicle *chronicle, const struct lifetime *life)
{
    const struct lifetime *next = lifetime_next(chronicle, life);
    int64_t back;
    if (!next || !life->id || !same_id(next->id, life->id) || life->end.source == CLOCK_NONE)
        return;
    back = track_at(chronicle, next->instance, next->first)->when.ms;
    const struct passage *left = passage_before(chronicle, PASSAGE_LEFT, life->id, back);
    const struct passage *joined = passage_before(chronicle, PASSAGE_JOINED, life->id, back);
    bool gone = left && (!joined || joined->low_ms < left->low_ms);
    if (!gone && away_unnoticed(chronicle, life)) {
        struct passage *passage = add(chronicle, PASSAGE_LEFT, life->id, life->end.ms, life->end.ms);
        if (!passage)
            return;
        passage->basis = chronicle_text(
            chronicle,
            "it was away for %s, node-timeout is %s, and no member marked it as failing: it was none any more",
            chronicle_span(chronicle, back - life->end.ms), chronicle_span(chronicle, node_timeout(chronicle)));
        numbers_add(chronicle, &passage->lines, life->end_from);
        numbers_add(chronicle, &passage->lines, chronicle->tracks[next->instance].at[next->first]);
        gone = true;
    }
    bool loaded = next->identified != NONE && chronicle_at(chronicle, next->identified)->event == LOG_NODE_LOADED;
    struct passage *passage = gone && loaded ? add(chronicle, PASSAGE_RETURNED, life->id, back, back) : NULL;
    if (!passage)
        return;
    passage->basis = "it had been removed before, and loaded the nodes.conf that it had kept";
    numbers_add(chronicle, &passage->lines, chronicle->tracks[next->instance].at[next->first]);
    numbers_add(chronicle, &passage->lines, next->identified);
}

/* After a reset the node met the members again: the next "state ok" of the same process. */
static void take_rejoin(struct chronicle *chronicle, const struct reset *reset)
{
    const struct numbers *track = &chronicle->tracks[reset->instance];
    size_t from = reset->moment != NONE ? reset->moment : NONE;
    if (from == NONE || chronicle_at(chronicle, from)->kind != OCCURRENCE_LOG)
        return;
    for (size_t p = chronicle->positions[from] + 1; p < track->count; p++) {
        const struct occurrence *line = chronicle_at(chronicle, track->at[p]);
        const char *state = line->event == LOG_CLUSTER_STATE ? occurrence_field(line, LOG_FIELD_STATE) : NULL;
        bool another = line->event == LOG_NODE_RESET && line->when.ms > reset->high_ms;
        if (line->event == LOG_STARTING || line->event == LOG_START || another)
            return;
        if (!state || strcmp(state, "ok") != 0)
            continue;
        struct passage *passage = add(chronicle, PASSAGE_JOINED, reset->id, line->when.ms, line->when.ms);
        if (!passage)
            return;
        passage->dated = true;
        passage->basis = "it had been reset, and saw the cluster up again";
        numbers_add(chronicle, &passage->lines, track->at[p]);
        return;
    }
}

void chronicle_passages(struct chronicle *chronicle)
{
    struct handshakes handshakes = {.chronicle = chronicle};
    if (!survey(&handshakes))
        return;
    for (size_t l = 0; l < chronicle->lifetime_count; l++)
        take_newcomer(chronicle, &chronicle->lifetimes[l]);
    for (size_t r = 0; r < chronicle->reset_count; r++)
        take_rejoin(chronicle, &chronicle->resets[r]);
    for (size_t o = 0; o < chronicle->history->count; o++) {
        enum log_event_id event = chronicle_at(chronicle, o)->event;
        if (event == LOG_HANDSHAKE)
            take_handshake(&handshakes, o);
        else if (event == LOG_FORGET_REQUESTED || event == LOG_NODE_REMOVED)
            take_forget(chronicle, o);
    }
    take_captures(chronicle);
    for (size_t l = 0; l < chronicle->lifetime_count; l++)
        take_absence(chronicle, &chronicle->lifetimes[l]);
    for (size_t o = 0; o < chronicle->history->count; o++)
        if (chronicle_at(chronicle, o)->event == LOG_MEET_REQUESTED)
            take_meet(&handshakes, o);
}
