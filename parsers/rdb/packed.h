/* The packed encodings that small collections have inside an RDB string: listpack, ziplist, intset, zipmap.
 *
 * All four are runs of entries that are either integers or strings; packed_next() gives one at a time. Nothing is
 * copied: strings are borrowed from the blob. A structure lives on the caller's stack, one per blob.
 *
 * Every redundant fact of the form is compared: the stated size with the blob's, the stated count with the entries seen,
 * a ziplist's tail offset and previous lengths, a listpack's back lengths, the terminator and that nothing follows it,
 * an intset's order, a zipmap's length forms. Contradictions come as PARSE_DAMAGE where they are found, once each; where
 * the next entry cannot be found any more comes PARSE_STOP, and nothing of what follows is given. Forms:
 * docs/formats/rdb.md.
 */
#ifndef RCF_PACKED_H
#define RCF_PACKED_H

#include <stdbool.h>

#include "parsers/bytes/cursor.h"
#include "parsers/parse.h"

enum packed_form { PACKED_LISTPACK, PACKED_ZIPLIST, PACKED_INTSET, PACKED_ZIPMAP, PACKED_FORMS };

/* A word of a collection: an integer in binary form, or bytes. A server shows the integer as its decimal text. */
struct rdb_scalar {
    bool integer;
    int64_t number;
    struct bytes text; /* when not `integer`; borrowed */
};

struct packed_entry {
    struct rdb_scalar word;
    struct place place; /* of the entry, in the blob */
};

/* Members are the reader's own. */
struct packed {
    enum packed_form form;
    struct cursor cursor;
    uint64_t seen;     /* entries given */
    uint64_t stated;   /* by the header; PACKED_UNSTATED when it does not say */
    uint64_t stated_end; /* offset of the last entry or of the end, where the header states it */
    uint64_t last_length; /* of the entry before, for a ziplist */
    int64_t last_number;  /* intset: the number before */
    uint8_t width;        /* intset: bytes of a number */
    uint8_t state;        /* the form's own */
    uint8_t queued;       /* damages that wait */
    struct damage damages[2];
    char found[2][64];
    struct damage damage; /* the last given */
};

#define PACKED_UNSTATED UINT64_MAX

/* A reader over a blob, which must outlive it. Reads nothing yet. */
void packed_open(struct packed *packed, enum packed_form form, struct bytes blob);

/* The next entry; see parsers/parse.h. A zipmap gives keys and values in turn. */
enum parse_step packed_next(struct packed *packed, struct packed_entry *entry);

/* After PARSE_DAMAGE or PARSE_STOP: what was found. Its place counts from the start of the blob; its code is an enum
 * rdb_defect. Borrowed until the next call. */
const struct damage *packed_damage(const struct packed *packed);

/* How many entries the header of a blob states, from its first bytes alone (11 suffice): false when it does not say so
 * (zipmaps with 254 or more, listpacks and ziplists with 65535 or more) or is too short. For statistics, not for
 * trust. */
bool packed_stated(enum packed_form form, struct bytes head, uint64_t *entries);

/* "listpack", "ziplist", "intset", "zipmap". */
const char *packed_form_name(enum packed_form form);

/* The decimal text of a word, as a server shows it. `room` is for the digits of an integer; a string is given as it
 * is. */
enum { RDB_SCALAR_ROOM = 24 };
struct bytes rdb_scalar_text(const struct rdb_scalar *scalar, char room[RDB_SCALAR_ROOM]);

#endif
