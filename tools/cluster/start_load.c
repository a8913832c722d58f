/* What a server does at its start: configuration, manifest, then the one source of its data. */
#include <string.h>

#include "tools/cluster/start_private.h"

/* What stops a server before it looks at data. */
static enum start_fate judge_settings(struct start_loading *loading)
{
    const struct settings *settings = loading->starting->settings;
    const struct setting *setting;
    if (!settings)
        return FATE_LOADED;
    if (settings->damaged_lines)
        return start_refuse(loading, settings->file, &settings->first_damage,
                            "a line of the configuration cannot be read");
    setting = settings_find(settings, "appendonly");
    if (setting && settings_yes(settings, "appendonly", true) != settings_yes(settings, "appendonly", false))
        return start_refuse(loading, setting->file, &setting->place, "appendonly is neither yes nor no");
    setting = settings_find(settings, "replicaof");
    if (setting && settings_yes(settings, "cluster-enabled", false) &&
        !(setting->words && setting->word_count == 2 && strcmp(setting->words[0], "no") == 0))
        return start_refuse(loading, setting->file, &setting->place, "replicaof is not allowed in cluster mode");
    return FATE_LOADED;
}

/* Servers from 7.0 on read the manifest even with appendonly no. */
static enum start_fate judge_manifest(struct start_loading *loading)
{
    size_t number = loading->starting->files.manifest;
    if (!loading->outcome->reading.multi_part || number == SIZE_MAX)
        return FATE_LOADED;
    const struct evidence_file *file = &loading->starting->evidence->files[number];
    enum start_fate fate = start_judge_open(loading, number);
    if (fate != FATE_LOADED)
        return fate;
    if (!file->manifest)
        return start_refuse(loading, number, NULL,
                            file->kind == EVIDENCE_EMPTY ? "Found an empty AOF manifest"
                                                         : "Invalid AOF manifest file format");
    return file->manifest->error ? start_refuse(loading, number, &file->manifest->error_place, file->manifest->error)
                                 : FATE_LOADED;
}

/* The files by name, for a sentence. */
static const char *loaded_names(const struct starting *starting, const struct outcome *outcome)
{
    const char *names = outcome->loaded_count ? start_path(starting, outcome->loaded[0]) : "";
    if (outcome->loaded_count > 1)
        names = arena_format(starting->arena, "%s and %zu more", names, outcome->loaded_count - 1);
    return names;
}

static void conclude(struct start_loading *loading, enum start_fate fate)
{
    struct starting *starting = loading->starting;
    struct outcome *outcome = loading->outcome;
    struct arena *arena = starting->arena;
    const char *names = loaded_names(starting, outcome);
    outcome->keys = START_CANNOT_TELL;
    if (fate == FATE_REFUSED) {
        outcome->source = START_REFUSES;
        outcome->provable = outcome->functions = 0;
        outcome->keys = outcome->held ? START_KEYS : START_CANNOT_TELL;
        outcome->verdict =
            arena_format(arena, "a server would not start on these files: %s; %s", loading->why,
                         outcome->held ? arena_format(arena, "they hold %s", start_keys_text(starting, outcome->held))
                                       : "nothing can be said of keys");
    } else if (fate == FATE_UNREAD) {
        outcome->provable = 0;
        outcome->source = outcome->source == START_NOTHING ? START_UNKNOWN : outcome->source;
        outcome->verdict =
            outcome->loaded_count
                ? arena_format(arena, "unknown: a server would load %s, and whether any key remains is not proved",
                               names)
                : "unknown: what a server would load is not known";
    } else if (outcome->held) {
        outcome->keys = START_KEYS;
        outcome->verdict = arena_format(arena, "a server started on these files loads %s%s (from %s)",
                                        outcome->source == START_AOF ? "at least " : "",
                                        start_keys_text(starting, outcome->held), names);
    } else {
        outcome->keys = START_NO_KEYS;
        outcome->verdict =
            outcome->source == START_NOTHING
                ? arena_format(arena, "a server starts empty, because nothing is loaded (appendonly %s, no %s)",
                               outcome->reading.appendonly ? "yes" : "no", outcome->reading.appendonly ? "AOF" : "dump")
                : arena_format(arena, "a server started on these files has 0 keys in every db (proved from %s)", names);
    }
    if (fate != FATE_REFUSED && outcome->functions)
        outcome->verdict =
            arena_format(arena, "%s; %llu function librar%s", outcome->verdict, (unsigned long long)outcome->functions,
                         outcome->functions == 1 ? "y remains" : "ies remain");
}

bool start_load(struct starting *starting, struct outcome *outcome)
{
    struct start_loading loading = {.starting = starting, .outcome = outcome};
    outcome->loaded = arena_array(starting->arena, 1, sizeof(*outcome->loaded));
    if (!outcome->loaded)
        return false;
    enum start_fate fate = judge_settings(&loading);
    if (fate == FATE_LOADED)
        fate = judge_manifest(&loading);
    if (fate == FATE_LOADED)
        fate = outcome->reading.appendonly ? start_load_aof(&loading) : start_load_dump(&loading);
    conclude(&loading, fate);
    return !arena_failed(starting->arena);
}
