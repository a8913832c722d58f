/* How much memory a server spent on what a dump holds.
 *
 * An estimate from the form in which values are stored: sizes of the structures that each generation of servers keeps,
 * rounded to the size classes of its allocator. What cannot be known from a dump is not in it: fragmentation, client
 * and replication buffers, hash tables that have not shrunk, a value that has another form in memory than in the dump.
 * How far the model was off is measured against the dump's own used-mem; see docs/formats/memory.md.
 */
#ifndef RCF_MEMORY_MODEL_H
#define RCF_MEMORY_MODEL_H

#include "parsers/rdb/rdb.h"
#include "tools/evidence/server.h"

enum memory_allocator {
    MEMORY_BUNDLED, /* the jemalloc that comes with the servers: quantum of 8 bytes */
    MEMORY_SYSTEM,  /* a distribution's jemalloc: quantum of 16 */
    MEMORY_LIBC,    /* malloc of the C library */
    MEMORY_ALLOCATORS
};

/* One generation; rows of memory_model.c. Sizes in bytes before rounding. */
struct memory_era;

struct memory_model {
    const struct memory_era *era;
    enum memory_allocator allocator;
};

/* The model of the server that wrote a dump; without a known server by the dump's version. */
struct memory_model memory_model_of(struct server writer, uint32_t rdb_version, bool valkey_magic,
                                    enum memory_allocator allocator);

/* "Redis 7.0": the generation whose row is used; "system jemalloc" and so on. Static. */
const char *memory_model_name(const struct memory_model *model);
const char *memory_allocator_name(enum memory_allocator allocator);

/* What the allocator takes for a request. */
uint64_t memory_allocated(enum memory_allocator allocator, uint64_t size);

/* A key with its value, its entries in the hash tables of the database and of expiries, but without their buckets. The
 * key must come from a reader with RDB_COUNT_ELEMENTS. */
uint64_t memory_of_key(const struct memory_model *model, const struct rdb_key *key);

/* The buckets of a database's tables. */
uint64_t memory_of_database(const struct memory_model *model, uint64_t keys, uint64_t expires);

/* What a server in cluster mode keeps besides: to find the keys of a slot, and what it knows of the slots. `slots`:
 * with keys. */
uint64_t memory_of_slots(const struct memory_model *model, uint64_t keys, uint64_t slots);

/* A server without keys, before anyone connects. `replicated`: with the backlog that replication needs. */
uint64_t memory_of_server(const struct memory_model *model, bool replicated);

#endif
