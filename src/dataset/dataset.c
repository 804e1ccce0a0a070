#include "dataset/dataset.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "dataset/dataset_format.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "counts are mapped as they lie in the file, little-endian; this host needs a copying reader"
#endif

#define KEPT_BYTES ((size_t)64 << 20)  /* a smaller file stays mapped */
#define FAULT_BYTES ((size_t)64 << 10) /* that the system maps around a place that is read */

/* One allocation that the dataset is the first member of. */
typedef struct dataset_owner {
    tin_dataset dataset;
    tin_map map;
} dataset_owner;

typedef struct reader {
    const char *path;
    const tin_map *map;
    uint64_t header, header_bytes, lineage_bytes;
    tin_dataset *d;
    tin_error *err;
} reader;

static tin_status damaged(const reader *r, const char *what)
{
    return tin_fail_at(r->err, TIN_ERR_FORMAT, r->path, 0, "%s; the file is damaged, build the dataset again", what);
}

static uint64_t read_le(const uint8_t *p, int n_bytes)
{
    uint64_t v = 0;
    for (int i = n_bytes - 1; i >= 0; i--)
        v = v << 8 | p[i];
    return v;
}

static bool is_zero(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] != 0)
            return false;
    return true;
}

static tin_status read_sizes(reader *r)
{
    const uint8_t *p = r->map->data;
    const uint64_t size = r->map->size, file_bytes = read_le(p + TIN_DATASET_AT_FILE_BYTES, 8);
    r->header = read_le(p + TIN_DATASET_AT_HEADER, 8);
    r->header_bytes = read_le(p + TIN_DATASET_AT_HEADER_BYTES, 8);
    r->lineage_bytes = read_le(p + TIN_DATASET_AT_LINEAGE_BYTES, 8);
    if (file_bytes != size)
        return tin_fail_at(r->err, TIN_ERR_FORMAT, r->path, 0,
                           "the file has %llu bytes and says that it has %llu; it was cut, build the dataset again",
                           (unsigned long long)size, (unsigned long long)file_bytes);
    if (r->header < TIN_DATASET_FIXED_BYTES || r->header > size || r->header_bytes > size - r->header ||
        r->lineage_bytes != size - r->header - r->header_bytes || !is_zero(p + TIN_DATASET_AT_VERSION + 4, 4) ||
        !is_zero(p + TIN_DATASET_AT_FILE_BYTES + 8, 16))
        return damaged(r, "the sizes at its start contradict each other");
    return TIN_OK;
}

/* Compares bytes with the hash that stands at `at`. */
static tin_status check_hash(const reader *r, uint64_t start, uint64_t size, int at, const char *what)
{
    char hex[TIN_HASH_HEX];
    tin_status status = tin_hash_bytes(r->map->data + start, (size_t)size, hex, r->err);
    if (status == TIN_OK && memcmp(hex, r->map->data + at, TIN_DATASET_HASH_BYTES) != 0)
        status = damaged(r, what);
    return status;
}

static tin_status read_fixed(reader *r)
{
    const uint8_t *p = r->map->data;
    const size_t size = r->map->size;
    if (size < TIN_DATASET_MAGIC_BYTES || memcmp(p, TIN_DATASET_MAGIC, TIN_DATASET_MAGIC_BYTES) != 0)
        return tin_fail_at(
            r->err, TIN_ERR_FORMAT, r->path, 0,
            "this is no Tinamou dataset (its first bytes differ); give the file that 'tinamou data' wrote");
    if (size < TIN_DATASET_FIXED_BYTES)
        return damaged(r, "the file ends inside its first 192 bytes");
    uint64_t version = read_le(p + TIN_DATASET_AT_VERSION, 4);
    if (version != TIN_DATASET_VERSION)
        return tin_fail_at(r->err, TIN_ERR_FORMAT, r->path, 0,
                           "dataset version %llu, this program reads version %u; build the dataset again",
                           (unsigned long long)version, TIN_DATASET_VERSION);
    tin_status status = read_sizes(r);
    if (status == TIN_OK)
        status = check_hash(r, r->header, r->header_bytes, TIN_DATASET_AT_HASH, "its header differs from its hash");
    if (status == TIN_OK)
        status = check_hash(r, r->header + r->header_bytes, r->lineage_bytes, TIN_DATASET_AT_LINEAGE_HASH,
                            "its lineage differs from its hash");
    if (status == TIN_OK)
        memcpy(r->d->hash, p + TIN_DATASET_AT_HASH, TIN_DATASET_HASH_BYTES);
    return status;
}

