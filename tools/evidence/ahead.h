/* Files opened, recognised and read while earlier ones are loaded, on the processors that there are.
 *
 * Loading goes on in one thread and in one order, whatever the number of processors: what is loaded, and the numbers
 * that nodes and entries get, never depend on it. What waits is bounded: so many files, and so many bytes of texts.
 */
#ifndef RCF_AHEAD_H
#define RCF_AHEAD_H

#include "tools/evidence/load.h"

struct ahead;

/* Begins to open `files[order[0]]` to `files[order[count - 1]]`; see load_open(). Both arrays stay the caller's, and
 * the names of a file must not change before ahead_stop(). NULL without memory. */
struct ahead *ahead_start(const struct evidence_file *files, const size_t *order, size_t count, bool facts_only);

/* The next file in that order, to be called at most `count` times. Its source becomes the caller's. */
struct opened ahead_next(struct ahead *ahead);

/* Ends the threads and what they have opened for nobody. NULL is allowed. */
void ahead_stop(struct ahead *ahead);

#endif
