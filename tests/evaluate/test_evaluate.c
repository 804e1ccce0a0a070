/* The whole evaluation on a small made world: two signals that show two event classes, a model of one dense layer that
 * reads them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_tools.h"
#include "base/memory.h"
#include "evaluate/score_streams.h"
#include "made_world.h"
#include "model/safetensors.h"

static const tin_class STATES[] = {{"rest", false}, {"wave", false}, {"knock", false}};

/* The evaluation that several cases look at. */
static const char *evaluate_good(tin_evaluate_summary *s)
{
    tin_dataset *dataset = make_dataset(TEST_TEMPORARY "/good.tind", CLASSES, false);
    tiny t;
    make_tiny(&t, dataset);
    tin_evaluate_options options = options_in(TEST_TEMPORARY "/good");
    tin_error err = {0};
    if (tin_evaluate(&t.model, NULL, dataset, &options, s, &err) != TIN_OK) {
        fail_msg("%s", tin_error_text(&err));
    }
    tin_dataset_close(dataset);
    return options.folder;
}

static void a_good_model_gets_good_figures(void **state)
{
    (void)state;
    tin_evaluate_summary s, loaded;
    const char *folder = evaluate_good(&s);
    /* noise of 10 on 80 against a limit of 40: every frame is right but the unlabelled ones, which are not counted */
    assert_true(s.frame_accuracy == 1 && s.balanced_accuracy == 1 && s.macro_f1 == 1 && s.frame_accuracy_no_reset == 1);
    assert_int_equal(s.n_test_frames, 2 * (N_FRAMES - 40));
    assert_int_equal(s.n_events, 18);
    assert_true(s.fnr == 0 && s.fcr == 0 && s.fp_per_hour == 0 && s.iou50_f1 == 1 && s.window_accuracy == 1);
    assert_true(isnan(s.float_frame_accuracy));
    assert_int_equal(tin_evaluate_load(folder, &loaded, NULL), TIN_OK);
    assert_memory_equal(&loaded.rule, &s.rule, sizeof s.rule);
    assert_true(fabs(loaded.latency_mean_s - s.latency_mean_s) < 1e-8 && loaded.n_events == 18);
    assert_true(isnan(loaded.float_frame_accuracy));
    json_t *root = NULL;
    assert_int_equal(tin_json_load(&root, folder, "metrics.json", NULL), TIN_OK);
    const json_t *windows = json_object_get(json_object_get(json_object_get(root, "test"), "integer"), "windows");
    const json_t *bounds = json_object_get(windows, "accuracy_95");
    assert_true(json_number_value(json_array_get(bounds, 0)) == 1 && json_number_value(json_array_get(bounds, 1)) == 1);
    json_decref(root);
}

static void margins_of_a_class_are_in_the_file_or_refused(void **state)
{
    (void)state;
    char rest[] = "rest", wave[] = "wave", knock[] = "knock";
    tin_config_margin own[] = {{knock, 300, -1}, {wave, -1, 700}};
    tin_dataset *dataset = make_dataset(TEST_TEMPORARY "/margins.tind", CLASSES, false);
    tiny t;
    make_tiny(&t, dataset);
    tin_evaluate_options options = options_in(TEST_TEMPORARY "/margins");
    options.settings.margins = own;
    options.settings.margins_count = 2;
    tin_evaluate_summary s;
    tin_error err = {0};
    assert_int_equal(tin_evaluate(&t.model, NULL, dataset, &options, &s, &err), TIN_OK);
    assert_true(s.fnr == 0 && s.fcr == 0 && s.fp_per_hour == 0);
    json_t *root = NULL, *expected = json_pack("[{s:s, s:f, s:f}, {s:s, s:f, s:f}]", "class", "wave", "early_ms", 200.0,
                                               "late_ms", 700.0, "class", "knock", "early_ms", 300.0, "late_ms", 500.0);
    assert_int_equal(tin_json_load(&root, options.folder, "metrics.json", NULL), TIN_OK);
    assert_true(json_equal(json_object_get(json_object_get(root, "settings"), "margins"), expected));
    json_decref(root);
    json_decref(expected);
    own[1].class = rest; /* no event */
    assert_int_equal(tin_evaluate(&t.model, NULL, dataset, &options, &s, &err), TIN_ERR_CONFIG);
    assert_non_null(strstr(tin_error_text(&err), "'rest'"));
    tin_dataset_close(dataset);
}

