/* Comparing runs: against numpy's bootstrap (scripts/golden/compare_runs.py), symmetric, refused where the data differ, and
 * with damaged files and failing memory. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/json_tools.h"
#include "base/memory.h"
#include "evaluate/compare.h"

#define FILES TEST_FILES "/compare/"

static const tin_compare_options usual = {.resamples = 2000, .seed = 1};

static tin_status compare(const char *const *a, int n_a, const char *const *b, int n_b,
                          const tin_compare_options *options, tin_comparison *c, tin_error *err)
{
    const tin_compare_side sides[2] = {{a, n_a}, {b, n_b}};
    return tin_compare_runs(&sides[0], &sides[1], options, c, err);
}

static tin_comparison compared(const char *a, const char *b)
{
    tin_error err = {0};
    tin_comparison c;
    if (compare(&a, 1, &b, 1, &usual, &c, &err))
        fail_msg("%s", tin_error_text(&err));
    return c;
}

static void test_equals_numpy(void **state)
{
    (void)state;
    static const char *const a[] = {FILES "a1", FILES "a2"}, *const b[] = {FILES "b1", FILES "b2"};
    FILE *expected = fopen(FILES "expected.txt", "r");
    assert_non_null(expected);
    for (int n = 1; n <= 2; n++) {
        tin_error err = {0};
        tin_comparison c;
        assert_int_equal(compare(a, n, b, n, &(tin_compare_options){.resamples = 20000, .seed = 3}, &c, &err), TIN_OK);
        assert_int_equal(c.n_people, 8);
        for (int f = 0; f < TIN_COMPARED_COUNT; f++) {
            char key[64];
            double in_a, in_b, low, high, wins;
            assert_int_equal(fscanf(expected, "%63s %lf %lf %lf %lf %lf", key, &in_a, &in_b, &low, &high, &wins), 6);
            const tin_figure_comparison *g = &c.figures[f];
            double slack = 0.05 * (high - low); /* two bootstraps with random numbers of their own */
            assert_string_equal(g->key, key);
            assert_true(fabs(g->a - in_a) < 1e-6 && fabs(g->b - in_b) < 1e-6);
            assert_true(fabs(g->difference - (in_b - in_a)) < 1e-6);
            assert_true(fabs(g->bounds.low - low) < slack && fabs(g->bounds.high - high) < slack);
            assert_true(fabs(g->b_better - wins) < 0.02);
            assert_int_equal(tin_comparison_verdict(g), low * high > 0 ? (low > 0 ? g->better : -g->better) : 0);
        }
        tin_comparison_free(&c);
    }
    fclose(expected);
}

static void test_a_run_against_itself_and_both_ways(void **state)
{
    (void)state;
    tin_comparison same = compared(FILES "a1", FILES "a1");
    tin_comparison there = compared(FILES "a1", FILES "b2"), back = compared(FILES "b2", FILES "a1");
    for (int f = 0; f < TIN_COMPARED_COUNT; f++) {
        assert_true(same.figures[f].difference == 0 && same.figures[f].bounds.low == 0 &&
                    same.figures[f].bounds.high == 0);
        assert_true(same.figures[f].b_better == 0.5);
        assert_int_equal(tin_comparison_verdict(&same.figures[f]), 0);
        assert_true(there.figures[f].difference == -back.figures[f].difference);
        assert_true(fabs(there.figures[f].bounds.low + back.figures[f].bounds.high) < 1e-12);
        assert_true(fabs(there.figures[f].b_better + back.figures[f].b_better - 1) < 1e-12);
        assert_int_equal(tin_comparison_verdict(&there.figures[f]), -tin_comparison_verdict(&back.figures[f]));
    }
    tin_comparison_free(&same);
    tin_comparison_free(&there);
    tin_comparison_free(&back);
}

