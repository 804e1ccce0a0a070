#include "evaluate/report_words.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "evaluate/evaluate.h"

#define FEW_EVENTS 50
#define FEW_PEOPLE 6
enum { PHRASE = 64 };

static double real(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static long long whole(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

static const char *plural(long long n)
{
    return n == 1 ? "" : "s";
}

static void time_words(char words[PHRASE], double hours)
{
    if (hours < 1.0 / 60) {
        snprintf(words, PHRASE, "%.0f seconds", 3600 * hours);
    } else if (hours < 2) {
        snprintf(words, PHRASE, "%.*f minutes", hours < 0.1 ? 1 : 0, 60 * hours);
    } else {
        snprintf(words, PHRASE, "%.*f hours", hours < 10 ? 1 : 0, hours);
    }
}

/* "2.8 %, likely between 0.6 % and 7.9 %" */
static void share_words(char words[PHRASE], const json_t *events, const char *key, const char *bounds_key)
{
    const json_t *bounds = json_object_get(events, bounds_key);
    int n = snprintf(words, PHRASE, "%.1f %%", 100 * real(events, key));
    if (json_is_number(json_array_get(bounds, 0)) && n > 0 && n < PHRASE) {
        snprintf(words + n, (size_t)(PHRASE - n), ", likely between %.1f %% and %.1f %%",
                 100 * json_number_value(json_array_get(bounds, 0)),
                 100 * json_number_value(json_array_get(bounds, 1)));
    }
}

/* "27.6", "150": rounded up, for a bound. */
static void bound_words(char words[PHRASE], double bound)
{
    const double step = bound < 10 ? 10 : 1;
    snprintf(words, PHRASE, "%.*f", bound < 10 ? 1 : 0, ceil(bound * step) / step);
}

static void add_false_alarms(tin_text *out, const json_t *events)
{
    const long long n = whole(events, "false_positives");
    const double hours = real(events, "rejection_hours");
    char time[PHRASE], below[PHRASE];
    if (!(hours > 0)) {
        tin_text_add(out, "There is no time without an event, so nothing is known about false alarms.\n");
        return;
    }
    bound_words(below, real(events, "fp_per_hour_below_95"));
    time_words(time, n > 0 ? hours / (double)n : hours);
    if (n == 0) {
        tin_text_printf(
            out, "No false alarm in %s without an event, which proves only that there are fewer than %s an hour.\n",
            time, below);
    } else {
        tin_text_printf(
            out, "One false alarm in %s without an event (%lld in all; with 95 %% confidence fewer than %s an hour).\n",
            time, n, below);
    }
}

static void add_events(tin_text *out, const json_t *events)
{
    const long long n = whole(events, "n_events"), missed = whole(events, "missed"),
                    wrong = whole(events, "wrong_class");
    const json_t *latency = json_object_get(events, "latency");
    char missed_share[PHRASE], wrong_share[PHRASE];
    if (n == 0) {
        tin_text_add(out, "No event happened, so nothing is known about missed ones.\n");
        return;
    }
    share_words(missed_share, events, "fnr", "fnr_exact_95");
    share_words(wrong_share, events, "fcr", "fcr_exact_95");
    tin_text_printf(out, "%lld of %lld event%s missed (%s), and %lld reported as another one (%s).\n", missed, n,
                    plural(n), missed_share, wrong, wrong_share);
    if (isfinite(real(latency, "median_s"))) {
        tin_text_printf(
            out, "Half of the events that are found are reported within %.2f s of their start, 95 %% within %.2f s.\n",
            real(latency, "median_s"), real(latency, "p95_s"));
    }
}

static void add_worst(tin_text *out, const json_t *result)
{
    const json_t *worst = json_object_get(json_object_get(json_object_get(result, "events"), "worst"), "fnr_plus_fcr");
    const json_t *people = json_object_get(result, "people"), *person;
    const char *name = json_string_value(json_object_get(worst, "name"));
    size_t i;
    if (name == NULL || json_array_size(people) < 2 || !(real(worst, "value") > 0)) {
        return;
    }
    json_array_foreach(people, i, person)
    {
        const json_t *e = json_object_get(person, "events");
        const char *this_name = json_string_value(json_object_get(person, "name"));
        if (this_name != NULL && strcmp(this_name, name) == 0) {
            tin_text_printf(
                out,
                "It is worst for person %s: %lld of %lld events missed or taken for another one, %lld false alarm%s.\n",
                name, whole(e, "missed") + whole(e, "wrong_class"), whole(e, "n_events"), whole(e, "false_positives"),
                plural(whole(e, "false_positives")));
        }
    }
}

/* What a detector that looks at nothing reaches, by the F1 of events or the share of frames. */
static void add_trivial(tin_text *out, const json_t *metrics, bool has_events)
{
    const json_t *trivial = json_object_get(metrics, "trivial"), *one, *best = NULL;
    const char *section = has_events ? "events" : "frames", *key = has_events ? "f1" : "accuracy";
    size_t i;
    json_array_foreach(trivial, i, one)
    {
        double value = real(json_object_get(one, section), key);
        if (isfinite(value) && (best == NULL || value > real(json_object_get(best, section), key))) {
            best = one;
        }
    }
    if (best == NULL) {
        return;
    }
    const json_t *figures = json_object_get(best, section);
    const char *name = json_string_value(json_object_get(best, "name"));
    tin_text_printf(out, "Without looking at the signals, “%s” ", name != NULL ? name : "a detector");
    if (has_events) {
        tin_text_printf(out, "finds %.0f %% of the events, with %.0f false alarms an hour.\n",
                        100 * real(figures, "recall"), real(figures, "fp_per_hour"));
    } else {
        tin_text_printf(out, "is right %.1f %% of the time.\n", 100 * real(figures, "accuracy"));
    }
}

/* Each recording begins with a reset, and a device is not reset. */
static void add_no_reset(tin_text *out, const json_t *metrics)
{
    const json_t *summary = json_object_get(metrics, "summary");
    const double with = real(summary, "frame_accuracy"), without = real(summary, "frame_accuracy_no_reset");
    if (with - without > TIN_NO_RESET_LOSS) {
        tin_text_printf(
            out,
            "All this holds after a reset. Without one between recordings, as on a device that stays on, the "
            "class is right %.1f %% of the time instead of %.1f %%.\n",
            100 * without, 100 * with);
    }
}

void tin_report_words(tin_text *out, const json_t *metrics)
{
    const json_t *result = json_object_get(json_object_get(metrics, "test"), "integer");
    const json_t *frames = json_object_get(result, "frames"), *events = json_object_get(result, "events");
    const json_t *people = json_object_get(result, "people"), *person;
    const long long n_people = (long long)json_array_size(people);
    const bool has_events = json_is_true(json_object_get(metrics, "has_events"));
    double seconds = 0;
    char time[PHRASE];
    size_t i;
    json_array_foreach(people, i, person)
    {
        seconds += real(person, "n_frames") / real(metrics, "rate_hz");
    }
    time_words(time, seconds / 3600);
    tin_text_printf(out, "In %s of %lld %s that the model never saw:\n", time, n_people,
                    n_people == 1 ? "person" : "people");
    if (has_events) {
        add_false_alarms(out, events);
        add_events(out, events);
        add_worst(out, result);
    } else {
        tin_text_printf(out, "The class is right %.1f %% of the time.\n", 100 * real(frames, "accuracy"));
    }
    add_no_reset(out, metrics);
    add_trivial(out, metrics, has_events);
    if (n_people < FEW_PEOPLE || (has_events && whole(events, "n_events") < FEW_EVENTS)) {
        tin_text_printf(out, "That is little to judge by: %lld %s", n_people, n_people == 1 ? "person" : "people");
        if (has_events) {
            tin_text_printf(out, " and %lld event%s", whole(events, "n_events"), plural(whole(events, "n_events")));
        }
        tin_text_add(out, "; other people may fare differently.\n");
    }
}
