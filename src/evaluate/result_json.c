#include "evaluate/result_json.h"

#include <math.h>

#define MOST_BINS 60

typedef tin_json_builder builder;

/* In words whose number is never below the bound: two digits, rounded up; 19.97 gives "20", 0.333 gives "0.34". */
static const char *rounded_up(char text[32], double value)
{
    double unit = value > 0 ? pow(10, floor(log10(value)) - 1) : 1;
    double up = unit * ceil(value / unit - 1e-9);
    int decimals = unit < 1 ? (int)lround(-log10(unit)) : 0;
    snprintf(text, 32, "%.*f", decimals, up);
    return text;
}

void tin_false_positive_words(char words[TIN_WORDS], const tin_event_counts *c, double rate_hz)
{
    double hours = (double)c->rejection_frames / (3600 * rate_hz);
    char time[64], bound[32], n[32] = "no";
    if (!(hours > 0)) {
        snprintf(words, TIN_WORDS, "no time without an event, so nothing is known about false positives");
        return;
    }
    snprintf(time, sizeof time, hours < 2 ? "%.3g minutes" : "%.4g hours", hours < 2 ? 60 * hours : hours);
    if (c->false_positives > 0) {
        snprintf(n, sizeof n, "%lld", (long long)c->false_positives);
    }
    snprintf(words, TIN_WORDS, "%s false positive%s in %s without an event: fewer than %s an hour (95 %% sure)", n,
             c->false_positives == 1 || c->false_positives == 0 ? "" : "s", time,
             rounded_up(bound, tin_poisson_upper(c->false_positives, 0.05) / hours));
}

static json_t *bounds_json(builder *b, tin_bounds bounds)
{
    json_t *pair = json_array();
    tin_json_append(b, pair, tin_json_real(bounds.low));
    tin_json_append(b, pair, tin_json_real(bounds.high));
    return pair;
}

/* "fnr_95" of every figure of a section, and "worst": who has the worst figure, and it. */
static void put_people(builder *b, json_t *o, const tin_detector_result *r, tin_figure_section section)
{
    json_t *worst = json_object();
    for (size_t f = 0; f < TIN_FIGURE_COUNT; f++) {
        double figures[TIN_FIGURE_COUNT];
        char key[64];
        if (tin_figure_names[f].section != section) {
            continue;
        }
        snprintf(key, sizeof key, "%s_95", tin_figure_names[f].key);
        tin_json_put(b, o, key, bounds_json(b, r->bounds[f]));
        if (r->worst[f] < r->n_people) {
            const tin_person_result *person = &r->people[r->worst[f]];
            json_t *one = json_object();
            tin_person_figures(person, r->n_classes, r->rate_hz, figures);
            tin_json_put(b, one, "name", json_string(person->name));
            tin_json_put(b, one, "value", tin_json_real(figures[f]));
            tin_json_put(b, worst, tin_figure_names[f].key, one);
        }
    }
    tin_json_put(b, o, "worst", worst);
}

static void put_with_margins(builder *b, json_t *o, const double *figures)
{
    static const tin_figure those[] = {TIN_FIGURE_ACCURACY_WITH_MARGINS, TIN_FIGURE_BALANCED_ACCURACY_WITH_MARGINS,
                                       TIN_FIGURE_MACRO_F1_WITH_MARGINS};
    for (size_t i = 0; i < sizeof those / sizeof *those; i++) {
        tin_json_put(b, o, tin_figure_names[those[i]].key, tin_json_real(figures[those[i]]));
    }
}

