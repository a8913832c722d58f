#include "tools/evidence/numbering.h"

enum { FIRST_SLOTS = 64 };

static void place(struct numbering *numbering, struct number_slot slot)
{
    size_t at = slot.hash;
    while (numbering->slots[at & numbering->mask].number_after)
        at++;
    numbering->slots[at & numbering->mask] = slot;
}

static bool widen(struct numbering *numbering, struct arena *arena)
{
    size_t count = numbering->slots ? (numbering->mask + 1) * 2 : FIRST_SLOTS;
    struct numbering wider = {.slots = arena_array(arena, count, sizeof(struct number_slot)), .mask = count - 1};
    if (!wider.slots)
        return false;
    for (size_t i = 0; numbering->slots && i <= numbering->mask; i++)
        if (numbering->slots[i].number_after)
            place(&wider, numbering->slots[i]);
    wider.used = numbering->used;
    *numbering = wider;
    return true;
}

bool numbering_add(struct numbering *numbering, struct arena *arena, uint64_t hash, uint32_t number)
{
    if ((!numbering->slots || numbering->used * 2 > numbering->mask) && !widen(numbering, arena))
        return false;
    place(numbering, (struct number_slot){hash, number + 1});
    numbering->used++;
    return true;
}
