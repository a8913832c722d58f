#include "tools/evidence/journal.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define INSTANCES "fixtures/incidents-redis-7.0.15/instances/hosts/"

static struct arena *arena;

static const struct server redis_4_0_11 = {PRODUCT_REDIS, 4, 0, 11}, redis_3_2 = {PRODUCT_REDIS, 3, 2, 0},
                           redis_7 = {PRODUCT_REDIS, 7, 0, 15}, valkey_9 = {PRODUCT_VALKEY, 9, 0, 0}, unknown;

static void start(void)
{
    arena = arena_new();
}

static void stop(void)
{
    arena_free(arena);
}

/* Commands, one a line with words between blanks, as RESP. */
static size_t encode(const char *script, char *out, size_t cap)
{
    size_t len = 0;
    while (*script) {
        size_t line = strcspn(script, "\n"), words = 0;
        for (size_t at = 0; at < line; at += strcspn(script + at, " \n") + 1)
            words++;
        len += (size_t)snprintf(out + len, cap - len, "*%zu\r\n", words);
        for (size_t at = 0; at < line;) {
            size_t word = strcspn(script + at, " \n");
            len += (size_t)snprintf(out + len, cap - len, "$%zu\r\n%.*s\r\n", word, (int)word, script + at);
            at += word + 1;
        }
        script += line + (script[line] == '\n');
    }
    return len;
}

static struct journal *read_memory(const void *at, size_t len, bool cluster, struct server server)
{
    struct source *source = source_memory(at, len);
    struct journal *journal = journal_read(arena, source, 6, cluster, server);
    source_close(source);
    cr_assert_not_null(journal);
    return journal;
}

static struct journal *replay(const char *script, bool cluster, struct server server)
{
    char aof[4096];
    struct journal *journal = read_memory(aof, encode(script, aof, sizeof(aof)), cluster, server);
    cr_assert_eq(journal->stop, AOF_STOP_NONE, "%s: %s", script, journal->why);
    return journal;
}

/* The databases that may hold keys, as bits; all when nothing is known. */
static uint32_t holders(const struct journal *journal)
{
    uint32_t bits = journal->all_unknown ? UINT32_MAX : 0;
    for (size_t i = 0; i < journal->db_count; i++)
        bits |= UINT32_C(1) << journal->dbs[i].db;
    return bits;
}

Test(journal, replays_to_a_state, .init = start, .fini = stop)
{
    static const uint32_t ALL = UINT32_MAX;
    const struct {
        const char *script;
        bool cluster;
        struct server server;
        uint32_t holders;
    } cases[] = {
        {"", false, redis_7, 0},
        {"SELECT 0\nSET a 1\n", false, redis_7, 1},
        {"SELECT 3\nset a 1\n", false, redis_7, 8},
        {"SELECT 3\nSET a 1\n", true, redis_7, 1},
        {"SELECT 3\nSET a 1\n", true, valkey_9, ALL},
        {"SELECT 3\nSET a 1\n", true, unknown, ALL},
        {"SELECT 99\nSET a 1\n", false, redis_7, ALL},
        {"SELECT 01\nSET a 1\n", false, redis_7, ALL},
        {"SELECT 99\nSELECT 2\nSET a 1\n", false, redis_7, 4},
        {"SET a 1\nFLUSHALL\n", false, redis_7, 0},
        {"SET a 1\nFLUSHALL ASYNC\n", false, redis_7, 0},
        {"SET a 1\nFLUSHALL ASYNC\n", false, redis_3_2, 1},
        {"SET a 1\nFLUSHALL ASYNC\n", false, unknown, 1},
        {"SET a 1\nFLUSHALL SYNC\n", false, redis_4_0_11, 1},
        {"SET a 1\nFLUSHALL now\n", false, redis_7, 1},
        {"SET a 1\nFLUSHALL ASYNC SYNC\n", false, redis_7, 1},
        {"SET a 1\nSELECT 1\nSET b 1\nFLUSHDB\n", false, redis_7, 1},
        {"SET a 1\nSELECT 99\nFLUSHDB\n", false, redis_7, 1},
        {"SET a 1\nSWAPDB 0 2\nFLUSHDB\n", false, redis_7, 4},
        {"SET a 1\nSWAPDB 0 2\nSELECT 2\nFLUSHDB\n", false, redis_7, 0},
        {"SET a 1\nSWAPDB 0 99\nFLUSHDB\n", false, redis_7, ALL},
        {"SWAPDB 0 99\n", false, redis_7, 0},
        {"SET a 1\nSWAPDB 0 2\n", true, redis_7, 1},
        {"PING\nDEL a\nPEXPIREAT a 1\nPUBLISH c m\nSCRIPT LOAD x\nFUNCTION LOAD y\n", false, redis_7, 0},
        {"EVAL x 0\n", false, redis_7, ALL},
        {"EVAL x 0\nFLUSHDB\n", false, redis_7, ALL},
        {"EVAL x 0\nFLUSHALL\n", false, redis_7, 0},
        {"JSON.SET k\n", false, redis_7, ALL},
        {"MOVE k 5\n", false, redis_7, ALL},
        {"MULTI\nSET a 1\nEXEC\n", false, redis_7, 1},
        {"MULTI\nSET a 1\n", false, redis_7, 0},
        {"MULTI\nSET a 1\n", false, redis_4_0_11, 1},
        {"MULTI\nSET a 1\n", false, unknown, 1},
        {"SET a 1\nMULTI\nFLUSHALL\n", false, redis_7, 1},
        {"SET a 1\nMULTI\nFLUSHALL\n", false, redis_4_0_11, 0},
        {"SET a 1\nMULTI\nFLUSHALL\n", false, unknown, 1},
        {"MULTI\nSET a 1\nMULTI\nSET b 1\nEXEC\nEXEC\n", false, redis_7, 1},
        {"SET a 1\nMULTI\nSELECT 1\nFLUSHDB\nEXEC\nSET b 1\n", false, redis_7, 3},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct journal *journal = replay(cases[i].script, cases[i].cluster, cases[i].server);
        cr_expect_eq(holders(journal), cases[i].holders, "case %zu: %s gives %x", i, cases[i].script,
                     holders(journal));
    }
}

