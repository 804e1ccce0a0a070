/* The kernels of one instruction set: compiled by module.cmake with TIN_KERNEL_NAME set to its name (baseline, avx2,
 * avx512, amx, double). It relies on the compiler not reassociating floating point: never with -ffast-math. */
#include "train/kernel/kernel.h"

#include "train/kernel/kernel_conv.h"
#include "train/kernel/kernel_feature.h"
#include "train/kernel/kernel_log_energy.h"
#include "train/kernel/kernel_norm.h"
#include "train/kernel/kernel_project.h"
#include "train/kernel/kernel_recurrent.h"
#include "train/kernel/kernel_rows.h"
#include "train/kernel/kernel_vector.h"

static size_t packed_size(const tin_node *node)
{
    switch (node->kind) {
    case TIN_NODE_CONV:
        return conv_packed_size(node);
    case TIN_NODE_DEPTHWISE:
        return depthwise_packed_size(node);
    case TIN_NODE_GRU:
    case TIN_NODE_GRU_RESET_BEFORE:
    case TIN_NODE_LSTM:
    case TIN_NODE_MGU:
    case TIN_NODE_MIN_GRU:
        return recurrent_packed_size(node);
    default:
        return 0;
    }
}

static size_t scratch_size(const tin_node *node)
{
    switch (node->kind) {
    case TIN_NODE_CONV:
        return conv_scratch_size(node);
    case TIN_NODE_GRU:
    case TIN_NODE_GRU_RESET_BEFORE:
    case TIN_NODE_LSTM:
    case TIN_NODE_MGU:
    case TIN_NODE_MIN_GRU:
        return recurrent_scratch_size(node);
    case TIN_NODE_LOG_ENERGY:
        return log_energy_scratch_size(node);
    default:
        return 0;
    }
}

static size_t saved_size(const tin_node *node)
{
    switch (node->kind) {
    case TIN_NODE_GRU:
    case TIN_NODE_GRU_RESET_BEFORE:
    case TIN_NODE_LSTM:
    case TIN_NODE_MGU:
    case TIN_NODE_MIN_GRU:
        return recurrent_saved_size(node);
    case TIN_NODE_DROPOUT:
    case TIN_NODE_MASK:
        return dropout_saved_size(node);
    case TIN_NODE_LOG_ENERGY:
        return log_energy_saved_size(node);
    default:
        return 0;
    }
}

static size_t state_size(const tin_node *node)
{
    if (node->kind == TIN_NODE_LOG_ENERGY) {
        return log_energy_state_size(node);
    }
    if (node->kind == TIN_NODE_FEATURE) {
        return feature_state_size(node);
    }
    if (node->kind == TIN_NODE_EMA) {
        return (size_t)node->n_outputs * TIN_LANES;
    }
    return tin_node_recurrent(node->kind) ? recurrent_state_size(node) : 0;
}

static void pack(const tin_node *node, const float *params, void *packed)
{
    real *to = (real *)packed + node->packed;
    switch (node->kind) {
    case TIN_NODE_CONV:
        conv_pack(node, params, to);
        break;
    case TIN_NODE_DEPTHWISE:
        depthwise_pack(node, params, to);
        break;
    case TIN_NODE_GRU:
    case TIN_NODE_GRU_RESET_BEFORE:
    case TIN_NODE_LSTM:
    case TIN_NODE_MGU:
    case TIN_NODE_MIN_GRU:
        recurrent_pack(node, params, to);
        break;
    default:
        break;
    }
}

/* [lane][i] to [i][lane]; lanes not in use become zero. */
#if !TIN_KERNEL_DOUBLE
/* VL values of VL lanes, those from n_lanes on are 0. */
INLINE void block_to_lanes(const float *rows, size_t lane_stride, int n_lanes, real *to)
{
    vec v[VL];
    UNROLL
    for (int l = 0; l < VL; l++) {
        v[l] = splat(0);
        if (l < n_lanes) {
            memcpy(&v[l], rows + (size_t)l * lane_stride, sizeof v[l]);
        }
    }
    transpose(1, VL, v);
    UNROLL
    for (int j = 0; j < VL; j++) {
        store(to + j * TIN_LANES, v[j]);
    }
}
#endif

