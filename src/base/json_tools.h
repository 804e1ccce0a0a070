/* The little that is needed around jansson: building with one check at the end, atomic files, reading with a
 * good message. */
#ifndef TIN_JSON_TOOLS_H
#define TIN_JSON_TOOLS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"

/* The first failure sticks: build freely, look once. */
typedef struct tin_json_builder {
    bool failed;
} tin_json_builder;

/* Take over `value`; a NULL object, array or value is a failure. */
void tin_json_put(tin_json_builder *builder, json_t *object, const char *key, json_t *value);
void tin_json_append(tin_json_builder *builder, json_t *array, json_t *value);
/* A number, or null when it is not finite. */
json_t *tin_json_real(double value);
/* Matrix [n_rows][n_columns] as an array of arrays. */
json_t *tin_json_matrix(tin_json_builder *builder, const int64_t *cells, int n_rows, int n_columns);

/* Writes one line without its end, sorted and rounded as tin_json_save does; for files that are made piece by piece. */
tin_status tin_json_write(const json_t *value, FILE *stream, const char *path, tin_error *err) TIN_USE_RESULT;
/* Writes FOLDER/NAME atomically: sorted keys, 9 significant digits, so that the same figures are the same bytes. indent
 * 0: one line. */
tin_status tin_json_save(const json_t *root, const char *folder, const char *name, int indent,
                         tin_error *err) TIN_USE_RESULT;
/* Reads FOLDER/NAME, which must hold an object. TIN_ERR_FORMAT with the line when it is damaged. *root is
 * json_decref()d by the caller. */
tin_status tin_json_load(json_t **root, const char *folder, const char *name, tin_error *err) TIN_USE_RESULT;

#endif
