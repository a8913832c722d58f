#include "parsers/log/value.h"

#include "parsers/bytes/cursor.h"
#include "parsers/bytes/text.h"

enum { ID_DIGITS = 40, VALUE_MAX = 1024 };

static const struct {
    const char *word;
    enum log_kind kind;
} fields[] = {
#define LOG_FIELD(id, word, kind, meaning) {word, LOG_KIND_##kind},
#include "parsers/log/log_fields.def"
#undef LOG_FIELD
};

const char *log_field_word(enum log_field_id id)
{
    return (unsigned)id < LOG_FIELD_IDS ? fields[id].word : NULL;
}

enum log_kind log_field_kind(enum log_field_id id)
{
    return (unsigned)id < LOG_FIELD_IDS ? fields[id].kind : LOG_KIND_TEXT;
}

enum log_field_id log_field_of(struct bytes word)
{
    unsigned id = 0;
    while (id < LOG_FIELD_IDS && !text_is(word, fields[id].word))
        id++;
    return (enum log_field_id)id;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static size_t digits(struct bytes text, size_t from)
{
    size_t at = from;
    while (at < text.len && at < VALUE_MAX && is_digit(text.at[at]))
        at++;
    return at - from;
}

static int id_length(struct bytes text)
{
    static const bool is_hex[256] = {
        ['0'] = true, ['1'] = true, ['2'] = true, ['3'] = true, ['4'] = true, ['5'] = true, ['6'] = true, ['7'] = true,
        ['8'] = true, ['9'] = true, ['a'] = true, ['b'] = true, ['c'] = true, ['d'] = true, ['e'] = true, ['f'] = true,
    };
    bool all = text.len >= ID_DIGITS;
    for (size_t i = 0; all && i < ID_DIGITS; i += 4) /* four at a time: ids are most of what there is to compare */
        all = is_hex[text.at[i]] & is_hex[text.at[i + 1]] & is_hex[text.at[i + 2]] & is_hex[text.at[i + 3]];
    return all ? ID_DIGITS : LOG_NO_VALUE;
}

static int number_length(struct bytes text)
{
    size_t sign = text.len && text.at[0] == '-', count = digits(text, sign);
    return count ? (int)(sign + count) : LOG_NO_VALUE;
}

static int decimal_length(struct bytes text)
{
    int whole = number_length(text);
    if (whole < 0 || (size_t)whole == text.len || text.at[whole] != '.')
        return whole;
    size_t fraction = digits(text, (size_t)whole + 1);
    return fraction ? whole + 1 + (int)fraction : whole;
}

/* Where the digits before `end` begin; `end` when there are none. */
static size_t digits_before(struct bytes text, size_t end)
{
    while (end && is_digit(text.at[end - 1]))
        end--;
    return end;
}

/* "10.0.0.1:7000", "::1:7000", ":0", "10.0.0.1:7000@17000": what is not blank, up to the last digits behind a colon. */
static int address_length(struct bytes text)
{
    size_t end = 0;
    while (end < text.len && end < VALUE_MAX && text.at[end] > ' ')
        end++;
    for (; end; end--) {
        size_t port = digits_before(text, end);
        if (port && port < end && text.at[port - 1] == '@')
            port = digits_before(text, port - 1);
        if (port && port < end && text.at[port - 1] == ':' && is_digit(text.at[port]))
            return (int)end;
    }
    return LOG_NO_VALUE;
}

static int replica_length(struct bytes text)
{
    static const char client[] = "client id #";
    if (!text_starts(text, client))
        return address_length(text);
    size_t number = digits(text, sizeof(client) - 1);
    return number ? (int)(sizeof(client) - 1 + number) : LOG_NO_VALUE;
}

int log_value_length(enum log_kind kind, struct bytes text)
{
    switch (kind) {
    case LOG_KIND_ID:
        return id_length(text);
    case LOG_KIND_NUMBER:
        return number_length(text);
    case LOG_KIND_DECIMAL:
        return decimal_length(text);
    case LOG_KIND_ADDRESS:
        return address_length(text);
    case LOG_KIND_REPLICA:
        return replica_length(text);
    case LOG_KIND_TEXT:
        break;
    }
    return LOG_NO_VALUE;
}

/* The digits of a number in units of 10^-`places`, capped. */
static int64_t scaled(struct bytes text, unsigned places)
{
    struct cursor in = cursor_over(text);
    bool minus = text_starts(text, "-"), point = false;
    uint64_t value = 0;
    cursor_take(&in, minus);
    while (cursor_left(&in) && (!point || places)) {
        uint8_t c = cursor_u8(&in);
        if (c == '.') {
            point = true;
            continue;
        }
        places -= point;
        value = value > INT64_MAX / 10 - 1 ? INT64_MAX / 10 : value * 10 + (c - '0');
    }
    for (; places; places--)
        value = value > INT64_MAX / 10 ? INT64_MAX : value * 10;
    return minus ? -(int64_t)value : (int64_t)value;
}

struct log_field log_value(enum log_field_id id, struct bytes text)
{
    struct log_field field = {.id = id, .kind = log_field_kind(id), .text = text};
    if (field.kind == LOG_KIND_DECIMAL)
        field.number = scaled(text, 3);
    else if (field.kind == LOG_KIND_NUMBER && !text_i64(text, &field.number))
        field.number = text_starts(text, "-") ? INT64_MIN : INT64_MAX;
    return field;
}
