/* Rehearsals: a plan holds as it is, and fails when a step is taken out or two that depend on each other are swapped. */
#include <criterion/criterion.h>
#include <string.h>

#include "tools/plan/plan.h"

struct trial {
    struct arena *arena;
    struct evidence *evidence;
    struct clusters *clusters;
    struct plan *plan;
};

static struct trial begin(const char *path, const char *node, enum plan_goal goal)
{
    struct trial trial = {.arena = arena_new()};
    char *paths[] = {(char *)(uintptr_t)path, NULL};
    const struct evidence_options how = {0};
    const char *why = "";
    trial.evidence = evidence_open(paths, 1, &how);
    cr_assert(trial.evidence && !trial.evidence->problem, "%s", path);
    trial.clusters = clusters_build(trial.evidence, trial.arena);
    struct plan_wish wish = {.goal = goal, .target = evidence_instance(trial.evidence, node, &why), .target_text = node};
    cr_assert_neq(wish.target, SIZE_MAX, "%s: %s", node, why);
    trial.plan = plan_make(trial.evidence, trial.clusters, &wish, trial.arena);
    cr_assert_not_null(trial.plan);
    return trial;
}

static void end(struct trial *trial)
{
    evidence_close(trial->evidence);
    arena_free(trial->arena);
}

static const struct {
    const char *path, *node;
    enum plan_goal goal;
} cases[] = {
    {"fixtures/story-redis-4.0.1/06-stale-restarted", "127.0.0.6:7002", GOAL_REJOIN},
    {"fixtures/story-redis-7.0.15/05-deleted", "127.0.4.6:7002", GOAL_REJOIN},
    {"fixtures/story-valkey-8.0.1/06-stale-restarted", "127.0.4.6:7002", GOAL_REJOIN},
    {"fixtures/incidents-redis-7.0.15/replica-removed", "127.0.14.8:9001", GOAL_REJOIN},
    {"fixtures/incidents-redis-7.0.15/half-forgotten", "127.0.14.6:7002", GOAL_REJOIN},
    {"fixtures/story-redis-4.0.1/06-stale-restarted", "127.0.0.6:7002", GOAL_REMOVE},
    {"fixtures/incidents-redis-7.0.15/half-forgotten", "127.0.14.6:7002", GOAL_REMOVE},
};

static void without(struct trial *trial, size_t step)
{
    const char *why = NULL;
    struct plan plan = *trial->plan;
    struct step *steps = arena_array(trial->arena, plan.step_count, sizeof(*steps));
    memcpy(steps, plan.steps, step * sizeof(*steps));
    memcpy(steps + step, plan.steps + step + 1, (plan.step_count - step - 1) * sizeof(*steps));
    plan.steps = steps;
    plan.step_count--;
    cr_expect_not(plan_rehearse(&plan, trial->arena, &why), "a rehearsal without step %zu, %s, holds", step + 1,
                  action_name(trial->plan->steps[step].action));
    cr_expect_not_null(why);
}

static bool depends(enum action later, enum action earlier)
{
    return action_needs(later) & action_gives(earlier);
}

static void swapped(struct trial *trial, size_t a, size_t b)
{
    const char *why = NULL;
    struct plan plan = *trial->plan;
    struct step *steps = arena_array(trial->arena, plan.step_count, sizeof(*steps));
    memcpy(steps, plan.steps, plan.step_count * sizeof(*steps));
    steps[a] = plan.steps[b];
    steps[b] = plan.steps[a];
    plan.steps = steps;
    cr_expect_not(plan_rehearse(&plan, trial->arena, &why), "a rehearsal with %s and %s swapped holds",
                  action_name(trial->plan->steps[a].action), action_name(trial->plan->steps[b].action));
}

