/* Events of logs as they lie on disk: wrappers, New Years, crash reports, processes, times, real logs. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parsers/log/log.h"
#include "tests/unit/trials.h"

#define A "c7482a602b74ca798cc9048a9fb4d5b9d0169f77"
#define B "492e5dabcda4b64c5d412129a8122092cecbf347"
#define TEXT(literal) ((struct bytes){(const uint8_t *)(literal), sizeof(literal) - 1})

static void print_time(FILE *stream, const struct log_time *time)
{
    if (!time->known)
        return;
    if (time->has_year)
        fprintf(stream, "%d-", time->year);
    fprintf(stream, "%d-%dT%02d:%02d:%02d", time->month, time->day, time->hour, time->minute, time->second);
    if (time->has_milliseconds)
        fprintf(stream, ".%03d", time->millisecond);
    if (time->has_zone)
        fprintf(stream, "%+d", time->zone_s);
}

static void print_event(FILE *stream, const struct log_event *event)
{
    fprintf(stream, "%u", event->place.line);
    if (event->lines > 1)
        fprintf(stream, "+%u", event->lines - 1);
    fprintf(stream, " %s", log_event_word(event->id));
    if (event->pid)
        fprintf(stream, " %u%c%c", event->pid, event->role ? event->role : '?', event->level ? event->level : '?');
    if (event->time.known)
        fputs(" @", stream);
    print_time(stream, &event->time);
    if (event->turn)
        fprintf(stream, " turn %u", event->turn);
    if (event->label.len)
        fprintf(stream, " (%.*s)", (int)event->label.len, event->label.at);
    for (size_t i = 0; i < event->field_count; i++)
        fprintf(stream, " %s=%.*s", log_field_word(event->fields[i].id), (int)event->fields[i].text.len,
                event->fields[i].text.at);
    fprintf(stream, "%s\n", event->incomplete ? " incomplete" : "");
}

/* All events that end before `upto`. Freed by the caller. */
static char *transcript(struct bytes text, size_t upto)
{
    char *out = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&out, &size);
    struct source *source = source_memory(text.at, text.len);
    struct log *reader = log_open(source, 0);
    struct log_event event;
    enum parse_step step;
    cr_assert(reader);
    while ((step = log_next(reader, &event)) == PARSE_ITEM || step == PARSE_DAMAGE)
        if (step == PARSE_ITEM && event.place.offset + event.place.length < upto && (upto == SIZE_MAX || !event.incomplete))
            print_event(stream, &event);
    log_close(reader);
    source_close(source);
    fclose(stream);
    return out;
}

#define READS_AS(text, expected)                                                                                       \
    do {                                                                                                               \
        char *events = transcript(TEXT(text), SIZE_MAX);                                                               \
        cr_expect_str_eq(events, expected);                                                                            \
        free(events);                                                                                                  \
    } while (0)

#define OK "1:M 22 Nov 2026 15:05:25.820 * DB saved on disk"
#define SAVED(line, label) line " process 1M* @2026-11-22T15:05:25.820" label "\n" line " saved 1M* @2026-11-22T15:05:25.820" label "\n"

