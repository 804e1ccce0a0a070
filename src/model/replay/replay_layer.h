/* Private to src/model: what replay.c prepares once and the kernels read and write.
 *
 * Dimension letters as in model.h. Rows of tensors and of matrices are padded to whole TIN_REPLAY_LANES; what lies in the
 * padding has no part in any result: its weights are zero. */
#ifndef TIN_REPLAY_LAYER_H
#define TIN_REPLAY_LAYER_H

#include "model/feature.h"
#include "model/model_build.h"
#include "model/qmodel.h"

#define TIN_REPLAY_LANES 16 /* of the widest vector; a multiple of those of all others */

/* What one layer, or the input, gives in a block. */
typedef struct tin_replay_tensor {
    void *memory;
    int16_t *rows; /* [block / period][stride]; `history` rows of the blocks before lie before it */
    int width, stride, history, period;
} tin_replay_tensor;

/* Rows O of sums over `taps` rows of a tensor. Two neighbouring weights stand side by side, for two products at a time. */
typedef struct tin_replay_matrix {
    int16_t *weight;      /* [taps][pairs][O][2] */
    int32_t *bias, *mult; /* [O] */
    int shift, outputs, taps, pairs;
} tin_replay_matrix;

typedef struct tin_replay_layer {
    const tin_qlayer *layer;
    bool last;
    const tin_replay_tensor *from[TIN_MAX_FROM];
    tin_replay_tensor out;
    tin_replay_matrix on_input, on_state; /* of recurrent layers gate after gate, each padded */
    int32_t *depthwise;                   /* [taps][O] weights */
    int16_t *source;                      /* depthwise: [O] the channel that each output reads */
    int32_t *sums, *hidden;               /* recurrent: a [rows][gates * H], b [gates * H] */
    int32_t *state;                       /* [H]: as in qmodel.h; h8 is the row before in `out` */
    int16_t *kept;                        /* [H]: r * h8, of reset_before */
    tin_feature *feature;                 /* and its state */
    void *stream;
} tin_replay_layer;

typedef struct tin_replay_input {
    int32_t offset[TIN_MAX_CHANNELS], mult[TIN_MAX_CHANNELS]; /* 0 beyond the channels */
    int n_channels, shift, bits;
    tin_replay_tensor out;
} tin_replay_input;

/* One instance per instruction set. */
typedef struct tin_replay_kernel {
    /* counts [n_frames][n_channels], to rows 0.. */
    void (*input)(const tin_replay_input *input, const int16_t *counts, int n_frames);
    /* All ops but features: rows 0..n_rows-1 of what it gives. */
    void (*layer)(tin_replay_layer *layer, int n_rows);
} tin_replay_kernel;

extern const tin_replay_kernel tin_replay_baseline, tin_replay_avx2, tin_replay_avx512;

#endif
