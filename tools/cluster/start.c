#include "tools/cluster/start.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tools/cluster/start_private.h"

enum { READINGS_MOST = 4 };

const char *start_source_word(enum start_source source)
{
    static const char *const words[] = {"nothing", "dump", "aof", "refuses", "unknown"};
    return words[source];
}

const char *start_keys_word(enum start_keys keys)
{
    static const char *const words[] = {"no-keys", "keys", "cannot-tell"};
    return words[keys];
}

/* printf into the arena, whatever the length. */
__attribute__((format(printf, 2, 0))) static char *format_text(struct arena *arena, const char *format,
                                                               va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *text = length < 0 ? NULL : arena_alloc(arena, (size_t)length + 1);
    if (text)
        vsnprintf(text, (size_t)length + 1, format, arguments);
    return text;
}

void start_say(struct starting *starting, struct start_reasons *reasons, bool against, size_t file,
               const struct place *place, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = format_text(starting->arena, format, arguments);
    va_end(arguments);
    struct start_reason *all = arena_grow(starting->arena, reasons->all, reasons->count, &reasons->cap, sizeof(*all));
    if (!all || !text)
        return;
    reasons->all = all;
    all[reasons->count++] = (struct start_reason){
        .text = text,
        .file = file,
        .place = place ? *place : (struct place){0},
        .against = against,
    };
}

/* An included file that is not here may say otherwise, if it is read after the directive. */
static const struct setting *missing_after(const struct settings *settings, const struct setting *decisive)
{
    size_t missing = 0;
    for (size_t i = 0; i < settings->count && missing < settings->missing_include_count; i++) {
        const struct setting *setting = &settings->all[i];
        if (strcmp(setting->name, "include") != 0 || !setting->words ||
            setting->words[0] != settings->missing_includes[missing])
            continue;
        missing++;
        if (!decisive || setting > decisive)
            return setting;
    }
    return NULL;
}

/* What is left open, said as the evidence that would close it. */
struct doubt {
    bool appendonly, era;
    const char *settles;
};

static void find_appendonly(struct starting *starting, struct start *start, struct doubt *doubt)
{
    const struct settings *settings = starting->settings;
    const struct setting *missing = settings ? missing_after(settings, settings_find(settings, "appendonly")) : NULL;
    start->appendonly = settings_yes(settings, "appendonly", false);
    if (!settings)
        doubt->settles = "its redis.conf";
    else if (missing)
        doubt->settles = arena_format(starting->arena, "the included file %s", missing->words[0]);
    else if (starting->evidence->files[settings->file].unread || starting->evidence->files[settings->file].changed)
        doubt->settles = arena_format(starting->arena, "%s, read to its end", start_path(starting, settings->file));
    doubt->appendonly = doubt->settles;
    start->appendonly_known = !doubt->appendonly;
}

/* "4.0 or newer" leaves open whether the server has a multi-part AOF; "7.2 or newer" does not. A manifest shows one. */
static bool find_era(const struct starting *starting, struct doubt *doubt)
{
    const struct server *server = &starting->server;
    bool newer = server->product == PRODUCT_VALKEY || server_compare(*server, 7, 0, 0) >= 0;
    bool old = !newer && server->product == PRODUCT_REDIS;
    doubt->era = !newer && !old && starting->files.manifest == SIZE_MAX;
    return !old;
}

/* Reads the evidence in every way that it leaves open. */
static size_t make_readings(const struct start *start, const struct doubt *doubt, bool multi_part,
                            struct start_reading readings[READINGS_MOST])
{
    size_t count = 0;
    for (unsigned on = 0; on < 2; on++)
        for (unsigned era = 0; era < 2; era++)
            if ((doubt->appendonly || start->appendonly == on) && (doubt->era || multi_part == era))
                readings[count++] = (struct start_reading){on, era};
    return count;
}

static uint64_t keys_anywhere(const struct outcome *outcome)
{
    return outcome->held + outcome->ignored;
}

static bool is_said(const struct start_reasons *reasons, const struct start_reason *reason)
{
    for (size_t i = 0; i < reasons->count; i++) {
        const struct start_reason *said = &reasons->all[i];
        bool same_place = said->file == reason->file && said->place.offset == reason->place.offset;
        if (same_place && strcmp(said->text, reason->text) == 0)
            return true;
    }
    return false;
}

