/* All findings of a case that have a safe remedy, each in its place: after every stage the model is judged again,
 * so that the next one is made for the cluster that the stages before leave, and a finding that went by itself is
 * not repaired.
 *
 * What has no remedy here, or whose remedy was refused, is named with the reason: a person has to decide it. */
#include <string.h>

#include "tools/plan/making.h"

enum { MOST_STAGES = 1000 };

/* ------------------------------------------------------------------ remedies that other goals have */

size_t repair_subject(struct making *m, const struct finding *finding)
{
    const char *why, *name = finding->node ? finding->node : finding->node_id;
    size_t instance = name ? evidence_instance(m->scene->evidence, name, &why) : SIZE_MAX;
    if (instance == SIZE_MAX)
        making_stop(m, PLAN_REFUSED, "the case holds no files of it, or of several nodes that are called so",
                    "collect the files of the node");
    return instance;
}

bool repair_rejoin(struct making *m, const struct finding *finding)
{
    size_t instance = repair_subject(m, finding);
    return instance != SIZE_MAX && make_rejoin_stage(m, instance);
}

bool repair_by_person(struct making *m, const struct finding *finding)
{
    return making_stop(m, PLAN_REFUSED, "which nodes and keys belong where is not for a tool to say",
                       arena_format(m->arena, "rcf-check --explain %s says what to do", finding_word(finding->id)));
}

/* One that runs is brought back whole; the removal of one that does not is finished. Who replicates it moves first. */
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
    enum { ANY, SETTLED } when;
    const char *reason;
} remedies[] = {
#define REMEDY(id, maker, when, reason) {FINDING_##id, maker, when, reason},
#include "tools/plan/remedies.def"
#undef REMEDY
};

/* A finding whose remedy was refused. */
struct refusal {
    struct finding finding;
    enum stage_kind kind; /* what would have been made of it */
    const char *why, *hint;
    struct refusal *next;
};

