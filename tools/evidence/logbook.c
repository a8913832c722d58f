#include "tools/evidence/logbook.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "parsers/bytes/text.h"
#include "tools/evidence/numbering.h"

enum { TEXT_MAX = 256 };

/* What an event of the log is to a logbook, and which field is its text. */
static const struct meaning {
    enum log_event_id id;
    enum logbook_event event;
    enum log_field_id text; /* LOG_FIELD_IDS: none */
} meanings[] = {
    {LOG_START, LOGBOOK_START, LOG_FIELD_VERSION},
    {LOG_MODE, LOGBOOK_PORT, LOG_FIELD_PORT},
    {LOG_READY, LOGBOOK_PORT, LOG_FIELD_PORT},
    {LOG_NODE_NEW, LOGBOOK_NEW_IDENTITY, LOG_FIELD_NODE},
    {LOG_NODE_LOADED, LOGBOOK_LOADED_IDENTITY, LOG_FIELD_NODE},
    {LOG_NODE_RESET, LOGBOOK_RESET_IDENTITY, LOG_FIELD_NODE},
    {LOG_CLUSTER_STATE, LOGBOOK_CLUSTER_OK, LOG_FIELD_IDS},
    {LOG_SHUTDOWN_REQUESTED, LOGBOOK_SHUTDOWN, LOG_FIELD_IDS},
    {LOG_SAVED, LOGBOOK_SAVED, LOG_FIELD_IDS},
    {LOG_UNKNOWN_SENDER, LOGBOOK_UNKNOWN_SENDER, LOG_FIELD_SENDER},
    {LOG_SYNC_ASKED, LOGBOOK_REPLICA_SYNC, LOG_FIELD_REPLICA},
};

enum { MEANINGS = sizeof(meanings) / sizeof(*meanings) };

struct run {
    struct logbook_line first, last;
    uint64_t tenure; /* how many times the node had changed its id */
};

struct reading {
    struct arena *arena;   /* what stays */
    struct arena *scratch; /* ends with the reading */
    struct logbook *logbook;
    struct run *runs;
    size_t count, cap;
    struct numbering numbering; /* of runs */
    uint64_t tenure;
};

static bool has_value(const struct log_event *line, enum log_field_id id, const char *value)
{
    const struct log_field *field = log_field(line, id);
    return field && text_is(field->text, value);
}

static const struct meaning *meaning_of(const struct log_event *line)
{
    for (size_t i = 0; i < MEANINGS; i++)
        if (meanings[i].id == line->id)
            return &meanings[i];
    return NULL;
}

static bool is_identity(enum logbook_event event)
{
    return event == LOGBOOK_NEW_IDENTITY || event == LOGBOOK_LOADED_IDENTITY || event == LOGBOOK_RESET_IDENTITY;
}

static bool same_text(const char *kept, struct bytes text)
{
    return kept ? text.at && text_is(text, kept) : !text.at;
}

static struct run *find_run(const struct reading *reading, uint64_t hash, enum logbook_event event, struct bytes text)
{
    size_t at = hash;
    uint32_t number;
    while (numbering_next(&reading->numbering, hash, &at, &number)) {
        struct run *run = &reading->runs[number];
        if (run->tenure == reading->tenure && run->first.event == event && same_text(run->first.text, text))
            return run;
    }
    return NULL;
}

/* A new run, or NULL when there are too many or no memory. */
static struct run *add_run(struct reading *reading, uint64_t hash, struct bytes text)
{
    if (reading->count == LOGBOOK_RUNS_MAX)
        return NULL;
    struct run *runs = arena_grow(reading->scratch, reading->runs, reading->count, &reading->cap, sizeof(*runs));
    if (!runs || !numbering_add(&reading->numbering, reading->scratch, hash, (uint32_t)reading->count))
        return NULL;
    reading->runs = runs;
    struct run *run = &runs[reading->count++];
    *run = (struct run){.tenure = reading->tenure};
    run->first.text = text.at ? arena_copy(reading->arena, text.at, text.len) : NULL;
    return run;
}

