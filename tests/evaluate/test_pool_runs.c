/* Several runs as one: the same figures as of one run that was tested on all people, by hand and to the last digit; refused
 * where they do not belong together; damaged files; failing memory. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/json_tools.h"
#include "base/memory.h"
#include "evaluate/pool_runs.h"
#include "made_world.h"

/* Copy of `from` with one test person only, or all (NULL). */
static tin_dataset *with_test(const tin_dataset *from, const char *person, const char *path)
{
    tin_dataset_builder *builder = NULL;
    tin_dataset *dataset = NULL;
    assert_int_equal(tin_dataset_builder_create(&builder, path, from, NULL), TIN_OK);
    for (size_t i = 0; i < from->n_streams; i++) {
        const tin_stream *s = &from->streams[i];
        if (s->role != TIN_ROLE_TEST || !person || strcmp(s->subject, person) == 0) {
            assert_int_equal(tin_dataset_builder_add(builder, s, NULL), TIN_OK);
        }
    }
    assert_int_equal(tin_dataset_builder_finish(builder, NULL, NULL), TIN_OK);
    tin_dataset_builder_free(builder);
    assert_int_equal(tin_dataset_open(&dataset, path, NULL), TIN_OK);
    return dataset;
}

/* TEST_TEMPORARY/NAME gets the files of an evaluation on these test people. */
static void evaluate_into(const char *name, const char *person, const tin_class *classes,
                          void (*change)(tin_config_evaluate *settings))
{
    char all_path[TIN_PATH_MAX + 16], path[TIN_PATH_MAX + 16], folder[TIN_PATH_MAX];
    tin_error err = {0};
    tin_evaluate_summary summary;
    tiny t;
    assert_int_equal(tin_path_join(folder, TEST_TEMPORARY, name, NULL), TIN_OK);
    snprintf(all_path, sizeof all_path, "%s.all.tind", folder);
    snprintf(path, sizeof path, "%s.tind", folder);
    tin_dataset *all = make_dataset(all_path, classes, false), *dataset = with_test(all, person, path);
    make_tiny(&t, dataset);
    tin_evaluate_options options = options_in(folder);
    if (change) {
        change(&options.settings);
    }
    if (tin_evaluate(&t.model, NULL, dataset, &options, &summary, &err) != TIN_OK) {
        fail_msg("%s", tin_error_text(&err));
    }
    tin_dataset_close(all);
    tin_dataset_close(dataset);
}

static void at_other_margins(tin_config_evaluate *settings)
{
    settings->early_ms = 300;
}

static void with_margins_of_a_class(tin_config_evaluate *settings)
{
    static char name[] = "wave";
    static tin_config_margin margin = {.class = name, .early_ms = -1, .late_ms = 900};
    settings->margins = &margin;
    settings->margins_count = 1;
}

#define BOTH TEST_TEMPORARY "/both"
#define EVE TEST_TEMPORARY "/eve"
#define FAY TEST_TEMPORARY "/fay"

static int setup(void **state)
{
    (void)state;
    static const tin_class quiet[] = {{"rest", false}, {"wave", false}, {"knock", false}};
    evaluate_into("both", NULL, CLASSES, NULL);
    evaluate_into("eve", "eve", CLASSES, NULL);
    evaluate_into("fay", "fay", CLASSES, NULL);
    evaluate_into("margins", "fay", CLASSES, at_other_margins);
    evaluate_into("eve_margin", "eve", CLASSES, with_margins_of_a_class);
    evaluate_into("fay_margin", "fay", CLASSES, with_margins_of_a_class);
    evaluate_into("both_margin", NULL, CLASSES, with_margins_of_a_class);
    evaluate_into("both_quiet", NULL, quiet, NULL);
    evaluate_into("eve_quiet", "eve", quiet, NULL);
    evaluate_into("fay_quiet", "fay", quiet, NULL);
    return 0;
}

static json_t *pooled_of(const char *const *folders, size_t n)
{
    tin_error err = {0};
    json_t *pooled = NULL;
    if (tin_pool_runs(folders, n, 200, 7, &pooled, &err) != TIN_OK) {
        fail_msg("%s", tin_error_text(&err));
    }
    return pooled;
}

/* As it would be read from a file: numbers have nine digits there. */
static json_t *as_written(json_t *value)
{
    char *text = json_dumps(value, JSON_SORT_KEYS | JSON_REAL_PRECISION(9) | JSON_ENCODE_ANY);
    json_t *read = json_loads(text, JSON_DECODE_ANY, NULL);
    free(text);
    assert_non_null(read);
    return read;
}

