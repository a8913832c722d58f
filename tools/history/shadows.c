/* Replicas that nobody lists: SYNC asks for no membership, so whoever knows the address gets the data. An address
 * is told only if no view of any member, old or new, has it, or if those that had it were saved before members'
 * views without it. */
#include <stdlib.h>
#include <string.h>

#include "tools/history/chronicle.h"

struct lookup {
    const char *address;
    size_t host; /* length */
    uint16_t port;
};

static bool split(const char *address, struct lookup *lookup)
{
    const char *colon = address ? strrchr(address, ':') : NULL;
    char *end;
    unsigned long port = colon ? strtoul(colon + 1, &end, 10) : 0;
    if (!colon || colon == address || *end || !port || port > UINT16_MAX)
        return false;
    *lookup = (struct lookup){address, (size_t)(colon - address), (uint16_t)port};
    return true;
}

static bool host_is(const struct lookup *lookup, const char *ip)
{
    return strlen(ip) == lookup->host && memcmp(ip, lookup->address, lookup->host) == 0;
}

/* How a view relates to the address. */
enum listing { LISTS, LISTS_PORT, LISTS_NOT };

static enum listing listing_of(const struct view *view, const struct lookup *lookup)
{
    enum listing listing = LISTS_NOT;
    for (size_t s = 0; s < view->count; s++) {
        const struct entry *entry = view->sightings[s].entry;
        if (entry->port != lookup->port)
            continue;
        if (host_is(lookup, entry->ip) || host_is(lookup, entry->hostname))
            return LISTS;
        listing = LISTS_PORT;
    }
    return listing;
}

/* The view's silence means something: it is of a member, and of more than itself. */
static bool testifies(const struct chronicle *chronicle, const struct saved_view *saved)
{
    const struct cluster *cluster = clusters_of(chronicle->history->clusters, saved->instance);
    return cluster && cluster_testifies(cluster, saved->instance) && saved->view->count > 1 &&
           !(saved->view->limits & VIEW_SOME_NODES);
}

/* No view ever lists the address; was it a member once, when it asked? Not if it had been removed before, if the
 * view is older than the sync, or if it is still connected when the view is saved. */
static bool was_stranger(const struct chronicle *chronicle, const struct occurrence *asked, int64_t saved_ms)
{
    const char *id = chronicle_at_address(chronicle, asked->address, asked->when.ms);
    const struct numbers *track = &chronicle->tracks[asked->instance];
    const struct passage *left = id ? passage_before(chronicle, PASSAGE_LEFT, id, INT64_MAX) : NULL;
    if (left)
        return left->low_ms <= asked->when.ms;
    if (saved_ms <= asked->when.ms)
        return true;
    for (size_t p = 0; p < track->count; p++) {
        const struct occurrence *line = chronicle_at(chronicle, track->at[p]);
        if (line->event == LOG_REPLICA_LOST && same_id(line->address, asked->address) &&
            line->when.ms >= asked->when.ms)
            return false;
    }
    return true;
}

/* The view without the address that tells: saved before the sync, and no later view lists it. NONE when it was a
 * member. */
static size_t silent_view(const struct chronicle *chronicle, const struct occurrence *asked,
                          const struct lookup *lookup)
{
    size_t silent = NONE;
    int64_t listed = INT64_MIN;
    bool known = false, by_port = false;
    for (size_t v = 0; v < chronicle->view_count; v++) {
        const struct saved_view *saved = &chronicle->views[v];
        if (!testifies(chronicle, saved))
            continue;
        enum listing listing = listing_of(saved->view, lookup);
        known |= listing == LISTS;
        by_port |= listing == LISTS_PORT;
        if (listing == LISTS)
            listed = saved->ms;
        else if (saved->instance == asked->instance)
            silent = saved->occurrence;
    }
    /* Behind NAT a replica asks from an address that no file has: then its port is known and its host is not. */
    if (silent == NONE || (!known && by_port))
        return NONE;
    int64_t saved = chronicle_at(chronicle, silent)->when.ms;
    if (known)
        return listed < saved && saved <= asked->until.ms ? silent : NONE;
    return was_stranger(chronicle, asked, saved) ? silent : NONE;
}

