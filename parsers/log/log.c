#include "parsers/log/log.h"

#include <stdlib.h>

#include "parsers/bytes/text.h"
#include "parsers/log/crash.h"
#include "parsers/log/lines.h"
#include "parsers/log/shape.h"
#include "parsers/log/tally.h"
#include "parsers/log/words.h"
#include "parsers/log/wrapper.h"

enum {
    QUEUE = 3, /* events of one line: the end of a report, another process, itself */
    HEAD = 64, /* bytes of a line that hold its prefix, if its shape is known */
};

struct log {
    struct log_lines lines;
    struct log_line line;
    struct log_words *words;
    struct log_shapes shapes;
    struct log_wrappers wrappers;
    struct log_prefix_latest latest;
    struct log_tally tally;
    struct log_crash crash;
    unsigned flags;
    uint8_t process[16]; /* "PID:R" of the latest line of a known shape */
    uint32_t pid;        /* the process that serves, and its role */
    char role;
    uint8_t head[HEAD]; /* of the latest line that was passed by its shape; empty when another one came later */
    size_t head_len;
    struct log_event queue[QUEUE];
    size_t queued, given;
    bool ended;
    struct damage damage;
};

struct log *log_open(struct source *source, unsigned flags)
{
    struct log *reader = calloc(1, sizeof(*reader));
    if (!reader)
        return NULL;
    reader->words = log_words_new();
    if (!log_lines_open(&reader->lines, source) || !reader->words) {
        log_close(reader);
        return NULL;
    }
    reader->shapes = log_shapes_make();
    reader->flags = flags;
    return reader;
}

void log_close(struct log *reader)
{
    if (!reader)
        return;
    log_lines_close(&reader->lines);
    log_words_free(reader->words);
    log_wrappers_end(&reader->wrappers);
    free(reader);
}

const struct damage *log_damage(const struct log *reader)
{
    return &reader->damage;
}

const char *log_why(const struct log *reader)
{
    return source_why(reader->lines.source);
}

const struct log_counts *log_counts(const struct log *reader)
{
    return &reader->tally.counts;
}

static struct log_counts *counts_of(struct log *reader)
{
    return &reader->tally.counts;
}

/* Without the fields that it does not have: they are most of it. */
static void copy_event(struct log_event *to, const struct log_event *from)
{
    memcpy(to, from, offsetof(struct log_event, fields) + from->field_count * sizeof(*from->fields));
}

static void give(struct log *reader, const struct log_event *event)
{
    copy_event(&reader->queue[reader->queued++], event);
}

static void set_prefix(struct log_event *event, const struct log_prefix *prefix)
{
    event->prefixed = true;
    event->pid = prefix->pid;
    event->role = prefix->role;
    event->level = prefix->level;
    event->time = prefix->time;
    event->message = prefix->message;
}

/* Who wrote the line, when, and its message: all that stands around it. `shaped` is NULL when the line itself has no
 * shape. */
static void read_around(struct log *reader, const struct log_shaped *shaped, struct log_event *event)
{
    struct log_prefix prefix;
    struct log_wrapping wrapping;
    size_t before;
    struct bytes text = reader->line.text;
    if (shaped ? log_prefix_read_shaped(&reader->latest, text, shaped, &prefix) : log_prefix_read(text, &prefix)) {
        set_prefix(event, &prefix);
        log_tally_prefix(&reader->tally, &prefix);
        return;
    }
    event->message = text;
    if (log_unwrap(&reader->wrappers, text, &wrapping)) {
        event->message = wrapping.text;
        event->label = wrapping.label;
        event->pid = wrapping.pid;
        event->received = wrapping.received;
    }
    if (log_prefix_read(event->message, &prefix) || log_prefix_find(event->message, &prefix, &before)) {
        set_prefix(event, &prefix);
        log_tally_prefix(&reader->tally, &prefix);
        log_tally_received(&reader->tally, &event->time, &event->received);
    } else {
        event->time = event->received;
    }
}

static void set_wording(struct log_event *event, int row, const struct log_values *values)
{
    event->id = LOG_UNKNOWN;
    if (row == LOG_NO_WORDING)
        return;
    event->wording = (unsigned)row;
    event->id = log_wording(event->wording).event;
    event->field_count = values->count;
    for (size_t i = 0; i < values->count; i++)
        event->fields[i] = values->fields[i];
}

/* A primary or replica that writes for the first time, or as what it was not. A child is not told from a server that is
 * about to fork, nor are the processes of Redis 2.8, which write no role. */
static void note_process(struct log *reader, const struct log_event *line)
{
    if (!line->role || line->role == 'C' || (line->pid == reader->pid && line->role == reader->role))
        return;
    reader->pid = line->pid;
    reader->role = line->role;
    struct log_event event;
    copy_event(&event, line);
    event.id = LOG_PROCESS;
    event.field_count = 0;
    give(reader, &event);
}

/* True when the line is a part of a crash report, or its beginning. */
static bool note_crash(struct log *reader, const struct log_event *line)
{
    struct log_crash *crash = &reader->crash;
    bool begins = line->id == LOG_CRASH_START;
    if (crash->open && (begins || line->id == LOG_START || line->id == LOG_STARTING)) {
        struct log_event event = log_crash_end(crash, false);
        give(reader, &event);
    }
    if (begins) {
        log_crash_begin(crash, line);
        return true;
    }
    if (!crash->open || !log_crash_owns(crash, line))
        return false;
    log_crash_add(crash, line);
    if (line->id == LOG_CRASH_END) {
        struct log_event event = log_crash_end(crash, true);
        give(reader, &event);
    }
    return true;
}

