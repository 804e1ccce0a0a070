#include "model/safetensors.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"

/* The data is written and read in place; a big-endian host would need swaps. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "safetensors data is little-endian");

#define METADATA_KEY "__metadata__"
#define LENGTH_BYTES 8u
#define MAX_HEADER_BYTES 100000000u /* as the reference implementation */
#define ALIGNMENT 8u

static const struct {
    const char *name;
    size_t bytes;
} dtypes[TIN_DTYPE_COUNT] = {
#define X(dtype, name, bytes) [dtype] = {name, bytes},
    TIN_DTYPE_LIST(X)
#undef X
};

size_t tin_tensor_bytes(const tin_tensor *tensor)
{
    size_t n = dtypes[tensor->dtype].bytes;
    for (int i = 0; i < tensor->n_dims; i++)
        n *= (size_t)tensor->shape[i];
    return n;
}

/* ---- writing ---- */

static tin_status check_tensors(const char *path, const tin_tensor *tensors, size_t n, tin_error *err)
{
    for (size_t i = 0; i < n; i++) {
        const char *name = tensors[i].name;
        if (!name || !*name || strcmp(name, METADATA_KEY) == 0)
            return tin_fail_at(err, TIN_ERR_FORMAT, path, 0, "tensor %zu has no usable name; give it one", i);
        for (size_t j = 0; j < i; j++) {
            if (strcmp(name, tensors[j].name) == 0)
                return tin_fail_at(err, TIN_ERR_FORMAT, path, 0, "tensor \"%s\" is given twice; use unique names",
                                   name);
        }
    }
    return TIN_OK;
}

static json_t *tensor_header(const tin_tensor *tensor, size_t begin)
{
    json_t *shape = json_array();
    for (int i = 0; i < tensor->n_dims; i++)
        json_array_append_new(shape, json_integer(tensor->shape[i]));
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", dtypes[tensor->dtype].name, "shape", shape, "data_offsets",
                     (json_int_t)begin, (json_int_t)(begin + tin_tensor_bytes(tensor)));
}

static json_t *file_header(const tin_tensor *tensors, size_t n_tensors, const tin_metadata *metadata, size_t n_metadata)
{
    json_t *header = json_object();
    int bad = header == NULL;
    if (n_metadata > 0) {
        json_t *pairs = json_object();
        for (size_t i = 0; i < n_metadata; i++)
            bad |= json_object_set_new(pairs, metadata[i].key, json_string(metadata[i].value)) != 0;
        bad |= json_object_set_new(header, METADATA_KEY, pairs) != 0;
    }
    size_t begin = 0;
    for (size_t i = 0; i < n_tensors; i++) {
        bad |= json_object_set_new(header, tensors[i].name, tensor_header(&tensors[i], begin)) != 0;
        begin += tin_tensor_bytes(&tensors[i]);
    }
    if (bad) {
        json_decref(header);
        return NULL;
    }
    return header;
}

/* To the file and to the hash, if there is one; the stream keeps its error until the commit. */
static void put(FILE *stream, tin_hash *hash, const void *data, size_t size)
{
    if (size > 0) /* an empty tensor may have no data */
        (void)fwrite(data, 1, size, stream);
    if (hash)
        tin_hash_add(hash, data, size);
}

