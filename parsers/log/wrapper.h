/* What other programs put before the lines of a server: docker, kubernetes, syslog, journald. Forms: log_wrappers.def. */
#ifndef RCF_LOG_WRAPPER_H
#define RCF_LOG_WRAPPER_H

#include "parsers/log/time.h"

struct log_wrapping {
    struct bytes text;        /* what is left */
    struct bytes label;       /* service or host; empty when none is said */
    uint32_t pid;             /* 0 when none is said */
    struct log_time received; /* the logging system's time */
};

struct log_wrappers {
    size_t latest;   /* the form of the latest line: most lines of a file have one form */
    bool simple;     /* that line had no other wrapper */
    uint8_t *memory; /* of a text that had to be decoded: LOG_LINE_MAX bytes, or NULL before the first */
};

/* Takes all wrappers off a line, terminal colours too. False when there are none. What is left stays in the line, or in
 * the memory of `wrappers` until the next call. */
bool log_unwrap(struct log_wrappers *wrappers, struct bytes line, struct log_wrapping *wrapping);

/* What is left of a line that has the wrapper of an earlier one, when that had only one; the line itself when it has
 * not. Cheaper than log_unwrap(). */
struct bytes log_unwrap_again(const struct log_wrappers *wrappers, struct bytes line);

/* Frees the memory. */
void log_wrappers_end(struct log_wrappers *wrappers);

#endif
