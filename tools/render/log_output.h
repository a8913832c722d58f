/* Events of logs as people and programs read them: a row an event. */
#ifndef RCF_LOG_OUTPUT_H
#define RCF_LOG_OUTPUT_H

#include "tools/evidence/log_file.h"
#include "tools/render/table.h"

extern const struct record_type log_event_record, log_summary_record, log_unknown_record;

struct log_output;

/* `files`: rows name their file. NULL, and the output failed, without memory. */
struct log_output *log_output_open(struct out *out, enum format format, bool files);

/* Ends the document. NULL is allowed. */
void log_output_close(struct log_output *output);

/* The rows of one file, made in one thread while other files' are made in others. */
struct log_page;

/* NULL without memory. `file` is borrowed until the page ends. */
struct log_page *log_page_begin(struct log_output *output, const char *file);

void log_page_add(struct log_page *page, const struct log_fact *fact);

/* Bytes that wait in the page. */
size_t log_page_size(const struct log_page *page);

/* Hands what waits to the output, which one thread at a time may do. */
void log_page_flush(struct log_page *page);

/* Ends the page; what waits is lost. NULL is allowed. */
void log_page_end(struct log_page *page);

/* Totals by event. */
struct log_total {
    uint64_t count;
    struct log_moment {
        bool known, zoned;
        int64_t ms; /* local time unless `zoned` */
    } first, last;  /* by time */
};

struct log_totals {
    struct log_total events[LOG_EVENTS];
    uint64_t lines, prefixed, unprefixed, other, unknown[5];
};

void log_totals_add(struct log_totals *totals, const struct log_fact *fact);

/* Adds the totals of another file: of its events, and its counts. */
void log_totals_merge(struct log_totals *totals, const struct log_totals *more, const struct log_counts *counts);

/* A row an event that came, and for the lines that were none. */
void log_totals_write(const struct log_totals *totals, struct out *out, enum format format);

/* A row a message that no version is known to write. */
void log_unknown_rows(struct table *table, const char *file, const struct log_counts *counts);

#endif
