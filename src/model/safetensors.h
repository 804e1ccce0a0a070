/* safetensors: named tensors in one file that any Python user opens (https://github.com/huggingface/safetensors,
 * "Format"): 8 bytes header length (little-endian), a JSON header, the raw little-endian data. Used for weights and
 * training checkpoints.
 *
 *     tin_tensor t = {.name = "layers.0.weight", .dtype = TIN_F32, .n_dims = 2, .shape = {4, 3}, .data = weights};
 *     tin_safetensors_write("model.safetensors", &t, 1, NULL, 0, NULL, &err);
 *     tin_safetensors *file = NULL;
 *     tin_safetensors_read(&file, "model.safetensors", &err);
 *     const float *w; tin_safetensors_get(file, "layers.0.weight", TIN_F32, 2, (int64_t[]){4, 3}, (const void **)&w,
 * &err); tin_safetensors_free(file);
 *
 * Not supported: other dtypes (F64, F16, BF16, BOOL ...) and more than 4 dimensions; such a file is refused with
 * TIN_ERR_FORMAT. Trust: the reader believes nothing; every length, offset, shape and name is checked against the bytes
 * that are there. */
#ifndef TIN_SAFETENSORS_H
#define TIN_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/scratch.h"

/* dtype, name in files, bytes per item */
#define TIN_DTYPE_LIST(X)                                                                                              \
    X(TIN_F32, "F32", 4)                                                                                               \
    X(TIN_I8, "I8", 1) X(TIN_I16, "I16", 2) X(TIN_I32, "I32", 4) X(TIN_I64, "I64", 8) X(TIN_U8, "U8", 1)

typedef enum tin_dtype {
#define X(dtype, name, bytes) dtype,
    TIN_DTYPE_LIST(X)
#undef X
        TIN_DTYPE_COUNT
} tin_dtype;

#define TIN_TENSOR_DIMS 4

typedef struct tin_tensor {
    const char *name; /* not "", not "__metadata__", UTF-8 */
    tin_dtype dtype;
    int n_dims; /* 0 (a scalar) .. 4 */
    int64_t shape[TIN_TENSOR_DIMS];
    const void *data; /* row-major; aligned for its dtype when read */
    const tin_scratch_map
        *scratch; /* of one to write: where its data lies, to be forgotten when it is written; or NULL */
} tin_tensor;

typedef struct tin_metadata {
    const char *key, *value;
} tin_metadata;

/* An open file; everything belongs to it. */
typedef struct tin_safetensors {
    tin_tensor *tensors; /* in order of their data */
    size_t n_tensors;
    tin_metadata *metadata;
    size_t n_metadata;
    char *path;
    void *owner; /* private */
} tin_safetensors;

/* Product of the shape times bytes per item. */
size_t tin_tensor_bytes(const tin_tensor *tensor);

/* Writes atomically, tensors in the given order, header padded so that the data starts at a multiple of 8. Same input,
 * same bytes. hash (may be NULL) gets the SHA-256 of the file. TIN_ERR_FORMAT for a name that is empty, not UTF-8 or
 * used twice. */
tin_status tin_safetensors_write(const char *path, const tin_tensor *tensors, size_t n_tensors,
                                 const tin_metadata *metadata, size_t n_metadata, char hash[TIN_HASH_HEX],
                                 tin_error *err) TIN_USE_RESULT;

/* Reads the whole file. On failure *file is NULL. */
tin_status tin_safetensors_read(tin_safetensors **file, const char *path, tin_error *err) TIN_USE_RESULT;
/* The same, but the file stays mapped and the tensors lie in it: for what is greater than the memory. The file must not
 * be shortened meanwhile; replacing it, as all writers here do, is no harm. */
tin_status tin_safetensors_map(tin_safetensors **file, const char *path, tin_error *err) TIN_USE_RESULT;
/* NULL is allowed. */
void tin_safetensors_free(tin_safetensors *file);

/* NULL when there is none. */
const tin_tensor *tin_safetensors_find(const tin_safetensors *file, const char *name);
/* The data of a tensor that must be there with this dtype and shape, else TIN_ERR_FORMAT naming both. */
tin_status tin_safetensors_get(const tin_safetensors *file, const char *name, tin_dtype dtype, int n_dims,
                               const int64_t *shape, const void **data, tin_error *err) TIN_USE_RESULT;
/* Value of a metadata key, NULL when there is none. */
const char *tin_safetensors_metadata(const tin_safetensors *file, const char *key);

#endif
