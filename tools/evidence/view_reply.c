/* Replies and outputs that name nodes in another shape than node lines. A node that stands in several places of a reply,
 * as every node that serves several ranges does in CLUSTER SLOTS, becomes one. */
#include <string.h>

#include "parsers/bytes/keyslot.h"
#include "parsers/capture/shards.h"
#include "parsers/capture/slots.h"
#include "parsers/trib/trib.h"
#include "tools/evidence/known_lines.h"
#include "tools/evidence/view_private.h"

static const struct {
    const char *name;
    unsigned limits;
    const char *text;
} sources[VIEW_SOURCES] = {
    [VIEW_NODESCONF] = {"nodes.conf", 0, ""},
    [VIEW_CLUSTER_NODES] = {"CLUSTER NODES", 0, ""},
    [VIEW_CLUSTER_SHARDS] = {"CLUSTER SHARDS", VIEW_NO_EPOCHS | VIEW_NO_TIMES | VIEW_SOME_NODES | VIEW_NO_FLAGS | VIEW_NO_BUS,
                             "it never says epochs, times, suspicions (fail?), and which nodes are ghosts"},
    [VIEW_CLUSTER_SLOTS] = {"CLUSTER SLOTS", VIEW_NO_EPOCHS | VIEW_NO_TIMES | VIEW_SOME_NODES | VIEW_NO_FLAGS | VIEW_NO_BUS,
                            "it never says epochs, times, failures, and nodes that serve no slot"},
    [VIEW_TOOL] = {"check of the cluster tool",
                   VIEW_NO_EPOCHS | VIEW_NO_TIMES | VIEW_SOME_NODES | VIEW_SOME_SLOTS | VIEW_NO_FLAGS | VIEW_NO_BUS,
                   "it never says epochs, times, and nodes that are failed or were not reached, nor their slots"},
};

const char *view_source_name(enum view_source source)
{
    return sources[source].name;
}

unsigned view_limits_of(enum view_source source)
{
    return sources[source].limits;
}

const char *view_limits_text(const struct view *view)
{
    return sources[view->source].text;
}

/* ------------------------------------------------------------------ nodes being collected */

struct part {
    uint32_t number; /* of the id in the store */
    struct nodesconf_node node;
    struct place place;
    struct slot_range *ranges;
    size_t range_count, range_cap;
    struct open_slot *open;
    size_t open_count, open_cap;
    size_t shard;
};

/* The only part that has a mark on a slot; SEVERAL_PARTS when there are more. */
struct sides {
    uint32_t of[2]; /* by enum slot_mark */
};

enum { NO_PART = NO_NODE, SEVERAL_PARTS = NO_NODE - 1 };

struct parts {
    struct reading *reading;
    struct part *all;
    size_t count, cap;
    uint32_t *index; /* number in the store -> number here, or NO_NODE */
    size_t index_cap;
    size_t slots_taken; /* CLUSTER SHARDS: the latest shard whose ranges have been taken, from 1 */
    struct sides *sides; /* a tool's check: by slot */
};

static bool index_part(struct parts *parts, uint32_t number)
{
    if (number >= parts->index_cap) {
        size_t cap = (size_t)number * 2 + 64;
        uint32_t *index = arena_array(parts->reading->scratch, cap, sizeof(*index));
        if (!index)
            return false;
        memset(index, 0xff, cap * sizeof(*index));
        if (parts->index_cap)
            memcpy(index, parts->index, parts->index_cap * sizeof(*index));
        parts->index = index;
        parts->index_cap = cap;
    }
    return true;
}

/* The part of this id, a new one when it is the first time; NULL without memory. */
static struct part *part_of(struct parts *parts, struct bytes id, struct place place)
{
    uint32_t number = view_store_node(parts->reading->store, id);
    if (number == NO_NODE || !index_part(parts, number))
        return NULL;
    if (parts->index[number] != NO_NODE)
        return &parts->all[parts->index[number]];
    struct part *all =
        arena_grow(parts->reading->scratch, parts->all, parts->count, &parts->cap, sizeof(*parts->all));
    if (!all)
        return NULL;
    parts->all = all;
    parts->index[number] = (uint32_t)parts->count;
    all[parts->count] = (struct part){.number = number, .node = {.id = id}, .place = place};
    return &all[parts->count++];
}

