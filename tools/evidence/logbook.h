/* What the logs of an instance prove about identity and membership: who it said it was and when, which server ran,
 * whether it ever saw a working cluster. (The history is another matter and another table.) */
#ifndef RCF_LOGBOOK_H
#define RCF_LOGBOOK_H

#include "parsers/log/log.h"
#include "parsers/memory/arena.h"
#include "tools/evidence/server.h"

/* What each message reads, in every version: logbook_messages.def. */
enum logbook_event {
    LOGBOOK_START,           /* the server began; text = its version */
    LOGBOOK_PORT,            /* text = the port it listens on */
    LOGBOOK_NEW_IDENTITY,    /* "No cluster configuration found, I'm ID" */
    LOGBOOK_LOADED_IDENTITY, /* "Node configuration loaded, I'm ID" */
    LOGBOOK_RESET_IDENTITY,  /* "Node hard reset, now I'm ID" */
    LOGBOOK_CLUSTER_OK,      /* "Cluster state changed: ok" */
    LOGBOOK_CLUSTER_FAIL,
    LOGBOOK_SAVED,          /* "DB saved on disk" */
    LOGBOOK_SHUTDOWN,       /* the server ends in good order */
    LOGBOOK_UNKNOWN_SENDER, /* a message from a node that is not (or no longer) a member here; text = its id */
    LOGBOOK_REPLICA_SYNC,   /* a replica asks for synchronization; text = its address, NULL up to 2.8.17 */
    LOGBOOK_EVENTS
};

/* Logs repeat themselves without end, a logbook does not: while the node keeps its id, lines of one event with one text
 * are a run, of which the first and the last are kept. */
struct logbook_line {
    enum logbook_event event;
    size_t file;
    struct place place;
    struct log_time time;
    const char *text; /* NULL when the event has none */
    uint64_t run;     /* how many lines the run has */
};

/* No more runs than this are kept of one log; further ones are counted in `left_out`. */
enum { LOGBOOK_RUNS_MAX = 100000 };

struct logbook {
    size_t file;
    const struct logbook_line *lines; /* in the order of the file: first and last line of each run */
    size_t count;
    uint64_t left_out;    /* lines of runs that did not fit */
    struct server server; /* of the last start */
    uint16_t port;        /* of the last LOGBOOK_PORT, 0 when none */
    const char *id;       /* of the last identity line, or NULL */
    uint64_t total_lines;
    const char *why; /* why reading stopped before the end, or NULL */
};

/* Reads one log to its end, in memory that does not grow with it. NULL without memory only. */
struct logbook *logbook_read(struct arena *arena, struct source *source, size_t file);

#endif
