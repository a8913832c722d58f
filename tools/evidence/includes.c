#include "tools/evidence/includes.h"

#include <string.h>

#include "tools/evidence/names.h"

struct resolving {
    const struct evidence *evidence;
    struct settings **own; /* by file: as read, before any join */
    size_t file;           /* that includes */
};

static bool has_include(const struct settings *settings)
{
    return settings_find(settings, "include");
}

/* The configuration of the case that is called like the target, beside the file that includes it or the only one. */
static const struct settings *resolve(void *context, const char *target)
{
    const struct resolving *resolving = context;
    struct bytes wanted = names_split(target).name;
    struct bytes folder = names_split(resolving->evidence->files[resolving->file].path).folder;
    const struct settings *found = NULL;
    size_t count = 0;
    for (size_t i = 0; i < resolving->evidence->file_count; i++) {
        const struct settings *settings = resolving->own[i];
        if (!settings || i == resolving->file)
            continue;
        struct path_parts parts = names_split(resolving->evidence->files[i].path);
        if (names_compare(parts.stem, wanted) != 0)
            continue;
        if (names_compare(parts.folder, folder) == 0)
            return settings;
        found = settings;
        count++;
    }
    return count == 1 ? found : NULL;
}

bool includes_join(struct evidence *evidence, struct arena *scratch)
{
    struct settings **own = arena_array(scratch, evidence->file_count, sizeof(*own));
    if (!own)
        return false;
    for (size_t i = 0; i < evidence->file_count; i++)
        own[i] = evidence->files[i].settings;
    for (size_t i = 0; i < evidence->file_count; i++) {
        struct resolving resolving = {.evidence = evidence, .own = own, .file = i};
        if (!own[i] || !has_include(own[i]))
            continue;
        evidence->files[i].settings = settings_join(evidence->arena, own[i], resolve, &resolving);
        if (!evidence->files[i].settings)
            return false;
    }
    return true;
}
