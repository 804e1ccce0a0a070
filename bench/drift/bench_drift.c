/* Does the integer model drift from the float model over hours without a reset?
 *
 *     bench_drift DATASET RUN_FOLDER
 *
 * Both models read all test recordings end to end, again and again, without a reset. The decisions in the first 10^4
 * frames of each recording are counted in the first pass, and again in the pass after 10^6 frames: the same frames, at
 * the same place within a decision, behind the same recording. Prints, on stdout, the agreement (same greatest score)
 * after 10^6 frames over that in the first pass. On stderr both, that of each pass and of each 10^5 frames on the way, and that
 * of the same frames when both models are reset before each recording: what a jump from one recording into another
 * costs at once is no drift, but it is shown. */
#include <stdio.h>

#include "base/file.h"
#include "dataset/dataset.h"
#include "model/model.h"
#include "model/qmodel.h"

#define N_FRAMES 1000000L
#define HEAD_FRAMES 10000L
#define PART_FRAMES 100000L
#define MAX_PARTS 1000

typedef struct share {
    long n, equal;
} share;

typedef struct drift {
    tin_dataset *dataset;
    tin_model *model;
    tin_qmodel *qmodel;
    tin_float_runner *float_runner;
    tin_qrunner *runner;
    share reset, first, late, parts[MAX_PARTS];
} drift;

static tin_status open_run(drift *d, const char *dataset, const char *folder, tin_error *err)
{
    char path[TIN_PATH_MAX];
    tin_status status = tin_dataset_open(&d->dataset, dataset, err);
    status = status ? status : tin_path_join(path, folder, "model_float", err);
    status = status ? status : tin_model_load(&d->model, path, err);
    status = status ? status : tin_path_join(path, folder, "model_int8", err);
    status = status ? status : tin_qmodel_load(&d->qmodel, path, err);
    status = status ? status : tin_float_runner_create(&d->float_runner, d->model, err);
    status = status ? status : tin_qrunner_create(&d->runner, d->qmodel, err);
    if (status) {
        return status;
    }
    if (d->model->n_channels != d->dataset->n_channels || d->qmodel->n_channels != d->dataset->n_channels ||
        d->model->n_classes != d->qmodel->n_classes || d->model->hop != d->qmodel->hop) {
        return tin_fail(err, TIN_ERR_MODEL, "dataset and models do not belong together; give those of one run");
    }
    long n = tin_dataset_frames(d->dataset, TIN_ROLE_TEST);
    return n >= HEAD_FRAMES && n <= (MAX_PARTS - 1) * PART_FRAMES - N_FRAMES
               ? TIN_OK
               : tin_fail(err, TIN_ERR_DATA, "%ld test frames are too few or too many", n);
}

static void close_run(drift *d)
{
    tin_qrunner_free(d->runner);
    tin_float_runner_free(d->float_runner);
    tin_qmodel_free(d->qmodel);
    tin_model_free(d->model);
    tin_dataset_close(d->dataset);
}

static bool same_decision(const float *scores, const int16_t *integers, int n)
{
    int best = 0, integer_best = 0;
    for (int k = 1; k < n; k++) {
        best = scores[k] > scores[best] ? k : best;
        integer_best = integers[k] > integers[integer_best] ? k : integer_best;
    }
    return best == integer_best;
}

/* One frame through both; counts a decision in each of the two shares that is not NULL. */
static void step(drift *d, const int16_t *counts, share *a, share *b)
{
    float scores[TIN_MAX_CLASSES];
    int16_t integers[TIN_MAX_CLASSES];
    int due = tin_qrunner_step(d->runner, counts, integers);
    if (!tin_float_runner_step(d->float_runner, counts, scores) || !due) {
        return;
    }
    bool same = same_decision(scores, integers, d->model->n_classes);
    share *const shares[] = {a, b};
    for (int i = 0; i < 2; i++) {
        if (shares[i]) {
            shares[i]->n++;
            shares[i]->equal += same;
        }
    }
}

/* One pass over the test recordings, each cut to whole decisions. heads: counts the first frames of each. *t: frames
 * without a reset so far; NULL: each recording starts with a reset, and only its first frames are read. */
static void pass(drift *d, share *heads, long *t)
{
    for (size_t i = 0; i < d->dataset->n_streams; i++) {
        const tin_stream *stream = &d->dataset->streams[i];
        if (stream->role != TIN_ROLE_TEST) {
            continue;
        }
        long n = (long)stream->n_frames / d->model->hop * d->model->hop;
        if (!t) {
            tin_qrunner_reset(d->runner);
            tin_float_runner_reset(d->float_runner);
        }
        for (long k = 0; k < (t || n < HEAD_FRAMES ? n : HEAD_FRAMES); k++) {
            share *part = t ? &d->parts[*t / PART_FRAMES] : NULL;
            step(d, stream->counts + k * d->dataset->n_channels, k < HEAD_FRAMES ? heads : NULL, part);
            if (t) {
                ++*t;
            }
        }
    }
}

static double value(const share *s)
{
    return (double)s->equal / (double)s->n;
}

int main(int argc, char **argv)
{
    static drift d;
    tin_error err = {0};
    if (argc != 3) {
        fputs("usage: bench_drift DATASET RUN_FOLDER\n", stderr);
        return 2;
    }
    tin_status status = open_run(&d, argv[1], argv[2], &err);
    if (status == TIN_OK) {
        long t = 0;
        pass(&d, &d.reset, NULL);
        tin_qrunner_reset(d.runner);
        tin_float_runner_reset(d.float_runner);
        while (t < N_FRAMES) {
            share heads = {0};
            pass(&d, &heads, &t);
            fprintf(stderr, "pass to frame %7ld: agreement in the same frames %.5f\n", t, value(&heads));
            d.first = d.first.n > 0 ? d.first : heads;
        }
        pass(&d, &d.late, &t);
        for (int i = 0; i < MAX_PARTS && d.parts[i].n > 0; i++) {
            fprintf(stderr, "frames from %7ld: agreement %.5f\n", i * PART_FRAMES, value(&d.parts[i]));
        }
        fprintf(stderr, "first pass %.5f, after %ld frames %.5f, with resets %.5f\n", value(&d.first), N_FRAMES,
                value(&d.late), value(&d.reset));
        printf("%.5f\n", value(&d.late) / value(&d.first));
    } else {
        fprintf(stderr, "bench_drift: %s\n", tin_error_text(&err));
    }
    close_run(&d);
    return status ? 1 : 0;
}
