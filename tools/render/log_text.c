#include "tools/render/escape.h"
#include "tools/render/log_private.h"

enum { EVENT_WIDTH = 23, SHORT_ID = 8 };

static void pad(struct out *out, size_t written, size_t width)
{
    out_repeat(out, ' ', written < width ? width - written : 0);
}

/* UTC with its Z, else local time with a question mark. */
static void write_time(struct out *out, const struct log_fact *fact)
{
    char text[TIME_SIZE];
    if (fact->when.known && !(fact->when.flags & LOG_ZONE_UNKNOWN)) {
        time_write(text, fact->when.unix_ms);
    } else if (log_local_write(text, fact)) {
        size_t len = strlen(text);
        text[len] = '?';
        text[len + 1] = '\0';
    } else {
        text[0] = '-';
        text[1] = '\0';
    }
    out_styled(out, OUT_DIM, text);
    pad(out, strlen(text), 24);
}

static enum out_style style_of(const struct log_event *event)
{
    return event->level == '#' || event->id == LOG_CRASH ? OUT_YELLOW : OUT_PLAIN;
}

/* Ids are long and come in every line: people know them by their first digits. */
static void write_value(struct out *out, const struct log_field *field)
{
    struct bytes text = field->text;
    if (field->kind == LOG_KIND_ID && text.len > SHORT_ID)
        text.len = SHORT_ID;
    bool quoted = !text.len;
    for (size_t i = 0; i < text.len && !quoted; i++)
        quoted = text.at[i] == ' ' || text.at[i] == '"';
    out_text(out, quoted ? "\"" : "");
    escape_printable(out, text);
    out_text(out, quoted ? "\"" : "");
}

static bool is_dull(const struct log_field *field)
{
    return !field->text.len && field->kind == LOG_KIND_TEXT; /* human names that nobody gave */
}

void log_text_row(struct out *out, const char *file, const struct log_fact *fact)
{
    const struct log_event *event = fact->event;
    const char *word = log_event_word(event->id);
    write_time(out, fact);
    out_text(out, "  ");
    if (file) {
        escape_printable(out, escape_string(file));
        out_byte(out, ':');
    }
    out_u64(out, event->place.line);
    out_text(out, "  ");
    if (fact->own)
        escape_short_id(out, fact->own);
    else
        out_text(out, "-       ");
    out_text(out, "  ");
    out_styled(out, style_of(event), word);
    size_t shown = 0;
    for (size_t i = 0; i < event->field_count; i++) {
        const struct log_field *field = &event->fields[i];
        if (is_dull(field))
            continue;
        if (!shown++)
            pad(out, strlen(word), EVENT_WIDTH);
        out_text(out, "  ");
        out_text(out, log_field_word(field->id));
        out_byte(out, '=');
        write_value(out, field);
    }
    if (event->id == LOG_PROCESS) {
        pad(out, strlen(word), EVENT_WIDTH);
        out_format(out, "  pid=%u  role=%s", event->pid, log_role_name(event->role));
    } else if (event->id == LOG_CRASH) {
        out_format(out, "  lines=%u%s", event->lines, event->incomplete ? "  without its end" : "");
    } else if (event->id == LOG_UNKNOWN || event->id == LOG_OTHER) {
        pad(out, strlen(word), EVENT_WIDTH);
        out_text(out, "  ");
        escape_printable(out, event->message);
    }
    out_byte(out, '\n');
}
