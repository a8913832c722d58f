#include "tools/history/captures.h"

#include <stdlib.h>
#include <string.h>

#include "tools/evidence/names.h"

int64_t capture_loaded_ms(const struct view *view)
{
    const struct sighting *own = view_own(view);
    return own && own->pong_ms > 0 && own->pong_ms % 1000 ? own->pong_ms : 0;
}

/* The newest pong of others, of one that was not merely loaded. */
static int64_t pong_ms(const struct view *view)
{
    int64_t newest = 0, loaded = capture_loaded_ms(view);
    for (size_t s = 0; s < view->count; s++) {
        const struct sighting *sighting = &view->sightings[s];
        if (!sighting->myself && sighting->pong_ms > newest && sighting->pong_ms <= view->newest_pong_ms)
            newest = sighting->pong_ms;
    }
    return newest > loaded ? newest : loaded;
}

static bool is_beside(const struct evidence *evidence, size_t file, size_t view)
{
    const struct evidence_file *a = &evidence->files[file], *b = &evidence->files[view];
    return a->instance == b->instance && names_compare(names_split(a->path).folder, names_split(b->path).folder) == 0;
}

static struct capture capture_of(const struct evidence *evidence, const struct view *view)
{
    struct capture capture = {.view = view, .ms = pong_ms(view)};
    bool alone = capture.ms == capture_loaded_ms(view); /* it has talked to nobody since it was loaded */
    for (size_t f = 0; f < evidence->file_count; f++) {
        const struct evidence_file *file = &evidence->files[f];
        if ((!file->dump && !file->logbook) || !is_beside(evidence, f, view->file))
            continue;
        if (file->logbook && file->logbook->total_lines > capture.lines)
            capture.lines = file->logbook->total_lines;
        if (alone && file->dump && file->dump->has_ctime && !file->temporary && file->dump->ctime_s > capture.ms / 1000 &&
            file->dump->ctime_s < INT64_MAX / 2000)
            capture.ms = file->dump->ctime_s * 1000;
    }
    return capture;
}

struct ordering {
    const struct evidence *evidence;
    bool by_lines;
};

static int oldest_first(const void *a, const void *b, void *context)
{
    const struct capture *left = a, *right = b;
    const struct ordering *ordering = context;
    if (ordering->by_lines && left->lines != right->lines)
        return left->lines < right->lines ? -1 : 1;
    if (left->ms != right->ms)
        return left->ms < right->ms ? -1 : 1;
    return strcmp(ordering->evidence->files[left->view->file].path, ordering->evidence->files[right->view->file].path);
}

struct capture *captures_of(const struct evidence *evidence, size_t instance, struct arena *arena, size_t *count)
{
    const struct instance *of = &evidence->instances[instance];
    struct capture *captures = arena_array(arena, of->history_count + 1, sizeof(*captures));
    struct ordering ordering = {evidence, of->logbook_count == 1};
    *count = 0;
    for (size_t h = 0; captures && h <= of->history_count; h++) {
        const struct view *view = h ? of->history[h - 1] : of->view;
        if (!view || !view->count || view->limits || evidence->files[view->file].temporary)
            continue;
        captures[*count] = capture_of(evidence, view);
        ordering.by_lines = ordering.by_lines && captures[*count].lines;
        ++*count;
    }
    if (*count)
        qsort_r(captures, *count, sizeof(*captures), oldest_first, &ordering);
    return captures;
}
