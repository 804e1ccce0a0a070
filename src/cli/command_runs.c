/* The list of runs, one run in full, and tags. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cli/cli.h"
#include "cli/columns.h"
#include "cli/run_names.h"

/* A run with its figures read, as the list sorts and shows it. */
typedef struct listed {
    const tin_run_row *row;
    double values[CLI_MOST_FIGURES]; /* scaled, in the order of cli_figures; NaN: none */
    size_t place;                    /* by time */
} listed;

static void read_values(const tin_run_row *row, listed *item)
{
    json_t *figures[TIN_STAGE_COUNT];
    for (int s = 0; s < TIN_STAGE_COUNT; s++) {
        figures[s] = cli_row_figures(row, (tin_stage)s);
    }
    for (size_t f = 0; cli_figures[f].key; f++) {
        item->values[f] = cli_figure_value(&cli_figures[f], figures[cli_figures[f].stage]);
    }
    for (int s = 0; s < TIN_STAGE_COUNT; s++) {
        json_decref(figures[s]);
    }
    item->row = row;
}

/* The best first, runs without the figure last, equal ones by time. */
static int compare_listed(const void *left, const void *right, void *context)
{
    const listed *a = left, *b = right;
    const cli_figure *figure = context;
    double x = a->values[figure - cli_figures], y = b->values[figure - cli_figures];
    if (isnan(x) || isnan(y)) {
        return isnan(x) != isnan(y) ? isnan(x) - isnan(y) : (a->place > b->place) - (a->place < b->place);
    }
    int order = figure->better * ((x < y) - (x > y));
    return order ? order : (a->place > b->place) - (a->place < b->place);
}

static int compare_seeds(const void *left, const void *right)
{
    const listed *a = left, *b = right;
    int order = (a->row->run.seed > b->row->run.seed) - (a->row->run.seed < b->row->run.seed);
    return order ? order : (a->place > b->place) - (a->place < b->place);
}

static tin_status sort(listed *items, size_t n, const char *key, tin_error *err)
{
    char names[400] = "";
    const cli_figure *figure = key ? cli_figure_by_name(key) : NULL;
    if (!key || strcmp(key, "time") == 0) {
        return TIN_OK;
    }
    if (strcmp(key, "seed") == 0) {
        qsort(items, n, sizeof *items, compare_seeds);
        return TIN_OK;
    }
    if (figure) {
        qsort_r(items, n, sizeof *items, compare_listed, (void *)(uintptr_t)figure);
        return TIN_OK;
    }
    for (const cli_figure *f = cli_figures; f->key; f++) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, ", %s", f->name);
    }
    return tin_fail(err, TIN_ERR_USAGE, "--sort is '%.100s'; give one of time, seed%s", key, names);
}

static tin_status tags_array(const tin_run_row *row, json_t *object, tin_error *err)
{
    json_t *tags = json_array();
    for (size_t i = 0; i < row->n_tags; i++) {
        json_array_append_new(tags, json_string(row->tags[i]));
    }
    return cli_set(object, "tags", tags, err);
}

static tin_status row_object(const tin_run_row *row, json_t **object, tin_error *err)
{
    char seed[24];
    snprintf(seed, sizeof seed, "%" PRIu64, row->run.seed);
    *object = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "id", row->run.id, "project", row->project, "seed", seed,
                        "version", row->version, "started", row->started, "config_hash", row->run.config_hash,
                        "data_hash", row->run.data_hash);
    tin_status status =
        *object ? tags_array(row, *object, err) : tin_fail(err, TIN_ERR_MEMORY, "out of memory for the list of runs");
    for (int i = 0; i < TIN_STAGE_COUNT && !status; i++) {
        if (row->figures[i]) {
            json_t *figures = cli_row_figures(row, (tin_stage)i);
            status = cli_set(*object, tin_stage_name((tin_stage)i), figures ? figures : json_null(), err);
        }
    }
    return status;
}

static tin_status print_json(const listed *items, size_t n, tin_error *err)
{
    json_t *array = json_array();
    tin_status status = array ? TIN_OK : tin_fail(err, TIN_ERR_MEMORY, "out of memory for the list of runs");
    for (size_t i = 0; i < n && !status; i++) {
        json_t *object = NULL;
        status = row_object(items[i].row, &object, err);
        if (json_array_append_new(array, object) != 0 && !status) {
            status = tin_fail(err, TIN_ERR_MEMORY, "out of memory for the list of runs");
        }
    }
    json_t *object = json_pack("{s:O}", "runs", array);
    status = status ? status : cli_print_json(object, err);
    json_decref(object);
    json_decref(array);
    return status;
}

