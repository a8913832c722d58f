/* Walks over a whole dump for tests, and keeps what the reader gave. */
#ifndef RCF_RDB_WALK_H
#define RCF_RDB_WALK_H

#include "parsers/rdb/rdb_private.h"
#include "tests/unit/rdb_build.h"

enum { RDB_WALK_ITEMS = 64, RDB_WALK_DAMAGES = 16, RDB_WALK_TEXT = 64 };

/* What a walk gave, with copies of what was borrowed. */
struct rdb_walk {
    enum parse_step last;
    enum rdb_stop stop;
    uint64_t offset;
    char why[256];
    size_t items, keys, damages;
    enum rdb_kind kinds[RDB_WALK_ITEMS];
    struct rdb_item item[RDB_WALK_ITEMS];        /* what they point to is gone, but for type_name */
    char text[RDB_WALK_ITEMS][3][RDB_WALK_TEXT]; /* name, value, key name; cut and NUL-terminated */
    unsigned codes[RDB_WALK_DAMAGES];
    struct place places[RDB_WALK_DAMAGES];
    struct rdb_item stopped_at;
    char stopped_key[RDB_WALK_TEXT];
};

/* The argument pair of a literal that may hold NUL. */
#define RDB_RAW(text) text, sizeof(text) - 1

/* To the end, at which nothing may follow. Closes the source. */
struct rdb_walk rdb_walk_source(struct source *source, unsigned flags, size_t window);

struct rdb_walk rdb_walk_bytes(const void *at, size_t len, size_t window);
struct rdb_walk rdb_walk_build(const struct rdb_build *build);

/* Ends the dump, walks it and frees it. */
struct rdb_walk rdb_walk_finish(struct rdb_build *build);

/* Each cut of `whole` is reported, and so is each flipped bit, but for `silent` of them. */
void rdb_walk_suffer(const struct rdb_build *whole, size_t silent);

/* From header to EOF without damage. */
bool rdb_walk_sound(const struct rdb_walk *walk);

/* To the end with this damage and no other. */
bool rdb_walk_only(const struct rdb_walk *walk, enum rdb_defect defect);

#endif
