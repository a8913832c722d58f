/* Logs: each is read once more, in parallel, and its events leave in the order of the files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/evidence/in_order.h"
#include "tools/evidence/log_file.h"
#include "tools/evidence/names.h"
#include "tools/evidence/walk.h"
#include "tools/history/history_private.h"
#include "tools/history/log_runs.h"

enum { THREADS_MAX = 8, LEAST_SHARE = 64 * 1024, MOST_SHARE = 16 * 1024 * 1024 /* bytes for one log */ };

struct log_job {
    size_t file, instance;
    const char *own; /* the writer's node id before the log states one, or NULL */
};

struct log_work {
    struct gathering *gathering;
    struct log_job *jobs;
    size_t count;
    uint64_t share; /* bytes of memory for one log */
    bool failed;    /* touched by the job whose turn it is */
};

static bool is_of_an_instance(const struct evidence *evidence, size_t file)
{
    size_t instance = evidence->files[file].instance;
    return instance < evidence->instance_count;
}

/* Whose the first lines of a log are: the id that it states first, unless that is a new one after a reset; else the one
 * that the log before it ended with; else, in a log that states none, that of the instance. */
static const char *first_own(const struct evidence *evidence, const struct logbook *logbook, const char *before,
                             const struct instance *instance)
{
    for (size_t i = 0; i < logbook->count; i++) {
        enum logbook_event event = logbook->lines[i].event;
        if (event == LOGBOOK_NEW_IDENTITY || event == LOGBOOK_LOADED_IDENTITY)
            return logbook->lines[i].text;
        if (event == LOGBOOK_RESET_IDENTITY)
            return before;
    }
    if (before || !instance || instance->node == NO_NODE)
        return before;
    return view_store_id(evidence->store, instance->node);
}

/* The logs of each instance that repeat no other, and those that belong to none. */
static bool list_jobs(struct log_work *work)
{
    const struct evidence *evidence = work->gathering->evidence;
    work->jobs = calloc(evidence->file_count + 1, sizeof(*work->jobs));
    if (!work->jobs)
        return false;
    for (size_t i = 0; i < evidence->instance_count; i++) {
        const struct instance *instance = &evidence->instances[i];
        const char *own = NULL;
        for (size_t l = 0; l < instance->logbook_count; l++) {
            const struct logbook *logbook = instance->logbooks[l];
            work->jobs[work->count++] =
                (struct log_job){logbook->file, i, first_own(evidence, logbook, own, instance)};
            own = logbook->id ? logbook->id : own;
        }
    }
    for (size_t f = 0; f < evidence->file_count; f++) {
        const struct logbook *logbook = evidence->files[f].logbook;
        if (logbook && !is_of_an_instance(evidence, f))
            work->jobs[work->count++] = (struct log_job){f, SIZE_MAX, first_own(evidence, logbook, NULL, NULL)};
    }
    return true;
}

static struct source *open_log(void *context)
{
    const struct evidence_file *file = context;
    struct source *source = walk_open_again(file->where, file->named);
    return source ? source : source_memory("", 0);
}

/* What the rest of the evidence says about when the log ended: the newest time of its instance, else of the case. */
static int64_t newest_time(const struct gathering *gathering, size_t number)
{
    const struct evidence *evidence = gathering->evidence;
    int64_t ms = 0;
    if (number != SIZE_MAX) {
        const struct instance *instance = &evidence->instances[number];
        if (instance->view)
            ms = instance->view->newest_pong_ms;
        if (instance->dump && instance->dump->has_ctime && instance->dump->ctime_s < INT64_MAX / 1000 &&
            instance->dump->ctime_s * 1000 > ms)
            ms = instance->dump->ctime_s * 1000;
    }
    for (size_t i = 0; !ms && number != SIZE_MAX && i < evidence->instance_count; i++)
        if (evidence->instances[i].view)
            ms = evidence->instances[i].view->newest_pong_ms;
    for (size_t i = 0; !ms && i < evidence->file_count; i++)
        if (evidence->files[i].collection && evidence->files[i].collection->has_time)
            ms = evidence->files[i].collection->collected_ms;
    return ms;
}

