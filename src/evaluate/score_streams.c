#include "evaluate/score_streams.h"

#include <math.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/progress.h"
#include "metrics/frame_metrics.h"
#include "model/replay.h"

/* The integer model or the float reference behind one call. */
typedef struct runner {
    tin_replay *integer;
    tin_float_runner *real;
    int n_channels, n_classes;
    int16_t *window; /* scores of one window */
} runner;

static tin_status runner_open(runner *r, tin_scorer scorer, int64_t window_decisions, tin_error *err)
{
    const bool integer = scorer.qmodel != NULL;
    *r = (runner){.n_channels = integer ? scorer.qmodel->n_channels : scorer.model->n_channels,
                  .n_classes = integer ? scorer.qmodel->n_classes : scorer.model->n_classes};
    r->window = tin_alloc((size_t)window_decisions * (size_t)r->n_classes, sizeof *r->window, err);
    if (r->window == NULL) {
        return TIN_ERR_MEMORY;
    }
    return integer ? tin_replay_create(&r->integer, scorer.qmodel, TIN_REPLAY_BEST, err)
                   : tin_float_runner_create(&r->real, scorer.model, err);
}

static void runner_close(runner *r)
{
    tin_replay_free(r->integer);
    tin_float_runner_free(r->real);
    tin_free(r->window);
}

/* A logit in score units; NaN becomes the least score. */
static int16_t score_of(float logit)
{
    double v = rint((double)logit * TIN_SCORE_ONE);
    return v >= INT16_MAX ? INT16_MAX : v > INT16_MIN ? (int16_t)v : INT16_MIN;
}

/* From the beginning: scores [n_frames / hop][n_classes]. */
static void runner_run(runner *r, const int16_t *counts, int64_t n_frames, int16_t *scores)
{
    if (r->integer != NULL) {
        tin_replay_reset(r->integer);
        (void)tin_replay_run(r->integer, counts, n_frames, scores);
        return;
    }
    tin_float_runner_reset(r->real);
    for (int64_t t = 0; t < n_frames; t++) {
        float logits[TIN_MAX_CLASSES];
        if (tin_float_runner_step(r->real, counts + t * r->n_channels, logits)) {
            for (int k = 0; k < r->n_classes; k++) {
                *scores++ = score_of(logits[k]);
            }
        }
    }
}

typedef struct score_job {
    tin_scored_stream *item;
    tin_status status;
    tin_error err;
} score_job;

typedef struct work {
    tin_scorer scorer;
    const tin_dataset *dataset;
    const tin_scored_set *set;
    tin_windows windows;
    int hop;
    score_job *jobs;
    atomic_long done;
    tin_progress progress;
} work;

/* The last decision of each window counts. */
static void score_windows(runner *r, const work *w, tin_scored_stream *item)
{
    for (size_t i = 0; w->windows.frames > 0 && i < item->stream->n_intervals; i++) {
        const tin_interval *interval = &item->stream->intervals[i];
        if (interval->class_index == TIN_LABEL_IGNORE) {
            continue;
        }
        for (int64_t start = interval->start; start + w->windows.frames <= interval->end; start += w->windows.step) {
            int64_t before = (w->windows.history < start ? w->windows.history : start) / w->hop * w->hop;
            int64_t n = (before + w->windows.frames) / w->hop;
            runner_run(r, item->stream->counts + (start - before) * r->n_channels, n * w->hop, r->window);
            item->n_windows++;
            item->windows_right +=
                tin_argmax_s16(r->window + (n - 1) * r->n_classes, r->n_classes) == interval->class_index;
        }
    }
}

/* Where labels and scores of each stream lie, page by page, so that one can be forgotten alone. */
typedef struct places {
    size_t page, at;
} places;

static size_t take(places *p, size_t n, size_t size)
{
    const size_t at = p->at;
    p->at += (n * size + p->page - 1) / p->page * p->page;
    return at;
}

