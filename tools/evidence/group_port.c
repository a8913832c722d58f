/* Rule 6: files of one port within one host.
 *
 * Groups of one port are looked at folder by folder, from the innermost outwards: where everything below a folder can
 * be one server's, it is joined (etc/redis_7000.conf, rdb/nodes_7000.conf, log/redis_7000.log); where it cannot, the
 * folder holds several hosts that use the same port, and nothing is joined there or further out.
 */
#include <stdlib.h>
#include <string.h>

#include "tools/evidence/group.h"

static const char same_port[] = "the same port, in the same host's files";

struct member {
    uint16_t port;
    struct bytes folder;
    size_t root, depth;
};

static int compare(const void *a, const void *b)
{
    const struct member *left = a, *right = b;
    if (left->port != right->port)
        return left->port < right->port ? -1 : 1;
    int order = group_folder_compare(left->folder, right->folder);
    return order ? order : (left->root > right->root) - (left->root < right->root);
}

static size_t depth_of(struct bytes folder)
{
    size_t depth = folder.len > 0;
    for (size_t i = 0; i < folder.len; i++)
        depth += folder.at[i] == '/';
    return depth;
}

static struct bytes cut_to(struct bytes folder, size_t depth)
{
    for (size_t have = depth_of(folder); have > depth; have--)
        folder = names_parent(folder);
    return folder;
}

/* It shows a server by itself; the others only follow one. */
static bool leads(const struct group *group)
{
    return group->conf != SIZE_MAX || group->view != SIZE_MAX || group->node != NO_NODE;
}

/* A log that names this id as its server's at some time. */
static bool log_names(const struct grouping *grouping, const struct group *group, uint32_t node)
{
    if (group->log == SIZE_MAX)
        return false;
    const struct logbook *logbook = grouping->evidence->files[group->log].logbook;
    const char *id = view_store_id(grouping->evidence->store, node);
    for (size_t i = 0; i < logbook->count; i++)
        if (logbook->lines[i].text && strcmp(logbook->lines[i].text, id) == 0)
            return true;
    return false;
}

/* One file is a copy of the other, by its name: nodes_7000.conf, nodes_7000.conf.bak. */
static bool are_copies(const struct grouping *grouping, size_t a, size_t b)
{
    const struct path_parts *left = &grouping->hints[a].parts, *right = &grouping->hints[b].parts;
    return names_compare(left->folder, right->folder) == 0 &&
           (names_extends(left->stem, right->stem) || names_extends(right->stem, left->stem));
}

/* Two groups of one port that are two servers. */
static bool contradict(const struct grouping *grouping, const struct group *a, const struct group *b)
{
    bool apart = names_compare(a->folder, b->folder) != 0;
    bool two_views = a->view != SIZE_MAX && b->view != SIZE_MAX;
    bool two_logs = a->log != SIZE_MAX && b->log != SIZE_MAX && !are_copies(grouping, a->log, b->log);
    if (two_views && are_copies(grouping, a->view, b->view))
        return false;
    if (a->conf != SIZE_MAX && b->conf != SIZE_MAX && apart)
        return true;
    if (a->ip[0] && b->ip[0] && strcmp(a->ip, b->ip) != 0)
        return true;
    if (a->node != NO_NODE && b->node != NO_NODE && a->node != b->node && !log_names(grouping, a, b->node) &&
        !log_names(grouping, b, a->node))
        return apart || two_views || two_logs;
    return (apart && (two_views || (a->dump && b->dump && leads(a) == leads(b)))) ||
           (two_logs && !leads(a) && !leads(b));
}

static bool leaders_fit(struct grouping *grouping, const struct member *members, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++) {
            size_t a = group_root(grouping, members[i].root), b = group_root(grouping, members[k].root);
            const struct group *left = &grouping->groups[a], *right = &grouping->groups[b];
            if (a != b && leads(left) && leads(right) &&
                (contradict(grouping, left, right) || !group_fits(grouping, a, b, JOIN_ANY_CONF)))
                return false;
        }
    return true;
}

/* What leads first, then what follows. */
static void join_bucket(struct grouping *grouping, const struct member *members, size_t count)
{
    size_t lead = SIZE_MAX;
    if (!leaders_fit(grouping, members, count))
        return;
    for (unsigned following = 0; following < 2; following++)
        for (size_t i = 0; i < count; i++) {
            size_t root = group_root(grouping, members[i].root);
            const struct group *group = &grouping->groups[root];
            if (!following && !leads(group))
                continue;
            lead = lead == SIZE_MAX ? root : group_root(grouping, lead);
            if (root != lead && !contradict(grouping, &grouping->groups[lead], group))
                group_merge(grouping, lead, root, following ? JOIN_STRICT : JOIN_ANY_CONF, same_port);
        }
}

static void join_port(struct grouping *grouping, const struct member *members, size_t count)
{
    size_t deepest = 0;
    for (size_t i = 0; i < count; i++)
        deepest = members[i].depth > deepest ? members[i].depth : deepest;
    for (size_t depth = deepest + 1; count > 1 && depth-- > 0;) {
        for (size_t from = 0, to; from < count; from = to) {
            struct bytes folder = cut_to(members[from].folder, depth);
            for (to = from + 1; to < count && members[to].depth >= depth &&
                                names_compare(cut_to(members[to].folder, depth), folder) == 0;
                 to++)
                continue;
            if (to - from > 1 && members[from].depth >= depth)
                join_bucket(grouping, &members[from], to - from);
        }
    }
}

void rule_port(struct grouping *grouping)
{
    struct member *all = arena_array(grouping->arena, grouping->count, sizeof(*all));
    size_t count = 0;
    grouping->failed |= !all;
    for (size_t i = 0; all && i < grouping->count; i++) {
        const struct group *group = &grouping->groups[i];
        if (grouping->hints[i].role != ROLE_NONE && group_root(grouping, i) == i && group->port)
            all[count++] = (struct member){group->port, group->folder, i, depth_of(group->folder)};
    }
    if (!count)
        return;
    qsort(all, count, sizeof(*all), compare);
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from + 1; to < count && all[to].port == all[from].port; to++)
            continue;
        join_port(grouping, &all[from], to - from);
    }
}
