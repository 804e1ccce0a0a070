#include "model/feature.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "model/log_energy.h"
#include "model/log_variance.h"
#include "model/motion.h"

struct tin_feature {
    tin_feature_shape shape;
    tin_log_mel *mel;
};

tin_feature_shape tin_feature_of_layer(const tin_layer *l, double rate_hz)
{
    return (tin_feature_shape){.op = l->op,
                               .n_channels = l->n_inputs,
                               .kernel = l->kernel,
                               .stride = l->stride,
                               .levels = l->levels,
                               .bands = l->bands,
                               .low_hz = l->low_hz,
                               .high_hz = l->high_hz,
                               .shift = l->shift,
                               .lag = l->dilation,
                               .rate_hz = rate_hz};
}

tin_feature_shape tin_feature_of_qlayer(const tin_qlayer *l, double rate_hz)
{
    return (tin_feature_shape){.op = l->op,
                               .n_channels = l->n_inputs,
                               .kernel = l->kernel,
                               .stride = l->stride,
                               .levels = l->levels,
                               .bands = l->bands,
                               .low_hz = l->low_hz,
                               .high_hz = l->high_hz,
                               .shift = l->ema_shift,
                               .lag = l->dilation,
                               .rate_hz = rate_hz};
}

static tin_log_energy_shape energy_of(const tin_feature_shape *s)
{
    return (tin_log_energy_shape){s->n_channels, s->levels, s->kernel, s->stride};
}

tin_log_mel_shape tin_feature_mel(const tin_feature_shape *s)
{
    return (tin_log_mel_shape){s->kernel, s->stride, s->bands, s->low_hz, s->high_hz, s->rate_hz};
}

static tin_log_variance_shape variance_of(const tin_feature_shape *s)
{
    return (tin_log_variance_shape){s->n_channels, s->kernel, s->stride};
}

static tin_motion_shape motion_of(const tin_feature_shape *s)
{
    return (tin_motion_shape){s->op, s->n_channels, s->shift, s->lag};
}

const char *tin_feature_mend(const tin_feature_shape *s)
{
    const tin_log_mel_shape mel = tin_feature_mel(s);
    const tin_log_variance_shape variance = variance_of(s);
    const tin_motion_shape motion = motion_of(s);
    switch (s->op) {
    case TIN_OP_LOG_ENERGY:
        return tin_log_energy_mend(s->levels, s->kernel, s->stride);
    case TIN_OP_LOG_MEL:
        return tin_log_mel_mend(&mel);
    case TIN_OP_LOG_VARIANCE:
        return tin_log_variance_mend(&variance);
    default:
        return tin_motion_mend(&motion);
    }
}

int tin_feature_width(const tin_feature_shape *s)
{
    const tin_motion_shape motion = motion_of(s);
    return s->op == TIN_OP_LOG_ENERGY     ? s->n_channels * s->levels
           : s->op == TIN_OP_LOG_MEL      ? s->n_channels * s->bands
           : s->op == TIN_OP_LOG_VARIANCE ? s->n_channels
                                          : tin_motion_width(&motion);
}

float tin_feature_unit(tin_op op, const tin_input_scaling *input, int output)
{
    return tin_op_gives_log(op) ? TIN_LOG_SCALE
                                : input->scale[tin_motion_channel(op, output)] / (1 << TIN_MOTION_FRACTION);
}

int32_t tin_feature_bound(tin_op op)
{
    return tin_op_gives_log(op) ? 127 : tin_motion_bound(op);
}

double tin_feature_products(const tin_feature_shape *s)
{
    switch (s->op) {
    case TIN_OP_LOG_ENERGY: /* a square per detail */
        return s->n_channels * (s->stride - ldexp(s->stride, -s->levels));
    case TIN_OP_LOG_MEL:
        return s->n_channels * tin_log_mel_products(s->kernel);
    case TIN_OP_LOG_VARIANCE:
        return (double)s->n_channels * s->stride;
    default:
        return s->op == TIN_OP_MAGNITUDE ? s->n_channels : 0;
    }
}

