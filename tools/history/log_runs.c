#include "tools/history/log_runs.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { NOTHING = UINT32_MAX, EVENT_SHARE = 8 /* of the memory of a log, what one event may take: a part in so many */ };

/* Lines that are alike. */
struct likeness {
    uint32_t latest;  /* occurrence, the run while one is open */
    uint32_t alone;   /* since the latest pause */
    int64_t seen_ms;  /* of the latest line */
};

struct log_runs {
    struct arena *arena;
    struct texts texts;
    size_t file, instance;
    const char *own;
    uint64_t memory;
    struct occurrence *all;
    size_t count, cap;
    struct likeness *alike;
    size_t alike_count, alike_cap;
    struct numbering numbering; /* of `alike` */
    uint64_t taken[LOG_EVENTS];  /* bytes, about */
    uint32_t rest[LOG_EVENTS];   /* the run without values, or NOTHING */
    uint64_t left_out;
    struct moment latest; /* of the latest line with a time, */
    uint32_t latest_line; /* and its number */
    size_t backs;
};

struct log_runs *log_runs_begin(size_t file, size_t instance, const char *own, uint64_t memory)
{
    struct arena *arena = arena_new();
    struct log_runs *runs = arena ? arena_alloc(arena, sizeof(*runs)) : NULL;
    if (!runs) {
        arena_free(arena);
        return NULL;
    }
    runs->arena = arena;
    runs->texts.arena = arena;
    runs->file = file;
    runs->instance = instance;
    runs->own = own;
    runs->memory = memory;
    for (size_t i = 0; i < LOG_EVENTS; i++)
        runs->rest[i] = NOTHING;
    return runs;
}

void log_runs_end(struct log_runs *runs)
{
    if (runs)
        arena_free(runs->arena);
}

const struct occurrence *log_runs_all(const struct log_runs *runs, size_t *count)
{
    *count = runs->count;
    return runs->all;
}

uint64_t log_runs_left_out(const struct log_runs *runs)
{
    return runs->left_out;
}

static struct moment moment_of(struct log_runs *runs, const struct log_fact *fact)
{
    const struct log_instant *when = &fact->when;
    struct moment moment = {.source = CLOCK_LOG, .error_ms = INT64_MAX};
    if (!when->known) {
        moment = runs->latest;
        moment.flags |= MOMENT_OF_NEIGHBOUR;
        return moment;
    }
    bool zoned = !(when->flags & LOG_ZONE_UNKNOWN) && (fact->event->time.has_zone || fact->when_received);
    moment.raw_ms = zoned ? when->unix_ms : when->local_ms;
    moment.ms = when->unix_ms;
    moment.flags = (when->flags & LOG_YEAR_INFERRED ? MOMENT_YEAR_INFERRED : 0) |
                   (when->flags & LOG_ZONE_UNKNOWN ? MOMENT_ZONE_UNKNOWN : 0) |
                   (when->flags & LOG_ZONE_INFERRED ? MOMENT_ZONE_INFERRED : 0) |
                   (when->flags & LOG_TIME_DOUBTFUL ? MOMENT_DOUBTFUL : 0) |
                   (when->flags & LOG_WHOLE_SECONDS ? MOMENT_WHOLE_SECONDS : 0) |
                   (zoned ? MOMENT_ZONE_STATED : 0) | (fact->when_received ? MOMENT_RECEIVED : 0);
    return moment;
}

static const char *local_text(struct arena *arena, int64_t ms)
{
    int64_t day_ms = ms % 86400000 + (ms % 86400000 < 0 ? 86400000 : 0), s = day_ms / 1000;
    return arena_format(arena, "%02d:%02d:%02d.%03d", (int)(s / 3600), (int)(s / 60 % 60), (int)(s % 60), (int)(day_ms % 1000));
}

