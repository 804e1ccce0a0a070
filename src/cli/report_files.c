/* `tinamou report --png, --svg, --csv, --figures`: what the page shows, for other programs. */
#include "cli/cli.h"

tin_status cli_report_options(cli_session *session, tin_report_options *options, tin_run_file **files, tin_error *err)
{
    *files = NULL;
    *options = (tin_report_options){.folder = session->run.folder,
                                    .title = session->config->project,
                                    .settings = session->config->evaluate,
                                    .pool = session->pool,
                                    .quiet = session->options.quiet};
    tin_status status = tin_runs_files(session->runs, &session->run, files, &options->n_files, err);
    options->files = *files;
    return status;
}

tin_status cli_report_files(cli_session *session, tin_error *err)
{
    const cli_options *o = &session->options;
    const tin_export_paths paths = {.png = o->png, .svg = o->svg, .csv = o->csv, .json = o->figures};
    const struct {
        const char *name, *path;
    } wanted[] = {{"png", o->png}, {"svg", o->svg}, {"csv", o->csv}, {"figures", o->figures}};
    tin_report_options options;
    tin_run_file *made = NULL;
    if (!o->png && !o->svg && !o->csv && !o->figures) {
        return TIN_OK;
    }
    tin_status status = cli_report_options(session, &options, &made, err);
    status = status ? status : tin_evaluate_export(session->dataset, &options, &paths, err);
    tin_runs_files_free(made, options.n_files);
    json_t *files = status == TIN_OK ? json_object() : NULL;
    if (status == TIN_OK && !files) {
        status = tin_fail(err, TIN_ERR_MEMORY, "out of memory");
    }
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted && status == TIN_OK; i++) {
        status = wanted[i].path ? cli_set(files, wanted[i].name, json_string(wanted[i].path), err) : TIN_OK;
    }
    return status ? (json_decref(files), status) : cli_set(session->results, "files", files, err);
}
