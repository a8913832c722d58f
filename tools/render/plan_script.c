/* A plan as a POSIX shell script.
 *
 * The script consists of fixed text (plan_shell.h) and of bindings, each checked against its form before it is written
 * (tools/plan/binding.h). Nothing else of the evidence reaches it, not even in a comment. */
#include <inttypes.h>
#include <string.h>

#include "tools/render/escape.h"
#include "tools/render/plan.h"
#include "tools/render/plan_shell.h"

enum { MOST_FUNCTIONS = 128 };

/* ------------------------------------------------------------------ what may stand in a script */

static bool fits(const struct binding *binding, const char *whose, struct arena *arena, const char **why)
{
    if (binding_fits(binding))
        return true;
    *why = arena_format(arena, "%s: %s is not %s", whose, binding->name, binding_form_text(binding->form));
    return false;
}

static bool all_fit(const struct binding *bindings, size_t count, const char *whose, struct arena *arena,
                    const char **why)
{
    for (size_t b = 0; b < count; b++)
        if (!fits(&bindings[b], whose, arena, why))
            return false;
    return true;
}

/* What a person would type, as one word to be printed. */
static struct binding said(const struct step *step, struct arena *arena)
{
    const char *text = "";
    for (size_t w = 0; text && step->argv[w]; w++)
        text = arena_format(arena, "%s%s%s", text, w ? " " : "", step->argv[w]);
    return (struct binding){"command", FORM_SAID, text, false};
}

static bool step_fits(const struct step *step, size_t number, struct arena *arena, const char **why)
{
    const char *whose = arena_format(arena, "step %zu, %s", number, action_name(step->action));
    const struct binding words[] = {said(step, arena), {"place", FORM_SAID, step->where, false}};
    if (!plan_shell_body(step->action)) {
        *why = arena_format(arena, "%s: a script cannot do it", whose);
        return false;
    }
    return all_fit(words, 2, whose, arena, why) && all_fit(step->bindings, step->binding_count, whose, arena, why);
}

static bool plan_fits(const struct plan *plan, struct arena *arena, const char **why)
{
    size_t number = 0;
    for (size_t s = 0; s < plan->stage_count; s++) {
        const struct stage *stage = plan->stages[s];
        if (!all_fit(stage->bindings, stage->binding_count, stage_word(stage->kind), arena, why))
            return false;
        for (size_t n = 0; n < stage->step_count; n++)
            if (!step_fits(&stage->steps[n], ++number, arena, why))
                return false;
    }
    return true;
}

/* ------------------------------------------------------------------ writing */

/* Shell text reads the variable. */
static bool mentions(const char *text, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = text; (at = strchr(at, '$')); at++) {
        const char *word = at + 1 + (at[1] == '{' || at[1] == '#');
        word += *word == '#';
        if (strncmp(word, name, len) == 0 && !strchr("abcdefghijklmnopqrstuvwxyz_0123456789", word[len]))
            return true;
    }
    return false;
}

/* Shell text has the word, as the name of a function it calls has to stand there. */
static bool calls(const char *text, const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz_0123456789$";
    size_t len = strlen(name);
    for (const char *at = text; (at = strstr(at, name)); at++)
        if ((at == text || !strchr(letters, at[-1])) && (!at[len] || !strchr(letters, at[len])))
            return true;
    return false;
}

/* The functions that a plan needs: those that bodies call, and those that these call. */
struct functions {
    const struct shell_function *all[MOST_FUNCTIONS];
    bool needed[MOST_FUNCTIONS];
    size_t count;
};

static void collect(struct functions *functions, const struct shell_function *table)
{
    for (; table->name && functions->count < MOST_FUNCTIONS; table++)
        functions->all[functions->count++] = table;
}

static bool need(struct functions *functions, const char *text)
{
    bool more = false;
    for (size_t f = 0; f < functions->count; f++)
        if (!functions->needed[f] && calls(text, functions->all[f]->name))
            more = functions->needed[f] = true;
    return more;
}

/* A step that rests on the target's identity is done only as long as the target has it. */
static const char *guard_of(const struct step *step)
{
    return action_needs(step->action) & FACT(IDENTITY) ? " && still_itself" : "";
}

static void choose_functions(struct functions *functions, const struct plan *plan)
{
    *functions = (struct functions){.count = 0};
    collect(functions, plan_shell_functions);
    collect(functions, plan_shell_slot_functions);
    need(functions, "step");
    for (size_t s = 0; s < plan->stage_count; s++)
        for (size_t n = 0; n < plan->stages[s]->step_count; n++) {
            need(functions, guard_of(&plan->stages[s]->steps[n]));
            need(functions, plan_shell_body(plan->stages[s]->steps[n].action));
        }
    for (bool more = true; more;) {
        more = false;
        for (size_t f = 0; f < functions->count; f++)
            more |= functions->needed[f] && need(functions, functions->all[f]->text);
    }
}

