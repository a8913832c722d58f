/* Which of an instance's files are its state and which its history, and what it is called. */
#ifndef RCF_CHOOSE_H
#define RCF_CHOOSE_H

#include "tools/evidence/evidence.h"

/* What is known of an instance beside its files' content. */
struct known {
    uint16_t port;      /* 0 when unknown */
    struct bytes scope; /* its host by place: an IP address or a folder; empty when unknown */
};

/* Fills an instance from the files that belong to it, `members` ascending; name and host come later. False without
 * memory. */
bool choose(struct evidence *evidence, const struct known *known, const size_t *members, size_t count,
            struct instance *instance);

/* Gives every instance the address that the files know and a name of its own, and sorts the instances by address. */
bool choose_names(struct evidence *evidence, struct arena *scratch);

/* Puts the append-only files of instance `number`, which are `files`, in load order, once they have been read. False
 * without memory. */
bool choose_journals(struct evidence *evidence, size_t number, const size_t *files, size_t count);

#endif
