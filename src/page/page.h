/* A page for people: one HTML file that holds everything it shows, and needs no network. Its data stand inside as one
 * JSON object; a script that was bundled at build time (CMake's tin_page) draws it.
 *
 * The functions that add JSON to a text serve those who write large data by hand; jansson builds the rest. */
#ifndef TIN_PAGE_H
#define TIN_PAGE_H

#include <jansson.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"

/* Failures stick in out->status. */
void tin_page_add_json(tin_text *out, const json_t *json);  /* 9 significant digits */
void tin_page_add_string(tin_text *out, const char *value); /* "?" when it is not valid UTF-8 */
void tin_page_add_number(tin_text *out, double value);      /* 6 significant digits, null when it is not finite */

/* A string: base64 of the n values, two bytes each, the low one first. */
void tin_page_add_base64(tin_text *out, const int16_t *values, size_t n);

/* Writes the page atomically. style and script: what tin_page bundled; json: the data. */
tin_status tin_page_write(const char *path, const char *style, const char *script, const char *json,
                          tin_error *err) TIN_USE_RESULT;

#endif
