/* Tests:     manifests of multi-part append-only files, and the files beside them.
 * Relies on: what the manifest's reader found, and which files lie in its folder.
 * Reports:   aof-manifest. */
#include <string.h>

#include "parsers/bytes/text.h"
#include "tools/evidence/names.h"
#include "tools/findings/journals_private.h"

/* Beside the manifest, or elsewhere in the case but of the same instance. A compressed copy counts as the file. */
static bool is_named(const struct evidence *evidence, size_t manifest, size_t number, const char *name)
{
    const struct evidence_file *file = &evidence->files[number], *from = &evidence->files[manifest];
    struct path_parts parts = names_split(file->path);
    bool beside = names_compare(parts.folder, names_split(from->path).folder) == 0;
    bool own = from->instance != SIZE_MAX && file->instance == from->instance;
    return (beside || own) && text_is(parts.stem, name);
}

static size_t find_named(const struct evidence *evidence, size_t manifest, const char *name)
{
    for (size_t n = 0; n < evidence->file_count; n++)
        if (is_named(evidence, manifest, n, name))
            return n;
    return SIZE_MAX;
}

/* The manifest that names the file, and its line there; NULL when none does. */
static const struct manifest_facts *manifest_of(const struct evidence *evidence, size_t number, size_t *line)
{
    for (size_t n = 0; n < evidence->file_count; n++) {
        const struct manifest_facts *manifest = evidence->files[n].manifest;
        if (!manifest || evidence->files[n].temporary)
            continue;
        for (size_t l = 0; l < manifest->count; l++)
            if (is_named(evidence, n, number, manifest->lines[l].name)) {
                *line = l;
                return manifest;
            }
    }
    return NULL;
}

bool manifest_has_later(const struct evidence *evidence, size_t number)
{
    size_t line;
    const struct manifest_facts *manifest = manifest_of(evidence, number, &line);
    if (!manifest)
        return false;
    bool base = manifest->lines[line].type == 'b';
    for (size_t l = base ? 0 : line + 1; l < manifest->count; l++)
        if (manifest->lines[l].type == 'i')
            return true;
    return false;
}

/* NAME.SEQ.base.rdb, NAME.SEQ.base.aof and NAME.SEQ.incr.aof, as servers call the parts of a set. */
static bool is_called_part(struct bytes stem)
{
    static const char *const endings[] = {".base.rdb", ".base.aof", ".incr.aof"};
    for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++) {
        struct bytes head, seq;
        uint64_t number;
        if (text_ends(stem, endings[i]) &&
            text_split_last((struct bytes){stem.at, stem.len - strlen(endings[i])}, '.', &head, &seq))
            return head.len && text_u64(seq, &number);
    }
    return false;
}

void check_unlisted(struct findings *findings, size_t number)
{
    const struct evidence *evidence = findings->evidence;
    const struct evidence_file *file = &evidence->files[number];
    struct path_parts parts = names_split(file->path);
    bool has_manifest = false;
    size_t line;
    if (!is_called_part(parts.stem) || manifest_of(evidence, number, &line))
        return;
    for (size_t n = 0; n < evidence->file_count; n++) {
        const struct evidence_file *other = &evidence->files[n];
        if (other->kind != EVIDENCE_AOF_MANIFEST || other->temporary ||
            names_compare(names_split(other->path).folder, parts.folder) != 0)
            continue;
        /* What it names behind its fault is not known. */
        if (!other->manifest || other->manifest->error)
            return;
        has_manifest = true;
    }
    const struct journal *journal = file->journal;
    uint64_t commands = journal ? journal->commands : 0;
    bool holds = commands || (file->dump && file->dump->keys) || (journal && journal->preamble && journal->preamble->keys);
    struct finding *f = journals_about(findings, FINDING_AOF_MANIFEST, number);
    if (!f)
        return;
    f->certainty = has_manifest ? CERTAINTY_PROVED : CERTAINTY_PROBABLE;
    if (has_manifest || !holds)
        f->severity = holds ? SEVERITY_WARNING : SEVERITY_INFO;
    f->summary = has_manifest
                     ? arena_format(findings->arena, "%s lies beside a manifest that does not name it: no server loads what it holds (%llu commands).",
                                    file->path, (unsigned long long)commands)
                     : arena_format(findings->arena, "%s is a part of a set whose manifest is not in the case: without one a server starts empty, and may write behind what it finds.",
                                    file->path);
    f->rule = "a server loads what its manifest names, and nothing else of the folder";
    f->settles = has_manifest ? "an older manifest that names it; a part that a rewrite replaced is normally deleted"
                              : "the manifest, if it was not collected";
    finding_shows(findings, f, number, (struct place){0, file->facts.decoded < 64 ? file->facts.decoded : 64, 0});
}

