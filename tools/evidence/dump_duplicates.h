/* Keys that a database of a dump has twice: a server refuses such a dump, or keeps one of them. */
#ifndef RCF_DUMP_DUPLICATES_H
#define RCF_DUMP_DUPLICATES_H

#include "tools/evidence/distinct.h"
#include "tools/evidence/dump.h"

struct duplicates {
    const struct dump_how *how;
    uint64_t keys;     /* in the dump */
    uint64_t compared; /* the first so many: in, those with fingerprints; out, those that were compared in the end */
    uint64_t end;      /* offset at which the dump ends */
};

/* Looks at the keys whose fingerprints are the same, in a second pass, and tells the builder RDB_DUPLICATE_KEY at each
 * later record. False without memory. */
bool dump_duplicates(struct duplicates *duplicates, struct distinct *distinct, struct dump_builder *builder);

#endif
