/* A growing text, for generated code and reports. The first failure sticks: append freely, check `status` once. */
#ifndef TIN_TEXT_H
#define TIN_TEXT_H

#include <stddef.h>

#include "base/error.h"

typedef struct tin_text {
    char *data;  /* NUL-terminated once anything was added; NULL before */
    size_t size; /* bytes without the NUL */
    size_t capacity;
    tin_status status;
} tin_text;

void tin_text_add(tin_text *text, const char *s);
void tin_text_add_bytes(tin_text *text, const void *data, size_t size);
void tin_text_printf(tin_text *text, const char *format, ...) TIN_PRINTF(2, 3);
/* TIN_OK, or TIN_ERR_MEMORY recorded in err. */
tin_status tin_text_check(const tin_text *text, tin_error *err) TIN_USE_RESULT;
void tin_text_free(tin_text *text);

#endif
