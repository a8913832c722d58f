#include "parsers/bytes/text.h"
#include "parsers/capture/capture.h"

enum { ESCAPE = 0x1b };

const char *capture_expected(enum capture_defect defect)
{
    static const char *const texts[] = {
#define CAPTURE_DEFECT(id, expected) [CAPTURE_##id] = expected,
#include "parsers/capture/capture_defects.def"
#undef CAPTURE_DEFECT
    };
    return defect < CAPTURE_DEFECTS ? texts[defect] : "";
}

/* The length of a colour sequence at the front of a text, 0 when there is none (ECMA-48, control sequences). */
static size_t colour_length(struct bytes text)
{
    if (text.len < 2 || text.at[0] != ESCAPE || text.at[1] != '[')
        return 0;
    for (size_t i = 2; i < text.len; i++) {
        if (text.at[i] >= 0x40 && text.at[i] <= 0x7e)
            return i + 1;
        if (text.at[i] < 0x20 || text.at[i] > 0x3f)
            return 0;
    }
    return 0;
}

/* The same at the back: parameters are digits and semicolons, so it is short and found backwards. */
static size_t colour_at_end(struct bytes text)
{
    if (!text.len || text.at[text.len - 1] < 0x40 || text.at[text.len - 1] > 0x7e)
        return 0;
    for (size_t i = text.len - 1; i > 0; i--) {
        uint8_t c = text.at[i - 1];
        if (c == '[')
            return i >= 2 && text.at[i - 2] == ESCAPE ? text.len - (i - 2) : 0;
        if (c < 0x20 || c > 0x3f)
            return 0;
    }
    return 0;
}

struct bytes capture_trim(struct bytes line)
{
    for (size_t len = line.len + 1; len != line.len;) {
        len = line.len;
        line = text_trim(line);
        line = text_from(line, colour_length(line));
        line.len -= colour_at_end(line);
    }
    return line;
}

bool capture_is_prompt(struct bytes line)
{
    struct bytes head, command, ip, port, word;
    uint64_t number;
    size_t at;
    if (!text_find(line, "> ", &at) && !text_ends(line, ">"))
        return false;
    text_split(line, '>', &head, &command);
    if (text_is(head, "not connected"))
        return true;
    while (text_split(head, ' ', &word, &ip)) /* "redis 127.0.0.1:7000" of old clients */
        if (text_is(word, "redis") || text_is(word, "valkey"))
            head = ip;
        else
            return false;
    if (text_ends(head, ")") || text_ends(head, "]")) /* "(TX)", "[3]": a transaction, another database */
        for (uint8_t last = 0; head.len && last != '(' && last != '['; head.len--)
            last = head.at[head.len - 1];
    return text_split_last(head, ':', &ip, &port) && text_u64(port, &number) && number <= UINT16_MAX;
}

/* The whole text is one quoted string with escaped line ends, as redis-cli writes it for a program. */
static bool is_quoted(struct bytes text)
{
    struct bytes line, rest;
    size_t at;
    while (text_split(text, '\n', &line, &rest) && (capture_is_prompt(capture_trim(line)) || !capture_trim(line).len))
        text = rest;
    text = capture_trim(text);
    text_split(text, '\n', &line, &rest);
    return text_starts(line, "\"") && text_find(line, "\\n", &at);
}

struct capture_lines capture_lines_over(struct bytes text)
{
    return (struct capture_lines){.cursor = cursor_over(text), .quoted = is_quoted(text)};
}

/* "$512", "=516": how long the string is that follows. */
static bool is_header(struct bytes line)
{
    uint64_t length;
    return (text_starts(line, "$") || text_starts(line, "=")) && text_u64(text_from(line, 1), &length);
}

/* A line of a quoted string ends at its escaped line feed, and the string at its quote. */
static void cut_quoted(struct capture_lines *lines, struct bytes *line, bool *ended)
{
    size_t at;
    if (!text_find(*line, "\\n", &at))
        return;
    size_t behind = line->len + (*ended ? 1 : 0) - (at + 2);
    lines->cursor.at -= behind;
    lines->number--;
    line->len = at;
    *ended = true;
    if (text_ends(*line, "\\r"))
        line->len -= 2;
}

bool capture_line_next(struct capture_lines *lines, struct capture_line *line)
{
    struct bytes text;
    bool ended;
    for (;;) {
        size_t offset = cursor_offset(&lines->cursor);
        if (!cursor_line(&lines->cursor, &text, &ended))
            return false;
        lines->number++;
        uint32_t number = lines->number;
        if (lines->quoted)
            cut_quoted(lines, &text, &ended);
        struct bytes trimmed = capture_trim(text);
        if (capture_is_prompt(trimmed))
            continue;
        if (lines->quoted && text_starts(trimmed, "\"") && !lines->begun)
            trimmed = text_from(trimmed, 1);
        if (!lines->begun && text_starts(trimmed, "txt:"))
            trimmed = text_from(trimmed, 4);
        if (!lines->begun && is_header(trimmed))
            continue;
        if (lines->quoted && text_is(trimmed, "\""))
            continue;
        lines->begun |= trimmed.len > 0;
        *line = (struct capture_line){trimmed, {offset + (size_t)(trimmed.at - text.at), trimmed.len, number}, ended};
        return true;
    }
}