/* A copy of b1 with one thing changed, and timelines for --common. Returns its folder. */
static const char *changed(const char *name, void (*change)(json_t *metrics, json_t *timelines))
{
    static char folder[TIN_PATH_MAX];
    tin_error err = {0};
    json_t *metrics = NULL, *streams = json_array();
    assert_int_equal(tin_path_join(folder, TEST_TEMPORARY, name, &err), TIN_OK);
    assert_int_equal(tin_folder_make(folder, &err), TIN_OK);
    assert_int_equal(tin_json_load(&metrics, FILES "b1", "metrics.json", &err), TIN_OK);
    for (int i = 0; i < 8; i++) {
        char subject[8];
        snprintf(subject, sizeof subject, "p%d", i);
        json_array_append_new(streams, json_pack("{s:s, s:s, s:i, s:[[i,i,i]]}", "id", subject, "subject", subject,
                                                 "n_frames", 500, "intervals", 10 * i, 100, 1));
    }
    json_t *timelines = json_pack("{s:i, s:o}", "format", 1, "streams", streams);
    if (change)
        change(metrics, timelines);
    assert_int_equal(tin_json_save(metrics, folder, "metrics.json", 1, &err), TIN_OK);
    assert_int_equal(tin_json_save(timelines, folder, "timelines.json", 1, &err), TIN_OK);
    json_decref(metrics);
    json_decref(timelines);
    return folder;
}

static json_t *people_of(json_t *metrics)
{
    return json_object_get(json_object_get(json_object_get(metrics, "test"), "integer"), "people");
}

/* A fold of a run of FILES: two of its people, with their recordings and a dataset hash of their own. */
static const char *fold_of(const char *run, int number, char folder[TIN_PATH_MAX])
{
    char name[64], path[TIN_PATH_MAX];
    json_t *metrics = NULL, *streams = json_array();
    snprintf(name, sizeof name, "%s_fold%d", run, number);
    assert_int_equal(tin_path_join(folder, TEST_TEMPORARY, name, NULL), TIN_OK);
    assert_int_equal(tin_path_join(path, FILES, run, NULL), TIN_OK);
    assert_int_equal(tin_folder_make(folder, NULL), TIN_OK);
    assert_int_equal(tin_json_load(&metrics, path, "metrics.json", NULL), TIN_OK);
    json_t *people = people_of(metrics), *kept = json_array();
    for (int i = 2 * number; i < 2 * number + 2; i++) {
        json_t *person = json_array_get(people, (size_t)i), *id = json_object_get(person, "name");
        json_array_append(kept, person);
        json_array_append_new(streams, json_pack("{s:O, s:O, s:s, s:i, s:[]}", "id", id, "subject", id, "counts_sha256",
                                                 name + 2, "n_frames", 500, "intervals"));
    }
    json_array_clear(people);
    json_array_extend(people, kept);
    json_object_set_new(metrics, "data_hash", json_sprintf("hash of fold %d", number));
    json_object_set_new(json_object_get(metrics, "settings"), "seed", json_string(run + 1));
    json_t *timelines = json_pack("{s:i, s:o}", "format", 1, "streams", streams);
    assert_int_equal(tin_json_save(metrics, folder, "metrics.json", 1, NULL), TIN_OK);
    assert_int_equal(tin_json_save(timelines, folder, "timelines.json", 1, NULL), TIN_OK);
    json_decref(kept);
    json_decref(metrics);
    json_decref(timelines);
    return folder;
}

