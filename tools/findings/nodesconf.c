/* Tests:     each nodes.conf that a server would read, by itself.
 * Relies on: the conditions and verdicts of tools/cluster/startup.
 * Reports:   nodesconf-corrupt, nodesconf-truncated, nodesconf-suspicious. */
#include <string.h>

#include "parsers/bytes/text.h"
#include "tools/cluster/startup.h"
#include "tools/evidence/names.h"
#include "tools/findings/checks.h"

enum { EXHIBIT_BYTES = 4096, LEFTOVER_BYTES = 80 };

/* What one file is judged by. */
struct judged {
    struct findings *findings;
    size_t number;
    const struct evidence_file *file;
    const struct startup *startup;
    const struct startup_fact *cut; /* LINE_UNENDED or EMPTY, or NULL */
    struct arena *scratch;
};

static struct finding *about_file(struct findings *findings, enum finding_id id, const struct evidence_file *file)
{
    struct finding *f = findings_add(findings, id, CERTAINTY_PROVED);
    if (f && file->instance != SIZE_MAX) {
        const struct instance *instance = &findings->evidence->instances[file->instance];
        f->node = instance->name;
        f->host = instance->host;
        f->node_id = instance->node == NO_NODE ? NULL : view_store_id(findings->evidence->store, instance->node);
    }
    return f;
}

static void show(struct findings *findings, struct finding *finding, size_t file, struct place place)
{
    if (place.length > EXHIBIT_BYTES)
        place.length = EXHIBIT_BYTES;
    finding_shows(findings, finding, file, place);
}

/* ------------------------------------------------------------------ which finding tells a fact */

/* Facts stand in the order in which they take effect, what is absent from the whole file last: from the cut on, they
 * are the cut's doing. */
static bool follows_cut(const struct judged *judged, const struct startup_fact *fact)
{
    return judged->cut && fact >= judged->cut;
}

static enum finding_id told_by(const struct judged *judged, const struct startup_fact *fact)
{
    static const enum finding_id by_class[] = {
        [STARTUP_CUT] = FINDING_NODESCONF_TRUNCATED, [STARTUP_BROKEN] = FINDING_NODESCONF_CORRUPT,
        [STARTUP_ODD] = FINDING_NODESCONF_SUSPICIOUS, [STARTUP_STATE] = FINDING_IDS, [STARTUP_NEWER] = FINDING_IDS,
    };
    enum finding_id id = by_class[startup_class(fact->condition)];
    return id != FINDING_IDS && follows_cut(judged, fact) ? FINDING_NODESCONF_TRUNCATED : id;
}

/* ------------------------------------------------------------------ verdicts in words */

static const char *outcome_phrase(enum startup_outcome outcome)
{
    static const char *const phrases[] = {
        [STARTUP_RIGHT] = "starts with the right view",
        [STARTUP_WRONG] = "starts with a wrong view",
        [STARTUP_REFUSES] = "refuses to start",
        [STARTUP_CRASHES] = "crashes at start",
    };
    return phrases[outcome];
}

/* "Redis 3.0 to 6.2: starts with a wrong view: takes ... (line 3)", a line a group. */
static const char *verdicts_text(const struct judged *judged)
{
    struct arena *arena = judged->findings->arena;
    struct startup_group groups[GENERATIONS];
    size_t count = startup_groups(judged->startup, groups);
    const char *text = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct startup_verdict *verdict = groups[i].verdict;
        const char *generations = startup_generations(judged->scratch, groups[i].generations);
        const char *line = arena_format(judged->scratch, "%s: %s", generations ? generations : "",
                                        outcome_phrase(verdict->outcome));
        if (line && verdict->fact)
            line = arena_format(judged->scratch, "%s: %s (line %u)", line, verdict->sentence,
                                verdict->fact->place.line);
        text = arena_format(arena, "%s%s%s", text ? text : "", text ? "\n" : "", line ? line : "");
    }
    return text;
}

/* The verdict on the instance's own server where it is known, else the worst one and for whom. */
static const char *verdict_text(const struct judged *judged)
{
    const struct evidence *evidence = judged->findings->evidence;
    enum generation own = judged->file->instance == SIZE_MAX
                              ? GENERATIONS
                              : server_generation(evidence->instances[judged->file->instance].server);
    if (own != GENERATIONS) {
        const struct startup_verdict *verdict = &judged->startup->of[own];
        return arena_format(judged->scratch, "%s, its own version, %s%s%s", generation_name(own),
                            outcome_phrase(verdict->outcome), verdict->fact ? ": it " : "",
                            verdict->fact ? verdict->sentence : "");
    }
    struct startup_group groups[GENERATIONS];
    startup_groups(judged->startup, groups);
    const char *generations = startup_generations(judged->scratch, groups[0].generations);
    return arena_format(judged->scratch, "%s: %s%s%s", generations ? generations : "",
                        outcome_phrase(groups[0].verdict->outcome), groups[0].verdict->fact ? ", " : "",
                        groups[0].verdict->fact ? groups[0].verdict->sentence : "");
}

