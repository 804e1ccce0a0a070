#include "evaluate/compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_tools.h"
#include "base/memory.h"
#include "base/natural_order.h"
#include "base/rng.h"
#include "evaluate/metrics_json.h"
#include "metrics/event_metrics.h"
#include "metrics/frame_metrics.h"

/* What a figure needs of metrics.json. */
typedef enum needs { NEEDS_NONE, NEEDS_EVENTS, NEEDS_LATER } needs;

static const struct compared {
    const char *key;
    tin_figure from;
    int better;
    needs needs;
} compared[] = {
#define X(figure, key, from, better, needs) {key, from, better, NEEDS_##needs},
    TIN_COMPARED_LIST(X)
#undef X
};

/* One run, or the folds of one, whose people and datasets are joined. `people` is in the order of the compared people once they are chosen. */
typedef struct measured {
    const char *folder;
    json_t *metrics, *timelines;
    json_t *hashes; /* of its datasets, in order; one each of several folds */
    double rate_hz;
    bool has_events;
    bool has_later; /* the counts of every person that an earlier version did not write */
    int n_classes;
    tin_class_figures *per_class; /* of all people */
    tin_person_result *people;
    size_t n_people;
} measured;

/* All runs, those of A first. */
typedef struct work {
    measured runs[2 * TIN_COMPARE_MOST_RUNS];
    int n_runs, n_a;
    int n_joined; /* behind those: folds that went into an earlier one, to be freed */
    const tin_compare_options *options;
    bool events;   /* figures of events are compared */
    bool later;    /* those that need the later counts too */
    bool deadline; /* found in time means the same in all */
} work;

static void work_clear(work *w)
{
    for (int i = 0; i < w->n_runs + w->n_joined; i++) {
        json_decref(w->runs[i].hashes);
        json_decref(w->runs[i].metrics);
        json_decref(w->runs[i].timelines);
        tin_free(w->runs[i].per_class);
        tin_free(w->runs[i].people);
    }
}

static tin_status damaged(const measured *run, const char *what, tin_error *err)
{
    return tin_fail_at(err, TIN_ERR_FORMAT, run->folder, 0,
                       "metrics.json holds no %s; an earlier version wrote it, or it is damaged: make it again with "
                       "`tinamou evaluate --force` and the settings of that run",
                       what);
}

/* Sums of counts must not overflow, whatever the file says. */
static bool take_count(const json_t *value, int64_t *count)
{
    *count = json_integer_value(value);
    return json_is_integer(value) && *count >= 0 && *count < (int64_t)1 << 40;
}

static tin_status read_count(const measured *run, const json_t *from, const char *key, int64_t *count, tin_error *err)
{
    const json_t *value = json_object_get(from, key);
    return take_count(value, count) ? TIN_OK : damaged(run, key, err);
}

/* 0 for null. */
static tin_status read_real(const measured *run, const json_t *from, const char *key, double *real, tin_error *err)
{
    const json_t *value = json_object_get(from, key);
    *real = json_number_value(value);
    return json_is_number(value) || json_is_null(value) ? TIN_OK : damaged(run, key, err);
}

static tin_status read_classes(const measured *run, const json_t *list, tin_class_figures *per_class, tin_error *err)
{
    if (!json_is_array(list) || json_array_size(list) != (size_t)run->n_classes) {
        return damaged(run, "counts per person and class", err);
    }
    for (int k = 0; k < run->n_classes; k++) {
        const json_t *counts = json_array_get(list, (size_t)k);
        int64_t *const members[] = {&per_class[k].n_true, &per_class[k].n_predicted, &per_class[k].n_right};
        for (size_t i = 0; i < 3; i++) {
            if (!take_count(json_array_get(counts, i), members[i])) {
                return damaged(run, "counts per person and class", err);
            }
        }
    }
    return TIN_OK;
}

