#include "parsers/log/log.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/unit/trials.h"

#define TEXT(literal) ((struct bytes){(const uint8_t *)(literal), sizeof(literal) - 1})

static void print_line(FILE *stream, const struct log_event *line)
{
    const struct log_time *time = &line->time;
    fprintf(stream, "%u:%" PRIu64 "+%" PRIu64 " ", line->place.line, line->place.offset, line->place.length);
    if (line->prefixed)
        fprintf(stream, "%u%c%c ", line->pid, line->role ? line->role : '?', line->level ? line->level : '?');
    if (time->known) {
        if (time->has_year)
            fprintf(stream, "%d-", time->year);
        fprintf(stream, "%d-%dT%d:%d:%d.%d", time->month, time->day, time->hour, time->minute, time->second,
                time->millisecond);
        if (time->has_zone)
            fprintf(stream, "%+d", time->zone_s);
        fputc(' ', stream);
    }
    fputc('[', stream);
    fwrite(line->message.at, 1, line->message.len, stream);
    fputs("]\n", stream);
}

/* All steps as text; only those that end before `upto`. Freed by the caller. */
static char *transcript(struct bytes text, size_t upto)
{
    char *out = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&out, &size);
    struct source *source = source_memory(text.at, text.len);
    struct log *reader = log_open(source, LOG_ALL_LINES);
    struct log_event line;
    enum parse_step step;
    cr_assert(reader);
    while ((step = log_next(reader, &line)) == PARSE_ITEM || step == PARSE_DAMAGE) {
        struct place place = step == PARSE_ITEM ? line.place : log_damage(reader)->place;
        cr_assert(place.offset + place.length <= text.len && place.line > 0);
        if (place.offset + place.length >= upto || (step == PARSE_ITEM && line.id == LOG_PROCESS))
            continue;
        if (step == PARSE_DAMAGE)
            fprintf(stream, "!%u %" PRIu64 "+%" PRIu64 "\n", log_damage(reader)->code, place.offset, place.length);
        else
            print_line(stream, &line);
    }
    log_close(reader);
    source_close(source);
    fclose(stream);
    return out;
}

#define READS_AS(text, expected)                                                                                       \
    do {                                                                                                               \
        char *steps = transcript(TEXT(text), SIZE_MAX);                                                                \
        cr_assert_str_eq(steps, expected);                                                                             \
        free(steps);                                                                                                   \
    } while (0)

Test(log, prefix_of_redis_2_8)
{
    READS_AS("[1234] 22 Nov 15:05:25.820 * Ready\n", "1:0+34 1234?* 11-22T15:5:25.820 [Ready]\n");
    READS_AS("[1] 22 Nov 15:05:25 # x\n", "1:0+23 1?# 11-22T15:5:25.0 [x]\n");
}

Test(log, prefix_without_year)
{
    READS_AS("23169:C 29 Feb 14:52:14.326 # Loaded\n", "1:0+36 23169C# 2-29T14:52:14.326 [Loaded]\n");
}

Test(log, prefix_with_year)
{
    READS_AS("1:M 22 Nov 2026 15:05:25.820 * a b\n2:S 01 Jan 1970 00:00:60.000 - c\n3:X 31 Dec 9999 23:59:59.999 . \n",
             "1:0+34 1M* 2026-11-22T15:5:25.820 [a b]\n2:35+32 2S- 1970-1-1T0:0:60.0 [c]\n"
             "3:68+31 3X. 9999-12-31T23:59:59.999 []\n");
    READS_AS("1:M 22 Nov 2026 15:05:25.820 #", "1:0+30 1M# 2026-11-22T15:5:25.820 []\n");
}

Test(log, prefix_iso8601)
{
    READS_AS("1:M 2026-11-22T15:05:25.820+05:45 * m\n", "1:0+37 1M* 2026-11-22T15:5:25.820+20700 [m]\n");
    READS_AS("1:M 2026-11-22T15:05:25.820-03:30 * m\n", "1:0+37 1M* 2026-11-22T15:5:25.820-12600 [m]\n");
    READS_AS("1:M 2026-11-22T15:05:25.820Z * m\n", "1:0+32 1M* 2026-11-22T15:5:25.820+0 [m]\n");
}

Test(log, prefix_milliseconds)
{
    READS_AS("1:M 1795359925820 * m\n", "1:0+21 1M* 2026-11-22T15:5:25.820+0 [m]\n");
    READS_AS("1:M 0 * m\n", "1:0+9 1M* 1970-1-1T0:0:0.0+0 [m]\n");
}

