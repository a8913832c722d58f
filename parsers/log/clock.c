#include "parsers/log/time.h"

enum {
    QUARTER_MS = 900000,
    NEAR_MS = 10000, /* how late the second time of a pair may be */
    FARTHEST = 56,   /* quarters: 14 hours */
};

void log_offset_add(struct log_offset *offset, int64_t local_ms, int64_t utc_ms)
{
    int64_t apart = local_ms - utc_ms;
    int64_t quarters = (apart + (apart < 0 ? -QUARTER_MS : QUARTER_MS) / 2) / QUARTER_MS;
    int64_t rest = apart - quarters * QUARTER_MS;
    if (quarters > FARTHEST || quarters < -FARTHEST || rest > NEAR_MS || rest < -NEAR_MS)
        return;
    int32_t seconds = (int32_t)(quarters * (QUARTER_MS / 1000));
    if (!offset->pairs)
        offset->seconds = seconds;
    if (offset->seconds == seconds)
        offset->pairs++;
    else
        offset->others++;
}

/* The offset of a local time, and what is to be said about it. */
static int32_t offset_at(const struct log_clock *clock, int64_t local_s, unsigned *flags)
{
    bool doubtful = false;
    int32_t offset = 0;
    if (clock->zone)
        offset = log_zone_offset(clock->zone, local_s, &doubtful);
    else if (clock->has_offset)
        offset = clock->offset_s;
    else
        *flags |= LOG_ZONE_UNKNOWN;
    if (clock->inferred && !(*flags & LOG_ZONE_UNKNOWN))
        *flags |= LOG_ZONE_INFERRED;
    if (doubtful)
        *flags |= LOG_TIME_DOUBTFUL;
    return offset;
}

struct log_instant log_clock_instant(const struct log_clock *clock, const struct log_time *time, uint32_t turn)
{
    struct log_instant instant = {.known = false};
    int64_t year = time->year;
    if (!time->known || (!time->has_year && !clock->has_year))
        return instant;
    if (!time->has_year) {
        year = (int64_t)clock->year + turn - clock->turn;
        instant.flags |= LOG_YEAR_INFERRED;
    }
    if (year < 0 || year > 9999)
        return instant;
    if (!time->has_milliseconds)
        instant.flags |= LOG_WHOLE_SECONDS;
    instant.known = true;
    instant.unix_ms = log_unix_ms(time, (int)year, 0);
    instant.local_ms = instant.unix_ms;
    if (time->has_zone) {
        instant.local_ms += (int64_t)time->zone_s * 1000;
    } else {
        int64_t local_s = (instant.local_ms - time->millisecond) / 1000;
        instant.unix_ms -= (int64_t)offset_at(clock, local_s, &instant.flags) * 1000;
    }
    return instant;
}

void log_clock_bound(struct log_clock *clock, const struct log_time *last, uint32_t turn, int64_t bound_ms)
{
    struct log_time bound;
    if (last->has_year || !last->known || bound_ms < 0 || !log_time_of_unix_ms((uint64_t)bound_ms, &bound))
        return;
    clock->has_year = true;
    clock->turn = turn;
    clock->year = bound.year;
    /* The year of the bound, or of its local time where the zone is ahead of UTC; else an earlier one. */
    clock->year++;
    for (unsigned i = 0; i < 2 && log_clock_instant(clock, last, turn).unix_ms > bound_ms; i++)
        clock->year--;
}

void log_clock_near(struct log_clock *clock, const struct log_time *last, uint32_t turn, int64_t near_ms)
{
    struct log_time near;
    int64_t least = INT64_MAX;
    if (last->has_year || !last->known || near_ms < 0 || !log_time_of_unix_ms((uint64_t)near_ms, &near))
        return;
    clock->has_year = true;
    clock->turn = turn;
    for (int year = near.year - 1; year <= near.year + 1; year++) {
        int64_t apart = log_unix_ms(last, year, 0) - near_ms;
        apart = apart < 0 ? -apart : apart;
        if (apart < least) {
            least = apart;
            clock->year = (int16_t)year;
        }
    }
}
