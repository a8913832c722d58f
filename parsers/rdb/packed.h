/* The packed encodings that small collections have inside an RDB string: listpack, ziplist, intset, zipmap.
 *
 * All four are runs of entries that are either integers or strings; packed_next() gives one at a time. Nothing is
 * copied: strings are borrowed from the blob. A structure lives on the caller's stack, one per blob.
 *
 * Every redundant fact of the form is compared: the stated size with the blob's, the stated count with the entries
 * seen, a ziplist's tail offset and previous lengths, a listpack's back lengths, the terminator and that nothing
 * follows it, an intset's order. What no server writes is reported too: a number or a length in a wider form than it
 * needs, a number as text. Contradictions come as PARSE_DAMAGE where they are found, before the entry that they are in;
 * where the next entry cannot be found any more comes PARSE_STOP, and nothing of what follows is given. The forms, and
 * what is wider than needed but legal: docs/formats/rdb.md.
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
    int64_t number;    /* meaningless when not `integer` */
    struct bytes text; /* empty when `integer`; else borrowed */
};

struct packed_entry {
    struct rdb_scalar word;
    struct place place; /* of the entry, in the blob */
};

enum { PACKED_DAMAGES = 4, PACKED_FOUND_TEXT = 72 };

#define PACKED_UNSTATED UINT64_MAX

/* Members are the reader's own. Not to be moved or copied while in use. */
struct packed {
    /* What the next call does: read an entry of the form, or give what waits. */
    enum parse_step (*next)(struct packed *packed, struct packed_entry *entry);
    struct cursor cursor;
    uint64_t seen;       /* entries given */
    uint64_t stated;     /* entries by the header; PACKED_UNSTATED when it does not say */
    uint64_t size;       /* of the blob, by the header; its own where the form does not state it */
    uint64_t tail;       /* ziplist: offset of the last entry, by the header */
    uint64_t before;     /* ziplist: bytes of the entry before */
    int64_t last_number; /* intset: the number before */
    enum packed_form form;
    uint8_t width;         /* intset: bytes of a number */
    enum parse_step after; /* when no damage waits any more; PARSE_DAMAGE: reading goes on */
    uint8_t queued, given; /* damages */
    struct damage damages[PACKED_DAMAGES];
    char found[PACKED_DAMAGES][PACKED_FOUND_TEXT];
    struct packed_entry held; /* behind the damages that are in it */
};

/* A reader over a blob, which must outlive it. */
void packed_open(struct packed *packed, enum packed_form form, struct bytes blob);

/* The next entry; see parsers/parse.h. A zipmap gives keys and values in turn. */
static inline enum parse_step packed_next(struct packed *packed, struct packed_entry *entry)
{
    return packed->next(packed, entry);
}

/* The same as so many calls that give an entry each, and quicker: up to `most`, as long as they are as usual. 0 says
 * nothing but that packed_next() is to be asked. */
size_t packed_read(struct packed *packed, struct packed_entry *entries, size_t most);

/* Goes on, behind an entry, with the one at an offset in the blob that packed_next() has told before. What is read
 * twice is counted twice. */
static inline void packed_seek(struct packed *packed, uint64_t offset)
{
    packed->cursor.at = packed->cursor.start;
    cursor_take(&packed->cursor, offset);
}

/* After PARSE_DAMAGE or PARSE_STOP: what was found. Its place counts from the start of the blob; its code is an enum
 * rdb_defect; `expected` is static, so the same defect has the same pointer. Borrowed until the next call. */
const struct damage *packed_damage(const struct packed *packed);

/* How many entries the header of a blob states, from its first bytes alone (11 suffice); keys and values of a zipmap
 * both count. False when it does not say so (zipmaps with 254 or more, listpacks and ziplists with 65535 or more) or is
 * too short. For statistics, not for trust. */
bool packed_stated(enum packed_form form, struct bytes head, uint64_t *entries);

/* "listpack", "ziplist", "intset", "zipmap". */
const char *packed_form_name(enum packed_form form);

/* The decimal text of a word, as a server shows it. `room` is for the digits of an integer; a string is given as it
 * is. */
enum { RDB_SCALAR_ROOM = 24 };
struct bytes rdb_scalar_text(const struct rdb_scalar *scalar, char room[RDB_SCALAR_ROOM]);

#endif
