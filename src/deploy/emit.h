/* Private to src/deploy: how the parts of the generator share their work. emit_plan.c decides what runs when and where
 * every row lives; one file per op writes the constants and the call of that op; emit_step.c and generate.c put them
 * together. */
#ifndef TIN_EMIT_H
#define TIN_EMIT_H

#include "base/text.h"
#include "deploy/deploy.h"

#define TIN_NAME_MAX 48      /* letters of a generated name */
#define TIN_EMIT_COLUMNS 120 /* of a generated line */
#define TIN_MAX_KERNELS 96   /* files of the runtime */
#define TIN_MAX_MEMBERS 256  /* of the state struct */
#define TIN_EXPRESSION 192   /* bytes of a C expression */
#define TIN_MAX_PARTS 12     /* into which a layer is cut */
#define TIN_MAX_RUNS (TIN_MAX_LAYERS * (2 * TIN_MAX_PARTS + 4))

/* Where a row between two layers lives. */
typedef enum tin_place {
    TIN_PLACE_SCRATCH, /* memory that rows share which are not alive at the same time within a step */
    TIN_PLACE_HISTORY, /* the last rows, oldest first, as some reader looks back */
    TIN_PLACE_STATE,   /* the 8-bit state of a recurrent layer */
    TIN_PLACE_JOINED,  /* columns of the row of a concat, which then has nothing to copy */
    TIN_PLACE_SCORES,  /* the result of the last layer */
    TIN_PLACE_HELD,    /* memory of its own: written and read on different frames */
} tin_place;

/* What a layer gives, or the input. */
typedef struct tin_emit_row {
    int width, bits; /* values; 8 or 16 each, where they are kept */
    bool lanes;      /* 8-bit values that are kept in 16 bits, as packed kernels read them */
    int more;        /* values behind the last one that kernels read or write as they take four at a time */
    tin_place place;
    int joined, column; /* JOINED: the concat, and where in its row */
    long rows;          /* HISTORY: how many */
    int step;           /* HISTORY: rows that come until they move on */
    long slack;         /* HISTORY, step 1: rows more than needed, so that they move on together every slack + 1 rows */
    int group;          /* HISTORY, step > 1: its phase counts the rows that came */
    int last_reader;    /* HISTORY: place in the order behind which they move on, -1: before the next one comes */
    long at;            /* SCRATCH: offset */
    int begin, end;     /* places in the order of its first writer and its last reader, -1 for the input */
} tin_emit_row;

/* Layers of one period. Control reaches them every `base` frames; every `ratio` times they run. Where the schedule is
 * spread, control reaches all of them with every frame, and their phase says which of their parts are due. */
typedef struct tin_emit_group {
    int period, base, ratio;
    bool ends_step; /* else the step goes on behind them when they do not run */
} tin_emit_group;

/* How a weight matrix is stored, and with it the kernel that reads it. */
typedef enum tin_encoding {
    TIN_ENCODING_PLAIN,
    TIN_ENCODING_T2,
    TIN_ENCODING_T43,
    TIN_ENCODING_N4,
    TIN_ENCODING_BOOK,
    TIN_ENCODING_SPARSE,
    TIN_ENCODING_V16,   /* this and the next on cores with vectors only */
    TIN_ENCODING_V32,   /* rows of 17 to 32 columns: the stream of V16 */
    TIN_ENCODING_CMSIS, /* rows one after another, for the library CMSIS-NN */
    TIN_ENCODING_COUNT
} tin_encoding;

/* What a packed kernel writes. */
typedef enum tin_store {
    TIN_STORE_BYTES, /* int8_t */
    TIN_STORE_WIDE,  /* int16_t */
    TIN_STORE_RELU,  /* the same for rows of 8 bits behind a relu that are sure to fit 16 bits before it */
    TIN_STORE_STATE, /* the state of a gru */
    TIN_STORE_COUNT
} tin_store;

