/* The workshop of the goals' makers: a plan in the making, the scene that its next stage is made on, and what
 * several goals ask and refuse in the same way. Private to tools/plan. */
#ifndef RCF_PLAN_MAKING_H
#define RCF_PLAN_MAKING_H

#include "tools/cluster/membership.h"
#include "tools/plan/plan.h"

struct making {
    struct plan *plan;
    const struct plan_wish *wish;
    struct model *model;
    struct scene *scene;
    struct stage *stage; /* the one that is being made */
    struct arena *arena;
};

/* ------------------------------------------------------------------ goals */

/* Each looks at the wish, makes stages, and says false when the plan has been stopped. */
#define GOAL(id, word, operands, maker) bool maker(struct making *m);
#include "tools/plan/goals.def"
#undef GOAL

/* ------------------------------------------------------------------ remedies: one stage about an instance
 *
 * True when m->stage has been made and added to the plan; false when it was stopped with outcome, why and hint. */
bool make_rejoin_stage(struct making *m, size_t instance);
bool make_remove_stage(struct making *m, size_t instance);
bool make_add_stage(struct making *m, size_t instance);
bool make_replicate_stage(struct making *m, size_t instance, const char *primary);

/* Remedies of `repair`, by finding; remedies.def has them in order. */
#define REMEDY(id, maker, when, reason) bool maker(struct making *m, const struct finding *finding);
#include "tools/plan/remedies.def"
#undef REMEDY

/* The instance that a finding is about, or SIZE_MAX after the plan was stopped. */
size_t repair_subject(struct making *m, const struct finding *finding);

/* Gives the first replica of a primary that goes away another one to follow. */
bool repair_followers(struct making *m, const struct cluster *cluster, uint32_t primary);

/* ------------------------------------------------------------------ saying no, and saying more */

/* Stops the plan; always false. `why` NULL: out of memory. */
bool making_stop(struct making *m, enum plan_outcome outcome, const char *why, const char *hint);

/* Adds a line behind the outcome; NULL is ignored. */
void making_detail(struct making *m, const char *line);

/* ------------------------------------------------------------------ stages and steps */

/* Begins a stage about an instance (SIZE_MAX: about none). NULL without memory. */
struct stage *making_stage(struct making *m, enum stage_kind kind);

/* Gives the stage its cluster, and the plan when it is the first one: dialect, what the fingerprint is about.
 * `instance` (SIZE_MAX: none) tells the version where the cluster does not. False when the plan was stopped:
 * check_sources(). */
bool making_about(struct making *m, const struct cluster *cluster, size_t instance);

/* Adds the stage to the plan. False without memory, and then the plan was stopped. */
bool making_done(struct making *m);

/* The bindings that every stage has: its subject, the members, the expected picture. False without memory. */
bool making_bind_stage(struct making *m);

/* Plays the last stage on the model, and makes the scene anew. False when the model refuses: the plan is stopped. */
bool making_go_on(struct making *m);

/* An action that is wanted or not, in the order of a stage. */
struct wanted {
    enum action action;
    bool wanted;
};
bool making_order(struct making *m, const struct wanted *order, size_t count);

/* Adds a step on the subject, or one between two instances about slots; its words come from the phrases tables. NULL
 * without memory. */
struct step *making_step(struct making *m, enum action action);
struct step *making_step_on(struct making *m, enum action action, size_t on, size_t peer, const struct slot_set *slots);

/* The same with the slots bound for the script. */
struct step *making_slots_step(struct making *m, enum action action, size_t on, size_t peer,
                               const struct slot_set *slots);

/* A member without slots that some members list and others have forgotten: pictures leave it out, since they differ
 * in it. */
bool making_unsettled(struct making *m, uint32_t node);

/* Binds what VERIFY_CLUSTER and the steps about slots need: all members, the primaries, and the picture of the cluster
 * without the slots that are moving. False without memory. */
bool making_bind_cluster(struct making *m, const struct slot_set *moving);

/* Binds SIDE_ip, SIDE_port and SIDE_id of an instance for one step. False when its address is not known. */
bool making_bind_side(struct making *m, struct step *step, const char *side, size_t instance);

/* The same without the id. */
bool making_bind_address(struct making *m, struct step *step, const char *side, size_t instance);

/* Binds a value for one step alone. False without memory. */
bool making_bind_step(struct making *m, struct step *step, const char *name, enum binding_form form, const char *value,
                      bool optional);

