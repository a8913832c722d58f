/* The value of a key as one JSON object on one line, written element by element (parsers/rdb/value.h), so that a value
 * of any size takes the memory of its largest element.
 *
 *   string  {"string": W}
 *   list    {"items": [{"item": W}, ...]}
 *   set     {"members": [{"member": W, "expires": TIME}, ...]}
 *   zset    {"members": [{"member": W, "score": NUMBER}, ...]}
 *   hash    {"fields": [{"field": W, "value": W, "expires": TIME}, ...]}
 *   array   {"elements": [{"index": COUNT, "value": W}, ...]}
 *   stream  {"entries": [{"id": ID, "deleted": BOOL, "fields": [{"field": W, "value": W}, ...]}, ...], "length": COUNT,
 *            "last_id": ID, "first_id": ID, "max_deleted_id": ID, "entries_added": COUNT, "groups": [...],
 *            "producers": [...]}
 *   module  {"module": W, "encoding_version": COUNT, "values": [...]}: {"integer": COUNT}, {"float": NUMBER} or
 *           {"string": W}
 *   others  {"opaque_base64": [TEXT, ...]}
 *
 * A group is {"name": W, "last_delivered_id": ID, "entries_read": COUNT or null, "pending": [{"id": ID, "delivered":
 * TIME, "deliveries": COUNT}, ...], "consumers": [{"name": W, "seen": TIME, "active": TIME or null, "pending": [ID,
 * ...]}, ...], "given_back": [ID, ...]}, a producer {"name": W, "entries": [{"name": W, "id": ID}, ...]}.
 *
 * A word W of evidence is a JSON string, in a member of its own: exactly its bytes when they are UTF-8, else the
 * printable form, and the truth beside it in KEY_base64, as in all documents of rcf. Elements are objects for that
 * reason: an array of strings would have no place for the truth. COUNT, ID (milliseconds-sequence) and NUMBER are
 * strings too, so no digit is lost: a NUMBER reads back as the same double, or is inf, -inf, nan. "expires" is absent
 * where nothing expires; so are given_back and producers where there are none, and first_id, max_deleted_id and
 * entries_added where the form of the stream is too old to tell. Order is that of the dump.
 */
#ifndef RCF_VALUE_JSON_H
#define RCF_VALUE_JSON_H

#include "parsers/rdb/value.h"
#include "tools/render/out.h"

enum { VALUE_JSON_LEVELS = 4 };

/* Its members are the writer's own. */
struct value_json {
    struct out *out;
    unsigned depth; /* objects that are open; the value itself is the first */
    struct {
        const char *array;       /* the one that is open, or NULL */
        unsigned children, seen; /* arrays that it is to have, and has: a bit for each kind of their elements */
        bool used;               /* it has a member */
    } level[VALUE_JSON_LEVELS];
};

/* Begins the object of a value. */
void value_json_begin(struct value_json *writer, struct out *out, enum rdb_datatype datatype);

/* The next element, in the order of rdb_value_next(). */
void value_json_element(struct value_json *writer, const struct rdb_element *element);

/* Ends the object, after the last element or where reading stopped. */
void value_json_end(struct value_json *writer);

/* The whole value of a string key. */
void value_json_string(struct out *out, const struct rdb_scalar *word);

/* A double that reads back as itself, in few digits: 1, -0.5, 1e+100, 0.1, inf, -inf, nan. */
void value_json_double(struct out *out, double number);

#endif
