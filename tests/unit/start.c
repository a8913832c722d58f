#include "tools/cluster/start.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/rdb_build.h"
#include "tools/cluster/prejoin.h"
#include "tools/cluster/remains.h"

/* Every test builds an instance's directory, opens it as a case, and looks at what a server would load. */
static char directory[] = "/tmp/rcf-start-XXXXXX";
static struct arena *arena;
static struct evidence *evidence;

static void begin(void)
{
    cr_assert_not_null(mkdtemp(directory));
    arena = arena_new();
}

static int remove_one(const char *path, const struct stat *state, int type, struct FTW *walk)
{
    (void)state, (void)type, (void)walk;
    return remove(path);
}

static void end(void)
{
    evidence_close(evidence);
    arena_free(arena);
    nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void put_bytes(const char *name, const void *at, size_t len)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    char *slash = strrchr(path, '/');
    *slash = '\0';
    cr_assert(mkdir(path, 0700) == 0 || errno == EEXIST);
    *slash = '/';
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file, "%s", path);
    cr_assert_eq(fwrite(at, 1, len, file), len);
    fclose(file);
}

static void put(const char *name, const char *text)
{
    put_bytes(name, text, strlen(text));
}

#define VIEW                                                                                          \
    "1111111111111111111111111111111111111111 127.0.0.9:7000@17000 myself,master - 0 0 0 connected\n" \
    "vars currentEpoch 0 lastVoteEpoch 0\n"
#define CONF "port 7000\nbind 127.0.0.9\ncluster-enabled yes\n"
#define LOG_OF(version) "1:M 22 Nov 2026 15:18:45.118 # Redis version=" version ", bits=64, pid=1, just started\n"
#define MANIFEST                                    \
    "file appendonly.aof.1.base.rdb seq 1 type b\n" \
    "file appendonly.aof.1.incr.aof seq 1 type i\n"
#define SELECT "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n"
#define SET(key) "*3\r\n$3\r\nSET\r\n$1\r\n" key "\r\n$1\r\nv\r\n"
#define DEL(key) "*2\r\n$3\r\nDEL\r\n$1\r\n" key "\r\n"
#define FLUSHALL "*1\r\n$8\r\nFLUSHALL\r\n"
#define MULTI "*1\r\n$5\r\nMULTI\r\n"
#define EXEC "*1\r\n$4\r\nEXEC\r\n"
#define EVAL "*3\r\n$4\r\nEVAL\r\n$8\r\nreturn 1\r\n$1\r\n0\r\n"
#define SET_NX "*4\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n$2\r\nXX\r\n"
#define SREM "*3\r\n$4\r\nSREM\r\n$1\r\nk\r\n$1\r\nm\r\n"
#define SADD "*3\r\n$4\r\nSADD\r\n$1\r\nk\r\n$1\r\nm\r\n"
#define XACK "*4\r\n$4\r\nXACK\r\n$1\r\ns\r\n$1\r\ng\r\n$3\r\n1-1\r\n"
#define FUNCTION_LOAD "*3\r\n$8\r\nFUNCTION\r\n$4\r\nLOAD\r\n$8\r\n#!lua...\r\n"
#define FUNCTION_DELETE "*3\r\n$8\r\nFUNCTION\r\n$6\r\nDELETE\r\n$1\r\na\r\n"
#define FUNCTION_FLUSH "*2\r\n$8\r\nFUNCTION\r\n$5\r\nFLUSH\r\n"

/* A sound dump with so many keys in a database, the first `expiring` of them with an expiry; `cut` bytes are missing.
 */
static void put_dump(const char *name, unsigned db, unsigned keys, unsigned expiring, size_t cut)
{
    struct rdb_build build = rdb_build_begin("REDIS0008");
    char key[16];
    if (keys)
        rdb_build_select(&build, db);
    for (unsigned i = 0; i < keys; i++) {
        snprintf(key, sizeof(key), "key:%u", i);
        if (i < expiring)
            rdb_build_expire_ms(&build, 1);
        rdb_build_string_key(&build, key, "v");
    }
    rdb_build_end(&build);
    put_bytes(name, build.at, build.len - cut);
    rdb_build_free(&build);
}

static void put_instance(const char *version, const char *conf)
{
    char text[256];
    put("nodes.conf", VIEW);
    if (conf) {
        snprintf(text, sizeof(text), CONF "%s", conf);
        put("redis.conf", text);
    }
    if (version) {
        snprintf(text, sizeof(text), LOG_OF("%s"), version);
        put("redis.log", text);
    }
}