static tin_status take_text(const reader *r, const json_t *object, const char *key, char **text)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_string(value))
        return tin_fail_at(r->err, TIN_ERR_FORMAT, r->path, 0, "header: text '%s' is missing; build the dataset again",
                           key);
    *text = tin_strdup(json_string_value(value), r->err);
    return *text == NULL ? TIN_ERR_MEMORY : TIN_OK;
}

static tin_status take_integer(const reader *r, const json_t *object, const char *key, int64_t *number)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_integer(value))
        return tin_fail_at(r->err, TIN_ERR_FORMAT, r->path, 0,
                           "header: whole number '%s' is missing; build the dataset again", key);
    *number = json_integer_value(value);
    return TIN_OK;
}

/* A hash as text; hex has TIN_HASH_HEX bytes. */
static tin_status take_hash(const reader *r, const json_t *object, const char *key, char *hex)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (text == NULL || !tin_dataset_is_hash(text))
        return tin_fail_at(r->err, TIN_ERR_FORMAT, r->path, 0, "header: hash '%s' is missing; build the dataset again",
                           key);
    memcpy(hex, text, TIN_HASH_HEX);
    return TIN_OK;
}

static tin_status take_array(const reader *r, const json_t *object, const char *key, size_t limit, const json_t **array)
{
    *array = json_object_get(object, key);
    if (!json_is_array(*array) || json_array_size(*array) > limit)
        return tin_fail_at(r->err, TIN_ERR_FORMAT, r->path, 0,
                           "header: list '%s' is missing or longer than %zu; build the dataset again", key, limit);
    return TIN_OK;
}

static tin_status take_channels(const reader *r, const json_t *root)
{
    const json_t *array = NULL;
    tin_status status = take_array(r, root, "channels", TIN_MAX_CHANNELS, &array);
    if (status != TIN_OK)
        return status;
    r->d->channels = tin_alloc(json_array_size(array), sizeof *r->d->channels, r->err);
    if (r->d->channels == NULL)
        return TIN_ERR_MEMORY;
    r->d->n_channels = (int)json_array_size(array);
    for (int i = 0; i < r->d->n_channels && status == TIN_OK; i++) {
        const json_t *item = json_array_get(array, (size_t)i);
        r->d->channels[i].scale = json_number_value(json_object_get(item, "scale")); /* 0 when missing: refused later */
        status = take_text(r, item, "name", &r->d->channels[i].name);
        if (status == TIN_OK)
            status = take_text(r, item, "unit", &r->d->channels[i].unit);
    }
    return status;
}

static tin_status take_classes(const reader *r, const json_t *root)
{
    const json_t *array = NULL;
    tin_status status = take_array(r, root, "classes", TIN_MAX_CLASSES, &array);
    if (status != TIN_OK)
        return status;
    r->d->classes = tin_alloc(json_array_size(array), sizeof *r->d->classes, r->err);
    if (r->d->classes == NULL)
        return TIN_ERR_MEMORY;
    r->d->n_classes = (int)json_array_size(array);
    for (int i = 0; i < r->d->n_classes && status == TIN_OK; i++) {
        const json_t *item = json_array_get(array, (size_t)i);
        const json_t *event = json_object_get(item, "event");
        if (!json_is_boolean(event))
            return damaged(r, "header: a class has no 'event'");
        r->d->classes[i].event = json_is_true(event);
        status = take_text(r, item, "name", &r->d->classes[i].name);
    }
    return status;
}

static tin_status take_head(const reader *r, const json_t *root)
{
    int64_t unlabelled = 0;
    r->d->rate_hz = json_number_value(json_object_get(root, "rate_hz"));
    tin_status status = take_text(r, root, "name", &r->d->name);
    if (status == TIN_OK)
        status = take_channels(r, root);
    if (status == TIN_OK)
        status = take_classes(r, root);
    if (status == TIN_OK)
        status = take_integer(r, root, "unlabelled", &unlabelled);
    if (status != TIN_OK)
        return status;
    if (unlabelled < TIN_LABEL_IGNORE || unlabelled >= TIN_MAX_CLASSES)
        return damaged(r, "header: 'unlabelled' is no class");
    r->d->unlabelled = (int32_t)unlabelled;
    return tin_dataset_check_head(r->d, (tin_dataset_place){TIN_ERR_FORMAT, r->path}, r->err);
}