/* Four folds of one seed are one run on everybody, in whatever order; with another seed beside them they are two. */
static void test_folds_are_one_run(void **state)
{
    (void)state;
    static char folders[4][4][TIN_PATH_MAX];
    static const char *const names[4] = {"a1", "b1", "a2", "b2"};
    const char *folds[4][4];
    tin_error err = {0};
    tin_comparison c, whole = compared(FILES "a1", FILES "b1");
    for (int r = 0; r < 4; r++) {
        for (int i = 0; i < 4; i++) {
            folds[r][i] = fold_of(names[r], r % 2 ? 3 - i : i, folders[r][i]);
        }
    }
    assert_int_equal(compare(folds[0], 4, folds[1], 4, &usual, &c, &err), TIN_OK);
    assert_int_equal(c.n_people, 8);
    assert_true(c.same_data && c.n_runs[0] == 1 && c.n_runs[1] == 1);
    for (int f = 0; f < TIN_COMPARED_COUNT; f++) {
        const tin_figure_comparison *x = &c.figures[f], *y = &whole.figures[f];
        assert_memory_equal(&x->a, &y->a, sizeof x->a);
        assert_memory_equal(&x->difference, &y->difference, sizeof x->difference);
        assert_memory_equal(&x->bounds, &y->bounds, sizeof x->bounds);
        assert_memory_equal(&x->b_better, &y->b_better, sizeof x->b_better);
    }
    tin_comparison_free(&c);
    tin_comparison_free(&whole);
    /* a fold that is missing on one side: not the same data, and the message says who is missing */
    assert_int_equal(compare(folds[0], 4, folds[1], 3, &usual, &c, &err), TIN_ERR_MISMATCH);
    assert_non_null(strstr(err.message, "only the first has p0 p1"));
    tin_comparison_free(&c);
    /* the same people twice with other hashes are no folds */
    err = (tin_error){0};
    const char *const twice[] = {folds[0][0], FILES "a1"};
    assert_int_equal(compare(twice, 2, folds[1], 4, &usual, &c, &err), TIN_ERR_MISMATCH);
    tin_comparison_free(&c);
    for (size_t n = 1;; n++) {
        tin_memory_fail_at(n);
        err = (tin_error){0};
        tin_status status = compare(folds[0], 4, folds[1], 4, &(tin_compare_options){.resamples = 3}, &c, &err);
        tin_memory_fail_at(0);
        tin_comparison_free(&c);
        if (status == TIN_OK) {
            assert_true(n > 20);
            break;
        }
        assert_int_equal(status, TIN_ERR_MEMORY);
    }
}

/* p2's labels moved, p5 is gone, p9 is new. */
static void other_data(json_t *metrics, json_t *timelines)
{
    json_t *people = people_of(metrics), *streams = json_object_get(timelines, "streams");
    json_t *span = json_array_get(json_object_get(json_array_get(streams, 2), "intervals"), 0);
    json_object_set_new(metrics, "data_hash", json_string("another one"));
    json_array_set_new(span, 0, json_integer(21));
    json_object_set_new(json_array_get(people, 5), "name", json_string("p9"));
}

static void test_other_data_is_refused_or_restricted(void **state)
{
    (void)state;
    char original[TIN_PATH_MAX];
    snprintf(original, sizeof original, "%s", changed("original", NULL));
    const char *a = original, *b = changed("other", other_data);
    tin_error err = {0};
    tin_comparison c;
    tin_compare_options options = usual;
    assert_int_equal(compare(&a, 1, &b, 1, &options, &c, &err), TIN_ERR_MISMATCH);
    assert_non_null(strstr(err.message, "hash dddddddddddd and another one"));
    assert_non_null(strstr(err.message, "only the first has p5; only the second has p9"));
    assert_non_null(strstr(err.message, "--common"));
    tin_comparison_free(&c);
    err = (tin_error){0};
    options.common = true;
    assert_int_equal(compare(&a, 1, &b, 1, &options, &c, &err), TIN_OK);
    assert_int_equal(c.n_people, 6);
    assert_int_equal(c.n_left_out, 2);
    for (size_t i = 0; i < c.n_people; i++)
        assert_true(strcmp(c.people[i], "p2") != 0 && strcmp(c.people[i], "p5") != 0);
    assert_true(c.figures[TIN_COMPARED_FRAME_ACCURACY].difference == 0);
    tin_comparison_free(&c);
}

static void all_moved(json_t *metrics, json_t *timelines)
{
    json_object_set_new(metrics, "data_hash", json_string("another one"));
    for (size_t i = 0; i < 8; i++)
        json_object_set_new(json_array_get(json_object_get(timelines, "streams"), i), "n_frames", json_integer(501));
}

