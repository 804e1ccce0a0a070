#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

static bool reserve(tin_text *text, size_t more)
{
    if (text->status)
        return false;
    if (more < text->capacity - text->size)
        return true;
    size_t capacity = text->capacity ? text->capacity : 256;
    while (capacity - text->size <= more) {
        if (capacity > SIZE_MAX / 2) {
            text->status = TIN_ERR_MEMORY;
            return false;
        }
        capacity *= 2;
    }
    char *grown = tin_grow(text->data, text->size, capacity, 1, NULL);
    if (!grown) {
        text->status = TIN_ERR_MEMORY;
        return false;
    }
    text->data = grown;
    text->capacity = capacity;
    return true;
}

void tin_text_add_bytes(tin_text *text, const void *data, size_t size)
{
    if (!reserve(text, size))
        return;
    if (size)
        memcpy(text->data + text->size, data, size);
    text->size += size;
    text->data[text->size] = '\0';
}

void tin_text_add(tin_text *text, const char *s)
{
    tin_text_add_bytes(text, s, strlen(s));
}

void tin_text_printf(tin_text *text, const char *format, ...)
{
    char small[512];
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(small, sizeof small, format, args);
    if (n < 0) {
        text->status = text->status ? text->status : TIN_ERR_MEMORY;
    } else if ((size_t)n < sizeof small) {
        tin_text_add_bytes(text, small, (size_t)n);
    } else if (reserve(text, (size_t)n)) {
        vsnprintf(text->data + text->size, (size_t)n + 1, format, again);
        text->size += (size_t)n;
    }
    va_end(again);
    va_end(args);
}

tin_status tin_text_check(const tin_text *text, tin_error *err)
{
    if (text->status)
        return tin_fail(err, text->status, "out of memory while writing a text of %zu bytes", text->size);
    return TIN_OK;
}

void tin_text_free(tin_text *text)
{
    tin_free(text->data);
    *text = (tin_text){0};
}
