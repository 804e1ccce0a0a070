/* Private to src/quantize: rows of weights, and real factors, to integers. */
#ifndef TIN_QUANTIZE_ROWS_H
#define TIN_QUANTIZE_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "model/model.h"

#define TIN_MAX_ROWS (4 * TIN_MAX_WIDTH)

/* A matrix on its way to integers: each row has `n` weights. */
typedef struct tin_rows {
    int layer; /* for messages, from 0 */
    int n_rows, n;
    int bits; /* of the weights */
    bool power_of_two;
    double input_unit;           /* value of one unit of x */
    double bias_limit;           /* greatest |bias| in units of the accumulator */
    double bias[TIN_MAX_ROWS];   /* real */
    double output[TIN_MAX_ROWS]; /* units of the result per value */
    double scale[TIN_MAX_ROWS];  /* value of one weight unit: filled in */
} tin_rows;

/* weight [n_rows][n] floats to integers (same order), bias and mult [n_rows], one shift. */
tin_status tin_rows_convert(tin_rows *rows, const float *from, int8_t *weight, int32_t *bias, int32_t *mult, int *shift,
                            tin_error *err) TIN_USE_RESULT;

/* Smallest shift >= 0 with round(real * 2^(32 - shift)) < 2^31 for all n; mult = that. `most`: greatest legal shift.
 * layer -1 is the input. */
tin_status tin_multipliers(const double *real, int n, int32_t *mult, int *shift, int most, const char *what, int layer,
                           tin_error *err) TIN_USE_RESULT;

#endif