static void put_aof(const char *increment)
{
    put("appendonlydir/appendonly.aof.manifest", MANIFEST);
    put("appendonlydir/appendonly.aof.1.incr.aof", increment);
}

static struct start *judge(void)
{
    char *paths[] = {directory, NULL};
    evidence_close(evidence);
    evidence = evidence_open(paths, 1, NULL);
    cr_assert_not_null(evidence);
    cr_assert_eq(evidence->instance_count, 1, "%zu instances", evidence->instance_count);
    struct start *start = start_of(evidence, 0, arena);
    cr_assert_not_null(start);
    return start;
}

static bool has_reason(const struct start *start, const char *part)
{
    for (size_t i = 0; i < start->reason_count; i++)
        if (strstr(start->reasons[i].text, part))
            return true;
    return false;
}

Test(start, loads_the_dump_with_appendonly_no, .init = begin, .fini = end)
{
    put_instance("7.0.15", "appendonly no\n");
    put_dump("dump.rdb", 0, 3, 1, 0);
    struct start *start = judge();
    cr_expect_eq(start->source, START_DUMP);
    cr_expect_eq(start->keys, START_KEYS);
    cr_expect_eq(start->held_keys, 3);
    cr_expect_eq(start->provable_keys, 2, "one has an expiry");
    cr_expect(start->appendonly_known && !start->appendonly && !start->assumed);
    cr_assert_eq(start->loaded_count, 1);
    cr_expect_str_eq(evidence->files[start->loaded[0]].path, "dump.rdb");
    cr_assert_geq(start->reason_count, 1);
    cr_expect_eq(start->reasons[0].place.offset, 11, "of the first key, behind magic and SELECTDB");
}

Test(start, finds_no_keys_in_an_empty_dump, .init = begin, .fini = end)
{
    put_instance("7.0.15", "appendonly no\n");
    put_dump("dump.rdb", 0, 0, 0, 0);
    struct start *start = judge();
    cr_expect_eq(start->source, START_DUMP);
    cr_expect_eq(start->keys, START_NO_KEYS);
    cr_expect_str_eq(start->verdict, "a server started on these files has 0 keys in every db (proved from dump.rdb)");
}

Test(start, uses_the_dump_that_the_configuration_names, .init = begin, .fini = end)
{
    put_instance("7.0.15", "dbfilename mine.rdb\n");
    put_dump("dump.rdb", 0, 3, 0, 0);
    put_dump("mine.rdb", 0, 0, 0, 0);
    struct start *start = judge();
    cr_expect_eq(start->keys, START_NO_KEYS);
    cr_expect_eq(start->ignored_keys, 0, "a server does not overwrite a dump under another name");
    cr_expect(has_reason(start, "no server looks for a file of this name"));
}

Test(start, refuses_dumps_that_are_not_whole, .init = begin, .fini = end)
{
    put_instance("7.0.15", "appendonly no\n");
    put_dump("dump.rdb", 0, 0, 0, 4);
    struct start *start = judge();
    cr_expect_eq(start->source, START_REFUSES);
    cr_expect_eq(start->keys, START_CANNOT_TELL);
    put_dump("dump.rdb", 0, 2, 0, 4);
    start = judge();
    cr_expect_eq(start->source, START_REFUSES);
    cr_expect_eq(start->keys, START_KEYS, "the keys in it were read");
    cr_expect_eq(start->provable_keys, 0, "but are not loaded");
    put("dump.rdb", "");
    cr_expect_eq(judge()->source, START_REFUSES);
}

Test(start, checks_the_checksum_as_configured, .init = begin, .fini = end)
{
    static const char damaged[] = "REDIS0008\xff\1\2\3\4\5\6\7\x08";
    put_instance("7.0.15", "appendonly no\n");
    put_bytes("dump.rdb", damaged, sizeof(damaged) - 1);
    cr_expect_eq(judge()->source, START_REFUSES);
    put_instance("7.0.15", "appendonly no\nrdbchecksum no\n");
    struct start *start = judge();
    cr_expect_eq(start->source, START_DUMP);
    cr_expect_eq(start->keys, START_NO_KEYS);
}

