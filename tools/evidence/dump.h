/* What a dump says as a whole: who wrote it, when, how many keys in which slots, and whether it is sound. */
#ifndef RCF_DUMP_H
#define RCF_DUMP_H

#include "parsers/bytes/keyslot.h"
#include "parsers/memory/arena.h"
#include "parsers/rdb/rdb.h"
#include "tools/evidence/server.h"

/* A dump may repeat one defect without end: so many of each code are kept, all are counted. */
enum { DUMP_DEFECTS_KEPT = 1000 };

struct dump_db {
    uint32_t db;
    uint64_t keys, expires;
    struct place first; /* of the first key's record */
};

struct dump_defect {
    enum rdb_defect code;
    struct place place;
    const char *expected, *found;
};

struct dump {
    size_t file;
    uint32_t version;
    bool valkey_magic;
    struct server writer;   /* from redis-ver or valkey-ver */
    const char *writer_text; /* as written, or NULL */
    bool has_ctime;
    int64_t ctime_s;
    const char *repl_id; /* NULL when absent */
    bool has_repl_offset;
    int64_t repl_offset;
    bool aof_base; /* aof-base or aof-preamble: part of an AOF */
    uint64_t keys; /* in all databases */
    const struct dump_db *dbs; /* those with keys, ascending */
    size_t db_count;
    const uint32_t *slot_keys; /* keys per hash slot, all databases; NULL when there are no keys */
    uint64_t functions;
    struct place first_function;
    bool has_checksum;       /* stored and not 0 */
    bool checksum_disabled;  /* version 5 or newer, stored as 0 */
    uint64_t stored_checksum, computed_checksum;
    struct place checksum; /* of the 8 bytes; length 0 before version 5 and when the end was not reached */
    enum rdb_stop stop;
    const char *why; /* of the stop, or NULL */
    uint64_t stopped_at;
    bool whole; /* read to its end with no defect outside dump-inconsistent and a valid (or absent) checksum */
    const struct dump_defect *defects; /* the first DUMP_DEFECTS_KEPT of each code, in the order of the file */
    size_t defect_count;
    uint64_t defect_total;
};

/* Reads the dump from the source's current position to its end; bytes after it are a defect. NULL without memory
 * only. */
struct dump *dump_read(struct arena *arena, struct source *source, size_t file);

/* The keys of a dump one by one, for a second pass: `visit` gets each item of kind RDB_KEY, with rdb_key.digest when
 * `digests`, and returns false to stop. True when the dump was read to its end; otherwise `*why` has the cause, NULL
 * when `visit` stopped, which lives as long as the source. Defects do not end the walk: dump_read() has them. */
bool dump_walk(struct source *source, bool digests, bool (*visit)(void *context, const struct rdb_item *item),
               void *context, const char **why);

/* The same fed item by item, for a dump inside an AOF. Items and damage in the order of the reader, then done(); false
 * or NULL without memory only. The dump lives in `arena`. */
struct dump_builder;
struct dump_builder *dump_builder_new(struct arena *arena, size_t file);
bool dump_builder_item(struct dump_builder *builder, const struct rdb_item *item);
bool dump_builder_damage(struct dump_builder *builder, const struct damage *damage);
struct dump *dump_builder_done(struct dump_builder *builder, enum rdb_stop stop, const char *why, uint64_t offset);

#endif
