/* Scripts of plans: none without its verifications, none with a value that has not its form. */
#include <criterion/criterion.h>
#include <string.h>

#include "tools/render/plan.h"

static struct plan *make(struct evidence **evidence, struct arena *arena)
{
    static char path[] = "fixtures/incidents-redis-7.0.15/half-forgotten", node[] = "127.0.14.6:7002";
    char *paths[] = {path, NULL}, *operands[] = {node, NULL};
    const struct evidence_options how = {0};
    struct plan_wish wish = {.goal = GOAL_REJOIN, .operands = operands, .operand_count = 1};
    *evidence = evidence_open(paths, 1, &how);
    cr_assert(*evidence && !(*evidence)->problem);
    struct plan *plan = plan_make(*evidence, &wish, arena);
    cr_assert(plan && plan->outcome == PLAN_READY && plan->stage_count == 1);
    return plan;
}

static bool is_refused(const struct plan *plan, struct arena *arena, const char **why)
{
    struct out *out = out_open_memory();
    bool written = plan_script(out, plan, arena, why);
    cr_expect(written || out_held(out).len == 0, "refused, and something is written");
    out_close(out);
    return !written;
}

Test(plan_script, none_without_a_verification)
{
    struct arena *arena = arena_new();
    struct evidence *evidence;
    struct plan *plan = make(&evidence, arena);
    struct stage *stage = plan->stages[0];
    const char *why = NULL;
    cr_expect_not(is_refused(plan, arena, &why), "%s", why);
    for (size_t n = 0; n < stage->step_count; n++) {
        if (stage->steps[n].kind != STEP_VERIFY)
            continue;
        struct stage lacking = *stage;
        struct stage *stages[] = {&lacking};
        struct plan changed = *plan;
        lacking.steps = arena_array(arena, stage->step_count, sizeof(struct step));
        memcpy(lacking.steps, stage->steps, n * sizeof(struct step));
        memcpy(lacking.steps + n, stage->steps + n + 1, (stage->step_count - n - 1) * sizeof(struct step));
        lacking.step_count--;
        changed.stages = stages;
        cr_expect(is_refused(&changed, arena, &why), "a script without %s", action_name(stage->steps[n].action));
    }
    evidence_close(evidence);
    arena_free(arena);
}

Test(plan_script, none_with_a_value_that_has_not_its_form)
{
    static const char hostile[] = "x'; touch pwned; '";
    struct arena *arena = arena_new();
    struct evidence *evidence;
    struct plan *plan = make(&evidence, arena);
    struct stage *stage = plan->stages[0];
    const char *why = NULL;
    for (size_t b = 0; b < stage->binding_count; b++) {
        const char *kept = stage->bindings[b].value;
        stage->bindings[b].value = hostile;
        cr_expect(is_refused(plan, arena, &why) && strstr(why, stage->bindings[b].name), "%s", stage->bindings[b].name);
        stage->bindings[b].value = kept;
    }
    for (size_t n = 0; n < stage->step_count; n++) {
        const char *kept = stage->steps[n].where;
        stage->steps[n].where = hostile;
        cr_expect(is_refused(plan, arena, &why), "where of step %zu", n + 1);
        stage->steps[n].where = kept;
        const char *const *argv = stage->steps[n].argv;
        stage->steps[n].argv = (const char *const[]){"redis-cli", hostile, NULL};
        cr_expect(is_refused(plan, arena, &why), "argv of step %zu", n + 1);
        stage->steps[n].argv = argv;
    }
    evidence_close(evidence);
    arena_free(arena);
}
