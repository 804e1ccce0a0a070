/* Writes a dataset from front to back: a fixed part of zeros, the counts of each stream as it is added, then what is known
 * only in the end: header, lineage, and the fixed part in its place. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "dataset/dataset_format.h"

struct tin_dataset_builder {
    tin_dataset d;   /* streams without their counts */
    size_t reserved; /* streams that the array has room for */
    tin_writer writer;
    uint64_t offset; /* where the next bytes go */
};

static tin_status copy_head(tin_dataset *to, const tin_dataset *head, tin_error *err)
{
    to->rate_hz = head->rate_hz;
    to->unlabelled = head->unlabelled;
    to->name = tin_strdup(head->name, err);
    to->program = tin_strdup(head->program != NULL ? head->program : "", err);
    to->settings = tin_strdup(head->settings != NULL ? head->settings : "", err);
    to->channels = tin_alloc((size_t)head->n_channels, sizeof *to->channels, err);
    to->classes = tin_alloc((size_t)head->n_classes, sizeof *to->classes, err);
    if (to->name == NULL || to->program == NULL || to->settings == NULL || to->channels == NULL || to->classes == NULL)
        return TIN_ERR_MEMORY;
    for (; to->n_channels < head->n_channels; to->n_channels++) {
        tin_channel *c = &to->channels[to->n_channels];
        c->scale = head->channels[to->n_channels].scale;
        c->name = tin_strdup(head->channels[to->n_channels].name, err);
        c->unit = tin_strdup(head->channels[to->n_channels].unit, err);
        if (c->name == NULL || c->unit == NULL) {
            to->n_channels++;
            return TIN_ERR_MEMORY;
        }
    }
    for (; to->n_classes < head->n_classes; to->n_classes++) {
        to->classes[to->n_classes].event = head->classes[to->n_classes].event;
        to->classes[to->n_classes].name = tin_strdup(head->classes[to->n_classes].name, err);
        if (to->classes[to->n_classes].name == NULL)
            return TIN_ERR_MEMORY;
    }
    return TIN_OK;
}

static tin_status put_bytes(tin_dataset_builder *b, const void *data, size_t size, tin_error *err)
{
    if (size > 0 && fwrite(data, 1, size, b->writer.stream) != size)
        return tin_fail_errno(err, b->writer.path, "cannot write the dataset");
    b->offset += size;
    return TIN_OK;
}

static tin_status put_padding(tin_dataset_builder *b, tin_error *err)
{
    static const uint8_t zeros[TIN_DATASET_ALIGNMENT];
    return put_bytes(b, zeros, (size_t)(tin_dataset_align(b->offset) - b->offset), err);
}

tin_status tin_dataset_builder_create(tin_dataset_builder **builder, const char *path, const tin_dataset *head,
                                      tin_error *err)
{
    static const uint8_t zeros[TIN_DATASET_FIXED_BYTES];
    *builder = NULL;
    tin_status status = tin_dataset_check_head(head, (tin_dataset_place){TIN_ERR_DATA, ""}, err);
    if (status != TIN_OK)
        return status;
    tin_dataset_builder *b = tin_alloc(1, sizeof *b, err);
    if (b == NULL)
        return TIN_ERR_MEMORY;
    status = copy_head(&b->d, head, err);
    if (status == TIN_OK)
        status = tin_writer_open(&b->writer, path, err);
    if (status == TIN_OK)
        status = put_bytes(b, zeros, sizeof zeros, err);
    if (status != TIN_OK) {
        tin_dataset_builder_free(b);
        return status;
    }
    *builder = b;
    return TIN_OK;
}

