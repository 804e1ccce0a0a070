#include "train/constraint.h"

#include <math.h>

#include "base/memory.h"
#include "model/quant_spec.h"

#define TOP 127.0
#define ROWS 4
#define ZERO 128     /* label of q = 0 */
#define WHOLE 2e-3   /* how near to a whole number q must be */
#define LEAST 1e-12f /* a scale that training drove to nothing */

bool tin_band_next(const tin_layer *layer, const tin_param *param, int *row, tin_band *band)
{
    int left = layer->n_outputs - *row % layer->n_outputs;
    if (*row >= param->shape[0]) {
        return false;
    }
    band->n_rows = (size_t)(left < ROWS ? left : ROWS);
    band->n = param->size / (size_t)param->shape[0];
    band->offset = param->offset + (size_t)*row * band->n;
    *row += (int)band->n_rows;
    return true;
}

/* Labels of a shared band; false when it is none. */
static bool label_shared(const float *w, tin_band m, uint8_t *label)
{
    bool used[256] = {false};
    int n_used = 0;
    if (m.n < 2) {
        return false; /* a single column is always +-127 */
    }
    for (size_t r = 0; r < m.n_rows; r++) {
        double scale = tin_weight_scale(w + r * m.n, (int)m.n, 8, false);
        for (size_t i = r * m.n; i < (r + 1) * m.n; i++) {
            double q = scale > 0 ? (double)w[i] / scale : 0, whole = rint(q);
            int at = ZERO + (int)whole;
            if (!(fabs(q - whole) < WHOLE)) {
                return false;
            }
            n_used += !used[at];
            used[at] = true;
            label[i] = (uint8_t)at;
        }
    }
    return n_used <= TIN_MAX_ENTRIES;
}

static void label_zeros(const float *w, tin_band m, uint8_t *label)
{
    for (size_t i = 0; i < m.n_rows * m.n; i++) {
        label[i] = w[i] == 0 ? ZERO : 0;
    }
}

tin_status tin_constraint_create(tin_constraint **constraint, const tin_model *model, tin_error *err)
{
    tin_constraint *c = tin_alloc(1, sizeof *c, err);
    *constraint = NULL;
    if (!c || !(c->label = tin_alloc(model->n_params, 1, err))) {
        tin_free(c);
        return TIN_ERR_MEMORY;
    }
    c->n_params = model->n_params;
    for (int i = 0; i < model->n_layers; i++) {
        for (int p = 0; p < model->layers[i].n_params; p++) {
            const tin_param *param = &model->layers[i].params[p];
            tin_band band;
            for (int row = 0; param->n_dims > 1 && tin_band_next(&model->layers[i], param, &row, &band);) {
                const float *w = model->params + band.offset;
                if (!label_shared(w, band, c->label + band.offset)) {
                    label_zeros(w, band, c->label + band.offset);
                }
            }
        }
    }
    for (size_t i = 0; i < c->n_params; i++) {
        c->any = c->any || c->label[i];
    }
    *constraint = c;
    return TIN_OK;
}

void tin_constraint_free(tin_constraint *constraint)
{
    if (constraint) {
        tin_free(constraint->label);
        tin_free(constraint);
    }
}

/* Mean size of the weights at +-127, in units of w; 0: the row has none and is all zero. */
static double shared_scale(const float *w, const uint8_t *label, size_t n)
{
    double sum = 0;
    int count = 0;
    for (size_t i = 0; i < n; i++) {
        int q = label[i] - ZERO;
        if (q == 127 || q == -127) {
            sum += q > 0 ? (double)w[i] : -(double)w[i];
            count++;
        }
    }
    return count ? fmax(sum / count, (double)LEAST) / TOP : 0;
}

/* value of an entry = sum of w * scale / sum of scale^2 over its weights (least squares) */
static void project_shared(float *w, const uint8_t *label, tin_band m, bool whole)
{
    double over[256] = {0}, under[256] = {0};
    for (size_t r = 0; r < m.n_rows; r++) {
        double scale = shared_scale(w + r * m.n, label + r * m.n, m.n);
        for (size_t i = r * m.n; i < (r + 1) * m.n; i++) {
            over[label[i]] += (double)w[i] * scale;
            under[label[i]] += scale * scale;
        }
    }
    double value[256] = {0};
    for (int at = 1; at < 256; at++) {
        double v = under[at] > 0 ? over[at] / under[at] : 0;
        v = whole ? rint(v) : v;
        value[at] = at - ZERO == 127 || at - ZERO == -127 ? at - ZERO : fmin(TOP, fmax(-TOP, v));
    }
    value[ZERO] = 0;
    for (size_t r = 0; r < m.n_rows; r++) {
        double scale = shared_scale(w + r * m.n, label + r * m.n, m.n);
        for (size_t i = r * m.n; i < (r + 1) * m.n; i++) {
            w[i] = (float)(scale * value[label[i]]);
        }
    }
}

static void project_band(float *w, const uint8_t *label, tin_band m, bool whole)
{
    bool shared = true;
    for (size_t i = 0; i < m.n_rows * m.n; i++) {
        w[i] = label[i] == ZERO ? 0 : w[i];
        shared = shared && label[i];
    }
    if (shared) {
        project_shared(w, label, m, whole);
    }
}

void tin_constraint_project(const tin_constraint *constraint, const tin_model *model, float *params, bool whole)
{
    for (int i = 0; i < model->n_layers; i++) {
        for (int p = 0; p < model->layers[i].n_params; p++) {
            const tin_param *param = &model->layers[i].params[p];
            tin_band band;
            for (int row = 0; param->n_dims > 1 && tin_band_next(&model->layers[i], param, &row, &band);) {
                project_band(params + band.offset, constraint->label + band.offset, band, whole);
            }
        }
    }
}
