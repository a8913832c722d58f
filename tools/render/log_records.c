#include <errno.h>
#include <stdlib.h>

#include "tools/render/escape.h"
#include "tools/render/log_private.h"
#include "tools/render/row.h"

enum { FIELDS_TEXT = 4096 };

enum { EVENT_FILE, EVENT_LINE, EVENT_OFFSET, EVENT_LENGTH, EVENT_TIME, EVENT_LOCAL, EVENT_ABOUT_TIME, EVENT_OWN,
       EVENT_PID, EVENT_ROLE, EVENT_LEVEL, EVENT_EVENT, EVENT_MESSAGE, EVENT_FIELDS, EVENT_COLUMNS };

static const struct column columns[EVENT_COLUMNS] = {
    [EVENT_FILE] = {"file", COLUMN_BYTES, NULL, 0, 0, "as named"},
    [EVENT_LINE] = {"line", COLUMN_COUNT, NULL, 0, 0, "from 1; the first of a crash report"},
    [EVENT_OFFSET] = {"offset", COLUMN_U64, NULL, 0, 0, "of the line in the decoded content"},
    [EVENT_LENGTH] = {"length", COLUMN_U64, NULL, 0, 0, "of the line, of all lines of a crash report"},
    [EVENT_TIME] = {"time", COLUMN_TIME, NULL, 0, 0, "in UTC; absent while the server's zone or year is not known"},
    [EVENT_LOCAL] = {"local", COLUMN_TEXT, NULL, 0, 0, "the server's own clock; without a year where none is known"},
    [EVENT_ABOUT_TIME] = {"about_time", COLUMN_LIST, NULL, 0, 0,
                          "zone-unknown, zone-inferred, year-inferred, received, doubtful, whole-seconds"},
    [EVENT_OWN] = {"own_id", COLUMN_TEXT, NULL, 0, 0, "node id of the server, once the log has said it"},
    [EVENT_PID] = {"pid", COLUMN_COUNT, NULL, 0, 0, "process that wrote the line"},
    [EVENT_ROLE] = {"role", COLUMN_TEXT, NULL, 0, 0, "its role then: primary, replica, child, sentinel"},
    [EVENT_LEVEL] = {"level", COLUMN_TEXT, NULL, 0, 0, "debug, verbose, notice, warning"},
    [EVENT_EVENT] = {"event", COLUMN_TEXT, NULL, 0, 0, "what happened; docs/formats/log.md lists the words"},
    [EVENT_MESSAGE] = {"message", COLUMN_BYTES, NULL, 0, 0, "the server's words"},
    [EVENT_FIELDS] = {"fields", COLUMN_LIST, NULL, 0, 0, "values by name, name=value; an object of texts in JSON"},
};

const struct record_type log_event_record = {"rcf-log", 1, "events", columns, EVENT_COLUMNS};

/* In JSON the fields are no column: row_key() begins them. */
static const struct record_type json_record = {"rcf-log", 1, "events", columns, EVENT_FIELDS};

struct log_output {
    struct out *out;
    enum format format;
    bool files;
    struct rows *rows; /* NULL for text */
};

struct log_page {
    struct log_output *output;
    struct out *out;
    const char *file;
    struct cell cells[EVENT_COLUMNS];
    struct out *words; /* scratch of `fields` */
};

struct log_output *log_output_open(struct out *out, enum format format, bool files)
{
    struct log_output *output = calloc(1, sizeof(*output));
    if (!output) {
        out_fail(out, ENOMEM);
        return NULL;
    }
    *output = (struct log_output){.out = out, .format = format, .files = files};
    if (format == FORMAT_TEXT)
        return output;
    output->rows = rows_open(out, format == FORMAT_CSV ? &log_event_record : &json_record, format);
    if (!output->rows) {
        free(output);
        return NULL;
    }
    return output;
}

void log_output_close(struct log_output *output)
{
    if (output)
        rows_close(output->rows);
    free(output);
}

struct log_page *log_page_begin(struct log_output *output, const char *file)
{
    struct log_page *page = calloc(1, sizeof(*page));
    if (!page)
        return NULL;
    *page = (struct log_page){
        .output = output, .file = file, .out = out_open_memory(), .words = out_open_memory()};
    if (!page->out || !page->words) {
        log_page_end(page);
        return NULL;
    }
    page->cells[EVENT_FILE] = (struct cell){.present = true, .bytes = escape_string(file)};
    return page;
}

void log_page_end(struct log_page *page)
{
    if (!page)
        return;
    out_close(page->out);
    out_close(page->words);
    free(page);
}

size_t log_page_size(const struct log_page *page)
{
    return out_held(page->out).len;
}

void log_page_flush(struct log_page *page)
{
    struct log_output *output = page->output;
    struct bytes held = out_held(page->out);
    if (out_error(page->out))
        out_fail(output->out, out_error(page->out));
    if (output->rows && held.len)
        rows_add(output->rows, held);
    else
        out_bytes(output->out, held.at, held.len);
    out_empty(page->out);
}

static struct cell text_cell(const char *text)
{
    return (struct cell){.present = text != NULL, .bytes = escape_string(text)};
}

