/* What several goals ask of the scene before they plan anything, in the words of the servers and their tools. */
#include <inttypes.h>
#include <string.h>

#include "tools/cluster/membership.h"
#include "tools/plan/making.h"

enum { KEYS_NAMED = 20 };

/* ------------------------------------------------------------------ whom to speak to */

bool choose_entry(struct making *m, uint32_t subject)
{
    const struct cluster *cluster = m->stage->cluster;
    for (uint32_t n = 0; n < cluster->member_count && !m->stage->entry; n++)
        if (n != subject && cluster->nodes[n].slots_owned && !cluster->nodes[n].failed)
            m->stage->entry = cluster->nodes[n].name;
    return m->stage->entry ||
           making_stop(m, PLAN_REFUSED, "no member with slots is known that is not failed: there is no cluster to join",
                       NULL);
}

void choose_primary(struct making *m, uint32_t subject)
{
    const struct cluster *cluster = m->stage->cluster;
    if (subject == NO_NODE || !m->stage->target.replica)
        return;
    uint32_t primary = cluster->nodes[subject].follows;
    for (size_t hops = 0; primary != NO_NODE && cluster->nodes[primary].replica && hops < cluster->node_count; hops++)
        primary = cluster->nodes[primary].follows;
    if (primary != NO_NODE && cluster->nodes[primary].standing == STANDING_MEMBER && cluster->nodes[primary].primary)
        m->stage->primary_id = cluster->nodes[primary].id;
    else
        making_detail(
            m, "its former primary is no member any more: it is added without one; CLUSTER REPLICATE gives it another");
}

/* ------------------------------------------------------------------ reasons to refuse */

bool check_single(struct making *m, uint32_t index)
{
    const struct node *node = index == NO_NODE ? NULL : &m->stage->cluster->nodes[index];
    if (node && node->instance_count > 1)
        return making_stop(
            m, PLAN_REFUSED,
            arena_format(m->arena, "%zu instances of the case carry its id %.8s", node->instance_count, node->id),
            "stop the copy first; rcf-check shows both places (duplicate-node-id)");
    return true;
}

bool check_no_slots(struct making *m, uint32_t index)
{
    const struct cluster *cluster = m->stage->cluster;
    const struct node *node = index == NO_NODE ? NULL : &cluster->nodes[index];
    if (node && node->slots_owned)
        return making_stop(
            m, PLAN_REFUSED,
            arena_format(m->arena, "Node %s is not empty! Reshard data away and try again: it owns %u slots (%s)",
                         node->name, node->slots_owned, cluster_slots_of(cluster, index, m->arena)),
            arena_format(m->arena, "move its slots to other members first: rcf-plan reshard --from %s", node->name));
    return true;
}

bool check_no_replicas(struct making *m, uint32_t index)
{
    const struct cluster *cluster = m->stage->cluster;
    size_t followers = 0;
    for (size_t n = 0; index != NO_NODE && n < cluster->node_count; n++)
        if (cluster->nodes[n].replica && cluster->nodes[n].follows == index) {
            followers++;
            making_detail(m, arena_format(m->arena,
                                          "%s (%.8s) replicates it: what empties the one empties the other, and it "
                                          "refuses to forget its primary",
                                          cluster->nodes[n].name, cluster->nodes[n].id));
        }
    if (followers)
        return making_stop(m, PLAN_REFUSED,
                           arena_format(m->arena, "%zu node%s replicate%s %s", followers, followers == 1 ? "" : "s",
                                        followers == 1 ? "s" : "", cluster->nodes[index].name),
                           "let them replicate another primary first: rcf-plan replicate");
    return true;
}

static bool accepted_missing(const struct plan_wish *wish, const struct node *node)
{
    for (size_t i = 0; i < wish->missing_ok_count; i++) {
        const char *name = wish->missing_ok[i];
        size_t len = strlen(name);
        if (strcmp(name, node->name) == 0 || (len >= 8 && len <= 40 && strncmp(name, node->id, len) == 0))
            return true;
    }
    return false;
}

