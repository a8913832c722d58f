#include "tools/evidence/evidence.h"

#include <criterion/criterion.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/evidence/identify.h"

#define STORY "fixtures/story-redis-4.0.1/"
#define STALE STORY "06-stale-restarted/hosts/"
#define NEWER "fixtures/story-redis-7.0.15/06-stale-restarted/hosts/"
#define CLONED "fixtures/incidents-redis-7.0.15/cloned-id"
#define SEED "fixtures/seed-document/"

/* A case that a test puts together; gone at its end. */
struct made {
    char root[64];
};

static struct made make(void)
{
    struct made made = {"/tmp/rcf-evidence-XXXXXX"};
    cr_assert(mkdtemp(made.root));
    return made;
}

static void clean(const struct made *made)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -rf '%s'", made->root);
    cr_assert_eq(system(command), 0);
}

/* The path inside the case, its folders made. */
static void path_in(const struct made *made, const char *name, char path[512])
{
    snprintf(path, 512, "%s/%s", made->root, name);
    for (char *slash = strchr(path + strlen(made->root) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(path, 0700);
        *slash = '/';
    }
}

static void write_bytes(const struct made *made, const char *name, const void *bytes, size_t len)
{
    char path[512];
    path_in(made, name, path);
    FILE *file = fopen(path, "wb");
    cr_assert(file, "%s", path);
    cr_assert_eq(fwrite(bytes, 1, len, file), len);
    fclose(file);
}

static void write_text(const struct made *made, const char *name, const char *text)
{
    write_bytes(made, name, text, strlen(text));
}

static char *read_fixture(const char *fixture, size_t *len)
{
    FILE *file = fopen(fixture, "rb");
    cr_assert(file, "%s", fixture);
    char *bytes = calloc(1, 1 << 20);
    *len = fread(bytes, 1, (1 << 20) - 1, file);
    fclose(file);
    return bytes;
}

static void put(const struct made *made, const char *fixture, const char *name)
{
    size_t len;
    char *bytes = read_fixture(fixture, &len);
    write_bytes(made, name, bytes, len);
    free(bytes);
}

static struct evidence *open_one(const char *path)
{
    char copy[512];
    snprintf(copy, sizeof(copy), "%s", path);
    char *paths[] = {copy};
    struct evidence *evidence = evidence_open(paths, 1, NULL);
    cr_assert(evidence);
    return evidence;
}

static const struct evidence_file *file_of(const struct evidence *evidence, const char *path)
{
    for (size_t i = 0; i < evidence->file_count; i++)
        if (strcmp(evidence->files[i].path, path) == 0)
            return &evidence->files[i];
    cr_assert_fail("no file %s", path);
    return NULL;
}

static const struct instance *instance_of(const struct evidence *evidence, const char *name)
{
    const char *why;
    size_t found = evidence_instance(evidence, name, &why);
    cr_assert_neq(found, SIZE_MAX, "%s: %s", name, why);
    return &evidence->instances[found];
}

static const char *path_of(const struct evidence *evidence, size_t file)
{
    return evidence->files[file].path;
}

struct server_of_story {
    const char *ip, *port;
};

static const struct server_of_story story[] = {
    {"127.0.0.6", "7000"}, {"127.0.0.6", "7001"}, {"127.0.0.6", "7002"}, {"127.0.0.7", "8000"},
    {"127.0.0.7", "8001"}, {"127.0.0.8", "9000"}, {"127.0.0.8", "9001"},
};
enum { STORY_SERVERS = sizeof(story) / sizeof(*story) };

enum { CONF, NODES, DUMP, LOG, OWN_FILES };

/* Names before and after the part that tells servers apart. */
struct way {
    const char *before, *after;
};

static const struct way own_files[] = {{"redis_", ".conf"}, {"nodes_", ".conf"}, {"dump_", ".rdb"}, {"redis_", ".log"}};

static const char *go(const struct way *way, const char *between, char *name, size_t cap)
{
    snprintf(name, cap, "%s%s%s", way->before, between, way->after);
    return name;
}

/* Where a layout puts the four files of server `i`, or NULL. */
typedef const char *(*place_fn)(int kind, size_t i, char *name, size_t cap);

static const char *in_one_folder(int kind, size_t i, char *name, size_t cap)
{
    return go(&own_files[kind], story[i].port, name, cap);
}

static const char *by_function(int kind, size_t i, char *name, size_t cap)
{
    static const struct way ways[] = {
        {"etc/redis_", ".conf"}, {"rdb/nodes_", ".conf"}, {"rdb/dump_", ".rdb"}, {"log/redis_", ".log"}};
    return go(&ways[kind], story[i].port, name, cap);
}

static const char *by_function_and_port(int kind, size_t i, char *name, size_t cap)
{
    static const struct way ways[] = {
        {"etc/", "/redis.conf"}, {"data/", "/nodes.conf"}, {"data/", "/dump.rdb"}, {"log/", "/redis.log"}};
    return go(&ways[kind], story[i].port, name, cap);
}

static const char *in_containers(int kind, size_t i, char *name, size_t cap)
{
    static const struct way ways[] = {
        {0}, {"data/redis-", "/nodes.conf"}, {"data/redis-", "/dump.rdb"}, {"logs/redis-", ".log"}};
    char number[2] = {(char)('0' + i), 0};
    return kind == CONF ? NULL : go(&ways[kind], number, name, cap);
}

static const char *by_address(int kind, size_t i, char *name, size_t cap)
{
    static const char *const names[] = {"redis.conf", "nodes.conf", "dump.rdb", "redis.log"};
    snprintf(name, cap, "%s_%s/%s", story[i].ip, story[i].port, names[kind]);
    return name;
}

static const char *address_in_name(int kind, size_t i, char *name, size_t cap)
{
    static const char *const names[] = {NULL, "nodes.conf", "dump.rdb", "redis.log"};
    snprintf(name, cap, "%s-%s-%s", story[i].ip, story[i].port, names[kind] ? names[kind] : "");
    return kind == CONF ? NULL : name;
}

static void lay_out(const struct made *made, place_fn place)
{
    for (size_t i = 0; i < STORY_SERVERS; i++)
        for (int kind = 0; kind < OWN_FILES; kind++) {
            char own[64], from[256], to[256];
            go(&own_files[kind], story[i].port, own, sizeof(own));
            snprintf(from, sizeof(from), STALE "%s/%s/%s", story[i].ip, story[i].port, own);
            if (place(kind, i, to, sizeof(to)))
                put(made, from, to);
        }
}

/* Every server of the story has its own files and no others. */
static void check_story(const struct evidence *evidence, place_fn place)
{
    cr_assert_null(evidence->problem);
    cr_assert_not(evidence->unreadable);
    cr_assert_eq(evidence->instance_count, STORY_SERVERS);
    for (size_t i = 0; i < STORY_SERVERS; i++) {
        char address[64], to[256];
        snprintf(address, sizeof(address), "%s:%s", story[i].ip, story[i].port);
        const struct instance *instance = instance_of(evidence, address);
        for (int kind = 0; kind < OWN_FILES; kind++)
            if (place(kind, i, to, sizeof(to)))
                cr_assert_eq(&evidence->instances[file_of(evidence, to)->instance], instance, "%s", to);
        cr_assert_str_eq(path_of(evidence, instance->view->file), place(NODES, i, to, sizeof(to)));
        cr_assert_str_eq(path_of(evidence, instance->dump->file), place(DUMP, i, to, sizeof(to)));
        cr_assert_eq(instance->logbook_count, 1);
        cr_assert_eq(instance->settings != NULL, place(CONF, i, to, sizeof(to)) != NULL);
        cr_assert_eq(instance->history_count, 0);
        cr_assert_eq(instance->other_dump_count, 0);
        cr_assert_str_eq(instance->server_basis, "log");
        cr_assert_eq(instance->server.major, 4);
    }
}

Test(evidence, every_layout_gives_the_same_instances)
{
    static const place_fn layouts[] = {in_one_folder, by_function, by_function_and_port,
                                       in_containers, by_address,  address_in_name};
    for (size_t i = 0; i < sizeof(layouts) / sizeof(*layouts); i++) {
        struct made made = make();
        lay_out(&made, layouts[i]);
        struct evidence *evidence = open_one(made.root);
        check_story(evidence, layouts[i]);
        evidence_close(evidence);
        clean(&made);
    }
}

Test(evidence, host_folders_of_the_case)
{
    struct evidence *evidence = open_one(STORY "06-stale-restarted");
    cr_assert_eq(evidence->file_count, 28);
    cr_assert_eq(evidence->instance_count, STORY_SERVERS);
    cr_assert_str_eq(evidence->host_basis, "host folders of the case");
    for (size_t i = 0; i < STORY_SERVERS; i++) {
        cr_assert_str_eq(evidence->instances[i].ip, story[i].ip);
        cr_assert_eq(evidence->instances[i].port, strtoul(story[i].port, NULL, 10));
        cr_assert_str_eq(evidence->instances[i].host, story[i].ip);
    }
    cr_assert_str_eq(instance_of(evidence, "b9ff0e9b")->name, "127.0.0.6:7002");
    evidence_close(evidence);
}

Test(evidence, hosts_with_the_same_ports_stay_apart)
{
    static const char *const ports[] = {"7000", "7001", "7002"};
    struct made made = make();
    for (size_t p = 0; p < 3; p++)
        for (int kind = 0; kind < OWN_FILES; kind++) {
            char own[64], from[256], to[256];
            go(&own_files[kind], ports[p], own, sizeof(own));
            snprintf(from, sizeof(from), STALE "127.0.0.6/%s/%s", ports[p], own);
            snprintf(to, sizeof(to), "hostA/%s/%s", kind == CONF ? "etc" : "data", own);
            put(&made, from, to);
            snprintf(from, sizeof(from), NEWER "127.0.4.6/%s/%s", ports[p], own);
            snprintf(to, sizeof(to), "hostB/%s/%s", kind == CONF ? "etc" : "data", own);
            put(&made, from, to);
        }
    struct evidence *evidence = open_one(made.root);
    cr_assert_eq(evidence->instance_count, 6);
    for (size_t i = 0; i < 6; i++) {
        const struct instance *instance = &evidence->instances[i];
        cr_assert_str_eq(instance->host, i < 3 ? "hostA" : "hostB");
        cr_assert_eq(instance->server.major, i < 3 ? 4 : 7);
        cr_assert_not_null(instance->settings);
        cr_assert_not_null(instance->dump);
        cr_assert_eq(instance->logbook_count, 1);
    }
    evidence_close(evidence);
    clean(&made);
}

/* Ten collections of one cluster, with captures beside the files: the newest is the state, and earlier logs, which the
 * last ones begin with, are not read twice as history. */
Test(evidence, stages_of_a_story_are_captures_of_the_same_servers)
{
    static const char *const stories[] = {"fixtures/story-redis-7.0.15", "fixtures/story-redis-4.0.1"};
    for (size_t s = 0; s < 2; s++) {
        char last[128];
        snprintf(last, sizeof(last), "%s/10-recovered", stories[s]);
        struct evidence *whole = open_one(stories[s]), *newest = open_one(last);
        cr_assert_eq(whole->instance_count, newest->instance_count, "%s: %zu", stories[s], whole->instance_count);
        for (size_t i = 0; i < whole->instance_count; i++) {
            const struct instance *a = &whole->instances[i], *b = &newest->instances[i];
            cr_expect_str_eq(a->name, b->name);
            cr_expect_str_eq(whole->files[a->dump->file].sha256, newest->files[b->dump->file].sha256);
            cr_expect_str_eq(whole->files[a->view->file].sha256, newest->files[b->view->file].sha256);
            cr_expect_gt(a->history_count, b->history_count);
            cr_expect_eq(a->logbook_count, b->logbook_count, "%s: %zu logs", a->name, a->logbook_count);
        }
        evidence_close(newest);
        evidence_close(whole);
    }
}

Test(evidence, stages_in_flat_folders_are_captures_too)
{
    struct made made = make();
    static const char *const stages[] = {"06-stale-restarted", "10-recovered"};
    for (size_t s = 0; s < 2; s++)
        for (size_t p = 7000; p < 7002; p++) {
            static const char *const names[][2] = {{"nodes", "conf"}, {"redis", "conf"}, {"redis", "log"}, {"dump", "rdb"}};
            for (size_t n = 0; n < 4; n++) {
                char from[256], name[32], to[64];
                snprintf(name, sizeof(name), "%s_%zu.%s", names[n][0], p, names[n][1]);
                snprintf(from, sizeof(from), STORY "%s/hosts/127.0.0.6/%zu/%s", stages[s], p, name);
                snprintf(to, sizeof(to), "%s/%s", stages[s], name);
                put(&made, from, to);
            }
        }
    struct evidence *evidence = open_one(made.root);
    cr_assert_eq(evidence->instance_count, 2);
    for (size_t i = 0; i < 2; i++) {
        cr_expect_str_eq(evidence->instances[i].folder, "10-recovered");
        cr_expect_eq(evidence->instances[i].history_count, 1);
        cr_expect_eq(evidence->files[evidence->instances[i].dump->file].path[0], '1');
    }
    evidence_close(evidence);
    clean(&made);
}

Test(evidence, a_cloned_id_is_two_instances)
{
    struct evidence *evidence = open_one(CLONED);
    const struct instance *original = instance_of(evidence, "127.0.1.6:7001");
    const struct instance *clone = instance_of(evidence, "127.0.1.6:9002");
    cr_assert_eq(evidence->instance_count, 7);
    cr_assert_eq(original->node, clone->node);
    cr_assert_str_eq(clone->host, "127.0.1.8");
    const char *why;
    cr_assert_eq(evidence_instance(evidence, view_store_id(evidence->store, clone->node), &why), SIZE_MAX);
    cr_assert_str_eq(why, "several instances of the case answer to it");
    evidence_close(evidence);
}

/* The copied file was never loaded: it still states the address of the server that it was copied from. */
Test(evidence, a_copied_file_belongs_to_its_place)
{
    struct made made = make();
    lay_out(&made, in_one_folder);
    put(&made, STALE "127.0.0.6/7001/nodes_7001.conf", "nodes_9001.conf");
    struct evidence *evidence = open_one(made.root);
    cr_assert_eq(evidence->instance_count, STORY_SERVERS);
    const struct evidence_file *copy = file_of(evidence, "nodes_9001.conf");
    const struct instance *place = &evidence->instances[copy->instance];
    cr_assert_eq(copy->view, place->view);
    cr_assert_str_eq(path_of(evidence, place->dump->file), "dump_9001.rdb");
    cr_assert_str_eq(place->name, "127.0.0.6:7001 (2)");
    evidence_close(evidence);
    clean(&made);
}

Test(evidence, captures_go_to_the_instance_of_their_own_line)
{
    struct evidence *evidence = open_one(SEED);
    cr_assert_eq(evidence->instance_count, 2);
    const struct instance *first = instance_of(evidence, "10.211.55.6:7000");
    const struct instance *second = instance_of(evidence, "10.211.55.6:7002");
    cr_assert_str_eq(path_of(evidence, first->view->file), "13-after-recovery.cluster-nodes-7000.txt");
    cr_assert_str_eq(path_of(evidence, second->view->file), "10-8002-replica.cluster-nodes-7002.txt");
    cr_assert_eq(first->history_count, 5);
    cr_assert_eq(second->history_count, 5);
    for (size_t i = 1; i < second->history_count; i++)
        cr_assert_geq(second->history[i - 1]->newest_pong_ms, second->history[i]->newest_pong_ms);
    cr_assert_str_eq(evidence->host_basis, "IP addresses");
    evidence_close(evidence);
}

Test(evidence, every_file_of_the_write_up_is_recognised)
{
    static const struct {
        const char *path;
        enum evidence_kind kind;
    } expected[] = {
        {"01-created.cluster-info-7000.txt", EVIDENCE_CLUSTER_INFO},
        {"01-created.trib-check-7000.txt", EVIDENCE_TOOL_CHECK},
        {"01-created.trib-info-7000.txt", EVIDENCE_TOOL_INFO},
        {"02-after-add-node.cluster-nodes-7002.txt", EVIDENCE_CLUSTER_NODES},
        {"04-after-reshard-back.cluster-nodes-7000.txt", EVIDENCE_CLUSTER_NODES},
        {"05-after-del-node.cluster-nodes-7000.txt", EVIDENCE_CLUSTER_NODES},
        {"06-restarted.cluster-nodes-7002.txt", EVIDENCE_CLUSTER_NODES},
        {"06-restarted.nodes_7000.conf", EVIDENCE_NODESCONF},
        {"06-restarted.nodes_7002.conf", EVIDENCE_NODESCONF},
        {"07-re-add-refused.trib-add-node.txt", EVIDENCE_TOOL_ADD_NODE},
        {"08-re-added.cluster-nodes-7002.txt", EVIDENCE_CLUSTER_NODES},
        {"08-re-added.trib-add-node.txt", EVIDENCE_TOOL_ADD_NODE},
        {"09-resharded-300.cluster-nodes-7002.txt", EVIDENCE_CLUSTER_NODES},
        {"10-8002-replica.cluster-nodes-7002.txt", EVIDENCE_CLUSTER_NODES},
        {"11-before-outage.cluster-nodes-7000.txt", EVIDENCE_CLUSTER_NODES},
        {"12-during-outage.cluster-nodes-7000.txt", EVIDENCE_CLUSTER_NODES},
        {"13-after-recovery.cluster-nodes-7000.txt", EVIDENCE_CLUSTER_NODES},
    };
    struct evidence *evidence = open_one(SEED);
    cr_assert_eq(evidence->file_count, sizeof(expected) / sizeof(*expected));
    for (size_t i = 0; i < evidence->file_count; i++) {
        cr_assert_str_eq(evidence->files[i].path, expected[i].path);
        cr_assert_eq(evidence->files[i].kind, expected[i].kind, "%s is %s", expected[i].path,
                     evidence_kind_name(evidence->files[i].kind));
        cr_assert(evidence->files[i].instance != SIZE_MAX || evidence->files[i].unattributed);
    }
    evidence_close(evidence);
}

static struct bytes bytes_of(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

Test(evidence, content_decides)
{
    static const struct {
        const char *stem, *content;
        enum evidence_kind kind;
    } cases[] = {
        {"anything", "", EVIDENCE_EMPTY},
        {"notes.txt", "2026-11-22T14:53:28Z  7002 started again\n", EVIDENCE_UNKNOWN},
        {"dump.rdb", "REDIS0011\xfa\x09redis-ver\x06" "7.2.00", EVIDENCE_RDB},
        {"dump.rdb", "VALKEY080\xfa\x0avalkey-ver\x05" "9.0.0", EVIDENCE_RDB},
        {"capture.bin", "$EOF:0123456789012345678901234567890123456789\r\nREDIS0009\xfa", EVIDENCE_RDB},
        {"capture.bin", "$4711\r\nREDIS0009\xfa", EVIDENCE_RDB},
        {"appendonly.aof", "REDIS0009\xfa\x09redis-ver\x05" "5.0.9", EVIDENCE_AOF},
        {"backup.rdb", "REDIS0009\xfa\x0c" "aof-preamble\xc0\x01", EVIDENCE_AOF},
        {"appendonly.aof", "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n", EVIDENCE_AOF},
        {"x.manifest", "file appendonly.aof.1.base.rdb seq 1 type b\n", EVIDENCE_AOF_MANIFEST},
        {"x", "port 7000\nbind 127.0.0.1\ncluster-enabled yes\ndbfilename a.rdb\n", EVIDENCE_CONF},
        {"x", "port 26379\nsentinel monitor m 10.0.0.1 6379 2\nsentinel myid abc\n", EVIDENCE_SENTINEL_CONF},
        {"x", "23189:M 22 Nov 14:52:22.246 # Cluster state changed: ok\n", EVIDENCE_LOG},
        {"x", "1:M 22 Nov 2026 14:52:22.246 # Crashed\n# Server\nredis_version:7.0.15\nrole:master\n", EVIDENCE_LOG},
        {"x", "# Server\r\nredis_version:7.0.15\r\n", EVIDENCE_INFO},
        {"x", "cluster_state:ok\r\ncluster_slots_assigned:16384\r\n", EVIDENCE_CLUSTER_INFO},
        {"x", "1) 1) (integer) 0\n   2) (integer) 100\n", EVIDENCE_CLUSTER_SLOTS},
        {"x", "0\n5460\n127.0.0.6\n7000\n5ee6d83979d7dabb4c703eca240e93dab0e18501\n", EVIDENCE_CLUSTER_SLOTS},
        {"x", "1) 1) \"slots\"\n   2) 1) (integer) 0\n", EVIDENCE_CLUSTER_SHARDS},
        {"x", "slots\n0\n100\nnodes\nid\n", EVIDENCE_CLUSTER_SHARDS},
        {"x", "\x1b[29;1m>>> Creating cluster\x1b[0m\n>>> Performing Cluster Check (using node a:1)\n",
         EVIDENCE_TOOL_CREATE},
        {"x", "a:1 (5ee6d839...) -> 0 keys | 5461 slots | 1 slaves.\n>>> Performing Cluster Check (using node a:1)\n",
         EVIDENCE_TOOL_CHECK},
        {"x", ">>> Removing node 5ee6 from cluster a:1\n", EVIDENCE_TOOL_OTHER},
        {"x", "# rcf-collection 1\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a b\n",
         EVIDENCE_COLLECTION},
        {"x", "address,host,zone\n10.0.0.1,a,z\n", EVIDENCE_HOSTS},
        {"x", "user default on nopass ~* &* +@all\n", EVIDENCE_ACL},
        {"x.zip", "PK\3\4....", EVIDENCE_ARCHIVE},
        {"damaged.rdb", "\1\2\3\4", EVIDENCE_RDB},
        {"nodes-1.conf", "\1\2\3\4", EVIDENCE_NODESCONF},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct identity identity = identify(bytes_of(cases[i].content), bytes_of(cases[i].stem));
        cr_assert_eq(identity.kind, cases[i].kind, "%zu: %s, not %s", i, evidence_kind_name(identity.kind),
                     evidence_kind_name(cases[i].kind));
        cr_assert_eq(identity.by_name, i + 2 >= sizeof(cases) / sizeof(*cases));
    }
}

#define LINE "5ee6d83979d7dabb4c703eca240e93dab0e18501 127.0.0.6:7000@17000"
#define REST " 0 1795359144150 9 connected 0-100\n"

Test(evidence, a_nodes_conf_without_vars_is_still_one)
{
    static const struct {
        const char *stem, *text;
        enum evidence_kind kind;
    } cases[] = {
        {"x.txt", LINE " myself,master -" REST "vars currentEpoch 1 lastVoteEpoch 0\n", EVIDENCE_NODESCONF},
        {"cluster-nodes.txt", "vars currentEpoch 1\n" LINE " myself,master -" REST, EVIDENCE_NODESCONF},
        {"nodes.conf.bak", LINE " myself,master -" REST, EVIDENCE_NODESCONF},
        {"x", LINE " myself,master -" REST "\n\n\n\n", EVIDENCE_NODESCONF},
        {"x", LINE ",,tls-port=0,shard-id=5ee6d83979d7dabb4c703eca240e93dab0e18501 myself,master -" REST,
         EVIDENCE_NODESCONF},
        {"x", LINE " myself,master -" REST LINE " mas", EVIDENCE_NODESCONF},
        {"x", LINE " myself,master -" REST, EVIDENCE_CLUSTER_NODES},
        {"x", LINE " myself,master -" REST LINE " handshake -" REST, EVIDENCE_CLUSTER_NODES},
        {"cluster-nodes-7000", LINE " myself,master -" REST LINE " mas", EVIDENCE_CLUSTER_NODES},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        cr_assert_eq(identify_nodes(bytes_of(cases[i].text), bytes_of(cases[i].stem)), cases[i].kind, "%zu", i);
}

/* Containers use one port: a folder of their logs is no instance's folder. */
Test(evidence, logs_of_several_servers_with_one_port)
{
    static const char ids[][41] = {"5ee6d83979d7dabb4c703eca240e93dab0e18501",
                                   "2d24fd23ba5e9efca3b8e4de23a964dc5f1d4751"};
    struct made made = make();
    for (size_t i = 0; i < 2; i++) {
        char name[64], text[256];
        snprintf(name, sizeof(name), "data/redis-%zu/nodes.conf", i);
        snprintf(text, sizeof(text), "%s 10.0.0.%zu:6379@16379 myself,master - 0 0 1 connected\nvars currentEpoch 1 "
                 "lastVoteEpoch 0\n", ids[i], i + 1);
        write_text(&made, name, text);
        snprintf(name, sizeof(name), "logs/pod%c.log", (char)('a' + i));
        snprintf(text, sizeof(text), "1:M 22 Nov 14:52:20.240 * Node configuration loaded, I'm %s\n"
                 "1:M 22 Nov 14:52:20.241 * Running mode=cluster, port=6379.\n", ids[i]);
        write_text(&made, name, text);
    }
    struct evidence *evidence = open_one(made.root);
    cr_assert_eq(evidence->instance_count, 2);
    for (size_t i = 0; i < 2; i++) {
        cr_assert_eq(evidence->instances[i].logbook_count, 1);
        cr_assert_str_eq(evidence->instances[i].logbooks[0]->id, ids[i]);
    }
    evidence_close(evidence);
    clean(&made);
}

/* Where cluster-config-file points stands a nodes.conf, whatever is left of it. */
Test(evidence, a_conf_names_its_nodes_conf)
{
    struct made made = make();
    write_text(&made, "redis.conf", "port 7000\ncluster-enabled yes\ncluster-config-file state\nlogfile \"\"\n");
    write_text(&made, "state", LINE " myself,master -" REST);
    struct evidence *evidence = open_one(made.root);
    const struct evidence_file *state = file_of(evidence, "state");
    cr_assert_eq(state->kind, EVIDENCE_NODESCONF);
    cr_assert_not(state->view->capture);
    cr_assert_eq(evidence->instances[0].view, state->view);
    evidence_close(evidence);
    clean(&made);
}

Test(evidence, temporary_files_are_no_state)
{
    struct made made = make();
    put(&made, STALE "127.0.0.6/7000/nodes_7000.conf", "nodes.conf");
    put(&made, STALE "127.0.0.6/7000/nodes_7000.conf", "nodes.conf.tmp-4711-1795359144049");
    put(&made, STALE "127.0.0.6/7000/dump_7000.rdb", "temp-4711.rdb");
    struct evidence *evidence = open_one(made.root);
    const struct instance *instance = &evidence->instances[0];
    cr_assert_eq(evidence->instance_count, 1);
    cr_assert_null(instance->dump);
    cr_assert_eq(instance->other_dump_count, 1);
    cr_assert_str_eq(path_of(evidence, instance->view->file), "nodes.conf");
    cr_assert_eq(instance->history_count, 1);
    cr_assert_str_eq(file_of(evidence, "temp-4711.rdb")->note, "temporary file of a dead fork");
    cr_assert_str_eq(file_of(evidence, "nodes.conf.tmp-4711-1795359144049")->note,
                     "temporary file of an interrupted save");
    evidence_close(evidence);
    clean(&made);
}

Test(evidence, older_files_are_history)
{
    struct made made = make();
    for (int kind = 0; kind < OWN_FILES; kind++) {
        char own[64], from[256];
        go(&own_files[kind], "7002", own, sizeof(own));
        snprintf(from, sizeof(from), STALE "127.0.0.6/7002/%s", own);
        put(&made, from, own);
    }
    put(&made, STORY "03-resharded/hosts/127.0.0.6/7002/nodes_7002.conf", "old/nodes_7002.conf.1");
    put(&made, STORY "03-resharded/hosts/127.0.0.6/7002/dump_7002.rdb", "old/before.rdb");
    struct evidence *evidence = open_one(made.root);
    const struct instance *instance = &evidence->instances[0];
    cr_assert_eq(evidence->instance_count, 1);
    cr_assert_str_eq(path_of(evidence, instance->view->file), "nodes_7002.conf");
    cr_assert_eq(instance->history_count, 1);
    cr_assert_str_eq(path_of(evidence, instance->dump->file), "dump_7002.rdb");
    cr_assert_eq(instance->other_dump_count, 1);
    evidence_close(evidence);
    clean(&made);
}

Test(evidence, what_two_configurations_name_belongs_to_neither)
{
    struct made made = make();
    write_text(&made, "redis_7000.conf", "port 7000\ncluster-enabled yes\ndbfilename dump.rdb\n");
    write_text(&made, "redis_7001.conf", "port 7001\ncluster-enabled yes\ndbfilename dump.rdb\n");
    put(&made, STALE "127.0.0.6/7000/dump_7000.rdb", "dump.rdb");
    struct evidence *evidence = open_one(made.root);
    const struct evidence_file *dump = file_of(evidence, "dump.rdb");
    cr_assert_eq(evidence->instance_count, 2);
    cr_assert_eq(dump->instance, SIZE_MAX);
    cr_assert_str_eq(dump->unattributed, "the configurations of several instances name it");
    evidence_close(evidence);
    clean(&made);
}

/* `dir` is never opened; its last folders find the file in the case. */
Test(evidence, stated_folders_are_mapped_into_the_case)
{
    struct made made = make();
    write_text(&made, "etc/a.conf", "port 7000\ncluster-enabled yes\ndir /srv/redis/one\n");
    write_text(&made, "etc/b.conf", "port 7001\ncluster-enabled yes\ndir /srv/redis/two\n");
    put(&made, STALE "127.0.0.6/7000/dump_7000.rdb", "redis/one/dump.rdb");
    put(&made, STALE "127.0.0.6/7001/dump_7001.rdb", "redis/two/dump.rdb");
    struct evidence *evidence = open_one(made.root);
    cr_assert_eq(evidence->instance_count, 2);
    cr_assert_str_eq(path_of(evidence, evidence->instances[0].dump->file), "redis/one/dump.rdb");
    cr_assert_str_eq(path_of(evidence, evidence->instances[1].dump->file), "redis/two/dump.rdb");
    evidence_close(evidence);
    clean(&made);
}

Test(evidence, parts_of_an_append_only_file)
{
    struct evidence *evidence = open_one("fixtures/incidents-redis-7.0.15/instances");
    const struct instance *instance = instance_of(evidence, "127.0.13.6:7101");
    cr_assert_not_null(instance->manifest);
    cr_assert_eq(instance->journal_count, 2);
    cr_assert(strstr(path_of(evidence, instance->journals[0]->file), ".base.rdb"));
    cr_assert(strstr(path_of(evidence, instance->journals[1]->file), ".incr.aof"));
    cr_assert_null(instance->dump);
    cr_assert_eq(instance->other_dump_count, 0);
    evidence_close(evidence);
}

Test(evidence, a_dump_alone_is_an_instance)
{
    struct made made = make();
    put(&made, STALE "127.0.0.6/7000/dump_7000.rdb", "dump.rdb");
    struct evidence *evidence = open_one(made.root);
    cr_assert_eq(evidence->instance_count, 1);
    cr_assert_not_null(evidence->instances[0].dump);
    cr_assert_eq(evidence->instances[0].node, NO_NODE);
    evidence_close(evidence);
    clean(&made);
}

Test(evidence, hosts_by_table)
{
    struct made made = make();
    char table[512], root[] = STALE;
    write_text(&made, "hosts.csv", "address,host,zone\r\n127.0.0.6,alpha,z1\r\n\"127.0.0.7:8000\",beta\r\n");
    path_in(&made, "hosts.csv", table);
    char *paths[] = {root};
    struct evidence *evidence = evidence_open(paths, 1, &(struct evidence_options){.hosts = table});
    cr_assert_null(evidence->problem);
    cr_assert_str_eq(evidence->host_basis, "--hosts, else host folders of the case");
    cr_assert_str_eq(instance_of(evidence, "127.0.0.6:7001")->host, "alpha");
    cr_assert_str_eq(instance_of(evidence, "127.0.0.7:8000")->host, "beta");
    cr_assert_str_eq(instance_of(evidence, "127.0.0.7:8001")->host, "127.0.0.7");
    evidence_close(evidence);
    write_text(&made, "hosts.csv", "one column\n");
    evidence = evidence_open(paths, 1, &(struct evidence_options){.hosts = table});
    cr_assert_not_null(evidence->problem);
    evidence_close(evidence);
    clean(&made);
}

Test(evidence, links_and_special_files_are_listed_not_read)
{
    struct made made = make();
    char path[512];
    put(&made, STALE "127.0.0.6/7000/nodes_7000.conf", "nodes.conf");
    path_in(&made, "link.conf", path);
    cr_assert_eq(symlink("nodes.conf", path), 0);
    path_in(&made, "loop", path);
    cr_assert_eq(symlink(".", path), 0);
    path_in(&made, "fifo", path);
    cr_assert_eq(mkfifo(path, 0600), 0);
    struct evidence *evidence = open_one(made.root);
    cr_assert_eq(evidence->file_count, 4);
    cr_assert_not(evidence->unreadable);
    cr_assert_str_eq(file_of(evidence, "link.conf")->unread, "symbolic link, not followed");
    cr_assert_str_eq(file_of(evidence, "loop")->unread, "symbolic link, not followed");
    cr_assert_str_eq(file_of(evidence, "fifo")->unread, "FIFO, not read");
    cr_assert(file_of(evidence, "fifo")->skipped);
    evidence_close(evidence);
    path_in(&made, "link.conf", path);
    evidence = open_one(path);
    cr_assert_eq(evidence->files[0].kind, EVIDENCE_NODESCONF, "what the user names may be a link");
    evidence_close(evidence);
    clean(&made);
}

Test(evidence, the_depth_is_bounded)
{
    struct made made = make();
    char deep[256];
    int len = 0;
    for (int i = 0; i < 40; i++)
        len += snprintf(deep + len, sizeof(deep) - (size_t)len, "d/");
    snprintf(deep + len, sizeof(deep) - (size_t)len, "nodes.conf");
    put(&made, STALE "127.0.0.6/7000/nodes_7000.conf", deep);
    struct evidence *evidence = open_one(made.root);
    cr_assert_eq(evidence->file_count, 1);
    cr_assert_str_eq(evidence->files[0].unread, "directory more than 32 levels down, not read");
    cr_assert(evidence->unreadable);
    evidence_close(evidence);
    clean(&made);
}

Test(evidence, what_is_not_there_is_said)
{
    struct evidence *evidence = open_one("fixtures/no-such-case");
    cr_assert_eq(evidence->file_count, 1);
    cr_assert_str_eq(evidence->files[0].unread, "No such file or directory");
    cr_assert(evidence->unreadable);
    evidence_close(evidence);
    struct made made = make();
    evidence = open_one(made.root);
    cr_assert_not_null(evidence->problem);
    evidence_close(evidence);
    clean(&made);
}

Test(evidence, excerpts_are_read_again)
{
    struct made made = make();
    write_text(&made, "nodes.conf", LINE " myself,master -" REST);
    struct evidence *evidence = open_one(made.root);
    struct bytes excerpt = evidence_excerpt(evidence, 0, 41, 14, 100, evidence->arena);
    cr_assert_eq(excerpt.len, 14);
    cr_assert_eq(memcmp(excerpt.at, "127.0.0.6:7000", 14), 0);
    cr_assert_eq(evidence_excerpt(evidence, 0, 41, 14, 9, evidence->arena).len, 9);
    cr_assert_eq(evidence_excerpt(evidence, 0, 100000, 14, 9, evidence->arena).len, 0);
    write_text(&made, "nodes.conf", "changed");
    cr_assert_eq(evidence_excerpt(evidence, 0, 41, 14, 100, evidence->arena).len, 0);
    evidence_close(evidence);
    clean(&made);
}

Test(evidence, stages_of_one_case_are_history)
{
    char older[] = STALE, newer[] = STORY "08-rebuilt/hosts";
    char *paths[] = {older, newer};
    struct evidence *evidence = evidence_open(paths, 2, NULL);
    const struct instance *instance = instance_of(evidence, "127.0.0.6:7000");
    cr_assert_eq(evidence->instance_count, 8);
    cr_assert(strstr(path_of(evidence, instance->view->file), "08-rebuilt"));
    cr_assert(strstr(path_of(evidence, instance->dump->file), "08-rebuilt"));
    cr_assert_eq(instance->history_count, 1);
    evidence_close(evidence);
}

Test(evidence, a_file_reached_twice_is_one_file)
{
    char folder[] = STALE "127.0.0.6", file[] = STALE "127.0.0.6/7000/nodes_7000.conf";
    char *paths[] = {folder, file};
    struct evidence *evidence = evidence_open(paths, 2, NULL);
    cr_assert_eq(evidence->file_count, 12);
    cr_assert_eq(evidence->instance_count, 3);
    evidence_close(evidence);
}

Test(evidence, facts_only_loads_nothing)
{
    char root[] = STALE;
    char *paths[] = {root};
    struct evidence *evidence = evidence_open(paths, 1, &(struct evidence_options){.facts_only = true});
    cr_assert_eq(evidence->file_count, 28);
    cr_assert_eq(evidence->instance_count, 0);
    for (size_t i = 0; i < evidence->file_count; i++) {
        cr_assert_eq(strlen(evidence->files[i].sha256), 64);
        cr_assert_neq(evidence->files[i].kind, EVIDENCE_UNKNOWN);
        cr_assert_null(evidence->files[i].view);
        cr_assert_null(evidence->files[i].dump);
    }
    evidence_close(evidence);
}

/* The story as it is read with the processors of a set. */
static struct evidence *open_with(const cpu_set_t *processors)
{
    cr_assert_eq(sched_setaffinity(0, sizeof(*processors), processors), 0);
    return open_one(STORY);
}

Test(evidence, is_the_same_with_one_processor)
{
    cpu_set_t all, one;
    int first = 0;
    cr_assert_eq(sched_getaffinity(0, sizeof(all), &all), 0);
    while (!CPU_ISSET(first, &all))
        first++;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    struct evidence *alone = open_with(&one), *together = open_with(&all);
    cr_assert_eq(alone->file_count, together->file_count);
    cr_assert_gt(alone->file_count, 100);
    for (size_t i = 0; i < alone->file_count; i++) {
        const struct evidence_file *a = &alone->files[i], *b = &together->files[i];
        cr_assert(a->kind == b->kind && a->instance == b->instance, "%s", a->path);
        cr_assert_str_eq(a->sha256, b->sha256, "%s", a->path);
        cr_assert_eq(a->view == NULL, b->view == NULL, "%s", a->path);
        for (size_t k = 0; a->view && k < a->view->count; k++) {
            const struct entry *left = a->view->sightings[k].entry, *right = b->view->sightings[k].entry;
            cr_assert(left->number == right->number && left->node == right->node && left->stance == right->stance);
        }
    }
    evidence_close(alone);
    evidence_close(together);
}

Test(evidence, collections_say_where_and_when)
{
    static const char text[] = "# rcf-collection 1\n"
                               "# collected-at: 2026-11-22T16:00:00.250+01:00\n"
                               "# timezone: -03:30\n"
                               "# host: db1\n"
                               "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855  a  b\n"
                               "\\e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 *a\\\\b\\nc\n"
                               "SHA256 (x (1)) = e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"
                               "hello\n";
    struct arena *arena = arena_new();
    struct collection *collection = collection_read(arena, bytes_of(text), 3);
    cr_assert(collection->has_time);
    cr_assert_eq(collection->collected_ms, INT64_C(1795359600250));
    cr_assert(collection->has_zone);
    cr_assert_eq(collection->zone_s, -12600);
    cr_assert_str_eq(collection->host, "db1");
    cr_assert_eq(collection->count, 3);
    cr_assert_str_eq(collection->files[0].path, "a  b");
    cr_assert_str_eq(collection->files[1].path, "a\\b\nc");
    cr_assert_str_eq(collection->files[2].path, "x (1)");
    for (size_t i = 0; i < 3; i++)
        cr_assert_str_eq(collection->files[i].sha256,
                         "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    cr_assert_eq(collection->files[1].place.line, 6);
    cr_assert_eq(collection->unread_lines, 1);
    arena_free(arena);
}
