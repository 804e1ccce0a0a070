#include "model/log_energy.h"

/* A state, part by part. */
typedef struct stream {
    const tin_log_energy_shape *shape;
    int n_outputs;           /* n_channels * levels */
    int64_t *frame, *newest; /* frames since the start; the row of `blocks` that was written last */
    uint64_t *sum;           /* [n_outputs] of squares, of the block under way */
    int32_t *left;           /* [n_outputs] the first of the two values that make the next detail */
    uint32_t *blocks;        /* [kernel][n_outputs] ring */
} stream;

static stream stream_of(const tin_log_energy_shape *shape, void *state)
{
    stream s = {.shape = shape, .n_outputs = shape->n_channels * shape->levels, .frame = state};
    s.newest = s.frame + 1;
    s.sum = (uint64_t *)(s.newest + 1);
    s.left = (int32_t *)(s.sum + s.n_outputs);
    s.blocks = (uint32_t *)(s.left + s.n_outputs);
    return s;
}

size_t tin_log_energy_state_bytes(const tin_log_energy_shape *shape)
{
    size_t n = (size_t)shape->n_channels * (size_t)shape->levels;
    return 2 * sizeof(int64_t) + n * (sizeof(uint64_t) + sizeof(int32_t) + (size_t)shape->kernel * sizeof(uint32_t));
}

const char *tin_log_energy_mend(int levels, int kernel, int stride)
{
    if (stride < TIN_LOG_ENERGY_MIN_STRIDE || (stride & (stride - 1)) != 0)
        return "log_energy needs a stride of 8, 16, 32, ... frames";
    if (((int64_t)kernel * stride) % (1 << levels) != 0)
        return "kernel times stride must be a multiple of 2^levels, so that it holds whole details of every level";
    return NULL;
}

static int log2_of(int stride)
{
    int n = 0;
    while (stride >> (n + 1))
        n++;
    return n;
}

int tin_log_energy_shift(int level, int stride)
{
    return log2_of(stride) + level - 4;
}

int tin_log2_eighths(uint64_t v)
{
    int n = 3;
    while (v >> (n + 1))
        n++;
    return 8 * n + (int)(v >> (n - 3)) - 8;
}

int tin_log_energy_silence(int kernel)
{
    return tin_log2_eighths(16 * (uint64_t)kernel) + 112;
}

int8_t tin_log_energy_q(uint64_t sum, int kernel)
{
    return (int8_t)(tin_log2_eighths(sum + 16 * (uint64_t)kernel) - tin_log_energy_silence(kernel));
}

/* Takes one count into all levels that end with this frame. */
static void take_count(const stream *s, int32_t count, int32_t *left, uint64_t *sum)
{
    int32_t a = count;
    for (int l = 0; l < s->shape->levels; l++) {
        if ((*s->frame >> l & 1) == 0) {
            left[l] = a;
            return;
        }
        int64_t d = a - left[l];
        sum[l] += (uint64_t)(d * d);
        a += left[l];
    }
}

static void end_block(const stream *s, int8_t *q)
{
    int n = s->n_outputs, kernel = s->shape->kernel;
    *s->newest = (*s->newest + 1) % kernel;
    for (int i = 0; i < n; i++) {
        uint64_t mean = s->sum[i] >> tin_log_energy_shift(i % s->shape->levels + 1, s->shape->stride), all = 0;
        s->blocks[*s->newest * n + i] = mean > UINT32_MAX ? UINT32_MAX : (uint32_t)mean;
        s->sum[i] = 0;
        for (int k = 0; k < kernel; k++)
            all += s->blocks[k * n + i];
        q[i] = tin_log_energy_q(all, kernel);
    }
}

bool tin_log_energy_step(const tin_log_energy_shape *shape, void *state, const int16_t *counts, int8_t *q)
{
    const stream s = stream_of(shape, state);
    for (int c = 0; c < shape->n_channels; c++)
        take_count(&s, counts[c], s.left + (ptrdiff_t)c * shape->levels, s.sum + (ptrdiff_t)c * shape->levels);
    if (++*s.frame % shape->stride != 0)
        return false;
    end_block(&s, q);
    return true;
}
