/* A cluster from empty servers: which become primaries, which slots they get, whom the others follow.
 *
 * The tools place by IP address and improve at random; here the layout is computed for what is lost together, and is
 * always the same. The plan says what the tools would have made of the same list. */
#include <inttypes.h>
#include <string.h>

#include "tools/cluster/prejoin.h"
#include "tools/evidence/hosts.h"
#include "tools/plan/making.h"
#include "tools/plan/placement.h"

enum { LEAST_PRIMARIES = 3 };

struct creation {
    struct making *m;
    size_t count;
    size_t *instances;
    struct placement_node *nodes;
    const struct placement *placement;
};

/* ------------------------------------------------------------------ who takes part */

static bool find_node(struct creation *c, size_t number)
{
    struct making *m = c->m;
    const char *why, *name = m->wish->operands[number], *ip;
    uint16_t port;
    size_t instance = evidence_instance(m->scene->evidence, name, &why);
    if (instance == SIZE_MAX)
        instance = making_assume(m, name);
    if (instance == SIZE_MAX)
        return false;
    for (size_t before = 0; before < number; before++)
        if (c->instances[before] == instance)
            return making_stop(m, PLAN_REFUSED, arena_format(m->arena, "%s is named twice", name), NULL);
    if (!target_address(m, instance, &ip, &port))
        return making_stop(m, PLAN_IMPOSSIBLE,
                           arena_format(m->arena, "the address of %s is not known from its files", name),
                           "name it as ip:port");
    c->instances[number] = instance;
    c->nodes[number] = (struct placement_node){.ip = ip, .host = m->scene->evidence->instances[instance].host,
                                               .zone = hosts_zone(m->scene->evidence, ip, port)};
    return true;
}

/* Its files, where the case has them, must show that a start finds nothing. */
static bool check_empty(struct creation *c, size_t number)
{
    struct making *m = c->m;
    const struct instance *instance = &m->scene->evidence->instances[c->instances[number]];
    if (!*instance->folder && !instance->view && !instance->settings && !instance->dump)
        return true;
    const struct prejoin *prejoin =
        prejoin_of(m->scene->evidence, c->instances[number], m->scene->evidence, m->scene->clusters, m->arena);
    if (!prejoin)
        return making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
    if (prejoin->verdict == PREJOIN_EMPTY)
        return true;
    for (size_t r = 0; r < prejoin->reason_count; r++)
        if (prejoin->reasons[r].effect == (prejoin->verdict == PREJOIN_NOT_EMPTY ? PREJOIN_AGAINST : PREJOIN_OPEN))
            making_detail(m, prejoin->reasons[r].text);
    return making_stop(
        m, PLAN_REFUSED,
        prejoin->verdict == PREJOIN_NOT_EMPTY
            ? arena_format(m->arena,
                           "Node %s is not empty. Either the node already knows other nodes (check with CLUSTER NODES) "
                           "or contains some key in database 0.",
                           m->wish->operands[number])
            : arena_format(m->arena, "whether %s is empty cannot be told from its files", m->wish->operands[number]),
        "rcf-prejoin says what it is; nothing is created over data");
}

static bool check_number(struct creation *c)
{
    struct making *m = c->m;
    size_t each = (size_t)m->wish->replicas + 1;
    if (c->count / each >= LEAST_PRIMARIES)
        return true;
    making_detail(m, arena_format(m->arena, "%zu nodes with %" PRIu64 " replicas of each primary make %zu primaries",
                                  c->count, m->wish->replicas, c->count / each));
    return making_stop(m, PLAN_REFUSED, "a cluster requires at least 3 master nodes",
                       arena_format(m->arena, "at least %zu nodes are required", LEAST_PRIMARIES * each));
}

/* ------------------------------------------------------------------ what the layout is worth */

static const char *tell_cost(struct making *m, const char *whose, const struct placement_cost *cost, size_t nodes,
                             size_t primaries)
{
    return arena_format(
        m->arena, "%s: %zu of %zu replicas on their primary's host, %zu host%s with a majority of the %zu primaries%s",
        whose, cost->replicas_on_primary_host, nodes - primaries, cost->majority_hosts,
        cost->majority_hosts == 1 ? "" : "s", primaries,
        cost->replicas_in_primary_zone
            ? arena_format(m->arena, ", %zu in their primary's zone", cost->replicas_in_primary_zone)
            : "");
}

/* "127.0.0.1:7000 <- 127.0.0.2:7001 127.0.0.3:7002; ..." */
static const char *tell_layout(struct creation *c, const struct placement *placement)
{
    struct making *m = c->m;
    const char *text = "";
    for (size_t p = 0; text && p < placement->primaries; p++) {
        text = arena_format(m->arena, "%s%s%s", text, p ? "; " : "", making_name(m, c->instances[placement->order[p]]));
        for (size_t n = 0, first = 1; text && n < c->count; n++)
            if (n != placement->order[p] && placement->follows[n] == placement->order[p]) {
                text = arena_format(m->arena, "%s %s%s", text, first ? "<- " : "", making_name(m, c->instances[n]));
                first = 0;
            }
    }
    return text;
}

