/* Tests:     append-only files, each by itself; their manifests: manifests.c.
 * Relies on: what their reader found, and tools/evidence/journal_load.h for what servers make of it.
 * Reports:   aof-truncated, aof-corrupt, keys-in-nonzero-db, and of the dump at the head the findings of dumps. */
#include "tools/evidence/journal_load.h"
#include "tools/findings/checks.h"
#include "tools/findings/dump_verdict.h"
#include "tools/findings/journals_private.h"

enum { EXCERPT = 64 };

struct journal_check {
    struct findings *findings;
    size_t number;
    const struct evidence_file *file;
    const struct journal *journal;
    const struct instance *instance; /* or NULL */
};

struct finding *journals_about(struct findings *findings, enum finding_id id, size_t file)
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

static unsigned long long number_of(uint64_t value)
{
    return value;
}

/* The beginning of what is to be seen at a place; the last byte for one at the end of the file. */
static void show(const struct journal_check *check, struct finding *f, struct place place)
{
    uint64_t size = check->file->facts.decoded;
    if (place.offset >= size)
        place.offset = size ? size - 1 : 0;
    if (!place.length || place.length > EXCERPT)
        place.length = EXCERPT;
    if (place.length > size - place.offset)
        place.length = size - place.offset;
    finding_shows(check->findings, f, check->number, place);
}

/* What lies behind the place at which reading stops, or "". */
static const char *rest_text(const struct journal_check *check)
{
    const struct journal_rest *rest = &check->journal->rest;
    const char *text = "";
    if (rest->at)
        text = arena_format(check->findings->arena,
                            " Behind it commands begin again at offset %llu: %llu whole command%s, which no server comes to; %llu byte%s are no whole command.",
                            number_of(rest->at), number_of(rest->commands), rest->commands == 1 ? "" : "s",
                            number_of(rest->skipped), rest->skipped == 1 ? "" : "s");
    return text ? text : "";
}

static void check_truncated(const struct journal_check *check)
{
    const struct journal *journal = check->journal;
    struct arena *arena = check->findings->arena;
    bool cut = journal->stop == AOF_STOP_TRUNCATED;
    bool tolerated = !check->instance || settings_yes(check->instance->settings, "aof-load-truncated", true);
    bool later = manifest_has_later(check->findings->evidence, check->number);
    uint64_t size = check->file->facts.decoded, lost = size > journal->valid_to ? size - journal->valid_to : 0;
    if (!cut && !(journal->stop == AOF_STOP_NONE && journal->open_transaction))
        return;
    struct finding *f = journals_about(check->findings, FINDING_AOF_TRUNCATED, check->number);
    if (!f)
        return;
    const char *fate = !tolerated ? "with aof-load-truncated no the server refuses to start"
                       : later    ? "it is not the last file of its set, so the server cuts it and refuses to start; the start after that succeeds"
                                  : "a server with aof-load-truncated yes cuts it there and starts";
    f->summary = arena_format(arena, "%s: the file ends inside a %s at offset %llu; %s to offset %llu, and the last %llu byte%s are lost: %s.%s",
                              check->file->path, cut ? "command" : "transaction", number_of(size),
                              journal->valid_to || journal->commands ? "servers keep what is whole" : "servers keep nothing, cutting",
                              number_of(journal->valid_to), number_of(lost), lost == 1 ? "" : "s", fate, rest_text(check));
    if (cut && journal->open_transaction)
        f->summary = arena_format(arena, "%s The MULTI at offset %llu stays in the file: it and what is written behind it are taken back at the next start but one.",
                                  f->summary, number_of(journal->multi.offset));
    f->rule = journal->rest.at ? "whole commands behind the cut one show a wrong length, not a lost tail; servers cannot tell"
                               : "a command, and from 4.0.12 on a transaction, counts when it is whole";
    f->settles = "a whole copy of the file";
    f->detail = journal_load_table(arena, journal);
    show(check, f, (struct place){cut ? journal->complete_to : journal->multi.offset, 0, 0});
    if (journal->rest.at)
        show(check, f, (struct place){journal->rest.at, 0, 0});
}

