/* Between stat_head.c, stat_batch.c and stat_scan.c: adding up one dump on all cores. Workers count batches; merging
 * adds them to the scan in the order of the file. */
#ifndef RCF_STAT_SCAN_PRIVATE_H
#define RCF_STAT_SCAN_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "tools/keyspace/stat_private.h"

enum {
    STAT_TYPE_BYTES = 256,
    STAT_ENCODING_ROWS = 64, /* there are fewer rows of types */
    STAT_SLOT_SHIFT = 50,
};

/* What the first records of a dump say. */
struct stat_head {
    struct server writer;
    uint32_t version;
    bool valkey_magic;
    bool has_ctime, has_used, replicated, clustered;
    int64_t ctime_s, used;
};

/* What a key adds to its slot: cheaper to keep than an array of all slots for each batch. */
struct stat_slot_entry {
    uint64_t slot_bytes; /* the slot above STAT_SLOT_SHIFT bits of bytes */
    uint64_t memory;
};

struct stat_encoding_row {
    const char *name; /* the reader's name of the type: static, as is the encoding, so their addresses tell the row */
    struct stat_encoding row;
};

/* Sums of a batch, or of the scan so far. */
struct stat_counts {
    uint64_t seen;
    struct stat_sum total;
    struct stat_sum expiries[STAT_EXPIRIES], sizes[STAT_SIZES];
    struct stat_encoding_row encodings[STAT_ENCODING_ROWS];
    size_t encoding_count;
    struct stat_heap big[STAT_ORDERS]; /* owns the names */
    struct sum_table *prefixes, *dbs;
    bool clustered;
    uint64_t damages;
    struct stat_damage damage[STAT_DAMAGES]; /* owns the texts */
};

struct stat_batch {
    struct stat_batch *next; /* among the idle ones */
    struct stat_scan *scan;
    struct stat_counts counts;
    uint64_t needed[STAT_ORDERS]; /* to be among the biggest of the scan and of this batch */
    uint32_t db;                  /* of the keys since the table of databases was filled */
    struct stat_sum before;       /* what is in that table */
    uint8_t by_type[STAT_TYPE_BYTES]; /* 1 + index of the encoding that a type byte had last */
    struct stat_slot_entry *slots;
    size_t slot_count, slot_cap;
    struct prefix_memory prefix;
};

struct stat_scan {
    struct key_stat *stat;
    struct scan_job job;
    struct stat_file file;
    struct stat_head head;
    struct memory_model model;
    char writer[40], model_text[64];
    pthread_mutex_t lock; /* of the list */
    struct stat_batch *idle;
    struct stat_counts counts;
    struct stat_slot *slots; /* SLOT_COUNT */
    /* To be among the biggest of what is merged, all of which stands before the rest. */
    _Atomic uint64_t needed[STAT_ORDERS];
};

/* What the first records say, which workers need from the start. Nothing of the source is consumed. */
struct stat_head stat_head_read(struct source *source);

/* The scan goes by it from now on. */
void stat_head_take(struct stat_scan *scan, struct stat_head head);

/* Tables that tell so many names apart, without limit for 0. False without memory; stat_counts_free() in any case. */
bool stat_counts_init(struct stat_counts *counts, size_t top, size_t prefixes, size_t dbs);
void stat_counts_free(struct stat_counts *counts);

/* The sum of an encoding, added if need be. NULL when there are more encodings than types, which cannot be. */
struct stat_sum *stat_counts_encoding(struct stat_counts *counts, const char *name, const struct stat_encoding *row);

/* The least number with which a later key is kept: of two that are equal the first stays. */
uint64_t stat_heap_needed(const struct stat_heap *heap, uint64_t least);

/* Counts what came since the last change of database to the database of then. False without memory. */
bool stat_batch_end_db(struct stat_batch *batch, uint32_t next);

/* For struct scan_job; the context of the first and of drop is the scan, that of the others the batch. Dropped batches
 * are used again, and are freed with the scan. */
void *stat_batch_begin(void *context);
bool stat_batch_item(void *context, struct rdb *reader, const struct rdb_item *item);
bool stat_batch_damage(void *context, const struct damage *damage, struct bytes key);
void stat_batch_drop(void *context, void *dropped);
void stat_batch_free(struct stat_batch *batch);

/* Frees what a row owns. */
static inline void stat_free_owned(const void *at)
{
    free((void *)(uintptr_t)at);
}

#endif
