#include "tools/render/plan.h"

#include <string.h>

#include "tools/render/escape.h"

static void safe(struct out *out, const char *text)
{
    escape_terminal(out, escape_string(text));
}

static void labelled(struct out *out, const char *label, const char *text)
{
    out_format(out, "  %-10s ", label);
    safe(out, text);
    out_byte(out, '\n');
}

static const char *joined(struct arena *arena, const char *const *words, size_t count, const char *between)
{
    const char *text = "";
    for (size_t w = 0; w < count; w++)
        text = arena_format(arena, "%s%s%s", text ? text : "", w ? between : "", words[w]);
    return text ? text : "";
}

static const char *argv_text(struct arena *arena, const struct step *step)
{
    size_t count = 0;
    while (step->argv[count])
        count++;
    return joined(arena, step->argv, count, " ");
}

/* "slot-open (3), stale-view", in the order in which they come. */
static const char *findings_text(struct arena *arena, const enum finding_id *ids, size_t count, const char *none)
{
    const char *text = NULL;
    for (size_t i = 0; i < count; i++) {
        size_t before = 0, all = 0;
        for (size_t k = 0; k < count; k++) {
            before += k < i && ids[k] == ids[i];
            all += ids[k] == ids[i];
        }
        if (before)
            continue;
        text = arena_format(arena, "%s%s%s", text ? text : "", text ? ", " : "", finding_word(ids[i]));
        if (all > 1)
            text = arena_format(arena, "%s (%zu)", text ? text : "", all);
    }
    return text ? text : none;
}

enum { COMMAND_WIDTH = 56 }; /* a longer command has its expectation below it */

static void padded(struct out *out, const char *text, size_t width)
{
    safe(out, text);
    for (size_t done = escape_width(escape_string(text)); done < width; done++)
        out_byte(out, ' ');
}

static size_t widest(size_t width, const char *text, size_t most)
{
    size_t own = escape_width(escape_string(text));
    return own > width && own <= most ? own : width;
}

/* Commands may be long, so this is no table: what does not fit beside its command stands on a line of its own. */
static void steps_list(struct out *out, const struct stage *stage, size_t before, struct arena *arena)
{
    size_t where = 0, command = 0;
    for (size_t s = 0; s < stage->step_count; s++) {
        where = widest(where, stage->steps[s].where, SIZE_MAX);
        command = widest(command, argv_text(arena, &stage->steps[s]), COMMAND_WIDTH);
    }
    for (size_t s = 0; s < stage->step_count; s++) {
        const struct step *step = &stage->steps[s];
        const char *text = argv_text(arena, step);
        out_format(out, "  %3zu  ", before + s + 1);
        padded(out, step->where, where + 2);
        padded(out, step->kind == STEP_DESTROY ? "DESTROY" : step_kind_word(step->kind), 9);
        padded(out, text, command + 2);
        if (escape_width(escape_string(text)) > command)
            out_format(out, "\n%*s", (int)(3 + 4 + where + 2 + 9 + 4), "");
        out_text(out, "expect ");
        safe(out, step->expect);
        out_byte(out, '\n');
    }
}

static void undo_lines(struct out *out, const struct plan *plan)
{
    size_t number = 0;
    bool any = false;
    for (size_t s = 0; s < plan->stage_count; s++)
        for (size_t n = 0; n < plan->stages[s]->step_count; n++) {
            const char *undo = plan->stages[s]->steps[n].undo;
            number++;
            if (!undo)
                continue;
            if (!any)
                out_text(out, "\n  undo\n");
            any = true;
            out_format(out, "  %3zu  ", number);
            safe(out, undo);
            out_byte(out, '\n');
        }
}

static void headline(struct out *out, const char *text)
{
    out_style(out, OUT_BOLD);
    safe(out, text);
    out_style(out, OUT_PLAIN);
    out_text(out, "\n\n");
}

/* A plan of one stage begins with the stage's own headline. */
static void stage_text(struct out *out, const struct plan *plan, size_t number, size_t before, struct arena *arena)
{
    const struct stage *stage = plan->stages[number];
    if (plan->stage_count > 1) {
        headline(out, arena_format(arena, "%zu. %s", number + 1, stage->headline));
        if (stage->reason)
            labelled(out, "why here", stage->reason);
        if (stage->answers)
            labelled(out, "answers", stage->answers);
        labelled(out, "destroys", stage->content);
        if (stage->tool)
            labelled(out, "the tool", stage->tool);
        out_byte(out, '\n');
    }
    steps_list(out, stage, before, arena);
    out_byte(out, '\n');
}

