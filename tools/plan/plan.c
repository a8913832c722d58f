#include "tools/plan/plan.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "tools/plan/making.h"

static const struct {
    const char *word;
    size_t operands;
    bool (*make)(struct making *m);
} goals[GOALS] = {
#define GOAL(id, word, operands, maker) [GOAL_##id] = {word, operands, maker},
#include "tools/plan/goals.def"
#undef GOAL
};

const char *plan_goal_word(enum plan_goal goal)
{
    return goals[goal].word;
}

enum plan_goal plan_goal_by_word(const char *word)
{
    unsigned goal = 0;
    while (goal < GOALS && strcmp(goals[goal].word, word) != 0)
        goal++;
    return (enum plan_goal)goal;
}

size_t plan_goal_operands(enum plan_goal goal)
{
    return goals[goal].operands;
}

size_t plan_steps(const struct plan *plan)
{
    size_t count = 0;
    for (size_t s = 0; s < plan->stage_count; s++)
        count += plan->stages[s]->step_count;
    return count;
}

bool plan_guarded(const struct plan *plan, const char **why)
{
    for (size_t s = 0; s < plan->stage_count; s++)
        if (!stage_guarded(plan->stages[s], why))
            return false;
    return true;
}

/* ------------------------------------------------------------------ what the plan is made for */

static void hash_text(XXH3_state_t *state, const char *text)
{
    XXH3_64bits_update(state, text ? text : "", text ? strlen(text) + 1 : 1);
}

static void hash_steps(XXH3_state_t *state, const struct stage *stage)
{
    for (size_t s = 0; s < stage->step_count; s++) {
        hash_text(state, action_name(stage->steps[s].action));
        hash_text(state, stage->steps[s].where);
        for (size_t w = 0; stage->steps[s].argv[w]; w++)
            hash_text(state, stage->steps[s].argv[w]);
    }
}

/* Over the evidence, the cluster that it shows, and what is to be done: a yes to one plan is none to another. */
static bool make_fingerprint(struct plan *plan, struct arena *arena)
{
    const struct cluster *cluster = plan->cluster;
    XXH3_state_t *state = XXH3_createState();
    if (!state)
        return false;
    XXH3_64bits_reset(state);
    for (size_t f = 0; f < plan->evidence->file_count; f++)
        hash_text(state, plan->evidence->files[f].sha256);
    for (uint32_t n = 0; cluster && n < cluster->member_count; n++) {
        hash_text(state, cluster->nodes[n].id);
        hash_text(state, cluster_slots_of(cluster, n, arena));
    }
    if (cluster)
        XXH3_64bits_update(state, &cluster->current_epoch, sizeof(cluster->current_epoch));
    for (size_t s = 0; s < plan->stage_count; s++)
        hash_steps(state, plan->stages[s]);
    snprintf(plan->fingerprint, sizeof(plan->fingerprint), "%016" PRIx64, (uint64_t)XXH3_64bits_digest(state));
    XXH3_freeState(state);
    return true;
}

struct plan *plan_make(const struct evidence *evidence, const struct plan_wish *wish, struct arena *arena)
{
    struct plan *plan = arena_alloc(arena, sizeof(*plan));
    struct model *model = arena_alloc(arena, sizeof(*model));
    const char *why = NULL;
    if (!plan || !model || !model_of(evidence, arena, model))
        return NULL;
    struct making m = {.plan = plan, .wish = wish, .model = model, .arena = arena, .scene = scene_of(model, arena)};
    if (!m.scene)
        return NULL;
    *plan = (struct plan){
        .outcome = PLAN_READY,
        .goal = wish->goal,
        .evidence = m.scene->evidence,
        .void_if = "members, slot owners or the target's files have changed since the evidence was collected"};
    bool made = goals[wish->goal].make(&m);
    if (arena_failed(arena))
        return NULL;
    if (!made || !check_given_up(&m))
        return plan;
    if (!plan_guarded(plan, &why))
        making_stop(&m, PLAN_REFUSED, arena_format(arena, "the steps do not establish %s", why), NULL);
    else if (!plan_rehearse(plan, arena, &why))
        making_stop(&m, PLAN_REFUSED, arena_format(arena, "the plan fails its rehearsal: %s", why), NULL);
    return make_fingerprint(plan, arena) && !arena_failed(arena) ? plan : NULL;
}
