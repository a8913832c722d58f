/* Tests:     append-only files and their manifests, each by itself.
 * Relies on: what their readers found.
 * Reports:   aof-truncated, aof-corrupt, aof-manifest. */
#include <string.h>

#include "tools/findings/checks.h"

static struct finding *about(struct findings *findings, enum finding_id id, size_t file)
{
    size_t number = findings->evidence->files[file].instance;
    const struct instance *instance = number == SIZE_MAX ? NULL : &findings->evidence->instances[number];
    struct finding *f = findings_add(findings, id, CERTAINTY_PROVED);
    if (f && instance) {
        f->node = instance->name;
        f->host = instance->host;
        f->node_id = instance->node == NO_NODE ? NULL : view_store_id(findings->evidence->store, instance->node);
    }
    return f;
}

static void check_journal(struct findings *findings, size_t number)
{
    const struct evidence_file *file = &findings->evidence->files[number];
    const struct journal *journal = file->journal;
    bool cut = journal->stop == AOF_STOP_TRUNCATED;
    if (!cut && journal->stop != AOF_STOP_FORMAT && journal->stop != AOF_STOP_RDB)
        return;
    struct finding *f = about(findings, cut ? FINDING_AOF_TRUNCATED : FINDING_AOF_CORRUPT, number);
    if (!f)
        return;
    uint64_t size = file->facts.decoded, from = journal->complete_to < size ? journal->complete_to : size ? size - 1 : 0;
    f->summary = arena_format(findings->arena, "%s: %s; whole commands up to offset %llu of %llu.", file->path,
                              journal->why ? journal->why : "reading stopped", (unsigned long long)journal->complete_to,
                              (unsigned long long)size);
    f->rule = cut ? "the file ends inside a command: where it is the last of its set and aof-load-truncated is yes, a server cuts it here and starts, else it refuses"
                  : "what is not a command stops every server, whatever aof-load-truncated says";
    f->settles = "a whole copy of the file";
    finding_shows(findings, f, number, (struct place){from, size - from < 64 ? size - from : 64, 0});
}

static bool present(struct findings *findings, size_t manifest, const char *name)
{
    size_t instance = findings->evidence->files[manifest].instance;
    for (size_t n = 0; n < findings->evidence->file_count; n++) {
        const struct evidence_file *file = &findings->evidence->files[n];
        const char *base = strrchr(file->path, '/');
        size_t len = strlen(name);
        base = base ? base + 1 : file->path;
        /* A compressed copy counts as the file. */
        if (file->instance == instance && strncmp(base, name, len) == 0 &&
            (!base[len] || strcmp(base + len, ".gz") == 0 || strcmp(base + len, ".lz4") == 0 || strcmp(base + len, ".zst") == 0))
            return true;
    }
    return false;
}

static void check_manifest(struct findings *findings, size_t number)
{
    const struct evidence_file *file = &findings->evidence->files[number];
    const struct manifest_facts *manifest = file->manifest;
    if (manifest->error) {
        struct finding *f = about(findings, FINDING_AOF_MANIFEST, number);
        if (!f)
            return;
        f->summary = arena_format(findings->arena, "%s: a server refuses it: %s.", file->path, manifest->error);
        f->rule = "the rules by which a server reads its manifest";
        f->settles = "a whole copy of the manifest";
        finding_shows(findings, f, number, manifest->error_place);
    }
    for (size_t l = 0; l < manifest->count; l++) {
        const struct manifest_line *line = &manifest->lines[l];
        if (line->type == 'h' || present(findings, number, line->name))
            continue;
        struct finding *f = about(findings, FINDING_AOF_MANIFEST, number);
        if (!f)
            return;
        f->certainty = CERTAINTY_PROBABLE;
        f->summary = arena_format(findings->arena, "%s names %s, which is not in the case: without it the server refuses to start.",
                                  file->path, line->name);
        f->rule = "every base and incremental file that a manifest names must be there";
        f->settles = "the file, if it was not collected";
        finding_shows(findings, f, number, line->place);
    }
}

void check_journals(struct findings *findings)
{
    for (size_t n = 0; n < findings->evidence->file_count; n++) {
        const struct evidence_file *file = &findings->evidence->files[n];
        if (file->temporary)
            continue;
        if (file->journal)
            check_journal(findings, n);
        if (file->manifest)
            check_manifest(findings, n);
    }
}