static bool tell(struct creation *c)
{
    struct making *m = c->m;
    struct placement_cost ours, theirs;
    const struct placement *tools = placement_of_tools(c->nodes, c->count, (size_t)m->wish->replicas, m->arena);
    if (!tools || !placement_cost(c->placement, c->nodes, c->count, m->arena, &ours) ||
        !placement_cost(tools, c->nodes, c->count, m->arena, &theirs))
        return making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
    making_detail(m, tell_cost(m, "this layout", &ours, c->count, c->placement->primaries));
    making_detail(m, tell_cost(m, "the tools' layout, before they exchange nodes at random", &theirs, c->count,
                               tools->primaries));
    making_detail(m, arena_format(m->arena, "the tools would begin with %s", tell_layout(c, tools)));
    making_detail(m, arena_format(m->arena, "hosts by %s",
                                  m->scene->evidence->host_basis ? m->scene->evidence->host_basis : "IP addresses"));
    return true;
}

/* ------------------------------------------------------------------ the stage */

static struct step *add(struct creation *c, enum action action, size_t node, size_t peer, const struct slot_set *slots)
{
    struct making *m = c->m;
    struct step *step =
        making_step_on(m, action, c->instances[node], peer == SIZE_MAX ? SIZE_MAX : c->instances[peer], slots);
    bool bound =
        step && making_bind_address(m, step, "node", c->instances[node]) &&
        (peer == SIZE_MAX || making_bind_address(m, step, "peer", c->instances[peer])) &&
        making_bind_step(m, step, "slots", FORM_SLOTS, slots ? slot_set_text(slots, ' ', m->arena) : NULL, true);
    return bound ? step : NULL;
}

static const struct slot_set *slots_of(struct creation *c, size_t node)
{
    const struct placement *placement = c->placement;
    struct slot_set *slots = arena_alloc(c->m->arena, sizeof(*slots));
    if (!slots)
        return NULL;
    *slots = (struct slot_set){.count = 0};
    for (size_t p = 0; p < placement->primaries; p++) {
        unsigned first, last;
        if (placement->order[p] != node)
            continue;
        placement_slots(p, placement->primaries, &first, &last);
        for (unsigned slot = first; slot <= last; slot++)
            slot_set_add(slots, slot);
    }
    return slots;
}

static bool add_steps(struct creation *c)
{
    struct making *m = c->m;
    const struct placement *placement = c->placement;
    for (size_t n = 0; n < c->count; n++) {
        const struct slot_set *slots = slots_of(c, n);
        if (!slots || !add(c, ACTION_VERIFY_BLANK, n, SIZE_MAX, slots))
            return false;
    }
    for (size_t p = 0; p < placement->primaries; p++) {
        const struct slot_set *slots = slots_of(c, placement->order[p]);
        if (!slots || !add(c, ACTION_TAKE_SLOTS, placement->order[p], SIZE_MAX, slots))
            return false;
    }
    for (size_t n = 0; n < c->count; n++) {
        struct step *step = add(c, ACTION_SET_EPOCH, n, SIZE_MAX, NULL);
        const char *epoch = arena_format(m->arena, "%zu", n + 1);
        if (!step || !epoch || !making_bind_step(m, step, "epoch", FORM_COUNT, epoch, false))
            return false;
        step->argv = phrase_command(m, step, (const char *const[]){"CLUSTER", "SET-CONFIG-EPOCH", epoch}, 3);
    }
    for (size_t n = 1; n < c->count; n++)
        if (!add(c, ACTION_MEET, 0, n, NULL))
            return false;
    if (!add(c, ACTION_WAIT_MET, 0, SIZE_MAX, NULL))
        return false;
    for (size_t n = 0; n < c->count; n++)
        if (placement->follows[n] != n && !add(c, ACTION_FOLLOW, n, placement->follows[n], NULL))
            return false;
    return add(c, ACTION_VERIFY_CREATED, 0, SIZE_MAX, NULL) != NULL;
}

static bool bind_all(struct creation *c)
{
    struct making *m = c->m;
    const char *list = "";
    for (size_t n = 0; list && n < c->count; n++) {
        const char *ip;
        uint16_t port;
        if (!target_address(m, c->instances[n], &ip, &port))
            return false;
        list = arena_format(m->arena, "%s%s%s,%u", list, n ? " " : "", ip, port);
    }
    return list && stage_bind(m->stage, m->arena, "everyone", FORM_MEMBERS, list, false) &&
           stage_bind(m->stage, m->arena, "number", FORM_COUNT, arena_format(m->arena, "%zu", c->count), false);
}

static bool build(struct creation *c)
{
    struct making *m = c->m;
    struct stage *stage = m->stage;
    stage->founders = c->instances;
    stage->founder_count = c->count;
    stage->follows = c->placement->follows;
    stage->headline =
        arena_format(m->arena, "Create a cluster of %zu primaries and %zu replicas: %s", c->placement->primaries,
                     c->count - c->placement->primaries, tell_layout(c, c->placement));
    stage->content = "nothing: every node is proved empty before anything is done to any of them";
    return stage->headline && add_steps(c) && bind_all(c);
}

bool make_create(struct making *m)
{
    struct creation c = {.m = m, .count = m->wish->operand_count};
    c.instances = arena_array(m->arena, c.count, sizeof(*c.instances));
    c.nodes = arena_array(m->arena, c.count, sizeof(*c.nodes));
    if (!making_stage(m, STAGE_CREATE) || !c.instances || !c.nodes)
        return making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
    if (!check_number(&c))
        return false;
    for (size_t n = 0; n < c.count; n++)
        if (!find_node(&c, n))
            return false;
    for (size_t n = 0; n < c.count; n++)
        if (!check_empty(&c, n))
            return false;
    m->plan->dialect = scene_dialect(m->scene, NULL, c.instances[0]);
    c.placement = placement_of(c.nodes, c.count, (size_t)m->wish->replicas, m->arena);
    if (!c.placement)
        return making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
    return tell(&c) && (build(&c) || making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL)) && making_done(m);
}
