/* The lines of a log, each in memory as a whole or as much of it as is kept. */
#ifndef RCF_LOG_LINES_H
#define RCF_LOG_LINES_H

#include "parsers/bytes/cursor.h"
#include "parsers/log/log.h"

enum { LOG_BLOCK = 128 * 1024 };

struct log_lines {
    struct source *source;
    struct cursor window; /* bytes of `buffer` that were read and not yet given */
    uint64_t offset;      /* of the next byte to give */
    uint32_t line;        /* number of the line given last */
    uint8_t *buffer;      /* LOG_LINE_MAX + LOG_BLOCK bytes */
};

struct log_line {
    struct bytes text; /* without LF and CR, at most LOG_LINE_MAX bytes */
    struct place place;
    bool moved; /* the texts of earlier lines are gone from memory */
};

/* False without memory. */
bool log_lines_open(struct log_lines *lines, struct source *source);

void log_lines_close(struct log_lines *lines);

/* The next line, borrowed until a later call says `moved`; false when there is none, at the end or at a fault of the
 * source. NULs before a line belong to none: a log that was truncated while a server wrote it begins with them. */
bool log_lines_next(struct log_lines *lines, struct log_line *line);

#endif
