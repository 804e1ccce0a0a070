/* `run --seeds` and `--folds`: a run per seed or fold, each in a process of its own, as many at a time as there are cores; then mean and spread. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/progress.h"
#include "cli/cli.h"
#include "cli/figures.h"

/* What a child left: its results as JSON, or, when it failed, its tin_error. */
typedef struct seed_run {
    const char *what; /* "seed" or "fold" */
    uint64_t seed;    /* its number */
    pid_t pid;        /* 0: not begun, -1: over */
    FILE *output;     /* unnamed */
    json_t *results;
} seed_run;

static const char *const summed[] = {"train", "quantize", "evaluate", "deploy"};

static tin_status system_error(tin_error *err, const char *action)
{
    return tin_fail_errno(err, "--seeds or --folds", action);
}

/* The options of the run of one seed or fold. */
static void choose(cli_options *own, const seed_run *run)
{
    if (own->n_folds > 0) {
        own->fold = (int)run->seed;
    } else {
        own->has_seed = true;
        own->seed = run->seed;
    }
}

/* The child: never returns. */
static void work(const cli_command *command, const cli_options *options, const seed_run *run, int threads, bool quiet)
{
    cli_options own = *options;
    tin_error err = {0};
    own.n_seeds = 0;
    own.json = true;
    choose(&own, run);
    own.threads = threads;
    own.quiet = quiet;
    tin_status status = dup2(fileno(run->output), STDOUT_FILENO) < 0 ? system_error(&err, "cannot keep the results")
                                                                     : cli_work_through(command, &own, false, &err);
    if (status == TIN_OK && (fflush(stdout) != 0 || ferror(stdout))) {
        status = system_error(&err, "cannot keep the results");
    }
    err.status = status;
    if (status && (fwrite(&err, sizeof err, 1, run->output) != 1 || fflush(run->output) != 0)) {
        _exit(1);
    }
    _exit(status ? 1 : 0);
}

static tin_status begin(const cli_command *command, const cli_options *options, seed_run *run, int threads, bool quiet,
                        tin_error *err)
{
    run->output = tmpfile();
    if (!run->output) {
        return system_error(err, "cannot make a temporary file");
    }
    fflush(stdout);
    pid_t pid = fork();
    if (pid < 0) {
        return system_error(err, "cannot start a process");
    }
    if (pid == 0) {
        work(command, options, run, threads, quiet);
    }
    run->pid = pid;
    return TIN_OK;
}

static tin_status take_results(seed_run *run, int code, tin_error *err)
{
    tin_error why = {0};
    rewind(run->output);
    if (WIFEXITED(code) && WEXITSTATUS(code) == 0) {
        run->results = json_loadf(run->output, 0, NULL);
        return run->results
                   ? TIN_OK
                   : tin_fail(err, TIN_ERR_MEMORY, "%s %" PRIu64 ": its results are lost", run->what, run->seed);
    }
    if (fread(&why, sizeof why, 1, run->output) != 1) {
        return tin_fail(err, TIN_ERR_TOOL, "%s %" PRIu64 ": its process was ended from outside; run again to go on",
                        run->what, run->seed);
    }
    return tin_fail_at(err, why.status, why.file, why.line, "%s %" PRIu64 ": %s", run->what, run->seed, why.message);
}

/* Waits for one child to end. */
static tin_status wait_for_one(seed_run *runs, int n, int *n_done, bool quiet, tin_error *err)
{
    int code = 0;
    pid_t pid = wait(&code);
    if (pid < 0) {
        return errno == EINTR ? TIN_OK : system_error(err, "cannot wait for a process");
    }
    for (int i = 0; i < n; i++) {
        if (runs[i].pid == pid) {
            runs[i].pid = -1;
            ++*n_done;
            tin_status status = take_results(&runs[i], code, err);
            if (status == TIN_OK && !quiet) {
                fprintf(stderr, "%s %" PRIu64 ": done, %d of %d\n", runs[i].what, runs[i].seed, *n_done, n);
            }
            return status;
        }
    }
    return TIN_OK;
}

