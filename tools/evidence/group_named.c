/* Rules about stated names: those in a redis.conf, those in an AOF manifest, those that temporary files extend. */
#include <stdlib.h>
#include <string.h>

#include "parsers/bytes/text.h"
#include "tools/evidence/group.h"

static const char conf_names_it[] = "named in the instance's redis.conf";
static const char several_name_it[] = "the configurations of several instances name it";

struct by_stem {
    struct bytes stem;
    size_t file;
};

static int compare_stems(const void *a, const void *b)
{
    const struct by_stem *left = a, *right = b;
    int order = names_compare(left->stem, right->stem);
    return order ? order : (left->file > right->file) - (left->file < right->file);
}

static struct by_stem *sort_by_stem(struct grouping *grouping, size_t *count)
{
    struct by_stem *sorted = arena_array(grouping->arena, grouping->count, sizeof(*sorted));
    *count = 0;
    grouping->failed |= !sorted;
    for (size_t i = 0; sorted && i < grouping->count; i++)
        if (grouping->hints[i].role != ROLE_NONE)
            sorted[(*count)++] = (struct by_stem){grouping->hints[i].parts.stem, i};
    if (*count)
        qsort(sorted, *count, sizeof(*sorted), compare_stems);
    return sorted;
}

/* The first file whose stem is not before `stem`. */
static size_t first_stem(const struct by_stem *sorted, size_t count, struct bytes stem)
{
    size_t from = 0, to = count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (names_compare(sorted[middle].stem, stem) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

/* Directives that name a file; `otherwise` holds when they are not written. */
static const struct target {
    const char *directive, *otherwise;
    enum role role;
    bool in_folder; /* or in the folder that appenddirname names */
} targets[] = {
    {"cluster-config-file", "nodes.conf", ROLE_VIEW, false},
    {"dbfilename", "dump.rdb", ROLE_DATA, false},
    {"appendfilename", "appendonly.aof", ROLE_DATA, true},
    {"logfile", "", ROLE_LOG, false},
    {"aclfile", "", ROLE_OTHER, false},
};

struct claim {
    size_t file, conf;
    unsigned score;
};

struct claims {
    struct claim *all;
    size_t count, cap;
};

/* How many folders the end of a stated path and the place of a file have in common: the path as the server knew it is
 * never opened, but its end may have been collected with its folders. */
static unsigned common_end(struct bytes stated, struct bytes folder)
{
    unsigned common = 0;
    while (stated.len && folder.len) {
        struct bytes last = names_last(stated);
        if (last.len && !text_is(last, ".")) {
            if (names_compare(last, names_last(folder)) != 0)
                break;
            common++;
            folder = names_parent(folder);
        }
        stated = names_parent(stated);
    }
    return common;
}

/* The path that a directive states, without the file's own name; `written` is false for a default. */
static struct bytes stated_folder(struct grouping *grouping, const struct settings *settings, const char *target)
{
    const char *path = target[0] == '/'
                           ? target
                           : arena_format(grouping->arena, "%s/%s", settings_text(settings, "dir", "."), target);
    grouping->failed |= !path;
    return path ? names_split(path).folder : (struct bytes){0};
}

/* How near a file is to where the configuration says it is; 0: it is another file of that name. */
static unsigned nearness(const struct path_parts *conf, const struct path_parts *file, struct bytes stated,
                         bool written)
{
    enum { PER_FOLDER = 10, SAME = 4, BELOW = 3, SIBLING = 2, ELSEWHERE = 1 };
    unsigned score = common_end(stated, file->folder) * PER_FOLDER;
    if (names_compare(conf->folder, file->folder) == 0)
        return score + SAME;
    if (names_is_below(file->folder, conf->folder))
        return score + BELOW;
    if (names_compare(names_parent(conf->folder), names_parent(file->folder)) == 0)
        return score + SIBLING;
    return score || written ? score + ELSEWHERE : 0;
}

/* What one configuration says about one kind of file. */
struct search {
    size_t conf;
    const struct target *target;
    struct bytes name;
    struct bytes stated;      /* the folder it states, as the server knew it */
    const char *parts_folder; /* the parts of an append-only file lie in a folder of this name */
    bool written;             /* no default */
};

static bool role_takes(enum role wanted, enum role role)
{
    return role == wanted || role == ROLE_OTHER || (wanted == ROLE_VIEW && role == ROLE_CAPTURE);
}

static bool is_candidate(const struct grouping *grouping, const struct search *search, const struct by_stem *at)
{
    return names_extends(at->stem, search->name) && role_takes(search->target->role, grouping->hints[at->file].role);
}

/* The parts of an append-only file are judged by the folder above theirs. */
static struct path_parts place_of(const struct grouping *grouping, const struct search *search, size_t file)
{
    struct path_parts place = grouping->hints[file].parts;
    if (search->parts_folder && text_is(names_last(place.folder), search->parts_folder))
        place.folder = names_parent(place.folder);
    return place;
}

static void add_claim(struct grouping *grouping, struct claims *claims, struct claim claim)
{
    struct claim *all = arena_grow(grouping->arena, claims->all, claims->count, &claims->cap, sizeof(*all));
    grouping->failed |= !all;
    if (!all)
        return;
    claims->all = all;
    all[claims->count++] = claim;
}

/* Claims the files of the one folder that is nearest; of several equally near ones none. */
static void claim_nearest(struct grouping *grouping, const struct search *search, const struct by_stem *sorted,
                          size_t count, struct claims *claims)
{
    struct bytes folder = {0};
    unsigned best = 0;
    bool several = false;
    size_t from = first_stem(sorted, count, search->name), to = from;
    for (; to < count && names_begins(sorted[to].stem, search->name); to++) {
        if (!is_candidate(grouping, search, &sorted[to]) ||
            !group_fits(grouping, search->conf, sorted[to].file, JOIN_ANY_PORT))
            continue;
        struct path_parts place = place_of(grouping, search, sorted[to].file);
        unsigned score = nearness(&grouping->hints[search->conf].parts, &place, search->stated, search->written);
        several = score == best ? several || names_compare(folder, place.folder) != 0 : score < best && several;
        folder = score > best ? place.folder : folder;
        best = score > best ? score : best;
    }
    for (size_t i = from; best && !several && i < to; i++)
        if (is_candidate(grouping, search, &sorted[i]) &&
            names_compare(place_of(grouping, search, sorted[i].file).folder, folder) == 0)
            add_claim(grouping, claims, (struct claim){sorted[i].file, search->conf, best});
}

static void claim_target(struct grouping *grouping, size_t conf, const struct target *target,
                         const struct by_stem *sorted, size_t count, struct claims *claims)
{
    const struct settings *settings = grouping->evidence->files[conf].settings;
    const char *value = settings_text(settings, target->directive, target->otherwise);
    struct search search = {
        .conf = conf,
        .target = target,
        .name = names_split(value).name,
        .stated = stated_folder(grouping, settings, value),
        .parts_folder =
            target->in_folder ? settings_text(settings, "appenddirname", "appendonlydir") : NULL,
        .written = settings_find(settings, target->directive),
    };
    if (search.name.len)
        claim_nearest(grouping, &search, sorted, count, claims);
}

static int compare_claims(const void *a, const void *b)
{
    const struct claim *left = a, *right = b;
    if (left->file != right->file)
        return left->file < right->file ? -1 : 1;
    if (left->score != right->score)
        return left->score > right->score ? -1 : 1;
    return (left->conf > right->conf) - (left->conf < right->conf);
}

/* A capture that stands where a nodes.conf belongs has only lost its line of variables. */
static void take_as_view(struct grouping *grouping, size_t number)
{
    struct evidence_file *file = &grouping->evidence->files[number];
    if (grouping->hints[number].role != ROLE_CAPTURE)
        return;
    grouping->hints[number].role = ROLE_VIEW;
    file->kind = EVIDENCE_NODESCONF;
    file->view->capture = false;
    struct group *group = &grouping->groups[group_root(grouping, number)];
    group->view = group->view == SIZE_MAX ? number : group->view;
    group->folder = group->placed ? group->folder : grouping->hints[number].parts.folder;
    group->placed = true;
}

/* Rule 2: a file that one configuration names, beside it, in folders that end like the path it states, or next door. */
void rule_conf(struct grouping *grouping)
{
    size_t count;
    struct by_stem *sorted = sort_by_stem(grouping, &count);
    struct claims claims = {0};
    for (size_t conf = 0; sorted && conf < grouping->count; conf++)
        for (size_t i = 0; grouping->hints[conf].role == ROLE_CONF && i < sizeof(targets) / sizeof(*targets); i++)
            claim_target(grouping, conf, &targets[i], sorted, count, &claims);
    if (claims.count)
        qsort(claims.all, claims.count, sizeof(*claims.all), compare_claims);
    for (size_t i = 0; i < claims.count; i++) {
        const struct claim *claim = &claims.all[i], *next = i + 1 < claims.count ? claim + 1 : claim;
        if (i && claims.all[i - 1].file == claim->file)
            continue;
        bool shared = next != claim && next->file == claim->file && next->score == claim->score &&
                      group_root(grouping, next->conf) != group_root(grouping, claim->conf);
        if (shared && !grouping->hints[claim->file].named) {
            grouping->hints[claim->file].obstacle = several_name_it;
        } else if (!shared) {
            take_as_view(grouping, claim->file);
            group_merge(grouping, claim->conf, claim->file, JOIN_ANY_PORT, conf_names_it);
        }
    }
}

/* Rule 3: the parts of a multi-part AOF belong to its manifest; so do files in its folder that are called like it. */
void rule_manifest(struct grouping *grouping)
{
    const struct evidence_file *files = grouping->evidence->files;
    size_t count;
    struct by_stem *sorted = sort_by_stem(grouping, &count);
    for (size_t i = 0; sorted && i < grouping->count; i++) {
        const struct manifest_facts *manifest = files[i].manifest;
        const struct path_parts *own = &grouping->hints[i].parts;
        for (size_t k = 0; manifest && k <= manifest->count; k++) {
            struct bytes name = own->stem;
            if (k < manifest->count)
                name = names_split(manifest->lines[k].name).name;
            else if (text_ends(name, ".manifest"))
                name.len -= strlen(".manifest");
            for (size_t at = first_stem(sorted, count, name); at < count && names_begins(sorted[at].stem, name); at++)
                if (names_extends(sorted[at].stem, name) &&
                    names_compare(grouping->hints[sorted[at].file].parts.folder, own->folder) == 0)
                    group_merge(grouping, i, sorted[at].file, JOIN_ANY_PORT,
                                "a part of the instance's append-only file");
        }
    }
}

/* Rule 4: nodes.conf.tmp-PID-MS belongs to the nodes.conf beside it. */
void rule_unfinished(struct grouping *grouping)
{
    size_t count;
    struct by_stem *sorted = sort_by_stem(grouping, &count);
    for (size_t i = 0; sorted && i < grouping->count; i++) {
        const struct path_parts *own = &grouping->hints[i].parts;
        struct bytes target;
        if (grouping->hints[i].role == ROLE_NONE || !names_is_unfinished_nodesconf(own->stem, &target))
            continue;
        for (size_t at = first_stem(sorted, count, target);
             at < count && names_compare(sorted[at].stem, target) == 0; at++)
            if (names_compare(grouping->hints[sorted[at].file].parts.folder, own->folder) == 0)
                group_merge(grouping, sorted[at].file, i, JOIN_ANY_PORT,
                            "the temporary file of the instance's nodes.conf");
    }
}
