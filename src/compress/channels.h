/* Private to src/compress: which channels of a graph belong together. A channel can only go everywhere at once: through
 * activations, norms, pools and depthwise filters, on both sides of an add or multiply, and inside a concat. */
#ifndef TIN_CHANNELS_H
#define TIN_CHANNELS_H

#include "model/model.h"

#define TIN_MAX_GROUPS ((TIN_MAX_LAYERS + 1) * TIN_MAX_WIDTH)

/* A group is a set of channels that go together. */
typedef struct tin_channels {
    int n_groups;
    int output[TIN_MAX_LAYERS][TIN_MAX_WIDTH]; /* group of output channel c of a layer */
    int input[TIN_MAX_LAYERS][TIN_MAX_WIDTH];  /* group of value c of the row that a layer reads */
    bool fixed[TIN_MAX_GROUPS];                /* the input's channels, features, the scores */
    uint64_t makers[TIN_MAX_GROUPS];           /* bit i: a row of layer i's weights belongs to the group */
} tin_channels;

tin_status tin_channels_find(tin_channels **channels, const tin_model *model, tin_error *err) TIN_USE_RESULT;

/* Groups of the columns of a weight matrix (what each column is multiplied with), [shape[1]]; NULL for a vector and for
 * a depthwise filter. */
const int *tin_channels_columns(const tin_channels *channels, const tin_model *model, int layer,
                                const tin_param *param);
/* group[n_params]: the group that each weight reads, -1 where it reads none. */
void tin_channels_readers(const tin_channels *channels, const tin_model *model, int *group);

#endif