/* What a reading assumes: "with appendonly yes before Redis 7.0". */
static const char *assumption(struct starting *starting, const struct outcome *outcome, const struct doubt *doubt)
{
    const char *era = !doubt->era ? "" : outcome->reading.multi_part ? " on Redis 7.0 or newer" : " before Redis 7.0";
    return arena_format(starting->arena, "with appendonly %s%s", outcome->reading.appendonly ? "yes" : "no", era);
}

/* The readings that differ, each with its verdict. */
static const char *compare_verdicts(struct starting *starting, const struct outcome *outcomes, size_t count,
                                    const struct doubt *doubt)
{
    const char *text = "it depends";
    for (size_t i = 0; i < count && text; i++)
        text = arena_format(starting->arena, "%s; %s: %s", text, assumption(starting, &outcomes[i], doubt),
                            outcomes[i].verdict);
    return text;
}

/* Reasons of one reading: those of all readings stand for themselves, others with what they assume. */
static void join_reasons(struct starting *starting, struct start_reasons *reasons, const struct outcome *outcomes,
                         size_t count, size_t which, const struct doubt *doubt)
{
    for (size_t r = 0; r < outcomes[which].reasons.count; r++) {
        const struct start_reason *reason = &outcomes[which].reasons.all[r];
        bool everywhere = true;
        for (size_t i = 0; i < count; i++)
            everywhere &= is_said(&outcomes[i].reasons, reason);
        if (everywhere && which == 0)
            start_say(starting, reasons, reason->against, reason->file, &reason->place, "%s", reason->text);
        else if (!everywhere)
            start_say(starting, reasons, reason->against, reason->file, &reason->place, "%s: %s",
                      assumption(starting, &outcomes[which], doubt), reason->text);
    }
}

static const char *settling(struct starting *starting, const struct doubt *doubt)
{
    if (doubt->settles && doubt->era)
        return arena_format(starting->arena, "%s and its log, which names the version,", doubt->settles);
    return doubt->settles ? doubt->settles : "its log, which names the version,";
}

/* What is not known, and what would settle it. */
static void say_open(struct starting *starting, struct start_reasons *reasons, const struct start *start,
                     const struct doubt *doubt)
{
    bool open = start->keys == START_CANNOT_TELL;
    start_say(starting, reasons, open && !start->held_keys && !start->ignored_keys, SIZE_MAX, NULL,
              "not known here: %s%s%s; %s%s would settle it", doubt->appendonly ? "appendonly" : "",
              doubt->appendonly && doubt->era ? " and " : "", doubt->era ? "the server's version" : "",
              open ? "" : "read every way the answer is the same; ", settling(starting, doubt));
}

static void take(struct start *start, const struct outcome *outcome)
{
    start->source = outcome->source;
    start->keys = outcome->keys;
    start->provable_keys = outcome->provable;
    start->held_keys = outcome->held;
    start->ignored_keys = outcome->ignored;
    start->ignored_may = outcome->ignored_may;
    start->functions = outcome->functions;
    start->functions_may = outcome->functions_may;
    start->other_db = outcome->other_db;
    start->verdict = outcome->verdict;
    start->loaded = outcome->loaded;
    start->loaded_count = outcome->loaded_count;
    start->reasons = outcome->reasons.all;
    start->reason_count = outcome->reasons.count;
}

