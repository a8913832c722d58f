/* Where the files of an instance are that a server with its configuration looks for. */
#include <string.h>

#include "parsers/bytes/text.h"
#include "tools/cluster/start_private.h"
#include "tools/evidence/names.h"

static struct bytes of_string(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

const char *start_path(const struct starting *starting, size_t file)
{
    return starting->evidence->files[file].path;
}

static struct path_parts parts_of(const struct starting *starting, size_t file)
{
    return names_split(start_path(starting, file));
}

/* Files of no instance count too: what nothing else shows to belong to it still lies where the server looks. */
static bool may_be_its_own(const struct starting *starting, size_t file)
{
    size_t instance = starting->evidence->files[file].instance;
    return instance == starting->number || instance == SIZE_MAX;
}

/* The file of that name in a folder, a compressed copy only when it is not there itself. */
static size_t find_in(const struct starting *starting, struct bytes folder, const char *name)
{
    size_t found = SIZE_MAX;
    for (size_t i = 0; i < starting->evidence->file_count; i++) {
        struct path_parts parts = parts_of(starting, i);
        if (!may_be_its_own(starting, i) || !text_is(parts.stem, name) || names_compare(parts.folder, folder) != 0)
            continue;
        if (text_is(parts.name, name))
            return i;
        if (found == SIZE_MAX)
            found = i;
    }
    return found;
}

size_t start_beside(const struct starting *starting, size_t file, const char *name)
{
    return find_in(starting, parts_of(starting, file).folder, name);
}

/* The file of that name anywhere among the files of the instance, when it is the only one. */
static size_t find_anywhere(const struct starting *starting, const char *name)
{
    size_t found = SIZE_MAX;
    for (size_t i = 0; i < starting->evidence->file_count; i++) {
        if (starting->evidence->files[i].instance != starting->number || !text_is(parts_of(starting, i).stem, name))
            continue;
        if (found != SIZE_MAX)
            return SIZE_MAX;
        found = i;
    }
    return found;
}

static size_t find_own(const struct starting *starting, const char *name)
{
    size_t found = find_in(starting, of_string(starting->instance->folder), name);
    return found == SIZE_MAX ? find_anywhere(starting, name) : found;
}

/* A name that collecting makes of another one: the port is added. */
static bool has_own_port(const struct starting *starting, size_t file)
{
    struct bytes stem = parts_of(starting, file).stem;
    uint16_t port;
    bool firm;
    for (size_t at = 0; names_next_port(stem, &at, &port, &firm);)
        if (port == starting->instance->port)
            return true;
    return false;
}

static void find_dump(struct starting *starting)
{
    struct start_files *files = &starting->files;
    const struct dump *chosen = starting->instance->dump;
    files->dump = find_own(starting, files->dump_name);
    if (files->dump != SIZE_MAX || !chosen)
        return;
    files->dump = chosen->file;
    files->dump_renamed = starting->settings && !has_own_port(starting, chosen->file);
}

static void find_journal(struct starting *starting)
{
    struct start_files *files = &starting->files;
    size_t lone = SIZE_MAX, count = 0;
    files->journal = find_own(starting, files->append_name);
    /* As a base it lies in the folder of the multi-part AOF, where servers before 7.0 do not look. */
    if (files->journal != SIZE_MAX && files->manifest != SIZE_MAX && starting->instance->folder[0] &&
        names_compare(parts_of(starting, files->journal).folder, parts_of(starting, files->manifest).folder) == 0 &&
        names_compare(parts_of(starting, files->journal).folder, of_string(starting->instance->folder)) != 0)
        files->journal = SIZE_MAX;
    if (files->journal != SIZE_MAX || files->manifest != SIZE_MAX || starting->instance->manifest)
        return;
    for (size_t i = 0; i < starting->evidence->file_count; i++) {
        const struct evidence_file *file = &starting->evidence->files[i];
        bool its_own = file->instance == starting->number && file->journal && !file->temporary;
        if (its_own && text_ends(parts_of(starting, i).stem, ".aof") && has_own_port(starting, i)) {
            lone = i;
            count++;
        }
    }
    files->journal = count == 1 ? lone : SIZE_MAX;
}

/* In its folder, or beside the other files when they were collected into one. */
static void find_manifest(struct starting *starting)
{
    struct start_files *files = &starting->files;
    struct bytes own = of_string(starting->instance->folder);
    const char *folder = settings_text(starting->settings, "appenddirname", "appendonlydir");
    const char *name = arena_format(starting->arena, "%s.manifest", files->append_name);
    const char *below = arena_format(starting->arena, own.len ? "%s/%s" : "%s%s", starting->instance->folder, folder);
    if (!name || !below)
        return;
    for (size_t i = 0; i < starting->evidence->file_count; i++)
        if (may_be_its_own(starting, i) && names_compare(parts_of(starting, i).folder, of_string(below)) == 0)
            files->append_folder = true;
    files->manifest = find_in(starting, of_string(below), name);
    if (files->manifest == SIZE_MAX)
        files->manifest = find_in(starting, own, name);
    size_t elsewhere = files->manifest == SIZE_MAX ? find_anywhere(starting, name) : SIZE_MAX;
    if (elsewhere != SIZE_MAX && text_is(names_last(parts_of(starting, elsewhere).folder), folder))
        files->manifest = elsewhere;
    if (files->manifest == SIZE_MAX && !starting->settings && starting->instance->manifest)
        files->manifest = starting->instance->manifest->file;
    files->append_folder |= files->manifest != SIZE_MAX;
}

void start_find_files(struct starting *starting)
{
    struct start_files *files = &starting->files;
    *files = (struct start_files){
        .dump_name = settings_text(starting->settings, "dbfilename", "dump.rdb"),
        .append_name = settings_text(starting->settings, "appendfilename", "appendonly.aof"),
        .dump = SIZE_MAX,
        .journal = SIZE_MAX,
        .manifest = SIZE_MAX,
    };
    find_dump(starting);
    find_manifest(starting);
    find_journal(starting);
}

/* Adds what a manifest names, of one type. */
static void add_parts(struct starting *starting, const struct manifest_facts *manifest, char type,
                      struct start_sequence *sequence)
{
    for (size_t i = 0; i < manifest->count; i++) {
        const struct manifest_line *line = &manifest->lines[i];
        if (line->type != type)
            continue;
        size_t file = start_beside(starting, manifest->file, line->name);
        if (file != SIZE_MAX)
            sequence->files[sequence->count++] = file;
        else if (!sequence->missing)
            sequence->missing = line;
    }
}

static size_t count_parts(const struct manifest_facts *manifest, char type)
{
    size_t count = 0;
    for (size_t i = 0; i < manifest->count; i++)
        count += manifest->lines[i].type == type;
    return count;
}

/* A server of 7.0 or newer takes an older AOF over: no AOF of its own exists, or only the trace of a take-over that was
 * interrupted before the file was moved. (aofUpgradePrepare(), docs/formats/aof.md) */
static bool is_taken_over(struct starting *starting, const struct manifest_facts *manifest)
{
    const char *name = starting->files.append_name;
    if (starting->files.journal == SIZE_MAX)
        return false;
    size_t bases = manifest ? count_parts(manifest, 'b') : 0, increments = manifest ? count_parts(manifest, 'i') : 0;
    if (!bases && !increments)
        return true;
    if (bases != 1 || increments)
        return false;
    for (size_t i = 0; i < manifest->count; i++)
        if (manifest->lines[i].type == 'b' && strcmp(manifest->lines[i].name, name) == 0) {
            size_t moved = start_beside(starting, manifest->file, name);
            return moved == SIZE_MAX || moved == starting->files.journal;
        }
    return false;
}

bool start_sequence(struct starting *starting, bool multi_part, struct start_sequence *sequence)
{
    const struct start_files *files = &starting->files;
    const struct manifest_facts *manifest = NULL;
    if (multi_part && files->manifest != SIZE_MAX)
        manifest = starting->evidence->files[files->manifest].manifest;
    *sequence = (struct start_sequence){0};
    sequence->files = arena_array(starting->arena, 1 + (manifest ? manifest->count : 0), sizeof(*sequence->files));
    if (!sequence->files)
        return false;
    sequence->upgraded = multi_part && is_taken_over(starting, manifest);
    if (sequence->upgraded || (!multi_part && files->journal != SIZE_MAX)) {
        sequence->files[sequence->count++] = files->journal;
    } else if (manifest) {
        add_parts(starting, manifest, 'b', sequence);
        add_parts(starting, manifest, 'i', sequence);
    }
    return true;
}