/* The zone that the manifest of the collection states for what is in and below its folder; NULL when it does not, or names
 * it by a word. The caller frees it. */
static struct log_zone *stated_zone(const struct evidence *evidence, size_t file)
{
    struct bytes folder = names_split(evidence->files[file].path).folder;
    const char *zone = NULL;
    size_t depth = 0;
    for (size_t f = 0; f < evidence->file_count; f++) {
        const struct collection *collection = evidence->files[f].collection;
        struct bytes above = names_split(evidence->files[f].path).folder;
        if (!collection || !collection->has_zone || !names_is_below(folder, above) || (zone && above.len < depth))
            continue;
        zone = collection->timezone;
        depth = above.len;
    }
    return zone ? log_zone_parse((struct bytes){(const uint8_t *)zone, strlen(zone)}) : NULL;
}

/* The zone that a user names for a log, or NULL. */
static const struct log_zone *zone_of(const struct gathering *gathering, const struct log_job *job, char *buffer, size_t size)
{
    const struct evidence *evidence = gathering->evidence;
    const struct evidence_file *file = &evidence->files[job->file];
    const struct instance *instance = job->instance == SIZE_MAX ? NULL : &evidence->instances[job->instance];
    if (!gathering->options || !gathering->options->zones)
        return NULL;
    snprintf(buffer, size, "%s/%s/%s/%s", instance ? instance->host : "", instance ? instance->ip : "",
             instance ? instance->name : "", file->path);
    return zones_of(gathering->options->zones, buffer);
}

static bool receive(void *context, const struct log_fact *fact)
{
    return log_runs_add(context, fact);
}

/* After the log was read, and all logs before it. */
static bool deliver(struct log_work *work, struct log_runs *runs, const struct log_outcome *outcome)
{
    size_t count;
    const struct occurrence *all = log_runs_all(runs, &count);
    if (!all)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!gathering_add(work->gathering, &all[i]))
            return false;
    work->gathering->history->lines += outcome->counts.lines;
    work->gathering->history->left_out += log_runs_left_out(runs);
    return true;
}

static void read_log(void *context, struct in_order *order, size_t number)
{
    static const struct log_selection everything = {.has_since = false};
    struct log_work *work = context;
    const struct log_job *job = &work->jobs[number];
    struct evidence_file *file = &work->gathering->evidence->files[job->file];
    struct log_runs *runs = log_runs_begin(job->file, job->instance, job->own, work->share);
    struct log_outcome *outcome = calloc(1, sizeof(*outcome));
    char where[1024];
    const struct log_zone *zone = zone_of(work->gathering, job, where, sizeof(where));
    struct log_zone *stated = zone ? NULL : stated_zone(work->gathering->evidence, job->file);
    if (runs && outcome) {
        struct log_request request = {
            .open = open_log,
            .context = file,
            .selection = &everything,
            .zone = zone ? zone : stated,
            .near_ms = newest_time(work->gathering, job->instance),
        };
        request.has_near = request.near_ms > 0;
        log_file_read(&request, receive, runs, outcome);
    }
    in_order_wait(order, number);
    if (!runs || !outcome || outcome->condition == LOG_FILE_ENDED || work->failed || !deliver(work, runs, outcome))
        work->failed = true;
    log_zone_free(stated);
    log_runs_end(runs);
    free(outcome);
}

bool gather_logs(struct gathering *gathering)
{
    struct log_work work = {.gathering = gathering};
    uint64_t memory = gathering->options && gathering->options->memory ? gathering->options->memory : HISTORY_MEMORY;
    if (!list_jobs(&work))
        return false;
    work.share = work.count ? memory / work.count : 0;
    work.share = work.share > LEAST_SHARE ? work.share : LEAST_SHARE;
    work.share = work.share < MOST_SHARE ? work.share : MOST_SHARE;
    in_order_run(work.count, THREADS_MAX, read_log, &work);
    free(work.jobs);
    return !work.failed;
}