tin_status tin_feature_create(tin_feature **feature, const tin_feature_shape *shape, tin_error *err)
{
    *feature = NULL;
    tin_feature *f = tin_alloc(1, sizeof *f, err);
    if (!f)
        return TIN_ERR_MEMORY;
    f->shape = *shape;
    if (shape->op == TIN_OP_LOG_MEL) {
        const tin_log_mel_shape mel = tin_feature_mel(shape);
        if (!(f->mel = tin_alloc(1, sizeof *f->mel, err))) {
            tin_feature_free(f);
            return TIN_ERR_MEMORY;
        }
        tin_log_mel_fill(f->mel, &mel);
    }
    *feature = f;
    return TIN_OK;
}

void tin_feature_free(tin_feature *feature)
{
    if (!feature)
        return;
    tin_free(feature->mel);
    tin_free(feature);
}

/* ---- log_mel over a stream: the last `kernel` frames of each channel ---- */

typedef struct mel_state {
    int32_t frame;  /* of those up to the next row */
    int16_t past[]; /* [n_channels][kernel], the oldest first; frames are written from kernel - stride on */
} mel_state;

static bool step_mel(const tin_feature *f, mel_state *s, const int16_t *counts, int8_t *q)
{
    int kernel = f->shape.kernel, stride = f->shape.stride, kept = kernel - stride;
    for (int c = 0; c < f->shape.n_channels; c++)
        s->past[c * kernel + kept + s->frame] = counts[c];
    if (++s->frame < stride)
        return false;
    s->frame = 0;
    for (int c = 0; c < f->shape.n_channels; c++) {
        int16_t *past = s->past + (ptrdiff_t)c * kernel;
        tin_log_mel_window(f->mel, past, q + (ptrdiff_t)c * f->shape.bands);
        memmove(past, past + stride, (size_t)kept * sizeof *past);
    }
    return true;
}

size_t tin_feature_state_bytes(const tin_feature *f)
{
    const tin_log_energy_shape energy = energy_of(&f->shape);
    const tin_log_variance_shape variance = variance_of(&f->shape);
    const tin_motion_shape motion = motion_of(&f->shape);
    size_t samples = (size_t)f->shape.n_channels * (size_t)f->shape.kernel;
    size_t n = f->shape.op == TIN_OP_LOG_ENERGY     ? tin_log_energy_state_bytes(&energy)
               : f->shape.op == TIN_OP_LOG_MEL      ? sizeof(mel_state) + samples * sizeof(int16_t)
               : f->shape.op == TIN_OP_LOG_VARIANCE ? tin_log_variance_state_bytes(&variance)
                                                    : tin_motion_state_bytes(&motion);
    return (n + 7) / 8 * 8;
}

bool tin_feature_step(const tin_feature *f, void *state, const int16_t *counts, int32_t *values)
{
    const tin_log_energy_shape energy = energy_of(&f->shape);
    const tin_log_variance_shape variance = variance_of(&f->shape);
    const tin_motion_shape motion = motion_of(&f->shape);
    int8_t q[TIN_MAX_WIDTH];
    switch (f->shape.op) {
    case TIN_OP_LOG_VARIANCE:
        return tin_log_variance_step(&variance, state, counts, values);
    case TIN_OP_LOG_ENERGY:
    case TIN_OP_LOG_MEL:
        if (f->shape.op == TIN_OP_LOG_MEL ? !step_mel(f, state, counts, q)
                                          : !tin_log_energy_step(&energy, state, counts, q))
            return false;
        for (int i = 0; i < tin_feature_width(&f->shape); i++)
            values[i] = q[i];
        return true;
    default:
        tin_motion_step(&motion, state, counts, values);
        return true;
    }
}
