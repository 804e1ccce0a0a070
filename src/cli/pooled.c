#include "cli/pooled.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "cli/columns.h"
#include "evaluate/pool_runs.h"

/* A figure of figures.h in RESULT of metrics.json. */
typedef struct pooled_figure {
    const char *figure;        /* its key in figures.h */
    const char *section, *key; /* in RESULT */
    const char *heading;       /* of its column in the table of people; NULL: not there */
} pooled_figure;

static const pooled_figure pooled_figures[] = {
    {"frame_accuracy", "frames", "accuracy", "accuracy"},
    {"balanced_accuracy", "frames", "balanced_accuracy", NULL},
    {"macro_f1", "frames", "macro_f1", "macro F1"},
    {"window_accuracy", "windows", "accuracy", NULL},
    {"fnr", "events", "fnr", "missed"},
    {"fcr", "events", "fcr", "wrong"},
    {"deadline_recall", "events", "deadline_recall", "in time"},
    {"fp_per_hour", "events", "fp_per_hour", "FP/h"},
    {"latency_mean_s", "events", "latency_mean_s", "latency"},
    {"event_f1", "events", "f1", NULL},
    {"iou50_f1", "events", "iou50_f1", "IoU.5"},
};
enum { N_FIGURES = sizeof pooled_figures / sizeof *pooled_figures };

tin_status cli_pool(const cli_session *session, const cli_run_group *group, json_t **pooled, tin_error *err)
{
    return tin_pool_runs(group->folders, group->n, session->config->evaluate.bootstrap, session->config->seed, pooled,
                         err);
}

static tin_status name_group(const char *ids, char tag[CLI_POOL_TAG], tin_error *err)
{
    char hex[TIN_HASH_HEX];
    tin_status status = tin_hash_bytes(ids, strlen(ids), hex, err);
    snprintf(tag, CLI_POOL_TAG, "folds-%.8s", hex);
    return status;
}

tin_status cli_pool_folds(const cli_session *session, const char *const *ids, size_t n, char tag[CLI_POOL_TAG],
                          json_t **pooled, tin_error *err)
{
    cli_run_group group = {0};
    size_t size = n * (sizeof session->run.id + 1) + 1;
    char *names = tin_alloc(size, 1, err);
    if (!names) {
        return TIN_ERR_MEMORY;
    }
    for (size_t i = 0; i < n; i++) {
        size_t used = strlen(names);
        snprintf(names + used, size - used, "%s%s", i > 0 ? "," : "", ids[i]);
    }
    tin_status status = name_group(names, tag, err);
    status = status ? status : cli_find_group(session->runs, names, &group, err);
    for (size_t i = 0; i < group.n && !status; i++) {
        status = tin_runs_tag(session->runs, &group.rows[i].run, tag, err);
    }
    status = status ? status : cli_pool(session, &group, pooled, err);
    cli_run_group_free(&group);
    tin_free(names);
    return status;
}

static const char *interval_text(char text[80], const cli_figure *f, const json_t *pair)
{
    char low[32], high[32];
    const json_t *a = json_array_get(pair, 0), *b = json_array_get(pair, 1);
    snprintf(text, 80, "-");
    if (json_is_number(a) && json_is_number(b)) {
        snprintf(text, 80, "%s to %s", cli_figure_text(low, f, f->scale * json_number_value(a), false),
                 cli_figure_text(high, f, f->scale * json_number_value(b), false));
    }
    return text;
}

static double scaled(const cli_figure *f, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? f->scale * json_number_value(value) : (double)NAN;
}

static tin_status add_cells(cli_table *table, const char *const *cells, size_t n, tin_error *err)
{
    tin_status status = TIN_OK;
    for (size_t i = 0; i < n && !status; i++) {
        status = cli_table_add(table, cells[i], err);
    }
    return status;
}

static tin_status add_figure(cli_table *table, const pooled_figure *p, const json_t *result, tin_error *err)
{
    const cli_figure *f = cli_figure_by_key(p->figure);
    const json_t *section = json_object_get(result, p->section);
    const json_t *worst = json_object_get(json_object_get(section, "worst"), p->key);
    const char *name = json_string_value(json_object_get(worst, "name"));
    char value[32], people[80], exact[80], person[32], key[64];
    if (isnan(scaled(f, section, p->key))) {
        return TIN_OK;
    }
    snprintf(key, sizeof key, "%s_95", p->key);
    interval_text(people, f, json_object_get(section, key));
    snprintf(key, sizeof key, "%s_exact_95", p->key);
    const char *const cells[] = {f->title,
                                 cli_figure_text(value, f, scaled(f, section, p->key), false),
                                 people,
                                 interval_text(exact, f, json_object_get(section, key)),
                                 cli_figure_text(person, f, scaled(f, worst, "value"), false),
                                 name ? name : ""};
    return add_cells(table, cells, sizeof cells / sizeof *cells, err);
}

