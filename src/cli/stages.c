/* Train, quantize, evaluate, deploy, report: each reads its inputs from the run folder, so that any of them can be the
 * first one of a process. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "cli/cli.h"
#include "deploy/deploy.h"
#include "evaluate/evaluate.h"
#include "model/decision_json.h"
#include "train/train.h"

tin_status cli_in_run(const cli_session *session, char path[TIN_PATH_MAX], const char *name, tin_error *err)
{
    return tin_path_join(path, session->run.folder, name, err);
}

const char *cli_float_model(const cli_session *session)
{
    return session->config->compress_count > 0 ? "model_compressed" : "model_float";
}

/* Of a part of cross-validation: below its own folder. */
static tin_status name_in_part(char name[CLI_FILE_NAME], int part, tin_error *err)
{
    char own[CLI_FILE_NAME];
    int n = snprintf(own, sizeof own, "part%d/%s", part, name);
    if (n < 0 || n >= CLI_FILE_NAME) {
        return tin_fail(err, TIN_ERR_IO, "the name of the file %s is too long", name);
    }
    memcpy(name, own, sizeof own);
    return TIN_OK;
}

tin_status cli_add_file(cli_files *files, const cli_session *session, bool must, tin_error *err, const char *format,
                        ...)
{
    char path[TIN_PATH_MAX], *name = files->names[files->n];
    va_list arguments;
    if (files->n == CLI_MAX_FILES) {
        return tin_fail(err, TIN_ERR_IO, "a stage makes more than %d files", CLI_MAX_FILES);
    }
    va_start(arguments, format);
    vsnprintf(name, sizeof files->names[0], format, arguments);
    va_end(arguments);
    tin_status status = cli_in_run(session, path, name, err);
    if (status) {
        return status;
    }
    if (tin_file_exists(path)) {
        files->n++;
        return session->part > 0 ? name_in_part(name, session->part, err) : TIN_OK;
    }
    return must ? tin_fail_at(err, TIN_ERR_IO, path, 0, "the stage did not write this file; run it again with --force")
                : TIN_OK;
}

/* NAME.json, NAME.safetensors */
static tin_status add_model_files(cli_files *files, const cli_session *session, const char *name, tin_error *err)
{
    tin_status status = cli_add_file(files, session, true, err, "%s.json", name);
    return status ? status : cli_add_file(files, session, true, err, "%s.safetensors", name);
}

static tin_status train_figures(json_t *figures, const tin_train_result *result, const char *prefix, const char *metric,
                                tin_error *err)
{
    char key[64];
    snprintf(key, sizeof key, "%ssteps", prefix);
    tin_status status = cli_set(figures, key, json_integer(result->steps), err);
    snprintf(key, sizeof key, "%sbest_step", prefix);
    status = status ? status : cli_set(figures, key, json_integer(result->best_step), err);
    snprintf(key, sizeof key, "%svalidation_%s", prefix, metric);
    status = status ? status : cli_set_real(figures, key, result->best_score, err);
    snprintf(key, sizeof key, "%sseconds", prefix);
    return status ? status : cli_set_real(figures, key, result->seconds, err);
}

/* "validation macro_f1 0.912 at step 900 of 1500" */
static const char *kept_weights(char text[96], const char *metric, const tin_train_result *result)
{
    if (isnan(result->best_score)) {
        snprintf(text, 96, "step %d of %d, nobody validates", result->best_step, result->steps);
    } else {
        snprintf(text, 96, "validation %s %.3f at step %d of %d", metric, result->best_score, result->best_step,
                 result->steps);
    }
    return text;
}

static tin_train_options train_options(const cli_session *session, const char *name)
{
    return (tin_train_options){.settings = session->config->train,
                               .seed = session->config->seed,
                               .pool = session->pool,
                               .folder = session->run.folder,
                               .name = name,
                               .evaluate = session->config->evaluate,
                               .quiet = session->options.quiet};
}

