/* The rules of data.labels on hand-made streams of 100 frames at 10 Hz. */
#include "data_test.h"

#include "data/label_rules.h"

#define FRAMES 100
#define A 1
#define B 2

static tin_class classes[3] = {{"none", false}, {"A", true}, {"B", true}};
static int16_t counts[FRAMES * 2];
static tin_interval intervals[4];
static tin_label_rules rules;

static const tin_config_label_rule plain = {.after = "", .before = "", .within_ms = 1000, .to = "", .at = "start"};

/* Applies rules to labels, and compares with what must be left; ends with an interval of length 0. */
static void check(tin_config_label_rule *given, unsigned n, const tin_interval *before, const tin_interval *after)
{
    tin_config_data settings = {.rate_hz = 10, .labels = given, .labels_count = n};
    tin_stream s = {.n_frames = FRAMES, .counts = counts};
    tin_error err = {0};
    tin_label_rules_free(&rules);
    if (tin_label_rules_make(&rules, &settings, classes, 3, &err) != TIN_OK)
        fail_msg("%s", tin_error_text(&err));
    for (; before[s.n_intervals].end > 0; s.n_intervals++)
        intervals[s.n_intervals] = before[s.n_intervals];
    assert_int_equal(tin_label_rules_apply(&rules, &s, intervals, 2, &err), TIN_OK);
    size_t i = 0;
    for (; after[i].end > 0; i++) {
        assert_true(i < s.n_intervals);
        assert_int_equal(intervals[i].start, after[i].start);
        assert_int_equal(intervals[i].end, after[i].end);
        assert_int_equal(intervals[i].class_index, after[i].class_index);
    }
    assert_int_equal(s.n_intervals, i);
}

#define LABELS(...) ((const tin_interval[]){__VA_ARGS__, {0, 0, 0}})

static int teardown(void **state)
{
    (void)state;
    tin_label_rules_free(&rules);
    return 0;
}

static void drop_by_length(void **state)
{
    (void)state;
    tin_config_label_rule r = plain;
    r.rule = "drop";
    r.max_ms = 300;
    check(&r, 1, LABELS({0, 2, A}, {10, 13, A}, {20, 22, B}), LABELS({10, 13, A})); /* 300 ms are not shorter */
    assert_int_equal(rules.rules[0].n_labels, 2);
    char *only[1] = {"B"};
    r.classes = only;
    r.classes_count = 1;
    check(&r, 1, LABELS({0, 2, A}, {10, 13, A}, {20, 22, B}), LABELS({0, 2, A}, {10, 13, A}));
    r.min_ms = 200;
    check(&r, 1, LABELS({0, 1, B}, {20, 22, B}), LABELS({0, 1, B}));
}

static void merge_near_ones(void **state)
{
    (void)state;
    tin_config_label_rule r = plain;
    r.rule = "merge";
    r.gap_ms = 500;
    check(&r, 1, LABELS({0, 5, A}, {10, 12, A}, {17, 20, A}, {26, 30, A}), LABELS({0, 20, A}, {26, 30, A}));
    assert_int_equal(rules.rules[0].n_labels, 2);
    check(&r, 1, LABELS({0, 5, A}, {5, 8, B}, {8, 12, A}), LABELS({0, 5, A}, {5, 8, B}, {8, 12, A}));
    r.gap_ms = 0;
    check(&r, 1, LABELS({0, 5, A}, {5, 8, A}, {9, 12, A}), LABELS({0, 8, A}, {9, 12, A}));
}

static void relabel_by_neighbours(void **state)
{
    (void)state;
    tin_config_label_rule r = plain;
    r.rule = "relabel";
    r.to = "B";
    r.before = "A";
    r.within_ms = 400;
    char *only[1] = {"A"};
    r.classes = only;
    r.classes_count = 1;
    /* the first is near the second, the second too far from the third; both are asked before any is changed */
    check(&r, 1, LABELS({0, 5, A}, {9, 12, A}, {17, 20, A}), LABELS({0, 5, B}, {9, 12, A}, {17, 20, A}));
    check(&r, 1, LABELS({0, 5, A}, {9, 12, A}, {16, 20, A}), LABELS({0, 5, B}, {9, 12, B}, {16, 20, A}));
    r.before = "";
    r.after = "B";
    r.to = "ignore";
    check(&r, 1, LABELS({0, 5, A}, {6, 8, B}, {10, 12, A}), LABELS({0, 5, A}, {6, 8, B}, {10, 12, TIN_LABEL_IGNORE}));
    r.after = "ignore";
    r.to = "B";
    check(&r, 1, LABELS({0, 5, TIN_LABEL_IGNORE}, {6, 8, A}), LABELS({0, 5, TIN_LABEL_IGNORE}, {6, 8, B}));
}

