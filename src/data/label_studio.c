/* Label Studio's JSON export: an array of tasks, each with `data` (where the recording came from) and `annotations`, of
 * which the last one that was not cancelled counts. Its regions are of type timeserieslabels, or labels for audio. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "data/clock.h"
#include "data/import_labels.h"

typedef struct studio {
    tin_import_labels *labels;
    const char *path;
    size_t task, set;
    tin_error *err;
} studio;

static tin_status bad_region(const studio *s, size_t region, const char *what)
{
    return tin_fail_at(s->err, TIN_ERR_DATA, s->path, 0,
                       "task %zu, region %zu: %s; correct it in Label Studio and export again", s->task + 1, region + 1,
                       what);
}

/* "/data/upload/3/1f0c2d3e-p1_walk.csv" is p1_walk.csv: uploads get eight characters and a "-" before their name. */
static bool is_file(const char *source, const char *name)
{
    const char *slash = strrchr(source, '/'), *base = slash != NULL ? slash + 1 : source;
    const char *own_slash = strrchr(name, '/'), *own = own_slash != NULL ? own_slash + 1 : name;
    const char *dash = strchr(base, '-');
    return strcmp(base, own) == 0 || (dash != NULL && dash - base == 8 && strcmp(dash + 1, own) == 0);
}

/* The set that one of the task's texts names: a file of it, or its id. */
static bool find_set(const tin_import_plan *plan, const json_t *task, size_t *set)
{
    const json_t *data = json_object_get(task, "data");
    for (*set = 0; *set < plan->n_sets; (*set)++) {
        const tin_file_set *s = &plan->sets[*set];
        for (void *i = json_object_iter((json_t *)(uintptr_t)data); i != NULL;
             i = json_object_iter_next((json_t *)(uintptr_t)data, i)) {
            const char *text = json_string_value(json_object_iter_value(i));
            if (text == NULL)
                continue;
            bool found = strcmp(text, s->id) == 0;
            for (int k = 0; k < plan->n_families && !found; k++)
                found = is_file(text, s->names[k]);
            if (found)
                return true;
        }
    }
    return false;
}

static bool take_time(const studio *s, const json_t *value, double *time)
{
    const char *text = json_string_value(value);
    if (text != NULL)
        return strcmp(s->labels->settings->unit, "iso8601") == 0 && tin_clock_iso8601(text, strlen(text), time);
    *time = json_number_value(value);
    return json_is_number(value) && isfinite(*time);
}

static tin_status take_region(const studio *s, const json_t *region, size_t number)
{
    const char *type = json_string_value(json_object_get(region, "type"));
    const json_t *value = json_object_get(region, "value");
    if (type == NULL || (strcmp(type, "timeserieslabels") != 0 && strcmp(type, "labels") != 0))
        return TIN_OK; /* a choice, a rating, a comment: no interval */
    const json_t *names = json_object_get(value, type);
    tin_label_row row = {.path = s->path, .line = 0, .set = s->set};
    if (json_array_size(names) != 1 || json_string_value(json_array_get(names, 0)) == NULL)
        return bad_region(s, number, "it has not one label; give each region one");
    if (!take_time(s, json_object_get(value, "start"), &row.start) ||
        !take_time(s, json_object_get(value, "end"), &row.end))
        return bad_region(s, number, "start or end is no time in the unit of data.import.labels.unit");
    if (strcmp(s->labels->settings->unit, "samples") == 0) {
        row.start -= s->labels->settings->first;
        row.end += (s->labels->settings->end_included ? 1 : 0) - s->labels->settings->first;
    }
    if (!(row.end > row.start))
        return bad_region(s, number, "it has no length");
    char place[60];
    (void)snprintf(place, sizeof place, "task %zu, region %zu", s->task + 1, number + 1);
    return tin_import_labels_add(s->labels, row, json_string_value(json_array_get(names, 0)), place, s->err);
}

/* The last annotation that was not cancelled, or NULL. */
static const json_t *valid_annotation(const json_t *task)
{
    const json_t *annotations = json_object_get(task, "annotations"), *valid = NULL;
    for (size_t i = 0; i < json_array_size(annotations); i++) {
        const json_t *one = json_array_get(annotations, i);
        if (!json_is_true(json_object_get(one, "was_cancelled")))
            valid = one;
    }
    return valid;
}

static tin_status take_tasks(studio *s, const tin_import_plan *plan, const json_t *root, size_t *unmatched)
{
    if (!json_is_array(root))
        return tin_fail_at(s->err, TIN_ERR_DATA, s->path, 0,
                           "this is no list of tasks; export from Label Studio as JSON (not JSON-MIN)");
    tin_status status = TIN_OK;
    for (s->task = 0; s->task < json_array_size(root) && status == TIN_OK; s->task++) {
        const json_t *task = json_array_get(root, s->task);
        if (!json_is_object(json_object_get(task, "data")) || !json_is_array(json_object_get(task, "annotations")))
            return tin_fail_at(s->err, TIN_ERR_DATA, s->path, 0,
                               "task %zu has no data or annotations; export from Label Studio as JSON (not JSON-MIN)",
                               s->task + 1);
        const json_t *result = json_object_get(valid_annotation(task), "result");
        if (!find_set(plan, task, &s->set)) {
            ++*unmatched;
            continue;
        }
        for (size_t i = 0; i < json_array_size(result) && status == TIN_OK; i++)
            status = take_region(s, json_array_get(result, i), i);
    }
    return status;
}

tin_status tin_label_studio_read(tin_import_labels *labels, const tin_import_plan *plan, const char *path,
                                 const char *text, size_t size, size_t *unmatched, tin_error *err)
{
    studio s = {.labels = labels, .path = path, .err = err};
    json_error_t why;
    *unmatched = 0;
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
    if (root == NULL)
        return json_error_code(&why) == json_error_out_of_memory
                   ? tin_fail(err, TIN_ERR_MEMORY, "out of memory reading %s", path)
                   : tin_fail_at(err, TIN_ERR_DATA, path, why.line, "this is no JSON: %s; export it again", why.text);
    tin_status status = take_tasks(&s, plan, root, unmatched);
    if (status == TIN_OK && labels->n_rows == 0 && *unmatched > 0)
        status = tin_fail_at(err, TIN_ERR_DATA, path, 0,
                             "no task belongs to a recording; their `data` must name the file, like '%s'",
                             plan->sets[0].names[0]);
    json_decref(root);
    return status;
}
