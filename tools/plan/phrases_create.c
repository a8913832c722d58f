/* The words of steps that make a cluster of empty servers. */
#include "tools/plan/making.h"

static bool take_slots(struct making *m, struct step *step)
{
    const char *list = slot_set_words(step->slots, m->arena);
    step->expect = arena_format(m->arena, "OK for %s", list ? list : "");
    return list && step->expect;
}

static bool meet(struct making *m, struct step *step)
{
    const char *ip;
    uint16_t port;
    if (!target_address(m, step->peer, &ip, &port))
        return false;
    step->argv =
        phrase_command(m, step, (const char *const[]){"CLUSTER", "MEET", ip, arena_format(m->arena, "%u", port)}, 4);
    return step->argv != NULL;
}

static bool follow(struct making *m, struct step *step)
{
    step->argv = phrase_command(
        m, step,
        (const char *const[]){"CLUSTER", "REPLICATE", arena_format(m->arena, "(id of %s)", making_name(m, step->peer))},
        3);
    return step->argv != NULL;
}

static const char undo[] = "CLUSTER RESET HARD";

const struct phrase phrases_create[ACTIONS] = {
    [ACTION_VERIFY_BLANK] =
        {PLACE_NODE, {"CLUSTER", "NODES", "(and INFO keyspace)"}, "one line, no slots, no db", NULL, NULL},
    [ACTION_TAKE_SLOTS] = {PLACE_NODE, {"CLUSTER", "ADDSLOTS", "{slot}"}, .undo = undo, .more = take_slots},
    [ACTION_SET_EPOCH] = {PLACE_NODE, {"CLUSTER", "SET-CONFIG-EPOCH"}, "OK", undo, NULL},
    [ACTION_MEET] = {PLACE_NODE, .expect = "OK", .undo = undo, .more = meet},
    [ACTION_WAIT_MET] = {PLACE_EVERY, {"CLUSTER", "NODES"}, "a line for every node, all connected", NULL, NULL},
    [ACTION_FOLLOW] = {PLACE_NODE, .expect = "OK", .undo = undo, .more = follow},
    [ACTION_VERIFY_CREATED] = {PLACE_EVERY,
                               {"CLUSTER", "INFO"},
                               "cluster_state:ok, 16384 slots, all nodes known; master_link_status:up on replicas",
                               NULL,
                               NULL},
};
