/* All findings of a case that have a safe remedy, each in its place: after every stage the model is judged again, so that
 * the next one is made for the cluster that the stages before leave, and a finding that went by itself is not repaired.
 *
 * What has no remedy here, or whose remedy was refused, is named with the reason: a person has to decide it. */
#include <string.h>

#include "tools/plan/making.h"

enum { MOST_STAGES = 1000 };

/* ------------------------------------------------------------------ remedies that other goals have */

size_t repair_subject(struct making *m, const struct finding *finding)
{
    const char *why = "no file of it is in the case", *name = finding->node ? finding->node : finding->node_id;
    size_t instance = name ? evidence_instance(m->scene->evidence, name, &why) : SIZE_MAX;
    if (instance == SIZE_MAX)
        making_stop(m, PLAN_REFUSED, why, "collect the files of the node");
    return instance;
}

bool repair_rejoin(struct making *m, const struct finding *finding)
{
    size_t instance = repair_subject(m, finding);
    return instance != SIZE_MAX && make_rejoin_stage(m, instance);
}

/* A node that runs is brought back whole; the removal of one that does not is finished. Who replicates it moves first. */
bool repair_half_forgotten(struct making *m, const struct finding *finding)
{
    size_t instance = repair_subject(m, finding);
    uint32_t index;
    if (instance == SIZE_MAX)
        return false;
    if (!making_stage(m, STAGE_REMOVE))
        return making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
    if (!target_find(m, instance, &index))
        return false;
    const struct cluster *cluster = m->stage->cluster;
    for (uint32_t n = 0; index != NO_NODE && n < cluster->member_count; n++)
        if (cluster->nodes[n].replica && cluster->nodes[n].follows == index)
            return repair_followers(m, cluster, index);
    target_judge_life(m, index);
    return m->stage->target.down ? make_remove_stage(m, instance) : make_rejoin_stage(m, instance);
}

/* ------------------------------------------------------------------ the order */

static const struct remedy {
    enum finding_id finding;
    bool (*make)(struct making *m, const struct finding *finding);
    const char *reason;
} remedies[] = {
#define REMEDY(id, maker, reason) {FINDING_##id, maker, reason},
#include "tools/plan/remedies.def"
#undef REMEDY
};

/* A finding whose remedy was refused. */
struct refusal {
    enum finding_id id;
    const char *node, *slots, *why, *hint;
    struct refusal *next;
};

static bool equal(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool was_refused(const struct refusal *list, const struct finding *finding)
{
    for (; list; list = list->next)
        if (list->id == finding->id && equal(list->node, finding->node) && equal(list->slots, finding->slots))
            return true;
    return false;
}

/* The first finding, in the order of remedies, that has one that was not refused. */
static const struct finding *next_finding(const struct making *m, const struct refusal *refused, const struct remedy **remedy)
{
    const struct findings *findings = m->scene->findings;
    for (size_t r = 0; r < sizeof(remedies) / sizeof(remedies[0]); r++)
        for (size_t f = 0; f < findings->count; f++)
            if (findings->all[f].id == remedies[r].finding && !was_refused(refused, &findings->all[f])) {
                *remedy = &remedies[r];
                return &findings->all[f];
            }
    return NULL;
}

/* Takes back that the plan was stopped; its reason goes with the finding. */
static struct refusal *set_aside(struct making *m, const struct finding *finding, struct refusal *list)
{
    struct plan *plan = m->plan;
    struct refusal *refusal = arena_alloc(m->arena, sizeof(*refusal));
    if (refusal)
        *refusal = (struct refusal){finding->id, finding->node, finding->slots, plan->why, plan->hint, list};
    plan->outcome = PLAN_READY;
    plan->why = plan->hint = NULL;
    plan->details = NULL;
    plan->detail_count = 0;
    return refusal;
}

static void say_remaining(struct making *m, const struct refusal *refused)
{
    for (size_t f = 0; f < m->scene->findings->count; f++) {
        const struct finding *finding = &m->scene->findings->all[f];
        const struct refusal *refusal = refused;
        if (finding->severity == SEVERITY_INFO)
            continue;
        while (refusal && !(refusal->id == finding->id && equal(refusal->node, finding->node) && equal(refusal->slots, finding->slots)))
            refusal = refusal->next;
        making_detail(m, arena_format(m->arena, "not repaired: %s%s%s%s%s: %s%s%s", finding_word(finding->id), finding->node ? " " : "",
                                      finding->node ? finding->node : "", finding->slots ? " slots " : "", finding->slots ? finding->slots : "",
                                      refusal ? refusal->why : "a person has to decide it; rcf-check says what it rests on",
                                      refusal && refusal->hint ? "; " : "", refusal && refusal->hint ? refusal->hint : ""));
    }
}

/* As far as the sources go: what they never say may be wrong all the same. */
static bool nothing_wrong(struct making *m)
{
    const char *limits = NULL;
    for (size_t c = 0; c < m->scene->clusters->count; c++) {
        const struct cluster *cluster = &m->scene->clusters->all[c];
        if (cluster->partial || !cluster->epochs_known)
            limits = cluster_limits_text(cluster, m->arena);
    }
    return making_stop(m, PLAN_NOTHING,
                       limits ? arena_format(m->arena, "nothing is wrong in what the case says (%s)", limits)
                              : "nothing is wrong that has to be repaired",
                       NULL);
}

bool make_repair(struct making *m)
{
    struct refusal *refused = NULL;
    for (size_t round = 0; round < MOST_STAGES; round++) {
        const struct remedy *remedy;
        if (!scene_judge(m->scene, m->arena))
            return making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
        const struct finding *finding = next_finding(m, refused, &remedy);
        if (!finding)
            break;
        if (remedy->make(m, finding) && making_go_on(m)) {
            m->plan->stages[m->plan->stage_count - 1]->reason = remedy->reason;
            continue;
        }
        if (m->plan->outcome == PLAN_IMPOSSIBLE && !m->plan->why)
            return false;
        if (!(refused = set_aside(m, finding, refused)))
            return making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
    }
    say_remaining(m, refused);
    if (m->plan->stage_count)
        return true;
    if (m->plan->detail_count)
        return making_stop(m, PLAN_REFUSED, "nothing of what is wrong has a remedy that is safe on this evidence",
                           "rcf-check explains each finding");
    return nothing_wrong(m);
}
