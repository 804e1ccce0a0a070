/* The checkpoint of a training: everything that the rest of the run depends on, in one safetensors file. */
#ifndef TIN_CHECKPOINT_H
#define TIN_CHECKPOINT_H

#include <stdbool.h>

#include "base/hash.h"
#include "model/model.h"
#include "train/curve.h"
#include "train/optimiser.h"
#include "train/sampler.h"
#include "train/learn_scales.h"

/* State of the loop. Arrays belong to whoever made them; sizes are fixed by model and settings. */
typedef struct tin_progress_state {
    int64_t step;      /* steps done */
    int64_t best_step; /* 0: no validation yet */
    int64_t finished;  /* 1: ended, by steps or patience */
    int64_t n_losses;  /* steps since the last row of the curve */
    double loss_sum;   /* of those */
    double best_score, seconds;
    float *params, *best; /* [n_params] */
    float *average;       /* [n_params] of the weights after n_averaged steps; NULL: not wanted */
    int64_t n_averaged;
    tin_optimiser optimiser;
    tin_scales *scales; /* NULL: not learnt */
    void *carried;      /* state of the lanes */
    size_t carried_bytes;
    void *teacher; /* state of the lanes in the teacher; NULL without one */
    size_t teacher_bytes;
    tin_sampler_lane *lanes; /* [n_lanes] of the sampler */
    int n_lanes;
    int64_t n_begun;
    double *curve; /* [n_curve][TIN_CURVE_COLUMNS], room for most_curve */
    int64_t n_curve, most_curve;
} tin_progress_state;

/* What a checkpoint belongs to. */
typedef struct tin_checkpoint_owner {
    char run[TIN_HASH_HEX]; /* settings, seed, data, model */
    const char *kernel;     /* instruction set */
    size_t n_streams;       /* of the dataset */
} tin_checkpoint_owner;

tin_status tin_checkpoint_write(const char *path, const tin_checkpoint_owner *owner, const tin_progress_state *state,
                                tin_error *err) TIN_USE_RESULT;

/* Sets *found and fills state when the file is there and belongs to this run. A checkpoint of another run is passed
 * over; one of this run from another instruction set is TIN_ERR_MISMATCH, a damaged file TIN_ERR_FORMAT. */
tin_status tin_checkpoint_read(const char *path, const tin_checkpoint_owner *owner, tin_progress_state *state,
                               bool *found, tin_error *err) TIN_USE_RESULT;

#endif
