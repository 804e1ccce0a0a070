/* A split that was made once stays, whatever recordings come later, and can be edited by hand:
 *
 *     {"by": "subject", "folds": 5, "units": {"p01": 1, "p02": 2, ...}} */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/split.h"

tin_split_unit *tin_split_file_unit(tin_split_file *file, const char *name, tin_error *err)
{
    for (size_t i = 0; i < file->n; i++)
        if (strcmp(file->units[i].name, name) == 0)
            return &file->units[i];
    tin_split_unit *grown = tin_grow(file->units, file->n, file->n + 1, sizeof *grown, err);
    if (grown == NULL)
        return NULL;
    file->units = grown;
    grown[file->n].name = tin_strdup(name, err);
    return grown[file->n].name == NULL ? NULL : &grown[file->n++];
}

static tin_status take_units(tin_split_file *file, const char *path, json_t *root, const char *by, int n_folds,
                             tin_error *err)
{
    const char *name, *was = json_string_value(json_object_get(root, "by"));
    json_t *value, *units = json_object_get(root, "units");
    if (was == NULL || strcmp(was, by) != 0 || !json_is_object(units) ||
        json_integer_value(json_object_get(root, "folds")) != n_folds)
        return tin_fail_at(err, TIN_ERR_CONFIG, path, 0,
                           "this is no split by %s with folds: %d; mend it, or remove it to split anew", by, n_folds);
    json_object_foreach(units, name, value)
    {
        json_int_t fold = json_integer_value(value);
        if (fold < 1 || fold > (n_folds > 0 ? n_folds : INT32_MAX))
            return tin_fail_at(err, TIN_ERR_CONFIG, path, 0,
                               "the fold of '%s' is %lld; write a whole number from 1 to %d, or remove the file to "
                               "split anew",
                               name, (long long)fold, n_folds > 0 ? n_folds : INT32_MAX);
        tin_split_unit *unit = tin_split_file_unit(file, name, err);
        if (unit == NULL)
            return TIN_ERR_MEMORY;
        unit->fold = (int)fold;
    }
    return TIN_OK;
}

tin_status tin_split_file_read(tin_split_file *file, const char *path, const char *by, int n_folds, tin_error *err)
{
    json_error_t why;
    char *text = NULL;
    size_t size = 0;
    *file = (tin_split_file){0};
    if (!tin_file_exists(path))
        return TIN_OK;
    tin_status status = tin_file_read(path, &text, &size, err);
    if (status != TIN_OK)
        return status;
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
    status = root != NULL ? take_units(file, path, root, by, n_folds, err)
                          : tin_fail_at(err, TIN_ERR_CONFIG, path, why.line,
                                        "no valid JSON: %s; mend it, or remove the file to split anew", why.text);
    json_decref(root);
    tin_free(text);
    if (status != TIN_OK)
        tin_split_file_free(file);
    return status;
}

tin_status tin_split_file_write(const tin_split_file *file, const char *path, const char *by, int n_folds,
                                tin_error *err)
{
    json_t *units = json_object();
    int failed = 0;
    for (size_t i = 0; i < file->n; i++)
        failed |= json_object_set_new(units, file->units[i].name, json_integer(file->units[i].fold));
    json_t *root =
        json_pack("{s:s, s:s, s:i, s:O}", "about",
                  "The fold of each unit. It stays when recordings are added. Edit it to move one; remove the "
                  "file to split anew.",
                  "by", by, "folds", n_folds, "units", units);
    char *text = failed ? NULL : json_dumps(root, JSON_INDENT(2));
    tin_status status = text != NULL ? tin_file_write(path, text, strlen(text), err)
                                     : tin_fail(err, TIN_ERR_MEMORY, "out of memory for the split");
    free(text); /* jansson's own memory */
    json_decref(root);
    json_decref(units);
    return status;
}

void tin_split_file_free(tin_split_file *file)
{
    for (size_t i = 0; i < file->n; i++)
        tin_free(file->units[i].name);
    tin_free(file->units);
    *file = (tin_split_file){0};
}
