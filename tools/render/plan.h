/* A plan as a runbook, as data, and as a shell script that proves each precondition before it acts. */
#ifndef RCF_RENDER_PLAN_H
#define RCF_RENDER_PLAN_H

#include "tools/plan/plan.h"
#include "tools/render/json.h"
#include "tools/render/out.h"

/* The runbook. Only for PLAN_READY. */
void plan_text(struct out *out, const struct plan *plan, bool verbose);

/* The whole plan, refused ones too: goal, target, outcome, why, fingerprint, destroys, missing, steps, rehearsal. */
void plan_json(struct json *json, const struct plan *plan);

/* The script; see docs/plans.md. False, and nothing written, when a field that it needs is not of the form that may
 * stand in a script, or the plan is not guarded; `why`, in the arena, says which field of which step. */
bool plan_script(struct out *out, const struct plan *plan, struct arena *arena, const char **why);

#endif
