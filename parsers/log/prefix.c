#include "parsers/log/prefix.h"

#include <string.h>

#include "parsers/bytes/text.h"
#include "parsers/log/stamp.h"

enum { PID_DIGITS = 10, BEFORE_MAX = 512 /* bytes that somebody may have put before a prefix */ };

/* The readers below consume on success; after a failure their cursor is of no use, so alternatives try on a copy. */

static const char level_letters[] = ".-*#";

static bool letter_of(struct cursor *in, const char *allowed, char *letter)
{
    *letter = (char)cursor_u8(in);
    for (; *allowed; allowed++)
        if (*allowed == *letter)
            return true;
    return false;
}

/* Any time that a server writes, followed by `end`. */
static bool timestamp(struct cursor *in, const char *end, struct log_time *time)
{
    struct cursor probe = *in;
    if (log_stamp_day_first(&probe, time) && log_stamp_words(&probe, end)) {
        *in = probe;
        return true;
    }
    probe = *in;
    if (log_stamp_iso8601(&probe, true, time) && log_stamp_words(&probe, end)) {
        *in = probe;
        return true;
    }
    return log_stamp_unix(in, true, time) && log_stamp_words(in, end);
}

static bool process_id(struct cursor *in, uint32_t *pid)
{
    uint64_t number;
    if (!log_stamp_number(in, 1, PID_DIGITS, &number) || number > UINT32_MAX)
        return false;
    *pid = (uint32_t)number;
    return true;
}

/* "L message"; a server's empty message may have lost the blank before it. */
static bool level_and_message(struct cursor *in, struct log_prefix *prefix)
{
    if (!letter_of(in, level_letters, &prefix->level) || (cursor_left(in) && !log_stamp_mark(in, ' ')))
        return false;
    prefix->message = cursor_take(in, cursor_left(in));
    return true;
}

/* Redis up to 2.8: "[PID] DD Mon HH:MM:SS.mmm L message" */
static bool bracketed(struct cursor *in, struct log_prefix *prefix)
{
    return log_stamp_mark(in, '[') && process_id(in, &prefix->pid) && log_stamp_words(in, "] ") &&
           timestamp(in, " ", &prefix->time) && level_and_message(in, prefix);
}

/* Redis 3.0 and newer, Valkey: "PID:R TIME L message" */
static bool with_role(struct cursor *in, struct log_prefix *prefix)
{
    return process_id(in, &prefix->pid) && log_stamp_mark(in, ':') && letter_of(in, "XCSM", &prefix->role) &&
           log_stamp_mark(in, ' ') && timestamp(in, " ", &prefix->time) && level_and_message(in, prefix);
}

/* "(UNIXTIME) message" after what a signal handler writes first. */
static bool unix_time_and_message(struct cursor *in, struct log_prefix *prefix)
{
    prefix->from_signal_handler = true;
    if (!log_stamp_mark(in, '(') || !log_stamp_unix(in, false, &prefix->time) || !log_stamp_mark(in, ')') ||
        (cursor_left(in) && !log_stamp_mark(in, ' ')))
        return false;
    prefix->message = cursor_take(in, cursor_left(in));
    return true;
}

/* Redis 3.0 and newer, Valkey: "PID:signal-handler (UNIXTIME) message" */
static bool from_signal_handler(struct cursor *in, struct log_prefix *prefix)
{
    return process_id(in, &prefix->pid) && log_stamp_words(in, ":signal-handler ") &&
           unix_time_and_message(in, prefix);
}

/* Redis up to 2.8: "[PID | signal handler] (UNIXTIME) message" */
static bool from_bracketed_signal_handler(struct cursor *in, struct log_prefix *prefix)
{
    return log_stamp_mark(in, '[') && process_id(in, &prefix->pid) && log_stamp_words(in, " | signal handler] ") &&
           unix_time_and_message(in, prefix);
}

struct named_letter {
    const char *name;
    char letter;
};

static const struct named_letter roles[] = {{"sentinel", 'X'}, {"RDB/AOF", 'C'}, {"replica", 'S'}, {"primary", 'M'}};
static const struct named_letter levels[] = {{"debug", '.'}, {"info", '-'}, {"notice", '*'}, {"warning", '#'}};