static void end_all(seed_run *runs, int n)
{
    for (int i = 0; i < n; i++) {
        if (runs[i].pid > 0) {
            kill(runs[i].pid, SIGTERM);
        }
    }
    for (int i = 0; i < n; i++) {
        while (runs[i].pid > 0 && waitpid(runs[i].pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
}

/* One of the children that are at work shows its progress for all. */
static tin_status run_all(const cli_command *command, const cli_options *options, seed_run *runs, int n, int cores,
                          tin_error *err)
{
    int at_once = n < cores ? n : cores, n_begun = 0, n_done = 0, loud = -1;
    tin_status status = TIN_OK;
    while (n_done < n && status == TIN_OK) {
        while (n_begun < n && n_begun - n_done < at_once && status == TIN_OK) {
            bool quiet = options->quiet || (loud >= 0 && runs[loud].pid > 0);
            loud = quiet ? loud : n_begun;
            status = begin(command, options, &runs[n_begun], cores / at_once, quiet, err);
            n_begun++;
        }
        status = status ? status : wait_for_one(runs, n, &n_done, options->quiet, err);
        if (status == TIN_OK && tin_stop_requested()) {
            status = tin_fail(err, TIN_ERR_INTERRUPTED, "stopped by the user; run again to go on");
        }
    }
    end_all(runs, n);
    return status;
}

typedef struct moments {
    int n;
    double mean, spread; /* sample standard deviation; NaN for one value */
} moments;

/* Over the seeds in which the figure is a number. */
static moments moments_of(const seed_run *runs, int n, const char *section, const char *key)
{
    moments m = {0};
    double sum = 0, squares = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < n; i++) {
            const json_t *value = json_object_get(json_object_get(runs[i].results, section), key);
            if (!json_is_number(value)) {
                continue;
            }
            double v = json_number_value(value);
            if (pass == 0) {
                m.n++;
                sum += v;
            } else {
                squares += (v - m.mean) * (v - m.mean);
            }
        }
        m.mean = m.n > 0 ? sum / m.n : (double)NAN;
    }
    m.spread = m.n > 1 ? sqrt(squares / (m.n - 1)) : (double)NAN;
    return m;
}

/* mean, spread and number of every figure of a section. */
static tin_status summarise(const seed_run *runs, int n, const char *section, json_t *summary, tin_error *err)
{
    json_t *object = json_object(), *figures = json_object_get(runs[0].results, section), *value;
    const char *key;
    tin_status status = object ? TIN_OK : tin_fail(err, TIN_ERR_MEMORY, "out of memory for the summary");
    json_object_foreach(figures, key, value)
    {
        moments m = moments_of(runs, n, section, key);
        if (status || m.n == 0) {
            continue;
        }
        json_t *one = json_pack("{s:f, s:i}", "mean", m.mean, "n", m.n);
        status = one ? cli_set_real(one, "spread", m.spread, err)
                     : tin_fail(err, TIN_ERR_MEMORY, "out of memory for the summary");
        status = status ? (json_decref(one), status) : cli_set(object, key, one, err);
    }
    return status ? (json_decref(object), status) : cli_set(summary, section, object, err);
}

static tin_status print_json(const seed_run *runs, int n, tin_error *err)
{
    json_t *list = json_array(), *summary = json_object();
    char *text = NULL;
    tin_status status =
        list && summary ? TIN_OK : tin_fail(err, TIN_ERR_MEMORY, "out of memory for the results of the seeds");
    for (int i = 0; i < n && !status; i++) {
        status = json_array_append(list, runs[i].results) == 0
                     ? TIN_OK
                     : tin_fail(err, TIN_ERR_MEMORY, "out of memory for the results of the seeds");
    }
    for (size_t i = 0; i < sizeof summed / sizeof *summed && !status; i++) {
        status = summarise(runs, n, summed[i], summary, err);
    }
    json_t *root = status ? NULL : json_pack("{s:O, s:O}", "runs", list, "summary", summary);
    text = root ? json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(12)) : NULL;
    if (text) {
        puts(text);
    } else if (!status) {
        status = tin_fail(err, TIN_ERR_MEMORY, "out of memory for the results of the seeds");
    }
    free(text);
    json_decref(root);
    json_decref(list);
    json_decref(summary);
    return status;
}

static void print_table(const seed_run *runs, int n)
{
    char text[32];
    printf("%-26s", runs[0].what);
    for (int i = 0; i < n; i++) {
        printf("  %9" PRIu64, runs[i].seed);
    }
    printf("  %9s  %9s\n", "mean", "spread");
    for (const cli_figure *f = cli_figures; f->key; f++) {
        const char *section = tin_stage_name(f->stage);
        moments m = moments_of(runs, n, section, f->key);
        if (m.n == 0) {
            continue;
        }
        printf("%-26s", f->title);
        for (int i = 0; i < n; i++) {
            double value = cli_figure_value(f, json_object_get(runs[i].results, section));
            printf("  %9s", cli_figure_text(text, f, value, false));
        }
        printf("  %9s", cli_figure_text(text, f, f->scale * m.mean, false));
        printf("  %9s\n", cli_figure_text(text, f, m.n > 1 ? f->scale * m.spread : (double)NAN, false));
    }
}

/* The dataset comes first, once for all (simulated people depend on the seed, so that there each seed has its own, and
 * each fold has its own anyhow; but the folds are fixed once). None of
 * this process's threads may be left when it forks. */
static tin_status prepare(const cli_options *options, const seed_run *run, int *cores, tin_error *err)
{
    cli_session session = {0};
    cli_options first = *options;
    choose(&first, run);
    tin_status status = cli_session_open(&session, &first, err);
    status = status ? status : cli_data_stage(&session, options->force, err);
    *cores = session.pool ? tin_pool_threads(session.pool) : 1;
    cli_session_close(&session);
    return status;
}

tin_status cli_run_seeds(const cli_command *command, const cli_options *options, tin_error *err)
{
    seed_run runs[CLI_MAX_SEEDS] = {{0}};
    int n = options->n_folds > 0 ? options->n_folds : options->n_seeds, cores = 1;
    for (int i = 0; i < n; i++) {
        runs[i].what = options->n_folds > 0 ? "fold" : "seed";
        runs[i].seed = options->n_folds > 0 ? (uint64_t)i + 1 : options->seeds[i];
    }
    tin_status status = prepare(options, &runs[0], &cores, err);
    status = status ? status : run_all(command, options, runs, n, cores, err);
    if (status == TIN_OK && options->json) {
        status = print_json(runs, n, err);
    } else if (status == TIN_OK) {
        print_table(runs, n);
    }
    for (int i = 0; i < n; i++) {
        json_decref(runs[i].results);
        if (runs[i].output) {
            fclose(runs[i].output);
        }
    }
    return status;
}
