/* What dumps hold, added up.
 *
 * Dumps (key_stat_read()) and saved totals of other dumps (partial.h) are added to one statistic in any order; the
 * outcome is the same as that of one run over all dumps. What is kept is bounded whatever the number of keys: the
 * groups below, at most PREFIX_KEPT prefixes a dump, and the `top` biggest keys.
 */
#ifndef RCF_STAT_H
#define RCF_STAT_H

#include "parsers/bytes/keyslot.h"
#include "parsers/bytes/source.h"
#include "parsers/memory/arena.h"
#include "parsers/rdb/rdb.h"
#include "tools/evidence/dump_scan.h"
#include "tools/keyspace/memory_model.h"
#include "tools/keyspace/selection.h"
#include "tools/keyspace/stat_prefix.h"

/* When keys expire, counted from the time at which their dump was written. */
enum stat_expiry {
    STAT_NO_EXPIRY,
    STAT_EXPIRED,
    STAT_HOUR, /* within one */
    STAT_DAY,
    STAT_WEEK,
    STAT_MONTH, /* 30 days */
    STAT_LATER,
    STAT_UNDATED, /* with expiry, in a dump that does not say when it was written */
    STAT_EXPIRIES
};

enum {
    STAT_SIZES = 14,          /* up to 16 bytes, up to 64, ... four times as much each, up to 256 MiB, more */
    STAT_DAMAGES = 5,         /* kept of a dump */
    STAT_TOP_MOST = 1000000,
    STAT_DBS_TOLD = 65536,    /* databases of a dump that are told apart; servers have 16 */
    STAT_DB_NAME = 4,
    STAT_ENCODINGS = 256,
};

/* By what keys are the biggest. */
enum stat_order { STAT_BY_BYTES, STAT_BY_ELEMENTS, STAT_BY_MEMORY, STAT_ORDERS };

struct stat_encoding {
    const char *type, *encoding;
    struct stat_sum sum;
};

struct stat_slot {
    uint64_t keys, bytes, memory;
    uint64_t files; /* that hold keys of it */
};

struct stat_big {
    const char *file;
    struct bytes name;
    uint32_t db;
    const char *type, *encoding;
    bool has_expiry;
    int64_t expire_ms;
    uint64_t offset; /* of the record */
    uint64_t bytes, elements, memory;
};

/* The `most` biggest keys, as a heap with the least of them on top while keys are added. */
struct stat_heap {
    enum stat_order order;
    size_t most, count, cap;
    struct stat_big *at;
};

struct stat_damage {
    uint64_t offset;
    const char *text;
};

/* One dump. */
struct stat_file {
    const char *path;
    const char *writer; /* "Redis 7.0.15" or NULL */
    uint32_t rdb_version;
    const char *model; /* "Redis 7.0, bundled jemalloc" */
    bool has_ctime;
    int64_t ctime_ms;
    uint64_t seen;       /* keys in the dump; those selected are in `sum` */
    struct stat_sum sum;
    uint64_t slots;      /* with selected keys */
    bool clustered;      /* by slot counts in the dump, or because its keys keep to some slots */
    bool has_used;
    uint64_t used;       /* memory that the server used when it wrote the dump, as it states */
    bool has_modelled;   /* all keys were selected and read */
    uint64_t modelled;   /* what the model makes of the same */
    uint64_t damages;    /* seen */
    const struct stat_damage *damage; /* the first of them */
    size_t damage_count;
    const char *stopped; /* why it was not read to its end, or NULL */
    uint64_t stopped_at;
    bool unread;         /* nothing of it is counted, for `stopped` */
};

struct stat_options {
    const struct selection *selection; /* NULL: all keys */
    const char *selection_text;         /* the same in words, for partials; NULL: all keys */
    unsigned depth;                        /* of prefixes */
    size_t top;
    enum memory_allocator allocator;
    unsigned threads; /* of a scan; 0: as many as there are cores */
};

struct key_stat {
    struct arena *arena;
    struct stat_options options;
    struct stat_sum total;
    struct sum_table *dbs; /* by stat_db_name() */
    struct stat_encoding *encodings;
    size_t encoding_count, encoding_cap;
    struct stat_sum expiries[STAT_EXPIRIES];
    struct stat_sum sizes[STAT_SIZES];
    struct stat_slot *slots; /* SLOT_COUNT */
    struct sum_table *prefixes;
    struct stat_heap big[STAT_ORDERS]; /* sorted after key_stat_finish() */
    struct stat_file *files;
    size_t file_count, file_cap;
};

/* An empty statistic, or NULL without memory. The options' texts and selection must outlive it. */
struct key_stat *key_stat_new(const struct stat_options *options);
void key_stat_free(struct key_stat *stat);

/* Adds the dump from where the source stands; `path` names it. Gives its file, whose members say how far it was read;
 * NULL without memory. Good until the next file is added, or key_stat_finish(). */
struct stat_file *key_stat_read(struct key_stat *stat, const char *path, struct source *source);

/* The same in steps, for whoever opens the file: look() before anything is read, then a scan with the job, then end()
 * with how it ended, which adds what was read; with `lost` it counts nothing of it. A scan is freed when it was ended
 * or given up. */
struct stat_scan;
struct stat_scan *stat_scan_new(struct key_stat *stat, const char *path);
void stat_scan_look(void *scan, struct source *source);
const struct scan_job *stat_scan_job(const struct stat_scan *scan);
struct stat_file *stat_scan_end(struct stat_scan *scan, const struct scan_end *end, bool lost);
void stat_scan_free(struct stat_scan *scan);

/* Puts all rows into their order: encodings by type and name, the biggest first, files by path. After it nothing
 * more is added. */
void key_stat_finish(struct key_stat *stat);

/* Adds what another statistic with the same options holds. False without memory, with a part of it added. */
bool key_stat_merge(struct key_stat *stat, const struct key_stat *from);

/* The pieces of which totals consist, for partials. Texts are copied. False without memory. */
bool key_stat_add_encoding(struct key_stat *stat, const char *type, const char *encoding, const struct stat_sum *sum);
bool key_stat_add_big(struct key_stat *stat, enum stat_order order, const struct stat_big *big);
struct stat_file *key_stat_add_file(struct key_stat *stat, const struct stat_file *file);

/* The number by which `order` compares. */
uint64_t stat_big_value(const struct stat_big *big, enum stat_order order);

/* A database as the name of a row, which sorts as the number does; and back. */
struct bytes stat_db_name(uint32_t db, uint8_t room[STAT_DB_NAME]);
uint32_t stat_db_number(struct bytes name);

/* "none", "expired", "hour", ...; "bytes", "elements", "memory". Static. */
const char *stat_expiry_word(enum stat_expiry expiry);
const char *stat_order_word(enum stat_order order);

/* The largest number of bytes of a size class; UINT64_MAX for the last. */
uint64_t stat_size_limit(size_t size);

/* Slots with keys, and those whose keys are in more than one file. */
unsigned key_stat_slots(const struct key_stat *stat);
unsigned key_stat_shared_slots(const struct key_stat *stat);

/* Sums over the files that have both numbers; false when there is none. */
bool key_stat_memory(const struct key_stat *stat, uint64_t *modelled, uint64_t *used, size_t *files);

#endif
