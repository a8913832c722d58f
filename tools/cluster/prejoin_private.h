/* Shared by prejoin.c and prejoin_members.c only. */
#ifndef RCF_PREJOIN_PRIVATE_H
#define RCF_PREJOIN_PRIVATE_H

#include "tools/cluster/prejoin.h"

struct judging {
    const struct evidence *evidence;
    const struct instance *instance;
    struct arena *arena;
    struct prejoin *prejoin;
    struct prejoin_reason *reasons;
    size_t cap;
};

/* Adds a reason; `file` SIZE_MAX is about what is absent, and then `place` may be NULL. The text is kept. */
void prejoin_say(struct judging *judging, enum prejoin_subject subject, enum prejoin_effect effect,
                 const struct evidence *in, size_t file, const struct place *place, const char *text);

/* Looks for the instance's id and address in the files of the members. */
void prejoin_ask_members(struct judging *judging, const struct evidence *members_case, const struct clusters *members);

#endif
