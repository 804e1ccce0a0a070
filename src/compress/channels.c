#include "compress/channels.h"

#include <string.h>

#include "base/memory.h"

/* Union and find over all channels of all layers; the input is layer -1. */
typedef struct forest {
    int parent[TIN_MAX_GROUPS];
} forest;

static int node_of(int layer, int channel)
{
    return (layer + 1) * TIN_MAX_WIDTH + channel;
}

static int root_of(forest *f, int node)
{
    while (f->parent[node] != node) {
        f->parent[node] = f->parent[f->parent[node]];
        node = f->parent[node];
    }
    return node;
}

/* The older one becomes the root, so that groups are numbered in the order of the layers. */
static void join(forest *f, int a, int b)
{
    a = root_of(f, a);
    b = root_of(f, b);
    f->parent[a > b ? a : b] = a > b ? b : a;
}

static int width_of(const tin_model *model, int layer)
{
    return layer == TIN_FROM_INPUT ? model->n_channels : model->layers[layer].n_outputs;
}

/* Nodes of the row that a layer reads. */
static void read_row(const tin_model *model, const tin_layer *l, int row[TIN_MAX_WIDTH])
{
    int n = 0;
    for (int k = 0; k < (l->op == TIN_OP_CONCAT ? l->n_from : 1); k++) {
        for (int c = 0; c < width_of(model, l->from[k]); c++) {
            row[n++] = node_of(l->from[k], c);
        }
    }
}

static bool has_rows(const tin_layer *l)
{
    return l->op == TIN_OP_CONV1D || l->op == TIN_OP_DENSE || tin_op_recurrent(l->op);
}

static void join_layer(forest *f, const tin_model *model, int layer, const int row[TIN_MAX_WIDTH])
{
    const tin_layer *l = &model->layers[layer];
    bool own = (has_rows(l) && l->groups == 1) || tin_op_reads_counts(l->op);
    for (int c = 0; c < l->n_outputs && !own; c++) {
        join(f, node_of(layer, c), row[c / (l->n_outputs / l->n_inputs)]);
        for (int k = 1; k < l->n_from && l->op != TIN_OP_CONCAT; k++) {
            join(f, node_of(layer, c), node_of(l->from[k], c));
        }
    }
}

tin_status tin_channels_find(tin_channels **channels, const tin_model *model, tin_error *err)
{
    int row[TIN_MAX_WIDTH];
    tin_channels *ch = tin_alloc(1, sizeof *ch, err);
    forest *f = tin_alloc(1, sizeof *f, err);
    int *number = tin_alloc(TIN_MAX_GROUPS, sizeof *number, err);
    *channels = NULL;
    if (!ch || !f || !number) {
        tin_free(number);
        tin_free(f);
        tin_free(ch);
        return TIN_ERR_MEMORY;
    }
    for (int i = 0; i < TIN_MAX_GROUPS; i++) {
        f->parent[i] = i;
        number[i] = -1;
    }
    for (int i = 0; i < model->n_layers; i++) {
        read_row(model, &model->layers[i], row);
        join_layer(f, model, i, row);
    }
    for (int i = TIN_FROM_INPUT; i < model->n_layers; i++) {
        bool fixed = i == TIN_FROM_INPUT || i == model->n_layers - 1 || tin_op_reads_counts(model->layers[i].op);
        for (int c = 0; c < width_of(model, i); c++) {
            int root = root_of(f, node_of(i, c));
            number[root] = number[root] < 0 ? ch->n_groups++ : number[root];
            int group = number[root];
            ch->fixed[group] = ch->fixed[group] || fixed;
            if (i != TIN_FROM_INPUT) {
                ch->output[i][c] = group;
                ch->makers[group] |= has_rows(&model->layers[i]) ? 1ull << i : 0;
            }
        }
    }
    for (int i = 0; i < model->n_layers; i++) {
        read_row(model, &model->layers[i], row);
        for (int c = 0; c < model->layers[i].n_inputs; c++) {
            ch->input[i][c] = number[root_of(f, row[c])];
        }
    }
    tin_free(number);
    tin_free(f);
    *channels = ch;
    return TIN_OK;
}

const int *tin_channels_columns(const tin_channels *channels, const tin_model *model, int layer, const tin_param *param)
{
    if (param->n_dims < 2 || model->layers[layer].groups > 1) {
        return NULL;
    }
    return strcmp(param->name, "weight_hh") == 0 ? channels->output[layer] : channels->input[layer];
}

void tin_channels_readers(const tin_channels *channels, const tin_model *model, int *group)
{
    for (int i = 0; i < model->n_layers; i++) {
        for (int p = 0; p < model->layers[i].n_params; p++) {
            const tin_param *param = &model->layers[i].params[p];
            const int *columns = tin_channels_columns(channels, model, i, param);
            int taps = param->n_dims == 3 ? param->shape[2] : 1;
            for (size_t k = 0; k < param->size; k++) {
                group[param->offset + k] = columns ? columns[(int)k / taps % param->shape[1]] : -1;
            }
        }
    }
}
