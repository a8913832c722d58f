/* Rehearsals: a plan holds as it is, and fails when a step is taken out or two that depend on each other are
 * swapped. */
#include <criterion/criterion.h>
#include <string.h>

#include "tools/plan/plan.h"

struct trial {
    struct arena *arena;
    struct evidence *evidence;
    struct plan *plan;
};

/* A goal on a case: which nodes, and what the user says besides. */
struct asked {
    const char *path, *node;
    enum plan_goal goal;
    const char *other;
    enum plan_life life;
    bool rescue;
    char *missing_ok;
    const char *from, *to, *slots;
};

static char founder[][16] = {"127.0.1.1:7000", "127.0.1.1:7001", "127.0.1.2:7000",
                             "127.0.1.2:7001", "127.0.1.3:7000", "127.0.1.3:7001"};
static char *const founders[] = {founder[0], founder[1], founder[2], founder[3], founder[4], founder[5]};

static struct trial begin_asked(const struct asked *asked)
{
    struct trial trial = {.arena = arena_new()};
    char *paths[] = {(char *)(uintptr_t)asked->path, NULL};
    char *operands[] = {(char *)(uintptr_t)asked->node, (char *)(uintptr_t)asked->other, NULL};
    char *missing_ok[] = {asked->missing_ok, NULL};
    const struct evidence_options how = {0};
    bool create = asked->goal == GOAL_CREATE;
    trial.evidence = evidence_open(paths, !create, &how);
    cr_assert(trial.evidence && !trial.evidence->problem, "%s", asked->path);
    struct plan_wish wish = {.goal = asked->goal,
                             .operands = create ? founders : operands,
                             .operand_count =
                                 create ? sizeof(founders) / sizeof(founders[0]) : plan_goal_operands(asked->goal),
                             .replicas = create,
                             .from = asked->from,
                             .to = asked->to,
                             .slots = asked->slots,
                             .life = asked->life,
                             .rescue = asked->rescue,
                             .missing_ok = missing_ok,
                             .missing_ok_count = asked->missing_ok != NULL};
    trial.plan = plan_make(trial.evidence, &wish, trial.arena);
    cr_assert_not_null(trial.plan);
    return trial;
}

static struct trial begin(const char *path, const char *node, enum plan_goal goal)
{
    const struct asked asked = {.path = path, .node = node, .goal = goal};
    return begin_asked(&asked);
}

static void end(struct trial *trial)
{
    evidence_close(trial->evidence);
    arena_free(trial->arena);
}

static const struct asked cases[] = {
    {"fixtures/story-redis-4.0.1/06-stale-restarted", "127.0.0.6:7002", GOAL_REJOIN},
    {"fixtures/story-redis-7.0.15/05-deleted", "127.0.4.6:7002", GOAL_REJOIN},
    {"fixtures/story-valkey-8.0.1/06-stale-restarted", "127.0.4.6:7002", GOAL_REJOIN},
    {"fixtures/incidents-redis-7.0.15/replica-removed", "127.0.14.8:9001", GOAL_REJOIN},
    {"fixtures/incidents-valkey-8.1.1/removed-primary", "127.0.171.1:7002", GOAL_REJOIN, .life = LIFE_DOWN},
    {"fixtures/incidents-redis-7.0.15/half-forgotten", "127.0.14.6:7002", GOAL_REJOIN},
    {"fixtures/story-redis-4.0.1/06-stale-restarted", "127.0.0.6:7002", GOAL_REMOVE},
    {"fixtures/incidents-redis-7.0.15/half-forgotten", "127.0.14.6:7002", GOAL_REMOVE},
    {"fixtures/story-redis-7.0.15/08-rebuilt", "127.0.4.9:7000", GOAL_ADD},
    {"fixtures/story-redis-4.0.1/07-reset", "127.0.0.6:7002", GOAL_ADD},
    {"fixtures/story-redis-7.0.15/08-rebuilt", "127.0.4.8:9001", GOAL_REPLICATE, "127.0.4.7:8000"},
    {"fixtures/story-redis-7.0.15/04-emptied", "127.0.4.6:7002", GOAL_REPLICATE, "127.0.4.8:9000"},
    {"fixtures/incidents-redis-7.0.15/half-forgotten", "127.0.14.6:7002", GOAL_REMOVE, .life = LIFE_DOWN},
    {"fixtures/incidents-redis-7.0.15/half-forgotten", "127.0.14.6:7002", GOAL_REJOIN, .life = LIFE_DOWN},
    {"fixtures/incidents-redis-7.0.15/replica-removed", "127.0.14.8:9001", GOAL_REJOIN, .life = LIFE_DOWN},
    {"fixtures/incidents-redis-7.0.15/dirty-removed", "127.0.31.6:7002", GOAL_REJOIN, .rescue = true},
    {"fixtures/story-redis-7.0.15/10-recovered", NULL, GOAL_RESHARD, .from = "all", .to = "127.0.4.6:7002",
     .slots = "100"},
    {"fixtures/story-redis-4.0.1/10-recovered", NULL, GOAL_RESHARD, .from = "127.0.0.8:9000", .to = "127.0.0.6:7000",
     .slots = "11000-11010"},
    {"(no case)", NULL, GOAL_CREATE},
    {"fixtures/incidents-redis-7.0.15/open-slots", NULL, GOAL_REPAIR},
    {"fixtures/incidents-valkey-8.1.1/open-slots", NULL, GOAL_REPAIR}, /* replicas have the marks too */
    {"fixtures/incidents-redis-7.0.15/uncovered", NULL, GOAL_REPAIR},
    {"fixtures/made/uncovered-keys-on-two", NULL, GOAL_REPAIR}, /* one uncovered slot has keys on two primaries */
    {"fixtures/incidents-redis-7.0.15/half-forgotten", NULL, GOAL_REPAIR},
    {"fixtures/incidents-redis-7.0.15/split-brain", NULL, GOAL_REPAIR},
    {"fixtures/incidents-redis-7.0.15/cloned-id", NULL, GOAL_REPAIR},
    {"fixtures/incidents-redis-7.0.15/forgotten-master-with-replica", NULL, GOAL_REPAIR},
    {"fixtures/incidents-redis-7.0.15/merged-clusters/after", NULL, GOAL_REPAIR},
    {"fixtures/incidents-redis-7.0.15/dirty-removed", NULL, GOAL_REPAIR, .rescue = true},
    {"fixtures/incidents-redis-7.0.15/epoch-collision/before", NULL, GOAL_REPAIR},
    {"fixtures/story-redis-7.0.15/09-host-lost", NULL, GOAL_REPAIR},
    {"fixtures/incidents-valkey-8.1.1/dead-primary", NULL, GOAL_REPAIR},
};