static void provenance(struct out *out, const struct plan *plan, struct arena *arena)
{
    size_t files = 0;
    for (size_t f = 0; f < plan->evidence->file_count; f++)
        files += plan->evidence->files[f].instance != SIZE_MAX;
    labelled(out, "from", arena_format(arena, "%zu files of %zu instances, fingerprint %s; void if %s", files,
                                       plan->evidence->instance_count, plan->fingerprint, plan->void_if));
    labelled(out, "missing", plan->missing_count ? joined(arena, plan->missing, plan->missing_count, ", ") : "nothing");
    for (size_t d = 0; d < plan->detail_count; d++)
        labelled(out, d ? "" : "note", plan->details[d]);
}

void plan_text(struct out *out, const struct plan *plan, bool verbose)
{
    struct arena *arena = arena_new();
    size_t before = 0;
    if (!arena) {
        out_fail(out, 12);
        return;
    }
    if (plan->stage_count == 1) {
        headline(out, plan->stages[0]->headline);
        labelled(out, "destroys", plan->stages[0]->content);
        if (plan->stages[0]->tool)
            labelled(out, "the tool", plan->stages[0]->tool);
    } else {
        headline(out, arena_format(arena, "rcf-plan %s: %zu stages, %zu steps", plan_goal_word(plan->goal),
                                   plan->stage_count, plan_steps(plan)));
    }
    provenance(out, plan, arena);
    out_byte(out, '\n');
    for (size_t s = 0; s < plan->stage_count; s++) {
        stage_text(out, plan, s, before, arena);
        before += plan->stages[s]->step_count;
    }
    /* A stage without a single node as its subject is about its whole cluster. */
    const char *none = plan->stage_count == 1 && plan->stages[0]->target.name ? "nothing about this node"
                       : plan->stage_count == 1 ? "nothing" : "nothing about their nodes";
    labelled(out, "rehearsed",
             arena_format(arena, "before: %s. after: %s.", findings_text(arena, plan->before, plan->before_count, none),
                          findings_text(arena, plan->after, plan->after_count, none)));
    if (plan->unchanged_count)
        labelled(out, "unchanged", findings_text(arena, plan->unchanged, plan->unchanged_count, ""));
    if (plan->fresh_count)
        labelled(out, "new", findings_text(arena, plan->fresh, plan->fresh_count, ""));
    if (verbose)
        undo_lines(out, plan);
    arena_free(arena);
}

/* ------------------------------------------------------------------ json */

static void words_json(struct json *json, const char *key, const char *const *words, size_t count)
{
    json_array(json, key);
    for (size_t w = 0; w < count; w++)
        json_text(json, NULL, words[w]);
    json_end(json);
}

static void ids_json(struct json *json, const char *key, const enum finding_id *ids, size_t count)
{
    json_array(json, key);
    for (size_t i = 0; i < count; i++)
        json_text(json, NULL, finding_word(ids[i]));
    json_end(json);
}

/* ------------------------------------------------------------------ what is destroyed */

static bool destroys(const struct stage *stage)
{
    return stage->copies && stage->target.empties;
}

struct destruction {
    uint64_t keys, only_here, differ, covered;
};

static void add_up(struct destruction *sum, const struct stage *stage)
{
    if (!destroys(stage))
        return;
    sum->keys += stage->copies->count;
    sum->only_here += stage->copies->only_here;
    sum->differ += stage->copies->differs;
    sum->covered += stage->copies->covered;
}

static void key_list_json(struct json *json, const struct stage *stage)
{
    for (size_t k = 0; destroys(stage) && k < stage->copies->listed; k++) {
        const struct copied_key *key = &stage->copies->keys[k];
        json_object(json, NULL);
        json_bytes(json, "key", key->name);
        json_number(json, "db", key->db);
        json_number(json, "slot", key->slot);
        json_end(json);
    }
}

