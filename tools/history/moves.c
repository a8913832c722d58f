/* Slots that went from one primary to another, by the lines that Valkey writes for each slot and by what captures
 * of one instance show before and after. What failovers did is not among it. */
#include <stdlib.h>
#include <string.h>

#include "parsers/bytes/keyslot.h"
#include "tools/history/chronicle.h"

enum {
    PAUSE_MS = 30000, /* between two slots that one run of a tool moves */
    SLACK_MS = 5000,  /* a view is saved a little later than its newest pong */
};

bool was_failover(const struct chronicle *chronicle, const char *from, const char *to, int64_t ms, int64_t error_ms)
{
    for (size_t e = 0; e < chronicle->election_count; e++) {
        const struct election *election = &chronicle->elections[e];
        int64_t won = election->won == NONE ? election->ms : chronicle_at(chronicle, election->won)->when.ms;
        if (same_id(election->old_primary, from) && same_id(election->candidate, to) && won <= ms + SLACK_MS &&
            (error_ms == INT64_MAX || won >= ms - error_ms - SLACK_MS))
            return true;
    }
    return false;
}

static bool same_end(const char *one, const char *other)
{
    return one == other || same_id(one, other);
}

static struct move *new_move(struct chronicle *chronicle, const char *to)
{
    struct move *all =
        arena_grow(chronicle->arena, chronicle->moves, chronicle->move_count, &chronicle->move_cap, sizeof(*all));
    if (!all)
        return NULL;
    chronicle->moves = all;
    struct move *move = &all[chronicle->move_count++];
    *move = (struct move){
        .to = to, .low_ms = INT64_MIN, .high_ms = INT64_MIN, .seen_ms = INT64_MIN, .imported = NONE, .epoch = -1};
    return move;
}

static struct move_part *part_of(struct chronicle *chronicle, struct move *move, const char *from)
{
    for (size_t p = 0; p < move->part_count; p++)
        if (same_end(move->parts[p].from, from))
            return &move->parts[p];
    struct move_part *all = arena_grow(chronicle->arena, move->parts, move->part_count, &move->part_cap, sizeof(*all));
    uint8_t *slots = arena_alloc(chronicle->arena, SLOT_COUNT / 8);
    if (!all || !slots)
        return NULL;
    move->parts = all;
    all[move->part_count] = (struct move_part){from, slots};
    return &all[move->part_count++];
}

static void set_slots(struct move_part *part, unsigned first, unsigned last)
{
    for (unsigned slot = first; part && slot <= last && slot < SLOT_COUNT; slot++)
        part->slots[slot / 8] |= (uint8_t)(1u << slot % 8);
}

/* "0-32,5461" */
static void set_ranges(struct move_part *part, const char *text)
{
    while (part && text && *text) {
        char *end;
        unsigned long first = strtoul(text, &end, 10), last = first;
        if (end == text)
            return;
        if (*end == '-')
            last = strtoul(end + 1, &end, 10);
        if (first < SLOT_COUNT && last < SLOT_COUNT)
            set_slots(part, (unsigned)first, (unsigned)last);
        text = *end ? end + 1 : end;
    }
}

/* ------------------------------------------------------------------ by lines */

static struct move *line_move(struct chronicle *chronicle, const char *to, int64_t ms)
{
    for (size_t m = chronicle->move_count; m-- > 0;) {
        struct move *move = &chronicle->moves[m];
        if (same_id(move->to, to) && ms - move->seen_ms <= PAUSE_MS && move->seen_ms - ms <= PAUSE_MS)
            return move;
    }
    return new_move(chronicle, to);
}

static void take_line(struct chronicle *chronicle, size_t number)
{
    const struct occurrence *line = chronicle_at(chronicle, number);
    const char *from = occurrence_field(line, LOG_FIELD_SOURCE), *to = occurrence_field(line, LOG_FIELD_TARGET);
    if (line->event == LOG_SLOT_IMPORTING)
        to = line->writer;
    else if (line->event == LOG_SLOT_MIGRATING)
        from = line->writer;
    bool repeated = line->role == 'S' && (line->event == LOG_SLOT_IMPORTING || line->event == LOG_SLOT_MIGRATING);
    if (!to || line->slot < 0 || repeated) /* replicas write what their primaries do */
        return;
    struct move *move = line_move(chronicle, to, line->when.ms);
    if (!move)
        return;
    bool assigned = line->event == LOG_SLOT_ASSIGNED || line->event == LOG_SLOT_MOVED;
    move->low_ms = move->low_ms == INT64_MIN || line->when.ms < move->low_ms ? line->when.ms : move->low_ms;
    move->high_ms = line->when.ms > move->high_ms ? line->when.ms : move->high_ms;
    move->seen_ms = line->when.ms;
    move->stated |= assigned;
    numbers_add(chronicle, &move->lines, number);
    if (from || assigned)
        set_slots(part_of(chronicle, move, from), (unsigned)line->slot, (unsigned)line->last_slot);
}

