/* `tinamou deploy --measure`: the generated code on other emulated cores, and what it would cost on devices. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "deploy/deploy.h"
#include "deploy/estimate.h"

static tin_status add_estimate(json_t *list, const tin_power_profile *p, const tin_footprint *footprint, double rate_hz,
                               tin_error *err)
{
    const tin_estimate e = tin_estimate_of(p, footprint, rate_hz);
    json_t *one = json_pack("{s:s, s:f, s:f, s:f, s:f, s:f, s:s, s:f, s:f, s:f, s:f, s:f, s:f}", "profile", p->name,
                            "mhz", p->mhz, "cycles_per_insn", p->cycles_per_insn, "ua_per_mhz", p->ua_per_mhz, "volts",
                            p->volts, "sleep_ua", p->sleep_ua, "source", p->source, "frames_per_s", rate_hz,
                            "cycles_per_decision", e.cycles_per_decision, "duty", e.duty, "worst_frame_share",
                            e.worst_share, "decision_uj", e.decision_uj, "average_uw", e.average_uw);
    return json_array_append_new(list, one) == 0 ? TIN_OK
                                                 : tin_fail(err, TIN_ERR_MEMORY, "out of memory for the results");
}

/* The devices with this core; only the one that was named, if one was. */
static tin_status add_estimates(const cli_session *session, json_t *figures, const char *target,
                                const tin_footprint *footprint, tin_error *err)
{
    json_t *list = json_array();
    tin_status status = list ? TIN_OK : tin_fail(err, TIN_ERR_MEMORY, "out of memory for the results");
    for (const tin_power_profile *p = tin_power_profiles; p->name && status == TIN_OK; p++) {
        const bool asked = !session->options.profile || strcmp(session->options.profile, p->name) == 0;
        if (asked && strcmp(p->target, target) == 0 && isfinite(footprint->insn_per_decision)) {
            status = add_estimate(list, p, footprint, session->dataset->rate_hz, err);
        }
    }
    if (status) {
        json_decref(list);
        return status;
    }
    return cli_set(figures, "estimates", list, err);
}

static bool several(const cli_session *session)
{
    return (session->options.targets & (session->options.targets - 1)) != 0;
}

static tin_status measure_target(cli_session *session, const tin_qmodel *qmodel, const tin_decision_rule *rule,
                                 const char *target, json_t *results, tin_error *err)
{
    const tin_config_deploy *settings = &session->config->deploy;
    const bool library = strcmp(settings->backend, "cmsis-nn") == 0;
    char code[TIN_PATH_MAX], build[TIN_PATH_MAX], name[64];
    tin_footprint footprint;
    tin_measure_options options = {.optimize = settings->optimize,
                                   .target = target,
                                   .cmsis_nn = library ? settings->cmsis_nn : NULL,
                                   .max_frames = settings->verify_frames,
                                   .build = build,
                                   .quiet = session->options.quiet};
    json_t *figures = json_object();
    snprintf(name, sizeof name, "build-%s", target);
    tin_status status = figures ? TIN_OK : tin_fail(err, TIN_ERR_MEMORY, "out of memory for the results");
    status = status ? status : cli_in_run(session, code, "code", err);
    status = status ? status : cli_in_run(session, build, name, err);
    status = status ? status : cli_latency(session, qmodel, &options.latency, err);
    status =
        status ? status : tin_measure(qmodel, rule, session->dataset, code, settings->name, &options, &footprint, err);
    if (status == TIN_ERR_MODEL && several(session)) { /* too large for this one is no reason to stop */
        cli_log(session, "measure: %s: %s", target, err->message);
        status = cli_set(figures, "does_not_fit", json_string(err->message), err);
        status = status ? status : cli_set(figures, "target", json_string(footprint.target), err);
        *err = (tin_error){0};
        return status ? (json_decref(figures), status) : cli_set(results, target, figures, err);
    }
    snprintf(name, sizeof name, "footprint-%s.json", target);
    status = status ? status : tin_footprint_save(&footprint, session->run.folder, name, err);
    status = status ? status : cli_footprint_figures(figures, &footprint, err);
    status = status ? status : add_estimates(session, figures, target, &footprint, err);
    if (status) {
        json_decref(figures);
        return status;
    }
    cli_log(session, "measure: %s, %" PRId64 " frames, %" PRId64 " differ from the reference", footprint.target,
            footprint.verified_frames, footprint.mismatches);
    return cli_set(results, target, figures, err);
}

