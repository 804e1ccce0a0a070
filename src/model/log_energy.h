/* The op log_energy: how strongly each channel moves, octave by octave, over the last blocks of frames. Integers
 * everywhere, so that training, both runners and generated code give the same numbers. This is the naive reference;
 * docs/integer-arithmetic.md explains the choices.
 *
 *     Haar details of a channel, from frame 0 on, c counts, exact in int32:
 *         a_0[i] = c[i],  a_l[i] = a_{l-1}[2i] + a_{l-1}[2i+1],  d_l[i] = a_{l-1}[2i+1] - a_{l-1}[2i]
 *     Block b of level l holds the details that end on frames stride*b .. stride*(b+1)-1:
 *         e_l[b] = min(2^32 - 1, (sum of d_l^2) >> (log2(stride) + l - 4))         mean square, counts^2 / 16
 *     After each block, with E = the sum of the last `kernel` blocks (those before the stream are 0):
 *         q = L(E + 16*kernel) - L(16*kernel) - 112                                value = q / 32, -112 <= q <= 112
 *         L(v) = 8*n + (v >> (n-3)) - 8, 2^n <= v < 2^(n+1): log2 in eighths, straight between powers of two */
#ifndef TIN_LOG_ENERGY_H
#define TIN_LOG_ENERGY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIN_LOG_ENERGY_MIN_STRIDE 8 /* a power of two; the shift of level 1 is 0 there */
#define TIN_LOG_ENERGY_MAX_LEVELS 8 /* |a_8| <= 2^23, d_8^2 <= 2^46 */

typedef struct tin_log_energy_shape {
    int n_channels, levels, kernel, stride;
} tin_log_energy_shape;

/* Whether a layer may have this shape; NULL or what to do instead. */
const char *tin_log_energy_mend(int levels, int kernel, int stride);
/* The right shift that makes the mean square of a block of level 1..levels. */
int tin_log_energy_shift(int level, int stride);
/* What q is counted from: L(16 * kernel) + 112. */
int tin_log_energy_silence(int kernel);
/* L(v), v >= 8. */
int tin_log2_eighths(uint64_t v);
/* q from E. */
int8_t tin_log_energy_q(uint64_t sum, int kernel);

/* Bytes of the state of a stream, aligned to 8; zeros are its start. */
size_t tin_log_energy_state_bytes(const tin_log_energy_shape *shape);
/* counts [n_channels]. True when a block ends with this frame: q [n_channels * levels] is filled, level after level
 * within a channel. */
bool tin_log_energy_step(const tin_log_energy_shape *shape, void *state, const int16_t *counts, int8_t *q);

#endif