static const char *last_stage(const tin_run_row *row)
{
    const char *last = "-";
    for (int s = 0; s < TIN_STAGE_COUNT; s++) {
        last = row->figures[s] ? tin_stage_name((tin_stage)s) : last;
    }
    return last;
}

static void join_tags(const tin_run_row *row, char *text, size_t size)
{
    text[0] = '\0';
    for (size_t i = 0; i < row->n_tags; i++) {
        size_t used = strlen(text);
        snprintf(text + used, size - used, "%s%s", i > 0 ? " " : "", row->tags[i]);
    }
}

/* run, figures, tags, time, seed, stage; the rank says what a narrow terminal leaves out first. */
static tin_status fill_table(cli_table *table, cli_column *columns, const listed *items, size_t n, tin_error *err)
{
    size_t n_columns = 0;
    columns[n_columns++] = (cli_column){"run", true, 0};
    columns[n_columns++] = (cli_column){"started (UTC)", true, 4};
    columns[n_columns++] = (cli_column){"seed", false, 7};
    columns[n_columns++] = (cli_column){"done", true, 8};
    for (const cli_figure *f = cli_figures; f->key; f++) {
        if (f->heading) {
            columns[n_columns++] = (cli_column){f->heading, false, f->rank};
        }
    }
    columns[n_columns++] = (cli_column){"tags", true, 3};
    *table = (cli_table){.columns = columns, .n_columns = n_columns};
    tin_status status = TIN_OK;
    for (size_t i = 0; i < n && !status; i++) {
        const tin_run_row *row = items[i].row;
        char text[32], tags[512];
        status = cli_table_add(table, row->run.id, err);
        snprintf(text, sizeof text, "%.16s", row->started);
        status = status ? status : cli_table_add(table, text, err);
        snprintf(text, sizeof text, "%" PRIu64, row->run.seed);
        status = status ? status : cli_table_add(table, text, err);
        status = status ? status : cli_table_add(table, last_stage(row), err);
        for (const cli_figure *f = cli_figures; f->key && !status; f++) {
            if (f->heading) {
                status = cli_table_add(table, cli_figure_text(text, f, items[i].values[f - cli_figures], false), err);
            }
        }
        join_tags(row, tags, sizeof tags);
        status = status ? status : cli_table_add(table, tags, err);
    }
    return status;
}

static tin_status print_rows(const listed *items, size_t n, tin_error *err)
{
    cli_column columns[CLI_TABLE_MOST_COLUMNS];
    cli_table table = {0};
    tin_status status = fill_table(&table, columns, items, n, err);
    if (status == TIN_OK && n == 0) {
        printf("no runs\n");
    } else if (status == TIN_OK) {
        cli_table_print(&table, cli_terminal_width());
    }
    cli_table_free(&table);
    return status;
}

tin_status cli_command_runs(const cli_command *command, const cli_options *options, tin_error *err)
{
    (void)command;
    cli_session session = {0};
    tin_run_row *rows = NULL;
    listed *items = NULL;
    size_t n = 0;
    tin_status status = cli_session_open(&session, options, err);
    status = status ? status : tin_runs_list(session.runs, options->tag, &rows, &n, err);
    if (status == TIN_OK) {
        items = tin_alloc(n, sizeof *items, err);
        status = items ? TIN_OK : TIN_ERR_MEMORY;
    }
    for (size_t i = 0; i < n && !status; i++) {
        read_values(&rows[i], &items[i]);
        items[i].place = i;
    }
    status = status ? status : sort(items, n, options->sort, err);
    if (status == TIN_OK) {
        status = options->json ? print_json(items, n, err) : print_rows(items, n, err);
    }
    tin_free(items);
    tin_runs_list_free(rows, n);
    cli_session_close(&session);
    return status;
}

static tin_status add_settings(json_t *object, const tin_run_row *row, tin_error *err)
{
    tin_config_item *items = NULL;
    size_t n = 0;
    json_t *settings = json_object();
    tin_status status = tin_config_items(row->config, &items, &n, err);
    for (size_t i = 0; i < n && !status; i++) {
        status = cli_set(settings, items[i].key, json_string(items[i].value), err);
    }
    tin_config_items_free(items, n);
    return status ? (json_decref(settings), status) : cli_set(object, "settings", settings, err);
}

