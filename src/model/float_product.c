#include "model/float_product.h"

#include "base/cpu.h"

/* -ffp-contract=off, which the whole project is built with, keeps product and sum apart where there is an fma. */
static inline __attribute__((always_inline)) void add_products(const double *restrict weight, size_t stride,
                                                               const float *restrict x, int n_inputs, int n_outputs,
                                                               double *restrict sums)
{
    for (int i = 0; i < n_inputs; i++, weight += stride) {
        const double v = (double)x[i];
        for (int o = 0; o < n_outputs; o++)
            sums[o] += weight[o] * v;
    }
}

#define INSTANCE(name, attributes)                                                                                     \
    attributes static void name(const double *weight, size_t stride, const float *x, int n_inputs, int n_outputs,      \
                                double *sums)                                                                          \
    {                                                                                                                  \
        add_products(weight, stride, x, n_inputs, n_outputs, sums);                                                    \
    }

INSTANCE(product_baseline, )
#if defined __x86_64__
INSTANCE(product_avx2, __attribute__((target("avx2"))))
INSTANCE(product_avx512, __attribute__((target("avx512f,avx512vl,prefer-vector-width=512"))))
#endif

tin_float_product tin_float_product_best(void)
{
#if defined __x86_64__
    if (tin_cpu_has(TIN_CPU_AVX512))
        return product_avx512;
    if (tin_cpu_has(TIN_CPU_AVX2))
        return product_avx2;
#endif
    return product_baseline;
}
