#include "base/pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/memory.h"

/* Turns of looking for work before a worker sleeps: layers of one training step follow each other within microseconds.
 */
#define SPINS 2000

struct tin_pool {
    int n_threads;
    pthread_t *threads; /* [n_threads - 1] */
    int n_started;
    pthread_mutex_t lock;
    pthread_cond_t wake, finished;
    /* The run under way. `generation` counts runs; workers take part when it changes. */
    _Atomic unsigned generation;
    _Atomic int next, busy;
    int n_jobs;
    void (*job)(void *context, int index, int thread);
    void *context;
    bool quit;
};

typedef struct worker_start {
    tin_pool *pool;
    int thread;
} worker_start;

static void take_jobs(tin_pool *pool, int thread)
{
    for (;;) {
        int index = atomic_fetch_add(&pool->next, 1);
        if (index >= pool->n_jobs)
            return;
        pool->job(pool->context, index, thread);
    }
}

static void *worker(void *argument)
{
    worker_start start = *(worker_start *)argument;
    tin_pool *pool = start.pool;
    tin_free(argument);
    unsigned seen = 0;
    for (;;) {
        for (int i = 0; i < SPINS && atomic_load(&pool->generation) == seen; i++)
            ;
        pthread_mutex_lock(&pool->lock);
        while (atomic_load(&pool->generation) == seen && !pool->quit)
            pthread_cond_wait(&pool->wake, &pool->lock);
        bool quit = pool->quit;
        seen = atomic_load(&pool->generation);
        pthread_mutex_unlock(&pool->lock);
        if (quit)
            return NULL;
        take_jobs(pool, start.thread);
        if (atomic_fetch_sub(&pool->busy, 1) == 1) {
            pthread_mutex_lock(&pool->lock);
            pthread_cond_signal(&pool->finished);
            pthread_mutex_unlock(&pool->lock);
        }
    }
}

tin_status tin_pool_create(tin_pool **pool, int n_threads, tin_error *err)
{
    *pool = NULL;
    if (n_threads == 0) {
        long online = sysconf(_SC_NPROCESSORS_ONLN);
        n_threads = online < 1 ? 1 : online > TIN_MAX_THREADS ? TIN_MAX_THREADS : (int)online;
    }
    if (n_threads < 0 || n_threads > TIN_MAX_THREADS)
        return tin_fail(err, TIN_ERR_USAGE, "%d threads; give 0 (all cores) to %d", n_threads, TIN_MAX_THREADS);
    tin_pool *p = tin_alloc(1, sizeof *p, err);
    if (!p)
        return TIN_ERR_MEMORY;
    p->n_threads = n_threads;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, NULL);
    pthread_cond_init(&p->finished, NULL);
    p->threads = tin_alloc((size_t)n_threads, sizeof *p->threads, err);
    if (!p->threads) {
        tin_pool_destroy(p);
        return TIN_ERR_MEMORY;
    }
    for (int i = 1; i < n_threads; i++) {
        worker_start *start = tin_alloc(1, sizeof *start, err);
        if (!start) {
            tin_pool_destroy(p);
            return TIN_ERR_MEMORY;
        }
        *start = (worker_start){p, i};
        if (pthread_create(&p->threads[p->n_started], NULL, worker, start) != 0) {
            tin_free(start);
            tin_pool_destroy(p);
            return tin_fail(err, TIN_ERR_MEMORY, "cannot start thread %d of %d; use --threads %d", i + 1, n_threads, i);
        }
        p->n_started++;
    }
    *pool = p;
    return TIN_OK;
}

void tin_pool_destroy(tin_pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->quit = true;
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 0; i < pool->n_started; i++)
        pthread_join(pool->threads[i], NULL);
    pthread_cond_destroy(&pool->wake);
    pthread_cond_destroy(&pool->finished);
    pthread_mutex_destroy(&pool->lock);
    tin_free(pool->threads);
    tin_free(pool);
}

int tin_pool_threads(const tin_pool *pool)
{
    return pool->n_threads;
}

void tin_pool_run(tin_pool *pool, int n_jobs, void (*job)(void *context, int index, int thread), void *context)
{
    if (pool->n_threads == 1 || n_jobs <= 1) {
        for (int i = 0; i < n_jobs; i++)
            job(context, i, 0);
        return;
    }
    pthread_mutex_lock(&pool->lock);
    pool->job = job;
    pool->context = context;
    pool->n_jobs = n_jobs;
    atomic_store(&pool->next, 0);
    atomic_store(&pool->busy, pool->n_started);
    atomic_fetch_add(&pool->generation, 1);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
    take_jobs(pool, 0);
    for (int i = 0; i < SPINS && atomic_load(&pool->busy) > 0; i++)
        ;
    pthread_mutex_lock(&pool->lock);
    while (atomic_load(&pool->busy) > 0)
        pthread_cond_wait(&pool->finished, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}
