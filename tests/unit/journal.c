#include "tools/evidence/journal.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "parsers/bytes/crc64.h"
#include "parsers/bytes/keyslot.h"
#include "tools/evidence/journal_load.h"

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

static uint64_t uses_of(const struct journal *journal, const char *name)
{
    for (size_t i = 0; i < journal->use_count; i++)
        if (strcmp(journal->uses[i].command->name, name) == 0)
            return journal->uses[i].count;
    return 0;
}

static bool has_slot(const struct journal *journal, const char *key)
{
    unsigned slot = keyslot((struct bytes){(const uint8_t *)key, strlen(key)});
    return journal->slots[slot / 8] >> slot % 8 & 1;
}

Test(journal, tells_facts, .init = start, .fini = stop)
{
    struct journal *journal = replay("SET a 1\nset b 2\nMULTI\nDEL c\nEXEC\nSELECT 3\nEXEC\nSET\nNOSUCH x\nXGROUP FOO\nMSET d 1 e 2\n", false, redis_7);
    cr_expect_eq(uses_of(journal, "set"), 3);
    cr_expect_eq(uses_of(journal, "get"), 0);
    cr_expect_eq(journal->transactions, 1);
    cr_expect_eq(journal->nested.count, 1);
    cr_expect_eq(journal->other_dbs.count, 1);
    cr_expect_eq(journal->unnamed.count, 1);
    cr_expect_null(journal->unnamed.what);
    cr_expect_eq(journal->short_of_words.count, 1);
    cr_expect_str_eq(journal->short_of_words.what, "set");
    cr_expect_str_eq(journal->subcommands.what, "xgroup");
    cr_expect(has_slot(journal, "a") && has_slot(journal, "b") && has_slot(journal, "d") && has_slot(journal, "e"));
    cr_expect(!has_slot(journal, "c"), "it is only taken away");
    cr_expect(journal->slots_unread, "the unknown command may have keys");
    cr_expect_eq(replay("ts.add k 1\n", false, redis_7)->unnamed.count, 1);
    cr_expect_not_null(replay("ts.add k 1\n", false, redis_7)->unnamed.what);
    journal = replay("SET a 1\nFLUSHALL\nSET b 1\n", false, redis_7);
    cr_expect(!has_slot(journal, "a") && has_slot(journal, "b") && !journal->slots_unread);
    cr_expect(has_slot(replay("SET a 1\nMULTI\nFLUSHALL\n", false, redis_7), "a"));
}

Test(journal, tells_times, .init = start, .fini = stop)
{
    const char text[] = "#TS:1700000000\r\n*1\r\n$4\r\nPING\r\n#x\r\n#TS:1700000005\r\n#TS:1700000003\r\n#TS:abc\r\n";
    struct journal *journal = read_memory(text, sizeof(text) - 1, false, redis_7);
    cr_expect(journal->has_time);
    cr_expect_eq(journal->first_time_s, 1700000000);
    cr_expect_eq(journal->last_time_s, 1700000003);
    cr_expect_eq(journal->last_time.offset, 50);
    cr_expect_eq(journal->time_back.count, 1);
    cr_expect_eq(journal->annotations.count, 5);
    cr_expect(!replay("PING\n", false, redis_7)->has_time);
}

/* A payload of DUMP in a RESTORE: "\0\3abc", version 10, checksum. */
static struct journal *restore(size_t flip, bool again)
{
    char aof[128];
    uint8_t payload[15] = {0, 3, 'a', 'b', 'c', 10, 0};
    size_t len = 7;
    if (flip < 7 && again)
        payload[flip] ^= 4;
    uint64_t sum = crc64(0, (struct bytes){payload, len});
    for (size_t i = 0; i < 8; i++)
        payload[len++] = (uint8_t)(sum >> 8 * i);
    if (flip < len && !again)
        payload[flip] ^= 4;
    int head = snprintf(aof, sizeof(aof), "*4\r\n$7\r\nRESTORE\r\n$1\r\nk\r\n$1\r\n0\r\n$%zu\r\n", len);
    memcpy(aof + head, payload, len);
    memcpy(aof + (size_t)head + len, "\r\n", 2);
    return read_memory(aof, (size_t)head + len + 2, false, redis_7);
}