tin_status cli_measure_targets(cli_session *session, const tin_qmodel *qmodel, const tin_decision_rule *rule,
                               tin_error *err)
{
    json_t *results = json_object();
    tin_status status = results ? TIN_OK : tin_fail(err, TIN_ERR_MEMORY, "out of memory for the results");
    for (int i = 0; tin_target_name(i) && status == TIN_OK; i++) {
        if (session->options.targets >> i & 1) {
            status = measure_target(session, qmodel, rule, tin_target_name(i), results, err);
        }
    }
    if (status) {
        json_decref(results);
        return status;
    }
    return cli_set(session->results, "measure", results, err);
}

/* ---- for people ---- */

static const char *whole(char text[32], const json_t *figures, const char *key)
{
    const json_t *value = json_object_get(figures, key);
    snprintf(text, 32, "-");
    if (json_is_number(value)) {
        snprintf(text, 32, "%.0f", json_number_value(value));
    }
    return text;
}

static double real(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static const char *word(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static void print_estimate(const char *target, const json_t *e)
{
    printf("  %-9s %-5s %11.0f %8.3f %% %11.2f %% %13.3f %14.2f\n", word(e, "profile"), target,
           real(e, "cycles_per_decision"), 100 * real(e, "duty"), 100 * real(e, "worst_frame_share"),
           real(e, "decision_uj"), real(e, "average_uw"));
}

static void print_assumptions(const char *target, const json_t *e)
{
    (void)target;
    printf("  %-9s %g MHz, %g cycles per instruction, %g uA/MHz at %g V, %g uA asleep. %s\n", word(e, "profile"),
           real(e, "mhz"), real(e, "cycles_per_insn"), real(e, "ua_per_mhz"), real(e, "volts"), real(e, "sleep_ua"),
           word(e, "source"));
}

/* Calls `print` for each of them. */
static void each_estimate(const json_t *measure, void (*print)(const char *target, const json_t *estimate))
{
    const char *target;
    json_t *figures, *one;
    size_t i;
    json_object_foreach((json_t *)(uintptr_t)measure, target, figures)
    {
        json_array_foreach(json_object_get(figures, "estimates"), i, one)
        {
            print(target, one);
        }
    }
}

void cli_print_measure(const json_t *measure)
{
    static const char *const keys[] = {"flash_bytes",       "code_bytes",         "weight_bytes",   "ram_bytes",
                                       "stack_bytes",       "stack_static_bytes", "insn_per_frame", "insn_worst_frame",
                                       "insn_per_decision", "verified_frames",    "mismatches"};
    static const int widths[] = {7, 7, 8, 7, 6, 6, 11, 10, 13, 9, 7};
    static const char *const titles[] = {"flash",      "code",  "weights",      "RAM",    "stack", "bound",
                                         "insn/frame", "worst", "per decision", "frames", "differ"};
    const char *target;
    json_t *figures;
    size_t i, estimates = 0;
    char text[32];
    printf("  %-20s", "bytes, instructions");
    for (i = 0; i < sizeof keys / sizeof *keys; i++) {
        printf(" %*s", widths[i], titles[i]);
    }
    puts("");
    json_object_foreach((json_t *)(uintptr_t)measure, target, figures)
    {
        printf("  %-20s", json_string_value(json_object_get(figures, "target")));
        for (i = 0; i < sizeof keys / sizeof *keys && !json_object_get(figures, "does_not_fit"); i++) {
            printf(" %*s", widths[i], whole(text, figures, keys[i]));
        }
        puts(json_object_get(figures, "does_not_fit") ? " does not fit its memory" : "");
        estimates += json_array_size(json_object_get(figures, "estimates"));
    }
    if (estimates == 0) {
        return;
    }
    puts("  ESTIMATE, no measurement: instructions times cycles per instruction, at the clock and the typical currents "
         "of the\n"
         "  device below; the core alone, asleep between frames: no sensor, no radio, no time to wake up.\n"
         "  device    core  cycles/decision      duty   worst frame   uJ/decision  uW on average");
    each_estimate(measure, print_estimate);
    each_estimate(measure, print_assumptions);
}
