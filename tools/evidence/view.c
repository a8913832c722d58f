#include "tools/evidence/view_private.h"

#include <stdlib.h>
#include <string.h>

#include "parsers/bytes/keyslot.h"
#include "tools/evidence/known_lines.h"

/* 2200-01-01T00:00:00Z: no evidence is younger, so a later time is damage or a hand's work. */
static const int64_t BELIEVED_UNTIL_MS = INT64_C(7258118400000);

enum { SHORTEST_LINE = 64 }; /* an id and seven short fields */

static bool reserve(struct arena *arena, void **array, size_t *cap, size_t need, size_t size)
{
    if (need <= *cap)
        return true;
    size_t larger = need < SIZE_MAX / 2 ? need * 2 : need;
    void *place = arena_array(arena, larger, size);
    if (!place)
        return false;
    *array = place;
    *cap = larger;
    return true;
}

/* A NUL-terminated copy at `*at`, which moves on. */
static const char *draft_text(char **at, struct bytes text)
{
    if (!text.len)
        return "";
    char *copy = *at;
    memcpy(copy, text.at, text.len);
    copy[text.len] = 0;
    *at += text.len + 1;
    return copy;
}

static bool draft_texts(struct reading *reading, const struct nodesconf_node *node, struct entry *draft)
{
    size_t need = node->ip.len + node->hostname.len + node->shard_id.len + node->nodename.len + 4;
    void *text = reading->text;
    if (!reserve(reading->scratch, &text, &reading->text_cap, need, 1))
        return false;
    reading->text = text;
    char *at = text;
    draft->ip = draft_text(&at, node->ip);
    draft->hostname = draft_text(&at, node->hostname);
    draft->shard_id = draft_text(&at, node->shard_id);
    draft->nodename = draft_text(&at, node->nodename);
    return true;
}

static bool ranges_are_plain(const struct slot_range *ranges, size_t count)
{
    int32_t before = -2;
    for (size_t i = 0; i < count; i++) {
        if (ranges[i].first <= before + 1 || ranges[i].first > ranges[i].last || ranges[i].last >= SLOT_COUNT)
            return false;
        before = ranges[i].last;
    }
    return true;
}

static int by_first(const void *a, const void *b)
{
    const struct slot_range *left = a, *right = b;
    return (left->first > right->first) - (left->first < right->first);
}

/* Joins ascending ranges in place; returns how many are left. */
static size_t join_ranges(struct slot_range *ranges, size_t count)
{
    size_t joined = 0;
    for (size_t i = 0; i < count; i++) {
        struct slot_range *before = joined ? &ranges[joined - 1] : NULL;
        if (before && ranges[i].first <= before->last + 1) {
            if (ranges[i].last > before->last)
                before->last = ranges[i].last;
        } else {
            ranges[joined++] = ranges[i];
        }
    }
    return joined;
}

/* Servers write ascending maximal ranges, which are taken as they are; what a hand has written is put in that form.
 * Ranges that name no slot are left out, as servers do. */
static bool draft_ranges(struct reading *reading, const struct nodesconf_node *node, struct entry *draft)
{
    if (ranges_are_plain(node->ranges, node->range_count)) {
        draft->ranges = node->ranges;
        draft->range_count = (uint32_t)node->range_count;
        return true;
    }
    void *place = reading->ranges;
    if (!reserve(reading->scratch, &place, &reading->range_cap, node->range_count, sizeof(struct slot_range)))
        return false;
    reading->ranges = place;
    size_t count = 0;
    for (size_t i = 0; i < node->range_count; i++)
        if (node->ranges[i].first <= node->ranges[i].last && node->ranges[i].last < SLOT_COUNT)
            reading->ranges[count++] = node->ranges[i];
    qsort(reading->ranges, count, sizeof(*reading->ranges), by_first);
    draft->ranges = reading->ranges;
    draft->range_count = (uint32_t)join_ranges(reading->ranges, count);
    return true;
}

static bool draft_marks(struct reading *reading, const struct nodesconf_node *node, struct entry *draft)
{
    void *place = reading->marks;
    if (!node->open_count)
        return true;
    if (node->open_count > UINT32_MAX ||
        !reserve(reading->scratch, &place, &reading->mark_cap, node->open_count, sizeof(struct mark)))
        return false;
    reading->marks = place;
    for (size_t i = 0; i < node->open_count; i++) {
        struct bytes id = node->open[i].peer;
        uint32_t peer = id.len ? view_store_node(reading->store, id) : NO_NODE;
        reading->marks[i] = (struct mark){node->open[i].slot, node->open[i].mark, peer};
    }
    draft->marks = reading->marks;
    draft->mark_count = (uint32_t)node->open_count;
    return true;
}