/* Lines of one second are read by what differs from the line before. */
Test(log, prefixes_of_one_second)
{
    READS_AS("1:M 22 Nov 2026 15:05:25.820 * one\n1:M 22 Nov 2026 15:05:25.007 # two\n"
             "1:S 22 Nov 2026 15:05:25.999 # role\n1:S 22 Nov 2026 15:05:26.000 . second\n"
             "1:S 22 Nov 2026 15:05:26.0:0 . milliseconds\n1:S 22 Nov 2026 15:05:26.000 + level\n"
             "1:S 22 Nov 2026 15:05:26.001 - last\n",
             "1:0+34 1M* 2026-11-22T15:5:25.820 [one]\n2:35+34 1M# 2026-11-22T15:5:25.7 [two]\n"
             "3:70+35 1S# 2026-11-22T15:5:25.999 [role]\n4:106+37 1S. 2026-11-22T15:5:26.0 [second]\n"
             "5:144+43 [1:S 22 Nov 2026 15:05:26.0:0 . milliseconds]\n6:188+36 [1:S 22 Nov 2026 15:05:26.000 + level]\n"
             "7:225+35 1S- 2026-11-22T15:5:26.1 [last]\n");
    READS_AS("1:M 2026-11-22T15:05:25.820+01:00 * m\n1:M 2026-11-22T15:05:25.821+01:00 # n\n"
             "1:M 2026-11-22T15:05:25.821+02:00 # zone\n",
             "1:0+37 1M* 2026-11-22T15:5:25.820+3600 [m]\n2:38+37 1M# 2026-11-22T15:5:25.821+3600 [n]\n"
             "3:76+40 1M# 2026-11-22T15:5:25.821+7200 [zone]\n");
}

Test(log, prefix_logfmt)
{
    READS_AS("pid=7 role=RDB/AOF timestamp=\"22 Nov 2026 15:05:25.820\" level=notice message=\"DB 'x' saved\"\n",
             "1:0+91 7C* 2026-11-22T15:5:25.820 [DB 'x' saved]\n");
    READS_AS("pid=7 role=primary timestamp=\"1795359925820\" level=warning message=\"\"",
             "1:0+69 7M# 2026-11-22T15:5:25.820+0 []\n");
    READS_AS("pid=7 role=replica timestamp=\"2026-11-22T15:05:25.820+01:00\" level=debug message=\"cut",
             "1:0+85 7S. 2026-11-22T15:5:25.820+3600 [cut]\n");
    READS_AS("pid=7 role=sentinel timestamp=\"22 Nov 2026 15:05:25.820\" level=info message=\"m\"\n",
             "1:0+79 7X- 2026-11-22T15:5:25.820 [m]\n");
}

Test(log, prefix_of_a_signal_handler)
{
    READS_AS("1:signal-handler (1795359925) Received SIGTERM\n",
             "1:0+46 1?? 2026-11-22T15:5:25.0+0 [Received SIGTERM]\n");
    READS_AS("[8547 | signal handler] (1333114359)\n--- WATCHDOG TIMER EXPIRED ---\n",
             "1:0+36 8547?? 2012-3-30T13:32:39.0+0 []\n2:37+30 [--- WATCHDOG TIMER EXPIRED ---]\n");
}

Test(log, lines_without_prefix)
{
    static const char *const lines[] = {
        "",
        "1:Q 22 Nov 2026 15:05:25.820 * role",
        "1:M 22 Nov 2026 15:05:25.820 ? level",
        "1:M 22 Nov 2026 15:05:25.820 *no blank",
        "1:M 22 Nov 2026 15:05:25.82 * milliseconds",
        "1:M 22 Nov 2026 24:05:25.820 * hour",
        "1:M 22 Nov 2026 15:60:25.820 * minute",
        "1:M 22 Nov 2026 15:05:61.820 * second",
        "1:M 29 Feb 2026 15:05:25.820 * day",
        "1:M 31 Apr 15:05:25.820 * day",
        "1:M 00 Nov 2026 15:05:25.820 * day",
        "1:M 22 nov 2026 15:05:25.820 * month",
        "1:M 2026-13-22T15:05:25.820Z * month",
        "1:M 2026-11-22T15:05:25.820 * zone",
        "1:M 999999999999999 * year",
        "1:M 1795359925820000 * year",
        "4294967296:M 22 Nov 2026 15:05:25.820 * pid",
        ":M 22 Nov 2026 15:05:25.820 * pid",
        "[1 22 Nov 15:05:25.820 * bracket",
        "pid=1 role=king timestamp=\"1\" level=info message=\"m\"",
        "pid=1 role=primary timestamp=\"1\" level=loud message=\"m\"",
        "1:signal-handler (x) m",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
        char *text, *expected;
        cr_assert(asprintf(&text, "%s\n", lines[i]) >= 0);
        cr_assert(asprintf(&expected, "1:0+%zu [%s]\n", strlen(lines[i]), lines[i]) >= 0);
        char *steps = transcript((struct bytes){(const uint8_t *)text, strlen(text)}, SIZE_MAX);
        cr_assert_str_eq(steps, expected);
        free(steps);
        free(expected);
        free(text);
    }
}

