#include "tools/evidence/logbook.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define A "1111111111111111111111111111111111111111"
#define B "2222222222222222222222222222222222222222"
#define P4 "23189:M 22 Nov 14:52:20.240 * "
#define P7 "18593:M 22 Nov 2026 15:04:24.232 * "

static struct arena *arena;

static void start(void)
{
    arena = arena_new();
}

static void stop(void)
{
    arena_free(arena);
}

static struct logbook *read_text(const char *text)
{
    struct source *source = source_memory(text, strlen(text));
    struct logbook *logbook = logbook_read(arena, source, 5);
    source_close(source);
    cr_assert_not_null(logbook);
    return logbook;
}

static struct logbook *read_fixture(const char *path)
{
    struct source *source = source_open(AT_FDCWD, path, 0);
    struct logbook *logbook = logbook_read(arena, source, 5);
    source_close(source);
    cr_assert_not_null(logbook, "%s", path);
    return logbook;
}

/* How many lines of an event there are, and the first of them. */
static size_t lines_of(const struct logbook *logbook, enum logbook_event event, const struct logbook_line **first)
{
    size_t count = 0;
    for (size_t i = 0; i < logbook->count; i++)
        if (logbook->lines[i].event == event && count++ == 0)
            *first = &logbook->lines[i];
    return count;
}

Test(logbook, knows_all_wordings, .init = start, .fini = stop)
{
    static const struct {
        const char *message;
        enum logbook_event event;
        const char *text;
    } cases[] = {
        {"Redis version=7.0.15, bits=64, commit=00000000, modified=0, pid=1, just started", LOGBOOK_START, "7.0.15"},
        {"Valkey version=8.0.1, bits=64, commit=00000000, modified=1, pid=1, just started", LOGBOOK_START, "8.0.1"},
        {"Server started, Redis version 3.0.7", LOGBOOK_START, "3.0.7"},
        {"Running mode=cluster, port=7002.", LOGBOOK_PORT, "7002"},
        {"Running mode=standalone, port=6379.", LOGBOOK_PORT, "6379"},
        {"The server is now ready to accept connections on port 7002", LOGBOOK_PORT, "7002"},
        {"No cluster configuration found, I'm " A, LOGBOOK_NEW_IDENTITY, A},
        {"Node configuration loaded, I'm " A, LOGBOOK_LOADED_IDENTITY, A},
        {"Node hard reset, now I'm " A, LOGBOOK_RESET_IDENTITY, A},
        {"Cluster state changed: ok", LOGBOOK_CLUSTER_OK, NULL},
        {"Cluster state changed: fail", LOGBOOK_CLUSTER_FAIL, NULL},
        {"DB saved on disk", LOGBOOK_SAVED, NULL},
        {"Ignoring FAIL message from unknown node " A " about " B, LOGBOOK_UNKNOWN_SENDER, A},
        {"Ignoring MFSTART message from unknown node " A ".", LOGBOOK_UNKNOWN_SENDER, A},
        {"Slave asks for synchronization", LOGBOOK_REPLICA_SYNC, NULL},
        {"Slave 10.0.0.1:7000 asks for synchronization", LOGBOOK_REPLICA_SYNC, "10.0.0.1:7000"},
        {"Replica 10.0.0.1:7000 asks for synchronization", LOGBOOK_REPLICA_SYNC, "10.0.0.1:7000"},
        {"Replica 10.0.0.1:7000 asks for synchronization but with a wrong offset", LOGBOOK_REPLICA_SYNC,
         "10.0.0.1:7000"},
    };
    static const char *const prefixes[] = {P4, P7};
    for (size_t p = 0; p < 2; p++)
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
            char line[512];
            snprintf(line, sizeof(line), "%s%s\n", prefixes[p], cases[i].message);
            struct logbook *logbook = read_text(line);
            cr_assert_eq(logbook->count, 1, "%s", line);
            cr_expect_eq(logbook->lines[0].event, cases[i].event, "%s", line);
            cr_expect_eq(logbook->lines[0].file, 5);
            cr_expect_eq(logbook->lines[0].run, 1);
            cr_expect(logbook->lines[0].time.known);
            if (cases[i].text)
                cr_expect_str_eq(logbook->lines[0].text, cases[i].text);
            else
                cr_expect_null(logbook->lines[0].text);
        }
}

Test(logbook, leaves_other_messages, .init = start, .fini = stop)
{
    struct logbook *logbook = read_text(P7 "Replica 10.0.0.1:7000 lost\n"
                                        P7 "No cluster configuration found, I'm somebody\n"
                                        P7 "Running mode=cluster, port=99999.\n"
                                        P7 "Redis version=, bits=64\n"
                                        P7 "Ready to accept connections\n\nRedis\n");
    cr_expect_eq(logbook->count, 0);
    cr_expect_null(logbook->id);
    cr_expect_eq(logbook->port, 0);
    cr_expect_geq(logbook->total_lines, 5);
}