static const struct entry *entry_of(struct reading *reading, const struct nodesconf_node *node)
{
    struct entry draft = {
        .node = view_store_node(reading->store, node->id),
        .port = node->port,
        .bus_port = node->bus_port,
        .tls_port = node->tls_port,
        .flags = node->flags & ~(unsigned)NODE_MYSELF,
        .primary = node->primary.len ? view_store_node(reading->store, node->primary) : NO_NODE,
        .config_epoch = node->config_epoch,
    };
    if (!draft_texts(reading, node, &draft) || !draft_ranges(reading, node, &draft) ||
        !draft_marks(reading, node, &draft))
        return NULL;
    return view_store_intern(reading->store, &draft);
}

static bool add_sighting(struct reading *reading, const struct statement *said, const struct place *place,
                         int64_t ping_ms, int64_t pong_ms)
{
    struct view *view = reading->view;
    struct sighting *sightings =
        arena_grow(reading->arena, view->sightings, view->count, &reading->sighting_cap, sizeof(*sightings));
    if (!sightings || view->count == NO_NODE)
        return false;
    view->sightings = sightings;
    sightings[view->count] = (struct sighting){
        .entry = said->entry,
        .ping_ms = ping_ms,
        .pong_ms = pong_ms,
        .offset = place->offset,
        .length = place->length < UINT32_MAX ? (uint32_t)place->length : UINT32_MAX,
        .line = place->line,
        .link = said->link,
        .myself = said->myself,
    };
    if (said->myself && view->myself_count++ == 0)
        view->myself = view->count;
    view->count++;
    if (pong_ms > view->newest_pong_ms && pong_ms < BELIEVED_UNTIL_MS)
        view->newest_pong_ms = pong_ms;
    view->any_bus_port |= said->has_bus_port;
    view->any_hostname |= said->has_hostname;
    view->any_aux |= said->has_aux;
    view->any_client_address |= said->has_client_address;
    view->any_client_port |= said->has_client_port;
    return true;
}

bool view_add_node(struct reading *reading, const struct nodesconf_item *item)
{
    const struct nodesconf_node *node = &item->node;
    const struct statement said = {
        .entry = entry_of(reading, node),
        .link = (uint8_t)node->link,
        .myself = node->flags & NODE_MYSELF,
        .has_bus_port = node->has_bus_port,
        .has_hostname = node->hostname.len > 0,
        .has_aux = node->has_aux,
        .has_client_address = node->has_client_address,
        .has_client_port = node->has_client_port,
    };
    if (!said.entry || !add_sighting(reading, &said, &item->place, node->ping_ms, node->pong_ms))
        return false;
    /* What is sound in a capture may be damage in a file, so their lines are not mixed. */
    return reading->view->capture || !item->before.len || !item->behind.len ||
           known_lines_add(reading->known, reading->arena, item->before, item->behind, &said);
}

/* Servers read every vars line, so a later one overrides what it names. */
static void add_vars(struct view *view, const struct nodesconf_item *item)
{
    view->has_vars = true;
    view->vars = item->place;
    if (item->vars.has_current) {
        view->has_current_epoch = true;
        view->current_epoch = item->vars.current_epoch;
    }
    if (item->vars.has_last_vote) {
        view->has_last_vote_epoch = true;
        view->last_vote_epoch = item->vars.last_vote_epoch;
    }
}

static bool add_item(struct reading *reading, const struct nodesconf_item *item)
{
    switch (item->kind) {
    case NODESCONF_NODE:
        return view_add_node(reading, item);
    case NODESCONF_VARS:
        add_vars(reading->view, item);
        return true;
    case NODESCONF_PADDING:
        reading->view->padding += item->padding;
        return true;
    }
    return true;
}

bool view_add_defect(struct reading *reading, const struct damage *damage)
{
    struct view *view = reading->view;
    view->defect_total++;
    if (damage->code >= VIEW_DEFECT_CODES || reading->kept[damage->code]++ >= VIEW_DEFECTS_KEPT)
        return true;
    struct view_defect *defects =
        arena_grow(reading->arena, reading->defects, view->defect_count, &reading->defect_cap, sizeof(*defects));
    if (!defects)
        return false;
    reading->defects = defects;
    defects[view->defect_count++] = (struct view_defect){
        .code = damage->code,
        .place = damage->place,
        .expected = arena_string(reading->arena, damage->expected),
        .found = arena_string(reading->arena, damage->found),
    };
    view->defects = defects;
    return true;
}

