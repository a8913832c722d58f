/* What stages about slots tell their script: the whole cluster as it is expected, and the two sides of a step. */
#include "tools/plan/making.h"

static const char *member_list(struct making *m, bool primaries)
{
    const struct cluster *cluster = m->stage->cluster;
    const char *list = "";
    for (uint32_t n = 0; list && n < cluster->member_count; n++) {
        const struct node *node = &cluster->nodes[n];
        if (!node->failed && node->entry && !making_unsettled(m, n) && (node->primary || !primaries))
            list = arena_format(m->arena, "%s%s%s,%u", list, *list ? " " : "", node->entry->ip, node->entry->port);
    }
    return list;
}

/* Every member and its slots, without those that are moving: they may be on either side when a run was interrupted. */
static const char *cluster_picture(struct making *m, const struct slot_set *moving)
{
    const struct cluster *cluster = m->stage->cluster;
    const char *lines = "";
    struct slot_set *owned = arena_alloc(m->arena, sizeof(*owned));
    for (uint32_t n = 0; lines && owned && n < cluster->member_count; n++) {
        if (making_unsettled(m, n))
            continue;
        *owned = (struct slot_set){.count = 0};
        for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
            if (cluster->slots[slot].node == n && !moving->has[slot])
                slot_set_add(owned, slot);
        const char *slots = slot_set_text(owned, ' ', m->arena);
        lines = slots ? arena_format(m->arena, "%s%s%s%s%s", lines, *lines ? "\n" : "", cluster->nodes[n].id,
                                     *slots ? " " : "", slots)
                      : NULL;
    }
    return owned ? lines : NULL;
}

bool making_bind_cluster(struct making *m, const struct slot_set *moving)
{
    struct stage *stage = m->stage;
    return stage_bind(stage, m->arena, "everyone", FORM_MEMBERS, member_list(m, false), false) &&
           stage_bind(stage, m->arena, "primaries", FORM_MEMBERS, member_list(m, true), false) &&
           stage_bind(stage, m->arena, "moving", FORM_SLOTS, slot_set_text(moving, ' ', m->arena), true) &&
           stage_bind(stage, m->arena, "picture", FORM_PICTURE, cluster_picture(m, moving), false);
}

bool making_bind_address(struct making *m, struct step *step, const char *side, size_t instance)
{
    const char *ip, *names[] = {arena_format(m->arena, "%s_ip", side), arena_format(m->arena, "%s_port", side)};
    uint16_t port;
    if (!names[0] || !names[1] || !target_address(m, instance, &ip, &port))
        return false;
    return making_bind_step(m, step, names[0], FORM_ADDRESS, ip, false) &&
           making_bind_step(m, step, names[1], FORM_PORT, arena_format(m->arena, "%u", port), false);
}

bool making_bind_side(struct making *m, struct step *step, const char *side, size_t instance)
{
    const struct evidence *evidence = m->scene->evidence;
    const char *name = arena_format(m->arena, "%s_id", side);
    return name && making_bind_address(m, step, side, instance) &&
           making_bind_step(m, step, name, FORM_ID, view_store_id(evidence->store, evidence->instances[instance].node),
                            false);
}

struct step *making_slots_step(struct making *m, enum action action, size_t on, size_t peer,
                               const struct slot_set *slots)
{
    struct step *step = making_step_on(m, action, on, peer, slots);
    return step && making_bind_step(m, step, "slots", FORM_SLOTS, slot_set_text(slots, ' ', m->arena), false) ? step
                                                                                                              : NULL;
}
