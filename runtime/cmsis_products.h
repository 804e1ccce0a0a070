/* Sums of products by CMSIS-NN, in 32 bits and without its rounding. */
#ifndef TINK_CMSIS_PRODUCTS_H
#define TINK_CMSIS_PRODUCTS_H

#include "runtime/kernel.h"

/* [fragment] */
#include "arm_nnsupportfunctions.h"

/* sums[r] = sum of w[r][i] * x[i] over the columns. */
static void tink_cmsis_products(const int8_t *w, const int8_t *x, int32_t columns, int32_t rows, int32_t *sums)
{
    memset(sums, 0, (size_t)rows * sizeof *sums);
    (void)arm_nn_mat_mult_nt_t_s8_s32(x, w, sums, 1, columns, rows, 0, 1);
}
/* [end] */

#endif
