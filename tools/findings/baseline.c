#include "tools/findings/baseline.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

struct baseline {
    struct arena *arena;
    struct finding *all;
    bool *met;
    size_t count, cap;
};

static const char *subject(const struct finding *finding)
{
    const char *of[] = {finding->node_id, finding->node, finding->host};
    for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++)
        if (of[i])
            return of[i];
    return "";
}

/* Findings about slots are told apart by their slots; for the others the slots are a consequence that may move. */
static bool same(const struct finding *a, const struct finding *b)
{
    if (a->id != b->id || strcmp(subject(a), subject(b)) != 0)
        return false;
    return strncmp(finding_word(a->id), "slot-", 5) != 0 || strcmp(a->slots ? a->slots : "", b->slots ? b->slots : "") == 0;
}

static bool keep(struct baseline *baseline, const struct finding *finding)
{
    struct finding *all = arena_grow(baseline->arena, baseline->all, baseline->count, &baseline->cap, sizeof(*all));
    if (!all)
        return false;
    baseline->all = all;
    all[baseline->count++] = *finding;
    return true;
}

static struct baseline *ready(struct baseline *baseline)
{
    baseline->met = arena_array(baseline->arena, baseline->count, sizeof(*baseline->met));
    return baseline->met ? baseline : NULL;
}

struct baseline *baseline_of(const struct findings *findings, struct arena *arena)
{
    struct baseline *baseline = arena_alloc(arena, sizeof(*baseline));
    if (!baseline)
        return NULL;
    *baseline = (struct baseline){.arena = arena};
    for (size_t f = 0; f < findings->count; f++)
        if (!keep(baseline, &findings->all[f]))
            return NULL;
    return ready(baseline);
}

static const char *text_of(struct arena *arena, const json_t *object, const char *key)
{
    return arena_string(arena, json_string_value(json_object_get(object, key)));
}

static bool keep_record(struct baseline *baseline, const json_t *record)
{
    struct arena *arena = baseline->arena;
    const char *word = json_string_value(json_object_get(record, "finding"));
    const char *severity = json_string_value(json_object_get(record, "severity"));
    const char *certainty = json_string_value(json_object_get(record, "certainty"));
    enum finding_id id = word ? finding_by_word(word) : FINDING_IDS;
    if (id == FINDING_IDS)
        return true; /* of a newer catalogue, or a record of another kind */
    struct finding finding = {.id = id, .severity = finding_severity(id), .certainty = CERTAINTY_PROBABLE,
                              .node = text_of(arena, record, "node"), .node_id = text_of(arena, record, "node_id"),
                              .host = text_of(arena, record, "host"), .slots = text_of(arena, record, "slots"),
                              .summary = text_of(arena, record, "summary"), .rule = "", .settles = ""};
    for (int s = SEVERITY_INFO; severity && s <= SEVERITY_ERROR; s++)
        if (strcmp(severity, severity_word((enum severity)s)) == 0)
            finding.severity = (enum severity)s;
    if (certainty && strcmp(certainty, certainty_word(CERTAINTY_PROVED)) == 0)
        finding.certainty = CERTAINTY_PROVED;
    if (!finding.summary)
        finding.summary = finding_title(id);
    return keep(baseline, &finding);
}

struct baseline *baseline_load(const char *path, struct arena *arena, const char **why)
{
    struct baseline *baseline = arena_alloc(arena, sizeof(*baseline));
    FILE *file = fopen(path, "re");
    bool good = baseline && file;
    size_t documents = 0;
    *why = file ? "not a report of rcf-check" : "cannot be opened";
    if (baseline)
        *baseline = (struct baseline){.arena = arena};
    while (good) {
        json_error_t error;
        json_t *root = json_loadf(file, JSON_DISABLE_EOF_CHECK, &error);
        if (!root) {
            /* jsonl ends where no further document begins. */
            good = documents > 0 && json_error_code(&error) == json_error_premature_end_of_input;
            break;
        }
        const json_t *records = json_object_get(root, "findings");
        documents++;
        if (json_is_array(records))
            for (size_t i = 0; good && i < json_array_size(records); i++)
                good = keep_record(baseline, json_array_get(records, i));
        else
            good = json_object_get(root, "finding") && keep_record(baseline, root);
        json_decref(root);
    }
    if (file)
        fclose(file);
    return good ? ready(baseline) : NULL;
}

bool baseline_has(struct baseline *baseline, const struct finding *finding)
{
    bool had = false;
    for (size_t f = 0; f < baseline->count; f++)
        if (same(&baseline->all[f], finding))
            had = baseline->met[f] = true;
    return had;
}

bool baseline_gone(const struct baseline *baseline, size_t *position, struct finding *finding)
{
    while (*position < baseline->count) {
        size_t f = (*position)++;
        if (baseline->met[f])
            continue;
        *finding = baseline->all[f];
        finding->exhibits = NULL; /* they are places in the older evidence */
        finding->exhibit_count = 0;
        finding->goal = NULL;
        return true;
    }
    return false;
}