/* "intervals" is a flat list start, end, class, start, end, class, ... */
static tin_status take_intervals(const reader *r, const json_t *item, tin_stream *s)
{
    const json_t *array = NULL;
    tin_status status = take_array(r, item, "intervals", SIZE_MAX, &array);
    if (status != TIN_OK)
        return status;
    size_t n = json_array_size(array);
    if (n % 3 != 0)
        return damaged(r, "header: the list 'intervals' is no multiple of three");
    s->intervals = tin_alloc(n / 3, sizeof *s->intervals, r->err);
    if (s->intervals == NULL)
        return TIN_ERR_MEMORY;
    s->n_intervals = n / 3;
    for (size_t i = 0; i < n; i++) {
        const json_t *value = json_array_get(array, i);
        int64_t number = json_integer_value(value);
        if (!json_is_integer(value) || (i % 3 == 2 && (number < TIN_LABEL_IGNORE || number >= TIN_MAX_CLASSES)))
            return damaged(r, "header: the list 'intervals' holds a wrong value");
        tin_interval *v = &s->intervals[i / 3];
        if (i % 3 == 0)
            v->start = number;
        else if (i % 3 == 1)
            v->end = number;
        else
            v->class_index = (int32_t)number;
    }
    return TIN_OK;
}

static tin_status take_role(const reader *r, const json_t *item, tin_stream *s)
{
    const char *role = json_string_value(json_object_get(item, "role"));
    for (int i = TIN_ROLE_TRAIN; role != NULL && i <= TIN_ROLE_TEST; i++)
        if (strcmp(role, tin_dataset_role_name((tin_role)i)) == 0) {
            s->role = (tin_role)i;
            return TIN_OK;
        }
    return damaged(r, "header: a stream has no valid 'role'");
}

/* *offset is where this stream's counts must start; it is moved to where the next one's must. */
static tin_status take_stream(const reader *r, const json_t *item, tin_stream *s, uint64_t *offset)
{
    int64_t given = 0;
    uint64_t bytes = 0;
    tin_status status = take_text(r, item, "id", &s->id);
    if (status == TIN_OK)
        status = take_text(r, item, "subject", &s->subject);
    if (status == TIN_OK)
        status = take_text(r, item, "session", &s->session);
    if (status == TIN_OK)
        status = take_text(r, item, "origin", &s->origin);
    if (status == TIN_OK)
        status = take_role(r, item, s);
    if (status == TIN_OK)
        status = take_integer(r, item, "frames", &s->n_frames);
    if (status == TIN_OK)
        status = take_integer(r, item, "clipped", &s->n_clipped);
    if (status == TIN_OK)
        status = take_integer(r, item, "offset", &given);
    if (status == TIN_OK)
        status = take_hash(r, item, "counts_sha256", s->counts_hash);
    if (status == TIN_OK)
        status = take_intervals(r, item, s);
    if (status == TIN_OK)
        status = tin_dataset_check_stream(s, r->d->n_classes, (tin_dataset_place){TIN_ERR_FORMAT, r->path}, r->err);
    if (status != TIN_OK)
        return status;
    if (given < 0 || (uint64_t)given != *offset || !tin_dataset_counts_bytes(s->n_frames, r->d->n_channels, &bytes) ||
        *offset > r->header || bytes > r->header - *offset)
        return damaged(r, "header: the counts of a stream are not where they must be");
    s->counts = (const int16_t *)(const void *)(r->map->data + *offset); /* 64-byte aligned in a page-aligned map */
    *offset = tin_dataset_align(*offset + bytes);
    return TIN_OK;
}

static int compare_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static tin_status check_unique(const reader *r)
{
    char **ids = tin_alloc(r->d->n_streams, sizeof *ids, r->err);
    if (ids == NULL)
        return TIN_ERR_MEMORY;
    for (size_t i = 0; i < r->d->n_streams; i++)
        ids[i] = r->d->streams[i].id;
    qsort(ids, r->d->n_streams, sizeof *ids, compare_text);
    tin_status status = TIN_OK;
    for (size_t i = 1; i < r->d->n_streams && status == TIN_OK; i++)
        if (strcmp(ids[i - 1], ids[i]) == 0)
            status = damaged(r, "header: two streams have the same id");
    tin_free(ids);
    return status;
}

