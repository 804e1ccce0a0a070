/* Private to src/model: the arrays of an integer layer, as they stand in the file and in the hash. */
#ifndef TIN_QMODEL_PARTS_H
#define TIN_QMODEL_PARTS_H

#include "model/qmodel.h"
#include "model/safetensors.h"

#define TIN_QLAYER_PARTS 6

typedef struct tin_qlayer_part {
    const char *name;
    tin_dtype dtype;
    int n_dims;
    int64_t shape[3];
    void *data;
} tin_qlayer_part;

/* Fills `parts` with the arrays that the layer's op and sizes ask for; returns how many. */
int tin_qlayer_list_parts(const tin_qlayer *layer, tin_qlayer_part parts[TIN_QLAYER_PARTS]);
size_t tin_qlayer_part_bytes(const tin_qlayer_part *part);

#endif
