/* How clocks are put right: bounds, runs of lines, the order of epochs, and cases made of a few lines. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/history/anchors.h"
#include "tools/history/clocks.h"
#include "tools/history/episode.h"
#include "tools/history/log_runs.h"
#include "tools/history/pair_offset.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C "cccccccccccccccccccccccccccccccccccccccc"

Test(history_clocks, bounds_from_both_sides)
{
    struct offset_bound bounds[] = {
        {61512, 512, false}, {61490, 512, true}, {61530, 512, false}, {61488, 512, true}, /* 61490 to 61512 */
        {-5000, 64, false},  {900000, 64, true}, {3, 500, false},                          /* other combinations */
    };
    struct offset_estimate estimate;
    cr_assert(offset_estimate(bounds, 7, &estimate));
    cr_assert_eq(estimate.ms, 61501);
    cr_assert_eq(estimate.error_ms, 11);
    cr_assert_eq(estimate.agreeing, 4);
    cr_assert_eq(estimate.others, 3);
    cr_assert(estimate.both_sides);
}

Test(history_clocks, bounds_from_one_side)
{
    struct offset_bound most[] = {{-7200000 + 4, 128, false}, {-7200000 + 90, 128, false}};
    struct offset_bound least[] = {{10, 1, true}, {-30, 1, true}};
    struct offset_estimate estimate;
    cr_assert(offset_estimate(most, 2, &estimate));
    cr_assert_eq(estimate.ms, -7200000 + 4);
    cr_assert_eq(estimate.error_ms, OFFSET_ONE_SIDED_MS);
    cr_assert_not(estimate.both_sides);
    cr_assert(offset_estimate(least, 2, &estimate));
    cr_assert_eq(estimate.ms, 10);
    cr_assert_not(offset_estimate(least, 0, &estimate));
}

Test(history_clocks, bounds_that_meet)
{
    struct offset_bound bounds[] = {{0, 512, false}, {0, 512, true}, {0, 64, false}, {47, 64, false}, {94, 64, false}};
    struct offset_estimate estimate;
    cr_assert(offset_estimate(bounds, 5, &estimate));
    cr_assert_eq(estimate.ms, 0);
    cr_assert_eq(estimate.error_ms, OFFSET_LEAST_ERROR_MS);
}

/* A bound that contradicts the others is outvoted; moving all moves the answer by the same amount. */
Test(history_clocks, contradicting_bounds)
{
    static const int64_t shifts[] = {0, 1, -1, 2000, -2000, 61500, 172800000, -172800250};
    for (size_t s = 0; s < sizeof(shifts) / sizeof(*shifts); s++) {
        int64_t shift = shifts[s];
        struct offset_bound bounds[] = {{shift + 5, 512, false}, {shift - 5, 512, true}, {shift + 40, 100, true}, {shift + 7, 512, false}};
        struct offset_estimate estimate;
        cr_assert(offset_estimate(bounds, 4, &estimate));
        cr_assert_eq(estimate.ms, shift, "%" PRId64 " for %" PRId64, estimate.ms, shift);
    }
}

Test(history_clocks, quarters_of_an_hour)
{
    cr_assert_eq(anchor_quarters(0), 0);
    cr_assert_eq(anchor_quarters(449999), 0);
    cr_assert_eq(anchor_quarters(450000), 900000);
    cr_assert_eq(anchor_quarters(-449999), 0);
    cr_assert_eq(anchor_quarters(-3600400), -3600000);
    cr_assert_eq(anchor_quarters(20700000 + 12), 20700000);
}

/* ---------------------------------------------------------------- cases of a few lines */

static struct arena *arena;
static char folder[] = "/tmp/rcf-history.XXXXXX";

static void start(void)
{
    arena = arena_new();
    cr_assert(mkdtemp(folder));
}

static void stop(void)
{
    char command[128];
    arena_free(arena);
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    cr_assert_eq(system(command), 0);
}

TestSuite(history_clocks, .init = start, .fini = stop);

