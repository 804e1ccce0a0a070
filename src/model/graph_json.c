#include "model/graph_json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "model/log_mel.h"

#define VERSION 1

tin_status tin_path_with(char dst[TIN_PATH_MAX], const char *path, const char *extension, tin_error *err)
{
    size_t a = strlen(path), b = strlen(extension);
    if (a + b >= TIN_PATH_MAX)
        return tin_fail(err, TIN_ERR_IO, "path of %zu characters is too long; use a shorter folder name", a + b);
    memcpy(dst, path, a);
    memcpy(dst + a, extension, b + 1);
    return TIN_OK;
}

tin_status tin_graph_read(json_t **root, const char *file, const char *format, tin_error *err)
{
    *root = NULL;
    char *bytes = NULL;
    size_t size = 0;
    tin_status status = tin_file_read(file, &bytes, &size, err);
    if (status)
        return status;
    json_error_t why;
    json_t *r = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &why);
    tin_free(bytes);
    if (!r)
        return tin_fail_at(err, TIN_ERR_FORMAT, file, why.line > 0 ? why.line : 0,
                           "not valid JSON: %s; make the file again", why.text);
    const char *have = json_string_value(json_object_get(r, "format"));
    const json_t *version = json_object_get(r, "version");
    if (!have || strcmp(have, format) != 0)
        status = tin_fail_at(err, TIN_ERR_FORMAT, file, 0, "\"format\" is \"%s\", not \"%s\"; give a file of that kind",
                             have ? have : "(missing)", format);
    else if (!json_is_integer(version) || json_integer_value(version) != VERSION)
        status = tin_fail_at(err, TIN_ERR_FORMAT, file, 0,
                             "\"version\" is not %d; make the file again with this tinamou", VERSION);
    if (status)
        json_decref(r);
    else
        *root = r;
    return status;
}

tin_status tin_graph_write(json_t *root, bool ok, const char *file, tin_error *err)
{
    char *text = ok && root ? json_dumps(root, JSON_INDENT(2)) : NULL;
    json_decref(root);
    if (!text)
        return tin_fail_at(
            err, TIN_ERR_MEMORY, file, 0,
            "the description could not be made: a name is not UTF-8 or memory is short; use plain names");
    size_t size = strlen(text);
    text[size] = '\n'; /* in place of the NUL; the file needs no NUL */
    tin_status status = tin_file_write(file, text, size + 1, err);
    free(text);
    return status;
}

static tin_status bad_member(tin_place place, const char *key, const char *want, tin_error *err)
{
    return tin_fail_at(err, TIN_ERR_FORMAT, place.file, 0,
                       "%s: \"%s\" must be %s; make the file again or mend it by hand", place.object, key, want);
}

tin_status tin_json_item(const json_t *value, const char *key, int64_t least, int64_t most, int *out, tin_place place,
                         tin_error *err)
{
    char want[80];
    snprintf(want, sizeof want, "a whole number from %lld to %lld", (long long)least, (long long)most);
    if (!json_is_integer(value) || json_integer_value(value) < least || json_integer_value(value) > most)
        return bad_member(place, key, want, err);
    *out = (int)json_integer_value(value);
    return TIN_OK;
}

tin_status tin_json_int(const json_t *object, const char *key, int64_t least, int64_t most, int *value, tin_place place,
                        tin_error *err)
{
    return tin_json_item(json_object_get(object, key), key, least, most, value, place, err);
}

tin_status tin_json_number(const json_t *object, const char *key, double *value, tin_place place, tin_error *err)
{
    const json_t *v = json_object_get(object, key);
    if (!json_is_number(v) || !isfinite(json_number_value(v)))
        return bad_member(place, key, "a number", err);
    *value = json_number_value(v);
    return TIN_OK;
}

tin_status tin_json_bool(const json_t *object, const char *key, bool *value, tin_place place, tin_error *err)
{
    const json_t *v = json_object_get(object, key);
    if (!json_is_boolean(v))
        return bad_member(place, key, "true or false", err);
    *value = json_is_true(v);
    return TIN_OK;
}

tin_status tin_json_text(const json_t *object, const char *key, const char **value, tin_place place, tin_error *err)
{
    *value = json_string_value(json_object_get(object, key));
    return *value ? TIN_OK : bad_member(place, key, "a text", err);
}

tin_status tin_json_list(const json_t *object, const char *key, size_t least, size_t most, const json_t **list,
                         tin_place place, tin_error *err)
{
    char want[80];
    snprintf(want, sizeof want, "a list of %zu to %zu items", least, most);
    *list = json_object_get(object, key);
    if (!json_is_array(*list) || json_array_size(*list) < least || json_array_size(*list) > most)
        return bad_member(place, key, want, err);
    return TIN_OK;
}

