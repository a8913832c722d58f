/* Every instance as a running server, on which steps have the effect that they would have, refusals included.
 *
 * The model is a copy of the evidence whose instances are its own: after some steps it can be judged by the same
 * checks as the case. Effects are in effects_*.c by subject, one for each action that changes or proves something.
 */
#ifndef RCF_PLAN_MODEL_H
#define RCF_PLAN_MODEL_H

#include "tools/plan/stage.h"

/* One server. What is in its memory is taken from its dump, and changes apart from it. */
struct process {
    bool running;
    const uint32_t *keys;      /* in memory, by slot; NULL: none */
    uint64_t memory_keys;      /* their sum, keys of unknown slots included */
    uint64_t memory_functions;
    uint64_t dump_keys;        /* that a start would bring back from the dump */
    uint64_t aof_keys;         /* ... and from the AOF: 1 until it has been rewritten, since it may hold some */
    bool joined;               /* by a step */
    bool in_step;              /* a step has shown that it holds what its primary holds */
    bool proved_blank;         /* a step has shown that it is empty and knows nobody */
};

struct model {
    struct evidence evidence;  /* instances and files are the model's own */
    struct process *processes; /* one for each instance */
    struct arena *arena;
};

/* The model of a case. False without memory. */
bool model_of(const struct evidence *evidence, struct arena *arena, struct model *model);

/* An instance that the case holds no files of, known by its address alone; its number, or SIZE_MAX without memory. */
size_t model_assume(struct model *model, const char *ip, uint16_t port);

/* Applies the steps of a stage; NULL, or why a server would refuse one of them, or why the stage has missed its aim. */
const char *model_play(struct model *model, const struct stage *stage);

/* ------------------------------------------------------------------ for effects */

/* What an action does to the model: NULL, or what the server would answer. Actions without a row change nothing. */
struct effect {
    const char *(*apply)(struct model *model, const struct stage *stage, const struct step *step);
    bool needs_running; /* the instance of `step->on` */
};

/* One table for each subject; an action has a row in one of them at most. */
extern const struct effect effects_data[ACTIONS];       /* memory and disk of one server */
extern const struct effect effects_membership[ACTIONS]; /* who knows whom */
extern const struct effect effects_replication[ACTIONS]; /* who follows whom */
extern const struct effect effects_slots[ACTIONS];      /* who serves which slots */
extern const struct effect effects_create[ACTIONS];     /* a cluster from empty servers */
extern const struct effect effects_return[ACTIONS];     /* members that come back, and agree */

#define MODEL_NO_MEMORY "out of memory"

struct instance *model_instance(struct model *model, size_t number);

/* The number of the subject's id, or NO_NODE. */
uint32_t model_subject(const struct model *model, const struct stage *stage);

/* A copy of a view (NULL: an empty one) with room for `extra` more lines. NULL without memory. */
struct view *model_copy_view(struct model *model, const struct view *view, size_t extra);

/* Makes a view that of an instance. False without memory. */
bool model_set_view(struct model *model, size_t instance, struct view *view);

/* Adds a line to a view that has room. False without memory. */
bool model_add_sighting(struct model *model, struct view *view, const struct entry *draft, int64_t pong_ms, bool own);

/* Lets an instance forget a node. False without memory. */
bool model_drop_node(struct model *model, size_t instance, uint32_t node);

/* Changes what an instance's view says about a node; one that has not saved the node yet lists it from now on. False
 * without memory. */
bool model_change_entry(struct model *model, size_t instance, const struct entry *draft, int64_t pong_ms);

/* An entry like `entry` with exactly the slots of `has`. False without memory. */
bool model_with_slots(struct model *model, const struct entry *entry, const bool *has, struct entry *draft);

/* The highest currentEpoch in a view of the core. */
uint64_t model_highest_epoch(const struct model *model, const struct cluster *cluster);

/* Raises the currentEpoch of an instance's view. False without memory. */
bool model_raise_epoch(struct model *model, size_t instance, uint64_t epoch);

/* Gives an instance that has no view the one that a new server writes: itself under a new id. False without memory. */
bool model_born(struct model *model, size_t instance);

/* The instance knows nobody but itself. */
bool model_knows_nobody(const struct model *model, size_t instance);

/* Memory is on disk, as after SAVE. False without memory. */
bool model_save(struct model *model, size_t instance);

#endif
