#include "tools/evidence/dump_scan.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/evidence/cores.h"
#include "tools/evidence/dump_salvage.h"

enum {
    BLOCK = 512 * 1024,  /* two of them stay in the second-level cache */
    BATCH_ITEMS = 4096,  /* of what the cutting thread reads itself */
    MOST_THREADS = 8,
    BLOCKS = 2 * MOST_THREADS + 2,
    TASKS = 4 * MOST_THREADS,
};

/* What is known of the record that ended reading. */
struct stop {
    bool known;
    struct rdb_stopped at; /* but for its key, which is the end's */
};

/* A batch on its way: put by the cutting thread, taken by a reading one, merged in the order in which it was put. */
struct task {
    struct rdb_part part;
    struct block *block;
    void *batch; /* NULL when there was no memory for it, or no need for it any more */
    bool done;
    bool failed; /* the job said so, or could not begin */
    bool last;   /* reading ended in it, as `end` says */
    struct scan_end end;
    struct stop stop;
};

struct block {
    uint8_t *bytes;
    unsigned users; /* the cutting reader, and parts */
};

struct scan {
    const struct scan_job *job;
    struct scan_end *end;
    struct stop stop;
    size_t size; /* of a block */
    unsigned thread_count;
    pthread_t threads[MOST_THREADS];
    unsigned started;
    bool tried; /* to start threads */

    pthread_mutex_t lock; /* of everything below, but for tasks between taken and done */
    pthread_cond_t put_one, ended_one;
    struct task tasks[TASKS];
    uint64_t put, taken, merged; /* counts; task n stands at n modulo TASKS */
    bool merging;                /* by one thread at a time */
    bool over;                   /* what is not merged is not wanted */
    bool closing;                /* nothing is put any more */
    struct block blocks[BLOCKS];
    size_t block_count;
    struct block *current; /* of the cutting reader */
    struct rdb *own;       /* the cutting thread's reader of parts */
};

/* ---------------------------------------------------------------- reading a batch */

static void end_of(const struct rdb *reader, struct task *task)
{
    struct scan_end *end = &task->end;
    struct stop *stop = &task->stop;
    stop->known = rdb_stopped(reader, &stop->at);
    struct bytes key = stop->known ? stop->at.key : (struct bytes){0};
    end->key.len = key.len < SCAN_KEY_KEPT ? key.len : SCAN_KEY_KEPT;
    memcpy(end->key.at, key.len ? key.at : end->key.at, end->key.len);
    end->stop = rdb_stop(reader);
    end->offset = rdb_offset(reader);
    snprintf(end->why, sizeof(end->why), "%s", rdb_why(reader) ? rdb_why(reader) : "");
}

/* What a reader says, kept over the records: to clear it is what a profile shows. */
struct said {
    struct rdb_plain run;
    struct rdb_item item;
};

/* One step of the reader into the task's batch: how much was said. 0 when there is no more. */
static inline size_t read_step(const struct scan_job *job, struct rdb *reader, struct task *task, struct said *said)
{
    size_t count = job->plain ? rdb_plain(reader, &said->run) : 0;
    enum parse_step step = count ? PARSE_ITEM : rdb_next(reader, &said->item);
    if (count)
        task->failed = !job->plain(task->batch, &said->run);
    else if (step == PARSE_ITEM)
        task->failed = !job->item(task->batch, reader, &said->item);
    else if (step == PARSE_DAMAGE)
        task->failed = !job->damage(task->batch, rdb_damage(reader), rdb_damage_key(reader));
    else
        return 0;
    return task->failed ? 0 : count ? count : 1;
}

static void begin(const struct scan_job *job, struct task *task)
{
    task->batch = job->begin(job->context);
    task->failed = !task->batch;
}

static void read_part(const struct scan_job *job, struct rdb *reader, struct task *task)
{
    begin(job, task);
    if (task->failed)
        return;
    rdb_read_part(reader, &task->part);
    struct said said;
    while (read_step(job, reader, task, &said))
        continue;
    task->last = !task->failed && rdb_stop(reader) != RDB_STOP_NONE;
    if (task->last)
        end_of(reader, task);
}

/* ---------------------------------------------------------------- tasks; all of these hold the lock */

static struct task *task_at(struct scan *scan, uint64_t number)
{
    return &scan->tasks[number % TASKS];
}

static void leave_block(struct block *block)
{
    if (block)
        block->users--;
}

