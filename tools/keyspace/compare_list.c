/* The second reading: names for the keys that are not equal. */
#include <stdlib.h>
#include <string.h>

#include "parsers/bytes/keyslot.h"
#include "tools/keyspace/compare_private.h"

/* A key of the dump that is in the index. */
struct found {
    struct listed *at;
    uint32_t db;
    size_t name, name_len; /* in the batch's names */
    struct compare_stored stored;
};

struct batch {
    const struct listing *listing;
    struct found *keys;
    size_t count, cap;
    uint8_t *names;
    size_t names_len, names_cap;
};

struct listing {
    struct compare *compare;
    enum compare_side side;
    uint32_t file;
    bool (*visit)(void *context, const struct compare_key *key);
    void *context;
};

/* ------------------------------------------------------------------ the index */

static bool is_listable(const struct key_entry *entry)
{
    unsigned state = state_of(entry);
    return state != COMPARE_EQUAL && state != MARK_REPEATED;
}

static void put(struct compare *compare, struct key_entry *entry)
{
    size_t i = entry->name & (compare->index_size - 1);
    while (compare->index[i].entry)
        i = (i + 1) & (compare->index_size - 1);
    compare->index[i].entry = entry;
}

static bool make_index(struct compare *compare)
{
    uint64_t count = 0;
    size_t size = 16;
    for (int how = COMPARE_ONLY_A; how < COMPARE_HOWS; how++)
        count += compare->counts.keys[how];
    while (size < count * 2)
        size *= 2;
    compare->index = calloc(size, sizeof(*compare->index));
    if (!compare->index)
        return false;
    compare->index_size = size;
    for (unsigned number = 0; number < KEY_PARTS; number++) {
        uint64_t left = compare->kept[number].count;
        for (struct key_chunk *chunk = compare->kept[number].first; chunk; chunk = chunk->next)
            for (size_t i = 0; i < KEY_CHUNK && left; i++, left--)
                if (is_listable(&chunk->entries[i]))
                    put(compare, &chunk->entries[i]);
    }
    return true;
}

static struct compare_stored *add_stored(struct compare *compare)
{
    if (compare->stored_count == compare->block_count * STORED_BLOCK) {
        if (compare->block_count == compare->block_cap) {
            size_t cap = compare->block_cap ? compare->block_cap * 2 : 16;
            struct compare_stored **blocks = realloc(compare->blocks, cap * sizeof(*blocks));
            if (!blocks)
                return NULL;
            compare->blocks = blocks;
            compare->block_cap = cap;
        }
        struct compare_stored *block = malloc(STORED_BLOCK * sizeof(*block));
        if (!block)
            return NULL;
        compare->blocks[compare->block_count++] = block;
    }
    size_t number = compare->stored_count++;
    return &compare->blocks[number / STORED_BLOCK][number % STORED_BLOCK];
}

void compare_free_list(struct compare *compare)
{
    for (size_t i = 0; i < compare->block_count; i++)
        free(compare->blocks[i]);
    free(compare->blocks);
    free(compare->index);
}

/* ------------------------------------------------------------------ the scan */

static void *begin(void *context)
{
    struct batch *batch = calloc(1, sizeof(*batch));
    if (batch)
        batch->listing = context;
    return batch;
}

static void end_batch(struct batch *batch)
{
    free(batch->keys);
    free(batch->names);
    free(batch);
}

static void drop(void *context, void *batch)
{
    (void)context;
    end_batch(batch);
}

static bool reserve(struct batch *batch, size_t name)
{
    if (batch->count == batch->cap) {
        size_t cap = batch->cap ? batch->cap * 2 : 64;
        struct found *keys = realloc(batch->keys, cap * sizeof(*keys));
        if (!keys)
            return false;
        batch->keys = keys;
        batch->cap = cap;
    }
    if (batch->names_cap - batch->names_len < name) {
        size_t cap = (batch->names_len + name) * 2;
        uint8_t *names = realloc(batch->names, cap);
        if (!names)
            return false;
        batch->names = names;
        batch->names_cap = cap;
    }
    return true;
}

static bool find(struct batch *batch, struct listed *at, const struct rdb_item *item)
{
    const struct rdb_key *key = &item->key;
    if (!reserve(batch, key->name.len))
        return false;
    batch->keys[batch->count++] = (struct found){
        .at = at,
        .db = key->db,
        .name = batch->names_len,
        .name_len = key->name.len,
        .stored = {
            .file = batch->listing->file,
            .datatype = key->datatype,
            .type_name = key->type_name,
            .place = item->place,
            .bytes = key->value_length,
            .has_expiry = key->has_expiry,
            .expire_ms = key->expire_ms,
        },
    };
    if (key->name.len)
        memcpy(batch->names + batch->names_len, key->name.at, key->name.len);
    batch->names_len += key->name.len;
    return true;
}