/* A log that goes back says so itself; both lines are named. False without memory. */
static bool tell_back(struct log_runs *runs, const struct log_event *event, struct moment when)
{
    const unsigned own_zone = MOMENT_ZONE_STATED | MOMENT_RECEIVED;
    int64_t back_ms = runs->latest.raw_ms - when.raw_ms;
    if (runs->latest.source != CLOCK_LOG || back_ms <= RUNS_BACK_MS || runs->backs == RUNS_BACKS_MAX ||
        (runs->latest.flags & own_zone) != (when.flags & own_zone))
        return true;
    struct occurrence *all = arena_grow(runs->arena, runs->all, runs->count, &runs->cap, sizeof(*all));
    if (!all || runs->count >= NOTHING - 1)
        return false;
    runs->all = all;
    runs->backs++;
    struct occurrence *back = &all[runs->count];
    *back = occurrence_blank(OCCURRENCE_CLOCK_BACK);
    back->instance = runs->instance;
    back->when = when;
    back->until = runs->latest;
    back->offset = back_ms;
    back->place = event->place;
    back->file = runs->file;
    back->order = runs->count++;
    back->text = arena_format(runs->arena, "the log goes back by %lld.%03lld s: line %u is dated %s, line %u above it %s",
                              (long long)(back_ms / 1000), (long long)(back_ms % 1000), (unsigned)event->place.line,
                              local_text(runs->arena, when.raw_ms), (unsigned)runs->latest_line,
                              local_text(runs->arena, runs->latest.raw_ms));
    return back->text;
}

/* The node that the line is about, the other one, and the numbers that have members of their own. */
static void set_members(struct log_runs *runs, struct occurrence *occurrence, const struct log_event *event)
{
    static const enum log_field_id peers[] = {LOG_FIELD_SENDER, LOG_FIELD_PRIMARY, LOG_FIELD_TARGET,     LOG_FIELD_OWNER,
                                              LOG_FIELD_SOURCE, LOG_FIELD_NEW_ID,  LOG_FIELD_OLD_PRIMARY};
    static const enum log_field_id epochs[] = {LOG_FIELD_EPOCH, LOG_FIELD_CONFIG_EPOCH, LOG_FIELD_REQUEST_EPOCH,
                                               LOG_FIELD_CURRENT_EPOCH};
    static const enum log_field_id addresses[] = {LOG_FIELD_ADDRESS, LOG_FIELD_REPLICA, LOG_FIELD_HOST};
    struct texts *texts = &runs->texts;
    const struct log_field *field = log_field(event, LOG_FIELD_NODE);
    occurrence->node = field ? texts_intern(texts, field->text) : occurrence->writer;
    for (size_t i = 0; i < sizeof(peers) / sizeof(*peers) && !occurrence->peer; i++)
        if ((field = log_field(event, peers[i])))
            occurrence->peer = texts_intern(texts, field->text);
    if (!occurrence->peer && occurrence->node != occurrence->writer)
        occurrence->peer = occurrence->writer;
    for (size_t i = 0; i < sizeof(epochs) / sizeof(*epochs) && occurrence->epoch < 0; i++)
        if ((field = log_field(event, epochs[i])))
            occurrence->epoch = field->number;
    for (size_t i = 0; i < sizeof(addresses) / sizeof(*addresses) && !occurrence->address; i++)
        if ((field = log_field(event, addresses[i])))
            occurrence->address = texts_intern(texts, field->text);
    if ((field = log_field(event, LOG_FIELD_OFFSET)))
        occurrence->offset = field->number;
    if ((field = log_field(event, LOG_FIELD_SLOT)) && field->number >= 0 && field->number < SLOT_COUNT)
        occurrence->slot = occurrence->last_slot = (int32_t)field->number;
    if ((field = log_field(event, LOG_FIELD_LAST_SLOT)) && field->number >= 0 && field->number < SLOT_COUNT)
        occurrence->last_slot = (int32_t)field->number;
    if ((field = log_field(event, LOG_FIELD_SLOTS)))
        occurrence->slots = texts_intern(texts, field->text);
}

static bool set_fields(struct log_runs *runs, struct occurrence *occurrence, const struct log_event *event)
{
    struct occurrence_field *fields = arena_array(runs->arena, event->field_count, sizeof(*fields));
    for (size_t i = 0; fields && i < event->field_count; i++)
        fields[i] = (struct occurrence_field){event->fields[i].id, texts_intern(&runs->texts, event->fields[i].text)};
    occurrence->fields = fields;
    occurrence->field_count = fields ? event->field_count : 0;
    return fields;
}

