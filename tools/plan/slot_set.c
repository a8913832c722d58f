#include "tools/plan/slot_set.h"

#include <string.h>

#include "parsers/bytes/text.h"

void slot_set_add(struct slot_set *set, unsigned slot)
{
    set->count += !set->has[slot];
    set->has[slot] = true;
}

static bool read_slot(const char *text, size_t len, unsigned *slot)
{
    uint64_t number;
    if (!text_u64((struct bytes){(const uint8_t *)text, len}, &number) || number >= SLOT_COUNT)
        return false;
    *slot = (unsigned)number;
    return true;
}

bool slot_set_read(const char *text, struct slot_set *set)
{
    for (const char *at = text;; at++) {
        size_t len = strcspn(at, ","), first_len = strcspn(at, ",-");
        unsigned first, last;
        if (!read_slot(at, first_len, &first))
            return false;
        last = first;
        if (first_len < len && (!read_slot(at + first_len + 1, len - first_len - 1, &last) || last < first))
            return false;
        for (unsigned slot = first; slot <= last; slot++)
            slot_set_add(set, slot);
        at += len;
        if (!*at)
            return true;
    }
}

const char *slot_set_text(const struct slot_set *set, char between, struct arena *arena)
{
    enum { WIDEST = 12 }; /* "16382-16383," */
    unsigned runs = 0;
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
        runs += set->has[slot] && (slot == 0 || !set->has[slot - 1]);
    size_t cap = (size_t)runs * WIDEST + 1, used = 0;
    char *text = arena_alloc(arena, cap);
    if (!text)
        return NULL;
    text[0] = '\0';
    for (unsigned first = 0, last; first < SLOT_COUNT; first = last + 1) {
        last = first;
        if (!set->has[first])
            continue;
        while (last + 1 < SLOT_COUNT && set->has[last + 1])
            last++;
        const char *run = first == last ? arena_format(arena, "%u", first) : arena_format(arena, "%u-%u", first, last);
        if (!run)
            return NULL;
        if (used)
            text[used++] = between;
        memcpy(text + used, run, strlen(run) + 1);
        used += strlen(run);
    }
    return text;
}

const char *slot_set_words(const struct slot_set *set, struct arena *arena)
{
    const char *text = slot_set_text(set, ',', arena);
    return text ? arena_format(arena, "slot%s %s", set->count == 1 ? "" : "s", text) : NULL;
}
