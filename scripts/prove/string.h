/* All that generated code needs of <string.h>, for compilers that come without a C library. */
#ifndef PROVE_STRING_H
#define PROVE_STRING_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif
void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);
#ifdef __cplusplus
}
#endif

#endif
