/* Moments that a host has dated by both of its clocks: they tie its log clock to its epoch clock.
 *
 * A dump's ctime is a whole second of the epoch clock, taken when the save began; the log has a line about each save. An
 * instance saves its nodes.conf when its view changes, at most a second or two after the newest pong in it, and the log has
 * a line about most of these changes: too coarse for a clock, enough to tell zones apart.
 */
#ifndef RCF_ANCHORS_H
#define RCF_ANCHORS_H

#include "tools/history/history_private.h"

struct anchor {
    size_t dumps; /* and loads and signals that agree; 0: `low` and `high` are not known */
    int64_t low_ms, high_ms; /* log clock - epoch clock lies between */
    bool has_zone;
    int64_t zone_ms; /* whole quarters of an hour */
};

enum { QUARTER_MS = 15 * 60 * 1000 };

/* The whole number of quarters of an hour that is nearest. */
int64_t anchor_quarters(int64_t ms);

/* The anchors of all clocks into `anchors`, `count` zeroed ones. False without memory. */
bool anchors_find(const struct history *history, const uint32_t *clock_of, struct arena *arena, struct anchor *anchors,
                  size_t count);

#endif