/* Counts that came later, where they are. */
static tin_status read_later(measured *run, const json_t *from, tin_event_counts *c, tin_error *err)
{
    const struct {
        const char *key;
        int64_t *count;
    } later[] = {{"in_time", &c->in_time},
                 {"units_true", &c->units_true},
                 {"units_said", &c->units_said},
                 {"units_right", &c->units_right}};
    tin_status status = TIN_OK;
    for (size_t i = 0; i < sizeof later / sizeof *later && !status; i++) {
        bool there = json_object_get(from, later[i].key) != NULL;
        run->has_later = run->has_later && there;
        status = there ? read_count(run, from, later[i].key, later[i].count, err) : TIN_OK;
    }
    return status;
}

static tin_status read_events(measured *run, const json_t *from, tin_event_counts *c, tin_error *err)
{
    double hours = 0, latency = 0;
    tin_status status = read_count(run, from, "n_events", &c->n_events, err);
    status = status ? status : read_count(run, from, "missed", &c->missed, err);
    status = status ? status : read_count(run, from, "wrong_class", &c->wrong_class, err);
    status = status ? status : read_count(run, from, "true_positives", &c->true_positives, err);
    status = status ? status : read_count(run, from, "false_positives", &c->false_positives, err);
    status = status ? status : read_count(run, from, "n_segments", &c->n_segments, err);
    status = status ? status : read_count(run, from, "overlap50", &c->overlap50, err);
    status = status ? status : read_real(run, from, "rejection_hours", &hours, err);
    status = status ? status : read_real(run, from, "latency_mean_s", &latency, err);
    status = status ? status : read_later(run, from, c, err);
    if (status == TIN_OK && !(hours >= 0 && hours < 1e6 && fabs(latency) < 1e6)) {
        status = damaged(run, "sound rejection_hours and latency_mean_s", err);
    }
    if (status == TIN_OK) {
        c->wrong_triggers = c->wrong_class;
        c->rejection_frames = llround(hours * 3600 * run->rate_hz);
        c->latency_frames = llround(latency * (double)c->true_positives * run->rate_hz);
    }
    return status;
}

static const tin_person_result *find_person(const measured *run, const char *name)
{
    for (size_t i = 0; i < run->n_people; i++) {
        if (strcmp(run->people[i].name, name) == 0) {
            return &run->people[i];
        }
    }
    return NULL;
}

static tin_status read_people(measured *run, tin_error *err)
{
    size_t i;
    const json_t *o,
        *list = json_object_get(json_object_get(json_object_get(run->metrics, "test"), "integer"), "people");
    if (!json_is_array(list) || json_array_size(list) == 0) {
        return damaged(run, "test people", err);
    }
    size_t n = json_array_size(list);
    run->has_later = true;
    run->people = tin_alloc(n, sizeof *run->people, err);
    run->per_class = tin_alloc(n * (size_t)run->n_classes, sizeof *run->per_class, err);
    if (!run->people || !run->per_class) {
        return TIN_ERR_MEMORY;
    }
    json_array_foreach(list, i, o)
    {
        tin_person_result *p = &run->people[i];
        const char *name = json_string_value(json_object_get(o, "name"));
        tin_status status = name && !find_person(run, name) ? TIN_OK : damaged(run, "list of people by name", err);
        p->name = name;
        p->per_class = run->per_class + i * (size_t)run->n_classes;
        status = status ? status : read_classes(run, json_object_get(o, "classes"), p->per_class, err);
        if (status == TIN_OK && run->has_events) {
            status = read_events(run, json_object_get(o, "events"), &p->events, err);
        }
        if (status) {
            return status;
        }
        run->n_people++;
    }
    return TIN_OK;
}

static tin_status read_run(measured *run, const char *folder, bool timelines, tin_error *err)
{
    run->folder = folder;
    tin_status status = tin_json_load(&run->metrics, folder, "metrics.json", err);
    if (status == TIN_OK && timelines) {
        status = tin_json_load(&run->timelines, folder, "timelines.json", err);
    }
    if (status) {
        return status;
    }
    const json_t *classes = json_object_get(run->metrics, "classes");
    run->n_classes = (int)json_array_size(classes);
    run->has_events = json_is_true(json_object_get(run->metrics, "has_events"));
    run->rate_hz = json_number_value(json_object_get(run->metrics, "rate_hz"));
    if (!tin_metrics_known(run->metrics)) {
        return tin_fail_at(
            err, TIN_ERR_FORMAT, folder, 0,
            "metrics.json is of a format that this program does not know; use the tinamou that wrote it");
    }
    if (run->n_classes < 1 || run->n_classes > TIN_MAX_CLASSES || !(run->rate_hz > 0 && run->rate_hz < 1e6)) {
        return damaged(run, "classes and rate", err);
    }
    const char *hash = json_string_value(json_object_get(run->metrics, "data_hash"));
    run->hashes = json_pack("[s]", hash ? hash : "");
    return run->hashes ? read_people(run, err) : tin_fail(err, TIN_ERR_MEMORY, "out of memory");
}

