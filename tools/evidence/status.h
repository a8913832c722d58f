/* What a capture of INFO or CLUSTER INFO says about one instance at one moment. Both have one grammar and no name in
 * common, so a file may hold either or both.
 *
 * What is not known was not said: an old server, a single section, a capture that was cut. Only where the keyspace
 * section is there and nothing is damaged do databases that it does not list hold no keys.
 */
#ifndef RCF_STATUS_H
#define RCF_STATUS_H

#include <stdbool.h>

#include "parsers/memory/arena.h"
#include "parsers/parse.h"
#include "tools/evidence/server.h"

enum status_number {
#define STATUS_NUMBER(id, name) STATUS_##id,
#include "tools/evidence/status_numbers.def"
#undef STATUS_NUMBER
    STATUS_NUMBERS
};

enum status_word {
#define STATUS_WORD(id, name) STATUS_##id,
#include "tools/evidence/status_words.def"
#undef STATUS_WORD
    STATUS_WORDS
};

struct status_value {
    bool known;
    uint64_t number;  /* 0 for words */
    const char *word; /* "" for numbers */
    struct place place;
};

/* A line slaveN: who replicates from the instance, whether the cluster knows it or not. */
struct status_replica {
    const char *ip;
    uint16_t port; /* as it announces itself; 0 when it does not */
    bool online;
    bool has_offset, has_lag;
    uint64_t offset, lag_s;
    struct place place;
};

/* A line dbN. */
struct status_keys {
    uint64_t db, keys;
    struct place place;
};

struct status {
    size_t file;
    struct status_value numbers[STATUS_NUMBERS];
    struct status_value words[STATUS_WORDS];
    const struct status_replica *replicas;
    size_t replica_count;
    const struct status_keys *keys;
    size_t keys_count;
    bool has_keyspace; /* the section is there */
    struct place keyspace;
    struct server server; /* product unknown when it is not said */
    int64_t taken_ms;     /* server_time_usec, Unix milliseconds; 0 when it is not said (Redis before 7.0) */
    uint64_t defect_total;
    struct place first_defect;
    const char *expected, *found; /* of the first defect */
};

/* Reads a capture, which is not needed afterwards. NULL without memory only. */
struct status *status_read(struct arena *arena, struct bytes text, size_t file);

/* The capture shows all databases, and none of them holds a key. */
bool status_is_empty(const struct status *status);

/* Newer first, as far as they show: by the server's clock, cluster_current_epoch, the time of the last save (which is
 * that of the start where nothing was saved), uptime. 0 when nothing tells. What is not known counts as oldest, so
 * captures of different commands have an order, too, which says nothing. */
int status_compare(const struct status *a, const struct status *b);

#endif