static const char *rule_text(const struct judged *judged)
{
    return judged->startup->of[GENERATION_REDIS_7_0].tried
               ? "what the loader of each server version does with such a line; tried on Redis 7.0"
               : "what the loader of each server version does with such a line, by its documented rules";
}

/* ------------------------------------------------------------------ findings */

static void report(const struct judged *judged, enum finding_id id)
{
    struct findings *findings = judged->findings;
    const struct startup_fact *first = NULL;
    struct finding *f = NULL;
    size_t count = 0;
    for (size_t i = 0; i < judged->startup->fact_count; i++) {
        const struct startup_fact *fact = &judged->startup->facts[i];
        if (told_by(judged, fact) != id)
            continue;
        if (!f && !(f = about_file(findings, id, judged->file)))
            return;
        if (!first || (judged->cut && fact == judged->cut))
            first = fact;
        count++;
        show(findings, f, judged->number, fact->place);
    }
    if (!f)
        return;
    const char *more = count > 1 ? arena_format(judged->scratch, " and %zu more", count - 1) : "";
    const char *verdict = verdict_text(judged);
    f->summary = arena_format(findings->arena, "%s:%u: %s%s. %s.", judged->file->path, first->place.line,
                              startup_means(first->condition), more ? more : "", verdict ? verdict : "");
    f->detail = verdicts_text(judged);
    f->rule = rule_text(judged);
    f->settles = id == FINDING_NODESCONF_TRUNCATED ? "a whole copy of the file"
                                                   : "a copy of the file as the server wrote it";
    f->goal = id == FINDING_NODESCONF_SUSPICIOUS ? NULL : "repair";
}

static const struct startup_fact *find_cut(const struct startup *startup)
{
    for (size_t i = 0; i < startup->fact_count; i++)
        if (startup_class(startup->facts[i].condition) == STARTUP_CUT)
            return &startup->facts[i];
    return NULL;
}

static void check_file(struct findings *findings, size_t number, struct arena *scratch)
{
    static const struct view empty = {.myself = SIZE_MAX};
    static const enum finding_id ids[] = {FINDING_NODESCONF_TRUNCATED, FINDING_NODESCONF_CORRUPT,
                                          FINDING_NODESCONF_SUSPICIOUS};
    const struct evidence_file *file = &findings->evidence->files[number];
    uint64_t size = file->facts.decoded;
    struct bytes text = {NULL, 0};
    if (size && size <= SIZE_MAX)
        text = evidence_excerpt(findings->evidence, number, 0, size, (size_t)size, scratch);
    const struct view *view = file->view ? file->view : &empty;
    const struct startup *startup = startup_of(view, findings->evidence->store, text, scratch);
    if (!startup)
        return;
    struct judged judged = {findings, number, file, startup, find_cut(startup), scratch};
    for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++)
        report(&judged, ids[i]);
}

/* A file that a server was still writing when it ended. What it holds is not judged: no server reads it. */
static void check_leftover(struct findings *findings, size_t number)
{
    const struct evidence_file *file = &findings->evidence->files[number];
    struct finding *f = about_file(findings, FINDING_NODESCONF_SUSPICIOUS, file);
    if (!f)
        return;
    uint64_t size = file->facts.decoded;
    struct place place = {0, size < LEFTOVER_BYTES ? size : LEFTOVER_BYTES, 1};
    f->summary = arena_format(findings->arena, "%s was left by a save that did not end: its name has the process and "
                              "the Unix milliseconds. No server reads it.", file->path);
    f->rule = "Redis from 7.2 and Valkey write a new nodes.conf beside the old one and rename it when it is whole";
    f->settles = "a server that still runs and was saving when the file was collected";
    show(findings, f, number, place);
}

static bool is_leftover(const struct evidence_file *file)
{
    struct bytes target;
    return file->temporary && names_is_unfinished_nodesconf(names_split(file->path).stem, &target);
}

/* A file of 0 bytes is known by its name only. */
static bool is_emptied(const struct evidence_file *file)
{
    struct bytes stem = names_split(file->path).stem;
    return file->kind == EVIDENCE_EMPTY && !file->temporary && text_starts(stem, "nodes") && text_ends(stem, ".conf");
}

/* The file is what a server would read: not an older view of an instance, not a capture. */
static bool is_state(const struct evidence *evidence, const struct evidence_file *file)
{
    if (is_emptied(file))
        return true;
    if (file->kind != EVIDENCE_NODESCONF || !file->view || file->view->capture || file->temporary || file->unread)
        return false;
    return file->instance == SIZE_MAX || evidence->instances[file->instance].view == file->view;
}

void check_nodesconf(struct findings *findings)
{
    for (size_t n = 0; n < findings->evidence->file_count; n++) {
        const struct evidence_file *file = &findings->evidence->files[n];
        if (is_leftover(file)) {
            check_leftover(findings, n);
        } else if (is_state(findings->evidence, file)) {
            struct arena *scratch = arena_new();
            if (scratch)
                check_file(findings, n, scratch);
            arena_free(scratch);
        }
    }
}
