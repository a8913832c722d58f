/* The words of steps about who follows whom. */
#include "tools/plan/making.h"

static bool verify_in_sync(struct making *m, struct step *step)
{
    step->expect = arena_format(m->arena, "role:slave of %.8s, master_link_status:up, connected_slaves:0",
                                m->stage->target.follows);
    return step->expect && making_bind_step(m, step, "old_primary", FORM_ID, m->stage->target.follows, false);
}

static bool replicate(struct making *m, struct step *step)
{
    step->argv = phrase_command(m, step, (const char *const[]){"CLUSTER", "REPLICATE", m->stage->primary_id}, 3);
    step->undo = step->action == ACTION_REPLICATE_OVER
                     ? "stop the server, put the kept files back, start it"
                     : "CLUSTER REPLICATE with the id of its former primary, or CLUSTER RESET";
    return step->argv != NULL;
}

static bool verify_replica(struct making *m, struct step *step)
{
    step->expect = arena_format(m->arena, "%s as a connected replica of %.8s", m->stage->target.name,
                                m->stage->primary_id);
    return step->expect != NULL;
}

static bool verify_ready(struct making *m, struct step *step)
{
    step->expect =
        arena_format(m->arena, "role:slave of %s, master_link_status:up, slave_repl_offset at its master_repl_offset",
                     making_name(m, step->peer));
    return step->expect != NULL;
}

static bool fail_over(struct making *m, struct step *step)
{
    step->undo = arena_format(m->arena, "CLUSTER FAILOVER on %s, once it is in step", making_name(m, step->peer));
    return step->undo != NULL;
}

static bool verify_handed_over(struct making *m, struct step *step)
{
    step->expect = arena_format(m->arena, "%s as a primary with a higher configEpoch, %s as its replica",
                                making_name(m, step->on), making_name(m, step->peer));
    return step->expect != NULL;
}

const struct phrase phrases_replication[ACTIONS] = {
    [ACTION_VERIFY_VACANT] = {PLACE_NODE, {"INFO"}, "role:master, connected_slaves:0, no db", NULL, NULL},
    [ACTION_VERIFY_IN_SYNC] = {PLACE_NODE, {"INFO", "replication"}, .more = verify_in_sync},
    [ACTION_REPLICATE] = {PLACE_NODE, .expect = "OK", .more = replicate},
    [ACTION_REPLICATE_OVER] = {PLACE_NODE, .expect = "OK", .more = replicate},
    [ACTION_WAIT_SYNC] = {PLACE_NODE,
                          {"INFO", "replication"},
                          "role:slave, master_link_status:up, master_sync_in_progress:0",
                          NULL,
                          NULL},
    [ACTION_VERIFY_READY] = {PLACE_NODE, {"INFO", "replication"}, .more = verify_ready},
    [ACTION_FAIL_OVER] = {PLACE_NODE, {"CLUSTER", "FAILOVER"}, "OK", .more = fail_over},
    [ACTION_WAIT_PROMOTED] = {PLACE_NODE, {"INFO", "replication"}, "role:master, within some seconds", NULL, NULL},
    [ACTION_VERIFY_HANDED_OVER] = {PLACE_EVERY, {"CLUSTER", "NODES"}, .more = verify_handed_over},
    [ACTION_VERIFY_REPLICA] = {PLACE_EVERY, {"CLUSTER", "NODES"}, .more = verify_replica},
};
