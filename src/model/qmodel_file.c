/* The integer model on disk: NAME.json and NAME.safetensors (docs/model-format.md). */
#include <stdlib.h>
#include <string.h>

#include "model/graph_json.h"
#include "model/qmodel_parts.h"

#define FORMAT "tinamou-integer-model"

typedef char tensor_name[48];

static void name_tensor(tensor_name name, int layer, const char *part_name)
{
    snprintf(name, sizeof(tensor_name), "layers.%d.%s", layer, part_name);
}

static tin_status write_tensors(const tin_qmodel *model, const char *file, char hash[TIN_HASH_HEX], tin_error *err)
{
    tensor_name names[TIN_MAX_LAYERS * TIN_QLAYER_PARTS];
    tin_tensor tensors[TIN_MAX_LAYERS * TIN_QLAYER_PARTS];
    size_t n = 0;
    for (int i = 0; i < model->n_layers; i++) {
        tin_qlayer_part parts[TIN_QLAYER_PARTS];
        int n_parts = tin_qlayer_list_parts(&model->layers[i], parts);
        for (int p = 0; p < n_parts; p++, n++) {
            name_tensor(names[n], i, parts[p].name);
            tensors[n] = (tin_tensor){
                .name = names[n], .dtype = parts[p].dtype, .n_dims = parts[p].n_dims, .data = parts[p].data};
            memcpy(tensors[n].shape, parts[p].shape, sizeof parts[p].shape);
        }
    }
    tin_metadata format = {"format", FORMAT};
    return tin_safetensors_write(file, tensors, n, &format, 1, hash, err);
}

static const char *name_of(const tin_qmodel *m, int from)
{
    return from == TIN_FROM_INPUT ? "input" : m->layers[from].name;
}

static json_t *layer_to_json(const tin_qmodel *m, int index)
{
    const tin_qlayer *l = &m->layers[index];
    tin_layer_facts facts = {.spec = {.op = l->op,
                                      .name = l->name,
                                      .n_from = l->n_from,
                                      .kernel = l->kernel,
                                      .stride = l->stride,
                                      .dilation = l->dilation,
                                      .reset_before = l->reset_before,
                                      .shift = l->ema_shift,
                                      .levels = l->levels,
                                      .bands = l->bands,
                                      .low_hz = l->low_hz,
                                      .high_hz = l->high_hz},
                             .n_inputs = l->n_inputs,
                             .n_outputs = l->n_outputs,
                             .groups = l->groups};
    for (int k = 0; k < l->n_from; k++)
        facts.spec.from[k] = name_of(m, l->from[k]);
    json_t *object = tin_layer_to_json(&facts);
    json_t *rest = json_pack("{s:s, s:i, s:f}", "activation", tin_activation_name(l->activation), "output_bits",
                             l->output_bits, "output_scale", (double)l->output_scale);
    bool ok = object && rest && json_object_update(object, rest) == 0;
    if (ok && tin_qlayer_rows(l) > 0)
        ok = json_object_set_new(object, "shift", json_integer(l->shift)) == 0;
    if (ok && tin_qlayer_reads_state(l))
        ok = json_object_set_new(object, "hidden_shift", json_integer(l->hidden_shift)) == 0;
    json_decref(rest);
    if (ok)
        return object;
    json_decref(object);
    return NULL;
}

static json_t *input_to_json(const tin_qmodel *m)
{
    json_t *offset = json_array(), *mult = json_array();
    for (int c = 0; c < m->n_channels; c++) {
        json_array_append_new(offset, json_integer(m->input_offset[c]));
        json_array_append_new(mult, json_integer(m->input_mult[c]));
    }
    return json_pack("{s:o, s:o, s:i, s:i, s:f}", "offset", offset, "mult", mult, "shift", m->input_shift, "bits",
                     m->input_bits, "scale", (double)m->input_scale);
}

tin_status tin_qmodel_save(const tin_qmodel *model, const char *path, tin_error *err)
{
    char json_file[TIN_PATH_MAX], tensor_file[TIN_PATH_MAX], hash[TIN_HASH_HEX];
    tin_status status = tin_path_with(json_file, path, ".json", err);
    if (!status)
        status = tin_path_with(tensor_file, path, ".safetensors", err);
    if (!status)
        status = write_tensors(model, tensor_file, hash, err);
    if (status)
        return status;
    json_t *root = json_pack("{s:s, s:i, s:s}", "format", FORMAT, "version", 1, "hash", model->hash);
    tin_model_frame frame = {model->rate_hz, model->n_channels, model->n_classes, model->channels, model->classes};
    bool ok = root && tin_frame_to_json(root, &frame);
    ok &= json_object_set_new(root, "input", input_to_json(model)) == 0;
    json_t *layers = json_array();
    ok &= json_object_set_new(root, "layers", layers) == 0;
    for (int i = 0; ok && i < model->n_layers; i++)
        ok &= json_array_append_new(layers, layer_to_json(model, i)) == 0;
    ok &= json_object_set_new(root, "hop", json_integer(model->hop)) == 0;
    ok &= json_object_set_new(root, "delay", json_integer(model->delay)) == 0;
    ok &= json_object_set_new(root, "tensors_sha256", json_string(hash)) == 0;
    return tin_graph_write(root, ok, json_file, err);
}

