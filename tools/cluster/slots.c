/* Who owns each slot by the standing claims, and who else says so. */
#include "tools/cluster/cluster_private.h"

static void take_ranges(struct cluster *cluster, uint32_t node, const struct entry *entry)
{
    for (uint32_t r = 0; r < entry->range_count; r++)
        for (unsigned slot = entry->ranges[r].first; slot <= entry->ranges[r].last && slot < SLOT_COUNT; slot++) {
            struct slot_owner *owner = &cluster->slots[slot];
            if (owner->node == NO_NODE ||
                cluster->nodes[owner->node].entry->config_epoch < entry->config_epoch)
                owner->node = node;
        }
}

/* What a member's own file claims although another one owns it, and what peers list although the owner dropped it. */
static void note_rivals(struct cluster *cluster, uint32_t index)
{
    const struct node *node = &cluster->nodes[index];
    for (size_t c = 0; c < node->claim_count; c++) {
        const struct entry *entry = node->claims[c].sighting->entry;
        if (!(entry->flags & NODE_PRIMARY))
            continue;
        for (uint32_t r = 0; r < entry->range_count; r++)
            for (unsigned slot = entry->ranges[r].first; slot <= entry->ranges[r].last && slot < SLOT_COUNT; slot++) {
                struct slot_owner *owner = &cluster->slots[slot];
                if (owner->node == NO_NODE) {
                    const struct node *other = owner->listed == NO_NODE ? NULL : &cluster->nodes[owner->listed];
                    if (!other || other->entry->config_epoch < node->entry->config_epoch)
                        owner->listed = index;
                } else if (owner->node != index && node->claims[c].own && owner->rival == NO_NODE &&
                           claim_has_epoch(&node->claims[c])) { /* without an epoch nobody can say who wins */
                    owner->rival = index;
                }
            }
    }
}

bool slots_decide(struct cluster *cluster)
{
    cluster->slots = arena_array(cluster->arena, SLOT_COUNT, sizeof(*cluster->slots));
    if (!cluster->slots)
        return false;
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
        cluster->slots[slot] = (struct slot_owner){NO_NODE, NO_NODE, NO_NODE};
    for (uint32_t n = 0; n < cluster->member_count; n++)
        if (cluster->nodes[n].primary)
            take_ranges(cluster, n, cluster->nodes[n].entry);
    for (uint32_t n = 0; n < cluster->member_count; n++)
        note_rivals(cluster, n);
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
        uint32_t owner = cluster->slots[slot].node;
        if (owner == NO_NODE)
            cluster->uncovered++;
        else
            cluster->nodes[owner].slots_owned++;
    }
    for (size_t n = 0; n < cluster->member_count; n++)
        cluster->voting += cluster->nodes[n].slots_owned > 0;
    return true;
}