/* Memory for labels and scores of all streams. */
static tin_status make_room(tin_scored_set *set, const char *folder, tin_error *err)
{
    char path[TIN_PATH_MAX];
    tin_status status = tin_path_join(path, folder, "scores.safetensors", err);
    for (int pass = 0; pass < 2 && status == TIN_OK; pass++) { /* the first one only adds up */
        places p = {.page = (size_t)sysconf(_SC_PAGESIZE)};
        for (size_t i = 0; i < set->n; i++) {
            tin_scored_stream *item = &set->items[i];
            const size_t labels = take(&p, (size_t)item->stream->n_frames, sizeof *item->labels);
            const size_t scores = take(&p, (size_t)item->n_decisions * (size_t)set->n_classes, sizeof *item->scores);
            if (pass == 1) {
                item->labels = (int16_t *)(void *)((char *)set->scratch.data + labels);
                item->scores = (int16_t *)(void *)((char *)set->scratch.data + scores);
            }
        }
        if (pass == 0) {
            status = tin_scratch_map_open(&set->scratch, p.at, path, err);
        }
    }
    return status;
}

void tin_scored_stream_forget(const tin_scored_set *set, const tin_scored_stream *stream)
{
    tin_scratch_map_forget(&set->scratch, stream->labels, (size_t)stream->stream->n_frames * sizeof *stream->labels);
    tin_scratch_map_forget(&set->scratch, stream->scores,
                           (size_t)stream->n_decisions * (size_t)set->n_classes * sizeof *stream->scores);
}

static tin_status prepare(const tin_dataset *dataset, tin_scored_stream *item, int hop, tin_error *err)
{
    const tin_stream *stream = item->stream;
    item->n_decisions = stream->n_frames / hop;
    item->events = tin_alloc(stream->n_intervals, sizeof *item->events, err);
    if (item->events == NULL) {
        return TIN_ERR_MEMORY;
    }
    for (size_t i = 0; i < stream->n_intervals; i++) {
        int32_t k = stream->intervals[i].class_index;
        if (k >= 0 && dataset->classes[k].event) {
            item->events[item->n_events++] = stream->intervals[i];
        }
    }
    return TIN_OK;
}

/* With cross-validation that of the stream's part. */
static tin_scorer scorer_of(const work *w, const tin_stream *stream)
{
    tin_scorer scorer = w->scorer;
    int part = scorer.cross != NULL ? scorer.cross->part[stream - w->dataset->streams] : 0;
    if (part > 0 && scorer.qmodel != NULL) {
        scorer.qmodel = scorer.cross->qmodels[part - 1];
    } else if (part > 0) {
        scorer.model = scorer.cross->models[part - 1];
    }
    return scorer;
}

static void score_one(void *context, int index, int thread)
{
    work *w = context;
    score_job *job = &w->jobs[index];
    runner r = {0};
    if (tin_stop_requested()) {
        job->status = tin_fail(&job->err, TIN_ERR_INTERRUPTED, "stopped by the user; run again to go on");
        return;
    }
    const int64_t window_decisions = (w->windows.history + w->windows.frames) / w->hop;
    job->status = runner_open(&r, scorer_of(w, job->item->stream), window_decisions, &job->err);
    if (job->status == TIN_OK) {
        tin_dataset_labels(w->dataset, job->item->stream, job->item->labels);
        runner_run(&r, job->item->stream->counts, job->item->stream->n_frames, job->item->scores);
        score_windows(&r, w, job->item);
        tin_scored_stream_forget(w->set, job->item);
        tin_dataset_forget(w->dataset);
    }
    runner_close(&r);
    long done = atomic_fetch_add(&w->done, 1) + 1;
    if (thread == 0) { /* the bar belongs to one thread */
        tin_progress_update(&w->progress, done, NULL);
    }
}

