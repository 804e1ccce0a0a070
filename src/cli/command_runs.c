#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"

static tin_status row_object(const tin_run_row *row, json_t *array, tin_error *err)
{
    char seed[24];
    snprintf(seed, sizeof seed, "%" PRIu64, row->run.seed);
    json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:s}", "id", row->run.id, "project", row->project, "seed", seed,
                               "version", row->version, "started", row->started);
    if (!object || json_array_append_new(array, object) != 0) {
        return tin_fail(err, TIN_ERR_MEMORY, "out of memory for the list of runs");
    }
    tin_status status = TIN_OK;
    for (int i = 0; i < TIN_STAGE_COUNT && !status; i++) {
        if (row->figures[i]) {
            json_t *figures = json_loads(row->figures[i], 0, NULL);
            status = cli_set(object, tin_stage_name((tin_stage)i), figures ? figures : json_null(), err);
        }
    }
    return status;
}

static tin_status print_json(const tin_run_row *rows, size_t n, tin_error *err)
{
    json_t *array = json_array();
    tin_status status = array ? TIN_OK : tin_fail(err, TIN_ERR_MEMORY, "out of memory for the list of runs");
    for (size_t i = 0; i < n && !status; i++) {
        status = row_object(&rows[i], array, err);
    }
    json_t *object = json_pack("{s:O}", "runs", array);
    status = status ? status : cli_print_json(object, err);
    json_decref(object);
    json_decref(array);
    return status;
}

static void print_figure(const tin_run_row *row, tin_stage stage, const char *key, int decimals)
{
    json_t *figures = row->figures[stage] ? json_loads(row->figures[stage], 0, NULL) : NULL;
    const json_t *value = json_object_get(figures, key);
    if (json_is_number(value)) {
        char text[32];
        snprintf(text, sizeof text, "%.*f", decimals, json_number_value(value));
        printf("  %9s", text);
    } else {
        printf("  %9s", "-");
    }
    json_decref(figures);
}

static void print_rows(const tin_run_row *rows, size_t n)
{
    printf("%-12s  %-19s  %10s  %-8s  %9s  %9s  %9s  %9s\n", "run", "started (UTC)", "seed", "done", "accuracy",
           "missed", "flash", "insn/dec");
    for (size_t i = 0; i < n; i++) {
        const char *last = "-";
        for (int s = 0; s < TIN_STAGE_COUNT; s++) {
            last = rows[i].figures[s] ? tin_stage_name((tin_stage)s) : last;
        }
        printf("%-12s  %-19s  %10" PRIu64 "  %-8s", rows[i].run.id, rows[i].started, rows[i].run.seed, last);
        print_figure(&rows[i], TIN_STAGE_EVALUATE, "frame_accuracy", 4);
        print_figure(&rows[i], TIN_STAGE_EVALUATE, "fnr", 3);
        print_figure(&rows[i], TIN_STAGE_DEPLOY, "flash_bytes", 0);
        print_figure(&rows[i], TIN_STAGE_DEPLOY, "insn_per_decision", 0);
        printf("\n");
    }
}

tin_status cli_command_runs(const cli_command *command, const cli_options *options, tin_error *err)
{
    (void)command;
    cli_session session = {0};
    tin_run_row *rows = NULL;
    size_t n = 0;
    tin_status status = cli_session_open(&session, options, err);
    status = status ? status : tin_runs_list(session.runs, NULL, &rows, &n, err);
    if (status == TIN_OK && options->json) {
        status = print_json(rows, n, err);
    } else if (status == TIN_OK) {
        print_rows(rows, n);
    }
    tin_runs_list_free(rows, n);
    cli_session_close(&session);
    return status;
}
