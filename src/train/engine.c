#include "train/engine.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "train/plan.h"

#define NORM_EPSILON 1e-5
#define NORM_MOMENTUM 0.1

/* What every group does between two points where all groups must meet (a batch norm needs the sums of all). */
typedef struct engine_phase {
    bool load, loss, backward;
    int forward_from, forward_to;   /* nodes [from, to) */
    int backward_from, backward_to; /* nodes from, from-1, ..., to; none when from < to */
    int norm;                       /* node whose sums the phase ends with, -1: none */
} engine_phase;

struct tin_engine {
    const tin_kernel *kernel;
    tin_plan plan;
    tin_input_scaling input;
    tin_pool *pool;
    int n_lanes, n_groups, n_channels, n_classes, chunk, n_decisions;
    size_t n_params;
    engine_phase *phases;
    int n_phases;
    void **works; /* one per thread, or with batch norm one per group */
    int n_works;
    void *packed, *gradients;                    /* gradients [group][n_params] */
    double *shared, *sums, *losses, *scale_sums; /* scale_sums [group][TIN_MAX_NODES] */
};

typedef struct group_job {
    tin_engine *engine;
    const engine_phase *phase;
    const tin_engine_batch *batch;
    void *state;
} group_job;

static int groups_of(int n_lanes)
{
    return (n_lanes + TIN_LANES - 1) / TIN_LANES;
}

static int lanes_of(int n_lanes, int group)
{
    int left = n_lanes - group * TIN_LANES;
    return left < TIN_LANES ? left : TIN_LANES;
}

static void *group_state(const tin_engine *engine, void *state, int group)
{
    return (char *)state + (size_t)group * engine->plan.state_size * engine->kernel->real_bytes;
}

static uint32_t kept_lanes(const uint8_t *reset, int n_lanes, int group)
{
    uint32_t keep = (1u << TIN_LANES) - 1;
    for (int l = 0; l < lanes_of(n_lanes, group); l++) {
        if (reset[group * TIN_LANES + l]) {
            keep &= ~(1u << l);
        }
    }
    return keep;
}

static tin_pass pass_of(const tin_engine *engine, int n_lanes, int group, void *work, void *state)
{
    tin_pass pass = {.nodes = engine->plan.nodes,
                     .n_nodes = engine->plan.n_nodes,
                     .packed = engine->packed,
                     .work = work,
                     .state = group_state(engine, state, group),
                     .shared = engine->shared,
                     .input = &engine->input,
                     .n_lanes = lanes_of(n_lanes, group)};
    return pass;
}

static void run_phase(void *context, int group, int thread)
{
    const group_job *job = context;
    tin_engine *engine = job->engine;
    const tin_kernel *kernel = engine->kernel;
    const engine_phase *phase = job->phase;
    const tin_engine_batch *batch = job->batch;
    const tin_node *nodes = engine->plan.nodes;
    void *work = engine->works[engine->plan.n_norms > 0 ? group : thread];
    tin_pass pass = pass_of(engine, engine->n_lanes, group, work, job->state);
    size_t lane = (size_t)group * TIN_LANES;
    tin_rng rng;
    tin_rng_derive(&rng, batch->dropout_seed, (uint64_t)group);
    pass.dropout_seed = tin_rng_next(&rng);
    pass.training = true;
    pass.scale_gradient = batch->scale_gradient ? engine->scale_sums + (size_t)group * TIN_MAX_NODES : NULL;
    pass.gradient = (char *)engine->gradients + (size_t)group * engine->n_params * kernel->real_bytes;
    pass.keep = kept_lanes(batch->reset, engine->n_lanes, group);
    if (phase->load) {
        size_t stride = (size_t)(engine->chunk * engine->n_channels);
        memset(pass.gradient, 0, engine->n_params * kernel->real_bytes);
        kernel->load(&pass, batch->x + lane * stride, stride);
    }
    for (int i = phase->forward_from; i < phase->forward_to; i++) {
        kernel->forward(&pass, &nodes[i]);
    }
    if (phase->loss) {
        size_t stride = (size_t)(engine->n_decisions * engine->n_classes);
        engine->losses[group] =
            kernel->loss(&pass, batch->target + lane * stride, stride, 1 / batch->target_weight, batch->focal);
    }
    for (int i = phase->backward_from; i >= phase->backward_to; i--) {
        kernel->backward(&pass, &nodes[i]);
    }
    if (phase->norm >= 0) {
        double *sums = engine->sums + (size_t)group * 2 * TIN_MAX_WIDTH;
        if (phase->backward) {
            kernel->norm_backward_sums(&pass, &nodes[phase->norm], sums);
        } else {
            kernel->norm_sums(&pass, &nodes[phase->norm], sums);
        }
    }
}

