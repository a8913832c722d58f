#include "tools/history/chronicle.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "tools/history/captures.h"

void numbers_add(struct chronicle *chronicle, struct numbers *numbers, size_t number)
{
    size_t *at = arena_grow(chronicle->arena, numbers->at, numbers->count, &numbers->cap, sizeof(*at));
    if (!at)
        return;
    numbers->at = at;
    at[numbers->count++] = number;
}

/* ------------------------------------------------------------------ who is who */

struct actor *chronicle_actor(const struct chronicle *chronicle, const char *id)
{
    if (!id)
        return NULL;
    uint64_t hash = XXH3_64bits(id, strlen(id));
    size_t at = hash;
    uint32_t number;
    while (numbering_next(&chronicle->actor_numbers, hash, &at, &number))
        if (strcmp(chronicle->actors[number].id, id) == 0)
            return &chronicle->actors[number];
    return NULL;
}

static struct actor *add_actor(struct chronicle *chronicle, const char *id)
{
    struct actor *actor = chronicle_actor(chronicle, id);
    if (!id || actor)
        return actor;
    struct actor *all =
        arena_grow(chronicle->arena, chronicle->actors, chronicle->actor_count, &chronicle->actor_cap, sizeof(*all));
    if (!all || !numbering_add(&chronicle->actor_numbers, chronicle->arena, XXH3_64bits(id, strlen(id)),
                               (uint32_t)chronicle->actor_count))
        return NULL;
    chronicle->actors = all;
    actor = &all[chronicle->actor_count++];
    *actor = (struct actor){.id = id, .instance = SIZE_MAX, .failure = NONE};
    return actor;
}

static void carries(struct chronicle *chronicle, const char *id, size_t instance)
{
    struct actor *actor = add_actor(chronicle, id);
    if (!actor || instance == SIZE_MAX || actor->name)
        return;
    actor->instance = instance;
    actor->name = chronicle->evidence->instances[instance].name;
}

static void name_actors(struct chronicle *chronicle)
{
    const struct evidence *evidence = chronicle->evidence;
    const struct clusters *clusters = chronicle->history->clusters;
    for (size_t i = 0; i < evidence->instance_count; i++)
        if (evidence->instances[i].node != NO_NODE)
            carries(chronicle, view_store_id(evidence->store, evidence->instances[i].node), i);
    for (size_t o = 0; o < chronicle->history->count; o++) {
        const struct occurrence *occurrence = chronicle_at(chronicle, o);
        if (occurrence->kind == OCCURRENCE_LOG)
            carries(chronicle, occurrence->writer, occurrence->instance);
        add_actor(chronicle, occurrence->node);
        add_actor(chronicle, occurrence->peer);
    }
    for (size_t c = 0; clusters && c < clusters->count; c++)
        for (size_t n = 0; n < clusters->all[c].node_count; n++) {
            struct actor *actor = add_actor(chronicle, clusters->all[c].nodes[n].id);
            if (actor && !actor->name)
                actor->name = clusters->all[c].nodes[n].name;
        }
    for (size_t a = 0; a < chronicle->actor_count; a++)
        if (!chronicle->actors[a].name)
            chronicle->actors[a].name = arena_format(chronicle->arena, "%.8s", chronicle->actors[a].id);
}

const char *chronicle_name(const struct chronicle *chronicle, const char *id)
{
    const struct actor *actor = chronicle_actor(chronicle, id);
    return actor && actor->name ? actor->name : id ? id : "an unknown node";
}

size_t chronicle_instance(const struct chronicle *chronicle, const char *id)
{
    const struct actor *actor = chronicle_actor(chronicle, id);
    return actor ? actor->instance : SIZE_MAX;
}

bool same_id(const char *left, const char *right)
{
    return left && right && strcmp(left, right) == 0;
}

/* ------------------------------------------------------------------ addresses */

const struct residence *chronicle_residence(const struct chronicle *chronicle, const char *address)
{
    uint64_t hash = XXH3_64bits(address, strlen(address));
    size_t at = hash;
    uint32_t number;
    while (numbering_next(&chronicle->residence_numbers, hash, &at, &number))
        if (strcmp(chronicle->residences[number].address, address) == 0)
            return &chronicle->residences[number];
    return NULL;
}

static struct residence *add_residence(struct chronicle *chronicle, const char *ip, uint16_t port)
{
    char address[320];
    if (!*ip || !port)
        return NULL;
    snprintf(address, sizeof(address), "%s:%u", ip, (unsigned)port);
    const struct residence *known = chronicle_residence(chronicle, address);
    if (known)
        return &chronicle->residences[known - chronicle->residences];
    struct residence *all = arena_grow(chronicle->arena, chronicle->residences, chronicle->residence_count,
                                       &chronicle->residence_cap, sizeof(*all));
    const char *copy = arena_string(chronicle->arena, address);
    if (!all || !copy ||
        !numbering_add(&chronicle->residence_numbers, chronicle->arena, XXH3_64bits(address, strlen(address)),
                       (uint32_t)chronicle->residence_count))
        return NULL;
    chronicle->residences = all;
    all[chronicle->residence_count] = (struct residence){copy, NULL, SIZE_MAX};
    return &all[chronicle->residence_count++];
}

