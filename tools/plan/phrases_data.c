/* The words of steps about the memory and the disk of one server. */
#include <inttypes.h>

#include "tools/plan/making.h"

#define PUT_DUMP_BACK "stop the server, put the kept dump back, start it"
#define PUT_FILES_BACK "stop the server, put the kept files back, start it"

static bool verify_content(struct making *m, struct step *step)
{
    const struct target *target = &m->stage->target;
    const char *keys = target->db0_keys ? arena_format(m->arena, "db0:keys=%" PRIu64, target->db0_keys) : "no db";
    step->expect = arena_format(m->arena, "role:%s, connected_slaves:0, %s, rdb_changes_since_last_save:0",
                                target->replica ? "slave" : "master", keys ? keys : "");
    return step->expect != NULL;
}

static bool keep_files(struct making *m, struct step *step)
{
    const struct target *target = &m->stage->target;
    const char *names[] = {target->config_file, target->dump_file, target->aof_certain ? target->aof_name : NULL};
    const char **argv = arena_array(m->arena, 7, sizeof(*argv));
    size_t n = 0, kept = 0;
    if (!argv)
        return false;
    argv[n++] = "cp";
    argv[n++] = target->aof_certain ? "-Rp" : "-p";
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i]) {
            argv[n++] = names[i];
            kept++;
        }
    argv[n++] = kept > 1 ? "(to copies named *.rcf-keep)" : "(to a copy named *.rcf-keep)";
    step->argv = argv;
    return true;
}

static bool move_aside(struct making *m, struct step *step)
{
    const char *file = m->stage->target.config_file;
    step->argv = phrase_words(m->arena, "mv", file, arena_format(m->arena, "%s.rcf-removed", file), NULL);
    return step->argv != NULL;
}

static bool verify_files(struct making *m, struct step *step)
{
    const struct target *target = &m->stage->target;
    step->argv = phrase_words(m->arena, "grep", "myself", target->config_file, NULL);
    step->expect = arena_format(m->arena, "the line of %.8s%s", target->id ? target->id : "its id",
                                target->dump_sha256 ? "; the dump has the evidence's SHA-256" : "");
    return step->argv && step->expect;
}

static bool rescue_keys(struct making *m, struct step *step)
{
    static const char *const words[] = {"MIGRATE", "{owner}", "{port}", "\"\"", "0", "5000", "COPY", "KEYS", "{key}"};
    step->argv = phrase_command(m, step, words, sizeof(words) / sizeof(words[0]));
    step->expect = arena_format(m->arena,
                                "OK for each of the %zu keys, and then EXISTS says 1 on the owner of its slot",
                                m->stage->copies->listed);
    return step->argv && step->expect && rescue_bind(m, step);
}

static bool move_data_aside(struct making *m, struct step *step)
{
    const struct target *target = &m->stage->target;
    step->argv = phrase_words(m->arena, "mv", target->dump_name, target->aof_name ? target->aof_name
                              : "(to *.rcf-removed)", target->aof_name ? "(to *.rcf-removed)" : NULL, NULL);
    return step->argv != NULL;
}

static bool start(struct making *m, struct step *step)
{
    step->argv = phrase_words(m->arena, "(start the server", m->stage->target.name, "as it was started before)", NULL);
    return step->argv != NULL;
}

const struct phrase phrases_data[ACTIONS] = {
    [ACTION_VERIFY_CONTENT] = {PLACE_NODE, {"INFO"}, .more = verify_content},
    [ACTION_KEEP_FILES] = {PLACE_HOST, .expect = "the copies, with the evidence's SHA-256", .more = keep_files},
    [ACTION_RESCUE_KEYS] = {PLACE_NODE, .undo = "DEL of these keys on the owners of their slots", .more = rescue_keys},
    [ACTION_FLUSH_ALL] = {PLACE_NODE, {"FLUSHALL"}, "OK", PUT_DUMP_BACK, NULL},
    [ACTION_FLUSH_FUNCTIONS] = {PLACE_NODE, {"FUNCTION", "FLUSH"}, "OK", PUT_DUMP_BACK, NULL},
    [ACTION_SAVE] = {PLACE_NODE, {"SAVE"}, "OK; the dump on disk is empty too", PUT_DUMP_BACK, NULL},
    [ACTION_REWRITE_AOF] =
        {PLACE_NODE, {"BGREWRITEAOF"}, "Background append only file rewriting started", PUT_FILES_BACK, NULL},
    [ACTION_WAIT_AOF] = {PLACE_NODE,
                         {"INFO", "persistence"},
                         "aof_rewrite_in_progress:0, aof_rewrite_scheduled:0, aof_last_bgrewrite_status:ok",
                         NULL,
                         NULL},
    [ACTION_SHUTDOWN] = {PLACE_NODE,
                         {"SHUTDOWN", "SAVE"},
                         "the connection closes; its supervisor must not start it again",
                         "start the server",
                         NULL},
    [ACTION_VERIFY_DOWN] = {PLACE_NODE, {"PING"}, "nobody answers", NULL, NULL},
    [ACTION_VERIFY_FILES] = {PLACE_HOST, .more = verify_files},
    [ACTION_MOVE_DATA_ASIDE] = {PLACE_HOST, .expect = "nothing printed; a start would find no data",
                                .undo = "move them back", .more = move_data_aside},
    [ACTION_START] = {PLACE_HOST, .expect = "it answers, under a new id", .undo = "stop it", .more = start},
    [ACTION_MOVE_ASIDE] = {PLACE_HOST, .expect = "nothing printed; a start would make a stranger of it",
                           .undo = "move it back", .more = move_aside},
};
