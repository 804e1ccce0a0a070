/* Vectors of the instance that is being compiled: `real`, `vec` of VL reals, NV of them per row of TIN_LANES lanes. */
#ifndef TIN_KERNEL_VECTOR_H
#define TIN_KERNEL_VECTOR_H

#include <math.h>
#include <string.h>

#include "train/kernel/kernel.h"

#if TIN_KERNEL_DOUBLE
typedef double real;
typedef int64_t real_bits;
#define VECTOR_BYTES 16
#define ROUND_MAGIC 6755399441055744.0 /* 1.5 * 2^52 */
#elif defined __AVX512F__
typedef float real;
typedef int32_t real_bits;
#define VECTOR_BYTES 64
#define ROUND_MAGIC 12582912.f /* 1.5 * 2^23 */
#elif defined __AVX2__
typedef float real;
typedef int32_t real_bits;
#define VECTOR_BYTES 32
#define ROUND_MAGIC 12582912.f
#else
typedef float real;
typedef int32_t real_bits;
#define VECTOR_BYTES 16
#define ROUND_MAGIC 12582912.f
#endif

#define VL ((int)(VECTOR_BYTES / sizeof(real)))
#define NV (TIN_LANES / VL)
typedef real vec __attribute__((vector_size(VECTOR_BYTES), may_alias));
typedef real_bits ivec __attribute__((vector_size(VECTOR_BYTES), may_alias));

#define INLINE static inline __attribute__((always_inline))
#if VECTOR_BYTES == 64
static const ivec lane_numbers = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
#elif VECTOR_BYTES == 32
static const ivec lane_numbers = {0, 1, 2, 3, 4, 5, 6, 7};
#elif TIN_KERNEL_DOUBLE
static const ivec lane_numbers = {0, 1};
#else
static const ivec lane_numbers = {0, 1, 2, 3};
#endif

#define ACTIVATED 4 /* vectors whose activations are computed side by side, at most */
#define UNROLL _Pragma("GCC unroll 32")

#if !TIN_KERNEL_DOUBLE && defined __SSE2__
#include <immintrin.h>
#endif

INLINE vec splat(real x)
{
    return x - (vec){0}; /* of -0 too; a sum would give +0 */
}

INLINE vec load(const real *p)
{
    return *(const vec *)p;
}

INLINE void store(real *p, vec v)
{
    *(vec *)p = v;
}

INLINE void load_each(int n, const real *from, vec *x)
{
    UNROLL
    for (int i = 0; i < n; i++) {
        x[i] = load(from + i * VL);
    }
}

INLINE void store_each(int n, real *to, const vec *x)
{
    UNROLL
    for (int i = 0; i < n; i++) {
        store(to + i * VL, x[i]);
    }
}

INLINE vec select_bits(ivec mask, vec a, vec b)
{
    return (vec)((mask & (ivec)a) | (~mask & (ivec)b));
}

INLINE vec vec_min(vec a, vec b)
{
#if TIN_KERNEL_DOUBLE || !defined __SSE2__
    return select_bits(a < b, a, b);
#elif defined __AVX512F__
    return (vec)_mm512_min_ps((__m512)a, (__m512)b);
#elif defined __AVX2__
    return (vec)_mm256_min_ps((__m256)a, (__m256)b);
#else
    return (vec)_mm_min_ps((__m128)a, (__m128)b);
#endif
}

INLINE vec vec_max(vec a, vec b)
{
#if TIN_KERNEL_DOUBLE || !defined __SSE2__
    return select_bits(a > b, a, b);
#elif defined __AVX512F__
    return (vec)_mm512_max_ps((__m512)a, (__m512)b);
#elif defined __AVX2__
    return (vec)_mm256_max_ps((__m256)a, (__m256)b);
#else
    return (vec)_mm_max_ps((__m128)a, (__m128)b);
#endif
}

/* Sum of the lanes by halving: the order is fixed for one vector length. */
INLINE real vec_sum(vec v)
{
    UNROLL
    for (int half = VL / 2; half > 0; half /= 2) {
        v += __builtin_shuffle(v, (lane_numbers + half) & (VL - 1));
    }
    return v[0];
}

/* Block k of vector i goes to block i of vector k, n blocks of `block` values: one bit of the two numbers after the
 * other. */
INLINE void transpose(int block, int n, vec *v)
{
    UNROLL
    for (int half = n / 2; half > 0; half /= 2) {
        const int bit = half * block;
        const ivec low = lane_numbers + (lane_numbers & bit) / bit * (VL - bit), high = low + bit;
        UNROLL
        for (int i = 0; i < n; i++) {
            if (!(i & half)) {
                vec a = v[i], b = v[i + half];
                v[i] = __builtin_shuffle(a, b, low);
                v[i + half] = __builtin_shuffle(a, b, high);
            }
        }
    }
}

