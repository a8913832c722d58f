#include "tools/history/pair_offset.h"

#include <stdlib.h>

/* Of equal ones those first that the offset may equal from above: both kinds at one place leave that place. */
static int by_offset(const void *a, const void *b)
{
    const struct offset_bound *left = a, *right = b;
    if (left->ms != right->ms)
        return left->ms < right->ms ? -1 : 1;
    return (int)right->least - (int)left->least;
}

/* The window of most weight: bounds `*from` to `*to` - 1. */
static uint64_t find_window(const struct offset_bound *bounds, size_t count, int64_t width_ms, size_t *from, size_t *to)
{
    uint64_t weight = 0, most = 0;
    size_t begin = 0;
    for (size_t end = 0; end < count; end++) {
        weight += bounds[end].weight;
        for (; bounds[end].ms - bounds[begin].ms >= width_ms; begin++)
            weight -= bounds[begin].weight;
        if (weight > most) {
            most = weight;
            *from = begin;
            *to = end + 1;
        }
    }
    return most;
}

/* Rounded down whatever the sign, so that a middle moves with its ends. */
static int64_t middle(int64_t low, int64_t high)
{
    return low + (high - low) / 2;
}

/* Between two neighbouring bounds all offsets contradict the same ones. The piece that contradicts least, of several the
 * widest, is the answer; pieces at the ends are as wide as a message may take. */
static void refine(const struct offset_bound *bounds, size_t count, struct offset_estimate *estimate)
{
    uint64_t cost = 0, least = UINT64_MAX;
    int64_t low = 0, high = 0;
    bool open_low = false, open_high = false;
    for (size_t i = 0; i < count; i++)
        cost += bounds[i].least ? bounds[i].weight : 0;
    for (size_t i = 0; i <= count; i++) {
        int64_t begin = i ? bounds[i - 1].ms : bounds[0].ms - OFFSET_ONE_SIDED_MS;
        int64_t end = i < count ? bounds[i].ms : bounds[count - 1].ms + OFFSET_ONE_SIDED_MS;
        if (cost < least || (cost == least && end - begin > high - low)) {
            least = cost;
            low = begin;
            high = end;
            open_low = i == 0;
            open_high = i == count;
        }
        if (i < count)
            cost = bounds[i].least ? cost - bounds[i].weight : cost + bounds[i].weight;
    }
    estimate->both_sides = !open_low && !open_high;
    estimate->ms = open_low ? high : open_high ? low : middle(low, high);
    estimate->error_ms = estimate->both_sides ? (high - low + 1) / 2 : OFFSET_ONE_SIDED_MS;
    if (estimate->error_ms < OFFSET_LEAST_ERROR_MS)
        estimate->error_ms = OFFSET_LEAST_ERROR_MS;
}

bool offset_estimate(struct offset_bound *bounds, size_t count, struct offset_estimate *estimate)
{
    size_t from = 0, to = 0;
    *estimate = (struct offset_estimate){.ms = 0};
    if (!count)
        return false;
    qsort(bounds, count, sizeof(*bounds), by_offset);
    estimate->weight = find_window(bounds, count, OFFSET_WINDOW_MS, &from, &to);
    estimate->agreeing = to - from;
    estimate->others = count - estimate->agreeing;
    const struct offset_bound *near = bounds + from;
    find_window(near, estimate->agreeing, OFFSET_NEAR_MS, &from, &to);
    refine(near + from, to - from, estimate);
    return true;
}
