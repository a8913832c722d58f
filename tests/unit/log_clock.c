/* What the times of log lines mean: zones, years, what stays doubtful. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "parsers/log/time.h"
#include "tests/unit/trials.h"
#include "tools/evidence/zones.h"

#define HOUR INT32_C(3600)

/* A TZif file, byte by byte: version 2, one 32-bit block that is empty, then transitions and a rule. */
struct tzif {
    uint8_t bytes[1024];
    size_t len;
};

static void put(struct tzif *file, uint64_t value, size_t width)
{
    while (width--)
        file->bytes[file->len++] = (uint8_t)(value >> 8 * width);
}

static void put_header(struct tzif *file, char version, size_t times, size_t types)
{
    memcpy(file->bytes + file->len, "TZif", 4);
    file->len += 4;
    put(file, (uint8_t)version, 1);
    for (int i = 0; i < 15; i++)
        put(file, 0, 1);
    const uint64_t counts[] = {0, 0, 0, times, types, 4};
    for (int i = 0; i < 6; i++)
        put(file, counts[i], 4);
}

/* Offsets of the first type and after each transition. */
static struct tzif tzif_of(const int64_t *at, const int32_t *offsets, size_t count, const char *rule)
{
    struct tzif file = {.len = 0};
    put_header(&file, '2', 0, 1);
    for (int i = 0; i < 10; i++)
        put(&file, 0, 1);
    put_header(&file, '2', count, count + 1);
    for (size_t i = 0; i < count; i++)
        put(&file, (uint64_t)at[i], 8);
    for (size_t i = 0; i < count; i++)
        put(&file, i + 1, 1);
    for (size_t i = 0; i <= count; i++) {
        put(&file, (uint32_t)offsets[i], 4);
        put(&file, 0, 2);
    }
    put(&file, 0, 4);
    put(&file, '\n', 1);
    memcpy(file.bytes + file.len, rule, strlen(rule));
    file.len += strlen(rule);
    put(&file, '\n', 1);
    return file;
}

static struct log_zone *zone_of(const struct tzif *file)
{
    return log_zone_read((struct bytes){file->bytes, file->len});
}

static struct log_zone *rule_zone(const char *rule)
{
    static const int32_t first[] = {0};
    struct tzif file = tzif_of(NULL, first, 0, rule);
    return zone_of(&file);
}

static int64_t local(int year, int month, int day, int hour, int minute)
{
    struct log_time time = {.known = true, .month = (int8_t)month, .day = (int8_t)day, .hour = (int8_t)hour, .minute = (int8_t)minute};
    return log_unix_ms(&time, year, 0) / 1000;
}

#define OFFSET_IS(zone, at, expected, is_doubtful)                                                                     \
    do {                                                                                                               \
        bool doubtful_ = !(is_doubtful);                                                                               \
        cr_expect_eq(log_zone_offset(zone, at, &doubtful_), expected);                                                 \
        cr_expect_eq(doubtful_, is_doubtful);                                                                          \
    } while (0)

Test(log_clock, fixed_offsets)
{
    static const struct {
        const char *text;
        int32_t offset;
    } good[] = {{"Z", 0}, {"UTC", 0}, {"+02:00", 2 * HOUR}, {"-0330", -12600}, {"+05", 5 * HOUR}, {"+14:00", 14 * HOUR}, {"-00:15", -900}};
    static const char *const bad[] = {"", "+", "2", "+2", "+15:00", "+02:60", "+02:0", "+02:000", "+0a:00", "02:00", "+02-00", "UTC+2"};
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        struct log_zone *zone = log_zone_parse((struct bytes){(const uint8_t *)good[i].text, strlen(good[i].text)});
        cr_assert_not_null(zone, "%s", good[i].text);
        OFFSET_IS(zone, 0, good[i].offset, false);
        log_zone_free(zone);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        cr_expect_null(log_zone_parse((struct bytes){(const uint8_t *)bad[i], strlen(bad[i])}), "%s", bad[i]);
}

/* Berlin 2026: forward on 29 March at 02:00, back on 25 October at 03:00. */
Test(log_clock, rule_of_the_north)
{
    struct log_zone *zone = rule_zone("CET-1CEST,M3.5.0,M10.5.0/3");
    cr_assert_not_null(zone);
    OFFSET_IS(zone, local(2026, 1, 15, 12, 0), HOUR, false);
    OFFSET_IS(zone, local(2026, 3, 29, 1, 59), HOUR, false);
    OFFSET_IS(zone, local(2026, 3, 29, 2, 30), HOUR, true);
    OFFSET_IS(zone, local(2026, 3, 29, 3, 0), 2 * HOUR, false);
    OFFSET_IS(zone, local(2026, 10, 25, 1, 59), 2 * HOUR, false);
    OFFSET_IS(zone, local(2026, 10, 25, 2, 30), 2 * HOUR, true);
    OFFSET_IS(zone, local(2026, 10, 25, 3, 0), HOUR, false);
    OFFSET_IS(zone, local(2026, 12, 31, 23, 59), HOUR, false);
    log_zone_free(zone);
}

