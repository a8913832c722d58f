/* What the lines of an instance say about a moment: which process wrote them, who it was, whom it replicated. */
#include <stdlib.h>
#include <string.h>

#include "tools/history/chronicle.h"

const char *chronicle_id_at(const struct chronicle *chronicle, size_t instance, int64_t ms)
{
    const struct numbers *track = &chronicle->tracks[instance];
    const char *id = NULL;
    size_t low = 0, high = track->count;
    while (low < high) { /* a clock that ran backwards makes this inexact, never wrong about who there was */
        size_t middle = low + (high - low) / 2;
        if (chronicle_at(chronicle, track->at[middle])->when.ms <= ms)
            low = middle + 1;
        else
            high = middle;
    }
    for (size_t p = low; !id && p-- > 0;)
        id = chronicle_at(chronicle, track->at[p])->writer;
    for (size_t p = low; !id && p < track->count; p++)
        id = chronicle_at(chronicle, track->at[p])->writer;
    uint32_t node = chronicle->evidence->instances[instance].node;
    return id || node == NO_NODE ? id : view_store_id(chronicle->evidence->store, node);
}

const char *chronicle_at_address(const struct chronicle *chronicle, const char *address, int64_t ms)
{
    const struct residence *residence = address ? chronicle_residence(chronicle, address) : NULL;
    if (!residence)
        return NULL;
    return residence->instance != SIZE_MAX ? chronicle_id_at(chronicle, residence->instance, ms) : residence->id;
}

/* By the views: whom it replicated in the last one that was saved before. */
static const char *primary_by_views(const struct chronicle *chronicle, size_t instance, int64_t ms, size_t *from)
{
    const char *id = chronicle_id_at(chronicle, instance, ms);
    const struct view_store *store = chronicle->evidence->store;
    uint32_t node = id ? view_store_find(store, (struct bytes){(const uint8_t *)id, strlen(id)}) : NO_NODE;
    for (size_t v = chronicle->view_count; node != NO_NODE && v-- > 0;) {
        const struct saved_view *saved = &chronicle->views[v];
        const struct sighting *sighting = saved->ms > ms ? NULL : view_find(saved->view, node);
        if (!sighting)
            continue;
        *from = saved->occurrence;
        return sighting->entry->primary == NO_NODE ? NULL : view_store_id(store, sighting->entry->primary);
    }
    return NULL;
}

const char *chronicle_primary_before(const struct chronicle *chronicle, size_t instance, size_t position, size_t *from)
{
    const struct numbers *track = &chronicle->tracks[instance];
    const struct occurrence *line = position < track->count ? track_at(chronicle, instance, position) : NULL;
    *from = NONE;
    for (size_t p = position; p-- > 0;) {
        const struct occurrence *before = track_at(chronicle, instance, p);
        const char *id = NULL;
        if (before->event == LOG_SYNC_CONNECTING || before->event == LOG_REPLICAOF)
            id = chronicle_at_address(chronicle, before->address, before->when.ms);
        else if (before->event == LOG_BECAME_REPLICA || before->event == LOG_REPLICA_MOVED)
            id = occurrence_field(before, LOG_FIELD_PRIMARY);
        else if (before->event == LOG_STARTING || before->event == LOG_PRIMARY_MODE)
            break;
        if (!id)
            continue;
        *from = track->at[p];
        return id;
    }
    return line ? primary_by_views(chronicle, instance, line->when.ms, from) : NULL;
}

const struct lifetime *chronicle_lifetime(const struct chronicle *chronicle, size_t instance, size_t position)
{
    for (size_t l = 0; l < chronicle->lifetime_count; l++) {
        const struct lifetime *life = &chronicle->lifetimes[l];
        if (life->instance == instance && position >= life->first && position <= life->last)
            return life;
    }
    return NULL;
}

/* ------------------------------------------------------------------ processes */

enum {
    FIRST_LINES = 8,      /* of a process come before it says who it is */
    FIRST_LINES_MS = 1000 /* how long they may take: warnings about the configuration */
};

/* The process has said too much already for a line of its start. */
static bool is_under_way(const struct lifetime *life, size_t position)
{
    return life->ready != NONE || (life->started == NONE && position - life->first > FIRST_LINES);
}

/* The process has written nothing but warnings about its configuration, which servers from Valkey 8.1 on do before
 * STARTING. */
static bool has_only_warned(const struct chronicle *chronicle, const struct lifetime *life,
                            const struct occurrence *line, size_t position)
{
    int64_t since = line->when.ms - track_at(chronicle, life->instance, life->first)->when.ms;
    return life->version == NONE && life->identified == NONE && life->pid == line->pid &&
           !is_under_way(life, position) && position - life->first <= FIRST_LINES && since >= 0 && since <= FIRST_LINES_MS;
}

/* A line with which a process begins. From 4.0 on STARTING is the first or nearly so. Before, the version comes after the
 * node id, and a process tells by its number, except in containers, where it is always the same. */
static bool begins(const struct chronicle *chronicle, const struct lifetime *life, const struct occurrence *line,
                   size_t position)
{
    switch (line->event) {
    case LOG_STARTING:
        return !life || !has_only_warned(chronicle, life, line, position);
    case LOG_START:
        return !life || life->version != NONE || is_under_way(life, position);
    case LOG_NODE_NEW:
    case LOG_NODE_LOADED:
        return !life || life->identified != NONE || is_under_way(life, position);
    case LOG_PROCESS:
        return life && line->pid && line->role != 'X' && life->pid && life->pid != line->pid;
    default:
        return false;
    }
}