static bool add_ranges(struct parts *parts, struct part *part, const struct slot_range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct slot_range *all = arena_grow(parts->reading->scratch, part->ranges, part->range_count, &part->range_cap,
                                            sizeof(*all));
        if (!all)
            return false;
        part->ranges = all;
        all[part->range_count++] = ranges[i];
    }
    return true;
}

static bool add_open(struct parts *parts, struct part *part, struct open_slot open)
{
    struct open_slot *all =
        arena_grow(parts->reading->scratch, part->open, part->open_count, &part->open_cap, sizeof(*all));
    if (!all)
        return false;
    part->open = all;
    all[part->open_count++] = open;
    return true;
}

static bool keep(struct parts *parts)
{
    for (size_t i = 0; i < parts->count; i++) {
        struct part *part = &parts->all[i];
        part->node.ranges = part->ranges;
        part->node.range_count = part->range_count;
        part->node.open = part->open;
        part->node.open_count = part->open_count;
        const struct nodesconf_item item = {
            .kind = NODESCONF_NODE, .place = part->place, .ended = true, .node = part->node};
        if (!view_add_node(parts->reading, &item))
            return false;
    }
    return true;
}

static bool add_defect(struct reading *reading, const struct damage *damage)
{
    struct damage own = *damage;
    own.code += NODESCONF_DEFECTS;
    return view_add_defect(reading, &own);
}

/* ------------------------------------------------------------------ CLUSTER SLOTS */

/* What stands for a missing id. */
static struct bytes address_id(struct reading *reading, const struct slots_item *item)
{
    char *text = arena_format(reading->scratch, "%.*s:%u", (int)(item->ip.len < 256 ? item->ip.len : 256),
                              (const char *)item->ip.at, item->port);
    return (struct bytes){(const uint8_t *)text, text ? strlen(text) : 0};
}

static bool add_slots(struct parts *parts, const struct slots_item *item, bool ids, struct bytes *primary)
{
    struct bytes id = item->id;
    if (!id.len && ids)
        return true; /* its damage has been said */
    if (!id.len)
        id = address_id(parts->reading, item);
    struct part *part = id.len ? part_of(parts, id, item->place) : NULL;
    if (!part)
        return false;
    part->node.ip = item->ip;
    part->node.hostname = item->hostname.len ? item->hostname : part->node.hostname;
    part->node.port = item->port;
    if (item->first) {
        *primary = part->node.id;
        part->node.flags = NODE_PRIMARY;
        part->node.primary.len = 0;
        return add_ranges(parts, part, &item->range, 1);
    }
    if (!(part->node.flags & NODE_PRIMARY)) {
        part->node.flags = NODE_REPLICA;
        part->node.primary = *primary;
    }
    return true;
}

static bool any_id(struct bytes text)
{
    struct slots_reader *reader = slots_open(text);
    struct slots_item item;
    bool any = false;
    enum parse_step step = reader ? PARSE_ITEM : PARSE_END;
    while (step != PARSE_END && !any) {
        step = slots_next(reader, &item);
        any = step == PARSE_ITEM && item.id.len;
    }
    slots_close(reader);
    return any;
}

static bool read_slots(struct parts *parts, struct bytes text)
{
    struct slots_reader *reader = slots_open(text);
    struct slots_item item;
    struct bytes primary = {NULL, 0};
    bool memory = reader, ids = any_id(text);
    for (enum parse_step step = PARSE_ITEM; memory && step != PARSE_END;) {
        step = slots_next(reader, &item);
        if (step == PARSE_ITEM) {
            primary.len = item.first ? 0 : primary.len;
            memory = add_slots(parts, &item, ids, &primary);
        } else if (step == PARSE_DAMAGE) {
            memory = add_defect(parts->reading, slots_damage(reader));
        }
    }
    slots_close(reader);
    return memory && keep(parts);
}

