#include "tools/evidence/log_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "parsers/bytes/text.h"

struct reading {
    const struct log_request *request;
    struct log_clock clock;
    char own[41];
    struct log_outcome *outcome;
};

static struct source *open_source(const struct log_request *request)
{
    if (request->open)
        return request->open(request->context);
    return request->path ? source_open(AT_FDCWD, request->path, SOURCE_FOLLOW | SOURCE_UNHASHED)
                         : source_descriptor_with(STDIN_FILENO, SOURCE_UNHASHED);
}

static void end_badly(struct log_outcome *outcome, enum log_condition condition, const char *why)
{
    outcome->condition = condition;
    snprintf(outcome->why, sizeof(outcome->why), "%s", why);
}

/* The end of a log without years tells how many New Years it has passed; the file's age says which was the last. */
static void find_year(struct reading *reading)
{
    struct source *source = open_source(reading->request);
    struct log *reader = source ? log_open(source, 0) : NULL;
    struct log_event event;
    struct source_facts facts;
    enum parse_step step;
    while (reader && ((step = log_next(reader, &event)) == PARSE_ITEM || step == PARSE_DAMAGE))
        continue;
    if (reader) {
        const struct log_counts *counts = log_counts(reader);
        source_finish(source, &facts);
        if (counts->anchored) {
            reading->clock.has_year = true;
            reading->clock.year = counts->anchor_year;
            reading->clock.turn = counts->anchor_turn;
        } else if (reading->request->has_near) {
            log_clock_near(&reading->clock, &counts->last, counts->last_turn, reading->request->near_ms);
        } else if (facts.mtime_ms > 0) {
            log_clock_bound(&reading->clock, &counts->last, counts->last_turn, facts.mtime_ms);
        }
    }
    log_close(reader);
    source_close(source);
}

static bool needs_year(struct source *source)
{
    struct bytes head = source_peek(source, SOURCE_PEEK_MAX);
    struct source *memory = source_memory(head.at, head.len);
    struct log *reader = memory ? log_open(memory, 0) : NULL;
    struct log_event event;
    enum parse_step step;
    while (reader && ((step = log_next(reader, &event)) == PARSE_ITEM || step == PARSE_DAMAGE))
        continue;
    bool yearless = reader && log_counts(reader)->yearless;
    log_close(reader);
    source_close(memory);
    return yearless;
}

static void learn_own(struct reading *reading, const struct log_event *event)
{
    const struct log_field *node = NULL;
    if (event->id == LOG_NODE_NEW || event->id == LOG_NODE_LOADED || event->id == LOG_NODE_RESET)
        node = log_field(event, LOG_FIELD_NODE);
    if (node && node->text.len < sizeof(reading->own)) {
        memcpy(reading->own, node->text.at, node->text.len);
        reading->own[node->text.len] = '\0';
    }
}

static bool names(const struct log_field *field, const char *node)
{
    bool is_id = field->kind == LOG_KIND_ID || field->id == LOG_FIELD_NODE_TEXT;
    return is_id ? text_starts(field->text, node) : text_is(field->text, node);
}

static bool wants_node(const struct log_selection *selection, const struct log_fact *fact)
{
    for (size_t n = 0; n < selection->node_count; n++) {
        const char *node = selection->nodes[n];
        if (fact->own && strncmp(fact->own, node, strlen(node)) == 0)
            return true;
        for (size_t i = 0; i < fact->event->field_count; i++)
            if (names(&fact->event->fields[i], node))
                return true;
    }
    return !selection->node_count;
}

static bool wants_level(const struct log_selection *selection, char level)
{
    static const char levels[] = ".-*#";
    return !selection->level || !level || strchr(levels, level) >= strchr(levels, selection->level);
}

static bool wants(const struct log_selection *selection, const struct log_fact *fact)
{
    int64_t ms = fact->when.unix_ms;
    if ((selection->has_since || selection->has_until) && !fact->when.known)
        return false;
    return (!selection->has_since || ms >= selection->since_ms) && (!selection->has_until || ms < selection->until_ms) &&
           (!selection->by_event || selection->events[fact->event->id]) && wants_level(selection, fact->event->level) &&
           wants_node(selection, fact);
}

static struct log_fact fact_of(struct reading *reading, const struct log_event *event)
{
    struct log_fact fact = {.event = event, .own = *reading->own ? reading->own : NULL};
    struct log_clock none = {.zone = NULL};
    fact.when = log_clock_instant(&reading->clock, &event->time, event->turn);
    struct log_instant received = log_clock_instant(&none, &event->received, 0);
    if (received.known && event->received.has_zone && (!fact.when.known || fact.when.flags & LOG_ZONE_UNKNOWN)) {
        fact.when = received;
        fact.when_received = true;
    }
    return fact;
}

static void read_events(struct reading *reading, struct log *reader,
                        bool (*receive)(void *context, const struct log_fact *fact), void *context)
{
    struct log_outcome *outcome = reading->outcome;
    struct log_event event;
    enum parse_step step;
    while ((step = log_next(reader, &event)) == PARSE_ITEM || step == PARSE_DAMAGE) {
        if (step == PARSE_DAMAGE)
            continue;
        learn_own(reading, &event);
        struct log_fact fact = fact_of(reading, &event);
        outcome->zone_unknown |= fact.when.known && fact.when.flags & LOG_ZONE_UNKNOWN;
        outcome->year_unknown |= event.time.known && !fact.when.known;
        if (wants(reading->request->selection, &fact) && !receive(context, &fact)) {
            end_badly(outcome, LOG_FILE_ENDED, "ended");
            return;
        }
    }
}

/* What is to be said about the file itself. */
static void judge(struct reading *reading, struct source *source, const struct log *reader)
{
    struct log_outcome *outcome = reading->outcome;
    struct source_facts facts = {.complete = false};
    const char *why = log_why(reader);
    bool finished = source_finish(source, &facts);
    outcome->counts = *log_counts(reader);
    outcome->atime_kept = facts.atime_kept || !(reading->request->path || reading->request->open);
    if (outcome->condition == LOG_FILE_ENDED)
        return;
    if (facts.changed)
        end_badly(outcome, LOG_FILE_LOST, "changed while it was read");
    else if (why || !finished)
        end_badly(outcome, outcome->counts.lines ? LOG_FILE_DAMAGED : LOG_FILE_LOST, why ? why : source_why(source));
    else if (outcome->counts.lines && !outcome->counts.prefixed && !outcome->counts.events)
        end_badly(outcome, LOG_FILE_LOST, "no line is one of a server's log");
}

void log_file_read(const struct log_request *request, bool (*receive)(void *context, const struct log_fact *fact),
                   void *context, struct log_outcome *outcome)
{
    *outcome = (struct log_outcome){.condition = LOG_FILE_WHOLE, .atime_kept = true};
    struct reading reading = {.request = request, .clock = {.zone = request->zone}, .outcome = outcome};
    struct source *source = open_source(request);
    struct log *reader = source ? log_open(source, request->all_lines ? LOG_ALL_LINES : 0) : NULL;
    if (reader) {
        if (request->has_year) {
            reading.clock.has_year = true;
            reading.clock.year = request->first_year;
        } else if ((request->path || request->open) && needs_year(source)) {
            find_year(&reading);
        }
        read_events(&reading, reader, receive, context);
        judge(&reading, source, reader);
    } else {
        end_badly(outcome, LOG_FILE_ENDED, "out of memory");
    }
    log_close(reader);
    source_close(source);
}