static void add_sums(const tin_engine *engine, const tin_node *node, int c, double *first, double *second)
{
    *first = *second = 0;
    for (int g = 0; g < engine->n_groups; g++) {
        const double *sums = engine->sums + (size_t)g * 2 * TIN_MAX_WIDTH;
        *first += sums[c];
        *second += sums[node->n_outputs + c];
    }
}

/* Statistics of the batch from the sums of all groups; running statistics as PyTorch keeps them (variance unbiased). */
static void finish_norm(tin_engine *engine, const tin_node *node, float *params)
{
    int n_o = node->n_outputs;
    double *shared = engine->shared + node->shared, n = (double)engine->n_lanes * node->rows_out;
    for (int c = 0; c < n_o; c++) {
        double first, second;
        add_sums(engine, node, c, &first, &second);
        double d = first / n, mean = shared[TIN_NORM_CENTRE * n_o + c] + d, var = fmax(second / n - d * d, 0);
        double inverse = 1 / sqrt(var + NORM_EPSILON), scale = (double)params[node->weight + (size_t)c] * inverse;
        shared[TIN_NORM_SCALE * n_o + c] = scale;
        shared[TIN_NORM_SHIFT * n_o + c] = (double)params[node->bias + (size_t)c] - mean * scale;
        shared[TIN_NORM_MEAN * n_o + c] = mean;
        shared[TIN_NORM_INVERSE * n_o + c] = inverse;
        float *running_mean = params + node->running_mean + c, *running_var = params + node->running_var + c;
        double unbiased = n > 1 ? var * n / (n - 1) : var;
        *running_mean = (float)((1 - NORM_MOMENTUM) * (double)*running_mean + NORM_MOMENTUM * mean);
        *running_var = (float)((1 - NORM_MOMENTUM) * (double)*running_var + NORM_MOMENTUM * unbiased);
    }
}

/* With S1 = sum dy, S2 = sum dy * (x - mean), i = inverse deviation, n values:
 * dx = w * i * (dy - S1 / n - (x - mean) * i^2 * S2 / n), d weight = S2 * i, d bias = S1. */
static void finish_norm_backward(tin_engine *engine, const tin_node *node, const float *params, double *gradient)
{
    int n_o = node->n_outputs;
    double *shared = engine->shared + node->shared, n = (double)engine->n_lanes * node->rows_out;
    for (int c = 0; c < n_o; c++) {
        double first, second, mean = shared[TIN_NORM_MEAN * n_o + c], inverse = shared[TIN_NORM_INVERSE * n_o + c];
        add_sums(engine, node, c, &first, &second);
        gradient[node->bias + (size_t)c] += first;
        gradient[node->weight + (size_t)c] += second * inverse;
        double scale = (double)params[node->weight + (size_t)c] * inverse;
        double x = -scale * inverse * inverse * second / n;
        shared[TIN_NORM_DY * n_o + c] = scale;
        shared[TIN_NORM_X * n_o + c] = x;
        shared[TIN_NORM_ONE * n_o + c] = -scale * first / n - x * mean;
    }
}

