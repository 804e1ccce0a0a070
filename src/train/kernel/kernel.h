/* The contract between the training engine (plain C, compiled once) and its kernels (one source, compiled once per
 * instruction set and once in double precision for the gradient checks).
 *
 * Layout everywhere: [row of time][channel][lane], TIN_LANES lanes (independent sequences) side by side, so that every
 * operation on a vector works on the same place of many sequences and weights are broadcast. Sizes and offsets are in
 * reals (float, or double in the reference instance), pointers to reals are void * here. */
#ifndef TIN_KERNEL_H
#define TIN_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/feature.h"

#define TIN_LANES 16

static inline size_t tin_whole_rows(size_t reals)
{
    return (reals + TIN_LANES - 1) / TIN_LANES * TIN_LANES;
}

/* What one step of the network does. Dense is a conv with kernel 1. */
typedef enum tin_node_kind {
    TIN_NODE_INPUT,      /* the frames; always node 0 */
    TIN_NODE_LOG_ENERGY, /* this and the next read the input's counts and have no gradient */
    TIN_NODE_FEATURE,    /* by the reference, sequence by sequence */
    TIN_NODE_CONV,
    TIN_NODE_DEPTHWISE,
    TIN_NODE_GRU, /* the recurrent ones stand together */
    TIN_NODE_GRU_RESET_BEFORE,
    TIN_NODE_LSTM,
    TIN_NODE_MGU,
    TIN_NODE_MIN_GRU,
    TIN_NODE_AVG_POOL,
    TIN_NODE_MAX_POOL,
    TIN_NODE_EMA,
    TIN_NODE_NORM,
    TIN_NODE_ADD,
    TIN_NODE_MULTIPLY,
    TIN_NODE_CONCAT,
    TIN_NODE_ACTIVATION, /* one that is not part of the node before it */
    TIN_NODE_DROPOUT,
    TIN_NODE_MASK
} tin_node_kind;

static inline bool tin_node_recurrent(tin_node_kind kind)
{
    return kind >= TIN_NODE_GRU && kind <= TIN_NODE_MIN_GRU;
}

/* Applied to the output of a node before it is rounded. */
typedef enum tin_node_activation {
    TIN_NODE_LINEAR,
    TIN_NODE_RELU,
    TIN_NODE_RELU6,
    TIN_NODE_HARD_TANH,
    TIN_NODE_HARD_SIGMOID,
    TIN_NODE_SIGMOID,
    TIN_NODE_TANH
} tin_node_activation;

#define TIN_NODE_READS 8

/* A tensor that a node reads: places in the work space of its row 0 and of its gradient. */
typedef struct tin_read {
    int node; /* that gives it */
    size_t x, dx;
    int n_channels;
    bool gradient;   /* something that is trained lies behind it */
    bool add;        /* to dx, because a later node has written there already */
    bool same_scale; /* concat: these rows are copied, others rounded */
    bool later;      /* dx is not written: the node that is read computes it (head) */
} tin_read;

/* A node writes one tensor. Rows of history lie before y (as many as the reader with the longest history needs, carried
 * from chunk to chunk), and zero rows that its own backward pass reads lie behind dy. */
typedef struct tin_node {
    tin_node_kind kind;
    int layer;               /* of the model, for random streams */
    int n_inputs, n_outputs; /* I, O (recurrent: O is H) */
    tin_read in[TIN_NODE_READS];
    int n_in;
    int kernel, stride, dilation;
    int rows_in, rows_out; /* per chunk */
    int history;           /* rows before the chunk that the first output reads */
    int skip;              /* rows that no output reads (kernel shorter than stride) */
    int carried;           /* rows of history before y */
    bool trains;           /* it or something behind it has parameters: it needs dy */
    int head;              /* recurrent: the dense that alone reads it; its dx is computed a few decisions at a time,
                            * while they are near, and there is no dy. 0: none */
    tin_node_activation activation;
    bool quantised; /* output rounded to multiples of `scale` in +-limit (0..limit after relu) */
    float scale, limit;
    int scaled_by;     /* layer whose scale that is */
    bool learns;       /* that scale may be learnt */
    int weight_bits;   /* 0: weights are not rounded */
    bool power_of_two; /* scales of weights */
    float rate;        /* dropout */
    int mask_bands, mask_rows, mask_count;
    float share;                      /* ema: 2^-shift */
    int log2_stride;                  /* log_energy */
    const tin_feature *feature;       /* that kind; the plan's */
    tin_op op;                        /* of it */
    size_t weight, bias;              /* offsets in params; recurrent: _ih */
    size_t weight_hh, bias_hh;        /* recurrent */
    size_t running_mean, running_var; /* batch norm */
    size_t y, dy;                     /* in the work space */
    size_t saved;                     /* what backward needs besides x and y */
    size_t scratch;                   /* of one node at a time */
    size_t state;                     /* in the carried state of a group: history rows of y, then its own state */
    size_t packed;                    /* in the packed weights */
    size_t shared;                    /* batch norm: in the shared coefficients, TIN_NORM_ROWS rows of n_outputs */
} tin_node;