/* Thousands of views repeat the same entries: each is looked at once. */
static bool list_residences(struct chronicle *chronicle)
{
    const struct evidence *evidence = chronicle->evidence;
    bool *seen = calloc(view_store_entries(evidence->store) + 1, sizeof(*seen));
    if (!seen)
        return false;
    for (size_t i = 0; i < evidence->instance_count; i++) {
        struct residence *residence = add_residence(chronicle, evidence->instances[i].ip, evidence->instances[i].port);
        if (residence && residence->instance == SIZE_MAX)
            residence->instance = i;
    }
    for (size_t v = chronicle->view_count; v-- > 0;) {
        const struct view *view = chronicle->views[v].view;
        for (size_t s = 0; s < view->count; s++) {
            const struct entry *entry = view->sightings[s].entry;
            struct residence *residence = seen[entry->number] ? NULL : add_residence(chronicle, entry->ip, entry->port);
            seen[entry->number] = true;
            if (residence && !residence->id)
                residence->id = view_store_id(evidence->store, entry->node);
        }
    }
    free(seen);
    return true;
}

/* ------------------------------------------------------------------ tracks and views */

struct written {
    size_t instance, rank, order, number;
};

static int by_writing(const void *a, const void *b)
{
    const struct written *left = a, *right = b;
    if (left->instance != right->instance)
        return left->instance < right->instance ? -1 : 1;
    if (left->rank != right->rank)
        return left->rank < right->rank ? -1 : 1;
    return (left->order > right->order) - (left->order < right->order);
}

/* The place of a log among those of its instance. */
static size_t rank_of(const struct instance *instance, size_t file)
{
    for (size_t l = 0; l < instance->logbook_count; l++)
        if (instance->logbooks[l]->file == file)
            return l;
    return instance->logbook_count;
}

static bool is_line(const struct occurrence *occurrence)
{
    return occurrence->kind == OCCURRENCE_LOG && occurrence->instance != SIZE_MAX;
}

static bool lay_tracks(struct chronicle *chronicle)
{
    const struct history *history = chronicle->history;
    size_t count = 0, file = SIZE_MAX, rank = 0;
    for (size_t o = 0; o < history->count; o++)
        count += is_line(&history->occurrences[o]);
    struct written *all = calloc(count + 1, sizeof(*all));
    chronicle->tracks =
        arena_array(chronicle->arena, chronicle->evidence->instance_count + 1, sizeof(*chronicle->tracks));
    chronicle->positions = arena_array(chronicle->arena, history->count + 1, sizeof(*chronicle->positions));
    if (!all || !chronicle->tracks || !chronicle->positions) {
        free(all);
        return false;
    }
    count = 0;
    for (size_t o = 0; o < history->count; o++) {
        const struct occurrence *line = &history->occurrences[o];
        if (!is_line(line))
            continue;
        if (line->file != file) {
            file = line->file;
            rank = rank_of(&chronicle->evidence->instances[line->instance], file);
        }
        all[count++] = (struct written){line->instance, rank, line->order, o};
    }
    if (count)
        qsort(all, count, sizeof(*all), by_writing);
    for (size_t i = 0; i < count; i++) {
        struct numbers *track = &chronicle->tracks[all[i].instance];
        chronicle->positions[all[i].number] = track->count;
        numbers_add(chronicle, track, all[i].number);
    }
    free(all);
    return true;
}

static bool list_views(struct chronicle *chronicle)
{
    const struct history *history = chronicle->history;
    size_t count = 0;
    for (size_t o = 0; o < history->count; o++)
        count += history->occurrences[o].kind == OCCURRENCE_VIEW_SAVED;
    chronicle->views = arena_array(chronicle->arena, count, sizeof(*chronicle->views));
    for (size_t o = 0; chronicle->views && o < history->count; o++) {
        const struct occurrence *saved = &history->occurrences[o];
        const struct view *view = chronicle->evidence->files[saved->file].view;
        if (saved->kind == OCCURRENCE_VIEW_SAVED && view && saved->instance != SIZE_MAX)
            chronicle->views[chronicle->view_count++] =
                (struct saved_view){view, saved->instance, o, saved->when.ms, capture_loaded_ms(view)};
    }
    return chronicle->views;
}

bool chronicle_open(struct chronicle *chronicle, struct history *history)
{
    *chronicle = (struct chronicle){
        .history = history, .evidence = history->evidence, .arena = history->arena, .changed_first = NONE};
    name_actors(chronicle);
    return lay_tracks(chronicle) && list_views(chronicle) && list_residences(chronicle) &&
           !arena_failed(chronicle->arena);
}

/* ------------------------------------------------------------------ drafts */

enum { LINES_MAX = 64, DETAILS_MAX = 64 };

