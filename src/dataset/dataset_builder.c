#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "dataset/dataset_format.h"

struct tin_dataset_builder {
    tin_dataset d;   /* streams own their counts here */
    size_t reserved; /* streams that the array has room for */
};

/* Every byte of the file but the counts. */
typedef struct image {
    uint8_t fixed[TIN_DATASET_FIXED_BYTES];
    char *json;
    size_t json_bytes;
    uint64_t counts_offset;
} image;

static tin_status copy_head(tin_dataset *d, const char *name, const tin_channel *channels, const tin_class *classes,
                            tin_error *err)
{
    d->name = tin_strdup(name, err);
    d->channels = tin_alloc((size_t)d->n_channels, sizeof *d->channels, err);
    d->classes = tin_alloc((size_t)d->n_classes, sizeof *d->classes, err);
    if (d->name == NULL || d->channels == NULL || d->classes == NULL)
        return TIN_ERR_MEMORY;
    for (int i = 0; i < d->n_channels; i++) {
        d->channels[i].scale = channels[i].scale;
        d->channels[i].name = tin_strdup(channels[i].name, err);
        d->channels[i].unit = tin_strdup(channels[i].unit, err);
        if (d->channels[i].name == NULL || d->channels[i].unit == NULL)
            return TIN_ERR_MEMORY;
    }
    for (int i = 0; i < d->n_classes; i++) {
        d->classes[i].event = classes[i].event;
        d->classes[i].name = tin_strdup(classes[i].name, err);
        if (d->classes[i].name == NULL)
            return TIN_ERR_MEMORY;
    }
    return TIN_OK;
}

tin_status tin_dataset_builder_create(tin_dataset_builder **builder, const char *name, double rate_hz,
                                      const tin_channel *channels, int n_channels, const tin_class *classes,
                                      int n_classes, int32_t unlabelled, tin_error *err)
{
    *builder = NULL;
    tin_dataset given = {.name = (char *)(uintptr_t)name,
                         .rate_hz = rate_hz,
                         .n_channels = n_channels,
                         .n_classes = n_classes,
                         .channels = (tin_channel *)(uintptr_t)channels,
                         .classes = (tin_class *)(uintptr_t)classes,
                         .unlabelled = unlabelled};
    tin_status status = tin_dataset_check_head(&given, (tin_dataset_place){TIN_ERR_DATA, ""}, err);
    if (status != TIN_OK)
        return status;
    tin_dataset_builder *b = tin_alloc(1, sizeof *b, err);
    if (b == NULL)
        return TIN_ERR_MEMORY;
    b->d.rate_hz = rate_hz;
    b->d.n_channels = n_channels;
    b->d.n_classes = n_classes;
    b->d.unlabelled = unlabelled;
    status = copy_head(&b->d, name, channels, classes, err);
    if (status != TIN_OK) {
        tin_dataset_builder_free(b);
        return status;
    }
    *builder = b;
    return TIN_OK;
}

static void free_stream(tin_stream *s)
{
    tin_free((int16_t *)(uintptr_t)s->counts);
    tin_dataset_stream_free(s);
}

static tin_status copy_stream(tin_stream *to, const tin_stream *from, uint64_t counts_bytes, tin_error *err)
{
    *to = *from;
    int16_t *counts = tin_alloc(1, (size_t)counts_bytes, err);
    to->counts = counts;
    to->id = tin_strdup(from->id, err);
    to->subject = tin_strdup(from->subject, err);
    to->session = tin_strdup(from->session, err);
    to->origin = tin_strdup(from->origin, err);
    to->intervals = tin_alloc(from->n_intervals, sizeof *to->intervals, err);
    if (counts == NULL || to->id == NULL || to->subject == NULL || to->session == NULL || to->origin == NULL ||
        to->intervals == NULL) {
        free_stream(to);
        memset(to, 0, sizeof *to);
        return TIN_ERR_MEMORY;
    }
    memcpy(counts, from->counts, (size_t)counts_bytes);
    if (from->n_intervals > 0)
        memcpy(to->intervals, from->intervals, from->n_intervals * sizeof *to->intervals);
    return TIN_OK;
}

