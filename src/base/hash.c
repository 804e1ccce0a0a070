#include "base/hash.h"

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"

struct tin_hash {
    EVP_MD_CTX *context;
    bool failed; /* libcrypto refused: the digest is left empty, which equals no hash */
};

tin_status tin_hash_begin(tin_hash **hash, tin_error *err)
{
    *hash = NULL;
    tin_hash *h = tin_alloc(1, sizeof *h, err);
    if (!h)
        return TIN_ERR_MEMORY;
    h->context = EVP_MD_CTX_new();
    if (!h->context || EVP_DigestInit_ex(h->context, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(h->context);
        tin_free(h);
        return tin_fail(err, TIN_ERR_MEMORY, "libcrypto cannot start SHA-256");
    }
    *hash = h;
    return TIN_OK;
}

void tin_hash_add(tin_hash *hash, const void *data, size_t size)
{
    if (size && EVP_DigestUpdate(hash->context, data, size) != 1)
        hash->failed = true;
}

static void write_hex(const unsigned char *digest, unsigned int size, char hex[TIN_HASH_HEX])
{
    for (unsigned int i = 0; i < size && 2 * i + 2 < TIN_HASH_HEX; i++)
        snprintf(hex + (size_t)2 * i, 3, "%02x", digest[i]);
}

void tin_hash_end(tin_hash *hash, char hex[TIN_HASH_HEX])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    if (hex)
        hex[0] = '\0';
    if (!hash)
        return;
    if (hex && !hash->failed && EVP_DigestFinal_ex(hash->context, digest, &size) == 1)
        write_hex(digest, size, hex);
    EVP_MD_CTX_free(hash->context);
    tin_free(hash);
}

tin_status tin_hash_bytes(const void *data, size_t size, char hex[TIN_HASH_HEX], tin_error *err)
{
    tin_hash *hash = NULL;
    tin_status status = tin_hash_begin(&hash, err);
    if (status)
        return status;
    tin_hash_add(hash, data, size);
    tin_hash_end(hash, hex);
    return TIN_OK;
}

tin_status tin_hash_file(const char *path, char hex[TIN_HASH_HEX], tin_error *err)
{
    tin_map map = {0};
    tin_status status = tin_map_open(&map, path, err);
    if (status)
        return status;
    status = tin_hash_bytes(map.data, map.size, hex, err);
    tin_map_close(&map);
    return status;
}

tin_status tin_hash_hmac(const char *key, const void *data, size_t size, char hex[TIN_HASH_HEX], tin_error *err)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int digest_size = 0;
    const size_t key_size = strlen(key);
    hex[0] = '\0';
    if (key_size > INT_MAX || !HMAC(EVP_sha256(), key, (int)key_size, data, size, digest, &digest_size))
        return tin_fail(err, TIN_ERR_MEMORY, "libcrypto cannot compute HMAC-SHA256");
    write_hex(digest, digest_size, hex);
    return TIN_OK;
}
