#include "tools/cluster/copies.h"

#include <string.h>
#include <xxhash.h>

/* ------------------------------------------------------------------ the suspect's keys */

struct table {
    struct arena *arena;
    struct copies *copies;
    size_t cap;
    uint32_t *slots; /* key number + 1, or 0; a power of two */
    size_t slot_count;
    size_t file; /* of the dump being walked */
    bool owned[SLOT_COUNT]; /* slots for which this dump is a proof */
};

static uint64_t key_hash(uint32_t db, struct bytes name)
{
    return XXH3_64bits_withSeed(name.at, name.len, db);
}

static uint32_t *place_of(struct table *table, uint32_t db, struct bytes name)
{
    size_t mask = table->slot_count - 1, i = key_hash(db, name) & mask;
    for (; table->slots[i]; i = (i + 1) & mask) {
        const struct copied_key *key = &table->copies->keys[table->slots[i] - 1];
        if (key->db == db && key->name.len == name.len && memcmp(key->name.at, name.at, name.len) == 0)
            break;
    }
    return &table->slots[i];
}

static bool widen(struct table *table)
{
    size_t count = table->slot_count ? table->slot_count * 2 : 1024;
    uint32_t *slots = arena_array(table->arena, count, sizeof(*slots));
    if (!slots)
        return false;
    table->slots = slots;
    table->slot_count = count;
    for (size_t k = 0; k < table->copies->count; k++)
        *place_of(table, table->copies->keys[k].db, table->copies->keys[k].name) = (uint32_t)k + 1;
    return true;
}

static bool take_key(void *context, const struct rdb_item *item)
{
    struct table *table = context;
    struct copies *copies = table->copies;
    if (item->kind != RDB_KEY)
        return true;
    struct copied_key *keys = arena_grow(table->arena, copies->keys, copies->count, &table->cap, sizeof(*keys));
    if (!keys || copies->count == UINT32_MAX - 1)
        return false;
    copies->keys = keys;
    if ((copies->count + 1) * 2 > table->slot_count && !widen(table))
        return false;
    char *name = arena_copy(table->arena, item->key.name.at, item->key.name.len);
    if (!name)
        return false;
    struct copied_key *key = &keys[copies->count];
    *key = (struct copied_key){.name = {(const uint8_t *)name, item->key.name.len}, .db = item->key.db,
                               .slot = (uint16_t)keyslot(item->key.name), .covered_by = SIZE_MAX, .place = item->place,
                               .has_expiry = item->key.has_expiry, .expire_ms = item->key.expire_ms};
    memcpy(key->digest, item->key.digest, sizeof(key->digest));
    *place_of(table, key->db, key->name) = (uint32_t)++copies->count;
    return true;
}

/* ------------------------------------------------------------------ the members' keys */

static bool compare_key(void *context, const struct rdb_item *item)
{
    struct table *table = context;
    if (item->kind != RDB_KEY || !table->owned[keyslot(item->key.name)])
        return true;
    uint32_t number = *place_of(table, item->key.db, item->key.name);
    if (!number)
        return true;
    struct copied_key *key = &table->copies->keys[number - 1];
    bool equal = memcmp(key->digest, item->key.digest, sizeof(key->digest)) == 0 && key->has_expiry == item->key.has_expiry &&
                 (!key->has_expiry || key->expire_ms == item->key.expire_ms);
    enum coverage coverage = equal ? COVERAGE_COVERED : COVERAGE_DIFFERS;
    if (coverage > key->coverage) {
        key->coverage = coverage;
        key->covered_by = table->file;
    }
    return true;
}

struct notes {
    struct arena *arena;
    const char **texts;
    size_t count, cap;
};

static void note(struct notes *notes, const char *text)
{
    const char **texts = arena_grow(notes->arena, notes->texts, notes->count, &notes->cap, sizeof(*texts));
    if (!texts || !text)
        return;
    notes->texts = texts;
    texts[notes->count++] = text;
}