static bool same(const measured *a, const measured *b, const char *key)
{
    return json_equal(json_object_get(a->metrics, key), json_object_get(b->metrics, key));
}

static bool same_data(const measured *a, const measured *b)
{
    return json_equal(a->hashes, b->hashes);
}

/* "; only the first has p03 p07": people of `a` that `b` has not. */
static void name_missing(char *text, size_t size, const char *who, const measured *a, const measured *b)
{
    size_t n = strlen(text);
    bool first = true;
    for (size_t i = 0; i < a->n_people && n + 1 < size; i++) {
        if (!find_person(b, a->people[i].name)) {
            snprintf(text + n, size - n, first ? "; only %s has %s" : " %s%s", first ? who : "", a->people[i].name);
            n = strlen(text);
            first = false;
        }
    }
}

static tin_status other_data(const measured *a, const measured *b, tin_error *err)
{
    char people[300] = "";
    const char *hash_a = json_string_value(json_object_get(a->metrics, "data_hash"));
    const char *hash_b = json_string_value(json_object_get(b->metrics, "data_hash"));
    name_missing(people, sizeof people, "the first", a, b);
    name_missing(people, sizeof people, "the second", b, a);
    return tin_fail(
        err, TIN_ERR_MISMATCH,
        "%s and %s were not measured on the same dataset: hash %.12s and %.12s%s; `tinamou data diff` shows what "
        "differs, --common compares on the people whose test recordings are labelled alike in both",
        a->folder, b->folder, hash_a ? hash_a : "none", hash_b ? hash_b : "none",
        people[0] ? people : ", with test people of the same names");
}

static tin_status check_same(const work *w, tin_error *err)
{
    const measured *first = &w->runs[0];
    for (int i = 1; i < w->n_runs; i++) {
        const measured *other = &w->runs[i];
        if (!same(first, other, "classes") || !same(first, other, "rate_hz")) {
            return tin_fail(err, TIN_ERR_MISMATCH,
                            "%s and %s have other %s, so that no figure of one can be held against the other's",
                            first->folder, other->folder, same(first, other, "classes") ? "rates" : "classes");
        }
        if (!same_data(first, other) && !w->options->common) {
            return other_data(first, other, err);
        }
    }
    return TIN_OK;
}

/* Where the margins of events or what counts as false differ, figures of events mean different things. */
static void check_events(work *w, tin_comparison *c)
{
    static const char *const keys[] = {"early_ms", "late_ms", "margins", "allow_repeats"};
    const json_t *first = json_object_get(w->runs[0].metrics, "settings");
    w->events = w->runs[0].has_events;
    w->later = w->runs[0].has_later;
    w->deadline = true;
    for (int i = 1; i < w->n_runs; i++) {
        const json_t *other = json_object_get(w->runs[i].metrics, "settings");
        w->events = w->events && w->runs[i].has_events;
        w->later = w->later && w->runs[i].has_later;
        w->deadline =
            w->deadline && json_equal(json_object_get(first, "deadline_ms"), json_object_get(other, "deadline_ms"));
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
            const json_t *a = json_object_get(first, keys[k]), *b = json_object_get(other, keys[k]);
            if (a != b && !json_equal(a, b)) { /* both may be missing: no class has margins of its own */
                c->no_events = "evaluate.early_ms, late_ms, margins or allow_repeats differ, so that figures of events "
                               "mean different things";
                w->events = false;
            }
        }
    }
}

