/* Stages and their steps: one remedy about one subject, and what it establishes about it.
 *
 * Facts are scoped to a stage: what one stage has verified about its node says nothing about another's. A step is
 * data for four readers: the guard (facts), the rehearsal (action, on, peer, slots), a person (where, argv, expect,
 * undo) and the script (action, bindings). Tables keyed by action hold what each of them does with it.
 */
#ifndef RCF_PLAN_STAGE_H
#define RCF_PLAN_STAGE_H

#include "tools/cluster/copies.h"
#include "tools/cluster/start.h"
#include "tools/plan/binding.h"
#include "tools/plan/slot_set.h"

enum step_kind { STEP_VERIFY, STEP_KEEP, STEP_CHANGE, STEP_DESTROY, STEP_WAIT };

/* A fact has a bit of a stage's 64; facts.def says what each means. */
enum fact {
#define FACT_ROW(id, text) FACT_##id,
#include "tools/plan/facts.def"
#undef FACT_ROW
    FACTS
};
#define FACT(id) (UINT64_C(1) << FACT_##id)

enum action {
#define ACTION(id, kind, needs, gives, name) ACTION_##id,
#include "tools/plan/actions.def"
#undef ACTION
    ACTIONS
};

enum stage_kind {
#define STAGE(id, word, needs) STAGE_##id,
#include "tools/plan/stages.def"
#undef STAGE
    STAGES
};

/* Where a step runs. */
enum step_place {
    PLACE_NODE,          /* the server of `on` */
    PLACE_HOST,          /* a command on the host of `on` */
    PLACE_EVERY,         /* every member */
    PLACE_EVERY_LISTING, /* every member that lists the subject */
    PLACE_HERE,
};

struct step {
    enum action action;
    enum step_kind kind;
    enum step_place place;
    const char *where;            /* the place in words: "127.0.0.6:7002", "host 127.0.0.6", "every member" */
    size_t on;                    /* the instance that it runs on or is about, or SIZE_MAX */
    size_t peer;                  /* the other one: primary to follow, source of slots; or SIZE_MAX */
    const struct slot_set *slots; /* or NULL */
    const char *const *argv;      /* what a person would type; NULL-terminated */
    const char *expect;           /* the result to expect, in words */
    const char *answers;          /* the finding that it answers, or NULL */
    const char *undo;             /* how to undo it, or NULL: nothing to undo */
    const struct binding *bindings; /* of this step alone */
    size_t binding_count;
};

/* An instance as a stage finds it: who it is, what lies on its disk. */
struct target {
    size_t instance;   /* SIZE_MAX: the stage is about no single one */
    const char *name;  /* ip:port */
    const char *ip;
    uint16_t port;
    const char *host;  /* what it is lost together with, where commands on files run */
    const char *id;    /* NULL when unknown */
    bool replica;      /* by its own view */
    const char *follows; /* id of the primary that it replicates by the cluster's word, where that matters; or NULL */
    bool listed;       /* at least one member lists its id */
    bool down;         /* it does not run, by the evidence or by the user's word */
    bool assumed;      /* the case holds no file of it */
    bool empties;      /* it has to be emptied first */
    bool aof;          /* its AOF has to be rewritten too */
    bool aof_certain;  /* it runs with an AOF; else aof_name may not exist */
    uint64_t db0_keys; /* that its dump holds, and its memory should */
    uint64_t functions;
    const char *config_file, *dump_file; /* names of its nodes.conf and dump on its host; the dump's NULL without one */
    const char *dump_name;   /* the same, else what its redis.conf calls the dump */
    const char *dump_sha256; /* of the dump on its host, NULL without one or when it was compressed since */
    const char *folder;      /* where its files lie on its host, by its redis.conf; NULL when that does not say */
    const char *aof_name;    /* of its append-only directory or file, NULL when that is not to be rewritten */
};

struct stage {
    enum stage_kind kind;
    const char *headline;
    const char *reason;  /* why it stands here in the order; NULL in a plan of one stage */
    const char *answers; /* the finding that it answers, or NULL */
    struct target target;
    const struct cluster *cluster; /* as it is when the stage begins */
    const char *entry;   /* the member that the tools are sent to, ip:port; NULL when none is needed */
    const char *primary_id; /* of the primary that the subject is to follow, or NULL */
    /* Who lists the subject, besides members and slots what the stage rests on: "listed" by every member,
     * "half-listed", "unlisted"; NULL: does not matter. */
    const char *premise;
    /* Where the servers' own tool would have put what is placed here; NULL where it places nothing. */
    const char *tool;
    const char *content; /* what is destroyed and why that loses nothing, in a sentence */
    const struct copies *copies;   /* where else the keys exist that it destroys; NULL when it destroys none */
    uint64_t given_up;   /* keys of them that exist nowhere else, and that the user gives up */
    const struct start *start;
    uint64_t given;      /* facts that hold without a step, because there is nothing to do for them */
    uint64_t needs;      /* facts that it must establish besides those of its kind */
    const size_t *founders; /* CREATE: the instances that become the cluster, in the order of their epochs */
    size_t founder_count;
    const size_t *follows;  /* ... and for each the number of its primary among them; its own for a primary */
    struct binding *bindings;
    size_t binding_count, binding_cap;
    struct step *steps;
    size_t step_count, step_cap;
};

/* What actions.def says of an action. */
uint64_t action_needs(enum action action);
uint64_t action_gives(enum action action);
const char *action_name(enum action action);
enum step_kind action_kind(enum action action);
const char *step_kind_word(enum step_kind kind);
const char *stage_word(enum stage_kind kind);

/* Each step finds the facts that it needs among those given before, and the stage has all of its own at the end. `why`
 * says what is not established. */
bool stage_guarded(const struct stage *stage, const char **why);

/* Gives the script a value. False without memory. */
bool stage_bind(struct stage *stage, struct arena *arena, const char *name, enum binding_form form, const char *value,
                bool optional);

/* Adds a step at the end, without words; NULL without memory. */
struct step *stage_add(struct stage *stage, struct arena *arena, enum action action);

#endif