bool check_missing(struct making *m, bool destroys)
{
    const struct cluster *cluster = m->stage->cluster;
    const struct target *target = &m->stage->target;
    const char **names = arena_array(m->arena, cluster->missing_count, sizeof(*names));
    const char *list = "";
    size_t open = 0, count = 0;
    for (size_t i = 0; names && i < cluster->missing_count; i++) {
        const struct node *node = &cluster->nodes[cluster->missing[i]];
        names[count++] = node->name;
        if (accepted_missing(m->wish, node))
            continue;
        open++;
        list = arena_format(m->arena, "%s%s%s", list ? list : "", open > 1 ? "," : "", node->name);
        making_detail(m, arena_format(m->arena, "%s (%.8s): its nodes.conf may still list %.8s%s", node->name, node->id,
                                      target->id ? target->id : "the target",
                                      node->slots_owned
                                          ? arena_format(m->arena, ", and only its dump could prove keys of slots %s",
                                                         cluster_slots_of(cluster, cluster->missing[i], m->arena))
                                          : ""));
    }
    m->plan->missing = names;
    m->plan->missing_count = count;
    if (open && destroys)
        return making_stop(
            m, PLAN_REFUSED,
            arena_format(m->arena,
                         "files of %zu member%s are missing, and this plan destroys: what they hold could change it",
                         open, open == 1 ? "" : "s"),
            arena_format(m->arena, "add them to the case, or go without them: --missing-ok %s", list ? list : ""));
    return true;
}

static const char *key_text(struct arena *arena, struct bytes name)
{
    /* Evidence bytes travel as they are: whoever prints them escapes them. */
    return arena_copy(arena, name.at, name.len < 120 ? name.len : 120);
}

static void name_keys(struct making *m, const struct copies *copies)
{
    for (size_t k = 0; k < copies->listed && k < KEYS_NAMED; k++)
        making_detail(
            m, arena_format(m->arena, "%s (slot %u)", key_text(m->arena, copies->keys[k].name), copies->keys[k].slot));
    if (copies->only_here > KEYS_NAMED)
        making_detail(m, arena_format(m->arena, "and %" PRIu64 " more", copies->only_here - KEYS_NAMED));
    for (size_t i = 0; i < copies->skipped_count; i++)
        making_detail(m, arena_format(m->arena, "no proof: %s", copies->skipped[i]));
}

/* What is lost if nothing is done about it. */
static bool refuse_loss(struct making *m)
{
    const struct copies *copies = m->stage->copies;
    size_t slots = copies->slot_count;
    bool one = copies->only_here == 1;
    name_keys(m, copies);
    return making_stop(
        m, PLAN_REFUSED,
        arena_format(m->arena, "%" PRIu64 " key%s in %zu slot%s exist%s only in the dump of %s", copies->only_here,
                     one ? "" : "s", slots, slots == 1 ? "" : "s", one ? "s" : "", m->stage->target.name),
        arena_format(m->arena, "%s; or give them up: --accept-loss=%" PRIu64,
                     m->stage->target.replica ? RESCUE_BY_HAND
                                              : "carry them to the owners of their slots first: --rescue",
                     copies->only_here));
}

bool check_copies(struct making *m)
{
    struct stage *stage = m->stage;
    const struct copies *copies = stage->copies = copies_of(stage->cluster, stage->target.instance, m->arena);
    const struct start *start = stage->start = start_of(m->scene->evidence, stage->target.instance, m->arena);
    if (!copies || !start)
        return making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
    if (stage->target.empties && start->save_points == SAVE_POINTS_NONE)
        making_detail(
            m, arena_format(
                   m->arena,
                   "no save points (%s): the old dump survives FLUSHALL and comes back at a start; SAVE rewrites it",
                   start->save_why ? start->save_why : "as configured"));
    if (!copies->possible)
        return making_stop(m, PLAN_REFUSED, copies->why_not,
                           "take a whole dump of the running node with redis-cli --rdb and make the plan again");
    if (start->keys == START_CANNOT_TELL || (start->source == START_AOF && start->keys == START_KEYS)) {
        for (size_t r = 0; r < start->reason_count; r++)
            if (start->reasons[r].against)
                making_detail(m, start->reasons[r].text);
        return making_stop(
            m, PLAN_REFUSED,
            arena_format(m->arena, "its keys cannot be compared with those of the members: %s", start->verdict),
            "take a dump of the running node with redis-cli --rdb, put it into the case in place of these files, and "
            "make the plan again");
    }
    return check_loss(m);
}

bool check_loss(struct making *m)
{
    const struct copies *copies = m->stage->copies;
    if (m->wish->rescue && copies->only_here) {
        if (m->wish->accepted_loss)
            return making_stop(m, PLAN_REFUSED, "--accept-loss does not fit --rescue, which loses nothing", NULL);
        if (copies->differs)
            making_detail(m, arena_format(m->arena,
                                          "%" PRIu64
                                          " key%s of it have another value on members: those of the members stay",
                                          copies->differs, copies->differs == 1 ? "" : "s"));
        return check_rescue(m);
    }
    if (copies->only_here && !m->wish->accepted_loss)
        return refuse_loss(m);
    m->stage->given_up = copies->only_here;
    return true;
}

