/* The manifest of a collection: what was collected when, on which host, in which time zone, with which hashes.
 *
 * It is what sha256sum writes and checks, with facts about the collection in comments before the hashes:
 *
 *     # rcf-collection 1
 *     # collected-at: 2026-11-22T15:00:00.000Z
 *     # timezone: +01:00
 *     # host: db1
 *     9f86d081884c7d65...  127.0.0.6/7000/nodes_7000.conf
 *
 * All comments are optional, and so is the whole file: what it does not say is not assumed. It speaks of the files in
 * and below its own folder.
 */
#ifndef RCF_COLLECTION_H
#define RCF_COLLECTION_H

#include <stdbool.h>

#include "parsers/memory/arena.h"
#include "parsers/parse.h"

struct collected {
    const char *sha256; /* 64 lower-case digits */
    const char *path;   /* as listed, with the escapes of sha256sum resolved */
    struct place place;
};

struct collection {
    size_t file;
    bool has_time;
    int64_t collected_ms; /* Unix milliseconds */
    const char *timezone; /* as written, or NULL */
    bool has_zone;        /* the time zone is an offset or UTC */
    int32_t zone_s;       /* seconds east of UTC, with has_zone */
    const char *host;     /* NULL when it does not say */
    const struct collected *files;
    size_t count;
    size_t unread_lines; /* neither a comment nor a hash */
};

/* Reads a manifest from text, which is not needed afterwards. NULL without memory only. */
struct collection *collection_read(struct arena *arena, struct bytes text, size_t file);

/* "UTC", "Z", "+05:45", "-0300": seconds east of UTC. */
bool collection_zone(struct bytes text, int32_t *zone_s);

/* The time 2026-11-22T15:00:00.000Z, or with an offset: Unix milliseconds. */
bool collection_time(struct bytes text, int64_t *ms);

#endif