/* A model that looks at the last 30 frames: with 20 frames of history, a window at rest is wrong when an event ended
 * less than 20 frames before it; without, none is. */
static void windows_may_have_a_history(void **state)
{
    (void)state;
    tin_dataset *dataset = make_dataset(TEST_TEMPORARY "/history.tind", CLASSES, false);
    tiny t;
    make_tiny(&t, dataset);
    t.model.layers[1] = t.model.layers[0];
    t.model.layers[0] = (tin_qlayer){.op = TIN_OP_MAX_POOL,
                                     .n_inputs = 2,
                                     .n_outputs = 2,
                                     .kernel = 30,
                                     .stride = 1,
                                     .dilation = 1,
                                     .groups = 1,
                                     .output_scale = 1};
    t.model.n_layers = 2;
    memset(t.model.layers[1].name, 0, TIN_LAYER_NAME);
    t.model.layers[1].n_from = 0;
    tin_qmodel_link(&t.model);
    assert_int_equal(tin_qmodel_seal(&t.model, NULL), TIN_OK);
    for (int history = 0; history <= 20; history += 20) {
        tin_scored_set set;
        const tin_windows windows = {.frames = 10, .step = 5, .history = history};
        assert_int_equal(tin_score_streams((tin_scorer){.qmodel = &t.model, .folder = TEST_TEMPORARY}, dataset,
                                           TIN_ROLE_TEST, windows, NULL, true, &set, NULL),
                         TIN_OK);
        for (size_t i = 0; i < set.n; i++) {
            const tin_stream *stream = set.items[i].stream;
            int64_t wrong = 0;
            for (size_t k = 2; k < stream->n_intervals && history > 0; k++) {
                const tin_interval *after = &stream->intervals[k];
                bool behind_event = after->class_index == 0 && stream->intervals[k - 1].class_index > 0;
                for (int64_t start = after->start; behind_event && start + 10 <= after->end; start += 5) {
                    wrong += start - after->start < 20;
                }
            }
            assert_true(set.items[i].n_windows > 30 && (history > 0) == (wrong > 0));
            assert_int_equal(set.items[i].n_windows - set.items[i].windows_right, wrong);
        }
        tin_scored_set_free(&set);
    }
    tin_dataset_close(dataset);
}

static double number_at(const json_t *from, const char *key)
{
    return json_number_value(json_object_get(from, key));
}

static void trivial_detectors_stand_beside_the_model(void **state)
{
    (void)state;
    json_t *root = NULL;
    tin_evaluate_summary s;
    assert_int_equal(tin_json_load(&root, evaluate_good(&s), "metrics.json", NULL), TIN_OK);
    const json_t *trivial = json_object_get(root, "trivial");
    assert_int_equal(json_array_size(trivial), 4);
    const json_t *rest = json_array_get(trivial, 0), *wave = json_array_get(trivial, 1),
                 *clock = json_array_get(trivial, 3);
    assert_string_equal(json_string_value(json_object_get(rest, "name")), "always rest");
    assert_string_equal(json_string_value(json_object_get(clock, "name")), "clock");
    const json_t *frames = json_object_get(rest, "frames");
    /* 18 events of 20 frames among 1120 counted */
    assert_true(fabs(json_number_value(json_object_get(frames, "accuracy")) - 760.0 / 1120) < 1e-8);
    assert_true(json_number_value(json_object_get(json_object_get(rest, "events"), "fnr")) == 1);
    /* most of what it says always is no wave: nothing is found at a tolerance of 0.7 */
    const json_t *psds = json_object_get(json_object_get(wave, "events"), "psds");
    assert_true(number_at(json_object_get(psds, "psds1"), "value") == 0 && number_at(psds, "n_thresholds") == 1);
    /* one trigger per stream at frame 0, far from events: 2 false positives in all */
    assert_int_equal(json_integer_value(json_object_get(json_object_get(wave, "events"), "false_positives")), 2);
    /* 9 events of each training stream, at mean times within 10 frames of the true ones, mostly inside the windows */
    assert_int_equal(json_integer_value(json_object_get(json_object_get(clock, "events"), "n_triggers")), 18);
    json_decref(root);
}

