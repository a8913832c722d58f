/* Which server versions would load a dump at start, and with what result.
 *
 * Judged by the version in the header and by the defects that were found, with the servers' default settings
 * (rdbchecksum yes, sanitize-dump-payload no, 16 databases, no modules). What the servers do is in loaders.def; the rows
 * of Redis 7.0 were seen on a real server, the others follow from the sources.
 */
#ifndef RCF_LOADERS_H
#define RCF_LOADERS_H

#include "tools/evidence/dump.h"

enum loader_outcome {
    LOADER_LOADS,   /* starts, and holds what the dump says */
    LOADER_DIFFERS, /* starts, but holds something else than the dump says, or a damaged value */
    LOADER_UNSURE,  /* not decided by what is known */
    LOADER_REFUSES, /* does not start */
    LOADER_OUTCOMES
};

struct loader {
    const char *server; /* "Redis 7.0"; static */
    enum loader_outcome outcome;
    bool proved;     /* seen on a real server; else by rule */
    const char *why; /* static, or in the arena; NULL for a dump that simply loads */
};

/* The servers that are known, oldest first within a product. */
size_t loaders_count(void);

/* What each of them makes of the dump, into `loaders`, which has room for loaders_count(). False without memory. */
bool loaders_judge(struct arena *arena, const struct dump *dump, struct loader *loaders);

/* "loads", "differs", "unsure", "refuses". */
const char *loader_outcome_word(enum loader_outcome outcome);

#endif
