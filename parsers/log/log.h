/* Server logs: the prefix of each line, by any version, and the message behind it.
 *
 * Prefixes: docs/formats/log.md. A line without a prefix (a logo, a crash report, a wrapped line) is an item with
 * `prefixed` false.
 */
#ifndef RCF_LOG_H
#define RCF_LOG_H

#include <stdbool.h>

#include "parsers/bytes/source.h"
#include "parsers/parse.h"

struct log;

enum { LOG_LINE_MAX = 64 * 1024 };

enum log_defect { LOG_LONG_LINE };

/* The time as the line writes it: local time of the server, without a zone unless `has_zone`. */
struct log_time {
    bool known;
    bool has_year; /* absent up to Redis 4.0 */
    bool has_zone;
    int32_t zone_s;   /* seconds east of UTC, with has_zone */
    int16_t year;
    int8_t month, day, hour, minute, second; /* month and day from 1 */
    int16_t millisecond;
};

struct log_line {
    struct place place; /* the line without its LF */
    bool prefixed;
    uint32_t pid;
    char role;  /* 'X' sentinel, 'C' child, 'S' replica, 'M' primary; 0 when unknown */
    char level; /* '.', '-', '*', '#'; 0 when unknown */
    struct log_time time;
    struct bytes message; /* without the prefix; the whole line when there is none */
};

/* A reader over `source`, which stays the caller's and must outlive it; constant memory. NULL without memory. */
struct log *log_open(struct source *source);

/* The next step; see parsers/parse.h. A line over LOG_LINE_MAX bytes is damage, then an item of its first LOG_LINE_MAX
 * bytes whose place covers all of it. A CR before the LF is not part of the message. PARSE_STOP when the source
 * failed; what it gave before stands in an item already. */
enum parse_step log_next(struct log *reader, struct log_line *line);

/* The damage of the latest PARSE_DAMAGE step (codes: enum log_defect). Borrowed until the next call. */
const struct damage *log_damage(const struct log *reader);

/* Why reading stopped, or NULL. */
const char *log_why(const struct log *reader);

/* Ends the reader, not the source. NULL is allowed. */
void log_close(struct log *reader);

/* How much the head of a text looks like a server's log, 0 to 100: above 50 as soon as one line has a prefix. */
unsigned log_likeness(struct bytes head);

/* The time as Unix milliseconds if the line's clock ran `zone_s` seconds east of UTC (its own zone wins) and, where the
 * line has no year, the year is `year`. INT64_MIN when the time is not known or the year not in 0 to 9999. */
int64_t log_unix_ms(const struct log_time *time, int year, int32_t zone_s);

#endif
