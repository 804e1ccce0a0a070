#include "data/data.h"

#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/class_map.h"
#include "data/label_rules.h"
#include "data/leaks.h"
#include "data/recording.h"
#include "data/relabel.h"
#include "data/split.h"

#define KEEP_BYTES ((size_t)128 << 20)
#define ROUNDING_FRAMES 1e-6 /* a border this little behind a frame still belongs to it */
#define NOTED_JITTER 0.2     /* of the period */

/* Kinds of sensors by unit, with the full scale of a common wrist IMU in that unit: 8 g, 2000 degrees per second. */
typedef struct unit_kind {
    const char *unit;
    bool rotation;
    double range;
} unit_kind;

static const unit_kind unit_kinds[] = {
    {"g", false, 8},
    {"mg", false, 8000},
    {"m/s^2", false, 8 * 9.80665},
    {"m/s2", false, 8 * 9.80665},
    {"rad/s", true, 2000 * 3.14159265358979323846 / 180},
    {"mrad/s", true, 2e6 * 3.14159265358979323846 / 180},
    {"deg/s", true, 2000},
    {"dps", true, 2000},
    {"mdps", true, 2e6},
};

static double greatest(const tin_source *source, int channel)
{
    double most = 0;
    for (size_t i = 0; i < source->n_recordings; i++)
        most = fmax(most, source->recordings[i].greatest[channel]);
    return most;
}

/* scale = range / 32768, as sensors count; for other units the greatest value becomes 32767. */
static void set_scales(const tin_config_data *settings, tin_source *source)
{
    for (int c = 0; c < source->n_channels; c++) {
        double range = 0;
        for (size_t i = 0; i < sizeof unit_kinds / sizeof *unit_kinds; i++)
            if (strcmp(source->channels[c].unit, unit_kinds[i].unit) == 0) {
                double given = unit_kinds[i].rotation ? settings->range_gyro : settings->range_accel;
                range = given > 0 ? given : unit_kinds[i].range;
            }
        double most = range > 0 ? 0 : greatest(source, c);
        source->channels[c].scale = range > 0 ? range / 32768 : most > 0 ? most / 32767 : 1;
    }
}

static int64_t make_counts(const tin_source *source, const double *frames, int64_t n_frames, int16_t *counts)
{
    int64_t clipped = 0;
    for (int64_t t = 0; t < n_frames; t++)
        for (int c = 0; c < source->n_channels; c++) {
            int64_t i = t * source->n_channels + c;
            double count = round(frames[i] / source->channels[c].scale);
            clipped += count > INT16_MAX || count < INT16_MIN;
            counts[i] = (int16_t)fmin(fmax(count, INT16_MIN), INT16_MAX);
        }
    return clipped;
}

/* First frame of the piece at or after `time` (seconds from the recording's first sample), within 0..n_frames. */
static int64_t frame_at(const tin_piece *p, double time, double rate_hz)
{
    double frame = ceil((time - p->start) * rate_hz - ROUNDING_FRAMES);
    return frame <= 0 ? 0 : frame >= (double)p->n_frames ? p->n_frames : (int64_t)frame;
}

/* intervals[r->n_spans] */
static size_t make_intervals(const tin_recording *r, const tin_piece *p, double rate_hz, const tin_class_map *map,
                             tin_interval *intervals)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n_spans; i++) {
        int64_t start = frame_at(p, r->spans[i].start, rate_hz), end = frame_at(p, r->spans[i].end, rate_hz);
        if (start < end)
            intervals[n++] = (tin_interval){start, end, map->targets[tin_class_map_find(map, r->spans[i].label)]};
    }
    return n;
}

typedef struct build {
    const tin_config_data *settings;
    const tin_source *source;
    tin_scratch *scratch;
    const tin_class_map *map;
    tin_dataset_builder *builder;
    tin_leaks *leaks;
    tin_label_rules *rules;
    tin_relabel *relabel;
    tin_data_report *report;
    int64_t (*frames)[3]; /* [n_classes] by role */
} build;