/* ---- loading ---- */

static tin_status read_input(const json_t *root, const char *file, tin_qmodel *m, tin_error *err)
{
    tin_place place = {file, "input"};
    const json_t *input = json_object_get(root, "input");
    double scale = 0;
    tin_status status = tin_json_ints(input, "offset", m->n_channels, m->input_offset, place, err);
    if (!status)
        status = tin_json_ints(input, "mult", m->n_channels, m->input_mult, place, err);
    if (!status)
        status = tin_json_int(input, "shift", 0, 15, &m->input_shift, place, err);
    if (!status)
        status = tin_json_int(input, "bits", 8, 16, &m->input_bits, place, err);
    if (!status)
        status = tin_json_number(input, "scale", &scale, place, err);
    m->input_scale = (float)scale;
    return status;
}

/* Looks at all shapes before it allocates: a hostile description must not ask for more memory than the tensors have
 * bytes. */
static tin_status read_arrays(tin_qlayer *l, int index, const tin_safetensors *tensors, tin_error *err)
{
    tin_qlayer_part parts[TIN_QLAYER_PARTS];
    const void *data[TIN_QLAYER_PARTS];
    int n_parts = tin_qlayer_list_parts(l, parts);
    tin_status status = TIN_OK;
    for (int p = 0; !status && p < n_parts; p++) {
        tensor_name name;
        name_tensor(name, index, parts[p].name);
        status = tin_safetensors_get(tensors, name, parts[p].dtype, parts[p].n_dims, parts[p].shape, &data[p], err);
    }
    if (!status)
        status = tin_qlayer_allocate(l, err);
    if (status)
        return status;
    tin_qlayer_list_parts(l, parts);
    for (int p = 0; p < n_parts; p++)
        memcpy(parts[p].data, data[p], tin_qlayer_part_bytes(&parts[p]));
    return TIN_OK;
}

/* Name and from; the names that from lists must belong to layers before this one. */
static tin_status read_links(tin_qmodel *m, int index, const tin_layer_spec *spec, tin_place place, tin_error *err)
{
    tin_qlayer *l = &m->layers[index];
    size_t length = strlen(spec->name);
    if (length >= sizeof l->name)
        return tin_fail_at(err, TIN_ERR_FORMAT, place.file, 0, "%s: its name has %zu characters; use at most %d",
                           place.object, length, TIN_LAYER_NAME - 1);
    memcpy(l->name, spec->name, length + 1);
    l->n_from = spec->n_from;
    for (int k = 0; k < l->n_from; k++) {
        int from = index - 1;
        while (from >= 0 && strcmp(spec->from[k], m->layers[from].name) != 0)
            from--;
        if (from < 0 && strcmp(spec->from[k], "input") != 0)
            return tin_fail_at(err, TIN_ERR_FORMAT, place.file, 0,
                               "%s: from names \"%.60s\", which is no layer before it; quantise the model again",
                               place.object, spec->from[k]);
        l->from[k] = from; /* -1 is TIN_FROM_INPUT */
    }
    return TIN_OK;
}

static tin_status read_activation(const json_t *item, tin_activation *activation, tin_place place, tin_error *err)
{
    const char *name;
    tin_status status = tin_json_text(item, "activation", &name, place, err);
    if (status)
        return status;
    *activation = tin_activation_from_name(name);
    return *activation != TIN_ACTIVATION_COUNT
               ? TIN_OK
               : tin_fail_at(err, TIN_ERR_FORMAT, place.file, 0,
                             "%s: unknown activation \"%.60s\"; use none, relu, sigmoid or tanh", place.object, name);
}

