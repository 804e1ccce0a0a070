/* Shared by the tests of src/quantize: sensor-like streams in memory, random models of the size of trained ones. */
#ifndef TEST_QUANTIZE_SUPPORT_H
#define TEST_QUANTIZE_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first */
#include <cmocka.h>

#include "quantize/quantize.h"

#define MAX_CLASSES 200
#define N_LAYERS(layers) ((int)(sizeof(layers) / sizeof *(layers)))

/* One training stream in memory. */
typedef struct sample {
    tin_dataset dataset;
    tin_channel channels[64];
    tin_class classes[MAX_CLASSES];
    tin_stream stream;
    int16_t *counts;
} sample;

void assert_ok(tin_status status, tin_error *err);
void open_sample(sample *s, int n_channels, int n_classes, int64_t n_frames, uint64_t seed);
void close_sample(sample *s);
/* Folded. A random model whose activations have the size that trained ones have: PyTorch's start shrinks signals layer
 * by layer. */
tin_model *make_model(const sample *s, const tin_layer_spec *layers, int n_layers, uint64_t seed);

extern const tin_config_quantize usual; /* the defaults of tinamou.yaml */

/* Networks: the one of the figures, a GRU alone, depthwise-separable, and odd shapes (kernel 1, strides longer than
 * kernels). */
extern const tin_layer_spec har[7], plain_gru[2], separable[10], odd[6];

/* Graphs that hold all ops between them. */
typedef struct network {
    const char *name;
    const tin_layer_spec *layers;
    int n_layers, n_channels, n_classes;
    bool shifts; /* every factor of the graph can be a power of two */
} network;
extern const network networks[];
extern const int n_networks;

/* A graph of random ops, all of whose layers are read. */
typedef struct random_graph {
    tin_layer_spec layers[TIN_MAX_LAYERS];
    char names[TIN_MAX_LAYERS][16];
    int width[TIN_MAX_LAYERS], n_readers[TIN_MAX_LAYERS];
    int n;
} random_graph;
void make_graph(random_graph *g, uint64_t seed);

#endif