static tin_status report_memory(const cli_session *session, const tin_model *model, const tin_train_options *options,
                                tin_error *err)
{
    tin_train_memory m;
    tin_status status = tin_train_memory_of(model, session->dataset, options, &m, err);
    if (status == TIN_OK) {
        const double mb = 1024 * 1024;
        cli_log(session,
                "%s: at most %.1f MB of memory: engine %.1f, batch %.1f, weights %.1f, labels and decisions %.1f",
                options->name, (double)m.total / mb, (double)m.engine / mb, (double)m.batch / mb,
                (double)m.weights / mb, (double)m.data / mb);
    }
    return status;
}

tin_status cli_stage_train(cli_session *session, json_t *figures, cli_files *files, tin_error *err)
{
    const tin_config *config = session->config;
    tin_model *model = NULL;
    tin_train_result result = {0};
    char path[TIN_PATH_MAX];
    tin_train_options options = train_options(session, "train");
    tin_layer_spec specs[TIN_MAX_LAYERS];
    tin_config_specs(config->layers, config->layers_count, specs);

    tin_status status = cli_in_run(session, path, "model_float", err);
    status = status ? status : tin_model_create(&model, session->dataset, specs, (int)config->layers_count, err);
    status = status ? status : tin_model_set_delay(model, config->delay_ms, err);
    status = status ? status : tin_model_fit_input(model, session->dataset, err);
    if (status) {
        goto cleanup;
    }
    tin_model_initialise(model, config->seed);
    status = report_memory(session, model, &options, err);
    status = status ? status : tin_train(model, session->dataset, &options, &result, err);
    status = status ? status : tin_model_save(model, path, err);
    status = status ? status : add_model_files(files, session, "model_float", err);
    status = status ? status : cli_add_file(files, session, false, err, "train_curve.csv");
    status = status ? status : cli_add_file(files, session, false, err, "train_curve.html");
    status = status ? status : train_figures(figures, &result, "", config->train.metric, err);
    status =
        status ? status : cli_set(figures, "parameters", json_integer((json_int_t)tin_model_trainable(model)), err);
    status = status ? status : cli_set_real(figures, "macs_per_decision", tin_model_macs(model), err);
    if (status == TIN_OK) {
        char score[96];
        cli_log(session, "train: %s; %zu parameters, %.0f multiply-accumulates per decision",
                kept_weights(score, config->train.metric, &result), tin_model_trainable(model), tin_model_macs(model));
    }
cleanup:
    tin_model_free(model);
    return status;
}

/* Fine-tuning: the settings of training with the steps and learning rate of quantize; it must see its last weights too,
 * so that it never stops early, and it is looked at eight times. */
static tin_status fine_tune(cli_session *session, tin_model *folded, tin_quant_spec *spec, json_t *figures,
                            cli_files *files, tin_error *err)
{
    const tin_config_quantize *settings = &session->config->quantize;
    tin_train_options options = train_options(session, "finetune");
    tin_train_result result = {0};
    int eighth = settings->steps / 8 > 0 ? settings->steps / 8 : 1;
    options.settings.steps = settings->steps;
    options.settings.learning_rate = settings->learning_rate;
    options.settings.warmup = settings->steps / 20;
    options.settings.patience = 0;
    options.settings.evaluate_every =
        options.settings.evaluate_every < eighth ? options.settings.evaluate_every : eighth;
    options.quant = spec;
    options.learn_scales = settings->learn_scales;
    tin_constraint *constraint = NULL;
    tin_status status = session->config->compress_count > 0 ? tin_constraint_create(&constraint, folded, err) : TIN_OK;
    options.constraint = constraint && constraint->any ? constraint : NULL;
    status = status ? status : report_memory(session, folded, &options, err);
    status = status ? status : tin_train(folded, session->dataset, &options, &result, err);
    *spec = status ? *spec : result.quant;
    tin_constraint_free(constraint);
    status = status ? status : train_figures(figures, &result, "finetune_", options.settings.metric, err);
    status = status ? status : cli_add_file(files, session, false, err, "finetune_curve.csv");
    status = status ? status : cli_add_file(files, session, false, err, "finetune_curve.html");
    if (status == TIN_OK) {
        char score[96];
        cli_log(session, "quantize: fine-tuned, %s", kept_weights(score, options.settings.metric, &result));
    }
    return status;
}

