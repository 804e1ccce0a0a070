/* Features: layers that read the frame's counts themselves, in integers, so that training, both runners and generated code
 * give the same numbers (docs/integer-arithmetic.md, "Features"). They have no weights and no gradient. What each computes
 * is in a file of its own: log_energy.h, log_mel.h, log_variance.h, motion.h. */
#ifndef TIN_FEATURE_H
#define TIN_FEATURE_H

#include "model/log_mel.h"
#include "model/qmodel.h"

#define TIN_LOG_SCALE 0.03125f /* value per unit of a logarithm: an octave of power is 8 units */

typedef struct tin_feature_shape {
    tin_op op;
    int n_channels, kernel, stride;
    int levels;                 /* log_energy */
    int bands, low_hz, high_hz; /* log_mel */
    int shift, lag;             /* high_pass and magnitude; difference: frames */
    double rate_hz;             /* of the frames */
} tin_feature_shape;

tin_feature_shape tin_feature_of_layer(const tin_layer *layer, double rate_hz);
tin_feature_shape tin_feature_of_qlayer(const tin_qlayer *layer, double rate_hz);
/* What to do so that a layer may have this shape; NULL: it may. */
const char *tin_feature_mend(const tin_feature_shape *shape);
/* Values that it gives. */
int tin_feature_width(const tin_feature_shape *shape);
/* What one unit of output `output` is worth: TIN_LOG_SCALE, or by the scaling of the channel that it speaks of. */
float tin_feature_unit(tin_op op, const tin_input_scaling *input, int output);
/* Greatest size of what it gives. */
int32_t tin_feature_bound(tin_op op);
/* Multiplications per row. */
double tin_feature_products(const tin_feature_shape *shape);

/* That of a log_mel. */
tin_log_mel_shape tin_feature_mel(const tin_feature_shape *shape);

typedef struct tin_feature tin_feature;
/* Of a shape without a mend. */
tin_status tin_feature_create(tin_feature **feature, const tin_feature_shape *shape, tin_error *err) TIN_USE_RESULT;
void tin_feature_free(tin_feature *feature);
/* Bytes of the state that a stream needs, aligned to 8; zeros are its start. */
size_t tin_feature_state_bytes(const tin_feature *feature);
/* counts [n_channels]. True when a row is due: `values`, what belongs to one channel together, is filled. */
bool tin_feature_step(const tin_feature *feature, void *state, const int16_t *counts, int32_t *values);

#endif