static void add_event(struct reading *reading, const struct log_event *line, enum logbook_event event, struct bytes text)
{
    const uint64_t seed = reading->tenure * LOGBOOK_EVENTS + event;
    uint64_t hash = XXH3_64bits_withSeed(text.at ? (const void *)text.at : "", text.len, seed);
    struct run *run = find_run(reading, hash, event, text);
    bool is_new = !run;
    if (is_new)
        run = add_run(reading, hash, text);
    if (!run) {
        reading->logbook->left_out++;
        return;
    }
    run->last = (struct logbook_line){
        .event = event,
        .file = reading->logbook->file,
        .place = line->place,
        .time = line->time,
        .text = run->first.text,
        .run = run->first.run + 1,
    };
    if (is_new)
        run->first = run->last;
    run->first.run = run->last.run;
}

static void take_identity(struct reading *reading, struct bytes id)
{
    struct logbook *logbook = reading->logbook;
    if (logbook->id && text_is(id, logbook->id))
        return;
    reading->tenure += logbook->id != NULL;
    logbook->id = arena_copy(reading->arena, id.at, id.len);
}

/* False when the line is none for a logbook. */
static bool take_start(struct logbook *logbook, const struct log_event *line, struct bytes version)
{
    enum product product = has_value(line, LOG_FIELD_PRODUCT, "Valkey") ? PRODUCT_VALKEY : PRODUCT_REDIS;
    return server_parse(product, version, &logbook->server);
}

static bool take_port(struct logbook *logbook, const struct log_event *line)
{
    const struct log_field *port = log_field(line, LOG_FIELD_PORT);
    if (!port || port->number < 0 || port->number > UINT16_MAX || has_value(line, LOG_FIELD_MODE, "sentinel"))
        return false;
    logbook->port = port->number ? (uint16_t)port->number : logbook->port;
    return true;
}

static void read_line(struct reading *reading, const struct log_event *line)
{
    struct bytes text = {NULL, 0};
    const struct meaning *meaning = meaning_of(line);
    const struct log_field *field = meaning ? log_field(line, meaning->text) : NULL;
    if (!meaning || (field && (!field->text.len || field->text.len > TEXT_MAX)))
        return;
    enum logbook_event event = meaning->event;
    if (field)
        text = field->text;
    if (event == LOGBOOK_CLUSTER_OK && !has_value(line, LOG_FIELD_STATE, "ok"))
        event = LOGBOOK_CLUSTER_FAIL;
    if (is_identity(event))
        take_identity(reading, text);
    if ((event == LOGBOOK_START && !take_start(reading->logbook, line, text)) ||
        (event == LOGBOOK_PORT && !take_port(reading->logbook, line)))
        return;
    add_event(reading, line, event, text);
}

static int by_place(const void *a, const void *b)
{
    const struct logbook_line *left = a, *right = b;
    return (left->place.offset > right->place.offset) - (left->place.offset < right->place.offset);
}

static bool write_lines(struct reading *reading)
{
    struct logbook *logbook = reading->logbook;
    struct logbook_line *lines = arena_array(reading->arena, reading->count * 2, sizeof(*lines));
    if (!lines)
        return false;
    for (size_t i = 0; i < reading->count; i++) {
        lines[logbook->count++] = reading->runs[i].first;
        if (reading->runs[i].first.run > 1)
            lines[logbook->count++] = reading->runs[i].last;
    }
    qsort(lines, logbook->count, sizeof(*lines), by_place);
    logbook->lines = lines;
    return true;
}

struct logbook *logbook_read(struct arena *arena, struct source *source, size_t file)
{
    struct logbook *logbook = arena_alloc(arena, sizeof(*logbook));
    struct arena *scratch = arena_new();
    struct log *reader = log_open(source, 0);
    bool done = false;
    if (logbook && scratch && reader) {
        logbook->file = file;
        struct reading reading = {.arena = arena, .scratch = scratch, .logbook = logbook};
        struct log_event line;
        enum parse_step step;
        while ((step = log_next(reader, &line)) == PARSE_ITEM || step == PARSE_DAMAGE)
            if (step == PARSE_ITEM)
                read_line(&reading, &line);
        logbook->total_lines = log_counts(reader)->lines;
        logbook->why = step == PARSE_STOP ? arena_string(arena, log_why(reader)) : NULL;
        done = write_lines(&reading) && !arena_failed(scratch) && !arena_failed(arena);
    }
    log_close(reader);
    arena_free(scratch);
    return done ? logbook : NULL;
}