static bool equal(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

static const struct refusal *refusal_of(const struct refusal *list, const struct finding *finding)
{
    for (; list; list = list->next)
        if (list->finding.id == finding->id && list->finding.cluster == finding->cluster &&
            equal(list->finding.node, finding->node) && equal(list->finding.host, finding->host) &&
            equal(list->finding.slots, finding->slots))
            return list;
    return NULL;
}

/* The first finding, in the order of remedies, that has one that was not refused. */
static const struct finding *next_finding(const struct making *m, const struct refusal *refused,
                                          const struct remedy **remedy)
{
    const struct findings *findings = m->scene->findings;
    for (size_t r = 0; r < sizeof(remedies) / sizeof(remedies[0]); r++)
        for (size_t f = 0; f < findings->count; f++)
            if (findings->all[f].id == remedies[r].finding && !refusal_of(refused, &findings->all[f])) {
                *remedy = &remedies[r];
                return &findings->all[f];
            }
    return NULL;
}

/* Whether an error of the same cluster has remained; then the remedy stops. */
static bool stops_unsettled(struct making *m, const struct finding *finding, const struct refusal *refused)
{
    for (; refused; refused = refused->next)
        if (refused->finding.severity == SEVERITY_ERROR && refused->finding.cluster == finding->cluster &&
            refused->finding.id != finding->id) {
            making_stop(m, PLAN_REFUSED, "who is where is changed last, and an error of this cluster remains",
                        arena_format(m->arena, "settle %s first", finding_word(refused->finding.id)));
            return true;
        }
    return false;
}

/* Takes back that the plan was stopped; its reason goes with the finding. */
static struct refusal *set_aside(struct making *m, const struct finding *finding, struct refusal *list)
{
    struct plan *plan = m->plan;
    struct refusal *refusal = arena_alloc(m->arena, sizeof(*refusal));
    if (refusal)
        *refusal = (struct refusal){.finding = *finding,
                                    .kind = plan->stopped ? plan->stopped->kind : STAGES,
                                    .why = plan->why,
                                    .hint = plan->hint,
                                    .next = list};
    plan->outcome = PLAN_READY;
    plan->why = plan->hint = NULL;
    plan->details = NULL;
    plan->detail_count = 0;
    plan->stopped = NULL;
    return refusal;
}

/* Says of the stages of one remedy what they are for. */
static void explain(struct making *m, size_t from, const struct finding *finding, const char *reason)
{
    for (size_t s = from; s < m->plan->stage_count; s++) {
        struct stage *stage = m->plan->stages[s];
        stage->reason = stage->reason ? stage->reason : reason;
        if (stage->answers)
            continue;
        stage->answers = finding_word(finding->id);
        for (size_t n = 0; n < stage->step_count; n++)
            stage->steps[n].answers = stage->answers;
    }
}

/* ------------------------------------------------------------------ what remains */

/* What is said of a node's keys is a part of why its remedy was refused, and so is what this remedy would have
 * ended; what a stage was known to leave is said by the stage. */
static bool is_told(const struct making *m, const struct refusal *refused, const struct finding *finding)
{
    bool keys = finding->id == FINDING_KEYS_IN_FOREIGN_SLOT || finding->id == FINDING_KEYS_ONLY_HERE;
    for (; finding->node && refused; refused = refused->next)
        if (equal(refused->finding.node, finding->node) && refused->finding.id != finding->id &&
            refused->kind != STAGES && (keys || plan_addresses(refused->kind, finding->id)))
            return true;
    for (size_t s = 0; finding->node && s < m->plan->stage_count; s++) {
        const struct stage *stage = m->plan->stages[s];
        if (stage->target.instance != SIZE_MAX && plan_leaves(stage->kind, finding->id) &&
            equal(m->scene->evidence->instances[stage->target.instance].name, finding->node))
            return true;
    }
    return false;
}

enum { SLOTS_SHOWN = 60 }; /* bytes of a list of slots */

/* " 127.0.0.1:7000", " host 127.0.0.1", " slots 0-5, 10, ...": what a finding is about. */
static const char *subject(struct making *m, const struct finding *finding)
{
    const char *text = finding->node ? arena_format(m->arena, " %s", finding->node)
                       : finding->host ? arena_format(m->arena, " host %s", finding->host) : "";
    const char *slots = finding->slots;
    size_t shown = SLOTS_SHOWN;
    if (!text || !slots || !*slots)
        return text;
    if (strlen(slots) <= SLOTS_SHOWN)
        return arena_format(m->arena, "%s slot%s %s", text, strpbrk(slots, ",-") ? "s" : "", slots);
    while (shown && slots[shown] != ',')
        shown--;
    return arena_format(m->arena, "%s slots %.*s,...", text, (int)shown, slots);
}

static bool is_said(const struct plan *plan, const char *line)
{
    for (size_t d = 0; line && d < plan->detail_count; d++)
        if (strcmp(plan->details[d], line) == 0)
            return true;
    return false;
}

static void say_remaining(struct making *m, const struct refusal *refused)
{
    for (size_t f = 0; f < m->scene->findings->count; f++) {
        const struct finding *finding = &m->scene->findings->all[f];
        const struct refusal *refusal = refusal_of(refused, finding);
        if (finding->severity == SEVERITY_INFO || (!refusal && is_told(m, refused, finding)))
            continue;
        const char *word = finding_word(finding->id), *about = subject(m, finding);
        const char *line = refusal ? arena_format(m->arena, "not repaired: %s%s: %s%s%s", word, about, refusal->why,
                                                  refusal->hint ? "; " : "", refusal->hint ? refusal->hint : "")
                                   : arena_format(m->arena, "not repaired: %s%s: a person has to decide it; "
                                                  "rcf-check --explain %s says what to do", word, about, word);
        if (!is_said(m->plan, line))
            making_detail(m, line);
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

bool plan_repairs(enum finding_id finding)
{
    for (size_t r = 0; r < sizeof(remedies) / sizeof(remedies[0]); r++)
        if (remedies[r].finding == finding)
            return true;
    return false;
}

bool make_repair(struct making *m)
{
    struct refusal *refused = NULL;
    for (size_t round = 0; round < MOST_STAGES; round++) {
        const struct remedy *remedy;
        size_t made = m->plan->stage_count;
        if (!scene_judge(m->scene, m->arena))
            return making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
        const struct finding *finding = next_finding(m, refused, &remedy);
        if (!finding)
            break;
        m->stage = NULL; /* a remedy that stops before it begins a stage stops at none */
        bool done = !(remedy->when == SETTLED && stops_unsettled(m, finding, refused)) &&
                    remedy->make(m, finding) && making_go_on(m);
        explain(m, made, finding, remedy->reason);
        if (done)
            continue;
        if (m->plan->outcome == PLAN_IMPOSSIBLE && !m->plan->why)
            return false;
        if (!(refused = set_aside(m, finding, refused)))
            return making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
    }
    m->plan->target_name = m->plan->target_id = NULL; /* of the stages, not of the goal */
    say_remaining(m, refused);
    if (m->plan->stage_count)
        return true;
    if (m->plan->detail_count)
        return making_stop(m, PLAN_REFUSED, "nothing of what is wrong has a remedy that is safe on this evidence",
                           "rcf-check explains each finding");
    return nothing_wrong(m);
}
