/* Models and data that the tests of the training stage share. */
#ifndef TRAIN_MODELS_H
#define TRAIN_MODELS_H

#include "dataset/dataset.h"
#include "model/model.h"

/* A dataset without streams: channels, classes and rate for tin_model_create. */
const tin_dataset *test_frame(int n_channels, int n_classes);

/* A model of these layers with every parameter random (also running statistics), input scaling 0 and 1/1000. */
tin_model *test_model(const tin_layer_spec *layers, int n_layers, int n_channels, int n_classes, uint64_t seed);

/* Uniform in +-size. */
void test_random(float *x, size_t n, double size, uint64_t seed);

#endif