static void check_line(struct findings *findings, size_t number, const struct manifest_line *line)
{
    const struct evidence_file *file = &findings->evidence->files[number];
    if (line->type == 'h' || find_named(findings->evidence, number, line->name) != SIZE_MAX)
        return;
    struct finding *f = journals_about(findings, FINDING_AOF_MANIFEST, number);
    if (!f)
        return;
    f->certainty = CERTAINTY_PROBABLE;
    f->summary = arena_format(findings->arena, "%s names %s, which is not in the case: without it the server refuses to start with appendonly yes.",
                              file->path, line->name);
    f->rule = "every base and incremental file that a manifest names must be there";
    f->settles = "the file, if it was not collected";
    finding_shows(findings, f, number, line->place);
}

static void suspect(struct findings *findings, size_t number, struct place place, const char *summary, const char *rule)
{
    struct finding *f = journals_about(findings, FINDING_AOF_MANIFEST, number);
    if (!f)
        return;
    f->severity = SEVERITY_WARNING;
    f->certainty = CERTAINTY_PROBABLE;
    f->summary = summary;
    f->rule = rule;
    f->settles = "the manifest as the server wrote it, and the parts that it named";
    finding_shows(findings, f, number, place);
}

/* What servers accept and do not write themselves. */
static void check_sequence(struct findings *findings, size_t number)
{
    const struct evidence_file *file = &findings->evidence->files[number];
    const struct manifest_facts *manifest = file->manifest;
    const struct manifest_line *last = NULL;
    bool has_base = false;
    for (size_t l = 0; l < manifest->count; l++) {
        const struct manifest_line *line = &manifest->lines[l];
        has_base |= line->type == 'b';
        for (size_t k = 0; k < l; k++)
            if (strcmp(manifest->lines[k].name, line->name) == 0 && manifest->lines[k].type != 'h' && line->type != 'h')
                suspect(findings, number, line->place,
                        arena_format(findings->arena, "%s names %s twice: its commands are applied twice.", file->path, line->name),
                        "servers compare numbers, not names");
        if (line->type != 'i')
            continue;
        if (last && line->seq > 0 && last->seq > 0 && line->seq - last->seq > 1)
            suspect(findings, number, line->place,
                    arena_format(findings->arena, "%s goes from seq %lld to seq %lld: what the files between held is not loaded.",
                                 file->path, (long long)last->seq, (long long)line->seq),
                    "a server numbers its incremental files without gaps, and does not look at gaps when it loads");
        last = line;
    }
    if (last && !has_base && !manifest->error)
        suspect(findings, number, last->place,
                arena_format(findings->arena, "%s names no base: what was before its first incremental file is not loaded.", file->path),
                "a server that makes a set begins it with a base; without one it loads the incremental files alone");
}

void check_manifest(struct findings *findings, size_t number)
{
    const struct evidence_file *file = &findings->evidence->files[number];
    const struct manifest_facts *manifest = file->manifest;
    if (manifest->error) {
        struct finding *f = journals_about(findings, FINDING_AOF_MANIFEST, number);
        if (!f)
            return;
        f->summary = arena_format(findings->arena, "%s: a server refuses it: %s.", file->path, manifest->error);
        f->rule = "the rules by which a server reads its manifest, with appendonly no, too";
        f->settles = "a whole copy of the manifest";
        finding_shows(findings, f, number, manifest->error_place);
    }
    for (size_t l = 0; l < manifest->count; l++)
        check_line(findings, number, &manifest->lines[l]);
    check_sequence(findings, number);
}
