/* The dataset: labelled sensor streams in one binary, memory-mapped file. Built by src/data, read by every later stage.
 *
 *     tin_dataset *d = NULL;
 *     if (tin_dataset_open(&d, "data/dataset.tind", &err)) ...
 *     for (size_t i = 0; i < d->n_streams; i++) { const tin_stream *s = &d->streams[i]; ... s->counts[t * d->n_channels
 * + c] ... } tin_dataset_close(d);
 *
 * Units: counts are int16 as a device's sensor register would hold them; counts * channel.scale is the value in
 * channel.unit. File format: docs/dataset-format.md. Every length is checked against the bytes that are there before it
 * is used. */
#ifndef TIN_DATASET_H
#define TIN_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define TIN_MAX_CHANNELS 64
#define TIN_MAX_CLASSES 200
#define TIN_LINEAGE_MOST_NOTES 20
#define TIN_LABEL_IGNORE (-1) /* frame with no label: not trained on, not counted in frame metrics */

typedef enum tin_role { TIN_ROLE_TRAIN, TIN_ROLE_VALIDATION, TIN_ROLE_TEST } tin_role;

typedef struct tin_channel {
    char *name;
    char *unit;   /* "g", "m/s^2", "rad/s" */
    double scale; /* unit per count, > 0 */
} tin_channel;

typedef struct tin_class {
    char *name;
    bool event; /* true: something that happens and triggers; false: a background state (rejection) */
} tin_class;

/* Frames [start, end) carry class_index, which may be TIN_LABEL_IGNORE: the source has a label there that is no class of
 * this dataset (frames outside every interval take tin_dataset.unlabelled). Sorted by start, never overlapping. */
typedef struct tin_interval {
    int64_t start, end;
    int32_t class_index;
} tin_interval;

/* A file that a stream was made from. */
typedef struct tin_lineage_file {
    char *path; /* below the folder of the recordings */
    int64_t bytes;
    char sha256[65];
} tin_lineage_file;

/* Where a stream comes from and what was mended on the way. */
typedef struct tin_lineage {
    tin_lineage_file *files; /* [n_files]; none: simulated */
    size_t n_files;
    double rate_hz,
        jitter_s; /* of the samples: rate (of the slowest sensor), deviation of their distances; 0: unknown */
    int64_t n_duplicates, n_gaps; /* samples with the time of another, gaps at which the recording was split */
    char **notes;   /* [n_notes] what else was mended in this recording: labels that were cut, rows left out */
    size_t n_notes; /* at most TIN_LINEAGE_MOST_NOTES */
} tin_lineage;

typedef struct tin_stream {
    char *id;      /* unique: "exp01_user01" */
    char *subject; /* unit of the split */
    char *session; /* "" when unknown */
    char *origin;  /* file that it came from, as given */
    tin_role role;
    int64_t n_frames;
    const int16_t *counts;   /* [n_frames][n_channels] */
    tin_interval *intervals; /* [n_intervals] */
    size_t n_intervals;
    int64_t n_clipped;    /* values that did not fit int16 at import */
    char counts_hash[65]; /* SHA-256 of the counts; set by the builder */
    tin_lineage lineage;  /* no part of the dataset's hash */
} tin_stream;

typedef struct tin_dataset {
    char *name;
    double rate_hz;
    int n_channels, n_classes;
    tin_channel *channels; /* [n_channels] */
    tin_class *classes;    /* [n_classes] */
    int32_t unlabelled;    /* class of frames outside every interval, or TIN_LABEL_IGNORE */
    tin_stream *streams;   /* [n_streams] */
    size_t n_streams;
    char *program, *settings; /* that made it: version, canonical text; "": unknown. No part of the hash */
    char hash[65]; /* SHA-256 of the content: streams, labels, split, metadata; not of its lineage, name or age */
    void *owner;   /* private: map or builder memory */
} tin_dataset;

/* Opens and checks everything but the counts. On failure *dataset is NULL. */
tin_status tin_dataset_open(tin_dataset **dataset, const char *path, tin_error *err) TIN_USE_RESULT;
/* Reads all counts; TIN_ERR_FORMAT when a stream's differ from their hash. */
tin_status tin_dataset_verify(const tin_dataset *dataset, tin_error *err) TIN_USE_RESULT;
/* Tells the system that the pages read so far need not stay in this process's memory. Reading goes on as before, from
 * any thread. Whoever reads a whole dataset calls it now and then, so that one greater than the memory can be read. */
void tin_dataset_forget(const tin_dataset *dataset);
/* The same when enough has been read: *bytes is the caller's count, and grows by `places` of `bytes_each`. */
void tin_dataset_touched(const tin_dataset *dataset, size_t *bytes, size_t places, size_t bytes_each);
/* NULL is allowed. */
void tin_dataset_close(tin_dataset *dataset);

/* What forbids a text as a name, id or label in a dataset ("is not valid UTF-8"), or NULL: for importers, who know the
 * line. */
const char *tin_dataset_text_fault(const char *text, bool may_be_empty);

/* Label per frame, labels[n_frames]: class index or TIN_LABEL_IGNORE. */
void tin_dataset_labels(const tin_dataset *dataset, const tin_stream *stream, int16_t *labels);
/* Frames of all streams with that role. */
int64_t tin_dataset_frames(const tin_dataset *dataset, tin_role role);

/* Building, into a file beside `path` that takes its place in the end. Order of streams is kept; the hash depends on it.
 * Counts go to the file at once, so that the memory does not grow with them. */
typedef struct tin_dataset_builder tin_dataset_builder;
/* Of `head` all but the streams and the hash is used; program and settings may be NULL. */
tin_status tin_dataset_builder_create(tin_dataset_builder **builder, const char *path, const tin_dataset *head,
                                      tin_error *err) TIN_USE_RESULT;
/* `stream` as in tin_stream; all of it is copied or written. Refuses with TIN_ERR_DATA, naming stream->origin: duplicate id, overlapping, empty or
 * outside intervals, unknown class; the builder can be used on. */
tin_status tin_dataset_builder_add(tin_dataset_builder *builder, const tin_stream *stream,
                                   tin_error *err) TIN_USE_RESULT;
/* Puts the file in place, once. hash may be NULL. Afterwards the builder can only be freed. */
tin_status tin_dataset_builder_finish(tin_dataset_builder *builder, char hash[65], tin_error *err) TIN_USE_RESULT;
/* An unfinished file is removed. NULL is allowed. */
void tin_dataset_builder_free(tin_dataset_builder *builder);

#endif
