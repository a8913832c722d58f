/* What the packed encodings have in common: the queue of damages, the end, and words as text. */
#include "parsers/rdb/packed.h"

#include <stdarg.h>
#include <stdio.h>

#include "parsers/rdb/packed_private.h"

static const struct {
    const char *name;
    bool (*head)(struct packed *packed);
    enum parse_step (*next)(struct packed *packed, struct packed_entry *entry);
    size_t (*read)(struct packed *packed, struct packed_entry *entries, size_t most); /* NULL: not worth it */
} forms[PACKED_FORMS] = {
    [PACKED_LISTPACK] = {"listpack", listpack_head, listpack_next, listpack_read},
    [PACKED_ZIPLIST] = {"ziplist", ziplist_head, ziplist_next},
    [PACKED_INTSET] = {"intset", intset_head, intset_next},
    [PACKED_ZIPMAP] = {"zipmap", zipmap_head, zipmap_next},
};

const char *packed_form_name(enum packed_form form)
{
    return forms[form].name;
}

static enum parse_step drain(struct packed *packed, struct packed_entry *entry)
{
    if (packed->given < packed->queued) {
        packed->given++;
        bool stops = packed->given == packed->queued && packed->after == PARSE_STOP;
        return stops ? PARSE_STOP : PARSE_DAMAGE;
    }
    switch (packed->after) {
    case PARSE_ITEM:
        packed->next = forms[packed->form].next;
        *entry = packed->held;
        packed->seen++;
        return PARSE_ITEM;
    case PARSE_DAMAGE:
        packed->next = forms[packed->form].next;
        return packed->next(packed, entry);
    default:
        return packed->after;
    }
}

enum parse_step packed_deliver(struct packed *packed, enum parse_step step, struct packed_entry *entry)
{
    if (step == PARSE_ITEM)
        packed->held = *entry;
    packed->after = step;
    packed->next = drain;
    return drain(packed, entry);
}

void packed_report(struct packed *packed, enum rdb_defect defect, uint64_t offset, uint64_t length,
                   const char *expected, const char *format, ...)
{
    if (packed->given == packed->queued)
        packed->given = packed->queued = 0;
    if (packed->queued == PACKED_DAMAGES)
        return;
    char *found = packed->found[packed->queued];
    va_list args;
    va_start(args, format);
    vsnprintf(found, PACKED_FOUND_TEXT, format, args);
    va_end(args);
    packed->damages[packed->queued++] = (struct damage){
        .place = {.offset = offset, .length = length},
        .code = defect,
        .expected = expected,
        .found = found,
        .resumed = offset + length,
    };
}

const struct damage *packed_damage(const struct packed *packed)
{
    return packed->given ? &packed->damages[packed->given - 1] : NULL;
}

static enum parse_step stop(struct packed *packed, enum rdb_defect defect, uint64_t offset, const char *expected,
                            const char *found)
{
    uint64_t end = cursor_offset(&packed->cursor) + cursor_left(&packed->cursor);
    packed_report(packed, defect, offset, end - offset, expected, "%s", found);
    packed->damages[packed->queued - 1].resumed = end;
    return packed_deliver(packed, PARSE_STOP, NULL);
}

enum parse_step packed_stop(struct packed *packed, uint64_t offset, const char *expected, const char *found)
{
    return stop(packed, RDB_BAD_PACKED, offset, expected, found);
}

enum parse_step packed_cut(struct packed *packed, uint64_t offset, const char *expected, const char *found)
{
    return stop(packed, RDB_BAD_FRAME, offset, expected, found);
}

enum parse_step packed_finish(struct packed *packed, struct packed_entry *entry)
{
    uint64_t end = cursor_offset(&packed->cursor), left = cursor_left(&packed->cursor);
    if (packed->stated != PACKED_UNSTATED && packed->stated != packed->seen)
        packed_report(packed, RDB_BAD_PACKED, 0, end, "as many entries as stated", "%llu instead of %llu",
                      (unsigned long long)packed->seen, (unsigned long long)packed->stated);
    /* Where the stated size is the end, what follows has been reported with it. */
    if (left && end != packed->size)
        packed_report(packed, RDB_BAD_PACKED, end, left, "nothing behind the end", "%llu bytes",
                      (unsigned long long)left);
    return packed_deliver(packed, PARSE_END, entry);
}

