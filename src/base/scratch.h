/* An unnamed file for what is put aside and read again by the same process, so that memory does not grow with it. It is
 * gone when it is closed, or when the process ends in whatever way. */
#ifndef TIN_SCRATCH_H
#define TIN_SCRATCH_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct tin_scratch tin_scratch;

/* In the folder of `path`, on whose disk there must be room. */
tin_status tin_scratch_open(tin_scratch **scratch, const char *path, tin_error *err) TIN_USE_RESULT;
/* Puts bytes aside and says where. Any number of threads may put at the same time. */
tin_status tin_scratch_put(tin_scratch *scratch, const void *data, size_t size, uint64_t *at,
                           tin_error *err) TIN_USE_RESULT;
tin_status tin_scratch_get(const tin_scratch *scratch, uint64_t at, void *data, size_t size,
                           tin_error *err) TIN_USE_RESULT;
/* NULL is allowed. */
void tin_scratch_close(tin_scratch *scratch);

/* Memory that lies in such a file: what it holds may be forgotten by the memory at any time and is read again when it is
 * touched. */
typedef struct tin_scratch_map {
    void *data;
    size_t size;
} tin_scratch_map;

/* Zeros, at the start of a page. The disk's room is taken at once, so that a full disk is an error here and no crash later.
 * size 0 is allowed. */
tin_status tin_scratch_map_open(tin_scratch_map *map, size_t size, const char *path, tin_error *err) TIN_USE_RESULT;
/* Frees the memory of whole pages of a part; what they hold stays. */
void tin_scratch_map_forget(const tin_scratch_map *map, const void *from, size_t size);
void tin_scratch_map_close(tin_scratch_map *map);

#endif