/* Merges what is ready, without the lock meanwhile; one thread does it for all. */
static void merge_ready(struct scan *scan)
{
    const struct scan_job *job = scan->job;
    if (scan->merging)
        return;
    scan->merging = true;
    while (scan->merged < scan->put && task_at(scan, scan->merged)->done) {
        struct task *task = task_at(scan, scan->merged);
        bool wanted = !scan->over;
        pthread_mutex_unlock(&scan->lock);
        bool ok = wanted && !task->failed && job->merge(job->context, task->batch);
        if (task->batch && (!wanted || task->failed))
            job->drop(job->context, task->batch);
        pthread_mutex_lock(&scan->lock);
        if (wanted && !ok) {
            *scan->end = (struct scan_end){.stop = task->batch ? RDB_STOP_NONE : RDB_STOP_MEMORY, .interrupted = true};
            scan->over = true;
        } else if (wanted && task->last) {
            *scan->end = task->end;
            scan->stop = task->stop;
            scan->over = true;
        }
        scan->merged++;
        pthread_cond_broadcast(&scan->ended_one);
    }
    scan->merging = false;
}

/* The next task that nobody reads, or NULL. Tasks that were put as done are merged without being taken; when more than
 * TASKS of them have gone by, a number from before `merged` would stand for the place of a later task, which two threads
 * would then read at once. */
static struct task *take(struct scan *scan)
{
    if (scan->taken < scan->merged)
        scan->taken = scan->merged;
    while (scan->taken < scan->put) {
        struct task *task = task_at(scan, scan->taken++);
        if (!task->done)
            return task;
    }
    return NULL;
}

static void run(struct scan *scan, struct rdb *reader, struct task *task)
{
    bool wanted = !scan->over;
    pthread_mutex_unlock(&scan->lock);
    if (wanted)
        read_part(scan->job, reader, task);
    pthread_mutex_lock(&scan->lock);
    leave_block(task->block);
    task->done = true;
    merge_ready(scan);
    pthread_cond_broadcast(&scan->ended_one);
}

static void *work(void *context)
{
    struct scan *scan = context;
    struct rdb *reader = rdb_open_parts(scan->job->flags);
    pthread_mutex_lock(&scan->lock);
    while (reader) {
        struct task *task = take(scan);
        if (task)
            run(scan, reader, task);
        else if (scan->closing)
            break;
        else
            pthread_cond_wait(&scan->put_one, &scan->lock);
    }
    pthread_mutex_unlock(&scan->lock);
    rdb_close(reader);
    return NULL;
}

/* The cutting thread cannot go on: it reads a part itself, or waits for one that is being read. */
static void help(struct scan *scan)
{
    struct task *task = take(scan);
    if (task)
        run(scan, scan->own, task);
    else
        pthread_cond_wait(&scan->ended_one, &scan->lock);
}

static void start_threads(struct scan *scan)
{
    scan->tried = true;
    while (scan->started + 1 < scan->thread_count &&
           pthread_create(&scan->threads[scan->started], NULL, work, scan) == 0)
        scan->started++;
}

/* ---------------------------------------------------------------- the cutting thread */

/* A buffer that nobody reads. */
static uint8_t *another_block(void *context)
{
    struct scan *scan = context;
    struct block *found = NULL;
    pthread_mutex_lock(&scan->lock);
    leave_block(scan->current);
    scan->current = NULL;
    while (!found) {
        for (size_t i = 0; i < scan->block_count && !found; i++)
            if (!scan->blocks[i].users)
                found = &scan->blocks[i];
        if (!found)
            help(scan);
    }
    found->users = 1;
    scan->current = found;
    pthread_mutex_unlock(&scan->lock);
    if (!found->bytes)
        found->bytes = malloc(scan->size + RDB_PART_ROOM);
    return found->bytes;
}

static void put(struct scan *scan, const struct task *task)
{
    pthread_mutex_lock(&scan->lock);
    while (scan->put - scan->merged == TASKS)
        help(scan);
    *task_at(scan, scan->put) = *task;
    if (task->block)
        task->block->users++;
    scan->put++;
    if (task->done)
        merge_ready(scan);
    else
        pthread_cond_signal(&scan->put_one);
    pthread_mutex_unlock(&scan->lock);
}

static bool is_over(struct scan *scan)
{
    pthread_mutex_lock(&scan->lock);
    bool over = scan->over;
    pthread_mutex_unlock(&scan->lock);
    return over;
}

