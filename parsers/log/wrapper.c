#include "parsers/log/wrapper.h"

#include <stdlib.h>

#include "parsers/bytes/text.h"
#include "parsers/log/log.h"
#include "parsers/log/stamp.h"

static const char *const forms[] = {
#define LOG_WRAPPER(name, form) form,
#include "parsers/log/log_wrappers.def"
#undef LOG_WRAPPER
};

enum { FORMS = sizeof(forms) / sizeof(*forms), LAYERS_MAX = 4, LABEL_MAX = 256 };

static bool is_label(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '-' && c <= '9') || c == '_' || c == '@';
}

static struct bytes take_label(struct cursor *in)
{
    size_t len = 0;
    while (len < cursor_left(in) && len < LABEL_MAX && is_label(in->at[len]))
        len++;
    return cursor_take(in, len);
}

static bool take_blanks(struct cursor *in)
{
    size_t len = 0;
    while (len < cursor_left(in) && in->at[len] == ' ')
        len++;
    return cursor_take(in, len).len > 0;
}

/* "ESC [ numbers m" */
static void take_colours(struct cursor *in)
{
    while (cursor_left(in) && *in->at == 0x1b) {
        struct cursor probe = *in;
        if (!log_stamp_words(&probe, "\x1b["))
            return;
        while (cursor_left(&probe) && ((*probe.at >= '0' && *probe.at <= '9') || *probe.at == ';'))
            cursor_take(&probe, 1);
        if (cursor_u8(&probe) != 'm')
            return;
        *in = probe;
    }
}

/* "-", or elements in brackets; a bracket inside of one is escaped there, and not looked for. */
static bool take_structured(struct cursor *in)
{
    bool found = false;
    while (cursor_left(in) && (*in->at == '[' || (*in->at == '-' && !found))) {
        found = true;
        if (cursor_u8(in) == '-')
            break;
        cursor_until(in, ']');
        cursor_take(in, 1);
    }
    return found && cursor_ok(in);
}

/* One piece of a form. */
static bool take(struct cursor *in, char what, struct log_wrapping *found)
{
    struct log_time time;
    struct bytes label;
    uint64_t number;
    switch (what) {
    case 't':
        return log_stamp_iso8601(in, true, &found->received);
    case 'm':
        return log_stamp_month_first(in, &found->received);
    case 'd':
        return log_stamp_iso8601(in, false, &found->received);
    case 'c':
        return log_stamp_clock(in, &time);
    case 'k':
        return cursor_left(in) && memchr("IWEF", *in->at, 4) && cursor_take(in, 1).len;
    case 'l':
        label = take_label(in);
        found->label = label;
        return label.len > 0;
    case 'w':
        return take_label(in).len > 0;
    case 'n':
        return log_stamp_number(in, 1, 19, &number);
    case 'p':
        if (!log_stamp_number(in, 1, 10, &number) || number > UINT32_MAX)
            return false;
        found->pid = (uint32_t)number;
        return true;
    case 's':
        return take_structured(in);
    default:
        return take_blanks(in);
    }
}

static bool fits(const char *form, struct bytes text, struct log_wrapping *found)
{
    struct cursor in = cursor_over(text);
    take_colours(&in);
    for (; *form; form++) {
        if (*form == '%') {
            if (!take(&in, *++form, found))
                return false;
        } else if (cursor_u8(&in) != (uint8_t)*form) {
            return false;
        }
        take_colours(&in);
    }
    found->text = cursor_take(&in, cursor_left(&in));
    return true;
}

/* The character that an escape of JSON stands for; of \uXXXX the lower byte: docker writes it for < > & and controls. */
static uint8_t unescape(struct cursor *in)
{
    static const char known[][2] = {{'n', '\n'}, {'t', '\t'}, {'r', '\r'}, {'b', '\b'}, {'f', '\f'}};
    static const char digits[] = "0123456789abcdef";
    uint8_t c = cursor_u8(in);
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (c == (uint8_t)known[i][0])
            return (uint8_t)known[i][1];
    if (c != 'u')
        return c;
    cursor_take(in, 2);
    uint8_t upper = cursor_u8(in), lower = cursor_u8(in);
    const char *high = upper ? strchr(digits, upper) : NULL, *low = lower ? strchr(digits, lower) : NULL;
    return high && low ? (uint8_t)((high - digits) * 16 + (low - digits)) : '?';
}

/* {"log":"...\n","stream":"stdout","time":"2024-02-08T17:19:27.448616123Z"}: docker's json-file. */
static bool decode_json(struct log_wrappers *wrappers, struct bytes text, struct log_wrapping *found)
{
    struct cursor in = cursor_over(text);
    size_t len = 0, at;
    if (!log_stamp_words(&in, "{\"log\":\""))
        return false;
    if (!wrappers->memory)
        wrappers->memory = malloc(LOG_LINE_MAX);
    if (!wrappers->memory)
        return false;
    while (cursor_left(&in) && *in.at != '"' && len < LOG_LINE_MAX) {
        uint8_t c = cursor_u8(&in);
        wrappers->memory[len++] = c == '\\' ? unescape(&in) : c;
    }
    len -= len && wrappers->memory[len - 1] == '\n';
    found->text = (struct bytes){wrappers->memory, len};
    struct bytes rest = cursor_take(&in, cursor_left(&in));
    if (text_find(rest, "\"time\":\"", &at)) {
        struct cursor time = cursor_over(text_from(rest, at + sizeof("\"time\":\"") - 1));
        if (!log_stamp_iso8601(&time, true, &found->received))
            found->received = (struct log_time){.known = false};
    }
    return true;
}

/* One wrapper off the text of `wrapping`. */
static bool peel(struct log_wrappers *wrappers, struct log_wrapping *wrapping)
{
    for (size_t tried = 0, i = wrappers->latest; tried < FORMS; tried++, i = (i + 1) % FORMS) {
        struct log_wrapping found = *wrapping;
        if (fits(forms[i], wrapping->text, &found)) {
            wrappers->latest = i;
            *wrapping = found;
            return true;
        }
    }
    return false;
}

bool log_unwrap(struct log_wrappers *wrappers, struct bytes line, struct log_wrapping *wrapping)
{
    *wrapping = (struct log_wrapping){.text = line};
    size_t layers = decode_json(wrappers, line, wrapping);
    bool decoded = layers > 0;
    while (layers < LAYERS_MAX && peel(wrappers, wrapping))
        layers++;
    wrappers->simple = layers == 1 && !decoded;
    if (text_ends(wrapping->text, "\r"))
        wrapping->text.len--;
    if (text_ends(wrapping->text, "\x1b[0m"))
        wrapping->text.len -= 4;
    return layers > 0;
}

struct bytes log_unwrap_again(const struct log_wrappers *wrappers, struct bytes line)
{
    struct log_wrapping found = {.text = line};
    return wrappers->simple && fits(forms[wrappers->latest], line, &found) ? found.text : line;
}

void log_wrappers_end(struct log_wrappers *wrappers)
{
    free(wrappers->memory);
    *wrappers = (struct log_wrappers){.latest = 0};
}
