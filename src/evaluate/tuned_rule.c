#include "evaluate/tuned_rule.h"

#include <math.h>
#include <stdio.h>

#include "base/memory.h"

static void figures_of(const tin_event_counts *c, double rate_hz, double *figures)
{
    tin_event_figures f = tin_event_figures_of(c, rate_hz);
    figures[TIN_TUNED_fnr_plus_fcr] = f.fnr + f.fcr;
    figures[TIN_TUNED_fp_per_hour] = f.fp_per_hour;
    figures[TIN_TUNED_latency_mean_s] = f.latency_mean_s;
    figures[TIN_TUNED_f1] = f.f1;
    figures[TIN_TUNED_iou50_f1] = f.iou50_f1;
}

typedef struct people {
    const tin_event_counts *counts;
    double rate_hz;
} people;

static void figures_of_drawn(void *context, const size_t *drawn, size_t n, double *figures)
{
    const people *p = context;
    tin_event_counts sum = {0};
    for (size_t i = 0; i < n; i++) {
        tin_event_counts_add(&sum, &p->counts[drawn[i]], 1);
    }
    figures_of(&sum, p->rate_hz, figures);
}

static tin_status count_stream(const tin_decision_rule *rule, const tin_sweep_input *input,
                               const tin_sweep_stream *stream, tin_event_counts *counts, tin_error *err)
{
    tin_detection detection = {0};
    tin_status status = tin_detect(rule, input->classes, input->n_classes, input->timing, stream->scores,
                                   stream->n_decisions, stream->scene.n_frames, &detection, err);
    if (status == TIN_OK) {
        status = tin_event_count(&stream->scene, &detection, &input->margins, NULL, NULL, counts, err);
    }
    tin_detection_free(&detection);
    return status;
}

tin_status tin_tuned_rule_judge(tin_tuned_rule *tuned, const tin_sweep_input *input, double rate_hz, int resamples,
                                uint64_t seed, tin_error *err)
{
    tin_event_counts *counts = tin_alloc(input->n_people, sizeof *counts, err);
    tin_status status = counts != NULL ? TIN_OK : TIN_ERR_MEMORY;
    for (size_t i = 0; i < input->n_streams && status == TIN_OK; i++) {
        status = count_stream(&tuned->rule, input, &input->streams[i], &counts[input->streams[i].person], err);
    }
    if (status == TIN_OK) {
        tuned->counts = (tin_event_counts){0};
        for (size_t i = 0; i < input->n_people; i++) {
            tin_event_counts_add(&tuned->counts, &counts[i], 1);
        }
        figures_of(&tuned->counts, rate_hz, tuned->figures);
        people p = {counts, rate_hz};
        status =
            tin_bootstrap(figures_of_drawn, &p, input->n_people, TIN_TUNED_COUNT, resamples, seed, tuned->bounds, err);
    }
    tin_free(counts);
    return status;
}

static json_t *bounds_json(tin_json_builder *b, tin_bounds bounds, double divisor)
{
    json_t *pair = json_array();
    tin_json_append(b, pair, tin_json_real(divisor > 0 ? bounds.low / divisor : (double)NAN));
    tin_json_append(b, pair, tin_json_real(divisor > 0 ? bounds.high / divisor : (double)NAN));
    return pair;
}

json_t *tin_tuned_counts_json(tin_json_builder *b, const tin_event_counts *c, double rate_hz)
{
    static const char *const names[] = {
#define X(figure) #figure,
        TIN_TUNED_FIGURE_LIST(X)
#undef X
    };
    double figures[TIN_TUNED_COUNT], hours = (double)c->rejection_frames / (3600 * rate_hz);
    json_t *o = json_object();
    tin_json_put(b, o, "n_events", json_integer(c->n_events));
    tin_json_put(b, o, "true_positives", json_integer(c->true_positives));
    tin_json_put(b, o, "wrong_class", json_integer(c->wrong_class));
    tin_json_put(b, o, "missed", json_integer(c->missed));
    tin_json_put(b, o, "in_time", json_integer(c->in_time));
    tin_json_put(b, o, "false_positives", json_integer(c->false_positives));
    tin_json_put(b, o, "rejection_hours", tin_json_real(hours));
    figures_of(c, rate_hz, figures);
    for (int f = 0; f < TIN_TUNED_COUNT; f++) {
        tin_json_put(b, o, names[f], tin_json_real(figures[f]));
    }
    return o;
}

json_t *tin_tuned_rule_json(tin_json_builder *b, const tin_tuned_rule *t, double rate_hz)
{
    static const char *const names[] = {
#define X(figure) #figure "_95",
        TIN_TUNED_FIGURE_LIST(X)
#undef X
    };
    const tin_event_counts *c = &t->counts;
    double hours = (double)c->rejection_frames / (3600 * rate_hz);
    json_t *o = tin_tuned_counts_json(b, c, rate_hz);
    for (int f = 0; f < TIN_TUNED_COUNT; f++) {
        tin_json_put(b, o, names[f], bounds_json(b, t->bounds[f], 1));
    }
    tin_json_put(b, o, "fnr_plus_fcr_exact_95",
                 bounds_json(b, tin_share_bounds(c->missed + c->wrong_class, c->n_events), 1));
    tin_json_put(b, o, "fp_per_hour_exact_95", bounds_json(b, tin_poisson_bounds(c->false_positives), hours));
    return o;
}
