/* Values of a message by their kind. */
#ifndef RCF_LOG_VALUE_H
#define RCF_LOG_VALUE_H

#include "parsers/log/log.h"

enum { LOG_NO_VALUE = -1 };

/* How many bytes at the start of `text` are a value of the kind, as many as possible; LOG_NO_VALUE when none. Not for
 * LOG_KIND_TEXT, whose end only the words behind it tell. */
int log_value_length(enum log_kind kind, struct bytes text);

/* The field of such bytes, or of a text. */
struct log_field log_value(enum log_field_id id, struct bytes text);

/* The field of a word of log_fields.def; LOG_FIELD_IDS when it is none. */
enum log_field_id log_field_of(struct bytes word);

#endif
