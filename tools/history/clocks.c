#include "tools/history/clocks.h"

#include <stdlib.h>
#include <string.h>

#include "tools/history/anchors.h"
#include "tools/history/epoch_order.h"
#include "tools/history/pair_offset.h"
#include "tools/history/pairs.h"

enum {
    AGREE_MS = 1000,     /* clocks that differ by less show the same time, where nothing is known to the millisecond */
    EPOCH_SKEW_MS = 3000, /* an epoch clock is said to be wrong from here on: dumps tell whole seconds */
    WEIGHT_ENOUGH = 64 * 32, /* beyond this, more pairs make an edge no better */
    BACKS_MINUTES = 1 << 20, /* agreement on minutes counts more than any on hours, */
    BACKS_ZONE = 1 << 10,    /* and a zone that views tell more than what clocks show */
    ROOT_BONUS_MS = 10,
    ROUND_MS = 20,           /* between a moment and its line */
};

/* What pairs say about two clocks: the offset of `b` against `a`. */
struct edge {
    uint32_t a, b;
    struct offset_estimate estimate;
};

struct tuning {
    struct history *history;
    struct arena *arena; /* ends with the work */
    struct host_clock *clocks;
    size_t count, cap;
    uint32_t *clock_of; /* of each occurrence */
    struct anchor *anchors;
    struct edge *edges;
    size_t edge_count, edge_cap;
    struct edge *tree; /* of all components, without order */
    size_t tree_count;
    uint32_t *part;   /* of each clock: its component, a clock's number */
    int64_t *local;   /* of each clock: its offset against the root of its component */
    int64_t *doubt;   /* and the error of that; later against the reference */
};

const char *offset_basis_text(enum offset_basis basis)
{
    static const char *const texts[] = {"unknown", "reference", "paired events", "dumps and pongs", "order of epochs"};
    return texts[basis];
}

const char *zone_basis_text(enum zone_basis basis)
{
    static const char *const texts[] = {"unknown", "given", "stated", "inferred"};
    return texts[basis];
}

/* ---------------------------------------------------------------- whose clock */

static const char *host_of(const struct history *history, const struct occurrence *occurrence)
{
    const struct evidence *evidence = history->evidence;
    if (occurrence->instance == SIZE_MAX)
        return evidence->files[occurrence->file].path;
    const struct instance *instance = &evidence->instances[occurrence->instance];
    return instance->host && instance->host[0] ? instance->host : instance->name;
}

/* The number of a host's clock, a new one if need be; UINT32_MAX without memory. Logs come host by host, mostly. */
static uint32_t clock_of_host(struct tuning *tuning, const char *host, bool zoned)
{
    for (size_t c = tuning->count; c > 0; c--)
        if (tuning->clocks[c - 1].zoned == zoned && strcmp(tuning->clocks[c - 1].host, host) == 0)
            return (uint32_t)(c - 1);
    struct host_clock *clocks = arena_grow(tuning->history->arena, tuning->clocks, tuning->count, &tuning->cap, sizeof(*clocks));
    if (!clocks)
        return UINT32_MAX;
    tuning->clocks = clocks;
    clocks[tuning->count] = (struct host_clock){
        .host = host, .zoned = zoned, .zone = zoned ? ZONE_STATED : ZONE_UNKNOWN, .error_ms = INT64_MAX};
    return (uint32_t)tuning->count++;
}

static bool find_clocks(struct tuning *tuning)
{
    struct history *history = tuning->history;
    tuning->clock_of = arena_array(tuning->arena, history->count, sizeof(*tuning->clock_of));
    if (!tuning->clock_of)
        return false;
    for (size_t i = 0; i < history->count; i++) {
        struct occurrence *occurrence = &history->occurrences[i];
        tuning->clock_of[i] = UINT32_MAX;
        if (occurrence->when.source != CLOCK_LOG)
            continue;
        bool zoned = occurrence->when.flags & MOMENT_ZONE_STATED;
        uint32_t number = clock_of_host(tuning, host_of(history, occurrence), zoned);
        if (number == UINT32_MAX)
            return false;
        struct host_clock *clock = &tuning->clocks[number];
        tuning->clock_of[i] = number;
        clock->lines++;
        if (!zoned && !(occurrence->when.flags & MOMENT_ZONE_UNKNOWN)) {
            clock->zone = ZONE_GIVEN;
            clock->zone_ms = occurrence->when.raw_ms - occurrence->when.ms;
        }
    }
    return true;
}

