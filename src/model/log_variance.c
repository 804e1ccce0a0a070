#include "model/log_variance.h"

#include "model/log_energy.h"

/* A state: frames of the block under way and its place in the ring, then both sums of each block, [kernel][n_channels]. */
typedef struct stream {
    int32_t frame, block;
    struct sums {
        uint64_t squares;
        int64_t sum;
    } blocks[];
} stream;

const char *tin_log_variance_mend(const tin_log_variance_shape *s)
{
    int64_t n = (int64_t)s->kernel * s->stride;
    return n < 4 || n > TIN_LOG_VARIANCE_MAX_FRAMES
               ? "log_variance needs 4 to 16384 frames, its kernel times its stride"
               : NULL;
}

static uint64_t frames_squared(const tin_log_variance_shape *s)
{
    uint64_t n = (uint64_t)s->kernel * (uint64_t)s->stride;
    return n * n;
}

int tin_log_variance_silence(const tin_log_variance_shape *s)
{
    return tin_log2_eighths(frames_squared(s)) + 112;
}

size_t tin_log_variance_state_bytes(const tin_log_variance_shape *s)
{
    return sizeof(stream) + (size_t)s->kernel * (size_t)s->n_channels * sizeof(struct sums);
}

static int32_t end_channel(const tin_log_variance_shape *s, const stream *past, int c)
{
    uint64_t squares = 0;
    int64_t sum = 0;
    for (int k = 0; k < s->kernel; k++) {
        squares += past->blocks[k * s->n_channels + c].squares;
        sum += past->blocks[k * s->n_channels + c].sum;
    }
    uint64_t v = (uint64_t)s->kernel * (uint64_t)s->stride * squares - (uint64_t)(sum * sum);
    int q = tin_log2_eighths(v + frames_squared(s)) - tin_log_variance_silence(s);
    return q < 127 ? q : 127;
}

bool tin_log_variance_step(const tin_log_variance_shape *s, void *state, const int16_t *counts, int32_t *q)
{
    stream *past = state;
    for (int c = 0; c < s->n_channels; c++) {
        struct sums *block = &past->blocks[past->block * s->n_channels + c];
        if (past->frame == 0)
            *block = (struct sums){0, 0};
        block->squares += (uint64_t)(counts[c] * counts[c]);
        block->sum += counts[c];
    }
    if (++past->frame < s->stride)
        return false;
    for (int c = 0; c < s->n_channels; c++)
        q[c] = end_channel(s, past, c);
    past->frame = 0;
    past->block = (past->block + 1) % s->kernel;
    return true;
}
