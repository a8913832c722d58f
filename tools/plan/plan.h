/* Step 4: ordered, guarded, rehearsed steps. A plan is data; nothing here or elsewhere in rcf executes it.
 *
 * A plan is a list of stages (stage.h). The maker of a goal makes each on a scene (scene.h); the rehearsal applies
 * all steps to a model of every instance (model.h), refuses one whose precondition does not hold there, and runs
 * the same checks again on the outcome. A plan that fails its rehearsal is not given out.
 */
#ifndef RCF_PLAN_H
#define RCF_PLAN_H

#include "tools/plan/scene.h"

enum plan_outcome {
    PLAN_READY,
    PLAN_NOTHING,    /* nothing to do: why says so */
    PLAN_REFUSED,    /* why, with details and a hint */
    PLAN_IMPOSSIBLE, /* the question cannot be answered: unknown node, unreadable evidence */
};

/* Of a goal whose operands are all nodes: the case is an option. */
#define PLAN_ALL_OPERANDS SIZE_MAX

enum plan_goal {
#define GOAL(id, word, operands, maker) GOAL_##id,
#include "tools/plan/goals.def"
#undef GOAL
    GOALS
};

/* What the user asks for. */
struct plan_wish {
    enum plan_goal goal;
    char *const *operands; /* nodes and addresses as named, as many as goals.def says */
    size_t operand_count;
    enum plan_life { LIFE_BY_EVIDENCE, LIFE_RUNNING, LIFE_DOWN } life; /* whether the node runs, as the user says */
    bool rescue;           /* keys that exist only on the node are to be carried to the owners of their slots */
    uint64_t accepted_loss; /* keys that exist nowhere else and are given up, of the whole plan; 0: none */
    char *const *missing_ok; /* names of members whose files may be missing */
    size_t missing_ok_count;
    const char *from, *to, *slots; /* of a reshard, as given; else NULL */
    uint64_t replicas; /* of each primary that is created */
};

struct plan {
    enum plan_outcome outcome;
    enum plan_goal goal;
    const char *why;             /* PLAN_NOTHING, PLAN_REFUSED, PLAN_IMPOSSIBLE: one sentence */
    const char *const *details;  /* lines behind it */
    size_t detail_count;
    const char *hint;
    const struct evidence *evidence; /* the case, with instances that are assumed */
    const struct cluster *cluster;   /* that the first stage is about, as the case shows it; NULL when there is none */
    const char *target_name, *target_id; /* of a goal about one node; NULL else, or when not known */
    enum plan_dialect dialect;
    char fingerprint[17];        /* 16 hex digits */
    const char *void_if;
    const char *const *missing;  /* names of members whose files are missing */
    size_t missing_count;
    struct stage **stages;
    size_t stage_count, stage_cap;
    const struct stage *stopped; /* the stage at which the plan was stopped, not made to its end; or NULL */
    /* The rehearsal: findings about the subjects of the stages before and after; about others, those that stay and
     * those that would be new. */
    enum finding_id *before, *after, *unchanged, *fresh;
    size_t before_count, after_count, unchanged_count, fresh_count;
};

/* The goal `repair` has a remedy for it, which may still be refused for the case. */
bool plan_repairs(enum finding_id finding);

/* Makes and rehearses a plan. Everything lives in `arena`. NULL without memory. */
struct plan *plan_make(const struct evidence *evidence, const struct plan_wish *wish, struct arena *arena);

/* Applies all steps to a model of the case. True when each step's needs are met, no server refuses one, and
 * afterwards no finding that a stage addresses remains, no error is new and no member has lost a key; else `why`
 * names the step or the finding. Fills the lists of findings. */
bool plan_rehearse(struct plan *plan, struct arena *arena, const char **why);

/* Every stage is guarded. A plan for which this is false is refused by every renderer. */
bool plan_guarded(const struct plan *plan, const char **why);

/* Stages of this kind are there to end the finding (addressed.def); may bring it about (consequences.def). */
bool plan_addresses(enum stage_kind kind, enum finding_id id);
bool plan_leaves(enum stage_kind kind, enum finding_id id);

/* The number of steps of all stages. */
size_t plan_steps(const struct plan *plan);

/* "rejoin", and back: GOALS when there is no such goal; how many nodes or addresses it takes. */
const char *plan_goal_word(enum plan_goal goal);
enum plan_goal plan_goal_by_word(const char *word);
size_t plan_goal_operands(enum plan_goal goal);

#endif
