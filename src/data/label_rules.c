#include "data/label_rules.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

#define PEAK_SECONDS 0.1

bool tin_label_class_find(int32_t *index, const char *name, const tin_class *classes, int n_classes)
{
    *index = TIN_LABEL_IGNORE;
    if (strcmp(name, "ignore") == 0)
        return true;
    for (int32_t i = 0; i < n_classes; i++)
        if (strcmp(classes[i].name, name) == 0) {
            *index = i;
            return true;
        }
    return false;
}

static tin_status find_class(int32_t *index, const char *name, const char *key, const tin_class *classes, int n_classes,
                             tin_error *err)
{
    if (tin_label_class_find(index, name, classes, n_classes))
        return TIN_OK;
    return tin_fail(
        err, TIN_ERR_CONFIG,
        "data.labels: `%s` names the class '%s', which is not there; write a name of data.classes, or ignore", key,
        name);
}

/* "" is no condition. */
static tin_status find_neighbour(int32_t *index, const char *name, const char *key, const tin_class *classes,
                                 int n_classes, tin_error *err)
{
    *index = TIN_RULE_ANY;
    return name[0] == '\0' ? TIN_OK : find_class(index, name, key, classes, n_classes, err);
}

static tin_status make_rule(tin_label_rule *rule, const tin_config_label_rule *given, const tin_class *classes,
                            int n_classes, tin_error *err)
{
    tin_status status = TIN_OK;
    rule->given = given;
    for (int i = 0; i < n_classes && given->classes_count == 0; i++)
        rule->classes[i + 1] = true;
    for (unsigned i = 0; i < given->classes_count && status == TIN_OK; i++) {
        int32_t index = 0;
        status = find_class(&index, given->classes[i], "classes", classes, n_classes, err);
        rule->classes[index + 1] = true;
    }
    if (status == TIN_OK)
        status = find_neighbour(&rule->after, given->after, "after", classes, n_classes, err);
    if (status == TIN_OK)
        status = find_neighbour(&rule->before, given->before, "before", classes, n_classes, err);
    const bool relabels = strcmp(given->rule, "relabel") == 0;
    if (status == TIN_OK && relabels != (given->to[0] != '\0'))
        return tin_fail(err, TIN_ERR_CONFIG,
                        relabels ? "data.labels: a rule relabel needs `to`, a class or ignore"
                                 : "data.labels: only a rule relabel has `to`; remove it");
    return status == TIN_OK && relabels ? find_class(&rule->to, given->to, "to", classes, n_classes, err) : status;
}

tin_status tin_label_rules_make(tin_label_rules *rules, const tin_config_data *settings, const tin_class *classes,
                                int n_classes, tin_error *err)
{
    *rules = (tin_label_rules){.n = settings->labels_count, .rate_hz = settings->rate_hz};
    rules->rules = tin_alloc(rules->n, sizeof *rules->rules, err);
    tin_status status = rules->rules != NULL ? TIN_OK : TIN_ERR_MEMORY;
    for (unsigned i = 0; i < rules->n && status == TIN_OK; i++)
        status = make_rule(&rules->rules[i], &settings->labels[i], classes, n_classes, err);
    return status;
}

void tin_label_rules_free(tin_label_rules *rules)
{
    tin_free(rules->rules);
    *rules = (tin_label_rules){0};
}

/* Half of a frame more or less changes nothing, so that 200 ms at 50 Hz are 10 frames whatever the last digit. */
static double frames_of(const tin_label_rules *rules, double ms)
{
    return ms * 1e-3 * rules->rate_hz;
}

/* The nearest label before or behind i is of that class, and lies within reach. */
static bool has_neighbour(const tin_stream *s, size_t i, bool behind, int32_t wanted, double reach)
{
    if (wanted == TIN_RULE_ANY)
        return true;
    if (behind ? i + 1 >= s->n_intervals : i == 0)
        return false;
    const tin_interval *one = &s->intervals[i], *other = &s->intervals[behind ? i + 1 : i - 1];
    double distance = (double)(behind ? other->start - one->end : one->start - other->end);
    return other->class_index == wanted && distance <= reach + 0.5;
}

static bool meets(const tin_label_rules *rules, const tin_label_rule *rule, const tin_stream *s, size_t i)
{
    const tin_config_label_rule *g = rule->given;
    const double length = (double)(s->intervals[i].end - s->intervals[i].start), reach = frames_of(rules, g->within_ms);
    return rule->classes[s->intervals[i].class_index + 1] && length >= frames_of(rules, g->min_ms) - 0.5 &&
           (g->max_ms <= 0 || length < frames_of(rules, g->max_ms) - 0.5) &&
           has_neighbour(s, i, false, rule->after, reach) && has_neighbour(s, i, true, rule->before, reach);
}

/* 1 / variance of each channel in the stream, 0 for one that never moves. */
static void weigh_channels(const tin_stream *s, int n_channels, double *weights)
{
    for (int c = 0; c < n_channels; c++) {
        int64_t sum = 0, squares = 0;
        for (int64_t t = 0; t < s->n_frames; t++) {
            const int64_t x = s->counts[t * n_channels + c];
            sum += x;
            squares += x * x;
        }
        const double mean = (double)sum / (double)s->n_frames;
        const double variance = (double)squares / (double)s->n_frames - mean * mean;
        weights[c] = variance > 0 ? 1 / variance : 0;
    }
}

