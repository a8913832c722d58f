/* Views: when each was saved, and when a node was last heard of by others. */
#include <string.h>

#include "tools/history/captures.h"
#include "tools/history/history_private.h"

static bool add_view(struct gathering *gathering, size_t instance, const struct capture *capture)
{
    const struct view *view = capture->view;
    const struct sighting *own = view_own(view);
    struct occurrence occurrence = occurrence_blank(OCCURRENCE_VIEW_SAVED);
    occurrence.instance = instance;
    occurrence.node = own ? view_store_id(gathering->evidence->store, own->entry->node) : NULL;
    occurrence.writer = occurrence.node;
    occurrence.epoch = view->has_current_epoch && view->current_epoch <= INT64_MAX ? (int64_t)view->current_epoch : -1;
    occurrence.text = arena_format(gathering->history->arena, "%s lists %zu %s", view_source_name(view->source), view->count,
                                   view->count == 1 ? "node" : "nodes");
    if (capture->ms > 0)
        occurrence.when = moment_epoch(capture->ms, 0);
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
    int64_t loaded_ms = capture_loaded_ms(view);
    for (size_t s = 0; s < view->count; s++) {
        const struct sighting *sighting = &view->sightings[s];
        struct sight *best = &sights[sighting->entry->node];
        if (!sighting->myself && sighting->pong_ms > 0 && sighting->pong_ms <= view->newest_pong_ms && sighting->pong_ms != loaded_ms &&
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

/* The file of the capture before, collected once more. */
static bool is_same(const struct evidence *evidence, const struct capture *captures, size_t number)
{
    const char *sha256 = evidence->files[captures[number].view->file].sha256;
    return number && sha256[0] && strcmp(sha256, evidence->files[captures[number - 1].view->file].sha256) == 0;
}

bool gather_views(struct gathering *gathering)
{
    const struct evidence *evidence = gathering->evidence;
    size_t nodes = view_store_nodes(evidence->store);
    struct sight *sights = arena_array(gathering->history->arena, nodes, sizeof(*sights));
    if (!sights)
        return false;
    for (size_t i = 0; i < evidence->instance_count; i++) {
        size_t count;
        const struct capture *captures = captures_of(evidence, i, gathering->history->arena, &count);
        if (!captures)
            return false;
        for (size_t c = 0; c < count; c++) {
            if (!is_same(evidence, captures, c) && !add_view(gathering, i, &captures[c]))
                return false;
            look(captures[c].view, i, sights);
        }
    }
    for (size_t n = 0; n < nodes; n++)
        if (sights[n].sighting && !add_sight(gathering, &sights[n]))
            return false;
    return true;
}
