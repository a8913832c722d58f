#include "parsers/log/log.h"

#include <stdlib.h>

#include "parsers/bytes/cursor.h"
#include "parsers/bytes/text.h"
#include "parsers/log/prefix.h"

enum { BLOCK = 64 * 1024 };

struct log {
    struct source *source;
    struct cursor window; /* bytes of `buffer` that were read and not yet given */
    uint64_t offset;      /* of the next byte to give */
    uint32_t next_line;
    bool pending; /* the line's damage was given, its item was not */
    struct place place;
    struct bytes text; /* the line, cut to LOG_LINE_MAX */
    struct damage damage;
    uint8_t buffer[LOG_LINE_MAX + BLOCK];
};

struct log *log_open(struct source *source)
{
    struct log *reader = calloc(1, sizeof(*reader));
    if (!reader)
        return NULL;
    reader->source = source;
    reader->next_line = 1;
    reader->window = cursor_over((struct bytes){reader->buffer, 0});
    return reader;
}

void log_close(struct log *reader)
{
    free(reader);
}

const struct damage *log_damage(const struct log *reader)
{
    return &reader->damage;
}

const char *log_why(const struct log *reader)
{
    return source_why(reader->source);
}

/* Moves what is left to the front and reads behind it. False when nothing more came. */
static bool refill(struct log *reader)
{
    size_t left = cursor_left(&reader->window);
    if (left)
        memmove(reader->buffer, reader->window.at, left);
    size_t got = source_read(reader->source, reader->buffer + left, BLOCK);
    reader->window = cursor_over((struct bytes){reader->buffer, left + got});
    return got > 0;
}

/* Makes the window hold a whole line, or more of it than is kept, or all there is; gives the line's length therein. */
static size_t find_line_end(struct log *reader)
{
    for (size_t searched = 0;;) {
        struct cursor probe = reader->window;
        cursor_take(&probe, searched);
        searched += cursor_until(&probe, '\n').len;
        if (cursor_left(&probe) || searched > LOG_LINE_MAX || !refill(reader))
            return searched;
    }
}

/* Reads over the rest of a long line, up to its LF, into the memory behind the part that is kept. */
static uint64_t skip_to_line_end(struct log *reader)
{
    uint8_t *block = reader->buffer + LOG_LINE_MAX;
    for (uint64_t skipped = 0;;) {
        skipped += cursor_until(&reader->window, '\n').len;
        if (cursor_left(&reader->window))
            return skipped;
        size_t got = source_read(reader->source, block, BLOCK);
        if (!got)
            return skipped;
        reader->window = cursor_over((struct bytes){block, got});
    }
}

/* The next line to `text` and `place`; false when there is none. */
static bool collect_line(struct log *reader)
{
    size_t len = find_line_end(reader);
    if (!cursor_left(&reader->window))
        return false;
    reader->place = (struct place){reader->offset, len, reader->next_line++};
    reader->text = cursor_take(&reader->window, len < LOG_LINE_MAX ? len : LOG_LINE_MAX);
    if (len > LOG_LINE_MAX) {
        memmove(reader->buffer, reader->text.at, LOG_LINE_MAX);
        reader->text.at = reader->buffer;
        reader->place.length = LOG_LINE_MAX + skip_to_line_end(reader);
    }
    bool ended = cursor_left(&reader->window) > 0;
    cursor_take(&reader->window, ended);
    reader->offset += reader->place.length + ended;
    return true;
}

static struct bytes without_cr(struct bytes line)
{
    line.len -= text_ends(line, "\r");
    return line;
}

enum parse_step log_next(struct log *reader, struct log_line *line)
{
    if (!reader->pending) {
        if (!collect_line(reader))
            return log_why(reader) ? PARSE_STOP : PARSE_END;
        if (reader->place.length > LOG_LINE_MAX) {
            reader->pending = true;
            reader->damage = (struct damage){reader->place, LOG_LONG_LINE, "a line of at most 65536 bytes",
                                             "a longer line, cut here", reader->offset};
            return PARSE_DAMAGE;
        }
    }
    reader->pending = false;
    struct bytes text = without_cr(reader->text);
    *line = (struct log_line){.place = reader->place, .message = text};
    log_prefix(text, line);
    return PARSE_ITEM;
}

unsigned log_likeness(struct bytes head)
{
    struct cursor in = cursor_over(head);
    struct bytes text;
    bool ended;
    unsigned prefixed = 0, lines = 0;
    while (cursor_line(&in, &text, &ended)) {
        struct log_line line = {0};
        bool has_prefix = log_prefix(without_cr(text), &line);
        prefixed += has_prefix;
        lines += has_prefix || (ended && text_trim(text).len);
    }
    return prefixed ? 50 + 50 * prefixed / lines : 0;
}
