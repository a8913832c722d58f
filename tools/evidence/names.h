/* What the name of a file and the folders above it suggest: a port, an IP address, a host. Suggestions only: which of
 * them count is decided in group.c. */
#ifndef RCF_NAMES_H
#define RCF_NAMES_H

#include <stdbool.h>

#include "parsers/parse.h"

/* A path taken apart; the runs point into it. */
struct path_parts {
    struct bytes folder; /* without the last '/'; empty at the top */
    struct bytes name;   /* the last part */
    struct bytes stem;   /* the name without the endings of compressed files (.gz, .lz4, .zst) */
};

struct path_parts names_split(const char *path);

/* The last part of a folder's path. */
struct bytes names_last(struct bytes folder);

/* The path without its last part; empty at the top. */
struct bytes names_parent(struct bytes folder);

/* A whole word that is a port: 4 or 5 digits, 1024 to 65535. */
bool names_is_port(struct bytes word, uint16_t *port);

/* An IPv4 or IPv6 address and nothing else. */
bool names_is_ip(struct bytes word);

/* Both at once, as folders of collected instances are called: 10.0.0.1_7000, 10.0.0.1:7000, 10.0.0.1-7000. */
bool names_is_address(struct bytes word, struct bytes *ip, uint16_t *port);

/* A dotted quad inside a name. */
bool names_find_ip(struct bytes name, struct bytes *ip);

/* The next run of digits in a name that may be a port, from `*at` on, which moves behind it. Digits that are part of a
 * date, of a dotted quad or of a longer number are no port. `firm`: nothing but endings (.conf, .rdb, ...) follows. */
bool names_next_port(struct bytes name, size_t *at, uint16_t *port, bool *firm);

/* "nodes.conf.tmp-4711-1795359144049", as Redis 7.2 and Valkey write beside the file they will rename it to (pid, Unix
 * milliseconds): `target` is the name before ".tmp-". */
bool names_is_unfinished_nodesconf(struct bytes stem, struct bytes *target);

/* What a fork that saves, rewrites or receives a dump writes into until it is complete: temp-4711.rdb,
 * temp-1795359144.4711.rdb, temp-rewriteaof-4711.aof, temp-rewriteaof-bg-4711.aof, temp-NAME.manifest and .incr. */
bool names_is_unfinished_data(struct bytes stem);

/* What the script of a plan keeps or moves aside, or a file in such a folder: NAME.rcf-keep-FINGERPRINT and
 * NAME.rcf-removed-FINGERPRINT, with the 16 hexadecimal digits of the plan's fingerprint. */
bool names_is_set_aside(const struct path_parts *parts);

/* `stem` is `name`, or what servers, rotations and copies make of it: ".1", ".1.base.rdb", ".tmp-...", "-20261122". */
bool names_extends(struct bytes stem, struct bytes name);
bool names_begins(struct bytes stem, struct bytes name);

/* Comparing runs of bytes: as memcmp, the shorter first. */
int names_compare(struct bytes a, struct bytes b);

/* `folder` is `above` or lies below it. */
bool names_is_below(struct bytes folder, struct bytes above);

#endif