Test(start, refuses_dumps_of_newer_servers, .init = begin, .fini = end)
{
    put_instance("3.2.13", "appendonly no\n");
    put_dump("dump.rdb", 0, 0, 0, 0);
    cr_expect_eq(judge()->source, START_REFUSES, "3.2 reads up to version 7");
    put_instance("4.0.1", "appendonly no\n");
    cr_expect_eq(judge()->source, START_DUMP);
}

Test(start, refuses_other_databases_in_a_cluster, .init = begin, .fini = end)
{
    put_instance("7.0.15", "appendonly no\n");
    put_dump("dump.rdb", 3, 1, 0, 0);
    struct start *start = judge();
    cr_expect_eq(start->source, START_REFUSES);
    cr_expect_eq(start->keys, START_KEYS);
    cr_expect(start->other_db);
    cr_expect(has_reason(start, "1 key in db 3"));
}

Test(start, ignores_the_dump_with_appendonly_yes, .init = begin, .fini = end)
{
    put_instance("7.0.15", "appendonly yes\n");
    put_dump("dump.rdb", 0, 5, 0, 0);
    struct start *start = judge();
    cr_expect_eq(start->source, START_NOTHING);
    cr_expect_eq(start->keys, START_NO_KEYS);
    cr_expect_eq(start->ignored_keys, 5);
    cr_expect_not_null(strstr(start->verdict, "starts empty, because nothing is loaded (appendonly yes, no AOF)"));
    cr_expect_not_null(strstr(start->verdict, "5 keys"));
}

Test(start, ignores_the_aof_with_appendonly_no, .init = begin, .fini = end)
{
    put_instance("7.0.15", "appendonly no\n");
    put_dump("appendonlydir/appendonly.aof.1.base.rdb", 0, 0, 0, 0);
    put_aof(SELECT SET("k"));
    struct start *start = judge();
    cr_expect_eq(start->source, START_NOTHING);
    cr_expect_eq(start->keys, START_NO_KEYS);
    cr_expect_eq(start->ignored_keys, 1);
}

Test(start, adds_base_and_increments, .init = begin, .fini = end)
{
    static const struct {
        const char *increment;
        unsigned base;
        enum start_keys keys;
        uint64_t provable;
    } cases[] = {
        {"", 0, START_NO_KEYS, 0},
        {"", 2, START_KEYS, 2},
        {FLUSHALL, 2, START_NO_KEYS, 0},
        {FLUSHALL SET("k"), 2, START_KEYS, 1},
        {SELECT SET("k") SET("l") SET("k"), 1, START_KEYS, 3},
        {SET("k") DEL("k"), 0, START_NO_KEYS, 0},
        {SET("k") EVAL, 0, START_CANNOT_TELL, 0},
        {EVAL FLUSHALL, 2, START_NO_KEYS, 0},
        {EVAL FLUSHALL SET("k"), 2, START_KEYS, 1},
        {SADD SREM, 0, START_CANNOT_TELL, 0},
        {XACK, 0, START_NO_KEYS, 0},
        {XACK, 1, START_CANNOT_TELL, 0},
        {SADD, 0, START_KEYS, 1},
        {SET_NX, 0, START_CANNOT_TELL, 0},
        {SET("k") SET_NX, 0, START_KEYS, 1},
        {MULTI SET("k") EXEC, 0, START_KEYS, 1},
        {MULTI SET("k"), 0, START_NO_KEYS, 0},
        {SET("k") MULTI FLUSHALL, 0, START_KEYS, 1},
    };
    put_instance("7.0.15", "appendonly yes\n");
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        put_dump("appendonlydir/appendonly.aof.1.base.rdb", 0, cases[i].base, 0, 0);
        put_aof(cases[i].increment);
        struct start *start = judge();
        cr_expect_eq(start->source, START_AOF, "case %zu", i);
        cr_expect_eq(start->keys, cases[i].keys, "case %zu: %s", i, start->verdict);
        cr_expect_eq(start->provable_keys, cases[i].provable, "case %zu: %zu", i, (size_t)start->provable_keys);
    }
}