Test(plan, rehearsal_fails_without_any_step)
{
    for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
        struct trial trial = begin(cases[c].path, cases[c].node, cases[c].goal);
        const char *why = NULL;
        cr_assert_eq(trial.plan->outcome, PLAN_READY, "%s: %s", cases[c].path, trial.plan->why);
        cr_expect(plan_rehearse(trial.plan, trial.arena, &why), "%s: %s", cases[c].path, why);
        for (size_t s = 0; s < trial.plan->step_count; s++)
            without(&trial, s);
        end(&trial);
    }
}

Test(plan, rehearsal_fails_with_dependent_steps_swapped)
{
    for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
        struct trial trial = begin(cases[c].path, cases[c].node, cases[c].goal);
        for (size_t a = 0; a < trial.plan->step_count; a++)
            for (size_t b = a + 1; b < trial.plan->step_count; b++)
                if (depends(trial.plan->steps[b].action, trial.plan->steps[a].action))
                    swapped(&trial, a, b);
        end(&trial);
    }
}

Test(plan, order_of_the_main_job)
{
    static const enum action expected[] = {ACTION_FLUSH_ALL, ACTION_RESET, ACTION_SAVE, ACTION_VERIFY_EMPTY, ACTION_ADD_NODE};
    struct trial trial = begin("fixtures/story-redis-4.0.1/06-stale-restarted", "b9ff0e9b", GOAL_REJOIN);
    size_t next = 0;
    for (size_t s = 0; s < trial.plan->step_count; s++)
        next += next < 5 && trial.plan->steps[s].action == expected[next];
    cr_expect_eq(next, 5);
    cr_expect_eq(trial.plan->dialect, DIALECT_TRIB);
    cr_expect_eq(trial.plan->before_count, 1);
    cr_expect_eq(trial.plan->after_count, 0);
    end(&trial);
}

Test(plan, keys_that_exist_only_here_are_not_given_up)
{
    struct trial trial = begin("fixtures/incidents-redis-7.0.15/dirty-removed", "127.0.31.6:7002", GOAL_REJOIN);
    cr_expect_eq(trial.plan->outcome, PLAN_REFUSED);
    cr_expect_eq(trial.plan->copies->only_here, 3);
    struct plan_wish wish = {.goal = GOAL_REJOIN, .target = trial.plan->target, .target_text = "", .has_accepted_loss = true};
    for (wish.accepted_loss = 0; wish.accepted_loss < 5; wish.accepted_loss++) {
        struct plan *plan = plan_make(trial.evidence, trial.clusters, &wish, trial.arena);
        cr_expect_eq(plan->outcome, wish.accepted_loss == 3 ? PLAN_READY : PLAN_REFUSED, "--accept-loss=%u", (unsigned)wish.accepted_loss);
    }
    end(&trial);
}

Test(plan, nothing_to_do_for_a_member)
{
    struct trial trial = begin("fixtures/story-redis-4.0.1/08-rebuilt", "127.0.0.6:7002", GOAL_REJOIN);
    cr_expect_eq(trial.plan->outcome, PLAN_NOTHING);
    end(&trial);
}

Test(plan, a_member_with_slots_is_not_removed)
{
    struct trial trial = begin("fixtures/story-redis-4.0.1/08-rebuilt", "127.0.0.6:7000", GOAL_REMOVE);
    cr_expect_eq(trial.plan->outcome, PLAN_REFUSED);
    cr_expect_not_null(strstr(trial.plan->why, "is not empty! Reshard data away and try again"));
    end(&trial);
}

Test(plan, fingerprint_moves_with_the_evidence)
{
    struct trial one = begin("fixtures/story-redis-4.0.1/06-stale-restarted", "127.0.0.6:7002", GOAL_REJOIN);
    struct trial two = begin("fixtures/story-redis-4.0.1/06-stale-restarted", "127.0.0.6:7002", GOAL_REJOIN);
    struct trial other = begin("fixtures/story-redis-4.0.1/05-deleted", "127.0.0.6:7002", GOAL_REJOIN);
    cr_expect_str_eq(one.plan->fingerprint, two.plan->fingerprint);
    cr_expect_str_neq(one.plan->fingerprint, other.plan->fingerprint);
    end(&one);
    end(&two);
    end(&other);
}
