/* What quantised training believes that the integers do, in double: weights rounded per row, tensors rounded to their
 * scale, the state of recurrent layers read in steps of 1/128; true sigmoid and tanh, exact biases and multipliers. An
 * independent second way from float model and scales to scores. */
#ifndef TEST_QUANTIZE_SIMULATION_H
#define TEST_QUANTIZE_SIMULATION_H

#include "model/feature.h"
#include "quantize_support.h"

typedef struct layer_sim {
    double *weight, *hidden_weight; /* rounded, times their scale */
    double *rows;                   /* [history][n_inputs], newest last */
    int history, fill;
    double *state, *cell; /* exact h (and y of ema), exact c */
    double *row, *output; /* what it reads; what others read: rounded */
    tin_feature *feature; /* and its state */
    double *stream;
    bool fired;
} layer_sim;

typedef struct simulation {
    const tin_model *model;
    const tin_quant_spec *spec;
    double input[TIN_MAX_CHANNELS];
    layer_sim layers[TIN_MAX_LAYERS];
} simulation;

void open_simulation(simulation *sim, const tin_model *m, const tin_quant_spec *spec);
/* True when a decision is due; then *scores points to its logits. */
bool simulate_frame(simulation *sim, const int16_t *counts, const double **scores);
void close_simulation(simulation *sim);

#endif