static void put_file(FILE *stream, tin_hash *hash, const char *header, const tin_tensor *tensors, size_t n_tensors)
{
    const size_t length = strlen(header);
    const uint64_t padded = (length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    put(stream, hash, &padded, LENGTH_BYTES);
    put(stream, hash, header, length);
    for (size_t i = length; i < padded; i++)
        put(stream, hash, " ", 1);
    for (size_t i = 0; i < n_tensors; i++) {
        put(stream, hash, tensors[i].data, tin_tensor_bytes(&tensors[i]));
        if (tensors[i].scratch)
            tin_scratch_map_forget(tensors[i].scratch, tensors[i].data, tin_tensor_bytes(&tensors[i]));
    }
}

tin_status tin_safetensors_write(const char *path, const tin_tensor *tensors, size_t n_tensors,
                                 const tin_metadata *metadata, size_t n_metadata, char hash[TIN_HASH_HEX],
                                 tin_error *err)
{
    char *dump = NULL;
    json_t *header = NULL;
    tin_hash *running = NULL;
    tin_writer writer = {0};
    tin_status status = check_tensors(path, tensors, n_tensors, err);
    if (status)
        goto cleanup;
    header = file_header(tensors, n_tensors, metadata, n_metadata);
    dump = header ? json_dumps(header, JSON_COMPACT) : NULL;
    if (!dump) {
        status =
            tin_fail_at(err, TIN_ERR_FORMAT, path, 0, "a tensor name or metadata text is not UTF-8; use plain text");
        goto cleanup;
    }
    if (hash)
        status = tin_hash_begin(&running, err);
    if (!status)
        status = tin_writer_open(&writer, path, err);
    if (!status) {
        put_file(writer.stream, running, dump, tensors, n_tensors);
        status = tin_writer_commit(&writer, err);
    }
cleanup:
    tin_writer_abort(&writer);
    tin_hash_end(running, hash);
    free(dump);
    json_decref(header);
    return status;
}

/* ---- reading ---- */

/* What stays alive behind a tin_safetensors: the parsed header (it owns the names), and the aligned copy of the data or the
 * mapped file. */
typedef struct owner {
    json_t *header;
    char *data;
    tin_map map;
} owner;

/* A tensor and where its bytes are in the file; sorted by `begin` to see that the ranges touch and fill the file. */
typedef struct entry {
    tin_tensor tensor;
    uint64_t begin, end;
} entry;

static tin_status parse_dtype(const char *path, const char *name, const json_t *value, tin_dtype *dtype, tin_error *err)
{
    const char *text = json_string_value(value);
    for (int i = 0; text && i < TIN_DTYPE_COUNT; i++) {
        if (strcmp(text, dtypes[i].name) == 0) {
            *dtype = (tin_dtype)i;
            return TIN_OK;
        }
    }
    return tin_fail_at(err, TIN_ERR_FORMAT, path, 0,
                       "tensor \"%s\" has dtype \"%s\"; only F32, I8, I16, I32, I64 and U8 are read, convert it", name,
                       text ? text : "(none)");
}

static tin_status parse_shape(const char *path, const char *name, const json_t *value, tin_tensor *tensor,
                              tin_error *err)
{
    size_t n_dims = json_array_size(value);
    if (!json_is_array(value) || n_dims > TIN_TENSOR_DIMS)
        return tin_fail_at(err, TIN_ERR_FORMAT, path, 0, "tensor \"%s\" has %zu dimensions; at most %d are read", name,
                           n_dims, TIN_TENSOR_DIMS);
    tensor->n_dims = (int)n_dims;
    uint64_t bytes = dtypes[tensor->dtype].bytes;
    for (size_t i = 0; i < n_dims; i++) {
        const json_t *item = json_array_get(value, i);
        json_int_t size = json_is_integer(item) ? json_integer_value(item) : -1;
        if (size < 0 || (size > 0 && bytes > (uint64_t)INT64_MAX / (uint64_t)size))
            return tin_fail_at(
                err, TIN_ERR_FORMAT, path, 0,
                "tensor \"%s\" has an impossible size in dimension %zu; the file is damaged, write it again", name, i);
        tensor->shape[i] = size;
        bytes *= (uint64_t)size;
    }
    return TIN_OK;
}

/* `room`: bytes of data in the file. */
static tin_status parse_entry(const char *path, const char *name, const json_t *value, uint64_t room, entry *e,
                              tin_error *err)
{
    *e = (entry){.tensor = {.name = name}};
    if (!*name || !json_is_object(value) || json_object_size(value) != 3)
        return tin_fail_at(
            err, TIN_ERR_FORMAT, path, 0,
            "tensor \"%s\" needs exactly dtype, shape and data_offsets; the file is damaged, write it again", name);
    tin_status status = parse_dtype(path, name, json_object_get(value, "dtype"), &e->tensor.dtype, err);
    if (!status)
        status = parse_shape(path, name, json_object_get(value, "shape"), &e->tensor, err);
    if (status)
        return status;
    const json_t *offsets = json_object_get(value, "data_offsets");
    const json_t *first = json_array_get(offsets, 0), *last = json_array_get(offsets, 1);
    if (json_array_size(offsets) != 2 || !json_is_integer(first) || !json_is_integer(last) ||
        json_integer_value(first) < 0 || json_integer_value(last) < json_integer_value(first) ||
        (uint64_t)json_integer_value(last) > room)
        return tin_fail_at(
            err, TIN_ERR_FORMAT, path, 0,
            "tensor \"%s\" has data_offsets outside the %llu bytes of data; the file is cut or damaged, write it again",
            name, (unsigned long long)room);
    e->begin = (uint64_t)json_integer_value(first);
    e->end = (uint64_t)json_integer_value(last);
    if (e->end - e->begin != tin_tensor_bytes(&e->tensor))
        return tin_fail_at(err, TIN_ERR_FORMAT, path, 0,
                           "tensor \"%s\" has %llu bytes but its shape needs %zu; write it again", name,
                           (unsigned long long)(e->end - e->begin), tin_tensor_bytes(&e->tensor));
    return TIN_OK;
}

static int compare_entries(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    if (x->end != y->end)
        return x->end < y->end ? -1 : 1;
    return strcmp(x->tensor.name, y->tensor.name);
}

static tin_status parse_entries(const char *path, json_t *header, uint64_t room, entry *entries, size_t n,
                                tin_error *err)
{
    const char *name;
    json_t *value;
    size_t i = 0;
    json_object_foreach(header, name, value)
    {
        if (strcmp(name, METADATA_KEY) == 0)
            continue;
        tin_status status = parse_entry(path, name, value, room, &entries[i++], err);
        if (status)
            return status;
    }
    if (n > 0)
        qsort(entries, n, sizeof *entries, compare_entries);
    uint64_t end = 0;
    for (i = 0; i < n; i++) {
        if (entries[i].begin != end)
            return tin_fail_at(
                err, TIN_ERR_FORMAT, path, 0,
                "tensor \"%s\" starts at %llu where %llu is due (gap or overlap); the file is damaged, write it again",
                entries[i].tensor.name, (unsigned long long)entries[i].begin, (unsigned long long)end);
        end = entries[i].end;
    }
    if (end != room)
        return tin_fail_at(err, TIN_ERR_FORMAT, path, 0,
                           "%llu bytes of data belong to no tensor; the file is damaged, write it again",
                           (unsigned long long)(room - end));
    return TIN_OK;
}

static tin_status parse_metadata(tin_safetensors *file, json_t *pairs, tin_error *err)
{
    if (!pairs)
        return TIN_OK;
    if (!json_is_object(pairs))
        return tin_fail_at(err, TIN_ERR_FORMAT, file->path, 0,
                           "__metadata__ is no object; the file is damaged, write it again");
    file->metadata = tin_alloc(json_object_size(pairs), sizeof *file->metadata, err);
    if (!file->metadata)
        return TIN_ERR_MEMORY;
    const char *key;
    json_t *value;
    json_object_foreach(pairs, key, value)
    {
        if (!json_is_string(value))
            return tin_fail_at(err, TIN_ERR_FORMAT, file->path, 0, "metadata \"%s\" is no text; write it as a string",
                               key);
        file->metadata[file->n_metadata++] = (tin_metadata){key, json_string_value(value)};
    }
    return TIN_OK;
}

static size_t aligned(size_t bytes)
{
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* The tensors where they are in the mapped file; false when one of them is not aligned for its dtype. */
static bool leave_data(tin_safetensors *file, const entry *entries, const char *data)
{
    for (size_t i = 0; i < file->n_tensors; i++) {
        file->tensors[i] = entries[i].tensor;
        file->tensors[i].data = data + entries[i].begin;
        if ((uintptr_t)file->tensors[i].data % dtypes[entries[i].tensor.dtype].bytes != 0)
            return false;
    }
    return true;
}

/* Copies each tensor to an aligned place: the format promises no alignment inside the data. */
static tin_status copy_data(tin_safetensors *file, owner *own, const entry *entries, const char *data, tin_error *err)
{
    size_t total = 0;
    for (size_t i = 0; i < file->n_tensors; i++)
        total += aligned((size_t)(entries[i].end - entries[i].begin));
    own->data = tin_alloc(total, 1, err);
    if (!own->data)
        return TIN_ERR_MEMORY;
    size_t at = 0;
    for (size_t i = 0; i < file->n_tensors; i++) {
        size_t bytes = (size_t)(entries[i].end - entries[i].begin);
        file->tensors[i] = entries[i].tensor;
        file->tensors[i].data = own->data + at;
        if (bytes > 0)
            memcpy(own->data + at, data + entries[i].begin, bytes);
        at += aligned(bytes);
    }
    return TIN_OK;
}

static tin_status parse_header(const char *path, const char *bytes, size_t size, json_t **header, size_t *data_begin,
                               tin_error *err)
{
    uint64_t length = 0;
    if (size < LENGTH_BYTES)
        return tin_fail_at(err, TIN_ERR_FORMAT, path, 0, "%zu bytes are too few for a safetensors file; write it again",
                           size);
    memcpy(&length, bytes, LENGTH_BYTES);
    if (length > size - LENGTH_BYTES || length > MAX_HEADER_BYTES)
        return tin_fail_at(err, TIN_ERR_FORMAT, path, 0,
                           "header of %llu bytes in a file of %zu; it is cut or no safetensors file, write it again",
                           (unsigned long long)length, size);
    json_error_t why;
    *header = json_loadb(bytes + LENGTH_BYTES, (size_t)length, JSON_REJECT_DUPLICATES, &why);
    if (!*header)
        return tin_fail_at(err, TIN_ERR_FORMAT, path, 0,
                           "header is not valid JSON: %s; the file is damaged, write it again", why.text);
    if (!json_is_object(*header))
        return tin_fail_at(err, TIN_ERR_FORMAT, path, 0,
                           "header is no JSON object; the file is damaged, write it again");
    *data_begin = LENGTH_BYTES + (size_t)length;
    return TIN_OK;
}

/* in_place: `bytes` stay as long as the file is open. */
static tin_status read_bytes(tin_safetensors *file, owner *own, const char *bytes, size_t size, bool in_place,
                             tin_error *err)
{
    entry *entries = NULL;
    size_t begin = 0;
    tin_status status = parse_header(file->path, bytes, size, &own->header, &begin, err);
    if (status)
        return status;
    json_t *metadata = json_object_get(own->header, METADATA_KEY);
    file->n_tensors = json_object_size(own->header) - (metadata ? 1 : 0);
    entries = tin_alloc(file->n_tensors, sizeof *entries, err);
    if (!entries)
        return TIN_ERR_MEMORY;
    status = parse_entries(file->path, own->header, size - begin, entries, file->n_tensors, err);
    if (!status)
        status = parse_metadata(file, metadata, err);
    file->tensors = status ? NULL : tin_alloc(file->n_tensors, sizeof *file->tensors, err);
    if (!status && !file->tensors)
        status = TIN_ERR_MEMORY;
    if (!status && !(in_place && leave_data(file, entries, bytes + begin)))
        status = copy_data(file, own, entries, bytes + begin, err);
    tin_free(entries);
    return status;
}

static tin_status open_file(tin_safetensors **file, const char *path, bool in_place, tin_error *err)
{
    *file = NULL;
    tin_status status = TIN_ERR_MEMORY;
    tin_safetensors *f = tin_alloc(1, sizeof *f, err);
    owner *own = f ? tin_alloc(1, sizeof *own, err) : NULL;
    if (!own)
        goto cleanup;
    f->owner = own;
    f->path = tin_strdup(path, err);
    if (!f->path)
        goto cleanup;
    status = tin_map_open(&own->map, path, err);
    if (!status)
        status = read_bytes(f, own, (const char *)own->map.data, own->map.size, in_place, err);
    if (!in_place)
        tin_map_close(&own->map);
    if (!status) {
        *file = f;
        f = NULL;
    }
cleanup:
    tin_safetensors_free(f);
    return status;
}

tin_status tin_safetensors_read(tin_safetensors **file, const char *path, tin_error *err)
{
    return open_file(file, path, false, err);
}

tin_status tin_safetensors_map(tin_safetensors **file, const char *path, tin_error *err)
{
    return open_file(file, path, true, err);
}

void tin_safetensors_free(tin_safetensors *file)
{
    if (!file)
        return;
    owner *own = file->owner;
    if (own) {
        json_decref(own->header);
        tin_free(own->data);
        tin_map_close(&own->map);
        tin_free(own);
    }
    tin_free(file->tensors);
    tin_free(file->metadata);
    tin_free(file->path);
    tin_free(file);
}

const tin_tensor *tin_safetensors_find(const tin_safetensors *file, const char *name)
{
    for (size_t i = 0; i < file->n_tensors; i++) {
        if (strcmp(file->tensors[i].name, name) == 0)
            return &file->tensors[i];
    }
    return NULL;
}

static void describe(char text[96], tin_dtype dtype, int n_dims, const int64_t *shape)
{
    int at = snprintf(text, 96, "%s [", dtypes[dtype].name);
    for (int i = 0; i < n_dims && at < 96; i++)
        at += snprintf(text + at, (size_t)(96 - at), "%s%lld", i ? ", " : "", (long long)shape[i]);
    if (at < 96)
        snprintf(text + at, (size_t)(96 - at), "]");
}

tin_status tin_safetensors_get(const tin_safetensors *file, const char *name, tin_dtype dtype, int n_dims,
                               const int64_t *shape, const void **data, tin_error *err)
{
    char want[96], have[96];
    const tin_tensor *t = tin_safetensors_find(file, name);
    describe(want, dtype, n_dims, shape);
    if (!t)
        return tin_fail_at(err, TIN_ERR_FORMAT, file->path, 0, "tensor \"%s\" (%s) is missing; write the file again",
                           name, want);
    if (t->dtype != dtype || t->n_dims != n_dims ||
        (n_dims > 0 && memcmp(t->shape, shape, (size_t)n_dims * sizeof *shape) != 0)) {
        describe(have, t->dtype, t->n_dims, t->shape);
        return tin_fail_at(
            err, TIN_ERR_FORMAT, file->path, 0,
            "tensor \"%s\" is %s but %s is needed; the description and the tensors do not belong together", name, have,
            want);
    }
    *data = t->data;
    return TIN_OK;
}

const char *tin_safetensors_metadata(const tin_safetensors *file, const char *key)
{
    for (size_t i = 0; i < file->n_metadata; i++) {
        if (strcmp(file->metadata[i].key, key) == 0)
            return file->metadata[i].value;
    }
    return NULL;
}
