#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cli/cli.h"

void cli_log(const cli_session *session, const char *format, ...)
{
    if (session->options.quiet) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

tin_status cli_set(json_t *object, const char *key, json_t *value, tin_error *err)
{
    return json_object_set_new(object, key, value) == 0
               ? TIN_OK
               : tin_fail(err, TIN_ERR_MEMORY, "out of memory for the result '%s', or it is no valid UTF-8", key);
}

tin_status cli_set_real(json_t *object, const char *key, double value, tin_error *err)
{
    return cli_set(object, key, isfinite(value) ? json_real(value) : json_null(), err);
}

tin_status cli_check_folder(const char *folder, tin_error *err)
{
    json_t *text = json_string(folder); /* NULL for what JSON, YAML and the report cannot hold */
    json_decref(text);
    if (!folder[0]) {
        return tin_fail(err, TIN_ERR_USAGE, "the name of the folder is empty; give one, or `.` for this folder");
    }
    return text ? TIN_OK : tin_fail(err, TIN_ERR_USAGE, "the name of the folder is not valid UTF-8; rename the folder");
}

static tin_status set_text(char **text, const char *value, tin_error *err)
{
    char *copy = tin_strdup(value, err);
    if (!copy) {
        return TIN_ERR_MEMORY;
    }
    tin_free(*text);
    *text = copy;
    return TIN_OK;
}

static void forget_names(char ***names, unsigned *n)
{
    for (unsigned i = 0; i < *n; i++) {
        tin_free((*names)[i]);
    }
    tin_free(*names);
    *names = NULL;
    *n = 0;
}

/* Everybody is tested once, so that nobody's list of people to test holds. */
static tin_status apply_folds(tin_config_data *data, const cli_options *options, tin_error *err)
{
    char text[16];
    snprintf(text, sizeof text, options->leave_one_out ? "all" : "%d", options->n_folds);
    forget_names(&data->validation, &data->validation_count);
    forget_names(&data->test, &data->test_count);
    data->split.fold = options->fold;
    tin_status status = set_text(&data->split.folds, text, err);
    return status == TIN_OK && data->split.by && strcmp(data->split.by, "published") == 0
               ? set_text(&data->split.by, "subject", err)
               : status;
}

/* What was given on the command line wins over tinamou.yaml. */
static tin_status apply_options(cli_session *session, tin_error *err)
{
    const cli_options *options = &session->options;
    if (options->has_seed) {
        session->config->seed = options->seed;
    }
    if (options->n_folds > 0 || options->leave_one_out) {
        tin_status status = apply_folds(&session->config->data, options, err);
        if (status) {
            return status;
        }
    }
    if (options->threads >= 0) {
        session->config->threads = options->threads;
    }
    const struct {
        const char *key, *value;
    } settings[] = {{"target", options->target},
                    {"backend", options->backend},
                    {"cmsis_nn", options->cmsis_nn},
                    {"schedule", options->schedule},
                    {"optimize", options->optimize}};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        tin_status status = settings[i].value
                                ? tin_config_set_deploy(session->config, settings[i].key, settings[i].value, err)
                                : TIN_OK;
        if (status) {
            return status;
        }
    }
    if (!options->data) {
        return TIN_OK;
    }
    char absolute[TIN_PATH_MAX];
    if (strcmp(session->config->data.source, "simulate") == 0) {
        return tin_fail(err, TIN_ERR_USAGE,
                        "--data is given, but the project's data.source is simulate; make a project with "
                        "`tinamou init FOLDER --data %s`",
                        options->data);
    }
    if (!realpath(options->data, absolute)) {
        return tin_fail_errno(err, options->data, "cannot find the folder of --data");
    }
    return set_text(&session->config->data.path, absolute, err);
}

tin_status cli_session_open(cli_session *session, const cli_options *options, tin_error *err)
{
    char path[TIN_PATH_MAX];
    session->options = *options;
    tin_status status = cli_check_folder(options->project, err);
    status = status ? status : tin_path_join(path, options->project, CLI_PROJECT_FILE, err);
    if (status) {
        return status;
    }
    if (!tin_file_exists(path)) {
        return tin_fail_at(err, TIN_ERR_USAGE, path, 0, "there is no project here; make one with `tinamou init %s`",
                           options->project);
    }
    snprintf(session->project, sizeof session->project, "%s", options->project);
    session->results = json_object();
    if (!session->results) {
        return tin_fail(err, TIN_ERR_MEMORY, "out of memory");
    }
    status = tin_config_load(&session->config, path, err);
    status = status ? status : apply_options(session, err);
    status = status ? status : tin_pool_create(&session->pool, session->config->threads, err);
    status = status ? status : tin_runs_open(&session->runs, session->project, err);
    status = status ? status : cli_set(session->results, "project", json_string(session->config->project), err);
    return status;
}

void cli_session_close(cli_session *session)
{
    json_decref(session->results);
    tin_free(session->part_of);
    tin_dataset_close(session->dataset);
    tin_runs_close(session->runs);
    tin_pool_destroy(session->pool);
    tin_config_free(session->config);
}
