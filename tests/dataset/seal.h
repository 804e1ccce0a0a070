/* Makes the two hashes of a dataset's bytes right, as whoever forges a file would: then the checks behind them are what
 * must hold. */
#ifndef SEAL_H
#define SEAL_H

#include <stdint.h>
#include <string.h>

#include "base/hash.h"

static inline uint64_t sealed_number(const uint8_t *bytes, size_t at)
{
    uint64_t v = 0;
    for (int i = 7; i >= 0; i--)
        v = v << 8 | bytes[at + (size_t)i];
    return v;
}

static inline void seal(uint8_t *bytes, size_t size)
{
    char hex[TIN_HASH_HEX];
    if (size < 192)
        return;
    uint64_t header = sealed_number(bytes, 16), header_bytes = sealed_number(bytes, 24);
    if (header > size || header_bytes > size - header)
        return;
    if (tin_hash_bytes(bytes + header, (size_t)header_bytes, hex, NULL) == TIN_OK)
        memcpy(bytes + 64, hex, 64);
    if (tin_hash_bytes(bytes + header + header_bytes, (size_t)(size - header - header_bytes), hex, NULL) == TIN_OK)
        memcpy(bytes + 128, hex, 64);
}

#endif
