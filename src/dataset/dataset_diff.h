/* What differs between two datasets: in streams, counts, labels, roles, classes, channels and rate. Streams are matched by
 * id, channels and classes by name, and labels by where they lie and the name of their class.
 *
 *     tin_dataset_diff diff = {0};
 *     status = tin_dataset_compare(&diff, before, after, &err);   // diff.n == 0: the same content
 *     tin_dataset_diff_free(&diff); */
#ifndef TIN_DATASET_DIFF_H
#define TIN_DATASET_DIFF_H

#include "dataset/dataset.h"

/* One difference. Texts are owned; NULL stands for what is not there on that side. */
typedef struct tin_dataset_change {
    char *stream;     /* id; NULL: of the dataset as a whole */
    const char *what; /* "rate_hz", "channel", "stream", "counts", "role", "label" ... */
    char *before, *after;
    double start_s, end_s; /* of a label: from the first to the last second of both sides; else 0 */
} tin_dataset_change;

typedef struct tin_dataset_diff {
    tin_dataset_change
        *changes; /* [n], the dataset's own first, then by stream in the order of `before`, then the added */
    size_t n, capacity;
    size_t streams_added, streams_removed, streams_changed, streams_equal;
    size_t labels_changed;
    double label_seconds; /* time with another label, in streams that both have */
} tin_dataset_diff;

/* On failure (TIN_ERR_MEMORY) *diff holds nothing. */
tin_status tin_dataset_compare(tin_dataset_diff *diff, const tin_dataset *before, const tin_dataset *after,
                               tin_error *err) TIN_USE_RESULT;
void tin_dataset_diff_free(tin_dataset_diff *diff);

#endif