tin_status cli_stage_quantize(cli_session *session, json_t *figures, cli_files *files, tin_error *err)
{
    tin_model *model = NULL, *folded = NULL;
    tin_qmodel *qmodel = NULL;
    tin_quant_spec spec;
    tin_sensitivity sensitivity;
    char float_path[TIN_PATH_MAX], int_path[TIN_PATH_MAX];

    tin_status status = cli_in_run(session, float_path, cli_float_model(session), err);
    status = status ? status : cli_in_run(session, int_path, "model_int8", err);
    status = status ? status : tin_model_load(&model, float_path, err);
    status = status ? status : tin_model_fold(&folded, model, err);
    status = status ? status : tin_quantize_prepare(folded, session->dataset, &session->config->quantize, err);
    status = status ? status
                    : tin_quantize_choose(folded, session->dataset, &session->config->quantize, session->options.quiet,
                                          &spec, &sensitivity, err);
    status = status ? status : cli_report_sensitivity(session, folded, &sensitivity, files, err);
    if (status == TIN_OK && session->config->quantize.steps > 0) {
        status = fine_tune(session, folded, &spec, figures, files, err);
    }
    status = status ? status : tin_quantize_convert(folded, &spec, &qmodel, err);
    status = status ? status : tin_qmodel_save(qmodel, int_path, err);
    status = status ? status : add_model_files(files, session, "model_int8", err);
    status = status ? status : cli_set(figures, "model_hash", json_string(qmodel->hash), err);
    status = status ? status : cli_set_real(figures, "macs_per_decision", tin_qmodel_macs(qmodel), err);
    status =
        status ? status : cli_set(figures, "weight_bytes", json_integer((json_int_t)sensitivity.weight_bytes), err);
    if (status == TIN_OK) {
        cli_log(session, "quantize: integer model %.12s", qmodel->hash);
    }
    tin_qmodel_free(qmodel);
    tin_model_free(folded);
    tin_model_free(model);
    return status;
}

static tin_status evaluate_figures(json_t *figures, const tin_evaluate_summary *s, const tin_dataset *dataset,
                                   tin_error *err)
{
    const struct {
        const char *key;
        double value;
    } values[] = {
#define X(figure) {#figure, s->figure},
        TIN_SUMMARY_LIST(X) TIN_SUMMARY_LATER_LIST(X)
#undef X
    };
    tin_status status = TIN_OK;
    for (size_t i = 0; i < sizeof values / sizeof *values && !status; i++) {
        status = cli_set_real(figures, values[i].key, values[i].value, err);
    }
    status = status ? status : cli_set(figures, "events", json_integer(s->n_events), err);
    status = status ? status : cli_set(figures, "test_frames", json_integer(s->n_test_frames), err);
    if (status == TIN_OK && s->preset[0] != '\0') {
        status = cli_set(figures, "preset", json_string(s->preset), err);
        status = status ? status : cli_set(figures, "test_reads", json_integer(s->test_reads), err);
    }
    if (status == TIN_OK && s->worst_person[0] != '\0') {
        status = cli_set(figures, "worst_person", json_string(s->worst_person), err);
    }
    tin_json_builder b = {false};
    json_t *rule = tin_decision_json(&b, &s->rule, dataset->classes, dataset->n_classes);
    if (status || b.failed) {
        json_decref(rule);
        return status ? status : tin_fail(err, TIN_ERR_MEMORY, "out of memory while the rule was written");
    }
    return cli_set(figures, "rule", rule, err);
}

/* The figures are of recordings that each begin with a reset; a device begins once. */
static void warn_of_resets(const cli_session *session, const tin_evaluate_summary *s)
{
    if (s->frame_accuracy - s->frame_accuracy_no_reset > TIN_NO_RESET_LOSS) {
        cli_log(
            session,
            "evaluate: warning: frame accuracy is %.3f when the state goes on from each recording into the next, as on "
            "a device that never resets; train with train.stateful and a train.carry_over of 0.5 or more",
            s->frame_accuracy_no_reset);
    }
}

