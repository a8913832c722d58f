#include "tools/history/log_runs.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum {
    NOTHING = UINT32_MAX,
    EVENT_SHARE = 8, /* of the memory of a part, what one event may take: one in so many, */
    WHOLE_SECOND_MS = 1000,
    RARE_SHARE = 256, /* and what it may take when the others have filled it */
};

/* Lines that are alike. */
struct likeness {
    uint32_t latest;  /* occurrence, the run while one is open */
    uint32_t alone;   /* since the latest pause */
    int64_t seen_ms;  /* of the latest line */
};

/* A part of the log that is kept. */
struct part {
    struct arena *arena;
    struct texts texts;
    uint64_t memory; /* that it may take */
    struct occurrence *all;
    size_t count, cap;
    struct likeness *alike;
    size_t alike_count, alike_cap;
    struct numbering numbering; /* of `alike` */
    uint64_t taken[LOG_EVENTS]; /* bytes, about */
};

enum { HEAD, OLDER, NEWER, PARTS };

struct log_runs {
    size_t file, instance;
    const char *own;
    struct part parts[PARTS];    /* the head is what comes first; the other two what came last */
    struct occurrence *rest;     /* of each event, what is only counted: LOG_EVENTS runs without values, or NULL */
    size_t order;                /* occurrences so far */
    uint64_t left_out;
    struct moment latest; /* of the latest line with a time, */
    uint32_t latest_line; /* and its number */
    size_t backs;
};

static bool part_begin(struct part *part, uint64_t memory)
{
    *part = (struct part){.arena = arena_new(), .memory = memory};
    part->texts.arena = part->arena;
    return part->arena;
}

struct log_runs *log_runs_begin(size_t file, size_t instance, const char *own, uint64_t memory)
{
    struct log_runs *runs = calloc(1, sizeof(*runs));
    if (!runs)
        return NULL;
    runs->file = file;
    runs->instance = instance;
    runs->own = own;
    bool ready = part_begin(&runs->parts[HEAD], memory / 2);
    ready = part_begin(&runs->parts[OLDER], memory / 4) && ready;
    ready = part_begin(&runs->parts[NEWER], memory / 4) && ready;
    if (ready)
        return runs;
    log_runs_end(runs);
    return NULL;
}

void log_runs_end(struct log_runs *runs)
{
    for (size_t p = 0; runs && p < PARTS; p++)
        arena_free(runs->parts[p].arena);
    free(runs);
}

static int by_order(const void *a, const void *b)
{
    const struct occurrence *left = a, *right = b;
    return (left->order > right->order) - (left->order < right->order);
}

const struct occurrence *log_runs_all(struct log_runs *runs, size_t *count)
{
    size_t most = LOG_EVENTS;
    *count = 0;
    for (size_t p = 0; p < PARTS; p++)
        most += runs->parts[p].count;
    struct occurrence *all = arena_array(runs->parts[HEAD].arena, most, sizeof(*all));
    if (!all)
        return NULL;
    for (size_t p = 0; p < PARTS; p++)
        for (size_t i = 0; i < runs->parts[p].count; i++)
            all[(*count)++] = runs->parts[p].all[i];
    for (size_t e = 0; runs->rest && e < LOG_EVENTS; e++)
        if (runs->rest[e].count)
            all[(*count)++] = runs->rest[e];
    qsort(all, *count, sizeof(*all), by_order);
    return all;
}

uint64_t log_runs_left_out(const struct log_runs *runs)
{
    return runs->left_out;
}