static void check_broken(const struct journal_check *check)
{
    const struct journal *journal = check->journal;
    if (journal->stop != AOF_STOP_FORMAT && journal->stop != AOF_STOP_RDB)
        return;
    struct finding *f = journals_about(check->findings, FINDING_AOF_CORRUPT, check->number);
    if (!f)
        return;
    f->summary = arena_format(check->findings->arena, "%s: %s; whole commands up to offset %llu of %llu.%s", check->file->path,
                              journal->why ? journal->why : "reading stopped", number_of(journal->complete_to),
                              number_of(check->file->facts.decoded), rest_text(check));
    f->rule = "what is not a command, and a dump that is not whole, stop every server, whatever aof-load-truncated says";
    f->settles = "a whole copy of the file";
    f->detail = journal_load_table(check->findings->arena, journal);
    show(check, f, (struct place){journal->stopped_at, 0, 0});
    if (journal->rest.at)
        show(check, f, (struct place){journal->rest.at, 0, 0});
}

/* Something that is there `mark.count` times; `rule` decides. */
static struct finding *report(const struct journal_check *check, enum finding_id id, const struct journal_mark *mark,
                              const char *what, const char *rule, const char *settles)
{
    struct finding *f = mark->count ? journals_about(check->findings, id, check->number) : NULL;
    if (!f)
        return NULL;
    f->summary = mark->count == 1
                     ? arena_format(check->findings->arena, "%s, offset %llu: %s.", check->file->path, number_of(mark->first.offset), what)
                     : arena_format(check->findings->arena, "%s, offset %llu and %llu more: %s.", check->file->path,
                                    number_of(mark->first.offset), number_of(mark->count - 1), what);
    f->rule = rule;
    f->settles = settles;
    show(check, f, mark->first);
    return f;
}

static bool is_renaming(const struct journal_check *check)
{
    const struct settings *settings = check->instance ? check->instance->settings : NULL;
    for (size_t i = 0; settings && i < settings->renamed_count; i++)
        if (settings->renamed[i].change != COMMAND_AS_IS)
            return true;
    return false;
}

static void check_names(const struct journal_check *check)
{
    const struct journal *journal = check->journal;
    struct arena *arena = check->findings->arena;
    bool module = journal->unnamed.what, renames = is_renaming(check);
    struct finding *f = report(check, FINDING_AOF_CORRUPT, &journal->unnamed,
                               module ? "a command that only a module can give the server, which without it refuses to start"
                                      : "a command of a name that no server known here has: it refuses to start",
                               "a server ends its load at the first name that it does not know",
                               "the modules, the version and the rename-command lines of the server that loads it");
    if (f) {
        f->certainty = CERTAINTY_PROBABLE;
        if (module || renames)
            f->severity = SEVERITY_WARNING;
        f->detail = journal_load_table(arena, journal);
    }
    f = report(check, FINDING_AOF_CORRUPT, &journal->subcommands,
               arena_format(arena, "%s with a second word that is not known", journal->subcommands.what ? journal->subcommands.what : ""),
               "from 7.0 on a server ends its load at the first of these; before, its error is passed over", "a whole copy of the file");
    if (f)
        f->certainty = CERTAINTY_PROBABLE;
    report(check, FINDING_AOF_CORRUPT, &journal->short_of_words,
           arena_format(arena, "%s with fewer words than it needs", journal->short_of_words.what ? journal->short_of_words.what : ""),
           "no server writes it, and none checks it: the load can crash", "a whole copy of the file");
    if (!check->instance || check->instance->server.product == PRODUCT_UNKNOWN || journal->unnamed.count)
        return;
    struct journal_load load = journal_load_by(arena, journal, check->instance->server);
    bool newer = load.outcome == JOURNAL_REFUSES && load.place.offset < journal->complete_to &&
                 !(journal->subcommands.count && load.place.offset == journal->subcommands.first.offset);
    struct journal_mark mark = {newer, load.place, NULL};
    char name[40];
    f = report(check, FINDING_AOF_CORRUPT, &mark,
               arena_format(arena, "%s refuses it: %s", server_name(check->instance->server, name), load.why ? load.why : ""),
               "a file of a newer server is not loaded by an older one", "the version that is to load it");
    if (f)
        f->certainty = CERTAINTY_PROBABLE;
}

