/* Re-adding a node: prove what it is, keep copies, empty it by its role, reset it, rewrite its disk, let the server
 * prove that it is empty, make sure that nobody lists the old id, add it like a new node.
 *
 * A node that does not run cannot be told to empty itself: its nodes.conf and its data are moved aside, a person starts
 * it, and it comes up as a stranger with nothing.
 *
 * The order follows from what servers refuse and forget: a replica refuses FLUSHALL, a primary with keys refuses
 * CLUSTER RESET, neither command touches the dump of a server without save points, FORGET bans an id for a minute only.
 */
#include <inttypes.h>

#include "tools/cluster/membership.h"
#include "tools/plan/making.h"

static bool rescues(const struct making *m)
{
    return m->wish->rescue && m->stage->copies->only_here;
}

static bool order(struct making *m)
{
    const struct target *target = &m->stage->target;
    bool down = target->down, empties = target->empties, replica = target->replica;
    bool flushes = empties && !down, aside = empties && down;
    const struct wanted steps[] = {
        {ACTION_VERIFY_MEMBERS, true},
        {ACTION_VERIFY_DOWN, aside},
        {ACTION_VERIFY_FILES, aside},
        {ACTION_VERIFY_IDENTITY, !aside && target->id},
        {ACTION_VERIFY_CONTENT, !aside},
        {ACTION_KEEP_FILES, empties},
        {ACTION_RESCUE_KEYS, empties && rescues(m)},
        {ACTION_FLUSH_ALL, flushes && !replica},
        {ACTION_FLUSH_FUNCTIONS, flushes && !replica && target->functions},
        {ACTION_RESET, flushes && !replica},
        {ACTION_RESET_REPLICA, flushes && replica},
        {ACTION_FLUSH_FUNCTIONS, flushes && replica && target->functions},
        {ACTION_SAVE, flushes},
        {ACTION_REWRITE_AOF, flushes && target->aof},
        {ACTION_WAIT_AOF, flushes && target->aof},
        {ACTION_MOVE_ASIDE, aside},
        {ACTION_MOVE_DATA_ASIDE, aside},
        {ACTION_START, aside},
        {ACTION_VERIFY_EMPTY, true},
        {ACTION_FORGET, target->listed},
        {ACTION_VERIFY_FORGOTTEN, empties},
        {ACTION_WAIT_BAN, empties},
        {ACTION_VERIFY_STAYED_FORGOTTEN, empties},
        {ACTION_ADD_NODE, true},
        {ACTION_VERIFY_JOINED, true},
    };
    return making_order(m, steps, sizeof(steps) / sizeof(steps[0]));
}

static bool is_virgin(const struct instance *instance, const struct start *start)
{
    const struct sighting *own = instance->view ? view_own(instance->view) : NULL;
    bool alone = !instance->view || (instance->view->count == 1 && own && !own->entry->slot_count &&
                                     !own->entry->mark_count && own->entry->flags & NODE_PRIMARY);
    return alone && start->keys == START_NO_KEYS && !start->ignored_keys && !start->functions;
}

static const char *tell_content(const struct making *m)
{
    const struct stage *stage = m->stage;
    const struct copies *copies = stage->copies;
    struct arena *arena = m->arena;
    if (!stage->target.empties)
        return "nothing: the node is empty already";
    if (stage->target.down)
        return arena_format(arena,
                            "nothing: its %" PRIu64 " key%s stay in files that are moved aside; %" PRIu64
                            " exist with equal value in dumps of members, %" PRIu64
                            " with another value there, %" PRIu64 " nowhere else",
                            copies->count, copies->count == 1 ? "" : "s", copies->covered, copies->differs,
                            copies->only_here);
    if (copies->file == SIZE_MAX)
        return "nothing that the files show: it has no dump";
    const char *aof = !stage->target.aof         ? "; no AOF"
                      : stage->start->appendonly ? "; its AOF holds no keys"
                                                 : "; whether it runs with an AOF is not known";
    if (copies->count == 0)
        return arena_format(arena, "nothing: its dump holds 0 keys in all databases%s", aof);
    return arena_format(arena,
                        "%" PRIu64 " key%s of its dump: %" PRIu64
                        " exist with equal value in dumps of members, %" PRIu64 " with another value there, %" PRIu64
                        " nowhere else%s%s",
                        copies->count, copies->count == 1 ? "" : "s", copies->covered, copies->differs,
                        copies->only_here, rescues(m) ? ", and are carried over first" : "", aof);
}

/* What the files already show to be so, where there is no step for it; and what the target's own kind of disk asks for.
 */
static void weigh(struct stage *stage, bool rescued)
{
    const struct target *target = &stage->target;
    /* A rejoining node that every member lists is a member, one that was listed by nobody and is listed now has come
     * back: both need no plan, and would be harmed by one. */
    stage->premise = target->listed ? "half-listed" : "unlisted";
    stage->given = rescued ? 0 : FACT(RESCUED); /* nothing exists only here, or it is given up: check_copies() */
    if (!target->id)
        stage->given |= FACT(IDENTITY);
    if (!target->empties)
        stage->given |= FACT(NO_KEYS) | FACT(RESET) | FACT(GONE) | FACT(STAYED_FORGOTTEN);
    if (target->empties)
        stage->needs = FACT(DUMP_EMPTY) | (target->aof ? FACT(AOF_EMPTY) : 0) |
                       (target->functions ? FACT(NO_FUNCTIONS) : 0);
}

bool make_rejoin_stage(struct making *m, size_t instance)
{
    struct stage *stage = making_stage(m, STAGE_REJOIN);
    struct membership membership = {0};
    uint32_t index;
    if (!stage)
        return making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
    if (!target_examine(m, instance, &index, &membership))
        return false;
    const struct node *node = index == NO_NODE ? NULL : &stage->cluster->nodes[index];
    if (node && node->standing == STANDING_MEMBER && membership.forgot == 0)
        return making_stop(
            m, PLAN_NOTHING,
            arena_format(m->arena,
                         "%s is a member: %zu of %zu views of other members list it, and none has forgotten it",
                         stage->target.name, membership.lists, membership.lists + membership.unsaved),
            NULL);
    if (!check_readable(m) || !check_views(m) || !check_no_slots(m, index) || !check_no_replicas(m, index) ||
        !choose_entry(m, index))
        return false;
    choose_primary(m, index);
    const struct start *start = start_of(m->scene->evidence, instance, m->arena);
    if (!start)
        return making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
    stage->target.empties = stage->target.listed || !is_virgin(&m->scene->evidence->instances[instance], start);
    target_judge_life(m, index);
    if (!check_missing(m, stage->target.empties) || !check_copies(m))
        return false;
    const char *objection = tool_objects(m);
    if (objection)
        making_detail(m, arena_format(m->arena,
                                      "add-node checks the cluster first and stops at \"%s\": repair that before",
                                      objection));
    stage->content = tell_content(m);
    if (!target_take_stock(m, start) || !target_headline(m, "Re-add", "to", index) || !stage->content)
        return making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
    weigh(stage, rescues(m));
    return order(m) && making_done(m);
}

bool make_rejoin(struct making *m)
{
    size_t instance = making_named(m, 0);
    return instance != SIZE_MAX && make_rejoin_stage(m, instance);
}