/* The person's test recordings in timelines.json: name, length and labels. A new reference; NULL: no memory. */
static json_t *recordings_of(const measured *run, const char *name)
{
    size_t i;
    json_t *stream, *list = json_array();
    json_array_foreach(json_object_get(run->timelines, "streams"), i, stream)
    {
        const char *subject = json_string_value(json_object_get(stream, "subject"));
        if (subject && strcmp(subject, name) == 0) {
            json_t *o =
                json_pack("{s:O?, s:O?, s:O?}", "id", json_object_get(stream, "id"), "n_frames",
                          json_object_get(stream, "n_frames"), "intervals", json_object_get(stream, "intervals"));
            if (!o || json_array_append_new(list, o) != 0) {
                json_decref(list);
                return NULL;
            }
        }
    }
    return list;
}

/* Whether all runs have the person, measured on the same recordings. */
static tin_status is_common(const work *w, const char *name, bool *common, tin_error *err)
{
    *common = true;
    json_t *first = w->options->common ? recordings_of(&w->runs[0], name) : NULL;
    tin_status status = !w->options->common || first ? TIN_OK : tin_fail(err, TIN_ERR_MEMORY, "out of memory");
    for (int i = 1; i < w->n_runs && *common && !status; i++) {
        *common = find_person(&w->runs[i], name) != NULL;
        if (*common && w->options->common && !same_data(&w->runs[0], &w->runs[i])) {
            json_t *other = recordings_of(&w->runs[i], name);
            status = other ? TIN_OK : tin_fail(err, TIN_ERR_MEMORY, "out of memory");
            *common = json_equal(first, other);
            json_decref(other);
        }
    }
    json_decref(first);
    return status;
}

/* Whether a test recording of one is one of the other, too: then they are no folds of one experiment. */
static bool share_recordings(const measured *a, const measured *b)
{
    size_t i, k;
    const json_t *x, *y;
    json_array_foreach(json_object_get(a->timelines, "streams"), i, x)
    {
        json_array_foreach(json_object_get(b->timelines, "streams"), k, y)
        {
            if (json_equal(json_object_get(x, "id"), json_object_get(y, "id")) &&
                json_equal(json_object_get(x, "counts_sha256"), json_object_get(y, "counts_sha256"))) {
                return true;
            }
        }
    }
    return false;
}

static tin_status need_timelines(measured *run, tin_error *err)
{
    return run->timelines ? TIN_OK : tin_json_load(&run->timelines, run->folder, "timelines.json", err);
}

/* Folds have the same settings but for the fold, so also the seed, and datasets that differ in who is tested. */
static tin_status are_folds(measured *a, measured *b, bool *folds, tin_error *err)
{
    const json_t *in_a = json_object_get(json_object_get(a->metrics, "settings"), "seed");
    const json_t *in_b = json_object_get(json_object_get(b->metrics, "settings"), "seed");
    *folds = json_is_string(in_a) && json_equal(in_a, in_b) && !same(a, b, "data_hash") && same(a, b, "classes") &&
             same(a, b, "rate_hz");
    tin_status status = *folds ? need_timelines(a, err) : TIN_OK;
    status = status || !*folds ? status : need_timelines(b, err);
    *folds = *folds && !status && !share_recordings(a, b);
    return status;
}

/* The hash goes where it belongs, so that the order of the folds says nothing. */
static int add_hash(json_t *hashes, json_t *hash)
{
    size_t i = 0;
    while (i < json_array_size(hashes) &&
           strcmp(json_string_value(json_array_get(hashes, i)), json_string_value(hash)) < 0) {
        i++;
    }
    return json_array_insert(hashes, i, hash);
}

static int by_name(const void *a, const void *b)
{
    return tin_natural_compare(((const tin_person_result *)a)->name, ((const tin_person_result *)b)->name);
}

/* Adds people, recordings and datasets of a fold; its memory is used on. People are in order of their names, whatever the order
 * of the folds. */
