#include "tools/evidence/logbook.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "parsers/bytes/text.h"
#include "tools/evidence/numbering.h"

static const struct message {
    enum logbook_event event;
    enum product product;
    const char *prefix;
    size_t prefix_len;
    const char *until;
} messages[] = {
#define LOGBOOK_MESSAGE(event, product, prefix, until) {LOGBOOK_##event, product, prefix, sizeof(prefix) - 1, until},
#include "tools/evidence/logbook_messages.def"
#undef LOGBOOK_MESSAGE
};

enum { MESSAGES = sizeof(messages) / sizeof(*messages), TEXT_MAX = 256 };

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

/* The message that a line is, or NULL; its text is NULL at `at` when it has none. */
static const struct message *recognise(struct bytes line, struct bytes *text)
{
    for (size_t i = 0; i < MESSAGES; i++) {
        const struct message *message = &messages[i];
        if (!line.len || line.at[0] != (uint8_t)message->prefix[0] || line.len < message->prefix_len ||
            memcmp(line.at, message->prefix, message->prefix_len) != 0)
            continue;
        *text = text_from(line, message->prefix_len);
        if (!message->until) {
            *text = (struct bytes){NULL, 0};
            return message;
        }
        size_t end;
        if (!*message->until) {
            *text = text_trim(*text);
        } else if (text_find(*text, message->until, &end)) {
            text->len = end;
        } else {
            continue;
        }
        if (text->len && text->len <= TEXT_MAX)
            return message;
    }
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

static void add_event(struct reading *reading, const struct log_line *line, const struct message *message,
                      struct bytes text)
{
    const uint64_t seed = reading->tenure * LOGBOOK_EVENTS + message->event;
    uint64_t hash = XXH3_64bits_withSeed(text.at ? (const void *)text.at : "", text.len, seed);
    struct run *run = find_run(reading, hash, message->event, text);
    bool is_new = !run;
    if (is_new)
        run = add_run(reading, hash, text);
    if (!run) {
        reading->logbook->left_out++;
        return;
    }
    run->last = (struct logbook_line){
        .event = message->event,
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

static void read_line(struct reading *reading, const struct log_line *line)
{
    struct logbook *logbook = reading->logbook;
    struct bytes text;
    uint64_t port;
    const struct message *message = recognise(line->message, &text);
    logbook->total_lines++;
    if (!message)
        return;
    if (is_identity(message->event) || message->event == LOGBOOK_UNKNOWN_SENDER) {
        if (!text_is_node_id(text))
            return;
        if (message->event != LOGBOOK_UNKNOWN_SENDER)
            take_identity(reading, text);
    } else if (message->event == LOGBOOK_START) {
        if (!server_parse(message->product, text, &logbook->server))
            return;
    } else if (message->event == LOGBOOK_PORT) {
        if (!text_u64(text, &port) || port > UINT16_MAX)
            return;
        logbook->port = port ? (uint16_t)port : logbook->port;
    }
    add_event(reading, line, message, text);
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
    struct log *reader = log_open(source);
    bool done = false;
    if (logbook && scratch && reader) {
        logbook->file = file;
        struct reading reading = {.arena = arena, .scratch = scratch, .logbook = logbook};
        struct log_line line;
        enum parse_step step;
        while ((step = log_next(reader, &line)) == PARSE_ITEM || step == PARSE_DAMAGE)
            if (step == PARSE_ITEM)
                read_line(&reading, &line);
        logbook->why = step == PARSE_STOP ? arena_string(arena, log_why(reader)) : NULL;
        done = write_lines(&reading) && !arena_failed(scratch) && !arena_failed(arena);
    }
    log_close(reader);
    arena_free(scratch);
    return done ? logbook : NULL;
}
