/* bench_replay [baseline|avx2|avx512|plain]: median frames per second of the integer model over one recording, on one thread:
 * conv 6->16 k5 s2 relu, conv 16->24 k5 s2 relu, gru 24, dense 6, random weights. `plain`: of the interpreter that defines the
 * result. Prints one number. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/progress.h"
#include "deploy/random_model.h"
#include "model/replay.h"

#define N_FRAMES 100000
#define SECONDS 1.0
#define MOST_TURNS 1000

static int compare(const void *a, const void *b)
{
    const double d = *(const double *)a - *(const double *)b;
    return (d > 0) - (d < 0);
}

typedef struct bench {
    tin_qmodel *model;
    tin_replay *replay;
    tin_qrunner *plain;
    int16_t *counts, *scores;
} bench;

static tin_status make(bench *b, tin_cpu_level level, tin_error *err)
{
    tin_status status = random_model_har(&b->model, 1, err);
    status = status ? status : tin_replay_create(&b->replay, b->model, level, err);
    status = status ? status : tin_qrunner_create(&b->plain, b->model, err);
    if (status)
        return status;
    b->counts = tin_alloc((size_t)N_FRAMES * (size_t)b->model->n_channels, sizeof *b->counts, err);
    b->scores = tin_alloc((size_t)N_FRAMES * (size_t)b->model->n_classes, sizeof *b->scores, err);
    if (!b->counts || !b->scores)
        return TIN_ERR_MEMORY;
    random_counts(b->counts, N_FRAMES, b->model->n_channels, 5);
    return TIN_OK;
}

static void run(bench *b, bool plain)
{
    const tin_qmodel *m = b->model;
    if (!plain) {
        tin_replay_reset(b->replay);
        (void)tin_replay_run(b->replay, b->counts, N_FRAMES, b->scores);
        return;
    }
    int64_t n = 0;
    tin_qrunner_reset(b->plain);
    for (int64_t t = 0; t < N_FRAMES; t++)
        n += tin_qrunner_step(b->plain, b->counts + t * m->n_channels, b->scores + n * m->n_classes);
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"baseline", "avx2", "avx512", "plain"};
    static double times[MOST_TURNS];
    static bench b;
    tin_error err = {0};
    int which = argc > 1 ? 0 : TIN_REPLAY_BEST;
    while (argc > 1 && which < 4 && strcmp(argv[1], names[which]) != 0)
        which++;
    if (which > 3) {
        fprintf(stderr, "usage: bench_replay [baseline|avx2|avx512|plain]\n");
        return 2;
    }
    const bool plain = argc > 1 && which == 3;
    if (make(&b, plain ? TIN_REPLAY_BEST : (tin_cpu_level)which, &err)) {
        fprintf(stderr, "%s\n", tin_error_text(&err));
        return 1;
    }
    int n = 0;
    const double started = tin_now();
    while (n < MOST_TURNS && (n < 5 || tin_now() - started < SECONDS)) {
        const double before = tin_now();
        run(&b, plain);
        times[n++] = tin_now() - before;
    }
    qsort(times, (size_t)n, sizeof *times, compare);
    printf("%.0f\n", N_FRAMES / times[n / 2]);
    return 0;
}