static tin_status read_layer(tin_qmodel *m, int index, const json_t *item, tin_place place, tin_error *err)
{
    tin_layer_facts facts;
    tin_qlayer *l = &m->layers[index];
    double scale = 0;
    tin_status status = tin_json_layer(item, &facts, place, err);
    if (!status)
        status = tin_json_layer_graph(item, &facts.spec, place, err);
    if (status)
        return status;
    *l = (tin_qlayer){.op = facts.spec.op,
                      .n_inputs = facts.n_inputs,
                      .n_outputs = facts.n_outputs,
                      .kernel = facts.spec.kernel,
                      .stride = facts.spec.stride,
                      .dilation = facts.spec.dilation,
                      .groups = facts.groups,
                      .reset_before = facts.spec.reset_before,
                      .ema_shift = facts.spec.shift,
                      .levels = facts.spec.levels,
                      .bands = facts.spec.bands,
                      .low_hz = facts.spec.low_hz,
                      .high_hz = facts.spec.high_hz};
    if (l->n_inputs % l->groups != 0)
        return tin_fail_at(err, TIN_ERR_FORMAT, place.file, 0,
                           "%s: groups is %d; use 1, or the inputs of a depthwise conv1d", place.object, l->groups);
    status = read_links(m, index, &facts.spec, place, err);
    if (!status)
        status = read_activation(item, &l->activation, place, err);
    if (!status)
        status = tin_json_int(item, "output_bits", 8, 16, &l->output_bits, place, err);
    if (!status)
        status = tin_json_number(item, "output_scale", &scale, place, err);
    if (!status && tin_qlayer_rows(l) > 0)
        status = tin_json_int(item, "shift", 0, 30, &l->shift, place, err);
    if (!status && tin_qlayer_reads_state(l))
        status = tin_json_int(item, "hidden_shift", 0, 16, &l->hidden_shift, place, err);
    l->output_scale = (float)scale;
    return status;
}

static tin_status read_layers(const json_t *list, const char *file, const tin_safetensors *tensors, tin_qmodel *m,
                              tin_error *err)
{
    char object[32];
    for (size_t i = 0; i < json_array_size(list); i++) {
        snprintf(object, sizeof object, "layer %zu", i + 1);
        tin_status status = read_layer(m, (int)i, json_array_get(list, i), (tin_place){file, object}, err);
        if (!status)
            status = read_arrays(&m->layers[i], (int)i, tensors, err);
        if (status)
            return status;
        m->n_layers++;
    }
    return TIN_OK;
}

static tin_status create_from_json(tin_qmodel **model, const json_t *root, const char *file, tin_error *err)
{
    tin_model_frame frame;
    tin_channel channels[TIN_MAX_CHANNELS];
    tin_class classes[TIN_MAX_CLASSES];
    tin_status status = tin_frame_from_json(root, file, &frame, channels, classes, err);
    if (!status)
        status = tin_qmodel_create(model, frame.rate_hz, channels, frame.n_channels, classes, frame.n_classes, err);
    return status;
}

/* Reads everything into *m; what was made before a failure stays there for the caller to free. */
static tin_status read_model(tin_qmodel **m, const json_t *root, const char *json_file, const char *tensor_file,
                             tin_error *err)
{
    tin_safetensors *tensors = NULL;
    const json_t *list;
    const char *hash;
    int hop = 0;
    tin_place top = {json_file, "model"};
    tin_status status = create_from_json(m, root, json_file, err);
    if (!status)
        status = tin_json_int(root, "hop", 1, TIN_MAX_HOP, &hop, top, err);
    if (!status)
        status = tin_json_int(root, "delay", 0, TIN_MAX_DELAY, &(*m)->delay, top, err);
    if (!status)
        status = tin_json_text(root, "hash", &hash, top, err);
    if (!status)
        status = tin_json_list(root, "layers", 1, TIN_MAX_LAYERS, &list, top, err);
    if (!status)
        status = read_input(root, json_file, *m, err);
    if (!status)
        status = tin_graph_tensors(&tensors, root, json_file, tensor_file, err);
    if (!status)
        status = read_layers(list, json_file, tensors, *m, err);
    if (!status) {
        tin_qmodel_link(*m);
        (*m)->hop = hop; /* must be what the strides give */
        status = tin_qmodel_check(*m, err);
    }
    if (!status)
        status = tin_qmodel_seal(*m, err);
    if (!status && strcmp(hash, (*m)->hash) != 0)
        status = tin_fail_at(err, TIN_ERR_FORMAT, json_file, 0,
                             "\"hash\" does not belong to the content: a value was changed; quantise the model again");
    tin_safetensors_free(tensors);
    return status;
}

tin_status tin_qmodel_load(tin_qmodel **model, const char *path, tin_error *err)
{
    char json_file[TIN_PATH_MAX], tensor_file[TIN_PATH_MAX];
    json_t *root = NULL;
    tin_qmodel *m = NULL;
    *model = NULL;
    tin_status status = tin_path_with(json_file, path, ".json", err);
    if (!status)
        status = tin_path_with(tensor_file, path, ".safetensors", err);
    if (!status)
        status = tin_graph_read(&root, json_file, FORMAT, err);
    if (!status)
        status = read_model(&m, root, json_file, tensor_file, err);
    if (!status) {
        *model = m;
        m = NULL;
    }
    tin_qmodel_free(m);
    json_decref(root);
    return status;
}
