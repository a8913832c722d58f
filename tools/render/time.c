#include "tools/render/time.h"

#include "parsers/bytes/cursor.h"

/* The calendar repeats after 400 years of 146097 days. Years are counted from 1 March, so that the leap day is the last
 * day of a year and the months before it have a fixed length. */
enum {
    DAYS_PER_ERA = 146097,
    YEARS_PER_ERA = 400,
    DAYS_FROM_YEAR_0_TO_1970 = 719468, /* from 1 March of year 0 */
    MS_PER_DAY = 86400000
};

/* Days before month m of a year that starts with March (m = 0). */
static const unsigned days_before[12] = {0, 31, 61, 92, 122, 153, 184, 214, 245, 275, 306, 337};

static int64_t floor_divide(int64_t value, int64_t by)
{
    return value / by - (value % by < 0);
}

/* A number of at least `least` digits and the mark after it; gives where to go on. */
static char *put(char *at, uint64_t number, unsigned least, char mark)
{
    unsigned digits = 1;
    for (uint64_t rest = number / 10; rest > 0; rest /= 10)
        digits++;
    if (digits < least)
        digits = least;
    for (unsigned i = digits; i > 0; i--) {
        at[i - 1] = (char)('0' + number % 10);
        number /= 10;
    }
    at[digits] = mark;
    return at + digits + 1;
}

/* The two digits of a number below 100. */
static inline char *put_two(char *at, unsigned number)
{
    at[0] = (char)('0' + number / 10);
    at[1] = (char)('0' + number % 10);
    return at + 2;
}

/* The same and the mark after them. */
static inline char *put_part(char *at, unsigned number, char mark)
{
    at = put_two(at, number);
    *at = mark;
    return at + 1;
}

static char *put_year(char *at, int64_t year)
{
    if (year >= 0 && year <= 9999)
        return put_part(put_two(at, (unsigned)year / 100), (unsigned)year % 100, '-');
    *at++ = year < 0 ? '-' : '+';
    return put(at, (uint64_t)(year < 0 ? -year : year), 6, '-');
}

char *time_put(char text[static TIME_SIZE], int64_t ms)
{
    int64_t day = floor_divide(ms, MS_PER_DAY);
    unsigned in_day = (unsigned)(ms % MS_PER_DAY + (ms % MS_PER_DAY < 0 ? MS_PER_DAY : 0));

    day += DAYS_FROM_YEAR_0_TO_1970;
    int64_t era = floor_divide(day, DAYS_PER_ERA);
    unsigned in_era = (unsigned)(day - era * DAYS_PER_ERA);
    /* The last day of 4 years, but not of 100, and of 400 is a leap day that belongs to the year it ends. */
    unsigned year_of_era = (in_era - in_era / 1460 + in_era / 36524 - in_era / (DAYS_PER_ERA - 1)) / 365;
    unsigned in_year = in_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);

    unsigned month = (5 * in_year + 2) / 153; /* of five in a row with 153 days, from March on */
    int64_t year = era * YEARS_PER_ERA + year_of_era + (month >= 10);

    char *at = put_year(text, year);
    at = put_part(at, month < 10 ? month + 3 : month - 9, '-');
    at = put_part(at, in_year - days_before[month] + 1, 'T');
    at = put_part(at, in_day / 3600000, ':');
    at = put_part(at, in_day / 60000 % 60, ':');
    at = put_part(at, in_day / 1000 % 60, '.');
    *at++ = (char)('0' + in_day % 1000 / 100);
    return put_part(at, in_day % 100, 'Z');
}

char *time_write(char text[static TIME_SIZE], int64_t ms)
{
    *time_put(text, ms) = '\0';
    return text;
}

static int peek(const struct cursor *cursor)
{
    return cursor_left(cursor) ? *cursor->at : -1;
}

static bool take(struct cursor *cursor, int byte)
{
    if (peek(cursor) != byte)
        return false;
    cursor_u8(cursor);
    return true;
}

