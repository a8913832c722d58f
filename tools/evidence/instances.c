/* From groups to instances: which groups show a server, and what of their files the server would find. */
#include <stdlib.h>
#include <string.h>

#include "parsers/bytes/text.h"
#include "tools/evidence/choose.h"
#include "tools/evidence/group.h"

/* Why a file of this kind belongs to no instance. */
static const char *const reasons[EVIDENCE_KINDS] = {
    [EVIDENCE_UNKNOWN] = "not recognised",
    [EVIDENCE_SENTINEL_CONF] = "a Sentinel is no member of the cluster",
    [EVIDENCE_CLUSTER_SLOTS] = "speaks of the whole cluster",
    [EVIDENCE_CLUSTER_SHARDS] = "speaks of the whole cluster",
    [EVIDENCE_TOOL_CHECK] = "speaks of the whole cluster, and the node that was asked is not in the case",
    [EVIDENCE_TOOL_INFO] = "speaks of the whole cluster",
    [EVIDENCE_TOOL_ADD_NODE] = "speaks of the whole cluster",
    [EVIDENCE_TOOL_CREATE] = "speaks of the whole cluster",
    [EVIDENCE_TOOL_OTHER] = "speaks of the whole cluster",
    [EVIDENCE_COLLECTION] = "speaks of the collection",
    [EVIDENCE_HOSTS] = "speaks of the hosts",
    [EVIDENCE_ARCHIVE] = "not unpacked",
};

static const char nothing_says[] = "nothing says which instance it belongs to";
static const char port_of_several[] = "its port is that of several instances, and nothing says whose it is";
static const char dumps_alike[] = "several dumps lie in this folder, and nothing says which instances they belong to";

/* INFO at an address: who gave it is known by its port and the place that names its host. */
static bool states_server(const struct group *group)
{
    return group->status && group->port && names_is_ip(group->scope);
}

/* A configuration, a node's own view or a log: something that only a server process has. */
static bool shows_server(const struct grouping *grouping, const struct group *group)
{
    if (group->conf != SIZE_MAX || group->view != SIZE_MAX || group->node != NO_NODE || states_server(group))
        return true;
    if (group->status && group->port)
        return true;
    return group->log != SIZE_MAX && (group->port || grouping->evidence->files[group->log].logbook->server.product);
}

struct lone {
    struct bytes folder;
    size_t file;
};

static int by_folder(const void *a, const void *b)
{
    const struct lone *left = a, *right = b;
    int order = names_compare(left->folder, right->folder);
    return order ? order : (left->file > right->file) - (left->file < right->file);
}

/* Data without any sign of a server, where no server is around: the files of a folder that holds one dump at most are
 * one instance's. */
static bool join_lone_data(struct grouping *grouping)
{
    struct lone *lone = arena_array(grouping->arena, grouping->count, sizeof(*lone));
    size_t count = 0;
    for (size_t i = 0; lone && i < grouping->count; i++) {
        const struct hint *hint = &grouping->hints[i];
        const struct group *group = &grouping->groups[group_root(grouping, i)];
        if (hint->role != ROLE_DATA || hint->obstacle || group->port || shows_server(grouping, group))
            continue;
        struct bytes folder = hint->parts.folder;
        lone[count++] = (struct lone){text_is(names_last(folder), "appendonlydir") ? names_parent(folder) : folder, i};
    }
    if (count)
        qsort(lone, count, sizeof(*lone), by_folder);
    for (size_t from = 0, to; from < count; from = to) {
        size_t dumps = 0;
        for (to = from; to < count && names_compare(lone[to].folder, lone[from].folder) == 0; to++)
            dumps +=
                grouping->evidence->files[lone[to].file].dump && !grouping->evidence->files[lone[to].file].temporary;
        for (size_t i = from; i < to; i++)
            if (dumps > 1)
                grouping->hints[lone[i].file].obstacle = dumps_alike;
            else
                group_merge(grouping, lone[from].file, lone[i].file, JOIN_STRICT,
                            "in the same folder as the only dump");
    }
    return lone;
}

/* Ports of groups that show a server: a lone dump called by one of them is not yet another server's. */
static bool port_is_taken(const struct grouping *grouping, const uint8_t *taken, size_t root)
{
    uint16_t port = grouping->groups[root].port;
    return port && taken[port / 8] >> port % 8 & 1;
}