tin_status tin_json_ints(const json_t *object, const char *key, int n, int32_t *values, tin_place place, tin_error *err)
{
    const json_t *list;
    tin_status status = tin_json_list(object, key, (size_t)n, (size_t)n, &list, place, err);
    for (int i = 0; !status && i < n; i++)
        status = tin_json_item(json_array_get(list, (size_t)i), key, INT32_MIN, INT32_MAX, &values[i], place, err);
    return status;
}

tin_status tin_json_layer_graph(const json_t *object, tin_layer_spec *s, tin_place place, tin_error *err)
{
    const json_t *list;
    double rate = 0;
    tin_status status = tin_json_text(object, "name", &s->name, place, err);
    if (!status)
        status = tin_json_list(object, "from", 1, TIN_MAX_FROM, &list, place, err);
    if (status)
        return status;
    s->n_from = (int)json_array_size(list);
    for (int k = 0; k < s->n_from; k++) {
        if (!(s->from[k] = json_string_value(json_array_get(list, (size_t)k))))
            return bad_member(place, "from", "a list of names of layers", err);
    }
    if (s->op == TIN_OP_DROPOUT)
        status = tin_json_number(object, "rate", &rate, place, err);
    s->rate = (float)rate;
    if (!status && s->op == TIN_OP_GRU)
        status = tin_json_bool(object, "reset_before", &s->reset_before, place, err);
    if (!status && (s->op == TIN_OP_EMA || s->op == TIN_OP_HIGH_PASS || s->op == TIN_OP_MAGNITUDE))
        status = tin_json_int(object, "ema_shift", s->op == TIN_OP_MAGNITUDE ? 0 : 1, 12, &s->shift, place, err);
    if (!status && s->op == TIN_OP_MASK &&
        !(status = tin_json_int(object, "bands", 0, TIN_MAX_WIDTH, &s->bands, place, err)) &&
        !(status = tin_json_int(object, "rows", 0, TIN_MAX_HISTORY, &s->rows, place, err)))
        status = tin_json_int(object, "count", 1, TIN_MASK_MAX_COUNT, &s->count, place, err);
    if (!status && s->op == TIN_OP_LOG_ENERGY)
        status = tin_json_int(object, "levels", 1, 8, &s->levels, place, err);
    if (!status && s->op == TIN_OP_LOG_MEL)
        status = tin_json_int(object, "bands", 1, TIN_LOG_MEL_MAX_BANDS, &s->bands, place, err);
    if (!status && s->op == TIN_OP_LOG_MEL)
        status = tin_json_int(object, "low_hz", 0, 1000000, &s->low_hz, place, err);
    if (!status && s->op == TIN_OP_LOG_MEL)
        status = tin_json_int(object, "high_hz", 1, 1000000, &s->high_hz, place, err);
    return status;
}

tin_status tin_json_layer(const json_t *object, tin_layer_facts *facts, tin_place place, tin_error *err)
{
    const char *op;
    tin_layer_spec *s = &facts->spec;
    tin_status status = tin_json_text(object, "op", &op, place, err);
    if (status)
        return status;
    *facts = (tin_layer_facts){.spec = {.op = tin_op_from_name(op)}};
    if (s->op == TIN_OP_COUNT)
        return tin_fail_at(err, TIN_ERR_FORMAT, place.file, 0, "%s: unknown op \"%s\"; use one of docs/model-format.md",
                           place.object, op);
    if ((status = tin_json_int(object, "inputs", 1, TIN_MAX_WIDTH, &facts->n_inputs, place, err)) ||
        (status = tin_json_int(object, "outputs", 1, TIN_MAX_WIDTH, &facts->n_outputs, place, err)) ||
        (status = tin_json_int(object, "kernel", 1, TIN_MAX_HISTORY, &s->kernel, place, err)) ||
        (status = tin_json_int(object, "stride", 1, TIN_MAX_STRIDE, &s->stride, place, err)) ||
        (status = tin_json_int(object, "dilation", 1, TIN_MAX_HISTORY, &s->dilation, place, err)) ||
        (status = tin_json_int(object, "groups", 1, TIN_MAX_WIDTH, &facts->groups, place, err)))
        return status;
    s->depthwise = facts->groups > 1;
    s->units = facts->n_outputs;
    return TIN_OK;
}