Test(log, carriage_return_is_not_message)
{
    READS_AS("1:M 22 Nov 2026 15:05:25.820 * m\r\nraw\r\n", "1:0+33 1M* 2026-11-22T15:5:25.820 [m]\n2:34+4 [raw]\n");
}

Test(log, nothing)
{
    READS_AS("", "");
    READS_AS("\n\n", "1:0+0 []\n2:1+0 []\n");
}

/* Lengths on both sides of the limit, of the block size and of what the reader holds at once, each amid short lines. */
Test(log, long_lines_are_cut)
{
    static const size_t lengths[] = {LOG_LINE_MAX - 1, LOG_LINE_MAX,         LOG_LINE_MAX + 1,
                                     2 * LOG_LINE_MAX, 2 * LOG_LINE_MAX + 1, 5 * LOG_LINE_MAX + 77};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
        for (size_t before = 0; before < 3; before++) {
            size_t len = lengths[i], at = before * 3, size = at + len + 5;
            char *text = malloc(size);
            memset(text, 'x', size);
            for (size_t k = 0; k < before; k++)
                text[3 * k + 2] = '\n';
            text[at + len] = '\n';
            text[size - 1] = '\n';
            struct source *source = source_memory(text, size);
            struct log *reader = log_open(source, LOG_ALL_LINES);
            struct log_event line;
            for (size_t k = 0; k < before; k++)
                cr_assert(log_next(reader, &line) == PARSE_ITEM && line.message.len == 2);
            if (len > LOG_LINE_MAX) {
                cr_assert_eq(log_next(reader, &line), PARSE_DAMAGE);
                cr_assert_eq(log_damage(reader)->code, LOG_LONG_LINE);
                cr_assert_eq(log_damage(reader)->place.length, len);
                cr_assert_eq(log_damage(reader)->resumed, at + len + 1);
            }
            cr_assert_eq(log_next(reader, &line), PARSE_ITEM);
            cr_assert(line.place.offset == at && line.place.length == len && line.place.line == before + 1);
            cr_assert_eq(line.message.len, len < LOG_LINE_MAX ? len : LOG_LINE_MAX);
            cr_assert(line.message.at[0] == 'x' && line.message.at[line.message.len - 1] == 'x');
            cr_assert_eq(log_next(reader, &line), PARSE_ITEM);
            cr_assert(line.place.offset == at + len + 1 && line.place.length == 3 && line.message.len == 3);
            cr_assert_eq(log_next(reader, &line), PARSE_END);
            cr_assert_eq(log_next(reader, &line), PARSE_END);
            log_close(reader);
            source_close(source);
            free(text);
        }
    }
}

Test(log, long_line_without_end)
{
    size_t size = 3 * LOG_LINE_MAX;
    char *text = malloc(size);
    memset(text, 'x', size);
    struct source *source = source_memory(text, size);
    struct log *reader = log_open(source, LOG_ALL_LINES);
    struct log_event line;
    cr_assert_eq(log_next(reader, &line), PARSE_DAMAGE);
    cr_assert_eq(log_damage(reader)->resumed, size);
    cr_assert_eq(log_next(reader, &line), PARSE_ITEM);
    cr_assert_eq(line.place.length, size);
    cr_assert_eq(log_next(reader, &line), PARSE_END);
    log_close(reader);
    source_close(source);
    free(text);
}

static const char sample[] = "[9] 22 Nov 15:05:25.820 * Ready\n1:C 22 Nov 2026 15:05:25.820 # oO0Oo\r\n\n  _._\n"
                             "1:M 2026-11-22T15:05:25.820+05:45 * m\n1:M 1795359925820 - m\n"
                             "pid=7 role=replica timestamp=\"22 Nov 2026 15:05:25.820\" level=notice message=\"m n\"\n"
                             "1:signal-handler (1795359925) Received SIGTERM\n"
                             "[1 | signal handler] (1455179074) Received SIGTERM\n";

Test(log, cuts_are_prefixes)
{
    trial_cuts(TEXT(sample), transcript);
}

Test(log, flipped_bytes_are_survived)
{
    trial_flips(TEXT(sample), transcript);
}

Test(log, unix_time)
{
    struct log_time time = {.known = true, .month = 11, .day = 22, .hour = 15, .minute = 5, .second = 25,
                            .millisecond = 820};
    cr_assert_eq(log_unix_ms(&time, 2026, 0), INT64_C(1795359925820));
    cr_assert_eq(log_unix_ms(&time, 2026, 3600), INT64_C(1795356325820));
    cr_assert_eq(log_unix_ms(&time, 2026, -3600), INT64_C(1795363525820));
    time.has_year = true;
    time.year = 2026;
    cr_assert_eq(log_unix_ms(&time, 1999, 0), INT64_C(1795359925820));
    time.has_zone = true;
    time.zone_s = 7200;
    cr_assert_eq(log_unix_ms(&time, 1999, 3600), INT64_C(1795352725820));
    time.known = false;
    cr_assert_eq(log_unix_ms(&time, 2026, 0), INT64_MIN);
}