static void expect_equal(json_t *got, json_t *wanted)
{
    json_t *written = as_written(got);
    if (!json_equal(written, wanted)) {
        char *a = json_dumps(written, JSON_SORT_KEYS | JSON_INDENT(1) | JSON_ENCODE_ANY);
        char *b = json_dumps(wanted, JSON_SORT_KEYS | JSON_INDENT(1) | JSON_ENCODE_ANY);
        size_t i = 0;
        while (a[i] && a[i] == b[i]) {
            i++;
        }
        fail_msg("differ at:\n%.200s\nwanted:\n%.200s", a + (i > 60 ? i - 60 : 0), b + (i > 60 ? i - 60 : 0));
    }
    json_decref(written);
}

/* The runs keep what was said at one threshold, so that pooling has no figure over thresholds. */
static json_t *without_psds(json_t *result)
{
    json_object_del(json_object_get(result, "events"), "psds");
    return result;
}

/* What one evaluation of all people says, pooling says of theirs one by one: every figure, interval, person and matrix, and
 * the detectors that say one class always. */
static void equals_one_evaluation(void **state)
{
    (void)state;
    static const char *const wholes[] = {"both", "both_margin", "both_quiet"};
    static const char *const parts[][2] = {{FAY, EVE},
                                           {TEST_TEMPORARY "/eve_margin", TEST_TEMPORARY "/fay_margin"},
                                           {TEST_TEMPORARY "/eve_quiet", TEST_TEMPORARY "/fay_quiet"}};
    for (size_t c = 0; c < 3; c++) {
        json_t *metrics = NULL, *pooled = pooled_of(parts[c], 2);
        char folder[TIN_PATH_MAX];
        assert_int_equal(tin_path_join(folder, TEST_TEMPORARY, wholes[c], NULL), TIN_OK);
        assert_int_equal(tin_json_load(&metrics, folder, "metrics.json", NULL), TIN_OK);
        expect_equal(json_object_get(json_object_get(pooled, "test"), "integer"),
                     without_psds(json_object_get(json_object_get(metrics, "test"), "integer")));
        for (size_t k = 0; k < 3; k++) {
            expect_equal(json_array_get(json_object_get(pooled, "trivial"), k),
                         without_psds(json_array_get(json_object_get(metrics, "trivial"), k)));
        }
        assert_int_equal(json_integer_value(json_object_get(pooled, "n_runs")), 2);
        json_decref(metrics);
        json_decref(pooled);
    }
}

static void counts_add_up(void **state)
{
    (void)state;
    static const char *const folders[] = {EVE, FAY};
    static const char *const keys[] = {"n_events",       "missed",         "false_positives",
                                       "true_positives", "latency_frames", "rejection_frames"};
    json_t *pooled = pooled_of(folders, 2);
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
        json_int_t sum = 0;
        for (int i = 0; i < 2; i++) {
            json_t *metrics = NULL;
            assert_int_equal(tin_json_load(&metrics, folders[i], "metrics.json", NULL), TIN_OK);
            json_t *result = json_object_get(json_object_get(metrics, "test"), "integer");
            sum += json_integer_value(json_object_get(json_object_get(result, "events"), keys[k]));
            json_decref(metrics);
        }
        json_t *result = json_object_get(json_object_get(pooled, "test"), "integer");
        assert_int_equal(json_integer_value(json_object_get(json_object_get(result, "events"), keys[k])), sum);
    }
    json_decref(pooled);
}

static void refuses(const char *a, const char *b, tin_status wanted, const char *words)
{
    const char *const folders[] = {a, b};
    tin_error err = {0};
    json_t *pooled = NULL;
    assert_int_equal(tin_pool_runs(folders, b ? 2 : 1, 0, 1, &pooled, &err), wanted);
    assert_null(pooled);
    if (!strstr(tin_error_text(&err), words)) {
        fail_msg("'%s' does not say '%s'", tin_error_text(&err), words);
    }
}

static void what_does_not_belong_together_is_refused(void **state)
{
    (void)state;
    refuses(EVE, BOTH, TIN_ERR_USAGE, "both tested on the recording 'eve'");
    refuses(EVE, TEST_TEMPORARY "/margins", TIN_ERR_MISMATCH, "differ in 'early_ms'");
    refuses(EVE, TEST_TEMPORARY "/fay_margin", TIN_ERR_MISMATCH, "differ in 'margins'");
    refuses(EVE, TEST_TEMPORARY "/fay_quiet", TIN_ERR_MISMATCH, "differ in 'has_events'");
    refuses(EVE, TEST_TEMPORARY "/nothing", TIN_ERR_IO, "nothing");
}