void packed_open(struct packed *packed, enum packed_form form, struct bytes blob)
{
    packed->next = forms[form].next;
    packed->cursor = cursor_over(blob);
    packed->seen = 0;
    packed->stated = PACKED_UNSTATED;
    packed->size = blob.len;
    packed->before = 0;
    packed->form = form;
    packed->queued = packed->given = 0;
    packed->after = PARSE_DAMAGE;
    if (!forms[form].head(packed))
        packed->after = PARSE_STOP;
    if (packed->queued)
        packed->next = drain;
}

size_t packed_read(struct packed *packed, struct packed_entry *entries, size_t most)
{
    bool waits = packed->next != forms[packed->form].next;
    return waits || !forms[packed->form].read ? 0 : forms[packed->form].read(packed, entries, most);
}

bool packed_stated(enum packed_form form, struct bytes head, uint64_t *entries)
{
    static const struct {
        uint8_t at, width, each; /* each: entries that one of the count stands for */
        uint32_t least_unknown;  /* 0: all are known */
    } counts[PACKED_FORMS] = {
        [PACKED_LISTPACK] = {4, 2, 1, UINT16_MAX},
        [PACKED_ZIPLIST] = {8, 2, 1, UINT16_MAX},
        [PACKED_INTSET] = {4, 4, 1, 0},
        [PACKED_ZIPMAP] = {0, 1, 2, 254},
    };
    struct cursor cursor = cursor_over(head);
    cursor_take(&cursor, counts[form].at);
    uint64_t count = cursor_le(&cursor, counts[form].width);
    *entries = count * counts[form].each;
    return cursor_ok(&cursor) && (!counts[form].least_unknown || count < counts[form].least_unknown);
}

bool packed_is_integer(struct bytes text)
{
    size_t sign = text.len > 1 && text.at[0] == '-';
    if (text.len == sign || (text.at[sign] == '0' && text.len > 1))
        return false;
    uint64_t number = 0, limit = (uint64_t)INT64_MAX + sign;
    for (size_t i = sign; i < text.len; i++) {
        unsigned digit = text.at[i] - (unsigned)'0';
        if (digit > 9 || number > (limit - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    return true;
}

void packed_check_kind(struct packed *packed, const struct packed_kind *kind, const struct packed_entry *entry)
{
    const struct rdb_scalar *word = &entry->word;
    uint64_t offset = entry->place.offset, length = entry->place.length;
    if (kind->integer && packed_fits_narrower(kind, (uint64_t)word->number))
        packed_report(packed, RDB_BAD_PACKED, offset, length, "the narrowest encoding of a number",
                      "%lld in %u bytes", (long long)word->number, kind->head);
    if (!kind->integer && packed_fits_narrower(kind, word->text.len))
        packed_report(packed, RDB_BAD_PACKED, offset, length, "the narrowest encoding of a length",
                      "%zu with a head of %u bytes", word->text.len, kind->head);
    if (!packed_as_written(word))
        packed_report(packed, RDB_BAD_PACKED, offset, length, "a number in binary form", "its digits");
}

static const char digit_pairs[200] =
    "0001020304050607080910111213141516171819"
    "2021222324252627282930313233343536373839"
    "4041424344454647484950515253545556575859"
    "6061626364656667686970717273747576777879"
    "8081828384858687888990919293949596979899";

struct bytes rdb_scalar_text(const struct rdb_scalar *scalar, char room[RDB_SCALAR_ROOM])
{
    if (!scalar->integer)
        return scalar->text;
    uint64_t number = (uint64_t)scalar->number;
    bool negative = scalar->number < 0;
    if (negative)
        number = -number;
    size_t at = RDB_SCALAR_ROOM;
    for (; number >= 10; number /= 100) {
        at -= 2;
        memcpy(room + at, digit_pairs + number % 100 * 2, 2);
    }
    if (number || at == RDB_SCALAR_ROOM)
        room[--at] = (char)('0' + number);
    if (negative)
        room[--at] = '-';
    return (struct bytes){(const uint8_t *)room + at, RDB_SCALAR_ROOM - at};
}