static tin_status take_streams(const reader *r, const json_t *root)
{
    const json_t *array = NULL;
    tin_status status = take_array(r, root, "streams", SIZE_MAX, &array);
    if (status != TIN_OK)
        return status;
    r->d->streams = tin_alloc(json_array_size(array), sizeof *r->d->streams, r->err);
    if (r->d->streams == NULL)
        return TIN_ERR_MEMORY;
    r->d->n_streams = json_array_size(array);
    uint64_t offset = TIN_DATASET_FIXED_BYTES;
    for (size_t i = 0; i < r->d->n_streams; i++) {
        status = take_stream(r, json_array_get(array, i), &r->d->streams[i], &offset);
        if (status != TIN_OK)
            return status;
    }
    if (offset != r->header)
        return damaged(r, "the counts are longer than the streams");
    return check_unique(r);
}

static tin_status take_lineage_file(const reader *r, const json_t *item, tin_lineage_file *file)
{
    tin_status status = take_text(r, item, "path", &file->path);
    if (status == TIN_OK)
        status = take_integer(r, item, "bytes", &file->bytes);
    return status != TIN_OK ? status : take_hash(r, item, "sha256", file->sha256);
}

/* Absent where there are none. */
static tin_status take_notes(const reader *r, const json_t *item, tin_lineage *l)
{
    const json_t *array = NULL;
    if (json_object_get(item, "notes") == NULL)
        return TIN_OK;
    tin_status status = take_array(r, item, "notes", TIN_LINEAGE_MOST_NOTES, &array);
    if (status != TIN_OK)
        return status;
    l->notes = tin_alloc(json_array_size(array), sizeof *l->notes, r->err);
    if (l->notes == NULL)
        return TIN_ERR_MEMORY;
    for (; l->n_notes < json_array_size(array); l->n_notes++) {
        const char *text = json_string_value(json_array_get(array, l->n_notes));
        if (text == NULL)
            return damaged(r, "lineage: a note is no text");
        l->notes[l->n_notes] = tin_strdup(text, r->err);
        if (l->notes[l->n_notes] == NULL)
            return TIN_ERR_MEMORY;
    }
    return TIN_OK;
}

static tin_status take_stream_lineage(const reader *r, const json_t *item, tin_stream *s)
{
    const json_t *array = NULL;
    tin_lineage *l = &s->lineage;
    l->rate_hz = json_number_value(json_object_get(item, "rate_hz"));
    l->jitter_s = json_number_value(json_object_get(item, "jitter_s"));
    tin_status status = take_integer(r, item, "duplicates", &l->n_duplicates);
    if (status == TIN_OK)
        status = take_integer(r, item, "gaps", &l->n_gaps);
    if (status == TIN_OK)
        status = take_notes(r, item, l);
    if (status == TIN_OK)
        status = take_array(r, item, "files", SIZE_MAX, &array);
    if (status != TIN_OK)
        return status;
    l->files = tin_alloc(json_array_size(array), sizeof *l->files, r->err);
    if (l->files == NULL)
        return TIN_ERR_MEMORY;
    l->n_files = json_array_size(array);
    for (size_t i = 0; i < l->n_files && status == TIN_OK; i++)
        status = take_lineage_file(r, json_array_get(array, i), &l->files[i]);
    return status != TIN_OK
               ? status
               : tin_dataset_check_stream(s, r->d->n_classes, (tin_dataset_place){TIN_ERR_FORMAT, r->path}, r->err);
}

static tin_status take_lineage(const reader *r, const json_t *root)
{
    const json_t *array = NULL;
    tin_status status = take_text(r, root, "program", &r->d->program);
    if (status == TIN_OK)
        status = take_text(r, root, "settings", &r->d->settings);
    if (status == TIN_OK)
        status = take_array(r, root, "streams", SIZE_MAX, &array);
    if (status == TIN_OK && json_array_size(array) != r->d->n_streams)
        status = damaged(r, "the lineage has another number of streams");
    for (size_t i = 0; status == TIN_OK && i < r->d->n_streams; i++)
        status = take_stream_lineage(r, json_array_get(array, i), &r->d->streams[i]);
    return status;
}

static tin_status take_content(const reader *r, const json_t *root)
{
    tin_status status = take_head(r, root);
    return status != TIN_OK ? status : take_streams(r, root);
}

