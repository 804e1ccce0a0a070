#include "inspect/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_tools.h"
#include "base/memory.h"
#include "inspect/check_parts.h"
#include "inspect/spectrum.h"

#define HISTOGRAM_BINS 20
#define MOST_SEGMENTS 400 /* of a class, evenly spread over the dataset */
#define MOST_SPECTRA 24   /* classes */
#define MOST_CHANNELS 12  /* with spectra */

static const char *const role_names[] = {"train", "validation", "test"};

/* One run of the statistics. */
typedef struct counting {
    const tin_dataset *d;
    tin_people people;
    tin_json_builder b;
    int64_t *frames; /* [people.n][n_classes + 1], the last column: no class */
    int64_t *labels; /* [people.n][n_classes] */
} counting;

static int64_t *frames_of(counting *c, size_t person)
{
    return c->frames + person * (size_t)(c->d->n_classes + 1);
}

static void count_all(counting *c)
{
    const tin_dataset *d = c->d;
    for (size_t i = 0; i < d->n_streams; i++) {
        const tin_stream *s = &d->streams[i];
        int64_t *frames = frames_of(c, c->people.of_stream[i]), outside = s->n_frames;
        for (size_t k = 0; k < s->n_intervals; k++) {
            const tin_interval *v = &s->intervals[k];
            frames[v->class_index >= 0 ? v->class_index : d->n_classes] += v->end - v->start;
            outside -= v->end - v->start;
            if (v->class_index >= 0) {
                c->labels[c->people.of_stream[i] * (size_t)d->n_classes + (size_t)v->class_index]++;
            }
        }
        frames[d->unlabelled >= 0 ? d->unlabelled : d->n_classes] += outside;
    }
}

static json_t *seconds_json(const tin_dataset *d, int64_t frames)
{
    return json_real((double)frames / d->rate_hz);
}

/* Durations sorted, n >= 1; bins of equal ratio from the shortest to the longest. */
static json_t *durations_json(counting *c, double *durations, size_t n)
{
    json_t *o = json_object(), *counts = json_array();
    int64_t bins[HISTOGRAM_BINS] = {0};
    double sum = 0, median = tin_median(durations, n), least = durations[0], most = durations[n - 1];
    double width = log(most / least) / HISTOGRAM_BINS;
    for (size_t i = 0; i < n; i++) {
        int bin = width > 0 ? (int)(log(durations[i] / least) / width) : 0;
        bins[bin < HISTOGRAM_BINS ? bin : HISTOGRAM_BINS - 1]++;
        sum += durations[i];
    }
    for (int k = 0; k < HISTOGRAM_BINS; k++) {
        tin_json_append(&c->b, counts, json_integer(bins[k]));
    }
    tin_json_put(&c->b, o, "min_s", json_real(least));
    tin_json_put(&c->b, o, "median_s", json_real(median));
    tin_json_put(&c->b, o, "mean_s", json_real(sum / (double)n));
    tin_json_put(&c->b, o, "max_s", json_real(most));
    tin_json_put(&c->b, o, "ratio", json_real(exp(width)));
    tin_json_put(&c->b, o, "counts", counts);
    return o;
}

static json_t *class_json(counting *c, int k, double *memory, double all_seconds)
{
    const tin_dataset *d = c->d;
    json_t *o = json_object(), *roles = json_object();
    int64_t frames = 0, of_role[3] = {0};
    size_t n = 0, n_people = 0;
    for (size_t p = 0; p < c->people.n; p++) {
        frames += frames_of(c, p)[k];
        n_people += frames_of(c, p)[k] > 0;
    }
    for (size_t i = 0; i < d->n_streams; i++) {
        const tin_stream *s = &d->streams[i];
        int64_t outside = s->n_frames;
        for (size_t j = 0; j < s->n_intervals; j++) {
            const tin_interval *v = &s->intervals[j];
            outside -= v->end - v->start;
            if (v->class_index == k) {
                memory[n++] = tin_seconds(d, v->end - v->start);
                of_role[s->role] += v->end - v->start;
            }
        }
        of_role[s->role] += d->unlabelled == k ? outside : 0;
    }
    for (int r = 0; r < 3; r++) {
        tin_json_put(&c->b, roles, role_names[r], seconds_json(d, of_role[r]));
    }
    tin_json_put(&c->b, o, "name", json_string(d->classes[k].name));
    tin_json_put(&c->b, o, "event", json_boolean(d->classes[k].event));
    tin_json_put(&c->b, o, "labels", json_integer((json_int_t)n));
    tin_json_put(&c->b, o, "seconds", seconds_json(d, frames));
    tin_json_put(&c->b, o, "share",
                 tin_json_real(all_seconds > 0 ? tin_seconds(d, frames) / all_seconds : (double)NAN));
    tin_json_put(&c->b, o, "people", json_integer((json_int_t)n_people));
    tin_json_put(&c->b, o, "roles", roles);
    tin_json_put(&c->b, o, "durations", n > 0 ? durations_json(c, memory, n) : json_null());
    return o;
}

