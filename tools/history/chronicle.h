/* What the builders of episodes share: who is who, each instance's lines in the order of its logs, its processes, the
 * views by the moment at which they were saved, failures and elections as they were put together, and the episodes so
 * far. Everything lives in the history's arena. A number of an occurrence is its index in history->occurrences; NONE is
 * no occurrence. */
#ifndef RCF_CHRONICLE_H
#define RCF_CHRONICLE_H

#include "tools/evidence/numbering.h"
#include "tools/history/episode.h"

#define NONE SIZE_MAX

/* Numbers in an order that the one who makes it gives. */
struct numbers {
    size_t *at;
    size_t count, cap;
};

/* A node id that the history names. */
struct actor {
    const char *id;
    const char *name; /* "ip:port" by its files, else the first 8 digits of its id */
    size_t instance;  /* that carried the id, or SIZE_MAX */
    size_t failure;   /* the latest in chronicle.failures, or NONE */
    struct numbers passages; /* in chronicle.passages */
};

/* Where a node was, by views and by the addresses of instances. */
struct residence {
    const char *address; /* "ip:port" */
    const char *id;      /* of the node in the newest view that has the address, or NULL */
    size_t instance;     /* that is at the address, or SIZE_MAX */
};

/* A view, and the occurrence that says when it was saved. */
struct saved_view {
    const struct view *view;
    size_t instance, occurrence;
    int64_t ms, loaded_ms; /* see capture_loaded_ms() */
};

enum ending {
    ENDING_UNKNOWN,   /* its log ends */
    ENDING_SIGNAL,    /* a signal asked for it */
    ENDING_REQUESTED, /* SHUTDOWN */
    ENDING_ORDERLY,   /* it said goodbye; who asked is not known */
    ENDING_CRASH,
    ENDING_REFUSED, /* it ended instead of starting */
    ENDING_SILENT,  /* another process begins, and the last one had said nothing of its end */
    ENDING_LOST,    /* its log ends, and afterwards others found that it did not answer */
};

/* One process of an instance, by its log. */
struct lifetime {
    size_t instance;
    size_t first, last;   /* positions in the instance's track */
    uint32_t pid;         /* of the server, not of the process that it came from; 0 when unknown */
    size_t started;       /* occurrences that say so, or NONE */
    size_t version;       /* the line with its version */
    size_t identified;    /* node-new or node-loaded */
    size_t ready, asked, ended;
    enum ending ending;
    const char *id;       /* its node id, the last if it changed, or NULL */
    struct moment end;    /* when it ended, or was last known to be alive before; empty while it is not over */
    size_t end_from;      /* the occurrence that says so, or NONE */
};

/* A time in which an instance saw the cluster down. */
struct down {
    size_t instance;
    size_t fail, ok; /* occurrences; ok NONE: not seen to end */
};

/* A time in which members took one for failed. */
struct failure {
    const char *id;
    struct numbers lines; /* possibly-failing, failed-*, failure-cleared */
    size_t marked;        /* the first FAIL, or NONE */
    size_t cleared;       /* the first who took it back, or NONE */
    int64_t ms;           /* of the first line */
};

/* Votes that a replica asked for: one election, or all that one replica lost one after the other. */
struct election {
    const char *candidate;
    const char *old_primary; /* or NULL */
    size_t instance;         /* of the candidate's log, or SIZE_MAX */
    int64_t epoch, first_epoch; /* -1: it never got so far */
    size_t attempts;         /* that asked for votes */
    size_t requested;        /* by CLUSTER FAILOVER, or NONE */
    size_t delayed, started, won, epoch_won; /* or NONE */
    bool timed_out, takeover;
    struct numbers lines, votes, denials, blocked;
    int64_t ms; /* of its first line */
};

/* Slots of one former owner. */
struct move_part {
    const char *from; /* or NULL: nobody's, or not known */
    uint8_t *slots;   /* a bit each */
};

/* Slots that one primary got from others in one go. */
struct move {
    const char *to; /* NULL: nobody owns them any more */
    struct move_part *parts;
    size_t part_count, part_cap;
    struct numbers lines;
    int64_t low_ms, high_ms; /* it happened between them */
    int64_t seen_ms;         /* the latest that was added */
    bool stated;             /* lines of logs name the slots */
    size_t imported;         /* the line of the epoch that the target took for it, or NONE */
    int64_t epoch;
};

enum passage_way { PASSAGE_JOINED, PASSAGE_LEFT, PASSAGE_RETURNED };

