/* `tinamou check`: bounds of a run's figures, and no regression against other runs, for a user's continuous integration. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cli/cli.h"
#include "cli/run_names.h"

/* The newest run whose evaluation is done, by when it finished. */
static tin_status newest_run(tin_runs *runs, tin_run_row **row, tin_error *err)
{
    tin_run_row *rows = NULL;
    size_t n = 0, newest = 0;
    char id[13];
    tin_status status = tin_runs_list(runs, NULL, &rows, &n, err);
    for (size_t i = 1; i < n; i++) {
        if (strcmp(rows[i].finished[TIN_STAGE_EVALUATE], rows[newest].finished[TIN_STAGE_EVALUATE]) > 0) {
            newest = i;
        }
    }
    if (status == TIN_OK && (n == 0 || !rows[newest].figures[TIN_STAGE_EVALUATE])) {
        status = tin_fail(err, TIN_ERR_USAGE, "no run of this project is evaluated yet; run `tinamou run` first");
    }
    if (status == TIN_OK) {
        snprintf(id, sizeof id, "%s", rows[newest].run.id);
        status = cli_find_run(runs, id, row, err);
    }
    tin_runs_list_free(rows, n);
    return status;
}

/* One line of the answer. */
static tin_status add_gate(json_t *gates, const char *gate, double allowed, double measured, const char *reason,
                           tin_error *err)
{
    json_t *one = json_pack("{s:s, s:b, s:s?}", "gate", gate, "passed", reason == NULL, "reason", reason);
    tin_status status = one ? TIN_OK : tin_fail(err, TIN_ERR_MEMORY, "out of memory for the gates");
    status = status ? status : cli_set_real(one, "allowed", allowed, err);
    status = status ? status : cli_set_real(one, "measured", measured, err);
    if (status) {
        json_decref(one);
        return status;
    }
    return json_array_append_new(gates, one) == 0 ? TIN_OK
                                                  : tin_fail(err, TIN_ERR_MEMORY, "out of memory for the gates");
}

/* The figures of the stage when it is done and its files are whole; NULL otherwise. A new reference. */
static tin_status sound_figures(tin_runs *runs, const tin_run_row *row, tin_stage stage, json_t **figures,
                                tin_error *err)
{
    bool done = false;
    tin_status status = tin_runs_stage_done(runs, &row->run, stage, &done, err);
    *figures = status == TIN_OK && done ? cli_row_figures(row, stage) : NULL;
    return status;
}

static tin_status check_bounds(tin_runs *runs, const tin_run_row *row, const double *bounds, json_t *gates,
                               tin_error *err)
{
    tin_status status = TIN_OK;
    for (size_t i = 0; cli_figures[i].key && !status; i++) {
        const cli_figure *f = &cli_figures[i];
        char name[64], reason[160] = "";
        json_t *figures = NULL;
        if (isnan(bounds[i])) {
            continue;
        }
        cli_figure_gate(name, f);
        status = sound_figures(runs, row, f->stage, &figures, err);
        double value = cli_figure_value(f, figures);
        if (!figures) {
            snprintf(reason, sizeof reason, "the stage '%s' is not done, or its files were changed",
                     tin_stage_name(f->stage));
        } else if (isnan(value)) {
            snprintf(reason, sizeof reason, "the run has no such figure");
        } else if (f->better * value < f->better * bounds[i]) {
            snprintf(reason, sizeof reason, "%.6g is %s %.6g", value, f->better > 0 ? "below" : "above", bounds[i]);
        }
        json_decref(figures);
        status = status ? status : add_gate(gates, name, bounds[i], value, reason[0] ? reason : NULL, err);
    }
    return status;
}

/* Without a number of points: B may not be surely worse. With one: a share may not be worse by more, sure or not. */
static tin_status judge(const tin_figure_comparison *g, double points, json_t *gates, tin_error *err)
{
    const cli_figure *f = cli_figure_by_key(g->key);
    char name[64], reason[200] = "", got[32], low[32], high[32];
    bool by_points = f->share && !isnan(points);
    double loss = -g->better * g->difference;
    if (isnan(g->a)) {
        return TIN_OK; /* the others have no such figure */
    }
    snprintf(name, sizeof name, "against-%s", f->name);
    cli_figure_text(got, f, f->scale * g->difference, true);
    if (isnan(g->b)) {
        snprintf(reason, sizeof reason, "the run has no such figure, the other one has");
    } else if (by_points && 100 * loss > points * (1 + 1e-12)) {
        snprintf(reason, sizeof reason, "worse by %.2f points, %g are allowed", 100 * loss, points);
    } else if (!by_points && isnan(g->bounds.low) && loss > 0) {
        snprintf(reason, sizeof reason, "worse by %s, and one person gives no interval", got);
    } else if (!by_points && tin_comparison_verdict(g) < 0) {
        snprintf(reason, sizeof reason, "surely worse: %s, 95 %% interval %s to %s", got,
                 cli_figure_text(low, f, f->scale * g->bounds.low, true),
                 cli_figure_text(high, f, f->scale * g->bounds.high, true));
    }
    return add_gate(gates, name, by_points ? -g->better * points / 100 : 0, f->scale * g->difference,
                    reason[0] ? reason : NULL, err);
}