static tin_status copy_lineage(tin_lineage *to, const tin_lineage *from, tin_error *err)
{
    *to = *from;
    to->files = from->n_files > 0 ? tin_alloc(from->n_files, sizeof *to->files, err) : NULL;
    to->notes = from->n_notes > 0 ? tin_alloc(from->n_notes, sizeof *to->notes, err) : NULL;
    if ((from->n_files > 0 && to->files == NULL) || (from->n_notes > 0 && to->notes == NULL))
        return TIN_ERR_MEMORY;
    for (size_t i = 0; i < from->n_notes; i++) {
        to->notes[i] = tin_strdup(from->notes[i], err);
        if (to->notes[i] == NULL)
            return TIN_ERR_MEMORY;
    }
    for (size_t i = 0; i < from->n_files; i++) {
        to->files[i] = from->files[i];
        to->files[i].path = NULL;
    }
    for (size_t i = 0; i < from->n_files; i++) {
        to->files[i].path = tin_strdup(from->files[i].path, err);
        if (to->files[i].path == NULL)
            return TIN_ERR_MEMORY;
    }
    return TIN_OK;
}

static tin_status copy_stream(tin_stream *to, const tin_stream *from, tin_error *err)
{
    *to = *from;
    to->counts = NULL;
    tin_status status = copy_lineage(&to->lineage, &from->lineage, err);
    to->id = tin_strdup(from->id, err);
    to->subject = tin_strdup(from->subject, err);
    to->session = tin_strdup(from->session, err);
    to->origin = tin_strdup(from->origin, err);
    to->intervals = tin_alloc(from->n_intervals, sizeof *to->intervals, err);
    if (status != TIN_OK || to->id == NULL || to->subject == NULL || to->session == NULL || to->origin == NULL ||
        to->intervals == NULL) {
        tin_dataset_stream_free(to);
        *to = (tin_stream){0};
        return TIN_ERR_MEMORY;
    }
    if (from->n_intervals > 0)
        memcpy(to->intervals, from->intervals, from->n_intervals * sizeof *to->intervals);
    return TIN_OK;
}

static tin_status reserve(tin_dataset_builder *b, tin_error *err)
{
    if (b->d.n_streams < b->reserved)
        return TIN_OK;
    size_t reserved = b->reserved == 0 ? 16 : 2 * b->reserved;
    tin_stream *grown = tin_grow(b->d.streams, b->reserved, reserved, sizeof *grown, err);
    if (grown == NULL)
        return TIN_ERR_MEMORY;
    b->d.streams = grown;
    b->reserved = reserved;
    return TIN_OK;
}

tin_status tin_dataset_builder_add(tin_dataset_builder *b, const tin_stream *stream, tin_error *err)
{
    tin_dataset *d = &b->d;
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
    tin_stream *to = NULL;
    status = reserve(b, err);
    if (status == TIN_OK) {
        to = &d->streams[d->n_streams];
        status = copy_stream(to, stream, err);
    }
    if (status != TIN_OK)
        return status;
    d->n_streams++;
    status = tin_hash_bytes(stream->counts, (size_t)bytes, to->counts_hash, err);
    if (status == TIN_OK)
        status = put_bytes(b, stream->counts, (size_t)bytes, err);
    return status != TIN_OK ? status : put_padding(b, err);
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
    put(o, "counts_sha256", json_string(s->counts_hash), failed);
    for (size_t i = 0; i < s->n_intervals; i++) {
        *failed |= json_array_append_new(intervals, json_integer(s->intervals[i].start));
        *failed |= json_array_append_new(intervals, json_integer(s->intervals[i].end));
        *failed |= json_array_append_new(intervals, json_integer(s->intervals[i].class_index));
    }
    put(o, "intervals", intervals, failed);
    return o;
}

/* The text of a JSON value, which is freed; NULL when memory ran out. */
static char *take_text(json_t *root, int failed)
{
    char *text = failed ? NULL : json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(17));
    json_decref(root);
    return text;
}

static char *header_text(const tin_dataset *d)
{
    int failed = 0;
    uint64_t offset = TIN_DATASET_FIXED_BYTES;
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
    return take_text(root, failed);
}