tin_status cli_stage_evaluate(cli_session *session, json_t *figures, cli_files *files, tin_error *err)
{
    tin_model *model = NULL;
    tin_qmodel *qmodel = NULL;
    tin_evaluate_summary summary;
    cli_cross_models cross = {0};
    char float_path[TIN_PATH_MAX], int_path[TIN_PATH_MAX];
    tin_evaluate_options options = {.settings = session->config->evaluate,
                                    .seed = session->config->seed,
                                    .pool = session->pool,
                                    .folder = session->run.folder,
                                    .quiet = session->options.quiet,
                                    .ask = session->ask,
                                    .forget = session->forget,
                                    .reuse_scores = session->ask != NULL};

    tin_status status = cli_in_run(session, float_path, cli_float_model(session), err);
    status = status ? status : cli_in_run(session, int_path, "model_int8", err);
    status = status ? status : tin_model_load(&model, float_path, err);
    status = status ? status : tin_qmodel_load(&qmodel, int_path, err);
    if (status == TIN_OK && session->part_of) {
        status = cli_cross_models_load(&cross, session, err);
        options.cross = &cross.view;
    }
    status = status ? status : cli_latency(session, qmodel, &options.latency, err);
    status = status ? status : tin_evaluate(qmodel, model, session->dataset, &options, &summary, err);
    status = status ? status : evaluate_figures(figures, &summary, session->dataset, err);
    status = status ? status : cli_add_file(files, session, true, err, "metrics.json");
    status = status ? status : cli_add_file(files, session, false, err, "sweep.csv");
    status = status ? status : cli_add_file(files, session, false, err, "tuning.json");
    status = status ? status : cli_add_file(files, session, false, err, "scores.safetensors");
    status = status ? status : cli_add_file(files, session, false, err, "scores_float.safetensors");
    status = status ? status : cli_add_file(files, session, false, err, "timelines.json");
    if (status == TIN_OK) {
        cli_log(session, "evaluate: frame accuracy %.3f (int8), %.3f (float) on the test people",
                summary.frame_accuracy, summary.float_frame_accuracy);
        warn_of_resets(session, &summary);
    }
    cli_cross_models_free(&cross);
    tin_qmodel_free(qmodel);
    tin_model_free(model);
    return status;
}

tin_status cli_stage_report(cli_session *session, json_t *figures, cli_files *files, tin_error *err)
{
    (void)figures;
    tin_run_file *made = NULL;
    tin_report_options options;
    tin_status status = cli_report_options(session, &options, &made, err);
    status = status ? status : tin_evaluate_report(session->dataset, &options, err);
    status = status ? status : cli_add_file(files, session, true, err, "report.html");
    tin_runs_files_free(made, options.n_files);
    return status;
}

static cli_stage_function *const stages[TIN_STAGE_COUNT] = {
    [TIN_STAGE_TRAIN] = cli_stage_train,       [TIN_STAGE_COMPRESS] = cli_stage_compress,
    [TIN_STAGE_QUANTIZE] = cli_stage_quantize, [TIN_STAGE_EVALUATE] = cli_stage_evaluate,
    [TIN_STAGE_DEPLOY] = cli_stage_deploy,     [TIN_STAGE_REPORT] = cli_stage_report,
};

/* Where the files are, as seen from this process: what the store remembers was seen from another folder. */
static tin_status set_places(cli_session *session, tin_stage stage, json_t *figures, tin_error *err)
{
    char path[TIN_PATH_MAX];
    tin_status status = TIN_OK;
    if (stage == TIN_STAGE_REPORT) {
        status = cli_in_run(session, path, "report.html", err);
        status = status ? status : cli_set(figures, "file", json_string(path), err);
    } else if (stage == TIN_STAGE_DEPLOY) {
        status = cli_in_run(session, path, "code", err);
        status = status ? status : tin_path_join(path, path, session->config->deploy.name, err);
        status = status ? status : cli_set(figures, "code", json_sprintf("%s.c", path), err);
        status = status ? status : cli_set(figures, "header", json_sprintf("%s.h", path), err);
    }
    return status;
}