/* The plan with other steps in one of its stages. */
static struct plan with_steps(struct trial *trial, size_t stage, struct step *steps, size_t count)
{
    struct plan plan = *trial->plan;
    plan.stages = arena_array(trial->arena, plan.stage_count, sizeof(struct stage *));
    memcpy(plan.stages, trial->plan->stages, plan.stage_count * sizeof(struct stage *));
    plan.stages[stage] = arena_alloc(trial->arena, sizeof(struct stage));
    *plan.stages[stage] = *trial->plan->stages[stage];
    plan.stages[stage]->steps = steps;
    plan.stages[stage]->step_count = count;
    return plan;
}

static void without(struct trial *trial, size_t stage, size_t step)
{
    const char *why = NULL;
    const struct stage *old = trial->plan->stages[stage];
    struct step *steps = arena_array(trial->arena, old->step_count, sizeof(*steps));
    memcpy(steps, old->steps, step * sizeof(*steps));
    memcpy(steps + step, old->steps + step + 1, (old->step_count - step - 1) * sizeof(*steps));
    struct plan plan = with_steps(trial, stage, steps, old->step_count - 1);
    cr_expect_not(plan_rehearse(&plan, trial->arena, &why), "a rehearsal without step %zu, %s, holds", step + 1,
                  action_name(old->steps[step].action));
    cr_expect_not_null(why);
}

static bool depends(enum action later, enum action earlier)
{
    return action_needs(later) & action_gives(earlier);
}

static void swapped(struct trial *trial, size_t stage, size_t a, size_t b)
{
    const char *why = NULL;
    const struct stage *old = trial->plan->stages[stage];
    struct step *steps = arena_array(trial->arena, old->step_count, sizeof(*steps));
    memcpy(steps, old->steps, old->step_count * sizeof(*steps));
    steps[a] = old->steps[b];
    steps[b] = old->steps[a];
    struct plan plan = with_steps(trial, stage, steps, old->step_count);
    cr_expect_not(plan_rehearse(&plan, trial->arena, &why), "a rehearsal with %s and %s swapped holds",
                  action_name(old->steps[a].action), action_name(old->steps[b].action));
}

Test(plan, rehearsal_fails_without_any_step)
{
    for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
        struct trial trial = begin_asked(&cases[c]);
        const char *why = NULL;
        cr_assert_eq(trial.plan->outcome, PLAN_READY, "%s: %s", cases[c].path, trial.plan->why);
        cr_expect(plan_rehearse(trial.plan, trial.arena, &why), "%s: %s", cases[c].path, why);
        for (size_t s = 0; s < trial.plan->stage_count; s++)
            for (size_t n = 0; n < trial.plan->stages[s]->step_count; n++)
                without(&trial, s, n);
        end(&trial);
    }
}

static void swap_all(struct trial *trial, size_t stage)
{
    const struct stage *old = trial->plan->stages[stage];
    for (size_t a = 0; a < old->step_count; a++)
        for (size_t b = a + 1; b < old->step_count; b++)
            if (depends(old->steps[b].action, old->steps[a].action))
                swapped(trial, stage, a, b);
}

Test(plan, rehearsal_fails_with_dependent_steps_swapped)
{
    for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
        struct trial trial = begin_asked(&cases[c]);
        for (size_t s = 0; s < trial.plan->stage_count; s++)
            swap_all(&trial, s);
        end(&trial);
    }
}

