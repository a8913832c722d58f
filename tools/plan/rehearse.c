/* The rehearsal: every step on the model, then the same checks as for the evidence, and what they must no longer
 * say. */
#include <inttypes.h>
#include <string.h>

#include "tools/plan/plan.h"

bool plan_addresses(enum stage_kind kind, enum finding_id id)
{
    static const struct {
        enum stage_kind kind;
        enum finding_id id;
    } rows[] = {
#define ADDRESSED(kind, id) {STAGE_##kind, FINDING_##id},
#include "tools/plan/addressed.def"
#undef ADDRESSED
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].kind == kind && rows[i].id == id)
            return true;
    return false;
}

bool plan_leaves(enum stage_kind kind, enum finding_id id)
{
    static const struct {
        enum stage_kind kind;
        enum finding_id id;
    } rows[] = {
#define CONSEQUENCE(kind, id) {STAGE_##kind, FINDING_##id},
#include "tools/plan/consequences.def"
#undef CONSEQUENCE
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].kind == kind && rows[i].id == id)
            return true;
    return false;
}

static bool is_consequence(const struct plan *plan, enum finding_id id)
{
    for (size_t s = 0; s < plan->stage_count; s++)
        if (plan_leaves(plan->stages[s]->kind, id))
            return true;
    return false;
}

/* They share a member: the cluster of a stage is one of another scene. */
static bool same_cluster(const struct cluster *a, const struct cluster *b)
{
    for (uint32_t n = 0; n < a->member_count; n++)
        if (cluster_node(b, a->nodes[n].number) != NO_NODE)
            return true;
    return false;
}

/* A stage without a subject is about the whole cluster. */
static bool about(const struct stage *stage, const struct findings *findings, const struct finding *finding)
{
    if (stage->target.name)
        return (finding->node && strcmp(finding->node, stage->target.name) == 0) ||
               (finding->node_id && stage->target.id && strcmp(finding->node_id, stage->target.id) == 0);
    return !stage->cluster || finding->cluster == SIZE_MAX ||
           same_cluster(stage->cluster, &findings->clusters->all[finding->cluster]);
}

static bool about_any(const struct plan *plan, const struct findings *findings, const struct finding *finding)
{
    for (size_t s = 0; s < plan->stage_count; s++)
        if (about(plan->stages[s], findings, finding))
            return true;
    return false;
}

static bool same_subject(const struct finding *a, const struct finding *b)
{
    const char *x = a->node ? a->node : a->host ? a->host : "", *y = b->node ? b->node : b->host ? b->host : "";
    return a->id == b->id && strcmp(x, y) == 0;
}

/* The same was found before, and was no less severe. */
static bool known_in(const struct findings *findings, const struct finding *finding, bool as_severe)
{
    for (size_t f = 0; f < findings->count; f++)
        if (same_subject(&findings->all[f], finding) && (!as_severe || findings->all[f].severity >= finding->severity))
            return true;
    return false;
}

/* About a stage's subject; about others, and known before; not known before, or not as severe. */
enum which { WHICH_ABOUT, WHICH_UNCHANGED, WHICH_FRESH };

static enum finding_id *list_of(const struct plan *plan, const struct findings *findings, const struct findings *before,
                                enum which which, struct arena *arena, size_t *count)
{
    enum finding_id *ids = arena_array(arena, findings->count, sizeof(*ids));
    *count = 0;
    for (size_t f = 0; ids && f < findings->count; f++) {
        const struct finding *finding = &findings->all[f];
        bool subject = about_any(plan, findings, finding),
             known = which != WHICH_ABOUT && known_in(before, finding, true);
        if (which == WHICH_ABOUT ? subject : which == WHICH_FRESH ? !known : known && !subject)
            ids[(*count)++] = finding->id;
    }
    return ids;
}

static struct findings *judge(const struct evidence *evidence, struct clusters **clusters, struct arena *arena)
{
    *clusters = clusters_build(evidence, arena);
    return *clusters ? findings_of(evidence, *clusters, NULL, arena) : NULL;
}

