/* Open slots: what an interrupted reshard, or a start on foreign keys, has left.
 *
 * A slot is finished where a move had begun and keys have arrived; everything else goes back to the owner, keys first,
 * marks after them. A mark is only taken away from a node that holds no key of the slot, so no key is cut off. */
#include <inttypes.h>
#include <string.h>

#include "tools/plan/making.h"

enum ending {
    ENDING_FINISH, /* owner -> the importing node, as it was meant */
    ENDING_GATHER, /* keys of another member -> owner */
    ENDING_CLOSE,  /* the mark goes */
};

/* Slots that end in the same way, by the same nodes. */
struct group {
    enum ending ending;
    size_t on, peer; /* instances: FINISH to, from; GATHER owner, holder; CLOSE whose mark, SIZE_MAX */
    struct slot_set slots;
};

struct closing {
    struct making *m;
    const struct cluster *cluster;
    struct group **groups;
    size_t count, cap;
};

static struct group *group_of(struct closing *c, enum ending ending, size_t on, size_t peer)
{
    for (size_t g = 0; g < c->count; g++)
        if (c->groups[g]->ending == ending && c->groups[g]->on == on && c->groups[g]->peer == peer)
            return c->groups[g];
    struct group **groups = arena_grow(c->m->arena, c->groups, c->count, &c->cap, sizeof(struct group *));
    struct group *group = arena_alloc(c->m->arena, sizeof(*group));
    if (!groups || !group)
        return NULL;
    *group = (struct group){.ending = ending, .on = on, .peer = peer};
    c->groups = groups;
    return groups[c->count++] = group;
}

static bool put(struct closing *c, enum ending ending, size_t on, size_t peer, unsigned slot)
{
    struct group *group = group_of(c, ending, on, peer);
    if (group)
        slot_set_add(&group->slots, slot);
    return group != NULL;
}

static const struct mark *mark_of(const struct closing *c, size_t instance, unsigned slot)
{
    const struct view *view = c->m->scene->evidence->instances[instance].view;
    const struct sighting *own = view ? view_own(view) : NULL;
    for (uint32_t k = 0; own && k < own->entry->mark_count; k++)
        if (own->entry->marks[k].slot == slot)
            return &own->entry->marks[k];
    return NULL;
}

static uint32_t keys_of(const struct closing *c, size_t instance, unsigned slot)
{
    const struct process *process = &c->m->model->processes[instance];
    return process->keys ? process->keys[slot] : 0;
}

/* The other half of the owner's migrating mark: a primary that imports this slot from the owner. */
static size_t importer_of(const struct closing *c, size_t owner, unsigned slot)
{
    const struct evidence *evidence = c->m->scene->evidence;
    const struct mark *mark = mark_of(c, owner, slot);
    if (!mark || mark->kind != SLOT_MIGRATING)
        return SIZE_MAX;
    uint32_t index = cluster_node(c->cluster, mark->peer);
    if (index == NO_NODE || c->cluster->nodes[index].instance == SIZE_MAX || !c->cluster->nodes[index].primary)
        return SIZE_MAX;
    size_t peer = c->cluster->nodes[index].instance;
    const struct mark *other = mark_of(c, peer, slot);
    return other && other->kind == SLOT_IMPORTING && other->peer == evidence->instances[owner].node ? peer : SIZE_MAX;
}

/* The primary has a mark of the slot, or a replica that has it from this primary (cluster_marks_of()): SETSLOT STABLE at
 * the primary reaches both. */
static bool is_marked(const struct closing *c, uint32_t primary, unsigned slot)
{
    for (uint32_t n = 0; n < c->cluster->member_count; n++)
        if (c->cluster->nodes[n].instance != SIZE_MAX && cluster_marks_of(c->cluster, n) == primary &&
            mark_of(c, c->cluster->nodes[n].instance, slot))
            return true;
    return false;
}

/* How one slot ends. `*owner` is its owner's instance. */
static bool decide(struct closing *c, size_t owner, unsigned slot)
{
    size_t importer = importer_of(c, owner, slot);
    if (importer != SIZE_MAX && keys_of(c, importer, slot))
        return put(c, ENDING_FINISH, importer, owner, slot);
    for (uint32_t n = 0; n < c->cluster->member_count; n++) {
        const struct node *node = &c->cluster->nodes[n];
        if (node->instance == SIZE_MAX || !node->primary)
            continue;
        if (node->instance != owner && mark_of(c, node->instance, slot) && keys_of(c, node->instance, slot) &&
            !put(c, ENDING_GATHER, owner, node->instance, slot))
            return false;
        if (is_marked(c, n, slot) && !put(c, ENDING_CLOSE, node->instance, SIZE_MAX, slot))
            return false;
    }
    return true;
}