/* Signal handlers write Unix time, which is no local time: it is the epoch clock's. */
static bool is_of_handler(const struct log_fact *fact)
{
    return fact->event->id == LOG_SHUTDOWN_SIGNAL && fact->event->time.has_zone && !fact->event->time.has_milliseconds &&
           !fact->when_received;
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
    if (is_of_handler(fact)) {
        moment = moment_epoch(when->unix_ms, WHOLE_SECOND_MS);
        moment.flags = MOMENT_WHOLE_SECONDS;
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
    struct part *head = &runs->parts[HEAD];
    struct occurrence *all = arena_grow(head->arena, head->all, head->count, &head->cap, sizeof(*all));
    if (!all)
        return false;
    head->all = all;
    runs->backs++;
    struct occurrence *back = &all[head->count++];
    *back = occurrence_blank(OCCURRENCE_CLOCK_BACK);
    back->instance = runs->instance;
    back->when = when;
    back->until = runs->latest;
    back->offset = back_ms;
    back->place = event->place;
    back->file = runs->file;
    back->order = runs->order++;
    back->text = arena_format(head->arena, "the log goes back by %lld.%03lld s: line %u is dated %s, line %u above it %s",
                              (long long)(back_ms / 1000), (long long)(back_ms % 1000), (unsigned)event->place.line,
                              local_text(head->arena, when.raw_ms), (unsigned)runs->latest_line,
                              local_text(head->arena, runs->latest.raw_ms));
    return back->text;
}

/* The node that the line is about, the other one, and the numbers that have members of their own. */
static void set_members(struct texts *texts, struct occurrence *occurrence, const struct log_event *event)
{
    static const enum log_field_id peers[] = {LOG_FIELD_SENDER, LOG_FIELD_PRIMARY, LOG_FIELD_TARGET,     LOG_FIELD_OWNER,
                                              LOG_FIELD_SOURCE, LOG_FIELD_NEW_ID,  LOG_FIELD_OLD_PRIMARY};
    static const enum log_field_id epochs[] = {LOG_FIELD_EPOCH, LOG_FIELD_CONFIG_EPOCH, LOG_FIELD_REQUEST_EPOCH,
                                               LOG_FIELD_CURRENT_EPOCH};
    static const enum log_field_id addresses[] = {LOG_FIELD_ADDRESS, LOG_FIELD_REPLICA, LOG_FIELD_HOST};
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

static bool set_fields(struct part *part, struct occurrence *occurrence, const struct log_event *event)
{
    struct occurrence_field *fields = arena_array(part->arena, event->field_count, sizeof(*fields));
    for (size_t i = 0; fields && i < event->field_count; i++)
        fields[i] = (struct occurrence_field){event->fields[i].id, texts_intern(&part->texts, event->fields[i].text)};
    occurrence->fields = fields;
    occurrence->field_count = fields ? event->field_count : 0;
    return fields;
}

/* What is the same for all lines of the log. */
static struct occurrence draft(struct log_runs *runs, const struct log_event *event, struct moment when)
{
    struct occurrence occurrence = occurrence_blank(OCCURRENCE_LOG);
    occurrence.event = event->id;
    occurrence.instance = runs->instance;
    occurrence.pid = event->pid;
    occurrence.role = event->role;
    occurrence.level = event->level;
    occurrence.when = occurrence.until = when;
    occurrence.place = event->place;
    occurrence.file = runs->file;
    occurrence.order = runs->order++;
    return occurrence;
}

/* A new occurrence; NOTHING without memory. */
static uint32_t add(struct log_runs *runs, struct part *part, const struct log_fact *fact, struct moment when)
{
    const struct log_event *event = fact->event;
    size_t before = arena_size(part->arena);
    struct occurrence *all = arena_grow(part->arena, part->all, part->count, &part->cap, sizeof(*all));
    struct bytes message = event->message;
    if (!all || part->count >= NOTHING - 1)
        return NOTHING;
    part->all = all;
    message.len = message.len < LOG_SAMPLE_LENGTH ? message.len : LOG_SAMPLE_LENGTH;
    struct occurrence *occurrence = &all[part->count];
    *occurrence = draft(runs, event, when);
    occurrence->writer = texts_string(&part->texts, fact->own ? fact->own : runs->own);
    occurrence->text = texts_intern(&part->texts, message);
    set_members(&part->texts, occurrence, event);
    set_fields(part, occurrence, event);
    part->taken[event->id] += sizeof(*occurrence) + sizeof(struct likeness) + event->field_count * sizeof(struct occurrence_field) +
                              (arena_size(part->arena) > before ? message.len : 0);
    return arena_failed(part->arena) ? NOTHING : (uint32_t)part->count++;
}

static void go_on(struct occurrence *run, struct moment until, uint64_t count)
{
    run->count += count;
    run->until = until;
}

/* What is only counted from now on: all of an occurrence that is given up. */
static bool give_up(struct log_runs *runs, const struct occurrence *occurrence)
{
    if (!runs->rest)
        runs->rest = arena_array(runs->parts[HEAD].arena, LOG_EVENTS, sizeof(*runs->rest));
    if (!runs->rest)
        return false;
    struct occurrence *rest = &runs->rest[occurrence->event];
    runs->left_out += occurrence->count;
    if (rest->count) {
        go_on(rest, occurrence->until, occurrence->count);
        return true;
    }
    *rest = *occurrence;
    rest->writer = rest->node = rest->peer = rest->address = rest->slots = NULL;
    rest->epoch = rest->offset = rest->slot = rest->last_slot = -1;
    rest->field_count = 0;
    rest->fields = NULL;
    rest->text = log_event_meaning(occurrence->event);
    return true;
}

/* The newer part becomes the older one, which is given up. */
static bool turn(struct log_runs *runs)
{
    struct part *older = &runs->parts[OLDER], *newer = &runs->parts[NEWER];
    bool done = true;
    for (size_t i = 0; done && i < older->count; i++)
        done = give_up(runs, &older->all[i]);
    arena_free(older->arena);
    *older = *newer;
    return part_begin(newer, older->memory) && done;
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
static struct likeness *alike(struct part *part, uint64_t hash)
{
    size_t at = hash;
    uint32_t number;
    if (numbering_next(&part->numbering, hash, &at, &number))
        return &part->alike[number]; /* two kinds with one hash of 64 bits: never mind */
    struct likeness *all = arena_grow(part->arena, part->alike, part->alike_count, &part->alike_cap, sizeof(*all));
    if (!all || !numbering_add(&part->numbering, part->arena, hash, (uint32_t)part->alike_count))
        return NULL;
    part->alike = all;
    all[part->alike_count] = (struct likeness){.latest = NOTHING};
    return &all[part->alike_count++];
}

static bool is_full(const struct part *part, enum log_event_id event)
{
    uint64_t taken = part->taken[event];
    return taken > part->memory / EVENT_SHARE || (arena_size(part->arena) > part->memory && taken > part->memory / RARE_SHARE);
}

/* Where the line is kept: in the head as long as there is room for its event, else among the last. */
static struct part *part_for(struct log_runs *runs, enum log_event_id event)
{
    if (!is_full(&runs->parts[HEAD], event))
        return &runs->parts[HEAD];
    if (is_full(&runs->parts[NEWER], event) && !turn(runs))
        return NULL;
    return &runs->parts[NEWER];
}

bool log_runs_add(struct log_runs *runs, const struct log_fact *fact)
{
    struct moment when = moment_of(runs, fact);
    if (when.source == CLOCK_LOG && !(when.flags & MOMENT_OF_NEIGHBOUR)) {
        if (!tell_back(runs, fact->event, when))
            return false;
        runs->latest = when;
        runs->latest_line = fact->event->place.line;
    }
    struct part *part = part_for(runs, fact->event->id);
    struct likeness *kind = part ? alike(part, hash_of(fact)) : NULL;
    if (!kind)
        return false;
    int64_t pause_ms = when.raw_ms - kind->seen_ms;
    bool paused = kind->latest == NOTHING || pause_ms >= RUNS_PAUSE_MS || pause_ms <= -RUNS_PAUSE_MS;
    kind->seen_ms = when.raw_ms;
    if (!paused && kind->alone > RUNS_ALONE) {
        go_on(&part->all[kind->latest], when, 1);
        return true;
    }
    kind->alone = paused ? 1 : kind->alone + 1;
    kind->latest = add(runs, part, fact, when);
    return kind->latest != NOTHING;
}
