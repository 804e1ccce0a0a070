#include "model/log_energy.h"

#include <string.h>

#include "base/memory.h"

struct tin_log_energy {
    tin_log_energy_shape shape;
    int n_outputs;    /* n_channels * levels */
    int64_t frame;    /* since the reset */
    int32_t *left;    /* [n_outputs] the first of the two values that make the next detail */
    uint64_t *sum;    /* [n_outputs] of squares, of the block under way */
    uint32_t *blocks; /* [kernel][n_outputs] ring */
    int newest;
};

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

/* L of the header; v >= 8. */
static int log2_eighths(uint64_t v)
{
    int n = 3;
    while (v >> (n + 1))
        n++;
    return 8 * n + (int)(v >> (n - 3)) - 8;
}

int tin_log_energy_silence(int kernel)
{
    return log2_eighths(16 * (uint64_t)kernel) + 112;
}

int8_t tin_log_energy_q(uint64_t sum, int kernel)
{
    return (int8_t)(log2_eighths(sum + 16 * (uint64_t)kernel) - tin_log_energy_silence(kernel));
}

/* Takes one count into all levels that end with this frame. */
static void take_count(tin_log_energy *s, int32_t count, int32_t *left, uint64_t *sum)
{
    int32_t a = count;
    for (int l = 0; l < s->shape.levels; l++) {
        if ((s->frame >> l & 1) == 0) {
            left[l] = a;
            return;
        }
        int64_t d = a - left[l];
        sum[l] += (uint64_t)(d * d);
        a += left[l];
    }
}

static void end_block(tin_log_energy *s, int8_t *q)
{
    int n = s->n_outputs;
    s->newest = (s->newest + 1) % s->shape.kernel;
    for (int i = 0; i < n; i++) {
        uint64_t mean = s->sum[i] >> tin_log_energy_shift(i % s->shape.levels + 1, s->shape.stride), all = 0;
        s->blocks[s->newest * n + i] = mean > UINT32_MAX ? UINT32_MAX : (uint32_t)mean;
        s->sum[i] = 0;
        for (int k = 0; k < s->shape.kernel; k++)
            all += s->blocks[k * n + i];
        q[i] = tin_log_energy_q(all, s->shape.kernel);
    }
}

bool tin_log_energy_step(tin_log_energy *s, const int16_t *counts, int8_t *q)
{
    for (int c = 0; c < s->shape.n_channels; c++)
        take_count(s, counts[c], s->left + (ptrdiff_t)c * s->shape.levels, s->sum + (ptrdiff_t)c * s->shape.levels);
    s->frame++;
    if (s->frame % s->shape.stride != 0)
        return false;
    end_block(s, q);
    return true;
}

void tin_log_energy_reset(tin_log_energy *s)
{
    size_t n = (size_t)s->n_outputs;
    s->frame = 0;
    s->newest = 0;
    memset(s->sum, 0, n * sizeof *s->sum);
    memset(s->blocks, 0, (size_t)s->shape.kernel * n * sizeof *s->blocks);
}

tin_status tin_log_energy_create(tin_log_energy **state, const tin_log_energy_shape *shape, tin_error *err)
{
    *state = NULL;
    tin_log_energy *s = tin_alloc(1, sizeof *s, err);
    if (!s)
        return TIN_ERR_MEMORY;
    s->shape = *shape;
    s->n_outputs = shape->n_channels * shape->levels;
    size_t n = (size_t)s->n_outputs;
    s->left = tin_alloc(n, sizeof *s->left, err);
    s->sum = tin_alloc(n, sizeof *s->sum, err);
    s->blocks = tin_alloc((size_t)shape->kernel * n, sizeof *s->blocks, err);
    if (!s->left || !s->sum || !s->blocks) {
        tin_log_energy_free(s);
        return TIN_ERR_MEMORY;
    }
    *state = s;
    return TIN_OK;
}

void tin_log_energy_free(tin_log_energy *s)
{
    if (!s)
        return;
    tin_free(s->left);
    tin_free(s->sum);
    tin_free(s->blocks);
    tin_free(s);
}