/* ---------------------------------------------------------------- clocks against each other */

static int by_clocks(const void *x, const void *y)
{
    const struct pair *left = x, *right = y;
    uint32_t a = left->first_clock, b = left->second_clock, c = right->first_clock, d = right->second_clock;
    uint32_t low = a < b ? a : b, other_low = c < d ? c : d, high = a < b ? b : a, other_high = c < d ? d : c;
    if (low != other_low)
        return low < other_low ? -1 : 1;
    if (high != other_high)
        return high < other_high ? -1 : 1;
    return 0;
}

static bool add_edge(struct tuning *tuning, const struct pair *pairs, size_t count)
{
    uint32_t a = pairs->first_clock, b = pairs->second_clock;
    struct offset_bound *bounds = arena_array(tuning->arena, count, sizeof(*bounds));
    struct edge *edges = arena_grow(tuning->arena, tuning->edges, tuning->edge_count, &tuning->edge_cap, sizeof(*edges));
    if (!bounds || !edges)
        return false;
    tuning->edges = edges;
    struct edge *edge = &edges[tuning->edge_count++];
    *edge = (struct edge){.a = a < b ? a : b, .b = a < b ? b : a};
    size_t used = 0, messages = 0;
    for (size_t i = 0; i < count; i++)
        messages += pairs[i].weight > 0;
    for (size_t i = 0; i < count; i++) {
        bool forth = pairs[i].first_clock == edge->a;
        uint32_t weight = messages ? pairs[i].weight : 1;
        if (weight)
            bounds[used++] = (struct offset_bound){forth ? pairs[i].apart_ms : -pairs[i].apart_ms, weight, !forth};
    }
    offset_estimate(bounds, used, &edge->estimate);
    return true;
}

/* The better edge first: bounds from both sides, then weight, then error. */
static int by_quality(const void *a, const void *b)
{
    const struct edge *left = a, *right = b;
    const struct offset_estimate *l = &left->estimate, *r = &right->estimate;
    uint64_t left_weight = l->weight < WEIGHT_ENOUGH ? l->weight : WEIGHT_ENOUGH;
    uint64_t right_weight = r->weight < WEIGHT_ENOUGH ? r->weight : WEIGHT_ENOUGH;
    if (l->both_sides != r->both_sides)
        return l->both_sides ? -1 : 1;
    if (left_weight != right_weight)
        return left_weight > right_weight ? -1 : 1;
    if (l->error_ms != r->error_ms)
        return l->error_ms < r->error_ms ? -1 : 1;
    if (left->a != right->a)
        return left->a < right->a ? -1 : 1;
    return (left->b > right->b) - (left->b < right->b);
}

static bool find_edges(struct tuning *tuning)
{
    struct pairs pairs;
    if (!pairs_find(tuning->history, tuning->clock_of, tuning->arena, &pairs))
        return false;
    if (pairs.count)
        qsort(pairs.all, pairs.count, sizeof(*pairs.all), by_clocks);
    for (size_t i = 0, end; i < pairs.count; i = end) {
        for (end = i; end < pairs.count && by_clocks(&pairs.all[end], &pairs.all[i]) == 0; end++)
            continue;
        if (!add_edge(tuning, &pairs.all[i], end - i))
            return false;
    }
    if (tuning->edge_count)
        qsort(tuning->edges, tuning->edge_count, sizeof(*tuning->edges), by_quality);
    return true;
}

/* Joins two components over an edge: all clocks of the one get their offsets against the root of the other. */
static void join(struct tuning *tuning, const struct edge *edge)
{
    uint32_t kept = tuning->part[edge->a], gone = tuning->part[edge->b];
    const struct offset_estimate *estimate = &edge->estimate;
    int64_t moved = tuning->local[edge->a] + estimate->ms - tuning->local[edge->b];
    int64_t doubt = tuning->doubt[edge->a] + estimate->error_ms + tuning->doubt[edge->b];
    for (size_t c = 0; c < tuning->count; c++) {
        if (tuning->part[c] != gone)
            continue;
        tuning->part[c] = kept;
        tuning->local[c] += moved;
        tuning->doubt[c] = c == edge->b ? tuning->doubt[edge->a] + estimate->error_ms : tuning->doubt[c] + doubt;
    }
    tuning->tree[tuning->tree_count++] = *edge;
    struct host_clock *a = &tuning->clocks[edge->a], *b = &tuning->clocks[edge->b];
    a->pairs += estimate->agreeing;
    b->pairs += estimate->agreeing;
    a->others += estimate->others;
    b->others += estimate->others;
}