static void count_frames(const build *b, const tin_stream *s)
{
    int64_t outside = s->n_frames;
    for (size_t i = 0; i < s->n_intervals; i++) {
        const tin_interval *v = &s->intervals[i];
        outside -= v->end - v->start;
        if (v->class_index != TIN_LABEL_IGNORE)
            b->frames[v->class_index][s->role] += v->end - v->start;
    }
    if (b->map->unlabelled != TIN_LABEL_IGNORE)
        b->frames[b->map->unlabelled][s->role] += outside;
}

/* Brings frames that were put aside back for as long as they are needed. */
static tin_status fetch_frames(const build *b, const tin_piece *p, const double **frames, double **fetched,
                               tin_error *err)
{
    const size_t n = (size_t)p->n_frames * (size_t)b->source->n_channels;
    *frames = p->frames;
    if (p->frames != NULL)
        return TIN_OK;
    *fetched = tin_alloc(n, sizeof **fetched, err);
    *frames = *fetched;
    return *fetched != NULL ? tin_scratch_get(b->scratch, p->scratch, *fetched, n * sizeof **fetched, err)
                            : TIN_ERR_MEMORY;
}

/* `notes` has room for TIN_LINEAGE_MOST_NOTES; those that a dataset cannot hold, or beyond that many, are only printed. */
static tin_lineage lineage_of(const tin_recording *r, char **notes)
{
    size_t n = 0;
    for (size_t i = 0; i < r->notes.n && n < TIN_LINEAGE_MOST_NOTES; i++)
        if (tin_dataset_text_fault(r->notes.items[i], false) == NULL)
            notes[n++] = r->notes.items[i];
    return (tin_lineage){.files = r->files,
                         .n_files = r->n_files,
                         .rate_hz = r->period > 0 ? 1 / r->period : 0,
                         .jitter_s = r->jitter,
                         .n_duplicates = (int64_t)r->n_duplicates,
                         .n_gaps = (int64_t)r->n_pieces - 1,
                         .notes = notes,
                         .n_notes = n};
}

/* The piece, or the part of it that a segment of the split holds. */
static tin_piece part_of(const build *b, const tin_piece *p, const tin_split_segment *segment, int64_t *first)
{
    const int64_t last = frame_at(p, segment->end, b->settings->rate_hz);
    *first = frame_at(p, segment->start, b->settings->rate_hz);
    return (tin_piece){.start = p->start + (double)*first / b->settings->rate_hz,
                       .n_frames = last > *first ? last - *first : 0};
}

/* Streams behind the first of a recording are called id-2, id-3, ... */
static tin_status add_stream(const build *b, const tin_recording *r, const tin_piece *part, const double *frames,
                             tin_role role, size_t number, tin_error *err)
{
    char *id = tin_alloc(strlen(r->id) + 24, 1, err);
    int16_t *counts = tin_alloc((size_t)part->n_frames * (size_t)b->source->n_channels, sizeof *counts, err);
    tin_interval *intervals = NULL;
    char *notes[TIN_LINEAGE_MOST_NOTES];
    tin_status status = TIN_ERR_MEMORY;
    if (id == NULL || counts == NULL)
        goto cleanup;
    if (number == 1)
        (void)sprintf(id, "%s", r->id);
    else
        (void)sprintf(id, "%s-%zu", r->id, number);
    intervals = tin_alloc(r->n_spans + tin_relabel_room(b->relabel, id), sizeof *intervals, err);
    if (intervals == NULL)
        goto cleanup;
    tin_stream stream = {.id = id,
                         .subject = r->subject,
                         .session = r->session,
                         .origin = r->origin,
                         .role = role,
                         .n_frames = part->n_frames,
                         .counts = counts,
                         .intervals = intervals,
                         .lineage = lineage_of(r, notes)};
    stream.n_clipped = make_counts(b->source, frames, part->n_frames, counts);
    stream.n_intervals = make_intervals(r, part, b->settings->rate_hz, b->map, intervals);
    status = tin_label_rules_apply(b->rules, &stream, intervals, b->source->n_channels, err);
    if (status == TIN_OK)
        status = tin_relabel_apply(b->relabel, &stream, intervals, err);
    if (status == TIN_OK)
        status = tin_dataset_builder_add(b->builder, &stream, err);
    if (status == TIN_OK)
        status = tin_leaks_add(b->leaks, &stream, err);
    count_frames(b, &stream);
    b->report->n_streams++;
    b->report->n_intervals += stream.n_intervals;
    b->report->n_frames += stream.n_frames;
    b->report->n_clipped += stream.n_clipped;
cleanup:
    tin_free(id);
    tin_free(counts);
    tin_free(intervals);
    return status;
}