static const char *said(const struct finding *finding)
{
    return finding->node ? finding->node : finding->host ? finding->host : "cluster";
}

/* ------------------------------------------------------------------ keys of members */

static uint64_t keys_in(const struct model *model, const struct cluster *cluster, unsigned slot)
{
    uint32_t owner = cluster->slots[slot].node;
    size_t instance = owner == NO_NODE ? SIZE_MAX : cluster->nodes[owner].instance;
    const uint32_t *keys = instance == SIZE_MAX ? NULL : model->processes[instance].keys;
    return keys ? keys[slot] : 0;
}

/* A slot whose owner would hold fewer keys than its owner held before; SLOT_COUNT when there is none. Owners are
 * those of the first cluster of both, which a plan does not make another. */
static unsigned losing_slot(const struct model *before, const struct clusters *old, const struct model *after,
                            const struct clusters *new)
{
    for (size_t c = 0; c < old->count && c < new->count; c++)
        for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
            if (keys_in(after, &new->all[c], slot) < keys_in(before, &old->all[c], slot))
                return slot;
    return SLOT_COUNT;
}

/* ------------------------------------------------------------------ the verdict */

static bool remains(const struct plan *plan, const struct findings *after, struct arena *arena, const char **why)
{
    for (size_t f = 0; f < after->count; f++)
        for (size_t s = 0; s < plan->stage_count; s++)
            if (about(plan->stages[s], after, &after->all[f]) &&
                plan_addresses(plan->stages[s]->kind, after->all[f].id)) {
                *why = arena_format(arena, "%s remains", finding_word(after->all[f].id));
                return true;
            }
    return false;
}

static bool is_new(const struct plan *plan, const struct findings *before, const struct findings *after,
                   struct arena *arena, const char **why)
{
    for (size_t f = 0; f < after->count; f++) {
        const struct finding *finding = &after->all[f];
        if (finding->severity != SEVERITY_ERROR || known_in(before, finding, false) ||
            is_consequence(plan, finding->id))
            continue;
        *why = arena_format(arena, "%s would be new (%s)", finding_word(finding->id), said(finding));
        return true;
    }
    return false;
}

static bool play_all(struct plan *plan, struct model *model, struct arena *arena, const char **why)
{
    for (size_t s = 0; s < plan->stage_count; s++) {
        const char *answer = model_play(model, plan->stages[s]);
        if (!answer)
            continue;
        *why = plan->stage_count == 1 ? answer : arena_format(arena, "stage %zu, %s", s + 1, answer);
        return false;
    }
    return true;
}

bool plan_rehearse(struct plan *plan, struct arena *arena, const char **why)
{
    struct model begin, model;
    struct clusters *old, *new;
    *why = "out of memory";
    if (!plan_guarded(plan, why) || !model_of(plan->evidence, arena, &begin) ||
        !model_of(plan->evidence, arena, &model) || !play_all(plan, &model, arena, why))
        return false;
    struct findings *before = judge(plan->evidence, &old, arena), *after = judge(&model.evidence, &new, arena);
    if (!before || !after) {
        *why = "out of memory";
        return false;
    }
    plan->before = list_of(plan, before, before, WHICH_ABOUT, arena, &plan->before_count);
    plan->after = list_of(plan, after, before, WHICH_ABOUT, arena, &plan->after_count);
    plan->unchanged = list_of(plan, after, before, WHICH_UNCHANGED, arena, &plan->unchanged_count);
    plan->fresh = list_of(plan, after, before, WHICH_FRESH, arena, &plan->fresh_count);
    if (remains(plan, after, arena, why) || is_new(plan, before, after, arena, why))
        return false;
    unsigned slot = losing_slot(&begin, old, &model, new);
    if (slot < SLOT_COUNT)
        *why = arena_format(arena, "the owner of slot %u would hold fewer keys than before", slot);
    return slot == SLOT_COUNT;
}