static void anchored(void **state)
{
    (void)state;
    tin_config_label_rule r = plain;
    r.rule = "anchor";
    r.early_ms = 200;
    r.late_ms = 300;
    check(&r, 1, LABELS({10, 30, A}), LABELS({8, 13, A}));
    r.at = "end";
    check(&r, 1, LABELS({10, 30, A}), LABELS({28, 33, A}));
    check(&r, 1, LABELS({10, 30, A}, {31, 99, B}), LABELS({28, 31, A}, {97, 100, B})); /* as far as there is room */
    r.at = "start";
    check(&r, 1, LABELS({1, 30, A}, {30, 50, B}), LABELS({0, 4, A}, {28, 33, B}));
    r.early_ms = r.late_ms = 0;
    check(&r, 1, LABELS({10, 30, A}), LABELS({10, 11, A})); /* never empty */
    r.at = "end";
    check(&r, 1, LABELS({10, 30, A}, {30, 40, B}), LABELS({29, 30, A}, {40, 41, B}));
}

/* A burst on the quiet channel is the peak, though the other one has greater counts all the time. */
static void anchored_at_the_peak(void **state)
{
    (void)state;
    for (int t = 0; t < FRAMES; t++) {
        counts[2 * t] = (int16_t)(t % 2 ? 10000 : -10000);
        counts[2 * t + 1] = (int16_t)(t % 2);
    }
    counts[2 * 24 + 1] = 60;
    counts[2 * 70 + 1] = 90; /* outside the label */
    tin_config_label_rule r = plain;
    r.rule = "anchor";
    r.at = "peak";
    r.early_ms = 200;
    r.late_ms = 200;
    check(&r, 1, LABELS({10, 40, A}), LABELS({22, 26, A}));
    memset(counts, 0, sizeof counts); /* nothing moves: the first frame */
    check(&r, 1, LABELS({10, 40, A}), LABELS({8, 12, A}));
}

static void in_written_order(void **state)
{
    (void)state;
    tin_config_label_rule two[2] = {plain, plain};
    two[0].rule = "merge";
    two[0].gap_ms = 200;
    two[1].rule = "drop";
    two[1].max_ms = 500;
    check(two, 2, LABELS({0, 3, A}, {5, 8, A}, {20, 23, A}), LABELS({0, 8, A}));
    tin_config_label_rule first = two[0];
    two[0] = two[1];
    two[1] = first;
    check(two, 2, LABELS({0, 3, A}, {5, 8, A}, {20, 23, A}), LABELS({0, 0, 0}));
}

static void refused(tin_config_label_rule r, const char *words)
{
    tin_config_data settings = {.rate_hz = 10, .labels = &r, .labels_count = 1};
    tin_error err = {0};
    tin_label_rules_free(&rules);
    assert_int_equal(tin_label_rules_make(&rules, &settings, classes, 3, &err), TIN_ERR_CONFIG);
    if (strstr(err.message, words) == NULL)
        fail_msg("'%s' does not say '%s'", err.message, words);
}

static void wrong_rules(void **state)
{
    (void)state;
    tin_config_label_rule r = plain;
    char *missing[1] = {"C"};
    r.rule = "relabel";
    refused(r, "needs `to`");
    r.to = "C";
    refused(r, "`to` names the class 'C'");
    r.rule = "drop";
    refused(r, "only a rule relabel has `to`");
    r.to = "";
    r.after = "C";
    refused(r, "`after` names");
    r.after = "";
    r.classes = missing;
    r.classes_count = 1;
    refused(r, "`classes` names");
}

/* From the settings to the dataset, with a count of what was changed. */
static void in_a_dataset(void **state)
{
    (void)state;
    static const char folder[] = TEST_TEMPORARY "/rules";
    tin_config *c = load_settings("  simulate: {subjects: 5, minutes: 1}\n  labels:\n    - {rule: drop, min_ms: 1}\n");
    tin_data_report report;
    tin_dataset *d = build_well(&c->data, folder, &report);
    for (size_t i = 0; i < d->n_streams; i++)
        assert_int_equal(d->streams[i].n_intervals, 0);
    bool said = false;
    for (size_t i = 0; i < report.n_warnings; i++)
        said = said || strstr(report.warnings[i], "rule 1 of data.labels (drop) changed") != NULL;
    assert_true(said);
    tin_data_report_free(&report);
    tin_dataset_close(d);
    tin_config_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(drop_by_length, teardown),
        cmocka_unit_test_teardown(merge_near_ones, teardown),
        cmocka_unit_test_teardown(relabel_by_neighbours, teardown),
        cmocka_unit_test_teardown(anchored, teardown),
        cmocka_unit_test_teardown(anchored_at_the_peak, teardown),
        cmocka_unit_test_teardown(in_written_order, teardown),
        cmocka_unit_test_teardown(wrong_rules, teardown),
        cmocka_unit_test(in_a_dataset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
