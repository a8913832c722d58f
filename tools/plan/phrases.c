/* How each action is said for this plan's target: where it runs, what a person would type, what to expect, how to undo. */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "tools/plan/plan.h"

enum { MOST_WORDS = 16 };

static const char *client(const struct plan *plan)
{
    return plan->dialect == DIALECT_VALKEY_CLI ? "valkey-cli" : "redis-cli";
}

/* client -h IP -p PORT WORD... ; the words end with NULL. */
static const char *const *command(const struct plan *plan, struct arena *arena, int everywhere, ...)
{
    const char **argv = arena_array(arena, MOST_WORDS, sizeof(*argv));
    size_t n = 0;
    va_list list;
    if (!argv)
        return NULL;
    argv[n++] = client(plan);
    argv[n++] = "-h";
    argv[n++] = everywhere ? "{ip}" : plan->target_ip;
    argv[n++] = "-p";
    argv[n++] = everywhere ? "{port}" : arena_format(arena, "%u", plan->target_port);
    va_start(list, everywhere);
    for (const char *word; n + 1 < MOST_WORDS && (word = va_arg(list, const char *));)
        argv[n++] = word;
    va_end(list);
    return argv;
}

static const char *const *list_of(struct arena *arena, ...)
{
    const char **argv = arena_array(arena, MOST_WORDS, sizeof(*argv));
    size_t n = 0;
    va_list list;
    va_start(list, arena);
    for (const char *word; argv && n + 1 < MOST_WORDS && (word = va_arg(list, const char *));)
        argv[n++] = word;
    va_end(list);
    return argv;
}

static const char *const *add_node(const struct plan *plan, struct arena *arena)
{
    const char *role = plan->primary_id ? plan->primary_id : NULL;
    if (plan->dialect == DIALECT_TRIB)
        return role ? list_of(arena, "redis-trib.rb", "add-node", "--slave", "--master-id", role, plan->target_name, plan->entry, NULL)
                    : list_of(arena, "redis-trib.rb", "add-node", plan->target_name, plan->entry, NULL);
    return role ? list_of(arena, client(plan), "--cluster", "add-node", plan->target_name, plan->entry, "--cluster-slave",
                          "--cluster-master-id", role, NULL)
                : list_of(arena, client(plan), "--cluster", "add-node", plan->target_name, plan->entry, NULL);
}

static const char *const *keep_files(const struct plan *plan, struct arena *arena)
{
    const char *names[] = {plan->config_file, plan->dump_file, plan->aof_certain ? plan->aof_name : NULL};
    const char **argv = arena_array(arena, MOST_WORDS, sizeof(*argv));
    size_t n = 0, kept = 0;
    if (!argv)
        return NULL;
    argv[n++] = "cp";
    argv[n++] = plan->aof_certain ? "-Rp" : "-p";
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i]) {
            argv[n++] = names[i];
            kept++;
        }
    argv[n++] = kept > 1 ? "(to copies named *.rcf-keep)" : "(to a copy named *.rcf-keep)";
    return argv;
}

static const char *expected_content(const struct plan *plan, struct arena *arena)
{
    const char *keys = "no db";
    if (plan->db0_keys)
        keys = arena_format(arena, "db0:keys=%" PRIu64, plan->db0_keys);
    return arena_format(arena, "role:%s, connected_slaves:0, %s, rdb_changes_since_last_save:0",
                        plan->target_replica ? "slave" : "master", keys);
}

