/* Removing a node for good without destroying anything: stop it with its data saved, let every member forget it inside one
 * ban, and move its nodes.conf aside, so that a start makes a stranger of it instead of a stale member. */
#include "tools/plan/plan.h"

bool plan_remove(struct plan *plan, struct arena *arena)
{
    const struct {
        enum action action;
        bool wanted;
    } order[] = {
        {ACTION_VERIFY_MEMBERS, true},   {ACTION_VERIFY_IDENTITY, true},  {ACTION_VERIFY_CONTENT, true},
        {ACTION_KEEP_FILES, true},       {ACTION_SHUTDOWN, true},         {ACTION_FORGET, plan->listed},
        {ACTION_MOVE_ASIDE, true},       {ACTION_VERIFY_FORGOTTEN, true}, {ACTION_WAIT_BAN, true},
        {ACTION_VERIFY_STAYED_FORGOTTEN, true},
    };
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        if (order[i].wanted && !plan_add(plan, arena, order[i].action))
            return false;
    return true;
}
