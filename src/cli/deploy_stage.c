/* Generate, measure and verify, generate again with the measured figures in the header comment. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cli/cli.h"
#include "deploy/deploy.h"
#include "evaluate/evaluate.h"

/* Blanks out the comments of generated C in place; it has no comment marks inside strings by construction of its
 * generator, and if it had, both sides of the comparison would lose the same text. */
static void blank_comments(char *text)
{
    for (char *p = strstr(text, "/*"); p; p = strstr(p, "/*")) {
        char *end = strstr(p + 2, "*/");
        end = end ? end + 2 : p + strlen(p);
        memmove(p, end, strlen(end) + 1);
    }
}

static tin_status read_code(const char *folder, const char *name, const char *extension, char **text, tin_error *err)
{
    char file[256], path[TIN_PATH_MAX];
    size_t size = 0;
    snprintf(file, sizeof file, "%s.%s", name, extension);
    tin_status status = tin_path_join(path, folder, file, err);
    status = status ? status : tin_file_read(path, text, &size, err);
    if (status == TIN_OK) {
        blank_comments(*text);
    }
    return status;
}

/* The second generation may differ in comments only: otherwise what ships is not what was verified. */
static tin_status generate_final(const tin_qmodel *qmodel, const tin_decision_rule *rule,
                                 const tin_generate_facts *facts, const char *folder, tin_error *err)
{
    static const char *const extensions[] = {"c", "h"};
    char *before[2] = {NULL, NULL}, *after[2] = {NULL, NULL};
    tin_status status = TIN_OK;
    for (int i = 0; i < 2 && !status; i++) {
        status = read_code(folder, facts->name, extensions[i], &before[i], err);
    }
    status = status ? status : tin_generate(qmodel, rule, facts, folder, err);
    for (int i = 0; i < 2 && !status; i++) {
        status = read_code(folder, facts->name, extensions[i], &after[i], err);
        if (status == TIN_OK && strcmp(before[i], after[i]) != 0) {
            status = tin_fail(err, TIN_ERR_MISMATCH,
                              "%s.%s changed between its verification and the final generation; report this as a bug",
                              facts->name, extensions[i]);
        }
    }
    for (int i = 0; i < 2; i++) {
        tin_free(before[i]);
        tin_free(after[i]);
    }
    return status;
}

tin_status cli_footprint_figures(json_t *figures, const tin_footprint *f, tin_error *err)
{
    const struct {
        const char *key;
        int64_t value; /* -1: not known */
    } counts[] = {
        {"code_bytes", f->code_bytes},
        {"weight_bytes", f->weight_bytes},
        {"flash_bytes", f->flash_bytes},
        {"ram_bytes", f->state_bytes},
        {"stack_bytes", f->stack_bytes},
        {"stack_static_bytes", f->stack_static_bytes},
        {"insn_worst_frame", f->insn_worst_frame},
        {"verified_frames", f->verified_frames},
        {"mismatches", f->mismatches},
    };
    tin_status status = TIN_OK;
    for (size_t i = 0; i < sizeof counts / sizeof *counts && !status; i++) {
        json_t *value = counts[i].value >= 0 ? json_integer(counts[i].value) : json_null();
        status = cli_set(figures, counts[i].key, value, err);
    }
    status = status ? status : cli_set_real(figures, "insn_per_frame", f->insn_per_frame, err);
    status = status ? status : cli_set_real(figures, "insn_per_decision", f->insn_per_decision, err);
    status = status ? status : cli_set(figures, "target", json_string(f->target), err);
    status = status ? status : cli_set(figures, "compiler", json_string(f->compiler), err);
    return status ? status : cli_set(figures, "flags", json_string(f->flags), err);
}

static tin_status load_inputs(cli_session *session, tin_qmodel **qmodel, tin_evaluate_summary *summary,
                              char code[TIN_PATH_MAX], tin_error *err)
{
    char path[TIN_PATH_MAX];
    tin_status status = tin_path_join(path, session->run.folder, "model_int8", err);
    status = status ? status : tin_qmodel_load(qmodel, path, err);
    status = status ? status : tin_evaluate_load(session->run.folder, summary, err);
    status = status ? status : tin_path_join(code, session->run.folder, "code", err);
    return status ? status : tin_folder_make(code, err);
}

