/* Slots that nobody owns: who gets them.
 *
 * Where the keys are decides: the member whose dump holds most keys of the slot, which gets those of the others,
 * else the one for which others still list it. A slot without keys anywhere goes to the primary with the fewest
 * slots. Never to a random node while a failed member or an outsider may hold its keys: when that one came back, it
 * would find its slots taken with a higher epoch, and flush. */
#include <inttypes.h>
#include <string.h>

#include "tools/plan/making.h"

struct covering {
    struct making *m;
    const struct cluster *cluster;
    struct slot_set **shares; /* by member */
    struct slot_set **tools;  /* the same, as the servers' own tool would give them by their keys */
    struct slot_set empty;    /* that no primary has keys of */
    unsigned *served;         /* slots by member, with those that it gets */
};

static uint32_t keys_of(const struct covering *c, uint32_t node, unsigned slot)
{
    size_t instance = c->cluster->nodes[node].instance;
    const struct process *process = instance == SIZE_MAX ? NULL : &c->m->model->processes[instance];
    return process && process->keys ? process->keys[slot] : 0;
}

static bool can_serve(const struct node *node)
{
    return node->primary && !node->failed && node->instance != SIZE_MAX;
}

/* The running primary with most keys of the slot. A dump of another node that holds more stops the plan: it comes
 * first. */
static bool find_holder(struct covering *c, unsigned slot, uint32_t *holder)
{
    uint32_t most = 0, elsewhere = NO_NODE;
    *holder = NO_NODE;
    for (uint32_t n = 0; n < c->cluster->node_count; n++) {
        const struct node *node = &c->cluster->nodes[n];
        uint32_t keys = keys_of(c, n, slot);
        bool serves = n < c->cluster->member_count && can_serve(node);
        if (keys && serves && keys > most) {
            most = keys;
            *holder = n;
        }
        if (keys && !serves && !(node->replica && !node->failed))
            elsewhere = n;
    }
    if (elsewhere == NO_NODE || *holder != NO_NODE)
        return true;
    return making_stop(c->m, PLAN_REFUSED,
                       arena_format(c->m->arena,
                                    "keys of slot %u, which nobody serves, are in the dump of %s, which %s", slot,
                                    c->cluster->nodes[elsewhere].name,
                                    c->cluster->nodes[elsewhere].failed ? "has failed" : "is no member"),
                       "bring that node back before its slots are given to another one");
}

static uint32_t least_laden(const struct covering *c)
{
    uint32_t least = NO_NODE;
    for (uint32_t n = 0; n < c->cluster->member_count; n++)
        if (can_serve(&c->cluster->nodes[n]) && c->served[n] && (least == NO_NODE || c->served[n] < c->served[least]))
            least = n;
    return least;
}

static bool add_to(struct slot_set **shares, uint32_t node, unsigned slot, struct arena *arena)
{
    if (!shares[node]) {
        shares[node] = arena_alloc(arena, sizeof(struct slot_set));
        if (!shares[node])
            return false;
        *shares[node] = (struct slot_set){.count = 0};
    }
    slot_set_add(shares[node], slot);
    return true;
}

/* ... and what the servers' tool would do: it counts the keys on primaries that answer, and takes the one that has
 * them, or most of them (redis-cli.c, clusterManagerFixSlotsCoverage; redis-trib.rb, fix_slots_coverage). */
static bool give(struct covering *c, uint32_t node, unsigned slot, uint32_t holder)
{
    c->served[node]++;
    if (holder == NO_NODE)
        slot_set_add(&c->empty, slot);
    return add_to(c->shares, node, slot, c->m->arena) &&
           (holder == NO_NODE || add_to(c->tools, holder, slot, c->m->arena));
}

static bool tell_tool(struct covering *c)
{
    struct making *m = c->m;
    bool trib = m->plan->dialect == DIALECT_TRIB;
    const char *text = NULL;
    for (uint32_t n = 0; n < c->cluster->member_count; n++)
        if (c->tools[n])
            text = arena_format(m->arena, "%s%s%s on %s, which has the most keys there", text ? text : "",
                                text ? "; " : "", slot_set_words(c->tools[n], m->arena), c->cluster->nodes[n].name);
    if (c->empty.count)
        text = arena_format(m->arena, "%s%s%s, of which there are no keys, %son a %s at random", text ? text : "",
                            text ? "; " : "", slot_set_words(&c->empty, m->arena), c->empty.count > 1 ? "each " : "",
                            trib ? "node" : "primary");
    m->stage->tool =
        arena_format(m->arena, "by the dumps %s fix would put %s",
                     trib ? "redis-trib.rb" : arena_format(m->arena, "%s --cluster", phrase_client(m->plan->dialect)),
                     text ? text : "");
    return m->stage->tool != NULL;
}

