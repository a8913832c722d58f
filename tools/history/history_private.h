/* What the gatherers share; see history.h. */
#ifndef RCF_HISTORY_PRIVATE_H
#define RCF_HISTORY_PRIVATE_H

#include "tools/evidence/numbering.h"
#include "tools/history/history.h"

/* Texts that are stored once. */
struct texts {
    struct arena *arena;
    const char **all;
    size_t count, cap;
    struct numbering numbering;
};

/* The stored text that equals `text`, or NULL without memory. */
const char *texts_intern(struct texts *texts, struct bytes text);

/* The same for a string; NULL for NULL. */
const char *texts_string(struct texts *texts, const char *text);

struct gathering {
    const struct evidence *evidence;
    const struct clusters *clusters;
    const struct history_options *options;
    struct history *history;
    struct texts texts;
    size_t cap; /* of history->occurrences */
};

/* An occurrence of the kind, with nothing known. */
struct occurrence occurrence_blank(enum occurrence_kind kind);

/* Adds an occurrence; its texts are interned. False without memory. */
bool gathering_add(struct gathering *gathering, const struct occurrence *draft);

/* A moment of an epoch clock, good to `error_ms`. */
struct moment moment_epoch(int64_t ms, int64_t error_ms);

/* The gatherers, one a source. False without memory. */
bool gather_logs(struct gathering *gathering);
bool gather_views(struct gathering *gathering);
bool gather_dumps(struct gathering *gathering);
bool gather_journals(struct gathering *gathering);
bool gather_captures(struct gathering *gathering);

#endif
