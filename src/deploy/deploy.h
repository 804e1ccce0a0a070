/* Deployment: the generated pair NAME.c, NAME.h; its measurement and bit-exact check on emulated cores.
 * The contract of the generated code is in docs/generated-code.md. */
#ifndef TIN_DEPLOY_H
#define TIN_DEPLOY_H

#include "dataset/dataset.h"
#include "model/decision.h"
#include "model/qmodel.h"

#define TIN_MAX_FOOTPRINT_LAYERS 66 /* input, layers, decision layer */

/* What one layer costs, from a build with profiling marks. */
typedef struct tin_layer_cost {
    char name[32]; /* "input", "conv1d_1", ..., "decision" */
    double insn_per_run, insn_per_decision;
} tin_layer_cost;

typedef struct tin_footprint {
    long code_bytes;                          /* .text without constants that are weights; sigmoid table included */
    long weight_bytes;                        /* weights, biases, multipliers */
    long flash_bytes;                         /* both */
    long state_bytes;                         /* sizeof(NAME_t): all RAM besides the stack */
    long stack_bytes;                         /* greatest painted stack of init and step; -1: not known */
    long stack_static_bytes;                  /* bound from -fstack-usage over the call graph; -1: not known */
    double insn_per_frame, insn_per_decision; /* averages; NaN: not known */
    long insn_worst_frame;                    /* -1: not known */
    int64_t verified_frames, mismatches;
    char target[32], compiler[64], flags[128];
    tin_layer_cost layers[TIN_MAX_FOOTPRINT_LAYERS];
    int n_layers;
} tin_footprint;

/* Facts for the header comment; strings may be "" and numbers NaN when not known. footprint may be NULL (before
 * measuring). */
typedef struct tin_generate_facts {
    const char *name; /* C identifier, prefix of everything */
    const char *version, *data_hash, *config_hash, *command;
    const char *optimize; /* "size", "balanced", "speed" or "plain": which encodings of weights; NULL: "balanced" */
    const char *target;   /* "m0", "m3", "m4", "m7", "m33", "m55", "rv32": the core that kernels and encodings are
                             chosen for; NULL: "m4" */
    const char *backend; /* "auto": own kernels, by the compiler's macros; "cmsis-nn": its functions where they give the
                             same result; NULL: "auto" */
    const char *schedule; /* "earliest", NULL: every layer runs as soon as it can; "spread": no frame has much more work
                             than the others, and a decision may come NAME_LATENCY < NAME_HOP frames later */
    const char *preset; /* that the decision rule was chosen for, for the header's comment; NULL, "": not said */
    double frame_accuracy, fnr, fcr, fp_per_hour, latency_mean_s;
    const tin_footprint *footprint;
} tin_generate_facts;

/* TIN_ERR_MODEL with the mend when `name` cannot be the prefix of C and C++ code and the stem of a file. Cheap: a caller
 * can ask before it trains. */
tin_status tin_emit_check_name(const char *name, tin_error *err) TIN_USE_RESULT;

/* Writes FOLDER/NAME.c and NAME.h atomically. Same inputs give the same bytes. TIN_ERR_MODEL for a name that
 * tin_emit_check_name refuses. */
tin_status tin_generate(const tin_qmodel *qmodel, const tin_decision_rule *rule, const tin_generate_facts *facts,
                        const char *folder, tin_error *err) TIN_USE_RESULT;

/* TIN_ERR_CONFIG with the mend unless `folder` has CMSIS-NN: Include/arm_nnfunctions.h of version 7.0.0 or later and
 * libcmsis-nn.a. Cheap, as tin_emit_check_name. */
tin_status tin_cmsis_nn_check(const char *folder, tin_error *err) TIN_USE_RESULT;
/* Name of an emulated core, "m4", by its number from 0; NULL behind the last. */
const char *tin_target_name(int target);
/* "m0,m33" or "all" as bits of those numbers. TIN_ERR_USAGE lists the names when one is unknown. */
tin_status tin_target_list(const char *text, unsigned *targets, tin_error *err) TIN_USE_RESULT;

/* NAME_LATENCY of the code that tin_generate makes with optimize, target and schedule of `facts`: frames by which every
 * decision comes later than the frame that completes it, below the hop. 0 with "earliest". */
tin_status tin_schedule_latency(const tin_qmodel *qmodel, const tin_generate_facts *facts, int *latency,
                                tin_error *err) TIN_USE_RESULT;

typedef struct tin_measure_options {
    const char *optimize; /* "size" (-Os), "balanced" or "speed" (-O2) */
    const char *target;   /* name of an emulated core, docs/deployment.md; NULL: "m4" */
    int latency;          /* NAME_LATENCY of the code */
    int64_t max_frames;   /* 0: all frames of the test streams */
    const char *cmsis_nn; /* folder of the library that the code was generated for; NULL or "": none */
    const char *build;    /* folder for what is built and exchanged, made here; NULL: FOLDER/build-TARGET */
    bool quiet;
} tin_measure_options;

/* Builds FOLDER/NAME.c for the target, checks the object file (no division, no float, no call outside
 * memcpy/memset/memmove and, on cores without a long multiplication, the compiler's own), runs it on the emulated core
 * over the test streams of `dataset`, and compares every result with the interpreter. TIN_ERR_USAGE for an unknown
 * target, TIN_ERR_TOOL when a tool is missing, TIN_ERR_MISMATCH with stream, frame and both values on the first
 * difference. */
tin_status tin_measure(const tin_qmodel *qmodel, const tin_decision_rule *rule, const tin_dataset *dataset,
                       const char *folder, const char *name, const tin_measure_options *options,
                       tin_footprint *footprint, tin_error *err) TIN_USE_RESULT;
/* TIN_ERR_MODEL with the figures and what would help when the code needs more than max_flash_bytes of flash, or its state
 * and greatest stack more than max_ram_bytes of RAM; 0: no limit. `optimize` as it was generated. */
tin_status tin_footprint_check(const tin_footprint *footprint, long max_flash_bytes, long max_ram_bytes,
                               const char *optimize, tin_error *err) TIN_USE_RESULT;
/* FOLDER/FILE, atomically; what was not measured is null. */
tin_status tin_footprint_save(const tin_footprint *footprint, const char *folder, const char *file,
                              tin_error *err) TIN_USE_RESULT;

#endif
