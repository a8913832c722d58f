/* What instances are called, in which order they stand, and in which order their append-only files load. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "tools/evidence/choose.h"
#include "tools/evidence/names.h"

/* A node that does not know its own address is known by it to others. */
static void ask_peers(struct evidence *evidence, struct instance *instance)
{
    for (size_t i = 0; !instance->ip[0] && instance->node != NO_NODE && i < evidence->instance_count; i++) {
        const struct view *view = evidence->instances[i].view;
        const struct sighting *seen = view ? view_find(view, instance->node) : NULL;
        if (seen && seen->entry->ip[0])
            instance->ip = seen->entry->ip;
    }
}

/* Its address; else its folder and port, the port alone (":7000", as servers write an unknown address), the folder. */
static const char *first_name(struct arena *arena, const struct instance *instance)
{
    const char *folder = instance->folder;
    struct bytes last = names_last((struct bytes){(const uint8_t *)folder, strlen(folder)});
    uint16_t port;
    if (instance->ip[0])
        return arena_format(arena, "%s:%u", instance->ip, instance->port);
    if (!folder[0])
        return instance->port ? arena_format(arena, ":%u", instance->port) : "instance";
    if (!instance->port || (names_is_port(last, &port) && port == instance->port))
        return folder;
    return arena_format(arena, "%s:%u", folder, instance->port);
}

static int by_ip(const char *a, const char *b)
{
    struct in_addr left, right;
    bool left_known = inet_pton(AF_INET, a, &left) == 1, right_known = inet_pton(AF_INET, b, &right) == 1;
    if (left_known != right_known)
        return left_known ? -1 : 1;
    return left_known ? memcmp(&left, &right, sizeof(left)) : strcmp(a, b);
}

static int by_address(const void *a, const void *b)
{
    const struct instance *left = a, *right = b;
    int order = by_ip(left->ip, right->ip);
    if (order)
        return order;
    if (left->port != right->port)
        return left->port < right->port ? -1 : 1;
    order = strcmp(left->name, right->name);
    return order ? order : strcmp(left->folder, right->folder);
}

/* Equal names stand together by now. */
static bool tell_apart(struct evidence *evidence)
{
    struct instance *all = evidence->instances;
    for (size_t from = 0, to; from < evidence->instance_count; from = to) {
        const char *shared = all[from].name;
        for (to = from + 1; to < evidence->instance_count && strcmp(all[to].name, shared) == 0; to++)
            continue;
        for (size_t i = from; to - from > 1 && i < to; i++) {
            bool same_folder = (i > from && strcmp(all[i - 1].folder, all[i].folder) == 0) ||
                               (i + 1 < to && strcmp(all[i + 1].folder, all[i].folder) == 0);
            all[i].name = same_folder || !all[i].folder[0]
                              ? arena_format(evidence->arena, "%s (%zu)", shared, i - from + 1)
                              : arena_format(evidence->arena, "%s (%s)", shared, all[i].folder);
            if (!all[i].name)
                return false;
        }
    }
    return true;
}

/* Where each instance went. */
struct moved {
    const struct instance *instance;
    size_t before;
};

static int by_instance(const void *a, const void *b)
{
    const struct moved *left = a, *right = b;
    int order = by_address(left->instance, right->instance);
    return order ? order : (left->before > right->before) - (left->before < right->before);
}

static bool sort(struct evidence *evidence, struct arena *scratch)
{
    size_t count = evidence->instance_count;
    struct moved *order = arena_array(scratch, count, sizeof(*order));
    size_t *now = arena_array(scratch, count, sizeof(*now));
    struct instance *sorted = arena_array(evidence->arena, count, sizeof(*sorted));
    if (!order || !now || !sorted)
        return false;
    for (size_t i = 0; i < count; i++)
        order[i] = (struct moved){&evidence->instances[i], i};
    if (count)
        qsort(order, count, sizeof(*order), by_instance);
    for (size_t i = 0; i < count; i++) {
        sorted[i] = *order[i].instance;
        now[order[i].before] = i;
    }
    for (size_t i = 0; i < evidence->file_count; i++)
        if (evidence->files[i].instance != SIZE_MAX)
            evidence->files[i].instance = now[evidence->files[i].instance];
    evidence->instances = sorted;
    return true;
}

bool choose_names(struct evidence *evidence, struct arena *scratch)
{
    for (size_t i = 0; i < evidence->instance_count; i++)
        ask_peers(evidence, &evidence->instances[i]);
    for (size_t i = 0; i < evidence->instance_count; i++) {
        evidence->instances[i].name = first_name(evidence->arena, &evidence->instances[i]);
        if (!evidence->instances[i].name)
            return false;
    }
    return sort(evidence, scratch) && tell_apart(evidence);
}

/* The append-only files of one instance, in the order of their paths. */
struct parts {
    struct evidence *evidence;
    const size_t *files;
    size_t count;
};

static const struct journal *find_part(const struct parts *parts, struct bytes folder, const char *name)
{
    struct bytes wanted = names_split(name).name;
    for (size_t i = 0; i < parts->count; i++) {
        const struct evidence_file *file = &parts->evidence->files[parts->files[i]];
        struct path_parts path = names_split(file->path);
        if (names_compare(path.stem, wanted) == 0 && names_compare(path.folder, folder) == 0)
            return file->journal;
    }
    return NULL;
}

static void add_journal(struct instance *instance, const struct journal *journal, size_t cap)
{
    if (journal && instance->journal_count < cap)
        instance->journals[instance->journal_count++] = journal;
}

/* Servers load the base first, wherever it stands, then the increments as they stand; history is not loaded. */
static void by_manifest(const struct parts *parts, struct instance *instance)
{
    static const char types[] = "bi";
    const struct manifest_facts *manifest = instance->manifest;
    struct bytes folder = names_split(parts->evidence->files[manifest->file].path).folder;
    for (size_t t = 0; types[t]; t++)
        for (size_t i = 0; i < manifest->count; i++)
            if (manifest->lines[i].type == types[t])
                add_journal(instance, find_part(parts, folder, manifest->lines[i].name), parts->count);
}

static bool is_listed(const struct instance *instance, const struct journal *journal)
{
    for (size_t i = 0; i < instance->journal_count; i++)
        if (instance->journals[i] == journal)
            return true;
    return false;
}

bool choose_journals(struct evidence *evidence, size_t number, const size_t *files, size_t count)
{
    struct instance *instance = &evidence->instances[number];
    struct parts parts = {evidence, files, count};
    instance->journals = arena_array(evidence->arena, count, sizeof(*instance->journals));
    if (!instance->journals)
        return false;
    if (instance->manifest)
        by_manifest(&parts, instance);
    for (size_t i = 0; i < count; i++) {
        struct evidence_file *file = &evidence->files[files[i]];
        if (!file->journal || is_listed(instance, file->journal))
            continue;
        if (!instance->manifest && !file->temporary)
            add_journal(instance, file->journal, count);
        else if (!file->note)
            file->note = "not named in the manifest as a file to load";
    }
    return true;
}