/* How a pool gets at its window. */
typedef enum tin_pooling {
    TIN_POOLING_ROWS,  /* reads the rows, from the history of what it reads */
    TIN_POOLING_BLOCK, /* windows do not overlap: takes each row into one row of sums when it comes */
    TIN_POOLING_SLIDE, /* likewise, and takes out the row that leaves the window, from a ring of its own */
} tin_pooling;

/* What an entry of the order does. */
typedef enum tin_emit_act {
    TIN_ACT_GIVE,  /* the layer gives a row, or `n` values of it */
    TIN_ACT_TAKE,  /* a pool takes a row in */
    TIN_ACT_COPY,  /* what the layer reads of its input `first` is kept for later frames */
    TIN_ACT_AHEAD, /* a recurrent layer's products with its state, of `n` units, before the next row comes */
} tin_emit_act;

/* One entry of the order. */
typedef struct tin_emit_run {
    int layer, period, group;
    tin_emit_act act;
    int offset;   /* frames behind the one that completes what the layer reads; 0 unless the schedule is spread */
    int first, n; /* values from `first` on; n 0: all of the layer */
} tin_emit_run;

/* What one run of a layer costs, in instructions of a Cortex-M4, roughly. */
typedef struct tin_emit_cost {
    double fixed, per_block;             /* per four rows; 0: the layer cannot be cut */
    double ahead_fixed, ahead_per_block; /* likewise of TIN_ACT_AHEAD; 0: it has none */
    int blocks;
} tin_emit_cost;

typedef struct tin_emit_layer {
    char label[32];
    tin_encoding encoding;
    tin_pooling pooling;
    int period;
    long runs;                 /* per decision */
    double macs;               /* per run */
    long work_at;              /* room of n_outputs bytes in the scratch, for the time of its call; -1: none */
    bool copied[TIN_MAX_FROM]; /* what it reads of this input is kept for it (TIN_ACT_COPY) */
    bool ahead;                /* its products with the state run apart (TIN_ACT_AHEAD) */
} tin_emit_layer;

/* What the decision rule uses: runtime/decision.h. */
typedef struct tin_emit_rule {
    bool eventful, rests;     /* there are classes that are events, and others */
    bool smooths, thresholds; /* each event has its own threshold */
    bool scans;               /* either of them: every event is looked at */
    bool runs, history;       /* decisions that agree: one after another, or out of more */
    bool keeps;               /* a minimum length */
    bool leads;
    int wait; /* decisions behind a trigger without another, 0: none */
} tin_emit_rule;

/* A member of the state struct. */
typedef struct tin_emit_member {
    const char *type;
    int bytes; /* of one value */
    long n;    /* 0: a single value, no array */
    char name[48], comment[80];
} tin_emit_member;

typedef struct tin_emit {
    const tin_qmodel *model;
    const tin_decision_rule *rule;
    tin_emit_rule uses;
    const tin_generate_facts *facts;
    const char *name;
    char upper[TIN_NAME_MAX + 1];
    bool wide, curves; /* rows of 16 bits; sigmoid or tanh behind a matrix: what the kernels must know */
    bool cmsis;        /* layers go through the library CMSIS-NN where it serves them */
    bool vectors;      /* made for a core with the vectors of Helium */
    bool scalar;       /* made for a core that takes one product per instruction */
    bool powers;       /* requantisation by shifts alone: constants hold shifts in place of multipliers */
    bool folded;       /* the table of the sigmoid is half as long, for size */
    bool shifted;   /* some packed sums need a shift beside their multiplier; those of the state in gate n always may */
    int unit;       /* groups of four columns that the loop of a packed kernel takes at a time: 1 or 2 */
    bool odd_units; /* some packed matrix has an odd number of them */
    long once_groups; /* that all matrices of `once` have, so that their kernel needs no loop; 0: there are none */
    bool once[TIN_STORE_COUNT];
    tin_emit_layer layers[TIN_MAX_LAYERS];
    tin_emit_row rows[TIN_MAX_LAYERS + 1]; /* of the input, then of the layers */
    tin_emit_run order[TIN_MAX_RUNS];      /* what runs, one after another */
    int n_order;
    tin_emit_group groups[TIN_MAX_LAYERS + 1];
    int n_groups;
    bool spread;                       /* the work of a decision is spread over the frames up to the next one */
    int latency;                       /* frames by which decisions come later because of that */
    double worst_mac;                  /* of a frame */
    long scratch_bytes, scratch_words; /* of rows of 8 and of 16 bits; 0: not needed */
    long lanes;   /* words in which vectors, CMSIS-NN and log_mel bring their input together; 0: none */
    long widened; /* values of the widest input that a packed kernel cannot read in place; 0: none */
    tin_emit_member members[TIN_MAX_MEMBERS];
    int n_members;
    bool kernels[TIN_ENCODING_COUNT]
                [TIN_MAX_KERNELS]; /* which are in `source` already, by their number in emit_text.c */
    int indent;                    /* of statements */
    tin_text source, header;
} tin_emit;

