/* Private to src/deploy: the parts of the measurement. */
#ifndef TIN_MEASURE_H
#define TIN_MEASURE_H

#include "base/file.h"
#include "base/process.h"
#include "deploy/deploy.h"
#include "deploy/target.h"

/* object_check.c: what must not be in the object file of the model. TIN_ERR_TOOL names symbol or instruction and its
 * function. */
tin_status tin_object_check(const tin_target *target, const char *object, tin_error *err) TIN_USE_RESULT;
/* Sections and symbols of the object: flash, split in code and weights; TIN_ERR_TOOL when it has .data or .bss. */
tin_status tin_object_sizes(const tin_target *target, const char *object, const char *name, tin_footprint *footprint,
                            tin_error *err) TIN_USE_RESULT;

/* stack_bound.c: greatest stack of NAME_init and NAME_step: frames from the compiler's `su` file along the calls in
 * `object`, plus what memcpy, memmove and memset push in `elf`. Recursion, calls through pointers and frames without a
 * bound are refused. */
tin_status tin_stack_bound(const tin_target *target, const char *object, const char *su, const char *elf,
                           const char *name, long *bytes, tin_error *err) TIN_USE_RESULT;

/* emulate.c */
typedef struct tin_emulation {
    const tin_target *target;
    const tin_qmodel *model;
    const tin_decision_rule *rule;
    const tin_dataset *dataset;
    const char *name;
    int latency;                                      /* NAME_LATENCY */
    char frames[TIN_PATH_MAX], results[TIN_PATH_MAX]; /* files between host and core */
} tin_emulation;

/* Runs `elf` over at most max_frames (0: all) test frames and compares every result. Fills the instruction counts,
 * state, painted stack, verified_frames and mismatches of `footprint`. */
tin_status tin_emulate_verify(tin_emulation *emulation, const char *elf, int64_t max_frames, bool quiet,
                              tin_footprint *footprint, tin_error *err) TIN_USE_RESULT;
/* Runs the build with profiling marks over the first frames and fills `layers`. */
tin_status tin_emulate_profile(tin_emulation *emulation, const char *elf, tin_footprint *footprint,
                               tin_error *err) TIN_USE_RESULT;

#endif
