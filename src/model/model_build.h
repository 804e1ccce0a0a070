/* Private to src/model: making a model from its description, shared by create, load, copy and fold. */
#ifndef TIN_MODEL_BUILD_H
#define TIN_MODEL_BUILD_H

#include "model/model.h"

#define TIN_MAX_STRIDE 1024
#define TIN_MAX_HISTORY 16384  /* rows that one layer may hold: (kernel - 1) * dilation + 1 */
#define TIN_MAX_WINDOW 1000000 /* values of these rows: what a microcontroller could ever keep */
#define TIN_MAX_HOP 65536
#define TIN_MAX_DELAY 65536 /* frames */
#define TIN_MAX_WEIGHTS                                                                                                \
    (1 << 24) /* floats of a model: far above what a microcontroller holds, far below what hurts a host */

/* What a model is besides its weights. Borrowed; the model copies it. */
typedef struct tin_model_frame {
    double rate_hz;
    int n_channels, n_classes;
    const tin_channel *channels;
    const tin_class *classes;
} tin_model_frame;

tin_status tin_model_build(tin_model **model, const tin_model_frame *frame, const tin_layer_spec *layers, int n_layers,
                           tin_error *err) TIN_USE_RESULT;
/* Fills layers, hop and n_params of a model that has channels and classes (graph.c). */
tin_status tin_graph_resolve(tin_model *model, const tin_layer_spec *layers, int n_layers,
                             tin_error *err) TIN_USE_RESULT;
/* Weights of a parameter. */
float *tin_param_data(const tin_model *model, const tin_param *param);
/* Rows that a layer holds, >= 1. */
int tin_layer_history(int kernel, int dilation);

/* Copies of the names; on failure *copy holds what was made so far and the caller frees it. */
tin_status tin_channels_copy(tin_channel **copy, const tin_channel *channels, int n, tin_error *err) TIN_USE_RESULT;
tin_status tin_classes_copy(tin_class **copy, const tin_class *classes, int n, tin_error *err) TIN_USE_RESULT;
void tin_channels_free(tin_channel *channels, int n);
void tin_classes_free(tin_class *classes, int n);

#endif