Test(start, loads_the_base_first_wherever_it_stands, .init = begin, .fini = end)
{
    put_instance("7.4.1", "appendonly yes\n");
    put_dump("appendonlydir/appendonly.aof.1.base.rdb", 0, 1, 0, 0);
    put("appendonlydir/appendonly.aof.1.incr.aof", SET("k"));
    put("appendonlydir/appendonly.aof.2.incr.aof", FLUSHALL);
    put("appendonlydir/appendonly.aof.manifest",
        "file appendonly.aof.1.incr.aof seq 1 type i\nfile appendonly.aof.2.incr.aof seq 2 type i\n"
        "file appendonly.aof.1.base.rdb seq 1 type b\n");
    struct start *start = judge();
    cr_expect_eq(start->keys, START_NO_KEYS, "%s", start->verdict);
    cr_assert_eq(start->loaded_count, 3);
    cr_expect_str_eq(evidence->files[start->loaded[0]].path, "appendonlydir/appendonly.aof.1.base.rdb");
}

Test(start, tolerates_a_cut_in_the_last_file_only, .init = begin, .fini = end)
{
    put_instance("7.0.15", "appendonly yes\n");
    put_dump("appendonlydir/appendonly.aof.1.base.rdb", 0, 0, 0, 0);
    put_aof(SELECT "*3\r\n$3\r\nSET\r\n$1");
    struct start *start = judge();
    cr_expect_eq(start->keys, START_NO_KEYS);
    cr_expect(has_reason(start, "bytes are dropped"));

    put("appendonlydir/appendonly.aof.manifest", MANIFEST "file appendonly.aof.2.incr.aof seq 2 type i\n");
    put("appendonlydir/appendonly.aof.2.incr.aof", "");
    start = judge();
    cr_expect_eq(start->source, START_REFUSES, "a file of 0 bytes after it does not make it the last");
    cr_expect(has_reason(start, "not the last file"));

    put_instance("7.0.15", "appendonly yes\naof-load-truncated no\n");
    put_aof(SELECT "*3\r\n$3\r\nSET\r\n$1");
    cr_expect_eq(judge()->source, START_REFUSES);
}

Test(start, refuses_a_transaction_left_open_before_the_last_file, .init = begin, .fini = end)
{
    put_instance("7.0.15", "appendonly yes\n");
    put_dump("appendonlydir/appendonly.aof.1.base.rdb", 0, 0, 0, 0);
    put_aof(MULTI SET("k"));
    put("appendonlydir/appendonly.aof.manifest", MANIFEST "file appendonly.aof.2.incr.aof seq 2 type i\n");
    put("appendonlydir/appendonly.aof.2.incr.aof", SELECT);
    cr_expect_eq(judge()->source, START_REFUSES);
}

Test(start, refuses_what_no_server_reads, .init = begin, .fini = end)
{
    put_instance("7.0.15", "appendonly yes\n");
    put_dump("appendonlydir/appendonly.aof.1.base.rdb", 0, 0, 0, 0);
    put_aof(SELECT "nonsense\r\n");
    struct start *start = judge();
    cr_expect_eq(start->source, START_REFUSES);
    cr_expect_eq(start->keys, START_CANNOT_TELL);
    put_aof(SELECT);
    put("appendonlydir/appendonly.aof.manifest", MANIFEST "\n");
    cr_expect_eq(judge()->source, START_REFUSES, "a blank line in the manifest");
    put_instance("7.0.15", "appendonly no\n");
    cr_expect_eq(judge()->source, START_REFUSES, "the manifest is read with appendonly no, too");
    put_instance("7.0.15", "appendonly yes\n");
    put("appendonlydir/appendonly.aof.manifest", MANIFEST "file appendonly.aof.2.incr.aof seq 2 type i\n");
    start = judge();
    cr_expect_eq(start->source, START_REFUSES);
    cr_expect(has_reason(start, "appendonly.aof.2.incr.aof"), "the file that is missing is named");
}

Test(start, takes_over_an_older_aof, .init = begin, .fini = end)
{
    put_instance("7.0.15", "appendonly yes\n");
    put("appendonly.aof", SELECT SET("k"));
    struct start *start = judge();
    cr_expect_eq(start->source, START_AOF);
    cr_expect_eq(start->provable_keys, 1);
    cr_expect(has_reason(start, "takes it over"));

    put_dump("appendonlydir/appendonly.aof.1.base.rdb", 0, 0, 0, 0);
    put_aof(SELECT);
    start = judge();
    cr_expect_eq(start->keys, START_NO_KEYS, "it has one of its own: %s", start->verdict);
    cr_expect_eq(start->ignored_keys, 1);
}

