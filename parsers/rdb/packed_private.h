/* Private to the readers of packed encodings: what packed.c gives to the four forms and asks of them. */
#ifndef RCF_PACKED_PRIVATE_H
#define RCF_PACKED_PRIVATE_H

#include "parsers/rdb/packed.h"
#include "parsers/rdb/rdb.h"

/* One of the ways in which an entry of a listpack or ziplist is encoded. Its head holds a number, or the length of a
 * string: in the lower bits of the whole head (big-endian), or in the bytes behind the first (little-endian). Of these
 * bits, (bits ^ flip) - less is the value: a sign bit in both `flip` and `less` extends the sign. */
struct packed_kind {
    bool integer;
    bool little;
    uint8_t head; /* bytes */
    uint64_t mask;
    uint64_t flip, less;
    /* Values from here on, so many, have a narrower kind, and servers use it. */
    uint64_t narrow_from, narrow_count;
};

/* Parts of a row for a number of so many bits. */
#define PACKED_MASK(bits) .mask = UINT64_MAX >> (64 - (bits))
#define PACKED_SIGN(bits) .flip = 1ull << ((bits)-1), .less = 1ull << ((bits)-1)
#define PACKED_NARROW_SIGNED(bits) .narrow_from = -(1ull << ((bits)-1)), .narrow_count = 1ull << (bits)

/* Reads a head; gives the number, or the length of the string that follows. */
static inline __attribute__((always_inline)) uint64_t packed_value(const struct packed_kind *kind,
                                                                   struct cursor *cursor)
{
    uint64_t bits;
    if (kind->little) {
        cursor_u8(cursor);
        bits = cursor_le(cursor, kind->head - 1u);
    } else {
        bits = cursor_be(cursor, kind->head) & kind->mask;
    }
    return (bits ^ kind->flip) - kind->less;
}

static inline bool packed_fits_narrower(const struct packed_kind *kind, uint64_t value)
{
    return value - kind->narrow_from < kind->narrow_count;
}

static inline void packed_fill(struct packed_entry *entry, const struct packed_kind *kind, uint64_t value,
                               struct bytes text, uint64_t offset, uint64_t length)
{
    entry->word.integer = kind->integer;
    entry->word.number = (int64_t)value;
    entry->word.text = text;
    entry->place = (struct place){.offset = offset, .length = length};
}

/* Reports what a server would have encoded otherwise. */
void packed_check_kind(struct packed *packed, const struct packed_kind *kind, const struct packed_entry *entry);

/* Queues damage at a place in the blob. */
void packed_report(struct packed *packed, enum rdb_defect defect, uint64_t offset, uint64_t length,
                   const char *expected, const char *format, ...) __attribute__((cold, format(printf, 6, 7)));

/* Gives the first damage that waits, and after the last PARSE_ITEM with the entry, PARSE_END or PARSE_STOP. */
enum parse_step packed_deliver(struct packed *packed, enum parse_step step, struct packed_entry *entry);

/* Stops because of what was found from `offset` to the end. */
enum parse_step packed_stop(struct packed *packed, uint64_t offset, const char *expected, const char *found)
    __attribute__((cold));

/* The same at the end of the bytes, where the terminator should have been. */
enum parse_step packed_cut(struct packed *packed, uint64_t offset, const char *expected, const char *found)
    __attribute__((cold));

/* Ends behind the terminator: compares size and count. */
enum parse_step packed_finish(struct packed *packed, struct packed_entry *entry);

/* The text is that of an integer of 64 bits, as a server would write it, so that it would store the integer. */
bool packed_is_integer(struct bytes text);

/* Not the digits of an integer, which are to be stored as one. */
static inline bool packed_as_written(const struct rdb_scalar *word)
{
    return !word->text.len || word->text.at[0] > '9' || !packed_is_integer(word->text);
}

/* Past the next entry, whose word it gives. False, with the cursor anywhere, where something is wrong with it; that
 * a text is not an integer's digits is for the caller to see. The cursor is over entries without the end mark, and not at its
 * end. */

bool listpack_take_rare(struct cursor *cursor, struct rdb_scalar *word);

static inline __attribute__((always_inline)) bool listpack_take(struct cursor *cursor, struct rdb_scalar *word)
{
    enum { TEXT = 0x80, RARE = 0xc0 }; /* from here on: lengths in six bits, other kinds; below: numbers of seven bits */
    uint8_t first = *cursor->at;
    if (first >= RARE) {
        /* Copies, so that what most entries need stays in registers. */
        struct cursor other = {cursor->start, cursor->at, cursor->end, false};
        struct rdb_scalar rare;
        bool taken = listpack_take_rare(&other, &rare);
        cursor->at = other.at;
        *word = rare;
        return taken;
    }
    if (first < TEXT) {
        struct bytes entry = cursor_take(cursor, 2);
        *word = (struct rdb_scalar){.integer = true, .number = first};
        return entry.len && entry.at[1] == 1;
    }
    size_t size = first - TEXT;
    struct bytes entry = cursor_take(cursor, size + 2);
    *word = (struct rdb_scalar){.text = {entry.at + 1, size}};
    return entry.len && entry.at[size + 1] == size + 1;
}

/* The same of a ziplist; `before` is the length of the entry before, and becomes that of this one. */
bool ziplist_take(struct cursor *cursor, uint64_t *before, struct rdb_scalar *word);

/* The forms. A head leaves the cursor at the first entry; false when there is none, with the reason reported. */
bool listpack_head(struct packed *packed);
enum parse_step listpack_next(struct packed *packed, struct packed_entry *entry);
size_t listpack_read(struct packed *packed, struct packed_entry *entries, size_t most);
bool ziplist_head(struct packed *packed);
enum parse_step ziplist_next(struct packed *packed, struct packed_entry *entry);
bool intset_head(struct packed *packed);
enum parse_step intset_next(struct packed *packed, struct packed_entry *entry);
bool zipmap_head(struct packed *packed);
enum parse_step zipmap_next(struct packed *packed, struct packed_entry *entry);

#endif