/* Puts the figures of a stage that was done before into the results. */
static tin_status recall(cli_session *session, tin_stage stage, tin_error *err)
{
    char *text = NULL;
    tin_status status = tin_runs_stage_figures(session->runs, &session->run, stage, &text, err);
    if (status) {
        return status;
    }
    json_t *figures = json_loads(text ? text : "{}", 0, NULL);
    tin_free(text);
    if (!figures) {
        return tin_fail(err, TIN_ERR_FORMAT, "the run store holds no valid figures of `%s`; run it again with --force",
                        tin_stage_name(stage));
    }
    cli_log(session, "%s: done before, skipped (--force redoes it)", tin_stage_name(stage));
    status = set_places(session, stage, figures, err);
    return status ? (json_decref(figures), status) : cli_set(session->results, tin_stage_name(stage), figures, err);
}

/* The stages that make a model make one for each part of cross-validation first; its figures are not kept. */
static tin_status work_parts(cli_session *session, tin_stage stage, json_t *figures, cli_files *files, tin_error *err)
{
    tin_status status = TIN_OK;
    if (!session->part_of || stage > TIN_STAGE_QUANTIZE) {
        return stages[stage](session, figures, files, err);
    }
    for (int part = session->config->train.cross_validation; part >= 0 && status == TIN_OK; part--) {
        json_t *own = part > 0 ? json_object() : json_incref(figures);
        if (part > 0) {
            cli_log(session, "part %d of %d", part, session->config->train.cross_validation);
        } else {
            cli_log(session, "all parts together");
        }
        status = own ? cli_cross_enter(session, part, err) : tin_fail(err, TIN_ERR_MEMORY, "out of memory");
        status = status ? status : stages[stage](session, own, files, err);
        json_decref(own);
        cli_cross_leave(session);
    }
    return status;
}

static tin_status work(cli_session *session, tin_stage stage, tin_error *err)
{
    cli_files *files = tin_alloc(1, sizeof *files, err);
    const char *names[CLI_MAX_FILES];
    char *text = NULL;
    json_t *figures = json_object();
    tin_status status = files && figures ? work_parts(session, stage, figures, files, err)
                                         : tin_fail(err, TIN_ERR_MEMORY, "out of memory");
    for (int i = 0; files && i < files->n; i++) {
        names[i] = files->names[i];
    }
    if (status == TIN_OK) {
        text = json_dumps(figures, JSON_SORT_KEYS | JSON_REAL_PRECISION(12));
        status = text ? tin_runs_stage_finish(session->runs, &session->run, stage, names, files->n, text, err)
                      : tin_fail(err, TIN_ERR_MEMORY, "out of memory");
    }
    free(text);
    tin_free(files);
    status = status ? status : set_places(session, stage, figures, err);
    return status ? (json_decref(figures), status) : cli_set(session->results, tin_stage_name(stage), figures, err);
}

/* A redone training starts from the beginning, not from its own end. */
static tin_status forget_checkpoint(const cli_session *session, tin_stage stage, tin_error *err)
{
    char path[TIN_PATH_MAX];
    if (stage == TIN_STAGE_COMPRESS) {
        return cli_forget_compression(session, err);
    }
    if (stage != TIN_STAGE_TRAIN && stage != TIN_STAGE_QUANTIZE) {
        return TIN_OK;
    }
    const char *name = stage == TIN_STAGE_TRAIN ? "train_checkpoint.safetensors" : "finetune_checkpoint.safetensors";
    tin_status status = cli_in_run(session, path, name, err);
    if (status == TIN_OK && unlink(path) != 0 && errno != ENOENT) {
        status = tin_fail_errno(err, path, "cannot remove");
    }
    return status;
}

static tin_status forget_checkpoints(cli_session *session, tin_stage stage, tin_error *err)
{
    tin_status status = forget_checkpoint(session, stage, err);
    for (int part = 1; session->part_of && part <= session->config->train.cross_validation && status == TIN_OK;
         part++) {
        status = cli_cross_enter(session, part, err);
        status = status ? status : forget_checkpoint(session, stage, err);
        cli_cross_leave(session);
    }
    return status;
}

