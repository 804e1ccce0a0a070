#include <stdio.h>

#include "cli/cli.h"
#include "train/preview.h"

static tin_status print_json(const tin_preview *preview, const char *path, tin_error *err)
{
    json_t *operations = json_array(), *sequences = json_array();
    int failed = 0;
    for (int i = 0; i < preview->n_operations; i++) {
        failed |= json_array_append_new(operations, json_string(preview->operations[i]));
    }
    for (int i = 0; i < preview->n_sequences; i++) {
        failed |= json_array_append_new(
            sequences, json_pack("{s:s, s:f, s:f}", "stream", preview->sequences[i].stream->id, "start_s",
                                 preview->sequences[i].start_s, "seconds", preview->seconds));
    }
    json_t *object = json_pack("{s:s, s:O?, s:O?}", "file", path, "operations", operations, "sequences", sequences);
    tin_status status = failed || !object ? tin_fail(err, TIN_ERR_MEMORY, "out of memory for the result") : TIN_OK;
    status = status ? status : cli_print_json(object, err);
    json_decref(object);
    json_decref(operations);
    json_decref(sequences);
    return status;
}

tin_status cli_command_data_preview(const cli_command *command, const cli_options *options, tin_error *err)
{
    (void)command;
    cli_session session = {0};
    tin_preview preview;
    char folder[TIN_PATH_MAX], path[TIN_PATH_MAX];
    tin_status status = cli_session_open(&session, options, err);
    status = status ? status : cli_data_stage(&session, false, err);
    status = status ? status : tin_path_join(folder, session.project, "data", err);
    status = status ? status : tin_path_join(path, folder, "preview.html", err);
    if (status == TIN_OK) {
        tin_preview_options wanted = {.title = session.config->project,
                                      .train = &session.config->train,
                                      .seed = session.config->seed,
                                      .pool = session.pool};
        status = tin_preview_write(&preview, session.dataset, &wanted, path, err);
    }
    if (status == TIN_OK && options->json) {
        status = print_json(&preview, path, err);
    } else if (status == TIN_OK) {
        printf("%s\n", path);
    }
    cli_session_close(&session);
    return status;
}
