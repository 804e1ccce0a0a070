/* Private to src/model: vectors of the instance that is being compiled, VL lanes of int32 each. The arithmetic is that of
 * model/arithmetic.c; every lane wraps, as int32 does there before it is cut. */
#ifndef TIN_REPLAY_VECTOR_H
#define TIN_REPLAY_VECTOR_H

#include <string.h>

#include "model/replay/replay_layer.h"

#if defined __AVX512F__
#define VECTOR_BYTES 64
#elif defined __AVX2__
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif
#define VL (VECTOR_BYTES / 4)

typedef int32_t vec __attribute__((vector_size(VECTOR_BYTES), aligned(4), may_alias));
typedef int16_t half __attribute__((vector_size(VECTOR_BYTES / 2), aligned(2), may_alias));

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")

#if defined __SSE2__
#include <immintrin.h>
#endif

INLINE vec splat(int32_t x)
{
    return x - (vec){0};
}

INLINE vec load(const int32_t *p)
{
    return *(const vec *)p;
}

INLINE void store(int32_t *p, vec v)
{
    *(vec *)p = v;
}

INLINE vec load_s16(const int16_t *p)
{
    return __builtin_convertvector(*(const half *)p, vec);
}

/* Every lane is within int16. */
INLINE void store_s16(int16_t *p, vec v)
{
#if defined __AVX512F__
    *(half *)p = (half)_mm512_cvtepi32_epi16((__m512i)v);
#elif defined __AVX2__
    __m256i pairs = _mm256_permute4x64_epi64(_mm256_packs_epi32((__m256i)v, (__m256i)v), 0x08);
    *(half *)p = (half)_mm256_castsi256_si128(pairs);
#elif defined __SSE2__
    _mm_storel_epi64((__m128i *)p, _mm_packs_epi32((__m128i)v, (__m128i)v));
#else
    *(half *)p = __builtin_convertvector(v, half);
#endif
}

/* Two int16 at p, in every lane. */
INLINE vec splat_pair(const int16_t *p)
{
    int32_t both;
    memcpy(&both, p, sizeof both);
    return splat(both);
}

/* Per lane the sum of the products of its two int16. */
INLINE vec pair_products(vec a, vec b)
{
#if defined __AVX512F__
    return (vec)_mm512_madd_epi16((__m512i)a, (__m512i)b);
#elif defined __AVX2__
    return (vec)_mm256_madd_epi16((__m256i)a, (__m256i)b);
#elif defined __SSE2__
    return (vec)_mm_madd_epi16((__m128i)a, (__m128i)b);
#else
    return (a << 16 >> 16) * (b << 16 >> 16) + (a >> 16) * (b >> 16);
#endif
}

INLINE vec vec_min(vec a, vec b)
{
#if defined __AVX512F__
    return (vec)_mm512_min_epi32((__m512i)a, (__m512i)b);
#elif defined __AVX2__
    return (vec)_mm256_min_epi32((__m256i)a, (__m256i)b);
#else
    vec less = a < b;
    return (less & a) | (~less & b);
#endif
}

INLINE vec vec_max(vec a, vec b)
{
#if defined __AVX512F__
    return (vec)_mm512_max_epi32((__m512i)a, (__m512i)b);
#elif defined __AVX2__
    return (vec)_mm256_max_epi32((__m256i)a, (__m256i)b);
#else
    vec less = a < b;
    return (less & b) | (~less & a);
#endif
}

INLINE vec clamp(vec v, vec least, vec most)
{
    return vec_min(vec_max(v, least), most);
}

/* tin_multiply_high; m >= 0. */
INLINE vec multiply_high(vec a, vec m)
{
#if defined __AVX512F__
    const __m512i half_unit = _mm512_set1_epi64((int64_t)1 << 31);
    __m512i even = _mm512_add_epi64(_mm512_mul_epi32((__m512i)a, (__m512i)m), half_unit);
    __m512i odd = _mm512_mul_epi32(_mm512_srli_epi64((__m512i)a, 32), _mm512_srli_epi64((__m512i)m, 32));
    odd = _mm512_add_epi64(odd, half_unit);
    return (vec)_mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64(even, 32), odd);
