/* Times as people and programs read them: UTC, ISO 8601, milliseconds. No time zone, no locale, no C library calendar.
 */
#ifndef RCF_TIME_H
#define RCF_TIME_H

#include <stdbool.h>

#include "parsers/parse.h"

/* Room for any time with its NUL. */
enum { TIME_SIZE = 48 };

/* Unix milliseconds as 2026-11-22T14:52:25.199Z. Years outside 0000 to 9999 carry a sign and at least six digits
 * (+010000-01-01T00:00:00.000Z), as ECMA-262 and ISO 8601 have it; year 0 is the year before 1. Every int64_t has a
 * form. Returns `text`. */
char *time_write(char text[static TIME_SIZE], int64_t ms);

/* The same without the NUL; gives the place behind it. */
char *time_put(char text[static TIME_SIZE], int64_t ms);

/* The inverse: a date, and optionally after `T` or a blank the hour and minute, seconds, a fraction (cut to
 * milliseconds), and Z, +HH:MM or -HH:MM; without any of these it is UTC. False when it is no such time or out of
 * range. */
bool time_read(struct bytes text, int64_t *ms);

#endif
