/* Removing a node for good without destroying anything: stop it with its data saved, let every member forget it inside
 * one ban, and move its nodes.conf aside, so that a start makes a stranger of it instead of a stale member. One that
 * does not run any more is proved to be down instead, and known by the nodes.conf on its host. */
#include "tools/plan/making.h"

static bool order(struct making *m)
{
    bool down = m->stage->target.down, files = !m->stage->target.assumed;
    const struct wanted steps[] = {
        {ACTION_VERIFY_MEMBERS, true},
        {ACTION_VERIFY_DOWN, down},
        {ACTION_VERIFY_FILES, down && files},
        {ACTION_VERIFY_IDENTITY, !down},
        {ACTION_VERIFY_CONTENT, !down},
        {ACTION_KEEP_FILES, files},
        {ACTION_SHUTDOWN, !down},
        {ACTION_FORGET, m->stage->target.listed},
        {ACTION_MOVE_ASIDE, files},
        {ACTION_VERIFY_FORGOTTEN, true},
        {ACTION_WAIT_BAN, true},
        {ACTION_VERIFY_STAYED_FORGOTTEN, true},
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
                           arena_format(m->arena, "%s is no member, and its own file lists nobody", stage->target.name),
                           NULL);
    if (!check_readable(m) || !check_views(m) || !check_no_slots(m, index) || !check_no_replicas(m, index) ||
        !choose_entry(m, index) || !check_missing(m, false))
        return false;
    target_judge_life(m, index);
    if (stage->target.assumed && !stage->target.down)
        return making_stop(m, PLAN_REFUSED,
                           arena_format(m->arena, "the case holds no files of %s, and nothing shows that it is down",
                                        stage->target.name),
                           "collect its files; if it does not run any more, say so: --target=down");
    if (stage->target.assumed) {
        stage->given = FACT(ASIDE);
        making_detail(
            m,
            "the case holds no files of it: if its server is ever started on its old nodes.conf, it is a stale member");
    }
    stage->content = stage->target.down
                         ? "nothing: the node does not run, and its files stay where they are"
                         : "nothing: the node is stopped with its data saved, and its files stay where they are";
    if (!target_take_stock(m, NULL) || !target_headline(m, "Remove", "from", index))
        return making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
    return order(m) && making_done(m);
}

bool make_remove(struct making *m)
{
    size_t instance = making_named_member(m, 0);
    return instance != SIZE_MAX && make_remove_stage(m, instance);
}