/* Where every class is an event, "always rest" reports rest; one that says nothing stands beside it. */
static void a_detector_that_never_speaks_is_there(void **state)
{
    (void)state;
    static const tin_class all[] = {{"rest", true}, {"wave", true}, {"knock", true}};
    tin_dataset *dataset = make_dataset(TEST_TEMPORARY "/all.tind", all, false);
    json_t *root = NULL;
    tin_evaluate_summary s;
    tiny t;
    make_tiny(&t, dataset);
    tin_evaluate_options options = options_in(TEST_TEMPORARY "/all");
    assert_int_equal(tin_evaluate(&t.model, NULL, dataset, &options, &s, NULL), TIN_OK);
    assert_int_equal(tin_json_load(&root, options.folder, "metrics.json", NULL), TIN_OK);
    const json_t *trivial = json_object_get(root, "trivial"), *never = json_array_get(trivial, 4);
    assert_int_equal(json_array_size(trivial), 5);
    assert_string_equal(json_string_value(json_object_get(never, "name")), "never");
    const json_t *events = json_object_get(never, "events"),
                 *rest = json_object_get(json_array_get(trivial, 0), "events");
    assert_true(number_at(events, "fnr") == 1 && number_at(events, "n_triggers") == 0);
    assert_true(number_at(rest, "n_triggers") == 2);
    assert_true(number_at(json_object_get(json_object_get(events, "psds"), "psds1"), "value") == 0);
    json_decref(root);
    tin_dataset_close(dataset);
}

static void is_pair(const json_t *pair, double low, double high)
{
    assert_true(fabs(json_number_value(json_array_get(pair, 0)) - low) < 1e-6);
    assert_true(fabs(json_number_value(json_array_get(pair, 1)) - high) < 1e-6);
}

/* 18 events, all found; windows of 2 + 20 + 5 frames, so 2 * 600 - 18 * 27 = 714 frames at 10 Hz, 1.19 minutes, in no
 * window: fewer than 2.9957 / (714 / 36000) = 151.05 an hour, in words rounded up. Of 18 of 18 the exact lower bound is
 * 0.025^(1/18) = 0.81470. Every event is found at its first frame. */