struct draft *draft_new(struct chronicle *chronicle, enum episode_kind kind, enum episode_basis how)
{
    struct draft **all =
        arena_grow(chronicle->arena, chronicle->drafts, chronicle->draft_count, &chronicle->draft_cap, sizeof(*all));
    struct draft *draft = arena_alloc(chronicle->arena, sizeof(*draft));
    if (!all || !draft)
        return NULL;
    chronicle->drafts = all;
    draft->episode = (struct episode){.kind = kind, .how = how, .instance = SIZE_MAX, .epoch = -1, .title = ""};
    return all[chronicle->draft_count++] = draft;
}

void draft_shows(struct chronicle *chronicle, struct draft *draft, size_t number)
{
    if (!draft || number == NONE)
        return;
    for (size_t i = 0; i < draft->lines.count; i++)
        if (draft->lines.at[i] == number)
            return;
    if (draft->lines.count == LINES_MAX)
        draft->more++;
    else
        numbers_add(chronicle, &draft->lines, number);
}

void draft_shows_all(struct chronicle *chronicle, struct draft *draft, const struct numbers *numbers)
{
    for (size_t i = 0; i < numbers->count; i++)
        draft_shows(chronicle, draft, numbers->at[i]);
}

void draft_detail(struct chronicle *chronicle, struct draft *draft, const char *format, ...)
{
    va_list arguments;
    char buffer[1024];
    if (!draft || draft->episode.detail_count == DETAILS_MAX)
        return;
    const char **all =
        arena_grow(chronicle->arena, draft->details, draft->episode.detail_count, &draft->detail_cap, sizeof(*all));
    if (!all)
        return;
    draft->details = all;
    va_start(arguments, format);
    vsnprintf(buffer, sizeof(buffer), format, arguments);
    va_end(arguments);
    all[draft->episode.detail_count++] = arena_string(chronicle->arena, buffer);
}

void draft_begins(struct chronicle *chronicle, struct draft *draft, size_t number)
{
    if (draft && number != NONE)
        draft->episode.begin = chronicle_at(chronicle, number)->when;
    draft_shows(chronicle, draft, number);
}

void draft_ends(struct chronicle *chronicle, struct draft *draft, size_t number)
{
    if (draft && number != NONE)
        draft->episode.end = chronicle_at(chronicle, number)->until;
    draft_shows(chronicle, draft, number);
}

const char *chronicle_text(struct chronicle *chronicle, const char *format, ...)
{
    va_list arguments;
    char buffer[1024];
    va_start(arguments, format);
    vsnprintf(buffer, sizeof(buffer), format, arguments);
    va_end(arguments);
    const char *text = arena_string(chronicle->arena, buffer);
    return text ? text : "";
}

const char *chronicle_span(struct chronicle *chronicle, int64_t ms)
{
    ms = ms < 0 ? 0 : ms;
    if (ms < 100)
        return chronicle_text(chronicle, "%lld ms", (long long)ms);
    if (ms < 60000)
        return chronicle_text(chronicle, "%lld.%lld s", (long long)(ms / 1000), (long long)(ms % 1000 / 100));
    if (ms < 3600000)
        return chronicle_text(chronicle, "%lld min %lld s", (long long)(ms / 60000), (long long)(ms % 60000 / 1000));
    return chronicle_text(chronicle, "%lld h %lld min", (long long)(ms / 3600000), (long long)(ms % 3600000 / 60000));
}

/* ------------------------------------------------------------------ the end */

static int by_number(const void *a, const void *b)
{
    size_t left = *(const size_t *)a, right = *(const size_t *)b;
    return (left > right) - (left < right);
}

/* Of two that begin at once, the one that lasts longer comes first: it holds the other. */
static int by_begin(const void *a, const void *b)
{
    const struct episode *left = a, *right = b;
    bool left_timed = left->begin.source != CLOCK_NONE, right_timed = right->begin.source != CLOCK_NONE;
    if (left_timed != right_timed)
        return left_timed ? -1 : 1;
    if (left->begin.ms != right->begin.ms)
        return left->begin.ms < right->begin.ms ? -1 : 1;
    if (left->end.ms != right->end.ms)
        return left->end.ms > right->end.ms ? -1 : 1;
    if (left->kind != right->kind)
        return left->kind < right->kind ? -1 : 1;
    return strcmp(left->title, right->title);
}

bool chronicle_close(struct chronicle *chronicle)
{
    struct history *history = chronicle->history;
    struct episode *all = arena_array(chronicle->arena, chronicle->draft_count, sizeof(*all));
    if (!all)
        return false;
    for (size_t d = 0; d < chronicle->draft_count; d++) {
        struct draft *draft = chronicle->drafts[d];
        if (draft->more)
            draft_detail(chronicle, draft, "%zu more lines of the same", draft->more);
        if (draft->lines.count)
            qsort(draft->lines.at, draft->lines.count, sizeof(*draft->lines.at), by_number);
        draft->episode.occurrences = draft->lines.at;
        draft->episode.occurrence_count = draft->lines.count;
        draft->episode.details = draft->details;
        all[d] = draft->episode;
    }
    if (chronicle->draft_count)
        qsort(all, chronicle->draft_count, sizeof(*all), by_begin);
    history->episodes = all;
    history->episode_count = chronicle->draft_count;
    return !arena_failed(chronicle->arena);
}