tin_status cli_latency(const cli_session *session, const tin_qmodel *qmodel, int *latency, tin_error *err)
{
    const tin_config_deploy *settings = &session->config->deploy;
    const tin_generate_facts facts = {.optimize = settings->optimize,
                                      .target = settings->target,
                                      .backend = settings->backend,
                                      .schedule = settings->schedule};
    return tin_schedule_latency(qmodel, &facts, latency, err);
}

tin_status cli_stage_deploy(cli_session *session, json_t *figures, cli_files *files, tin_error *err)
{
    const tin_config_deploy *settings = &session->config->deploy;
    tin_qmodel *qmodel = NULL;
    tin_evaluate_summary summary;
    tin_footprint footprint = {0};
    char code[TIN_PATH_MAX], build[TIN_PATH_MAX], command[64], folder[32];
    const bool library = strcmp(settings->backend, "cmsis-nn") == 0;
    tin_measure_options measure = {.optimize = settings->optimize,
                                   .target = settings->target,
                                   .cmsis_nn = library ? settings->cmsis_nn : NULL,
                                   .max_frames = settings->verify_frames,
                                   .build = build,
                                   .quiet = session->options.quiet};

    tin_status status = load_inputs(session, &qmodel, &summary, code, err);
    (void)snprintf(folder, sizeof folder, "build-%s", settings->target);
    status = status ? status : tin_path_join(build, session->run.folder, folder, err);
    if (status) {
        goto cleanup;
    }
    snprintf(command, sizeof command, "tinamou run --seed %" PRIu64, session->run.seed);
    tin_generate_facts facts = {.name = settings->name,
                                .version = TINAMOU_VERSION,
                                .data_hash = session->run.data_hash,
                                .config_hash = session->run.config_hash,
                                .command = command,
                                .optimize = settings->optimize,
                                .target = settings->target,
                                .backend = settings->backend,
                                .schedule = settings->schedule,
                                .preset = summary.preset,
                                .frame_accuracy = summary.frame_accuracy,
                                .fnr = summary.fnr,
                                .fcr = summary.fcr,
                                .fp_per_hour = summary.fp_per_hour,
                                .latency_mean_s = summary.latency_mean_s};
    status = cli_latency(session, qmodel, &measure.latency, err);
    status = status ? status : tin_generate(qmodel, &summary.rule, &facts, code, err);
    status =
        status ? status
               : tin_measure(qmodel, &summary.rule, session->dataset, code, settings->name, &measure, &footprint, err);
    status = status ? status : tin_footprint_save(&footprint, session->run.folder, "footprint.json", err);
    facts.footprint = &footprint;
    status = status ? status : generate_final(qmodel, &summary.rule, &facts, code, err);
    status = status ? status : cli_add_file(files, session, true, err, "code/%s.c", settings->name);
    status = status ? status : cli_add_file(files, session, true, err, "code/%s.h", settings->name);
    status = status ? status : cli_add_file(files, session, true, err, "footprint.json");
    status = status ? status : cli_footprint_figures(figures, &footprint, err);
    status = status ? status : cli_set(figures, "latency_frames", json_integer(measure.latency), err);
    if (status == TIN_OK) {
        cli_log(session, "deploy: %" PRId64 " frames on the emulated %s, %" PRId64 " differ from the reference",
                footprint.verified_frames, footprint.target, footprint.mismatches);
    }
cleanup:
    tin_qmodel_free(qmodel);
    return status;
}

tin_status cli_check_budget(const cli_session *session, tin_error *err)
{
    const tin_config_deploy *settings = &session->config->deploy;
    const json_t *figures = json_object_get(session->results, tin_stage_name(TIN_STAGE_DEPLOY));
    const tin_footprint footprint = {.code_bytes = (long)json_integer_value(json_object_get(figures, "code_bytes")),
                                     .weight_bytes = (long)json_integer_value(json_object_get(figures, "weight_bytes")),
                                     .flash_bytes = (long)json_integer_value(json_object_get(figures, "flash_bytes")),
                                     .state_bytes = (long)json_integer_value(json_object_get(figures, "ram_bytes")),
                                     .stack_static_bytes =
                                         (long)json_integer_value(json_object_get(figures, "stack_static_bytes"))};
    return tin_footprint_check(&footprint, settings->max_flash_bytes, settings->max_ram_bytes, settings->optimize, err);
}