/* Rows of doubles that a batch norm shares between groups. */
enum {
    TIN_NORM_SCALE,
    TIN_NORM_SHIFT,   /* y = x * scale + shift */
    TIN_NORM_MEAN,    /* of the batch */
    TIN_NORM_INVERSE, /* 1 / sqrt(var + eps) */
    TIN_NORM_CENTRE,  /* subtracted before summing: the running mean */
    TIN_NORM_DY,
    TIN_NORM_X,
    TIN_NORM_ONE, /* dx = dy * DY + x * X + ONE */
    TIN_NORM_ROWS
};

/* One group of TIN_LANES sequences in its work space. */
typedef struct tin_pass {
    const tin_node *nodes;
    int n_nodes;
    const void *packed;
    void *work, *state, *gradient;  /* gradient: [n_params] of this group */
    const double *shared;           /* coefficients of batch norm */
    const tin_input_scaling *input; /* of the model: counts = x / scale + offset */
    bool training;
    double *scale_gradient; /* [n_nodes] of this group: d loss / d ln scale; NULL: not wanted */
    int n_lanes;            /* lanes in use, the first ones */
    uint32_t keep;          /* bit per lane: state is carried on; 0: reset to zeros */
    uint64_t dropout_seed;  /* of this step and group; of masks too */
} tin_pass;

typedef struct tin_kernel {
    const char *name;
    size_t real_bytes;
    /* Reals needed for packed weights, scratch and saved values of a node. */
    size_t (*packed_size)(const tin_node *node);
    size_t (*scratch_size)(const tin_node *node);
    size_t (*saved_size)(const tin_node *node);
    /* Reals that a node carries from chunk to chunk besides the history of its output. */
    size_t (*state_size)(const tin_node *node);
    /* Reorders (and, where asked, rounds) the weights of a node; once per step. */
    void (*pack)(const tin_node *node, const float *params, void *packed);
    /* Fills node 0, and those that read counts: lane l of the group reads its floats at rows + l * lane_stride; unused
     * lanes become zero. */
    void (*load)(const tin_pass *pass, const float *rows, size_t lane_stride);
    void (*forward)(const tin_pass *pass, const tin_node *node);
    void (*backward)(const tin_pass *pass, const tin_node *node);
    /* sums[2][O]: forward of (x - centre) and its square, over the lanes in use. */
    void (*norm_sums)(const tin_pass *pass, const tin_node *node, double *sums);
    /* Takes dy through activation and rounding first. sums[2][O]: of dy and dy * (x - mean). */
    void (*norm_backward_sums)(const tin_pass *pass, const tin_node *node, double *sums);
    /* Softmax cross-entropy. target: as rows of `load`, weighted: [decision][class]. Writes dy of the last node, scaled
     * by `factor`, and returns the loss summed over the group, not scaled. focal > 0: the focal loss with that gamma. */
    double (*loss)(const tin_pass *pass, const float *target, size_t lane_stride, double factor, double focal);
    /* Output rows of the last node back to lane order. */
    void (*store)(const tin_pass *pass, float *rows, size_t lane_stride);
    /* Adds the gradient of a group to sum[n]. */
    void (*reduce)(const void *gradient, size_t n, double *sum);
} tin_kernel;

extern const tin_kernel tin_kernel_baseline, tin_kernel_avx2, tin_kernel_avx512, tin_kernel_amx, tin_kernel_double;

#endif
