/* Four values side by side: a vector where the core has those of Armv8.1-M (Helium), else four numbers. */
#ifndef TINK_QUAD_H
#define TINK_QUAD_H

#include "runtime/helium.h"
#include "runtime/requantize.h"

/* [fragment] */
#ifdef TINK_HELIUM
typedef int32x4_t tink_quad;

static inline tink_quad tink_quad_load(const int32_t *p)
{
    return vldrwq_s32(p);
}

/* a * 2^shift * mult / 2^32, rounded half up. */
static inline tink_quad tink_quad_requantize(tink_quad a, tink_quad mult, int32_t shift)
{
#if TINK_SHIFTED
    a = vshlq_r_s32(a, shift);
#endif
    (void)shift; /* 0 */
    return vrmulhq_s32(a, mult);
}

static inline tink_quad tink_quad_limit(tink_quad a, int32_t low, int32_t high)
{
    return vmaxq_s32(vminq_s32(a, vdupq_n_s32(high)), vdupq_n_s32(low));
}

/* The first n values, or all four where there are less. */
static inline void tink_quad_store8(int8_t *y, tink_quad a, int32_t n)
{
    vstrbq_p_s32(y, a, vctp32q((uint32_t)n));
}

static inline void tink_quad_store16(int16_t *y, tink_quad a, int32_t n)
{
    vstrhq_p_s32(y, a, vctp32q((uint32_t)n));
}
#else
typedef struct tink_quad {
    int32_t v[4];
} tink_quad;

static inline tink_quad tink_quad_load(const int32_t *p)
{
    tink_quad a;
    memcpy(a.v, p, sizeof a.v);
    return a;
}

/* a * 2^shift * mult / 2^32, rounded half up. */
static inline tink_quad tink_quad_requantize(tink_quad a, tink_quad mult, int32_t shift)
{
    int32_t i;
    for (i = 0; i < 4; i++) {
        a.v[i] = tink_requantize(a.v[i], mult.v[i], shift);
    }
    return a;
}

static inline tink_quad tink_quad_limit(tink_quad a, int32_t low, int32_t high)
{
    int32_t i;
    for (i = 0; i < 4; i++) {
        a.v[i] = a.v[i] < low ? low : a.v[i] > high ? high : a.v[i];
    }
    return a;
}

/* The first n values, or all four where there are less. */
static inline void tink_quad_store8(int8_t *y, tink_quad a, int32_t n)
{
    int32_t i;
    for (i = 0; i < 4 && i < n; i++) {
        y[i] = (int8_t)a.v[i];
    }
}

static inline void tink_quad_store16(int16_t *y, tink_quad a, int32_t n)
{
    int32_t i;
    for (i = 0; i < 4 && i < n; i++) {
        y[i] = (int16_t)a.v[i];
    }
}
#endif
/* [end] */

#endif
