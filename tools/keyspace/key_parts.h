/* Keys by name, in 32 bytes each: a fingerprint of the name, one of the value, the expiry. They are kept as they come,
 * in parts by the first bits of the name's hash: what is done with a part later finds all keys of one name in it, in
 * the order in which they came, and few enough of others to stay near the processor.
 *
 * Names are told apart by 106 bits of XXH3-128 over database and name, values of one name by 88 bits of their digest.
 * Among a thousand million keys two names are confused with a probability below 10^-13; XXH3 does not withstand who
 * crafts names.
 */
#ifndef RCF_KEY_PARTS_H
#define RCF_KEY_PARTS_H

#include <stdatomic.h>

#include "parsers/rdb/rdb.h"

enum {
    KEY_PART_BITS = 10,
    KEY_PARTS = 1 << KEY_PART_BITS,
    KEY_CHUNK = 64 /* entries */
};

struct key_id {
    uint64_t low, high;
};

struct key_entry {
    uint64_t name; /* the id's low half */
    uint32_t name_more;
    unsigned char value_more[3];
    _Atomic unsigned char mark; /* the owner's; it may be set while other threads look */
    uint64_t value;
    uint64_t expiry; /* as the owner codes it */
};

struct key_chunk {
    struct key_entry entries[KEY_CHUNK];
    struct key_chunk *next;
};

struct key_part {
    struct key_chunk *first, *last;
    uint64_t count;
};

/* Where chunks come from. */
struct key_pool {
    void **slabs;
    size_t slab_count, slab_cap, slab_size;
    size_t used; /* of the last slab */
    struct key_chunk *returned;
    uint64_t bytes; /* of all slabs */
};

struct key_id key_id_of(uint32_t db, struct bytes name);

/* The part of a key, below KEY_PARTS. */
unsigned key_part_of(struct key_id id);

struct key_entry key_entry_of(struct key_id id, const unsigned char digest[16], uint64_t expiry, unsigned char mark);

bool key_entry_same_name(const struct key_entry *a, const struct key_entry *b);
bool key_entry_same_value(const struct key_entry *a, const struct key_entry *b);
unsigned char key_entry_mark(const struct key_entry *entry);
void key_entry_set_mark(struct key_entry *entry, unsigned char mark);

/* Adds a copy at the end of a part, and gives it; it stays where it is. NULL without memory. */
struct key_entry *key_part_add(struct key_part *part, struct key_pool *pool, const struct key_entry *entry);

/* Empties a part; its memory is used again. */
void key_part_clear(struct key_part *part, struct key_pool *pool);

/* Ends all chunks of all parts. */
void key_pool_free(struct key_pool *pool);

#endif