static json_t *frames_json(builder *b, const tin_detector_result *r, bool with_confusion)
{
    const tin_frame_figures *f = &r->total.frames;
    const tin_class_figures *per_class = r->total.per_class, *forgiven = r->total.forgiven;
    json_t *o = json_object();
    tin_json_put(b, o, "n_frames", json_integer(f->n_frames));
    tin_json_put(b, o, "accuracy", tin_json_real(f->accuracy));
    put_with_margins(b, o, r->figures);
    tin_json_put(b, o, "balanced_accuracy", tin_json_real(f->balanced_accuracy));
    tin_json_put(b, o, "macro_f1", tin_json_real(f->macro_f1));
    if (with_confusion) {
        tin_json_put(b, o, "confusion", tin_json_matrix(b, r->confusion, r->n_classes, r->n_classes));
    }
    put_people(b, o, r, TIN_SECTION_FRAMES);
    json_t *classes = json_array();
    for (int k = 0; k < r->n_classes; k++) {
        json_t *c = json_object();
        tin_json_put(b, c, "name", json_string(r->classes[k].name));
        tin_json_put(b, c, "n_true", json_integer(per_class[k].n_true));
        tin_json_put(b, c, "n_predicted", json_integer(per_class[k].n_predicted));
        tin_json_put(b, c, "precision", tin_json_real(per_class[k].precision));
        tin_json_put(b, c, "recall", tin_json_real(per_class[k].recall));
        tin_json_put(b, c, "f1", tin_json_real(per_class[k].f1));
        tin_json_put(b, c, "precision_with_margins", tin_json_real(forgiven[k].precision));
        tin_json_put(b, c, "recall_with_margins", tin_json_real(forgiven[k].recall));
        tin_json_put(b, c, "f1_with_margins", tin_json_real(forgiven[k].f1));
        tin_json_append(b, classes, c);
    }
    tin_json_put(b, o, "classes", classes);
    return o;
}

/* Bins of 0.1 s, doubled until there are at most MOST_BINS. latencies ascending. */
static json_t *histogram_json(builder *b, const double *latencies, size_t n)
{
    double width = 0.1;
    int64_t counts[MOST_BINS] = {0};
    double low = n > 0 ? latencies[0] : 0, high = n > 0 ? latencies[n - 1] : 0;
    while (tin_bin_of(high, width) - tin_bin_of(low, width) >= MOST_BINS) {
        width *= 2;
    }
    int64_t first = tin_bin_of(low, width);
    int n_bins = n > 0 ? (int)(tin_bin_of(high, width) - first) + 1 : 0;
    for (size_t i = 0; i < n; i++) {
        counts[tin_bin_of(latencies[i], width) - first]++;
    }
    json_t *o = json_object(), *bins = json_array();
    for (int i = 0; i < n_bins; i++) {
        tin_json_append(b, bins, json_integer(counts[i]));
    }
    tin_json_put(b, o, "first_s", tin_json_real((double)first * width));
    tin_json_put(b, o, "width_s", tin_json_real(width));
    tin_json_put(b, o, "counts", bins);
    return o;
}

static json_t *latency_json(builder *b, const tin_latencies *latencies, bool with_histogram)
{
    const double *seconds = latencies->seconds;
    size_t n = latencies->n;
    json_t *o = json_object();
    tin_json_put(b, o, "mean_s", tin_json_real(tin_mean(seconds, n)));
    tin_json_put(b, o, "median_s", tin_json_real(tin_percentile(seconds, n, 0.5)));
    tin_json_put(b, o, "p95_s", tin_json_real(tin_percentile(seconds, n, 0.95)));
    if (with_histogram) {
        tin_json_put(b, o, "histogram", histogram_json(b, seconds, n));
    }
    return o;
}

/* The share of the events that was found within each of a few times. */
static json_t *deadlines_json(builder *b, const tin_detector_result *r)
{
    static const double ladder_ms[] = {0, 100, 200, 500, 1000, 2000, 5000, 10000};
    json_t *list = json_array();
    const tin_latencies *all = &r->total.latencies;
    int64_t n = r->total.events.n_events, found = 0;
    for (size_t i = 0; i < sizeof ladder_ms / sizeof *ladder_ms; i++) {
        double latest = ((double)tin_deadline_frames(ladder_ms[i], r->rate_hz) + 0.5) / r->rate_hz;
        while (found < (int64_t)all->n && all->seconds[found] < latest) {
            found++;
        }
        json_t *one = json_object();
        tin_json_put(b, one, "ms", tin_json_real(ladder_ms[i]));
        tin_json_put(b, one, "n_found", json_integer(found));
        tin_json_put(b, one, "recall", tin_json_real(n > 0 ? (double)found / (double)n : (double)NAN));
        tin_json_put(b, one, "recall_exact_95", bounds_json(b, tin_share_bounds(found, n)));
        tin_json_append(b, list, one);
    }
    return list;
}