/* ------------------------------------------------------------------ CLUSTER SHARDS */

static bool add_shard_node(struct parts *parts, const struct shards_item *item)
{
    static const unsigned roles[] = {[SHARDS_ROLE_UNKNOWN] = 0, [SHARDS_PRIMARY] = NODE_PRIMARY,
                                     [SHARDS_REPLICA] = NODE_REPLICA};
    struct part *part = part_of(parts, item->id, item->place);
    if (!part)
        return false;
    part->node.ip = item->ip;
    part->node.hostname = item->hostname;
    part->node.port = item->port;
    part->node.tls_port = item->tls_port;
    part->node.flags = roles[item->role] | (item->health == SHARDS_FAIL ? (unsigned)NODE_FAIL : 0);
    part->shard = item->shard;
    /* Once a shard, whatever stands in it; see name_primaries(). */
    bool first = item->role == SHARDS_PRIMARY && parts->slots_taken != item->shard + 1;
    parts->slots_taken = first ? item->shard + 1 : parts->slots_taken;
    return !first || add_ranges(parts, part, item->ranges, item->range_count);
}

/* The nodes of a shard stand together. Of several primaries in it, the slots are those of one that is not failed. */
static void name_primaries(struct parts *parts)
{
    for (size_t from = 0, to; from < parts->count; from = to) {
        struct part *primary = NULL;
        for (to = from; to < parts->count && parts->all[to].shard == parts->all[from].shard; to++) {
            struct part *part = &parts->all[to];
            bool better = !primary || (primary->node.flags & NODE_FAIL && !(part->node.flags & NODE_FAIL));
            if (part->node.flags & NODE_PRIMARY && better)
                primary = part;
        }
        for (size_t i = from; primary && i < to; i++) {
            struct part *part = &parts->all[i];
            if (part->node.flags & NODE_REPLICA)
                part->node.primary = primary->node.id;
            if (part != primary && part->range_count) {
                primary->ranges = part->ranges;
                primary->range_count = part->range_count;
                part->range_count = 0;
            }
        }
    }
}

static bool read_shards(struct parts *parts, struct bytes text)
{
    struct shards_reader *reader = shards_open(text);
    struct shards_item item;
    bool memory = reader;
    for (enum parse_step step = PARSE_ITEM; memory && step != PARSE_END;) {
        step = shards_next(reader, &item);
        if (step == PARSE_ITEM)
            memory = add_shard_node(parts, &item);
        else if (step == PARSE_DAMAGE)
            memory = add_defect(parts->reading, shards_damage(reader));
    }
    shards_close(reader);
    name_primaries(parts);
    return memory && keep(parts);
}

/* ------------------------------------------------------------------ the tools' check */

static bool at_address(const struct part *part, const struct trib_address *address)
{
    return part->node.port == address->port && part->node.ip.len == address->ip.len &&
           (!address->ip.len || memcmp(part->node.ip.at, address->ip.at, address->ip.len) == 0);
}

static struct part *part_at(struct parts *parts, const struct trib_address *address)
{
    for (size_t i = 0; i < parts->count; i++)
        if (at_address(&parts->all[i], address))
            return &parts->all[i];
    return NULL;
}

static bool add_tool_node(struct parts *parts, const struct trib_item *item)
{
    struct part *part = part_of(parts, item->id, item->place);
    if (!part)
        return false;
    part->node.ip = item->address.ip;
    part->node.port = item->address.port;
    part->node.flags = item->flags;
    part->node.primary = item->primary;
    part->place = item->place;
    part->range_count = 0;
    return add_ranges(parts, part, item->ranges, item->range_count);
}