/* To the nearest integer, ties upwards as on the device (with power-of-two scales they are frequent); |x| < 2^22. The
 * compiler must not reassociate this. */
INLINE vec vec_round(vec x)
{
    const vec magic = splat(ROUND_MAGIC);
    vec even = (x + magic) - magic;
    return even + (vec)((x - even >= splat((real)0.5)) & (ivec)splat(1));
}

#if TIN_KERNEL_DOUBLE
#define PER_LANE(function)                                                                                             \
    vec y = x;                                                                                                         \
    for (int i = 0; i < VL; i++) {                                                                                     \
        y[i] = function(x[i]);                                                                                         \
    }                                                                                                                  \
    return y

INLINE vec vec_exp(vec x)
{
    PER_LANE(exp);
}

INLINE vec vec_log(vec x)
{
    PER_LANE(log);
}

#else
/* 2^(scale * x) as x * power, |scale * x| <= 126, relative error 2e-7 and 1e-8 |scale * x|: scale * x = n + f,
 * |f| <= 1/2, power = 2^n, and a minimax polynomial of degree 5 in f. Of n vectors step by step, so that none waits
 * for another even where the core does not look far ahead. */
INLINE void exp_parts(int n, float scale, vec *x, vec *power)
{
    const vec magic = splat(ROUND_MAGIC + 127), scales = splat(scale);
    const float terms[] = {9.675540365e-03f, 5.550713310e-02f, 2.402211974e-01f, 6.931469671e-01f, 1.000000072e+00f};
    vec f[ACTIVATED];
    UNROLL
    for (int i = 0; i < n; i++) {
        power[i] = x[i] * scales + magic; /* low bits: n and the bias of exponents */
    }
    UNROLL
    for (int i = 0; i < n; i++) {
        f[i] = x[i] * scales - (power[i] - magic);
        x[i] = splat(1.327645459e-03f);
    }
    UNROLL
    for (int k = 0; k < 5; k++) {
        UNROLL
        for (int i = 0; i < n; i++) {
            x[i] = x[i] * f[i] + splat(terms[k]);
        }
    }
    UNROLL
    for (int i = 0; i < n; i++) {
        power[i] = (vec)((ivec)power[i] << 23);
    }
}

/* e^x, |x| <= 87 */
INLINE vec vec_exp(vec x)
{
    vec power;
    exp_parts(1, 1.44269504088896341f, &x, &power);
    return x * power;
}

/* ln x for normal x > 0, error 2e-7 (Cephes, logf). */
INLINE vec vec_log(vec x)
{
    ivec bits = (ivec)x - 0x3f3504f3; /* sqrt(1/2) */
    vec e = __builtin_convertvector(bits >> 23, vec);
    vec m = (vec)((bits & 0x7fffff) + 0x3f3504f3) - splat(1.f);
    vec p = splat(7.0376836292e-2f);
    p = p * m + splat(-1.1514610310e-1f);
    p = p * m + splat(1.1676998740e-1f);
    p = p * m + splat(-1.2420140846e-1f);
    p = p * m + splat(1.4249322787e-1f);
    p = p * m + splat(-1.6668057665e-1f);
    p = p * m + splat(2.0000714765e-1f);
    p = p * m + splat(-2.4999993993e-1f);
    p = p * m + splat(3.3333331174e-1f);
    vec z = m * m;
    return m + (p * m * z - splat(.5f) * z) + e * splat(0.69314718056f);
}
#endif

/* x in +-most. */
INLINE vec vec_limit(vec x, real most)
{
#if defined __AVX512DQ__ && !TIN_KERNEL_DOUBLE
    return (vec)_mm512_range_ps((__m512)x, (__m512)splat(most), 2); /* the smaller magnitude, the sign of x */
#else
    return vec_min(vec_max(x, splat(-most)), splat(most));
#endif
}

/* 1 / (1 + e^(scale * x)) of n vectors, |scale * x| <= 40, error 2e-7 (tanh, from it, 4e-7). Without a division, which
 * blocks the core: the bits of a float are near its logarithm, so a difference of bits gives 1 / d to 5 %, r *= 1 + e +
 * e^2 and r *= 1 + e with e = 1 - d * r the rest. */