/* A tree of the best edges in each component. */
static bool relate(struct tuning *tuning)
{
    tuning->part = arena_array(tuning->arena, tuning->count, sizeof(*tuning->part));
    tuning->local = arena_array(tuning->arena, tuning->count, sizeof(*tuning->local));
    tuning->doubt = arena_array(tuning->arena, tuning->count, sizeof(*tuning->doubt));
    tuning->tree = arena_array(tuning->arena, tuning->count, sizeof(*tuning->tree));
    if (!tuning->part || !tuning->local || !tuning->doubt || !tuning->tree)
        return false;
    for (uint32_t c = 0; c < tuning->count; c++)
        tuning->part[c] = c;
    for (size_t e = 0; e < tuning->edge_count; e++)
        if (tuning->part[tuning->edges[e].a] != tuning->part[tuning->edges[e].b])
            join(tuning, &tuning->edges[e]);
    return true;
}

/* ---------------------------------------------------------------- which of them is right */

/* What a clock says about where zero is for its component: between `low` and `high`. */
struct opinion {
    uint32_t clock;
    int64_t low, high;
    size_t backing; /* how many opinions a zero at `low` has */
};

static int64_t round_apart(int64_t ms)
{
    return ms - anchor_quarters(ms);
}

/* The zero that most opinions allow: between the returned opinion's low and the least high of those that allow it. */
static size_t best_opinion(struct opinion *opinions, size_t count)
{
    size_t best = 0;
    for (size_t i = 0; i < count; i++) {
        opinions[i].backing = 0;
        for (size_t j = 0; j < count; j++)
            opinions[i].backing += opinions[j].low <= opinions[i].low && opinions[i].low <= opinions[j].high;
        if (opinions[i].backing > opinions[best].backing)
            best = i;
    }
    return best;
}

struct zero {
    int64_t ms;
    int64_t error_ms;
    uint32_t reference;
    bool found;
};

/* Of the clocks that agree, the one that is a whole number of quarters of an hour from zero, as zones are, and with it most
 * of the others, is the reference, exactly; of several the one in their middle. */
static void round_zero(const struct tuning *tuning, const struct opinion *opinions, size_t count, struct zero *zero)
{
    size_t most = 0;
    int64_t nearest = INT64_MAX, middle = zero->ms, room = zero->error_ms + ROUND_MS;
    for (size_t i = 0; i < count; i++) {
        int64_t rest = round_apart(tuning->local[opinions[i].clock] - middle);
        int64_t distance = 0;
        size_t with = 0;
        if (rest < -room || rest > room)
            continue;
        for (size_t j = 0; j < count; j++) {
            int64_t apart = round_apart(tuning->local[opinions[j].clock] - middle - rest);
            int64_t doubt = tuning->doubt[opinions[i].clock] + tuning->doubt[opinions[j].clock] + OFFSET_LEAST_ERROR_MS;
            bool agrees = apart >= -doubt && apart <= doubt;
            with += agrees;
            distance += agrees ? apart < 0 ? -apart : apart : 0;
        }
        /* The root of the tree stays the same whatever the others show, so small differences do not count against it. */
        if (opinions[i].clock == tuning->part[opinions[i].clock] && distance <= (int64_t)count * ROOT_BONUS_MS)
            distance = -1;
        if (with < most || (with == most && distance >= nearest))
            continue;
        most = with;
        nearest = distance;
        zero->ms = middle + rest;
        zero->error_ms = 0;
        zero->reference = opinions[i].clock;
    }
}

