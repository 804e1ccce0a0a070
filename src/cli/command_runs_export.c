#include <stdio.h>

#include "base/http.h"
#include "cli/cli.h"
#include "cli/run_names.h"
#include "project/mlflow.h"

static tin_status print(const cli_options *options, const tin_run_row *row, const tin_mlflow_result *r, tin_error *err)
{
    char shown[1024];
    tin_http_show(options->mlflow, shown, sizeof shown);
    if (options->json) {
        json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:b, s:I, s:I, s:I, s:s?}", "id", row->run.id, "server", shown,
                                   "experiment_id", r->experiment_id, "run_id", r->run_id, "again", r->again, "params",
                                   (json_int_t)r->n_params, "metrics", (json_int_t)r->n_metrics, "files",
                                   (json_int_t)r->n_files, "no_files", r->no_files[0] ? r->no_files : NULL);
        tin_status status = cli_print_json(object, err);
        json_decref(object);
        return status;
    }
    printf("run %s is run %s of experiment %s at %s%s\n", row->run.id, r->run_id, r->experiment_id, shown,
           r->again ? ", brought up to date" : "");
    printf("  %zu parameters, %zu metrics, ", r->n_params, r->n_metrics);
    if (r->no_files[0]) {
        printf("no files: %s\n", r->no_files);
    } else {
        printf("%zu files\n", r->n_files);
    }
    return TIN_OK;
}

tin_status cli_command_runs_export(const cli_command *command, const cli_options *options, tin_error *err)
{
    (void)command;
    cli_session session = {0};
    tin_run_row *row = NULL;
    tin_mlflow_result result;
    if (!options->mlflow) {
        return tin_fail(err, TIN_ERR_USAGE, "where to? give the server, e.g. --mlflow http://127.0.0.1:5000");
    }
    tin_status status = cli_session_open(&session, options, err);
    status = status ? status : cli_find_run(session.runs, options->operands[0], &row, err);
    status = status ? status : tin_mlflow_export(session.runs, row, options->mlflow, &result, err);
    status = status ? status : print(options, row, &result, err);
    tin_runs_list_free(row, row ? 1 : 0);
    cli_session_close(&session);
    return status;
}