static json_t *role_json(counting *c, tin_role role)
{
    const tin_dataset *d = c->d;
    json_t *o = json_object();
    size_t streams = 0, people = 0, labels = 0;
    for (size_t i = 0; i < d->n_streams; i++) {
        if (d->streams[i].role == role) {
            streams++;
            labels += d->streams[i].n_intervals;
            people += c->people.first[c->people.of_stream[i]] == i;
        }
    }
    tin_json_put(&c->b, o, "name", json_string(role_names[role]));
    tin_json_put(&c->b, o, "people", json_integer((json_int_t)people));
    tin_json_put(&c->b, o, "streams", json_integer((json_int_t)streams));
    tin_json_put(&c->b, o, "labels", json_integer((json_int_t)labels));
    tin_json_put(&c->b, o, "seconds", seconds_json(d, tin_dataset_frames(d, role)));
    return o;
}

static json_t *person_json(counting *c, size_t person)
{
    const tin_dataset *d = c->d;
    json_t *o = json_object(), *seconds = json_array(), *labels = json_array();
    size_t streams = 0;
    int64_t frames = 0;
    for (size_t i = 0; i < d->n_streams; i++) {
        streams += c->people.of_stream[i] == person;
    }
    for (int k = 0; k <= d->n_classes; k++) {
        frames += frames_of(c, person)[k];
        tin_json_append(&c->b, seconds, seconds_json(d, frames_of(c, person)[k]));
        if (k < d->n_classes) {
            tin_json_append(&c->b, labels, json_integer(c->labels[person * (size_t)d->n_classes + (size_t)k]));
        }
    }
    tin_json_put(&c->b, o, "name", json_string(d->streams[c->people.first[person]].subject));
    tin_json_put(&c->b, o, "role", json_string(role_names[d->streams[c->people.first[person]].role]));
    tin_json_put(&c->b, o, "streams", json_integer((json_int_t)streams));
    tin_json_put(&c->b, o, "seconds", seconds_json(d, frames));
    tin_json_put(&c->b, o, "class_seconds", seconds);
    tin_json_put(&c->b, o, "class_labels", labels);
    return o;
}

static json_t *stream_json(counting *c, const tin_stream *s)
{
    json_t *o = json_object();
    const tin_lineage *l = &s->lineage;
    tin_json_put(&c->b, o, "id", json_string(s->id));
    tin_json_put(&c->b, o, "subject", json_string(s->subject));
    tin_json_put(&c->b, o, "session", json_string(s->session));
    tin_json_put(&c->b, o, "role", json_string(role_names[s->role]));
    tin_json_put(&c->b, o, "seconds", seconds_json(c->d, s->n_frames));
    tin_json_put(&c->b, o, "labels", json_integer((json_int_t)s->n_intervals));
    tin_json_put(&c->b, o, "source_rate_hz", l->rate_hz > 0 ? json_real(l->rate_hz) : json_null());
    tin_json_put(&c->b, o, "source_jitter_s", l->rate_hz > 0 ? tin_json_real(l->jitter_s) : json_null());
    tin_json_put(&c->b, o, "source_gaps", json_integer(l->n_gaps));
    tin_json_put(&c->b, o, "source_duplicates", json_integer(l->n_duplicates));
    tin_json_put(&c->b, o, "clipped_values", json_integer(s->n_clipped));
    return o;
}

