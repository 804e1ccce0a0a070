/* The float model on disk: NAME.json and NAME.safetensors (docs/model-format.md). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/graph_json.h"
#include "model/model.h"

#define FORMAT "tinamou-model"
#define MAX_TENSORS (TIN_MAX_LAYERS * TIN_MAX_PARAMS)

typedef char tensor_name[48];

/* PyTorch's name of the parameter when the layers stand in a ModuleList `layers`: torch.nn.GRU adds _l0. */
static void name_tensor(tensor_name name, int layer, tin_op op, const char *param)
{
    snprintf(name, sizeof(tensor_name), "layers.%d.%s%s", layer, param,
             tin_op_recurrent(op) && op != TIN_OP_MIN_GRU ? "_l0" : "");
}

static tin_status write_tensors(const tin_model *model, const char *file, char hash[TIN_HASH_HEX], tin_error *err)
{
    tensor_name names[MAX_TENSORS];
    tin_tensor tensors[MAX_TENSORS];
    size_t n = 0;
    for (int i = 0; i < model->n_layers; i++) {
        const tin_layer *l = &model->layers[i];
        for (int p = 0; p < l->n_params; p++, n++) {
            const tin_param *param = &l->params[p];
            name_tensor(names[n], i, l->op, param->name);
            tensors[n] = (tin_tensor){.name = names[n], .dtype = TIN_F32, .n_dims = param->n_dims};
            for (int d = 0; d < param->n_dims; d++)
                tensors[n].shape[d] = param->shape[d];
            tensors[n].data = tin_param_data(model, param);
        }
    }
    tin_metadata format = {"format", FORMAT};
    return tin_safetensors_write(file, tensors, n, &format, 1, hash, err);
}

static json_t *layer_to_json(const tin_model *model, int index)
{
    const tin_layer *l = &model->layers[index];
    tin_layer_facts facts = {tin_layer_describe(model, index), l->n_inputs, l->n_outputs, l->groups};
    return tin_layer_to_json(&facts);
}

tin_status tin_model_save(const tin_model *model, const char *path, tin_error *err)
{
    char json_file[TIN_PATH_MAX], tensor_file[TIN_PATH_MAX], hash[TIN_HASH_HEX];
    tin_status status = tin_path_with(json_file, path, ".json", err);
    if (!status)
        status = tin_path_with(tensor_file, path, ".safetensors", err);
    if (!status)
        status = write_tensors(model, tensor_file, hash, err);
    if (status)
        return status;
    json_t *root = json_pack("{s:s, s:i}", "format", FORMAT, "version", 1);
    tin_model_frame frame = {model->rate_hz, model->n_channels, model->n_classes, model->channels, model->classes};
    bool ok = root && tin_frame_to_json(root, &frame);
    json_t *offset = json_array(), *scale = json_array(), *layers = json_array();
    ok &= json_object_set_new(root, "input", json_pack("{s:o, s:o}", "offset", offset, "scale", scale)) == 0;
    for (int c = 0; ok && c < model->n_channels; c++)
        ok &= json_array_append_new(offset, json_integer(model->input.offset[c])) == 0 &&
              json_array_append_new(scale, json_real((double)model->input.scale[c])) == 0;
    ok &= json_object_set_new(root, "layers", layers) == 0;
    for (int i = 0; ok && i < model->n_layers; i++)
        ok &= json_array_append_new(layers, layer_to_json(model, i)) == 0;
    ok &= json_object_set_new(root, "hop", json_integer(model->hop)) == 0;
    ok &= json_object_set_new(root, "delay", json_integer(model->delay)) == 0;
    ok &= json_object_set_new(root, "tensors_sha256", json_string(hash)) == 0;
    return tin_graph_write(root, ok, json_file, err);
}

/* ---- loading ---- */

static tin_status read_input(const json_t *root, const char *file, tin_model *model, tin_error *err)
{
    tin_place place = {file, "input"};
    const json_t *input = json_object_get(root, "input"), *scale;
    size_t n = (size_t)model->n_channels;
    tin_status status = tin_json_ints(input, "offset", model->n_channels, model->input.offset, place, err);
    if (!status)
        status = tin_json_list(input, "scale", n, n, &scale, place, err);
    for (size_t c = 0; !status && c < n; c++) {
        float s = (float)json_number_value(json_array_get(scale, c));
        int32_t offset = model->input.offset[c];
        if (!(s > 0.0f) || !isfinite(s) || offset < INT16_MIN || offset > INT16_MAX)
            return tin_fail_at(
                err, TIN_ERR_FORMAT, file, 0,
                "input: channel %zu has offset %d and scale %g; use an offset that fits int16 and a scale above 0", c,
                (int)offset, (double)s);
        model->input.scale[c] = s;
    }
    return status;
}

static tin_status read_layers(const json_t *list, const char *file, tin_layer_facts *facts, tin_error *err)
{
    char object[32];
    tin_place place = {file, object};
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        snprintf(object, sizeof object, "layer %zu", i + 1);
        tin_status status = tin_json_layer(item, &facts[i], place, err);
        if (!status)
            status = tin_json_layer_graph(item, &facts[i].spec, place, err);
        if (status)
            return status;
    }
    return TIN_OK;
}