/* Several readings stand for one only as far as they agree. */
static void agree(struct starting *starting, struct start *start, const struct outcome *outcomes, size_t count,
                  const struct doubt *doubt)
{
    struct start_reasons reasons = {0};
    uint64_t anywhere = keys_anywhere(&outcomes[0]);
    bool same = true;
    take(start, &outcomes[0]);
    for (size_t i = 0; i < count; i++) {
        const struct outcome *outcome = &outcomes[i];
        same &= outcome->source == outcomes[0].source && strcmp(outcome->verdict, outcomes[0].verdict) == 0;
        start->source = outcome->source == start->source ? start->source : START_UNKNOWN;
        start->keys = outcome->keys == start->keys ? start->keys : START_CANNOT_TELL;
        start->provable_keys = outcome->provable < start->provable_keys ? outcome->provable : start->provable_keys;
        start->held_keys = outcome->held < start->held_keys ? outcome->held : start->held_keys;
        start->functions_may |= outcome->functions_may || outcome->functions != outcomes[0].functions;
        start->functions = outcome->functions < start->functions ? outcome->functions : start->functions;
        start->ignored_may |= outcome->ignored_may || outcome->ignored != outcomes[0].ignored;
        start->other_db |= outcome->other_db;
        anywhere = keys_anywhere(outcome) < anywhere ? keys_anywhere(outcome) : anywhere;
        join_reasons(starting, &reasons, outcomes, count, i, doubt);
    }
    start->ignored_keys = anywhere - start->held_keys;
    say_open(starting, &reasons, start, doubt);
    if (!same) {
        static const char *const agreed[] = {
            [START_NO_KEYS] = "a server started on these files has 0 keys in every db, whichever of them it loads",
            [START_KEYS] = "a server started on these files has keys, whichever of them it loads",
            [START_CANNOT_TELL] = NULL,
        };
        const char *text = agreed[start->keys];
        start->loaded_count = 0;
        start->verdict = text ? text : compare_verdicts(starting, outcomes, count, doubt);
    }
    start->reasons = reasons.all;
    start->reason_count = reasons.count;
    start->assumed = true;
}

/* Absence proves something only where the data directory is known to be here: by a file that servers keep in it, or by
 * a configuration that names no other. */
static bool shows_data(const struct starting *starting)
{
    const char *dir = settings_text(starting->settings, "dir", "./");
    for (size_t i = 0; i < starting->evidence->file_count; i++) {
        const struct evidence_file *file = &starting->evidence->files[i];
        if (file->instance == starting->number &&
            (file->kind == EVIDENCE_NODESCONF || file->dump || file->journal || file->manifest))
            return true;
    }
    return starting->settings && (strcmp(dir, ".") == 0 || strcmp(dir, "./") == 0);
}

static void doubt_absence(struct starting *starting, struct outcome *outcome)
{
    if (outcome->source != START_NOTHING || outcome->keys != START_NO_KEYS || shows_data(starting))
        return;
    outcome->keys = START_CANNOT_TELL;
    outcome->verdict = "unknown: no file of the data directory is here, so nothing shows what it holds";
    start_say(starting, &outcome->reasons, true, SIZE_MAX, NULL,
              "neither nodes.conf nor any data of it is here: its data directory would settle it");
}

static bool read_all(struct starting *starting, struct start *start)
{
    struct doubt doubt = {0};
    struct start_reading readings[READINGS_MOST];
    struct outcome outcomes[READINGS_MOST] = {{.source = START_NOTHING}};
    find_appendonly(starting, start, &doubt);
    bool multi_part = find_era(starting, &doubt);
    size_t count = make_readings(start, &doubt, multi_part, readings);
    for (size_t i = 0; i < count; i++) {
        outcomes[i].reading = readings[i];
        if (!start_load(starting, &outcomes[i]) || !start_ignored(starting, &outcomes[i]))
            return false;
        doubt_absence(starting, &outcomes[i]);
    }
    if (count == 1)
        take(start, &outcomes[0]);
    else
        agree(starting, start, outcomes, count, &doubt);
    return !arena_failed(starting->arena);
}

struct start *start_of(const struct evidence *evidence, size_t instance, struct arena *arena)
{
    const struct instance *its = &evidence->instances[instance];
    const struct setting *decisive;
    struct start *start = arena_alloc(arena, sizeof(*start));
    struct starting starting = {
        .evidence = evidence,
        .instance = its,
        .number = instance,
        .arena = arena,
        .settings = its->settings,
        .server = its->server,
        .cluster = settings_yes(its->settings, "cluster-enabled", its->view != NULL),
    };
    if (!start)
        return NULL;
    start_find_files(&starting);
    start->save_points = settings_save_points(its->settings, its->server, &start->save_why, &decisive);
    return read_all(&starting, start) ? start : NULL;
}
