#include "compress/prune.h"

#include <math.h>
#include <string.h>

#define ROWS 4 /* of a block of the matrix kernels: widths in between cost the same */

static int count_kept(const int *groups, int n, const bool *removed)
{
    int kept = 0;
    for (int c = 0; c < n; c++) {
        kept += !removed[groups[c]];
    }
    return kept;
}

/* Parameters that the model has without the removed groups. */
static size_t count_parameters(const tin_model *model, const tin_channels *channels, const bool *removed)
{
    size_t total = 0;
    for (int i = 0; i < model->n_layers; i++) {
        const tin_layer *l = &model->layers[i];
        int outputs = count_kept(channels->output[i], l->n_outputs, removed);
        for (int p = 0; p < l->n_params; p++) {
            const tin_param *param = &l->params[p];
            const int *columns = tin_channels_columns(channels, model, i, param);
            size_t n = (size_t)(param->shape[0] / l->n_outputs * outputs);
            n *= columns ? (size_t)count_kept(columns, param->shape[1], removed) : 1;
            n *= param->n_dims == 3 ? (size_t)param->shape[2] : 1;
            total += param->trainable ? n : 0;
        }
    }
    return total;
}

typedef struct choice {
    int groups[ROWS], n;
    double importance;
} choice;

/* The least important channels among those that the same layers give, as many as make their number a multiple of four
 * again; n = 0 when too few would stay. */
static choice least_of(const tin_channels *channels, const double *importance, const bool *removed, uint64_t makers)
{
    choice c = {.n = 0};
    int present = 0;
    for (int g = 0; g < channels->n_groups; g++) {
        present += channels->makers[g] == makers && !channels->fixed[g] && !removed[g];
    }
    int wanted = present % ROWS ? present % ROWS : ROWS;
    while (present - wanted >= ROWS && c.n < wanted) {
        int least = -1;
        for (int g = 0; g < channels->n_groups; g++) {
            bool taken = channels->makers[g] != makers || channels->fixed[g] || removed[g];
            for (int k = 0; k < c.n; k++) {
                taken = taken || c.groups[k] == g;
            }
            if (!taken && (least < 0 || importance[g] < importance[least])) {
                least = g;
            }
        }
        c.groups[c.n++] = least;
        c.importance += importance[least];
    }
    return c;
}

static void mark(const choice *c, bool *removed, bool value)
{
    for (int k = 0; k < c->n; k++) {
        removed[c->groups[k]] = value;
    }
}

void tin_prune_choose(const tin_model *model, const tin_channels *channels, const double *importance, double keep,
                      bool *removed)
{
    memset(removed, 0, (size_t)channels->n_groups * sizeof *removed);
    size_t present = count_parameters(model, channels, removed);
    double target = keep * (double)present;
    while ((double)present > target) {
        choice best = {.n = 0};
        double best_price = HUGE_VAL;
        for (int g = 0; g < channels->n_groups; g++) {
            bool seen = channels->fixed[g] || removed[g];
            for (int k = 0; k < g && !seen; k++) {
                seen = channels->makers[k] == channels->makers[g] && !channels->fixed[k] && !removed[k];
            }
            choice c = seen ? best : least_of(channels, importance, removed, channels->makers[g]);
            if (seen || c.n == 0) {
                continue;
            }
            mark(&c, removed, true);
            double price = c.importance / (double)(present - count_parameters(model, channels, removed));
            mark(&c, removed, false);
            if (price < best_price) {
                best_price = price;
                best = c;
            }
        }
        if (best.n == 0) {
            break;
        }
        mark(&best, removed, true);
        present = count_parameters(model, channels, removed);
    }
}

/* Rows of every gate and columns that stay. */
static void copy_param(const tin_model *model, const tin_model *pruned, const tin_channels *channels, int layer, int p,
                       const bool *removed)
{
    const tin_layer *l = &model->layers[layer];
    const tin_param *from = &l->params[p];
    const int *columns = tin_channels_columns(channels, model, layer, from);
    const float *w = model->params + from->offset;
    float *to = pruned->params + pruned->layers[layer].params[p].offset;
    int taps = from->n_dims == 3 ? from->shape[2] : 1, n_columns = from->n_dims > 1 ? from->shape[1] : 1;
    for (int r = 0; r < from->shape[0]; r++) {
        for (int c = 0; c < n_columns; c++) {
            if (removed[channels->output[layer][r % l->n_outputs]] || (columns && removed[columns[c]])) {
                continue;
            }
            memcpy(to, w + ((size_t)r * (size_t)n_columns + (size_t)c) * (size_t)taps, (size_t)taps * sizeof *to);
            to += taps;
        }
    }
}

tin_status tin_prune_apply(tin_model **pruned, const tin_model *model, const tin_channels *channels,
                           const bool *removed, tin_error *err)
{
    tin_layer_spec specs[TIN_MAX_LAYERS];
    for (int i = 0; i < model->n_layers; i++) {
        specs[i] = tin_layer_describe(model, i);
        if (specs[i].units > 0) {
            specs[i].units = count_kept(channels->output[i], model->layers[i].n_outputs, removed);
        }
    }
    tin_status status = tin_model_rebuild(pruned, model, specs, model->n_layers, err);
    for (int i = 0; i < model->n_layers && status == TIN_OK; i++) {
        for (int p = 0; p < model->layers[i].n_params; p++) {
            copy_param(model, *pruned, channels, i, p, removed);
        }
    }
    return status;
}
