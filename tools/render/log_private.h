/* What the forms of log output share. */
#ifndef RCF_LOG_PRIVATE_H
#define RCF_LOG_PRIVATE_H

#include <string.h>

#include "tools/render/log_output.h"
#include "tools/render/time.h"

/* "primary", "warning", ...; NULL when not known. */
const char *log_role_name(char role);
const char *log_level_name(char level);

/* What has to be known about the time; the words are static. */
size_t log_about_time(const struct log_fact *fact, struct bytes words[6]);

/* The time as the server's clock showed it, without a zone; false when the line has none. */
bool log_local_write(char text[TIME_SIZE], const struct log_fact *fact);

/* One event as a line for people; `file` NULL when there is only one. */
void log_text_row(struct out *out, const char *file, const struct log_fact *fact);

#endif
