/* The ops high_pass, difference and magnitude: what remains of the counts without gravity and offset, exact before anything is
 * rounded to 8 bits. This is the naive reference; docs/integer-arithmetic.md, "Features", has the bounds.
 *
 *     high_pass, per channel, k = shift, m is the mean in units of 2^-(k+3) counts, at the first frame x * 2^(k+3):
 *         v = 8 x - ((m + 2^(k-1)) >> k),  m' = m + v                        v in eighths of a count, as all values here
 *     difference   v = 8 (x - x[`dilation` frames ago]); before the stream x is that of the first frame
 *     magnitude, per three channels (x, y, z): each d = x or, with a shift, min(32767, max(-32767, (v of high_pass + 4) >> 3));
 *         S = the sum of d^2;  v = floor(sqrt(64 S)) where S < 2^26, else 8 floor(sqrt(S)) */
#ifndef TIN_MOTION_H
#define TIN_MOTION_H

#include <stddef.h>
#include <stdint.h>

#include "model/model.h"

#define TIN_MOTION_FRACTION 3 /* bits of a value behind the count */

typedef struct tin_motion_shape {
    tin_op op;
    int n_channels, shift, lag; /* frames */
} tin_motion_shape;

/* Whether a layer may have this shape; NULL or what to do instead. */
const char *tin_motion_mend(const tin_motion_shape *shape);
int tin_motion_width(const tin_motion_shape *shape);
/* The input channel whose scale value `output` has: the first of its three. */
int tin_motion_channel(tin_op op, int output);
/* Greatest |v|. */
int32_t tin_motion_bound(tin_op op);
/* Bytes of the state of a stream; zeros are its start. */
size_t tin_motion_state_bytes(const tin_motion_shape *shape);
/* Every frame: counts [n_channels], values [width]. */
void tin_motion_step(const tin_motion_shape *shape, void *state, const int16_t *counts, int32_t *values);

#endif
