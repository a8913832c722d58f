#include <stdio.h>
#include <string.h>

#include "parsers/bytes/keyslot.h"
#include "tools/cluster/diff_private.h"
#include "tools/evidence/flags.h"

enum { ROLE_FLAGS = NODE_PRIMARY | NODE_REPLICA, BUS_PORT_DISTANCE = 10000, LONGEST_RANGE = 12 };

static const struct {
    const char *word, *title;
} aspects[] = {
#define DIFF_ASPECT(id, word, title) {word, title},
#include "tools/cluster/diff_aspects.def"
#undef DIFF_ASPECT
};

const char *diff_aspect_word(enum diff_aspect aspect)
{
    return aspects[aspect].word;
}

const char *diff_aspect_title(enum diff_aspect aspect)
{
    return aspects[aspect].title;
}

const char *diff_node_name(const struct view_store *store, const struct entry *entry, struct arena *arena)
{
    unsigned port = entry->port ? entry->port : entry->tls_port;
    if (*entry->ip)
        return arena_format(arena, "%s:%u", entry->ip, port);
    return arena_format(arena, "%.8s", view_store_id(store, entry->node));
}

/* The store decides what is the same: an entry that states this aspect and nothing else has a stance of its own for
 * each value, in the spelling that the store compares. */
uint32_t diff_aspect_identity(struct view_store *store, enum diff_aspect aspect, const struct entry *entry)
{
    struct entry draft = {.node = entry->node, .primary = NO_NODE};
    draft.ip = draft.hostname = draft.shard_id = draft.nodename = "";
    switch (aspect) {
    case DIFF_ADDRESS:
        draft.ip = entry->ip;
        draft.hostname = entry->hostname;
        draft.port = entry->port;
        draft.bus_port = entry->bus_port;
        break;
    case DIFF_ROLE:
        draft.flags = entry->flags & ROLE_FLAGS;
        break;
    case DIFF_PRIMARY:
        draft.primary = entry->primary;
        break;
    case DIFF_SLOTS:
        draft.ranges = entry->ranges;
        draft.range_count = entry->range_count;
        break;
    case DIFF_EPOCH:
        if (entry->flags & NODE_REPLICA)
            return NO_VALUE;
        draft.config_epoch = entry->config_epoch;
        break;
    case DIFF_FLAGS:
        draft.flags = entry->flags & ~(unsigned)(ROLE_FLAGS | NODE_MYSELF);
        break;
    case DIFF_MEMBER:
    case DIFF_ASPECTS:
        return NO_VALUE;
    }
    const struct entry *value = view_store_intern(store, &draft);
    return value ? value->stance : NO_VALUE;
}

static const char *address_text(const struct entry *entry, struct arena *arena)
{
    unsigned bus = entry->bus_port ? entry->bus_port : entry->port ? entry->port + (unsigned)BUS_PORT_DISTANCE : 0;
    return arena_format(arena, "%s:%u@%u%s%s", entry->ip, entry->port ? entry->port : entry->tls_port, bus,
                        *entry->hostname ? "," : "", entry->hostname);
}

static const char *flags_or_none(unsigned flags, struct arena *arena)
{
    const char *text = flags_text(flags, true, arena);
    return text && !*text ? "none" : text;
}

static const char *ranges_text(const struct entry *entry, struct arena *arena)
{
    if (!entry->range_count)
        return "none";
    size_t cap = (size_t)entry->range_count * LONGEST_RANGE, len = 0;
    char *text = arena_alloc(arena, cap);
    for (uint32_t i = 0; text && i < entry->range_count; i++) {
        struct slot_range range = entry->ranges[i];
        const char *blank = i ? " " : "";
        len += (size_t)(range.first == range.last
                            ? snprintf(text + len, cap - len, "%s%u", blank, range.first)
                            : snprintf(text + len, cap - len, "%s%u-%u", blank, range.first, range.last));
    }
    return text;
}

const char *diff_aspect_text(const struct view_store *store, enum diff_aspect aspect, const struct entry *entry,
                             struct arena *arena)
{
    switch (aspect) {
    case DIFF_MEMBER: return "listed";
    case DIFF_ADDRESS: return address_text(entry, arena);
    case DIFF_ROLE: return flags_or_none(entry->flags & ROLE_FLAGS, arena);
    case DIFF_PRIMARY: return entry->primary == NO_NODE ? "none" : view_store_id(store, entry->primary);
    case DIFF_SLOTS: return ranges_text(entry, arena);
    case DIFF_EPOCH: return arena_format(arena, "%llu", (unsigned long long)entry->config_epoch);
    case DIFF_FLAGS: return flags_or_none(entry->flags & ~(unsigned)ROLE_FLAGS, arena);
    case DIFF_ASPECTS: break;
    }
    return NULL;
}
