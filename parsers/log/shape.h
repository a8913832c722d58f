/* The usual prefixes of servers, recognised by their shape: in which columns digits, letters and marks stand.
 *
 * Most lines of a log are of no interest; this finds their message without reading the prefix. What has the shape of a
 * prefix may still be none: whoever needs the values reads them with log_prefix_read().
 */
#ifndef RCF_LOG_SHAPE_H
#define RCF_LOG_SHAPE_H

#include <stdbool.h>

#include "parsers/parse.h"

enum { LOG_SHAPE_WORDS = 5, LOG_SHAPES = 4 };

struct log_shape {
    uint64_t mask[LOG_SHAPE_WORDS], wanted[LOG_SHAPE_WORDS];
    size_t len;
    size_t level;    /* column */
    size_t fraction; /* column of the milliseconds, 0 where they are no digits of their own */
    bool yearless;
};

struct log_shapes {
    struct log_shape all[LOG_SHAPES];
    size_t latest; /* the one of the latest line */
};

struct log_shaped {
    size_t process; /* length of "PID:R" */
    size_t message; /* where it begins */
    char role, level;
    size_t fraction; /* where three digits of milliseconds stand, 0 for the form without */
    size_t date; /* where "DD Mon" of a form without a year begins, 0 for others */
};

struct log_shapes log_shapes_make(void);

/* False when the line has none of the shapes. */
bool log_shape_find(struct log_shapes *shapes, struct bytes line, struct log_shaped *shaped);

#endif