static tin_status join(measured *run, const measured *fold, tin_error *err)
{
    tin_person_result *people =
        tin_grow(run->people, run->n_people, run->n_people + fold->n_people, sizeof *people, err);
    if (!people) {
        return TIN_ERR_MEMORY;
    }
    run->people = people;
    for (size_t i = 0; i < fold->n_people; i++) {
        const tin_person_result *known = find_person(run, fold->people[i].name);
        if (known) { /* other sessions, or other times, of this person */
            tin_person_result_add(&people[known - people], &fold->people[i], run->n_classes);
        } else {
            people[run->n_people++] = fold->people[i];
        }
    }
    qsort(people, run->n_people, sizeof *people, by_name);
    run->has_events = run->has_events && fold->has_events;
    run->has_later = run->has_later && fold->has_later;
    int failed =
        json_array_extend(json_object_get(run->timelines, "streams"), json_object_get(fold->timelines, "streams"));
    failed |= add_hash(run->hashes, json_array_get(fold->hashes, 0));
    return failed ? tin_fail(err, TIN_ERR_MEMORY, "out of memory") : TIN_OK;
}

/* Joins the folds among the runs [first, *end), each side for itself. What was joined moves behind all runs. */
static tin_status join_folds(work *w, int first, int *end, tin_error *err)
{
    for (int i = first + 1; i < *end; i++) {
        bool folds = false;
        int k = first;
        for (; k < i && !folds; k++) {
            tin_status status = are_folds(&w->runs[k], &w->runs[i], &folds, err);
            if (status) {
                return status;
            }
        }
        if (!folds) {
            continue;
        }
        tin_status status = join(&w->runs[k - 1], &w->runs[i], err);
        if (status) {
            return status;
        }
        measured joined = w->runs[i];
        memmove(&w->runs[i], &w->runs[i + 1], (size_t)(w->n_runs + w->n_joined - i - 1) * sizeof joined);
        w->runs[w->n_runs + w->n_joined - 1] = joined;
        w->n_runs--;
        w->n_joined++;
        --*end;
        i--;
    }
    return TIN_OK;
}

static tin_status choose_people(work *w, tin_comparison *c, tin_error *err)
{
    const measured *first = &w->runs[0];
    c->people = tin_alloc(first->n_people, sizeof *c->people, err);
    if (!c->people) {
        return TIN_ERR_MEMORY;
    }
    for (size_t i = 0; i < first->n_people; i++) {
        bool common = false;
        tin_status status = is_common(w, first->people[i].name, &common, err);
        if (status == TIN_OK && common) {
            c->people[c->n_people] = tin_strdup(first->people[i].name, err);
            status = c->people[c->n_people] ? TIN_OK : TIN_ERR_MEMORY;
            c->n_people += status == TIN_OK;
        }
        if (status) {
            return status;
        }
    }
    for (int i = 0; i < w->n_runs; i++) {
        size_t left = w->runs[i].n_people - c->n_people;
        c->n_left_out = left > c->n_left_out ? left : c->n_left_out;
    }
    if (c->n_people == 0) {
        return tin_fail(err, TIN_ERR_MISMATCH,
                        "the runs share no test person whose recordings are labelled alike; nothing can be compared");
    }
    return TIN_OK;
}

/* Brings the people of every run into the order of the compared people and drops the others. */
static tin_status order_people(work *w, const tin_comparison *c, tin_error *err)
{
    for (int i = 0; i < w->n_runs; i++) {
        tin_person_result *ordered = tin_alloc(c->n_people, sizeof *ordered, err);
        if (!ordered) {
            return TIN_ERR_MEMORY;
        }
        for (size_t k = 0; k < c->n_people; k++) {
            ordered[k] = *find_person(&w->runs[i], c->people[k]);
        }
        tin_free(w->runs[i].people);
        w->runs[i].people = ordered;
        w->runs[i].n_people = c->n_people;
    }
    return TIN_OK;
}

/* The greatest share of events missed among the people drawn; NaN when none has events. */
static double worst_fnr(const measured *run, const size_t *drawn)
{
    double worst = (double)NAN;
    for (size_t i = 0; i < run->n_people; i++) {
        const tin_event_counts *c = &run->people[drawn[i]].events;
        double own = c->n_events > 0 ? (double)c->missed / (double)c->n_events : (double)NAN;
        worst = isnan(worst) || own > worst ? own : worst;
    }
    return worst;
}

