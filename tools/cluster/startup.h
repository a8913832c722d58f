/* Would a server start on this nodes.conf, and would it start with a wrong view: two verdicts a server generation.
 *
 * The file is taken as the loader sees it: a line ends at its first NUL byte, the last one needs no line feed. What
 * then deviates is a *condition*, be it of one word or across lines; tools/cluster/startup.def says what each
 * generation does with each condition, and in what case that was tried. Conditions take effect in the order of the
 * file: the first that stops a generation decides; when none does, the first that gives it a wrong view.
 *
 * "Wrong" is what the file itself shows to be wrong. A changed digit gives another healthy file, and only other views
 * can contradict it; a view that is merely old is not wrong here either.
 */
#ifndef RCF_STARTUP_H
#define RCF_STARTUP_H

#include "tools/evidence/server.h"
#include "tools/evidence/view.h"

enum startup_condition {
#define STARTUP_CONDITION(id, word, class, means) STARTUP_##id,
#define STARTUP_RULE(condition, first, last, outcome, basis, sentence)
#include "tools/cluster/startup.def"
#undef STARTUP_CONDITION
#undef STARTUP_RULE
    STARTUP_CONDITIONS
};

enum startup_class {
    STARTUP_CUT,    /* the end of the file is missing */
    STARTUP_BROKEN, /* no server writes this, and it is no trace of one either */
    STARTUP_ODD,    /* left by a crash or by a hand; the lines themselves can be read */
    STARTUP_STATE,  /* servers write this themselves; other servers may still refuse it */
    STARTUP_NEWER,  /* a healthy file of a newer generation */
};

/* From good to bad. */
enum startup_outcome {
    STARTUP_RIGHT,   /* starts, and believes what the file says */
    STARTUP_WRONG,   /* starts with a wrong view */
    STARTUP_REFUSES, /* says that the file is corrupt, and exits */
    STARTUP_CRASHES, /* a panic, an assertion, or undefined behaviour */
};

struct startup_fact {
    enum startup_condition condition;
    struct place place;   /* never longer than the line; its last line when it is about what is absent */
    const char *expected; /* of the defect, or NULL: the condition says it */
    const char *found;
    uint32_t before; /* the earlier line that it contradicts, or 0 */
};

struct startup_verdict {
    enum startup_outcome outcome;
    const struct startup_fact *fact; /* that decides, or NULL when nothing is in the way */
    const char *sentence; /* what this generation does with it; without a subject and full stop */
    bool tried; /* by a test on a real server of this generation */
};

struct startup {
    const struct startup_fact *facts; /* in the order in which they take effect; at most 1000 of each condition */
    size_t fact_count;
    struct startup_verdict of[GENERATIONS];
};

/* The verdicts on a view of a nodes.conf (not of a capture). `text` is what the view was read from; when it can no
 * longer be had, give an empty run: then what depends on the bytes within a word is judged by the milder rule.
 * Everything in `arena`. NULL without memory. */
struct startup *startup_of(const struct view *view, const struct view_store *store, struct bytes text,
                           struct arena *arena);

/* What one generation does with one condition by itself; `sentence` and `tried` may be NULL. */
enum startup_outcome startup_rule(enum startup_condition condition, enum generation generation, const char **sentence,
                                  bool *tried);

/* Generations with the same outcome for the same reason. */
struct startup_group {
    const struct startup_verdict *verdict; /* of the first */
    unsigned generations;                  /* bit 1 << enum generation */
};

/* The verdicts in groups, the worst first; returns how many. */
size_t startup_groups(const struct startup *startup, struct startup_group groups[GENERATIONS]);

/* A set of generations in words: "Redis 3.0 to 6.2, Valkey 7.2", "every version". NULL without memory. */
char *startup_generations(struct arena *arena, unsigned generations);

/* The file is damaged: it is cut or broken, or something else than a newer grammar keeps some generation from starting
 * with a right view. */
bool startup_damaged(const struct startup *startup);

/* "two-myself"; "another line has the flag myself". */
const char *startup_word(enum startup_condition condition);
const char *startup_means(enum startup_condition condition);
enum startup_class startup_class(enum startup_condition condition);

/* "starts", "refuses", "crashes". A wrong view is a verdict of its own. */
const char *startup_outcome_word(enum startup_outcome outcome);

#endif
