#include "data/recording.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/progress.h"

#define NOTE_BYTES 600

/* Room for one more item of an array that doubles. On failure the array is as before. */
static void *room(void *array, size_t n, size_t *capacity, size_t size, size_t first, tin_error *err)
{
    if (n < *capacity)
        return array;
    size_t grown_capacity = *capacity == 0 ? first : 2 * *capacity;
    void *grown = tin_grow(array, n, grown_capacity, size, err);
    if (grown != NULL)
        *capacity = grown_capacity;
    return grown;
}

tin_status tin_notes_add(tin_notes *notes, tin_error *err, const char *format, ...)
{
    char text[NOTE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments); /* a longer note is cut */
    va_end(arguments);
    char **items = room(notes->items, notes->n, &notes->capacity, sizeof *items, 8, err);
    if (items == NULL)
        return TIN_ERR_MEMORY;
    notes->items = items;
    items[notes->n] = tin_strdup(text, err);
    if (items[notes->n] == NULL)
        return TIN_ERR_MEMORY;
    notes->n++;
    return TIN_OK;
}

tin_status tin_notes_move(tin_notes *to, tin_notes *from, tin_error *err)
{
    for (size_t i = 0; i < from->n; i++) {
        char **items = room(to->items, to->n, &to->capacity, sizeof *items, 8, err);
        if (items == NULL)
            return TIN_ERR_MEMORY;
        to->items = items;
        items[to->n++] = from->items[i];
        from->items[i] = NULL;
    }
    tin_notes_free(from);
    return TIN_OK;
}

void tin_notes_free(tin_notes *notes)
{
    for (size_t i = 0; i < notes->n; i++)
        tin_free(notes->items[i]);
    tin_free(notes->items);
    *notes = (tin_notes){0};
}

tin_track *tin_recording_add_track(tin_recording *r, int n_channels, tin_error *err)
{
    const size_t n = (size_t)r->n_tracks;
    tin_track *tracks = tin_grow(r->tracks, n, n + 1, sizeof *tracks, err);
    if (tracks == NULL)
        return NULL;
    r->tracks = tracks;
    int first = n > 0 ? tracks[n - 1].first_channel + tracks[n - 1].n_channels : 0;
    tracks[n] = (tin_track){.first_channel = first, .n_channels = n_channels};
    r->n_tracks++;
    return &tracks[n];
}

tin_status tin_track_add(tin_track *t, double time, const double *values, tin_error *err)
{
    const size_t width = (size_t)t->n_channels;
    if (t->n_samples == t->capacity) {
        size_t capacity = t->capacity == 0 ? 1024 : 2 * t->capacity;
        if (t->rate_hz == 0) {
            double *times = tin_grow(t->times, t->n_samples, capacity, sizeof *times, err);
            if (times == NULL)
                return TIN_ERR_MEMORY;
            t->times = times;
        }
        double *grown = tin_grow(t->values, t->n_samples, capacity, width * sizeof *grown, err);
        if (grown == NULL)
            return TIN_ERR_MEMORY;
        t->values = grown;
        t->capacity = capacity;
    }
    if (t->times != NULL)
        t->times[t->n_samples] = time;
    memcpy(t->values + t->n_samples * width, values, width * sizeof *values);
    t->n_samples++;
    return TIN_OK;
}

void tin_recording_free_tracks(tin_recording *r)
{
    for (int i = 0; i < r->n_tracks; i++) {
        tin_free(r->tracks[i].times);
        tin_free(r->tracks[i].values);
    }
    tin_free(r->tracks);
    r->tracks = NULL;
    r->n_tracks = 0;
}

tin_status tin_recording_add_span(tin_recording *r, double start, double end, const char *label, tin_error *err)
{
    tin_span *spans = room(r->spans, r->n_spans, &r->spans_capacity, sizeof *spans, 16, err);
    if (spans == NULL)
        return TIN_ERR_MEMORY;
    r->spans = spans;
    char *copy = tin_strdup(label, err);
    if (copy == NULL)
        return TIN_ERR_MEMORY;
    spans[r->n_spans++] = (tin_span){.start = start, .end = end, .label = copy};
    return TIN_OK;
}