bool plan_add(struct plan *plan, struct arena *arena, enum action action)
{
    const char *node = plan->target_name, *every = "every member";
    const char *host = arena_format(arena, "host %s", plan->target_host);
    const char *id = plan->target_id ? plan->target_id : "";
    const char *const *argv = NULL;
    const char *where = node, *expect = "OK", *undo = NULL;
    switch (action) {
    case ACTION_VERIFY_MEMBERS:
        where = every;
        argv = command(plan, arena, true, "CLUSTER", "NODES", NULL);
        expect = arena_format(arena, "the %zu members and the slot owners of the fingerprint%s", plan->cluster->member_count - plan->listed,
                              plan->listed || !plan->target_id ? "" : arena_format(arena, ", no line for %.8s", id));
        break;
    case ACTION_VERIFY_IDENTITY:
        argv = command(plan, arena, false, "CLUSTER", "MYID", NULL);
        expect = id;
        break;
    case ACTION_VERIFY_CONTENT:
        argv = command(plan, arena, false, "INFO", NULL);
        expect = expected_content(plan, arena);
        break;
    case ACTION_KEEP_FILES:
        where = host;
        argv = keep_files(plan, arena);
        expect = "the copies, with the evidence's SHA-256";
        break;
    case ACTION_FLUSH_ALL:
        argv = command(plan, arena, false, "FLUSHALL", NULL);
        undo = "stop the server, put the kept dump back, start it";
        break;
    case ACTION_FLUSH_FUNCTIONS:
        argv = command(plan, arena, false, "FUNCTION", "FLUSH", NULL);
        undo = "stop the server, put the kept dump back, start it";
        break;
    case ACTION_RESET:
    case ACTION_RESET_REPLICA:
        argv = command(plan, arena, false, "CLUSTER", "RESET", "HARD", NULL);
        expect = "OK; it has a new id and knows nobody";
        undo = "stop the server, put the kept files back, start it";
        break;
    case ACTION_SAVE:
        argv = command(plan, arena, false, "SAVE", NULL);
        expect = "OK; the dump on disk is empty too";
        undo = "stop the server, put the kept dump back, start it";
        break;
    case ACTION_REWRITE_AOF:
        argv = command(plan, arena, false, "BGREWRITEAOF", NULL);
        expect = "Background append only file rewriting started";
        undo = "stop the server, put the kept files back, start it";
        break;
    case ACTION_WAIT_AOF:
        argv = command(plan, arena, false, "INFO", "persistence", NULL);
        expect = "aof_rewrite_in_progress:0, aof_rewrite_scheduled:0, aof_last_bgrewrite_status:ok";
        break;
    case ACTION_VERIFY_EMPTY:
        argv = command(plan, arena, false, "CLUSTER", "INFO", "(and INFO keyspace)", NULL);
        expect = "cluster_known_nodes:1, no db";
        break;
    case ACTION_SHUTDOWN:
        argv = command(plan, arena, false, "SHUTDOWN", "SAVE", NULL);
        expect = "the connection closes; its supervisor must not start it again";
        undo = "start the server";
        break;
    case ACTION_MOVE_ASIDE:
        where = host;
        argv = list_of(arena, "mv", plan->config_file, arena_format(arena, "%s.rcf-removed", plan->config_file), NULL);
        expect = "nothing printed; a start would make a stranger of it";
        undo = "move it back";
        break;
    case ACTION_FORGET:
        where = "every member that lists it";
        argv = command(plan, arena, true, "CLUSTER", "FORGET", id, NULL);
        expect = "OK on all of them within 60 s";
        break;
    case ACTION_VERIFY_FORGOTTEN:
        where = every;
        argv = command(plan, arena, true, "CLUSTER", "NODES", NULL);
        expect = arena_format(arena, "no line for %.8s", id);
        break;
    case ACTION_WAIT_BAN:
        where = "here";
        argv = list_of(arena, "sleep", arena_format(arena, "%u", plan->ban_wait_s), NULL);
        expect = "the ban of CLUSTER FORGET (60 s) and two node timeouts have passed";
        break;
    case ACTION_VERIFY_STAYED_FORGOTTEN:
        where = every;
        argv = command(plan, arena, true, "CLUSTER", "NODES", NULL);
        expect = arena_format(arena, "still no line for %.8s", id);
        break;
    case ACTION_ADD_NODE:
        argv = add_node(plan, arena);
        expect = "[OK] New node added correctly.";
        undo = "rcf-plan remove";
        break;
    case ACTION_VERIFY_JOINED:
        where = every;
        argv = command(plan, arena, true, "CLUSTER", "NODES", NULL);
        expect = arena_format(arena, "%s under its present id, connected%s", node, plan->primary_id ? ", as a replica" : "");
        break;
    case ACTIONS:
        return false;
    }
    struct step *step = argv ? plan_step(plan, arena, action, where, argv) : NULL;
    if (!step)
        return false;
    step->expect = expect;
    step->undo = undo;
    step->answers = plan->answers;
    return true;
}