/* It is known to have been removed before it asked, and not to have joined again: what shows it, or NONE. */
static size_t between_memberships(const struct chronicle *chronicle, const char *id, int64_t ms)
{
    const struct passage *left = id ? passage_before(chronicle, PASSAGE_LEFT, id, ms) : NULL;
    const struct passage *joined = id ? passage_before(chronicle, PASSAGE_JOINED, id, ms) : NULL;
    return left && (!joined || joined->low_ms < left->low_ms) ? left->lines.at[0] : NONE;
}

/* The members list the node at this address today. */
static bool lives_at(const struct cluster *cluster, const char *id, const struct lookup *lookup)
{
    const struct evidence *evidence = cluster->evidence;
    uint32_t number = view_store_find(evidence->store, (struct bytes){(const uint8_t *)id, strlen(id)});
    uint32_t node = number == NO_NODE ? NO_NODE : cluster_node(cluster, number);
    return node != NO_NODE && cluster->nodes[node].entry->port == lookup->port &&
           host_is(lookup, cluster->nodes[node].entry->ip);
}

/* One address that asks one member again and again. */
struct shadow {
    const char *address;
    size_t instance;
    struct draft *draft;
    uint64_t count;
};

void build_shadows(struct chronicle *chronicle)
{
    struct shadow *shadows = NULL;
    size_t count = 0, cap = 0;
    for (size_t o = 0; o < chronicle->history->count; o++) {
        const struct occurrence *asked = chronicle_at(chronicle, o);
        const struct cluster *cluster = asked->event == LOG_SYNC_ASKED && asked->instance != SIZE_MAX
                                            ? clusters_of(chronicle->history->clusters, asked->instance)
                                            : NULL;
        struct lookup lookup;
        if (!cluster || !cluster_testifies(cluster, asked->instance) || !split(asked->address, &lookup))
            continue;
        const char *id = chronicle_at_address(chronicle, asked->address, asked->when.ms);
        size_t silent = between_memberships(chronicle, id, asked->when.ms);
        if (silent == NONE && id && is_member_now(chronicle, id) && lives_at(cluster, id, &lookup))
            continue;
        silent = silent != NONE ? silent : silent_view(chronicle, asked, &lookup);
        if (silent == NONE)
            continue;
        struct shadow *shadow = NULL;
        for (size_t s = 0; s < count && !shadow; s++)
            shadow = shadows[s].instance == asked->instance && same_id(shadows[s].address, asked->address) ? &shadows[s]
                                                                                                           : NULL;
        if (!shadow) {
            if (!(shadows = arena_grow(chronicle->arena, shadows, count, &cap, sizeof(*shadows))))
                return;
            shadow = &shadows[count++];
            *shadow = (struct shadow){asked->address, asked->instance,
                                      draft_new(chronicle, EPISODE_SHADOW, BASIS_INFERRED), 0};
            draft_begins(chronicle, shadow->draft, o);
        }
        struct draft *draft = shadow->draft;
        if (!draft)
            return;
        shadow->count += asked->count;
        draft_ends(chronicle, draft, o);
        draft_shows(chronicle, draft, silent);
        draft->episode.node = chronicle_at_address(chronicle, asked->address, asked->when.ms);
        draft->episode.peer = asked->writer;
        draft->episode.instance = asked->instance;
        draft->episode.basis = "the address is in no member's file at that time";
        draft->episode.title = chronicle_text(
            chronicle, "%s, which no member lists, asked %s for data%s", asked->address,
            chronicle->evidence->instances[asked->instance].name,
            shadow->count > 1 ? chronicle_text(chronicle, ", %llu times", (unsigned long long)shadow->count) : "");
    }
}