/* A step's body reads the variable, or a function of the script does. */
static bool used_by(const struct functions *functions, const struct step *steps, size_t count, const char *name)
{
    bool found = false;
    for (size_t f = 0; f < functions->count && !found; f++)
        found = functions->needed[f] && mentions(functions->all[f]->text, name);
    for (size_t s = 0; s < count && !found; s++)
        found = mentions(plan_shell_body(steps[s].action), name);
    return found;
}

/* Forms allow no quote, so a checked value stands in quotes as it is. */
static void assign(struct out *out, const char *indent, const struct binding *binding)
{
    out_format(out, "%s%s='%s'\n", indent, binding->name, binding->value ? binding->value : "");
}

static void header(struct out *out, const struct plan *plan)
{
    out_format(out, "#!/bin/sh\n# rcf-plan %s, fingerprint %s\n", plan_goal_word(plan->goal), plan->fingerprint);
    out_text(out,
             "# Verifies each precondition, stops at the first surprise, asks before it destroys anything.\n"
             "#   DRY_RUN=1          prints the steps only\n"
             "#   RCF_ON_HOST=...    runs a command on a node's host, such as 'ssh {host}'\n"
             "#   RCF_CLI_OPTIONS    options for every call of the client, such as --tls; passwords by REDISCLI_AUTH\n"
             "#   RCF_YES=");
    out_format(out, "%s  answers yes to every question of this very plan\nset -eu\nLC_ALL=C\nexport LC_ALL\n\n",
               plan->fingerprint);
    out_format(out, "fingerprint=%s\n", plan->fingerprint);
    out_format(out, "client=${RCF_CLI:-%s}\n", plan->dialect == DIALECT_VALKEY_CLI ? "valkey-cli" : "redis-cli");
}

static void stage_header(struct out *out, const struct plan *plan, const struct functions *functions, size_t number)
{
    const struct stage *stage = plan->stages[number];
    size_t failed = 0;
    for (size_t n = 0; stage->cluster && n < stage->cluster->member_count; n++)
        failed += stage->cluster->nodes[n].failed;
    out_byte(out, '\n');
    if (plan->stage_count > 1)
        out_format(out, "# ---------------- stage %zu of %zu: %s\n", number + 1, plan->stage_count,
                   stage_word(stage->kind));
    for (size_t b = 0; b < stage->binding_count; b++)
        if (used_by(functions, stage->steps, stage->step_count, stage->bindings[b].name))
            assign(out, "", &stage->bindings[b]);
    if (used_by(functions, stage->steps, stage->step_count, "progress"))
        out_text(out, "progress=fresh # what an earlier run of this script has made of the target\n");
    if (failed)
        out_format(out, "# %zu failed member%s not asked.\n", failed, failed == 1 ? " is" : "s are");
}

static void write_step(struct out *out, const struct step *step, const struct functions *functions, size_t number,
                       struct arena *arena)
{
    out_format(out, "\nif step %zu %s '%s' '%s'%s; then\n", number,
               step->kind == STEP_DESTROY ? "DESTROY" : step_kind_word(step->kind), step->where,
               said(step, arena).value, guard_of(step));
    for (size_t b = 0; b < step->binding_count; b++)
        if (used_by(functions, step, 1, step->bindings[b].name))
            assign(out, "    ", &step->bindings[b]);
    out_format(out, "%sfi\n", plan_shell_body(step->action));
}

bool plan_script(struct out *out, const struct plan *plan, struct arena *arena, const char **why)
{
    const char *lacking = NULL;
    struct functions functions;
    size_t number = 0;
    *why = "the plan lacks a verification";
    if (!plan_guarded(plan, &lacking) || !plan_fits(plan, arena, why))
        return false;
    header(out, plan);
    choose_functions(&functions, plan);
    for (size_t f = 0; f < functions.count; f++)
        if (functions.needed[f])
            out_format(out, "\n%s", functions.all[f]->text);
    for (size_t s = 0; s < plan->stage_count; s++) {
        stage_header(out, plan, &functions, s);
        for (size_t n = 0; n < plan->stages[s]->step_count; n++)
            write_step(out, &plan->stages[s]->steps[n], &functions, ++number, arena);
    }
    out_text(out, "\nif [ \"${DRY_RUN-}\" = 1 ]; then echo 'dry run: nothing was done'; else echo \"done: plan "
                  "$fingerprint\"; fi\n");
    return true;
}
