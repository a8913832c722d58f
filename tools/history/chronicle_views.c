/* What the views say about a node at a moment. */
#include <string.h>

#include "tools/history/chronicle.h"

struct common {
    const struct entry *one, *other; /* the other may be NULL */
};

static bool has(const struct entry *entry, unsigned slot)
{
    for (uint32_t r = 0; r < entry->range_count; r++)
        if (slot >= entry->ranges[r].first && slot <= entry->ranges[r].last)
            return true;
    return false;
}

static bool both_have(const void *context, unsigned slot)
{
    const struct common *common = context;
    return has(common->one, slot) && (!common->other || has(common->other, slot));
}

const char *entry_slots(struct chronicle *chronicle, const struct entry *one, const struct entry *other)
{
    struct common common = {one ? one : other, one ? other : NULL};
    const char *text = common.one ? slots_text(chronicle->arena, both_have, &common) : NULL;
    return text && *text ? text : NULL;
}

static const struct sighting *sighting_of(const struct chronicle *chronicle, const struct saved_view *saved,
                                          const char *id)
{
    const struct view_store *store = chronicle->evidence->store;
    uint32_t node = view_store_find(store, (struct bytes){(const uint8_t *)id, strlen(id)});
    return node == NO_NODE ? NULL : view_find(saved->view, node);
}

static bool shows_slots(const struct saved_view *saved, const struct sighting *sighting)
{
    return sighting && sighting->entry->flags & NODE_PRIMARY && !(saved->view->limits & VIEW_SOME_SLOTS);
}

const struct entry *entry_at_epoch(const struct chronicle *chronicle, const char *id, int64_t epoch, size_t *from)
{
    *from = NONE;
    for (size_t v = 0; id && v < chronicle->view_count; v++) {
        const struct saved_view *saved = &chronicle->views[v];
        const struct sighting *sighting = sighting_of(chronicle, saved, id);
        if (!shows_slots(saved, sighting) || saved->view->limits & VIEW_NO_EPOCHS ||
            (int64_t)sighting->entry->config_epoch != epoch || !sighting->entry->slot_count)
            continue;
        *from = saved->occurrence;
        return sighting->entry;
    }
    return NULL;
}

const struct entry *entry_before(const struct chronicle *chronicle, const char *id, int64_t ms, size_t *from)
{
    *from = NONE;
    for (size_t v = chronicle->view_count; id && v-- > 0;) {
        const struct saved_view *saved = &chronicle->views[v];
        const struct sighting *sighting = saved->ms > ms ? NULL : sighting_of(chronicle, saved, id);
        if (!sighting || saved->view->limits & VIEW_SOME_SLOTS)
            continue;
        *from = saved->occurrence;
        return sighting->entry;
    }
    return NULL;
}

/* The correction of the clock that the view was read with: its occurrence is on the reference clock, its pongs are
 * not. */
static int64_t correction(const struct chronicle *chronicle, const struct saved_view *saved)
{
    const struct moment *when = &chronicle_at(chronicle, saved->occurrence)->when;
    return when->ms - when->raw_ms;
}

enum { LOADED_MS = 50 /* between the load of a nodes.conf and its line */ };

/* A server that loads a nodes.conf sets all pongs that it states to that moment: they show nothing of the others. */
static bool is_loaded(const struct chronicle *chronicle, const struct saved_view *saved, int64_t pong)
{
    for (size_t l = 0; l < chronicle->lifetime_count; l++) {
        const struct lifetime *life = &chronicle->lifetimes[l];
        if (life->instance != saved->instance || life->identified == NONE)
            continue;
        const struct occurrence *line = chronicle_at(chronicle, life->identified);
        int64_t apart = line->when.ms - pong;
        if (line->event == LOG_NODE_LOADED && apart >= -LOADED_MS && apart <= LOADED_MS)
            return true;
    }
    return false;
}

int64_t last_pong(const struct chronicle *chronicle, const char *id, int64_t ms, size_t *from)
{
    int64_t newest = INT64_MIN;
    *from = NONE;
    for (size_t v = 0; id && v < chronicle->view_count; v++) {
        const struct saved_view *saved = &chronicle->views[v];
        const struct sighting *sighting = sighting_of(chronicle, saved, id);
        if (!sighting || sighting->myself || sighting->pong_ms <= 0 || sighting->pong_ms == saved->loaded_ms)
            continue; /* nobody heard what a server sets while it loads */
        int64_t pong = sighting->pong_ms + correction(chronicle, saved);
        if (pong <= ms && pong > newest && !is_loaded(chronicle, saved, pong)) {
            newest = pong;
            *from = saved->occurrence;
        }
    }
    return newest;
}

int64_t newest_epoch(const struct chronicle *chronicle, const char *id, size_t *from)
{
    *from = NONE;
    for (size_t v = chronicle->view_count; id && v-- > 0;) {
        const struct saved_view *saved = &chronicle->views[v];
        const struct sighting *sighting = sighting_of(chronicle, saved, id);
        if (!sighting || saved->view->limits & VIEW_NO_EPOCHS || sighting->entry->config_epoch > INT64_MAX)
            continue;
        *from = saved->occurrence;
        return (int64_t)sighting->entry->config_epoch;
    }
    return -1;
}

int64_t node_timeout(const struct chronicle *chronicle)
{
    const struct clusters *clusters = chronicle->history->clusters;
    return clusters && clusters->count && clusters->all[0].node_timeout_ms ? clusters->all[0].node_timeout_ms : 15000;
}