tin_status tin_dataset_builder_add(tin_dataset_builder *builder, const tin_stream *stream, tin_error *err)
{
    tin_dataset *d = &builder->d;
    uint64_t bytes = 0;
    tin_dataset_place place = {TIN_ERR_DATA, stream->origin != NULL ? stream->origin : ""};
    tin_status status = tin_dataset_check_stream(stream, d->n_classes, place, err);
    if (status != TIN_OK)
        return status;
    if (!tin_dataset_counts_bytes(stream->n_frames, d->n_channels, &bytes) || bytes > SIZE_MAX)
        return tin_fail_at(err, TIN_ERR_DATA, place.file, 0, "stream '%s' is too long", stream->id);
    for (size_t i = 0; i < d->n_streams; i++)
        if (strcmp(d->streams[i].id, stream->id) == 0)
            return tin_fail_at(err, TIN_ERR_DATA, place.file, 0,
                               "stream id '%s' is taken by '%s' already; give the files different names", stream->id,
                               d->streams[i].origin);
    if (d->n_streams == builder->reserved) {
        size_t reserved = builder->reserved == 0 ? 16 : 2 * builder->reserved;
        tin_stream *grown = builder->reserved == 0
                                ? tin_alloc(reserved, sizeof *grown, err)
                                : tin_grow(d->streams, builder->reserved, reserved, sizeof *grown, err);
        if (grown == NULL)
            return TIN_ERR_MEMORY;
        d->streams = grown;
        builder->reserved = reserved;
    }
    status = copy_stream(&d->streams[d->n_streams], stream, bytes, err);
    if (status == TIN_OK)
        d->n_streams++;
    return status;
}

/* jansson's functions that take ownership accept NULL and then return -1, so failures are gathered in *failed. */
static void put(json_t *object, const char *key, json_t *value, int *failed)
{
    *failed |= json_object_set_new(object, key, value);
}

static json_t *stream_json(const tin_stream *s, uint64_t offset, int *failed)
{
    json_t *o = json_object();
    json_t *intervals = json_array();
    put(o, "id", json_string(s->id), failed);
    put(o, "subject", json_string(s->subject), failed);
    put(o, "session", json_string(s->session), failed);
    put(o, "origin", json_string(s->origin), failed);
    put(o, "role", json_string(tin_dataset_role_name(s->role)), failed);
    put(o, "frames", json_integer(s->n_frames), failed);
    put(o, "offset", json_integer((json_int_t)offset), failed);
    put(o, "clipped", json_integer(s->n_clipped), failed);
    for (size_t i = 0; i < s->n_intervals; i++) {
        *failed |= json_array_append_new(intervals, json_integer(s->intervals[i].start));
        *failed |= json_array_append_new(intervals, json_integer(s->intervals[i].end));
        *failed |= json_array_append_new(intervals, json_integer(s->intervals[i].class_index));
    }
    put(o, "intervals", intervals, failed);
    return o;
}

/* The header with the counts starting at counts_offset; NULL when memory ran out. *end is where the file ends. */
static char *header_text(const tin_dataset *d, uint64_t counts_offset, uint64_t *end)
{
    int failed = 0;
    uint64_t offset = counts_offset;
    json_t *root = json_object();
    json_t *channels = json_array();
    json_t *classes = json_array();
    json_t *streams = json_array();
    for (int i = 0; i < d->n_channels; i++) {
        json_t *o = json_object();
        put(o, "name", json_string(d->channels[i].name), &failed);
        put(o, "unit", json_string(d->channels[i].unit), &failed);
        put(o, "scale", json_real(d->channels[i].scale), &failed);
        failed |= json_array_append_new(channels, o);
    }
    for (int i = 0; i < d->n_classes; i++) {
        json_t *o = json_object();
        put(o, "name", json_string(d->classes[i].name), &failed);
        put(o, "event", json_boolean(d->classes[i].event), &failed);
        failed |= json_array_append_new(classes, o);
    }
    for (size_t i = 0; i < d->n_streams; i++) {
        uint64_t bytes = 0;
        failed |= json_array_append_new(streams, stream_json(&d->streams[i], offset, &failed));
        if (!tin_dataset_counts_bytes(d->streams[i].n_frames, d->n_channels, &bytes))
            failed = -1;
        offset = tin_dataset_align(offset + bytes);
    }
    put(root, "name", json_string(d->name), &failed);
    put(root, "rate_hz", json_real(d->rate_hz), &failed);
    put(root, "channels", channels, &failed);
    put(root, "classes", classes, &failed);
    put(root, "unlabelled", json_integer(d->unlabelled), &failed);
    put(root, "streams", streams, &failed);
    char *text = failed ? NULL : json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(17));
    json_decref(root);
    *end = offset;
    return text;
}

