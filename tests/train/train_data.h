/* A small data set that can be learnt: each class is an oscillation of its own frequency and axis. */
#ifndef TRAIN_DATA_H
#define TRAIN_DATA_H

#include "dataset/dataset.h"

#define TEST_CHANNELS 6
#define TEST_CLASSES 3

/* Writes n_streams recordings of n_frames each to path (every fourth validation, every seventh test) and opens it. */
tin_dataset *test_dataset(const char *path, int n_streams, int64_t n_frames);

#endif
