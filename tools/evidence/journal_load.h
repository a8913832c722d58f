/* What servers make of one append-only file when they load it. */
#ifndef RCF_JOURNAL_LOAD_H
#define RCF_JOURNAL_LOAD_H

#include "tools/evidence/journal.h"

enum journal_outcome {
    JOURNAL_LOADS,
    JOURNAL_CUTS,    /* takes the file for cut short: with aof-load-truncated yes, and in the last file of all, the server
                      * cuts it on disk and starts; else it refuses */
    JOURNAL_CRASHES, /* may: by a command with too few words, or DISCARD */
    JOURNAL_UNSURE,  /* a module or a renamed command decides */
    JOURNAL_REFUSES,
};

struct journal_load {
    enum journal_outcome outcome;
    const char *why;    /* static, the journal's, or in the arena; NULL for a file that simply loads */
    struct place place; /* of what decides */
    uint64_t cut_to;    /* JOURNAL_CUTS: the size of the file afterwards */
};

/* By the rules of a server, the newest known when it is unknown; the first thing in the file that ends a load decides.
 * The values of a dump at the head are not judged. `why` may be allocated; NULL then says that there is no memory. */
struct journal_load journal_load_by(struct arena *arena, const struct journal *journal, struct server server);

/* The same for all servers that differ, in a sentence: "Redis 3.0 to 3.2: refuses at offset 0 (...); Redis 4.0 up to 4.0.11
 * to Valkey 9.2: loads". NULL when all load it, and without memory. */
const char *journal_load_table(struct arena *arena, const struct journal *journal);

/* "loads", "cuts", "may crash", "unsure", "refuses". */
const char *journal_outcome_word(enum journal_outcome outcome);

#endif