/* What cannot be cut is read here, until there is a part to cut again. */
static void read_between(struct scan *scan, struct rdb *reader, struct rdb_part *part)
{
    struct task task = {.done = true};
    struct said said;
    bool more = true;
    begin(scan->job, &task);
    part->bytes.len = 0;
    for (size_t count = 0, items = 0; !task.failed && more && items < BATCH_ITEMS; items += count) {
        if (items && scan->thread_count > 1 && rdb_cut(reader, part))
            break;
        count = read_step(scan->job, reader, &task, &said);
        more = count > 0;
    }
    task.last = !more && !task.failed;
    if (task.last)
        end_of(reader, &task);
    put(scan, &task);
}

static void cut(struct scan *scan, struct rdb *reader)
{
    struct rdb_part part = {0};
    while (!is_over(scan)) {
        if (!part.bytes.len && (scan->thread_count == 1 || !rdb_cut(reader, &part)))
            read_between(scan, reader, &part);
        if (part.bytes.len) {
            struct task task = {.part = part, .block = scan->current};
            if (!scan->tried)
                start_threads(scan);
            put(scan, &task);
            part.bytes.len = 0;
        }
    }
}

/* All that was put is merged or dropped, and no thread is left. */
static void finish(struct scan *scan)
{
    pthread_mutex_lock(&scan->lock);
    scan->closing = true;
    pthread_cond_broadcast(&scan->put_one);
    while (scan->merged < scan->put)
        help(scan);
    pthread_mutex_unlock(&scan->lock);
    for (unsigned i = 0; i < scan->started; i++)
        pthread_join(scan->threads[i], NULL);
}

/* What was lost is a batch of its own. */
static void put_loss(struct scan *scan, const struct salvage_loss *loss)
{
    struct task task = {.done = true};
    begin(scan->job, &task);
    if (!task.failed)
        task.failed = !scan->job->damage(task.batch, &loss->damage, loss->key);
    put(scan, &task);
}

/* Lets the reader go on behind what stopped it. False when all is over. */
static bool go_on(struct scan *scan, struct rdb *reader, struct salvage *salvage)
{
    struct salvage_loss loss;
    struct stop *stop = &scan->stop;
    stop->at.key = (struct bytes){scan->end->key.at, scan->end->key.len};
    if (scan->end->interrupted || !stop->known)
        return false;
    bool found = salvage_next(salvage, reader, &stop->at, scan->end, &loss);
    if (!found && !rdb_believe_end(reader))
        return false;
    stop->known = scan->over = scan->closing = scan->tried = false;
    scan->started = 0;
    if (found)
        put_loss(scan, &loss);
    return true;
}

unsigned dump_scan_threads(unsigned asked)
{
    size_t threads = asked ? asked : cores_allowed();
    return threads > MOST_THREADS ? MOST_THREADS : (unsigned)threads;
}

bool dump_scan_sized(struct source *source, const struct scan_options *options, const struct scan_job *job,
                     struct scan_end *end, size_t size)
{
    struct scan *scan = calloc(1, sizeof(*scan));
    struct salvage salvage = {.options = options};
    *end = (struct scan_end){.stop = RDB_STOP_MEMORY};
    if (!scan)
        return false;
    scan->job = job;
    scan->end = end;
    scan->size = size;
    scan->thread_count = dump_scan_threads(options->threads);
    scan->block_count = 2 * scan->thread_count + 2;
    pthread_mutex_init(&scan->lock, NULL);
    pthread_cond_init(&scan->put_one, NULL);
    pthread_cond_init(&scan->ended_one, NULL);
    scan->own = rdb_open_parts(job->flags);
    struct rdb *reader = rdb_open_lent(source, job->flags, size, (struct rdb_lender){another_block, scan});
    if (reader && scan->own) {
        if (options->expect_end)
            rdb_expect_end(reader);
        if (options->expect_end && options->reopen)
            rdb_doubt_end(reader);
        do {
            cut(scan, reader);
            finish(scan);
        } while (go_on(scan, reader, &salvage));
        salvage_tell(&salvage, end);
    }
    bool ok = reader && scan->own && !end->interrupted;
    rdb_close(reader);
    rdb_close(scan->own);
    salvage_close(&salvage);
    for (size_t i = 0; i < scan->block_count; i++)
        free(scan->blocks[i].bytes);
    pthread_cond_destroy(&scan->ended_one);
    pthread_cond_destroy(&scan->put_one);
    pthread_mutex_destroy(&scan->lock);
    free(scan);
    return ok;
}

bool dump_scan(struct source *source, const struct scan_options *options, const struct scan_job *job,
               struct scan_end *end)
{
    return dump_scan_sized(source, options, job, end, BLOCK);
}
