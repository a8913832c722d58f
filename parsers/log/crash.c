#include "parsers/log/crash.h"

#include <string.h>

static void add_field(struct log_crash *crash, const struct log_field *field)
{
    struct log_event *event = &crash->event;
    if (log_field(event, field->id) || event->field_count == LOG_FIELDS_MAX ||
        field->text.len > sizeof(crash->memory) - crash->used)
        return;
    uint8_t *at = crash->memory + crash->used;
    memcpy(at, field->text.at, field->text.len);
    crash->used += field->text.len;
    struct log_field *kept = &event->fields[event->field_count++];
    *kept = *field;
    kept->text.at = at;
}

void log_crash_begin(struct log_crash *crash, const struct log_event *first)
{
    struct log_event *event = &crash->event;
    memcpy(event, first, offsetof(struct log_event, fields));
    crash->open = true;
    crash->used = 0;
    event->id = LOG_CRASH;
    event->field_count = 0;
    event->message = (struct bytes){crash->memory, 0};
    event->label = event->message;
    for (size_t i = 0; i < first->field_count; i++)
        add_field(crash, &first->fields[i]);
}

bool log_crash_owns(const struct log_crash *crash, const struct log_event *line)
{
    return !line->pid || !crash->event.pid || line->pid == crash->event.pid;
}

/* Up to Redis 3.0 the first line has a prefix; later it is written raw, and the prefix of the next lines counts. */
void log_crash_add(struct log_crash *crash, const struct log_event *line)
{
    struct log_event *event = &crash->event;
    if (!event->prefixed && line->prefixed) {
        event->prefixed = true;
        event->pid = line->pid;
        event->role = line->role;
        event->level = line->level;
        event->time = line->time;
    }
    event->place.length = line->place.offset + line->place.length - event->place.offset;
    event->lines = line->place.line - event->place.line + 1;
    for (size_t i = 0; i < line->field_count; i++)
        add_field(crash, &line->fields[i]);
}

struct log_event log_crash_end(struct log_crash *crash, bool complete)
{
    crash->open = false;
    crash->event.incomplete = !complete;
    return crash->event;
}
