/* SHA-256 (OpenSSL's libcrypto) as lower-case hex: content hashes of data, models, configs and generated code. */
#ifndef TIN_HASH_H
#define TIN_HASH_H

#include <stddef.h>

#include "base/error.h"

#define TIN_HASH_HEX 65 /* 64 digits and NUL */

typedef struct tin_hash tin_hash; /* a running hash */
tin_status tin_hash_begin(tin_hash **hash, tin_error *err) TIN_USE_RESULT;
void tin_hash_add(tin_hash *hash, const void *data, size_t size);
/* Writes the digest and frees the hash (also with hex NULL). NULL hash is allowed. */
void tin_hash_end(tin_hash *hash, char hex[TIN_HASH_HEX]);

tin_status tin_hash_bytes(const void *data, size_t size, char hex[TIN_HASH_HEX], tin_error *err) TIN_USE_RESULT;
tin_status tin_hash_file(const char *path, char hex[TIN_HASH_HEX], tin_error *err) TIN_USE_RESULT;
/* HMAC-SHA256 (RFC 2104) with the characters of `key`. */
tin_status tin_hash_hmac(const char *key, const void *data, size_t size, char hex[TIN_HASH_HEX],
                         tin_error *err) TIN_USE_RESULT;

#endif
