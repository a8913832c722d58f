/* The files of an instance that a start does not load, and whether they hold keys that it or the next save overwrites.
 */
#include <string.h>

#include "parsers/bytes/text.h"
#include "tools/cluster/remains.h"
#include "tools/cluster/start_private.h"
#include "tools/evidence/names.h"

struct ignoring {
    struct starting *starting;
    struct outcome *outcome;
    bool *seen; /* by file: judged already */
};

static void count_dump(struct ignoring *ignoring, const struct dump *dump)
{
    struct outcome *outcome = ignoring->outcome;
    outcome->ignored += dump->keys;
    for (size_t i = 0; i < dump->db_count; i++)
        start_say(ignoring->starting, &outcome->reasons, true, dump->file, &dump->dbs[i].first,
                  "%s in db %u, which this start does not load: it or the next save overwrites them",
                  start_keys_text(ignoring->starting, dump->dbs[i].keys), dump->dbs[i].db);
}

/* Append-only files that belong together. */
static bool count_journals(struct ignoring *ignoring, const size_t *files, size_t count)
{
    struct starting *starting = ignoring->starting;
    struct outcome *outcome = ignoring->outcome;
    struct remains remains;
    for (size_t i = 0; i < count; i++)
        ignoring->seen[files[i]] = true;
    struct server server = start_replay_server(starting, files, count);
    if (!remains_of(starting->evidence, files, count, starting->cluster, server, &remains))
        return false;
    if (remains.none || (!remains.keys && !start_may_hold(starting, files, count)))
        return true;
    outcome->ignored += remains.keys;
    outcome->ignored_may |= !remains.keys;
    start_say(starting, &outcome->reasons, true, files[count - 1], NULL,
              remains.keys ? "an AOF with at least %s, which this start does not load"
                           : "an AOF that this start does not load; %s are proved, but it may hold some",
              start_keys_text(starting, remains.keys));
    return true;
}

static bool is_history(const struct starting *starting, size_t number)
{
    const struct manifest_facts *manifest =
        starting->files.manifest == SIZE_MAX ? NULL : starting->evidence->files[starting->files.manifest].manifest;
    struct bytes stem = names_split(start_path(starting, number)).stem;
    for (size_t i = 0; manifest && i < manifest->count; i++)
        if (manifest->lines[i].type == 'h' && text_is(stem, manifest->lines[i].name))
            return true;
    return false;
}

/* In the folder of the multi-part AOF, where a later start may append to it or name it. */
static bool is_orphan(const struct starting *starting, size_t number)
{
    const char *folder = settings_text(starting->settings, "appenddirname", "appendonlydir");
    return text_is(names_last(names_split(start_path(starting, number)).folder), folder);
}

static uint64_t keys_in(const struct evidence_file *file)
{
    const struct dump *dump = start_dump_in(file);
    return dump ? dump->keys : 0;
}

/* Copies, temporary files and history: the start leaves their keys alone, and no server finds them under this name. */
static void note_copy(struct ignoring *ignoring, size_t number)
{
    const struct evidence_file *file = &ignoring->starting->evidence->files[number];
    uint64_t keys = keys_in(file);
    const char *what = file->dump && file->dump->captured       ? "a captured replication stream"
                       : file->temporary                        ? "a temporary file"
                       : is_history(ignoring->starting, number) ? "history by the manifest, deleted at the next start"
                                                                : "no server looks for a file of this name";
    if (keys)
        start_say(ignoring->starting, &ignoring->outcome->reasons, false, number, NULL, "%s, with %s", what,
                  start_keys_text(ignoring->starting, keys));
}

static bool judge_rest(struct ignoring *ignoring)
{
    struct starting *starting = ignoring->starting;
    for (size_t i = 0; i < starting->evidence->file_count; i++) {
        const struct evidence_file *file = &starting->evidence->files[i];
        if (file->instance != starting->number || ignoring->seen[i] || (!file->dump && !file->journal))
            continue;
        if (i == starting->files.dump && start_dump_in(file))
            count_dump(ignoring, start_dump_in(file));
        else if (file->temporary || is_history(starting, i) || !file->journal || !is_orphan(starting, i))
            note_copy(ignoring, i);
        else if (!count_journals(ignoring, &i, 1))
            return false;
    }
    return true;
}

/* The AOF of one era, unless a file of it is loaded. */
static bool judge_sequence(struct ignoring *ignoring, bool multi_part)
{
    struct start_sequence sequence;
    if (!start_sequence(ignoring->starting, multi_part, &sequence))
        return false;
    for (size_t i = 0; i < sequence.count; i++)
        if (ignoring->seen[sequence.files[i]])
            return true;
    return !sequence.count || count_journals(ignoring, sequence.files, sequence.count);
}

bool start_ignored(struct starting *starting, struct outcome *outcome)
{
    struct ignoring ignoring = {
        .starting = starting,
        .outcome = outcome,
        .seen = arena_array(starting->arena, starting->evidence->file_count, sizeof(bool)),
    };
    if (!ignoring.seen)
        return false;
    for (size_t i = 0; i < outcome->loaded_count; i++)
        ignoring.seen[outcome->loaded[i]] = true;
    if (!judge_sequence(&ignoring, true) || !judge_sequence(&ignoring, false) || !judge_rest(&ignoring))
        return false;
    if (outcome->ignored)
        outcome->verdict = arena_format(starting->arena, "%s; files that are not loaded hold %s", outcome->verdict,
                                        start_keys_text(starting, outcome->ignored));
    return !arena_failed(starting->arena);
}