/* ---- emit_decision.c ---- */

/* Classes that are events. */
int tin_emit_events(const tin_qmodel *model);
/* Fills `uses`. */
void tin_emit_choose_rule(tin_emit *e);
/* The constants of the rule and the type of its state, for the header. */
void tin_emit_rule_constants(tin_emit *e);
void tin_emit_rule_state(tin_emit *e);
/* The constants that the kernel reads, in front of it. */
void tin_emit_rule_data(tin_emit *e);

/* ---- emit_plan.c ---- */

/* Fills everything from `wide` to `scratch_words` from the model. */
tin_status tin_emit_plan(tin_emit *e, tin_error *err);
/* "conv1d_1": op and place in the list of layer `layer` (from 0), unique in the model. */
void tin_emit_label(const tin_qmodel *model, int layer, char label[32]);
/* Of layer `layer`, or TIN_FROM_INPUT. */
tin_emit_row *tin_emit_row_of(tin_emit *e, int layer);
/* Whether a layer reads the scaled input: features read the counts. */
bool tin_emit_reads_input(tin_emit *e);
/* Rows that a layer looks at: (kernel - 1) * dilation + 1. */
long tin_emit_span(const tin_qlayer *layer);
/* Whether input k of a concat stands in its row already. */
bool tin_emit_is_joined(tin_emit *e, int layer, int k);
/* Entries of the order in which layer `layer` does `act`; *n of them, one behind the other. */
const tin_emit_run *tin_emit_parts(const tin_emit *e, int layer, tin_emit_act act, int *n);

/* ---- emit_lanes.c ---- */

/* Decides which rows are kept in 16 bits for packed kernels, and the room in which others are widened. */
void tin_emit_choose_lanes(tin_emit *e);
/* Fills shifted, unit, odd_units, once and once_groups. */
void tin_emit_choose_units(tin_emit *e);
/* Least room of an array of `n` values of 16 bits that packed kernels read and write four at a time. */
long tin_emit_fours(long n);
/* The kernels for that. */
void tin_emit_widening(tin_emit *e, int layer);
/* The statement that widens the input of a packed layer, if it needs that. Returns the expression of what its kernel reads. */
const char *tin_emit_packed_input(tin_emit *e, int layer, char text[TIN_EXPRESSION]);
/* Whether the layer has a packed kernel, but not one of vectors, and what that writes. */
bool tin_emit_is_packed(const tin_emit *e, int layer);
tin_store tin_emit_store(tin_emit *e, int layer);

/* ---- emit_memory.c ---- */

/* Gives the rows in scratch and the room that layers need while they run their places, and scratch its size. */
void tin_emit_place_scratch(tin_emit *e);
/* The comment with all of them, and when they are alive. */
void tin_emit_memory_plan(tin_emit *e);

/* ---- emit_schedule.c ---- */

/* Fills order and latency: which frame of its period each layer runs on, and how the large ones are cut. */
tin_status tin_emit_spread(tin_emit *e, tin_error *err);

/* ---- emit_step.c ---- */

