#include "tools/evidence/load.h"

#include <string.h>

#include "parsers/bytes/hex.h"
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

static bool load_nodes(struct loading *loading, size_t number, const struct opened *opened)
{
    struct evidence *evidence = loading->evidence;
    struct evidence_file *file = &evidence->files[number];
    file->kind = identify_nodes(opened->text, names_split(file->path).stem);
    if (loading->facts_only)
        return true;
    file->view = view_read(evidence->store, opened->text, file->kind == EVIDENCE_CLUSTER_NODES, number);
    return file->view;
}

static bool load_conf(struct loading *loading, size_t number, const struct opened *opened)
{
    struct evidence *evidence = loading->evidence;
    struct evidence_file *file = &evidence->files[number];
    if (loading->facts_only)
        return true;
    file->settings = settings_read(evidence->arena, opened->text, number);
    return file->settings;
}

static bool load_manifest(struct loading *loading, size_t number, const struct opened *opened)
{
    struct evidence *evidence = loading->evidence;
    struct evidence_file *file = &evidence->files[number];
    if (loading->facts_only)
        return true;
    file->manifest = manifest_read(evidence->arena, opened->text, number);
    size_t *manifests = arena_grow(evidence->arena, loading->manifests, loading->manifest_count, &loading->manifest_cap,
                                   sizeof(*manifests));
    if (!file->manifest || !manifests)
        return false;
    loading->manifests = manifests;
    manifests[loading->manifest_count++] = number;
    return true;
}

static bool load_collection(struct loading *loading, size_t number, const struct opened *opened)
{
    struct evidence *evidence = loading->evidence;
    struct evidence_file *file = &evidence->files[number];
    if (loading->facts_only)
        return true;
    file->collection = collection_read(evidence->arena, opened->text, number);
    return file->collection;
}

static bool load_log(struct loading *loading, size_t number, const struct opened *opened)
{
    struct evidence *evidence = loading->evidence;
    struct evidence_file *file = &evidence->files[number];
    if (loading->facts_only)
        return true;
    file->logbook = logbook_read(evidence->arena, opened->source, number);
    return file->logbook;
}

static struct source *open_again(void *context)
{
    const struct evidence_file *file = context;
    return walk_open_again(file->where, file->named);
}

static bool load_dump(struct loading *loading, size_t number, const struct opened *opened)
{
    struct evidence *evidence = loading->evidence;
    struct evidence_file *file = &evidence->files[number];
    if (loading->facts_only)
        return true;
    const struct dump_how how = {.duplicates = true, .memory = DUMP_DUPLICATES_MEMORY, .reopen = open_again, .context = file,
                                 .salvage = true};
    file->dump = dump_read_how(evidence->arena, opened->source, number, &how);
    return file->dump;
}

static const struct loader {
    enum evidence_kind kind;
    bool text;   /* read as one text */
    bool always; /* even when only facts are asked for: the text shows which of two kinds it is */
    bool (*load)(struct loading *loading, size_t number, const struct opened *opened);
} loaders[] = {
    {EVIDENCE_NODESCONF, true, true, load_nodes},
    {EVIDENCE_CONF, true, false, load_conf},
    {EVIDENCE_SENTINEL_CONF, true, false, load_conf},
    {EVIDENCE_AOF_MANIFEST, true, false, load_manifest},
    {EVIDENCE_COLLECTION, true, false, load_collection},
    {EVIDENCE_LOG, false, false, load_log},
    {EVIDENCE_RDB, false, false, load_dump},
};

static const struct loader *loader_for(enum evidence_kind kind)
{
    for (size_t i = 0; i < sizeof(loaders) / sizeof(*loaders); i++)
        if (loaders[i].kind == kind)
            return &loaders[i];
    return NULL;
}

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

struct opened load_open(const struct evidence_file *file, bool facts_only)
{
    struct opened opened = {.source = walk_open(file->where, file->named)};
    struct source *source = opened.source;
    if (!source)
        return opened;
    opened.identity = identify(source_peek(source, SOURCE_PEEK_MAX), names_split(file->path).stem);
    if (source_why(source) && opened.identity.kind == EVIDENCE_EMPTY)
        opened.identity.kind = EVIDENCE_UNKNOWN; /* not empty but not opened */
    const struct loader *loader = loader_for(opened.identity.kind);
    bool is_text = loader && loader->text && (loader->always || !facts_only);
    struct source_facts facts;
    if (is_text)
        opened.too_long = !source_slurp(source, TEXT_LIMIT, &opened.text) && !source_why(source);
    if (is_text || facts_only)
        source_finish(source, &facts);
    return opened;
}

enum load load_file(struct loading *loading, size_t number, const struct opened *opened)
{
    struct evidence_file *file = &loading->evidence->files[number];
    if (!opened->source)
        return LOAD_NO_MEMORY;
    struct path_parts parts = names_split(file->path);
    bool aside = names_is_set_aside(&parts);
    file->kind = opened->identity.kind;
    file->temporary = opened->identity.temporary || aside;
    file->note = aside ? "set aside by the script of a plan" : opened->identity.note;
    if (opened->too_long)
        file->unread = too_long;
    bool is_journal = file->kind == EVIDENCE_AOF || (file->kind == EVIDENCE_RDB && in_manifest(loading, number));
    enum load done = is_journal && !loading->facts_only ? LOAD_LATER : LOAD_DONE;
    if (done == LOAD_DONE) {
        const struct loader *loader = loader_for(file->kind);
        done = !loader || loader->load(loading, number, opened) ? LOAD_DONE : LOAD_NO_MEMORY;
        take_facts(loading->evidence, file, opened->source);
    }
    source_close(opened->source);
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
    if (file->journal)
        journal_find_rest(file->journal, open_again, file);
    return file->journal;
}
