/* What one file is, in words: which version wrote it, and whether it is whole. */
#ifndef RCF_CONDITION_H
#define RCF_CONDITION_H

#include "tools/evidence/evidence.h"

enum completeness {
    CONDITION_UNKNOWN, /* a kind that has no end of its own, a file that was not loaded, or a dump that is not known */
    CONDITION_WHOLE,
    CONDITION_DAMAGED, /* cut off, or its content breaks its format */
};

/* Whether the file is whole. `why` gets the first thing that is wrong or not known, or NULL; allocated from the evidence. */
enum completeness condition_of(const struct evidence *evidence, size_t file, const char **why);

/* "RDB 8, Redis 4.0.1" for a dump, "Valkey 8.0.1" for a log, "4.0 or newer" for node lines; NULL when the file does not
 * show it. */
const char *condition_version(const struct evidence *evidence, size_t file);

/* What the grammar of a view proves about the server that wrote it; the version is the oldest that writes so, and where
 * several products do, the product is unknown. `basis` says it in words, NULL for a view without nodes. */
struct server condition_grammar(const struct view *view, const char **basis);

#endif