static void centre_norms(tin_engine *engine, const float *params)
{
    for (int i = 0; i < engine->plan.n_nodes; i++) {
        const tin_node *node = &engine->plan.nodes[i];
        for (int c = 0; node->kind == TIN_NODE_NORM && c < node->n_outputs; c++) {
            engine->shared[node->shared + (size_t)(TIN_NORM_CENTRE * node->n_outputs + c)] =
                (double)params[node->running_mean + (size_t)c];
        }
    }
}

/* Evaluation: scale and shift from the running statistics. */
static void fix_norms(tin_engine *engine, const float *params)
{
    for (int i = 0; i < engine->plan.n_nodes; i++) {
        const tin_node *node = &engine->plan.nodes[i];
        double *shared = engine->shared + node->shared;
        for (int c = 0; node->kind == TIN_NODE_NORM && c < node->n_outputs; c++) {
            size_t at = (size_t)c;
            double scale =
                (double)params[node->weight + at] / sqrt((double)params[node->running_var + at] + NORM_EPSILON);
            shared[TIN_NORM_SCALE * node->n_outputs + c] = scale;
            shared[TIN_NORM_SHIFT * node->n_outputs + c] =
                (double)params[node->bias + at] - (double)params[node->running_mean + at] * scale;
        }
    }
}

static void pack_weights(tin_engine *engine, const float *params)
{
    for (int i = 0; i < engine->plan.n_nodes; i++) {
        engine->kernel->pack(&engine->plan.nodes[i], params, engine->packed);
    }
}

static void sum_scale_gradients(const tin_engine *engine, double *gradient)
{
    memset(gradient, 0, TIN_MAX_LAYERS * sizeof *gradient);
    for (int i = 0; i < engine->plan.n_nodes; i++) {
        const tin_node *node = &engine->plan.nodes[i];
        for (int g = 0; node->learns && g < engine->n_groups; g++) {
            gradient[node->scaled_by] += engine->scale_sums[g * TIN_MAX_NODES + i];
        }
    }
}

double tin_engine_step(tin_engine *engine, float *params, void *state, const tin_engine_batch *batch, double *gradient)
{
    pack_weights(engine, params);
    centre_norms(engine, params);
    memset(gradient, 0, engine->n_params * sizeof *gradient);
    for (int i = 0; i < engine->n_phases; i++) {
        const engine_phase *phase = &engine->phases[i];
        group_job job = {engine, phase, batch, state};
        tin_pool_run(engine->pool, engine->n_groups, run_phase, &job);
        if (phase->norm >= 0) {
            const tin_node *node = &engine->plan.nodes[phase->norm];
            if (phase->backward) {
                finish_norm_backward(engine, node, params, gradient);
            } else {
                finish_norm(engine, node, params);
            }
        }
    }
    double loss = 0;
    for (int g = 0; g < engine->n_groups; g++) {
        size_t at = (size_t)g * engine->n_params * engine->kernel->real_bytes;
        engine->kernel->reduce((const char *)engine->gradients + at, engine->n_params, gradient);
        loss += engine->losses[g];
    }
    if (batch->scale_gradient) {
        sum_scale_gradients(engine, batch->scale_gradient);
    }
    return loss / batch->target_weight;
}

typedef struct infer_job {
    tin_engine *engine;
    void *state;
    int n_lanes;
    const float *x;
    const uint8_t *reset;
    float *scores;
} infer_job;

static void run_infer(void *context, int group, int thread)
{
    const infer_job *job = context;
    tin_engine *engine = job->engine;
    tin_pass pass = pass_of(engine, job->n_lanes, group, engine->works[thread], job->state);
    size_t lane = (size_t)group * TIN_LANES, x_stride = (size_t)(engine->chunk * engine->n_channels);
    size_t score_stride = (size_t)(engine->n_decisions * engine->n_classes);
    pass.keep = kept_lanes(job->reset, job->n_lanes, group);
    engine->kernel->load(&pass, job->x + lane * x_stride, x_stride);
    for (int i = 0; i < engine->plan.n_nodes; i++) {
        engine->kernel->forward(&pass, &engine->plan.nodes[i]);
    }
    engine->kernel->store(&pass, job->scores + lane * score_stride, score_stride);
}