static bool share_out(struct covering *c)
{
    struct making *m = c->m;
    uint32_t last = NO_NODE; /* the one that got the slot before: runs stay together */
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
        uint32_t holder, gets, listed = c->cluster->slots[slot].listed;
        if (c->cluster->slots[slot].node != NO_NODE) {
            last = NO_NODE;
            continue;
        }
        if (!find_holder(c, slot, &holder))
            return false;
        gets = holder;
        if (gets == NO_NODE && listed != NO_NODE && can_serve(&c->cluster->nodes[listed]))
            gets = listed;
        if (gets == NO_NODE)
            gets = last != NO_NODE ? last : least_laden(c);
        if (gets == NO_NODE)
            return making_stop(m, PLAN_REFUSED, "no primary runs whose files are in the case",
                               "collect the files of the primaries");
        if (!give(c, gets, slot, holder))
            return making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
        last = gets;
    }
    return true;
}

/* Keys of other primaries go to the one that serves their slot from now on; a slot that was opened for it is closed. */
static bool gather(struct covering *c, uint32_t owner)
{
    struct making *m = c->m;
    size_t to = c->cluster->nodes[owner].instance;
    for (uint32_t n = 0; n < c->cluster->member_count; n++) {
        struct slot_set *strays = arena_alloc(m->arena, sizeof(*strays));
        size_t from = c->cluster->nodes[n].instance;
        if (!strays)
            return false;
        *strays = (struct slot_set){.count = 0};
        for (unsigned slot = 0; slot < SLOT_COUNT && n != owner && can_serve(&c->cluster->nodes[n]); slot++)
            if (c->shares[owner]->has[slot] && keys_of(c, n, slot))
                slot_set_add(strays, slot);
        if (!strays->count)
            continue;
        struct step *carry = making_slots_step(m, ACTION_GATHER_KEYS, to, from, strays);
        if (!carry || !making_bind_side(m, carry, "owner", to) || !making_bind_side(m, carry, "source", from))
            return false;
        struct step *close = making_slots_step(m, ACTION_CLOSE_SLOTS, from, SIZE_MAX, strays);
        if (!close || !making_bind_side(m, close, "source", from))
            return false;
    }
    return true;
}

static bool add_owner(struct covering *c, enum action action, uint32_t node)
{
    size_t instance = c->cluster->nodes[node].instance;
    struct step *step = making_slots_step(c->m, action, instance, SIZE_MAX, c->shares[node]);
    return step && making_bind_side(c->m, step, "owner", instance);
}

static bool build(struct covering *c)
{
    struct making *m = c->m;
    struct slot_set *covered = arena_alloc(m->arena, sizeof(*covered));
    if (!covered || !making_step(m, ACTION_VERIFY_CLUSTER))
        return false;
    *covered = (struct slot_set){.count = 0};
    for (uint32_t n = 0; n < c->cluster->member_count; n++)
        for (unsigned slot = 0; c->shares[n] && slot < SLOT_COUNT; slot++)
            if (c->shares[n]->has[slot])
                slot_set_add(covered, slot);
    for (uint32_t n = 0; n < c->cluster->member_count; n++)
        if (c->shares[n] && !add_owner(c, ACTION_ADD_SLOTS, n))
            return false;
    for (uint32_t n = 0; n < c->cluster->member_count; n++)
        if (c->shares[n] && !gather(c, n))
            return false;
    for (uint32_t n = 0; n < c->cluster->member_count; n++)
        if (c->shares[n] && !add_owner(c, ACTION_VERIFY_OWNER, n))
            return false;
    m->stage->headline = arena_format(m->arena, "Cover %s", slot_set_words(covered, m->arena));
    m->stage->content =
        "nothing: slots go to the members that hold their keys, and slots without keys to the least laden";
    return m->stage->headline && making_bind_cluster(m, covered);
}

bool make_cover_stage(struct making *m, const struct finding *finding)
{
    struct stage *stage = making_stage(m, STAGE_COVER);
    struct covering c = {.m = m, .cluster = &m->scene->clusters->all[finding->cluster]};
    if (!stage)
        return making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
    if (!making_about(m, c.cluster, SIZE_MAX))
        return false;
    c.shares = arena_array(m->arena, c.cluster->member_count, sizeof(struct slot_set *));
    c.tools = arena_array(m->arena, c.cluster->member_count, sizeof(struct slot_set *));
    c.served = arena_array(m->arena, c.cluster->member_count, sizeof(*c.served));
    if (!c.shares || !c.tools || !c.served)
        return making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
    stage->answers = finding_word(finding->id);
    for (uint32_t n = 0; n < c.cluster->member_count; n++)
        c.served[n] = c.cluster->nodes[n].slots_owned;
    if (!check_readable(m) || !check_views(m) || !share_out(&c))
        return false;
    return build(&c) && tell_tool(&c) ? making_done(m) : making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
}