static void put_counts(builder *b, json_t *o, const tin_event_counts *c, double rate_hz)
{
#define X(count) tin_json_put(b, o, #count, json_integer(c->count));
    TIN_EVENT_COUNT_LIST(X)
#undef X
    tin_json_put(b, o, "rejection_hours", tin_json_real((double)c->rejection_frames / (3600 * rate_hz)));
}

static void put_figures(builder *b, json_t *o, const tin_event_figures *f)
{
    tin_json_put(b, o, "fnr", tin_json_real(f->fnr));
    tin_json_put(b, o, "fcr", tin_json_real(f->fcr));
    tin_json_put(b, o, "fnr_plus_fcr", tin_json_real(f->fnr + f->fcr));
    tin_json_put(b, o, "recall", tin_json_real(f->recall));
    tin_json_put(b, o, "precision", tin_json_real(f->precision));
    tin_json_put(b, o, "f1", tin_json_real(f->f1));
    tin_json_put(b, o, "fp_per_hour", tin_json_real(f->fp_per_hour));
    tin_json_put(b, o, "fp_per_frame", tin_json_real(f->fp_per_frame));
    tin_json_put(b, o, "fp_per_hour_labelled", tin_json_real(f->fp_per_hour_labelled));
    tin_json_put(b, o, "iou50_f1", tin_json_real(f->iou50_f1));
    tin_json_put(b, o, "iou50_precision", tin_json_real(f->iou50_precision));
    tin_json_put(b, o, "iou50_recall", tin_json_real(f->iou50_recall));
    tin_json_put(b, o, "iou50_f1_labelled", tin_json_real(f->iou50_f1_labelled));
    tin_json_put(b, o, "iou75_f1", tin_json_real(f->iou75_f1));
    tin_json_put(b, o, "false_active_share", tin_json_real(f->false_active_share));
    tin_json_put(b, o, "latency_mean_s", tin_json_real(f->latency_mean_s));
    tin_json_put(b, o, "deadline_recall", tin_json_real(f->deadline_recall));
    tin_json_put(b, o, "segment_f1", tin_json_real(f->segment_f1));
    tin_json_put(b, o, "segment_error_rate", tin_json_real(f->segment_error_rate));
    tin_json_put(b, o, "onset_f1", tin_json_real(f->onset_f1));
    tin_json_put(b, o, "onset_error_rate", tin_json_real(f->onset_error_rate));
    tin_json_put(b, o, "onset_offset_f1", tin_json_real(f->onset_offset_f1));
    tin_json_put(b, o, "onset_offset_error_rate", tin_json_real(f->onset_offset_error_rate));
    tin_json_put(b, o, "start_error_s", tin_json_real(f->start_error_s));
    tin_json_put(b, o, "end_error_s", tin_json_real(f->end_error_s));
    tin_json_put(b, o, "nab_score", tin_json_real(f->nab_score));
}

/* "fnr_exact_95": what a count of so few events says by itself. */
static void put_exact(builder *b, json_t *o, const tin_event_counts *c, double rate_hz)
{
    const struct {
        const char *key;
        int64_t part;
    } shares[] = {
        {"fnr_exact_95", c->missed},
        {"fcr_exact_95", c->wrong_class},
        {"fnr_plus_fcr_exact_95", c->missed + c->wrong_class},
        {"recall_exact_95", c->true_positives},
        {"deadline_recall_exact_95", c->in_time},
    };
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        tin_json_put(b, o, shares[i].key, bounds_json(b, tin_share_bounds(shares[i].part, c->n_events)));
    }
    double hours = (double)c->rejection_frames / (3600 * rate_hz), nan = (double)NAN;
    tin_bounds rate = tin_poisson_bounds(c->false_positives);
    rate = hours > 0 ? (tin_bounds){rate.low / hours, rate.high / hours} : (tin_bounds){nan, nan};
    tin_json_put(b, o, "fp_per_hour_exact_95", bounds_json(b, rate));
    tin_json_put(b, o, "fp_per_hour_below_95",
                 tin_json_real(hours > 0 ? tin_poisson_upper(c->false_positives, 0.05) / hours : nan));
}