Test(log_clock, other_rules)
{
    struct log_zone *sydney = rule_zone("AEST-10AEDT,M10.1.0,M4.1.0/3");
    OFFSET_IS(sydney, local(2026, 1, 15, 12, 0), 11 * HOUR, false);
    OFFSET_IS(sydney, local(2026, 7, 15, 12, 0), 10 * HOUR, false);
    OFFSET_IS(sydney, local(2026, 4, 5, 2, 30), 11 * HOUR, true);
    log_zone_free(sydney);
    struct log_zone *dublin = rule_zone("IST-1GMT0,M10.5.0,M3.5.0/1"); /* its summer time is the standard */
    OFFSET_IS(dublin, local(2026, 1, 15, 12, 0), 0, false);
    OFFSET_IS(dublin, local(2026, 7, 15, 12, 0), HOUR, false);
    OFFSET_IS(dublin, local(2026, 3, 29, 1, 30), 0, true);
    OFFSET_IS(dublin, local(2026, 3, 29, 2, 0), HOUR, false);
    OFFSET_IS(dublin, local(2026, 10, 25, 1, 30), HOUR, true);
    log_zone_free(dublin);
    struct log_zone *new_york = rule_zone("EST5EDT,M3.2.0,M11.1.0");
    OFFSET_IS(new_york, local(2026, 3, 8, 3, 0), -4 * HOUR, false);
    OFFSET_IS(new_york, local(2026, 3, 8, 1, 59), -5 * HOUR, false);
    log_zone_free(new_york);
    struct log_zone *days = rule_zone("<-03>3<-02>,J60/0,300"); /* 1 March, also in leap years; day 300 from 0 */
    OFFSET_IS(days, local(2024, 2, 29, 23, 59), -3 * HOUR, false);
    OFFSET_IS(days, local(2024, 3, 1, 1, 0), -2 * HOUR, false);
    OFFSET_IS(days, local(2026, 3, 1, 1, 0), -2 * HOUR, false);
    OFFSET_IS(days, local(2026, 12, 1, 1, 0), -3 * HOUR, false);
    log_zone_free(days);
    struct log_zone *delhi = rule_zone("IST-5:30");
    OFFSET_IS(delhi, local(2026, 3, 1, 1, 0), 19800, false);
    log_zone_free(delhi);
}

Test(log_clock, transitions)
{
    static const int64_t at[] = {1000000000, 1100000000};
    static const int32_t offsets[] = {HOUR, 2 * HOUR, 0};
    struct tzif file = tzif_of(at, offsets, 2, "UTC0");
    struct log_zone *zone = zone_of(&file);
    cr_assert_not_null(zone);
    OFFSET_IS(zone, 1000000000 + HOUR - 1, HOUR, false);
    OFFSET_IS(zone, 1000000000 + HOUR, HOUR, true);
    OFFSET_IS(zone, 1000000000 + 2 * HOUR, 2 * HOUR, false);
    OFFSET_IS(zone, 1100000000 - 1, 2 * HOUR, false);
    OFFSET_IS(zone, 1100000000, 2 * HOUR, true);
    OFFSET_IS(zone, 1100000000 + 2 * HOUR, 0, false);
    log_zone_free(zone);
}

static char *zone_transcript(struct bytes text, size_t ended)
{
    (void)ended;
    struct log_zone *zone = log_zone_read(text);
    bool doubtful;
    if (zone)
        for (int64_t at = -4000000000; at < 8000000000; at += 399999999)
            log_zone_offset(zone, at, &doubtful);
    log_zone_free(zone);
    return calloc(1, 1);
}

Test(log_clock, damaged_zone_files_are_none)
{
    static const int64_t at[] = {1000000000, 1100000000};
    static const int32_t offsets[] = {HOUR, 2 * HOUR, 0};
    struct tzif file = tzif_of(at, offsets, 2, "CET-1CEST,M3.5.0,M10.5.0/3");
    for (size_t len = 0; len + 1 < file.len; len++)
        cr_expect_null(log_zone_read((struct bytes){file.bytes, len}) && len < 130 ? (void *)1 : NULL, "%zu", len);
    trial_flips((struct bytes){file.bytes, file.len}, zone_transcript);
    static const char *const rules[] = {"X", "CET", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M1.1.1", "CET-1CEST,M3.0.0,M1.1.1",
                                        "CET-1CEST,J366,1", "CET-1CEST,M3.5.0,M10.5.0/3x", "<CET-1", "CET-999"};
    for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++)
        cr_expect_null(rule_zone(rules[i]), "%s", rules[i]);
    cr_expect_null(log_zone_read((struct bytes){(const uint8_t *)"", 0}));
}

