/* The words of steps that bring a member back, or wait until members agree. */
#include "tools/plan/making.h"

static bool bring_back(struct making *m, struct step *step)
{
    step->argv = phrase_words(m->arena, "(start its server on its own files, by its supervisor or RCF_START)", NULL);
    step->expect = arena_format(m->arena, "CLUSTER MYID answers %.8s again", m->stage->target.id);
    return step->argv && step->expect;
}

static bool verify_returned(struct making *m, struct step *step)
{
    step->expect =
        arena_format(m->arena, "%.8s connected and not failed, within two node timeouts", m->stage->target.id);
    return step->expect != NULL;
}

const struct phrase phrases_return[ACTIONS] = {
    [ACTION_BRING_BACK] = {PLACE_HOST, .undo = "SHUTDOWN", .more = bring_back},
    [ACTION_VERIFY_RETURNED] = {PLACE_EVERY, {"CLUSTER", "NODES"}, .more = verify_returned},
    [ACTION_WAIT_AGREED] =
        {PLACE_EVERY, {"CLUSTER", "NODES"}, "the same members, slot owners and marks on all of them", NULL, NULL},
};
