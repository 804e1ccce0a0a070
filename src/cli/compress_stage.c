/* Compress: steps of the settings over model_float; model_compressed takes its place in the stages behind. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "compress/compress.h"

#define MOST_ROUNDS 9

static tin_status step_figures(json_t *steps, const tin_compress_row *row, tin_error *err)
{
    json_t *step = json_object();
    tin_status status = cli_set(step, "step", json_string(row->step), err);
    status = status ? status : cli_set(step, "parameters", json_integer((json_int_t)row->size.parameters), err);
    status = status ? status : cli_set(step, "nonzero", json_integer((json_int_t)row->size.nonzero), err);
    status = status ? status : cli_set_real(step, "flash_bytes_estimate", row->size.flash_bytes, err);
    status = status ? status : cli_set_real(step, "macs_per_decision", row->size.macs, err);
    status = status ? status : cli_set_real(step, "changed_validation_score", row->changed_score, err);
    status = status ? status : cli_set_real(step, "validation_score", row->score, err);
    if (row->teacher_score != 0) {
        status = status ? status : cli_set_real(step, "teacher_validation_score", row->teacher_score, err);
    }
    if (status) {
        json_decref(step);
        return status;
    }
    return json_array_append_new(steps, step) == 0 ? TIN_OK : tin_fail(err, TIN_ERR_MEMORY, "out of memory");
}

tin_status cli_stage_compress(cli_session *session, json_t *figures, cli_files *files, tin_error *err)
{
    tin_model *model = NULL;
    tin_compress_row rows[TIN_MAX_COMPRESS + 1];
    int n_rows = 0;
    char from[TIN_PATH_MAX], to[TIN_PATH_MAX];
    const tin_compress_options options = {.config = session->config,
                                          .pool = session->pool,
                                          .folder = session->run.folder,
                                          .quiet = session->options.quiet};
    json_t *steps = json_array();

    tin_status status = cli_in_run(session, from, "model_float", err);
    status = status ? status : cli_in_run(session, to, "model_compressed", err);
    status = status ? status : tin_model_load(&model, from, err);
    status = status ? status : tin_compress(&model, session->dataset, &options, rows, &n_rows, err);
    status = status ? status : tin_model_save(model, to, err);
    status = status ? status : cli_add_file(files, session, true, err, "model_compressed.json");
    status = status ? status : cli_add_file(files, session, true, err, "model_compressed.safetensors");
    for (int i = 0; i < n_rows && status == TIN_OK; i++) {
        status = step_figures(steps, &rows[i], err);
    }
    if (status == TIN_OK) {
        char score[96] = "";
        if (!isnan(rows[0].score)) {
            snprintf(score, sizeof score, "; validation %s %.3f, was %.3f", session->config->train.metric,
                     rows[n_rows - 1].score, rows[0].score);
        }
        cli_log(session, "compress: %zu parameters, %zu not zero, of %zu%s", rows[n_rows - 1].size.parameters,
                rows[n_rows - 1].size.nonzero, rows[0].size.parameters, score);
        status = cli_set(figures, "steps", json_incref(steps), err);
    }
    json_decref(steps);
    tin_model_free(model);
    return status;
}

tin_status cli_forget_compression(const cli_session *session, tin_error *err)
{
    const int each = MOST_ROUNDS + 1 + TIN_MAX_TEACHERS; /* rounds 1..., the teacher, teacher2... */
    for (int i = 0; i < TIN_MAX_COMPRESS * each; i++) {
        char name[64], path[TIN_PATH_MAX], round[24] = "teacher";
        if (i % each < MOST_ROUNDS) {
            snprintf(round, sizeof round, "%d", i % each + 1);
        } else if (i % each > MOST_ROUNDS) {
            snprintf(round, sizeof round, "teacher%d", i % each - MOST_ROUNDS + 1);
        }
        snprintf(name, sizeof name, "compress%d_%s_checkpoint.safetensors", i / each + 1, round);
        tin_status status = cli_in_run(session, path, name, err);
        if (status == TIN_OK && unlink(path) != 0 && errno != ENOENT) {
            status = tin_fail_errno(err, path, "cannot remove");
        }
        if (status) {
            return status;
        }
    }
    return TIN_OK;
}
