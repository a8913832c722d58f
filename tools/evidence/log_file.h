/* Whole logs read through a selection: the file, the clock of its lines, the events that are wanted.
 *
 * A log whose lines have no year (Redis up to 4.0) is read twice: only its end tells how many New Years it has passed.
 * Standard input is read once, so its years stay unknown unless they are given.
 */
#ifndef RCF_LOG_FILE_H
#define RCF_LOG_FILE_H

#include "parsers/log/log.h"

/* Which events are wanted; zeroed memory wants all. */
struct log_selection {
    bool has_since, has_until;
    int64_t since_ms, until_ms;  /* since <= time < until; events without a time are not in between */
    bool by_event;
    bool events[LOG_EVENTS];     /* with `by_event` */
    const char *const *nodes;    /* ids by their beginnings, or addresses; an event names one of them, or its writer is one */
    size_t node_count;
    char level;                  /* '.', '-', '*', '#': this or a higher one, or a line without; 0: any */
};

struct log_request {
    const char *path;            /* NULL: standard input */
    struct source *(*open)(void *context); /* opens the log instead of `path`, each time anew; or NULL */
    void *context;
    const struct log_zone *zone; /* NULL: unknown */
    bool has_year;
    int16_t first_year; /* of the first line */
    bool has_near;      /* without a year in the lines: */
    int64_t near_ms;    /* the last line is the one nearest to this moment, which other evidence states */
    const struct log_selection *selection;
    bool all_lines; /* LOG_ALL_LINES */
};

/* An event with what its log told before: what `own` points to stays until the next event. */
struct log_fact {
    const struct log_event *event;
    struct log_instant when;
    bool when_received; /* `when` is the wrapper's time, because the server's zone is not known */
    const char *own;    /* node id of the writer, or NULL before it was said */
};

enum log_condition {
    LOG_FILE_WHOLE,
    LOG_FILE_DAMAGED, /* a fault in the file: what stands before it was given */
    LOG_FILE_LOST,    /* not readable, changed meanwhile, or no log of a server */
    LOG_FILE_ENDED    /* the receiver ended it, or there is no memory */
};

struct log_outcome {
    enum log_condition condition;
    char why[256]; /* in words, unless whole */
    bool atime_kept;
    bool year_unknown, zone_unknown; /* of any event */
    struct log_counts counts;
};

/* Reads a log and gives the events that are wanted, in the order of the file, as long as the receiver says true. */
void log_file_read(const struct log_request *request, bool (*receive)(void *context, const struct log_fact *fact),
                   void *context, struct log_outcome *outcome);

#endif
