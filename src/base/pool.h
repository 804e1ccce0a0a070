/* A pool of threads for loops over independent jobs. Results must not depend on which thread takes which job: write to
 * per-job memory and reduce afterwards in job order. */
#ifndef TIN_POOL_H
#define TIN_POOL_H

#include "base/error.h"

#define TIN_MAX_THREADS 256

typedef struct tin_pool tin_pool;

/* n_threads 0..TIN_MAX_THREADS, 0: one per online core. 1: no threads at all, jobs run in the caller. */
tin_status tin_pool_create(tin_pool **pool, int n_threads, tin_error *err) TIN_USE_RESULT;
void tin_pool_destroy(tin_pool *pool);
int tin_pool_threads(const tin_pool *pool);
/* Calls job(context, index, thread) for index 0..n_jobs-1 and returns when all are done. `thread` is in
 * 0..tin_pool_threads()-1. Not reentrant. Cheap (a few microseconds), so that one layer of a tiny model can be one run.
 */
void tin_pool_run(tin_pool *pool, int n_jobs, void (*job)(void *context, int index, int thread), void *context);

#endif
