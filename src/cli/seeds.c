/* `run --seeds`, `--folds` and `--leave-one-out`: a run per seed or fold, each in a process of its own, as many at a time as
 * there are cores; then mean and spread, and of folds the figures over all people. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/progress.h"
#include "cli/cli.h"
#include "cli/figures.h"
#include "cli/pooled.h"

#define MOST_IN_TABLE 10 /* folds that have a column each */

/* What a child left: its results as JSON, or, when it failed, its tin_error. */
typedef struct seed_run {
    char name[64]; /* "seed 4", "fold 3 (p04)" */
    uint64_t number;
    pid_t pid;    /* 0: not begun, -1: over */
    FILE *output; /* unnamed */
    json_t *results;
} seed_run;

typedef struct seed_runs {
    seed_run *items;
    int n, n_begun, n_done, cores;
    double started; /* tin_now */
} seed_runs;

static const char *const summed[] = {"train", "quantize", "evaluate", "deploy"};

static tin_status system_error(tin_error *err, const char *action)
{
    return tin_fail_errno(err, "--seeds or --folds", action);
}

static bool has_folds(const cli_options *options)
{
    return options->n_folds > 0 || options->leave_one_out;
}

/* The options of the run of one seed or fold. */
static cli_options choose(const cli_options *options, uint64_t number)
{
    cli_options own = *options;
    own.n_seeds = 0;
    if (has_folds(options)) {
        own.fold = (int)number;
    } else {
        own.has_seed = true;
        own.seed = number;
    }
    return own;
}

/* The child: never returns. It ends with its parent, also when that is killed: else it would keep its run from whoever
 * goes on with it. */
static void work(const cli_command *command, const cli_options *options, const seed_run *run, int threads, bool quiet,
                 pid_t parent)
{
    cli_options own = choose(options, run->number);
    tin_error err = {0};
    own.json = true;
    own.threads = threads;
    own.quiet = quiet;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) {
        _exit(1);
    }
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
    pid_t parent = getpid(), pid = fork();
    if (pid < 0) {
        return system_error(err, "cannot start a process");
    }
    if (pid == 0) {
        work(command, options, run, threads, quiet, parent);
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
        return run->results ? TIN_OK : tin_fail(err, TIN_ERR_MEMORY, "%s: its results are lost", run->name);
    }
    if (fread(&why, sizeof why, 1, run->output) != 1) {
        return tin_fail(err, TIN_ERR_TOOL, "%s: its process was ended from outside; run again to go on", run->name);
    }
    return tin_fail_at(err, why.status, why.file, why.line, "%s: %s", run->name, why.message);
}

/* "seed 4: done, 1 of 3, about 5 min left" */
static void tell_done(const seed_runs *r, const seed_run *run)
{
    char left[48] = "";
    double minutes = (tin_now() - r->started) / r->n_done * (r->n - r->n_done) / 60;
    if (minutes >= 1) {
        snprintf(left, sizeof left, ", about %.0f min left", minutes);
    }
    fprintf(stderr, "%s: done, %d of %d%s\n", run->name, r->n_done, r->n, left);
}

/* Waits for one child to end. */
static tin_status wait_for_one(seed_runs *r, bool quiet, tin_error *err)
{
    int code = 0;
    pid_t pid = wait(&code);
    if (pid < 0) {
        return errno == EINTR ? TIN_OK : system_error(err, "cannot wait for a process");
    }
    for (int i = 0; i < r->n; i++) {
        seed_run *run = &r->items[i];
        if (run->pid == pid) {
            run->pid = -1;
            r->n_done++;
            tin_status status = take_results(run, code, err);
            if (status == TIN_OK && !quiet) {
                tell_done(r, run);
            }
            fclose(run->output);
            run->output = NULL;
            return status;
        }
    }
    return TIN_OK;
}

