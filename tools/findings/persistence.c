/* Tests:     what instances would have after a start, and what their forks left behind.
 * Relies on: tools/cluster/start.h for what a start would load.
 * Reports:   aof-over-dump, fork-leftovers. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tools/cluster/start.h"
#include "tools/evidence/names.h"
#include "tools/findings/checks.h"

/* ------------------------------------------------------------------ appendonly over an old dump */

/* The AOF never had a key: no file of it has a command, and its base, if it has one, no key. */
static bool never_written(const struct instance *instance)
{
    for (size_t j = 0; j < instance->journal_count; j++) {
        const struct journal *journal = instance->journals[j];
        if (journal->commands || journal->stop != AOF_STOP_NONE || (journal->preamble && journal->preamble->keys))
            return false;
    }
    return true;
}

static void check_ignored_dump(struct findings *findings, size_t number)
{
    const struct instance *instance = &findings->evidence->instances[number];
    const struct setting *setting = settings_find(instance->settings, "appendonly");
    if (!setting || !instance->dump || !instance->dump->keys ||
        !settings_yes(instance->settings, "appendonly", false) || !never_written(instance))
        return;
    struct start *start = start_of(findings->evidence, number, findings->arena);
    if (!start || !start->appendonly_known || start->keys != START_NO_KEYS || !start->ignored_keys)
        return;
    struct finding *f = findings_add(findings, FINDING_AOF_OVER_DUMP, CERTAINTY_PROBABLE);
    if (!f)
        return;
    finding_about_instance(findings, f, number);
    f->has_keys = true;
    f->keys = instance->dump->keys;
    f->summary = arena_format(
        findings->arena,
        "It is configured with appendonly yes, its AOF is %s, and its dump holds %" PRIu64 " key%s: a start loads "
        "none of them, and the next save overwrites them.",
        instance->journal_count ? "empty" : "not there", instance->dump->keys, instance->dump->keys == 1 ? "" : "s");
    f->rule = "with appendonly yes only the AOF is loaded; an AOF that never had a command did not replace these keys";
    f->settles = instance->journal_count ? "DBSIZE of the running server; its log, which says what it loaded last"
                                         : "the AOF, if it was not collected; DBSIZE of the running server";
    finding_shows(findings, f, setting->file, setting->place);
    finding_shows(findings, f, instance->dump->file,
                  instance->dump->dbs[0].first.length > 160
                      ? (struct place){instance->dump->dbs[0].first.offset, 160, 0}
                      : instance->dump->dbs[0].first);
}

/* ------------------------------------------------------------------ temporary files */

/* The process in temp-4711.rdb, temp-1795359144.4711.rdb or temp-rewriteaof-bg-4711.aof; 0 when there is none. */
static unsigned long process_of(const char *path)
{
    struct bytes stem = names_split(path).stem;
    unsigned long number = 0, last = 0;
    bool digits = false;
    for (size_t i = 0; i < stem.len; i++) {
        bool digit = stem.at[i] >= '0' && stem.at[i] <= '9';
        number = !digit ? 0 : number < 100000000 ? number * 10 + (unsigned long)(stem.at[i] - '0') : number;
        digits |= digit;
        last = digit ? number : last;
    }
    return digits ? last : 0;
}

struct leftovers {
    size_t count;
    uint64_t bytes, most_keys;
    unsigned long first, other; /* processes: a server has one fork at a time */
};

static void check_leftovers(struct findings *findings, size_t number)
{
    const struct instance *instance = &findings->evidence->instances[number];
    struct leftovers left = {0};
    struct finding *f = NULL;
    for (size_t n = 0; n < findings->evidence->file_count; n++) {
        const struct evidence_file *file = &findings->evidence->files[n];
        if (file->instance != number || !file->temporary || !names_is_unfinished_data(names_split(file->path).stem))
            continue;
        if (!f && !(f = findings_add(findings, FINDING_FORK_LEFTOVERS, CERTAINTY_PROVED)))
            return;
        unsigned long process = process_of(file->path);
        if (!left.first)
            left.first = process;
        else if (process != left.first)
            left.other = process;
        left.count++;
        left.bytes += file->facts.decoded;
        if (file->dump && file->dump->keys > left.most_keys)
            left.most_keys = file->dump->keys;
        uint64_t size = file->facts.decoded;
        finding_shows(findings, f, n, (struct place){0, size < 64 ? size : 64, 0});
    }
    if (!f)
        return;
    finding_about_instance(findings, f, number);
    if (left.other)
        f->severity = SEVERITY_WARNING;
    f->summary = arena_format(
        findings->arena, "%zu temporary file%s of %s, %" PRIu64 " bytes: %s.", left.count, left.count == 1 ? "" : "s",
        left.other ? "several forks" : "a fork", left.bytes,
        left.other ? "a server has one fork at a time, so the others died, and nothing removes what they left"
                   : "it died while it wrote, or still runs");
    uint64_t loaded = instance->dump ? instance->dump->keys : 0;
    if (left.most_keys > loaded)
        f->detail =
            arena_format(findings->arena,
                         "one of them holds %" PRIu64 " keys, its dump %" PRIu64 ": it may be the best copy there is",
                         left.most_keys, loaded);
    f->rule = "names that servers give to what a fork writes, with the number of its process; they are never loaded";
    f->settles = "the processes that ran on the host at the time of collection";
}

void check_persistence(struct findings *findings)
{
    for (size_t i = 0; i < findings->evidence->instance_count; i++) {
        check_ignored_dump(findings, i);
        check_leftovers(findings, i);
    }
}
