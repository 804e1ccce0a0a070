/* `tinamou tune`: the decision rule of a run, chosen from the scores that its evaluation kept. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json_tools.h"
#include "cli/cli.h"
#include "cli/columns.h"
#include "evaluate/tuning.h"

#define MOST_ROWS 16 /* of the front, for people; --json has all that is kept */

/* *any: something is asked. */
static tin_status take_ask(const cli_options *options, tin_tuning_ask *ask, bool *any, tin_error *err)
{
    const double *gates = options->gates;
    *ask = (tin_tuning_ask){.by_hand = true,
                            .preset = TIN_PRESET_COUNT,
                            .max_fp_per_hour = gates[cli_figure_by_key("fp_per_hour") - cli_figures],
                            .max_fnr = gates[cli_figure_by_key("fnr") - cli_figures],
                            .max_latency_ms = gates[cli_figure_by_key("latency_mean_s") - cli_figures],
                            .aim = TIN_AIM_COUNT};
    *any = options->preset || options->objective || !isnan(ask->max_fp_per_hour) || !isnan(ask->max_fnr) ||
           !isnan(ask->max_latency_ms);
    if (options->objective && !tin_aim_find(options->objective, &ask->aim)) {
        return tin_fail(
            err, TIN_ERR_USAGE,
            "--objective is '%.100s'; use event_f1, iou_f1, in_time_f1, prompt_f1, event_f0.5, misses, false_alarms or "
            "latency",
            options->objective);
    }
    return options->preset ? tin_preset_find(options->preset, &ask->preset, err) : TIN_OK;
}

static tin_status need_events(const cli_session *session, tin_error *err)
{
    for (int k = 0; k < session->dataset->n_classes; k++) {
        if (session->dataset->classes[k].event) {
            return TIN_OK;
        }
    }
    return tin_fail(err, TIN_ERR_USAGE,
                    "no class of this project is an event, so that there is no decision rule to tune; mark some with "
                    "`event: true` in data.classes");
}

static double number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

/* "0.25 (0.12 to 0.40)" */
static tin_status add_interval(cli_table *table, const json_t *figures, const char *key, const char *bounds,
                               double scale, int decimals, tin_error *err)
{
    char text[80] = "-", interval[48] = "";
    const double value = scale * number(figures, key);
    const json_t *pair = json_object_get(figures, bounds);
    if (json_is_number(json_array_get(pair, 0)) && json_is_number(json_array_get(pair, 1))) {
        snprintf(interval, sizeof interval, " (%.*f to %.*f)", decimals,
                 scale * json_number_value(json_array_get(pair, 0)), decimals,
                 scale * json_number_value(json_array_get(pair, 1)));
    }
    if (isfinite(value)) {
        snprintf(text, sizeof text, "%.*f%s", decimals, value, interval);
    }
    return cli_table_add(table, text, err);
}

static const cli_column columns[] = {
    {"rule", true, 0}, {"false alarms/h", true, 0}, {"missed or wrong, %", true, 0}, {"delay, ms", true, 0},
    {"F1", false, 2},  {"IoU.5 F1", false, 3},
};

static tin_status add_row(cli_table *table, const char *name, const json_t *figures, tin_error *err)
{
    char text[32];
    tin_status status = cli_table_add(table, name, err);
    status = status ? status : add_interval(table, figures, "fp_per_hour", "fp_per_hour_exact_95", 1, 2, err);
    status = status ? status : add_interval(table, figures, "fnr_plus_fcr", "fnr_plus_fcr_exact_95", 100, 1, err);
    status = status ? status : add_interval(table, figures, "latency_mean_s", "latency_mean_s_95", 1000, 0, err);
    for (int i = 0; i < 2 && !status; i++) {
        const double f1 = number(figures, i == 0 ? "f1" : "iou50_f1");
        snprintf(text, sizeof text, isfinite(f1) ? "%.3f" : "-", f1);
        status = cli_table_add(table, text, err);
    }
    return status;
}

/* The presets, the choice when it is none of them, and what a device that never says anything costs. */
static tin_status print_choices(const json_t *tuning, tin_error *err)
{
    cli_table table = {.columns = columns, .n_columns = sizeof columns / sizeof *columns};
    const json_t *chosen = json_object_get(tuning, "chosen"), *preset;
    const char *asked = json_string_value(json_object_get(json_object_get(tuning, "asked"), "preset"));
    char name[48];
    tin_status status = TIN_OK;
    for (int p = 0; p < TIN_PRESET_COUNT && !status; p++) {
        preset = json_object_get(json_object_get(tuning, "presets"), tin_preset_name((tin_preset)p));
        snprintf(name, sizeof name, "%s %s", asked && strcmp(asked, tin_preset_name((tin_preset)p)) == 0 ? "*" : " ",
                 tin_preset_name((tin_preset)p));
        status = add_row(&table, name, json_object_get(preset, "validation"), err);
    }
    if (status == TIN_OK && !asked) {
        status = add_row(&table, "* as asked", json_object_get(chosen, "validation"), err);
    }
    json_t *never =
        json_pack("{s:f, s:f, s:f, s:f}", "fp_per_hour", 0.0, "fnr_plus_fcr", 1.0, "f1", 0.0, "iou50_f1", 0.0);
    status = status ? status : add_row(&table, "  never trigger", never, err);
    json_decref(never);
    if (status == TIN_OK) {
        (void)cli_table_print(&table, cli_terminal_width());
    }
    cli_table_free(&table);
    return status;
}

