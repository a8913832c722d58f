/* Slots that nobody owns: who gets them.
 *
 * Where the keys are decides: the member whose dump holds keys of the slot, else the one for which others still list it.
 * A slot without keys anywhere goes to the primary with the fewest slots. Never to a random node while a failed member or an outsider may hold its
 * keys: when that one came back, it would find its slots taken with a higher epoch, and flush. */
#include <inttypes.h>
#include <string.h>

#include "tools/plan/making.h"

struct covering {
    struct making *m;
    const struct cluster *cluster;
    struct slot_set **shares; /* by member */
    unsigned *served;         /* slots by member, with those that it gets */
    unsigned count;
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

/* The running primary with most keys of the slot. A dump of another node that holds more stops the plan: it comes first. */
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
                       arena_format(c->m->arena, "keys of slot %u, which nobody serves, are in the dump of %s, which %s", slot,
                                    c->cluster->nodes[elsewhere].name, c->cluster->nodes[elsewhere].failed ? "has failed" : "is no member"),
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

static bool give(struct covering *c, uint32_t node, unsigned slot)
{
    if (!c->shares[node]) {
        c->shares[node] = arena_alloc(c->m->arena, sizeof(struct slot_set));
        if (!c->shares[node])
            return false;
        *c->shares[node] = (struct slot_set){.count = 0};
    }
    slot_set_add(c->shares[node], slot);
    c->served[node]++;
    c->count++;
    return true;
}

static bool share_out(struct covering *c)
{
    struct making *m = c->m;
    uint32_t last = NO_NODE; /* the one that got the slot before: runs stay together */
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
        uint32_t holder, listed = c->cluster->slots[slot].listed;
        if (c->cluster->slots[slot].node != NO_NODE) {
            last = NO_NODE;
            continue;
        }
        if (!find_holder(c, slot, &holder))
            return false;
        if (holder == NO_NODE && listed != NO_NODE && can_serve(&c->cluster->nodes[listed]))
            holder = listed;
        if (holder == NO_NODE)
            holder = last != NO_NODE ? last : least_laden(c);
        if (holder == NO_NODE)
            return making_stop(m, PLAN_REFUSED, "no primary runs whose files are in the case", "collect the files of the primaries");
        if (!give(c, holder, slot))
            return making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
        last = holder;
    }
    return true;
}

static bool build(struct covering *c)
{
    struct making *m = c->m;
    struct slot_set *covered = arena_alloc(m->arena, sizeof(*covered));
    if (!covered || !making_step(m, ACTION_VERIFY_CLUSTER))
        return false;
    *covered = (struct slot_set){.count = 0};
    for (unsigned proof = 0; proof < 2; proof++)
        for (uint32_t n = 0; n < c->cluster->member_count; n++) {
            if (!c->shares[n])
                continue;
            size_t instance = c->cluster->nodes[n].instance;
            struct step *step = making_slots_step(m, proof ? ACTION_VERIFY_OWNER : ACTION_ADD_SLOTS, instance, SIZE_MAX, c->shares[n]);
            if (!step || !making_bind_side(m, step, "owner", instance))
                return false;
            for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
                if (c->shares[n]->has[slot])
                    slot_set_add(covered, slot);
        }
    m->stage->headline = arena_format(m->arena, "Cover %s", slot_set_words(covered, m->arena));
    m->stage->content = "nothing: slots go to the members that hold their keys, and slots without keys to the least laden";
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
    c.served = arena_array(m->arena, c.cluster->member_count, sizeof(*c.served));
    if (!c.shares || !c.served)
        return making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
    stage->answers = finding_word(finding->id);
    for (uint32_t n = 0; n < c.cluster->member_count; n++)
        c.served[n] = c.cluster->nodes[n].slots_owned;
    if (!check_readable(m) || !check_views(m) || !share_out(&c))
        return false;
    return build(&c) ? making_done(m) : making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
}
