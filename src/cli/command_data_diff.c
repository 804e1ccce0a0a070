#include <stdio.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "dataset/dataset_diff.h"

#define MAX_PRINTED 40 /* changes, for people; --json has all */

/* A file as it is named, or PROJECT/data/NAME.tind. */
static tin_status find_dataset(char path[TIN_PATH_MAX], const char *project, const char *name, tin_error *err)
{
    char inside[TIN_PATH_MAX], folder[TIN_PATH_MAX];
    struct stat info;
    int n = snprintf(path, TIN_PATH_MAX, "%s", name);
    if (n < TIN_PATH_MAX && stat(path, &info) == 0 && S_ISREG(info.st_mode)) {
        return TIN_OK;
    }
    n = snprintf(inside, sizeof inside, "%s.tind", name);
    tin_status status = tin_path_join(folder, project, "data", err);
    status = status ? status : tin_path_join(path, folder, inside, err);
    if (status == TIN_OK && (n >= (int)sizeof inside || !tin_file_exists(path))) {
        status =
            tin_fail(err, TIN_ERR_USAGE,
                     "there is neither a file '%.200s' nor a dataset %.400s; give two dataset files, or names out of "
                     "data/ of the project",
                     name, path);
    }
    return status;
}

static tin_status change_object(const tin_dataset_change *change, json_t *list, tin_error *err)
{
    json_t *object = json_pack("{s:s?, s:s, s:s?, s:s?}", "stream", change->stream, "what", change->what, "before",
                               change->before, "after", change->after);
    tin_status status = object ? TIN_OK : tin_fail(err, TIN_ERR_MEMORY, "out of memory for the differences");
    if (status == TIN_OK && change->end_s > 0) {
        status = cli_set_real(object, "start_s", change->start_s, err);
        status = status ? status : cli_set_real(object, "end_s", change->end_s, err);
    }
    if (status) {
        json_decref(object);
        return status;
    }
    return json_array_append_new(list, object) == 0
               ? TIN_OK
               : tin_fail(err, TIN_ERR_MEMORY, "out of memory for the differences");
}

static tin_status print_json(const tin_dataset_diff *diff, char paths[2][TIN_PATH_MAX], tin_dataset *const sides[2],
                             const json_t *settings, tin_error *err)
{
    json_t *changes = json_array();
    tin_status status = TIN_OK;
    for (size_t i = 0; i < diff->n && !status; i++) {
        status = change_object(&diff->changes[i], changes, err);
    }
    json_t *object = json_pack("{s:b, s:{s:s, s:s}, s:{s:s, s:s}, s:{s:I, s:I, s:I, s:I}, s:I, s:f, s:O, s:O}", "equal",
                               diff->n == 0, "old", "file", paths[0], "hash", sides[0]->hash, "new", "file", paths[1],
                               "hash", sides[1]->hash, "streams", "added", (json_int_t)diff->streams_added, "removed",
                               (json_int_t)diff->streams_removed, "changed", (json_int_t)diff->streams_changed, "equal",
                               (json_int_t)diff->streams_equal, "labels_changed", (json_int_t)diff->labels_changed,
                               "label_seconds", diff->label_seconds, "changes", changes, "settings", settings);
    status = status ? status : cli_print_json(object, err);
    json_decref(object);
    json_decref(changes);
    return status;
}

static void print_change(const tin_dataset_change *change)
{
    printf("  %s%s%s: ", change->stream ? change->stream : "", change->stream ? " " : "", change->what);
    if (!change->before) {
        printf("added, %s\n", change->after);
    } else if (!change->after) {
        printf("removed, %s\n", change->before);
    } else {
        printf("%s -> %s\n", change->before, change->after);
    }
}

static void print_settings(const json_t *settings)
{
    size_t i;
    const json_t *item;
    json_array_foreach(settings, i, item)
    {
        const char *a = json_string_value(json_object_get(item, "a")),
                   *b = json_string_value(json_object_get(item, "b"));
        printf("setting data.%s: %s -> %s\n", json_string_value(json_object_get(item, "key")), a ? a : "none",
               b ? b : "none");
    }
}

static void print_text(const tin_dataset_diff *diff)
{
    if (diff->n == 0) {
        printf("the datasets are equal: %zu recordings\n", diff->streams_equal);
        return;
    }
    printf("recordings: %zu added, %zu removed, %zu changed, %zu equal\n", diff->streams_added, diff->streams_removed,
           diff->streams_changed, diff->streams_equal);
    printf("labels:     %zu changed, %.1f seconds have another label\n", diff->labels_changed, diff->label_seconds);
    for (size_t i = 0; i < diff->n && i < MAX_PRINTED; i++) {
        print_change(&diff->changes[i]);
    }
    if (diff->n > MAX_PRINTED) {
        printf("  and %zu more; --json lists all\n", diff->n - MAX_PRINTED);
    }
}

static tin_status find_sides(const cli_options *options, char paths[2][TIN_PATH_MAX], tin_error *err)
{
    if (options->operands[0]) {
        tin_status status = find_dataset(paths[0], options->project, options->operands[0], err);
        return status ? status : find_dataset(paths[1], options->project, options->operands[1], err);
    }
    cli_session session = {0};
    tin_status status = cli_session_open(&session, options, err);
    status = status ? status : cli_newest_datasets(&session, paths, err);
    cli_session_close(&session);
    return status;
}

tin_status cli_command_data_diff(const cli_command *command, const cli_options *options, tin_error *err)
{
    (void)command;
    char paths[2][TIN_PATH_MAX];
    tin_dataset *sides[2] = {NULL, NULL};
    tin_dataset_diff diff = {0};
    json_t *settings = NULL;
    tin_status status = find_sides(options, paths, err);
    status = status ? status : tin_dataset_open(&sides[0], paths[0], err);
    status = status ? status : tin_dataset_open(&sides[1], paths[1], err);
    status = status ? status : tin_dataset_compare(&diff, sides[0], sides[1], err);
    status = status ? status : cli_data_settings_diff(sides[0], sides[1], &settings, err);
    if (status == TIN_OK && options->json) {
        status = print_json(&diff, paths, sides, settings, err);
    } else if (status == TIN_OK) {
        print_settings(settings);
        print_text(&diff);
    }
    status = status == TIN_OK && diff.n > 0 ? TIN_DIFFERENT : status;
    json_decref(settings);
    tin_dataset_diff_free(&diff);
    tin_dataset_close(sides[0]);
    tin_dataset_close(sides[1]);
    return status;
}