/* Counts, figures, and what the counts alone say of them. */
static json_t *counted_json(builder *b, const tin_event_counts *c, double rate_hz)
{
    tin_event_figures figures = tin_event_figures_of(c, rate_hz);
    json_t *o = json_object();
    put_counts(b, o, c, rate_hz);
    put_figures(b, o, &figures);
    put_exact(b, o, c, rate_hz);
    return o;
}

static json_t *event_classes_json(builder *b, const tin_detector_result *r)
{
    json_t *classes = json_array();
    for (int k = 0; k < r->n_classes; k++) {
        if (r->classes[k].event) {
            json_t *c = counted_json(b, &r->total.events_of[k], r->rate_hz);
            tin_json_put(b, c, "name", json_string(r->classes[k].name));
            tin_json_put(b, c, "latency", latency_json(b, &r->latencies_of[k], false));
            tin_json_append(b, classes, c);
        }
    }
    return classes;
}

/* Means over the event classes that occur. */
static json_t *macro_json(builder *b, const tin_detector_result *r)
{
    double f1 = 0, segment_f1 = 0, onset_f1 = 0, onset_offset_f1 = 0;
    int n = 0;
    for (int k = 0; k < r->n_classes; k++) {
        if (r->total.events_of[k].n_events > 0) {
            tin_event_figures f = tin_event_figures_of(&r->total.events_of[k], r->rate_hz);
            f1 += f.f1;
            segment_f1 += f.segment_f1;
            onset_f1 += f.onset_f1;
            onset_offset_f1 += f.onset_offset_f1;
            n++;
        }
    }
    double count = n > 0 ? n : (double)NAN;
    json_t *o = json_object();
    tin_json_put(b, o, "f1", tin_json_real(f1 / count));
    tin_json_put(b, o, "segment_f1", tin_json_real(segment_f1 / count));
    tin_json_put(b, o, "onset_f1", tin_json_real(onset_f1 / count));
    tin_json_put(b, o, "onset_offset_f1", tin_json_real(onset_offset_f1 / count));
    return o;
}

static json_t *psds_json(builder *b, const tin_detector_result *r)
{
    json_t *o = json_object();
    tin_json_put(b, o, "n_thresholds", json_integer((json_int_t)r->n_thresholds));
    for (int kind = 0; kind < TIN_PSDS_KINDS; kind++) {
        const tin_psds_settings *s = &tin_psds_kinds[kind];
        json_t *one = json_object();
        tin_json_put(b, one, "value", tin_json_real(r->psds[kind]));
        tin_json_put(b, one, "dtc", tin_json_real(s->dtc));
        tin_json_put(b, one, "gtc", tin_json_real(s->gtc));
        tin_json_put(b, one, "cttc", tin_json_real(s->cttc));
        tin_json_put(b, one, "alpha_ct", tin_json_real(s->alpha_ct));
        tin_json_put(b, one, "alpha_st", tin_json_real(s->alpha_st));
        tin_json_put(b, one, "max_fp_per_hour", tin_json_real(s->max_fp_per_hour));
        tin_json_put(b, o, s->name, one);
    }
    return o;
}

json_t *tin_events_json(builder *b, const tin_detector_result *r, bool in_detail)
{
    char words[TIN_WORDS];
    json_t *o = counted_json(b, &r->total.events, r->rate_hz);
    put_people(b, o, r, TIN_SECTION_EVENTS);
    tin_false_positive_words(words, &r->total.events, r->rate_hz);
    tin_json_put(b, o, "fp_per_hour_words", json_string(words));
    tin_json_put(b, o, "latency", latency_json(b, &r->total.latencies, true));
    tin_json_put(b, o, "deadlines", deadlines_json(b, r));
    tin_json_put(b, o, "start_error_median_s", tin_json_real(tin_percentile(r->starts, r->n_borders, 0.5)));
    tin_json_put(b, o, "end_error_median_s", tin_json_real(tin_percentile(r->ends, r->n_borders, 0.5)));
    tin_json_put(b, o, "macro", macro_json(b, r));
    if (r->n_thresholds > 0) {
        tin_json_put(b, o, "psds", psds_json(b, r));
    }
    if (in_detail) {
        tin_json_put(b, o, "classes", event_classes_json(b, r));
        tin_json_put(b, o, "confusion", tin_json_matrix(b, r->event_confusion, r->n_classes + 1, r->n_classes + 1));
    }
    return o;
}

