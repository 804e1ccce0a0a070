/* Private to src/data: what an importer or the simulator hands over, before counts are made of it.
 *
 * An importer fills a tin_source: channels, labels and recordings, each of one or more tracks with samples at their own
 * times. tin_resample turns each recording into pieces of frames at the project's rate; data.c makes counts, classes
 * and roles of them. The zero of a recording's clock is where its importer wants it, mostly at the first sample. */
#ifndef TIN_RECORDING_H
#define TIN_RECORDING_H

#include "base/pool.h"
#include "base/scratch.h"
#include "data/resample.h"
#include "dataset/dataset.h"
#include "project/config.h"

/* Texts of what was found and mended. */
typedef struct tin_notes {
    char **items;
    size_t n, capacity;
} tin_notes;

tin_status tin_notes_add(tin_notes *notes, tin_error *err, const char *format, ...) TIN_PRINTF(3, 4) TIN_USE_RESULT;
/* Moves all of `from` behind `to`. */
tin_status tin_notes_move(tin_notes *to, tin_notes *from, tin_error *err) TIN_USE_RESULT;
void tin_notes_free(tin_notes *notes);

/* Seconds [start, end) on the recording's clock carry `label`. end may be INFINITY. */
typedef struct tin_span {
    double start, end;
    char *label;
} tin_span;

/* Frames at the project's rate without a gap; the first lies at `start` on the recording's clock. */
typedef struct tin_piece {
    double start;
    int64_t n_frames;
    double *frames;   /* [n_frames][n_channels], unit of the channel; NULL: put aside */
    uint64_t scratch; /* where */
} tin_piece;

/* One sensor: channels [first_channel, first_channel + n_channels) of the source, sampled by one clock. */
typedef struct tin_track {
    int first_channel, n_channels;
    size_t n_samples, capacity;
    double *
        times; /* [n_samples] seconds on the recording's clock, never decreasing; NULL: sample i at start + i / rate_hz */
    double start, rate_hz; /* used when times is NULL */
    double *values;        /* [n_samples][n_channels], unit of the channel */
} tin_track;

/* Seconds on the recording's clock. */
static inline double tin_track_time(const tin_track *t, size_t sample)
{
    return t->times != NULL ? t->times[sample] : t->start + (double)sample / t->rate_hz;
}

typedef struct tin_recording {
    char *id, *subject, *session, *origin;
    bool has_role;     /* the source publishes a split */
    tin_role role;     /* in it */
    int n_channels;    /* of all tracks together */
    tin_track *tracks; /* each channel is in exactly one; freed by tin_resample */
    int n_tracks;
    tin_span *spans; /* sorted by start, never overlapping */
    size_t n_spans, spans_capacity;
    tin_piece *pieces; /* filled by tin_resample */
    size_t n_pieces;
    double period;       /* median seconds between samples of the slowest track, 0: unknown */
    size_t n_duplicates; /* samples with the time of another, averaged */
    double jitter;       /* standard deviation of the seconds between samples of the worst track, gaps left out */
    double greatest[TIN_MAX_CHANNELS]; /* |value| of each channel in all pieces, filled by tin_source_read */
    tin_lineage_file *files;           /* that it was read from; see tin_recording_add_file */
    size_t n_files;
    tin_notes notes;
} tin_recording;

/* One more track without samples, behind those that are there. NULL: no memory. */
tin_track *tin_recording_add_track(tin_recording *r, int n_channels, tin_error *err) TIN_USE_RESULT;
/* One more sample; values is [n_channels]. `time` is stored unless the track has a rate_hz. */
tin_status tin_track_add(tin_track *t, double time, const double *values, tin_error *err) TIN_USE_RESULT;
void tin_recording_free_tracks(tin_recording *r);
/* One more span; copies the label. */
tin_status tin_recording_add_span(tin_recording *r, double start, double end, const char *label,
                                  tin_error *err) TIN_USE_RESULT;
/* One more file of origin, FOLDER/NAME: its size and hash are kept. */
tin_status tin_recording_add_file(tin_recording *r, const char *folder, const char *name,
                                  tin_error *err) TIN_USE_RESULT;
/* The files of another recording, which came from the same. */
tin_status tin_recording_copy_files(tin_recording *r, const tin_recording *from, tin_error *err) TIN_USE_RESULT;
void tin_recording_free(tin_recording *r);

typedef struct tin_source {
    const char *name;                       /* of the dataset */
    tin_channel channels[TIN_MAX_CHANNELS]; /* name and unit owned; scale is set by data.c */
    int n_channels;
    char **labels; /* that the source can have, in order; empty: those that occur */
    bool *events;  /* [n_labels] default of tin_class.event */
    size_t n_labels;
    const char *background; /* label of what no span covers; NULL: none */
    tin_recording *recordings;
    size_t n_recordings;
    tin_notes notes;
} tin_source;

tin_status tin_source_set_channels(tin_source *s, const char *const *names, const char *const *units, int n,
                                   tin_error *err) TIN_USE_RESULT;
tin_status tin_source_add_label(tin_source *s, const char *label, bool event, tin_error *err) TIN_USE_RESULT;
void tin_source_free(tin_source *s);

/* What every importer gets. */
typedef struct tin_import {
    const tin_config_data *settings;
    const char *folder;  /* of the recordings */
    const char *relabel; /* file of data.relabel, "": none. It is no recording, wherever it lies */
    uint64_t seed;
    tin_pool *pool;
    bool quiet;
    tin_scratch *scratch; /* for frames beyond keep_bytes; NULL: all stay in memory */
    size_t keep_bytes;
} tin_import;

/* By the mapping data.import. */
tin_status tin_import_files(const tin_import *in, tin_source *source, tin_error *err) TIN_USE_RESULT;
tin_status tin_simulate(const tin_import *in, tin_source *source, tin_error *err) TIN_USE_RESULT;

/* What a job makes. */
typedef struct tin_recordings {
    tin_recording *items;
    size_t n, capacity;
} tin_recordings;

/* One more, zeroed; NULL: no memory. It stays where it is until the next is added. */
tin_recording *tin_recordings_add(tin_recordings *list, tin_error *err) TIN_USE_RESULT;

/* Runs read(context, index, pool, out, err) for 0 .. n - 1, with a progress bar, resamples what it puts into `out`, and
 * fills the source's recordings in order. Frames beyond keep_bytes are put aside. Many jobs are spread over the pool, and get NULL as pool; few run one after
 * the other and may use it themselves. The error of the first failing job is reported, whatever thread was first. */
typedef tin_status (*tin_read_recording)(const void *context, size_t index, tin_pool *pool, tin_recordings *out,
                                         tin_error *err);
tin_status tin_source_read(const tin_import *in, tin_source *source, size_t n, tin_read_recording read,
                           const void *context, tin_error *err) TIN_USE_RESULT;

/* Averages duplicate times, splits where any track has a gap longer than 5 sample periods, and makes frames at multiples of
 * 1 / rate_hz over the time that all tracks cover. A track whose samples lie there already is passed untouched. Frees the
 * tracks. */
tin_status tin_resample(tin_recording *r, double rate_hz, tin_resampling mode, tin_error *err) TIN_USE_RESULT;

#endif
