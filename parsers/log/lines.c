#include "parsers/log/lines.h"

#include <stdlib.h>

bool log_lines_open(struct log_lines *lines, struct source *source)
{
    *lines = (struct log_lines){.source = source, .buffer = malloc(LOG_LINE_MAX + LOG_BLOCK)};
    lines->window = cursor_over((struct bytes){lines->buffer, 0});
    return lines->buffer;
}

void log_lines_close(struct log_lines *lines)
{
    free(lines->buffer);
}

/* Moves what is left to the front and reads behind it. False when nothing more came. */
static bool refill(struct log_lines *lines)
{
    size_t left = cursor_left(&lines->window);
    memmove(lines->buffer, lines->window.at, left);
    size_t got = source_read(lines->source, lines->buffer + left, LOG_BLOCK);
    lines->window = cursor_over((struct bytes){lines->buffer, left + got});
    return got > 0;
}

static bool at_nul(const struct cursor *window)
{
    return cursor_left(window) && !*window->at;
}

/* Gigabytes of them are possible, so they are passed 256 at a time. */
static void take_nuls(struct cursor *window)
{
    static const uint8_t nuls[256];
    while (cursor_left(window) >= sizeof(nuls) && memcmp(window->at, nuls, sizeof(nuls)) == 0)
        cursor_take(window, sizeof(nuls));
    while (at_nul(window))
        cursor_take(window, 1);
}

/* True when the buffer was refilled. */
static bool pass_nuls(struct log_lines *lines)
{
    for (bool moved = false;; moved = true) {
        size_t before = cursor_left(&lines->window);
        take_nuls(&lines->window);
        lines->offset += before - cursor_left(&lines->window);
        if (cursor_left(&lines->window) || !refill(lines))
            return moved;
    }
}

/* Makes the window hold a whole line, or more of it than is kept, or all there is; gives the line's length therein. */
static size_t find_line_end(struct log_lines *lines, struct log_line *line)
{
    for (size_t searched = 0;;) {
        struct cursor probe = lines->window;
        cursor_take(&probe, searched);
        searched += cursor_until(&probe, '\n').len;
        if (cursor_left(&probe) || searched > LOG_LINE_MAX)
            return searched;
        line->moved = true;
        if (!refill(lines))
            return searched;
    }
}

/* Reads over the rest of a long line, up to its LF, into the memory behind the part that is kept. */
static uint64_t pass_to_line_end(struct log_lines *lines)
{
    uint8_t *block = lines->buffer + LOG_LINE_MAX;
    for (uint64_t passed = 0;;) {
        passed += cursor_until(&lines->window, '\n').len;
        if (cursor_left(&lines->window))
            return passed;
        size_t got = source_read(lines->source, block, LOG_BLOCK);
        lines->window = cursor_over((struct bytes){block, got});
        if (!got)
            return passed;
    }
}

bool log_lines_next(struct log_lines *lines, struct log_line *line)
{
    line->moved = false;
    if (!cursor_left(&lines->window) || at_nul(&lines->window))
        line->moved = pass_nuls(lines);
    size_t len = find_line_end(lines, line);
    if (!cursor_left(&lines->window))
        return false;
    line->place = (struct place){lines->offset, len, ++lines->line};
    line->text = cursor_take(&lines->window, len < LOG_LINE_MAX ? len : LOG_LINE_MAX);
    if (len > LOG_LINE_MAX) {
        memmove(lines->buffer, line->text.at, LOG_LINE_MAX);
        line->text.at = lines->buffer;
        line->place.length = LOG_LINE_MAX + pass_to_line_end(lines);
        line->moved = true;
    }
    bool ended = cursor_left(&lines->window) > 0;
    cursor_take(&lines->window, ended);
    lines->offset += line->place.length + ended;
    line->text.len -= len <= LOG_LINE_MAX && len && line->text.at[len - 1] == '\r';
    return true;
}
