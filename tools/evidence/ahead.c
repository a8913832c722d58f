#include "tools/evidence/ahead.h"

#include <pthread.h>
#include <stdlib.h>

#include "tools/evidence/cores.h"

enum {
    WINDOW = 16,     /* files that are open at once */
    FEW = 8,         /* so many files are worth no thread */
    READERS_MAX = 3, /* beside the loading thread, which cannot load faster than so many read */
    WAITING_MAX = 32 * 1024 * 1024, /* bytes of texts behind which no other file is begun ahead */
};

struct ahead {
    const struct evidence_file *files;
    const size_t *order;
    size_t count;
    bool facts_only;
    pthread_t readers[READERS_MAX];
    size_t reader_count;

    pthread_mutex_t lock; /* what stands below is touched by its holder only */
    pthread_cond_t moved;
    size_t begun, given; /* in `order`: the files before these were begun, and given to the loading thread */
    size_t waiting;      /* bytes of texts that are ready */
    bool stopping;
    bool ready[WINDOW]; /* by position in `order`, modulo */
    struct opened opened[WINDOW];
};

static bool may_begin(const struct ahead *ahead)
{
    return ahead->begun < ahead->count && ahead->begun < ahead->given + WINDOW && !ahead->stopping &&
           (ahead->begun == ahead->given || ahead->waiting < WAITING_MAX);
}

/* Opens the file that is next to be begun; the lock is held before and after, not meanwhile. */
static void begin_next(struct ahead *ahead)
{
    size_t position = ahead->begun++;
    pthread_mutex_unlock(&ahead->lock);
    struct opened opened = load_open(&ahead->files[ahead->order[position]], ahead->facts_only);
    pthread_mutex_lock(&ahead->lock);
    ahead->opened[position % WINDOW] = opened;
    ahead->ready[position % WINDOW] = true;
    ahead->waiting += opened.text.len;
    pthread_cond_broadcast(&ahead->moved);
}

static void *read_ahead(void *context)
{
    struct ahead *ahead = context;
    pthread_mutex_lock(&ahead->lock);
    while (!ahead->stopping && ahead->begun < ahead->count) {
        if (may_begin(ahead))
            begin_next(ahead);
        else
            pthread_cond_wait(&ahead->moved, &ahead->lock);
    }
    pthread_mutex_unlock(&ahead->lock);
    return NULL;
}

/* How many threads may read while one loads. */
static size_t readers_for(size_t files)
{
    size_t others = files > FEW ? cores_allowed() - 1 : 0;
    return others < READERS_MAX ? others : READERS_MAX;
}

struct ahead *ahead_start(const struct evidence_file *files, const size_t *order, size_t count, bool facts_only)
{
    struct ahead *ahead = malloc(sizeof(*ahead));
    if (!ahead)
        return NULL;
    *ahead = (struct ahead){
        .files = files,
        .order = order,
        .count = count,
        .facts_only = facts_only,
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .moved = PTHREAD_COND_INITIALIZER,
    };
    size_t wanted = readers_for(count);
    while (ahead->reader_count < wanted &&
           pthread_create(&ahead->readers[ahead->reader_count], NULL, read_ahead, ahead) == 0)
        ahead->reader_count++;
    return ahead;
}

/* While the file is not ready, the loading thread reads too; without other threads it is the only one that does. */
struct opened ahead_next(struct ahead *ahead)
{
    pthread_mutex_lock(&ahead->lock);
    size_t slot = ahead->given % WINDOW;
    while (!ahead->ready[slot]) {
        if (may_begin(ahead))
            begin_next(ahead);
        else
            pthread_cond_wait(&ahead->moved, &ahead->lock);
    }
    struct opened opened = ahead->opened[slot];
    ahead->ready[slot] = false;
    ahead->waiting -= opened.text.len;
    ahead->given++;
    pthread_cond_broadcast(&ahead->moved);
    pthread_mutex_unlock(&ahead->lock);
    return opened;
}

void ahead_stop(struct ahead *ahead)
{
    if (!ahead)
        return;
    pthread_mutex_lock(&ahead->lock);
    ahead->stopping = true;
    pthread_cond_broadcast(&ahead->moved);
    pthread_mutex_unlock(&ahead->lock);
    for (size_t i = 0; i < ahead->reader_count; i++)
        pthread_join(ahead->readers[i], NULL);
    for (size_t i = 0; i < WINDOW; i++)
        if (ahead->ready[i])
            source_close(ahead->opened[i].source);
    pthread_cond_destroy(&ahead->moved);
    pthread_mutex_destroy(&ahead->lock);
    free(ahead);
}