/* The figures of one run from the people drawn, each as often as drawn. */
static void figures_of(const work *w, const measured *run, const size_t *drawn, double figures[TIN_COMPARED_COUNT])
{
    tin_class_figures per_class[TIN_MAX_CLASSES] = {0};
    tin_person_result sum = {.per_class = per_class};
    double all[TIN_FIGURE_COUNT];
    for (size_t i = 0; i < run->n_people; i++) {
        tin_person_result_add(&sum, &run->people[drawn[i]], run->n_classes);
    }
    tin_person_figures(&sum, run->n_classes, run->rate_hz, all);
    const bool has[] = {[NEEDS_NONE] = true, [NEEDS_EVENTS] = w->events, [NEEDS_LATER] = w->events && w->later};
    for (int f = 0; f < TIN_COMPARED_COUNT; f++) {
        figures[f] = has[compared[f].needs] ? all[compared[f].from] : (double)NAN;
    }
    figures[TIN_COMPARED_WORST_FNR] = w->events ? worst_fnr(run, drawn) : (double)NAN;
    if (!w->deadline) {
        figures[TIN_COMPARED_DEADLINE_RECALL] = (double)NAN;
    }
}

/* Means over the runs [n] chosen by `seeds`, of those that have the figure. */
static void side_figures(const work *w, const measured *runs, const int *seeds, int n, const size_t *drawn,
                         double means[TIN_COMPARED_COUNT])
{
    double figures[TIN_COMPARED_COUNT];
    int counts[TIN_COMPARED_COUNT] = {0};
    memset(means, 0, TIN_COMPARED_COUNT * sizeof *means);
    for (int i = 0; i < n; i++) {
        figures_of(w, &runs[seeds[i]], drawn, figures);
        for (int f = 0; f < TIN_COMPARED_COUNT; f++) {
            if (!isnan(figures[f])) {
                means[f] += figures[f];
                counts[f]++;
            }
        }
    }
    for (int f = 0; f < TIN_COMPARED_COUNT; f++) {
        means[f] = counts[f] > 0 ? means[f] / counts[f] : (double)NAN;
    }
}

static void draw_seeds(tin_rng *rng, int *seeds, int n)
{
    for (int i = 0; i < n; i++) {
        seeds[i] = n > 1 ? (int)tin_rng_below(rng, (uint32_t)n) : 0;
    }
}

static void summarise(tin_figure_comparison *figure, double *differences, int n)
{
    double wins = 0;
    for (int i = 0; i < n; i++) {
        double gain = figure->better * differences[i];
        wins += gain > 0 ? 1 : gain < 0 ? 0 : 0.5;
    }
    tin_sort_doubles(differences, (size_t)n);
    figure->bounds.low = tin_percentile(differences, (size_t)n, 0.025);
    figure->bounds.high = tin_percentile(differences, (size_t)n, 0.975);
    figure->b_better = n > 0 ? wins / n : (double)NAN;
}

/* A draw takes people, the same for both sides, and of each side as many of its seeds as it has. */
static tin_status bootstrap(const work *w, tin_comparison *c, tin_error *err)
{
    int resamples = w->options->resamples, n_b = w->n_runs - w->n_a, n[TIN_COMPARED_COUNT] = {0};
    int seeds[TIN_COMPARE_MOST_RUNS];
    size_t *drawn = tin_alloc(c->n_people, sizeof *drawn, err);
    double *differences = tin_alloc((size_t)resamples * TIN_COMPARED_COUNT, sizeof *differences, err);
    tin_status status = drawn && differences ? TIN_OK : TIN_ERR_MEMORY;
    tin_rng rng;
    tin_rng_seed(&rng, w->options->seed);
    for (int r = 0; r < resamples && !status; r++) {
        double a[TIN_COMPARED_COUNT], b[TIN_COMPARED_COUNT];
        for (size_t i = 0; i < c->n_people; i++) {
            drawn[i] = tin_rng_below(&rng, (uint32_t)c->n_people);
        }
        draw_seeds(&rng, seeds, w->n_a);
        side_figures(w, w->runs, seeds, w->n_a, drawn, a);
        draw_seeds(&rng, seeds, n_b);
        side_figures(w, w->runs + w->n_a, seeds, n_b, drawn, b);
        for (int f = 0; f < TIN_COMPARED_COUNT; f++) {
            if (!isnan(b[f] - a[f])) {
                differences[(size_t)f * (size_t)resamples + (size_t)n[f]++] = b[f] - a[f];
            }
        }
    }
    for (int f = 0; f < TIN_COMPARED_COUNT && !status; f++) {
        summarise(&c->figures[f], differences + (size_t)f * (size_t)resamples, n[f]);
    }
    tin_free(drawn);
    tin_free(differences);
    return status;
}