static void other_classes(json_t *metrics, json_t *timelines)
{
    (void)timelines;
    json_object_set_new(json_array_get(json_object_get(metrics, "classes"), 1), "name", json_string("other"));
}

static void other_rate(json_t *metrics, json_t *timelines)
{
    (void)timelines;
    json_object_set_new(metrics, "rate_hz", json_real(25));
}

static void old_version(json_t *metrics, json_t *timelines)
{
    (void)timelines;
    json_object_del(json_array_get(people_of(metrics), 3), "classes");
}

static void negative(json_t *metrics, json_t *timelines)
{
    (void)timelines;
    json_object_set_new(json_object_get(json_array_get(people_of(metrics), 3), "events"), "missed", json_integer(-1));
}

static void twice_the_same(json_t *metrics, json_t *timelines)
{
    (void)timelines;
    json_object_set_new(json_array_get(people_of(metrics), 3), "name", json_string("p2"));
}

static void nobody(json_t *metrics, json_t *timelines)
{
    (void)timelines;
    json_array_clear(people_of(metrics));
}

static void newer_format(json_t *metrics, json_t *timelines)
{
    (void)timelines;
    json_object_set_new(metrics, "format", json_integer(99));
}

static void test_what_cannot_be_compared(void **state)
{
    (void)state;
    const struct {
        const char *name;
        void (*change)(json_t *metrics, json_t *timelines);
        tin_status status;
        const char *message;
    } cases[] = {
        {"moved", all_moved, TIN_ERR_MISMATCH, "share no test person"},
        {"classes", other_classes, TIN_ERR_MISMATCH, "other classes"},
        {"rate", other_rate, TIN_ERR_MISMATCH, "other rates"},
        {"old", old_version, TIN_ERR_FORMAT, "evaluate --force"},
        {"negative", negative, TIN_ERR_FORMAT, "no missed"},
        {"twice", twice_the_same, TIN_ERR_FORMAT, "no list of people by name"},
        {"nobody", nobody, TIN_ERR_FORMAT, "no test people"},
        {"newer", newer_format, TIN_ERR_FORMAT, "does not know"},
    };
    char original[TIN_PATH_MAX];
    snprintf(original, sizeof original, "%s", changed("original", NULL));
    tin_compare_options options = usual;
    options.common = true;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tin_error err = {0};
        tin_comparison c;
        const char *a = original, *b = changed(cases[i].name, cases[i].change);
        assert_int_equal(compare(&a, 1, &b, 1, &options, &c, &err), cases[i].status);
        assert_non_null(strstr(err.message, cases[i].message));
        tin_comparison_free(&c);
    }
    tin_error err = {0};
    tin_comparison c;
    const char *a = original, *missing = TEST_TEMPORARY "/is not there";
    assert_int_equal(compare(&a, 1, &missing, 1, &usual, &c, &err), TIN_ERR_IO);
    assert_non_null(strstr(tin_error_text(&err), "metrics.json"));
    tin_comparison_free(&c);
}

static void other_margins(json_t *metrics, json_t *timelines)
{
    (void)timelines;
    json_object_set_new(json_object_get(metrics, "settings"), "late_ms", json_real(900));
}

static void margins_of_one_class(json_t *metrics, json_t *timelines)
{
    (void)timelines;
    json_object_set_new(json_object_get(metrics, "settings"), "margins",
                        json_pack("[{s:s, s:f, s:f}]", "class", "wave", "early_ms", 200.0, "late_ms", 900.0));
}

static void other_deadline(json_t *metrics, json_t *timelines)
{
    (void)timelines;
    json_object_set_new(json_object_get(metrics, "settings"), "deadline_ms", json_real(300));
}

static void without_units(json_t *metrics, json_t *timelines)
{
    (void)timelines;
    json_object_del(json_object_get(json_array_get(people_of(metrics), 4), "events"), "units_said");
}

