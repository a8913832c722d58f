/* Sets of slots as plans speak of them: "0-99,200-200" from a user, "0-99 200" for a script. */
#ifndef RCF_PLAN_SLOT_SET_H
#define RCF_PLAN_SLOT_SET_H

#include <stdbool.h>

#include "parsers/bytes/keyslot.h"
#include "parsers/memory/arena.h"

struct slot_set {
    bool has[SLOT_COUNT];
    unsigned count;
};

/* Adds the slots of a list such as "0-99,5460,10923-10955". False for anything else; a slot twice is no fault. */
bool slot_set_read(const char *text, struct slot_set *set);

void slot_set_add(struct slot_set *set, unsigned slot);

/* Slots and ranges, ascending, with `between` ("," or " ") between them; "" for none. NULL without memory. */
const char *slot_set_text(const struct slot_set *set, char between, struct arena *arena);

/* For a sentence: "slot 4", "slots 4-5,10928". NULL without memory. */
const char *slot_set_words(const struct slot_set *set, struct arena *arena);

#endif