tin_status tin_recording_add_file(tin_recording *r, const char *folder, const char *name, tin_error *err)
{
    char path[TIN_PATH_MAX];
    struct stat info;
    tin_status status = tin_path_join(path, folder, name, err);
    if (status != TIN_OK)
        return status;
    if (stat(path, &info) != 0)
        return tin_fail_errno(err, path, "cannot look up the size");
    tin_lineage_file *files = tin_grow(r->files, r->n_files, r->n_files + 1, sizeof *files, err);
    if (files == NULL)
        return TIN_ERR_MEMORY;
    r->files = files;
    tin_lineage_file *file = &files[r->n_files];
    file->bytes = (int64_t)info.st_size;
    file->path = tin_strdup(name, err);
    if (file->path == NULL)
        return TIN_ERR_MEMORY;
    r->n_files++;
    return tin_hash_file(path, file->sha256, err);
}

tin_status tin_recording_copy_files(tin_recording *r, const tin_recording *from, tin_error *err)
{
    r->files = tin_alloc(from->n_files, sizeof *r->files, err);
    if (r->files == NULL)
        return TIN_ERR_MEMORY;
    for (; r->n_files < from->n_files; r->n_files++) {
        r->files[r->n_files] = from->files[r->n_files];
        r->files[r->n_files].path = tin_strdup(from->files[r->n_files].path, err);
        if (r->files[r->n_files].path == NULL)
            return TIN_ERR_MEMORY;
    }
    return TIN_OK;
}

void tin_recording_free(tin_recording *r)
{
    for (size_t i = 0; i < r->n_files; i++)
        tin_free(r->files[i].path);
    tin_free(r->files);
    tin_free(r->id);
    tin_free(r->subject);
    tin_free(r->session);
    tin_free(r->origin);
    tin_recording_free_tracks(r);
    for (size_t i = 0; i < r->n_spans; i++)
        tin_free(r->spans[i].label);
    tin_free(r->spans);
    for (size_t i = 0; i < r->n_pieces; i++)
        tin_free(r->pieces[i].frames);
    tin_free(r->pieces);
    tin_notes_free(&r->notes);
}

tin_status tin_source_set_channels(tin_source *s, const char *const *names, const char *const *units, int n,
                                   tin_error *err)
{
    s->n_channels = n;
    for (int i = 0; i < n; i++) {
        s->channels[i].name = tin_strdup(names[i], err);
        s->channels[i].unit = tin_strdup(units[i], err);
        if (s->channels[i].name == NULL || s->channels[i].unit == NULL)
            return TIN_ERR_MEMORY;
    }
    return TIN_OK;
}

tin_status tin_source_add_label(tin_source *s, const char *label, bool event, tin_error *err)
{
    char **labels = tin_grow(s->labels, s->n_labels, s->n_labels + 1, sizeof *labels, err);
    if (labels == NULL)
        return TIN_ERR_MEMORY;
    s->labels = labels;
    bool *events = tin_grow(s->events, s->n_labels, s->n_labels + 1, sizeof *events, err);
    if (events == NULL)
        return TIN_ERR_MEMORY;
    s->events = events;
    labels[s->n_labels] = tin_strdup(label, err);
    if (labels[s->n_labels] == NULL)
        return TIN_ERR_MEMORY;
    events[s->n_labels++] = event;
    return TIN_OK;
}

void tin_source_free(tin_source *s)
{
    for (int i = 0; i < s->n_channels; i++) {
        tin_free(s->channels[i].name);
        tin_free(s->channels[i].unit);
    }
    for (size_t i = 0; i < s->n_labels; i++)
        tin_free(s->labels[i]);
    tin_free(s->labels);
    tin_free(s->events);
    for (size_t i = 0; i < s->n_recordings; i++)
        tin_recording_free(&s->recordings[i]);
    tin_free(s->recordings);
    tin_notes_free(&s->notes);
    *s = (tin_source){0};
}

tin_recording *tin_recordings_add(tin_recordings *list, tin_error *err)
{
    tin_recording *items = room(list->items, list->n, &list->capacity, sizeof *items, 1, err);
    if (items == NULL)
        return NULL;
    list->items = items;
    return &items[list->n++];
}

typedef struct read_jobs {
    tin_source *source;
    tin_read_recording read;
    const void *context;
    const tin_import *in;
    size_t first;
    tin_pool *inner;
    atomic_size_t *kept;  /* bytes of frames in memory */
    tin_recordings *made; /* [batch] */
    tin_error *errors;    /* [batch] */
} read_jobs;

static void find_greatest(tin_recording *r, const tin_piece *p)
{
    for (int64_t t = 0; t < p->n_frames; t++)
        for (int c = 0; c < r->n_channels; c++)
            r->greatest[c] = fmax(r->greatest[c], fabs(p->frames[t * r->n_channels + c]));
}

