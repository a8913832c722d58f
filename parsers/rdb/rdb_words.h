/* Private to parsers/rdb: which words of a collection occur twice.
 *
 * While all of them stay in memory (a packed blob), words are compared with each other as they come. Otherwise, and
 * where there are many or somebody made them collide, each is kept as 16 bytes, 96 bits of its hash and its number,
 * and twins are found at the end. Time grows with n log n whatever the words are.
 */
#ifndef RCF_RDB_WORDS_H
#define RCF_RDB_WORDS_H

#include "parsers/rdb/packed.h"

struct rdb_words;

/* NULL without memory. */
struct rdb_words *rdb_words_new(void);
void rdb_words_free(struct rdb_words *words);

/* Forgets all words. `stay`: those to come stay in memory until the end. */
void rdb_words_begin(struct rdb_words *words, bool stay);

/* The next word. True when it is certain that it was there before; then it is the *twin-th, from 0. */
bool rdb_words_add(struct rdb_words *words, const struct rdb_scalar *word, uint64_t *twin);

/* After the last word, again and again: the next two of the same, by their numbers, that rdb_words_add() did not
 * tell. */
bool rdb_words_twins(struct rdb_words *words, uint64_t *first, uint64_t *again);

/* Memory ran out, so that twins may be missing. */
bool rdb_words_failed(const struct rdb_words *words);

#endif
