/* Which of very many things are not distinct, by fingerprints of 64 bits.
 *
 * Things are added as they come; at the end the fingerprints that came more than once are known. Of each, 5 bytes are
 * kept that tell 52 of its bits, or 7 that tell them all. Two things may share one by accident (of ten million, with 52
 * bits, in one case of ninety; with 64, of 370,000), so what is found are candidates: a second look at the things
 * themselves tells.
 */
#ifndef RCF_DISTINCT_H
#define RCF_DISTINCT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parsers/parse.h"

struct distinct;

/* At most about `most` bytes will be used. `exact`: all 64 bits are kept. NULL without memory. */
struct distinct *distinct_new(uint64_t most, bool exact);
void distinct_free(struct distinct *distinct);

/* The fingerprint of a key in a database; those of many. */
uint64_t distinct_key(uint32_t db, struct bytes name);
void distinct_keys(uint32_t db, const struct bytes *names, size_t count, uint64_t *fingerprints);

/* Adds fingerprints and says how many of them; fewer than `count` when memory or the limit is exhausted: nothing is
 * added from then on. */
size_t distinct_add(struct distinct *distinct, const uint64_t *fingerprints, size_t count);

/* What is kept of a fingerprint. */
uint64_t distinct_kept(const struct distinct *distinct, uint64_t fingerprint);

/* What was kept of the fingerprints that were added more than once, each once, ascending; freed by the caller with free(). NULL with a
 * count of 0 when there are none. False without memory. To be asked once; up to `threads` threads look. */
bool distinct_repeated(struct distinct *distinct, unsigned threads, uint64_t **repeated, size_t *count);

#endif