static void count_line(struct log *reader, const struct log_event *line)
{
    struct log_counts *counts = counts_of(reader);
    if (line->id == LOG_OTHER)
        counts->other++;
    else if (line->id != LOG_UNKNOWN)
        counts->events++;
    else if (line->prefixed)
        log_tally_unknown(&reader->tally, line->place.line, line->level, line->message);
    else
        counts->unprefixed++;
}

static void note_time(struct log *reader, struct log_event *line)
{
    struct log_counts *counts = counts_of(reader);
    log_tally_yearless(&reader->tally, &line->time);
    line->turn = counts->turns;
    if (!line->time.known)
        return;
    if (!counts->first.known)
        counts->first = line->time;
    counts->last = line->time;
    counts->last_turn = counts->turns;
    reader->head_len = 0;
}

/* A line with all that it says; `row` is its wording if it was found already, at `message`. */
static void read_line(struct log *reader, const struct log_shaped *shaped, int row, struct bytes message,
                      struct log_values *values)
{
    struct log_event line;
    struct log_counts *counts = counts_of(reader);
    memset(&line, 0, offsetof(struct log_event, fields));
    line.place = reader->line.place;
    line.lines = 1;
    line.label = text_from(reader->line.text, reader->line.text.len);
    read_around(reader, shaped, &line);
    counts->prefixed += line.prefixed;
    if (line.message.at != message.at || line.message.len != message.len)
        row = log_words_find(reader->words, line.message, values);
    set_wording(&line, row, values);
    note_time(reader, &line);
    if (note_crash(reader, &line)) {
        counts->events++;
        return;
    }
    note_process(reader, &line);
    count_line(reader, &line);
    if ((line.id != LOG_UNKNOWN && line.id != LOG_OTHER) || reader->flags & LOG_ALL_LINES)
        give(reader, &line);
}

/* Whether the process is that of the line before. */
static bool same_process(struct log *reader, struct bytes text, const struct log_shaped *shaped)
{
    if (memcmp(reader->process, text.at, shaped->process) == 0 && !reader->process[shaped->process])
        return true;
    memset(reader->process, 0, sizeof(reader->process));
    memcpy(reader->process, text.at, shaped->process);
    return false;
}

/* Passes a line of a usual shape that is no event without reading its prefix. False when it has to be read. */
static bool pass_line(struct log *reader, struct bytes text, const struct log_shaped *shaped, int row)
{
    struct log_counts *counts = counts_of(reader);
    if (!same_process(reader, text, shaped) || reader->crash.open || reader->tally.signal_pid || !counts->first.known ||
        reader->flags & LOG_ALL_LINES || (row != LOG_NO_WORDING && log_wording((unsigned)row).event != LOG_OTHER))
        return false;
    counts->prefixed++;
    if (row == LOG_NO_WORDING)
        log_tally_unknown(&reader->tally, reader->line.place.line, shaped->level, text_from(text, shaped->message));
    else
        counts->other++;
    reader->head_len = text.len < HEAD ? text.len : HEAD;
    memcpy(reader->head, text.at, reader->head_len);
    return true;
}

/* `text` becomes what is left of the line behind a wrapper. */
static bool has_shape(struct log *reader, struct bytes *text, struct log_shaped *shaped)
{
    if (log_shape_find(&reader->shapes, *text, shaped))
        return true;
    *text = log_unwrap_again(&reader->wrappers, *text);
    return text->at != reader->line.text.at && log_shape_find(&reader->shapes, *text, shaped);
}

static void take_line(struct log *reader)
{
    struct bytes text = reader->line.text, message = {NULL, 0};
    struct log_shaped shaped;
    struct log_values values;
    int row = LOG_NO_WORDING;
    bool known = has_shape(reader, &text, &shaped);
    counts_of(reader)->lines++;
    if (known) {
        if (shaped.date)
            log_tally_date(&reader->tally, text.at + shaped.date);
        message = text_from(text, shaped.message);
        row = log_words_find(reader->words, message, &values);
        if (pass_line(reader, text, &shaped, row))
            return;
    }
    read_line(reader, known && text.at == reader->line.text.at ? &shaped : NULL, row, message, &values);
}

/* What stands open at the end. */
static void finish(struct log *reader)
{
    struct log_counts *counts = counts_of(reader);
    struct log_prefix prefix;
    reader->ended = true;
    if (reader->crash.open) {
        struct log_event event = log_crash_end(&reader->crash, false);
        give(reader, &event);
    }
    if (reader->head_len && log_prefix_read((struct bytes){reader->head, reader->head_len}, &prefix)) {
        counts->last = prefix.time;
        counts->last_turn = counts->turns;
    }
}

enum parse_step log_next(struct log *reader, struct log_event *event)
{
    for (;;) {
        if (reader->given < reader->queued) {
            copy_event(event, &reader->queue[reader->given++]);
            return PARSE_ITEM;
        }
        reader->given = reader->queued = 0;
        if (reader->ended)
            return log_why(reader) ? PARSE_STOP : PARSE_END;
        if (!log_lines_next(&reader->lines, &reader->line)) {
            finish(reader);
            continue;
        }
        take_line(reader);
        if (reader->line.place.length > LOG_LINE_MAX) {
            counts_of(reader)->long_lines++;
            reader->damage = (struct damage){reader->line.place, LOG_LONG_LINE, "a line of at most 65536 bytes",
                                             "a longer line, cut here", reader->lines.offset};
            return PARSE_DAMAGE;
        }
    }
}

const struct log_field *log_field(const struct log_event *event, enum log_field_id id)
{
    for (size_t i = 0; i < event->field_count; i++)
        if (event->fields[i].id == id)
            return &event->fields[i];
    return NULL;
}
