/* Private to src/model: products of a matrix and a row in double for the float reference, outputs side by side. Each sum is
 * taken in the order of the inputs, one product after the other, so that it does not depend on the instruction set. */
#ifndef TIN_FLOAT_PRODUCT_H
#define TIN_FLOAT_PRODUCT_H

#include <stddef.h>

/* sums[o] += sum over i of weight[i][o] * x[i]; the rows of weight are `stride` apart. */
typedef void (*tin_float_product)(const double *weight, size_t stride, const float *x, int n_inputs, int n_outputs,
                                  double *sums);

/* The fastest one for this machine; all give the same. */
tin_float_product tin_float_product_best(void);

#endif