/* By dumps: the clocks whose own epoch clocks agree outvote the others. */
static struct zero zero_by_dumps(const struct tuning *tuning, uint32_t part, struct opinion *opinions)
{
    struct zero zero = {.found = false};
    size_t count = 0;
    for (uint32_t c = 0; c < tuning->count; c++)
        if (tuning->part[c] == part && tuning->anchors[c].dumps)
            opinions[count++] = (struct opinion){
                .clock = c,
                .low = tuning->local[c] - tuning->anchors[c].high_ms - tuning->doubt[c],
                .high = tuning->local[c] - tuning->anchors[c].low_ms + tuning->doubt[c],
            };
    if (!count)
        return zero;
    size_t best = best_opinion(opinions, count);
    int64_t low = opinions[best].low, high = INT64_MAX;
    zero.reference = opinions[best].clock;
    for (size_t i = 0; i < count; i++)
        if (opinions[i].low <= low && low <= opinions[i].high && opinions[i].high < high)
            high = opinions[i].high;
    zero.found = true;
    zero.ms = low + (high - low) / 2;
    zero.error_ms = (high - low + 1) / 2;
    round_zero(tuning, opinions, count, &zero);
    return zero;
}

/* Without dumps: the largest group of clocks that differ by whole quarters of an hour is right about minutes and seconds;
 * its hours are those of a zone that views tell, else those that most of it show. */
static struct zero zero_by_majority(const struct tuning *tuning, uint32_t part, bool *by_zone)
{
    struct zero zero = {.found = false};
    size_t most = 0;
    for (uint32_t a = 0; a < tuning->count; a++) {
        if (tuning->part[a] != part)
            continue;
        bool zone = tuning->anchors[a].has_zone;
        size_t backing = 0;
        for (uint32_t b = 0; b < tuning->count; b++) {
            if (tuning->part[b] != part)
                continue;
            int64_t apart = tuning->local[b] - tuning->local[a], room = AGREE_MS + tuning->doubt[a] + tuning->doubt[b];
            int64_t rest = round_apart(apart);
            backing += rest >= -room && rest <= room ? BACKS_MINUTES : 0;
            backing += !zone && apart >= -room && apart <= room;
            if (zone && tuning->anchors[b].has_zone && tuning->anchors[b].zone_ms - tuning->anchors[a].zone_ms == apart - rest)
                backing += BACKS_ZONE;
        }
        if (backing <= most)
            continue;
        most = backing;
        *by_zone = zone;
        zero = (struct zero){.ms = tuning->local[a] - (zone ? tuning->anchors[a].zone_ms : 0), .reference = a, .found = true};
    }
    return zero;
}

static void set_clock(struct tuning *tuning, uint32_t number, const struct zero *zero, bool by_dumps, bool by_zones, bool related)
{
    struct host_clock *clock = &tuning->clocks[number];
    const struct anchor *anchor = &tuning->anchors[number];
    int64_t skew = tuning->local[number] - zero->ms;
    clock->anchors = anchor->dumps;
    clock->offset_ms = clock->zone_ms + skew;
    clock->error_ms = tuning->doubt[number] + zero->error_ms;
    clock->against = tuning->clocks[zero->reference].host;
    clock->basis = related ? OFFSET_PAIRS : by_dumps || by_zones ? OFFSET_ANCHORS : OFFSET_UNKNOWN;
    if (clock->basis == OFFSET_UNKNOWN)
        clock->error_ms = INT64_MAX;
    int64_t rest = round_apart(skew);
    if (clock->zone == ZONE_UNKNOWN && (by_dumps || by_zones) && rest <= AGREE_MS && rest >= -AGREE_MS)
        clock->zone = ZONE_INFERRED;
    if (anchor->dumps) {
        int64_t epoch = skew - (anchor->low_ms + (anchor->high_ms - anchor->low_ms) / 2);
        clock->epoch_offset_ms = epoch > EPOCH_SKEW_MS || epoch < -EPOCH_SKEW_MS ? epoch : 0;
    }
}

/* The errors of a component against another clock than its root: they add up on the way through the tree. */
static void doubt_from(struct tuning *tuning, uint32_t reference)
{
    for (uint32_t c = 0; c < tuning->count; c++)
        if (tuning->part[c] == tuning->part[reference])
            tuning->doubt[c] = c == reference ? 0 : INT64_MAX;
    for (bool more = true; more;) {
        more = false;
        for (size_t e = 0; e < tuning->tree_count; e++) {
            const struct edge *edge = &tuning->tree[e];
            int64_t *a = &tuning->doubt[edge->a], *b = &tuning->doubt[edge->b];
            if ((*a == INT64_MAX) == (*b == INT64_MAX))
                continue;
            *(*a == INT64_MAX ? a : b) = (*a == INT64_MAX ? *b : *a) + edge->estimate.error_ms;
            more = true;
        }
    }
}