/* A node that became a member, ceased to be one, or was started again after that. */
struct passage {
    enum passage_way way;
    const char *id;
    int64_t low_ms, high_ms; /* it happened between them */
    bool stated;             /* lines say so */
    bool dated;              /* by a line: captures only bear witness */
    const char *basis;
    struct numbers lines;
};

/* A node that dropped its view. */
struct reset {
    size_t instance;
    const char *id, *old_id;
    bool hard, stated;
    int64_t low_ms, high_ms;
    size_t moment; /* the line that comes closest, or NONE */
    struct numbers lines;
};

/* An episode that is not finished. */
struct draft {
    struct episode episode;
    struct numbers lines;
    const char **details;
    size_t detail_cap;
    size_t more; /* lines that are not listed: they say the same */
};

struct chronicle {
    struct history *history;
    const struct evidence *evidence;
    struct arena *arena;
    struct actor *actors;
    size_t actor_count, actor_cap;
    struct numbering actor_numbers;
    struct residence *residences;
    size_t residence_count, residence_cap;
    struct numbering residence_numbers;
    struct numbers *tracks; /* by instance: its lines, in the order in which they were written */
    size_t *positions;      /* by occurrence: its place in the track */
    struct saved_view *views; /* in the order of time */
    size_t view_count;
    struct lifetime *lifetimes; /* by instance, in order */
    size_t lifetime_count, lifetime_cap;
    struct failure *failures; /* in the order of time */
    size_t failure_count, failure_cap;
    struct down *downs; /* in the order of time */
    size_t down_count, down_cap;
    struct election *elections; /* in the order of time */
    size_t election_count, election_cap;
    struct move *moves;
    size_t move_count, move_cap;
    struct passage *passages;
    size_t passage_count, passage_cap;
    struct reset *resets;
    size_t reset_count, reset_cap;
    size_t changed_first; /* what changed_all() has found last: the first of its changes, and the answer */
    bool changed_answer;
    struct draft **drafts;
    size_t draft_count, draft_cap;
};

/* Fills actors, tracks and views. False without memory. */
bool chronicle_open(struct chronicle *chronicle, struct history *history);

/* Puts the drafts into history->episodes, by begin. False without memory. */
bool chronicle_close(struct chronicle *chronicle);

/* The other parts of the stage, in this order. */
void chronicle_lifetimes(struct chronicle *chronicle);
void chronicle_failures(struct chronicle *chronicle);
void chronicle_ends(struct chronicle *chronicle);
void chronicle_downs(struct chronicle *chronicle);
void chronicle_elections(struct chronicle *chronicle);
void chronicle_moves(struct chronicle *chronicle);
void chronicle_resets(struct chronicle *chronicle);
void chronicle_passages(struct chronicle *chronicle);

/* The builders, one a subject. */
void build_creation(struct chronicle *chronicle);
void build_lifetimes(struct chronicle *chronicle);
void build_elections(struct chronicle *chronicle);
void build_outages(struct chronicle *chronicle);
void build_downs(struct chronicle *chronicle);
void build_moves(struct chronicle *chronicle);
void build_imports(struct chronicle *chronicle);
void build_membership(struct chronicle *chronicle);
void build_resets(struct chronicle *chronicle);
void build_resyncs(struct chronicle *chronicle);
void build_saves(struct chronicle *chronicle);
void build_shadows(struct chronicle *chronicle);
void build_clock_steps(struct chronicle *chronicle);

static inline const struct occurrence *chronicle_at(const struct chronicle *chronicle, size_t number)
{
    return &chronicle->history->occurrences[number];
}

static inline const struct occurrence *track_at(const struct chronicle *chronicle, size_t instance, size_t position)
{
    return chronicle_at(chronicle, chronicle->tracks[instance].at[position]);
}

void numbers_add(struct chronicle *chronicle, struct numbers *numbers, size_t number);

/* A new episode; NULL without memory, which all that follow allow. */
struct draft *draft_new(struct chronicle *chronicle, enum episode_kind kind, enum episode_basis how);

/* The occurrence is evidence for it. */
void draft_shows(struct chronicle *chronicle, struct draft *draft, size_t number);
void draft_shows_all(struct chronicle *chronicle, struct draft *draft, const struct numbers *numbers);