/* One piece becomes a stream per segment of the split that it lies in. */
static tin_status add_piece(const build *b, const tin_recording *r, const tin_piece *p,
                            const tin_split_segment *segments, size_t n_segments, size_t *number, tin_error *err)
{
    const double *frames = NULL;
    double *fetched = NULL;
    tin_status status = fetch_frames(b, p, &frames, &fetched, err);
    for (size_t i = 0; i < n_segments && status == TIN_OK; i++) {
        int64_t first = 0;
        const tin_piece part = part_of(b, p, &segments[i], &first);
        if (part.n_frames > 0)
            status = add_stream(b, r, &part, frames + first * b->source->n_channels, segments[i].role, ++*number, err);
    }
    tin_free(fetched);
    return status;
}

/* A label that lies between two frames, or in a gap, is in no stream: one note per recording. */
static tin_status note_lost_labels(tin_source *source, double rate_hz, tin_error *err)
{
    tin_status status = TIN_OK;
    for (size_t i = 0; i < source->n_recordings && status == TIN_OK; i++) {
        tin_recording *r = &source->recordings[i];
        const tin_span *first = NULL;
        size_t lost = 0;
        for (size_t k = 0; k < r->n_spans; k++) {
            bool held = false;
            for (size_t p = 0; p < r->n_pieces && !held; p++)
                held = frame_at(&r->pieces[p], r->spans[k].start, rate_hz) <
                       frame_at(&r->pieces[p], r->spans[k].end, rate_hz);
            first = held || first != NULL ? first : &r->spans[k];
            lost += !held;
        }
        if (lost > 0)
            status = tin_notes_add(&r->notes, err,
                                   "%s: %zu labels hold no frame (they lie between two, or in a gap) and are left out; "
                                   "the first is %s at %.10g s",
                                   r->origin, lost, first->label, first->start);
    }
    return status;
}

static tin_status add_streams(const build *b, const tin_split *split, tin_error *err)
{
    tin_split_segment segments[TIN_SPLIT_MOST_FOLDS];
    for (size_t i = 0; i < b->source->n_recordings; i++) {
        const tin_recording *r = &b->source->recordings[i];
        const tin_piece *last = &r->pieces[r->n_pieces - 1];
        size_t number = 0,
               n = tin_split_segments(split, i, last->start + (double)last->n_frames / b->settings->rate_hz, segments);
        for (size_t k = 0; k < r->n_pieces; k++) {
            tin_status status = add_piece(b, r, &r->pieces[k], segments, n, &number, err);
            if (status != TIN_OK)
                return status;
        }
        bool seen = false;
        for (size_t k = 0; k < i && !seen; k++)
            seen = strcmp(b->source->recordings[k].subject, r->subject) == 0;
        b->report->n_subjects += !seen;
    }
    return TIN_OK;
}

/* A leaking split is refused unless it is wanted; then it is said. */
static tin_status check_leaks(const build *b, tin_source *source, tin_error *err)
{
    static const char *const names[3] = {"training", "validation", "test"};
    tin_leak leak;
    char text[700];
    tin_status status = tin_leaks_find(b->leaks, &leak, err);
    if (status != TIN_OK || leak.n_pairs == 0)
        return status;
    (void)snprintf(
        text, sizeof text,
        "%zu pairs of recordings on different sides of the split hold the same signal; most: %.0f %% of '%.200s' "
        "(%s) and '%.200s' (%s)",
        leak.n_pairs, 100 * leak.share, leak.first, names[leak.roles[0]], leak.second, names[leak.roles[1]]);
    return b->settings->split.allow_leak
               ? tin_notes_add(&source->notes, err, "%s", text)
               : tin_fail(err, TIN_ERR_DATA,
                          "%s; the test would be of what was trained on: leave one of them out, give both the same "
                          "subject, or write data.split.allow_leak: true",
                          text);
}

