#include "parsers/log/time.h"

/* The calendar in eras of 400 years, each beginning on 1 March, so that the leap day is the last day of a year. */
enum {
    DAYS_PER_ERA = 146097,
    DAYS_TO_EPOCH = 719468, /* from 0000-03-01 to 1970-01-01 */
    SECONDS_PER_DAY = 86400,
    YEAR_LAST = 9999,
};

/* Days from 1970-01-01 to a day of the proleptic Gregorian calendar; `year` from 0. */
static int64_t days_of(int64_t year, int month, int day)
{
    year -= month <= 2;
    year += 400; /* January of the year 0 belongs to an earlier era */
    int64_t era = year / 400, year_of_era = year % 400;
    int day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return (era - 1) * DAYS_PER_ERA + day_of_era - DAYS_TO_EPOCH;
}

int64_t log_unix_ms(const struct log_time *time, int year, int32_t zone_s)
{
    if (time->has_year)
        year = time->year;
    if (time->has_zone)
        zone_s = time->zone_s;
    if (!time->known || year < 0 || year > YEAR_LAST)
        return INT64_MIN;
    int64_t seconds = days_of(year, time->month, time->day) * SECONDS_PER_DAY;
    seconds += time->hour * 3600 + time->minute * 60 + time->second;
    return (seconds - zone_s) * 1000 + time->millisecond;
}

bool log_time_of_unix_ms(uint64_t unix_ms, struct log_time *time)
{
    const uint64_t last_ms = (uint64_t)(days_of(YEAR_LAST + 1, 1, 1) * SECONDS_PER_DAY * 1000 - 1);
    if (unix_ms > last_ms)
        return false;
    int64_t seconds = (int64_t)(unix_ms / 1000);
    int64_t days = seconds / SECONDS_PER_DAY + DAYS_TO_EPOCH;
    int64_t day_of_era = days % DAYS_PER_ERA;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153; /* from March */
    int64_t second_of_day = seconds % SECONDS_PER_DAY;
    *time = (struct log_time){
        .known = true,
        .has_year = true,
        .has_zone = true,
        .has_milliseconds = true,
        .year = (int16_t)(days / DAYS_PER_ERA * 400 + year_of_era + (month >= 10)),
        .month = (int8_t)(month < 10 ? month + 3 : month - 9),
        .day = (int8_t)(day_of_year - (153 * month + 2) / 5 + 1),
        .hour = (int8_t)(second_of_day / 3600),
        .minute = (int8_t)(second_of_day / 60 % 60),
        .second = (int8_t)(second_of_day % 60),
        .millisecond = (int16_t)(unix_ms % 1000),
    };
    return true;
}

int log_days_in_month(int month, bool has_year, int year)
{
    static const uint8_t days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (month < 1 || month > 12)
        return 0;
    bool leap = !has_year || (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
    return days[month - 1] - (month == 2 && !leap);
}