/* What is known only from the frames, which then may leave the memory. */
static tin_status settle(const read_jobs *jobs, tin_recording *r, tin_error *err)
{
    tin_status status = TIN_OK;
    for (size_t i = 0; i < r->n_pieces && status == TIN_OK; i++) {
        tin_piece *p = &r->pieces[i];
        const size_t bytes = (size_t)p->n_frames * (size_t)r->n_channels * sizeof *p->frames;
        find_greatest(r, p);
        if (jobs->in->scratch == NULL || atomic_fetch_add(jobs->kept, bytes) + bytes <= jobs->in->keep_bytes)
            continue;
        status = tin_scratch_put(jobs->in->scratch, p->frames, bytes, &p->scratch, err);
        tin_free(p->frames);
        p->frames = NULL;
    }
    return status;
}

static void read_job(void *context, int index, int thread)
{
    (void)thread;
    const read_jobs *jobs = context;
    tin_recordings *made = &jobs->made[index];
    tin_error *err = &jobs->errors[index];
    tin_status status = jobs->read(jobs->context, jobs->first + (size_t)index, jobs->inner, made, err);
    for (size_t i = 0; i < made->n && status == TIN_OK; i++) {
        tin_recording *r = &made->items[i];
        r->n_channels = jobs->source->n_channels;
        if (r->pieces == NULL) /* the simulator makes frames itself */
            status =
                tin_resample(r, jobs->in->settings->rate_hz, tin_resampling_find(jobs->in->settings->resample), err);
        if (status == TIN_OK)
            status = settle(jobs, r, err);
    }
    err->status = status;
}

/* What a job made goes behind the source's recordings; it is freed where that fails. */
static tin_status keep(tin_source *source, size_t *capacity, tin_recordings *made, tin_status status, tin_error *err)
{
    for (size_t i = 0; i < made->n; i++) {
        tin_recording *all =
            status == TIN_OK ? room(source->recordings, source->n_recordings, capacity, sizeof *all, 64, err) : NULL;
        if (all != NULL) {
            source->recordings = all;
            all[source->n_recordings++] = made->items[i];
        } else {
            tin_recording_free(&made->items[i]);
            status = status == TIN_OK ? TIN_ERR_MEMORY : status;
        }
    }
    tin_free(made->items);
    *made = (tin_recordings){0};
    return status;
}

tin_status tin_source_read(const tin_import *in, tin_source *source, size_t n, tin_read_recording read,
                           const void *context, tin_error *err)
{
    tin_status status = TIN_OK;
    size_t capacity = 0;
    const bool few = n < 2 * (size_t)tin_pool_threads(in->pool);
    const size_t batch = few ? 1 : 4 * (size_t)tin_pool_threads(in->pool);
    atomic_size_t kept = 0;
    read_jobs jobs = {.source = source, .read = read, .context = context, .in = in, .kept = &kept};
    jobs.inner = few ? in->pool : NULL;
    jobs.made = tin_alloc(batch, sizeof *jobs.made, err);
    jobs.errors = tin_alloc(batch, sizeof *jobs.errors, err);
    if (jobs.made == NULL || jobs.errors == NULL) {
        tin_free(jobs.made);
        tin_free(jobs.errors);
        return TIN_ERR_MEMORY;
    }
    tin_progress progress;
    tin_progress_begin(&progress, "data", (long)n, in->quiet);
    for (size_t i = 0; i < n && status == TIN_OK; i += batch) {
        size_t now = n - i < batch ? n - i : batch;
        memset(jobs.errors, 0, batch * sizeof *jobs.errors);
        jobs.first = i;
        if (few)
            read_job(&jobs, 0, 0);
        else
            tin_pool_run(in->pool, (int)now, read_job, &jobs);
        for (size_t k = 0; k < now; k++) {
            if (status == TIN_OK && jobs.errors[k].status != TIN_OK) {
                status = jobs.errors[k].status;
                if (err != NULL)
                    *err = jobs.errors[k];
            }
            status = keep(source, &capacity, &jobs.made[k], status, err);
        }
        tin_progress_update(&progress, (long)(i + now), NULL);
        if (status == TIN_OK && tin_stop_requested())
            status = tin_fail(err, TIN_ERR_INTERRUPTED, "stopped while reading the recordings; run again");
    }
    tin_progress_end(&progress, NULL);
    tin_free(jobs.made);
    tin_free(jobs.errors);
    return status;
}
