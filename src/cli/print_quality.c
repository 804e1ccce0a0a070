/* What `tinamou run` and `tinamou evaluate` print of an evaluation: the figures of the test people, how sure they are, and
 * what a detector that looks at no signal would get. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json_tools.h"
#include "cli/cli.h"
#include "cli/columns.h"

/* Where metrics.json holds the figures of the list in figures.c. */
static const struct place {
    const char *figure, *section, *key;
    bool alone; /* no trivial detector beside it: one that finds two events by luck may find them early */
} places[] = {
    {"frame_accuracy", "frames", "accuracy", false},
    {"macro_f1", "frames", "macro_f1", false},
    {"window_accuracy", "windows", "accuracy", false},
    {"fnr", "events", "fnr", false},
    {"fcr", "events", "fcr", false},
    {"deadline_recall", "events", "deadline_recall", false},
    {"fp_per_hour", "events", "fp_per_hour", false},
    {"latency_mean_s", "events", "latency_mean_s", true},
    {"event_f1", "events", "f1", false},
    {"segment_f1", "events", "segment_f1", false},
    {"iou50_f1", "events", "iou50_f1", false},
};

/* result[section][key + suffix] */
static const json_t *find(const json_t *result, const struct place *place, const char *suffix)
{
    char key[64];
    snprintf(key, sizeof key, "%s%s", place->key, suffix);
    return json_object_get(json_object_get(result, place->section), key);
}

static double number(const json_t *value, const cli_figure *figure)
{
    return json_is_number(value) ? figure->scale * json_number_value(value) : (double)NAN;
}

/* The interval over people; where they do not differ, or there is one, the exact one of the counts. "" when there is
 * neither. */
static void interval_text(char text[80], const json_t *result, const struct place *place, const cli_figure *figure)
{
    const char *const suffixes[] = {"_95", "_exact_95"};
    char low[32], high[32];
    text[0] = '\0';
    for (size_t i = 0; i < 2 && text[0] == '\0'; i++) {
        const json_t *pair = find(result, place, suffixes[i]);
        double from = number(json_array_get(pair, 0), figure), to = number(json_array_get(pair, 1), figure);
        if (from < to) {
            snprintf(text, 80, "%s to %s", cli_figure_text(low, figure, from, false),
                     cli_figure_text(high, figure, to, false));
        }
    }
}

/* The best figure among detectors that look at no signal, and whose. */
static void trivial_text(char value[32], const char **name, const json_t *trivial, const struct place *place,
                         const cli_figure *figure)
{
    double best = (double)NAN;
    size_t i;
    const json_t *one;
    *name = "";
    json_array_foreach(trivial, i, one)
    {
        double own = number(find(one, place, ""), figure);
        if (!place->alone && !isnan(own) && (isnan(best) || figure->better * own > figure->better * best)) {
            best = own;
            *name = json_string_value(json_object_get(one, "name"));
        }
    }
    cli_figure_text(value, figure, best, false);
}

static tin_status add_row(cli_table *table, const json_t *metrics, const struct place *place, tin_error *err)
{
    const json_t *test = json_object_get(metrics, "test"), *result = json_object_get(test, "integer");
    const cli_figure *f = cli_figure_by_key(place->figure);
    char integer[32], real[32], bounds[80], trivial[32], label[80];
    const char *name;
    double value = number(find(result, place, ""), f);
    if (isnan(value) && !find(result, place, "")) {
        return TIN_OK; /* no windows, no events, or a file of an earlier version */
    }
    interval_text(bounds, result, place, f);
    trivial_text(trivial, &name, json_object_get(metrics, "trivial"), place, f);
    snprintf(label, sizeof label, "  %s", f->title);
    const char *const cells[] = {
        label,   cli_figure_text(integer, f, value, false),
        bounds,  cli_figure_text(real, f, number(find(json_object_get(test, "float"), place, ""), f), false),
        trivial, name ? name : ""};
    tin_status status = TIN_OK;
    for (size_t i = 0; i < table->n_columns && !status; i++) {
        status = cli_table_add(table, cells[i], err);
    }
    return status;
}

static void print_words(const json_t *metrics)
{
    const json_t *result = json_object_get(json_object_get(metrics, "test"), "integer");
    const json_t *on = json_object_get(json_object_get(metrics, "summary"), "frame_accuracy_no_reset");
    const json_t *events = json_object_get(result, "events");
    const json_t *worst = json_object_get(json_object_get(events, "worst"), "fnr");
    const char *name = json_string_value(json_object_get(worst, "name"));
    const char *words = json_string_value(json_object_get(events, "fp_per_hour_words"));
    double missed = json_number_value(json_object_get(worst, "value"));
    if (json_is_number(on)) {
        printf("  frame accuracy without a reset between the recordings: %.4f\n", json_number_value(on));
    }
    if (name && missed > 0 && json_array_size(json_object_get(result, "people")) > 1) {
        printf("  the person with the most misses, %s: %.3f of the events\n", name, missed);
    }
    if (words) {
        printf("  %s\n", words);
    }
}

tin_status cli_print_quality(const cli_session *session, tin_error *err)
{
    static const cli_column columns[] = {
        {"  on the test people", true, 0}, {"int8", false, 0}, {"95 %", false, 1}, {"float", false, 2},
        {"no signal", false, 3},           {"", true, 3}};
    cli_table table = {.columns = columns, .n_columns = sizeof columns / sizeof *columns};
    json_t *metrics = NULL;
    tin_status status = tin_json_load(&metrics, session->run.folder, "metrics.json", err);
    for (size_t i = 0; i < sizeof places / sizeof *places && !status; i++) {
        status = add_row(&table, metrics, &places[i], err);
    }
    if (status == TIN_OK) {
        cli_table_print(&table, cli_terminal_width());
        print_words(metrics);
    }
    cli_table_free(&table);
    json_decref(metrics);
    return status;
}