/* Parses `size` bytes of JSON and hands them on. */
static tin_status read_json(const reader *r, uint64_t start, uint64_t size,
                            tin_status (*take)(const reader *r, const json_t *root))
{
    json_error_t json_error;
    json_t *root = json_loadb((const char *)r->map->data + start, (size_t)size, JSON_REJECT_DUPLICATES, &json_error);
    if (root == NULL)
        return tin_fail_at(r->err, TIN_ERR_FORMAT, r->path, 0,
                           "the header is no valid JSON (%s); the file is damaged, build the dataset again",
                           json_error.text);
    tin_status status = take(r, root);
    json_decref(root);
    return status;
}

tin_status tin_dataset_open(tin_dataset **dataset, const char *path, tin_error *err)
{
    *dataset = NULL;
    dataset_owner *owner = tin_alloc(1, sizeof *owner, err);
    if (owner == NULL)
        return TIN_ERR_MEMORY;
    tin_dataset *d = &owner->dataset;
    d->owner = owner;
    tin_status status = tin_map_open(&owner->map, path, err);
    if (status != TIN_OK) {
        tin_free(owner);
        return status;
    }
    reader r = {.path = path, .map = &owner->map, .d = d, .err = err};
    status = read_fixed(&r);
    if (status == TIN_OK)
        status = read_json(&r, r.header, r.header_bytes, take_content);
    if (status == TIN_OK)
        status = read_json(&r, r.header + r.header_bytes, r.lineage_bytes, take_lineage);
    if (status != TIN_OK) {
        tin_dataset_close(d);
        return status;
    }
    *dataset = d;
    return TIN_OK;
}

tin_status tin_dataset_verify(const tin_dataset *dataset, tin_error *err)
{
    for (size_t i = 0; i < dataset->n_streams; i++) {
        const tin_stream *s = &dataset->streams[i];
        char hex[TIN_HASH_HEX];
        uint64_t bytes = (uint64_t)s->n_frames * (uint64_t)dataset->n_channels * sizeof *s->counts;
        tin_status status = tin_hash_bytes(s->counts, (size_t)bytes, hex, err);
        if (status != TIN_OK)
            return status;
        if (strcmp(hex, s->counts_hash) != 0 ||
            !is_zero((const uint8_t *)s->counts + bytes, (size_t)(tin_dataset_align(bytes) - bytes)))
            return tin_fail(err, TIN_ERR_FORMAT,
                            "dataset '%s': the counts of stream '%s' have the hash %.12s... and were written with "
                            "%.12s...; the file is damaged, build the dataset again",
                            dataset->name, s->id, hex, s->counts_hash);
        tin_dataset_forget(dataset);
    }
    return TIN_OK;
}

void tin_dataset_forget(const tin_dataset *dataset)
{
    const dataset_owner *owner = dataset->owner;
    if (owner != NULL && owner->map.size > KEPT_BYTES) /* a failure costs memory, no result */
        (void)madvise((void *)(uintptr_t)owner->map.data, owner->map.size, MADV_DONTNEED);
}

void tin_dataset_close(tin_dataset *dataset)
{
    if (dataset == NULL)
        return;
    dataset_owner *owner = dataset->owner;
    tin_dataset_clear(dataset);
    tin_map_close(&owner->map);
    tin_free(owner);
}

void tin_dataset_touched(const tin_dataset *dataset, size_t *bytes, size_t places, size_t bytes_each)
{
    *bytes += places * (bytes_each + FAULT_BYTES);
    if (*bytes > KEPT_BYTES) {
        tin_dataset_forget(dataset);
        *bytes = 0;
    }
}

void tin_dataset_labels(const tin_dataset *dataset, const tin_stream *stream, int16_t *labels)
{
    for (int64_t t = 0; t < stream->n_frames; t++)
        labels[t] = (int16_t)dataset->unlabelled;
    for (size_t i = 0; i < stream->n_intervals; i++)
        for (int64_t t = stream->intervals[i].start; t < stream->intervals[i].end; t++)
            labels[t] = (int16_t)stream->intervals[i].class_index;
}

int64_t tin_dataset_frames(const tin_dataset *dataset, tin_role role)
{
    int64_t n = 0;
    for (size_t i = 0; i < dataset->n_streams; i++)
        if (dataset->streams[i].role == role)
            n += dataset->streams[i].n_frames;
    return n;
}
