/* Compression: changes of the trained float model, each followed by fine-tuning (docs/compression.md).
 *
 * It is the one stage that includes another: a change and the training behind it are one loop. What a later stage has to
 * keep is in the weights themselves: blocks of zeros, and matrices of few values (train/constraint.h). */
#ifndef TIN_COMPRESS_H
#define TIN_COMPRESS_H

#include "base/pool.h"
#include "dataset/dataset.h"
#include "model/model.h"
#include "project/config.h"

typedef struct tin_compress_options {
    const tin_config *config;
    tin_pool *pool;
    const char *folder; /* of the run: checkpoints and curves of the fine-tunings go here; NULL: none */
    bool quiet;
} tin_compress_options;

/* What a model weighs. */
typedef struct tin_compress_size {
    size_t parameters, nonzero; /* trainable; of them not zero */
    double flash_bytes;         /* estimate: weights in their smallest encoding, biases and multipliers; no code */
    double macs;                /* multiply-accumulates per decision, with blocks of zeros left out */
} tin_compress_size;

typedef struct tin_compress_row {
    char step[40]; /* "trained", then "prune 0.75" and so on */
    tin_compress_size size;
    double changed_score, score; /* train.metric on the validation streams after the change, and after fine-tuning */
    double teacher_score;        /* likewise, of the teachers of a distill step, their mean; 0 elsewhere */
} tin_compress_row;

/* Applies the steps of config->compress to *model in their order; it replaces *model, which keeps the weights of the
 * last step that succeeded when there is a failure. rows[0] is the model as it came. Resumes in the middle of a
 * fine-tuning that was cut off. */
tin_status tin_compress(tin_model **model, const tin_dataset *dataset, const tin_compress_options *options,
                        tin_compress_row rows[TIN_MAX_COMPRESS + 1], int *n_rows, tin_error *err) TIN_USE_RESULT;

/* Weights count as int8, or in what is smaller: 4-bit indices where each four rows have at most 16 values, or the
 * blocks without those that are zero. */
tin_status tin_compress_measure(const tin_model *model, tin_compress_size *size, tin_error *err) TIN_USE_RESULT;

#endif