static bool decide_all(struct closing *c)
{
    struct making *m = c->m;
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
        bool open = false;
        for (uint32_t n = 0; n < c->cluster->member_count && !open; n++)
            open = c->cluster->nodes[n].instance != SIZE_MAX && mark_of(c, c->cluster->nodes[n].instance, slot);
        if (!open)
            continue;
        uint32_t owner = c->cluster->slots[slot].node;
        if (owner == NO_NODE)
            return making_stop(m, PLAN_REFUSED, arena_format(m->arena, "slot %u is open, and nobody owns it", slot),
                               NULL);
        if (c->cluster->nodes[owner].instance == SIZE_MAX)
            return making_stop(m, PLAN_REFUSED,
                               arena_format(m->arena, "slot %u is open, and the files of its owner %s are missing",
                                            slot, c->cluster->nodes[owner].name),
                               "add its nodes.conf and dump to the case");
        if (!decide(c, c->cluster->nodes[owner].instance, slot))
            return making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
    }
    return true;
}

/* ------------------------------------------------------------------ the stage */

static bool add_finish(struct closing *c, const struct group *group)
{
    struct making *m = c->m;
    struct step *step = making_slots_step(m, ACTION_MOVE_SLOTS, group->on, group->peer, &group->slots);
    return step && making_bind_side(m, step, "source", group->peer) && making_bind_side(m, step, "owner", group->on);
}

static bool add_gather(struct closing *c, const struct group *group)
{
    struct making *m = c->m;
    struct step *step = making_slots_step(m, ACTION_GATHER_KEYS, group->on, group->peer, &group->slots);
    return step && making_bind_side(m, step, "source", group->peer) && making_bind_side(m, step, "owner", group->on);
}

static bool add_close(struct closing *c, const struct group *group)
{
    struct step *step = making_slots_step(c->m, ACTION_CLOSE_SLOTS, group->on, SIZE_MAX, &group->slots);
    return step && making_bind_side(c->m, step, "source", group->on);
}

/* Where each slot is when the stage has ended: one verification for each owner. */
static bool add_proofs(struct closing *c, struct slot_set *open)
{
    struct making *m = c->m;
    size_t owners[SLOT_COUNT];
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
        owners[slot] = c->cluster->slots[slot].node == NO_NODE
                           ? SIZE_MAX
                           : c->cluster->nodes[c->cluster->slots[slot].node].instance;
    for (size_t g = 0; g < c->count; g++)
        for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
            if (c->groups[g]->slots.has[slot]) {
                slot_set_add(open, slot);
                if (c->groups[g]->ending == ENDING_FINISH)
                    owners[slot] = c->groups[g]->on;
            }
    for (size_t i = 0; i < m->scene->evidence->instance_count; i++) {
        struct slot_set *mine = arena_alloc(m->arena, sizeof(*mine));
        if (!mine)
            return false;
        *mine = (struct slot_set){.count = 0};
        for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
            if (open->has[slot] && owners[slot] == i)
                slot_set_add(mine, slot);
        struct step *step = mine->count ? making_slots_step(m, ACTION_VERIFY_OWNER, i, SIZE_MAX, mine) : NULL;
        if (mine->count && !(step && making_bind_side(m, step, "owner", i)))
            return false;
    }
    return true;
}

static bool build(struct closing *c)
{
    static bool (*const adders[])(struct closing *, const struct group *) = {
        [ENDING_FINISH] = add_finish, [ENDING_GATHER] = add_gather, [ENDING_CLOSE] = add_close};
    struct making *m = c->m;
    struct slot_set *open = arena_alloc(m->arena, sizeof(*open));
    if (!open || !making_step(m, ACTION_VERIFY_CLUSTER))
        return false;
    *open = (struct slot_set){.count = 0};
    for (unsigned ending = ENDING_FINISH; ending <= ENDING_CLOSE; ending++)
        for (size_t g = 0; g < c->count; g++)
            if (c->groups[g]->ending == (enum ending)ending && !adders[ending](c, c->groups[g]))
                return false;
    if (!add_proofs(c, open) || !making_bind_cluster(m, open))
        return false;
    m->stage->headline = arena_format(m->arena, "Close open %s", slot_set_words(open, m->arena));
    m->stage->content = "nothing: keys move to the node that serves their slot before a mark is taken away";
    return m->stage->headline != NULL;
}

bool make_close_stage(struct making *m, const struct finding *finding)
{
    struct stage *stage = making_stage(m, STAGE_CLOSE);
    struct closing c = {.m = m};
    if (!stage)
        return making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
    c.cluster = &m->scene->clusters->all[finding->cluster];
    stage->answers = finding_word(finding->id);
    if (!making_about(m, c.cluster, SIZE_MAX) || !check_readable(m) || !check_views(m) || !decide_all(&c))
        return false;
    if (!c.count)
        return making_stop(m, PLAN_REFUSED, "no file of a member shows the marks", NULL);
    return build(&c) ? making_done(m) : making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
}