/* Of every class, also those that are no events: [events, true positives, wrong class, in time, false positives]. */
static json_t *event_counts_json(builder *b, const tin_event_counts *events_of, int n_classes)
{
    json_t *list = json_array();
    for (int k = 0; k < n_classes; k++) {
        const tin_event_counts *c = &events_of[k];
        json_t *counts = json_array();
        tin_json_append(b, counts, json_integer(c->n_events));
        tin_json_append(b, counts, json_integer(c->true_positives));
        tin_json_append(b, counts, json_integer(c->wrong_class));
        tin_json_append(b, counts, json_integer(c->in_time));
        tin_json_append(b, counts, json_integer(c->false_positives));
        tin_json_append(b, list, counts);
    }
    return list;
}

/* Per class [frames with this label, frames predicted as it, frames that are both]. */
static json_t *class_counts_json(builder *b, const tin_class_figures *per_class, int n_classes)
{
    json_t *list = json_array();
    for (int k = 0; k < n_classes; k++) {
        json_t *counts = json_array();
        tin_json_append(b, counts, json_integer(per_class[k].n_true));
        tin_json_append(b, counts, json_integer(per_class[k].n_predicted));
        tin_json_append(b, counts, json_integer(per_class[k].n_right));
        tin_json_append(b, list, counts);
    }
    return list;
}

static json_t *person_json(builder *b, const tin_detector_result *r, const tin_person_result *p, bool has_events)
{
    const tin_frame_figures *f = &p->frames;
    double figures[TIN_FIGURE_COUNT];
    json_t *o = json_object();
    tin_person_figures(p, r->n_classes, r->rate_hz, figures);
    put_with_margins(b, o, figures);
    tin_json_put(b, o, "name", json_string(p->name));
    tin_json_put(b, o, "n_frames", json_integer(f->n_frames));
    tin_json_put(b, o, "accuracy", tin_json_real(f->accuracy));
    tin_json_put(b, o, "balanced_accuracy", tin_json_real(f->balanced_accuracy));
    tin_json_put(b, o, "macro_f1", tin_json_real(f->macro_f1));
    tin_json_put(b, o, "classes", class_counts_json(b, p->per_class, r->n_classes));
    if (p->n_windows > 0) {
        tin_json_put(b, o, "window_accuracy", tin_json_real((double)p->windows_right / (double)p->n_windows));
    }
    if (has_events) {
        json_t *events = counted_json(b, &p->events, r->rate_hz);
        tin_json_put(b, events, "classes", event_counts_json(b, p->events_of, r->n_classes));
        tin_json_put(b, events, "latency", latency_json(b, &p->latencies, false));
        tin_json_put(b, o, "events", events);
    }
    return o;
}

json_t *tin_result_json(builder *b, const tin_detector_result *r, bool has_events, bool in_detail)
{
    json_t *o = json_object();
    tin_json_put(b, o, "frames", frames_json(b, r, in_detail));
    if (has_events) {
        tin_json_put(b, o, "events", tin_events_json(b, r, in_detail));
    }
    if (r->total.n_windows > 0) {
        json_t *windows = json_object();
        tin_json_put(b, windows, "n_windows", json_integer(r->total.n_windows));
        tin_json_put(b, windows, "accuracy", tin_json_real(r->figures[TIN_FIGURE_WINDOW_ACCURACY]));
        put_people(b, windows, r, TIN_SECTION_WINDOWS);
        tin_json_put(b, o, "windows", windows);
    }
    if (in_detail) {
        json_t *people = json_array();
        for (size_t i = 0; i < r->n_people; i++) {
            tin_json_append(b, people, person_json(b, r, &r->people[i], has_events));
        }
        tin_json_put(b, o, "people", people);
    }
    return o;
}
