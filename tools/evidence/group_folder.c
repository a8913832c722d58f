/* Rules about folders: one instance's own folder, a file called like a folder, the only instance around. */
#include <stdlib.h>
#include <string.h>

#include "parsers/bytes/text.h"
#include "tools/evidence/group.h"

struct by_folder {
    struct bytes folder;
    size_t file;
};

static int compare(const void *a, const void *b)
{
    const struct by_folder *left = a, *right = b;
    int order = group_folder_compare(left->folder, right->folder);
    return order ? order : (left->file > right->file) - (left->file < right->file);
}

/* The files that take part, captures aside, sorted by folder. */
static struct by_folder *sort_by_folder(struct grouping *grouping, size_t *count)
{
    struct by_folder *sorted = arena_array(grouping->arena, grouping->count, sizeof(*sorted));
    *count = 0;
    grouping->failed |= !sorted;
    for (size_t i = 0; sorted && i < grouping->count; i++) {
        const struct hint *hint = &grouping->hints[i];
        if (hint->role != ROLE_NONE && hint->role != ROLE_CAPTURE)
            sorted[(*count)++] = (struct by_folder){hint->parts.folder, i};
    }
    if (*count)
        qsort(sorted, *count, sizeof(*sorted), compare);
    return sorted;
}

/* The distinct values among a folder's files: the first, and whether there are more. */
struct distinct {
    uint32_t first;
    bool any, more;
};

static void note(struct distinct *distinct, uint32_t value)
{
    distinct->more |= distinct->any && distinct->first != value;
    distinct->first = distinct->any ? distinct->first : value;
    distinct->any = true;
}

/* What the files of one folder say about ports, ids and hosts. */
struct survey {
    struct distinct named, confs, said, nodes, logged, scopes;
    const struct hint *view, *conf, *log, *scope; /* the first of their kind */
    bool other_view, other_conf, other_log;       /* another one that is no copy of it, by its name */
};

static void survey_file(const struct grouping *grouping, size_t file, struct survey *survey)
{
    const struct hint *hint = &grouping->hints[file];
    bool temporary = grouping->evidence->files[file].temporary;
    if (hint->named)
        note(&survey->named, hint->named);
    if (hint->said && hint->role != ROLE_CONF)
        note(&survey->said, hint->said);
    if (hint->scope.len) {
        survey->scope = survey->scope ? survey->scope : hint;
        note(&survey->scopes, names_compare(survey->scope->scope, hint->scope) != 0);
    }
    if (hint->role == ROLE_CONF) {
        note(&survey->confs, hint->port);
        survey->conf = survey->conf ? survey->conf : hint;
        survey->other_conf |= !names_extends(hint->parts.stem, survey->conf->parts.stem);
    }
    if (hint->role == ROLE_LOG) {
        if (hint->node != NO_NODE)
            note(&survey->logged, hint->node);
        survey->log = survey->log ? survey->log : hint;
        survey->other_log |= !names_extends(hint->parts.stem, survey->log->parts.stem);
    }
    if (hint->role == ROLE_VIEW && !temporary) {
        if (hint->node != NO_NODE)
            note(&survey->nodes, hint->node);
        survey->view = survey->view ? survey->view : hint;
        survey->other_view |= !names_extends(hint->parts.stem, survey->view->parts.stem);
    }
}

/* Two servers' files, whatever their ports: two configurations, two views of different servers, logs that state
 * different ids. Copies (nodes.conf.bak, redis.log.1) may differ from their original. */
static bool holds_two(const struct survey *survey)
{
    return survey->scopes.more || survey->named.more || survey->confs.more || survey->other_conf ||
           (survey->other_view && (survey->nodes.more || survey->said.more)) ||
           (survey->other_log && survey->logged.more) ||
           (survey->named.any && survey->confs.any && survey->named.first != survey->confs.first);
}

/* The files of one folder speak of one server: they have one configuration or one port in their names; where there is
 * neither, one port and one id in the content, and more than logs. */
static bool holds_one(const struct grouping *grouping, const struct by_folder *files, size_t count)
{
    struct survey survey = {0};
    for (size_t i = 0; i < count; i++)
        survey_file(grouping, files[i].file, &survey);
    if (holds_two(&survey))
        return false;
    if (survey.named.any || survey.confs.any)
        return true;
    bool only_logs = survey.other_log && !survey.view;
    return !only_logs && !survey.said.more && !survey.nodes.more && (survey.said.any || survey.nodes.any);
}

/* Rule 1: a folder that holds the files of one server only is that server's. */
void rule_folder(struct grouping *grouping)
{
    size_t count;
    struct by_folder *sorted = sort_by_folder(grouping, &count);
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from + 1; to < count && names_compare(sorted[to].folder, sorted[from].folder) == 0; to++)
            continue;
        if (to - from == 1 || !holds_one(grouping, &sorted[from], to - from))
            continue;
        for (size_t i = from + 1; i < to; i++)
            group_merge(grouping, sorted[from].file, sorted[i].file, JOIN_ANY_PORT | JOIN_ANY_CONF,
                        "in the same folder, which holds the files of one instance");
    }
}

