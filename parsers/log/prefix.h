/* The prefix that servers put before a message, by any version and log format. Forms: docs/formats/log.md. */
#ifndef RCF_LOG_PREFIX_H
#define RCF_LOG_PREFIX_H

#include "parsers/log/log.h"

/* Reads the prefix at the start of `text` (a line without its LF). True fills pid, role, level, time and message of
 * `line` and sets `prefixed`; false leaves these fields as they are. `place` is never touched. */
bool log_prefix(struct bytes text, struct log_line *line);

/* Unix milliseconds as a time in UTC with its year and zone. False, and `time` untouched, beyond the year 9999. */
bool log_time_of_unix_ms(uint64_t unix_ms, struct log_time *time);

/* Days in a month (1 to 12); 29 for February when the year is not known. */
int log_days_in_month(int month, bool has_year, int year);

#endif