static void figures_say_how_sure_they_are(void **state)
{
    (void)state;
    json_t *root = NULL;
    tin_evaluate_summary s;
    assert_int_equal(tin_json_load(&root, evaluate_good(&s), "metrics.json", NULL), TIN_OK);
    const json_t *result = json_object_get(json_object_get(root, "test"), "integer");
    const json_t *events = json_object_get(result, "events");
    assert_string_equal(json_string_value(json_object_get(events, "fp_per_hour_words")),
                        "no false positive in 1.19 minutes without an event: fewer than 160 an hour (95 % sure)");
    assert_true(fabs(number_at(events, "fp_per_hour_below_95") - 2.995732273553991 / (714 / 36000.0)) < 1e-5);
    is_pair(json_object_get(events, "fp_per_hour_exact_95"), 0, 3.6888794541139354 / (714 / 36000.0));
    is_pair(json_object_get(events, "recall_exact_95"), pow(0.025, 1.0 / 18), 1);
    is_pair(json_object_get(events, "fnr_exact_95"), 0, 1 - pow(0.025, 1.0 / 18));
    is_pair(json_object_get(events, "recall_95"), 1, 1); /* both people alike */
    const json_t *worst = json_object_get(json_object_get(events, "worst"), "fnr");
    assert_string_equal(json_string_value(json_object_get(worst, "name")), "eve"); /* the first of equal ones */
    assert_true(number_at(worst, "value") == 0 && s.worst_fnr == 0 && strcmp(s.worst_person, "eve") == 0);
    const json_t *psds = json_object_get(events, "psds");
    assert_true(number_at(json_object_get(psds, "psds1"), "value") == 1 && number_at(psds, "n_thresholds") > 10);
    const json_t *at_once = json_array_get(json_object_get(events, "deadlines"), 0);
    assert_true(number_at(at_once, "ms") == 0 && number_at(at_once, "n_found") == 18);
    assert_true(number_at(events, "segment_f1") == 1 && number_at(events, "onset_offset_f1") == 1);
    assert_true(number_at(events, "start_error_s") == 0 && number_at(events, "end_error_median_s") == 0);
    assert_true(number_at(json_object_get(events, "macro"), "segment_f1") == 1 && s.segment_f1 == 1);
    assert_true(number_at(events, "deadline_recall") == 1 && s.deadline_recall == 1 && s.event_f1 == 1);
    json_decref(root);
}

/* The classes of the events and the people each make up the whole. */
static void classes_and_people_make_up_the_whole(void **state)
{
    (void)state;
    static const char *const keys[] = {"n_events",  "true_positives", "n_triggers",
                                       "overlap50", "in_time",        "onset_right"};
    json_t *root = NULL;
    tin_evaluate_summary s;
    assert_int_equal(tin_json_load(&root, evaluate_good(&s), "metrics.json", NULL), TIN_OK);
    const json_t *result = json_object_get(json_object_get(root, "test"), "integer"), *one;
    const json_t *events = json_object_get(result, "events"), *classes = json_object_get(events, "classes");
    assert_int_equal(json_array_size(classes), 2); /* rest is no event */
    assert_string_equal(json_string_value(json_object_get(json_array_get(classes, 1), "name")), "knock");
    for (size_t f = 0; f < sizeof keys / sizeof *keys; f++) {
        double of_classes = 0, of_people = 0;
        size_t i;
        json_array_foreach(classes, i, one)
        {
            of_classes += number_at(one, keys[f]);
        }
        json_array_foreach(json_object_get(result, "people"), i, one)
        {
            of_people += number_at(json_object_get(one, "events"), keys[f]);
        }
        assert_true(of_classes == number_at(events, keys[f]) && of_people == of_classes && of_classes == 18);
    }
    const json_t *eve = json_object_get(json_array_get(json_object_get(result, "people"), 0), "events");
    const json_t *wave = json_array_get(json_object_get(eve, "classes"), 1);
    assert_true(number_at(json_object_get(eve, "latency"), "p95_s") == 0);
    assert_true(json_number_value(json_array_get(wave, 0)) == json_number_value(json_array_get(wave, 1)));
    json_decref(root);
}

/* metrics.json of an earlier version has no figures that came later; the others are read. */
static void an_earlier_file_is_read(void **state)
{
    (void)state;
    json_t *root = NULL;
    tin_evaluate_summary s, loaded;
    assert_int_equal(tin_json_load(&root, evaluate_good(&s), "metrics.json", NULL), TIN_OK);
    json_t *summary = json_object_get(root, "summary");
#define X(figure) assert_int_equal(json_object_del(summary, #figure), 0);
    TIN_SUMMARY_LATER_LIST(X)
#undef X
    assert_int_equal(json_object_del(summary, "worst_person"), 0);
    assert_int_equal(tin_folder_make(TEST_TEMPORARY "/earlier", NULL), TIN_OK);
    assert_int_equal(tin_json_save(root, TEST_TEMPORARY "/earlier", "metrics.json", 1, NULL), TIN_OK);
    assert_int_equal(tin_evaluate_load(TEST_TEMPORARY "/earlier", &loaded, NULL), TIN_OK);
    assert_true(isnan(loaded.deadline_recall) && isnan(loaded.worst_fnr) && loaded.worst_person[0] == '\0');
    assert_true(loaded.fnr == 0 && loaded.n_events == 18);
    json_decref(root);
}

