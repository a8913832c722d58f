#include "parsers/log/wording.h"

#include <string.h>

#include "parsers/bytes/cursor.h"
#include "parsers/bytes/text.h"

enum { TRIES_MAX = 256 /* ends of texts: a message has few, an attack has many */ };

/* A text whose end may lie further behind. */
struct choice {
    size_t part;
    size_t from;  /* of the text in the message */
    size_t end;   /* where the words behind it stand */
    size_t count; /* of values before it */
};

struct match {
    const struct log_part *parts;
    size_t part_count;
    struct bytes message;
    struct log_values *values;
    size_t part, at;
    size_t reach;
    unsigned tries;
    size_t choice_count;
    struct choice choices[LOG_FIELDS_MAX]; /* not made empty before use: a match is made for every line */
};

bool log_part_next(const char *text, size_t *at, struct log_part *part)
{
    const char *from = text + *at;
    if (!*from)
        return false;
    *part = (struct log_part){.field = LOG_FIELD_IDS, .at = (uint16_t)*at};
    if (*from != '{') {
        part->words = from;
        part->len = (uint16_t)strcspn(from, "{");
        *at += part->len;
        return true;
    }
    size_t name = strcspn(from + 1, "=}"), end = strcspn(from, "}");
    part->field = (uint8_t)log_field_of((struct bytes){(const uint8_t *)from + 1, name});
    if (from[1 + name] == '=') {
        part->words = from + name + 2;
        part->len = (uint16_t)(end - name - 2);
        part->at = (uint16_t)(part->at + name + 2);
    }
    *at += end + (from[end] == '}');
    return true;
}

static struct bytes rest_of(const struct match *match)
{
    struct cursor in = cursor_over(match->message);
    cursor_take(&in, match->at);
    return (struct bytes){in.at, cursor_left(&in)};
}

static bool fail_at(struct match *match, size_t character)
{
    if (character > match->reach)
        match->reach = character;
    return false;
}

static void add_value(struct match *match, uint8_t field, size_t len)
{
    struct log_values *values = match->values;
    if (values && field != LOG_FIELD_IDS && values->count < LOG_FIELDS_MAX)
        values->fields[values->count++] = log_value(field, (struct bytes){match->message.at + match->at, len});
}

static bool take_words(struct match *match, const struct log_part *part)
{
    struct bytes rest = rest_of(match);
    if (rest.len < part->len || memcmp(rest.at, part->words, part->len) != 0) {
        size_t same = 0;
        while (same < rest.len && same < part->len && rest.at[same] == (uint8_t)part->words[same])
            same++;
        return fail_at(match, part->at + same);
    }
    add_value(match, part->field, part->len);
    match->at += part->len;
    match->part++;
    return true;
}

/* A text from `from` on that ends at the next place, not before `end`, where the words behind it stand. */
static bool take_text_until(struct match *match, size_t part, size_t from, size_t end)
{
    const struct log_part *words = &match->parts[part + 1];
    struct bytes rest = text_from(match->message, end);
    const uint8_t *hit = NULL;
    if (rest.len && ++match->tries < TRIES_MAX)
        hit = memmem(rest.at, rest.len, words->words, words->len);
    if (!hit)
        return fail_at(match, words->at + words->len - 1); /* they may differ in any character */
    end += (size_t)(hit - rest.at);
    if (match->choice_count < LOG_FIELDS_MAX)
        match->choices[match->choice_count++] = (struct choice){part, from, end, match->values ? match->values->count : 0};
    match->at = from;
    add_value(match, match->parts[part].field, end - from);
    match->at = end;
    match->part = part + 1;
    return true;
}

static bool take_text(struct match *match, const struct log_part *part)
{
    size_t behind = match->part_count - match->part - 1;
    struct bytes rest = rest_of(match);
    if (behind > 1)
        return take_text_until(match, match->part, match->at, match->at);
    size_t len = rest.len;
    if (behind) {
        const struct log_part *words = part + 1;
        if (rest.len < words->len || memcmp(rest.at + rest.len - words->len, words->words, words->len) != 0)
            return fail_at(match, words->at + words->len);
        len -= words->len;
    }
    add_value(match, part->field, len);
    match->at += len;
    match->part++;
    return true;
}

static bool take_value(struct match *match, const struct log_part *part)
{
    enum log_kind kind = log_field_kind(part->field);
    if (kind == LOG_KIND_TEXT)
        return take_text(match, part);
    int len = log_value_length(kind, rest_of(match));
    if (len < 0)
        return fail_at(match, part->at + strlen(log_field_word(part->field)) + 1); /* its closing brace */
    add_value(match, part->field, (size_t)len);
    match->at += (size_t)len;
    match->part++;
    return true;
}

/* Makes the latest text that can be longer longer; false when none can. */
static bool choose_again(struct match *match)
{
    while (match->choice_count) {
        struct choice choice = match->choices[--match->choice_count];
        if (match->values)
            match->values->count = choice.count;
        if (take_text_until(match, choice.part, choice.from, choice.end + 1))
            return true;
    }
    return false;
}

bool log_wording_match(const struct log_part *parts, size_t count, struct bytes message, struct log_values *values,
                       size_t *reach)
{
    struct match match;
    match.parts = parts;
    match.part_count = count;
    match.message = message;
    match.values = values;
    match.part = match.at = match.reach = match.choice_count = 0;
    match.tries = 0;
    if (values)
        values->count = 0;
    for (;;) {
        bool going = match.part < count;
        if (going) {
            const struct log_part *part = &parts[match.part];
            going = part->words ? take_words(&match, part) : take_value(&match, part);
        } else if (match.at == message.len) {
            return true;
        } else {
            fail_at(&match, SIZE_MAX);
        }
        if (!going && !choose_again(&match)) {
            *reach = match.reach;
            return false;
        }
    }
}
