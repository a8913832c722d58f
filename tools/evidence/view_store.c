#include <arpa/inet.h>
#include <string.h>
#include <xxhash.h>

#include "tools/evidence/known_lines.h"
#include "tools/evidence/numbering.h"
#include "tools/evidence/view.h"

struct node_name {
    const char *id;
    size_t len;
};

/* Entries that differ from each other, numbered in the order of their arrival. */
struct entry_set {
    struct entry **all;
    size_t count, cap;
    struct numbering numbering;
};

struct view_store {
    struct arena *arena;
    struct node_name *nodes;
    size_t node_count, node_cap;
    struct numbering node_numbering;
    struct entry_set entries;
    struct entry_set stances; /* entries reduced to what a comparison looks at */
    struct known_lines lines;
};

enum { BUS_PORT_DISTANCE = 10000, SPELLING_MAX = 256 };

struct view_store *view_store_new(struct arena *arena)
{
    struct view_store *store = arena_alloc(arena, sizeof(*store));
    if (store)
        store->arena = arena;
    return store;
}

struct arena *view_store_arena(const struct view_store *store)
{
    return store->arena;
}

struct known_lines *view_store_lines(struct view_store *store)
{
    return &store->lines;
}

static uint32_t find_node(const struct view_store *store, struct bytes id, uint64_t hash)
{
    size_t at = hash;
    uint32_t number;
    while (numbering_next(&store->node_numbering, hash, &at, &number)) {
        const struct node_name *name = &store->nodes[number];
        if (name->len == id.len && (!id.len || memcmp(name->id, id.at, id.len) == 0))
            return number;
    }
    return NO_NODE;
}

uint32_t view_store_find(const struct view_store *store, struct bytes id)
{
    return find_node(store, id, XXH3_64bits(id.at, id.len));
}

uint32_t view_store_node(struct view_store *store, struct bytes id)
{
    uint64_t hash = XXH3_64bits(id.at, id.len);
    uint32_t number = find_node(store, id, hash);
    if (number != NO_NODE)
        return number;
    struct node_name *nodes =
        arena_grow(store->arena, store->nodes, store->node_count, &store->node_cap, sizeof(*nodes));
    const char *copy = arena_copy(store->arena, id.at, id.len);
    if (!nodes || !copy || store->node_count >= NO_NODE - 1)
        return NO_NODE;
    store->nodes = nodes;
    number = (uint32_t)store->node_count;
    nodes[number] = (struct node_name){copy, id.len};
    if (!numbering_add(&store->node_numbering, store->arena, hash, number))
        return NO_NODE;
    store->node_count++;
    return number;
}

const char *view_store_id(const struct view_store *store, uint32_t node)
{
    return node < store->node_count ? store->nodes[node].id : "";
}

size_t view_store_nodes(const struct view_store *store)
{
    return store->node_count;
}

size_t view_store_entries(const struct view_store *store)
{
    return store->entries.count;
}

static uint64_t text_hash(const char *text, uint64_t seed)
{
    return *text ? XXH3_64bits_withSeed(text, strlen(text), seed) : seed + 1;
}

static uint64_t entry_hash(const struct entry *entry)
{
    const uint64_t numbers[] = {
        (uint64_t)entry->node << 32 | entry->primary,
        (uint64_t)entry->port << 48 | (uint64_t)entry->bus_port << 32 | (uint64_t)entry->tls_port << 16,
        (uint64_t)entry->flags << 32 | entry->range_count,
        entry->config_epoch,
    };
    uint64_t hash = XXH3_64bits(numbers, sizeof(numbers));
    hash = text_hash(entry->ip, hash);
    hash = text_hash(entry->hostname, hash);
    hash = text_hash(entry->shard_id, hash);
    hash = text_hash(entry->nodename, hash);
    if (entry->range_count)
        hash = XXH3_64bits_withSeed(entry->ranges, entry->range_count * sizeof(*entry->ranges), hash);
    for (uint32_t i = 0; i < entry->mark_count; i++) {
        const struct mark *mark = &entry->marks[i];
        const uint64_t parts[] = {mark->slot, (uint64_t)mark->kind << 32 | mark->peer};
        hash = XXH3_64bits_withSeed(parts, sizeof(parts), hash);
    }
    return hash;
}

static bool same_marks(const struct entry *a, const struct entry *b)
{
    for (uint32_t i = 0; i < a->mark_count; i++)
        if (a->marks[i].slot != b->marks[i].slot || a->marks[i].kind != b->marks[i].kind ||
            a->marks[i].peer != b->marks[i].peer)
            return false;
    return true;
}

