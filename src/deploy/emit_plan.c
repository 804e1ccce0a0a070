/* Which layer runs how often, and where every row lives. */
#include <stdio.h>
#include <string.h>

#include "deploy/emit.h"

static double layer_macs(const tin_qlayer *l)
{
    const double outputs = l->n_outputs, inputs = l->n_inputs;
    switch (l->op) {
    case TIN_OP_CONV1D:
        return outputs * l->kernel * inputs / l->groups;
    case TIN_OP_GRU:
        return 3.0 * outputs * (inputs + outputs);
    case TIN_OP_DENSE:
        return outputs * inputs;
    default:
        return 0.0; /* avg_pool adds only */
    }
}

static tin_status check_layer(const tin_emit *e, int i, tin_error *err)
{
    const tin_qlayer *l = &e->model->layers[i];
    const tin_emit_layer *out = &e->layers[i];
    if (l->op != TIN_OP_CONV1D && l->op != TIN_OP_GRU && l->op != TIN_OP_DENSE && l->op != TIN_OP_AVG_POOL) {
        return tin_fail(err, TIN_ERR_MODEL, "layer %d: no kernel for \"%s\"; fold the model and convert it again",
                        i + 1, tin_op_name(l->op));
    }
    if (l->op == TIN_OP_CONV1D && l->groups != 1 && l->groups != l->n_inputs) {
        return tin_fail(err, TIN_ERR_MODEL, "layer %d: conv1d with %d groups of %d inputs; use groups 1 or depthwise",
                        i + 1, l->groups, l->n_inputs);
    }
    if (out->rows * l->n_inputs > 1000000 || l->stride > 1000000) {
        return tin_fail(err, TIN_ERR_MODEL,
                        "layer %d keeps %ld rows of %d bytes; use a smaller kernel, dilation or stride", i + 1,
                        out->rows, l->n_inputs);
    }
    return TIN_OK;
}

static void place_scratch(tin_emit *e, int i)
{
    tin_emit_layer *out = &e->layers[i];
    const bool a_is_read = i > 0 && e->layers[i - 1].place == TIN_PLACE_SCRATCH_A;
    long *bytes = a_is_read ? &e->scratch_b_bytes : &e->scratch_a_bytes;
    out->place = a_is_read ? TIN_PLACE_SCRATCH_B : TIN_PLACE_SCRATCH_A;
    if (*bytes < e->model->layers[i].n_inputs) {
        *bytes = e->model->layers[i].n_inputs;
    }
}

/* The encoding of a layer's weights, and the room that its widened input takes. */
static void choose_encoding(tin_emit *e, int i)
{
    const tin_qlayer *l = &e->model->layers[i];
    const char *optimize = e->facts->optimize;
    long lanes = 0;
    bool fits = true;
    if (l->op == TIN_OP_GRU) {
        for (int part = 0; part < 6; part++) {
            const tin_emit_matrix m = tin_emit_gate(l, part / 2, part % 2 == 1);
            lanes += part < 2 ? tin_packed_lanes(&m) : 0;
            fits = fits && tin_packed_fits(&m);
        }
    } else if ((l->op == TIN_OP_CONV1D && l->groups == 1) || l->op == TIN_OP_DENSE) {
        const tin_emit_matrix m = tin_emit_window(l);
        lanes = tin_packed_lanes(&m);
        fits = tin_packed_fits(&m);
    } else {
        fits = false;
    }
    if (fits) {
        e->layers[i].encoding = optimize != NULL && strcmp(optimize, "speed") == 0 ? TIN_ENCODING_T43 : TIN_ENCODING_T2;
        e->lanes = lanes > e->lanes ? lanes : e->lanes;
    }
}

void tin_emit_label(const tin_qmodel *model, int layer, char label[32])
{
    (void)snprintf(label, 32, "%s_%d", tin_op_name(model->layers[layer].op), layer + 1);
}

tin_status tin_emit_plan(tin_emit *e, tin_error *err)
{
    long runs = e->model->hop;
    for (int i = 0; i < e->model->n_layers; i++) {
        const tin_qlayer *l = &e->model->layers[i];
        tin_emit_layer *out = &e->layers[i];
        tin_emit_label(e->model, i, out->label);
        out->rows = (long)(l->kernel - 1) * l->dilation + 1;
        runs /= l->stride;
        out->runs = runs;
        out->macs = layer_macs(l);
        if (out->rows > 1 || l->stride > 1) {
            out->place = TIN_PLACE_HISTORY;
        } else if (i > 0 && e->model->layers[i - 1].op == TIN_OP_GRU) {
            out->place = TIN_PLACE_STATE;
        } else {
            place_scratch(e, i);
        }
        const tin_status status = check_layer(e, i, err);
        if (status) {
            return status;
        }
        choose_encoding(e, i);
    }
    return TIN_OK;
}

double tin_emit_worst_macs(const tin_emit *e)
{
    double sum = 0;
    for (int i = 0; i < e->model->n_layers; i++) {
        sum += e->layers[i].macs;
    }
    return sum;
}
