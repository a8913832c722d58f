/* What occurrences add up to: a failover, an outage, a membership that began or ended, and what must have happened although
 * nobody wrote it down. */
#ifndef RCF_EPISODE_H
#define RCF_EPISODE_H

#include "tools/history/history.h"

enum episode_kind {
#define EPISODE(id, word, meaning) EPISODE_##id,
#include "tools/history/episodes.def"
#undef EPISODE
    EPISODE_KINDS
};

/* How it is known. */
enum episode_basis {
    BASIS_STATED,   /* lines say so */
    BASIS_INFERRED, /* files or epochs leave no other reading; `basis` says which */
    BASIS_GAP,      /* something of this kind happened and left nothing that tells what; `basis` says why it must have */
};

struct episode {
    enum episode_kind kind;
    enum episode_basis how;
    struct moment begin, end;   /* the same when it is a moment; CLOCK_NONE: not known */
    const char *node;           /* id of its subject, or NULL */
    const char *peer;           /* id of the other node: the winner of a failover, the new primary, ..., or NULL */
    size_t instance;            /* of its subject, or SIZE_MAX */
    int64_t epoch;              /* -1: none */
    const char *slots;          /* ranges as text, or NULL */
    const char *title;          /* "7001 took over from 8000, epoch 11": one line, safe to print once escaped */
    const char *cause;          /* why, where a rule supports it, or NULL */
    const char *basis;          /* what it rests on, where it is not stated, or NULL */
    const char *const *details; /* further lines: delays, votes, offsets, windows */
    size_t detail_count;
    const size_t *occurrences; /* indexes in history->occurrences, in order: the evidence */
    size_t occurrence_count;
};

/* Puts what the occurrences add up to into history->episodes. The occurrences must stand in the order of time. Everything
 * lives in the history's arena. False without memory. */
bool episodes_build(struct history *history);

/* "failover", its meaning in a sentence; "stated", "inferred", "gap". Static. */
const char *episode_word(enum episode_kind kind);
const char *episode_meaning(enum episode_kind kind);
const char *episode_basis_word(enum episode_basis basis);

#endif
