/* Totals of dumps as a JSON document, to be merged elsewhere: docs/schema/rcf-rdb-stat-partial.json.
 *
 * What is read back and merged gives the same answer as the dumps themselves. A document is evidence like any other: it
 * is checked whole before anything of it counts, sums against their parts included.
 */
#ifndef RCF_PARTIAL_H
#define RCF_PARTIAL_H

#include "tools/keyspace/stat.h"

#define PARTIAL_SCHEMA "rcf-rdb-stat-partial"

enum {
    PARTIAL_VERSION = 1, /* raised when what is read back would mean something else */
    PARTIAL_WHY = 256,
    PARTIAL_LARGEST = 256 * 1024 * 1024,
};

/* Writes the document (tools/render/stat_output.h makes it) beside `path` and renames it. A file that exists is
 * replaced only when it is such a document. False with the cause in `why`. */
bool partial_save(const char *path, struct bytes text, char why[PARTIAL_WHY]);

/* The bytes begin a JSON document, so they are no dump. */
bool partial_likely(struct bytes start);

/* Adds what a document holds. False, and nothing added, with the place and cause in `why`. */
bool partial_add(struct key_stat *stat, struct bytes text, char why[PARTIAL_WHY]);

#endif