static json_t *lineage_json(const tin_lineage *l, int *failed)
{
    json_t *o = json_object();
    json_t *files = json_array();
    for (size_t i = 0; i < l->n_files; i++) {
        json_t *file = json_object();
        put(file, "path", json_string(l->files[i].path), failed);
        put(file, "bytes", json_integer(l->files[i].bytes), failed);
        put(file, "sha256", json_string(l->files[i].sha256), failed);
        *failed |= json_array_append_new(files, file);
    }
    put(o, "files", files, failed);
    put(o, "rate_hz", json_real(l->rate_hz), failed);
    put(o, "jitter_s", json_real(l->jitter_s), failed);
    put(o, "duplicates", json_integer(l->n_duplicates), failed);
    put(o, "gaps", json_integer(l->n_gaps), failed);
    json_t *notes = l->n_notes > 0 ? json_array() : NULL;
    for (size_t i = 0; i < l->n_notes; i++)
        *failed |= json_array_append_new(notes, json_string(l->notes[i]));
    if (l->n_notes > 0)
        put(o, "notes", notes, failed);
    return o;
}

static char *lineage_text(const tin_dataset *d)
{
    int failed = 0;
    json_t *root = json_object();
    json_t *streams = json_array();
    for (size_t i = 0; i < d->n_streams; i++)
        failed |= json_array_append_new(streams, lineage_json(&d->streams[i].lineage, &failed));
    put(root, "program", json_string(d->program), &failed);
    put(root, "settings", json_string(d->settings), &failed);
    put(root, "streams", streams, &failed);
    return take_text(root, failed);
}

static void write_le(uint8_t *p, uint64_t v, int n_bytes)
{
    for (int i = 0; i < n_bytes; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

/* Everything behind the counts, then the fixed part at the start. */
static tin_status put_end(tin_dataset_builder *b, const char *header, const char *lineage, char hash[TIN_HASH_HEX],
                          tin_error *err)
{
    uint8_t fixed[TIN_DATASET_FIXED_BYTES] = {0};
    char lineage_hash[TIN_HASH_HEX];
    tin_status status = tin_hash_bytes(header, strlen(header), hash, err);
    if (status == TIN_OK)
        status = tin_hash_bytes(lineage, strlen(lineage), lineage_hash, err);
    if (status != TIN_OK)
        return status;
    memcpy(fixed, TIN_DATASET_MAGIC, TIN_DATASET_MAGIC_BYTES);
    write_le(fixed + TIN_DATASET_AT_VERSION, TIN_DATASET_VERSION, 4);
    write_le(fixed + TIN_DATASET_AT_HEADER, b->offset, 8);
    write_le(fixed + TIN_DATASET_AT_HEADER_BYTES, strlen(header), 8);
    write_le(fixed + TIN_DATASET_AT_LINEAGE_BYTES, strlen(lineage), 8);
    write_le(fixed + TIN_DATASET_AT_FILE_BYTES, b->offset + strlen(header) + strlen(lineage), 8);
    memcpy(fixed + TIN_DATASET_AT_HASH, hash, TIN_DATASET_HASH_BYTES);
    memcpy(fixed + TIN_DATASET_AT_LINEAGE_HASH, lineage_hash, TIN_DATASET_HASH_BYTES);
    status = put_bytes(b, header, strlen(header), err);
    if (status == TIN_OK)
        status = put_bytes(b, lineage, strlen(lineage), err);
    if (status == TIN_OK && fseek(b->writer.stream, 0, SEEK_SET) != 0)
        status = tin_fail_errno(err, b->writer.path, "cannot write the dataset");
    return status != TIN_OK ? status : put_bytes(b, fixed, sizeof fixed, err);
}

tin_status tin_dataset_builder_finish(tin_dataset_builder *b, char hash[65], tin_error *err)
{
    char hex[TIN_HASH_HEX];
    char *header = header_text(&b->d), *lineage = lineage_text(&b->d);
    tin_status status = header != NULL && lineage != NULL
                            ? put_end(b, header, lineage, hex, err)
                            : tin_fail(err, TIN_ERR_MEMORY, "out of memory for the dataset's header");
    if (status == TIN_OK)
        status = tin_writer_commit(&b->writer, err);
    if (status == TIN_OK && hash != NULL)
        memcpy(hash, hex, sizeof hex);
    free(header); /* jansson's own memory */
    free(lineage);
    return status;
}

void tin_dataset_builder_free(tin_dataset_builder *builder)
{
    if (builder == NULL)
        return;
    tin_writer_abort(&builder->writer);
    tin_dataset_clear(&builder->d);
    tin_free(builder);
}