/* Spreads node numbers, which are dense, over a power of two. */
static size_t index_start(uint32_t node)
{
    return node * UINT32_C(0x9e3779b1) >> 7;
}

bool view_index(struct view *view, struct arena *arena)
{
    size_t size = 2;
    while (size < view->count * 2)
        size *= 2;
    struct view_slot *index = arena_array(arena, size, sizeof(*index));
    if (!index)
        return false;
    for (size_t i = 0; i < size; i++)
        index[i].node = NO_NODE;
    for (size_t i = 0; i < view->count; i++) {
        uint32_t node = view->sightings[i].entry->node;
        size_t at = index_start(node) & (size - 1);
        while (index[at].node != NO_NODE && index[at].node != node)
            at = (at + 1) & (size - 1);
        if (index[at].node == NO_NODE)
            index[at] = (struct view_slot){node, (uint32_t)i};
    }
    view->index = index;
    view->index_mask = size - 1;
    return true;
}

/* Room for as many sightings as the text can hold lines that servers write, so that the array rarely has to move. */
static bool make_room(struct reading *reading, struct bytes text)
{
    size_t lines = 1;
    for (const uint8_t *at = text.at, *end = at + text.len; at < end; lines++) {
        const uint8_t *line_feed = memchr(at, '\n', (size_t)(end - at));
        at = line_feed ? line_feed + 1 : end;
    }
    size_t most = text.len / SHORTEST_LINE + 1;
    reading->sighting_cap = lines < most ? lines : most;
    reading->view->sightings = arena_array(reading->arena, reading->sighting_cap, sizeof(struct sighting));
    return reading->view->sightings;
}

static bool read_all(struct reading *reading, struct nodesconf *reader)
{
    struct nodesconf_ahead line;
    struct nodesconf_item item;
    for (;;) {
        const struct statement *said =
            !reading->view->capture && nodesconf_peek(reader, &line) ? known_lines_find(reading->known, line.before, line.behind) : NULL;
        if (said) {
            nodesconf_pass(reader);
            if (!add_sighting(reading, said, &line.place, line.ping_ms, line.pong_ms))
                return false;
            continue;
        }
        switch (nodesconf_next(reader, &item)) {
        case PARSE_ITEM:
            if (!add_item(reading, &item))
                return false;
            break;
        case PARSE_DAMAGE:
            if (!view_add_defect(reading, nodesconf_damage(reader)))
                return false;
            break;
        case PARSE_END:
            return true;
        case PARSE_STOP:
            return false;
        }
    }
}

static bool read_nodes(struct reading *reading, struct bytes text)
{
    struct nodesconf *reader = reading->view->capture ? nodesconf_open_capture(text) : nodesconf_open(text);
    bool done = reader && make_room(reading, text) && read_all(reading, reader);
    nodesconf_close(reader);
    return done;
}

struct view *view_read_as(struct view_store *store, enum view_source source, struct bytes text, size_t file)
{
    struct arena *arena = view_store_arena(store);
    struct arena *scratch = arena_new();
    struct view *view = arena_alloc(arena, sizeof(*view));
    bool done = false;
    if (scratch && view) {
        view->file = file;
        view->source = source;
        view->capture = source != VIEW_NODESCONF;
        view->limits = view_limits_of(source);
        view->myself = SIZE_MAX;
        struct reading reading = {.store = store, .arena = arena, .scratch = scratch, .view = view,
                                  .known = view_store_lines(store)};
        done = (view->limits ? view_read_reply(&reading, text) : read_nodes(&reading, text)) && !arena_failed(arena) &&
               view_index(view, arena);
    }
    arena_free(scratch);
    return done ? view : NULL;
}

struct view *view_read(struct view_store *store, struct bytes text, bool capture, size_t file)
{
    return view_read_as(store, capture ? VIEW_CLUSTER_NODES : VIEW_NODESCONF, text, file);
}

const struct sighting *view_find(const struct view *view, uint32_t node)
{
    if (node == NO_NODE)
        return NULL;
    for (size_t at = index_start(node) & view->index_mask;; at = (at + 1) & view->index_mask) {
        const struct view_slot *slot = &view->index[at];
        if (slot->node == node)
            return &view->sightings[slot->sighting];
        if (slot->node == NO_NODE)
            return NULL;
    }
}

const struct sighting *view_own(const struct view *view)
{
    return view->myself_count ? &view->sightings[view->myself] : NULL;
}