static tin_status note_rules(const tin_label_rules *rules, tin_source *source, tin_error *err)
{
    tin_status status = TIN_OK;
    for (unsigned i = 0; i < rules->n && status == TIN_OK; i++)
        status = tin_notes_add(&source->notes, err, "rule %u of data.labels (%s) changed %lld labels", i + 1,
                               rules->rules[i].given->rule, (long long)rules->rules[i].n_labels);
    return status;
}

static tin_status note_relabel(const tin_config_data *settings, const tin_relabel *relabel, tin_source *source,
                               tin_error *err)
{
    return relabel->path == NULL ? TIN_OK
                                 : tin_notes_add(&source->notes, err, "data.relabel (%s) changed %zu labels",
                                                 settings->relabel, relabel->n_labels);
}

/* Two ways of splitting put the same people on all sides, and figures then say nothing about others. */
static tin_status note_split(const tin_config_data *settings, tin_source *source, tin_error *err)
{
    const char *by = settings->split.by != NULL ? settings->split.by : "";
    return strcmp(by, "session") != 0 && strcmp(by, "time") != 0
               ? TIN_OK
               : tin_notes_add(&source->notes, err,
                               "the split is by %s: the same people are trained on and tested, so that the figures "
                               "hold for them, not for others",
                               by);
}

/* One note for all samples with equal times: it is common, and one per recording would hide the others. */
static tin_status note_duplicates(tin_source *source, tin_error *err)
{
    size_t recordings = 0, samples = 0;
    const tin_recording *worst = NULL;
    for (size_t i = 0; i < source->n_recordings; i++) {
        const tin_recording *r = &source->recordings[i];
        recordings += r->n_duplicates > 0;
        samples += r->n_duplicates;
        if (r->n_duplicates > 0 && (worst == NULL || r->n_duplicates > worst->n_duplicates))
            worst = r;
    }
    return worst == NULL
               ? TIN_OK
               : tin_notes_add(&source->notes, err,
                               "%zu samples in %zu of %zu recordings have the time of another and were averaged; "
                               "most in %s: %zu",
                               samples, recordings, source->n_recordings, worst->origin, worst->n_duplicates);
}

/* One note for all recordings whose clock trembles, and one for those whose frequencies above half the rate fold down. */
static tin_status note_clocks(const tin_config_data *settings, tin_source *source, tin_error *err)
{
    size_t trembling = 0, faster = 0;
    double worst = 0, shortest = INFINITY;
    for (size_t i = 0; i < source->n_recordings; i++) {
        const tin_recording *r = &source->recordings[i];
        trembling += r->jitter > NOTED_JITTER * r->period;
        worst = fmax(worst, r->jitter);
        bool fast = r->period > 0 && r->period * settings->rate_hz < 0.75;
        faster += fast;
        shortest = fast ? fmin(shortest, r->period) : shortest;
    }
    tin_status status = TIN_OK;
    if (trembling > 0)
        status =
            tin_notes_add(&source->notes, err,
                          "%zu of %zu recordings have samples at uneven times (deviation up to %.3g s); interpolated",
                          trembling, source->n_recordings, worst);
    if (faster > 0 && status == TIN_OK && tin_resampling_find(settings->resample) == TIN_RESAMPLE_LINEAR)
        status =
            tin_notes_add(&source->notes, err,
                          "%zu of %zu recordings are faster (period down to %.3g s) than %g Hz; interpolated without a "
                          "low-pass filter (data.resample)",
                          faster, source->n_recordings, shortest, settings->rate_hz);
    return status;
}