static void end_all(const seed_runs *r)
{
    for (int i = 0; i < r->n_begun; i++) {
        if (r->items[i].pid > 0) {
            kill(r->items[i].pid, SIGTERM);
        }
    }
    for (int i = 0; i < r->n_begun; i++) {
        while (r->items[i].pid > 0 && waitpid(r->items[i].pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
}

/* One of the children that are at work shows its progress for all. */
static tin_status run_all(const cli_command *command, const cli_options *options, seed_runs *r, tin_error *err)
{
    int at_once = r->n < r->cores ? r->n : r->cores, loud = -1;
    tin_status status = TIN_OK;
    r->started = tin_now();
    while (r->n_done < r->n && status == TIN_OK) {
        while (r->n_begun < r->n && r->n_begun - r->n_done < at_once && status == TIN_OK) {
            bool quiet = options->quiet || (loud >= 0 && r->items[loud].pid > 0);
            loud = quiet ? loud : r->n_begun;
            status = begin(command, options, &r->items[r->n_begun], r->cores / at_once, quiet, err);
            r->n_begun++;
        }
        status = status ? status : wait_for_one(r, options->quiet, err);
        if (status == TIN_OK && tin_stop_requested()) {
            status = tin_fail(err, TIN_ERR_INTERRUPTED, "stopped by the user; run again to go on");
        }
    }
    end_all(r);
    return status;
}

typedef struct moments {
    int n;
    double mean, spread; /* sample standard deviation; NaN for one value */
} moments;

/* Over the seeds in which the figure is a number. */
static moments moments_of(const seed_runs *r, const char *section, const char *key)
{
    moments m = {0};
    double sum = 0, squares = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < r->n; i++) {
            const json_t *value = json_object_get(json_object_get(r->items[i].results, section), key);
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
static tin_status summarise(const seed_runs *r, const char *section, json_t *summary, tin_error *err)
{
    json_t *object = json_object(), *figures = json_object_get(r->items[0].results, section), *value;
    const char *key;
    tin_status status = object ? TIN_OK : tin_fail(err, TIN_ERR_MEMORY, "out of memory for the summary");
    json_object_foreach(figures, key, value)
    {
        moments m = moments_of(r, section, key);
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

/* What was asked for: the runs, mean and spread, and, of folds, the figures over all people. */
static tin_status print_json(const seed_runs *r, const char *tag, const json_t *pooled, tin_error *err)
{
    json_t *list = json_array(), *summary = json_object();
    char *text = NULL;
    tin_status status =
        list && summary ? TIN_OK : tin_fail(err, TIN_ERR_MEMORY, "out of memory for the results of the seeds");
    for (int i = 0; i < r->n && !status; i++) {
        status = json_array_append(list, r->items[i].results) == 0
                     ? TIN_OK
                     : tin_fail(err, TIN_ERR_MEMORY, "out of memory for the results of the seeds");
    }
    for (size_t i = 0; i < sizeof summed / sizeof *summed && !status; i++) {
        status = summarise(r, summed[i], summary, err);
    }
    json_t *root = status ? NULL : json_pack("{s:O, s:O}", "runs", list, "summary", summary);
    if (root && pooled && json_object_update_new(root, json_pack("{s:s, s:O}", "tag", tag, "pooled", pooled)) != 0) {
        status = tin_fail(err, TIN_ERR_MEMORY, "out of memory for the results of the folds");
    }
    text = root && !status ? json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(12)) : NULL;
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

static void print_table(const seed_runs *r, const char *what)
{
    char text[32];
    printf("%-26s", what);
    for (int i = 0; i < r->n; i++) {
        printf("  %9" PRIu64, r->items[i].number);
    }
    printf("  %9s  %9s\n", "mean", "spread");
    for (const cli_figure *f = cli_figures; f->key; f++) {
        const char *section = tin_stage_name(f->stage);
        moments m = moments_of(r, section, f->key);
        if (m.n == 0) {
            continue;
        }
        printf("%-26s", f->title);
        for (int i = 0; i < r->n; i++) {
            double value = cli_figure_value(f, json_object_get(r->items[i].results, section));
            printf("  %9s", cli_figure_text(text, f, value, false));
        }
        printf("  %9s", cli_figure_text(text, f, f->scale * m.mean, false));
        printf("  %9s\n", cli_figure_text(text, f, m.n > 1 ? f->scale * m.spread : (double)NAN, false));
    }
}

static tin_status make_runs(seed_runs *r, const cli_options *options, const tin_data_fold *folds, size_t n,
                            tin_error *err)
{
    r->n = has_folds(options) ? (int)n : options->n_seeds;
    r->items = tin_alloc((size_t)r->n, sizeof *r->items, err);
    for (int i = 0; i < r->n && r->items; i++) {
        seed_run *run = &r->items[i];
        if (!has_folds(options)) {
            run->number = options->seeds[i];
            snprintf(run->name, sizeof run->name, "seed %" PRIu64, run->number);
            continue;
        }
        bool named = folds[i].units[0] != '\0', much = strlen(folds[i].units) > 40;
        run->number = (uint64_t)folds[i].fold;
        snprintf(run->name, sizeof run->name, "fold %d%s%.40s%s%s", folds[i].fold, named ? " (" : "", folds[i].units,
                 much ? "..." : "", named ? ")" : "");
    }
    return r->items ? TIN_OK : TIN_ERR_MEMORY;
}

/* The dataset comes first, once for all (simulated people depend on the seed, so that there each seed has its own, and
 * each fold has its own anyhow; but the folds are fixed once). None of
 * this process's threads may be left when it forks. */
static tin_status prepare(const cli_options *options, seed_runs *r, tin_error *err)
{
    cli_session session = {0};
    tin_data_fold *folds = NULL;
    size_t n_folds = 0;
    const cli_options first = choose(options, has_folds(options) ? 1 : options->seeds[0]);
    tin_status status = cli_session_open(&session, &first, err);
    status = status ? status : cli_data_stage(&session, options->force, err);
    status = status || !has_folds(options) ? status : cli_folds(&session, &folds, &n_folds, err);
    status = status ? status : make_runs(r, options, folds, n_folds, err);
    r->cores = session.pool ? tin_pool_threads(session.pool) : 1;
    tin_data_folds_free(folds, n_folds);
    cli_session_close(&session);
    return status;
}

/* The folds as one, found again by their tag. */
static tin_status pool_folds(const cli_options *options, const seed_runs *r, char tag[CLI_POOL_TAG], json_t **pooled,
                             tin_error *err)
{
    cli_session session = {0};
    const char **ids = tin_alloc((size_t)r->n, sizeof *ids, err);
    const cli_options first = choose(options, r->items[0].number);
    tin_status status = ids ? cli_session_open(&session, &first, err) : TIN_ERR_MEMORY;
    for (int i = 0; i < r->n && !status; i++) {
        ids[i] = json_string_value(json_object_get(json_object_get(r->items[i].results, "run"), "id"));
    }
    status = status ? status : cli_pool_folds(&session, ids, (size_t)r->n, tag, pooled, err);
    tin_free(ids);
    cli_session_close(&session);
    return status;
}

static tin_status print_text(const seed_runs *r, bool folds, const char *tag, const json_t *pooled, tin_error *err)
{
    if (!folds || r->n <= MOST_IN_TABLE) {
        print_table(r, folds ? "fold" : "seed");
        printf(folds ? "\n" : "");
    }
    tin_status status = folds ? cli_print_pooled(pooled, err) : TIN_OK;
    if (folds && !status) {
        printf("\n`tinamou runs pool %s` shows this again\n", tag);
    }
    return status;
}

tin_status cli_run_seeds(const cli_command *command, const cli_options *options, tin_error *err)
{
    seed_runs r = {0};
    char tag[CLI_POOL_TAG] = "";
    json_t *pooled = NULL;
    bool folds = has_folds(options);
    tin_status status = prepare(options, &r, err);
    status = status ? status : run_all(command, options, &r, err);
    status = status || !folds ? status : pool_folds(options, &r, tag, &pooled, err);
    if (status == TIN_OK) {
        status = options->json ? print_json(&r, tag, pooled, err) : print_text(&r, folds, tag, pooled, err);
    }
    for (int i = 0; i < r.n && r.items; i++) {
        json_decref(r.items[i].results);
        if (r.items[i].output) {
            fclose(r.items[i].output);
        }
    }
    json_decref(pooled);
    tin_free(r.items);
    return status;
}