bool check_given_up(struct making *m)
{
    uint64_t keys = 0;
    const char *nodes = NULL;
    for (size_t s = 0; s < m->plan->stage_count; s++) {
        const struct stage *stage = m->plan->stages[s];
        keys += stage->given_up;
        if (stage->given_up)
            nodes = arena_format(m->arena, "%s%s%s", nodes ? nodes : "", nodes ? ", " : "", stage->target.name);
    }
    if (keys == m->wish->accepted_loss)
        return true;
    for (size_t s = 0; s < m->plan->stage_count; s++)
        if (m->plan->stages[s]->given_up)
            name_keys(m, m->plan->stages[s]->copies);
    m->stage = NULL;
    if (!keys)
        return making_stop(m, PLAN_REFUSED,
                           arena_format(m->arena, "--accept-loss=%" PRIu64 " does not fit: this plan gives up no key",
                                        m->wish->accepted_loss),
                           NULL);
    return making_stop(m, PLAN_REFUSED,
                       arena_format(m->arena,
                                    "--accept-loss=%" PRIu64 " does not fit: %" PRIu64 " key%s only in the dump of %s",
                                    m->wish->accepted_loss, keys, keys == 1 ? " exists" : "s exist", nodes),
                       arena_format(m->arena, "--accept-loss=%" PRIu64 " gives them up", keys));
}

const char *tool_objects(struct making *m)
{
    const struct cluster *cluster = m->stage->cluster;
    if (m->plan->dialect == DIALECT_TRIB)
        return NULL; /* it says so and goes on */
    if (cluster->uncovered)
        return "[ERR] Not all 16384 slots are covered by nodes.";
    for (size_t n = 0; n < cluster->member_count; n++) {
        const struct node *node = &cluster->nodes[n];
        if (node->claim_count && node->claims[0].own && node->claims[0].sighting->entry->mark_count)
            return arena_format(m->arena, "[WARNING] Node %s has slots in migrating or importing state", node->name);
    }
    return NULL;
}

/* Captures such as CLUSTER SLOTS leave nodes out by rule, and state no epochs: who else is there to be asked, and whose
 * claim wins, is then not known. One whole view shows every member, and whose files are missing besides. */
bool check_sources(struct making *m)
{
    const struct cluster *cluster = m->stage->cluster;
    const char *whom = NULL;
    if (!cluster->partial && cluster->epochs_known)
        return true;
    for (uint32_t n = 0; n < cluster->member_count; n++)
        whom = arena_format(m->arena, "%s%s%s", whom ? whom : "", whom ? ", " : "", cluster->nodes[n].name);
    making_detail(m, cluster_limits_text(cluster, m->arena));
    return making_stop(
        m, PLAN_REFUSED,
        cluster->partial
            ? "no file of the case is sure to list every member: who else would have to be asked is not known"
            : "no file of the case states epochs: whose claim to a slot wins is not known",
        arena_format(m->arena, "add nodes.conf, or the reply to CLUSTER NODES, of these nodes: %s", whom ? whom : ""));
}

/* A plan rests on what views do not say; a damaged one may not say what it knew. */
bool check_views(struct making *m)
{
    const struct cluster *cluster = m->stage->cluster;
    bool damaged = false;
    for (size_t i = 0; i < cluster->core_count; i++) {
        const struct instance *instance = &m->scene->evidence->instances[cluster->core[i]];
        const struct view *view = instance->view;
        if (!view_may_have_lost(view))
            continue;
        damaged = true;
        making_detail(
            m, arena_format(m->arena, "%s%s", m->scene->evidence->files[view->file].path,
                            view->defect_count ? ": damaged, see rcf-nodes" : ": no vars line, so it may be cut"));
    }
    if (damaged)
        return making_stop(m, PLAN_REFUSED,
                           "the view of a member is damaged: what it does not list may be what it has lost",
                           "collect the file again, or add a capture of CLUSTER NODES of this member");
    return true;
}

bool check_readable(struct making *m)
{
    const struct evidence *evidence = m->scene->evidence;
    for (size_t f = 0; f < evidence->file_count; f++) {
        const struct evidence_file *file = &evidence->files[f];
        if (file->instance == SIZE_MAX || (!file->unread && !file->changed))
            continue;
        if (file->instance == m->stage->target.instance || cluster_testifies(m->stage->cluster, file->instance))
            return making_stop(
                m, PLAN_IMPOSSIBLE,
                arena_format(m->arena, "%s: %s", file->path, file->unread ? file->unread : "changed while it was read"),
                "collect the file again");
    }
    return true;
}
