/* Step 2b: what happened, when, in which order, on which evidence.
 *
 * Every source of a case - logs, views, dumps, append-only files, the difference between two captures of one instance -
 * gives *occurrences*: one thing at one moment, stated by one place. They are put on one clock (clocks.h), and *episodes*
 * (episode.h) are what they add up to. Nothing here judges: a finding is the next step's.
 */
#ifndef RCF_HISTORY_H
#define RCF_HISTORY_H

#include "parsers/log/log.h"
#include "tools/cluster/cluster.h"
#include "tools/evidence/zones.h"

/* What an occurrence is: the events of the log table, and what other sources show. */
enum occurrence_kind {
#define OCCURRENCE(id, word, meaning) OCCURRENCE_##id,
#include "tools/history/occurrences.def"
#undef OCCURRENCE
    OCCURRENCE_KINDS
};

/* Which clock stated a moment. */
enum clock_source {
    CLOCK_NONE,  /* no time at all */
    CLOCK_LOG,   /* the host's log lines: local time of an unknown zone until clocks.h says more */
    CLOCK_EPOCH, /* seconds or milliseconds since 1970: pongs, ctime, AOF timestamps */
};

enum moment_flags {
    MOMENT_YEAR_INFERRED = 1,
    MOMENT_ZONE_INFERRED = 2,
    MOMENT_ZONE_UNKNOWN = 4,  /* taken as UTC */
    MOMENT_SKEW_APPLIED = 8,
    MOMENT_WHOLE_SECONDS = 16, /* the source has no milliseconds */
    MOMENT_ORDERED_BY_EPOCH = 32, /* its place in the order is by config epochs, against the clock */
    MOMENT_DOUBTFUL = 64,  /* within an hour of a change of the zone's clocks */
    MOMENT_OF_NEIGHBOUR = 128, /* the line has no time: it is that of the line before */
    MOMENT_RECEIVED = 256, /* the logging system's time, not the server's */
    MOMENT_ZONE_STATED = 512, /* the line states its zone: raw is UTC */
};

/* When. `raw_ms` is never changed by anything that was found out later. */
struct moment {
    enum clock_source source;
    unsigned flags;      /* enum moment_flags */
    int64_t raw_ms;      /* as stated: ms since 1970, a log's local time read as if it were UTC */
    int64_t ms;          /* corrected: UTC ms since 1970 on the reference clock */
    int64_t error_ms;    /* half width; INT64_MAX when nobody knows */
};

/* One value of an occurrence, by the words of the log table: all that the line has. */
struct occurrence_field {
    enum log_field_id id;
    const char *text;
};

/* One thing at one moment, or a run of equal ones. Texts are interned in the history's arena. */
struct occurrence {
    enum occurrence_kind kind;
    enum log_event_id event; /* of OCCURRENCE_LOG, else LOG_UNKNOWN */
    size_t instance;         /* who wrote it; SIZE_MAX when nobody of the case */
    const char *writer;      /* the node id that the writer had at that line, or NULL when it is not known */
    const char *node;        /* id of the node that it is about, else the writer's, or NULL */
    const char *peer;        /* id of the other node, or NULL: who voted, whom it replicates, who said so */
    const char *address;     /* as it stands, or NULL */
    uint32_t pid;            /* of a log line, 0 when it has none */
    char role, level;        /* of a log line, as in struct log_event */
    int64_t epoch;           /* -1: none */
    int64_t offset;          /* replication offset; -1: none */
    int32_t slot, last_slot; /* -1: none */
    const char *slots;       /* ranges as text, or NULL */
    const char *text;        /* the message as it was written (raw bytes, NUL-terminated, at most LOG_SAMPLE_LENGTH), or one sentence of ours */
    size_t field_count;
    const struct occurrence_field *fields;
    struct moment when;
    struct moment until; /* of a run: the last; else the same */
    uint64_t count;      /* lines of the run, 1 for one */
    struct place place;  /* of the first */
    size_t file;         /* in evidence->files */
    size_t order;        /* a number that sorts equal moments: order in the file */
};

/* How a history is read. All zeros is the plainest way. */
struct history_options {
    const struct zones *zones; /* that the user names, or NULL */
    uint64_t memory;           /* bytes for the events of all logs together; 0: HISTORY_MEMORY */
};

enum { HISTORY_MEMORY = 256 * 1024 * 1024 };

/* One host's log clock against the reference; see clocks.h. */
struct host_clock;

struct episode;

struct history {
    const struct evidence *evidence;
    const struct clusters *clusters;
    struct arena *arena;
    struct occurrence *occurrences; /* in the order of time, corrected; those without time last */
    size_t count;
    uint64_t lines;          /* of all logs */
    uint64_t left_out;       /* lines that are only counted in a run of their event, without fields: memory's share */
    const struct host_clock *clocks;
    size_t clock_count;
    size_t reference; /* index in clocks of the reference host, SIZE_MAX without logs */
    const struct episode *episodes; /* by begin */
    size_t episode_count;
};

/* Reads the logs of the case once more and gathers what its other files say. Everything lives in `arena`; so do the
 * episodes. `options` may be NULL. NULL without memory only. */
struct history *history_build(const struct evidence *evidence, const struct clusters *clusters,
                              const struct history_options *options, struct arena *arena);

/* "log", "view-saved", ...: of a log line the event's word. Static. */
const char *occurrence_word(const struct occurrence *occurrence);

/* A field of a log line, or NULL. */
const char *occurrence_field(const struct occurrence *occurrence, enum log_field_id id);

#endif
