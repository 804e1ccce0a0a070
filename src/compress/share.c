#include "compress/share.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "compress/sparse.h"
#include "model/quant_spec.h"
#include "train/constraint.h"

#define TOP 127.0
#define ROUNDS 100
#define MOST 16

/* The codebook, ascending; fixed entries do not move. */
typedef struct codebook {
    int n;
    double value[MOST];
    bool fixed[MOST];
} codebook;

typedef struct point {
    double q, weight;
} point;

static int by_q(const void *a, const void *b)
{
    double x = ((const point *)a)->q, y = ((const point *)b)->q;
    return (x > y) - (x < y);
}

static int nearest(const codebook *book, double q)
{
    int best = 0;
    for (int j = 1; j < book->n; j++) {
        best = fabs(q - book->value[j]) < fabs(q - book->value[best]) ? j : best;
    }
    return best;
}

static void insert(codebook *book, double value, bool fixed)
{
    int at = book->n++;
    while (at > 0 && book->value[at - 1] > value) {
        book->value[at] = book->value[at - 1];
        book->fixed[at] = book->fixed[at - 1];
        at--;
    }
    book->value[at] = value;
    book->fixed[at] = fixed;
}

/* The fixed entries, and the others evenly over the ranks of the points. */
static codebook first_guess(const point *points, size_t n, bool zero, int entries)
{
    codebook book = {.n = 0};
    bool low = false, high = false;
    for (size_t i = 0; i < n; i++) {
        low = low || points[i].q <= -TOP + 1e-3;
        high = high || points[i].q >= TOP - 1e-3;
    }
    if (low) {
        insert(&book, -TOP, true);
    }
    if (zero) {
        insert(&book, 0, true);
    }
    if (high) {
        insert(&book, TOP, true);
    }
    int others = entries - book.n;
    for (int j = 0; j < others; j++) {
        insert(&book, points[(size_t)((j + 0.5) / others * (double)n)].q, false);
    }
    return book;
}

/* Lloyd's algorithm; an entry without points stays where it is. */
static void improve(codebook *book, const point *points, size_t n)
{
    for (int round = 0; round < ROUNDS; round++) {
        double sum[MOST] = {0}, weight[MOST] = {0}, moved = 0;
        for (size_t i = 0; i < n; i++) {
            int j = nearest(book, points[i].q);
            sum[j] += points[i].weight * points[i].q;
            weight[j] += points[i].weight;
        }
        for (int j = 0; j < book->n; j++) {
            double value = book->fixed[j] || weight[j] <= 0 ? book->value[j] : sum[j] / weight[j];
            moved = fmax(moved, fabs(value - book->value[j]));
            book->value[j] = value;
        }
        if (moved < 1e-3) {
            break;
        }
    }
    for (int j = 0; j < book->n; j++) {
        book->value[j] = rint(book->value[j]);
    }
}

static tin_status share_band(float *w, size_t n_rows, size_t n, int entries, tin_error *err)
{
    point *points = tin_alloc(n_rows * n, sizeof *points, err);
    if (!points) {
        return TIN_ERR_MEMORY;
    }
    size_t n_points = 0;
    bool zero = false;
    for (size_t i = 0; i < n_rows * n; i++) {
        zero = zero || w[i] == 0;
    }
    for (size_t r = 0; r < n_rows; r++) {
        double scale = tin_weight_scale(w + r * n, (int)n, 8, false);
        for (size_t i = r * n; i < (r + 1) * n && scale > 0; i++) {
            points[n_points++] = (point){(double)w[i] / scale, scale * scale};
        }
    }
    if (n_points > 0) {
        qsort(points, n_points, sizeof *points, by_q);
        codebook book = first_guess(points, n_points, zero, entries);
        improve(&book, points, n_points);
        for (size_t r = 0; r < n_rows; r++) {
            double scale = tin_weight_scale(w + r * n, (int)n, 8, false);
            for (size_t i = r * n; i < (r + 1) * n && scale > 0; i++) {
                w[i] = w[i] == 0 ? 0 : (float)(scale * book.value[nearest(&book, (double)w[i] / scale)]);
            }
        }
    }
    tin_free(points);
    return TIN_OK;
}

tin_status tin_share_apply(tin_model *model, int entries, tin_error *err)
{
    tin_status status = TIN_OK;
    for (int i = 0; i < model->n_layers; i++) {
        for (int p = 0; p < model->layers[i].n_params && status == TIN_OK; p++) {
            const tin_param *param = &model->layers[i].params[p];
            tin_band band;
            for (int row = 0; tin_sparse_has(&model->layers[i], param) && status == TIN_OK &&
                              tin_band_next(&model->layers[i], param, &row, &band);) {
                status = share_band(model->params + band.offset, band.n_rows, band.n, entries, err);
            }
        }
    }
    return status;
}