static tin_status check_fit(tin_scorer scorer, const tin_dataset *dataset, tin_windows windows, tin_timing timing,
                            int n_classes, tin_error *err)
{
    int n_channels = scorer.qmodel != NULL ? scorer.qmodel->n_channels : scorer.model->n_channels;
    if (n_channels != dataset->n_channels || n_classes != dataset->n_classes) {
        return tin_fail(
            err, TIN_ERR_MODEL,
            "the model has %d channels and %d classes, the dataset %d and %d; train a model on this dataset",
            n_channels, n_classes, dataset->n_channels, dataset->n_classes);
    }
    for (int i = 0; scorer.cross != NULL && i < scorer.cross->n; i++) {
        const tin_qmodel *q = scorer.cross->qmodels[i];
        const tin_model *m = scorer.cross->models != NULL ? scorer.cross->models[i] : NULL;
        const bool integer = scorer.qmodel != NULL;
        if ((integer ? q->n_channels : m->n_channels) != n_channels ||
            (integer ? q->n_classes : m->n_classes) != n_classes || (integer ? q->hop : m->hop) != timing.hop ||
            (integer ? q->delay : m->delay) != timing.delay) {
            return tin_fail(
                err, TIN_ERR_MODEL,
                "model %d of the cross-validation has other channels, classes, frames per decision or delay "
                "than the one trained on all; make both again with --force",
                i + 1);
        }
    }
    if (windows.frames > 0 && windows.frames < timing.hop) {
        return tin_fail(err, TIN_ERR_CONFIG,
                        "evaluate.window_frames is %lld, but the model decides only every %d frames; use at least %d",
                        (long long)windows.frames, timing.hop, timing.hop);
    }
    if (windows.frames > 0 && windows.frames <= timing.delay) {
        return tin_fail(err, TIN_ERR_CONFIG,
                        "evaluate.window_frames is %lld, but the model speaks of %d frames ago, before the window; use "
                        "more than %d",
                        (long long)windows.frames, timing.delay, timing.delay);
    }
    return TIN_OK;
}

static tin_status run_jobs(work *w, tin_scored_set *set, tin_pool *pool, bool quiet, tin_error *err)
{
    tin_progress_begin(&w->progress, w->scorer.qmodel != NULL ? "evaluate int8" : "evaluate float",
                       set->n > 0 ? (long)set->n : 1, quiet);
    if (pool != NULL) {
        tin_pool_run(pool, (int)set->n, score_one, w);
    } else {
        for (size_t i = 0; i < set->n; i++) {
            score_one(w, (int)i, 0);
        }
    }
    tin_progress_end(&w->progress, NULL);
    for (size_t i = 0; i < set->n; i++) {
        if (w->jobs[i].status != TIN_OK) {
            return tin_fail(err, w->jobs[i].status, "%s", w->jobs[i].err.message);
        }
    }
    return TIN_OK;
}

tin_status tin_scored_set_create(tin_scored_set *set, const tin_dataset *dataset, tin_role role, tin_timing timing,
                                 int n_classes, const char *folder, tin_error *err)
{
    *set = (tin_scored_set){.n_classes = n_classes, .timing = timing};
    set->items = tin_alloc(dataset->n_streams, sizeof *set->items, err);
    tin_status status = set->items != NULL ? TIN_OK : TIN_ERR_MEMORY;
    for (size_t i = 0; i < dataset->n_streams && status == TIN_OK; i++) {
        if (dataset->streams[i].role == role) {
            tin_scored_stream *item = &set->items[set->n++];
            item->stream = &dataset->streams[i];
            status = prepare(dataset, item, timing.hop, err);
        }
    }
    return status == TIN_OK ? make_room(set, folder, err) : status;
}

tin_status tin_score_streams(tin_scorer scorer, const tin_dataset *dataset, tin_role role, tin_windows windows,
                             tin_pool *pool, bool quiet, tin_scored_set *set, tin_error *err)
{
    const bool integer = scorer.qmodel != NULL;
    const tin_timing timing = {integer ? scorer.qmodel->hop : scorer.model->hop,
                               integer ? scorer.qmodel->delay : scorer.model->delay, scorer.latency};
    const int n_classes = integer ? scorer.qmodel->n_classes : scorer.model->n_classes;
    *set = (tin_scored_set){0};
    tin_status status = check_fit(scorer, dataset, windows, timing, n_classes, err);
    if (status == TIN_OK) {
        status = tin_scored_set_create(set, dataset, role, timing, n_classes, scorer.folder, err);
    }
    if (status != TIN_OK) {
        return status;
    }
    work w = {.scorer = scorer, .dataset = dataset, .set = set, .windows = windows, .hop = timing.hop};
    w.jobs = tin_alloc(set->n, sizeof *w.jobs, err);
    if (w.jobs == NULL) {
        return TIN_ERR_MEMORY;
    }
    for (size_t i = 0; i < set->n; i++) {
        w.jobs[i].item = &set->items[i];
    }
    status = run_jobs(&w, set, pool, quiet, err);
    tin_free(w.jobs);
    return status;
}

void tin_scored_set_free(tin_scored_set *set)
{
    for (size_t i = 0; i < set->n; i++) {
        tin_free(set->items[i].events);
    }
    tin_scratch_map_close(&set->scratch);
    tin_free(set->items);
    *set = (tin_scored_set){0};
}
