/* Views: when each was saved, and when a node was last heard of by others. */
#include <string.h>

#include "tools/history/history_private.h"

static bool add_view(struct gathering *gathering, size_t instance, const struct view *view)
{
    const struct sighting *own = view_own(view);
    struct occurrence occurrence = occurrence_blank(OCCURRENCE_VIEW_SAVED);
    if (view->newest_pong_ms <= 0)
        return true;
    occurrence.instance = instance;
    occurrence.node = own ? view_store_id(gathering->evidence->store, own->entry->node) : NULL;
    occurrence.writer = occurrence.node;
    occurrence.epoch = view->has_current_epoch && view->current_epoch <= INT64_MAX ? (int64_t)view->current_epoch : -1;
    occurrence.text = arena_format(gathering->history->arena, "%s lists %zu %s", view_source_name(view->source), view->count,
                                   view->count == 1 ? "node" : "nodes");
    occurrence.when = moment_epoch(view->newest_pong_ms, 0);
    occurrence.file = view->file;
    occurrence.place = view->vars;
    return gathering_add(gathering, &occurrence);
}

/* The newest pong of a node in the views of others, over all captures. */
struct sight {
    const struct sighting *sighting;
    const struct view *view;
    size_t instance;
};

static void look(const struct view *view, size_t instance, struct sight *sights)
{
    for (size_t s = 0; view && s < view->count; s++) {
        const struct sighting *sighting = &view->sightings[s];
        struct sight *best = &sights[sighting->entry->node];
        if (!sighting->myself && sighting->pong_ms > 0 && sighting->pong_ms <= view->newest_pong_ms &&
            (!best->sighting || sighting->pong_ms > best->sighting->pong_ms))
            *best = (struct sight){sighting, view, instance};
    }
}

static bool add_sight(struct gathering *gathering, const struct sight *sight)
{
    const struct evidence *evidence = gathering->evidence;
    const struct sighting *own = view_own(sight->view);
    struct occurrence occurrence = occurrence_blank(OCCURRENCE_LAST_SIGHTING);
    occurrence.instance = sight->instance;
    occurrence.node = view_store_id(evidence->store, sight->sighting->entry->node);
    occurrence.peer = own ? view_store_id(evidence->store, own->entry->node) : NULL;
    occurrence.writer = occurrence.peer;
    occurrence.text = arena_format(gathering->history->arena, "last pong of %.8s, heard by %s", occurrence.node,
                                   evidence->instances[sight->instance].name);
    occurrence.when = moment_epoch(sight->sighting->pong_ms, 0);
    occurrence.file = sight->view->file;
    occurrence.place = (struct place){sight->sighting->offset, sight->sighting->length, sight->sighting->line};
    return gathering_add(gathering, &occurrence);
}

bool gather_views(struct gathering *gathering)
{
    const struct evidence *evidence = gathering->evidence;
    size_t nodes = view_store_nodes(evidence->store);
    struct sight *sights = arena_array(gathering->history->arena, nodes, sizeof(*sights));
    if (!sights)
        return false;
    for (size_t i = 0; i < evidence->instance_count; i++) {
        const struct instance *instance = &evidence->instances[i];
        for (size_t h = 0; h <= instance->history_count; h++) {
            const struct view *view = h ? instance->history[h - 1] : instance->view;
            if (view && !add_view(gathering, i, view))
                return false;
            look(view, i, sights);
        }
    }
    for (size_t n = 0; n < nodes; n++)
        if (sights[n].sighting && !add_sight(gathering, &sights[n]))
            return false;
    return true;
}
