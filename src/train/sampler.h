/* Batches for training out of the training streams of a dataset.
 *
 * stateful (default): each lane walks through a recording from a random start, chunk by chunk, with one augmentation;
 * then it takes the next recording (all of them once, in random order, before any comes again), and its state is reset, but
 * for the share train.carry_over of them.
 * stateless: every chunk is a crop at a random place of all recordings, the state is reset.
 * windows: every chunk lies inside one label, the state is reset, only the last decision has a target.
 *
 * mixup: lanes 2i and 2i + 1 are mixed, signals and targets.
 *
 * A sequence is known by its number (counted over all lanes) and the seed alone, so neither threads nor a resumed run
 * change it. */
#ifndef TIN_SAMPLER_H
#define TIN_SAMPLER_H

#include "base/pool.h"
#include "dataset/dataset.h"
#include "model/model.h"
#include "project/config.h"

typedef struct tin_sampler tin_sampler;

typedef struct tin_sampler_settings {
    const tin_model *model; /* channels, input scaling, hop; must outlive the sampler, as must the others */
    const tin_dataset *dataset;
    const tin_config_train *train;
    uint64_t seed;
    int n_lanes;
    int lead, ahead; /* frames by which `x` and `ahead` of a batch lie behind the place of the lane, 0..chunk; not in
                        windows, where both are the window */
    tin_pool *pool;
} tin_sampler_settings;

/* Where a lane is. Plain numbers, for checkpoints. */
typedef struct tin_sampler_lane {
    int64_t sequence; /* number, -1: none yet */
    int64_t stream;   /* index in the dataset */
    int64_t chunk;    /* chunks of this sequence already given */
    double start;     /* frame of the stream where it began */
    int64_t last;     /* 1: no chunk is left */
} tin_sampler_lane;

typedef struct tin_sampler_batch {
    float *x;       /* [n_lanes][chunk][channels] */
    float *ahead;   /* likewise: the same signal from another frame on, for a teacher; NULL: not wanted */
    float *target;  /* [n_lanes][decisions][classes], weighted */
    uint8_t *reset; /* [n_lanes] */
    double weight;  /* sum over target */
} tin_sampler_batch;

/* TIN_ERR_DATA when there is nothing to train on. */
tin_status tin_sampler_create(tin_sampler **sampler, const tin_sampler_settings *settings,
                              tin_error *err) TIN_USE_RESULT;
void tin_sampler_free(tin_sampler *sampler);
/* A bound of what the augmentation takes. */
size_t tin_sampler_augmentation_bytes(const tin_model *model, const tin_dataset *dataset, const tin_config_train *train,
                                      int n_threads);

/* Fills the caller's arrays. Batches without any target are passed over; TIN_ERR_DATA when there are only such. */
tin_status tin_sampler_next(tin_sampler *sampler, tin_sampler_batch *batch, tin_error *err) TIN_USE_RESULT;

/* Position: lanes [n_lanes], and how many sequences were begun. */
const tin_sampler_lane *tin_sampler_lanes(const tin_sampler *sampler, int64_t *n_begun);
void tin_sampler_restore(tin_sampler *sampler, const tin_sampler_lane *lanes, int64_t n_begun);

/* Weight of each class in the loss, [n_classes]. */
const float *tin_sampler_class_weights(const tin_sampler *sampler);

#endif