static void to_lanes(const tin_pass *pass, const float *rows, size_t lane_stride, size_t n, real *to)
{
    size_t i = 0;
#if !TIN_KERNEL_DOUBLE
    for (; i + VL <= n; i += VL) {
        for (int l = 0; l < TIN_LANES; l += VL) {
            block_to_lanes(rows + (size_t)l * lane_stride + i, lane_stride, pass->n_lanes - l, to + i * TIN_LANES + l);
        }
    }
#endif
    for (; i < n; i++) {
        for (int l = 0; l < TIN_LANES; l++) {
            to[i * TIN_LANES + (size_t)l] = l < pass->n_lanes ? (real)rows[(size_t)l * lane_stride + i] : 0;
        }
    }
}

static void store_rows(const tin_pass *pass, float *rows, size_t lane_stride)
{
    const tin_node *node = &pass->nodes[pass->n_nodes - 1];
    const real *y = (const real *)pass->work + node->y;
    size_t n = (size_t)node->rows_out * (size_t)node->n_outputs;
    for (int l = 0; l < pass->n_lanes; l++) {
        for (size_t i = 0; i < n; i++) {
            rows[(size_t)l * lane_stride + i] = (float)y[i * TIN_LANES + (size_t)l];
        }
    }
}

/* Zeroes the carried state of lanes that start anew. */
static void keep_state(const tin_pass *pass, real *state, size_t n)
{
    if (pass->keep == (1u << TIN_LANES) - 1) {
        return;
    }
    real keep[TIN_LANES] __attribute__((aligned(64)));
    for (int l = 0; l < TIN_LANES; l++) {
        keep[l] = (pass->keep >> l & 1u) ? (real)1 : (real)0;
    }
    for (size_t i = 0; i < n; i += TIN_LANES) {
        for (int v = 0; v < NV; v++) {
            store(state + i + v * VL, load(state + i + v * VL) * load(keep + v * VL));
        }
    }
}

/* The last rows of the chunk before go before y, those of this chunk into the state. */
static void carry_rows(const tin_pass *pass, const tin_node *node)
{
    size_t row = (size_t)node->n_outputs * TIN_LANES, n = (size_t)node->carried * row;
    real *state = (real *)pass->state + node->state, *before = (real *)pass->work + node->y - n;
    keep_state(pass, state, n);
    memcpy(before, state, n * sizeof(real));
    memcpy(state, before + (size_t)node->rows_out * row, n * sizeof(real));
}

static void round_output(const tin_pass *pass, const tin_node *node)
{
    real *y = (real *)pass->work + node->y;
    finish f = finish_of(node);
    for (ptrdiff_t i = 0; node->quantised && i < output_reals(node); i += VL) {
        store(y + i, finish_apply(load(y + i), f));
    }
}

static bool reads_counts(const tin_node *node)
{
    return node->kind == TIN_NODE_LOG_ENERGY || node->kind == TIN_NODE_FEATURE;
}

static void load_rows(const tin_pass *pass, const float *rows, size_t lane_stride)
{
    const tin_node *node = &pass->nodes[0];
    real *y = (real *)pass->work + node->y;
    to_lanes(pass, rows, lane_stride, (size_t)node->rows_out * (size_t)node->n_outputs, y);
    for (int i = 1; i < pass->n_nodes; i++) { /* before the input is rounded */
        const tin_node *reader = &pass->nodes[i];
        if (reader->kind == TIN_NODE_LOG_ENERGY) {
            log_energy_forward(pass, reader);
        } else if (reader->kind == TIN_NODE_FEATURE) {
            feature_forward(pass, reader, rows, lane_stride);
            round_output(pass, reader);
        }
        if (reads_counts(reader)) {
            carry_rows(pass, reader);
        }
    }
    round_output(pass, node);
    carry_rows(pass, node);
}

