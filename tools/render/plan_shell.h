/* The fixed text that a plan's script is made of: a library of functions, and the body of each action. No value of the
 * evidence stands in it; bodies read the variables that plan_script.c assigns from checked bindings. */
#ifndef RCF_RENDER_PLAN_SHELL_H
#define RCF_RENDER_PLAN_SHELL_H

#include "tools/plan/stage.h"

/* A function that bodies and other functions call by its name. */
struct shell_function {
    const char *name, *text;
};

/* Both end with a row without a name. A script holds those that its steps need. */
extern const struct shell_function plan_shell_functions[], plan_shell_slot_functions[];

/* What a step does, between `if step ...; then` and `fi`; NULL when there is no body for the action. */
const char *plan_shell_body(enum action action);

/* One table for each subject; an action has a row in one of them. */
extern const char *const plan_shell_data[ACTIONS], *const plan_shell_membership[ACTIONS],
    *const plan_shell_replication[ACTIONS], *const plan_shell_slots[ACTIONS], *const plan_shell_create[ACTIONS],
    *const plan_shell_return[ACTIONS];

#endif