/* Evenly, with both ends. */
static tin_status print_front(const json_t *front, tin_error *err)
{
    cli_table table = {.columns = columns, .n_columns = sizeof columns / sizeof *columns};
    const size_t n = json_array_size(front), rows = n < MOST_ROWS ? n : MOST_ROWS;
    char name[48];
    tin_status status = TIN_OK;
    for (size_t i = 0; i < rows && !status; i++) {
        const size_t at = n <= MOST_ROWS ? i : i * (n - 1) / (MOST_ROWS - 1);
        snprintf(name, sizeof name, "  %zu", at + 1);
        status = add_row(&table, name, json_object_get(json_array_get(front, at), "validation"), err);
    }
    if (status == TIN_OK) {
        (void)cli_table_print(&table, cli_terminal_width());
    }
    cli_table_free(&table);
    return status;
}

static void print_rule(const json_t *rule)
{
    const json_t *on = json_object_get(rule, "on"), *one;
    size_t k;
    printf("  rule      on at");
    json_array_foreach(on, k, one)
    {
        if (json_is_integer(one)) {
            printf(" %.2f", (double)json_integer_value(one) / TIN_SCORE_ONE);
        }
    }
    printf(" (logit), hysteresis %.2f, lead %.2f, smoothing %.0f, %.0f of %.0f decisions, at least %.0f, pause %.0f\n",
           number(rule, "hysteresis") / TIN_SCORE_ONE, number(rule, "lead") / TIN_SCORE_ONE,
           number(rule, "smooth_shift"), number(rule, "needed"), number(rule, "of"), number(rule, "min_length"),
           number(rule, "refractory"));
}

static tin_status print_tuning(const json_t *tuning, const cli_session *session, tin_error *err)
{
    const json_t *chosen = json_object_get(tuning, "chosen"), *counts = json_object_get(chosen, "validation");
    const json_t *left_out = json_object_get(chosen, "left_out"), *front = json_object_get(tuning, "front");
    printf("%s, run %s: the decision rule on the validation people, %.0f events, %.2f hours without one\n",
           session->config->project, session->run.id, number(counts, "n_events"), number(counts, "rejection_hours"));
    tin_status status = print_choices(tuning, err);
    if (status) {
        return status;
    }
    printf("\n  Pareto front: none is better in false alarms, misses and delay together; %.0f rules of %.0f\n",
           number(tuning, "front_size"), number(tuning, "rules_compared"));
    status = print_front(front, err);
    printf("\n  chosen    %s\n", json_string_value(json_object_get(chosen, "why")));
    print_rule(json_object_get(chosen, "rule"));
    if (json_is_object(left_out)) {
        printf("  left out  %.2f false alarms/h, %.1f %% missed or wrong, F1 %.3f: each person under the rule that the "
               "others choose\n",
               number(left_out, "fp_per_hour"), 100 * number(left_out, "fnr_plus_fcr"), number(left_out, "f1"));
    }
    const double reads = number(tuning, "test_reads");
    printf("  test      read with %.0f rule%s", reads,
           reads == 1 ? "\n" : "s: whoever picks by them flatters himself\n");
    return status;
}

tin_status cli_command_tune(const cli_command *command, const cli_options *options, tin_error *err)
{
    (void)command;
    cli_session session = {0};
    tin_tuning_ask ask;
    bool any = false;
    json_t *tuning = NULL;
    tin_status status = take_ask(options, &ask, &any, err);
    status = status ? status : cli_session_open(&session, options, err);
    status = status ? status : cli_data_stage(&session, false, err);
    status = status ? status : need_events(&session, err);
    status = status ? status : cli_run_stages(&session, TIN_STAGE_EVALUATE, TIN_STAGE_COUNT, err);
    if (status == TIN_OK && any) {
        session.ask = &ask;
        status = cli_run_stages(&session, TIN_STAGE_EVALUATE, TIN_STAGE_EVALUATE, err);
    }
    status = status ? status : tin_json_load(&tuning, session.run.folder, "tuning.json", err);
    if (status == TIN_OK && options->json) {
        status = cli_set(session.results, "tuning", json_incref(tuning), err);
        status = status ? status : cli_print_json(session.results, err);
    } else if (status == TIN_OK) {
        status = print_tuning(tuning, &session, err);
    }
    json_decref(tuning);
    cli_session_close(&session);
    return status;
}
