/* What the lines of an instance say about a moment: which process wrote them, who it was, whom it replicated. */
#include <stdio.h>
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

static bool split_address(const char *address, size_t *host, uint16_t *port)
{
    const char *colon = strrchr(address, ':');
    char *end;
    unsigned long number = colon ? strtoul(colon + 1, &end, 10) : 0;
    if (!colon || *end || number == 0 || number > UINT16_MAX)
        return false;
    *host = (size_t)(colon - address);
    *port = (uint16_t)number;
    return true;
}

static bool host_is(const char *address, size_t length, const char *ip)
{
    return *ip && strlen(ip) == length && memcmp(address, ip, length) == 0;
}

const char *chronicle_at_address(const struct chronicle *chronicle, const char *address, int64_t ms)
{
    const struct evidence *evidence = chronicle->evidence;
    size_t host;
    uint16_t port;
    if (!address || !split_address(address, &host, &port))
        return NULL;
    for (size_t i = 0; i < evidence->instance_count; i++)
        if (evidence->instances[i].port == port && host_is(address, host, evidence->instances[i].ip))
            return chronicle_id_at(chronicle, i, ms);
    for (size_t v = chronicle->view_count; v-- > 0;) {
        const struct view *view = chronicle->views[v].view;
        for (size_t s = 0; s < view->count; s++) {
            const struct entry *entry = view->sightings[s].entry;
            if (entry->port == port && host_is(address, host, entry->ip))
                return view_store_id(evidence->store, entry->node);
        }
    }
    return NULL;
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

/* A line with which a process begins. Where the first line (STARTING) is there, START belongs to the same. */
static bool begins(const struct chronicle *chronicle, const struct lifetime *life, const struct occurrence *line)
{
    bool open = life && life->started != NONE;
    const struct occurrence *started = open ? chronicle_at(chronicle, life->started) : NULL;
    if (line->event == LOG_STARTING)
        return true;
    if (line->event == LOG_START) /* of 2.8-3.2: the only line; else the second */
        return !started || life->ready != NONE || life->identified != NONE || started->event == LOG_START;
    /* A log without the lines of the start, by its level or because it was rotated: the process tells by its number. */
    return line->event == LOG_PROCESS && life && line->pid && line->role != 'X' && life->ready != NONE &&
           chronicle_at(chronicle, chronicle->tracks[life->instance].at[life->first])->pid != line->pid &&
           track_at(chronicle, life->instance, life->last)->pid != line->pid;
}

static struct lifetime *add_lifetime(struct chronicle *chronicle, size_t instance, size_t position)
{
    struct lifetime *all = arena_grow(chronicle->arena, chronicle->lifetimes, chronicle->lifetime_count,
                                      &chronicle->lifetime_cap, sizeof(*all));
    if (!all)
        return NULL;
    chronicle->lifetimes = all;
    struct lifetime *life = &all[chronicle->lifetime_count++];
    *life = (struct lifetime){.instance = instance, .first = position, .last = position, .started = NONE,
                              .identified = NONE, .ready = NONE, .asked = NONE, .ended = NONE, .end_from = NONE};
    return life;
}

/* What a line says of the process that wrote it. */
static void take(struct lifetime *life, const struct occurrence *line, size_t number)
{
    if (line->writer)
        life->id = line->writer;
    switch (line->event) {
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
        bool first = begins(chronicle, life, line);
        if (first && life && life->ending == ENDING_UNKNOWN)
            life->ending = ENDING_SILENT;
        if (first || !life) {
            if (!(life = add_lifetime(chronicle, instance, p)))
                return;
            life->started = first ? track->at[p] : NONE;
        }
        life->last = p;
        take(life, line, track->at[p]);
    }
}

void chronicle_lifetimes(struct chronicle *chronicle)
{
    for (size_t i = 0; i < chronicle->evidence->instance_count; i++)
        follow(chronicle, i);
}
