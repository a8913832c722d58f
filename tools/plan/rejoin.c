/* Re-adding a node: prove what it is, keep copies, empty it by its role, reset it, rewrite its disk, let the server prove
 * that it is empty, make sure that nobody lists the old id, add it like a new node.
 *
 * The order follows from what servers refuse and forget: a replica refuses FLUSHALL, a primary with keys refuses
 * CLUSTER RESET, neither command touches the dump of a server without save points, FORGET bans an id for a minute only. */
#include "tools/plan/plan.h"

bool plan_rejoin(struct plan *plan, struct arena *arena)
{
    const struct {
        enum action action;
        bool wanted;
    } order[] = {
        {ACTION_VERIFY_MEMBERS, true},
        {ACTION_VERIFY_IDENTITY, plan->target_id != NULL},
        {ACTION_VERIFY_CONTENT, true},
        {ACTION_KEEP_FILES, plan->empties},
        {ACTION_FLUSH_ALL, plan->empties && !plan->target_replica},
        {ACTION_FLUSH_FUNCTIONS, plan->empties && !plan->target_replica && plan->functions},
        {ACTION_RESET, plan->empties && !plan->target_replica},
        {ACTION_RESET_REPLICA, plan->empties && plan->target_replica},
        {ACTION_FLUSH_FUNCTIONS, plan->empties && plan->target_replica && plan->functions},
        {ACTION_SAVE, plan->empties},
        {ACTION_REWRITE_AOF, plan->empties && plan->aof},
        {ACTION_WAIT_AOF, plan->empties && plan->aof},
        {ACTION_VERIFY_EMPTY, true},
        {ACTION_FORGET, plan->listed},
        {ACTION_VERIFY_FORGOTTEN, plan->empties},
        {ACTION_WAIT_BAN, plan->empties},
        {ACTION_VERIFY_STAYED_FORGOTTEN, plan->empties},
        {ACTION_ADD_NODE, true},
        {ACTION_VERIFY_JOINED, true},
    };
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        if (order[i].wanted && !plan_add(plan, arena, order[i].action))
            return false;
    return true;
}