const char *log_role_name(char role)
{
    switch (role) {
    case 'M':
        return "primary";
    case 'S':
        return "replica";
    case 'C':
        return "child";
    case 'X':
        return "sentinel";
    default:
        return NULL;
    }
}

const char *log_level_name(char level)
{
    switch (level) {
    case '.':
        return "debug";
    case '-':
        return "verbose";
    case '*':
        return "notice";
    case '#':
        return "warning";
    default:
        return NULL;
    }
}

size_t log_about_time(const struct log_fact *fact, struct bytes words[6])
{
    static const struct {
        unsigned flag;
        const char *word;
    } known[] = {
        {LOG_ZONE_UNKNOWN, "zone-unknown"}, {LOG_ZONE_INFERRED, "zone-inferred"}, {LOG_YEAR_INFERRED, "year-inferred"},
        {LOG_TIME_DOUBTFUL, "doubtful"},    {LOG_WHOLE_SECONDS, "whole-seconds"},
    };
    size_t count = 0;
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (fact->when.known && fact->when.flags & known[i].flag)
            words[count++] = escape_string(known[i].word);
    if (fact->when_received)
        words[count++] = escape_string("received");
    return count;
}

bool log_local_write(char text[TIME_SIZE], const struct log_fact *fact)
{
    const struct log_time *time = &fact->event->time;
    if (!time->known)
        return false;
    if (fact->when.known && !fact->when_received) {
        time_write(text, fact->when.local_ms);
    } else {
        int64_t ms = log_unix_ms(time, 2000, 0) + (time->has_zone ? (int64_t)time->zone_s * 1000 : 0);
        time_write(text, ms);
    }
    text[strlen(text) - 1] = '\0'; /* it is not UTC */
    if (!time->has_year && (!fact->when.known || fact->when_received))
        memcpy(text, "----", 4);
    return true;
}

/* "name=value" words, kept in `words` until the next call. */
static size_t field_words(struct out *words, const struct log_event *event, struct bytes list[LOG_FIELDS_MAX])
{
    size_t ends[LOG_FIELDS_MAX];
    out_empty(words);
    for (size_t i = 0; i < event->field_count; i++) {
        out_text(words, log_field_word(event->fields[i].id));
        out_byte(words, '=');
        out_bytes(words, event->fields[i].text.at, event->fields[i].text.len);
        ends[i] = out_held(words).len;
    }
    struct bytes held = out_held(words);
    for (size_t i = 0, from = 0; i < event->field_count; from = ends[i++])
        list[i] = (struct bytes){held.at + from, ends[i] - from};
    return event->field_count;
}

static void write_fields(struct out *out, const struct log_event *event)
{
    out_byte(out, '{');
    for (size_t i = 0; i < event->field_count; i++) {
        out_text(out, i ? ", " : "");
        escape_json(out, escape_string(log_field_word(event->fields[i].id)));
        out_text(out, ": ");
        escape_json(out, event->fields[i].text);
    }
    out_byte(out, '}');
}

void log_page_add(struct log_page *page, const struct log_fact *fact)
{
    const struct log_output *output = page->output;
    const struct log_event *event = fact->event;
    if (!output->rows) {
        log_text_row(page->out, output->files ? page->file : NULL, fact);
        return;
    }
    struct cell *cells = page->cells;
    struct bytes about[6], fields[LOG_FIELDS_MAX];
    char local[TIME_SIZE];
    bool utc = fact->when.known && !(fact->when.flags & LOG_ZONE_UNKNOWN);
    cells[EVENT_LINE] = (struct cell){.present = true, .count = event->place.line};
    cells[EVENT_OFFSET] = (struct cell){.present = true, .u64 = event->place.offset};
    cells[EVENT_LENGTH] = (struct cell){.present = true, .u64 = event->place.length};
    cells[EVENT_TIME] = (struct cell){.present = utc, .ms = fact->when.unix_ms};
    cells[EVENT_LOCAL] = text_cell(log_local_write(local, fact) ? local : NULL);
    cells[EVENT_ABOUT_TIME] = (struct cell){.present = true};
    cells[EVENT_ABOUT_TIME].list.words = about;
    cells[EVENT_ABOUT_TIME].list.count = log_about_time(fact, about);
    cells[EVENT_OWN] = text_cell(fact->own);
    cells[EVENT_PID] = (struct cell){.present = event->pid != 0, .count = event->pid};
    cells[EVENT_ROLE] = text_cell(log_role_name(event->role));
    cells[EVENT_LEVEL] = text_cell(log_level_name(event->level));
    cells[EVENT_EVENT] = text_cell(log_event_word(event->id));
    cells[EVENT_MESSAGE] = (struct cell){.present = true, .bytes = event->message};
    const struct row_form *form = rows_form(output->rows);
    if (output->format == FORMAT_CSV) {
        cells[EVENT_FIELDS] = (struct cell){.present = true};
        cells[EVENT_FIELDS].list.words = fields;
        cells[EVENT_FIELDS].list.count = field_words(page->words, event, fields);
        row_write(form, page->out, cells);
    } else {
        row_piece(form, page->out, cells, 0, EVENT_FIELDS);
        row_key(form, page->out, "fields");
        write_fields(page->out, event);
        row_end(form, page->out);
    }
}
