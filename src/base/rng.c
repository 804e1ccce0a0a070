#include "base/rng.h"

#include <math.h>

static uint64_t splitmix64(uint64_t *x)
{
    uint64_t z = (*x += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static uint64_t rotate_left(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

void tin_rng_seed(tin_rng *rng, uint64_t seed)
{
    for (int i = 0; i < 4; i++)
        rng->s[i] = splitmix64(&seed);
}

void tin_rng_derive(tin_rng *rng, uint64_t seed, uint64_t stream)
{
    uint64_t mixed = splitmix64(&seed) ^ rotate_left(splitmix64(&stream), 32);
    tin_rng_seed(rng, mixed);
}

uint64_t tin_rng_at(uint64_t seed, uint64_t index)
{
    uint64_t at = seed + index * 0x9e3779b97f4a7c15u;
    return splitmix64(&at);
}

uint64_t tin_rng_next(tin_rng *rng)
{
    uint64_t *s = rng->s;
    uint64_t result = rotate_left(s[0] + s[3], 23) + s[0];
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

double tin_rng_uniform(tin_rng *rng)
{
    return (double)(tin_rng_next(rng) >> 11) * 0x1.0p-53;
}

double tin_rng_range(tin_rng *rng, double lo, double hi)
{
    return lo + (hi - lo) * tin_rng_uniform(rng);
}

/* Lemire 2019, "Fast Random Integer Generation in an Interval". */
uint32_t tin_rng_below(tin_rng *rng, uint32_t n)
{
    uint64_t m = (tin_rng_next(rng) >> 32) * n;
    if ((uint32_t)m < n) {
        uint32_t threshold = (0u - n) % n;
        while ((uint32_t)m < threshold)
            m = (tin_rng_next(rng) >> 32) * n;
    }
    return (uint32_t)(m >> 32);
}

double tin_rng_normal(tin_rng *rng)
{
    for (;;) {
        double u = tin_rng_range(rng, -1, 1), v = tin_rng_range(rng, -1, 1);
        double s = u * u + v * v;
        if (s > 0 && s < 1)
            return u * sqrt(-2 * log(s) / s);
    }
}
