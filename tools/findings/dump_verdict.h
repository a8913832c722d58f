/* One dump judged by itself, in the words of the catalogue. */
#ifndef RCF_DUMP_VERDICT_H
#define RCF_DUMP_VERDICT_H

#include "tools/evidence/dump.h"
#include "tools/findings/findings.h"

enum dump_state {
    DUMP_OK,          /* no error; warnings do not count */
    DUMP_DAMAGED,     /* truncated, corrupt, or with a wrong checksum */
    DUMP_UNSUPPORTED, /* nothing is known to be wrong, but not all of it is known: of a newer version, or not read to its end */
    DUMP_UNREADABLE,  /* the evidence failed, not its content */
    DUMP_STATES
};

/* The texts are the dump's, or static. */
struct dump_problem {
    enum finding_id finding;
    bool stop; /* reading ended here; `found` is a whole sentence */
    struct place place;
    const char *expected, *found;
    const char *kind; /* of defect: rdb_defect_name(), or "no-checksum", "stop" */
    struct bytes key; /* in whose record it stands; empty when in none */
};

struct dump_verdict {
    enum dump_state state;
    struct dump_problem *problems; /* the defects in the order of the file, then how the dump ends */
    size_t count;
    uint64_t unlisted; /* defects that the dump counted but did not keep */
    int worst;         /* enum severity of the worst problem, or -1 without any */
};

/* Judges what was read of a dump; everything new lives in `arena`. False without memory. */
bool dump_verdict(struct arena *arena, const struct dump *dump, struct dump_verdict *verdict);

/* "ok", "damaged", "unsupported", "unreadable". */
const char *dump_state_word(enum dump_state state);

/* "valid", "mismatch", "disabled" (stored as 0), "none" (before version 5), "unread" (the end was not reached). */
const char *dump_checksum_word(const struct dump *dump);

#endif