Test(journal, says_what_made_keys, .init = start, .fini = stop)
{
    struct journal *journal = replay("SET a 1\nFLUSHALL\nPING\nHSET b c d\nSET e 1\n", false, redis_7);
    cr_assert_eq(journal->db_count, 1);
    cr_expect_str_eq(journal->dbs[0].command, "hset");
    cr_expect_eq(journal->dbs[0].first.offset, 27 + 18 + 14);
    cr_expect(journal->empties_all);
    cr_expect_eq(journal->keeps, 0);
    cr_expect_eq(journal->commands, 5);
    cr_expect_eq(journal->file, 6);

    journal = replay("hunter2 x\n", false, redis_7);
    cr_expect_not_null(journal->unknown_command);
    cr_expect_null(strstr(journal->unknown_command, "hunter2"), "a renamed command may be a secret");
}

Test(journal, says_what_earlier_content_stays, .init = start, .fini = stop)
{
    const uint32_t all = JOURNAL_OTHERS | (JOURNAL_OTHERS - 1);
    cr_expect_eq(replay("SET a 1\n", false, redis_7)->keeps, all);
    cr_expect_eq(replay("FLUSHDB\n", false, redis_7)->keeps, all & ~UINT32_C(1));
    cr_expect_eq(replay("SWAPDB 0 3\nFLUSHDB\n", false, redis_7)->keeps, all & ~UINT32_C(8));
    cr_expect_eq(replay("SWAPDB 0 99\nFLUSHDB\n", false, redis_7)->keeps, all);
    cr_expect_eq(replay("FLUSHALL\n", false, redis_7)->keeps, 0);
    cr_expect_eq(replay("MULTI\nFLUSHALL\n", false, redis_7)->keeps, all);
    cr_expect(!replay("MULTI\nFLUSHALL\n", false, redis_7)->empties_all);
    cr_expect(replay("MULTI\nFLUSHALL\n", false, redis_7)->open_transaction);
}

Test(journal, counts_functions, .init = start, .fini = stop)
{
    cr_expect_eq(replay("FUNCTION LOAD a\nFUNCTION flush\nFUNCTION LOAD b\nFUNCTION RESTORE c\nFUNCTION DELETE b\n",
                        false, redis_7)->function_commands, 2);
    cr_expect_eq(replay("FUNCTION LOAD a\nFLUSHALL\n", false, redis_7)->function_commands, 1);
    cr_expect_eq(replay("MULTI\nFUNCTION LOAD a\n", false, redis_7)->function_commands, 0);
}