/* Servers load these. */
static void check_oddities(const struct journal_check *check)
{
    const struct journal *journal = check->journal;
    static const char whole[] = "a whole copy of the file";
    struct arena *arena = check->findings->arena;
    struct finding *f = report(check, FINDING_AOF_CORRUPT, &journal->odd,
                               arena_format(arena, "expected %s, found %s", journal->first_odd.expected ? journal->first_odd.expected : "",
                                            journal->first_odd.found ? journal->first_odd.found : ""),
                               "servers pass over it and write it never; their check tool calls the file invalid", whole);
    if (f)
        f->severity = SEVERITY_WARNING;
    f = report(check, FINDING_AOF_CORRUPT, &journal->nested, "MULTI within a transaction, or EXEC without one",
               "no server writes it; the error is passed over when the file is loaded", whole);
    if (f)
        f->severity = SEVERITY_WARNING;
    report(check, FINDING_AOF_CORRUPT, &journal->unsound_payload,
           arena_format(arena, "RESTORE of what no server takes: %s; the file is loaded without it",
                        journal->unsound_payload.what ? journal->unsound_payload.what : ""),
           "the payload of RESTORE has a checksum of its own, and errors are passed over when a file is loaded", whole);
}

/* Only where a cluster has one database; see tools/evidence/journal.h. */
static void check_databases(const struct journal_check *check)
{
    const struct instance *instance = check->instance;
    if (!instance || !(instance->view || settings_yes(instance->settings, "cluster-enabled", false)) ||
        (instance->server.product == PRODUCT_VALKEY && server_compare(instance->server, 9, 0, 0) >= 0))
        return;
    struct finding *f = report(check, FINDING_KEYS_IN_NONZERO_DB, &check->journal->other_dbs,
                               "it selects a database other than 0, which fails in cluster mode: what follows goes to database 0",
                               "the error of SELECT is passed over when a file is loaded", "the instance running without cluster mode");
    if (f) {
        f->certainty = CERTAINTY_PROBABLE;
        f->severity = SEVERITY_WARNING;
    }
}

/* All problems of one kind, the first in words. */
static void check_head_for(const struct journal_check *check, const struct dump_verdict *verdict, enum finding_id id)
{
    struct arena *arena = check->findings->arena;
    struct finding *f = NULL;
    size_t count = 0;
    for (size_t p = 0; p < verdict->count; p++) {
        const struct dump_problem *problem = &verdict->problems[p];
        if (problem->finding != id || problem->stop)
            continue;
        if (!f && !(f = journals_about(check->findings, id, check->number)))
            return;
        if (!count++)
            f->summary = arena_format(arena, "%s, in its RDB part, offset %llu: expected %s, found %s.", check->file->path,
                                      number_of(problem->place.offset), problem->expected, problem->found);
        show(check, f, problem->place);
    }
    if (!f)
        return;
    f->rule = "the RDB part of an AOF is read as a dump is";
    f->settles = "a whole copy of the file";
    if (count > 1)
        f->detail = arena_format(arena, "%zu places like this", count);
}

/* The dump at the head, whose stop is told above; a base of 7.0 and newer is nothing else. */
static void check_head(const struct journal_check *check)
{
    struct dump_verdict verdict;
    if (!check->journal->preamble || !dump_verdict(check->findings->arena, check->journal->preamble, &verdict))
        return;
    for (size_t id = 0; id < FINDING_IDS && verdict.count; id++)
        check_head_for(check, &verdict, (enum finding_id)id);
}

void check_journals(struct findings *findings)
{
    const struct evidence *evidence = findings->evidence;
    for (size_t n = 0; n < evidence->file_count; n++) {
        const struct evidence_file *file = &evidence->files[n];
        const struct journal_check check = {
            findings, n, file, file->journal,
            file->instance == SIZE_MAX ? NULL : &evidence->instances[file->instance],
        };
        if (file->temporary)
            continue;
        if (file->journal) {
            check_truncated(&check);
            check_broken(&check);
            check_names(&check);
            check_oddities(&check);
            check_databases(&check);
            check_head(&check);
        }
        if (file->manifest)
            check_manifest(findings, n);
        else
            check_unlisted(findings, n);
    }
}