void tin_engine_infer(tin_engine *engine, const float *params, void *state, int n_lanes, const float *x,
                      const uint8_t *reset, float *scores)
{
    pack_weights(engine, params);
    fix_norms(engine, params);
    infer_job job = {engine, state, n_lanes, x, reset, scores};
    tin_pool_run(engine->pool, groups_of(n_lanes), run_infer, &job);
}

/* Without batch norm one phase does all. With m of them: m phases forward that end with sums, one that turns round, and
 * m backward. */
static tin_status make_phases(tin_engine *engine, tin_error *err)
{
    int norms[TIN_MAX_NODES], m = 0, n = engine->plan.n_nodes;
    for (int i = 0; i < n; i++) {
        if (engine->plan.nodes[i].kind == TIN_NODE_NORM) {
            norms[m++] = i;
        }
    }
    engine->phases = tin_alloc((size_t)(2 * m + 1), sizeof *engine->phases, err);
    if (!engine->phases) {
        return TIN_ERR_MEMORY;
    }
    engine->n_phases = 2 * m + 1;
    for (int i = 0; i <= m; i++) {
        engine_phase *p = &engine->phases[i];
        p->load = i == 0;
        p->forward_from = i == 0 ? 0 : norms[i - 1];
        p->forward_to = i == m ? n : norms[i];
        p->norm = i == m ? -1 : norms[i];
        p->backward_from = -1;
    }
    for (int i = 0; i <= m; i++) {
        engine_phase *p = &engine->phases[m + i];
        p->loss = i == 0;
        p->backward = true;
        p->backward_from = i == 0 ? n - 1 : norms[m - i];
        p->norm = i == m ? -1 : norms[m - i - 1];
        p->backward_to = p->norm + 1;
    }
    return TIN_OK;
}

/* Arrays and their sizes: one list for making them and for knowing before how much they take. */
typedef struct engine_sizes {
    int n_works;
    size_t work, packed, gradients, shared, sums, losses, scale_sums; /* bytes */
} engine_sizes;

static engine_sizes sizes_of(const tin_engine *engine)
{
    size_t real = engine->kernel->real_bytes, n_groups = (size_t)engine->n_groups;
    int threads = tin_pool_threads(engine->pool);
    return (engine_sizes){.n_works =
                              engine->plan.n_norms > 0 && engine->n_groups > threads ? engine->n_groups : threads,
                          .work = engine->plan.work_size * real,
                          .packed = engine->plan.packed_size * real,
                          .gradients = n_groups * engine->n_params * real,
                          .shared = engine->plan.shared_size * sizeof(double),
                          .sums = n_groups * 2 * TIN_MAX_WIDTH * sizeof(double),
                          .losses = n_groups * sizeof(double),
                          .scale_sums = n_groups * TIN_MAX_NODES * sizeof(double)};
}

static tin_status allocate(tin_engine *engine, tin_error *err)
{
    engine_sizes sizes = sizes_of(engine);
    engine->works = tin_alloc((size_t)sizes.n_works, sizeof *engine->works, err);
    if (!engine->works) {
        return TIN_ERR_MEMORY;
    }
    engine->n_works = sizes.n_works;
    for (int i = 0; i < sizes.n_works; i++) {
        engine->works[i] = tin_alloc(sizes.work, 1, err);
        if (!engine->works[i]) {
            return TIN_ERR_MEMORY;
        }
    }
    engine->packed = tin_alloc(sizes.packed, 1, err);
    engine->gradients = tin_alloc(sizes.gradients, 1, err);
    engine->shared = tin_alloc(sizes.shared, 1, err);
    engine->sums = tin_alloc(sizes.sums, 1, err);
    engine->losses = tin_alloc(sizes.losses, 1, err);
    engine->scale_sums = tin_alloc(sizes.scale_sums, 1, err);
    bool all =
        engine->packed && engine->gradients && engine->shared && engine->sums && engine->losses && engine->scale_sums;
    return all ? make_phases(engine, err) : TIN_ERR_MEMORY;
}