Test(start, knows_no_manifest_before_7_0, .init = begin, .fini = end)
{
    put_instance("6.2.16", "appendonly yes\n");
    put_dump("appendonlydir/appendonly.aof.1.base.rdb", 0, 0, 0, 0);
    put_aof(SELECT SET("k"));
    struct start *start = judge();
    cr_expect_eq(start->source, START_NOTHING);
    cr_expect_eq(start->ignored_keys, 1);
    put("appendonly.aof", SELECT);
    start = judge();
    cr_expect_eq(start->source, START_AOF);
    cr_expect_eq(start->keys, START_NO_KEYS);
}

Test(start, applies_open_transactions_before_4_0_12, .init = begin, .fini = end)
{
    static const struct {
        const char *version;
        enum start_keys keys;
    } cases[] = {{"4.0.1", START_KEYS}, {"4.0.12", START_NO_KEYS}, {"5.0.14", START_NO_KEYS}};
    put("appendonly.aof", MULTI SET("k"));
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        put_instance(cases[i].version, "appendonly yes\n");
        cr_expect_eq(judge()->keys, cases[i].keys, "%s", cases[i].version);
    }
}

Test(start, compares_readings_without_configuration, .init = begin, .fini = end)
{
    put_instance("7.0.15", NULL);
    struct start *start = judge();
    cr_expect(start->assumed && !start->appendonly_known);
    cr_expect_eq(start->keys, START_NO_KEYS, "nothing is there to be loaded: %s", start->verdict);
    put_dump("dump.rdb", 0, 2, 0, 0);
    start = judge();
    cr_expect_eq(start->source, START_UNKNOWN);
    cr_expect_eq(start->keys, START_CANNOT_TELL);
    cr_expect_eq(start->held_keys, 0);
    cr_expect_eq(start->ignored_keys, 2, "read either way, two keys are in its files");
    cr_expect(has_reason(start, "redis.conf"), "what would settle it is named");
    put_dump("dump.rdb", 0, 0, 0, 0);
    cr_expect_eq(judge()->keys, START_NO_KEYS);
}

Test(start, compares_readings_without_version, .init = begin, .fini = end)
{
    put_instance(NULL, "appendonly yes\n");
    put("appendonly.aof", SELECT SET("k"));
    struct start *start = judge();
    cr_expect_eq(start->keys, START_KEYS, "old and new servers load it: %s", start->verdict);
    put("appendonly.aof", SELECT FLUSHALL);
    cr_expect_eq(judge()->keys, START_NO_KEYS);
}

Test(start, believes_no_aof_with_renamed_commands, .init = begin, .fini = end)
{
    put_instance("7.0.15", "appendonly yes\nrename-command FLUSHALL other\n");
    put_dump("appendonlydir/appendonly.aof.1.base.rdb", 0, 0, 0, 0);
    put_aof(SELECT FLUSHALL);
    cr_expect_eq(judge()->keys, START_CANNOT_TELL);
}

Test(start, heeds_what_the_configuration_lacks, .init = begin, .fini = end)
{
    put_instance("7.0.15", "include elsewhere.conf\n");
    put_dump("dump.rdb", 0, 1, 0, 0);
    struct start *start = judge();
    cr_expect(!start->appendonly_known);
    cr_expect(has_reason(start, "elsewhere.conf"));
    put_instance("7.0.15", "include elsewhere.conf\nappendonly no\n");
    start = judge();
    cr_expect(start->appendonly_known, "what comes after the include decides");
    put_instance("7.0.15", "appendonly maybe\n");
    cr_expect_eq(judge()->source, START_REFUSES);
    put_instance("7.0.15", "replicaof 127.0.0.1 7001\n");
    cr_expect_eq(judge()->source, START_REFUSES);
}

Test(start, misses_a_dump_that_the_log_tells_of, .init = begin, .fini = end)
{
    put_instance(NULL, "appendonly no\n");
    put("redis.log", LOG_OF("7.0.15") "1:M 22 Nov 2026 15:18:47.281 * DB saved on disk\n");
    struct start *start = judge();
    cr_expect_eq(start->keys, START_CANNOT_TELL);
    cr_expect_eq(start->source, START_UNKNOWN);
    cr_expect(has_reason(start, "dump.rdb"));
}