static void forward(const tin_pass *pass, const tin_node *node)
{
    if (node->kind == TIN_NODE_INPUT || reads_counts(node)) {
        return; /* load_rows has done it */
    }
    real *state = (real *)pass->state + node->state + (size_t)node->carried * (size_t)node->n_outputs * TIN_LANES;
    keep_state(pass, state, state_size(node));
    switch (node->kind) {
    case TIN_NODE_CONV:
        conv_forward(pass, node);
        break;
    case TIN_NODE_DEPTHWISE:
        depthwise_forward(pass, node);
        break;
    case TIN_NODE_GRU:
    case TIN_NODE_GRU_RESET_BEFORE:
    case TIN_NODE_LSTM:
    case TIN_NODE_MGU:
    case TIN_NODE_MIN_GRU:
        recurrent_forward(pass, node, state);
        break;
    case TIN_NODE_AVG_POOL:
        avg_pool_forward(pass, node);
        break;
    case TIN_NODE_MAX_POOL:
        max_pool_forward(pass, node);
        break;
    case TIN_NODE_EMA:
        ema_forward(pass, node, state);
        break;
    case TIN_NODE_NORM:
        norm_forward(pass, node);
        break;
    case TIN_NODE_ADD:
        add_forward(pass, node);
        break;
    case TIN_NODE_MULTIPLY:
        multiply_forward(pass, node);
        break;
    case TIN_NODE_CONCAT:
        concat_forward(pass, node);
        break;
    case TIN_NODE_ACTIVATION:
        activation_forward(pass, node);
        break;
    case TIN_NODE_DROPOUT:
    case TIN_NODE_MASK:
        dropout_forward(pass, node);
        break;
    default:
        break;
    }
    if (is_curve(node->activation)) {
        curve_forward(pass, node);
    }
    carry_rows(pass, node);
}

static void backward(const tin_pass *pass, const tin_node *node)
{
    if (!node->trains) {
        return;
    }
    if (pass->scale_gradient && node->learns) {
        pass->scale_gradient[node - pass->nodes] = scale_slope(pass, node);
    }
    switch (node->kind) {
    case TIN_NODE_CONV:
        conv_backward(pass, node);
        break;
    case TIN_NODE_DEPTHWISE:
        depthwise_backward(pass, node);
        break;
    case TIN_NODE_GRU:
    case TIN_NODE_GRU_RESET_BEFORE:
    case TIN_NODE_LSTM:
    case TIN_NODE_MGU:
    case TIN_NODE_MIN_GRU:
        recurrent_backward(pass, node);
        break;
    case TIN_NODE_AVG_POOL:
        avg_pool_backward(pass, node);
        break;
    case TIN_NODE_MAX_POOL:
        max_pool_backward(pass, node);
        break;
    case TIN_NODE_EMA:
        ema_backward(pass, node);
        break;
    case TIN_NODE_NORM:
        norm_backward(pass, node);
        break;
    case TIN_NODE_ADD:
        add_backward(pass, node);
        break;
    case TIN_NODE_MULTIPLY:
        multiply_backward(pass, node);
        break;
    case TIN_NODE_CONCAT:
        concat_backward(pass, node);
        break;
    case TIN_NODE_ACTIVATION:
        activation_backward(pass, node);
        break;
    case TIN_NODE_DROPOUT:
    case TIN_NODE_MASK:
        dropout_backward(pass, node);
        break;
    case TIN_NODE_INPUT:
    case TIN_NODE_LOG_ENERGY:
    case TIN_NODE_FEATURE:
        break;
    }
}

/* One decision of VL sequences: with targets g_c and their sum S, loss = S * ln(sum exp z) - sum g_c z_c. dz holds g on
 * entry and (S * softmax - g) * factor after. */
INLINE vec decision_loss(int n_classes, const real *z, real *dz, vec factor)
{
    vec most = load(z), total = splat(0), picked = splat(0), weight = splat(0);
    for (int c = 1; c < n_classes; c++) {
        most = vec_max(most, load(z + c * TIN_LANES));
    }
    for (int c = 0; c < n_classes; c++) {
        vec d = load(z + c * TIN_LANES) - most, target = load(dz + c * TIN_LANES);
        total += vec_exp(vec_max(d, splat(-80)));
        picked += target * d;
        weight += target;
    }
    vec share = weight / total;
    for (int c = 0; c < n_classes; c++) {
        vec e = vec_exp(vec_max(load(z + c * TIN_LANES) - most, splat(-80)));
        store(dz + c * TIN_LANES, (e * share - load(dz + c * TIN_LANES)) * factor);
    }
    return weight * vec_log(total) - picked;
}

