/* What one thread finds out about a run of a dump's records, for dump_read(): added to the dump when it is its turn. */
#ifndef RCF_DUMP_BATCH_H
#define RCF_DUMP_BATCH_H

#include "parsers/rdb/rdb_plain.h"
#include "tools/evidence/dump.h"

/* An item or damage other than a key; what it points to is the batch's. */
struct dump_event {
    struct rdb_item item;
    bool is_damage;
    struct damage damage;
    struct bytes key;
    int type;
};

struct dump_batch {
    struct dump_batch *next; /* of those that wait to be used again */
    struct dump_db *stretches;
    size_t stretch_count, stretch_cap;
    uint16_t *slots; /* by key */
    uint64_t *prints; /* distinct_key() */
    size_t key_count, key_cap;
    struct dump_event *events;
    size_t event_count, event_cap;
    size_t typed; /* events whose key has come, or that have none */
    struct arena *arena; /* of the events; NULL without any */
};

/* An empty batch. NULL without memory. */
struct dump_batch *dump_batch_new(void);
void dump_batch_free(struct dump_batch *batch);

/* Empties it; room for keys is kept. */
void dump_batch_clear(struct dump_batch *batch);

/* False without memory. */
bool dump_batch_item(struct dump_batch *batch, const struct rdb_item *item);
bool dump_batch_plain(struct dump_batch *batch, const struct rdb_plain *run);
bool dump_batch_damage(struct dump_batch *batch, const struct damage *damage, struct bytes key);

/* False without memory. */
bool dump_batch_give(const struct dump_batch *batch, struct dump_builder *builder);

#endif
