#include "tools/render/plan.h"

#include <string.h>

#include "tools/render/escape.h"
#include "tools/render/table.h"

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

static const char *findings_text(struct arena *arena, const enum finding_id *ids, size_t count)
{
    const char *text = NULL;
    for (size_t i = 0; i < count; i++)
        text = arena_format(arena, "%s%s%s", text ? text : "", text ? ", " : "", finding_word(ids[i]));
    return text ? text : "nothing about this node";
}

static const struct column columns[] = {
    {"n", COLUMN_COUNT, .heading = "#"},
    {"where", COLUMN_TEXT, .heading = "where", .width = 60},
    {"kind", COLUMN_TEXT, .heading = "step"},
    {"command", COLUMN_TEXT, .heading = ""},
    {"expect", COLUMN_TEXT, .heading = "expect"},
};
static const struct record_type step_record = {"steps", 1, "steps", columns, 5};

static void steps_table(struct out *out, const struct plan *plan, struct arena *arena)
{
    struct table *table = table_open(out, &step_record, FORMAT_TEXT);
    table_indent(table, 2);
    for (size_t s = 0; s < plan->step_count; s++) {
        const struct step *step = &plan->steps[s];
        table_count(table, 0, (int64_t)s + 1);
        table_text(table, 1, step->where);
        table_text(table, 2, step->kind == STEP_DESTROY ? "DESTROY" : step_kind_word(step->kind));
        table_text(table, 3, argv_text(arena, step));
        table_text(table, 4, step->expect);
        table_row(table);
    }
    table_close(table);
}

static void undo_lines(struct out *out, const struct plan *plan)
{
    bool any = false;
    for (size_t s = 0; s < plan->step_count; s++) {
        if (!plan->steps[s].undo)
            continue;
        if (!any)
            out_text(out, "\n  undo\n");
        any = true;
        out_format(out, "  %3zu  ", s + 1);
        safe(out, plan->steps[s].undo);
        out_byte(out, '\n');
    }
}

void plan_text(struct out *out, const struct plan *plan, bool verbose)
{
    struct arena *arena = arena_new();
    size_t files = 0, instances = 0;
    if (!arena) {
        out_fail(out, 12);
        return;
    }
    for (size_t f = 0; f < plan->evidence->file_count; f++)
        files += plan->evidence->files[f].instance != SIZE_MAX;
    instances = plan->evidence->instance_count;
    out_style(out, OUT_BOLD);
    safe(out, plan->headline);
    out_style(out, OUT_PLAIN);
    out_text(out, "\n\n");
    labelled(out, "destroys", plan->content);
    labelled(out, "from", arena_format(arena, "%zu files of %zu instances, fingerprint %s; void if %s", files, instances,
                                       plan->fingerprint, plan->void_if));
    labelled(out, "missing", plan->missing_count ? joined(arena, plan->missing, plan->missing_count, ", ") : "nothing");
    for (size_t d = 0; d < plan->detail_count; d++)
        labelled(out, d ? "" : "note", plan->details[d]);
    out_byte(out, '\n');
    steps_table(out, plan, arena);
    out_byte(out, '\n');
    labelled(out, "rehearsed", arena_format(arena, "before: %s. after: %s.", findings_text(arena, plan->before, plan->before_count),
                                            findings_text(arena, plan->after, plan->after_count)));
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

static void key_lists_json(struct json *json, const struct copies *copies)
{
    json_array(json, "keys_only_here_list");
    for (size_t k = 0; copies && k < copies->listed; k++) {
        const struct copied_key *key = &copies->keys[k];
        json_object(json, NULL);
        json_bytes(json, "key", key->name);
        json_number(json, "db", key->db);
        json_number(json, "slot", key->slot);
        json_end(json);
    }
    json_end(json);
}

static void steps_json(struct json *json, const struct plan *plan)
{
    json_array(json, "steps");
    for (size_t s = 0; s < plan->step_count; s++) {
        const struct step *step = &plan->steps[s];
        size_t words = 0;
        while (step->argv[words])
            words++;
        json_object(json, NULL);
        json_number(json, "n", (int64_t)s + 1);
        json_text(json, "action", action_name(step->action));
        json_text(json, "where", step->where);
        json_text(json, "kind", step_kind_word(step->kind));
        words_json(json, "argv", step->argv, words);
        json_text(json, "expect", step->expect);
        json_text(json, "answers", step->answers);
        json_text(json, "undo", step->undo);
        json_end(json);
    }
    json_end(json);
}

void plan_json(struct json *json, const struct plan *plan)
{
    static const char *const outcomes[] = {"ready", "nothing-to-do", "refused", "impossible"};
    const struct copies *copies = plan->copies;
    bool empties = plan->goal == GOAL_REJOIN && plan->empties && copies;
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
    json_object(json, "destroys");
    json_u64(json, "keys", empties ? copies->count : 0);
    json_u64(json, "keys_only_here", empties ? copies->only_here : 0);
    json_u64(json, "keys_differ", empties ? copies->differs : 0);
    json_u64(json, "keys_covered", empties ? copies->covered : 0);
    json_text(json, "statement", plan->content);
    key_lists_json(json, empties ? copies : NULL);
    json_end(json);
    words_json(json, "missing", plan->missing, plan->missing_count);
    json_array(json, "members");
    for (size_t n = 0; plan->cluster && n < plan->cluster->member_count; n++) {
        const struct node *node = &plan->cluster->nodes[n];
        json_object(json, NULL);
        json_text(json, "node_id", node->id);
        json_text(json, "address", node->name);
        json_bool(json, "failed", node->failed);
        json_end(json);
    }
    json_end(json);
    steps_json(json, plan);
    json_object(json, "rehearsal");
    ids_json(json, "before", plan->before, plan->before_count);
    ids_json(json, "after", plan->after, plan->after_count);
    json_end(json);
    json_end(json);
}
