/* The time zones that a user names, for hosts or for all. */
#ifndef RCF_ZONES_H
#define RCF_ZONES_H

#include "parsers/log/time.h"

enum { ZONES_MAX = 256 };

struct zones {
    struct named_zone {
        const char *host; /* not terminated; NULL for all others */
        size_t host_len;
        struct log_zone *zone;
    } all[ZONES_MAX];
    size_t count;
};

/* "ZONE" or "HOST=ZONE"; ZONE is an offset ("+02:00", "Z") or a name of the system's zone files ("Europe/Berlin"), which
 * is read here and never asked of the C library. The text is borrowed. False when it is neither, or too many. */
bool zones_add(struct zones *zones, const char *text);

/* The zone of a host, or of the file at a path that has a folder named like a host; else the zone of all; else NULL. */
const struct log_zone *zones_of(const struct zones *zones, const char *path);

void zones_free(struct zones *zones);

#endif