void draft_detail(struct chronicle *chronicle, struct draft *draft, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Its begin or end is that of the occurrence. */
void draft_begins(struct chronicle *chronicle, struct draft *draft, size_t number);
void draft_ends(struct chronicle *chronicle, struct draft *draft, size_t number);

/* printf into the arena; "" without memory. */
const char *chronicle_text(struct chronicle *chronicle, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "3 ms", "3.3 s", "2 min 5 s": a time that passes. */
const char *chronicle_span(struct chronicle *chronicle, int64_t ms);

/* "a node", ...: one name for an id, "an unknown node" for NULL. */
const char *chronicle_name(const struct chronicle *chronicle, const char *id);
struct actor *chronicle_actor(const struct chronicle *chronicle, const char *id);
size_t chronicle_instance(const struct chronicle *chronicle, const char *id);
bool same_id(const char *left, const char *right);

/* The id of the node that was at an address at a moment, or NULL. */
const char *chronicle_at_address(const struct chronicle *chronicle, const char *address, int64_t ms);

/* What is known of an address, or NULL. */
const struct residence *chronicle_residence(const struct chronicle *chronicle, const char *address);

/* The id that an instance had at a moment, or NULL. */
const char *chronicle_id_at(const struct chronicle *chronicle, size_t instance, int64_t ms);

/* The node that an instance replicated before the line at `position` of its track, or NULL; `from` is an occurrence
 * that says so, or NONE. */
const char *chronicle_primary_before(const struct chronicle *chronicle, size_t instance, size_t position, size_t *from);

/* The lifetime that a position of a track belongs to, or NULL. */
const struct lifetime *chronicle_lifetime(const struct chronicle *chronicle, size_t instance, size_t position);

/* What a view says about a node and its slots: the first in which it is a primary with this config epoch and slots, or
 * the last one saved before a moment, in which it may be a replica; NULL when none says. `from` is the view's
 * occurrence, or NONE. */
const struct entry *entry_at_epoch(const struct chronicle *chronicle, const char *id, int64_t epoch, size_t *from);
const struct entry *entry_before(const struct chronicle *chronicle, const char *id, int64_t ms, size_t *from);

/* The slots of an entry, or those that two have in common; NULL when there are none, or no entry. */
const char *entry_slots(struct chronicle *chronicle, const struct entry *one, const struct entry *other);

/* A failover, asked for or not, that gave the slots of one to the other at a moment not further than `error_ms`
 * before. */
bool was_failover(const struct chronicle *chronicle, const char *from, const char *to, int64_t ms, int64_t error_ms);

/* How many members the viewer of a change between two captures has got or lost with it, and whether these are all
 * of those that it lists beside itself: then it is the viewer that came or went. */
bool changed_all(struct chronicle *chronicle, size_t number);

/* A failure that others marked, or the whole cluster's, going on between two moments. */
bool was_disturbed(const struct chronicle *chronicle, size_t instance, int64_t from, int64_t to);

/* When the node was away for so long that members would have marked it, had it been one: by the lifetime that
 * ended, and logs that go on and would have said so. */
bool away_unnoticed(const struct chronicle *chronicle, const struct lifetime *life);

/* The passage of this kind that the node went through last before a moment, or NULL. */
const struct passage *passage_before(const struct chronicle *chronicle, enum passage_way way, const char *id,
                                     int64_t ms);

/* The newest view of a member of the core lists it. */
bool is_member_now(const struct chronicle *chronicle, const char *id);

/* When a node was last known to be alive, not after `ms`: by the lines of its log, by pongs in views, by
 * connections that broke with it. `from` is the occurrence that says so, NONE when nothing does; then the moment
 * is empty. */
struct moment last_seen(const struct chronicle *chronicle, const char *id, int64_t ms, size_t *from);

/* The first occurrence of history->occurrences that is not before `ms`. */
size_t occurrences_from(const struct chronicle *chronicle, int64_t ms);

/* The process of an instance that was running at a moment, or NULL. */
const struct lifetime *lifetime_at(const struct chronicle *chronicle, size_t instance, int64_t ms);

/* The process that came after, or NULL. */
const struct lifetime *lifetime_next(const struct chronicle *chronicle, const struct lifetime *life);

/* The failure of a node that was going on at a moment, or NULL. */
const struct failure *failure_at(const struct chronicle *chronicle, const char *id, int64_t ms);

/* The newest pong of a node in any view, not after `ms`; the moment, and the view's occurrence, or NONE. */
int64_t last_pong(const struct chronicle *chronicle, const char *id, int64_t ms, size_t *from);

/* The node's config epoch in the newest view, and its occurrence; -1 when no view lists it. */
int64_t newest_epoch(const struct chronicle *chronicle, const char *id, size_t *from);

/* How long members wait before they take one for failing: by redis.conf, the largest; 15000 when nothing is known. */
int64_t node_timeout(const struct chronicle *chronicle);

#endif