/* A new occurrence, with the values of its line or without them. NOTHING without memory. */
static uint32_t add(struct log_runs *runs, const struct log_fact *fact, struct moment when, bool with_values)
{
    const struct log_event *event = fact->event;
    size_t before = arena_size(runs->arena);
    struct occurrence *all = arena_grow(runs->arena, runs->all, runs->count, &runs->cap, sizeof(*all));
    struct bytes message = event->message;
    struct occurrence occurrence = occurrence_blank(OCCURRENCE_LOG);
    if (!all || runs->count >= NOTHING - 1)
        return NOTHING;
    runs->all = all;
    message.len = message.len < LOG_SAMPLE_LENGTH ? message.len : LOG_SAMPLE_LENGTH;
    occurrence.event = event->id;
    occurrence.instance = runs->instance;
    occurrence.writer = texts_string(&runs->texts, fact->own ? fact->own : runs->own);
    occurrence.pid = event->pid;
    occurrence.role = event->role;
    occurrence.level = event->level;
    occurrence.when = occurrence.until = when;
    occurrence.place = event->place;
    occurrence.file = runs->file;
    occurrence.order = runs->count;
    if (with_values) {
        occurrence.text = texts_intern(&runs->texts, message);
        set_members(runs, &occurrence, event);
        set_fields(runs, &occurrence, event);
    } else {
        occurrence.text = log_event_meaning(event->id);
        occurrence.node = occurrence.writer;
    }
    all[runs->count] = occurrence;
    runs->taken[event->id] += sizeof(occurrence) + sizeof(struct likeness) + event->field_count * sizeof(struct occurrence_field) +
                              (arena_size(runs->arena) > before ? message.len : 0);
    return arena_failed(runs->arena) ? NOTHING : (uint32_t)runs->count++;
}

static void go_on(struct log_runs *runs, uint32_t number, struct moment when)
{
    struct occurrence *run = &runs->all[number];
    run->count++;
    run->until = when;
}

static uint64_t hash_of(const struct log_fact *fact)
{
    const struct log_event *event = fact->event;
    uint64_t hash = (uint64_t)event->id * UINT8_MAX + (uint8_t)event->role;
    if (fact->own)
        hash = XXH3_64bits_withSeed(fact->own, strlen(fact->own), hash);
    for (size_t i = 0; i < event->field_count; i++) {
        const struct log_field *field = &event->fields[i];
        hash = XXH3_64bits_withSeed(field->text.len ? (const void *)field->text.at : "", field->text.len, hash + field->id);
    }
    return hash;
}

/* Lines like this one; a new kind when there are none. NULL without memory. */
static struct likeness *alike(struct log_runs *runs, uint64_t hash)
{
    size_t at = hash;
    uint32_t number;
    if (numbering_next(&runs->numbering, hash, &at, &number))
        return &runs->alike[number]; /* two kinds with one hash of 64 bits: never mind */
    struct likeness *all = arena_grow(runs->arena, runs->alike, runs->alike_count, &runs->alike_cap, sizeof(*all));
    if (!all || !numbering_add(&runs->numbering, runs->arena, hash, (uint32_t)runs->alike_count))
        return NULL;
    runs->alike = all;
    all[runs->alike_count] = (struct likeness){.latest = NOTHING};
    return &all[runs->alike_count++];
}

static bool is_full(const struct log_runs *runs, enum log_event_id event)
{
    return runs->taken[event] > runs->memory / EVENT_SHARE || arena_size(runs->arena) > runs->memory;
}

static bool count_only(struct log_runs *runs, const struct log_fact *fact, struct moment when)
{
    enum log_event_id event = fact->event->id;
    runs->left_out++;
    if (runs->rest[event] == NOTHING)
        return (runs->rest[event] = add(runs, fact, when, false)) != NOTHING;
    go_on(runs, runs->rest[event], when);
    return true;
}

bool log_runs_add(struct log_runs *runs, const struct log_fact *fact)
{
    struct moment when = moment_of(runs, fact);
    if (!(when.flags & MOMENT_OF_NEIGHBOUR)) {
        if (!tell_back(runs, fact->event, when))
            return false;
        runs->latest = when;
        runs->latest_line = fact->event->place.line;
    }
    uint64_t hash = hash_of(fact);
    size_t at = hash;
    uint32_t number;
    bool full = is_full(runs, fact->event->id);
    if (full && !numbering_next(&runs->numbering, hash, &at, &number))
        return count_only(runs, fact, when);
    struct likeness *kind = alike(runs, hash);
    if (!kind)
        return false;
    bool paused = when.raw_ms - kind->seen_ms >= RUNS_PAUSE_MS || when.raw_ms - kind->seen_ms <= -RUNS_PAUSE_MS;
    kind->seen_ms = when.raw_ms;
    if (kind->latest == NOTHING || (paused && !full)) {
        kind->alone = 1;
        kind->latest = add(runs, fact, when, true);
    } else if (kind->alone <= RUNS_ALONE && !full) {
        kind->alone++;
        kind->latest = add(runs, fact, when, true);
    } else {
        go_on(runs, kind->latest, when);
    }
    return kind->latest != NOTHING;
}