/* The file states sizes that follow from the layers before; they must agree, or the file was edited wrongly. */
static tin_status compare_layers(const tin_model *model, const char *file, const tin_layer_facts *facts, int hop,
                                 tin_error *err)
{
    for (int i = 0; i < model->n_layers; i++) {
        const tin_layer *l = &model->layers[i];
        if (l->n_inputs != facts[i].n_inputs || l->n_outputs != facts[i].n_outputs || l->groups != facts[i].groups)
            return tin_fail_at(err, TIN_ERR_FORMAT, file, 0,
                               "layer %d: inputs %d, outputs %d, groups %d do not follow from the layer before; they "
                               "must be %d, %d, %d",
                               i + 1, facts[i].n_inputs, facts[i].n_outputs, facts[i].groups, l->n_inputs, l->n_outputs,
                               l->groups);
    }
    if (model->hop != hop)
        return tin_fail_at(err, TIN_ERR_FORMAT, file, 0, "\"hop\" is %d but the strides multiply to %d; correct it",
                           hop, model->hop);
    return TIN_OK;
}

static tin_status read_param(const tin_model *model, int layer, const tin_param *param, const tin_safetensors *tensors,
                             tin_error *err)
{
    tensor_name name;
    int64_t shape[3] = {param->shape[0], param->shape[1], param->shape[2]};
    const void *data = NULL;
    name_tensor(name, layer, model->layers[layer].op, param->name);
    tin_status status = tin_safetensors_get(tensors, name, TIN_F32, param->n_dims, shape, &data, err);
    if (status)
        return status;
    float *w = tin_param_data(model, param);
    memcpy(w, data, param->size * sizeof *w);
    bool variance = strcmp(param->name, "running_var") == 0;
    for (size_t i = 0; i < param->size; i++) {
        if (!isfinite(w[i]) || (variance && w[i] < 0.0f))
            return tin_fail_at(err, TIN_ERR_FORMAT, tensors->path, 0,
                               "tensor \"%s\": value %zu is %g; train the model again", name, i, (double)w[i]);
    }
    return TIN_OK;
}

static tin_status read_params(const tin_model *model, const tin_safetensors *tensors, tin_error *err)
{
    for (int i = 0; i < model->n_layers; i++) {
        for (int p = 0; p < model->layers[i].n_params; p++) {
            tin_status status = read_param(model, i, &model->layers[i].params[p], tensors, err);
            if (status)
                return status;
        }
    }
    return TIN_OK;
}

static tin_status build_from_json(tin_model **model, const json_t *root, const char *file, tin_error *err)
{
    tin_model_frame frame;
    tin_channel channels[TIN_MAX_CHANNELS];
    tin_class classes[TIN_MAX_CLASSES];
    tin_layer_facts facts[TIN_MAX_LAYERS];
    tin_layer_spec specs[TIN_MAX_LAYERS];
    const json_t *list;
    tin_place top = {file, "model"};
    int hop = 0, delay = 0;
    tin_status status = tin_frame_from_json(root, file, &frame, channels, classes, err);
    if (!status)
        status = tin_json_list(root, "layers", 1, TIN_MAX_LAYERS, &list, top, err);
    if (!status)
        status = tin_json_int(root, "hop", 1, TIN_MAX_HOP, &hop, top, err);
    if (!status)
        status = tin_json_int(root, "delay", 0, TIN_MAX_DELAY, &delay, top, err);
    if (!status)
        status = read_layers(list, file, facts, err);
    if (status)
        return status;
    int n = (int)json_array_size(list);
    for (int i = 0; i < n; i++)
        specs[i] = facts[i].spec;
    status = tin_model_build(model, &frame, specs, n, err);
    if (!status)
        status = compare_layers(*model, file, facts, hop, err);
    if (!status)
        (*model)->delay = delay;
    if (!status)
        status = read_input(root, file, *model, err);
    return status;
}

tin_status tin_model_load(tin_model **model, const char *path, tin_error *err)
{
    char json_file[TIN_PATH_MAX], tensor_file[TIN_PATH_MAX];
    json_t *root = NULL;
    tin_safetensors *tensors = NULL;
    tin_model *m = NULL;
    *model = NULL;
    tin_status status = tin_path_with(json_file, path, ".json", err);
    if (!status)
        status = tin_path_with(tensor_file, path, ".safetensors", err);
    if (!status)
        status = tin_graph_read(&root, json_file, FORMAT, err);
    if (!status)
        status = build_from_json(&m, root, json_file, err);
    if (!status)
        status = tin_graph_tensors(&tensors, root, json_file, tensor_file, err);
    if (!status)
        status = read_params(m, tensors, err);
    if (!status) {
        *model = m;
        m = NULL;
    }
    tin_model_free(m);
    tin_safetensors_free(tensors);
    json_decref(root);
    return status;
}