static bool place_parts(struct tuning *tuning)
{
    struct history *history = tuning->history;
    struct opinion *opinions = arena_array(tuning->arena, tuning->count, sizeof(*opinions));
    size_t largest = 0;
    if (!opinions)
        return false;
    for (uint32_t part = 0; part < tuning->count; part++) {
        size_t members = 0;
        for (size_t c = 0; c < tuning->count; c++)
            members += tuning->part[c] == part;
        if (!members)
            continue;
        struct zero zero = zero_by_dumps(tuning, part, opinions);
        bool by_dumps = zero.found, by_zones = false;
        if (!zero.found)
            zero = zero_by_majority(tuning, part, &by_zones);
        doubt_from(tuning, zero.reference);
        for (uint32_t c = 0; c < tuning->count; c++)
            if (tuning->part[c] == part)
                set_clock(tuning, c, &zero, by_dumps, by_zones, members > 1);
        if (members > largest) {
            largest = members;
            history->reference = zero.reference;
        }
    }
    if (largest > 1)
        tuning->clocks[history->reference].basis = OFFSET_REFERENCE;
    return true;
}

/* ---------------------------------------------------------------- what follows */

static void correct(const struct tuning *tuning, size_t number, struct moment *moment)
{
    if (moment->source != CLOCK_LOG)
        return;
    const struct host_clock *clock = &tuning->clocks[tuning->clock_of[number]];
    int64_t skew = clock->offset_ms - clock->zone_ms;
    moment->ms -= skew;
    moment->error_ms = clock->error_ms;
    if (moment->flags & MOMENT_WHOLE_SECONDS && moment->error_ms < INT64_MAX)
        moment->error_ms += 500;
    moment->flags |= (skew ? MOMENT_SKEW_APPLIED : 0) | (clock->basis == OFFSET_EPOCHS ? MOMENT_ORDERED_BY_EPOCH : 0);
    if (clock->zone == ZONE_INFERRED)
        moment->flags = (moment->flags & ~(unsigned)MOMENT_ZONE_UNKNOWN) | MOMENT_ZONE_INFERRED;
}

/* The epoch clock of an instance's host, where it is wrong. */
static void correct_epoch(const struct tuning *tuning, const struct occurrence *occurrence, struct moment *moment)
{
    if (moment->source != CLOCK_EPOCH || occurrence->instance == SIZE_MAX)
        return;
    const char *host = host_of(tuning->history, occurrence);
    for (size_t c = 0; c < tuning->count; c++)
        if (tuning->clocks[c].epoch_offset_ms && strcmp(tuning->clocks[c].host, host) == 0) {
            moment->ms -= tuning->clocks[c].epoch_offset_ms;
            moment->error_ms += EPOCH_SKEW_MS / 2;
            moment->flags |= MOMENT_SKEW_APPLIED;
            return;
        }
}

static bool set_all(struct tuning *tuning)
{
    struct history *history = tuning->history;
    if (!find_clocks(tuning))
        return false;
    tuning->anchors = arena_array(tuning->arena, tuning->count, sizeof(*tuning->anchors));
    if (!tuning->anchors || !anchors_find(history, tuning->clock_of, tuning->arena, tuning->anchors, tuning->count) ||
        !find_edges(tuning) || !relate(tuning) || !place_parts(tuning) ||
        !epochs_order(history, tuning->clock_of, tuning->clocks, tuning->count, tuning->arena))
        return false;
    for (size_t i = 0; i < history->count; i++) {
        struct occurrence *occurrence = &history->occurrences[i];
        correct(tuning, i, &occurrence->when);
        correct(tuning, i, &occurrence->until);
        correct_epoch(tuning, occurrence, &occurrence->when);
        correct_epoch(tuning, occurrence, &occurrence->until);
    }
    history->clocks = tuning->clocks;
    history->clock_count = tuning->count;
    return !arena_failed(tuning->arena) && !arena_failed(history->arena);
}

bool clocks_set(struct history *history)
{
    struct tuning tuning = {.history = history, .arena = arena_new()};
    bool done = tuning.arena && set_all(&tuning);
    arena_free(tuning.arena);
    return done;
}
