/* The fixed text that a plan's script is made of: a library of functions, and the body of each action. No value of the
 * evidence stands in it; bodies read the variables that plan_script.c assigns from checked bindings. */
#ifndef RCF_RENDER_PLAN_SHELL_H
#define RCF_RENDER_PLAN_SHELL_H

#include "tools/plan/stage.h"

/* Functions of every script; those of scripts that move slots. */
extern const char plan_shell_library[], plan_shell_library_slots[];

/* What a step does, between `if step ...; then` and `fi`; NULL when there is no body for the action. */
const char *plan_shell_body(enum action action);

/* One table for each subject; an action has a row in one of them. */
extern const char *const plan_shell_data[ACTIONS], *const plan_shell_membership[ACTIONS],
    *const plan_shell_replication[ACTIONS], *const plan_shell_slots[ACTIONS];

#endif
