/* The one seam for host allocation; a test can make the n-th allocation fail. The runtime never allocates. */
#ifndef TIN_MEMORY_H
#define TIN_MEMORY_H

#include <stddef.h>

#include "base/error.h"

/* Zeroed memory for n items of `size` bytes, 64-byte aligned (for vector loads). Overflow of n * size is an
 * allocation failure. n or size 0 gives a valid pointer. Returns NULL and records TIN_ERR_MEMORY on failure. */
void *tin_alloc(size_t n, size_t size, tin_error *err) TIN_USE_RESULT;

/* Grows an array got from tin_alloc from old_n to new_n items; the new part is zero. On failure returns NULL and
 * the old block stays valid and owned by the caller. */
void *tin_grow(void *p, size_t old_n, size_t new_n, size_t size, tin_error *err) TIN_USE_RESULT;

/* A copy of a string. NULL gives NULL without an error. */
char *tin_strdup(const char *s, tin_error *err) TIN_USE_RESULT;

/* NULL is allowed. */
void tin_free(void *p);

/* Test seam: the n-th allocation from now (1-based) fails once; 0 switches it off. Returns how many allocations were
 * made since the last call. Not thread-safe. */
size_t tin_memory_fail_at(size_t n);

#endif
