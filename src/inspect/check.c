#include "inspect/check.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/progress.h"
#include "inspect/check_parts.h"

#define MOST_OF_A_CHECK 5000 /* findings; what comes behind them is counted only */

typedef struct job {
    tin_findings findings;
    tin_status status;
    tin_error err;
} job;

typedef struct parallel {
    const tin_dataset *dataset;
    tin_check_job *run;
    void *context;
    job *jobs;
    size_t n;
    atomic_long done;
    tin_progress progress;
} parallel;

static void run_job(void *context, int index, int thread)
{
    parallel *p = context;
    job *j = &p->jobs[index];
    if (tin_stop_requested()) {
        j->status = tin_fail(&j->err, TIN_ERR_INTERRUPTED, "stopped by the user; run again");
        return;
    }
    j->status = p->run(p->context, (size_t)index, &j->findings, &j->err);
    tin_dataset_forget(p->dataset);
    long done = atomic_fetch_add(&p->done, 1) + 1;
    if (thread == 0) { /* the bar belongs to one thread */
        tin_progress_update(&p->progress, done, NULL);
    }
}

tin_status tin_check_parallel(tin_checking *c, const char *title, size_t n, tin_check_job *run, void *context,
                              tin_error *err)
{
    parallel p = {.dataset = c->dataset, .run = run, .context = context, .n = n};
    tin_status status = TIN_OK;
    p.jobs = tin_alloc(n, sizeof *p.jobs, err);
    if (!p.jobs) {
        return TIN_ERR_MEMORY;
    }
    tin_progress_begin(&p.progress, title, n > 0 ? (long)n : 1, c->options->quiet);
    if (c->options->pool) {
        tin_pool_run(c->options->pool, (int)n, run_job, &p);
    } else {
        for (size_t i = 0; i < n; i++) {
            run_job(&p, (int)i, 0);
        }
    }
    tin_progress_end(&p.progress, NULL);
    for (size_t i = 0; i < n; i++) {
        job *j = &p.jobs[i];
        if (status == TIN_OK && j->status != TIN_OK) {
            status = tin_fail(err, j->status, "%s", j->err.message);
        }
        status = status ? status : tin_findings_move(c->findings, &j->findings, err);
        tin_findings_free(&j->findings);
    }
    tin_free(p.jobs);
    return status;
}

static tin_sensor_kind kind_of(const char *unit, double *si_scale)
{
    static const struct {
        const char *unit;
        tin_sensor_kind kind;
        double si_scale;
    } units[] = {{"g", TIN_SENSOR_ACCEL, TIN_STANDARD_GRAVITY},
                 {"mg", TIN_SENSOR_ACCEL, TIN_STANDARD_GRAVITY / 1000},
                 {"m/s^2", TIN_SENSOR_ACCEL, 1},
                 {"m/s2", TIN_SENSOR_ACCEL, 1},
                 {"rad/s", TIN_SENSOR_GYRO, 1},
                 {"deg/s", TIN_SENSOR_GYRO, 3.14159265358979323846 / 180},
                 {"dps", TIN_SENSOR_GYRO, 3.14159265358979323846 / 180}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(unit, units[i].unit) == 0) {
            *si_scale = units[i].si_scale;
            return units[i].kind;
        }
    }
    *si_scale = 1;
    return TIN_SENSOR_OTHER;
}

int tin_find_sensors(const tin_dataset *dataset, tin_sensor sensors[TIN_MAX_CHANNELS / 3])
{
    int n = 0;
    for (int c = 0; c + 2 < dataset->n_channels;) {
        const char *unit = dataset->channels[c].unit;
        if (strcmp(unit, dataset->channels[c + 1].unit) == 0 && strcmp(unit, dataset->channels[c + 2].unit) == 0) {
            sensors[n].first = c;
            sensors[n].kind = kind_of(unit, &sensors[n].si_scale);
            n++;
            c += 3;
        } else {
            c++;
        }
    }
    return n;
}

typedef struct named {
    const char *name;
    size_t index;
} named;

static int by_name(const void *left, const void *right)
{
    const named *a = left, *b = right;
    int order = strcmp(a->name, b->name);
    return order ? order : a->index < b->index ? -1 : a->index > b->index;
}

tin_status tin_people_find(tin_people *people, const tin_dataset *dataset, tin_error *err)
{
    size_t n = dataset->n_streams;
    *people = (tin_people){.of_stream = tin_alloc(n, sizeof *people->of_stream, err),
                           .first = tin_alloc(n, sizeof *people->first, err)};
    named *names = tin_alloc(n, sizeof *names, err);
    if (!people->of_stream || !people->first || !names) {
        tin_people_free(people);
        tin_free(names);
        return TIN_ERR_MEMORY;
    }
    for (size_t i = 0; i < n; i++) {
        names[i] = (named){dataset->streams[i].subject, i};
    }
    qsort(names, n, sizeof *names, by_name);
    for (size_t i = 0; i < n; i++) { /* every stream gets the first one of its person ... */
        bool same = i > 0 && strcmp(names[i].name, names[i - 1].name) == 0;
        people->of_stream[names[i].index] = same ? people->of_stream[names[i - 1].index] : names[i].index;
    }
    for (size_t i = 0; i < n; i++) { /* ... and then the person's number */
        size_t first = people->of_stream[i];
        if (first == i) {
            people->first[people->n] = i;
            people->of_stream[i] = people->n++;
        } else {
            people->of_stream[i] = people->of_stream[first];
        }
    }
    tin_free(names);
    return TIN_OK;
}

void tin_people_free(tin_people *people)
{
    tin_free(people->of_stream);
    tin_free(people->first);
    *people = (tin_people){0};
}

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

double tin_median(double *values, size_t n)
{
    qsort(values, n, sizeof *values, by_value);
    return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

double tin_seconds(const tin_dataset *dataset, int64_t frames)
{
    return (double)frames / dataset->rate_hz;
}

tin_status tin_check_dataset(tin_findings *findings, const tin_dataset *dataset, const tin_check_options *options,
                             tin_error *err)
{
    tin_status (*const parts[])(tin_checking *, tin_error *) = {
        tin_check_subjects, tin_check_classes,     tin_check_durations, tin_check_unlabelled,
        tin_check_sources,  tin_check_sensors,     tin_check_axes,      tin_check_copies,
        tin_check_borders,  tin_check_near_copies, tin_check_model};
    tin_checking c = {dataset, options, findings};
    tin_status status = TIN_OK;
    for (size_t i = 0; i < sizeof parts / sizeof *parts && !status; i++) {
        status = parts[i](&c, err);
    }
    tin_findings_sort(findings, MOST_OF_A_CHECK);
    return status;
}
