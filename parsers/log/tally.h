/* What a log tells beside its events: counts, times, New Years, the zone, messages that nobody knows. */
#ifndef RCF_LOG_TALLY_H
#define RCF_LOG_TALLY_H

#include "parsers/log/log.h"
#include "parsers/log/prefix.h"

struct log_tally {
    struct log_counts counts;
    struct log_time yearless; /* of the latest line without a year */
    uint8_t date[6];          /* its "DD Mon" */
    int64_t signal_ms;        /* of the signal handler's line before, or INT64_MIN */
    uint32_t signal_pid;
    uint8_t kinds[LOG_SAMPLES_MAX][16]; /* of the samples: their first bytes, zeros behind a shorter one */
};

/* A line whose date has no year: counts New Years. Cheap when the date is that of the line before. */
void log_tally_date(struct log_tally *tally, const uint8_t date[6]);

/* The same for a time. */
void log_tally_yearless(struct log_tally *tally, const struct log_time *time);

/* A prefix that was read, in the order of the lines: Unix times, and the local times right behind them. */
void log_tally_prefix(struct log_tally *tally, const struct log_prefix *prefix);

/* A line's own time and that of its wrapper. */
void log_tally_received(struct log_tally *tally, const struct log_time *own, const struct log_time *received);

/* A message of no wording, of a line with a prefix. */
void log_tally_unknown(struct log_tally *tally, uint32_t line, char level, struct bytes message);

#endif
