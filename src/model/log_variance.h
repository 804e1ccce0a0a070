/* The op log_variance: how far each channel strays from its mean over the last blocks of frames, on a logarithmic scale, from
 * the counts. The naive reference; docs/integer-arithmetic.md, "Features".
 *
 *     After every `stride` frames, over the n = kernel * stride last ones (those before the stream are 0), x in counts:
 *         V = n * (sum of x^2) - (sum of x)^2                                   n^2 times the variance
 *         q = min(127, L(V + n^2) - L(n^2) - 112)                               value = q / 32; L as in log_energy.h */
#ifndef TIN_LOG_VARIANCE_H
#define TIN_LOG_VARIANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIN_LOG_VARIANCE_MAX_FRAMES 16384 /* V < 2^58 */

typedef struct tin_log_variance_shape {
    int n_channels, kernel, stride;
} tin_log_variance_shape;

/* Whether a layer may have this shape; NULL or what to do instead. */
const char *tin_log_variance_mend(const tin_log_variance_shape *shape);
/* What q is counted from: L(n^2) + 112. */
int tin_log_variance_silence(const tin_log_variance_shape *shape);
/* Bytes of the state of a stream, aligned to 8; zeros are its start. */
size_t tin_log_variance_state_bytes(const tin_log_variance_shape *shape);
/* counts [n_channels]. True when a block ends with this frame: q [n_channels] is filled. */
bool tin_log_variance_step(const tin_log_variance_shape *shape, void *state, const int16_t *counts, int32_t *q);

#endif