Test(log, unix_time_over_the_calendar)
{
    static const struct {
        int year;
        int8_t month, day;
        int64_t days;
    } dates[] = {{1970, 1, 1, 0},      {1969, 12, 31, -1},   {2000, 2, 29, 11016}, {2000, 3, 1, 11017},
                 {1900, 3, 1, -25508}, {2100, 2, 28, 47540}, {2100, 3, 1, 47541},  {9999, 12, 31, 2932896},
                 {0, 3, 1, -719468},   {0, 1, 1, -719528}};
    for (size_t i = 0; i < sizeof(dates) / sizeof(*dates); i++) {
        struct log_time time = {.known = true, .month = dates[i].month, .day = dates[i].day};
        cr_assert_eq(log_unix_ms(&time, dates[i].year, 0), dates[i].days * 86400000, "%d", dates[i].year);
    }
    struct log_time time = {.known = true, .month = 1, .day = 1};
    cr_assert_eq(log_unix_ms(&time, 10000, 0), INT64_MIN);
    cr_assert_eq(log_unix_ms(&time, -1, 0), INT64_MIN);
}

/* Each day of 800 years there and back, by the milliseconds form of the prefix. */
Test(log, unix_time_round_trip)
{
    for (int64_t day = 0; day < 2 * 146097; day += 13) {
        char text[64];
        int64_t unix_ms = day * 86400000 + day % 86400000;
        int len = snprintf(text, sizeof(text), "1:M %" PRId64 " * m", unix_ms);
        struct source *source = source_memory(text, (size_t)len);
        struct log *reader = log_open(source, LOG_ALL_LINES);
        struct log_event line;
        cr_assert(log_next(reader, &line) == PARSE_ITEM && line.prefixed);
        cr_assert_eq(log_unix_ms(&line.time, 0, 999), unix_ms);
        log_close(reader);
        source_close(source);
    }
}

Test(log, likeness)
{
    cr_assert_eq(log_likeness(TEXT("1:M 22 Nov 2026 15:05:25.820 * m\n1:M 22 N")), 100);
    cr_assert_gt(log_likeness(TEXT("logo\nlogo\nlogo\n1:M 22 Nov 15:05:25.820 * m\nlogo\n")), 50);
    cr_assert_eq(log_likeness(TEXT("")), 0);
    cr_assert_eq(log_likeness(TEXT("port 7000\nappendonly yes\n")), 0);
    cr_assert_eq(log_likeness(TEXT("*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n")), 0);
}

struct census {
    size_t lines, prefixed, dated, roles[128];
};

static struct census census_of(const char *path)
{
    struct census census = {0};
    struct source *source = source_open(AT_FDCWD, path, 0);
    struct log *reader = log_open(source, LOG_ALL_LINES);
    struct log_event line;
    enum parse_step step;
    while ((step = log_next(reader, &line)) == PARSE_ITEM) {
        if (line.id == LOG_PROCESS)
            continue;
        census.lines++;
        census.prefixed += line.prefixed;
        census.dated += line.time.known && line.time.has_year;
        census.roles[line.role & 127]++;
    }
    cr_assert_eq(step, PARSE_END, "%s: %s", path, log_why(reader));
    log_close(reader);
    source_close(source);
    return census;
}

Test(log, real_logs)
{
#define STORY(cluster, host) "fixtures/" cluster "/06-stale-restarted/hosts/" host "/7001/redis_7001.log"
    struct census census = census_of(STORY("story-redis-4.0.1", "127.0.0.6"));
    cr_assert(census.lines > 10 && census.prefixed == census.lines && census.dated == 0);
    cr_assert(census.roles['C'] && census.roles['M'] && census.roles['S']);
    census = census_of(STORY("story-redis-7.0.15", "127.0.4.6"));
    cr_assert(census.lines > 10 && census.prefixed == census.lines && census.dated == census.lines);
    cr_assert(census.roles['C'] && census.roles['M'] && census.roles['S']);
}

Test(log, missing_file_stops)
{
    struct source *source = source_open(AT_FDCWD, "fixtures/there-is-no-such.log", 0);
    struct log *reader = log_open(source, LOG_ALL_LINES);
    struct log_event line;
    cr_assert_eq(log_next(reader, &line), PARSE_STOP);
    cr_assert_not_null(log_why(reader));
    log_close(reader);
    source_close(source);
}