/* ------------------------------------------------------------------ by captures */

/* The viewer's own view of the node came or went at the same time: what it says about slots then is about members. */
static bool is_about_members(const struct chronicle *chronicle, const struct occurrence *change)
{
    const char *node = change->node ? change->node : change->peer;
    enum occurrence_kind kind = change->node ? OCCURRENCE_MEMBER_NEW : OCCURRENCE_MEMBER_GONE;
    if (change->node && change->peer)
        return false;
    for (size_t o = occurrences_from(chronicle, change->when.ms); o < chronicle->history->count; o++) {
        const struct occurrence *other = chronicle_at(chronicle, o);
        if (other->when.source == CLOCK_NONE || other->when.ms != change->when.ms)
            return false;
        if (other->kind == kind && other->instance == change->instance && same_id(other->node, node))
            return true;
    }
    return false;
}

/* The move has this slot, from the same owner. */
static bool has_part(const struct move *move, const struct occurrence *change)
{
    unsigned long slot = change->slots ? strtoul(change->slots, NULL, 10) : SLOT_COUNT;
    for (size_t p = 0; slot < SLOT_COUNT && p < move->part_count; p++)
        if (same_end(move->parts[p].from, change->peer) && move->parts[p].slots[slot / 8] >> slot % 8 & 1)
            return true;
    return false;
}

/* Viewers save at different moments, so what they show of one move has windows that overlap, or nearly. */
static struct move *captured_move(struct chronicle *chronicle, const struct occurrence *change, int64_t low_ms)
{
    for (size_t m = chronicle->move_count; m-- > 0;) {
        struct move *move = &chronicle->moves[m];
        int64_t slack = has_part(move, change) || move->stated ? SLACK_MS : 0;
        if (same_end(move->to, change->node) && low_ms < move->high_ms + slack &&
            change->when.ms > move->low_ms - slack)
            return move;
    }
    return new_move(chronicle, change->node);
}

static void take_capture(struct chronicle *chronicle, size_t number)
{
    const struct occurrence *change = chronicle_at(chronicle, number);
    bool bounded = change->when.source != CLOCK_NONE && change->when.error_ms != INT64_MAX;
    int64_t low = bounded ? change->when.ms - change->when.error_ms : change->when.ms;
    if (is_about_members(chronicle, change) ||
        was_failover(chronicle, change->peer, change->node, change->when.ms, change->when.error_ms))
        return;
    struct move *move = captured_move(chronicle, change, low);
    if (!move)
        return;
    numbers_add(chronicle, &move->lines, number);
    if (!move->stated) {
        move->low_ms = low > move->low_ms ? low : move->low_ms; /* the latest view that shows the old owner */
        move->high_ms = change->when.ms > move->high_ms ? change->when.ms : move->high_ms;
        move->low_ms = move->low_ms > move->high_ms ? move->high_ms : move->low_ms;
    }
    set_ranges(part_of(chronicle, move, change->peer), change->slots);
}

void chronicle_moves(struct chronicle *chronicle)
{
    for (size_t o = 0; o < chronicle->history->count; o++) {
        enum log_event_id event = chronicle_at(chronicle, o)->event;
        if (event == LOG_SLOT_ASSIGNED || event == LOG_SLOT_MOVED || event == LOG_SLOT_IMPORTING ||
            event == LOG_SLOT_MIGRATING)
            take_line(chronicle, o);
    }
    for (size_t o = 0; o < chronicle->history->count; o++)
        if (chronicle_at(chronicle, o)->kind == OCCURRENCE_SLOTS_CHANGED)
            take_capture(chronicle, o);
}

/* ------------------------------------------------------------------ episodes */

static bool of_part(const void *context, unsigned slot)
{
    const struct move_part *part = context;
    return part->slots[slot / 8] >> slot % 8 & 1;
}

