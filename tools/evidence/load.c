#include "tools/evidence/load.h"

#include <string.h>

#include "parsers/bytes/hex.h"
#include "tools/evidence/identify.h"
#include "tools/evidence/names.h"
#include "tools/evidence/walk.h"

/* Texts that are held in memory as a whole. A nodes.conf of 2,000 nodes has 400 KB. */
enum { TEXT_LIMIT = 256 * 1024 * 1024 };
static const char too_long[] = "more than 256 MiB, too long for a text of this kind";

/* The hash that source_finish() gives for a file without bytes of its own. */
static const unsigned char not_opened[32];

static void take_facts(struct evidence *evidence, struct evidence_file *file, struct source *source)
{
    bool whole = source_finish(source, &file->facts);
    file->changed = file->facts.changed;
    const char *why = source_why(source);
    if (why)
        file->unread = arena_string(evidence->arena, why);
    else if (!whole && !file->changed && !file->unread)
        file->unread = "not read to its end";
    if (memcmp(file->facts.sha256, not_opened, sizeof(not_opened)) != 0)
        hex_encode(file->sha256, (struct bytes){file->facts.sha256, sizeof(file->facts.sha256)});
    evidence->unreadable |= file->unread || file->changed;
    evidence->atime_kept &= file->facts.atime_kept;
}

static struct bytes text_of(struct evidence_file *file, struct source *source)
{
    struct bytes text;
    if (!source_slurp(source, TEXT_LIMIT, &text) && !source_why(source))
        file->unread = too_long;
    return text;
}

static bool load_nodes(struct loading *loading, size_t number, struct source *source)
{
    struct evidence *evidence = loading->evidence;
    struct evidence_file *file = &evidence->files[number];
    struct bytes text = text_of(file, source);
    file->kind = identify_nodes(text, names_split(file->path).stem);
    if (loading->facts_only)
        return true;
    file->view = view_read(evidence->store, text, file->kind == EVIDENCE_CLUSTER_NODES, number);
    return file->view;
}

static bool load_conf(struct loading *loading, size_t number, struct source *source)
{
    struct evidence *evidence = loading->evidence;
    struct evidence_file *file = &evidence->files[number];
    if (loading->facts_only)
        return true;
    file->settings = settings_read(evidence->arena, text_of(file, source), number);
    return file->settings;
}

static bool load_manifest(struct loading *loading, size_t number, struct source *source)
{
    struct evidence *evidence = loading->evidence;
    struct evidence_file *file = &evidence->files[number];
    if (loading->facts_only)
        return true;
    file->manifest = manifest_read(evidence->arena, text_of(file, source), number);
    size_t *manifests = arena_grow(evidence->arena, loading->manifests, loading->manifest_count, &loading->manifest_cap,
                                   sizeof(*manifests));
    if (!file->manifest || !manifests)
        return false;
    loading->manifests = manifests;
    manifests[loading->manifest_count++] = number;
    return true;
}

static bool load_collection(struct loading *loading, size_t number, struct source *source)
{
    struct evidence *evidence = loading->evidence;
    struct evidence_file *file = &evidence->files[number];
    if (loading->facts_only)
        return true;
    file->collection = collection_read(evidence->arena, text_of(file, source), number);
    return file->collection;
}

static bool load_log(struct loading *loading, size_t number, struct source *source)
{
    struct evidence *evidence = loading->evidence;
    struct evidence_file *file = &evidence->files[number];
    if (loading->facts_only)
        return true;
    file->logbook = logbook_read(evidence->arena, source, number);
    return file->logbook;
}

static bool load_dump(struct loading *loading, size_t number, struct source *source)
{
    struct evidence *evidence = loading->evidence;
    struct evidence_file *file = &evidence->files[number];
    if (loading->facts_only || identify_is_stream(source_peek(source, SOURCE_PEEK_MAX)))
        return true;
    file->dump = dump_read(evidence->arena, source, number);
    return file->dump;
}

static const struct {
    enum evidence_kind kind;
    bool (*load)(struct loading *loading, size_t number, struct source *source);
} loaders[] = {
    {EVIDENCE_NODESCONF, load_nodes}, {EVIDENCE_CONF, load_conf}, {EVIDENCE_AOF_MANIFEST, load_manifest},
    {EVIDENCE_LOG, load_log},         {EVIDENCE_RDB, load_dump}, {EVIDENCE_COLLECTION, load_collection},
};

/* A manifest that has been read names this file of its folder. */
static bool in_manifest(const struct loading *loading, size_t number)
{
    const struct evidence_file *files = loading->evidence->files;
    struct path_parts own = names_split(files[number].path);
    for (size_t i = 0; i < loading->manifest_count; i++) {
        const struct evidence_file *file = &files[loading->manifests[i]];
        if (names_compare(names_split(file->path).folder, own.folder) != 0)
            continue;
        for (size_t k = 0; k < file->manifest->count; k++)
            if (text_is(own.stem, file->manifest->lines[k].name))
                return true;
    }
    return false;
}

static bool load_content(struct loading *loading, size_t number, struct source *source)
{
    for (size_t i = 0; i < sizeof(loaders) / sizeof(*loaders); i++)
        if (loaders[i].kind == loading->evidence->files[number].kind)
            return loaders[i].load(loading, number, source);
    return true;
}

enum load load_file(struct loading *loading, size_t number)
{
    struct evidence_file *file = &loading->evidence->files[number];
    struct source *source = walk_open(file->where, file->named);
    if (!source)
        return LOAD_NO_MEMORY;
    struct path_parts parts = names_split(file->path);
    struct identity identity = identify(source_peek(source, SOURCE_PEEK_MAX), parts.stem);
    bool aside = names_is_set_aside(&parts);
    bool unopened = source_why(source) && identity.kind == EVIDENCE_EMPTY;
    file->kind = unopened ? EVIDENCE_UNKNOWN : identity.kind;
    file->temporary = identity.temporary || aside;
    file->note = aside ? "set aside by the script of a plan" : identity.note;
    bool is_journal = file->kind == EVIDENCE_AOF || (file->kind == EVIDENCE_RDB && in_manifest(loading, number));
    enum load done = is_journal && !loading->facts_only ? LOAD_LATER : LOAD_DONE;
    if (done == LOAD_DONE) {
        done = load_content(loading, number, source) ? LOAD_DONE : LOAD_NO_MEMORY;
        take_facts(loading->evidence, file, source);
    }
    source_close(source);
    return done;
}

bool load_journal(struct evidence *evidence, size_t number, bool cluster, struct server server)
{
    struct evidence_file *file = &evidence->files[number];
    struct source *source = walk_open(file->where, file->named);
    if (!source)
        return false;
    file->journal = journal_read(evidence->arena, source, number, cluster, server);
    take_facts(evidence, file, source);
    source_close(source);
    return file->journal;
}