/* C expressions: the oldest row that layer `layer` reads of its input k, and the row that it gives. */
const char *tin_emit_input(tin_emit *e, int layer, int k, char text[TIN_EXPRESSION]);
const char *tin_emit_output(tin_emit *e, int layer, char text[TIN_EXPRESSION]);
/* `before`, then the member that keeps what the layer reads of input k. */
const char *tin_emit_copy_name(const tin_emit *e, int layer, int k, const char *before, char text[TIN_EXPRESSION]);
/* 1 where input k, or the output, is a row of 16 bits. */
int tin_emit_input_wide(tin_emit *e, int layer, int k);
int tin_emit_output_wide(tin_emit *e, int layer);
/* A line of the step function, indented. */
void tin_emit_statement(tin_emit *e, const char *format, ...) __attribute__((format(printf, 2, 3)));
void tin_emit_init(tin_emit *e);
void tin_emit_step(tin_emit *e);

/* ---- emit_text.c ---- */

typedef long (*tin_emit_value)(const void *context, long index);
/* static const TYPE NAME_LABEL[_SUFFIX][n] = {...}; */
void tin_emit_array(tin_emit *e, const char *type, const char *label, const char *suffix, long n, tin_emit_value value,
                    const void *context);
void tin_emit_int32s(tin_emit *e, const char *label, const char *suffix, const int32_t *values, long n);
/* What the kernel requantises with: the multiplier or, where requantisation is by shifts, 32 - log2 of it. */
int32_t tin_emit_factor(const tin_emit *e, int32_t mult);
/* static const int32_t NAME_LABEL_mult[n] of them. */
void tin_emit_factors(tin_emit *e, const char *label, const int32_t *mult, long n);
/* int32 values, filled up with zeros to a multiple of four. */
void tin_emit_int32s_by_4(tin_emit *e, const char *label, const char *suffix, const int32_t *values, long n);
/* Adds the kernel between the marks of runtime/FILE.h, its prefix replaced by the model's name, behind those that it
 * includes; once. Lines under `#if TINK_...` are in it if this model needs them. */
void tin_emit_kernel(tin_emit *e, const char *file);
/* The same for a template, whose tink_packed becomes the kernel of `encoding`. */
void tin_emit_template(tin_emit *e, const char *file, tin_encoding encoding);
/* Whether it was added. */
bool tin_emit_has_kernel(const tin_emit *e, const char *file);
/* A C string literal, any bytes. */
void tin_emit_string(tin_text *text, const char *s);
/* Breaks long lines and sets comments below each other, once all names are in. */
void tin_emit_layout(tin_text *text);
/* `s` made safe for the inside of a comment. */
void tin_emit_comment(tin_text *text, const char *s);

/* ---- emit_header.c ---- */

/* Adds a member to the state struct: n values (0: a single one). suffix "" takes the label as it is. */
void tin_emit_member_add(tin_emit *e, const char *type, const char *label, const char *suffix, long n,
                         const char *comment);
void tin_emit_header(tin_emit *e);
void tin_emit_facts(tin_emit *e, tin_text *text);

/* ---- one file per op ---- */

/* What a layer needs: its kernels, members of the state, constants, the statements that run it, those of a pool that
 * takes in a row or a feature that takes in a frame, and those of NAME_init. NULL: none. */
typedef struct tin_emit_op {
    void (*kernels)(tin_emit *e, int layer);
    void (*state)(tin_emit *e, int layer);
    void (*data)(tin_emit *e, int layer);
    void (*call)(tin_emit *e, int layer);
    void (*take)(tin_emit *e, int layer);
    void (*init)(tin_emit *e, int layer);
    void (*part)(tin_emit *e, const tin_emit_run *run); /* the call for a part of the layer */
} tin_emit_op;

extern const tin_emit_op tin_emit_conv1d, tin_emit_dense, tin_emit_avg_pool, tin_emit_max_pool, tin_emit_add,
    tin_emit_concat, tin_emit_multiply, tin_emit_ema, tin_emit_recurrent, tin_emit_min_gru, tin_emit_log_energy,
    tin_emit_log_mel, tin_emit_log_variance, tin_emit_motion;
/* The op's own, NULL when it has no kernel (generate.c). */
const tin_emit_op *tin_emit_op_of(tin_op op);
/* What layer `layer` of this model goes through. */
const tin_emit_op *tin_emit_op_at(const tin_emit *e, int layer);

