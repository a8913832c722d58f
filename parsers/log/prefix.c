#include "parsers/log/prefix.h"

#include "parsers/bytes/cursor.h"
#include "parsers/bytes/text.h"

enum { PID_DIGITS = 10, UNIX_DIGITS = 15 };

/* The readers below consume on success; after a failure their cursor is of no use, so alternatives try on a copy. */

static bool literal(struct cursor *in, const char *wanted)
{
    return text_is(cursor_take(in, strlen(wanted)), wanted);
}

static bool digits(struct cursor *in, size_t least, size_t most, uint64_t *value)
{
    size_t count = 0;
    while (count < most && count < cursor_left(in) && in->at[count] >= '0' && in->at[count] <= '9')
        count++;
    return count >= least && text_u64(cursor_take(in, count), value);
}

/* A number of exactly two digits up to `last`. */
static bool two_digits(struct cursor *in, uint64_t last, int8_t *value)
{
    uint64_t number;
    if (!digits(in, 2, 2, &number) || number > last)
        return false;
    *value = (int8_t)number;
    return true;
}

static bool letter_of(struct cursor *in, const char *allowed, char *letter)
{
    uint8_t c = cursor_u8(in);
    *letter = (char)c;
    return c && strchr(allowed, c);
}

/* HH:MM:SS.mmm; the milliseconds came with Redis 2.6. */
static bool clock_time(struct cursor *in, struct log_time *time)
{
    uint64_t milliseconds;
    if (!two_digits(in, 23, &time->hour) || !literal(in, ":") || !two_digits(in, 59, &time->minute) ||
        !literal(in, ":") || !two_digits(in, 60, &time->second))
        return false;
    struct cursor probe = *in;
    if (literal(&probe, ".") && digits(&probe, 3, 3, &milliseconds)) {
        time->millisecond = (int16_t)milliseconds;
        *in = probe;
    }
    return true;
}

static bool month_name(struct cursor *in, int8_t *month)
{
    static const char *const names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct bytes word = cursor_take(in, 3);
    for (size_t i = 0; i < 12; i++) {
        if (text_is(word, names[i])) {
            *month = (int8_t)(i + 1);
            return true;
        }
    }
    return false;
}

static bool is_date(const struct log_time *time)
{
    return time->day >= 1 && time->day <= log_days_in_month(time->month, time->has_year, time->year);
}

static bool four_digit_year(struct cursor *in, struct log_time *time)
{
    uint64_t year;
    if (!digits(in, 4, 4, &year))
        return false;
    time->has_year = true;
    time->year = (int16_t)year;
    return true;
}

/* DD Mon [YYYY] HH:MM:SS.mmm */
static bool legacy_time(struct cursor *in, struct log_time *time)
{
    if (!two_digits(in, 31, &time->day) || !literal(in, " ") || !month_name(in, &time->month) || !literal(in, " "))
        return false;
    struct cursor with_year = *in;
    struct log_time dated = *time;
    if (four_digit_year(&with_year, &dated) && literal(&with_year, " ")) {
        *in = with_year;
        *time = dated;
    }
    return is_date(time) && clock_time(in, time);
}

static bool zone(struct cursor *in, struct log_time *time)
{
    int8_t hours, minutes;
    char sign;
    time->has_zone = true;
    if (!letter_of(in, "+-Z", &sign))
        return false;
    if (sign == 'Z')
        return true;
    if (!two_digits(in, 23, &hours) || !literal(in, ":") || !two_digits(in, 59, &minutes))
        return false;
    time->zone_s = (hours * 3600 + minutes * 60) * (sign == '-' ? -1 : 1);
    return true;
}

/* YYYY-MM-DDTHH:MM:SS.mmm+hh:mm */
static bool iso8601_time(struct cursor *in, struct log_time *time)
{
    return four_digit_year(in, time) && literal(in, "-") && two_digits(in, 12, &time->month) && literal(in, "-") &&
           two_digits(in, 31, &time->day) && is_date(time) && literal(in, "T") && clock_time(in, time) &&
           zone(in, time);
}

