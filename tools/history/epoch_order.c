#include "tools/history/epoch_order.h"

#include <stdlib.h>

/* An event that happened when the cluster had come to an epoch. */
struct epoch_event {
    int64_t epoch, ms;
    uint32_t clock;
    int64_t before_ms; /* the latest of all events of lower epochs on clocks that are known; INT64_MIN when none */
    int64_t behind_ms; /* the earliest of all of higher epochs; INT64_MAX when none */
};

static bool tells_epoch(const struct occurrence *occurrence)
{
    return occurrence->epoch > 0 && (occurrence->event == LOG_ELECTION_STARTED || occurrence->event == LOG_VOTE_GRANTED ||
                                     occurrence->event == LOG_EPOCH_WON || occurrence->event == LOG_EPOCH_BUMPED);
}

static int by_epoch(const void *a, const void *b)
{
    const struct epoch_event *left = a, *right = b;
    return (left->epoch > right->epoch) - (left->epoch < right->epoch);
}

static bool is_known(const struct history *history, const struct host_clock *clocks, uint32_t clock)
{
    return clocks[clock].basis != OFFSET_UNKNOWN || clock == history->reference;
}

static int64_t corrected(const struct host_clock *clocks, const struct epoch_event *event)
{
    return event->ms - (clocks[event->clock].offset_ms - clocks[event->clock].zone_ms);
}

/* Both bounds of each event; the events stand by epoch. */
static void bound(const struct history *history, const struct host_clock *clocks, struct epoch_event *events, size_t count)
{
    int64_t latest = INT64_MIN, earliest = INT64_MAX;
    for (size_t i = 0, end; i < count; i = end) {
        int64_t next = latest;
        for (end = i; end < count && events[end].epoch == events[i].epoch; end++) {
            events[end].before_ms = latest;
            if (is_known(history, clocks, events[end].clock) && corrected(clocks, &events[end]) > next)
                next = corrected(clocks, &events[end]);
        }
        latest = next;
    }
    for (size_t end = count, i; end > 0; end = i) {
        int64_t next = earliest;
        for (i = end; i > 0 && events[i - 1].epoch == events[end - 1].epoch; i--) {
            events[i - 1].behind_ms = earliest;
            if (is_known(history, clocks, events[i - 1].clock) && corrected(clocks, &events[i - 1]) < next)
                next = corrected(clocks, &events[i - 1]);
        }
        earliest = next;
    }
}

static void move(struct host_clock *clock, int64_t least, int64_t most)
{
    if (least > most || (least <= 0 && most >= 0))
        return; /* no offset satisfies all, or none is needed */
    clock->offset_ms = clock->zone_ms + (least > 0 ? least : most);
    clock->basis = OFFSET_EPOCHS;
    if (least > INT64_MIN && most < INT64_MAX)
        clock->error_ms = most - least;
}

bool epochs_order(const struct history *history, const uint32_t *clock_of, struct host_clock *clocks, size_t count,
                  struct arena *arena)
{
    struct epoch_event *events = NULL;
    size_t found = 0, cap = 0;
    for (size_t i = 0; i < history->count; i++) {
        const struct occurrence *occurrence = &history->occurrences[i];
        if (clock_of[i] == UINT32_MAX || !tells_epoch(occurrence))
            continue;
        events = arena_grow(arena, events, found, &cap, sizeof(*events));
        if (!events)
            return false;
        events[found++] = (struct epoch_event){.epoch = occurrence->epoch, .ms = occurrence->when.ms, .clock = clock_of[i]};
    }
    if (!found)
        return true;
    qsort(events, found, sizeof(*events), by_epoch);
    bound(history, clocks, events, found);
    for (uint32_t c = 0; c < count; c++) {
        int64_t least = INT64_MIN, most = INT64_MAX;
        if (is_known(history, clocks, c))
            continue;
        for (size_t i = 0; i < found; i++) {
            const struct epoch_event *event = &events[i];
            if (event->clock != c)
                continue;
            if (event->before_ms > INT64_MIN && event->ms - event->before_ms - 1 < most)
                most = event->ms - event->before_ms - 1;
            if (event->behind_ms < INT64_MAX && event->ms - event->behind_ms + 1 > least)
                least = event->ms - event->behind_ms + 1;
        }
        move(&clocks[c], least, most);
    }
    return true;
}