static void scores_open_as_safetensors(void **state)
{
    (void)state;
    tin_safetensors *file = NULL;
    const void *data = NULL;
    tin_evaluate_summary s;
    evaluate_good(&s);
    assert_int_equal(tin_safetensors_read(&file, TEST_TEMPORARY "/good/scores.safetensors", NULL), TIN_OK);
    assert_int_equal(file->n_tensors, 4);
    assert_int_equal(tin_safetensors_get(file, "fay", TIN_I16, 2, (int64_t[]){N_FRAMES, 3}, &data, NULL), TIN_OK);
    const int16_t *scores = data;
    assert_int_equal(scores[0], 40 * 16);
    tin_safetensors_free(file);
}

/* Exchanging the labels of the test people must not change the rule, only the figures. */
static void the_rule_never_sees_the_test_people(void **state)
{
    (void)state;
    tin_dataset *dataset = make_dataset(TEST_TEMPORARY "/plain.tind", CLASSES, false);
    tin_dataset *swapped = make_dataset(TEST_TEMPORARY "/swapped.tind", CLASSES, true);
    tiny t;
    make_tiny(&t, dataset);
    const double limits[] = {0, 0, 30};
    const char *const objectives[] = {NULL, "iou_f1", "event_f1"};
    for (int i = 0; i < 3; i++) {
        tin_evaluate_options options = options_in(TEST_TEMPORARY "/plain");
        options.settings.max_fp_per_hour = limits[i];
        options.settings.objective = (char *)objectives[i];
        tin_evaluate_summary a, b;
        assert_int_equal(tin_evaluate(&t.model, NULL, dataset, &options, &a, NULL), TIN_OK);
        assert_int_equal(tin_evaluate(&t.model, NULL, swapped, &options, &b, NULL), TIN_OK);
        assert_memory_equal(&a.rule, &b.rule, sizeof a.rule);
        assert_true(a.fcr == 0 && b.fcr == 1);
        assert_true(b.frame_accuracy < a.frame_accuracy);
    }
    tin_dataset_close(dataset);
    tin_dataset_close(swapped);
}

static void same_bytes_at_any_number_of_threads(void **state)
{
    (void)state;
    static const char *const files[] = {"metrics.json", "sweep.csv", "timelines.json", "scores.safetensors"};
    tin_dataset *dataset = make_dataset(TEST_TEMPORARY "/threads.tind", CLASSES, false);
    tiny t;
    make_tiny(&t, dataset);
    tin_evaluate_summary s;
    tin_evaluate_options one = options_in(TEST_TEMPORARY "/one"), three = options_in(TEST_TEMPORARY "/three");
    assert_int_equal(tin_pool_create(&three.pool, 3, NULL), TIN_OK);
    assert_int_equal(tin_evaluate(&t.model, NULL, dataset, &one, &s, NULL), TIN_OK);
    assert_int_equal(tin_evaluate(&t.model, NULL, dataset, &three, &s, NULL), TIN_OK);
    tin_pool_destroy(three.pool);
    for (size_t i = 0; i < 4; i++) {
        char path[TIN_PATH_MAX], *a = NULL, *b = NULL;
        size_t size_a = 0, size_b = 0;
        assert_int_equal(tin_path_join(path, one.folder, files[i], NULL), TIN_OK);
        assert_int_equal(tin_file_read(path, &a, &size_a, NULL), TIN_OK);
        assert_int_equal(tin_path_join(path, three.folder, files[i], NULL), TIN_OK);
        assert_int_equal(tin_file_read(path, &b, &size_b, NULL), TIN_OK);
        assert_int_equal(size_a, size_b);
        assert_memory_equal(a, b, size_a);
        tin_free(a);
        tin_free(b);
    }
    tin_dataset_close(dataset);
}

