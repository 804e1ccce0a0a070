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

/* How a weight matrix is stored, and with it the kernel that reads it. */
typedef enum tin_encoding { TIN_ENCODING_PLAIN, TIN_ENCODING_T2, TIN_ENCODING_T43, TIN_ENCODING_COUNT } tin_encoding;

typedef struct tin_emit_layer {
    char label[32];
    tin_encoding encoding;
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
    long lanes;                            /* columns of the widest input of a packed matrix, 0: none */
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
/* A template, whose tink_packed becomes the kernel of `encoding`. */
void tin_emit_template(tin_emit *e, const char *file, tin_encoding encoding);
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

/* A weight matrix and what its sums go through. */
typedef struct tin_emit_matrix {
    const int8_t *weight; /* [n_rows][taps * width] */
    int n_rows, taps, width;
    const int32_t *bias, *mult; /* [n_rows]; bias NULL: all 0 */
    int shift;
} tin_emit_matrix;

const char *tin_encoding_name(tin_encoding encoding);
/* Blocks of four rows as runtime/dot4.h reads them. */
long tin_emit_block_bytes(const tin_emit_matrix *m);
/* Byte `index` of the block that starts at `row`. */
int8_t tin_emit_block_weight(const tin_emit_matrix *m, int row, long index);
/* Packed blocks of four rows (runtime/t2.h, t43.h). Whether sums and multipliers allow them: |sum| * 257 < 2^31. */
bool tin_packed_fits(const tin_emit_matrix *m);
/* The part of the shift that stays beside the multipliers, at least; more is allowed. */
int tin_packed_shift(const tin_emit_matrix *m);
/* Columns of the widened input. */
long tin_packed_lanes(const tin_emit_matrix *m);
long tin_packed_words(const tin_emit_matrix *m, tin_encoding encoding);
/* Word `index` of the block that starts at `row`; `rest` of the shift is left to the kernel. */
int32_t tin_packed_word(const tin_emit_matrix *m, tin_encoding encoding, int rest, int row, long index);
/* The kernel's `count`. */
long tin_packed_count(const tin_emit_matrix *m, int rest);
/* The matrix of a conv1d or dense. */
tin_emit_matrix tin_emit_window(const tin_qlayer *l);
/* Gate `gate` (0 r, 1 z, 2 n) of a gru: its matrix on x, or on the state. */
tin_emit_matrix tin_emit_gate(const tin_qlayer *l, int gate, bool hidden);
void tin_emit_header(tin_emit *e);
void tin_emit_facts(tin_emit *e, tin_text *text);

#endif
