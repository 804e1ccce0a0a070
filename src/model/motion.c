#include "model/motion.h"

#define ONE (1 << TIN_MOTION_FRACTION)

/* A state: whether a frame has come, the place of the oldest one, then means [n_channels], or frames [lag][n_channels]. */
typedef struct stream {
    int32_t started, oldest;
    int32_t values[];
} stream;

const char *tin_motion_mend(const tin_motion_shape *s)
{
    if (s->op == TIN_OP_MAGNITUDE && s->n_channels % 3 != 0)
        return "magnitude reads channels by threes: x, y, z of one sensor after another";
    return NULL;
}

int tin_motion_width(const tin_motion_shape *s)
{
    return s->op == TIN_OP_MAGNITUDE ? s->n_channels / 3 : s->n_channels;
}

int tin_motion_channel(tin_op op, int output)
{
    return op == TIN_OP_MAGNITUDE ? 3 * output : output;
}

int32_t tin_motion_bound(tin_op op)
{
    return ONE * (op == TIN_OP_MAGNITUDE ? 56756 : 65536); /* sqrt(3 * 2^30); 65535 and the rounding of the mean */
}

size_t tin_motion_state_bytes(const tin_motion_shape *s)
{
    size_t rows = s->op == TIN_OP_DIFFERENCE ? (size_t)s->lag : 1;
    return sizeof(stream) + rows * (size_t)s->n_channels * sizeof(int32_t);
}

static int32_t high_pass(int32_t x, int shift, int32_t *mean)
{
    int32_t v = ONE * x - ((*mean + (1 << (shift - 1))) >> shift);
    *mean += v;
    return v;
}

static int32_t difference(const tin_motion_shape *s, stream *past, int c, int32_t x)
{
    int32_t *before = &past->values[past->oldest * s->n_channels + c], v = ONE * (x - *before);
    *before = x;
    return v;
}

static uint32_t root_of(uint32_t n)
{
    uint32_t root = 0;
    for (uint32_t bit = 1u << 15; bit > 0; bit >>= 1) {
        uint32_t more = root + bit;
        root = more * more <= n ? more : root; /* more < 2^16 */
    }
    return root;
}

static int32_t magnitude(const tin_motion_shape *s, stream *past, int first, const int16_t *counts)
{
    uint32_t sum = 0;
    for (int c = first; c < first + 3; c++) {
        int32_t d = counts[c];
        if (s->shift > 0) {
            d = (high_pass(d, s->shift, &past->values[c]) + ONE / 2) >> TIN_MOTION_FRACTION;
            d = d < -32767 ? -32767 : d > 32767 ? 32767 : d;
        }
        sum += (uint32_t)(d * d);
    }
    return (int32_t)(sum < 1u << 26 ? root_of(ONE * ONE * sum) : ONE * root_of(sum));
}

/* As if the first frame had always been there. */
static void start(const tin_motion_shape *s, stream *past, const int16_t *counts)
{
    int rows = s->op == TIN_OP_DIFFERENCE ? s->lag : 1,
        up = s->op == TIN_OP_DIFFERENCE ? 0 : s->shift + TIN_MOTION_FRACTION;
    for (int i = 0; i < rows * s->n_channels; i++)
        past->values[i] = counts[i % s->n_channels] * (1 << up);
    past->started = 1;
}

void tin_motion_step(const tin_motion_shape *s, void *state, const int16_t *counts, int32_t *values)
{
    stream *past = state;
    if (!past->started)
        start(s, past, counts);
    for (int o = 0; o < tin_motion_width(s); o++)
        values[o] = s->op == TIN_OP_HIGH_PASS    ? high_pass(counts[o], s->shift, &past->values[o])
                    : s->op == TIN_OP_DIFFERENCE ? difference(s, past, o, counts[o])
                                                 : magnitude(s, past, 3 * o, counts);
    past->oldest = s->op == TIN_OP_DIFFERENCE && past->oldest + 1 < s->lag ? past->oldest + 1 : 0;
}