/* The focal loss (Lin et al. 2017) of one decision, sum_c g_c f(p_c) with f(p) = -(1 - p)^gamma ln p and p the softmax.
 * With u_c = g_c p_c f'(p_c) = g_c (1 - p_c)^gamma (gamma p_c ln p_c / (1 - p_c) - 1) the gradient is
 * u_k - p_k sum_c u_c, as dp_c / dz_k = p_c (1[c = k] - p_k). */
INLINE vec focal_loss(int n_classes, const real *z, real *dz, real gamma, vec factor)
{
    vec most = load(z), total = splat(0), sum = splat(0), result = splat(0);
    for (int c = 1; c < n_classes; c++) {
        most = vec_max(most, load(z + c * TIN_LANES));
    }
    for (int c = 0; c < n_classes; c++) {
        total += vec_exp(vec_max(load(z + c * TIN_LANES) - most, splat(-80)));
    }
    vec log_total = vec_log(total);
    for (int c = 0; c < n_classes; c++) {
        vec log_p = vec_max(load(z + c * TIN_LANES) - most, splat(-80)) - log_total, p = vec_exp(log_p);
        vec rest = vec_max(splat(1) - p, splat((real)1e-7));
        vec weight = load(dz + c * TIN_LANES) * vec_exp(vec_max(splat(gamma) * vec_log(rest), splat(-80)));
        vec u = weight * (splat(gamma) * p * log_p / rest - splat(1));
        result -= weight * log_p;
        sum += u;
        store(dz + c * TIN_LANES, u);
    }
    for (int c = 0; c < n_classes; c++) {
        vec p = vec_exp(vec_max(load(z + c * TIN_LANES) - most, splat(-80)) - log_total);
        store(dz + c * TIN_LANES, (load(dz + c * TIN_LANES) - p * sum) * factor);
    }
    return result;
}

static double loss(const tin_pass *pass, const float *target, size_t lane_stride, double factor, double focal)
{
    const tin_node *node = &pass->nodes[pass->n_nodes - 1];
    const real *z = (const real *)pass->work + node->y;
    real *dz = (real *)pass->work + node->dy;
    int n = node->n_outputs;
    to_lanes(pass, target, lane_stride, (size_t)node->rows_out * (size_t)n, dz);
    vec sums[NV], scale = splat((real)factor);
    memset(sums, 0, sizeof sums);
    for (int t = 0; t < node->rows_out; t++) {
        for (int v = 0; v < NV; v++) {
            ptrdiff_t at = (ptrdiff_t)t * n * TIN_LANES + v * VL;
            sums[v] += focal > 0 ? focal_loss(n, z + at, dz + at, (real)focal, scale)
                                 : decision_loss(n, z + at, dz + at, scale);
        }
    }
    return masked_total(sums, TIN_LANES);
}

static void reduce(const void *gradient, size_t n, double *sum)
{
    for (size_t i = 0; i < n; i++) {
        sum[i] += (double)((const real *)gradient)[i];
    }
}

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)
#define JOIN_OF(a, b) a##b
#define JOIN(a, b) JOIN_OF(a, b)

const tin_kernel JOIN(tin_kernel_, TIN_KERNEL_NAME) = {
    .name = TEXT(TIN_KERNEL_NAME),
    .real_bytes = sizeof(real),
    .packed_size = packed_size,
    .scratch_size = scratch_size,
    .saved_size = saved_size,
    .state_size = state_size,
    .pack = pack,
    .load = load_rows,
    .forward = forward,
    .backward = backward,
    .norm_sums = norm_sums,
    .norm_backward_sums = norm_backward_sums,
    .loss = loss,
    .store = store_rows,
    .reduce = reduce,
};