INLINE void logistic_each(int n, real scale, vec *x)
{
#if TIN_KERNEL_DOUBLE
    for (int i = 0; i < n; i++) {
        x[i] = splat(1) / (splat(1) + vec_exp(x[i] * scale));
    }
#else
    vec power[ACTIVATED], r[ACTIVATED], e[ACTIVATED];
    exp_parts(n, scale * 1.44269504088896341f, x, power);
    UNROLL
    for (int i = 0; i < n; i++) {
        x[i] = x[i] * power[i] + splat(1);
        r[i] = (vec)(0x7ef31000 - (ivec)x[i]);
        e[i] = splat(1) - x[i] * r[i];
    }
    UNROLL
    for (int i = 0; i < n; i++) {
        r[i] += r[i] * (e[i] + e[i] * e[i]);
    }
    UNROLL
    for (int i = 0; i < n; i++) {
        x[i] = r[i] + r[i] * (splat(1) - x[i] * r[i]);
    }
#endif
}

INLINE void sigmoid_each(int n, vec *x)
{
    UNROLL
    for (int i = 0; i < n; i++) {
        x[i] = vec_limit(x[i], 40);
    }
    logistic_each(n, -1, x);
}

INLINE void tanh_each(int n, vec *x)
{
    UNROLL
    for (int i = 0; i < n; i++) {
        x[i] = vec_limit(x[i], 20);
    }
    logistic_each(n, 2, x);
    UNROLL
    for (int i = 0; i < n; i++) {
        x[i] = splat(1) - splat(2) * x[i];
    }
}

INLINE vec vec_sigmoid(vec x)
{
    sigmoid_each(1, &x);
    return x;
}

INLINE vec vec_tanh(vec x)
{
    tanh_each(1, &x);
    return x;
}

/* What is done to an output before it is stored: limits and rounding. Activations that are not limits are a pass of
 * their own (curve_forward). */
typedef struct finish {
    bool limited, quantised;
    bool positive;                /* rounded, and nothing below 0 */
    real scale, inverse;          /* of rounding */
    real low, high;               /* quantised: in multiples of the scale */
    real inside_low, inside_high; /* the gradient passes where y lies between */
} finish;

INLINE bool is_curve(tin_node_activation activation)
{
    return activation == TIN_NODE_SIGMOID || activation == TIN_NODE_TANH || activation == TIN_NODE_HARD_SIGMOID;
}

/* The limits of an activation; hard_sigmoid's after its line. */
static finish limits_of(const tin_node *node)
{
    tin_node_activation a = node->activation;
    bool positive = a == TIN_NODE_RELU || a == TIN_NODE_RELU6 || a == TIN_NODE_HARD_SIGMOID;
    finish f = {.quantised = node->quantised};
    if (node->quantised) {
        f.positive = positive;
        f.scale = (real)node->scale;
        f.inverse = 1 / (real)node->scale;
        bool lowest = node->kind == TIN_NODE_CONCAT && node->limit < 128; /* 8 bits of a concat go down to -128 */
        f.low = positive ? 0 : -(real)node->limit - (lowest ? 1 : 0);
        f.high = (real)node->limit;
        f.inside_low = positive ? 0 : (f.low + (real)0.5) * f.scale;
        f.inside_high = (f.high - (real)0.5) * f.scale;
        return f;
    }
    f.limited = positive || a == TIN_NODE_HARD_TANH;
    f.inside_low = f.low = positive ? 0 : -1;
    f.inside_high = f.high = a == TIN_NODE_RELU ? (real)INFINITY : a == TIN_NODE_RELU6 ? 6 : 1;
    return f;
}

INLINE finish finish_of(const tin_node *node)
{
    const finish none = {0};
    return is_curve(node->activation) ? none : limits_of(node);
}

/* NaN stays NaN. With rounding and nothing below 0, an output whose sum was not positive becomes -0, one that was
 * rounded down to zero +0: so the backward pass can tell them apart. */
INLINE vec finish_apply(vec v, finish f)
{
    if (!f.quantised) {
        return f.limited ? vec_min(splat(f.high), vec_max(splat(f.low), v)) : v;
    }
    vec q = vec_round(vec_min(splat(f.high), vec_max(splat(f.low), v * f.inverse))) * f.scale;
    if (f.positive) {
        ivec sign = (ivec)splat((real)-0.0);
        q = (vec)((ivec)q | ((v <= splat(0)) & sign));
    }
    return q;
}

/* Whether the gradient passes: inside the limits, and (straight-through) inside the range of rounding. Values that round
 * to the limit count as outside. */
INLINE ivec finish_mask(vec y, finish f)
{
    ivec below = y < splat(f.inside_high);
    return below & (f.positive ? (ivec)y >= 0 : y > splat(f.inside_low));
}

INLINE vec finish_gradient(vec dy, vec y, finish f)
{
    return f.limited || f.quantised ? (vec)((ivec)dy & finish_mask(y, f)) : dy;
}

/* Sizes of the parts when n rows are cut into as few equal parts of at most `most` as possible. */
INLINE int part_size(int n, int most, int done)
{
    int parts = (n - done + most - 1) / most;
    return (n - done + parts - 1) / parts;
}

#endif