static tin_status note_labels(const tin_class_map *map, tin_source *source, tin_error *err)
{
    tin_status status = TIN_OK;
    for (size_t i = 0; i < map->n_labels && status == TIN_OK; i++)
        if (!map->mapped[i])
            status = tin_notes_add(&source->notes, err,
                                   "label '%s' is in no class of data.classes; its frames are ignored", map->labels[i]);
    return status;
}

/* A class that nobody shows while training cannot be learned, and one that nobody shows in the test is not measured. */
static tin_status note_missing_classes(const build *b, tin_source *source, tin_error *err)
{
    static const char *const roles[3] = {"training", "validation", "test"};
    tin_status status = TIN_OK;
    for (int c = 0; c < b->map->n_classes; c++)
        for (int r = 0; r < 3 && status == TIN_OK; r++)
            if (b->frames[c][r] == 0)
                status =
                    tin_notes_add(&source->notes, err, "class '%s' has no frames in %s; choose other subjects for it",
                                  b->map->classes[c].name, roles[r]);
    return status;
}

static tin_status note_clipping(tin_source *source, const tin_data_report *report, tin_error *err)
{
    return report->n_clipped == 0 ? TIN_OK
                                  : tin_notes_add(&source->notes, err,
                                                  "%lld values are greater than the range and were clipped; see "
                                                  "data.range_accel and data.range_gyro",
                                                  (long long)report->n_clipped);
}

static tin_status write_dataset(const tin_import *in, const tin_data_options *options, tin_source *source,
                                const char *path, char hash[65], tin_data_report *report, tin_error *err)
{
    tin_class_map map = {0};
    build b = {.settings = in->settings, .source = source, .scratch = in->scratch, .map = &map, .report = report};
    tin_split split = {0};
    tin_label_rules rules = {0};
    tin_relabel relabel = {0};
    b.rules = &rules;
    b.relabel = &relabel;
    tin_status status = tin_class_map_make(&map, in->settings, source, err);
    b.frames = tin_alloc((size_t)map.n_classes, sizeof *b.frames, err);
    if (status == TIN_OK && b.frames == NULL)
        status = TIN_ERR_MEMORY;
    if (status == TIN_OK)
        status = tin_split_make(&split, in->settings, source, &map, options->split_file, err);
    if (status == TIN_OK)
        status = tin_label_rules_make(&rules, in->settings, map.classes, map.n_classes, err);
    if (status == TIN_OK && in->relabel[0] != '\0')
        status = tin_relabel_read(&relabel, in->relabel, in->settings->rate_hz, map.classes, map.n_classes, err);
    if (status == TIN_OK)
        status = tin_leaks_create(&b.leaks, source->n_channels, err);
    if (status == TIN_OK) {
        set_scales(in->settings, source);
        const tin_dataset head = {.name = (char *)(uintptr_t)source->name,
                                  .rate_hz = in->settings->rate_hz,
                                  .n_channels = source->n_channels,
                                  .n_classes = map.n_classes,
                                  .channels = source->channels,
                                  .classes = map.classes,
                                  .unlabelled = map.unlabelled,
                                  .program = (char *)(uintptr_t)TINAMOU_VERSION,
                                  .settings = (char *)(uintptr_t)options->settings_text};
        status = tin_dataset_builder_create(&b.builder, path, &head, err);
    }
    if (status == TIN_OK)
        status = note_lost_labels(source, in->settings->rate_hz, err);
    if (status == TIN_OK)
        status = add_streams(&b, &split, err);
    if (status == TIN_OK)
        status = tin_relabel_finish(&relabel, err);
    if (status == TIN_OK)
        status = check_leaks(&b, source, err);
    if (status == TIN_OK)
        status = tin_dataset_builder_finish(b.builder, hash, err);
    if (status == TIN_OK)
        status = note_rules(&rules, source, err);
    if (status == TIN_OK)
        status = note_relabel(in->settings, &relabel, source, err);
    if (status == TIN_OK)
        status = note_split(in->settings, source, err);
    if (status == TIN_OK)
        status = note_duplicates(source, err);
    if (status == TIN_OK)
        status = note_clocks(in->settings, source, err);
    if (status == TIN_OK)
        status = note_labels(&map, source, err);
    if (status == TIN_OK)
        status = note_missing_classes(&b, source, err);
    if (status == TIN_OK)
        status = note_clipping(source, report, err);
    tin_dataset_builder_free(b.builder);
    tin_class_map_free(&map);
    tin_label_rules_free(&rules);
    tin_relabel_free(&relabel);
    tin_leaks_free(b.leaks);
    tin_split_free(&split);
    tin_free(b.frames);
    return status;
}

