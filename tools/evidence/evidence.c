#include "tools/evidence/evidence.h"

#include <stdlib.h>
#include <string.h>

#include "parsers/bytes/text.h"
#include "tools/evidence/ahead.h"
#include "tools/evidence/choose.h"
#include "tools/evidence/group.h"
#include "tools/evidence/hosts.h"
#include "tools/evidence/includes.h"
#include "tools/evidence/walk.h"

/* A case being opened. */
struct opening {
    struct evidence *evidence;
    const struct evidence_options *options;
    struct arena *scratch;
    size_t *later; /* files that are read once their instance is known */
    size_t later_count;
    size_t done;
};

static bool list_files(struct opening *opening, char *const *paths, size_t count)
{
    struct evidence *evidence = opening->evidence;
    struct walk walk;
    if (!walk_paths(evidence->arena, paths, count, &walk))
        return false;
    evidence->atime_kept = walk.atime_kept;
    evidence->files = arena_array(evidence->arena, walk.count, sizeof(*evidence->files));
    opening->later = arena_array(opening->scratch, walk.count, sizeof(*opening->later));
    if (!evidence->files || !opening->later)
        return false;
    for (size_t i = 0; i < walk.count; i++) {
        const struct walked *walked = &walk.files[i];
        evidence->files[evidence->file_count++] = (struct evidence_file){
            .path = walked->shown,
            .where = walked->where,
            .named = walked->named,
            .unread = walked->unread,
            .skipped = walked->skipped,
            .instance = SIZE_MAX,
        };
        evidence->unreadable |= walked->unread && !walked->skipped;
    }
    if (count && !evidence->file_count)
        evidence->problem = "there are no files";
    return true;
}

static void report(struct opening *opening)
{
    opening->done++;
    if (opening->options->progress)
        opening->options->progress(opening->options->context, opening->done, opening->evidence->file_count);
}

/* The files to be read. Manifests go first: they say which dumps are parts of append-only files. */
static size_t put_in_order(const struct evidence *evidence, size_t *order)
{
    size_t count = 0;
    for (int manifests = 1; manifests >= 0; manifests--)
        for (size_t i = 0; i < evidence->file_count; i++) {
            const struct evidence_file *file = &evidence->files[i];
            if (!file->unread && text_ends(names_split(file->path).stem, ".manifest") == (manifests == 1))
                order[count++] = i;
        }
    return count;
}

static bool read_files(struct opening *opening)
{
    struct evidence *evidence = opening->evidence;
    struct loading loading = {.evidence = evidence, .facts_only = opening->options->facts_only};
    size_t *order = arena_array(opening->scratch, evidence->file_count, sizeof(*order));
    size_t count = order ? put_in_order(evidence, order) : 0;
    struct ahead *ahead = order ? ahead_start(evidence->files, order, count, loading.facts_only) : NULL;
    bool memory = ahead;
    for (size_t i = 0; memory && i < count; i++) {
        struct opened opened = ahead_next(ahead);
        enum load load = load_file(&loading, order[i], &opened);
        memory = load != LOAD_NO_MEMORY;
        if (load == LOAD_LATER)
            opening->later[opening->later_count++] = order[i];
        else if (memory)
            report(opening);
    }
    ahead_stop(ahead);
    return memory;
}

static int by_instance(const void *a, const void *b, void *context)
{
    const struct evidence *evidence = context;
    size_t left = *(const size_t *)a, right = *(const size_t *)b;
    size_t left_instance = evidence->files[left].instance, right_instance = evidence->files[right].instance;
    if (left_instance != right_instance)
        return left_instance < right_instance ? -1 : 1;
    return (left > right) - (left < right);
}

/* Append-only files are read as the server of their instance would. */
static bool read_later(struct opening *opening)
{
    struct evidence *evidence = opening->evidence;
    size_t *later = opening->later;
    if (opening->later_count)
        qsort_r(later, opening->later_count, sizeof(*later), by_instance, evidence);
    for (size_t from = 0, to; from < opening->later_count; from = to) {
        size_t number = evidence->files[later[from]].instance;
        bool owned = number != SIZE_MAX;
        const struct instance *instance = owned ? &evidence->instances[number] : NULL;
        struct server server = owned ? instance->server : (struct server){0};
        bool cluster = owned && (instance->settings ? settings_yes(instance->settings, "cluster-enabled", false)
                                                    : instance->view != NULL);
        for (to = from; to < opening->later_count && evidence->files[later[to]].instance == number; to++) {
            if (!load_journal(evidence, later[to], cluster, server))
                return false;
            report(opening);
        }
        if (owned && !choose_journals(evidence, number, &later[from], to - from))
            return false;
    }
    return true;
}

static bool find_instances(struct opening *opening)
{
    struct grouping grouping = {.evidence = opening->evidence, .arena = opening->scratch};
    if (!includes_join(opening->evidence, opening->scratch) || !group_hints(&grouping))
        return false;
    group_join(&grouping);
    return !grouping.failed && group_instances(&grouping) &&
           hosts_assign(opening->evidence, opening->options->hosts, opening->scratch);
}

