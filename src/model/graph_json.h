/* Private to src/model: what the .json files of the float and the integer model have in common (docs/model-format.md).
 */
#ifndef TIN_GRAPH_JSON_H
#define TIN_GRAPH_JSON_H

#include <jansson.h>

#include "base/file.h"
#include "model/model.h"
#include "model/model_build.h"
#include "model/safetensors.h"

/* A place in a file, for error messages: file, and the object in words ("layer 3", "input"). */
typedef struct tin_place {
    const char *file;
    const char *object;
} tin_place;

/* dst = path + extension; TIN_ERR_IO when it does not fit. */
tin_status tin_path_with(char dst[TIN_PATH_MAX], const char *path, const char *extension,
                         tin_error *err) TIN_USE_RESULT;

/* Reads and parses FILE, which must be an object with this "format" and "version" 1. The caller json_decref()s *root.
 */
tin_status tin_graph_read(json_t **root, const char *file, const char *format, tin_error *err) TIN_USE_RESULT;
/* Writes ROOT as readable text; takes over the reference (also NULL or incomplete: `ok` false gives TIN_ERR_MEMORY). */
tin_status tin_graph_write(json_t *root, bool ok, const char *file, tin_error *err) TIN_USE_RESULT;

/* Members of an object; TIN_ERR_FORMAT when missing, of another type or out of range. */
tin_status tin_json_int(const json_t *object, const char *key, int64_t least, int64_t most, int *value, tin_place place,
                        tin_error *err) TIN_USE_RESULT;
/* The same of an item of list `key`. */
tin_status tin_json_item(const json_t *value, const char *key, int64_t least, int64_t most, int *out, tin_place place,
                         tin_error *err) TIN_USE_RESULT;
tin_status tin_json_number(const json_t *object, const char *key, double *value, tin_place place,
                           tin_error *err) TIN_USE_RESULT;
tin_status tin_json_bool(const json_t *object, const char *key, bool *value, tin_place place,
                         tin_error *err) TIN_USE_RESULT;
tin_status tin_json_text(const json_t *object, const char *key, const char **value, tin_place place,
                         tin_error *err) TIN_USE_RESULT;
/* An array of `least`..`most` items. */
tin_status tin_json_list(const json_t *object, const char *key, size_t least, size_t most, const json_t **list,
                         tin_place place, tin_error *err) TIN_USE_RESULT;
/* An array of exactly n integers. */
tin_status tin_json_ints(const json_t *object, const char *key, int n, int32_t *values, tin_place place,
                         tin_error *err) TIN_USE_RESULT;
/* The op and sizes of one item of "layers". */
typedef struct tin_layer_facts {
    tin_layer_spec spec;
    int n_inputs, n_outputs, groups;
} tin_layer_facts;
tin_status tin_json_layer(const json_t *object, tin_layer_facts *facts, tin_place place, tin_error *err) TIN_USE_RESULT;
/* The rest of it: name, whom the layer reads, and what only some ops have. The names belong to `object`. */
tin_status tin_json_layer_graph(const json_t *object, tin_layer_spec *spec, tin_place place,
                                tin_error *err) TIN_USE_RESULT;
/* The object that tin_json_layer reads; NULL when memory is short. */
json_t *tin_layer_to_json(const tin_layer_facts *facts);

/* rate_hz, channels, classes. The strings of `channels` and `classes` belong to root. */
tin_status tin_frame_from_json(const json_t *root, const char *file, tin_model_frame *frame,
                               tin_channel channels[TIN_MAX_CHANNELS], tin_class classes[TIN_MAX_CLASSES],
                               tin_error *err) TIN_USE_RESULT;
/* Adds them to root; false when memory is short or a name is not UTF-8. */
bool tin_frame_to_json(json_t *root, const tin_model_frame *frame);

/* Opens FILE when its SHA-256 is the one that root names as "tensors_sha256". */
tin_status tin_graph_tensors(tin_safetensors **tensors, const json_t *root, const char *json_file, const char *file,
                             tin_error *err) TIN_USE_RESULT;

#endif