Test(log_clock, zones_of_hosts)
{
    struct zones zones = {.count = 0};
    cr_assert(zones_add(&zones, "10.0.0.6=+02:00") && zones_add(&zones, "-01:00") && zones_add(&zones, "host-7=Z"));
    bool doubtful;
    cr_expect_eq(log_zone_offset(zones_of(&zones, "case/hosts/10.0.0.6/7000/redis.log"), 0, &doubtful), 2 * HOUR);
    cr_expect_eq(log_zone_offset(zones_of(&zones, "10.0.0.6"), 0, &doubtful), 2 * HOUR);
    cr_expect_eq(log_zone_offset(zones_of(&zones, "host-7/x.log"), 0, &doubtful), 0);
    cr_expect_eq(log_zone_offset(zones_of(&zones, "10.0.0.66/x.log"), 0, &doubtful), -HOUR);
    cr_expect(!zones_add(&zones, "=Z") && !zones_add(&zones, "x=") && !zones_add(&zones, "../etc/passwd"));
    cr_expect(!zones_add(&zones, "x=/etc/passwd") && !zones_add(&zones, "No/Such_Zone"));
    zones_free(&zones);
    cr_expect_null(zones_of(&zones, "x"));
}

static struct log_time yearless(int month, int day)
{
    return (struct log_time){.known = true, .has_milliseconds = true, .month = (int8_t)month, .day = (int8_t)day, .hour = 12};
}

Test(log_clock, years_are_counted_back_from_the_end)
{
    struct log_clock clock = {.zone = NULL};
    struct log_time last = yearless(2, 3), first = yearless(12, 31);
    log_clock_bound(&clock, &last, 2, local(2026, 11, 22, 0, 0) * 1000);
    cr_expect(clock.has_year && clock.year == 2026 && clock.turn == 2);
    struct log_instant instant = log_clock_instant(&clock, &first, 0);
    cr_expect(instant.known && instant.flags == (LOG_YEAR_INFERRED | LOG_ZONE_UNKNOWN));
    cr_expect_eq(instant.unix_ms, local(2024, 12, 31, 12, 0) * 1000);
    log_clock_bound(&clock, &last, 2, local(2026, 2, 1, 0, 0) * 1000);
    cr_expect_eq(clock.year, 2025, "it cannot be later than the bound");
    struct log_time year_end = yearless(12, 31);
    clock = (struct log_clock){.has_offset = true, .offset_s = -10 * HOUR};
    log_clock_bound(&clock, &year_end, 0, local(2026, 12, 31, 23, 30) * 1000);
    cr_expect_eq(clock.year, 2026);
    year_end.hour = 20; /* 06:00 of New Year in UTC */
    log_clock_bound(&clock, &year_end, 0, local(2026, 12, 31, 23, 30) * 1000);
    cr_expect_eq(clock.year, 2025);
}

Test(log_clock, instants)
{
    struct log_zone *zone = rule_zone("CET-1CEST,M3.5.0,M10.5.0/3");
    struct log_clock clock = {.zone = zone};
    struct log_time time = {.known = true, .has_year = true, .year = 2026, .month = 10, .day = 25, .hour = 2, .minute = 30};
    struct log_instant instant = log_clock_instant(&clock, &time, 0);
    cr_expect(instant.known && instant.flags == (LOG_TIME_DOUBTFUL | LOG_WHOLE_SECONDS));
    cr_expect_eq(instant.unix_ms, local(2026, 10, 25, 0, 30) * 1000);
    cr_expect_eq(instant.local_ms, local(2026, 10, 25, 2, 30) * 1000);
    clock.inferred = true;
    time.has_milliseconds = true;
    time.hour = 12;
    cr_expect_eq(log_clock_instant(&clock, &time, 0).flags, LOG_ZONE_INFERRED);
    time.has_zone = true;
    time.zone_s = -5 * HOUR;
    instant = log_clock_instant(&clock, &time, 0);
    cr_expect(instant.flags == 0 && instant.unix_ms == local(2026, 10, 25, 17, 30) * 1000);
    cr_expect_eq(instant.local_ms, local(2026, 10, 25, 12, 30) * 1000);
    time.has_zone = time.has_year = false;
    cr_expect(!log_clock_instant(&clock, &time, 0).known, "nobody knows the year");
    time.known = false;
    cr_expect(!log_clock_instant(&clock, &time, 0).known);
    log_zone_free(zone);
}

Test(log_clock, pairs_of_times_are_offsets)
{
    struct log_offset offset = {.pairs = 0};
    log_offset_add(&offset, 7200500, 0);
    log_offset_add(&offset, 7199000, 0);
    log_offset_add(&offset, 3600000, 0);
    log_offset_add(&offset, 3600000 + 200000, 0);
    log_offset_add(&offset, INT64_C(15) * 3600000, 0);
    cr_expect(offset.pairs == 2 && offset.others == 1 && offset.seconds == 2 * HOUR);
}
