/* The words of steps about who knows whom. */
#include "tools/plan/making.h"

static const char *id_of(const struct making *m)
{
    return m->stage->target.id ? m->stage->target.id : "";
}

static bool verify_members(struct making *m, struct step *step)
{
    const struct target *target = &m->stage->target;
    step->expect = arena_format(
        m->arena, "the %zu members and the slot owners of the fingerprint%s",
        m->stage->cluster->member_count - target->listed,
        target->listed || !target->id ? "" : arena_format(m->arena, ", no line for %.8s", target->id));
    return step->expect != NULL;
}

static bool verify_identity(struct making *m, struct step *step)
{
    step->expect = id_of(m);
    return true;
}

static bool forget(struct making *m, struct step *step)
{
    step->argv = phrase_command(m, step, (const char *const[]){"CLUSTER", "FORGET", id_of(m)}, 3);
    return step->argv != NULL;
}

static bool no_line(struct making *m, struct step *step)
{
    step->expect = arena_format(m->arena, "%s line for %.8s",
                                step->action == ACTION_VERIFY_FORGOTTEN ? "no" : "still no", id_of(m));
    return step->expect != NULL;
}

static bool wait_ban(struct making *m, struct step *step)
{
    const char *seconds = arena_format(m->arena, "%u", scene_ban_wait(m->stage->cluster));
    step->argv = phrase_words(m->arena, "sleep", seconds, NULL);
    return step->argv && seconds && making_bind_step(m, step, "ban_wait", FORM_COUNT, seconds, false);
}

static bool add_node(struct making *m, struct step *step)
{
    const struct stage *stage = m->stage;
    const char *role = stage->primary_id, *name = stage->target.name, *entry = stage->entry;
    if (m->plan->dialect == DIALECT_TRIB)
        step->argv = role ? phrase_words(m->arena, "redis-trib.rb", "add-node", "--slave", "--master-id", role, name,
                                         entry, NULL)
                          : phrase_words(m->arena, "redis-trib.rb", "add-node", name, entry, NULL);
    else
        step->argv = phrase_words(m->arena, phrase_client(m->plan->dialect), "--cluster", "add-node", name, entry,
                                  role ? "--cluster-slave" : NULL, "--cluster-master-id", role, NULL);
    return step->argv &&
           making_bind_step(m, step, "dialect", FORM_WORD, m->plan->dialect == DIALECT_TRIB ? "trib" : "cli", false);
}

static bool verify_joined(struct making *m, struct step *step)
{
    step->expect = arena_format(m->arena, "%s under its present id, connected%s", m->stage->target.name,
                                m->stage->primary_id ? ", as a replica" : "");
    return step->expect != NULL;
}

const struct phrase phrases_membership[ACTIONS] = {
    [ACTION_VERIFY_MEMBERS] = {PLACE_EVERY, {"CLUSTER", "NODES"}, .more = verify_members},
    [ACTION_VERIFY_IDENTITY] = {PLACE_NODE, {"CLUSTER", "MYID"}, .more = verify_identity},
    [ACTION_RESET] = {PLACE_NODE,
                      {"CLUSTER", "RESET", "HARD"},
                      "OK; it has a new id and knows nobody",
                      "stop the server, put the kept files back, start it",
                      NULL},
    [ACTION_RESET_REPLICA] = {PLACE_NODE,
                              {"CLUSTER", "RESET", "HARD"},
                              "OK; it has a new id and knows nobody",
                              "stop the server, put the kept files back, start it",
                              NULL},
    [ACTION_VERIFY_EMPTY] = {PLACE_NODE,
                             {"CLUSTER", "INFO", "(and INFO keyspace)"},
                             "cluster_known_nodes:1, cluster_slots_assigned:0, role:master, no db",
                             NULL,
                             NULL},
    [ACTION_FORGET] = {PLACE_EVERY_LISTING, .expect = "OK on all of them within 60 s", .more = forget},
    [ACTION_VERIFY_FORGOTTEN] = {PLACE_EVERY, {"CLUSTER", "NODES"}, .more = no_line},
    [ACTION_WAIT_BAN] = {PLACE_HERE, .expect = "the ban of CLUSTER FORGET (60 s) and two node timeouts have passed",
                         .more = wait_ban},
    [ACTION_VERIFY_STAYED_FORGOTTEN] = {PLACE_EVERY, {"CLUSTER", "NODES"}, .more = no_line},
    [ACTION_ADD_NODE] = {PLACE_NODE, .expect = "[OK] New node added correctly.", .undo = "rcf-plan remove",
                         .more = add_node},
    [ACTION_VERIFY_JOINED] = {PLACE_EVERY, {"CLUSTER", "NODES"}, .more = verify_joined},
};
