/* Words of text evidence: comparing them and reading numbers without locale, sign tricks or overflow. */
#ifndef RCF_TEXT_H
#define RCF_TEXT_H

#include <stdbool.h>

#include "parsers/parse.h"

/* The bytes are exactly this string. */
bool text_is(struct bytes word, const char *string);

/* The same without regard to the case of ASCII letters. */
bool text_is_nocase(struct bytes word, const char *string);

bool text_starts(struct bytes word, const char *prefix);
bool text_ends(struct bytes word, const char *suffix);

/* Where `needle` first stands in `hay`, as an offset; false when nowhere. */
bool text_find(struct bytes hay, const char *needle, size_t *at);

/* Bytes `from` and after; an empty run when there are none. */
struct bytes text_from(struct bytes word, size_t from);

/* The run without blanks, tabs, CR at both ends. */
struct bytes text_trim(struct bytes word);

/* Splits at the first `mark`: `head` before it, `tail` after it. False (head = word, tail empty) when there is none. */
bool text_split(struct bytes word, uint8_t mark, struct bytes *head, struct bytes *tail);

/* The same at the last `mark`. */
bool text_split_last(struct bytes word, uint8_t mark, struct bytes *head, struct bytes *tail);

/* A decimal number of digits only that fits, and nothing else in the word. */
bool text_u64(struct bytes word, uint64_t *value);

/* The same with an optional minus. */
bool text_i64(struct bytes word, int64_t *value);

/* Exactly 40 lowercase hexadecimal digits. */
bool text_is_node_id(struct bytes word);

#endif