static void write_log(const char *host, const char *port, const char *text)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", folder, host);
    mkdir(path, 0700);
    snprintf(path, sizeof(path), "%s/%s/%s", folder, host, port);
    mkdir(path, 0700);
    snprintf(path, sizeof(path), "%s/%s/%s/redis_%s.log", folder, host, port, port);
    FILE *file = fopen(path, "w");
    cr_assert(file);
    fputs(text, file);
    fclose(file);
}

static struct evidence *evidence;

static const struct history *history_of(void)
{
    char *paths[] = {folder, NULL};
    evidence = evidence_open(paths, 1, NULL);
    cr_assert(evidence && !evidence->problem);
    struct clusters *clusters = clusters_build(evidence, arena);
    struct history *history = clusters ? history_build(evidence, clusters, NULL, arena) : NULL;
    cr_assert(history);
    return history;
}

static const struct host_clock *clock_of(const struct history *history, const char *host)
{
    for (size_t c = 0; c < history->clock_count; c++)
        if (strcmp(history->clocks[c].host, host) == 0)
            return &history->clocks[c];
    cr_assert_fail("no clock of %s", host);
    return NULL;
}

#define START(id) "1:M 22 Nov 2026 10:00:00.000 * Node configuration loaded, I'm " id "\n"

/* The vote of one node for another: three hosts, one of them two days and a bit ahead. */
Test(history_clocks, two_hosts_outvote_the_third)
{
    write_log("10.0.0.1", "7000",
              START(A) "1:S 22 Nov 2026 12:00:00.000 # Starting a failover election for epoch 7.\n"
                       "1:S 22 Nov 2026 12:00:00.010 # Failover election won: I'm the new master.\n"
                       "1:S 22 Nov 2026 12:00:00.010 # configEpoch set to 7 after successful failover\n");
    write_log("10.0.0.2", "7000", START(B) "1:M 24 Nov 2026 12:01:01.504 # Failover auth granted to " A " for epoch 7\n");
    write_log("10.0.0.3", "7000", START(C) "1:M 22 Nov 2026 12:00:00.003 # Failover auth granted to " A " for epoch 7\n");
    const struct history *history = history_of();
    const struct host_clock *ahead = clock_of(history, "10.0.0.2");
    cr_assert_eq(history->clock_count, 3);
    cr_assert_leq(llabs(ahead->offset_ms - (172800000 + 61500)), 10, "%" PRId64, ahead->offset_ms);
    cr_assert_leq(ahead->error_ms, 20);
    cr_assert_eq(ahead->basis, OFFSET_PAIRS);
    cr_assert_leq(llabs(clock_of(history, "10.0.0.1")->offset_ms), 10);
    cr_assert_leq(llabs(clock_of(history, "10.0.0.3")->offset_ms), 10);
    evidence_close(evidence);
}

/* Retries every second look alike: the pairs that carry an offset decide. */
Test(history_clocks, retries_are_told_apart)
{
    char replica[4096] = START(A), primary[4096] = START(B);
    for (int i = 0; i < 20; i++) {
        char line[256];
        snprintf(line, sizeof(line), "1:S 22 Nov 2026 12:00:%02d.000 * Trying a partial resynchronization (request %s:%d).\n", i, C, 100 + i);
        strncat(replica, line, sizeof(replica) - strlen(replica) - 1);
        snprintf(line, sizeof(line), "1:M 22 Nov 2026 13:30:%02d.004 * Replica 10.0.0.1:7000 asks for synchronization\n", i);
        strncat(primary, line, sizeof(primary) - strlen(primary) - 1);
    }
    strncat(primary, "1:M 22 Nov 2026 13:30:19.004 * Partial resynchronization request from 10.0.0.1:7000 accepted. Sending 3 bytes of "
                     "backlog starting from offset 119.\n", sizeof(primary) - strlen(primary) - 1);
    write_log("10.0.0.1", "7000", replica);
    write_log("10.0.0.2", "7000", primary);
    const struct history *history = history_of();
    int64_t apart = clock_of(history, "10.0.0.2")->offset_ms - clock_of(history, "10.0.0.1")->offset_ms;
    cr_assert_leq(llabs(apart - 5400000), 300, "%" PRId64, apart);
    evidence_close(evidence);
}

