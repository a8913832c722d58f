#include "parsers/log/stamp.h"

#include "parsers/bytes/text.h"

enum { UNIX_MS_DIGITS = 15, FRACTION_DIGITS = 9, MOST_DIGITS = 19 };

bool log_stamp_words(struct cursor *in, const char *wanted)
{
    return text_is(cursor_take(in, strlen(wanted)), wanted);
}

bool log_stamp_mark(struct cursor *in, char wanted)
{
    return cursor_u8(in) == (uint8_t)wanted && wanted;
}

bool log_stamp_number(struct cursor *in, size_t least, size_t most, uint64_t *value)
{
    size_t count = 0;
    *value = 0;
    while (count < most && count < cursor_left(in) && in->at[count] >= '0' && in->at[count] <= '9')
        *value = *value * 10 + (in->at[count++] - '0');
    return count >= least && count <= MOST_DIGITS && cursor_take(in, count).len == count;
}

/* A number of exactly `count` digits. */
static inline bool take_digits(struct cursor *in, size_t count, unsigned *value)
{
    struct bytes digits = cursor_take(in, count);
    unsigned number = 0, wrong = digits.len != count;
    for (size_t i = 0; i < digits.len; i++) {
        unsigned digit = (unsigned)digits.at[i] - '0';
        wrong |= digit > 9;
        number = number * 10 + digit;
    }
    *value = number;
    return !wrong;
}

/* The same of two, up to `last`. */
static inline bool two_digits(struct cursor *in, unsigned last, int8_t *value)
{
    unsigned number;
    if (!take_digits(in, 2, &number) || number > last)
        return false;
    *value = (int8_t)number;
    return true;
}

/* ".820", ".820123456": as many digits as there are, of which three count. */
static void fraction(struct cursor *in, struct log_time *time)
{
    struct cursor probe = *in;
    unsigned milliseconds;
    uint64_t rest;
    if (!log_stamp_mark(&probe, '.') || !take_digits(&probe, 3, &milliseconds))
        return;
    time->millisecond = (int16_t)milliseconds;
    time->has_milliseconds = true;
    *in = probe;
    if (cursor_left(&probe) && *probe.at != ' ' && log_stamp_number(&probe, 1, FRACTION_DIGITS - 3, &rest))
        *in = probe;
}

bool log_stamp_clock(struct cursor *in, struct log_time *time)
{
    if (!two_digits(in, 23, &time->hour) || !log_stamp_mark(in, ':') || !two_digits(in, 59, &time->minute) ||
        !log_stamp_mark(in, ':') || !two_digits(in, 60, &time->second))
        return false;
    fraction(in, time);
    return true;
}

static bool month_name(struct cursor *in, int8_t *month)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct bytes word = cursor_take(in, 3);
    for (size_t i = 0; word.len && i < 12; i++) {
        const char *name = names + 3 * i;
        if (word.at[2] == (uint8_t)name[2] && word.at[1] == (uint8_t)name[1] && word.at[0] == (uint8_t)name[0]) {
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
    unsigned year;
    if (!take_digits(in, 4, &year))
        return false;
    time->has_year = true;
    time->year = (int16_t)year;
    return true;
}

bool log_stamp_day_first(struct cursor *in, struct log_time *time)
{
    *time = (struct log_time){.known = true};
    if (!two_digits(in, 31, &time->day) || !log_stamp_mark(in, ' ') || !month_name(in, &time->month) ||
        !log_stamp_mark(in, ' '))
        return false;
    struct cursor with_year = *in;
    struct log_time dated = *time;
    if (four_digit_year(&with_year, &dated) && log_stamp_mark(&with_year, ' ')) {
        *in = with_year;
        *time = dated;
    }
    return is_date(time) && log_stamp_clock(in, time);
}

bool log_stamp_month_first(struct cursor *in, struct log_time *time)
{
    *time = (struct log_time){.known = true};
    if (!month_name(in, &time->month) || !log_stamp_mark(in, ' '))
        return false;
    struct cursor probe = *in;
    uint64_t day;
    if (log_stamp_mark(&probe, ' ') && log_stamp_number(&probe, 1, 1, &day)) {
        time->day = (int8_t)day;
        *in = probe;
    } else if (!two_digits(in, 31, &time->day)) {
        return false;
    }
    return is_date(time) && log_stamp_mark(in, ' ') && log_stamp_clock(in, time);
}

static bool zone(struct cursor *in, struct log_time *time)
{
    int8_t hours, minutes;
    uint8_t sign = cursor_u8(in);
    time->has_zone = true;
    if (sign == 'Z')
        return true;
    if ((sign != '+' && sign != '-') || !two_digits(in, 23, &hours))
        return false;
    struct cursor probe = *in;
    if (log_stamp_mark(&probe, ':'))
        *in = probe;
    if (!two_digits(in, 59, &minutes))
        return false;
    time->zone_s = (hours * 3600 + minutes * 60) * (sign == '-' ? -1 : 1);
    return true;
}

bool log_stamp_iso8601(struct cursor *in, bool zoned, struct log_time *time)
{
    *time = (struct log_time){.known = true};
    if (!four_digit_year(in, time) || !log_stamp_mark(in, '-') || !two_digits(in, 12, &time->month) ||
        !log_stamp_mark(in, '-') || !two_digits(in, 31, &time->day) || !is_date(time))
        return false;
    uint8_t between = cursor_u8(in);
    return (between == 'T' || between == ' ') && log_stamp_clock(in, time) && (!zoned || zone(in, time));
}

bool log_stamp_unix(struct cursor *in, bool milliseconds, struct log_time *time)
{
    uint64_t number;
    if (!log_stamp_number(in, 1, milliseconds ? UNIX_MS_DIGITS : UNIX_MS_DIGITS - 3, &number) ||
        !log_time_of_unix_ms(milliseconds ? number : number * 1000, time))
        return false;
    time->has_milliseconds = milliseconds;
    return true;
}