static bool unix_ms_time(struct cursor *in, struct log_time *time)
{
    uint64_t unix_ms;
    return digits(in, 1, UNIX_DIGITS, &unix_ms) && log_time_of_unix_ms(unix_ms, time);
}

/* Any of the three, followed by `end`. */
static bool timestamp(struct cursor *in, const char *end, struct log_time *time)
{
    static bool (*const forms[])(struct cursor *, struct log_time *) = {legacy_time, iso8601_time, unix_ms_time};
    for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
        struct cursor probe = *in;
        struct log_time candidate = {.known = true};
        if (forms[i](&probe, &candidate) && literal(&probe, end)) {
            *in = probe;
            *time = candidate;
            return true;
        }
    }
    return false;
}

static bool process_id(struct cursor *in, uint32_t *pid)
{
    uint64_t number;
    if (!digits(in, 1, PID_DIGITS, &number) || number > UINT32_MAX)
        return false;
    *pid = (uint32_t)number;
    return true;
}

/* "L message"; a server's empty message may have lost the blank before it. */
static bool level_and_message(struct cursor *in, struct log_line *line)
{
    if (!letter_of(in, ".-*#", &line->level) || (cursor_left(in) && !literal(in, " ")))
        return false;
    line->message = cursor_take(in, cursor_left(in));
    return true;
}

/* Redis up to 2.8: "[PID] DD Mon HH:MM:SS.mmm L message" */
static bool bracketed(struct cursor *in, struct log_line *line)
{
    return literal(in, "[") && process_id(in, &line->pid) && literal(in, "] ") && timestamp(in, " ", &line->time) &&
           level_and_message(in, line);
}

/* Redis 3.0 and newer, Valkey: "PID:R TIME L message" */
static bool with_role(struct cursor *in, struct log_line *line)
{
    return process_id(in, &line->pid) && literal(in, ":") && letter_of(in, "XCSM", &line->role) && literal(in, " ") &&
           timestamp(in, " ", &line->time) && level_and_message(in, line);
}

/* "(UNIXTIME) message" after what a signal handler writes first. */
static bool unix_time_and_message(struct cursor *in, struct log_line *line)
{
    uint64_t unix_s;
    if (!literal(in, "(") || !digits(in, 1, UNIX_DIGITS - 3, &unix_s) || !literal(in, ")") ||
        (cursor_left(in) && !literal(in, " ")) || !log_time_of_unix_ms(unix_s * 1000, &line->time))
        return false;
    line->message = cursor_take(in, cursor_left(in));
    return true;
}

/* Redis 3.0 and newer, Valkey: "PID:signal-handler (UNIXTIME) message" */
static bool from_signal_handler(struct cursor *in, struct log_line *line)
{
    return process_id(in, &line->pid) && literal(in, ":signal-handler ") && unix_time_and_message(in, line);
}

/* Redis up to 2.8: "[PID | signal handler] (UNIXTIME) message" */
static bool from_bracketed_signal_handler(struct cursor *in, struct log_line *line)
{
    return literal(in, "[") && process_id(in, &line->pid) && literal(in, " | signal handler] ") &&
           unix_time_and_message(in, line);
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
static bool logfmt(struct cursor *in, struct log_line *line)
{
    if (!literal(in, "pid=") || !process_id(in, &line->pid) || !literal(in, " role=") ||
        !word_of(in, roles, &line->role) || !literal(in, " timestamp=\"") || !timestamp(in, "\"", &line->time) ||
        !literal(in, " level=") || !word_of(in, levels, &line->level) || !literal(in, " message=\""))
        return false;
    line->message = cursor_until(in, '"');
    return true;
}

bool log_prefix(struct bytes text, struct log_line *line)
{
    static bool (*const forms[])(struct cursor *, struct log_line *) = {
        with_role, bracketed, logfmt, from_signal_handler, from_bracketed_signal_handler,
    };
    for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
        struct cursor in = cursor_over(text);
        struct log_line candidate = {.place = line->place, .prefixed = true};
        if (forms[i](&in, &candidate)) {
            *line = candidate;
            return true;
        }
    }
    return false;
}