/* Goes through the stretches of class k; *sums NULL: only counts their segments, else every `every`-th is added. Returns
 * how many it met, or added. */
static int64_t walk_class(counting *c, tin_spectrum *spectrum, int k, int64_t every, double *sums)
{
    const tin_dataset *d = c->d;
    const int bins = tin_spectrum_bins(spectrum),
              n_channels = d->n_channels < MOST_CHANNELS ? d->n_channels : MOST_CHANNELS;
    int64_t met = 0, added = 0;
    for (size_t i = 0; i < d->n_streams; i++) {
        const tin_stream *s = &d->streams[i];
        int64_t end = 0;
        for (size_t j = 0; j < 2 * s->n_intervals + 1; j++) { /* gaps at even j, labels at odd j */
            tin_interval v = {end, j / 2 < s->n_intervals ? s->intervals[j / 2].start : s->n_frames, d->unlabelled};
            v = j % 2 == 1 ? s->intervals[j / 2] : v;
            end = v.end;
            int64_t n = v.class_index == k ? tin_spectrum_segments(spectrum, v.end - v.start) : 0;
            for (int64_t at = 0; at < n; at++, met++) {
                if (!sums || met % every != 0) {
                    continue;
                }
                added++;
                for (int ch = 0; ch < n_channels; ch++) {
                    tin_spectrum_add(spectrum, d, s, ch, v.start, v.end, at, sums + ch * bins);
                }
            }
        }
        if (sums) {
            tin_dataset_forget(d);
        }
    }
    return sums ? added : met;
}

static json_t *spectrum_json(counting *c, tin_spectrum *spectrum, int k, double *sums)
{
    const tin_dataset *d = c->d;
    int bins = tin_spectrum_bins(spectrum), n_channels = d->n_channels < MOST_CHANNELS ? d->n_channels : MOST_CHANNELS;
    json_t *o = json_object(), *channels = json_array();
    memset(sums, 0, (size_t)(n_channels * bins) * sizeof *sums);
    int64_t n = walk_class(c, spectrum, k, 1, NULL), used = walk_class(c, spectrum, k, n / MOST_SEGMENTS + 1, sums);
    for (int ch = 0; ch < n_channels && used > 0; ch++) {
        json_t *values = json_array();
        for (int i = 0; i < bins; i++) {
            tin_json_append(&c->b, values, json_real(sums[ch * bins + i] / (double)used));
        }
        tin_json_append(&c->b, channels, values);
    }
    tin_json_put(&c->b, o, "class", json_string(d->classes[k].name));
    tin_json_put(&c->b, o, "segments", json_integer(used));
    tin_json_put(&c->b, o, "density", channels);
    return o;
}

static tin_status add_spectra(counting *c, json_t *root, tin_error *err)
{
    const tin_dataset *d = c->d;
    tin_spectrum *spectrum = NULL;
    tin_status status = tin_spectrum_create(&spectrum, d->rate_hz, err);
    if (status) {
        return status;
    }
    double *sums = tin_alloc((size_t)(MOST_CHANNELS * tin_spectrum_bins(spectrum)), sizeof *sums, err);
    json_t *o = json_object(), *classes = json_array(), *channels = json_array();
    for (int k = 0; k < d->n_classes && k < MOST_SPECTRA && sums; k++) {
        tin_json_append(&c->b, classes, spectrum_json(c, spectrum, k, sums));
    }
    for (int ch = 0; ch < d->n_channels && ch < MOST_CHANNELS; ch++) {
        tin_json_append(&c->b, channels, json_string(d->channels[ch].name));
    }
    tin_json_put(&c->b, o, "step_hz", json_real(d->rate_hz / tin_spectrum_frames(spectrum)));
    tin_json_put(&c->b, o, "channels", channels);
    tin_json_put(&c->b, o, "classes", classes);
    tin_json_put(&c->b, root, "spectra", o);
    tin_spectrum_free(spectrum);
    status = sums ? TIN_OK : TIN_ERR_MEMORY;
    tin_free(sums);
    return status;
}