static tin_status check_against(cli_session *session, const tin_run_row *row, json_t *gates, tin_error *err)
{
    const cli_options *options = &session->options;
    cli_run_group others = {0};
    tin_comparison comparison = {0};
    const char *own = row->run.folder;
    tin_status status = cli_find_group(session->runs, options->against, &others, err);
    status = status ? status : cli_need_stage(session->runs, row, TIN_STAGE_EVALUATE, err);
    if (status == TIN_OK) {
        const tin_compare_side a = {others.folders, (int)others.n}, b = {&own, 1};
        const tin_compare_options how = {options->common, session->config->evaluate.bootstrap, session->config->seed};
        status = tin_compare_runs(&a, &b, &how, &comparison, err);
    }
    for (int f = 0; f < TIN_COMPARED_COUNT && !status; f++) {
        status = judge(&comparison.figures[f], options->max_regression, gates, err);
    }
    if (status == TIN_OK && comparison.no_events) {
        status = add_gate(gates, "against-events", (double)NAN, (double)NAN, comparison.no_events, err);
    }
    tin_comparison_free(&comparison);
    cli_run_group_free(&others);
    return status;
}

static bool all_passed(const json_t *gates)
{
    size_t i;
    const json_t *one;
    bool passed = true;
    json_array_foreach(gates, i, one)
    {
        passed = passed && json_is_true(json_object_get(one, "passed"));
    }
    return passed;
}

/* The figure that a gate is about: its name stands behind the first hyphen. */
static void print_gate(const json_t *gate)
{
    const char *name = json_string_value(json_object_get(gate, "gate")), *reason;
    const cli_figure *figure = cli_figure_by_name(strchr(name, '-') + 1);
    const json_t *allowed = json_object_get(gate, "allowed"), *measured = json_object_get(gate, "measured");
    bool against = strncmp(name, "against", 7) == 0;
    char asked[48] = "", wanted[32], got[32] = "-";
    if (figure && json_is_number(measured)) {
        cli_figure_text(got, figure, json_number_value(measured), against);
    }
    if (figure && json_is_number(allowed) && !against) {
        snprintf(asked, sizeof asked, "%s %s", figure->better > 0 ? "at least" : "at most",
                 cli_figure_text(wanted, figure, json_number_value(allowed), false));
    } else if (figure && json_is_number(allowed) && json_number_value(allowed) != 0) {
        snprintf(asked, sizeof asked, "at worst %s", cli_figure_text(wanted, figure, json_number_value(allowed), true));
    } else if (figure) {
        snprintf(asked, sizeof asked, "not surely worse");
    }
    reason = json_string_value(json_object_get(gate, "reason"));
    printf("%-4s  %-24s  %10s  ", reason ? "FAIL" : "ok", name, got);
    printf(reason ? "%-18s  %s\n" : "%s\n", asked, reason);
}

static tin_status print(const cli_session *session, const tin_run_row *row, const json_t *gates, tin_error *err)
{
    size_t i;
    const json_t *one;
    bool passed = all_passed(gates);
    if (session->options.json) {
        json_t *root = json_pack("{s:s, s:b, s:O}", "run", row->run.id, "passed", passed, "gates", gates);
        tin_status status = cli_print_json(root, err);
        json_decref(root);
        return status;
    }
    const char *finished = row->finished[TIN_STAGE_EVALUATE];
    printf(finished[0] ? "run %s, evaluated %s UTC\n" : "run %s, not evaluated\n", row->run.id, finished);
    json_array_foreach(gates, i, one)
    {
        print_gate(one);
    }
    return TIN_OK;
}

/* A check that checks nothing would pass for ever. */
static tin_status need_gates(const cli_options *options, tin_error *err)
{
    bool any = options->against != NULL;
    for (size_t i = 0; cli_figures[i].key; i++) {
        any = any || !isnan(options->gates[i]);
    }
    return any ? TIN_OK
               : tin_fail(
                     err, TIN_ERR_USAGE,
                     "there is nothing to check; give bounds, e.g. --max-fnr 0.05 --max-flash 16000, or --against RUN");
}

tin_status cli_command_check(const cli_command *command, const cli_options *options, tin_error *err)
{
    (void)command;
    cli_session session = {0};
    tin_run_row *row = NULL;
    json_t *gates = json_array();
    tin_status status = need_gates(options, err);
    status = status ? status : cli_session_open(&session, options, err);
    status = status         ? status
             : options->run ? cli_find_run(session.runs, options->run, &row, err)
                            : newest_run(session.runs, &row, err);
    status = status ? status : check_bounds(session.runs, row, options->gates, gates, err);
    if (status == TIN_OK && options->against) {
        status = check_against(&session, row, gates, err);
    }
    status = status ? status : print(&session, row, gates, err);
    if (status == TIN_OK && !all_passed(gates)) {
        status = TIN_REFUSED;
    }
    json_decref(gates);
    tin_runs_list_free(row, row ? 1 : 0);
    cli_session_close(&session);
    return status;
}
