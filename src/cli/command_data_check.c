#include <stdio.h>

#include "cli/cli.h"
#include "inspect/check.h"
#include "inspect/check_page.h"
#include "inspect/findings_json.h"

#define MOST_PRINTED 5 /* findings of a check, for people; --json has all */

static tin_status load_model(const cli_session *session, tin_qmodel **model, char id[16], tin_error *err)
{
    char path[TIN_PATH_MAX];
    tin_run_row *rows = NULL;
    size_t n = 0;
    if (!session->options.run) {
        return TIN_OK;
    }
    tin_status status = tin_runs_find(session->runs, session->options.run, &rows, &n, err);
    if (!status && !rows[0].finished[TIN_STAGE_QUANTIZE][0]) {
        status = tin_fail(err, TIN_ERR_USAGE, "run %s has no integer model yet; finish it with `tinamou quantize`",
                          rows[0].run.id);
    }
    if (!status) {
        snprintf(id, 16, "%s", rows[0].run.id);
        status = tin_path_join(path, rows[0].run.folder, "model_int8", err);
    }
    tin_runs_list_free(rows, n);
    return status ? status : tin_qmodel_load(model, path, err);
}

static void print_finding(const tin_finding *f, const tin_dataset *d)
{
    printf("  %-8s", tin_severity_name(f->severity));
    if (f->stream >= 0) {
        printf("%s", d->streams[f->stream].id);
        if (f->end > f->start) {
            printf(" %.2f..%.2f s", (double)f->start / d->rate_hz, (double)f->end / d->rate_hz);
        }
        printf(": ");
    }
    printf("%s\n", f->text);
}

static void print_text(const tin_findings *findings, const tin_dataset *d)
{
    size_t printed = 0;
    for (size_t i = 0; i < findings->n; i++) {
        const tin_finding *f = &findings->items[i];
        bool first = i == 0 || findings->items[i - 1].check != f->check;
        bool last = i + 1 == findings->n || findings->items[i + 1].check != f->check;
        if (first) {
            printf("%s: %zu\n", tin_check_title(f->check), findings->found[f->check]);
            printed = 0;
        }
        if (printed < MOST_PRINTED) {
            print_finding(f, d);
            printed++;
        }
        if (last) {
            if (findings->found[f->check] > printed) {
                printf("  and %zu more\n", findings->found[f->check] - printed);
            }
            printf("  -> %s\n", tin_check_mend(f->check));
        }
    }
    printf("%zu faults, %zu warnings, %zu notes\n", tin_findings_count(findings, TIN_FAULT),
           tin_findings_count(findings, TIN_WARNING), tin_findings_count(findings, TIN_NOTE));
}

/* Page and list of labels to change, beside the dataset. */
static tin_status write_files(const cli_session *session, const tin_findings *findings, const json_t *json,
                              const tin_qmodel *model, tin_error *err)
{
    char folder[TIN_PATH_MAX], page[TIN_PATH_MAX], list[TIN_PATH_MAX];
    tin_status status = tin_path_join(folder, session->project, "data", err);
    status = status ? status : tin_path_join(page, folder, CLI_CHECK_PAGE, err);
    status = status ? status : tin_path_join(list, folder, CLI_RELABEL, err);
    status =
        status ? status : tin_check_page(page, session->config->project, json, findings, session->dataset, model, err);
    status = status ? status : tin_findings_relabel(findings, session->dataset, list, err);
    if (status == TIN_OK) {
        cli_log(session, "check: %s, %s", page, list);
    }
    return status;
}

tin_status cli_command_data_check(const cli_command *command, const cli_options *options, tin_error *err)
{
    (void)command;
    cli_session session = {0};
    tin_qmodel *model = NULL;
    tin_findings findings = {0};
    json_t *json = NULL;
    char id[16] = "";
    tin_status status = cli_session_open(&session, options, err);
    status = status ? status : load_model(&session, &model, id, err);
    status = status ? status : cli_open_dataset(&session, false, err);
    if (status == TIN_OK) {
        const tin_check_options how = {model, session.pool, options->quiet};
        status = tin_check_dataset(&findings, session.dataset, &how, err);
    }
    status = status ? status : tin_findings_json(&json, &findings, session.dataset, model ? id : NULL, err);
    status = status ? status : write_files(&session, &findings, json, model, err);
    if (status == TIN_OK && options->json) {
        status = cli_print_json(json, err);
    } else if (status == TIN_OK) {
        print_text(&findings, session.dataset);
    }
    size_t bad = tin_findings_count(&findings, TIN_FAULT);
    bad += options->strict ? tin_findings_count(&findings, TIN_WARNING) : 0;
    status = status == TIN_OK && bad > 0 ? TIN_DIFFERENT : status;
    json_decref(json);
    tin_findings_free(&findings);
    tin_qmodel_free(model);
    cli_session_close(&session);
    return status;
}
