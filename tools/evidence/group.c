#include "tools/evidence/group.h"

#include <string.h>

size_t group_root(struct grouping *grouping, size_t file)
{
    struct hint *hints = grouping->hints;
    while (hints[file].parent != file) {
        hints[file].parent = hints[hints[file].parent].parent;
        file = hints[file].parent;
    }
    return file;
}

int group_folder_compare(struct bytes a, struct bytes b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    for (size_t i = 0; i < len; i++) {
        int left = a.at[i] == '/' ? -1 : a.at[i], right = b.at[i] == '/' ? -1 : b.at[i];
        if (left != right)
            return left < right ? -1 : 1;
    }
    return (a.len > b.len) - (a.len < b.len);
}

/* The folder above both. */
static struct bytes common_folder(struct bytes a, struct bytes b)
{
    while (!names_is_below(b, a))
        a = names_parent(a);
    return a;
}

bool group_fits(struct grouping *grouping, size_t a, size_t b, unsigned flags)
{
    const struct group *left = &grouping->groups[group_root(grouping, a)];
    const struct group *right = &grouping->groups[group_root(grouping, b)];
    if (!(flags & JOIN_ANY_CONF) && left->conf != SIZE_MAX && right->conf != SIZE_MAX && left->conf != right->conf)
        return false;
    if (!(flags & JOIN_ANY_PORT) && left->port && right->port && left->port != right->port)
        return false;
    return (flags & JOIN_ANY_SCOPE) || !left->scope.len || !right->scope.len ||
           names_compare(left->scope, right->scope) == 0;
}

static uint16_t port_of_both(const struct group *into, const struct group *from)
{
    if (into->conf != SIZE_MAX)
        return into->port;
    if (from->conf != SIZE_MAX)
        return from->port;
    return into->port ? into->port : from->port;
}

static void absorb(struct group *into, const struct group *from)
{
    bool own_line = into->view != SIZE_MAX || (into->capture && from->view == SIZE_MAX);
    into->port = port_of_both(into, from);
    if (into->node == NO_NODE || (!own_line && (from->view != SIZE_MAX || from->capture)))
        into->node = from->node != NO_NODE ? from->node : into->node;
    if (!own_line || !into->ip[0]) {
        into->ip = from->ip[0] ? from->ip : into->ip;
        into->said = from->said ? from->said : into->said;
    }
    into->conf = into->conf != SIZE_MAX ? into->conf : from->conf;
    into->view = into->view != SIZE_MAX ? into->view : from->view;
    into->log = into->log != SIZE_MAX ? into->log : from->log;
    into->capture |= from->capture;
    into->status |= from->status;
    into->dump |= from->dump;
    into->scope = into->scope.len ? into->scope : from->scope;
    if (into->placed && from->placed)
        into->folder = common_folder(into->folder, from->folder);
    else if (from->placed)
        into->folder = from->folder;
    into->placed |= from->placed;
    into->files += from->files;
}

bool group_merge(struct grouping *grouping, size_t a, size_t b, unsigned flags, const char *rule)
{
    size_t left = group_root(grouping, a), right = group_root(grouping, b);
    struct hint *hints = grouping->hints;
    if (left == right)
        return true;
    if (!group_fits(grouping, left, right, flags))
        return false;
    if (grouping->groups[left].files < grouping->groups[right].files) {
        size_t swap = left;
        left = right;
        right = swap;
    }
    absorb(&grouping->groups[left], &grouping->groups[right]);
    hints[right].parent = left;
    hints[a].rule = hints[a].rule ? hints[a].rule : rule;
    hints[b].rule = hints[b].rule ? hints[b].rule : rule;
    return true;
}

/* From what is certain to what is only the last possibility left. */
void group_join(struct grouping *grouping)
{
    static void (*const rules[])(struct grouping *) = {
        rule_folder, rule_conf, rule_manifest, rule_unfinished, rule_node, rule_port, rule_called, rule_around,
    };
    for (size_t i = 0; i < sizeof(rules) / sizeof(*rules) && !grouping->failed; i++)
        rules[i](grouping);
}
