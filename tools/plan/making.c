#include "tools/plan/making.h"

#include <string.h>

#include "parsers/bytes/text.h"

bool making_stop(struct making *m, enum plan_outcome outcome, const char *why, const char *hint)
{
    m->plan->outcome = why ? outcome : PLAN_IMPOSSIBLE;
    m->plan->why = why ? why : "out of memory";
    m->plan->hint = hint;
    m->plan->stopped = m->stage;
    return false;
}

void making_detail(struct making *m, const char *line)
{
    struct plan *plan = m->plan;
    const char **lines = line ? arena_array(m->arena, plan->detail_count + 1, sizeof(*lines)) : NULL;
    if (!lines)
        return;
    for (size_t i = 0; i < plan->detail_count; i++)
        lines[i] = plan->details[i];
    lines[plan->detail_count++] = line;
    plan->details = lines;
}

struct stage *making_stage(struct making *m, enum stage_kind kind)
{
    m->stage = arena_alloc(m->arena, sizeof(*m->stage));
    if (!m->stage)
        return NULL;
    *m->stage = (struct stage){.kind = kind, .target = {.instance = SIZE_MAX}};
    return m->stage;
}

bool making_about(struct making *m, const struct cluster *cluster, size_t instance)
{
    m->stage->cluster = cluster;
    if (m->plan->stage_count == 0) {
        m->plan->cluster = cluster;
        m->plan->dialect = scene_dialect(m->scene, cluster, instance);
    }
    return check_sources(m);
}

bool making_done(struct making *m)
{
    struct plan *plan = m->plan;
    struct stage **stages = arena_grow(m->arena, plan->stages, plan->stage_count, &plan->stage_cap,
                                       sizeof(struct stage *));
    if (!stages || !making_bind_stage(m) || arena_failed(m->arena))
        return making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
    plan->stages = stages;
    stages[plan->stage_count++] = m->stage;
    m->stage = NULL;
    return true;
}

bool making_go_on(struct making *m)
{
    const char *answer = model_play(m->model, m->plan->stages[m->plan->stage_count - 1]);
    if (answer)
        return making_stop(m, PLAN_REFUSED, arena_format(m->arena, "the plan fails its rehearsal: %s", answer), NULL);
    m->scene = scene_of(m->model, m->arena);
    return m->scene != NULL || making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
}

bool making_order(struct making *m, const struct wanted *order, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (order[i].wanted && !making_step(m, order[i].action))
            return making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
    return true;
}

bool making_bind_step(struct making *m, struct step *step, const char *name, enum binding_form form, const char *value,
                      bool optional)
{
    struct binding *bindings = arena_array(m->arena, step->binding_count + 1, sizeof(*bindings));
    if (!bindings)
        return false;
    for (size_t b = 0; b < step->binding_count; b++)
        bindings[b] = step->bindings[b];
    bindings[step->binding_count++] = (struct binding){name, form, value, optional};
    step->bindings = bindings;
    return true;
}

size_t making_named(struct making *m, size_t operand)
{
    const char *why = "no such node", *name = m->wish->operands[operand];
    size_t instance = evidence_instance(m->scene->evidence, name, &why);
    if (instance == SIZE_MAX)
        making_stop(m, PLAN_IMPOSSIBLE, arena_format(m->arena, "%s: %s", name, why), NULL);
    return instance;
}

size_t making_assume(struct making *m, const char *name)
{
    const struct binding endpoint = {"address", FORM_ENDPOINT, name, false};
    const char *colon = strrchr(name, ':');
    uint64_t port = 0;
    if (!binding_fits(&endpoint) || !text_u64((struct bytes){(const uint8_t *)colon + 1, strlen(colon + 1)}, &port)) {
        making_stop(m, PLAN_IMPOSSIBLE,
                    arena_format(m->arena, "%s: no instance of the case is called so, and it is no ip:port", name),
                    NULL);
        return SIZE_MAX;
    }
    const char *ip = arena_copy(m->arena, name, (size_t)(colon - name));
    size_t instance = ip ? model_assume(m->model, ip, (uint16_t)port) : SIZE_MAX;
    m->scene = instance == SIZE_MAX ? NULL : scene_of(m->model, m->arena);
    if (!m->scene) {
        making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
        return SIZE_MAX;
    }
    m->plan->evidence = m->scene->evidence;
    return instance;
}

uint32_t node_named(const struct cluster *cluster, const char *name)
{
    size_t len = strlen(name);
    uint32_t found = NO_NODE;
    for (uint32_t n = 0; n < cluster->node_count; n++) {
        const struct node *node = &cluster->nodes[n];
        if (strcmp(node->name, name) != 0 && (len < 8 || strncmp(node->id, name, len) != 0))
            continue;
        if (found != NO_NODE)
            return NO_NODE;
        found = n;
    }
    return found;
}

size_t making_named_member(struct making *m, size_t operand)
{
    const char *why, *name = m->wish->operands[operand];
    const struct clusters *clusters = m->scene->clusters;
    if (evidence_instance(m->scene->evidence, name, &why) == SIZE_MAX)
        for (size_t c = 0; c < clusters->count; c++) {
            uint32_t node = node_named(&clusters->all[c], name);
            if (node != NO_NODE && clusters->all[c].nodes[node].instance == SIZE_MAX &&
                clusters->all[c].nodes[node].entry)
                return making_assume(m, clusters->all[c].nodes[node].name);
        }
    return making_named(m, operand);
}

const char *making_name(struct making *m, size_t instance)
{
    const char *ip;
    uint16_t port;
    if (m->stage && instance == m->stage->target.instance)
        return m->stage->target.name;
    return target_address(m, instance, &ip, &port) ? arena_format(m->arena, "%s:%u", ip, port)
                                                   : m->scene->evidence->instances[instance].name;
}