static bool same_entry(const struct entry *a, const struct entry *b)
{
    return a->node == b->node && a->primary == b->primary && a->port == b->port && a->bus_port == b->bus_port &&
           a->tls_port == b->tls_port && a->flags == b->flags && a->config_epoch == b->config_epoch &&
           a->range_count == b->range_count && a->mark_count == b->mark_count && strcmp(a->ip, b->ip) == 0 &&
           strcmp(a->hostname, b->hostname) == 0 && strcmp(a->shard_id, b->shard_id) == 0 &&
           strcmp(a->nodename, b->nodename) == 0 &&
           (!a->range_count || memcmp(a->ranges, b->ranges, a->range_count * sizeof(*a->ranges)) == 0) &&
           same_marks(a, b);
}

static const char *keep_text(struct arena *arena, const char *text)
{
    return *text ? arena_string(arena, text) : "";
}

static void *keep_array(struct arena *arena, const void *at, size_t count, size_t size)
{
    void *copy = count ? arena_array(arena, count, size) : NULL;
    if (copy)
        memcpy(copy, at, count * size);
    return copy;
}

static struct entry *keep_entry(struct arena *arena, const struct entry *draft)
{
    struct entry *entry = arena_alloc(arena, sizeof(*entry));
    if (!entry)
        return NULL;
    *entry = *draft;
    entry->ip = keep_text(arena, draft->ip);
    entry->hostname = keep_text(arena, draft->hostname);
    entry->shard_id = keep_text(arena, draft->shard_id);
    entry->nodename = keep_text(arena, draft->nodename);
    entry->ranges = keep_array(arena, draft->ranges, draft->range_count, sizeof(*draft->ranges));
    entry->marks = keep_array(arena, draft->marks, draft->mark_count, sizeof(*draft->marks));
    entry->slot_count = 0;
    for (uint32_t i = 0; i < draft->range_count; i++)
        entry->slot_count += (uint32_t)draft->ranges[i].last - draft->ranges[i].first + 1;
    return arena_failed(arena) ? NULL : entry;
}

/* The member of the set that equals `draft`; a copy of it becomes one when there is none, and `added` says so. */
static struct entry *set_intern(struct entry_set *set, struct arena *arena, const struct entry *draft, bool *added)
{
    uint64_t hash = entry_hash(draft);
    size_t at = hash;
    uint32_t number;
    *added = false;
    while (numbering_next(&set->numbering, hash, &at, &number))
        if (same_entry(set->all[number], draft))
            return set->all[number];
    struct entry **all = arena_grow(arena, set->all, set->count, &set->cap, sizeof(struct entry *));
    struct entry *entry = keep_entry(arena, draft);
    if (!all || !entry || set->count >= NO_NODE - 1)
        return NULL;
    set->all = all;
    entry->number = (uint32_t)set->count;
    all[set->count] = entry;
    if (!numbering_add(&set->numbering, arena, hash, entry->number))
        return NULL;
    set->count++;
    *added = true;
    return entry;
}

/* One spelling for each address: IPv6 as inet_ntop() writes it, IPv4 as it is, other text in lower case. Texts too long
 * for an address are left as they are. */
static const char *plain_address(const char *ip, char spelling[SPELLING_MAX])
{
    struct in6_addr address;
    size_t len = strlen(ip);
    if (len >= SPELLING_MAX)
        return ip;
    if (strchr(ip, ':') && inet_pton(AF_INET6, ip, &address) == 1 &&
        inet_ntop(AF_INET6, &address, spelling, SPELLING_MAX))
        return spelling;
    for (size_t i = 0; i <= len; i++)
        spelling[i] = ip[i] >= 'A' && ip[i] <= 'Z' ? (char)(ip[i] + ('a' - 'A')) : ip[i];
    return spelling;
}

static uint32_t stance_of(struct view_store *store, const struct entry *entry)
{
    char spelling[SPELLING_MAX];
    uint32_t bus = entry->bus_port;
    if (!bus && entry->port && entry->port <= UINT16_MAX - BUS_PORT_DISTANCE)
        bus = entry->port + (uint32_t)BUS_PORT_DISTANCE;
    const struct entry compared = {
        .node = entry->node,
        .ip = plain_address(entry->ip, spelling),
        .bus_port = (uint16_t)bus,
        .hostname = entry->hostname,
        .shard_id = "",
        .nodename = "",
        .flags = entry->flags & ~(unsigned)NODE_MYSELF,
        .primary = entry->primary,
        .config_epoch = entry->flags & NODE_REPLICA ? 0 : entry->config_epoch,
        .ranges = entry->ranges,
        .range_count = entry->range_count,
    };
    bool added;
    const struct entry *stance = set_intern(&store->stances, store->arena, &compared, &added);
    return stance ? stance->number : 0;
}

const struct entry *view_store_intern(struct view_store *store, const struct entry *draft)
{
    bool added;
    struct entry *entry = set_intern(&store->entries, store->arena, draft, &added);
    if (entry && added)
        entry->stance = stance_of(store, entry);
    return arena_failed(store->arena) ? NULL : entry;
}
