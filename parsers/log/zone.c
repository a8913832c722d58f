#include <stdlib.h>

#include "parsers/bytes/cursor.h"
#include "parsers/bytes/text.h"
#include "parsers/log/time.h"

/* TZif is RFC 9636; the rule behind the last transition is a POSIX TZ string. */

enum { TYPES_MAX = 256, TRANSITIONS_MAX = 65536, HEADER = 44, DAY = 86400 };

/* When clocks change in a year: "M3.2.0/2", "J60", "59". */
struct change {
    enum { BY_WEEK, BY_DAY, BY_DAY_WITHOUT_LEAP } by;
    int month, week, weekday; /* weekday 0 is Sunday */
    int day;
    int32_t time_s;
};

struct log_zone {
    int32_t first_s; /* offset before the first transition */
    size_t count;
    struct transition {
        int64_t at_s; /* Unix time */
        int32_t offset_s;
    } *transitions;
    bool has_rule, has_summer;
    int32_t standard_s, summer_s;
    struct change to_summer, to_standard;
};

static bool is_letter(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool take_number(struct cursor *in, int most, int *value)
{
    int count = 0;
    *value = 0;
    while (cursor_left(in) && *in->at >= '0' && *in->at <= '9' && *value <= most) {
        *value = *value * 10 + (cursor_u8(in) - '0');
        count++;
    }
    return count && *value <= most;
}

static bool take_mark(struct cursor *in, char mark)
{
    if (!cursor_left(in) || *in->at != (uint8_t)mark)
        return false;
    cursor_take(in, 1);
    return true;
}

/* "5", "-5:30", "+10:00:00" */
static bool take_hours(struct cursor *in, int32_t *seconds)
{
    int hours, minutes = 0, rest = 0;
    bool minus = take_mark(in, '-');
    if (!minus)
        take_mark(in, '+');
    if (!take_number(in, 167, &hours) || (take_mark(in, ':') && !take_number(in, 59, &minutes)) ||
        (take_mark(in, ':') && !take_number(in, 59, &rest)))
        return false;
    *seconds = (hours * 3600 + minutes * 60 + rest) * (minus ? -1 : 1);
    return true;
}

/* "CET", "<+0330>" */
static bool take_name(struct cursor *in)
{
    if (take_mark(in, '<')) {
        cursor_until(in, '>');
        return take_mark(in, '>');
    }
    size_t len = 0;
    while (len < cursor_left(in) && is_letter(in->at[len]))
        len++;
    return cursor_take(in, len).len >= 3;
}

static bool take_change(struct cursor *in, struct change *change)
{
    *change = (struct change){.time_s = 2 * 3600};
    if (!take_mark(in, ','))
        return false;
    if (take_mark(in, 'M')) {
        change->by = BY_WEEK;
        if (!take_number(in, 12, &change->month) || !take_mark(in, '.') || !take_number(in, 5, &change->week) ||
            !take_mark(in, '.') || !take_number(in, 6, &change->weekday) || !change->month || !change->week)
            return false;
    } else {
        change->by = take_mark(in, 'J') ? BY_DAY_WITHOUT_LEAP : BY_DAY;
        if (!take_number(in, 365, &change->day))
            return false;
    }
    return !take_mark(in, '/') || take_hours(in, &change->time_s);
}

/* "CET-1CEST,M3.5.0,M10.5.0/3": offsets are west of UTC. */
static bool read_rule(struct log_zone *zone, struct bytes text)
{
    struct cursor in = cursor_over(text);
    int32_t west;
    if (!take_name(&in) || !take_hours(&in, &west))
        return false;
    zone->standard_s = zone->summer_s = -west;
    zone->has_rule = true;
    if (!cursor_left(&in))
        return true;
    if (!take_name(&in))
        return false;
    zone->summer_s = zone->standard_s + 3600;
    if (cursor_left(&in) && *in.at != ',') {
        if (!take_hours(&in, &west))
            return false;
        zone->summer_s = -west;
    }
    zone->has_summer = take_change(&in, &zone->to_summer) && take_change(&in, &zone->to_standard);
    return zone->has_summer && !cursor_left(&in);
}

/* One block of a TZif file: six counts, then the tables. */
struct block {
    uint32_t is_ut, is_standard, leap, times, types, names;
};

static bool read_header(struct cursor *in, uint8_t *version, struct block *block)
{
    struct bytes magic = cursor_take(in, 4);
    *version = cursor_u8(in);
    cursor_take(in, 15);
    block->is_ut = cursor_be32(in);
    block->is_standard = cursor_be32(in);
    block->leap = cursor_be32(in);
    block->times = cursor_be32(in);
    block->types = cursor_be32(in);
    block->names = cursor_be32(in);
    return text_is(magic, "TZif") && cursor_ok(in) && block->times <= TRANSITIONS_MAX && block->types >= 1 &&
           block->types <= TYPES_MAX && block->names <= TRANSITIONS_MAX && block->leap <= TRANSITIONS_MAX &&
           block->is_ut <= TYPES_MAX && block->is_standard <= TYPES_MAX;
}

static size_t block_size(const struct block *block, size_t width)
{
    return (size_t)block->times * (width + 1) + (size_t)block->types * 6 + block->names +
           (size_t)block->leap * (width + 4) + block->is_standard + block->is_ut;
}

static bool read_block(struct log_zone *zone, struct cursor *in, const struct block *block, size_t width)
{
    struct cursor tables = cursor_over(cursor_take(in, block_size(block, width)));
    int32_t offsets[TYPES_MAX];
    if (!cursor_ok(in))
        return false;
    struct cursor times = cursor_over(cursor_take(&tables, block->times * width));
    struct cursor kinds = cursor_over(cursor_take(&tables, block->times));
    for (size_t i = 0; i < block->types; i++) {
        offsets[i] = (int32_t)cursor_be32(&tables);
        cursor_take(&tables, 2);
        if (offsets[i] > 26 * 3600 || offsets[i] < -25 * 3600)
            return false;
    }
    zone->first_s = offsets[0];
    zone->transitions = calloc(block->times + 1, sizeof(*zone->transitions));
    if (!zone->transitions)
        return false;
    for (size_t i = 0; i < block->times; i++) {
        int64_t at = width == 8 ? (int64_t)cursor_be64(&times) : (int32_t)cursor_be32(&times);
        uint8_t kind = cursor_u8(&kinds);
        if (kind >= block->types || at > INT64_MAX / 2 || at < INT64_MIN / 2 || (i && at <= zone->transitions[i - 1].at_s))
            return false;
        zone->transitions[zone->count++] = (struct transition){at, offsets[kind]};
    }
    return true;
}

static bool read_tzif(struct log_zone *zone, struct bytes tzif)
{
    struct cursor in = cursor_over(tzif);
    struct block block;
    uint8_t version;
    if (!read_header(&in, &version, &block))
        return false;
    if (version < '2')
        return read_block(zone, &in, &block, 4);
    cursor_take(&in, block_size(&block, 4));
    if (!read_header(&in, &version, &block) || !read_block(zone, &in, &block, 8) || cursor_u8(&in) != '\n')
        return false;
    struct bytes rule = cursor_until(&in, '\n');
    return !rule.len || read_rule(zone, rule);
}

struct log_zone *log_zone_read(struct bytes tzif)
{
    struct log_zone *zone = calloc(1, sizeof(*zone));
    if (zone && (tzif.len > LOG_ZONE_FILE_MAX || !read_tzif(zone, tzif))) {
        log_zone_free(zone);
        zone = NULL;
    }
    return zone;
}

struct log_zone *log_zone_parse(struct bytes text)
{
    struct cursor in = cursor_over(text);
    int hours = 0, minutes = 0;
    if (!text_is(text, "Z") && !text_is(text, "UTC")) {
        if (text.len < 3 || (text.at[0] != '+' && text.at[0] != '-'))
            return NULL;
        cursor_take(&in, 1);
        struct cursor digits = cursor_over(cursor_take(&in, 2));
        bool colon = take_mark(&in, ':');
        if (!take_number(&digits, 14, &hours) || cursor_left(&digits) || (colon && cursor_left(&in) != 2))
            return NULL;
        if (cursor_left(&in) && (cursor_left(&in) != 2 || !take_number(&in, 59, &minutes) || cursor_left(&in)))
            return NULL;
    }
    struct log_zone *zone = calloc(1, sizeof(*zone));
    if (zone)
        zone->first_s = (hours * 3600 + minutes * 60) * (text_starts(text, "-") ? -1 : 1);
    return zone;
}

void log_zone_free(struct log_zone *zone)
{
    if (zone)
        free(zone->transitions);
    free(zone);
}

static int64_t day_start(int year, int month, int day)
{
    struct log_time time = {.known = true, .month = (int8_t)month, .day = (int8_t)day};
    return log_unix_ms(&time, year, 0) / 1000;
}

/* The local time, by the clock that was shown before, at which clocks change in a year. */
static int64_t change_in(const struct change *change, int year)
{
    if (change->by != BY_WEEK) {
        bool leap = log_days_in_month(2, true, year) == 29;
        int day = change->day;
        if (change->by == BY_DAY_WITHOUT_LEAP)
            day += (leap && day >= 60) - 1;
        return day_start(year, 1, 1) + (int64_t)day * DAY + change->time_s;
    }
    int64_t first = day_start(year, change->month, 1);
    int weekday = (int)(((first / DAY + 4) % 7 + 7) % 7); /* 1970 began on a Thursday */
    int day = (change->weekday - weekday + 7) % 7 + (change->week - 1) * 7;
    while (day >= log_days_in_month(change->month, true, year))
        day -= 7;
    return first + (int64_t)day * DAY + change->time_s;
}

/* Clocks that are set by `gain` when they show `at`: the local times from when on they show the later offset, and whether
 * a time is skipped or comes twice. */
static bool is_behind(int64_t local_s, int64_t at, int64_t gain, bool *doubtful)
{
    int64_t from = at + (gain < 0 ? gain : 0), until = at + (gain > 0 ? gain : 0);
    *doubtful |= local_s >= from && local_s < until;
    return local_s >= until;
}

static int32_t offset_by_rule(const struct log_zone *zone, int64_t local_s, bool *doubtful)
{
    struct log_time time;
    if (!zone->has_summer || local_s < 0 || !log_time_of_unix_ms((uint64_t)local_s * 1000, &time))
        return zone->standard_s;
    int64_t summer = change_in(&zone->to_summer, time.year), standard = change_in(&zone->to_standard, time.year);
    int64_t gain = (int64_t)zone->summer_s - zone->standard_s;
    bool begun = is_behind(local_s, summer, gain, doubtful), ended = is_behind(local_s, standard, -gain, doubtful);
    return (summer < standard ? begun && !ended : begun || !ended) ? zone->summer_s : zone->standard_s;
}

int32_t log_zone_offset(const struct log_zone *zone, int64_t local_s, bool *doubtful)
{
    int32_t offset = zone->first_s;
    size_t low = 0, high = zone->count;
    *doubtful = false;
    while (low < high) { /* transitions are further apart than offsets differ, so one order serves both clocks */
        size_t middle = low + (high - low) / 2;
        const struct transition *next = &zone->transitions[middle];
        int32_t earlier = middle ? zone->transitions[middle - 1].offset_s : zone->first_s;
        bool ignored = false;
        if (is_behind(local_s, next->at_s + earlier, (int64_t)next->offset_s - earlier, &ignored))
            low = middle + 1;
        else
            high = middle;
    }
    if (low)
        offset = zone->transitions[low - 1].offset_s;
    if (low < zone->count)
        is_behind(local_s, zone->transitions[low].at_s + offset, (int64_t)zone->transitions[low].offset_s - offset, doubtful);
    else if (zone->has_rule)
        offset = offset_by_rule(zone, local_s, doubtful);
    return offset;
}
