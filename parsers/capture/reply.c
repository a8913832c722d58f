#include "parsers/capture/reply.h"

#include <stdlib.h>

#include "parsers/bytes/text.h"

struct reply {
    enum reply_form form;
    struct capture_lines lines; /* raw, numbered */
    struct capture_line line;
    struct bytes rest;    /* numbered: of the line that is being read */
    struct cursor cursor; /* json, resp */
    uint32_t number;      /* the line of the cursor */
    uint64_t due;         /* resp: values that the headers so far promise */
    size_t depth;         /* json: brackets that are open */
    struct damage damage;
};

/* "12) ", "1# ", "3~ ": which element of an array, map or set follows. */
static size_t marker_length(struct bytes text)
{
    size_t digits = 0;
    while (digits < text.len && text.at[digits] >= '0' && text.at[digits] <= '9')
        digits++;
    bool mark = digits && digits + 1 < text.len &&
                (text.at[digits] == ')' || text.at[digits] == '#' || text.at[digits] == '~') &&
                text.at[digits + 1] == ' ';
    return mark ? digits + 2 : 0;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* "10923,16383,..." */
static bool is_csv(struct bytes line)
{
    size_t digits = 0;
    while (digits < line.len && is_digit(line.at[digits]))
        digits++;
    return digits && digits < line.len && line.at[digits] == ',';
}

static enum reply_form form_of(struct bytes text)
{
    struct capture_lines lines = capture_lines_over(text);
    struct capture_line line;
    while (capture_line_next(&lines, &line)) {
        if (!line.text.len)
            continue;
        if (marker_length(line.text))
            return REPLY_NUMBERED;
        if (text_starts(line.text, "[") || text_starts(line.text, "{") || is_csv(line.text))
            return REPLY_JSON;
        uint64_t count;
        bool header = line.text.at[0] == '*' || line.text.at[0] == '%' || line.text.at[0] == '~';
        return header && text_u64(text_from(line.text, 1), &count) ? REPLY_RESP : REPLY_RAW;
    }
    return REPLY_RAW;
}

struct reply *reply_open(struct bytes text)
{
    struct reply *reader = calloc(1, sizeof(*reader));
    if (!reader)
        return NULL;
    reader->form = form_of(text);
    reader->lines = capture_lines_over(text);
    reader->cursor = cursor_over(text);
    reader->number = 1;
    reader->due = reader->form == REPLY_RESP;
    return reader;
}

enum reply_form reply_form(const struct reply *reader)
{
    return reader->form;
}

static enum parse_step damaged(struct reply *reader, enum capture_defect code, struct place place, const char *found)
{
    reader->damage = (struct damage){
        .place = place,
        .code = code,
        .expected = capture_expected(code),
        .found = found,
        .resumed = place.offset + place.length,
    };
    return PARSE_DAMAGE;
}

static enum parse_step give(struct reply_item *item, enum reply_kind kind, struct bytes text, struct place place)
{
    *item = (struct reply_item){kind, text, place};
    return PARSE_ITEM;
}

/* ------------------------------------------------------------------ a value a line */

static enum parse_step next_raw(struct reply *reader, struct reply_item *item)
{
    if (!capture_line_next(&reader->lines, &reader->line))
        return PARSE_END;
    return give(item, REPLY_LINE, reader->line.text, reader->line.place);
}

/* ------------------------------------------------------------------ numbered */

/* The length of a quoted string at the front, quotes included; 0 when its end is missing. */
static size_t quoted_length(struct bytes text)
{
    for (size_t i = 1; i < text.len; i++) {
        if (text.at[i] == '\\')
            i++;
        else if (text.at[i] == '"')
            return i + 1;
    }
    return 0;
}

static struct place part_of(const struct reply *reader, struct bytes text)
{
    uint64_t offset = reader->line.place.offset + (size_t)(text.at - reader->line.text.at);
    return (struct place){offset, text.len, reader->line.place.line};
}

/* One value at the front of the rest of the line. `used` gets its length, 0 when it is none. */
static struct reply_item numbered_value(const struct reply *reader, size_t *used)
{
    static const struct {
        const char *text;
        enum reply_kind kind;
    } words[] = {
        {"(nil)", REPLY_NIL},           {"(empty array)", REPLY_EMPTY}, {"(empty list or set)", REPLY_EMPTY},
        {"(empty hash)", REPLY_EMPTY},  {"(empty set)", REPLY_EMPTY},   {"(empty map)", REPLY_EMPTY},
        {"(empty list)", REPLY_EMPTY},
    };
    static const char integer[] = "(integer) ";
    struct bytes rest = reader->rest;
    *used = 0;
    if (text_starts(rest, "\"")) {
        *used = quoted_length(rest);
        struct bytes text = {rest.at + 1, *used ? *used - 2 : 0};
        return (struct reply_item){REPLY_STRING, text, part_of(reader, text)};
    }
    if (text_starts(rest, integer)) {
        size_t from = sizeof(integer) - 1, to = from;
        while (to < rest.len && (is_digit(rest.at[to]) || (to == from && rest.at[to] == '-')))
            to++;
        struct bytes text = {rest.at + from, to - from};
        *used = text.len ? to : 0;
        return (struct reply_item){REPLY_INTEGER, text, part_of(reader, text)};
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (text_starts(rest, words[i].text)) {
            struct bytes text = {rest.at, strlen(words[i].text)};
            *used = text.len;
            return (struct reply_item){words[i].kind, text_from(text, text.len), part_of(reader, text)};
        }
    return (struct reply_item){.kind = REPLY_NIL};
}

static enum parse_step next_numbered(struct reply *reader, struct reply_item *item)
{
    for (;;) {
        reader->rest = text_trim(reader->rest);
        while (!reader->rest.len) {
            if (!capture_line_next(&reader->lines, &reader->line))
                return PARSE_END;
            reader->rest = reader->line.text;
        }
        size_t marker = marker_length(reader->rest), used;
        if (marker) {
            reader->rest = text_from(reader->rest, marker);
            continue;
        }
        if (text_starts(reader->rest, "=>")) { /* behind the key of a map; its value may stand in the next line */
            reader->rest = text_from(reader->rest, 2);
            continue;
        }
        struct bytes all = reader->rest;
        *item = numbered_value(reader, &used);
        reader->rest = text_from(reader->rest, used ? used : all.len);
        if (used)
            return PARSE_ITEM;
        return damaged(reader, CAPTURE_SYNTAX, part_of(reader, all),
                       text_starts(all, "\"") ? "a string without its end" : "something else");
    }
}

/* ------------------------------------------------------------------ json and csv */

static struct place at_cursor(const struct reply *reader, const uint8_t *from)
{
    const struct cursor *cursor = &reader->cursor;
    return (struct place){(size_t)(from - cursor->start), (size_t)(cursor->at - from), reader->number};
}

static bool ends_word(uint8_t c)
{
    return c <= ' ' || c == ',' || c == ':' || c == ']' || c == '}' || c == '[' || c == '{' || c == '"';
}

static enum parse_step json_string(struct reply *reader, struct reply_item *item)
{
    struct cursor *cursor = &reader->cursor;
    const uint8_t *from = cursor->at;
    struct bytes all = {from, cursor_left(cursor)};
    size_t length = quoted_length(all);
    if (!length) {
        cursor->at = cursor->end;
        reader->depth = 0;
        return damaged(reader, CAPTURE_CUT, at_cursor(reader, from), "a string without its end");
    }
    struct bytes text = {from + 1, length - 2};
    *item = (struct reply_item){REPLY_STRING, text,
                                {cursor_offset(cursor) + 1, text.len, reader->number}};
    for (size_t i = 0; i < length; i++)
        reader->number += from[i] == '\n';
    cursor->at += length;
    return PARSE_ITEM;
}

static enum parse_step json_word(struct reply *reader, struct reply_item *item)
{
    struct cursor *cursor = &reader->cursor;
    const uint8_t *from = cursor->at;
    while (cursor_left(cursor) && !ends_word(*cursor->at))
        cursor->at++;
    struct bytes word = {from, (size_t)(cursor->at - from)};
    int64_t number;
    if (text_i64(word, &number))
        return give(item, REPLY_INTEGER, word, at_cursor(reader, from));
    if (text_is_nocase(word, "null"))
        return give(item, REPLY_NIL, text_from(word, word.len), at_cursor(reader, from));
    return damaged(reader, CAPTURE_SYNTAX, at_cursor(reader, from), "something else");
}

static enum parse_step next_json(struct reply *reader, struct reply_item *item)
{
    struct cursor *cursor = &reader->cursor;
    if (cursor->at == cursor->start) { /* a prompt and its command are no JSON */
        struct cursor line = *cursor;
        struct bytes text;
        bool ended;
        while (cursor_line(&line, &text, &ended) && (!capture_trim(text).len || capture_is_prompt(capture_trim(text)))) {
            *cursor = line;
            reader->number += ended;
        }
    }
    while (cursor_left(cursor)) {
        uint8_t c = *cursor->at;
        if (c == '"')
            return json_string(reader, item);
        if (!ends_word(c))
            return json_word(reader, item);
        reader->number += c == '\n';
        reader->depth += c == '[' || c == '{';
        reader->depth -= reader->depth && (c == ']' || c == '}');
        cursor->at++;
    }
    if (!reader->depth)
        return PARSE_END;
    reader->depth = 0;
    return damaged(reader, CAPTURE_CUT, at_cursor(reader, cursor->at), "the end, before the last bracket");
}

/* ------------------------------------------------------------------ resp */

/* The value of a string whose header has been read. */
static enum parse_step resp_string(struct reply *reader, uint64_t length, struct reply_item *item)
{
    struct cursor *cursor = &reader->cursor;
    const uint8_t *from = cursor->at;
    if (length > cursor_left(cursor)) {
        cursor->at = cursor->end;
        reader->due = 0;
        return damaged(reader, CAPTURE_CUT, at_cursor(reader, from), "the end, within a string");
    }
    struct bytes text = cursor_take(cursor, (size_t)length);
    enum parse_step step = give(item, REPLY_STRING, text, at_cursor(reader, from));
    for (size_t i = 0; i < text.len; i++)
        reader->number += text.at[i] == '\n';
    struct bytes rest;
    bool ended;
    if (cursor_left(cursor) && (*cursor->at == '\r' || *cursor->at == '\n') && cursor_line(cursor, &rest, &ended))
        reader->number += ended;
    return step;
}

static enum parse_step next_resp(struct reply *reader, struct reply_item *item)
{
    struct cursor *cursor = &reader->cursor;
    struct bytes line;
    bool ended;
    while (reader->due) {
        const uint8_t *from = cursor->at;
        if (!cursor_line(cursor, &line, &ended)) {
            reader->due = 0;
            return damaged(reader, CAPTURE_CUT, at_cursor(reader, from), "the end, before as many values as promised");
        }
        struct place place = {(size_t)(from - cursor->start), line.len, reader->number};
        reader->number += ended;
        line = text_trim(line);
        struct bytes value = text_from(line, 1);
        uint64_t count = 0;
        bool counted = text_u64(value, &count);
        if (!line.len || capture_is_prompt(line))
            continue;
        switch (line.at[0]) {
        case '*':
        case '~':
        case '%':
            /* Each promised value takes a byte at least. */
            if (counted && count > cursor_left(cursor))
                count = cursor_left(cursor) + 1; /* so one is missing in any case */
            reader->due += line.at[0] == '%' ? 2 * count : count;
            reader->due--;
            if (!count)
                return give(item, counted ? REPLY_EMPTY : REPLY_NIL, text_from(value, value.len), place);
            continue;
        case ':':
            reader->due--;
            return give(item, REPLY_INTEGER, value, place);
        case '+':
            reader->due--;
            return give(item, REPLY_STRING, value, place);
        case '_':
            reader->due--;
            return give(item, REPLY_NIL, text_from(value, value.len), place);
        case '$':
            reader->due--;
            if (counted)
                return resp_string(reader, count, item);
            return give(item, REPLY_NIL, text_from(value, value.len), place);
        default:
            return damaged(reader, CAPTURE_SYNTAX, place, "something else");
        }
    }
    return PARSE_END;
}

enum parse_step reply_next(struct reply *reader, struct reply_item *item)
{
    static enum parse_step (*const readers[])(struct reply *, struct reply_item *) = {
        [REPLY_RAW] = next_raw, [REPLY_NUMBERED] = next_numbered, [REPLY_JSON] = next_json, [REPLY_RESP] = next_resp,
    };
    return readers[reader->form](reader, item);
}

const struct damage *reply_damage(const struct reply *reader)
{
    return &reader->damage;
}

bool reply_number(const struct reply_item *item, uint64_t *value)
{
    return (item->kind == REPLY_INTEGER || item->kind == REPLY_LINE) && text_u64(item->text, value);
}

void reply_close(struct reply *reader)
{
    free(reader);
}