/* Frame of the label's peak, see label_rules.h. */
static int64_t find_peak(const tin_label_rules *rules, const tin_stream *s, const tin_interval *v, int n_channels,
                         const double *weights)
{
    const int64_t n = v->end - v->start;
    int64_t width = llround(PEAK_SECONDS * rules->rate_hz), peak = v->start;
    double means[TIN_MAX_CHANNELS] = {0}, sum = 0, most = -1;
    width = width < 1 ? 1 : width > n ? n : width;
    for (int64_t t = v->start; t < v->end; t++)
        for (int c = 0; c < n_channels; c++)
            means[c] += (double)s->counts[t * n_channels + c] / (double)n;
    for (int64_t t = v->start; t < v->end; t++) {
        for (int sign = 1; sign >= -1; sign -= 2) {
            const int64_t at = sign > 0 ? t : t - width; /* what enters the window, and what leaves it */
            for (int c = 0; c < n_channels && at >= v->start; c++) {
                const double d = s->counts[at * n_channels + c] - means[c];
                sum += sign * d * d * weights[c];
            }
        }
        if (t - v->start + 1 >= width && sum > most * (1 + 1e-9)) {
            most = sum;
            peak = t - width / 2;
        }
    }
    return peak;
}

static void anchor(const tin_label_rules *rules, const tin_label_rule *rule, tin_stream *s, tin_interval *intervals,
                   size_t i, int n_channels, const double *weights)
{
    const tin_config_label_rule *g = rule->given;
    tin_interval *v = &intervals[i];
    const int64_t low = i > 0 ? intervals[i - 1].end : 0;
    const int64_t high = i + 1 < s->n_intervals ? intervals[i + 1].start : s->n_frames;
    int64_t at = strcmp(g->at, "start") == 0 ? v->start
                 : strcmp(g->at, "end") == 0 ? v->end
                                             : find_peak(rules, s, v, n_channels, weights);
    int64_t start = at - llround(frames_of(rules, g->early_ms)), end = at + llround(frames_of(rules, g->late_ms));
    end = end > start ? end : start + 1; /* a label is never empty */
    v->start = start < low ? low : start > high - 1 ? high - 1 : start;
    v->end = end > high ? high : end < v->start + 1 ? v->start + 1 : end;
}

static void apply_merge(const tin_label_rules *rules, tin_label_rule *rule, tin_stream *s, tin_interval *intervals)
{
    const double gap = frames_of(rules, rule->given->gap_ms) + 0.5;
    size_t n = 0;
    for (size_t i = 0; i < s->n_intervals; i++) {
        const bool joins = n > 0 && intervals[n - 1].class_index == intervals[i].class_index &&
                           (double)(intervals[i].start - intervals[n - 1].end) <= gap && meets(rules, rule, s, i);
        rule->n_labels += joins;
        if (joins)
            intervals[n - 1].end = intervals[i].end;
        else
            intervals[n++] = intervals[i];
    }
    s->n_intervals = n;
}

/* What a rule does to one label does not change whether the next one meets it: conditions look at the labels as they were. */
static void apply_rule(const tin_label_rules *rules, tin_label_rule *rule, tin_stream *s, tin_interval *intervals,
                       int n_channels, bool *met)
{
    const bool drops = strcmp(rule->given->rule, "drop") == 0, relabels = strcmp(rule->given->rule, "relabel") == 0;
    double weights[TIN_MAX_CHANNELS];
    size_t n = 0;
    if (strcmp(rule->given->at, "peak") == 0)
        weigh_channels(s, n_channels, weights);
    for (size_t i = 0; i < s->n_intervals; i++) {
        met[i] = meets(rules, rule, s, i);
        rule->n_labels += met[i];
    }
    for (size_t i = 0; i < s->n_intervals; i++) {
        if (met[i] && relabels)
            intervals[i].class_index = rule->to;
        else if (met[i] && !drops)
            anchor(rules, rule, s, intervals, i, n_channels, weights);
        if (!met[i] || !drops)
            intervals[n++] = intervals[i];
    }
    s->n_intervals = n;
}

tin_status tin_label_rules_apply(tin_label_rules *rules, tin_stream *stream, tin_interval *intervals, int n_channels,
                                 tin_error *err)
{
    bool *met = tin_alloc(stream->n_intervals, sizeof *met, err);
    if (met == NULL)
        return TIN_ERR_MEMORY;
    stream->intervals = intervals;
    for (unsigned i = 0; i < rules->n; i++) {
        tin_label_rule *rule = &rules->rules[i];
        if (strcmp(rule->given->rule, "merge") == 0)
            apply_merge(rules, rule, stream, intervals);
        else
            apply_rule(rules, rule, stream, intervals, n_channels, met);
    }
    tin_free(met);
    return TIN_OK;
}
