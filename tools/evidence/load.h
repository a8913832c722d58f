/* Reading one file of the case: recognised, loaded and hashed in one pass, opening first, then loading. */
#ifndef RCF_LOAD_H
#define RCF_LOAD_H

#include "tools/evidence/evidence.h"
#include "tools/evidence/identify.h"

/* A file that was opened and recognised; kinds that are read as one text were read and hashed. */
struct opened {
    struct source *source; /* NULL without memory */
    struct identity identity;
    struct bytes text; /* of the source */
    bool too_long;     /* there is more of it than a text may have */
};

/* Opens a file of a case. Looks at its names only and at nothing else of the case, so threads may open several files
 * at a time; the caller closes the source, or gives it to load_file(). */
struct opened load_open(const struct evidence_file *file, bool facts_only);

struct loading {
    struct evidence *evidence;
    bool facts_only;   /* recognise and hash, load nothing */
    size_t *manifests; /* numbers of the AOF manifests loaded so far */
    size_t manifest_count, manifest_cap;
};

enum load { LOAD_DONE, LOAD_LATER, LOAD_NO_MEMORY };

/* Loads what the kind of file `number` holds, and closes its source. LOAD_LATER: an append-only file, or a dump that a
 * manifest loaded before names; only its kind is known, since how it is read depends on its instance. See
 * load_journal(). */
enum load load_file(struct loading *loading, size_t number, const struct opened *opened);

/* Loads an append-only file for a server; see journal_read(). False without memory. */
bool load_journal(struct evidence *evidence, size_t number, bool cluster, struct server server);

#endif
