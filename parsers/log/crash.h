/* A crash report while it is read: many lines, one event. */
#ifndef RCF_LOG_CRASH_H
#define RCF_LOG_CRASH_H

#include "parsers/log/log.h"

struct log_crash {
    bool open;
    struct log_event event; /* of the first line, growing */
    size_t used;
    uint8_t memory[2048]; /* of the fields */
};

/* Begins a report with its first line. */
void log_crash_begin(struct log_crash *crash, const struct log_event *first);

/* Whether a line is a part of the open report: all are, but those of another process. */
bool log_crash_owns(const struct log_crash *crash, const struct log_event *line);

/* Adds a line, and the values of its wording. */
void log_crash_add(struct log_crash *crash, const struct log_event *line);

/* Ends the report. The event's texts are the report's, until another one begins. */
struct log_event log_crash_end(struct log_crash *crash, bool complete);

#endif