static void write_le(uint8_t *p, uint64_t v, int n_bytes)
{
    for (int i = 0; i < n_bytes; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

/* The header holds offsets that depend on the header's own length: repeat until the length stands still. It can only
 * grow with the offsets' digits, so this ends. */
static tin_status image_make(image *m, const tin_dataset *d, tin_error *err)
{
    uint64_t end = 0;
    m->counts_offset = TIN_DATASET_FIXED_BYTES;
    for (;;) {
        m->json = header_text(d, m->counts_offset, &end);
        if (m->json == NULL)
            return tin_fail(err, TIN_ERR_MEMORY, "out of memory for the dataset's header");
        m->json_bytes = strlen(m->json);
        uint64_t needed = tin_dataset_align(TIN_DATASET_FIXED_BYTES + m->json_bytes);
        if (needed == m->counts_offset)
            break;
        m->counts_offset = needed;
        free(m->json); /* jansson's own memory */
    }
    memcpy(m->fixed, TIN_DATASET_MAGIC, TIN_DATASET_MAGIC_BYTES);
    write_le(m->fixed + TIN_DATASET_AT_VERSION, TIN_DATASET_VERSION, 4);
    write_le(m->fixed + TIN_DATASET_AT_HEADER_BYTES, m->json_bytes, 8);
    write_le(m->fixed + TIN_DATASET_AT_COUNTS_OFFSET, m->counts_offset, 8);
    write_le(m->fixed + TIN_DATASET_AT_FILE_BYTES, end, 8);
    return TIN_OK;
}

/* Where the file's bytes go: into a hash or into a file. */
typedef struct sink {
    tin_hash *hash;
    FILE *file;
    bool failed;
} sink;

static void sink_add(sink *to, const void *data, size_t size)
{
    if (to->hash != NULL)
        tin_hash_add(to->hash, data, size);
    else if (size > 0 && fwrite(data, 1, size, to->file) != size)
        to->failed = true;
}

static void sink_pad(sink *to, uint64_t size)
{
    static const uint8_t zeros[TIN_DATASET_ALIGNMENT];
    sink_add(to, zeros, (size_t)(tin_dataset_align(size) - size));
}

static void sink_body(sink *to, const image *m, const tin_dataset *d)
{
    sink_add(to, m->json, m->json_bytes);
    sink_pad(to, TIN_DATASET_FIXED_BYTES + m->json_bytes);
    for (size_t i = 0; i < d->n_streams; i++) {
        uint64_t bytes = (uint64_t)d->streams[i].n_frames * (uint64_t)d->n_channels * sizeof(int16_t);
        sink_add(to, d->streams[i].counts, (size_t)bytes);
        sink_pad(to, bytes);
    }
}

tin_status tin_dataset_builder_write(tin_dataset_builder *builder, const char *path, char hash[65], tin_error *err)
{
    const tin_dataset *d = &builder->d;
    image m = {.json = NULL};
    tin_writer writer = {0};
    char hex[TIN_HASH_HEX] = "";
    sink to = {0};
    tin_status status = image_make(&m, d, err);
    if (status != TIN_OK)
        goto cleanup;
    status = tin_hash_begin(&to.hash, err);
    if (status != TIN_OK)
        goto cleanup;
    sink_add(&to, m.fixed, TIN_DATASET_AT_HASH);
    sink_body(&to, &m, d);
    tin_hash_end(to.hash, hex);
    to.hash = NULL;
    memcpy(m.fixed + TIN_DATASET_AT_HASH, hex, TIN_DATASET_HASH_BYTES);

    status = tin_writer_open(&writer, path, err);
    if (status != TIN_OK)
        goto cleanup;
    to.file = writer.stream;
    sink_add(&to, m.fixed, sizeof m.fixed);
    sink_body(&to, &m, d);
    status = to.failed ? tin_fail_errno(err, path, "write the dataset") : tin_writer_commit(&writer, err);
    if (status == TIN_OK && hash != NULL)
        memcpy(hash, hex, sizeof hex);

cleanup:
    tin_writer_abort(&writer);
    free(m.json);
    return status;
}

void tin_dataset_builder_free(tin_dataset_builder *builder)
{
    if (builder == NULL)
        return;
    for (size_t i = 0; i < builder->d.n_streams; i++) {
        tin_free((int16_t *)(uintptr_t)builder->d.streams[i].counts);
        builder->d.streams[i].counts = NULL;
    }
    tin_dataset_clear(&builder->d);
    tin_free(builder);
}