static bool of_move(const void *context, unsigned slot)
{
    const struct move *move = context;
    for (size_t p = 0; p < move->part_count; p++)
        if (of_part(&move->parts[p], slot))
            return true;
    return false;
}

static unsigned count_slots(bool (*has)(const void *, unsigned), const void *context)
{
    unsigned count = 0;
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
        count += has(context, slot);
    return count;
}

/* Whose slots; a part without a former owner repeats what another part has. */
static const char *sources(struct chronicle *chronicle, struct draft *draft, const struct move *move)
{
    const char *text = NULL;
    for (size_t p = 0; p < move->part_count; p++) {
        const struct move_part *part = &move->parts[p];
        if (!part->from)
            continue;
        const char *name = chronicle_name(chronicle, part->from);
        text = text ? chronicle_text(chronicle, "%s, %s", text, name) : name;
        draft->episode.peer = draft->episode.peer ? draft->episode.peer : part->from;
        draft_detail(chronicle, draft, "from %s: %s", name, slots_text(chronicle->arena, of_part, part));
    }
    return text;
}

/* A node gets slots only as a primary, and gives away only what it has got before. */
static int64_t not_before(const struct chronicle *chronicle, const struct move *move)
{
    int64_t low = move->low_ms;
    for (size_t e = 0; e < chronicle->election_count; e++) {
        const struct election *election = &chronicle->elections[e];
        int64_t won = election->won == NONE ? INT64_MIN : chronicle_at(chronicle, election->won)->when.ms;
        if (same_id(election->candidate, move->to) && won > low && won <= move->high_ms)
            low = won;
    }
    for (size_t m = 0; m < chronicle->move_count; m++) {
        const struct move *other = &chronicle->moves[m];
        int64_t got = other->imported == NONE ? other->low_ms : chronicle_at(chronicle, other->imported)->when.ms;
        for (size_t p = 0; other != move && p < move->part_count; p++)
            if (same_id(move->parts[p].from, other->to) && got > low && got <= move->high_ms)
                low = got;
    }
    return low;
}

static struct moment moment_at(const struct chronicle *chronicle, const struct move *move, int64_t ms)
{
    struct moment moment = chronicle_at(chronicle, move->lines.at[0])->when;
    for (size_t i = 0; i < move->lines.count; i++) {
        const struct occurrence *line = chronicle_at(chronicle, move->lines.at[i]);
        if (line->when.ms == ms)
            return line->when;
    }
    moment.raw_ms += ms - moment.ms;
    moment.ms = ms;
    return moment;
}

void build_moves(struct chronicle *chronicle)
{
    for (size_t m = 0; m < chronicle->move_count; m++) {
        const struct move *move = &chronicle->moves[m];
        unsigned count = count_slots(of_move, move);
        struct draft *draft =
            count ? draft_new(chronicle, EPISODE_SLOT_MOVE, move->stated ? BASIS_STATED : BASIS_INFERRED) : NULL;
        if (!draft)
            continue;
        draft->episode.node = move->to;
        draft->episode.instance = chronicle_instance(chronicle, move->to);
        draft->episode.epoch = move->epoch;
        draft->episode.slots = slots_text(chronicle->arena, of_move, move);
        draft_shows(chronicle, draft, move->imported);
        draft_shows_all(chronicle, draft, &move->lines);
        draft->episode.begin = moment_at(chronicle, move, move->stated ? move->low_ms : not_before(chronicle, move));
        draft->episode.end = moment_at(chronicle, move, move->high_ms);
        if (move->imported != NONE)
            draft->episode.begin = chronicle_at(chronicle, move->imported)->when;
        if (draft->episode.end.ms < draft->episode.begin.ms)
            draft->episode.end = draft->episode.begin;
        const char *from = sources(chronicle, draft, move);
        const char *slots = count == 1 ? "slot" : "slots",
                   *epoch = move->epoch < 0 ? "" : chronicle_text(chronicle, ", epoch %lld", (long long)move->epoch);
        if (!move->to)
            draft->episode.title =
                chronicle_text(chronicle, "%u %s of %s lost their owner", count, slots, from ? from : "nobody known");
        else
            draft->episode.title =
                chronicle_text(chronicle, "%u %s went%s%s to %s%s", count, slots, from ? " from " : "",
                               from ? from : "", chronicle_name(chronicle, move->to), epoch);
        if (!move->stated)
            draft->episode.basis = "captures of members' views before and after";
    }
}