/* ---- emit_conv1d.c ---- */

/* Least value of the output of a conv1d or dense. */
int tin_emit_low(tin_emit *e, int layer);
/* 1: sigmoid, 2: tanh, else 0. */
int tin_emit_curve(const tin_qlayer *l);

/* ---- emit_cmsis.c ---- */

extern const tin_emit_op tin_emit_cmsis;
/* Whether CMSIS-NN serves the layer with the same result; *lanes: words of RAM for sums. */
bool tin_cmsis_serves(tin_emit *e, int layer, long *lanes);
/* The function that serves it; NULL: none. */
const char *tin_cmsis_function(tin_emit *e, int layer);

/* ---- emit_matrix.c ---- */

/* A weight matrix and what its sums go through. */
typedef struct tin_emit_matrix {
    const int8_t *weight; /* [n_rows][taps * width] */
    int n_rows, taps, width;
    const int32_t *bias, *mult; /* [n_rows]; bias NULL: all 0 */
    int shift;
} tin_emit_matrix;

const char *tin_encoding_name(tin_encoding encoding);
/* Chooses the encoding of a layer's weights. */
void tin_emit_choose_encoding(tin_emit *e, int layer);
/* What a run of the layer costs in its encoding. */
tin_emit_cost tin_emit_layer_cost(const tin_emit *e, int layer);
/* "NAME_kernel" of an encoding: NAME_linear, NAME_t2_linear, ... */
const char *tin_emit_encoded(const tin_emit *e, int layer, const char *kernel, char text[TIN_EXPRESSION]);
/* Blocks of four rows as runtime/dot4.h reads them. */
long tin_emit_block_bytes(const tin_emit_matrix *m);
/* Byte `index` of the block that starts at `row`. */
int8_t tin_emit_block_weight(const tin_emit_matrix *m, int row, long index);
/* The matrices of a layer that are packed, of gru those on x and on the state by turns, gate n last; returns how many. */
int tin_emit_matrices(const tin_qlayer *l, tin_emit_matrix m[6]);
/* The matrix of a conv1d or dense. */
tin_emit_matrix tin_emit_window(const tin_qlayer *l);
/* Gate `gate` of a recurrent layer: its matrix on x, or on the state. */
tin_emit_matrix tin_emit_gate(const tin_qlayer *l, int gate, bool hidden);

/* ---- emit_packed.c ---- */

/* Whether values, sums and multipliers of a matrix allow a packed encoding. */
bool tin_packed_fits(const tin_emit_matrix *m, tin_encoding encoding);
/* Adds the bytes of the weights, and instructions per run; `scalar`: of a core with a product per instruction, where
 * plain has a price too. */
void tin_packed_cost(const tin_emit_matrix *m, tin_encoding encoding, bool scalar, double *bytes, double *insn);
/* The part of the shift that stays beside the multipliers, at least; more is allowed. */
int tin_packed_shift(const tin_emit_matrix *m);
/* Columns of the input as the kernel reads it: those of each tap filled up to four. */
long tin_packed_columns(const tin_emit_matrix *m);
/* Greatest size of what the sums become behind their multiplier and shift. */
int64_t tin_packed_bound(const tin_emit_matrix *m);
/* Whether the kernels are those of vectors: V16, V32. */
bool tin_encoding_is_vector(tin_encoding encoding);
/* V16, V32: groups of eight columns. */
long tin_packed_eights(const tin_emit_matrix *m);
/* The kernel's `count`. */
long tin_packed_count(const tin_emit_matrix *m, int rest);
/* Words in front of the block of row `rows`, a multiple of four, in a stream of n matrices. */
long tin_packed_words(const tin_emit_matrix *m, int n, tin_encoding encoding, long rows);
/* static const int32_t NAME_LABEL_SUFFIX[]: per four rows a block of each of n matrices with the same number of rows;
 * rest [n] of their shifts is left to the kernel. */
void tin_packed_emit(tin_emit *e, int layer, const char *suffix, const tin_emit_matrix *m, const int *rest, int n);

#endif
