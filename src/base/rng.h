/* Random numbers: xoshiro256++ (Blackman and Vigna, public domain), seeded by splitmix64. The same seed gives the same
 * numbers on every machine. Independent streams come from tin_rng_derive, never from sharing one generator between
 * threads. */
#ifndef TIN_RNG_H
#define TIN_RNG_H

#include <stdint.h>

typedef struct tin_rng {
    uint64_t s[4];
} tin_rng;

void tin_rng_seed(tin_rng *rng, uint64_t seed);
/* A generator for sub-stream `stream` of `seed` (e.g. one per recording, per lane, per step). */
void tin_rng_derive(tin_rng *rng, uint64_t seed, uint64_t stream);
/* Number `index` of `seed`, 64 bits, without those before it: splitmix64 of a counter. For what must be known by its
 * place alone. */
uint64_t tin_rng_at(uint64_t seed, uint64_t index);
uint64_t tin_rng_next(tin_rng *rng);
/* Uniform in [0, 1), 53 bits. */
double tin_rng_uniform(tin_rng *rng);
/* Uniform in [lo, hi). */
double tin_rng_range(tin_rng *rng, double lo, double hi);
/* Uniform integer in [0, n), n > 0, without modulo bias. */
uint32_t tin_rng_below(tin_rng *rng, uint32_t n);
/* Normal, mean 0, deviation 1 (polar method; no cached value, so that copies stay in step). */
double tin_rng_normal(tin_rng *rng);

#endif