static void add_dataset(counting *c, json_t *root, double seconds)
{
    const tin_dataset *d = c->d;
    json_t *o = json_object(), *channels = json_array();
    for (int i = 0; i < d->n_channels; i++) {
        json_t *channel = json_object();
        tin_json_put(&c->b, channel, "name", json_string(d->channels[i].name));
        tin_json_put(&c->b, channel, "unit", json_string(d->channels[i].unit));
        tin_json_append(&c->b, channels, channel);
    }
    tin_json_put(&c->b, o, "name", json_string(d->name));
    tin_json_put(&c->b, o, "hash", json_string(d->hash));
    tin_json_put(&c->b, o, "rate_hz", json_real(d->rate_hz));
    tin_json_put(&c->b, o, "seconds", json_real(seconds));
    tin_json_put(&c->b, o, "streams", json_integer((json_int_t)d->n_streams));
    tin_json_put(&c->b, o, "people", json_integer((json_int_t)c->people.n));
    tin_json_put(&c->b, o, "channels", channels);
    tin_json_put(&c->b, root, "dataset", o);
}

static tin_status add_classes(counting *c, json_t *root, double seconds, tin_error *err)
{
    const tin_dataset *d = c->d;
    size_t n = 1;
    int64_t frames = 0;
    for (size_t i = 0; i < d->n_streams; i++) {
        n += d->streams[i].n_intervals;
    }
    double *memory = tin_alloc(n, sizeof *memory, err);
    json_t *classes = json_array(), *none = json_object();
    for (int k = 0; k < d->n_classes && memory; k++) {
        tin_json_append(&c->b, classes, class_json(c, k, memory, seconds));
    }
    tin_free(memory);
    for (size_t p = 0; p < c->people.n; p++) {
        frames += frames_of(c, p)[d->n_classes];
    }
    tin_json_put(&c->b, none, "seconds", seconds_json(d, frames));
    tin_json_put(&c->b, none, "share", tin_json_real(seconds > 0 ? tin_seconds(d, frames) / seconds : (double)NAN));
    tin_json_put(&c->b, root, "classes", classes);
    tin_json_put(&c->b, root, "no_class", none);
    return memory ? TIN_OK : TIN_ERR_MEMORY;
}

static tin_status make_json(counting *c, json_t *root, tin_error *err)
{
    const tin_dataset *d = c->d;
    int64_t frames = 0;
    json_t *roles = json_array(), *people = json_array(), *streams = json_array();
    count_all(c);
    for (size_t i = 0; i < d->n_streams; i++) {
        frames += d->streams[i].n_frames;
        tin_json_append(&c->b, streams, stream_json(c, &d->streams[i]));
    }
    for (int role = 0; role < 3; role++) {
        tin_json_append(&c->b, roles, role_json(c, (tin_role)role));
    }
    for (size_t p = 0; p < c->people.n; p++) {
        tin_json_append(&c->b, people, person_json(c, p));
    }
    add_dataset(c, root, tin_seconds(d, frames));
    tin_json_put(&c->b, root, "roles", roles);
    tin_json_put(&c->b, root, "people", people);
    tin_json_put(&c->b, root, "streams", streams);
    tin_status status = add_classes(c, root, tin_seconds(d, frames), err);
    status = status ? status : add_spectra(c, root, err);
    if (!status && c->b.failed) {
        status = tin_fail(err, TIN_ERR_MEMORY, "out of memory for the statistics");
    }
    return status;
}

tin_status tin_stats_json(json_t **json, const tin_dataset *dataset, tin_error *err)
{
    counting c = {.d = dataset};
    *json = NULL;
    tin_status status = tin_people_find(&c.people, dataset, err);
    if (status) {
        return status;
    }
    c.frames = tin_alloc(c.people.n * (size_t)(dataset->n_classes + 1), sizeof *c.frames, err);
    c.labels = tin_alloc(c.people.n * (size_t)dataset->n_classes, sizeof *c.labels, err);
    json_t *root = json_object();
    status = c.frames && c.labels ? make_json(&c, root, err) : TIN_ERR_MEMORY;
    if (status) {
        json_decref(root);
    } else {
        *json = root;
    }
    tin_free(c.frames);
    tin_free(c.labels);
    tin_people_free(&c.people);
    return status;
}
