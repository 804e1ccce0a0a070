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

#define TIN_LANES 16

/* What one step of the network does. A conv1d or dense and its relu are one node; dense is a conv with kernel 1. */
typedef enum tin_node_kind {
    TIN_NODE_CONV,
    TIN_NODE_DEPTHWISE,
    TIN_NODE_GRU,
    TIN_NODE_POOL,
    TIN_NODE_NORM,
    TIN_NODE_RELU,
    TIN_NODE_DROPOUT
} tin_node_kind;

typedef struct tin_node {
    tin_node_kind kind;
    int layer;               /* of the model, for messages and random streams */
    int n_inputs, n_outputs; /* I, O (GRU: O is H) */
    int kernel, stride, dilation;
    int rows_in, rows_out; /* per chunk */
    int history;           /* rows before the chunk that the first output reads */
    int skip;              /* rows that no output reads (kernel shorter than stride) */
    bool relu;             /* applied to the output */
    bool quantised;        /* output rounded to multiples of `scale` in +-127 (0..127 after relu) */
    float scale;
    bool weights_quantised;
    bool input_gradient;              /* false for the first node */
    float rate;                       /* dropout */
    size_t weight, bias;              /* offsets in params; GRU: _ih */
    size_t weight_hh, bias_hh;        /* GRU */
    size_t running_mean, running_var; /* batch norm */
    size_t x, y;                      /* in the work space: row 0 of input and output; history rows lie before */
    size_t dx, dy;                    /* gradients of the same; zero rows that the backward pass reads lie behind */
    size_t saved;                     /* what backward needs besides x and y */
    size_t scratch;                   /* of backward */
    size_t state;                     /* in the carried state of a group: history rows, or h */
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
    void *work, *state, *gradient; /* gradient: [n_params] of this group */
    const double *shared;          /* coefficients of batch norm */
    bool training;
    int n_lanes;           /* lanes in use, the first ones */
    uint32_t keep;         /* bit per lane: state is carried on; 0: reset to zeros */
    uint64_t dropout_seed; /* of this step and group */
} tin_pass;

typedef struct tin_kernel {
    const char *name;
    size_t real_bytes;
    /* Reals needed for packed weights, backward scratch and saved values of a node. */
    size_t (*packed_size)(const tin_node *node);
    size_t (*scratch_size)(const tin_node *node);
    size_t (*saved_size)(const tin_node *node);
    /* Reorders (and, where asked, rounds) the weights of a node; once per step. */
    void (*pack)(const tin_node *node, const float *params, void *packed);
    /* Lane l of the group reads n floats at rows + l * lane_stride; unused lanes become zero. input_scale 0: not
     * rounded. */
    void (*load)(const tin_pass *pass, const float *rows, size_t lane_stride, float input_scale);
    void (*forward)(const tin_pass *pass, const tin_node *node);
    void (*backward)(const tin_pass *pass, const tin_node *node);
    /* sums[2][O]: forward of (x - centre) and its square, over the lanes in use. */
    void (*norm_sums)(const tin_pass *pass, const tin_node *node, double *sums);
    /* Masks dy by relu first. sums[2][O]: of dy and dy * (x - mean). */
    void (*norm_backward_sums)(const tin_pass *pass, const tin_node *node, double *sums);
    /* Softmax cross-entropy. target: as rows of `load`, weighted: [decision][class]. Writes dy of the last node, scaled
     * by `factor`, and returns the loss summed over the group, not scaled. */
    double (*loss)(const tin_pass *pass, const float *target, size_t lane_stride, double factor);
    /* Output rows of the last node back to lane order. */
    void (*store)(const tin_pass *pass, float *rows, size_t lane_stride);
    /* Adds the gradient of a group to sum[n]. */
    void (*reduce)(const void *gradient, size_t n, double *sum);
} tin_kernel;

extern const tin_kernel tin_kernel_baseline, tin_kernel_avx2, tin_kernel_avx512, tin_kernel_double;

#endif