/* The notes of the whole source, then those of the recordings, in their order. */
static tin_status collect_notes(tin_source *source, tin_data_report *report, tin_error *err)
{
    tin_notes all = {0};
    tin_status status = tin_notes_move(&all, &source->notes, err);
    for (size_t i = 0; i < source->n_recordings && status == TIN_OK; i++)
        status = tin_notes_move(&all, &source->recordings[i].notes, err);
    report->warnings = all.items;
    report->n_warnings = all.n;
    return status;
}

bool tin_data_is_own_file(const char *name)
{
    static const char *const own[] = {"tinamou.yaml", "check.html", "stats.html",   "preview.html",       "relabel.csv",
                                      "*.tind",       "*.tind.*",   "split-*.json", "split-*.json.??????"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (fnmatch(own[i], name, 0) == 0)
            return true;
    return false;
}

tin_status tin_data_relabel_path(const tin_config_data *settings, const char *root, char path[TIN_PATH_MAX],
                                 tin_error *err)
{
    const char *file = settings->relabel != NULL ? settings->relabel : "";
    if (file[0] != '\0' && file[0] != '/')
        return tin_path_join(path, root, file, err);
    (void)snprintf(path, TIN_PATH_MAX, "%s", file);
    return TIN_OK;
}

tin_status tin_data_build(const tin_config_data *settings, const tin_data_options *options, const char *path,
                          char hash[65], tin_data_report *report, tin_error *err)
{
    char folder[TIN_PATH_MAX], relabel[TIN_PATH_MAX];
    const char *root = options->root;
    tin_import in = {.settings = settings,
                     .folder = folder,
                     .relabel = relabel,
                     .seed = options->seed,
                     .pool = options->pool,
                     .quiet = options->quiet};
    *report = (tin_data_report){0};
    if (!isfinite(settings->rate_hz) || settings->rate_hz <= 0)
        return tin_fail(err, TIN_ERR_CONFIG, "data.rate_hz is %g; write a number above 0", settings->rate_hz);
    const char *below = settings->path != NULL ? settings->path : "";
    tin_status status = TIN_OK;
    if (below[0] == '/' || below[0] == '\0')
        (void)snprintf(folder, sizeof folder, "%s", below[0] == '/' ? below : root);
    else
        status = tin_path_join(folder, root, below, err);
    if (status == TIN_OK)
        status = tin_data_relabel_path(settings, root, relabel, err);
    if (status != TIN_OK)
        return status;
    tin_source *source = tin_alloc(1, sizeof *source, err);
    if (source == NULL)
        return TIN_ERR_MEMORY;
    status = tin_scratch_open(&in.scratch, path, err);
    if (status == TIN_OK)
        status = strcmp(settings->source, "simulate") == 0 ? tin_simulate(&in, source, err)
                                                           : tin_import_files(&in, source, err);
    if (status == TIN_OK)
        status = write_dataset(&in, options, source, path, hash, report, err);
    if (status == TIN_OK)
        status = collect_notes(source, report, err);
    tin_scratch_close(in.scratch);
    tin_source_free(source);
    tin_free(source);
    return status;
}

void tin_data_report_free(tin_data_report *report)
{
    for (size_t i = 0; i < report->n_warnings; i++)
        tin_free(report->warnings[i]);
    tin_free(report->warnings);
    *report = (tin_data_report){0};
}