Test(logbook, keeps_first_and_last_of_a_run, .init = start, .fini = stop)
{
    struct logbook *logbook = read_text(P7 "No cluster configuration found, I'm " A "\n"
                                        P7 "Cluster state changed: ok\n"
                                        P7 "Cluster state changed: fail\n"
                                        P7 "Cluster state changed: ok\n"
                                        P7 "Cluster state changed: fail\n"
                                        P7 "Cluster state changed: ok\n"
                                        P7 "Node hard reset, now I'm " B "\n"
                                        P7 "Cluster state changed: ok\n");
    static const struct {
        enum logbook_event event;
        uint32_t line;
        uint64_t run;
    } expected[] = {
        {LOGBOOK_NEW_IDENTITY, 1, 1}, {LOGBOOK_CLUSTER_OK, 2, 3},     {LOGBOOK_CLUSTER_FAIL, 3, 2},
        {LOGBOOK_CLUSTER_FAIL, 5, 2}, {LOGBOOK_CLUSTER_OK, 6, 3},     {LOGBOOK_RESET_IDENTITY, 7, 1},
        {LOGBOOK_CLUSTER_OK, 8, 1},
    };
    cr_assert_eq(logbook->count, 7);
    for (size_t i = 0; i < 7; i++) {
        cr_expect_eq(logbook->lines[i].event, expected[i].event, "line %zu", i);
        cr_expect_eq(logbook->lines[i].place.line, expected[i].line, "line %zu", i);
        cr_expect_eq(logbook->lines[i].run, expected[i].run, "line %zu", i);
    }
    cr_expect_str_eq(logbook->id, B);
}

Test(logbook, does_not_grow_with_the_log, .init = start, .fini = stop)
{
    enum { LINES = 300000, ADDRESSES = 120000, WIDTH = 96 };
    char *text = calloc(LINES, WIDTH);
    size_t len = 0;
    for (unsigned i = 0; i < LINES; i++)
        len += (size_t)snprintf(text + len, WIDTH, P7 "Replica %06u:7000 asks for synchronization\n", i % ADDRESSES);
    struct source *source = source_memory(text, len);
    struct logbook *logbook = logbook_read(arena, source, 0);
    source_close(source);
    free(text);
    cr_assert_not_null(logbook);
    cr_expect_eq(logbook->total_lines, LINES);
    cr_expect_eq(logbook->count, 2 * (size_t)LOGBOOK_RUNS_MAX, "each address comes twice or more");
    cr_expect_eq(logbook->left_out, 2 * (ADDRESSES - LOGBOOK_RUNS_MAX));
}

Test(logbook, reads_logs_of_all_versions, .init = start, .fini = stop)
{
    static const struct {
        const char *path;
        struct server server;
    } cases[] = {
        {"fixtures/story-redis-3.0.7/06-stale-restarted/hosts/127.0.0.6/7002/redis_7002.log", {PRODUCT_REDIS, 3, 0, 7}},
        {"fixtures/story-redis-4.0.1/06-stale-restarted/hosts/127.0.0.6/7002/redis_7002.log", {PRODUCT_REDIS, 4, 0, 1}},
        {"fixtures/story-redis-7.0.15/06-stale-restarted/hosts/127.0.4.6/7002/redis_7002.log",
         {PRODUCT_REDIS, 7, 0, 15}},
        {"fixtures/story-valkey-8.0.1/06-stale-restarted/hosts/127.0.4.6/7002/redis_7002.log",
         {PRODUCT_VALKEY, 8, 0, 1}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct logbook *logbook = read_fixture(cases[i].path);
        const struct server *expected = &cases[i].server;
        cr_expect_eq(logbook->server.product, expected->product, "%s", cases[i].path);
        cr_expect_eq(server_compare(logbook->server, expected->major, expected->minor, expected->patch), 0);
        cr_expect_eq(logbook->port, 7002);
        cr_assert_not_null(logbook->id);
        cr_expect_null(logbook->why);
        const struct logbook_line *born = NULL, *loaded = NULL, *ok = NULL;
        cr_expect_eq(lines_of(logbook, LOGBOOK_NEW_IDENTITY, &born), 1);
        cr_expect_geq(lines_of(logbook, LOGBOOK_LOADED_IDENTITY, &loaded), 1);
        cr_expect_geq(lines_of(logbook, LOGBOOK_CLUSTER_OK, &ok), 1);
        cr_assert(born && loaded && ok);
        cr_expect_str_eq(born->text, logbook->id);
        cr_expect_lt(born->place.offset, loaded->place.offset);
        cr_expect_eq(born->time.month, 11);
        cr_expect_eq(born->time.has_year, expected->major > 4);
    }
}
