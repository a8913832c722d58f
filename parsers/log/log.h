/* Server logs: what every line of every version says, as events with typed fields.
 *
 * A line is peeled of its wrapper (docker, kubernetes, syslog, ...: log_wrappers.def), then of the prefix that the server
 * put before its message, and the message is looked up in one table of wordings (log_wordings.def). A message that is
 * a wording of an event is an item; other lines are counted (log_counts()). The lines of a crash report are one item.
 * Forms and their sources: docs/formats/log.md.
 */
#ifndef RCF_LOG_H
#define RCF_LOG_H

#include <stdbool.h>

#include "parsers/bytes/source.h"
#include "parsers/log/time.h"
#include "parsers/parse.h"

struct log;

enum {
    LOG_LINE_MAX = 64 * 1024, /* bytes of a line that are kept */
    LOG_FIELDS_MAX = 12,
    LOG_SAMPLES_MAX = 32,
    LOG_SAMPLE_LENGTH = 200
};

/* What a line tells: log_events.def. LOG_UNKNOWN is a message that no version is known to write, LOG_OTHER one that
 * says nothing about the cluster or its data. */
enum log_event_id {
#define LOG_EVENT(id, word, meaning) LOG_##id,
#include "parsers/log/log_events.def"
#undef LOG_EVENT
    LOG_EVENTS
};

/* What a field holds. Each name of log_fields.def has one kind. */
enum log_kind {
    LOG_KIND_ID,      /* of a node or a shard: 40 lowercase hexadecimal digits */
    LOG_KIND_TEXT,    /* a reason, a name, a path, ...; may be empty */
    LOG_KIND_ADDRESS, /* host:port as it stands; the host may be an IPv6 address or empty */
    LOG_KIND_REPLICA, /* the same, or "client id #7" */
    LOG_KIND_NUMBER,  /* an integer, `number` has it */
    LOG_KIND_DECIMAL, /* digits with at most one point, "0.012"; `number` has whole thousandths */
};

enum log_field_id {
#define LOG_FIELD(id, word, kind, meaning) LOG_FIELD_##id,
#include "parsers/log/log_fields.def"
#undef LOG_FIELD
    LOG_FIELD_IDS
};

struct log_field {
    enum log_field_id id;
    enum log_kind kind;
    struct bytes text; /* as the line has it */
    int64_t number;    /* of numbers; one beyond int64_t is capped, and its text is right */
};

enum log_flags {
    LOG_ALL_LINES = 1, /* LOG_UNKNOWN and LOG_OTHER lines are items too */
};

/* One event. Texts are borrowed until the next call. */
struct log_event {
    enum log_event_id id;
    unsigned wording;         /* row of the table, for log_wording(), where the event has one */
    struct place place;       /* of the line without its LF; of a crash report all lines */
    uint32_t lines;           /* 1; of a crash report more */
    bool prefixed;            /* the server's own prefix was there: pid, level and time are its */
    bool incomplete;          /* a crash report without its end */
    uint32_t pid;             /* 0 when the line has none */
    char role;                /* 'X' sentinel, 'C' child, 'S' replica, 'M' primary; 0 when unknown */
    char level;               /* '.', '-', '*', '#'; 0 when unknown */
    struct log_time time;     /* as the server wrote it; the wrapper's where the server wrote none */
    struct log_time received; /* the wrapper's, if it has one: the clock of the logging system */
    uint32_t turn;            /* how many New Years lines without a year had passed, from the first such line */
    struct bytes label;       /* of the wrapper: service, host; empty when there is none */
    struct bytes message;     /* without wrapper and prefix */
    size_t field_count;
    struct log_field fields[LOG_FIELDS_MAX]; /* the rest of them is not set */
};

/* A reader over `source`, which stays the caller's and must outlive it; constant memory. `flags`: enum log_flags.
 * NULL without memory. */
struct log *log_open(struct source *source, unsigned flags);

/* The next step; see parsers/parse.h. A line over LOG_LINE_MAX bytes is damage, then its first LOG_LINE_MAX bytes are
 * read as the line, whose place covers all of it. A CR before the LF is not part of a message, nor are terminal colours.
 * PARSE_STOP when the source failed; what it gave before stands in items already. */
enum parse_step log_next(struct log *reader, struct log_event *event);

enum log_defect { LOG_LONG_LINE };

/* The damage of the latest PARSE_DAMAGE step (codes: enum log_defect). Borrowed until the next call. */
const struct damage *log_damage(const struct log *reader);

/* Why reading stopped, or NULL. */
const char *log_why(const struct log *reader);

/* A message that is no known wording: the first of its kind (first words) and how many more there were. */
struct log_sample {
    uint32_t line;
    uint64_t count;
    char level;
    uint8_t length;
    uint8_t text[LOG_SAMPLE_LENGTH];
};

/* What was read so far. */
struct log_counts {
    uint64_t lines;
    uint64_t prefixed;
    uint64_t events;      /* lines that were items, or part of one */
    uint64_t other;       /* LOG_OTHER */
    uint64_t unknown[5];  /* prefixed lines by level: . - * # and without one */
    uint64_t unprefixed;  /* of no wording: logos, continuations, lines of other programs */
    uint64_t long_lines;
    uint64_t left_out;    /* unknown lines of kinds beyond the samples */
    uint32_t turns;       /* New Years passed by lines without a year */
    bool yearless;        /* there were dated lines without a year */
    bool anchored;        /* a line told the year although its form has none; which, at which turn: */
    int16_t anchor_year;
    uint32_t anchor_turn;
    struct log_time first, last; /* of the first and last line that has a time */
    uint32_t last_turn;
    struct log_offset zone; /* what the lines tell of the server's zone; see time.h */
    size_t sample_count;
    struct log_sample samples[LOG_SAMPLES_MAX];
};

/* Borrowed until log_close(); complete after PARSE_END. */
const struct log_counts *log_counts(const struct log *reader);

/* Ends the reader, not the source. NULL is allowed. */
void log_close(struct log *reader);

/* How much the head of a text looks like a server's log, 0 to 100: above 50 as soon as one line has a prefix. */
unsigned log_likeness(struct bytes head);

/* A field of the event by name, or NULL. */
const struct log_field *log_field(const struct log_event *event, enum log_field_id id);

/* The words of the tables: "election-won", its meaning in a sentence, "epoch", ... Static. */
const char *log_event_word(enum log_event_id id);
const char *log_event_meaning(enum log_event_id id);
const char *log_field_word(enum log_field_id id);
enum log_kind log_field_kind(enum log_field_id id);

/* The event of a word; LOG_EVENTS when it is none. */
enum log_event_id log_event_of(struct bytes word);

/* The wordings, from 0: their event, text with {field}s, levels ("*#") and versions ("R3.0-7.0 V7.2"). Static; event
 * LOG_EVENTS and NULLs beyond the last. */
struct log_wording {
    enum log_event_id event;
    const char *levels, *versions, *text;
};
struct log_wording log_wording(unsigned row);

#endif
