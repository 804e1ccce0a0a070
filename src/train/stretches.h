/* Private to src/train. Stretches of the training recordings that carry one label: where windows fit, where background
 * comes from, events that can be cut out and places that they can be set into. */
#ifndef TIN_STRETCHES_H
#define TIN_STRETCHES_H

#include "train/labels.h"

typedef struct tin_stretch {
    size_t stream; /* index in the dataset */
    int64_t start, end;
    int32_t label;
} tin_stretch;

typedef struct tin_stretches {
    tin_stretch *items;
    size_t n, capacity;
} tin_stretches;

typedef struct tin_stretch_query {
    const tin_labels *labels; /* by stream of the dataset */
    const size_t *streams;    /* [n_streams] where to look */
    size_t n_streams;
    const bool *classes; /* [n_classes] wanted; NULL: all */
    int64_t skip;        /* frames at the start of a recording that do not count */
    int64_t least;       /* frames */
    int64_t most;        /* longer ones are cut into equal parts of about so many frames; 0: never */
} tin_stretch_query;

/* Adds what is found, in the order of the streams. tin_free(stretches->items) at the end, also after a failure. */
tin_status tin_stretches_find(tin_stretches *stretches, const tin_stretch_query *query, tin_error *err) TIN_USE_RESULT;

/* wanted[n_classes] from names; no names: all that are events, or all that are not. TIN_ERR_CONFIG names the setting. */
tin_status tin_stretch_classes(const tin_dataset *dataset, char *const *names, unsigned n_names, bool events,
                               const char *setting, bool *wanted, tin_error *err) TIN_USE_RESULT;

#endif