/* Replicas repeat their primary's marks from Valkey 8 on: only primaries move slots. */
static bool add_marks(struct parts *parts, const struct trib_item *item)
{
    struct part *part = part_at(parts, &item->address);
    if (!part || !(part->node.flags & NODE_PRIMARY))
        return true;
    for (size_t r = 0; r < item->range_count; r++) { /* single slots */
        uint16_t slot = item->ranges[r].first;
        uint32_t number = (uint32_t)(part - parts->all), *side = &parts->sides[slot].of[item->mark];
        if (*side == number)
            continue;
        *side = *side == NO_PART ? number : SEVERAL_PARTS;
        if (!add_open(parts, part, (struct open_slot){slot, item->mark, {NULL, 0}}))
            return false;
    }
    return true;
}

/* A check does not say the other side of a mark; the only primary with the opposite mark is taken for it. */
static void pair_marks(struct parts *parts)
{
    for (size_t i = 0; i < parts->count; i++)
        for (size_t m = 0; m < parts->all[i].open_count; m++) {
            struct open_slot *mark = &parts->all[i].open[m];
            uint32_t other = parts->sides[mark->slot].of[mark->mark == SLOT_MIGRATING ? SLOT_IMPORTING : SLOT_MIGRATING];
            if (other != NO_PART && other != SEVERAL_PARTS)
                mark->peer = parts->all[other].node.id;
        }
}

static void forget_parts(struct parts *parts)
{
    parts->count = 0;
    memset(parts->index, 0xff, parts->index_cap * sizeof(*parts->index));
    memset(parts->sides, 0xff, SLOT_COUNT * sizeof(*parts->sides));
}

static bool read_tool(struct parts *parts, struct bytes text)
{
    struct trib *reader = trib_open(text);
    struct trib_item item;
    struct trib_address asked = {.port = 0};
    parts->sides = arena_array(parts->reading->scratch, SLOT_COUNT, sizeof(*parts->sides));
    bool memory = reader && parts->sides;
    if (memory)
        forget_parts(parts);
    for (enum parse_step step = PARSE_ITEM; memory && step != PARSE_END;) {
        step = trib_next(reader, &item);
        if (step == PARSE_DAMAGE)
            memory = add_defect(parts->reading, trib_damage(reader));
        if (step != PARSE_ITEM)
            continue;
        if (item.kind == TRIB_CHECK) { /* of several checks the last shows what is */
            asked = item.address;
            forget_parts(parts);
            parts->reading->view->outdated = false;
        } else if (item.kind == TRIB_NODE && item.listed) {
            memory = add_tool_node(parts, &item);
        } else if (item.kind == TRIB_OPEN) {
            memory = add_marks(parts, &item);
        }
        parts->reading->view->outdated |= item.kind == TRIB_MOVE;
    }
    trib_close(reader);
    struct part *own = asked.port ? part_at(parts, &asked) : NULL;
    if (own)
        own->node.flags |= NODE_MYSELF;
    if (memory)
        pair_marks(parts);
    return memory && keep(parts);
}

bool view_read_reply(struct reading *reading, struct bytes text)
{
    struct parts parts = {.reading = reading};
    if (!index_part(&parts, 0))
        return false;
    switch (reading->view->source) {
    case VIEW_CLUSTER_SHARDS: return read_shards(&parts, text);
    case VIEW_CLUSTER_SLOTS: return read_slots(&parts, text);
    case VIEW_TOOL: return read_tool(&parts, text);
    case VIEW_NODESCONF:
    case VIEW_CLUSTER_NODES:
    case VIEW_SOURCES: break;
    }
    return true;
}

bool view_set_own(struct view *view, struct bytes ip, uint16_t port)
{
    size_t found = SIZE_MAX;
    for (size_t s = 0; s < view->count; s++) {
        const struct entry *entry = view->sightings[s].entry;
        bool there = (!ip.len || (strlen(entry->ip) == ip.len && memcmp(entry->ip, ip.at, ip.len) == 0)) &&
                     (!port || entry->port == port || entry->tls_port == port);
        if (there && found != SIZE_MAX)
            return false;
        found = there ? s : found;
    }
    if (found == SIZE_MAX)
        return false;
    view->sightings[found].myself = true;
    view->myself = found;
    view->myself_count = 1;
    view->placed_own = true;
    return true;
}
