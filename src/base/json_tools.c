#include "base/json_tools.h"

#include <math.h>

#include "base/file.h"
#include "base/memory.h"

#define SIGNIFICANT_DIGITS 9

void tin_json_put(tin_json_builder *builder, json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) != 0) {
        builder->failed = true;
    }
}

void tin_json_append(tin_json_builder *builder, json_t *array, json_t *value)
{
    if (json_array_append_new(array, value) != 0) {
        builder->failed = true;
    }
}

json_t *tin_json_real(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *tin_json_matrix(tin_json_builder *builder, const int64_t *cells, int n_rows, int n_columns)
{
    json_t *matrix = json_array();
    for (int i = 0; i < n_rows; i++) {
        json_t *row = json_array();
        for (int j = 0; j < n_columns; j++) {
            tin_json_append(builder, row, json_integer(cells[i * n_columns + j]));
        }
        tin_json_append(builder, matrix, row);
    }
    return matrix;
}

#define FLAGS (JSON_SORT_KEYS | JSON_REAL_PRECISION(SIGNIFICANT_DIGITS))

tin_status tin_json_write(const json_t *value, FILE *stream, const char *path, tin_error *err)
{
    return json_dumpf(value, stream, FLAGS | JSON_COMPACT) == 0 ? TIN_OK : tin_fail_errno(err, path, "write");
}

tin_status tin_json_save(const json_t *root, const char *folder, const char *name, int indent, tin_error *err)
{
    char path[TIN_PATH_MAX];
    tin_writer writer = {0};
    tin_status status = tin_path_join(path, folder, name, err);
    if (status == TIN_OK) {
        status = tin_writer_open(&writer, path, err);
    }
    if (status != TIN_OK) {
        return status;
    }
    size_t flags = FLAGS | (indent > 0 ? JSON_INDENT((size_t)indent) : JSON_COMPACT);
    if (json_dumpf(root, writer.stream, flags) != 0 || fputc('\n', writer.stream) == EOF) {
        status = tin_fail_errno(err, path, "write");
        goto cleanup;
    }
    status = tin_writer_commit(&writer, err);
cleanup:
    tin_writer_abort(&writer);
    return status;
}

tin_status tin_json_load(json_t **root, const char *folder, const char *name, tin_error *err)
{
    *root = NULL;
    char path[TIN_PATH_MAX];
    char *text = NULL;
    size_t size = 0;
    tin_status status = tin_path_join(path, folder, name, err);
    if (status == TIN_OK) {
        status = tin_file_read(path, &text, &size, err);
    }
    if (status != TIN_OK) {
        return status;
    }
    json_error_t why;
    json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
    tin_free(text);
    if (json == NULL) {
        return tin_fail_at(err, TIN_ERR_FORMAT, path, why.line,
                           "is no valid JSON (%s); run the stage that writes it again", why.text);
    }
    if (!json_is_object(json)) {
        json_decref(json);
        return tin_fail_at(err, TIN_ERR_FORMAT, path, 1,
                           "does not hold a JSON object; run the stage that writes it again");
    }
    *root = json;
    return TIN_OK;
}