/* The entries that this key of the dump may be. Names that A gave with several values are told apart by them. */
static bool take_item(void *context, struct rdb *reader, const struct rdb_item *item)
{
    (void)reader;
    struct batch *batch = context;
    const struct listing *listing = batch->listing;
    const struct compare *compare = listing->compare;
    const struct compare_options *options = &compare->options;
    if (item->kind != RDB_KEY || (options->wants && !options->wants(options->context, &item->key)))
        return true;
    struct key_entry key = key_entry_of(key_id_of(item->key.db, item->key.name), item->key.digest,
                                        compare_expiry_code(compare, &item->key), 0);
    bool by_value = listing->side == COMPARE_A && compare->versions;
    size_t mask = compare->index_size - 1;
    for (size_t i = key.name & mask; compare->index[i].entry; i = (i + 1) & mask) {
        const struct key_entry *entry = compare->index[i].entry;
        bool only_other = state_of(entry) == (listing->side == COMPARE_A ? COMPARE_ONLY_B : COMPARE_ONLY_A);
        if (only_other || key_entry_mark(entry) & MARK_LISTED || !key_entry_same_name(entry, &key) ||
            (by_value && !(key_entry_same_value(entry, &key) && entry->expiry == key.expiry)))
            continue;
        if (!find(batch, &compare->index[i], item))
            return false;
    }
    return true;
}

static bool take_damage(void *context, const struct damage *damage, struct bytes key)
{
    (void)context, (void)damage, (void)key;
    return true;
}

/* What A holds of a key that differs waits until B's is found. */
static bool wait_for_b(struct compare *compare, const struct found *found)
{
    if (!found->at->a) {
        found->at->a = add_stored(compare);
        if (!found->at->a)
            return false;
        *found->at->a = found->stored;
    }
    return true;
}

static bool give(struct listing *listing, const struct batch *batch, const struct found *found)
{
    struct compare *compare = listing->compare;
    struct key_entry *entry = found->at->entry;
    unsigned char mark = key_entry_mark(entry);
    enum compare_how how = (enum compare_how)(mark & MARK_STATE);
    if (mark & MARK_LISTED)
        return true;
    if (listing->side == COMPARE_A && how != COMPARE_ONLY_A)
        return wait_for_b(compare, found);
    key_entry_set_mark(entry, mark | MARK_LISTED);
    compare->listed[listing->side]++;
    struct compare_key key = {
        .how = how,
        .db = found->db,
        .name = {batch->names + found->name, found->name_len},
        .a = listing->side == COMPARE_A ? &found->stored : found->at->a,
        .b = listing->side == COMPARE_B ? &found->stored : NULL,
    };
    key.slot = (uint16_t)keyslot(key.name);
    return listing->visit(listing->context, &key);
}

static bool merge(void *context, void *of)
{
    struct listing *listing = context;
    struct batch *batch = of;
    bool more = true;
    for (size_t i = 0; more && i < batch->count; i++)
        more = give(listing, batch, &batch->keys[i]);
    end_batch(batch);
    return more;
}

bool compare_list(struct compare *compare, enum compare_side side, uint32_t file, struct source *source,
                  bool (*visit)(void *context, const struct compare_key *key), void *context, struct scan_end *end)
{
    struct listing listing = {compare, side, file, visit, context};
    const struct scan_job job = {
        .flags = side == COMPARE_A && compare->versions ? RDB_DIGEST_VALUES : 0,
        .context = &listing,
        .begin = begin,
        .item = take_item,
        .damage = take_damage,
        .merge = merge,
        .drop = drop,
    };
    const struct scan_options options = scan_options_of(compare);
    *end = (struct scan_end){.stop = RDB_STOP_MEMORY};
    if (!compare->index && !make_index(compare))
        return false;
    return dump_scan(source, &options, &job, end) && end->stop != RDB_STOP_MEMORY;
}

uint64_t compare_unlisted(const struct compare *compare, enum compare_side side)
{
    const uint64_t *keys = compare->counts.keys;
    uint64_t differing = keys[COMPARE_TYPE] + keys[COMPARE_VALUE] + keys[COMPARE_EXPIRY];
    return (side == COMPARE_A ? keys[COMPARE_ONLY_A] : keys[COMPARE_ONLY_B] + differing) - compare->listed[side];
}
