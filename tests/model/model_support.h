/* Shared by the tests of src/model: datasets in memory, golden files, damage to files. */
#ifndef TEST_MODEL_SUPPORT_H
#define TEST_MODEL_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first */
#include <cmocka.h>

#include "model/model.h"
#include "model/safetensors.h"

#define MAX_TEST_CLASSES 200

/* A dataset without streams: what tin_model_create looks at. */
typedef struct test_dataset {
    tin_dataset dataset;
    tin_channel channels[TIN_MAX_CHANNELS];
    tin_class classes[MAX_TEST_CLASSES];
} test_dataset;
void test_dataset_fill(test_dataset *d, int n_channels, int n_classes);

/* TEST_FILES/NAME + extension in one of four static places. */
const char *test_path(const char *folder, const char *name, const char *extension);
void assert_ok(tin_status status, tin_error *err);

/* Replaces the file by its bytes with one change. */
void write_bytes(const char *path, const char *bytes, size_t size);

#endif
