/* Which keys certainly remain when append-only files are replayed, command by command.
 *
 * The journal (tools/evidence/journal.h) bounds what may be there; this second pass proves what is there, or that
 * nothing is, as long as every command is one whose effect on the existence of a key is known. Keys are told apart by
 * 128-bit fingerprints, so memory grows with their number: up to REMAINS_MOST keys are told apart, further ones make
 * the answer a lower bound.
 */
#ifndef RCF_REMAINS_H
#define RCF_REMAINS_H

#include "tools/evidence/evidence.h"

enum { REMAINS_MOST = 1 << 22 };

struct remains {
    bool read;          /* every file could be read a second time */
    uint64_t keys;      /* certainly there, an expiry aside: nothing expires while a server loads */
    bool none;          /* proved: no key in any database */
    uint64_t functions; /* libraries that remain; a lower bound unless functions_known, 0 is exact only then */
    bool functions_known;
};

/* Replays the files of a case in this order on an empty server. `cluster`: databases other than 0 cannot be selected
 * (before Valkey 9). Where a file ends inside MULTI, the version decides whether the transaction counts. False without
 * memory. */
bool remains_of(const struct evidence *evidence, const size_t *files, size_t count, bool cluster, struct server server,
                struct remains *remains);

#endif