static bool word_of(struct cursor *in, const struct named_letter known[4], char *letter)
{
    struct bytes word = cursor_until(in, ' ');
    for (size_t i = 0; i < 4; i++) {
        if (text_is(word, known[i].name)) {
            *letter = known[i].letter;
            return true;
        }
    }
    return false;
}

/* Valkey 8.1+, log-format logfmt: pid=N role=R timestamp="T" level=L message="M", where M holds no '"'. */
static bool logfmt(struct cursor *in, struct log_prefix *prefix)
{
    if (!log_stamp_words(in, "pid=") || !process_id(in, &prefix->pid) || !log_stamp_words(in, " role=") ||
        !word_of(in, roles, &prefix->role) || !log_stamp_words(in, " timestamp=\"") ||
        !timestamp(in, "\"", &prefix->time) || !log_stamp_words(in, " level=") ||
        !word_of(in, levels, &prefix->level) || !log_stamp_words(in, " message=\""))
        return false;
    prefix->message = cursor_until(in, '"');
    return true;
}

bool log_prefix_read(struct bytes text, struct log_prefix *prefix)
{
    static bool (*const forms[])(struct cursor *, struct log_prefix *) = {
        with_role, bracketed, logfmt, from_signal_handler, from_bracketed_signal_handler,
    };
    for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
        struct cursor in = cursor_over(text);
        struct log_prefix candidate = {.pid = 0};
        if (forms[i](&in, &candidate)) {
            *prefix = candidate;
            return true;
        }
    }
    return false;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* The milliseconds of a line that else has the latest time and process; false when it has not. */
static bool same_second(const struct log_prefix_latest *latest, struct bytes text, const struct log_shaped *shaped,
                        int16_t *milliseconds)
{
    size_t behind = shaped->fraction + 3, level = shaped->message - 2;
    if (!shaped->fraction || latest->len != shaped->message || text.len < shaped->message ||
        memcmp(latest->text, text.at, shaped->fraction) != 0 ||
        memcmp(latest->text + behind, text.at + behind, level - behind) != 0)
        return false;
    const uint8_t *digits = text.at + shaped->fraction;
    *milliseconds = (int16_t)((digits[0] - '0') * 100 + (digits[1] - '0') * 10 + digits[2] - '0');
    return is_digit(digits[0]) && is_digit(digits[1]) && is_digit(digits[2]) &&
           memchr(level_letters, text.at[level], sizeof(level_letters) - 1);
}

bool log_prefix_read_shaped(struct log_prefix_latest *latest, struct bytes text, const struct log_shaped *shaped,
                            struct log_prefix *prefix)
{
    int16_t milliseconds;
    if (same_second(latest, text, shaped, &milliseconds)) {
        *prefix = latest->prefix;
        prefix->time.millisecond = milliseconds;
        prefix->level = (char)text.at[shaped->message - 2];
        prefix->message = text_from(text, shaped->message);
        return true;
    }
    if (!log_prefix_read(text, prefix))
        return false;
    latest->len = shaped->message <= LOG_PREFIX_KEPT ? shaped->message : 0;
    memcpy(latest->text, text.at, latest->len);
    latest->prefix = *prefix;
    return true;
}

/* A prefix has "PID:" at its beginning, logfmt "pid=". */
bool log_prefix_find(struct bytes text, struct log_prefix *prefix, size_t *before)
{
    struct bytes head = {text.at, text.len < BEFORE_MAX ? text.len : BEFORE_MAX};
    struct cursor in = cursor_over(head);
    for (;;) {
        cursor_until(&in, ':');
        if (cursor_left(&in) < 3)
            break;
        size_t from = cursor_offset(&in), colon = from;
        cursor_take(&in, 1);
        while (from && is_digit(text.at[from - 1]))
            from--;
        if (from < colon && log_prefix_read(text_from(text, from), prefix)) {
            *before = from;
            return true;
        }
    }
    return text_find(head, "pid=", before) && *before && log_prefix_read(text_from(text, *before), prefix);
}