/* The engine without its arrays. */
static tin_status plan_engine(tin_engine **engine, const tin_engine_settings *settings, tin_error *err)
{
    *engine = NULL;
    const tin_kernel *kernel = tin_isa_kernel(settings->isa);
    if (!kernel) {
        return tin_fail(err, TIN_ERR_USAGE,
                        "train.kernels: this machine does not have %s; its best are %s; take auto for these",
                        tin_isa_name(settings->isa), tin_isa_kernel(TIN_ISA_AUTO)->name);
    }
    if (settings->n_lanes <= 0) {
        return tin_fail(err, TIN_ERR_CONFIG, "train: batch %d must be greater than 0", settings->n_lanes);
    }
    tin_engine *e = tin_alloc(1, sizeof *e, err);
    if (!e) {
        return TIN_ERR_MEMORY;
    }
    const tin_model *model = settings->model;
    *engine = e;
    e->kernel = kernel;
    e->pool = settings->pool;
    e->n_lanes = settings->n_lanes;
    e->n_groups = groups_of(settings->n_lanes);
    e->n_channels = model->n_channels;
    e->n_classes = model->n_classes;
    e->chunk = settings->chunk;
    e->n_params = model->n_params;
    e->input = model->input;
    e->n_decisions = settings->chunk / model->hop;
    return tin_plan_make(&e->plan, model, settings->quant, settings->chunk, kernel, err);
}

tin_status tin_engine_create(tin_engine **engine, const tin_engine_settings *settings, tin_error *err)
{
    tin_status status = plan_engine(engine, settings, err);
    if (status == TIN_OK) {
        status = allocate(*engine, err);
    }
    if (status) {
        tin_engine_free(*engine);
        *engine = NULL;
    }
    return status;
}

tin_status tin_engine_memory(const tin_engine_settings *settings, size_t *bytes, size_t *state_bytes, tin_error *err)
{
    tin_engine *engine;
    tin_status status = plan_engine(&engine, settings, err);
    if (status == TIN_OK) {
        engine_sizes s = sizes_of(engine);
        *bytes = sizeof *engine + (size_t)s.n_works * s.work + s.packed + s.gradients + s.shared + s.sums + s.losses +
                 s.scale_sums;
        *state_bytes = tin_engine_state_bytes(engine, TIN_LANES);
    }
    tin_engine_free(engine);
    return status;
}

void tin_engine_set_scales(tin_engine *engine, const tin_quant_spec *quant)
{
    tin_plan_scale(&engine->plan, quant);
}

void tin_engine_get_scales(const tin_engine *engine, tin_quant_spec *quant)
{
    for (int i = 1; i < engine->plan.n_nodes; i++) {
        const tin_node *node = &engine->plan.nodes[i];
        quant->output_scale[node->scaled_by] = node->scale;
    }
}

void tin_engine_free(tin_engine *engine)
{
    if (!engine) {
        return;
    }
    tin_plan_free(&engine->plan);
    for (int i = 0; i < engine->n_works; i++) {
        tin_free(engine->works[i]);
    }
    tin_free(engine->works);
    tin_free(engine->phases);
    tin_free(engine->packed);
    tin_free(engine->gradients);
    tin_free(engine->shared);
    tin_free(engine->sums);
    tin_free(engine->losses);
    tin_free(engine->scale_sums);
    tin_free(engine);
}

int tin_engine_decisions(const tin_engine *engine)
{
    return engine->n_decisions;
}

size_t tin_engine_state_bytes(const tin_engine *engine, int n_lanes)
{
    return (size_t)groups_of(n_lanes) * engine->plan.state_size * engine->kernel->real_bytes;
}
