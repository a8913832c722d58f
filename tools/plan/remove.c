/* Removing a node for good without destroying anything: stop it with its data saved, let every member forget it inside one
 * ban, and move its nodes.conf aside, so that a start makes a stranger of it instead of a stale member. */
#include "tools/plan/making.h"

static bool order(struct making *m)
{
    const struct wanted steps[] = {
        {ACTION_VERIFY_MEMBERS, true},  {ACTION_VERIFY_IDENTITY, true}, {ACTION_VERIFY_CONTENT, true}, {ACTION_KEEP_FILES, true},
        {ACTION_SHUTDOWN, true},        {ACTION_FORGET, m->stage->target.listed}, {ACTION_MOVE_ASIDE, true},
        {ACTION_VERIFY_FORGOTTEN, true}, {ACTION_WAIT_BAN, true},       {ACTION_VERIFY_STAYED_FORGOTTEN, true},
    };
    return making_order(m, steps, sizeof(steps) / sizeof(steps[0]));
}

bool make_remove_stage(struct making *m, size_t instance)
{
    struct stage *stage = making_stage(m, STAGE_REMOVE);
    struct membership membership = {0};
    uint32_t index;
    if (!stage)
        return making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
    if (!target_examine(m, instance, &index, &membership))
        return false;
    if (index == NO_NODE)
        return making_stop(m, PLAN_NOTHING,
                           arena_format(m->arena, "%s is no member, and its own file lists nobody", stage->target.name), NULL);
    if (!check_readable(m) || !check_views(m) || !check_no_slots(m, index) || !check_no_replicas(m, index) ||
        !choose_entry(m, index) || !check_missing(m, false))
        return false;
    stage->content = "nothing: the node is stopped with its data saved, and its files stay where they are";
    if (!target_take_stock(m, NULL) || !target_headline(m, "Remove", "from", index))
        return making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
    return order(m) && making_done(m);
}

bool make_remove(struct making *m)
{
    size_t instance = making_named(m, 0);
    return instance != SIZE_MAX && make_remove_stage(m, instance);
}