tin_status cli_run_stages(cli_session *session, tin_stage last, tin_stage force, tin_error *err)
{
    tin_status status = session->part_of ? TIN_OK : cli_cross_begin(session, err);
    session->forget = force <= TIN_STAGE_EVALUATE;
    for (int stage = 0; stage <= (int)last && status == TIN_OK; stage++) {
        bool done = false;
        if (stage == TIN_STAGE_COMPRESS && session->config->compress_count == 0) {
            continue;
        }
        status = stage < (int)force ? tin_runs_stage_done(session->runs, &session->run, (tin_stage)stage, &done, err)
                                    : forget_checkpoints(session, (tin_stage)stage, err);
        if (status == TIN_OK) {
            status = done ? recall(session, (tin_stage)stage, err) : work(session, (tin_stage)stage, err);
        }
        if (status == TIN_OK && stage == TIN_STAGE_DEPLOY) {
            status = cli_check_budget(session, err);
        }
    }
    return status;
}

/* Before hours of training, not behind them. */
static tin_status check_name(const cli_session *session, tin_error *err)
{
    tin_error why = {0};
    if (tin_emit_check_name(session->config->deploy.name, &why) == TIN_OK) {
        return TIN_OK;
    }
    char path[TIN_PATH_MAX];
    tin_status status = tin_path_join(path, session->project, CLI_PROJECT_FILE, err);
    return status ? status
                  : tin_fail_at(err, TIN_ERR_CONFIG, path, 0, "deploy.name (else made from project): %s", why.message);
}

static tin_status check_library(const cli_session *session, tin_error *err)
{
    const tin_config_deploy *settings = &session->config->deploy;
    return strcmp(settings->backend, "cmsis-nn") == 0 ? tin_cmsis_nn_check(settings->cmsis_nn, err) : TIN_OK;
}

static tin_status check_section(const cli_session *session, tin_error *err)
{
    char path[TIN_PATH_MAX];
    if (session->config->compress_count > 0) {
        return TIN_OK;
    }
    tin_status status = tin_path_join(path, session->project, CLI_PROJECT_FILE, err);
    return status ? status
                  : tin_fail_at(err, TIN_ERR_CONFIG, path, 0,
                                "there is no section compress; add e.g. `compress: [{method: prune, keep: 0.75}]`");
}

tin_status cli_work_through(const cli_command *command, const cli_options *options, bool force_data, tin_error *err)
{
    cli_session session = {0};
    bool all = strcmp(command->name, "run") == 0, data_only = command->last_stage < 0;
    tin_stage force = !options->force || data_only ? TIN_STAGE_COUNT
                      : all                        ? TIN_STAGE_TRAIN
                                                   : (tin_stage)command->last_stage;
    tin_status status = cli_session_open(&session, options, err);
    if (status == TIN_OK && command->last_stage >= (int)TIN_STAGE_DEPLOY) {
        status = check_name(&session, err);
        status = status ? status : check_library(&session, err);
    }
    if (status == TIN_OK && command->last_stage == TIN_STAGE_COMPRESS) {
        status = check_section(&session, err);
    }
    status = status ? status : cli_check_relabel(&session, err);
    status = status ? status : cli_data_stage(&session, force_data && (all || data_only), err);
    if (status == TIN_OK && data_only && options->json) {
        status = cli_report_lineage(&session, err);
    }
    if (status == TIN_OK && !data_only) {
        status = cli_run_stages(&session, (tin_stage)command->last_stage, force, err);
    }
    status = status ? status : cli_deploy_actions(&session, err);
    status = status ? status : cli_report_relabel(&session, err);
    status = status ? status : cli_report_files(&session, err);
    status = status ? status : cli_print_results(&session, err);
    cli_session_close(&session);
    return status;
}

tin_status cli_command_stages(const cli_command *command, const cli_options *options, tin_error *err)
{
    return options->n_seeds > 0 || options->n_folds > 0 || options->leave_one_out
               ? cli_run_seeds(command, options, err)
               : cli_work_through(command, options, options->force, err);
}