static void one_person(json_t *metrics, json_t *timelines)
{
    (void)timelines;
    while (json_array_size(people_of(metrics)) > 1)
        json_array_remove(people_of(metrics), 1);
}

static void test_figures_that_do_not_exist(void **state)
{
    (void)state;
    tin_comparison c = compared(FILES "a1", changed("margins", other_margins));
    assert_non_null(c.no_events);
    assert_true(isnan(c.figures[TIN_COMPARED_FNR].difference) && isnan(c.figures[TIN_COMPARED_FNR].bounds.low));
    assert_int_equal(tin_comparison_verdict(&c.figures[TIN_COMPARED_FNR]), 0);
    assert_true(c.figures[TIN_COMPARED_MACRO_F1].bounds.low > 0);
    tin_comparison_free(&c);
    char own[TIN_PATH_MAX];
    snprintf(own, sizeof own, "%s", changed("own", margins_of_one_class));
    c = compared(FILES "a1", own); /* the other has none */
    assert_non_null(strstr(c.no_events, "margins"));
    tin_comparison_free(&c);
    c = compared(own, own);
    assert_null(c.no_events);
    tin_comparison_free(&c);
    c = compared(FILES "a1", changed("deadline", other_deadline));
    assert_true(isnan(c.figures[TIN_COMPARED_DEADLINE_RECALL].difference));
    assert_false(isnan(c.figures[TIN_COMPARED_FNR].difference) || isnan(c.figures[TIN_COMPARED_SEGMENT_F1].difference));
    tin_comparison_free(&c);
    c = compared(FILES "a1", changed("units", without_units)); /* of an earlier version */
    assert_true(isnan(c.figures[TIN_COMPARED_DEADLINE_RECALL].a) && isnan(c.figures[TIN_COMPARED_SEGMENT_F1].b));
    assert_false(isnan(c.figures[TIN_COMPARED_FNR].difference) || isnan(c.figures[TIN_COMPARED_EVENT_F1].difference));
    tin_comparison_free(&c);
    char alone[TIN_PATH_MAX];
    snprintf(alone, sizeof alone, "%s", changed("alone", one_person));
    c = compared(alone, alone); /* nobody to draw besides: no interval, no verdict */
    assert_true(c.figures[TIN_COMPARED_FRAME_ACCURACY].difference == 0);
    assert_true(isnan(c.figures[TIN_COMPARED_FRAME_ACCURACY].bounds.low));
    assert_true(isnan(c.figures[TIN_COMPARED_FRAME_ACCURACY].b_better));
    assert_int_equal(tin_comparison_verdict(&c.figures[TIN_COMPARED_FRAME_ACCURACY]), 0);
    tin_comparison_free(&c);
}

static void test_memory_fails_everywhere(void **state)
{
    (void)state;
    char original[TIN_PATH_MAX];
    snprintf(original, sizeof original, "%s", changed("original", NULL));
    const char *a = original, *b = changed("other", other_data);
    const tin_compare_options options = {.common = true, .resamples = 20, .seed = 1};
    tin_status status = TIN_ERR_MEMORY;
    size_t at = 0;
    while (status) {
        tin_error err = {0};
        tin_comparison c;
        tin_memory_fail_at(++at);
        status = compare(&a, 1, &b, 1, &options, &c, &err);
        tin_memory_fail_at(0);
        assert_int_equal(status, status ? TIN_ERR_MEMORY : TIN_OK);
        tin_comparison_free(&c);
    }
    assert_true(at > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folds_are_one_run),
        cmocka_unit_test(test_equals_numpy),
        cmocka_unit_test(test_a_run_against_itself_and_both_ways),
        cmocka_unit_test(test_other_data_is_refused_or_restricted),
        cmocka_unit_test(test_what_cannot_be_compared),
        cmocka_unit_test(test_figures_that_do_not_exist),
        cmocka_unit_test(test_memory_fails_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
