/* One wording against one message. */
#ifndef RCF_LOG_WORDING_H
#define RCF_LOG_WORDING_H

#include "parsers/log/value.h"

/* A piece of a wording's text: words, words that are a value, or a value. */
struct log_part {
    const char *words; /* NULL for a value */
    uint16_t len;      /* of the words */
    uint16_t at;       /* where the words or the value begin in the text */
    uint8_t field;     /* enum log_field_id; LOG_FIELD_IDS for words that are no value */
};

/* Values of one message. */
struct log_values {
    struct log_field fields[LOG_FIELDS_MAX];
    size_t count;
};

/* The piece of a wording's text that begins at `at`, which moves behind it; false at the end. */
bool log_part_next(const char *text, size_t *at, struct log_part *part);

/* Whether the message is this wording, as a whole; then its values, unless `values` is NULL. When it is not, `reach` is how much of the text,
 * in characters, was compared at most: a wording that shares more than that with this one does not match either. */
bool log_wording_match(const struct log_part *parts, size_t count, struct bytes message, struct log_values *values,
                       size_t *reach);

#endif
