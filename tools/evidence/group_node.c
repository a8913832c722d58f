/* Rule 5: files that state the same own id.
 *
 * One id at one address is one server, seen at different times. One id at two addresses is two servers: somebody copied
 * a nodes.conf. So is one id at one address on two hosts, each place having a configuration of its own. Places are on
 * one host when the folders that name it are called the same, or nothing names it: then the collection was made twice.
 */
#include <stdlib.h>
#include <string.h>

#include "tools/evidence/group.h"

enum { CLAIMANTS = 4096 }; /* more groups with one id are nothing that rules can sort out */

static const char same_id[] = "it states the instance's own id";

struct claimant {
    const struct group *group;
    size_t root;
};

static int compare(const void *a, const void *b)
{
    const struct claimant *left = a, *right = b;
    if (left->group->node != right->group->node)
        return left->group->node < right->group->node ? -1 : 1;
    int order = strcmp(left->group->ip, right->group->ip);
    if (order)
        return order;
    if (left->group->said != right->group->said)
        return left->group->said < right->group->said ? -1 : 1;
    return (left->root > right->root) - (left->root < right->root);
}

static bool is_place(const struct group *group)
{
    return group->view != SIZE_MAX || group->conf != SIZE_MAX;
}

static bool same_address(const struct group *a, const struct group *b)
{
    return a->said == b->said && strcmp(a->ip, b->ip) == 0;
}

static bool on_one_host(struct bytes a, struct bytes b)
{
    return !a.len || !b.len || names_compare(names_last(a), names_last(b)) == 0;
}

/* Nodes.conf files at one address: each with the one before it in the run, captures in between aside. */
static void join_views(struct grouping *grouping, const struct claimant *run, size_t count)
{
    const struct claimant *before = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct group *now = run[i].group;
        if (now->view == SIZE_MAX)
            continue;
        if (before && same_address(before->group, now)) {
            bool again = now->ip[0] && on_one_host(before->group->scope, now->scope);
            group_merge(grouping, before->root, run[i].root, again ? JOIN_ANY_CONF | JOIN_ANY_SCOPE : JOIN_STRICT, same_id);
        }
        before = &run[i];
    }
}

/* The one server among the claimants that a file without a place belongs to: the only one, or the only one at its
 * address or port. SIZE_MAX when there is no or no only one. */
static size_t only_place(struct grouping *grouping, const struct claimant *run, size_t count, const struct group *file)
{
    size_t any = SIZE_MAX, exact = SIZE_MAX;
    bool several = false, several_exact = false;
    for (size_t i = 0; i < count; i++) {
        size_t root = group_root(grouping, run[i].root);
        const struct group *group = &grouping->groups[root];
        if (!is_place(group))
            continue;
        several |= any != SIZE_MAX && any != root;
        any = root;
        bool at_address = file->said ? same_address(group, file) : file->port && group->port == file->port;
        if (at_address) {
            several_exact |= exact != SIZE_MAX && exact != root;
            exact = root;
        }
    }
    if (exact != SIZE_MAX && !several_exact)
        return exact;
    return several ? SIZE_MAX : any;
}

static void join_run(struct grouping *grouping, const struct claimant *run, size_t count)
{
    if (count < 2 || count > CLAIMANTS)
        return;
    join_views(grouping, run, count);
    for (size_t i = 0; i < count; i++) {
        const struct group *group = &grouping->groups[group_root(grouping, run[i].root)];
        if (is_place(group))
            continue;
        size_t place = only_place(grouping, run, count, group);
        if (place != SIZE_MAX)
            group_merge(grouping, place, run[i].root, group->capture ? JOIN_ANY_PORT | JOIN_ANY_SCOPE : JOIN_STRICT,
                        same_id);
    }
    /* What is left has no place: captures and logs of one id are one server's, the port being the client's. */
    size_t lead = SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        size_t root = group_root(grouping, run[i].root);
        if (is_place(&grouping->groups[root]))
            continue;
        if (lead != SIZE_MAX)
            group_merge(grouping, lead, root, JOIN_ANY_PORT, same_id);
        lead = root;
    }
}

void rule_node(struct grouping *grouping)
{
    struct claimant *all = arena_array(grouping->arena, grouping->count, sizeof(*all));
    size_t count = 0;
    grouping->failed |= !all;
    for (size_t i = 0; all && i < grouping->count; i++)
        if (group_root(grouping, i) == i && grouping->groups[i].node != NO_NODE)
            all[count++] = (struct claimant){&grouping->groups[i], i};
    if (!count)
        return;
    qsort(all, count, sizeof(*all), compare);
    for (size_t from = 0, to; from < count; from = to) {
        uint32_t node = all[from].group->node;
        for (to = from + 1; to < count && all[to].group->node == node; to++)
            continue;
        join_run(grouping, &all[from], to - from);
    }
}
