/* Comparing files as they are with a list of their hashes. */
#ifndef RCF_VERIFY_H
#define RCF_VERIFY_H

#include "tools/evidence/evidence.h"

enum verify_state { VERIFY_MATCHED, VERIFY_CHANGED, VERIFY_MISSING, VERIFY_NEW, VERIFY_STATES };

struct verify_row {
    enum verify_state state;
    const char *path;               /* as listed, without "./" in front; of a new file as shown */
    const struct collected *listed; /* NULL for VERIFY_NEW */
    size_t file;                    /* of the evidence; SIZE_MAX for VERIFY_MISSING */
};

struct verify {
    const struct verify_row *rows; /* by path */
    size_t count;
    size_t counts[VERIFY_STATES];
};

/* Compares by path and hash. Files that were not read are left out, and so is the list itself, known by `list_sha256`.
 * What it gives is allocated from `arena`. False without memory. */
bool verify(const struct evidence *evidence, const struct collection *list, const char *list_sha256,
            struct arena *arena, struct verify *verify);

/* "matched", "changed", "missing", "new". */
const char *verify_state_name(enum verify_state state);

#endif