static tin_status compare(work *w, tin_comparison *c, tin_error *err)
{
    double a[TIN_COMPARED_COUNT], b[TIN_COMPARED_COUNT];
    int all[TIN_COMPARE_MOST_RUNS];
    size_t *everybody = tin_alloc(c->n_people, sizeof *everybody, err);
    if (!everybody) {
        return TIN_ERR_MEMORY;
    }
    for (size_t i = 0; i < c->n_people; i++) {
        everybody[i] = i;
    }
    for (int i = 0; i < TIN_COMPARE_MOST_RUNS; i++) {
        all[i] = i;
    }
    side_figures(w, w->runs, all, w->n_a, everybody, a);
    side_figures(w, w->runs + w->n_a, all, w->n_runs - w->n_a, everybody, b);
    tin_free(everybody);
    for (int f = 0; f < TIN_COMPARED_COUNT; f++) {
        const double nan = (double)NAN;
        c->figures[f] =
            (tin_figure_comparison){compared[f].key, compared[f].better, a[f], b[f], b[f] - a[f], {nan, nan}, nan};
    }
    return c->n_people > 1 && w->options->resamples > 0 ? bootstrap(w, c, err) : TIN_OK;
}

int tin_comparison_verdict(const tin_figure_comparison *figure)
{
    if (figure->bounds.low > 0) {
        return figure->better;
    }
    return figure->bounds.high < 0 ? -figure->better : 0;
}

tin_status tin_compare_runs(const tin_compare_side *a, const tin_compare_side *b, const tin_compare_options *options,
                            tin_comparison *comparison, tin_error *err)
{
    *comparison = (tin_comparison){0};
    work *w = tin_alloc(1, sizeof *w, err);
    if (!w) {
        return TIN_ERR_MEMORY;
    }
    w->options = options;
    w->n_a = a->n;
    tin_status status = TIN_OK;
    if (a->n < 1 || b->n < 1 || a->n > TIN_COMPARE_MOST_RUNS || b->n > TIN_COMPARE_MOST_RUNS) {
        status = tin_fail(err, TIN_ERR_USAGE, "give 1 to %d runs on each side", TIN_COMPARE_MOST_RUNS);
    }
    for (int i = 0; i < a->n + b->n && !status; i++) {
        const char *folder = i < a->n ? a->folders[i] : b->folders[i - a->n];
        status = read_run(&w->runs[w->n_runs++], folder, options->common, err);
    }
    status = status ? status : join_folds(w, 0, &w->n_a, err);
    int end_b = w->n_runs;
    status = status ? status : join_folds(w, w->n_a, &end_b, err);
    status = status ? status : check_same(w, err);
    comparison->n_runs[0] = w->n_a;
    comparison->n_runs[1] = w->n_runs - w->n_a;
    comparison->same_data = !status && same_data(&w->runs[0], &w->runs[w->n_a]);
    if (status == TIN_OK) {
        check_events(w, comparison);
    }
    status = status ? status : choose_people(w, comparison, err);
    status = status ? status : order_people(w, comparison, err);
    status = status ? status : compare(w, comparison, err);
    work_clear(w);
    tin_free(w);
    return status;
}

void tin_comparison_free(tin_comparison *comparison)
{
    for (size_t i = 0; i < comparison->n_people; i++) {
        tin_free(comparison->people[i]);
    }
    tin_free(comparison->people);
    *comparison = (tin_comparison){0};
}
