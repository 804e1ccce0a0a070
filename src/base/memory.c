#include "base/memory.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 64

/* The only writable file-scope state of the library: the test seam. */
static _Atomic size_t made;
static _Atomic size_t fail_at;

size_t tin_memory_fail_at(size_t n)
{
    size_t before = atomic_exchange(&made, 0);
    atomic_store(&fail_at, n);
    return before;
}

static tin_status out_of_memory(tin_error *err, size_t n, size_t size)
{
    return tin_fail(err, TIN_ERR_MEMORY, "out of memory: %zu items of %zu bytes; close other programs or use less data",
                    n, size);
}

void *tin_alloc(size_t n, size_t size, tin_error *err)
{
    size_t count = atomic_fetch_add(&made, 1) + 1;
    size_t at = atomic_load(&fail_at);
    if ((at && count == at) || (size && n > (SIZE_MAX - ALIGNMENT) / size)) {
        out_of_memory(err, n, size);
        return NULL;
    }
    size_t bytes = (n * size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (bytes == 0)
        bytes = ALIGNMENT;
    void *p = aligned_alloc(ALIGNMENT, bytes);
    if (!p) {
        out_of_memory(err, n, size);
        return NULL;
    }
    memset(p, 0, bytes);
    return p;
}

void *tin_grow(void *p, size_t old_n, size_t new_n, size_t size, tin_error *err)
{
    void *grown = tin_alloc(new_n, size, err);
    if (!grown)
        return NULL;
    if (p && old_n)
        memcpy(grown, p, (old_n < new_n ? old_n : new_n) * size);
    tin_free(p);
    return grown;
}

char *tin_strdup(const char *s, tin_error *err)
{
    if (!s)
        return NULL;
    size_t size = strlen(s) + 1;
    char *copy = tin_alloc(size, 1, err);
    if (copy)
        memcpy(copy, s, size);
    return copy;
}

void tin_free(void *p)
{
    free(p);
}
