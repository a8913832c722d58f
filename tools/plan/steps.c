#include <string.h>

#include "tools/plan/plan.h"

static const struct {
    enum step_kind kind;
    unsigned needs, gives;
    const char *name;
} actions[ACTIONS] = {
#define ACTION(id, kind, needs, gives, name) [ACTION_##id] = {kind, needs, gives, name},
#include "tools/plan/actions.def"
#undef ACTION
};

/* What must have been established when a plan ends. */
static const struct {
    const char *word;
    unsigned needs;
} goals[] = {
    [GOAL_REJOIN] = {"rejoin", FACT_JOINED | FACT_PROVED_EMPTY | FACT_STAYED_FORGOTTEN},
    [GOAL_REMOVE] = {"remove", FACT_STOPPED | FACT_ASIDE | FACT_STAYED_FORGOTTEN},
};

static const struct {
    unsigned fact;
    const char *text;
} texts[] = {
    {FACT_MEMBERS, "that members and slot owners are as in the fingerprint"},
    {FACT_IDENTITY, "that the target is the node that the plan is about"},
    {FACT_CONTENT, "that role, replicas and keys of the target are as in the evidence"},
    {FACT_KEPT, "that copies of its files are kept"},
    {FACT_NO_KEYS, "that its memory holds no keys"},
    {FACT_NO_FUNCTIONS, "that its memory holds no functions"},
    {FACT_RESET, "that it was reset"},
    {FACT_DUMP_EMPTY, "that its dump holds no keys"},
    {FACT_AOF_STARTED, "that its AOF is being rewritten"},
    {FACT_AOF_EMPTY, "that its AOF holds no keys"},
    {FACT_PROVED_EMPTY, "the server's own word that it is empty"},
    {FACT_STOPPED, "that it does not run"},
    {FACT_ASIDE, "that its nodes.conf was moved aside"},
    {FACT_GONE, "that nobody answers to the old id"},
    {FACT_FORGOTTEN, "that no member lists the old id"},
    {FACT_WAITED, "that the ban has ended"},
    {FACT_STAYED_FORGOTTEN, "that no member lists the old id after the ban"},
    {FACT_ADDED, "that it was added"},
    {FACT_JOINED, "that every member lists it"},
};

unsigned action_needs(enum action action)
{
    return actions[action].needs;
}

unsigned action_gives(enum action action)
{
    return actions[action].gives;
}

const char *action_name(enum action action)
{
    return actions[action].name;
}

enum step_kind action_kind(enum action action)
{
    return actions[action].kind;
}

const char *step_kind_word(enum step_kind kind)
{
    static const char *const words[] = {"verify", "keep", "change", "destroy", "wait"};
    return words[kind];
}

const char *plan_goal_word(enum plan_goal goal)
{
    return goals[goal].word;
}

static const char *first_text(unsigned facts)
{
    for (size_t t = 0; t < sizeof(texts) / sizeof(texts[0]); t++)
        if (facts & texts[t].fact)
            return texts[t].text;
    return "nothing";
}

/* What the goal needs of this plan's target besides: its disk, its AOF, its functions. */
static unsigned goal_needs(const struct plan *plan)
{
    unsigned needs = goals[plan->goal].needs;
    if (plan->goal == GOAL_REJOIN && plan->empties) {
        needs |= FACT_DUMP_EMPTY;
        if (plan->aof)
            needs |= FACT_AOF_EMPTY;
        if (plan->functions)
            needs |= FACT_NO_FUNCTIONS;
    }
    return needs;
}

bool plan_guarded(const struct plan *plan, const char **why)
{
    unsigned facts = plan->given;
    for (size_t s = 0; s < plan->step_count; s++) {
        unsigned lacking = actions[plan->steps[s].action].needs & ~facts;
        if (lacking) {
            *why = first_text(lacking);
            return false;
        }
        facts |= actions[plan->steps[s].action].gives;
    }
    unsigned lacking = goal_needs(plan) & ~facts;
    if (lacking)
        *why = first_text(lacking);
    return !lacking;
}

struct step *plan_step(struct plan *plan, struct arena *arena, enum action action, const char *where, const char *const *argv)
{
    struct step *steps = arena_grow(arena, plan->steps, plan->step_count, &plan->step_cap, sizeof(*steps));
    size_t words = 0;
    while (argv[words])
        words++;
    const char **copy = arena_array(arena, words + 1, sizeof(*copy));
    if (!steps || !copy)
        return NULL;
    for (size_t w = 0; w < words; w++)
        copy[w] = argv[w];
    plan->steps = steps;
    struct step *step = &steps[plan->step_count++];
    *step = (struct step){.action = action, .kind = actions[action].kind, .where = where, .node = SIZE_MAX, .argv = copy,
                          .expect = ""};
    return step;
}