/* Newer servers write down that a meeting was asked for; the other side, when its handshake was done. */
Test(history_clocks, meetings_are_pairs)
{
    write_log("10.0.0.1", "7000",
              START(A) "1:M 22 Nov 2026 12:00:00.000 * Cluster meet 10.0.0.2:7000 (user request from 'id=9 addr=10.0.0.9:9').\n");
    write_log("10.0.0.2", "7000", START(B) "1:M 22 Nov 2026 13:00:00.120 * Successfully completed handshake with " A " ()\n");
    const struct history *history = history_of();
    int64_t apart = clock_of(history, "10.0.0.2")->offset_ms - clock_of(history, "10.0.0.1")->offset_ms;
    cr_assert_leq(llabs(apart - 3600000), 1000, "%" PRId64, apart);
    evidence_close(evidence);
}

/* Instances of one host share a clock; hosts that share nothing keep theirs, which is said. */
Test(history_clocks, hosts_without_pairs)
{
    write_log("10.0.0.1", "7000", START(A) "1:M 22 Nov 2026 12:00:00.000 * DB saved on disk\n");
    write_log("10.0.0.1", "7001", START(B) "1:M 22 Nov 2026 12:00:01.000 * DB saved on disk\n");
    write_log("10.0.0.2", "7000", START(C) "1:M 22 Nov 2026 12:00:02.000 * DB saved on disk\n");
    const struct history *history = history_of();
    cr_assert_eq(history->clock_count, 2);
    for (size_t c = 0; c < 2; c++) {
        cr_assert_eq(history->clocks[c].basis, OFFSET_UNKNOWN);
        cr_assert_eq(history->clocks[c].error_ms, INT64_MAX);
        cr_assert_eq(history->clocks[c].offset_ms, 0);
    }
    evidence_close(evidence);
}

/* A clock that nothing ties to the others moves as little as the order of config epochs demands. */
Test(history_clocks, epochs_order_what_clocks_cannot)
{
    write_log("10.0.0.1", "7000",
              START(A) "1:S 22 Nov 2026 12:00:00.000 # Starting a failover election for epoch 7.\n"
                       "1:S 22 Nov 2026 12:00:00.010 # configEpoch set to 7 after successful failover\n"
                       "1:S 22 Nov 2026 14:00:00.010 # New configEpoch set to 9\n");
    write_log("10.0.0.2", "7000", START(B) "1:M 22 Nov 2026 12:00:00.004 # Failover auth granted to " A " for epoch 7\n");
    write_log("10.0.0.3", "7000", START(C) "1:M 22 Nov 2026 11:00:00.000 # New configEpoch set to 8\n");
    const struct history *history = history_of();
    const struct host_clock *moved = clock_of(history, "10.0.0.3");
    cr_assert_eq(moved->basis, OFFSET_EPOCHS);
    size_t seventh = SIZE_MAX, eighth = SIZE_MAX, ninth = SIZE_MAX;
    for (size_t i = 0; i < history->count; i++) {
        const struct occurrence *occurrence = &history->occurrences[i];
        seventh = occurrence->event == LOG_EPOCH_WON ? i : seventh;
        eighth = occurrence->epoch == 8 ? i : eighth;
        ninth = occurrence->epoch == 9 ? i : ninth;
    }
    cr_assert(seventh < eighth && eighth < ninth, "%zu %zu %zu", seventh, eighth, ninth);
    cr_assert(history->occurrences[eighth].when.flags & MOMENT_ORDERED_BY_EPOCH);
    cr_assert_eq(history->occurrences[eighth].when.raw_ms, INT64_C(1795345200000));
    evidence_close(evidence);
}

/* A signal handler writes Unix time, so the log of one process tells its own offset. */
Test(history_clocks, signals_tell_the_offset)
{
    write_log("10.0.0.1", "7000",
              START(A) "1:signal-handler (1795348800) Received SIGTERM scheduling shutdown...\n"
                       "1:M 22 Nov 2026 17:30:00.420 # User requested shutdown...\n");
    const struct history *history = history_of();
    cr_assert_eq(history->clock_count, 1);
    cr_assert_eq(history->clocks[0].offset_ms, 5 * 3600000 + 1800000);
    cr_assert_eq(history->clocks[0].zone, ZONE_INFERRED);
    cr_assert_eq(history->clocks[0].basis, OFFSET_ANCHORS);
    for (size_t i = 0; i < history->count; i++)
        if (history->occurrences[i].event == LOG_SHUTDOWN_SIGNAL)
            cr_assert_eq(history->occurrences[i].when.ms, INT64_C(1795348800000));
    evidence_close(evidence);
}

