/* A JSON document (RFC 8259) written piece by piece.
 *
 * Every value takes the key under which it stands; inside an array, and for the outermost value, the key is NULL.
 * 64-bit counters are decimal strings, because many readers keep only 53 bits. A nesting deeper than JSON_DEPTH, an end
 * without a beginning, or a key that is missing or too much fails the output with EINVAL.
 */
#ifndef RCF_JSON_H
#define RCF_JSON_H

#include <stdbool.h>

#include "tools/render/out.h"

enum { JSON_DEPTH = 32 };

enum json_layout {
    JSON_INDENTED, /* a member a line, 2 blanks a level; a line end after the document */
    JSON_LINE      /* one line a document, with its line end */
};

/* Its members are the writer's own; it stands in the open so that a writer needs no memory. */
struct json {
    struct out *out;
    enum json_layout layout;
    unsigned depth;
    struct {
        bool array;
        bool used;
    } level[JSON_DEPTH];
};

/* A writer on an output that outlives it. Several documents may follow each other. */
struct json json_on(struct out *out, enum json_layout layout);

void json_object(struct json *json, const char *key);
void json_array(struct json *json, const char *key);

/* Ends the innermost object or array; ending the outermost ends the document and its line. */
void json_end(struct json *json);

/* A string, or null for NULL. Bytes that are not UTF-8 appear in their printable form. */
void json_text(struct json *json, const char *key, const char *text);

/* The same from bytes, any of them: for words that need no truth beside them. */
void json_string(struct json *json, const char *key, struct bytes bytes);

/* A string that printf makes. */
void json_format(struct json *json, const char *key, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* A string of any bytes: as it is when it is UTF-8, else the printable form under KEY and the truth under KEY_base64.
 * Inside an array only the former is possible. */
void json_bytes(struct json *json, const char *key, struct bytes bytes);

/* A number. Values beyond 2^53 do not survive in every reader: use json_u64() for what can grow so far. */
void json_number(struct json *json, const char *key, int64_t number);

/* A 64-bit counter as a decimal string. */
void json_u64(struct json *json, const char *key, uint64_t value);

/* A time in Unix milliseconds as a string, 2026-11-22T14:52:25.199Z. */
void json_time(struct json *json, const char *key, int64_t ms);

void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);

#endif