static void without_event_classes_there_are_frame_figures_only(void **state)
{
    (void)state;
    tin_dataset *dataset = make_dataset(TEST_TEMPORARY "/states.tind", STATES, false);
    tiny t;
    make_tiny(&t, dataset);
    tin_evaluate_options options = options_in(TEST_TEMPORARY "/states");
    tin_evaluate_summary s, loaded;
    assert_int_equal(tin_evaluate(&t.model, NULL, dataset, &options, &s, NULL), TIN_OK);
    assert_true(s.frame_accuracy == 1 && isnan(s.fnr) && isnan(s.iou50_f1) && isnan(s.latency_mean_s));
    assert_false(tin_file_exists(TEST_TEMPORARY "/states/sweep.csv"));
    assert_int_equal(tin_evaluate_load(options.folder, &loaded, NULL), TIN_OK);
    assert_true(isnan(loaded.fnr));
    tin_dataset_close(dataset);
}

/* A float model of the same kind: its scores are logits * 256, so the same rule applies. */
static void float_model_stands_beside_the_integer_one(void **state)
{
    (void)state;
    tin_dataset *dataset = make_dataset(TEST_TEMPORARY "/float.tind", CLASSES, false);
    tiny t;
    make_tiny(&t, dataset);
    tin_model *model = NULL;
    const tin_layer_spec dense = {.op = TIN_OP_DENSE};
    assert_int_equal(tin_model_create(&model, dataset, &dense, 1, NULL), TIN_OK);
    model->input.scale[0] = model->input.scale[1] = 1;
    float *weight = model->params + model->layers[0].params[0].offset,
          *bias = model->params + model->layers[0].params[1].offset;
    weight[2] = weight[5] = 1.0f / 16;
    bias[0] = 2.5f;
    tin_evaluate_options options = options_in(TEST_TEMPORARY "/float");
    tin_evaluate_summary s;
    assert_int_equal(tin_evaluate(&t.model, model, dataset, &options, &s, NULL), TIN_OK);
    assert_true(s.float_frame_accuracy == 1 && s.float_window_accuracy == 1);
    json_t *root = NULL;
    assert_int_equal(tin_json_load(&root, options.folder, "metrics.json", NULL), TIN_OK);
    const json_t *events = json_object_get(json_object_get(json_object_get(root, "test"), "float"), "events");
    assert_true(json_number_value(json_object_get(events, "recall")) == 1);
    json_decref(root);
    tin_model_free(model);
    tin_dataset_close(dataset);
}

