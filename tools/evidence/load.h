/* Reading one file of the case: recognised, loaded and hashed in one pass. */
#ifndef RCF_LOAD_H
#define RCF_LOAD_H

#include "tools/evidence/evidence.h"

struct loading {
    struct evidence *evidence;
    bool facts_only;   /* recognise and hash, load nothing */
    size_t *manifests; /* numbers of the AOF manifests loaded so far */
    size_t manifest_count, manifest_cap;
};

enum load { LOAD_DONE, LOAD_LATER, LOAD_NO_MEMORY };

/* Recognises file `number` and loads what its kind holds. LOAD_LATER: an append-only file, or a dump that a manifest
 * loaded before names; only its kind is known, since how it is read depends on its instance. See load_journal(). */
enum load load_file(struct loading *loading, size_t number);

/* Loads an append-only file for a server; see journal_read(). False without memory. */
bool load_journal(struct evidence *evidence, size_t number, bool cluster, struct server server);

#endif