#elif defined __AVX2__
    const __m256i half_unit = _mm256_set1_epi64x((int64_t)1 << 31);
    __m256i even = _mm256_add_epi64(_mm256_mul_epi32((__m256i)a, (__m256i)m), half_unit);
    __m256i odd = _mm256_mul_epi32(_mm256_srli_epi64((__m256i)a, 32), _mm256_srli_epi64((__m256i)m, 32));
    odd = _mm256_add_epi64(odd, half_unit);
    return (vec)_mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xaa);
#elif defined __SSE2__
    /* unsigned products; a < 0 stands for a + 2^32 there, which adds m to the high half */
    const __m128i half_unit = _mm_set1_epi64x((int64_t)1 << 31);
    __m128i even = _mm_add_epi64(_mm_mul_epu32((__m128i)a, (__m128i)m), half_unit);
    __m128i odd = _mm_mul_epu32(_mm_srli_epi64((__m128i)a, 32), _mm_srli_epi64((__m128i)m, 32));
    odd = _mm_and_si128(_mm_add_epi64(odd, half_unit), _mm_set1_epi64x(-((int64_t)1 << 32)));
    return (vec)_mm_or_si128(_mm_srli_epi64(even, 32), odd) - ((a >> 31) & m);
#else
    typedef int64_t wide __attribute__((vector_size(2 * VECTOR_BYTES)));
    wide product = __builtin_convertvector(a, wide) * __builtin_convertvector(m, wide);
    return __builtin_convertvector((product + ((int64_t)1 << 31)) >> 32, vec);
#endif
}

INLINE vec requantize(vec acc, vec mult, int shift)
{
    return multiply_high(acc << shift, mult);
}

/* tin_sigmoid_q28 */
INLINE vec sigmoid(vec t)
{
    vec i = clamp(t >> 8, splat(-128), splat(127));
    const int32_t *table = (const int32_t *)tin_sigmoid_table + 128;
#if defined __AVX512F__
    vec p = (vec)_mm512_i32gather_epi32((__m512i)i, table, 4);
#elif defined __AVX2__
    vec p = (vec)_mm256_i32gather_epi32(table, (__m256i)i, 4);
#else
    vec p = {table[i[0]], table[i[1]], table[i[2]], table[i[3]]};
#endif
#if defined __SSE2__
    return p + pair_products(t, p & 0xffff); /* the high half of t times 0 */
#else
    return p + (t << 16 >> 16) * (p << 16 >> 16);
#endif
}

#define HALF (1 << 27) /* sigmoid(0) in Q28 */

/* t Q13, the result Q27 */
INLINE vec hyperbolic_tangent(vec t)
{
    return sigmoid(t) - HALF;
}

/* What is done to a requantised sum before it is stored as int16. */
typedef struct finish {
    tin_activation curve; /* sigmoid, tanh; or none: limits only */
    int32_t low, high;
} finish;

INLINE finish finish_of(const tin_replay_layer *l)
{
    const tin_qlayer *q = l->layer;
    const int32_t most = q->output_bits == 16 ? 32767 : 127;
    if (q->activation == TIN_ACTIVATION_SIGMOID)
        return (finish){q->activation, 0, 127};
    if (q->activation == TIN_ACTIVATION_TANH)
        return (finish){q->activation, -128, 127};
    const bool scores = l->last || (q->op == TIN_OP_CONCAT && q->output_bits == 8);
    const int32_t least = q->activation == TIN_ACTIVATION_RELU ? 0 : scores ? -most - 1 : -most;
    return (finish){TIN_ACTIVATION_NONE, least, most};
}

INLINE vec finish_apply(vec v, finish f)
{
    if (f.curve == TIN_ACTIVATION_SIGMOID)
        v = (sigmoid(v) + (1 << 20)) >> 21;
    else if (f.curve == TIN_ACTIVATION_TANH)
        v = (hyperbolic_tangent(v) + (1 << 19)) >> 20;
    return clamp(v, splat(f.low), splat(f.high));
}

/* Outputs of the padding are left out where a vector is narrower than the padding. */
INLINE int whole_vectors(int n)
{
    return (n + VL - 1) / VL * VL;
}

#endif
