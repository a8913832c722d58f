/* The table of wordings (log_wordings.def), made to be searched: which wording is a message, and what are its values.
 *
 * A message is found by its first ten or four or by its last four bytes; most messages of no interest end there. Wordings that share
 * these bytes are tried in an order in which one that fails takes all with it that begin alike.
 */
#ifndef RCF_LOG_WORDS_H
#define RCF_LOG_WORDS_H

#include "parsers/log/wording.h"

struct log_words;

enum { LOG_NO_WORDING = -1 };

/* A table to search in, about 170 KiB, of one thread. NULL without memory. */
struct log_words *log_words_new(void);

/* NULL is allowed. */
void log_words_free(struct log_words *words);

/* The row of the wording that the message is, and its values, none of LOG_OTHER; LOG_NO_WORDING when it is none. */
int log_words_find(struct log_words *words, struct bytes message, struct log_values *values);

#endif