/* Both files of EVE with one change each. */
static void damaged_files_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *path; /* in the file, from the root */
        const char *value;
    } changes[] = {
        {"t.unlabelled", "null"},
        {"t.unlabelled", "3"},
        {"t.unlabelled", "-2"},
        {"t.streams", "[]"},
        {"t.streams.0.n_frames", "601"},
        {"t.streams.0.n_frames", "-1"},
        {"t.streams.0.n_frames", "9000000000000"},
        {"t.streams.0.id", "null"},
        {"t.streams.0.counts_sha256", "null"},
        {"t.streams.0.subject", "3"},
        {"t.streams.0.intervals.0", "[0, 601, 1]"},
        {"t.streams.0.intervals.0", "[30, 10, 1]"},
        {"t.streams.0.intervals.0", "[10, 30, 3]"},
        {"t.streams.0.intervals.0", "[10, 30, -2]"},
        {"t.streams.0.intervals.0", "[10, 200, 0]"},
        {"t.streams.0.intervals.0", "[10, 30]"},
        {"t.streams.0.intervals", "null"},
        {"t.streams.0.predicted.0", "[0, 1, -1]"},
        {"t.streams.0.predicted", "[[0, 599, 0]]"},
        {"t.streams.0.predicted", "[[1, 600, 0]]"},
        {"t.streams.0.segments", "[[5, 4, 1]]"},
        {"t.streams.0.triggers", "[[600, 1, \"true\"]]"},
        {"t.streams.0.triggers", "[[5, 3, \"true\"]]"},
        {"t.streams.0.triggers", "[[5, 1, \"true\"], [4, 1, \"true\"]]"},
        {"t.streams.0.triggers", "3"},
        {"t.streams.0.windows", "[1, 2]"},
        {"t.format", "2"},
        {"m.format", "3"},
        {"m.classes", "[]"},
        {"m.classes.1", "{}"},
        {"m.rate_hz", "0"},
        {"m.rate_hz", "1e9"},
        {"m.hop", "0"},
        {"m.settings", "3"},
        {"m.settings.early_ms", "-1"},
        {"m.settings.late_ms", "1e300"},
        {"m.settings.margins", "[{\"class\": \"wave\"}]"},
        {"m.settings.margins", "[{\"early_ms\": 1, \"late_ms\": 1}]"},
    };
    static const char folder[] = TEST_TEMPORARY "/damaged";
    assert_int_equal(tin_folder_make(folder, NULL), TIN_OK);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        json_t *files[2] = {NULL, NULL}, *value = json_loads(changes[i].value, JSON_DECODE_ANY, NULL);
        assert_int_equal(tin_json_load(&files[0], EVE, "metrics.json", NULL), TIN_OK);
        assert_int_equal(tin_json_load(&files[1], EVE, "timelines.json", NULL), TIN_OK);
        char path[64], *next = NULL, *key = NULL;
        snprintf(path, sizeof path, "%s", changes[i].path + 2);
        json_t *at = files[changes[i].path[0] == 't'];
        for (key = strtok_r(path, ".", &next); next && *next; key = strtok_r(NULL, ".", &next)) {
            at = json_is_array(at) ? json_array_get(at, strtoul(key, NULL, 10)) : json_object_get(at, key);
        }
        assert_int_equal(
            json_is_array(at) ? json_array_set(at, strtoul(key, NULL, 10), value) : json_object_set(at, key, value), 0);
        assert_int_equal(tin_json_save(files[0], folder, "metrics.json", 1, NULL), TIN_OK);
        assert_int_equal(tin_json_save(files[1], folder, "timelines.json", 1, NULL), TIN_OK);
        const char *const folders[] = {folder};
        json_t *pooled = NULL;
        tin_error err = {0};
        tin_status status = tin_pool_runs(folders, 1, 0, 1, &pooled, &err);
        if (status != TIN_ERR_FORMAT) {
            fail_msg("%s = %s: %d %s", changes[i].path, changes[i].value, (int)status, tin_error_text(&err));
        }
        json_decref(files[0]);
        json_decref(files[1]);
        json_decref(value);
    }
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    static const char *const folders[] = {EVE, FAY};
    size_t n = 1;
    for (;; n++) {
        tin_error err = {0};
        json_t *pooled = NULL;
        (void)tin_memory_fail_at(n);
        tin_status status = tin_pool_runs(folders, 2, 3, 1, &pooled, &err);
        (void)tin_memory_fail_at(0);
        json_decref(pooled);
        if (status == TIN_OK) {
            break;
        }
        assert_int_equal(status, TIN_ERR_MEMORY);
        assert_null(pooled);
    }
    assert_true(n > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_one_evaluation),
        cmocka_unit_test(counts_add_up),
        cmocka_unit_test(what_does_not_belong_together_is_refused),
        cmocka_unit_test(damaged_files_are_refused),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