/* A reply of nobody known is the only view of the case, or there are more of that kind only: then it stands for the
 * node that gave it. */
static bool is_only_view(const struct grouping *grouping, size_t file)
{
    const struct view *view = grouping->evidence->files[file].view;
    return view && view->limits && view->count && !grouping->any_owned_view;
}

static bool is_instance(struct grouping *grouping, const uint8_t *taken, size_t root)
{
    const struct hint *hint = &grouping->hints[root];
    const struct group *group = &grouping->groups[root];
    if (hint->role == ROLE_NONE)
        return is_only_view(grouping, root);
    bool follows = group->conf == SIZE_MAX && group->view == SIZE_MAX && group->node == NO_NODE && !states_server(group);
    if (follows && port_is_taken(grouping, taken, root))
        return false;
    return shows_server(grouping, group) || (hint->role == ROLE_DATA && (group->port || !hint->obstacle));
}

static void find_taken(struct grouping *grouping, uint8_t *taken)
{
    for (size_t i = 0; i < grouping->count; i++) {
        const struct group *group = &grouping->groups[i];
        bool leads = group->conf != SIZE_MAX || group->view != SIZE_MAX || group->node != NO_NODE;
        if (grouping->hints[i].role != ROLE_NONE && group_root(grouping, i) == i && leads)
            taken[group->port / 8] |= (uint8_t)(1u << group->port % 8);
    }
}

/* Files of one group stand together. */
struct item {
    size_t root, file;
};

static int by_root(const void *a, const void *b)
{
    const struct item *left = a, *right = b;
    if (left->root != right->root)
        return left->root < right->root ? -1 : 1;
    return (left->file > right->file) - (left->file < right->file);
}

static void say_why_not(struct grouping *grouping, const uint8_t *taken, size_t number)
{
    struct evidence_file *file = &grouping->evidence->files[number];
    const struct hint *hint = &grouping->hints[number];
    if (file->unread && hint->role == ROLE_NONE)
        file->unattributed = "not read";
    else if (hint->obstacle)
        file->unattributed = hint->obstacle;
    else if (hint->role == ROLE_NONE)
        file->unattributed = reasons[file->kind] ? reasons[file->kind] : nothing_says;
    else
        file->unattributed =
            port_is_taken(grouping, taken, group_root(grouping, number)) ? port_of_several : nothing_says;
}

static bool build(struct grouping *grouping, const struct item *items, size_t count)
{
    struct evidence *evidence = grouping->evidence;
    const struct group *group = &grouping->groups[items->root];
    size_t *members = arena_array(grouping->arena, count, sizeof(*members));
    if (!members)
        return false;
    for (size_t i = 0; i < count; i++) {
        struct evidence_file *file = &evidence->files[items[i].file];
        const char *rule = grouping->hints[items[i].file].rule;
        members[i] = items[i].file;
        file->instance = evidence->instance_count;
        file->attributed = rule ? rule : "it shows the instance by itself";
    }
    struct known known = {.port = group->port, .scope = group->scope};
    return choose(evidence, &known, members, count, &evidence->instances[evidence->instance_count++]);
}

bool group_instances(struct grouping *grouping)
{
    struct evidence *evidence = grouping->evidence;
    uint8_t *taken = arena_alloc(grouping->arena, (UINT16_MAX + 1) / 8);
    struct item *items = arena_array(grouping->arena, grouping->count, sizeof(*items));
    size_t count = 0, instances = 0;
    if (!taken || !items || !join_lone_data(grouping))
        return false;
    find_taken(grouping, taken);
    for (size_t i = 0; i < grouping->count; i++)
        grouping->any_owned_view |= grouping->evidence->files[i].view && grouping->hints[i].role != ROLE_NONE;
    for (size_t i = 0; i < grouping->count; i++) {
        size_t root = group_root(grouping, i);
        if (!is_instance(grouping, taken, root)) {
            say_why_not(grouping, taken, i);
            continue;
        }
        instances += root == i;
        items[count++] = (struct item){root, i};
    }
    evidence->instances = arena_array(evidence->arena, instances, sizeof(*evidence->instances));
    if (!evidence->instances)
        return false;
    if (count)
        qsort(items, count, sizeof(*items), by_root);
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from + 1; to < count && items[to].root == items[from].root; to++)
            continue;
        if (!build(grouping, &items[from], to - from))
            return false;
    }
    return choose_names(evidence, grouping->arena);
}