static struct lifetime *add_lifetime(struct chronicle *chronicle, size_t instance, size_t position)
{
    struct lifetime *all = arena_grow(chronicle->arena, chronicle->lifetimes, chronicle->lifetime_count,
                                      &chronicle->lifetime_cap, sizeof(*all));
    if (!all)
        return NULL;
    chronicle->lifetimes = all;
    struct lifetime *life = &all[chronicle->lifetime_count++];
    *life = (struct lifetime){.instance = instance,
                              .first = position,
                              .last = position,
                              .started = NONE,
                              .version = NONE,
                              .identified = NONE,
                              .ready = NONE,
                              .asked = NONE,
                              .ended = NONE,
                              .end_from = NONE};
    return life;
}

/* What a line says of the process that wrote it. */
static void take(struct lifetime *life, const struct occurrence *line, size_t number)
{
    if (line->writer)
        life->id = line->writer;
    if ((line->role == 'M' || line->role == 'S') && !life->pid)
        life->pid = line->pid;
    switch (line->event) {
    case LOG_START:
        life->version = number;
        break;
    case LOG_NODE_NEW:
    case LOG_NODE_LOADED:
        life->identified = number;
        break;
    case LOG_READY:
        life->ready = life->ready == NONE ? number : life->ready;
        break;
    case LOG_SHUTDOWN_SIGNAL:
    case LOG_SHUTDOWN_REQUESTED:
        if (life->asked == NONE) {
            life->asked = number;
            life->ending = line->event == LOG_SHUTDOWN_SIGNAL ? ENDING_SIGNAL : ENDING_REQUESTED;
        }
        break;
    case LOG_SHUTDOWN_FAILED:
        life->asked = NONE;
        life->ending = ENDING_UNKNOWN;
        break;
    case LOG_EXIT:
        life->ended = number;
        life->ending = life->ending == ENDING_UNKNOWN ? ENDING_ORDERLY : life->ending;
        break;
    case LOG_CRASH:
        life->ended = number;
        life->ending = ENDING_CRASH;
        break;
    case LOG_START_REFUSED:
    case LOG_LOAD_FAILED:
    case LOG_NODESCONF_DAMAGED:
    case LOG_NODESCONF_LOCKED:
        if (life->ready == NONE) {
            life->ended = number;
            life->ending = ENDING_REFUSED;
        }
        break;
    default:
        break;
    }
}

static void follow(struct chronicle *chronicle, size_t instance)
{
    const struct numbers *track = &chronicle->tracks[instance];
    struct lifetime *life = NULL;
    for (size_t p = 0; p < track->count; p++) {
        const struct occurrence *line = track_at(chronicle, instance, p);
        bool first = begins(chronicle, life, line, p);
        if (first && life && life->ending == ENDING_UNKNOWN)
            life->ending = ENDING_SILENT;
        if (first || !life) {
            if (!(life = add_lifetime(chronicle, instance, p)))
                return;
            life->started = first ? track->at[p] : NONE;
        }
        life->last = p;
        if (life->started == NONE && (line->event == LOG_STARTING || line->event == LOG_START ||
                                      line->event == LOG_NODE_NEW || line->event == LOG_NODE_LOADED))
            life->started = track->at[life->first];
        take(life, line, track->at[p]);
    }
}

/* The lines of one process, by where they stand in the track. */
struct stretch {
    size_t first, count;
    int64_t ms;
};

static int by_start(const void *a, const void *b)
{
    const struct stretch *left = a, *right = b;
    if (left->ms != right->ms)
        return left->ms < right->ms ? -1 : 1;
    return (left->first > right->first) - (left->first < right->first);
}

/* Logs that were put together out of order are put right: whole processes by the time of their start. */
static void sort_processes(struct chronicle *chronicle, struct numbers *track)
{
    struct numbers starts = {0};
    bool ordered = true;
    for (size_t p = 0; p < track->count; p++)
        if (!p || chronicle_at(chronicle, track->at[p])->event == LOG_STARTING) {
            ordered &= !starts.count || chronicle_at(chronicle, track->at[p])->when.ms >=
                                            chronicle_at(chronicle, track->at[starts.at[starts.count - 1]])->when.ms;
            numbers_add(chronicle, &starts, p);
        }
    struct stretch *all = arena_array(chronicle->arena, starts.count, sizeof(*all));
    size_t *at = ordered ? NULL : arena_array(chronicle->arena, track->count, sizeof(*at));
    if (!all || !at)
        return;
    for (size_t s = 0; s < starts.count; s++) {
        size_t end = s + 1 < starts.count ? starts.at[s + 1] : track->count;
        all[s] = (struct stretch){starts.at[s], end - starts.at[s],
                                  chronicle_at(chronicle, track->at[starts.at[s]])->when.ms};
    }
    qsort(all, starts.count, sizeof(*all), by_start);
    for (size_t s = 0, to = 0; s < starts.count; s++)
        for (size_t p = 0; p < all[s].count; p++, to++) {
            at[to] = track->at[all[s].first + p];
            chronicle->positions[at[to]] = to;
        }
    track->at = at;
}

void chronicle_lifetimes(struct chronicle *chronicle)
{
    for (size_t i = 0; i < chronicle->evidence->instance_count; i++) {
        sort_processes(chronicle, &chronicle->tracks[i]);
        follow(chronicle, i);
    }
}