Test(start, counts_functions, .init = begin, .fini = end)
{
    static const struct {
        const char *increment;
        uint64_t functions;
        bool may;
    } cases[] = {
        {FUNCTION_LOAD, 1, false},
        {FUNCTION_LOAD FLUSHALL, 1, false},
        {FUNCTION_LOAD FUNCTION_DELETE, 0, false},
        {FUNCTION_LOAD FUNCTION_FLUSH, 0, false},
        {"*4\r\n$8\r\nFUNCTION\r\n$7\r\nRESTORE\r\n$1\r\nx\r\n$6\r\nAPPEND\r\n", 0, true},
        {"*4\r\n$8\r\nFUNCTION\r\n$7\r\nRESTORE\r\n$1\r\nx\r\n$6\r\nAPPEND\r\n" FUNCTION_FLUSH, 0, false},
    };
    put_instance("7.0.15", "appendonly yes\n");
    put_dump("appendonlydir/appendonly.aof.1.base.rdb", 0, 0, 0, 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        put_aof(cases[i].increment);
        struct start *start = judge();
        cr_expect_eq(start->keys, START_NO_KEYS, "case %zu", i);
        cr_expect_eq(start->functions, cases[i].functions, "case %zu", i);
        cr_expect_eq(start->functions_may, cases[i].may, "case %zu", i);
    }
}

Test(start, tells_save_points, .init = begin, .fini = end)
{
    put_instance("7.0.15", "appendonly no\nsave \"\"\n");
    cr_expect_eq(judge()->save_points, SAVE_POINTS_NONE);
    put_instance("7.0.15", "appendonly no\n");
    cr_expect_eq(judge()->save_points, SAVE_POINTS_SOME);
    put_instance("5.0.14", "appendonly no\n");
    cr_expect_eq(judge()->save_points, SAVE_POINTS_NONE, "up to 6.0 a file without save lines has none");
}

Test(prejoin, agrees_with_the_fixtures)
{
    static const struct {
        const char *name;
        enum prejoin_verdict verdict, tool;
    } cases[] = {
        {"127.0.13.6:7100", PREJOIN_EMPTY, PREJOIN_EMPTY},
        {"127.0.13.6:7101", PREJOIN_NOT_EMPTY, PREJOIN_NOT_EMPTY},
        {"127.0.13.6:7102", PREJOIN_NOT_EMPTY, PREJOIN_CANNOT_TELL},
    };
    char path[] = "fixtures/incidents-redis-7.0.15/instances";
    char *paths[] = {path, NULL};
    struct evidence *instances = evidence_open(paths, 1, NULL);
    struct arena *memory = arena_new();
    cr_assert_not_null(instances);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const char *why;
        size_t number = evidence_instance(instances, cases[i].name, &why);
        cr_assert_neq(number, SIZE_MAX, "%s: %s", cases[i].name, why);
        struct prejoin *prejoin = prejoin_of(instances, number, NULL, NULL, memory);
        cr_assert_not_null(prejoin);
        cr_expect_eq(prejoin->verdict, cases[i].verdict, "%s", cases[i].name);
        cr_expect_eq(prejoin->tool, cases[i].tool, "%s", cases[i].name);
        cr_expect_eq(prejoin->known_nodes, 1);
    }
    arena_free(memory);
    evidence_close(instances);
}

Test(prejoin, asks_the_members_of_its_own_case)
{
    char path[] = "fixtures/story-redis-4.0.1/06-stale-restarted";
    char *paths[] = {path, NULL};
    struct evidence *story = evidence_open(paths, 1, NULL);
    struct arena *memory = arena_new();
    struct clusters *clusters = story ? clusters_build(story, memory) : NULL;
    const char *why;
    cr_assert_not_null(clusters);
    size_t stale = evidence_instance(story, "127.0.0.6:7002", &why),
           member = evidence_instance(story, "127.0.0.6:7000", &why);
    struct prejoin *prejoin = prejoin_of(story, stale, story, clusters, memory);
    cr_expect_eq(prejoin->verdict, PREJOIN_NOT_EMPTY);
    cr_expect_eq(prejoin->known_nodes, 7);
    cr_expect_eq(prejoin->members_read, 6);
    for (size_t i = 0; i < prejoin->reason_count; i++)
        cr_expect_neq(prejoin->reasons[i].subject, PREJOIN_LISTED, "no member lists it");
    prejoin = prejoin_of(story, member, story, clusters, memory);
    bool listed = false;
    for (size_t i = 0; i < prejoin->reason_count; i++)
        listed |= prejoin->reasons[i].subject == PREJOIN_LISTED;
    cr_expect(listed, "the other members list a member");
    cr_expect_eq(prejoin->members_read, 5, "its own file does not count");
    arena_free(memory);
    evidence_close(story);
}
