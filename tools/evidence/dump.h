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
    uint64_t keys, expires, modules;
    struct place first; /* of the first key's record */
};

struct dump_defect {
    enum rdb_defect code;
    struct place place;
    const char *expected, *found;
    struct bytes key; /* in whose record it stands; empty when in none, or when its name cannot be read */
    int type;         /* type byte of that record; -1 when it is in none, or not known */
};

/* Slots that are being moved to this server by a job (Valkey 9). */
struct dump_import {
    const char *job;
    const char *slots; /* "0-99 200-200" */
};

struct dump {
    size_t file;
    uint32_t version;
    bool valkey_magic;
    bool captured; /* the header of a replication stream stands before it */
    struct server writer;   /* from redis-ver or valkey-ver */
    const char *writer_text; /* as written, or NULL */
    bool has_ctime;
    int64_t ctime_s;
    const char *repl_id; /* NULL when absent */
    bool has_repl_offset;
    int64_t repl_offset;
    bool has_repl_db;
    int64_t repl_db; /* selected in the replication stream */
    bool has_used_mem;
    int64_t used_mem; /* bytes, of the server when it wrote the dump */
    const char *open_slots; /* cluster-slot-states as written: "93<ID," importing, "93>ID," migrating; or NULL */
    struct place open_slots_at; /* of the record that says so */
    const struct dump_import *imports;
    size_t import_count;
    bool aof_base; /* aof-base or aof-preamble: part of an AOF */
    uint64_t keys; /* in all databases */
    const struct dump_db *dbs; /* those with keys, ascending */
    size_t db_count;
    const uint32_t *slot_keys; /* keys per hash slot, all databases; NULL when there are no keys */
    uint64_t modules; /* keys whose values are a module's */
    uint64_t functions;
    struct place first_function;
    bool has_checksum;       /* stored and not 0 */
    bool checksum_disabled;  /* version 5 or newer, stored as 0 */
    uint64_t stored_checksum, computed_checksum;
    struct place checksum; /* of the 8 bytes; length 0 before version 5 and when the end was not reached */
    enum rdb_stop stop;
    const char *why; /* of the stop, or NULL */
    uint64_t stopped_at;
    struct bytes stopped_key; /* in whose record; empty when in none, or when its name cannot be read */
    uint64_t losses;     /* places where the position was lost and found again: defects of code RDB_LOST_BYTES ... */
    uint64_t lost_bytes; /* ... and RDB_UNREAD_BYTES. With any, `stop` is the first; keys are at least so many */
    enum rdb_stop last_stop; /* with losses: how reading ended, as `stop` says without; NONE when the end was reached */
    const char *last_why;
    uint64_t last_stopped_at;
    struct bytes last_stopped_key;
    bool whole; /* read to its end with no defect outside dump-inconsistent and a valid (or absent) checksum */
    const struct dump_defect *defects; /* the first DUMP_DEFECTS_KEPT of each code, in the order of the file */
    size_t defect_count;
    uint64_t defect_total;
    bool duplicates_checked; /* keys were compared with each other ... */
    bool duplicates_limited; /* ... but for those from this one on, counted from 0: memory was to be spared */
    uint64_t duplicates_unchecked_from;
};

/* Bytes for finding keys that come twice, where nobody says otherwise: enough for 200 million keys. */
enum { DUMP_DUPLICATES_MEMORY = 1024 * 1024 * 1024 };

/* How a dump is read. All zeros is the plainest way. */
struct dump_how {
    bool duplicates; /* looks for keys that a database has twice: RDB_DUPLICATE_KEY */
    uint64_t memory; /* bytes for that, about */
    /* Opens the evidence once more, for a look at the names where fingerprints are the same; closed by the reader. NULL
     * where that cannot be done: then a defect rests on 64 bits of hash, and says so. */
    struct source *(*reopen)(void *context);
    void *context;
    bool salvage;     /* with `reopen`: goes on behind damage that lost the position */
    unsigned threads; /* as in struct scan_options */
    size_t block;     /* 0, or the size of a block, for tests of their borders */
};

/* Reads the dump from the source's current position to its end, and every value in it; bytes after it are a defect.
 * NULL without memory only. */
struct dump *dump_read(struct arena *arena, struct source *source, size_t file);
struct dump *dump_read_how(struct arena *arena, struct source *source, size_t file, const struct dump_how *how);

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
bool dump_builder_damage(struct dump_builder *builder, const struct damage *damage, struct bytes key, int type);

/* Other items than keys: false when dump_builder_item() has no use for this one. */
bool dump_builder_wants(const struct rdb_item *item);

/* Many keys at once: how many of a database follow each other, and the slots of `count` keys. */
bool dump_builder_keys(struct dump_builder *builder, const struct dump_db *keys);
bool dump_builder_slots(struct dump_builder *builder, const uint16_t *slots, size_t count);

/* The keys of each hash slot so far; NULL while there are none. */
const uint32_t *dump_builder_slot_keys(const struct dump_builder *builder);

/* What is known of a stop that says no more itself. */
const char *dump_stop_text(enum rdb_stop stop);

/* Duplicate keys may have been told last: they are put where they belong in the file. */
struct dump *dump_builder_done(struct dump_builder *builder, enum rdb_stop stop, const char *why, uint64_t offset);

#endif