Test(log_events, behind_wrappers)
{
    READS_AS(OK "\n", SAVED("1", ""));
    READS_AS("redis-7000_1  | " OK "\n", SAVED("1", " (redis-7000_1)"));
    READS_AS("\x1b[36mredis_1  |\x1b[0m " OK "\n", SAVED("1", " (redis_1)"));
    READS_AS("redis_1  | 2026-11-22T14:05:25.821123456Z " OK "\n", SAVED("1", " (redis_1)"));
    READS_AS("2026-11-22T14:05:25.821123456Z stdout F " OK "\n", SAVED("1", ""));
    READS_AS("2026-11-22T14:05:25.821123456+01:00 stderr P " OK "\n", SAVED("1", ""));
    READS_AS("I1122 15:05:25.821446       1 log.go:16] " OK "\n", SAVED("1", ""));
    READS_AS("Nov 22 15:05:25 host-6 redis-server[77]: " OK "\n", SAVED("1", " (host-6)"));
    READS_AS("2026-11-22T15:05:25+0100 host-6 redis-server[77]: " OK "\n", SAVED("1", " (host-6)"));
    READS_AS("<134>1 2026-11-22T14:05:25.821Z host-6 redis 77 - [x@1 a=\"b\"] " OK "\n", SAVED("1", " (host-6)"));
    READS_AS("{\"log\":\"" OK "\\r\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-22T14:05:25.821123456Z\"}\n", SAVED("1", ""));
    READS_AS("host six says: " OK "\n", SAVED("1", ""));
    READS_AS("six> pid=1 role=primary timestamp=\"22 Nov 2026 15:05:25.820\" level=notice message=\"DB saved on disk\"\n",
             SAVED("1", ""));
}

Test(log_events, without_the_servers_prefix)
{
    READS_AS("Nov  2 15:05:25 six redis[77]: DB saved on disk\n", "1 saved 77?? @11-2T15:05:25 (six)\n");
    READS_AS("<133>Nov 22 15:05:25 six redis[77]: DB saved on disk\n", "1 saved 77?? @11-22T15:05:25 (six)\n");
    READS_AS("2026-11-22T15:05:25.821+01:00 six redis[77]: New configEpoch set to 8\n",
             "1 epoch-bumped 77?? @2026-11-22T15:05:25.821+3600 (six) epoch=8\n");
    READS_AS("15:05:25.821 warning redis[77]: Cluster state changed: fail\n", "1 cluster-state 77?? state=fail\n");
    READS_AS("{\"log\":\"I'm \\u003cb\\u003e\\n\"}\nDB saved on disk\r\nDB saved on disk today\n", "2 saved\n");
}

Test(log_events, escapes_of_docker)
{
    READS_AS("{\"log\":\"1:M 22 Nov 2026 15:05:25.820 # Currently unable to failover: a \\\"b\\\" \\u003c\\\\\\/\\t\\u0026\\n\"}\n",
             "1 process 1M# @2026-11-22T15:05:25.820\n"
             "1 election-blocked 1M# @2026-11-22T15:05:25.820 reason=a \"b\" <\\/\t&\n");
}

Test(log_events, nuls_of_a_truncated_file)
{
    enum { NULS = 300000 };
    char *text = calloc(1, NULS + 200);
    memcpy(text + NULS, OK "\n", sizeof(OK));
    struct source *source = source_memory(text, NULS + sizeof(OK));
    struct log *reader = log_open(source, 0);
    struct log_event event;
    cr_assert_eq(log_next(reader, &event), PARSE_ITEM);
    cr_expect(event.place.offset == NULS && event.place.length == sizeof(OK) - 1 && event.place.line == 1);
    cr_assert_eq(log_next(reader, &event), PARSE_ITEM);
    cr_assert_eq(log_next(reader, &event), PARSE_END);
    log_close(reader);
    source_close(source);
    free(text);
}

Test(log_events, processes_and_roles)
{
    READS_AS("1:C 22 Nov 2026 15:05:25.820 * Configuration loaded\n"
             "1:M 22 Nov 2026 15:05:25.821 * Ready to accept connections tcp\n"
             "9:C 22 Nov 2026 15:05:26.820 * DB saved on disk\n"
             "1:M 22 Nov 2026 15:05:27.820 - Accepted 10.0.0.1:1\n"
             "1:S 22 Nov 2026 15:05:28.820 - Accepted 10.0.0.1:1\n"
             "1:S 22 Nov 2026 15:05:28.821 * DB saved on disk\n"
             "2:S 22 Nov 2026 15:05:28.820 . nobody knows\n",
             "1 config-loaded 1C* @2026-11-22T15:05:25.820\n"
             "2 process 1M* @2026-11-22T15:05:25.821\n"
             "2 ready 1M* @2026-11-22T15:05:25.821 text=tcp\n"
             "3 saved 9C* @2026-11-22T15:05:26.820\n"
             "5 process 1S- @2026-11-22T15:05:28.820\n"
             "6 saved 1S* @2026-11-22T15:05:28.821\n"
             "7 process 2S. @2026-11-22T15:05:28.820\n");
}