/* A group that shows a server by more than a dump or a log of nobody. */
static bool is_identified(const struct group *group)
{
    return group->placed && (group->conf != SIZE_MAX || group->view != SIZE_MAX || group->node != NO_NODE);
}

static bool is_lost(struct grouping *grouping, size_t file)
{
    const struct group *group = &grouping->groups[group_root(grouping, file)];
    const struct hint *hint = &grouping->hints[file];
    return hint->role != ROLE_NONE && !hint->obstacle && !is_identified(group) && !group->capture;
}

/* What lies below a folder: no identified group, one, or more. */
struct region {
    struct bytes folder;
    size_t group; /* SIZE_MAX: none */
    bool more;
};

static int compare_regions(const void *a, const void *b)
{
    const struct region *left = a, *right = b;
    return names_compare(left->folder, right->folder);
}

static struct region *find_region(struct region *regions, size_t count, struct bytes folder)
{
    struct region key = {.folder = folder};
    return count ? bsearch(&key, regions, count, sizeof(*regions), compare_regions) : NULL;
}

/* Every folder that has a file, with those above it, each once. */
static struct region *list_regions(struct grouping *grouping, size_t *count)
{
    size_t cap = 0, listed = 0;
    struct region *regions = NULL;
    struct bytes before = {0};
    *count = 0;
    for (size_t i = 0; i < grouping->count; i++) {
        struct bytes folder = grouping->hints[i].parts.folder;
        if (i && names_compare(folder, before) == 0)
            continue;
        before = folder;
        for (;;) {
            regions = arena_grow(grouping->arena, regions, listed, &cap, sizeof(*regions));
            if (!regions) {
                grouping->failed = true;
                return NULL;
            }
            regions[listed++] = (struct region){.folder = folder, .group = SIZE_MAX};
            if (!folder.len)
                break;
            folder = names_parent(folder);
        }
    }
    if (listed)
        qsort(regions, listed, sizeof(*regions), compare_regions);
    for (size_t i = 0; i < listed; i++)
        if (!*count || compare_regions(&regions[*count - 1], &regions[i]) != 0)
            regions[(*count)++] = regions[i];
    return regions;
}

static struct region *map_regions(struct grouping *grouping, size_t *count)
{
    struct region *regions = list_regions(grouping, count);
    for (size_t i = 0; regions && i < grouping->count; i++) {
        size_t root = group_root(grouping, i);
        const struct hint *hint = &grouping->hints[i];
        if (hint->role == ROLE_NONE || hint->role == ROLE_CAPTURE || !is_identified(&grouping->groups[root]))
            continue;
        struct bytes folder = hint->parts.folder;
        for (;;) {
            struct region *region = find_region(regions, *count, folder);
            if (region->more || region->group == root)
                break;
            region->more = region->group != SIZE_MAX;
            region->group = root;
            if (!folder.len)
                break;
            folder = names_parent(folder);
        }
    }
    return regions;
}

/* The name up to its first dot. */
static struct bytes bare(struct bytes stem)
{
    struct bytes head, tail;
    text_split(stem, '.', &head, &tail);
    return head;
}

/* Rule 7: a file that is called like the folder of one instance ("redis-0.log", "redis-0/"). */
void rule_called(struct grouping *grouping)
{
    size_t count;
    struct region *regions = map_regions(grouping, &count);
    for (size_t i = 0; regions && i < grouping->count; i++) {
        if (!is_lost(grouping, i))
            continue;
        struct bytes name = bare(grouping->hints[i].parts.stem);
        size_t group = SIZE_MAX;
        bool more = false;
        for (size_t k = 0; k < count; k++)
            if (regions[k].group != SIZE_MAX && !regions[k].more &&
                names_compare(names_last(regions[k].folder), name) == 0) {
                more |= group != SIZE_MAX && group != regions[k].group;
                group = regions[k].group;
            }
        if (group != SIZE_MAX && !more)
            group_merge(grouping, group, i, JOIN_STRICT, "called like the folder of the instance");
    }
}

/* Rule 8: what shows no server belongs to the only one around: in its folder, below it, or, going up, in the first
 * folder that holds any. */
void rule_around(struct grouping *grouping)
{
    size_t count;
    struct region *regions = map_regions(grouping, &count);
    for (size_t i = 0; regions && i < grouping->count; i++) {
        if (!is_lost(grouping, i))
            continue;
        struct bytes folder = grouping->hints[i].parts.folder;
        struct region *region = find_region(regions, count, folder);
        while (region->group == SIZE_MAX && folder.len) {
            folder = names_parent(folder);
            region = find_region(regions, count, folder);
        }
        if (region->more)
            grouping->hints[i].obstacle = "several instances are around, and nothing says whose it is";
        else if (region->group != SIZE_MAX &&
                 !group_merge(grouping, region->group, i, JOIN_STRICT, "the only instance around"))
            grouping->hints[i].obstacle = "its port or host is not that of the only instance around";
    }
}
