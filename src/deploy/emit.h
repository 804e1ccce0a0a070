/* Private to src/deploy: how the parts of the generator share their work. One file per op writes the constants and the
 * call of that op; generate.c puts them together. */
#ifndef TIN_EMIT_H
#define TIN_EMIT_H

#include "base/text.h"
#include "deploy/deploy.h"

#define TIN_NAME_MAX 48      /* letters of a generated name */
#define TIN_EMIT_COLUMNS 120 /* of a generated line */

/* Where the input row of a layer lives. */
typedef enum tin_place {
    TIN_PLACE_HISTORY,   /* next free row of the layer's own history */
    TIN_PLACE_STATE,     /* the 8-bit state of the GRU before it */
    TIN_PLACE_SCRATCH_A, /* shared rows that live within one step */
    TIN_PLACE_SCRATCH_B,
} tin_place;

typedef struct tin_emit_layer {
    char label[32];
    tin_place place; /* of the input row */
    long rows;       /* of history: (kernel - 1) * dilation + 1 */
    long runs;       /* per decision */
    double macs;     /* per run */
} tin_emit_layer;

typedef struct tin_emit {
    const tin_qmodel *model;
    const tin_decision_rule *rule;
    const tin_generate_facts *facts;
    const char *name;
    char upper[TIN_NAME_MAX + 1];
    tin_emit_layer layers[TIN_MAX_LAYERS];
    long scratch_a_bytes, scratch_b_bytes; /* 0: not needed */
    tin_text source, header;
} tin_emit;

/* Fills `layers` and the scratch sizes from the model. */
tin_status tin_emit_plan(tin_emit *e, tin_error *err) TIN_USE_RESULT;
/* "conv1d_1": op and place in the chain of layer `layer` (from 0), unique in the model. */
void tin_emit_label(const tin_qmodel *model, int layer, char label[32]);
/* Multiply-accumulates of the frame on which every layer runs. */
double tin_emit_worst_macs(const tin_emit *e);

/* Text. */
typedef long (*tin_emit_value)(const void *context, long index);
/* static const TYPE NAME_LABEL[_SUFFIX][n] = {...}; */
void tin_emit_array(tin_emit *e, const char *type, const char *label, const char *suffix, long n, tin_emit_value value,
                    const void *context);
void tin_emit_int32s(tin_emit *e, const char *label, const char *suffix, const int32_t *values, long n);
/* The same, filled up with zeros to a multiple of four. */
void tin_emit_int32s_by_4(tin_emit *e, const char *label, const char *suffix, const int32_t *values, long n);
/* The kernel between the marks of a runtime file, its prefix replaced by the model's name. */
void tin_emit_fragment(tin_emit *e, const char *file);
/* A C string literal, any bytes. */
void tin_emit_string(tin_text *text, const char *s);
/* Breaks long lines and sets comments below each other, once all names are in. */
void tin_emit_layout(tin_text *text);
/* `s` made safe for the inside of a comment. */
void tin_emit_comment(tin_text *text, const char *s);

/* One function per op: constants and descriptor before the functions, and the statement that runs the layer.
 * `input` and `output` are C expressions of rows; output of the last layer is int16. */
void tin_emit_conv1d_data(tin_emit *e, int layer);
void tin_emit_conv1d_call(tin_emit *e, int layer, const char *input, const char *output);
void tin_emit_dense_data(tin_emit *e, int layer);
void tin_emit_dense_call(tin_emit *e, int layer, const char *input, const char *output);
void tin_emit_gru_data(tin_emit *e, int layer);
void tin_emit_gru_call(tin_emit *e, int layer, const char *input, const char *output);
void tin_emit_avg_pool_call(tin_emit *e, int layer, const char *input, const char *output);

/* Blocks of four rows as runtime/dot4.h reads them. row(context, r, k, i) gives one weight of tap k and input i. */
typedef struct tin_emit_matrix {
    const int8_t *weight; /* [n_rows][taps * width] */
    int n_rows, taps, width;
} tin_emit_matrix;
long tin_emit_block_bytes(const tin_emit_matrix *m);
/* Byte `index` of the block that starts at `row`. */
int8_t tin_emit_block_weight(const tin_emit_matrix *m, int row, long index);
void tin_emit_header(tin_emit *e);
void tin_emit_facts(tin_emit *e, tin_text *text);

#endif