Test(plan, order_of_the_main_job)
{
    static const enum action expected[] = {ACTION_FLUSH_ALL, ACTION_RESET, ACTION_SAVE, ACTION_VERIFY_EMPTY,
                                           ACTION_ADD_NODE};
    struct trial trial = begin("fixtures/story-redis-4.0.1/06-stale-restarted", "b9ff0e9b", GOAL_REJOIN);
    size_t next = 0;
    cr_assert_eq(trial.plan->stage_count, 1);
    for (size_t s = 0; s < trial.plan->stages[0]->step_count; s++)
        next += next < 5 && trial.plan->stages[0]->steps[s].action == expected[next];
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
    cr_expect_eq(trial.plan->stopped->copies->only_here, 3);
    static char node[] = "127.0.31.6:7002";
    char *operands[] = {node, NULL};
    struct plan_wish wish = {.goal = GOAL_REJOIN, .operands = operands, .operand_count = 1};
    for (wish.accepted_loss = 0; wish.accepted_loss < 5; wish.accepted_loss++) {
        struct plan *plan = plan_make(trial.evidence, &wish, trial.arena);
        cr_expect_eq(plan->outcome, wish.accepted_loss == 3 ? PLAN_READY : PLAN_REFUSED, "--accept-loss=%u",
                     (unsigned)wish.accepted_loss);
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

/* ------------------------------------------------------------------ what is refused, and in which words */

Test(plan, refusals_of_servers_and_tools)
{
    static const struct {
        struct asked asked;
        enum plan_outcome outcome;
        const char *words;
    } refusals[] = {
        {{"fixtures/story-redis-4.0.1/06-stale-restarted", "127.0.0.6:7002", GOAL_ADD},
         PLAN_REFUSED,
         "is not empty. Either the node already knows"},
        {{"fixtures/story-redis-4.0.1/08-rebuilt", "127.0.0.6:7002", GOAL_ADD}, PLAN_NOTHING, "is a member already"},
        {{"fixtures/incidents-redis-7.0.15/half-forgotten", "127.0.14.6:7002", GOAL_ADD},
         PLAN_REFUSED,
         "have forgotten it"},
        {{"fixtures/incidents-redis-7.0.15/uncovered", "127.0.99.9:7000", GOAL_ADD},
         PLAN_REFUSED,
         "Not all 16384 slots are covered"},
        {{"fixtures/incidents-redis-7.0.15/open-slots", "127.0.99.9:7000", GOAL_ADD},
         PLAN_REFUSED,
         "migrating or importing state"},
        {{"fixtures/story-redis-4.0.1/08-rebuilt", "no address", GOAL_ADD}, PLAN_IMPOSSIBLE, "is no ip:port"},
        {{"fixtures/story-redis-7.0.15/08-rebuilt", "127.0.4.6:7000", GOAL_REPLICATE, "127.0.4.7:8000"},
         PLAN_REFUSED,
         "To set a master the node must be empty and without assigned slots."},
        {{"fixtures/story-redis-7.0.15/08-rebuilt", "127.0.4.8:9001", GOAL_REPLICATE, "127.0.4.8:9001"},
         PLAN_REFUSED,
         "Can't replicate myself"},
        {{"fixtures/story-redis-7.0.15/08-rebuilt", "127.0.4.8:9001", GOAL_REPLICATE, "127.0.4.7:8001"},
         PLAN_REFUSED,
         "I can only replicate a master, not a replica."},
        {{"fixtures/story-redis-4.0.1/08-rebuilt", "127.0.0.8:9001", GOAL_REPLICATE, "127.0.0.7:8001"},
         PLAN_REFUSED,
         "I can only replicate a master, not a slave."},
        {{"fixtures/story-redis-7.0.15/08-rebuilt", "127.0.4.8:9001", GOAL_REPLICATE, "127.0.4.1:1"},
         PLAN_REFUSED,
         "Unknown node 127.0.4.1:1"},
        {{"fixtures/story-redis-4.0.1/06-stale-restarted", "127.0.0.6:7002", GOAL_REPLICATE, "127.0.0.7:8000"},
         PLAN_REFUSED,
         "is no member"},
        {{"fixtures/incidents-redis-7.0.15/dirty-removed", "127.0.31.6:7002", GOAL_REJOIN, .life = LIFE_DOWN,
          .rescue = true},
         PLAN_REFUSED,
         "only a running server can hand out its keys"},
    };
    for (size_t r = 0; r < sizeof(refusals) / sizeof(refusals[0]); r++) {
        struct trial trial = begin_asked(&refusals[r].asked);
        cr_expect_eq(trial.plan->outcome, refusals[r].outcome, "%s: %s", refusals[r].words, trial.plan->why);
        cr_expect(trial.plan->why && strstr(trial.plan->why, refusals[r].words), "%s: %s", refusals[r].words,
                  trial.plan->why);
        end(&trial);
    }
}