Test(journal, stops_at_damage, .init = start, .fini = stop)
{
    const char cut[] = "*1\r\n$4\r\nPING\r\n*2\r\n$3\r\nGE";
    struct journal *journal = read_memory(cut, sizeof(cut) - 1, false, redis_7);
    cr_expect_eq(journal->stop, AOF_STOP_TRUNCATED);
    cr_expect_not_null(journal->why);
    cr_expect_eq(journal->complete_to, 14);
    cr_expect_eq(journal->commands, 1);

    const char broken[] = "*1\r\n$4\r\nPING\r\nhello\r\n";
    journal = read_memory(broken, sizeof(broken) - 1, false, redis_7);
    cr_expect_eq(journal->stop, AOF_STOP_FORMAT);
    cr_expect_eq(journal->complete_to, 14);
}

Test(journal, reads_a_preamble, .init = start, .fini = stop)
{
    static const char preamble[] = "REDIS0009\xfa\x09redis-ver\x05" "5.0.7\xfa\x0c" "aof-preamble\xc0\x01\xfe\x01"
                                   "\0\1a\1x\xff\0\0\0\0\0\0\0\0";
    char aof[512];
    memcpy(aof, preamble, sizeof(preamble) - 1);
    size_t len = sizeof(preamble) - 1;
    len += encode("SELECT 1\nFLUSHDB\nSET b 1\nFLUSHALL ASYNC\nSELECT 2\nSET c 1\n", aof + len, sizeof(aof) - len);
    struct journal *journal = read_memory(aof, len, false, unknown);
    cr_assert_eq(journal->stop, AOF_STOP_NONE, "%s", journal->why);
    cr_assert_not_null(journal->preamble);
    cr_expect(journal->preamble->whole && journal->preamble->aof_base);
    cr_expect_eq(journal->preamble->keys, 1);
    cr_expect_eq(holders(journal), 4, "the preamble's writer knows ASYNC");

    journal = read_memory(aof, sizeof(preamble) - 1, false, unknown);
    cr_expect_eq(holders(journal), 2);
    cr_expect_str_eq(journal->dbs[0].command, "RDB");
    cr_assert_not_null(journal->preamble);
    cr_expect(journal->preamble->whole);

    journal = read_memory(aof, sizeof(preamble) - 12, false, unknown);
    cr_expect_eq(journal->stop, AOF_STOP_RDB);
    cr_assert_not_null(journal->preamble);
    cr_expect_eq(journal->preamble->stop, RDB_STOP_TRUNCATED);
    cr_expect(!journal->preamble->whole);
}

Test(journal, reads_files_of_version_7, .init = start, .fini = stop)
{
    struct source *source =
        source_open(AT_FDCWD, INSTANCES "127.0.13.6/7101/appendonlydir/appendonly.aof.1.incr.aof", 0);
    struct journal *journal = journal_read(arena, source, 0, true, redis_7);
    source_close(source);
    cr_assert_not_null(journal);
    cr_expect_eq(journal->commands, 2);
    cr_expect_eq(holders(journal), 1);
    cr_expect_str_eq(journal->dbs[0].command, "set");

    source = source_open(AT_FDCWD, INSTANCES "127.0.13.6/7101/appendonlydir/appendonly.aof.1.base.rdb", 0);
    journal = journal_read(arena, source, 0, true, redis_7);
    source_close(source);
    cr_assert_not_null(journal);
    cr_expect_eq(holders(journal), 0);
    cr_assert_not_null(journal->preamble);
    cr_expect(journal->preamble->whole && journal->preamble->aof_base);
}

Test(journal, reads_manifests, .init = start, .fini = stop)
{
    static const char good[] = "file a.1.base.rdb seq 1 type b\nfile a.1.incr.aof seq 1 type i\n";
    struct manifest_facts *facts =
        manifest_read(arena, (struct bytes){(const uint8_t *)good, sizeof(good) - 1}, 9);
    cr_assert_not_null(facts);
    cr_assert_eq(facts->count, 2);
    cr_expect_str_eq(facts->lines[1].name, "a.1.incr.aof");
    cr_expect_eq(facts->lines[0].type, 'b');
    cr_expect_eq(facts->lines[1].seq, 1);
    cr_expect_eq(facts->lines[1].place.line, 2);
    cr_expect_eq(facts->file, 9);
    cr_expect_null(facts->error);

    static const char bad[] = "file a seq 1 type b\nfile ../b seq 2 type i\nfile c seq 3 type x\n";
    facts = manifest_read(arena, (struct bytes){(const uint8_t *)bad, sizeof(bad) - 1}, 9);
    cr_assert_not_null(facts);
    cr_expect_str_eq(facts->error, "File can't be a path, just a filename");
    cr_expect_eq(facts->error_place.line, 2);
}
