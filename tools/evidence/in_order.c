#include "tools/evidence/in_order.h"

#include <pthread.h>

#include "tools/evidence/cores.h"

enum { THREADS_MAX = 16 };

struct in_order {
    size_t count;
    void (*job)(void *context, struct in_order *order, size_t number);
    void *context;
    pthread_mutex_t lock; /* what stands below is touched by its holder only */
    pthread_cond_t moved;
    size_t begun;
    size_t ended; /* jobs before this one have ended */
    bool done[2 * THREADS_MAX]; /* of the jobs from `ended` on, by number, modulo */
};

static bool may_begin(const struct in_order *order)
{
    return order->begun < order->ended + 2 * THREADS_MAX;
}

static void *work(void *context)
{
    struct in_order *order = context;
    pthread_mutex_lock(&order->lock);
    while (order->begun < order->count) {
        if (!may_begin(order)) {
            pthread_cond_wait(&order->moved, &order->lock);
            continue;
        }
        size_t number = order->begun++;
        pthread_mutex_unlock(&order->lock);
        order->job(order->context, order, number);
        pthread_mutex_lock(&order->lock);
        order->done[number % (2 * THREADS_MAX)] = true;
        while (order->done[order->ended % (2 * THREADS_MAX)])
            order->done[order->ended++ % (2 * THREADS_MAX)] = false;
        pthread_cond_broadcast(&order->moved);
    }
    pthread_mutex_unlock(&order->lock);
    return NULL;
}

bool in_order_is_turn(struct in_order *order, size_t number)
{
    pthread_mutex_lock(&order->lock);
    bool is = order->ended == number;
    pthread_mutex_unlock(&order->lock);
    return is;
}

void in_order_wait(struct in_order *order, size_t number)
{
    pthread_mutex_lock(&order->lock);
    while (order->ended != number)
        pthread_cond_wait(&order->moved, &order->lock);
    pthread_mutex_unlock(&order->lock);
}

static size_t threads_for(size_t count, size_t most)
{
    size_t threads = cores_allowed();
    threads = threads < most ? threads : most;
    threads = threads < THREADS_MAX ? threads : THREADS_MAX;
    return threads < count ? threads : count;
}

void in_order_run(size_t count, size_t threads_most, void (*job)(void *context, struct in_order *order, size_t number),
                  void *context)
{
    struct in_order order = {
        .count = count,
        .job = job,
        .context = context,
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .moved = PTHREAD_COND_INITIALIZER,
    };
    pthread_t threads[THREADS_MAX];
    size_t wanted = threads_for(count, threads_most), started = 0;
    while (started + 1 < wanted && pthread_create(&threads[started], NULL, work, &order) == 0)
        started++;
    work(&order);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    pthread_cond_destroy(&order.moved);
    pthread_mutex_destroy(&order.lock);
}