static bool take_digits(struct cursor *cursor, unsigned least, unsigned most, unsigned *value)
{
    unsigned taken = 0;
    for (*value = 0; taken < most && peek(cursor) >= '0' && peek(cursor) <= '9'; taken++)
        *value = *value * 10 + (cursor_u8(cursor) - (unsigned)'0');
    return taken >= least;
}

static bool take_two(struct cursor *cursor, int before, unsigned below, unsigned *value)
{
    return take(cursor, before) && take_digits(cursor, 2, 2, value) && *value < below;
}

/* Up to three digits count; a dot alone is no fraction. */
static bool take_fraction(struct cursor *cursor, unsigned *ms)
{
    unsigned scale = 100;
    unsigned digit;
    if (!take_digits(cursor, 1, 1, &digit))
        return false;
    do {
        *ms += digit * scale;
        scale /= 10;
    } while (take_digits(cursor, 1, 1, &digit));
    return true;
}

/* Minutes east of Greenwich. */
static bool take_zone(struct cursor *cursor, int *minutes)
{
    *minutes = 0;
    if (cursor_left(cursor) == 0 || take(cursor, 'Z'))
        return true;
    bool west = peek(cursor) == '-';
    unsigned hour, minute;
    if (!take_two(cursor, west ? '-' : '+', 24, &hour) || !take_two(cursor, ':', 60, &minute))
        return false;
    *minutes = (int)(hour * 60 + minute) * (west ? -1 : 1);
    return true;
}

static bool is_date(int64_t year, unsigned month, unsigned day)
{
    static const unsigned char length[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month >= 1 && month <= 12 && day >= 1 && day <= length[month - 1] + (unsigned)(leap && month == 2);
}

static int64_t days_since_1970(int64_t year, unsigned month, unsigned day)
{
    unsigned march_month = (month + 9) % 12;
    year -= march_month >= 10;
    int64_t era = floor_divide(year, YEARS_PER_ERA);
    int64_t year_of_era = year - era * YEARS_PER_ERA;
    int64_t in_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + days_before[march_month] + day - 1;
    return era * DAYS_PER_ERA + in_era - DAYS_FROM_YEAR_0_TO_1970;
}

bool time_read(struct bytes text, int64_t *ms)
{
    struct cursor cursor = cursor_over(text);
    bool negative = peek(&cursor) == '-';
    bool expanded = negative || peek(&cursor) == '+';
    if (expanded)
        cursor_u8(&cursor);

    unsigned digits, month, day;
    if (!take_digits(&cursor, expanded ? 6 : 4, expanded ? 9 : 4, &digits) || !take_two(&cursor, '-', 13, &month) ||
        !take_two(&cursor, '-', 32, &day))
        return false;
    int64_t year = negative ? -(int64_t)digits : (int64_t)digits;
    if (!is_date(year, month, day))
        return false;

    unsigned hour = 0, minute = 0, second = 0, fraction = 0;
    int zone = 0;
    if (cursor_left(&cursor) > 0) {
        if (!take_two(&cursor, peek(&cursor) == ' ' ? ' ' : 'T', 24, &hour) || !take_two(&cursor, ':', 60, &minute))
            return false;
        if (peek(&cursor) == ':' && !take_two(&cursor, ':', 60, &second))
            return false;
        if (take(&cursor, '.') && !take_fraction(&cursor, &fraction))
            return false;
        if (!take_zone(&cursor, &zone) || cursor_left(&cursor) > 0)
            return false;
    }

    int64_t in_day = ((int64_t)hour * 60 + minute - zone) * 60000 + second * 1000 + fraction;
    int64_t days = days_since_1970(year, month, day);
    if (days < 0) { /* towards zero, or the first day of int64_t would start outside it */
        days++;
        in_day -= MS_PER_DAY;
    }
    return !__builtin_mul_overflow(days, (int64_t)MS_PER_DAY, ms) && !__builtin_add_overflow(*ms, in_day, ms);
}
