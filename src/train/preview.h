/* A page that shows what training sees: a few sequences as they were recorded, with each operation of train.augment alone,
 * and with all of them together, each with its labels. One HTML file that needs no network and no script. */
#ifndef TIN_PREVIEW_H
#define TIN_PREVIEW_H

#include "base/pool.h"
#include "dataset/dataset.h"
#include "project/config.h"

#define TIN_PREVIEW_SEQUENCES 3
#define TIN_PREVIEW_OPERATIONS 18

typedef struct tin_preview {
    const char *operations[TIN_PREVIEW_OPERATIONS]; /* that are on, in the order in which they act */
    int n_operations;
    struct {
        const tin_stream *stream;
        double start_s;
    } sequences[TIN_PREVIEW_SEQUENCES];
    int n_sequences;
    double seconds; /* how long each is */
} tin_preview;

typedef struct tin_preview_options {
    const char *title;             /* of the page: the name of the project */
    const tin_config_train *train; /* its augmentation and soft labels */
    uint64_t seed;
    tin_pool *pool;
} tin_preview_options;

/* Writes the page atomically and says what is on it. Deterministic by the seed. Fails as training would on such
 * settings and data. */
tin_status tin_preview_write(tin_preview *preview, const tin_dataset *dataset, const tin_preview_options *options,
                             const char *path, tin_error *err) TIN_USE_RESULT;

#endif
