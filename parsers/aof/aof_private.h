/* Commands in the one form in which servers write them, and their words where they lie. */
#ifndef RCF_AOF_PRIVATE_H
#define RCF_AOF_PRIVATE_H

#include "parsers/aof/aof.h"

enum aof_look {
    AOF_LOOK_WHOLE,
    AOF_LOOK_CUT, /* so far as servers write it, and then the window ends */
    AOF_LOOK_ODD, /* something else */
};

/* Looks at what stands at the cursor, which does not move. Fills arguments, words and place.length of a whole command. */
enum aof_look aof_look(const struct cursor *window, struct aof_item *item);

/* A line of the mark, a number without leading zeros, CR and LF. */
bool aof_is_plain_header(struct bytes line, uint8_t mark);

#endif