static const char crash[] = "7:M 22 Nov 2026 15:05:25.820 * DB saved on disk\n\n\n"
                            "=== REDIS BUG REPORT START: Cut & paste starting from here ===\n"
                            "7:M 22 Nov 2026 15:05:26.000 # === ASSERTION FAILED ===\n"
                            "7:M 22 Nov 2026 15:05:26.000 # ==> cluster.c:2311 'link->node != NULL' is not true\n"
                            "9:C 22 Nov 2026 15:05:26.001 * DB saved on disk\n"
                            "7:M 22 Nov 2026 15:05:26.002 # Redis 7.0.15 crashed by signal: 11, si_code: 1\n"
                            "\n------ INFO OUTPUT ------\n# Server\nredis_version:7.0.15\nDB saved on disk\n"
                            "=== REDIS BUG REPORT END. Make sure to include from START to END. ===\n\n"
                            "7:M 22 Nov 2026 15:05:27.820 * DB saved on disk\n";

Test(log_events, crash_report_is_one_event)
{
    char *events = transcript(TEXT(crash), SIZE_MAX);
    cr_expect_str_eq(events, "1 process 7M* @2026-11-22T15:05:25.820\n"
                             "1 saved 7M* @2026-11-22T15:05:25.820\n"
                             "7 saved 9C* @2026-11-22T15:05:26.001\n"
                             "4+10 crash 7M# @2026-11-22T15:05:26.000 product=REDIS where=cluster.c:2311 "
                             "reason=link->node != NULL version=7.0.15 signal=11 code=1\n"
                             "16 saved 7M* @2026-11-22T15:05:27.820\n");
    free(events);
}

Test(log_events, crash_report_without_end)
{
    READS_AS("=== VALKEY BUG REPORT START: Cut & paste starting from here ===\nstack\n"
             "8:C 22 Nov 2026 15:05:28.820 * oO0OoO0OoO0Oo Valkey is starting oO0OoO0OoO0Oo\n"
             "=== VALKEY BUG REPORT START: Cut & paste starting from here ===\nstack",
             "1+1 crash product=VALKEY incomplete\n"
             "3 starting 8C* @2026-11-22T15:05:28.820 product=Valkey\n"
             "4+1 crash product=VALKEY incomplete\n");
}

Test(log_events, new_years_are_counted)
{
    READS_AS("1:M 30 Dec 15:05:25.820 * DB saved on disk\n"
             "1:M 31 Dec 23:59:59.999 - Accepted 10.0.0.1:1\n"
             "1:M 01 Jan 00:00:00.001 * DB saved on disk\n"
             "1:M 31 Dec 23:59:59.998 * DB saved on disk\n" /* set back */
             "1:M 01 Jan 00:00:00.001 - Accepted 10.0.0.1:1\n"
             "1:M 20 May 00:00:00.001 * DB saved on disk\n"
             "1:M 19 May 00:00:00.001 * DB saved on disk\n" /* set back */
             "1:M 10 Mar 00:00:00.001 * DB saved on disk\n",
             "1 process 1M* @12-30T15:05:25.820\n1 saved 1M* @12-30T15:05:25.820\n"
             "3 saved 1M* @1-1T00:00:00.001 turn 1\n"
             "4 saved 1M* @12-31T23:59:59.998\n"
             "6 saved 1M* @5-20T00:00:00.001 turn 1\n"
             "7 saved 1M* @5-19T00:00:00.001 turn 1\n"
             "8 saved 1M* @3-10T00:00:00.001 turn 2\n");
}