static tin_status print_figures(const json_t *result, tin_error *err)
{
    static const cli_column columns[] = {{"figure", true, 0},       {"all", false, 0},   {"95 %, people", false, 0},
                                         {"95 %, exact", false, 2}, {"worst", false, 1}, {"person", true, 1}};
    cli_table table = {.columns = columns, .n_columns = sizeof columns / sizeof *columns};
    tin_status status = TIN_OK;
    for (size_t i = 0; i < N_FIGURES && !status; i++) {
        status = add_figure(&table, &pooled_figures[i], result, err);
    }
    if (status == TIN_OK) {
        const char *words = json_string_value(json_object_get(json_object_get(result, "events"), "fp_per_hour_words"));
        cli_table_print(&table, cli_terminal_width());
        if (words) {
            printf("%s\n", words);
        }
    }
    cli_table_free(&table);
    return status;
}

/* Figures of a person or of a detector; `frames` is where those of frames are. */
static tin_status add_row(cli_table *table, const char *name, const json_t *frames, const json_t *events,
                          tin_error *err)
{
    char text[32];
    const json_t *n = json_object_get(events, "n_events");
    tin_status status = cli_table_add(table, name ? name : "", err);
    snprintf(text, sizeof text, "-");
    if (json_is_integer(n)) {
        snprintf(text, sizeof text, "%lld", (long long)json_integer_value(n));
    }
    status = status ? status : cli_table_add(table, text, err);
    for (size_t i = 0; i < N_FIGURES && !status; i++) {
        const pooled_figure *p = &pooled_figures[i];
        const cli_figure *f = cli_figure_by_key(p->figure);
        const json_t *section = strcmp(p->section, "events") == 0 ? events : frames;
        if (p->heading) {
            status = cli_table_add(table, cli_figure_text(text, f, scaled(f, section, p->key), false), err);
        }
    }
    return status;
}

static size_t row_columns(cli_column *columns, const char *first)
{
    size_t n = 0;
    columns[n++] = (cli_column){first, true, 0};
    columns[n++] = (cli_column){"events", false, 0};
    for (size_t i = 0; i < N_FIGURES; i++) {
        if (pooled_figures[i].heading) {
            columns[n++] = (cli_column){pooled_figures[i].heading, false, (int)n};
        }
    }
    return n;
}

static tin_status print_people(const json_t *people, tin_error *err)
{
    size_t i;
    const json_t *one;
    cli_column columns[N_FIGURES + 2];
    cli_table table = {.columns = columns, .n_columns = row_columns(columns, "person")};
    tin_status status = TIN_OK;
    json_array_foreach(people, i, one)
    {
        const char *name = json_string_value(json_object_get(one, "name"));
        status = status ? status : add_row(&table, name, one, json_object_get(one, "events"), err);
    }
    if (status == TIN_OK) {
        cli_table_print(&table, cli_terminal_width());
    }
    cli_table_free(&table);
    return status;
}

static tin_status print_trivial(const json_t *trivial, tin_error *err)
{
    size_t i;
    const json_t *one;
    cli_column columns[N_FIGURES + 2];
    cli_table table = {.columns = columns, .n_columns = row_columns(columns, "looking at no signal")};
    tin_status status = TIN_OK;
    json_array_foreach(trivial, i, one)
    {
        const char *name = json_string_value(json_object_get(one, "name"));
        status = status ? status
                        : add_row(&table, name, json_object_get(one, "frames"), json_object_get(one, "events"), err);
    }
    if (status == TIN_OK) {
        cli_table_print(&table, cli_terminal_width());
    }
    cli_table_free(&table);
    return status;
}

tin_status cli_print_pooled(const json_t *pooled, tin_error *err)
{
    const json_t *result = json_object_get(json_object_get(pooled, "test"), "integer");
    const json_t *people = json_object_get(result, "people");
    long long n_runs = (long long)json_integer_value(json_object_get(pooled, "n_runs"));
    printf("%zu test %s of %lld run%s\n\n", json_array_size(people), json_array_size(people) == 1 ? "person" : "people",
           n_runs, n_runs == 1 ? "" : "s");
    tin_status status = print_figures(result, err);
    putchar('\n');
    status = status ? status : print_people(people, err);
    putchar('\n');
    return status ? status : print_trivial(json_object_get(pooled, "trivial"), err);
}

tin_status cli_command_runs_pool(const cli_command *command, const cli_options *options, tin_error *err)
{
    (void)command;
    cli_session session = {0};
    cli_run_group group = {0};
    json_t *pooled = NULL;
    tin_status status = cli_session_open(&session, options, err);
    status = status ? status : cli_find_group(session.runs, options->operands[0], &group, err);
    status = status ? status : cli_pool(&session, &group, &pooled, err);
    if (status == TIN_OK) {
        status = options->json ? cli_print_json(pooled, err) : cli_print_pooled(pooled, err);
    }
    json_decref(pooled);
    cli_run_group_free(&group);
    cli_session_close(&session);
    return status;
}