/* The manifest of a collection states the zone of what is below its folder. */
Test(history_clocks, manifests_state_the_zone)
{
    char path[256];
    write_log("10.0.0.1", "7000", START(A) "1:M 22 Nov 2026 17:30:00.420 # User requested shutdown...\n");
    snprintf(path, sizeof(path), "%s/collected.sha256", folder);
    FILE *file = fopen(path, "w");
    cr_assert(file);
    fputs("# rcf-collection 1\n# timezone: +05:30\n# host: db1\n"
          "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08  10.0.0.1/7000/nodes_7000.conf\n", file);
    fclose(file);
    const struct history *history = history_of();
    cr_assert_eq(history->clocks[0].offset_ms, 19800000);
    cr_assert_eq(history->clocks[0].zone, ZONE_GIVEN);
    cr_assert_eq(history->occurrences[history->count - 1].when.ms, INT64_C(1795348800420));
    evidence_close(evidence);
}

/* ---------------------------------------------------------------- runs */

static bool take(void *context, const struct log_fact *fact)
{
    return log_runs_add(context, fact);
}

static struct source *open_text(void *context)
{
    return source_memory(context, strlen(context));
}

static struct log_runs *runs_of(char *text, uint64_t memory)
{
    static const struct log_selection everything = {.has_since = false};
    struct log_runs *runs = log_runs_begin(3, 4, NULL, memory);
    struct log_outcome outcome;
    struct log_request request = {.open = open_text, .context = text, .selection = &everything};
    log_file_read(&request, take, runs, &outcome);
    cr_assert_eq(outcome.condition, LOG_FILE_WHOLE, "%s", outcome.why);
    return runs;
}

Test(history_clocks, alike_lines_become_a_run)
{
    enum { LINES = 500 };
    char *text = arena_alloc(arena, LINES * 110);
    for (int i = 0; i < LINES; i++)
        snprintf(text + strlen(text), 100, "1:S 22 Nov 2026 12:%02d:%02d.000 # %s\n", i / 60, i % 60,
                i == 300 ? "Cluster state changed: fail" : "Error condition on socket for SYNC: Connection refused");
    struct log_runs *runs = runs_of(text, 1 << 20);
    size_t count;
    const struct occurrence *all = log_runs_all(runs, &count);
    uint64_t lines = 0;
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(all[i].file, 3u);
        lines += all[i].count;
    }
    cr_assert_lt(count, RUNS_ALONE + 8);
    cr_assert_geq(lines, LINES);
    cr_assert_eq(log_runs_left_out(runs), 0u);
    log_runs_end(runs);
}

/* Lines that are all different, in memory that does not hold them: the first and the last are there, the rest is counted. */
Test(history_clocks, memory_keeps_both_ends)
{
    enum { LINES = 20000 };
    char *text = arena_alloc(arena, LINES * 110), *end = text;
    for (int i = 0; i < LINES; i++)
        end += snprintf(end, 100, "1:S 22 Nov 2026 %02d:%02d:%02d.000 # Starting a failover election for epoch %d.\n", i / 3600, i / 60 % 60, i % 60, i);
    struct log_runs *runs = runs_of(text, 256 * 1024);
    size_t count;
    const struct occurrence *all = log_runs_all(runs, &count);
    uint64_t lines = 0;
    bool first = false, last = false;
    for (size_t i = 0; i < count; i++) {
        lines += all[i].event == LOG_ELECTION_STARTED ? all[i].count : 0;
        first |= all[i].epoch == 0;
        last |= all[i].epoch == LINES - 1;
        cr_assert(i == 0 || all[i].order > all[i - 1].order);
    }
    cr_assert(first && last);
    cr_assert_eq(lines, LINES);
    cr_assert_gt(log_runs_left_out(runs), LINES / 2);
    cr_assert_lt(count, LINES / 4);
    log_runs_end(runs);
}