static struct log_counts counts_of(struct bytes text)
{
    struct source *source = source_memory(text.at, text.len);
    struct log *reader = log_open(source, 0);
    struct log_event event;
    enum parse_step step;
    while ((step = log_next(reader, &event)) == PARSE_ITEM || step == PARSE_DAMAGE)
        continue;
    struct log_counts counts = *log_counts(reader);
    log_close(reader);
    source_close(source);
    return counts;
}

Test(log_events, zone_and_year_by_a_signal)
{
    /* 1795359925 is 2026-11-22T15:05:25Z. */
    struct log_counts counts = counts_of(TEXT("1:signal-handler (1795359925) Received SIGTERM scheduling shutdown...\n"
                                              "1:M 22 Nov 20:35:26.012 # User requested shutdown...\n"
                                              "1:M 22 Nov 20:35:26.013 * Saving the final RDB snapshot before exiting.\n"));
    cr_expect(counts.zone.pairs == 1 && counts.zone.others == 0 && counts.zone.seconds == 19800);
    cr_expect(counts.yearless && counts.anchored && counts.anchor_year == 2026 && counts.anchor_turn == 0);
    counts = counts_of(TEXT("1:signal-handler (1798761600) Received SIGTERM scheduling shutdown...\n" /* 2027-01-01T00:00Z */
                            "1:M 31 Dec 23:00:00.012 # User requested shutdown...\n"));
    cr_expect(counts.zone.pairs == 1 && counts.zone.seconds == -3600 && counts.anchor_year == 2026);
    counts = counts_of(TEXT("2026-11-22T14:05:25.821123456Z stdout F " OK "\n2026-11-22T14:05:25.821Z stdout F " OK "\n"));
    cr_expect(counts.zone.pairs >= 1 && counts.zone.seconds == 3600 && !counts.yearless && !counts.anchored);
    counts = counts_of(TEXT("1:signal-handler (1795359925) Received SIGTERM scheduling shutdown...\n"
                            "1:M 22 Nov 2026 15:11:26.012 # User requested shutdown...\n"));
    cr_expect_eq(counts.zone.pairs, 0, "six minutes are no zone");
}

Test(log_events, unknown_lines_are_counted_and_sampled)
{
    struct log_counts counts = counts_of(TEXT("1:M 22 Nov 2026 15:05:25.820 * DB saved on disk\n"
                                              "1:M 22 Nov 2026 15:05:25.820 * Something that is new: 1\n"
                                              "1:M 22 Nov 2026 15:05:25.820 * Something that is new: 2\n"
                                              "1:M 22 Nov 2026 15:05:25.820 # x\n"
                                              "1:M 22 Nov 2026 15:05:25.820 - Accepted 10.0.0.1:1\nlogo\n\n"
                                              "1:signal-handler (1) Received nothing\n"));
    cr_expect_eq(counts.lines, 8);
    cr_expect_eq(counts.prefixed, 6);
    cr_expect_eq(counts.events, 1);
    cr_expect_eq(counts.other, 1);
    cr_expect_eq(counts.unprefixed, 2);
    cr_expect(counts.unknown[0] == 0 && counts.unknown[1] == 0 && counts.unknown[2] == 2 && counts.unknown[3] == 1 &&
              counts.unknown[4] == 1);
    cr_assert_eq(counts.sample_count, 3);
    cr_expect(counts.samples[0].line == 2 && counts.samples[0].count == 2 && counts.samples[0].level == '*');
    cr_expect_eq(memcmp(counts.samples[0].text, "Something that is new: 1", 24), 0);
    cr_expect_eq(counts.first.second, 25);
}

Test(log_events, samples_are_bounded)
{
    enum { LINES = 1000, WIDTH = 64 };
    char *text = calloc(LINES, WIDTH);
    size_t len = 0;
    for (int i = 0; i < LINES; i++)
        len += (size_t)snprintf(text + len, WIDTH, "1:M 22 Nov 2026 15:05:25.820 * %03d sorts of nothing\n", i);
    struct log_counts counts = counts_of((struct bytes){(uint8_t *)text, len});
    cr_expect_eq(counts.sample_count, LOG_SAMPLES_MAX);
    cr_expect_eq(counts.unknown[2], LINES);
    cr_expect_eq(counts.left_out, LINES - LOG_SAMPLES_MAX);
    free(text);
}

