/* Private to src/data: CBOR for the acquisition format. */
#ifndef TIN_TABLE_ACQUISITION_H
#define TIN_TABLE_ACQUISITION_H

#include <jansson.h>

#include "data/table_formats.h"

/* CBOR (RFC 8949) as the same tree that JSON gives: one item of maps with texts as keys, lists, texts, numbers, booleans
 * and null; tags are passed over. Byte strings, texts in pieces, undefined and numbers that are not finite or beyond 64
 * bits with sign are refused. The caller json_decref()s *root, also after a failure. */
tin_status tin_cbor_parse(const tin_table_input *in, json_t **root, tin_error *err) TIN_USE_RESULT;

#endif