static tin_status add_files(json_t *object, const tin_run_file *files, size_t n, tin_error *err)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        json_t *file = json_pack("{s:s, s:s, s:s}", "stage", tin_stage_name(files[i].stage), "name", files[i].name,
                                 "sha256", files[i].sha256);
        if (!file || json_array_append_new(list, file) != 0) {
            json_decref(list);
            return tin_fail(err, TIN_ERR_MEMORY, "out of memory for the files of the run");
        }
    }
    return cli_set(object, "files", list, err);
}

static void print_run(const tin_run_row *row, const json_t *object)
{
    char tags[512], text[32];
    size_t i;
    const char *key;
    json_t *one;
    join_tags(row, tags, sizeof tags);
    printf("run %s of %s%s%s\n", row->run.id, row->project, tags[0] ? ", tags " : "", tags);
    printf("  started     %s UTC, by tinamou %s, seed %" PRIu64 "\n", row->started, row->version, row->run.seed);
    printf("  settings    %s\n  dataset     %s\n", row->run.config_hash, row->run.data_hash);
    for (int s = 0; s < TIN_STAGE_COUNT; s++) {
        if (row->figures[s]) {
            printf("  %-10s  %s UTC\n", tin_stage_name((tin_stage)s), row->finished[s]);
        }
    }
    printf("\nfigures\n");
    for (const cli_figure *f = cli_figures; f->key; f++) {
        double value = cli_figure_value(f, json_object_get(object, tin_stage_name(f->stage)));
        if (!isnan(value)) {
            printf("  %-24s  %10s\n", f->title, cli_figure_text(text, f, value, false));
        }
    }
    printf("\nfiles in %s\n", row->run.folder);
    json_array_foreach(json_object_get(object, "files"), i, one)
    {
        printf("  %-28s  %s\n", json_string_value(json_object_get(one, "name")),
               json_string_value(json_object_get(one, "sha256")));
    }
    printf("\nsettings\n");
    json_object_foreach(json_object_get(object, "settings"), key, one)
    {
        printf("  %s: %s\n", key, json_string_value(one));
    }
}

tin_status cli_command_runs_show(const cli_command *command, const cli_options *options, tin_error *err)
{
    (void)command;
    cli_session session = {0};
    tin_run_row *row = NULL;
    tin_run_file *files = NULL;
    size_t n_files = 0;
    json_t *object = NULL;
    tin_status status = cli_session_open(&session, options, err);
    status = status ? status : cli_find_run(session.runs, options->operands[0], &row, err);
    status = status ? status : tin_runs_files(session.runs, &row->run, &files, &n_files, err);
    status = status ? status : row_object(row, &object, err);
    status = status ? status : add_files(object, files, n_files, err);
    status = status ? status : add_settings(object, row, err);
    if (status == TIN_OK && options->json) {
        status = cli_print_json(object, err);
    } else if (status == TIN_OK) {
        print_run(row, object);
    }
    json_decref(object);
    tin_runs_files_free(files, n_files);
    tin_runs_list_free(row, row ? 1 : 0);
    cli_session_close(&session);
    return status;
}

static tin_status print_tags(tin_runs *runs, const char *id, tin_error *err)
{
    tin_run_row *row = NULL;
    tin_status status = cli_find_run(runs, id, &row, err);
    if (status) {
        return status;
    }
    json_t *object = json_pack("{s:s}", "id", row->run.id);
    status = tags_array(row, object, err);
    status = status ? status : cli_print_json(object, err);
    json_decref(object);
    tin_runs_list_free(row, 1);
    return status;
}

static tin_status change_tag(const cli_options *options,
                             tin_status (*change)(tin_runs *runs, const tin_run *run, const char *tag, tin_error *err),
                             tin_error *err)
{
    cli_session session = {0};
    tin_run_row *row = NULL;
    tin_status status = cli_session_open(&session, options, err);
    status = status ? status : cli_find_run(session.runs, options->operands[0], &row, err);
    status = status ? status : change(session.runs, &row->run, options->operands[1], err);
    if (status == TIN_OK && options->json) {
        status = print_tags(session.runs, row->run.id, err);
    }
    tin_runs_list_free(row, row ? 1 : 0);
    cli_session_close(&session);
    return status;
}

tin_status cli_command_runs_tag(const cli_command *command, const cli_options *options, tin_error *err)
{
    (void)command;
    return change_tag(options, tin_runs_tag, err);
}

tin_status cli_command_runs_untag(const cli_command *command, const cli_options *options, tin_error *err)
{
    (void)command;
    return change_tag(options, tin_runs_untag, err);
}