static const char mixed[] = "[9] 30 Dec 15:05:25.820 * Server started, Redis version 2.8.24\n"
                            "1:M 01 Jan 15:05:25.820 # Cluster state changed: ok\n\n  _._\n"
                            "1:M 2026-11-22T15:05:25.820+05:45 * FAIL message received from " A " (a b) about " B " ()\n"
                            "six  | 1:S 22 Nov 2026 15:05:25.820 # Failover auth denied to " A ": its master is up\n"
                            "Nov 22 15:05:25 six redis[77]: configEpoch set to 18446744073709551615 after successful failover\n"
                            "{\"log\":\"1:S 22 Nov 2026 15:05:25.820 * Replica 10.0.0.1:7000 asks for synchronization\\n\"}\n"
                            "pid=7 role=replica timestamp=\"1795359925820\" level=notice message=\"DB saved on disk\"\r\n"
                            "1:signal-handler (1795359925) Received SIGTERM scheduling shutdown...\n"
                            "1:M 22 Nov 2026 15:05:26.820 * DB loaded from disk: 0.012 seconds\n";

Test(log_events, cuts_are_prefixes)
{
    trial_cuts(TEXT(mixed), transcript);
    trial_cuts(TEXT(crash), transcript);
}

Test(log_events, flipped_bytes_are_survived, .timeout = 300)
{
    trial_flips(TEXT(mixed), transcript);
    trial_flips(TEXT(crash), transcript);
}

static char *read_file(const char *path, size_t *len)
{
    struct source *source = source_open(AT_FDCWD, path, 0);
    struct bytes text;
    cr_assert(source_slurp(source, 1 << 20, &text), "%s", path);
    char *copy = malloc(text.len + 1);
    memcpy(copy, text.at, text.len);
    *len = text.len;
    source_close(source);
    return copy;
}

/* Each length at the beginning of one log a story; of every eighth log the lengths at which a line ends. */
Test(log_events, fixtures_are_cut, .timeout = 600)
{
    static const char *const patterns[] = {"fixtures/*/*/hosts/*/*/*.log", "fixtures/*/*/*/hosts/*/*/*.log"};
    glob_t found;
    size_t logs = 0;
    for (size_t p = 0; p < 2; p++)
        glob(patterns[p], p ? GLOB_APPEND : 0, NULL, &found);
    for (size_t i = 0; i < found.gl_pathc; i++, logs++) {
        bool all = strstr(found.gl_pathv[i], "06-stale-restarted") && strstr(found.gl_pathv[i], "redis_7002.log");
        size_t len;
        char *text = read_file(found.gl_pathv[i], &len);
        char *expected = transcript((struct bytes){(uint8_t *)text, len}, SIZE_MAX);
        for (size_t cut = 0; cut < len; cut++) {
            if ((!all || cut > 2500) && (i % 8 || text[cut] != '\n'))
                continue;
            char *events = transcript((struct bytes){(uint8_t *)text, cut}, cut);
            cr_assert_eq(strncmp(expected, events, strlen(events)), 0, "%s cut at %zu", found.gl_pathv[i], cut);
            free(events);
        }
        struct log_counts counts = counts_of((struct bytes){(uint8_t *)text, len});
        uint64_t unknown = 0;
        for (size_t l = 0; l < 5; l++)
            unknown += counts.unknown[l];
        cr_expect_eq(unknown, 0, "%s: %.*s", found.gl_pathv[i], counts.samples[0].length, (char *)counts.samples[0].text);
        free(expected);
        free(text);
    }
    globfree(&found);
    cr_expect_gt(logs, 50);
}