json_t *tin_layer_to_json(const tin_layer_facts *facts)
{
    const tin_layer_spec *s = &facts->spec;
    json_t *from = json_array();
    json_t *object =
        json_pack("{s:s, s:s, s:o, s:i, s:i, s:i, s:i, s:i, s:i}", "name", s->name, "op", tin_op_name(s->op), "from",
                  from, "inputs", facts->n_inputs, "outputs", facts->n_outputs, "kernel", s->kernel, "stride",
                  s->stride, "dilation", s->dilation, "groups", facts->groups);
    bool ok = object != NULL;
    for (int k = 0; ok && k < s->n_from; k++)
        ok = json_array_append_new(from, json_string(s->from[k])) == 0;
    if (ok && s->op == TIN_OP_DROPOUT)
        ok = json_object_set_new(object, "rate", json_real((double)s->rate)) == 0;
    if (ok && s->op == TIN_OP_GRU)
        ok = json_object_set_new(object, "reset_before", json_boolean(s->reset_before)) == 0;
    if (ok && (s->op == TIN_OP_EMA || s->op == TIN_OP_HIGH_PASS || s->op == TIN_OP_MAGNITUDE))
        ok = json_object_set_new(object, "ema_shift", json_integer(s->shift)) == 0;
    if (ok && s->op == TIN_OP_MASK)
        ok = json_object_set_new(object, "bands", json_integer(s->bands)) == 0 &&
             json_object_set_new(object, "rows", json_integer(s->rows)) == 0 &&
             json_object_set_new(object, "count", json_integer(s->count)) == 0;
    if (ok && s->op == TIN_OP_LOG_ENERGY)
        ok = json_object_set_new(object, "levels", json_integer(s->levels)) == 0;
    if (ok && s->op == TIN_OP_LOG_MEL)
        ok = json_object_set_new(object, "bands", json_integer(s->bands)) == 0 &&
             json_object_set_new(object, "low_hz", json_integer(s->low_hz)) == 0 &&
             json_object_set_new(object, "high_hz", json_integer(s->high_hz)) == 0;
    if (!ok) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static tin_status channel_from_json(const json_t *object, tin_channel *channel, tin_place place, tin_error *err)
{
    const char *name, *unit;
    if (tin_json_text(object, "name", &name, place, err) || tin_json_text(object, "unit", &unit, place, err) ||
        tin_json_number(object, "scale", &channel->scale, place, err))
        return TIN_ERR_FORMAT;
    channel->name = (char *)name; /* borrowed: a frame never writes or frees its names */
    channel->unit = (char *)unit;
    return TIN_OK;
}

tin_status tin_frame_from_json(const json_t *root, const char *file, tin_model_frame *frame,
                               tin_channel channels[TIN_MAX_CHANNELS], tin_class classes[TIN_MAX_CLASSES],
                               tin_error *err)
{
    char object[32];
    const json_t *channel_list, *class_list;
    tin_place top = {file, "model"}, place = {file, object};
    *frame = (tin_model_frame){.channels = channels, .classes = classes};
    tin_status status = tin_json_number(root, "rate_hz", &frame->rate_hz, top, err);
    if (!status)
        status = tin_json_list(root, "channels", 1, TIN_MAX_CHANNELS, &channel_list, top, err);
    if (!status)
        status = tin_json_list(root, "classes", 1, TIN_MAX_CLASSES, &class_list, top, err);
    if (status)
        return status;
    frame->n_channels = (int)json_array_size(channel_list);
    frame->n_classes = (int)json_array_size(class_list);
    for (int c = 0; !status && c < frame->n_channels; c++) {
        snprintf(object, sizeof object, "channel %d", c);
        status = channel_from_json(json_array_get(channel_list, (size_t)c), &channels[c], place, err);
    }
    for (int k = 0; !status && k < frame->n_classes; k++) {
        const json_t *item = json_array_get(class_list, (size_t)k);
        const char *name = "";
        snprintf(object, sizeof object, "class %d", k);
        status = tin_json_text(item, "name", &name, place, err);
        if (!status)
            status = tin_json_bool(item, "event", &classes[k].event, place, err);
        classes[k].name = (char *)name;
    }
    return status;
}

bool tin_frame_to_json(json_t *root, const tin_model_frame *frame)
{
    json_t *channels = json_array(), *classes = json_array();
    bool ok = json_object_set_new(root, "rate_hz", json_real(frame->rate_hz)) == 0;
    ok &= json_object_set_new(root, "channels", channels) == 0;
    ok &= json_object_set_new(root, "classes", classes) == 0;
    for (int c = 0; ok && c < frame->n_channels; c++)
        ok &=
            json_array_append_new(channels, json_pack("{s:s, s:s, s:f}", "name", frame->channels[c].name, "unit",
                                                      frame->channels[c].unit, "scale", frame->channels[c].scale)) == 0;
    for (int k = 0; ok && k < frame->n_classes; k++)
        ok &= json_array_append_new(classes, json_pack("{s:s, s:b}", "name", frame->classes[k].name, "event",
                                                       (int)frame->classes[k].event)) == 0;
    return ok;
}

tin_status tin_graph_tensors(tin_safetensors **tensors, const json_t *root, const char *json_file, const char *file,
                             tin_error *err)
{
    const char *want;
    char have[TIN_HASH_HEX];
    *tensors = NULL;
    tin_status status = tin_json_text(root, "tensors_sha256", &want, (tin_place){json_file, "model"}, err);
    if (!status)
        status = tin_hash_file(file, have, err);
    if (status)
        return status;
    if (strcmp(want, have) != 0)
        return tin_fail_at(err, TIN_ERR_FORMAT, file, 0,
                           "its SHA-256 is not the \"tensors_sha256\" of %s (a save was cut short, or a file changed); "
                           "save both again",
                           json_file);
    return tin_safetensors_read(tensors, file, err);
}