static bool open_case(struct opening *opening, char *const *paths, size_t count)
{
    if (!list_files(opening, paths, count) || !read_files(opening))
        return false;
    if (opening->options->facts_only)
        return true;
    return find_instances(opening) && read_later(opening);
}

struct evidence *evidence_open(char *const *paths, size_t count, const struct evidence_options *options)
{
    static const struct evidence_options none;
    struct arena *arena = arena_new(), *scratch = arena_new();
    struct evidence *evidence = arena ? arena_alloc(arena, sizeof(*evidence)) : NULL;
    bool opened = false;
    if (evidence && scratch) {
        *evidence = (struct evidence){.arena = arena, .store = view_store_new(arena), .host_basis = "IP addresses"};
        struct opening opening = {.evidence = evidence, .options = options ? options : &none, .scratch = scratch};
        opened = evidence->store && open_case(&opening, paths, count) && !arena_failed(arena) && !arena_failed(scratch);
    }
    arena_free(scratch);
    if (!opened)
        arena_free(arena);
    return opened ? evidence : NULL;
}

void evidence_close(struct evidence *evidence)
{
    if (evidence)
        arena_free(evidence->arena);
}

struct source *evidence_reopen(const struct evidence *evidence, size_t file)
{
    const struct evidence_file *found = &evidence->files[file];
    if (strcmp(found->where, "-") == 0)
        return source_memory("", 0);
    return walk_open(found->where, found->named);
}

static bool is_as_read(const struct evidence_file *file)
{
    uint64_t size;
    int64_t mtime_ms;
    return !file->skipped && !file->changed && walk_state(file->where, file->named, &size, &mtime_ms) &&
           size == file->facts.size && mtime_ms == file->facts.mtime_ms;
}

/* Goes forward without keeping anything. */
static bool skip_to(struct source *source, uint64_t offset)
{
    uint8_t skipped[16 * 1024];
    while (offset) {
        size_t n = source_read(source, skipped, offset < sizeof(skipped) ? (size_t)offset : sizeof(skipped));
        if (!n)
            return false;
        offset -= n;
    }
    return true;
}

static bool read_decoded(const struct evidence *evidence, size_t file, uint64_t offset, uint8_t *bytes, size_t len)
{
    struct source *source = evidence_reopen(evidence, file);
    size_t got = 0, n = 1;
    if (source && skip_to(source, offset))
        for (; got < len && n; got += n)
            n = source_read(source, bytes + got, len - got);
    source_close(source);
    return got == len;
}

struct bytes evidence_excerpt(const struct evidence *evidence, size_t file, uint64_t offset, uint64_t length,
                              size_t cap, struct arena *arena)
{
    const struct evidence_file *found = &evidence->files[file];
    struct bytes none = {(const uint8_t *)"", 0};
    size_t want = length < cap ? (size_t)length : cap;
    if (!want || !is_as_read(found) || offset > found->facts.decoded)
        return none;
    uint64_t left = found->facts.decoded - offset;
    want = want < left ? want : (size_t)left;
    uint8_t *bytes = arena_alloc(arena, want);
    bool read = bytes && want && (found->facts.coding == SOURCE_PLAIN
                                      ? walk_read(found->where, found->named, offset, bytes, want)
                                      : read_decoded(evidence, file, offset, bytes, want));
    return read ? (struct bytes){bytes, want} : none;
}

enum { SHORTEST_ID = 8 };

static bool is_called(const struct evidence *evidence, const struct instance *instance, const char *name)
{
    const char *id = view_store_id(evidence->store, instance->node);
    size_t len = strlen(name), ip_len = strlen(instance->ip);
    uint64_t port;
    if (strcmp(instance->name, name) == 0 || (len >= SHORTEST_ID && strncmp(id, name, len) == 0))
        return true;
    return ip_len && len > ip_len + 1 && strncmp(name, instance->ip, ip_len) == 0 && name[ip_len] == ':' &&
           text_u64((struct bytes){(const uint8_t *)name + ip_len + 1, len - ip_len - 1}, &port) &&
           port == instance->port;
}

size_t evidence_instance(const struct evidence *evidence, const char *name, const char **why)
{
    size_t found = SIZE_MAX;
    *why = NULL;
    for (size_t i = 0; i < evidence->instance_count; i++)
        if (strcmp(evidence->instances[i].name, name) == 0)
            return i;
    for (size_t i = 0; i < evidence->instance_count; i++) {
        if (!is_called(evidence, &evidence->instances[i], name))
            continue;
        if (found != SIZE_MAX) {
            *why = "several instances of the case answer to it";
            return SIZE_MAX;
        }
        found = i;
    }
    if (found == SIZE_MAX)
        *why = "no instance of the case is called so: give ip:port, or 8 or more characters of a node id";
    return found;
}

static const struct {
    const char *name, *meaning;
} kinds[EVIDENCE_KINDS] = {
#define EVIDENCE_KIND(id, name, meaning) [EVIDENCE_##id] = {name, meaning},
#include "tools/evidence/kinds.def"
#undef EVIDENCE_KIND
};

const char *evidence_kind_name(enum evidence_kind kind)
{
    return kinds[kind].name;
}

const char *evidence_kind_meaning(enum evidence_kind kind)
{
    return kinds[kind].meaning;
}