/* Whether the dump of this instance proves anything about keys of the suspect; why not, or NULL. */
static const char *no_proof(const struct cluster *cluster, const struct instance *suspect, const struct instance *witness,
                            const struct node *owner, bool replica, struct arena *arena)
{
    const struct dump *mine = suspect->dump, *theirs = witness->dump;
    if (!theirs)
        return arena_format(arena, "%s has no dump in the case", witness->name);
    if (!theirs->whole)
        return arena_format(arena, "the dump of %s is not whole", witness->name);
    if (!mine->has_ctime || !theirs->has_ctime)
        return arena_format(arena, "the dump of %s cannot be dated against this one", witness->name);
    if (theirs->ctime_s < mine->ctime_s)
        return arena_format(arena, "the dump of %s is %lld s older than this one", witness->name,
                            (long long)(mine->ctime_s - theirs->ctime_s));
    if (!replica)
        return NULL;
    const struct instance *primary = owner->instance == SIZE_MAX ? NULL : &cluster->evidence->instances[owner->instance];
    if (!primary || !primary->dump || !primary->dump->repl_id || !theirs->repl_id ||
        strcmp(primary->dump->repl_id, theirs->repl_id) != 0)
        return arena_format(arena, "the dump of the replica %s cannot be shown to share the history of %s", witness->name, owner->name);
    return NULL;
}

static bool compare_with(struct table *table, const struct cluster *cluster, const struct instance *suspect, uint32_t index,
                         size_t **covering, size_t *covering_cap, struct notes *notes)
{
    const struct node *node = &cluster->nodes[index];
    const struct node *owner = node->replica && node->follows != NO_NODE ? &cluster->nodes[node->follows] : node;
    uint32_t owner_index = (uint32_t)(owner - cluster->nodes);
    bool wanted = false;
    memset(table->owned, 0, sizeof(table->owned));
    for (size_t k = 0; k < table->copies->count; k++) {
        unsigned slot = table->copies->keys[k].slot;
        if (cluster->slots[slot].node == owner_index)
            table->owned[slot] = wanted = true;
    }
    if (!wanted)
        return true;
    if (node->instance == SIZE_MAX) {
        note(notes, arena_format(table->arena, "no files of %s are in the case", node->name));
        return true;
    }
    const struct instance *witness = &cluster->evidence->instances[node->instance];
    if (witness == suspect)
        return true;
    const char *why = no_proof(cluster, suspect, witness, owner, owner != node, table->arena);
    if (why) {
        note(notes, why);
        return true;
    }
    struct source *source = evidence_reopen(cluster->evidence, witness->dump->file);
    const char *fault = NULL;
    table->file = witness->dump->file;
    bool read = source && dump_walk(source, true, compare_key, table, &fault);
    source_close(source);
    if (!read) {
        note(notes, arena_format(table->arena, "the dump of %s could not be read again: %s", witness->name, fault ? fault : "no memory"));
        return true;
    }
    size_t *files = arena_grow(table->arena, *covering, table->copies->covering_count, covering_cap, sizeof(*files));
    if (!files)
        return false;
    *covering = files;
    files[table->copies->covering_count++] = witness->dump->file;
    return true;
}

struct copies *copies_of(const struct cluster *cluster, size_t instance, struct arena *arena)
{
    const struct instance *suspect = &cluster->evidence->instances[instance];
    struct copies *copies = arena_alloc(arena, sizeof(*copies));
    struct table *table = arena_alloc(arena, sizeof(*table));
    if (!copies || !table)
        return NULL;
    *copies = (struct copies){.possible = true, .file = SIZE_MAX};
    if (!suspect->dump)
        return copies;
    copies->file = suspect->dump->file;
    *table = (struct table){.arena = arena, .copies = copies};
    if (!suspect->dump->whole) {
        copies->possible = false;
        copies->why_not = "its dump is not whole, so its keys cannot be listed";
        return copies;
    }
    if (suspect->dump->keys == 0)
        return copies;
    if (!widen(table))
        return NULL;
    struct source *source = evidence_reopen(cluster->evidence, suspect->dump->file);
    bool read = source && dump_walk(source, true, take_key, table, &copies->why_not);
    source_close(source);
    if (!read) {
        copies->possible = false;
        if (!copies->why_not)
            copies->why_not = "its dump could not be read a second time";
        return copies;
    }
    struct notes notes = {.arena = arena};
    size_t *covering = NULL, covering_cap = 0;
    for (uint32_t n = 0; n < cluster->member_count; n++)
        if (!compare_with(table, cluster, suspect, n, &covering, &covering_cap, &notes))
            return NULL;
    copies->covering = covering;
    copies->skipped = notes.texts;
    copies->skipped_count = notes.count;
    for (size_t k = 0; k < copies->count; k++) {
        copies->only_here += copies->keys[k].coverage == COVERAGE_ONLY_HERE;
        copies->differs += copies->keys[k].coverage == COVERAGE_DIFFERS;
        copies->covered += copies->keys[k].coverage == COVERAGE_COVERED;
    }
    return copies;
}
