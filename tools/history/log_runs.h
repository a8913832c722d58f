/* The events of one log, with what repeats itself without end collapsed into runs while it is read.
 *
 * Lines of one event with the same values are alike. A few alike stand alone; when they do not stop, the rest of them,
 * until they pause, is one run: its first line, its last, and how many. A log that fills its share of memory in spite of
 * that keeps what came first and what came last; what was between is one run for each event, which has no values.
 */
#ifndef RCF_LOG_RUNS_H
#define RCF_LOG_RUNS_H

#include "tools/evidence/log_file.h"
#include "tools/history/history_private.h"

enum {
    RUNS_ALONE = 32,       /* alike lines that stand alone before a run begins */
    RUNS_PAUSE_MS = 60000, /* a pause after which they may again */
    RUNS_BACK_MS = 1000,   /* a log whose next event is so much earlier goes back, which is told */
    RUNS_BACKS_MAX = 100,  /* of one log */
};

struct log_runs;

/* NULL without memory. `file` and `instance` are those of the occurrences; `own` is the writer's node id until the log
 * states one, or NULL, and stays the caller's. */
struct log_runs *log_runs_begin(size_t file, size_t instance, const char *own, uint64_t memory);

/* Takes the next event. False without memory. */
bool log_runs_add(struct log_runs *runs, const struct log_fact *fact);

/* The occurrences so far, in the order of their first lines; they live until log_runs_end(). NULL without memory. */
const struct occurrence *log_runs_all(struct log_runs *runs, size_t *count);

/* Lines that were only counted, in runs without values. */
uint64_t log_runs_left_out(const struct log_runs *runs);

/* NULL is allowed. */
void log_runs_end(struct log_runs *runs);

#endif
