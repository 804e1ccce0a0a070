#include "cli/run_names.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"

tin_status cli_find_run(tin_runs *runs, const char *name, tin_run_row **row, tin_error *err)
{
    size_t n = 0;
    tin_status status = tin_runs_find(runs, name, row, &n, err);
    if (status == TIN_OK && n > 1) {
        status = tin_fail(err, TIN_ERR_USAGE, "the tag '%s' is on %zu runs, %s and %s among them; give the ID of one",
                          name, n, (*row)[0].run.id, (*row)[1].run.id);
    }
    if (status) {
        tin_runs_list_free(*row, n);
        *row = NULL;
    }
    return status;
}

tin_status cli_need_stage(tin_runs *runs, const tin_run_row *row, tin_stage stage, tin_error *err)
{
    bool done = false;
    tin_status status = tin_runs_stage_done(runs, &row->run, stage, &done, err);
    if (status == TIN_OK && !done) {
        const char *name = tin_stage_name(stage);
        status = tin_fail(err, TIN_ERR_USAGE,
                          "run %s has no finished stage '%s', or its files were changed; run `tinamou %s` with the "
                          "settings of that run",
                          row->run.id, name, name);
    }
    return status;
}

/* Takes the rows over; their array is freed. */
static tin_status join(cli_run_group *group, tin_run_row *rows, size_t n, tin_error *err)
{
    tin_run_row *all = tin_alloc(group->n + n, sizeof *all, err);
    if (!all) {
        tin_runs_list_free(rows, n);
        return TIN_ERR_MEMORY;
    }
    memcpy(all, group->rows, group->n * sizeof *all);
    memcpy(all + group->n, rows, n * sizeof *all);
    tin_free(group->rows);
    tin_free(rows);
    group->rows = all;
    group->n += n;
    return TIN_OK;
}

static tin_status check_group(tin_runs *runs, cli_run_group *group, tin_error *err)
{
    group->folders = tin_alloc(group->n, sizeof *group->folders, err);
    if (!group->folders) {
        return TIN_ERR_MEMORY;
    }
    for (size_t i = 0; i < group->n; i++) {
        for (size_t k = 0; k < i; k++) {
            if (strcmp(group->rows[i].run.id, group->rows[k].run.id) == 0) {
                return tin_fail(err, TIN_ERR_USAGE, "run %s stands twice on one side; give each once",
                                group->rows[i].run.id);
            }
        }
        tin_status status = cli_need_stage(runs, &group->rows[i], TIN_STAGE_EVALUATE, err);
        if (status) {
            return status;
        }
        group->folders[i] = group->rows[i].run.folder;
    }
    return TIN_OK;
}

tin_status cli_find_group(tin_runs *runs, const char *names, cli_run_group *group, tin_error *err)
{
    char name[128];
    tin_status status = TIN_OK;
    for (const char *at = names; at && !status; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
        tin_run_row *rows = NULL;
        size_t n = 0;
        snprintf(name, sizeof name, "%.*s", (int)strcspn(at, ","), at);
        status = tin_runs_find(runs, name, &rows, &n, err);
        status = status ? status : join(group, rows, n, err);
    }
    return status ? status : check_group(runs, group, err);
}

void cli_run_group_free(cli_run_group *group)
{
    tin_runs_list_free(group->rows, group->n);
    tin_free(group->folders);
    *group = (cli_run_group){0};
}

json_t *cli_row_figures(const tin_run_row *row, tin_stage stage)
{
    return row->figures[stage] ? json_loads(row->figures[stage], 0, NULL) : NULL;
}

static const char *value_of(const tin_config_item *items, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(items[i].key, key) == 0) {
            return items[i].value;
        }
    }
    return NULL;
}

static tin_status add_difference(json_t *list, const char *key, const char *a, const char *b, tin_error *err)
{
    json_t *one = json_pack("{s:s, s:s?, s:s?}", "key", key, "a", a, "b", b);
    return one && json_array_append_new(list, one) == 0
               ? TIN_OK
               : tin_fail(err, TIN_ERR_MEMORY, "out of memory for the settings");
}

/* What differs between the runs of one experiment. */
static bool is_of_run(const char *key)
{
    return strcmp(key, "seed") == 0 || strcmp(key, "data.split.fold") == 0;
}

tin_status cli_settings_diff(const tin_run_row *a, const tin_run_row *b, bool seed, json_t **list, tin_error *err)
{
    tin_config_item *in_a = NULL, *in_b = NULL;
    size_t n_a = 0, n_b = 0;
    *list = json_array();
    tin_status status = *list ? TIN_OK : tin_fail(err, TIN_ERR_MEMORY, "out of memory for the settings");
    status = status ? status : tin_config_items(a->config, &in_a, &n_a, err);
    status = status ? status : tin_config_items(b->config, &in_b, &n_b, err);
    for (size_t i = 0; i < n_a && !status; i++) {
        const char *other = value_of(in_b, n_b, in_a[i].key);
        if ((!other || strcmp(in_a[i].value, other) != 0) && (seed || !is_of_run(in_a[i].key))) {
            status = add_difference(*list, in_a[i].key, in_a[i].value, other, err);
        }
    }
    for (size_t i = 0; i < n_b && !status; i++) {
        if (!value_of(in_a, n_a, in_b[i].key)) {
            status = add_difference(*list, in_b[i].key, NULL, in_b[i].value, err);
        }
    }
    tin_config_items_free(in_a, n_a);
    tin_config_items_free(in_b, n_b);
    return status;
}
