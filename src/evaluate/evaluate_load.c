#include <math.h>

#include "base/json_tools.h"
#include "evaluate/evaluate.h"
#include "model/decision_json.h"

/* Reads fields of one object; the first bad one is remembered. */
typedef struct reader {
    const char *folder;
    const json_t *object;
    tin_status status;
    tin_error *err;
} reader;

static void refuse(reader *r, const char *key, const char *want)
{
    if (r->status == TIN_OK) {
        r->status = tin_fail_at(r->err, TIN_ERR_FORMAT, r->folder, 0,
                                "metrics.json: summary.%s is missing or %s; run the stage evaluate again", key, want);
    }
}

/* null is NaN: the figure does not apply. */
static double read_real(reader *r, const char *key)
{
    const json_t *value = json_object_get(r->object, key);
    if (json_is_null(value)) {
        return (double)NAN;
    }
    if (!json_is_number(value)) {
        refuse(r, key, "not a number");
        return (double)NAN;
    }
    return json_number_value(value);
}

static int64_t read_integer(reader *r, const char *key, int64_t low, int64_t high)
{
    const json_t *value = json_object_get(r->object, key);
    if (!json_is_integer(value) || json_integer_value(value) < low || json_integer_value(value) > high) {
        refuse(r, key, "out of range");
        return low;
    }
    return json_integer_value(value);
}

tin_status tin_evaluate_load(const char *folder, tin_evaluate_summary *summary, tin_error *err)
{
    json_t *root = NULL;
    tin_evaluate_summary s = {0};
    tin_status status = tin_json_load(&root, folder, "metrics.json", err);
    if (status != TIN_OK) {
        return status;
    }
    reader r = {folder, json_object_get(root, "summary"), TIN_OK, err};
#define X(figure) s.figure = read_real(&r, #figure);
    TIN_SUMMARY_LIST(X)
#undef X
#define X(figure) s.figure = json_object_get(r.object, #figure) ? read_real(&r, #figure) : (double)NAN;
    TIN_SUMMARY_LATER_LIST(X)
#undef X
    const char *worst = json_string_value(json_object_get(r.object, "worst_person"));
    snprintf(s.worst_person, sizeof s.worst_person, "%s", worst ? worst : "");
    const char *preset = json_string_value(json_object_get(r.object, "preset"));
    snprintf(s.preset, sizeof s.preset, "%s", preset ? preset : "");
    s.test_reads = json_integer_value(json_object_get(root, "test_reads"));
    s.n_events = read_integer(&r, "n_events", 0, INT64_MAX);
    s.n_test_frames = read_integer(&r, "n_test_frames", 0, INT64_MAX);
    if (r.status == TIN_OK) {
        const int n_classes = (int)json_array_size(json_object_get(root, "classes"));
        r.status = tin_decision_read(&s.rule, json_object_get(r.object, "rule"), n_classes, folder, err);
    }
    if (r.status == TIN_OK) {
        *summary = s;
    }
    json_decref(root);
    return r.status;
}