/* The words of an action. `words` is a command for the server of the step; `more` sets what depends on the stage. */
struct phrase {
    enum step_place place;
    const char *words[6];
    const char *expect;
    const char *undo;
    bool (*more)(struct making *m, struct step *step); /* or NULL; false without memory */
};
/* One table for each subject; an action has a row in one of them. */
extern const struct phrase phrases_data[ACTIONS], phrases_membership[ACTIONS], phrases_replication[ACTIONS],
    phrases_slots[ACTIONS], phrases_create[ACTIONS], phrases_return[ACTIONS];

/* client -h IP -p PORT WORD..., NULL-terminated; for every member, "{ip}" and "{port}". NULL without memory. */
const char *const *phrase_command(struct making *m, const struct step *step, const char *const *words, size_t count);

/* The words up to NULL as an array of its own. */
const char *const *phrase_words(struct arena *arena, ...);

/* "redis-cli", "valkey-cli" */
const char *phrase_client(enum plan_dialect dialect);

/* ------------------------------------------------------------------ the subject of a stage: target.c */

/* The instance that the user names; SIZE_MAX when the plan was stopped. */
size_t making_named(struct making *m, size_t operand);

/* The same, also for a member that the case holds no files of: an instance is assumed for it. */
size_t making_named_member(struct making *m, size_t operand);

/* A node by ip:port, id, or a unique prefix of its id; NO_NODE when none is called so. It need not have files. */
uint32_t node_named(const struct cluster *cluster, const char *name);

/* An instance of the scene for an address of which the case holds no files; the scene is made anew. SIZE_MAX when
 * the plan was stopped. */
size_t making_assume(struct making *m, const char *name);

/* Finds out who an instance of the scene is and which cluster it belongs to or would join: fills target and cluster
 * of the stage; `index` is its node of the cluster, or NO_NODE. False when the plan was stopped. */
bool target_find(struct making *m, size_t instance, uint32_t *index);

/* The same, and who lists it: fills listed and answers; refuses what cannot be judged. `membership` is all zeros for an
 * instance that is no node of the cluster. */
bool target_examine(struct making *m, size_t instance, uint32_t *index, struct membership *membership);

/* Decides whether the subject runs: the user's word, else a member's FAIL, else pongs that have stopped in every view
 * that lists it. What the evidence does not show to be down is taken as running, and the script finds out. */
void target_judge_life(struct making *m, uint32_t index);

/* "Re-add IP:PORT (ID, role, slots) to the cluster of ENTRY". False without memory. */
bool target_headline(struct making *m, const char *verb, const char *preposition, uint32_t index);

/* What lies on its disk: names of files, keys, functions, AOF. `start` may be NULL. False without memory. */
bool target_take_stock(struct making *m, const struct start *start);

/* Its address and what it is lost with, also of another instance than the subject; false when its address is not
 * known. */
bool target_address(struct making *m, size_t instance, const char **ip, uint16_t *port);

/* The instance's address as ip:port, its host. */
const char *making_name(struct making *m, size_t instance);

/* ------------------------------------------------------------------ what several goals ask: checks.c */

/* At least one view of the cluster says what every plan rests on: all members, and their epochs. */
bool check_sources(struct making *m);

/* No file of the subject or of a member was unreadable or changed while it was read. */
bool check_readable(struct making *m);

/* No view of a member is damaged. */
bool check_views(struct making *m);

/* Only one instance carries the id. */
bool check_single(struct making *m, uint32_t index);

/* It owns no slots, and nobody replicates it. */
bool check_no_slots(struct making *m, uint32_t index);
bool check_no_replicas(struct making *m, uint32_t index);

/* Files of members are there, or were named as missing, where the stage destroys. */
bool check_missing(struct making *m, bool destroys);

/* Nothing that the stage destroys exists nowhere else, or the user gives it up. */
bool check_copies(struct making *m);

/* Why the tool's own check of the cluster would end add-node before it begins (slots uncovered or open), in its
 * words; NULL when it would not. */
const char *tool_objects(struct making *m);

/* Refuses to lose the keys of the stage's copies that exist only here, naming them, unless the user gives up keys or has
 * them carried over; false when the plan was stopped. */
bool check_loss(struct making *m);

/* The stages together give up as many keys as the user says, no more and no fewer. To be asked when all are made. */
bool check_given_up(struct making *m);

/* How keys leave a replica, which hands none out. */
#define RESCUE_BY_HAND "load a copy of its dump into a server outside the cluster, and copy the keys from there first"

/* Every key of the stage's copies that exists only here can be carried over by a script: rescue.c. */
bool check_rescue(struct making *m);
bool rescue_bind(struct making *m, struct step *step);

/* Sets the stage's entry: a member with slots that is not failed, other than the subject. False when there is none. */
bool choose_entry(struct making *m, uint32_t subject);

/* Sets the primary that a former replica comes back to, where that is a member still; else a detail says so. */
void choose_primary(struct making *m, uint32_t subject);

#endif
