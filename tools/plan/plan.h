/* Step 4: ordered, guarded, rehearsed steps. A plan is data; nothing here or elsewhere in rcf executes it.
 *
 * The makers (rejoin.c, remove.c) put steps in order; rehearse.c applies each step to a model of every instance, refuses
 * a step whose precondition does not hold there, and runs the same checks again on the outcome. A plan that fails its
 * rehearsal is not given out.
 */
#ifndef RCF_PLAN_H
#define RCF_PLAN_H

#include "tools/cluster/copies.h"
#include "tools/cluster/start.h"
#include "tools/findings/findings.h"

enum step_kind { STEP_VERIFY, STEP_KEEP, STEP_CHANGE, STEP_DESTROY, STEP_WAIT };

/* What a step does, for the rehearsal and for the renderers; tools/plan/actions.def has a row for each. */
enum action {
#define ACTION(id, kind, needs, gives, name) ACTION_##id,
#include "tools/plan/actions.def"
#undef ACTION
    ACTIONS
};

/* What has been established so far: an action needs some of these and gives others. */
enum fact {
    FACT_MEMBERS = 1 << 0,      /* member ids and slot owners are those of the fingerprint */
    FACT_IDENTITY = 1 << 1,     /* the target is the id that the plan is about */
    FACT_CONTENT = 1 << 2,      /* role, replicas, keys and unsaved changes of the target are as in the evidence */
    FACT_KEPT = 1 << 3,         /* copies of its files exist */
    FACT_NO_KEYS = 1 << 4,      /* its memory holds no keys */
    FACT_NO_FUNCTIONS = 1 << 5, /* and no functions */
    FACT_RESET = 1 << 6,        /* it knows nobody and has a new id */
    FACT_DUMP_EMPTY = 1 << 7,   /* the dump on disk holds no keys */
    FACT_AOF_STARTED = 1 << 8,
    FACT_AOF_EMPTY = 1 << 9,    /* and neither does the AOF */
    FACT_PROVED_EMPTY = 1 << 10, /* shown by the server itself */
    FACT_STOPPED = 1 << 11,     /* the target does not run */
    FACT_ASIDE = 1 << 12,       /* its nodes.conf has been moved aside */
    FACT_GONE = 1 << 13,        /* nobody answers to the old id: the target was reset or stopped */
    FACT_FORGOTTEN = 1 << 14,   /* no member lists the old id */
    FACT_WAITED = 1 << 15,      /* longer than the ban of CLUSTER FORGET */
    FACT_STAYED_FORGOTTEN = 1 << 16, /* and still no member lists it */
    FACT_ADDED = 1 << 17,
    FACT_JOINED = 1 << 18,      /* every member lists the new id */
};

struct step {
    enum action action;
    enum step_kind kind;
    const char *where;       /* "127.0.0.6:7002", "host 127.0.0.6", "every member" */
    size_t node;             /* index of the node that it runs on in plan.cluster, or SIZE_MAX */
    const char *const *argv; /* what a person would type; NULL-terminated */
    const char *expect;      /* the result to expect, in words */
    const char *answers;     /* the finding that it answers, or NULL */
    const char *undo;        /* how to undo it, or NULL: nothing to undo */
};

enum plan_outcome {
    PLAN_READY,
    PLAN_NOTHING,  /* nothing to do: why says so */
    PLAN_REFUSED,  /* why, with details and a hint */
    PLAN_IMPOSSIBLE, /* the question cannot be answered: unknown node, unreadable evidence */
};

enum plan_goal { GOAL_REJOIN, GOAL_REMOVE };

struct plan_wish {
    enum plan_goal goal;
    size_t target; /* instance number */
    const char *target_text;
    bool has_accepted_loss;
    uint64_t accepted_loss;
    char *const *missing_ok; /* names of members whose files may be missing */
    size_t missing_ok_count;
};

struct plan {
    enum plan_outcome outcome;
    enum plan_goal goal;
    const char *why;             /* PLAN_NOTHING, PLAN_REFUSED, PLAN_IMPOSSIBLE: one sentence */
    const char *const *details;  /* lines behind it */
    size_t detail_count;
    const char *hint;
    const struct evidence *evidence;
    const struct clusters *clusters;
    const struct cluster *cluster;
    size_t target;               /* instance number */
    const char *target_name, *target_id, *target_host; /* id NULL when unknown */
    bool target_replica;
    uint16_t target_port;
    const char *target_ip;
    const char *headline;
    const char *content;         /* what is destroyed and why that loses nothing, in a sentence */
    char fingerprint[17];        /* 16 hex digits */
    const char *void_if;
    const struct copies *copies;
    const struct start *start;
    uint64_t destroys_keys;
    const char *const *missing;  /* names of members whose files are missing */
    size_t missing_count;
    struct step *steps;
    size_t step_count, step_cap;
    uint32_t ban_wait_s;         /* ban of CLUSTER FORGET and two node timeouts */
    enum plan_dialect { DIALECT_TRIB, DIALECT_REDIS_CLI, DIALECT_VALKEY_CLI } dialect;
    const char *entry;           /* the member that add-node is sent to, ip:port */
    const char *primary_id;      /* of the primary that the target is to replicate, or NULL */
    const char *answers;         /* the finding that the plan answers, or NULL */
    uint64_t db0_keys;           /* that its dump holds, and its memory should */
    const char *config_file, *dump_file; /* names of the target's nodes.conf and dump on its host */
    const char *dump_sha256;     /* of the dump on its host, NULL without one or when it was compressed since */
    const char *aof_name;        /* of its append-only directory or file on its host, NULL when that is not to be rewritten */
    bool aof_certain;            /* it runs with an AOF; else aof_name may not exist */
    bool aof;                    /* its AOF has to be rewritten too */
    uint64_t functions;
    bool empties;                /* the target has to be emptied and reset first */
    bool listed;                 /* at least one member still lists the target's id */
    unsigned given;              /* facts that hold without a step, because there is nothing to do for them */
    enum finding_id *before, *after; /* about the target, in the rehearsal */
    size_t before_count, after_count;
};

/* Makes and rehearses a plan. Everything lives in `arena`. NULL without memory. */
struct plan *plan_make(const struct evidence *evidence, const struct clusters *clusters, const struct plan_wish *wish,
                       struct arena *arena);

/* Applies the steps to a model. True when each step's needs are met, and afterwards no finding that the goal addresses
 * remains, none is new and no member has lost a key; else `why` names the step or the finding. Fills before and after. */
bool plan_rehearse(struct plan *plan, struct arena *arena, const char **why);

/* True when each step finds the facts that it needs among those given before, and the goal finds its own at the end. A
 * plan for which this is false is refused by every renderer. */
bool plan_guarded(const struct plan *plan, const char **why);

/* Adds a step at the end; argv is copied. NULL without memory. */
struct step *plan_step(struct plan *plan, struct arena *arena, enum action action, const char *where,
                       const char *const *argv);

/* Adds a step with its words for this plan's target. False without memory. */
bool plan_add(struct plan *plan, struct arena *arena, enum action action);

/* The two goals: put the steps in order for an examined target. False without memory. */
bool plan_rejoin(struct plan *plan, struct arena *arena);
bool plan_remove(struct plan *plan, struct arena *arena);

/* The fact bits that an action needs and gives; its name for machines. */
unsigned action_needs(enum action action);
unsigned action_gives(enum action action);
const char *action_name(enum action action);
enum step_kind action_kind(enum action action);
const char *step_kind_word(enum step_kind kind);
const char *plan_goal_word(enum plan_goal goal);

#endif