static void wrong_settings_say_how_to_mend(void **state)
{
    (void)state;
    tin_dataset *dataset = make_dataset(TEST_TEMPORARY "/wrong.tind", CLASSES, false);
    tiny t;
    make_tiny(&t, dataset);
    tin_evaluate_options options = options_in(TEST_TEMPORARY "/wrong");
    tin_evaluate_summary s;
    tin_error err = {0};
    options.settings.objective = "accuracy";
    assert_int_equal(tin_evaluate(&t.model, NULL, dataset, &options, &s, &err), TIN_ERR_CONFIG);
    assert_non_null(strstr(err.message, "iou_f1"));
    options.settings.objective = NULL;
    t.model.n_classes = 2;
    err = (tin_error){0};
    assert_int_equal(tin_evaluate(&t.model, NULL, dataset, &options, &s, &err), TIN_ERR_MODEL);
    tin_dataset_close(dataset);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    tin_dataset *dataset = make_dataset(TEST_TEMPORARY "/alloc.tind", CLASSES, false);
    tiny t;
    make_tiny(&t, dataset);
    tin_evaluate_options options = options_in(TEST_TEMPORARY "/alloc");
    options.settings.bootstrap = 10;
    bool done = false;
    tin_memory_fail_at(0);
    /* the sweep of all rules, and PSDS, allocate alike for each family or threshold: past the first hundred, every 211th
     * stands for the others
     */
    for (size_t n = 1; !done && n < 100000; n += n < 100 ? 1 : 211) {
        tin_evaluate_summary s;
        tin_error err = {0};
        tin_memory_fail_at(n);
        tin_status status = tin_evaluate(&t.model, NULL, dataset, &options, &s, &err);
        size_t made = tin_memory_fail_at(0);
        done = status == TIN_OK;
        assert_true(done ? made < n : status == TIN_ERR_MEMORY && err.status == TIN_ERR_MEMORY);
    }
    assert_true(done);
    tin_dataset_close(dataset);
}

/* Every truncation of metrics.json is refused; so are wrong types and a rule out of range. */
static void hostile_metrics_are_refused(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    tin_evaluate_summary s;
    evaluate_good(&s);
    assert_int_equal(tin_file_read(TEST_TEMPORARY "/good/metrics.json", &text, &size, NULL), TIN_OK);
    assert_int_equal(tin_folder_make(TEST_TEMPORARY "/hostile", NULL), TIN_OK);
    for (size_t n = 0; n + 2 < size; n += 1 + n / 50) {
        assert_int_equal(tin_file_write(TEST_TEMPORARY "/hostile/metrics.json", text, n, NULL), TIN_OK);
        assert_int_equal(tin_evaluate_load(TEST_TEMPORARY "/hostile", &s, NULL), TIN_ERR_FORMAT);
    }
    static const char *const bad[] = {
        "[]", "{}", "{\"summary\":[]}", "{\"summary\":{\"frame_accuracy\":\"1\"}}", "{\"summary\":{},\"summary\":{}}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(tin_file_write(TEST_TEMPORARY "/hostile/metrics.json", bad[i], strlen(bad[i]), NULL), TIN_OK);
        assert_int_equal(tin_evaluate_load(TEST_TEMPORARY "/hostile", &s, NULL), TIN_ERR_FORMAT);
    }
    char *shift = strstr(strstr(text, "\"summary\""), "\"smooth_shift\": ");
    assert_non_null(shift);
    shift[strlen("\"smooth_shift\": ")] = '9';
    tin_error err = {0};
    assert_int_equal(tin_file_write(TEST_TEMPORARY "/hostile/metrics.json", text, size, NULL), TIN_OK);
    assert_int_equal(tin_evaluate_load(TEST_TEMPORARY "/hostile", &s, &err), TIN_ERR_FORMAT);
    assert_non_null(strstr(err.message, "smooth_shift"));
    tin_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_model_gets_good_figures),
        cmocka_unit_test(margins_of_a_class_are_in_the_file_or_refused),
        cmocka_unit_test(windows_may_have_a_history),
        cmocka_unit_test(trivial_detectors_stand_beside_the_model),
        cmocka_unit_test(a_detector_that_never_speaks_is_there),
        cmocka_unit_test(figures_say_how_sure_they_are),
        cmocka_unit_test(classes_and_people_make_up_the_whole),
        cmocka_unit_test(an_earlier_file_is_read),
        cmocka_unit_test(scores_open_as_safetensors),
        cmocka_unit_test(the_rule_never_sees_the_test_people),
        cmocka_unit_test(same_bytes_at_any_number_of_threads),
        cmocka_unit_test(without_event_classes_there_are_frame_figures_only),
        cmocka_unit_test(float_model_stands_beside_the_integer_one),
        cmocka_unit_test(wrong_settings_say_how_to_mend),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(hostile_metrics_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
