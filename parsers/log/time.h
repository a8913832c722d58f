/* The times of log lines: as they are written, and what they mean on the clock of the world.
 *
 * Servers write local time without a zone, up to Redis 4.0 without a year. What a line does not say, the caller must
 * know or infer (struct log_clock), and what was inferred stays marked (struct log_instant).
 */
#ifndef RCF_LOG_TIME_H
#define RCF_LOG_TIME_H

#include <stdbool.h>

#include "parsers/parse.h"

/* The time as the line writes it: local time of the server, without a zone unless `has_zone`. */
struct log_time {
    bool known;
    bool has_year; /* absent up to Redis 4.0 */
    bool has_zone;
    bool has_milliseconds; /* absent in the times of signal handlers and of syslog */
    int32_t zone_s;        /* seconds east of UTC, with has_zone */
    int16_t year;
    int8_t month, day, hour, minute, second; /* month and day from 1 */
    int16_t millisecond;
};

/* The time as Unix milliseconds if the line's clock ran `zone_s` seconds east of UTC (its own zone wins) and, where the
 * line has no year, the year is `year`. INT64_MIN when the time is not known or the year not in 0 to 9999. */
int64_t log_unix_ms(const struct log_time *time, int year, int32_t zone_s);

/* Unix milliseconds as a time in UTC with its year and zone. False, and `time` untouched, beyond the year 9999. */
bool log_time_of_unix_ms(uint64_t unix_ms, struct log_time *time);

/* Days in a month (1 to 12); 29 for February when the year is not known. */
int log_days_in_month(int month, bool has_year, int year);

/* An offset from UTC that pairs of times state: the same moment in local time and in UTC (a signal handler's Unix time
 * and the server's next line, a line's own time and its wrapper's). Offsets of real zones are whole quarters of an hour. */
struct log_offset {
    uint64_t pairs;     /* that state `seconds`; 0: nothing is known */
    uint64_t others;    /* that state something else: another season, a log of two hosts, clocks that do not agree */
    int32_t seconds;    /* east of UTC, by the first pair */
};

/* Adds a pair: local time as Unix milliseconds of a clock at UTC, and the true moment. Ignored when they are no whole
 * quarters apart, up to 10 seconds. */
void log_offset_add(struct log_offset *offset, int64_t local_ms, int64_t utc_ms);

/* A time zone: an offset, or the rules of a TZif file (RFC 9636). */
struct log_zone;

enum { LOG_ZONE_FILE_MAX = 256 * 1024 };

/* "Z", "+02:00", "-0330", "UTC"; NULL when it is nothing like that, or without memory. */
struct log_zone *log_zone_parse(struct bytes text);

/* The zone of a TZif file's content, copied; NULL when it is none, or without memory. */
struct log_zone *log_zone_read(struct bytes tzif);

/* NULL is allowed. */
void log_zone_free(struct log_zone *zone);

/* Seconds east of UTC at a local time, given as Unix seconds of a clock at UTC. A time that a zone's clocks show twice
 * is the first of both, one that they skip is read by the offset before; both are `doubtful`. */
int32_t log_zone_offset(const struct log_zone *zone, int64_t local_s, bool *doubtful);

enum log_instant_flags {
    LOG_YEAR_INFERRED = 1,
    LOG_ZONE_UNKNOWN = 2,  /* the time was taken for UTC */
    LOG_ZONE_INFERRED = 4,
    LOG_TIME_DOUBTFUL = 8, /* within an hour of a change of clocks */
    LOG_WHOLE_SECONDS = 16
};

/* How to read the times of one log. Zeroed memory: zone and year unknown. */
struct log_clock {
    const struct log_zone *zone; /* NULL: unknown, or `offset` */
    bool has_offset;             /* `offset_s` stands for a zone that nobody has named */
    int32_t offset_s;
    bool inferred;               /* the zone was inferred */
    bool has_year;               /* the year at turn `turn` (see struct log_event) is `year`, inferred */
    int16_t year;
    uint32_t turn;
};

/* The year of the lines without one: the last of them, at turn `turn`, is not later than `bound_ms` (a collection, the
 * file's own mtime) and as late as possible. */
void log_clock_bound(struct log_clock *clock, const struct log_time *last, uint32_t turn, int64_t bound_ms);

/* The same where the last line is near a moment, before or behind it: in the year in which it is nearest. */
void log_clock_near(struct log_clock *clock, const struct log_time *last, uint32_t turn, int64_t near_ms);

struct log_instant {
    bool known;      /* false: no time, or a year that nobody knows */
    unsigned flags;  /* enum log_instant_flags */
    int64_t unix_ms; /* with LOG_ZONE_UNKNOWN local time */
    int64_t local_ms; /* local time as Unix milliseconds of a clock at UTC */
};

/* The moment of a line's time; `turn` is the event's. */
struct log_instant log_clock_instant(const struct log_clock *clock, const struct log_time *time, uint32_t turn);

#endif
