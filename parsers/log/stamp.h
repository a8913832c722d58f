/* Times in text. Each reader consumes what it read; after a failure the cursor is of no use, so alternatives try on a
 * copy. All check that the date exists (29 February passes where no year is written) and leave `time` unspecified when
 * they fail. */
#ifndef RCF_LOG_STAMP_H
#define RCF_LOG_STAMP_H

#include "parsers/bytes/cursor.h"
#include "parsers/log/time.h"

/* These words, and nothing else. */
bool log_stamp_words(struct cursor *in, const char *wanted);

/* This character, which is not NUL. */
bool log_stamp_mark(struct cursor *in, char wanted);

/* So many decimal digits, of which at most 19 make a number. */
bool log_stamp_number(struct cursor *in, size_t least, size_t most, uint64_t *value);

/* "22 Nov 2026 15:05:25.820", with or without year and milliseconds: servers. */
bool log_stamp_day_first(struct cursor *in, struct log_time *time);

/* "Nov 22 15:05:25", the day filled with a blank: syslog. */
bool log_stamp_month_first(struct cursor *in, struct log_time *time);

/* "2026-11-22T15:05:25.820+01:00": any fraction or none, 'T' or a blank; `zoned`: with "Z", "+hh:mm" or "+hhmm". */
bool log_stamp_iso8601(struct cursor *in, bool zoned, struct log_time *time);

/* "15:05:25.820": the time of an unknown day, which is not known. */
bool log_stamp_clock(struct cursor *in, struct log_time *time);

/* "1795359925820", Unix time in milliseconds, or in seconds. */
bool log_stamp_unix(struct cursor *in, bool milliseconds, struct log_time *time);

#endif