Test(journal, looks_at_payloads, .init = start, .fini = stop)
{
    struct journal *journal = restore(SIZE_MAX, false);
    cr_expect(journal->restores == 1 && journal->unsound_payload.count == 0, "%s", journal->unsound_payload.what);
    for (size_t at = 0; at < 15; at++) {
        journal = restore(at, false);
        cr_expect_eq(journal->unsound_payload.count, 1, "byte %zu", at);
        cr_expect_not_null(journal->unsound_payload.what);
    }
    cr_expect_eq(restore(1, true)->unsound_payload.count, 1, "a length beyond the value, with a checksum that matches");
    cr_expect_eq(replay("RESTORE k 0 x\n", false, redis_7)->unsound_payload.count, 1);
}

static struct journal_load load_of(const struct journal *journal, struct server server)
{
    return journal_load_by(arena, journal, server);
}

Test(journal, knows_what_servers_make_of_it, .init = start, .fini = stop)
{
    static const struct server redis_6_2 = {PRODUCT_REDIS, 6, 2, 0}, redis_7_4 = {PRODUCT_REDIS, 7, 4, 0}, valkey_8 = {PRODUCT_VALKEY, 8, 0, 0};
    const struct {
        const char *script;
        struct server server;
        enum journal_outcome outcome;
        uint64_t cut_to;
    } cases[] = {
        {"SET a 1\n", redis_3_2, JOURNAL_LOADS, 27},
        {"HEXPIRE h 1 FIELDS 1 f\n", redis_6_2, JOURNAL_REFUSES, 0},
        {"HEXPIRE h 1 FIELDS 1 f\n", redis_7_4, JOURNAL_LOADS, 0},
        {"HEXPIRE h 1 FIELDS 1 f\n", valkey_8, JOURNAL_REFUSES, 0},
        {"HEXPIRE h 1 FIELDS 1 f\n", valkey_9, JOURNAL_LOADS, 0},
        {"HEXPIRE h 1 FIELDS 1 f\n", unknown, JOURNAL_LOADS, 0},
        {"NOSUCH\n", redis_7, JOURNAL_REFUSES, 0},
        {"a.b\n", redis_7, JOURNAL_UNSURE, 0},
        {"SET\n", redis_7, JOURNAL_CRASHES, 0},
        {"SET\nNOSUCH\n", redis_7, JOURNAL_CRASHES, 0},
        {"NOSUCH\nSET\n", redis_7, JOURNAL_REFUSES, 0},
        {"XGROUP FOO a b\n", redis_7, JOURNAL_REFUSES, 0},
        {"FUNCTION FOO\n", redis_7, JOURNAL_REFUSES, 0},
        {"SCRIPT FOO\n", redis_6_2, JOURNAL_LOADS, 0},
        {"SET a 1\nMULTI\nSET b 1\n", redis_7, JOURNAL_CUTS, 27},
        {"SET a 1\nMULTI\nSET b 1\n", redis_4_0_11, JOURNAL_LOADS, 0},
        {"MULTI\nMULTI\nSET b 1\n", redis_7, JOURNAL_CUTS, 15},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct journal_load load = load_of(replay(cases[i].script, false, cases[i].server), cases[i].server);
        cr_expect_eq(load.outcome, cases[i].outcome, "case %zu: %s: %s", i, cases[i].script, load.why);
        cr_expect(load.outcome != JOURNAL_CUTS || load.cut_to == cases[i].cut_to, "case %zu: %llu", i, (unsigned long long)load.cut_to);
    }
    const char annotated[] = "#TS:1\r\n*1\r\n$4\r\nPI";
    struct journal *journal = read_memory(annotated, sizeof(annotated) - 1, false, redis_7);
    cr_expect_eq(load_of(journal, redis_6_2).outcome, JOURNAL_REFUSES);
    cr_expect_eq(load_of(journal, redis_7).outcome, JOURNAL_CUTS);
    cr_expect_eq(load_of(journal, redis_7).cut_to, 0);
    cr_expect_str_eq(journal_load_table(arena, journal),
                     "Redis 3.0 to 3.2 to Redis 6.2: refuses at offset 0 (servers before 7.0 read no annotations); Redis 7.0 to Valkey 9.2: cuts it to 0 bytes");
    cr_expect_null(journal_load_table(arena, replay("PING\n", false, redis_7)));
}