/* Of all stages, and of the one at which the plan was stopped. */
static void destroys_json(struct json *json, const struct plan *plan)
{
    struct destruction sum = {0};
    for (size_t s = 0; s < plan->stage_count; s++)
        add_up(&sum, plan->stages[s]);
    if (plan->stopped)
        add_up(&sum, plan->stopped);
    json_object(json, "destroys");
    json_u64(json, "keys", sum.keys);
    json_u64(json, "keys_only_here", sum.only_here);
    json_u64(json, "keys_differ", sum.differ);
    json_u64(json, "keys_covered", sum.covered);
    json_text(json, "statement", plan->stage_count == 1 ? plan->stages[0]->content : NULL);
    json_array(json, "keys_only_here_list");
    for (size_t s = 0; s < plan->stage_count; s++)
        key_list_json(json, plan->stages[s]);
    if (plan->stopped)
        key_list_json(json, plan->stopped);
    json_end(json);
    json_end(json);
}

static void stages_json(struct json *json, const struct plan *plan)
{
    size_t first = 1;
    json_array(json, "stages");
    for (size_t s = 0; s < plan->stage_count; s++) {
        const struct stage *stage = plan->stages[s];
        json_object(json, NULL);
        json_text(json, "stage", stage_word(stage->kind));
        json_text(json, "headline", stage->headline);
        json_text(json, "reason", stage->reason);
        json_text(json, "answers", stage->answers);
        json_text(json, "target", stage->target.name);
        json_text(json, "target_id", stage->target.id);
        json_text(json, "destroys", stage->content);
        json_text(json, "tool", stage->tool);
        json_number(json, "first_step", (int64_t)first);
        json_number(json, "last_step", (int64_t)(first + stage->step_count - 1));
        json_end(json);
        first += stage->step_count;
    }
    json_end(json);
}

static void step_json(struct json *json, const struct step *step, size_t number, size_t stage)
{
    size_t words = 0;
    while (step->argv[words])
        words++;
    json_object(json, NULL);
    json_number(json, "n", (int64_t)number);
    json_number(json, "stage", (int64_t)stage + 1);
    json_text(json, "action", action_name(step->action));
    json_text(json, "where", step->where);
    json_text(json, "kind", step_kind_word(step->kind));
    words_json(json, "argv", step->argv, words);
    json_text(json, "expect", step->expect);
    json_text(json, "answers", step->answers);
    json_text(json, "undo", step->undo);
    json_end(json);
}

static void steps_json(struct json *json, const struct plan *plan)
{
    size_t number = 0;
    json_array(json, "steps");
    for (size_t s = 0; s < plan->stage_count; s++)
        for (size_t n = 0; n < plan->stages[s]->step_count; n++)
            step_json(json, &plan->stages[s]->steps[n], ++number, s);
    json_end(json);
}

static void members_json(struct json *json, const struct cluster *cluster)
{
    json_array(json, "members");
    for (size_t n = 0; cluster && n < cluster->member_count; n++) {
        json_object(json, NULL);
        json_text(json, "node_id", cluster->nodes[n].id);
        json_text(json, "address", cluster->nodes[n].name);
        json_bool(json, "failed", cluster->nodes[n].failed);
        json_end(json);
    }
    json_end(json);
}

void plan_json(struct json *json, const struct plan *plan)
{
    static const char *const outcomes[] = {"ready", "nothing-to-do", "refused", "impossible"};
    json_object(json, NULL);
    json_text(json, "schema", "rcf-plan");
    json_number(json, "version", 1);
    json_text(json, "goal", plan_goal_word(plan->goal));
    json_text(json, "target", plan->target_name);
    json_text(json, "target_id", plan->target_id);
    json_text(json, "outcome", outcomes[plan->outcome]);
    json_text(json, "why", plan->why);
    words_json(json, "details", plan->details, plan->detail_count);
    json_text(json, "hint", plan->hint);
    json_text(json, "fingerprint", plan->fingerprint[0] ? plan->fingerprint : NULL);
    json_text(json, "void_if", plan->void_if);
    destroys_json(json, plan);
    words_json(json, "missing", plan->missing, plan->missing_count);
    members_json(json, plan->cluster);
    stages_json(json, plan);
    steps_json(json, plan);
    json_object(json, "rehearsal");
    ids_json(json, "before", plan->before, plan->before_count);
    ids_json(json, "after", plan->after, plan->after_count);
    ids_json(json, "unchanged", plan->unchanged, plan->unchanged_count);
    ids_json(json, "new", plan->fresh, plan->fresh_count);
    json_end(json);
    json_end(json);
}