struct text {
    const void *at;
    size_t len;
};

static struct source *open_text(void *context)
{
    const struct text *text = context;
    return source_memory(text->at, text->len);
}

Test(journal, finds_commands_behind_a_break, .init = start, .fini = stop)
{
    const char swallowed[] = "*1\r\n$4\r\nPING\r\n*2\r\n$3\r\nDEL\r\n$99999\r\nk\r\n*1\r\n$4\r\nPING\r\nxx*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nEXEC\r\n";
    struct text text = {swallowed, sizeof(swallowed) - 1};
    struct journal *journal = read_memory(text.at, text.len, false, redis_7);
    cr_assert_eq(journal->stop, AOF_STOP_TRUNCATED);
    journal_find_rest(journal, open_text, &text);
    cr_expect_eq(journal->rest.at, 54, "the one before is followed by no command");
    cr_expect_eq(journal->rest.commands, 2);
    cr_expect_eq(journal->rest.skipped, 40);

    const char tail[] = "*1\r\n$4\r\nPING\r\n*2\r\n$3\r\nDEL\r\n$5\r\nk";
    text = (struct text){tail, sizeof(tail) - 1};
    journal = read_memory(text.at, text.len, false, redis_7);
    journal_find_rest(journal, open_text, &text);
    cr_expect_eq(journal->rest.at, 0, "a tail that was cut");
}

static const char sample[] = "#TS:1700000000\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$4\r\nk126\r\n$1\r\nv\r\n*1\r\n$5\r\nMULTI\r\n"
                             "*2\r\n$3\r\nDEL\r\n$4\r\nk126\r\n*1\r\n$4\r\nEXEC\r\n";

/* Nothing is missing but what stands between commands. */
Test(journal, tells_every_cut, .init = start, .fini = stop)
{
    for (size_t len = 0; len < sizeof(sample) - 1; len++) {
        struct journal *journal = read_memory(sample, len, false, redis_7);
        struct journal_load load = load_of(journal, redis_7);
        bool between = len <= 16 || len == 39 || len == 69;
        cr_expect_eq(load.outcome == JOURNAL_LOADS, between, "cut at %zu", len);
        cr_expect(journal->stop == AOF_STOP_NONE || journal->stop == AOF_STOP_TRUNCATED || sample[len - 1] == '\r', "cut at %zu", len);
    }
}

/* A flipped bit is told, or it stands in a name, a key, a value or an annotation. */
Test(journal, tells_every_flip_of_the_frame, .init = start, .fini = stop)
{
    for (size_t bit = 16 * 8; bit < 8 * (sizeof(sample) - 1); bit++) {
        char text[sizeof(sample)];
        memcpy(text, sample, sizeof(sample));
        text[bit / 8] ^= (char)(1 << bit % 8);
        struct journal *journal = read_memory(text, sizeof(text) - 1, false, redis_7);
        struct journal_load load = load_of(journal, redis_7);
        bool told = load.outcome != JOURNAL_LOADS || journal->odd.count || journal->nested.count || journal->other_dbs.count;
        char c = sample[bit / 8];
        bool frame = c == '\r' || c == '\n' || c == '*' || c == '$';
        cr_expect(told || !frame, "bit %zu of byte %zu", bit % 8, bit / 8);
    }
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
