/* Numbers of the statistics against sums by hand, spectra of a known tone, the pages with hostile names, and the model's
 * word about labels that were changed. The pages stay for check_pages.sh, which opens them in a browser. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "inspect/check_page.h"
#include "inspect/findings_json.h"
#include "inspect/stats.h"
#include "made_data.h"

static world w;

static int setup(void **state)
{
    (void)state;
    make_world(&w);
    return 0;
}

static double number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    assert_true(json_is_number(value));
    return json_number_value(value);
}

static json_t *stats(void)
{
    json_t *json = NULL;
    tin_error err = {0};
    if (tin_stats_json(&json, &w.d, &err) != TIN_OK) {
        fail_msg("%s", tin_error_text(&err));
    }
    return json;
}

static void sums(void **state)
{
    (void)state;
    w.streams[2].lineage = (tin_lineage){.rate_hz = 99.5, .jitter_s = 0.002, .n_gaps = 3, .n_duplicates = 4};
    w.intervals[0][0].class_index = TIN_LABEL_IGNORE;
    w.intervals[0][1].end += 60; /* 2.4 s, the longest tap */
    json_t *json = stats();
    int64_t labels[3] = {0};
    double seconds[3] = {0}, shares = number(json_object_get(json, "no_class"), "share");
    for (int i = 0; i < N_PEOPLE; i++) {
        for (size_t k = 0; k < w.streams[i].n_intervals; k++) {
            const tin_interval *v = &w.intervals[i][k];
            if (v->class_index >= 0) {
                labels[v->class_index]++;
                seconds[v->class_index] += (double)(v->end - v->start) / RATE;
            }
        }
    }
    seconds[0] = N_PEOPLE * N_FRAMES / RATE - seconds[1] - seconds[2] - 1.2; /* the rest, without the ignored label */
    for (int k = 0; k < 3; k++) {
        const json_t *o = json_array_get(json_object_get(json, "classes"), (size_t)k),
                     *roles = json_object_get(o, "roles");
        assert_int_equal(number(o, "labels"), labels[k]);
        assert_true(fabs(number(o, "seconds") - seconds[k]) < 1e-6);
        assert_int_equal(number(o, "people"), N_PEOPLE);
        assert_true(fabs(number(roles, "train") + number(roles, "validation") + number(roles, "test") - seconds[k]) <
                    1e-6);
        shares += number(o, "share");
    }
    assert_true(fabs(shares - 1) < 1e-9);
    const json_t *tap = json_object_get(json_array_get(json_object_get(json, "classes"), 2), "durations");
    assert_true(fabs(number(tap, "min_s") - 1.2) < 1e-9);
    assert_true(fabs(number(tap, "median_s") - 1.2) < 1e-9);
    assert_true(fabs(number(tap, "max_s") - 2.4) < 1e-9);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(tap, "counts"), 19)), 1);
    const json_t *stream = json_array_get(json_object_get(json, "streams"), 2);
    assert_true(fabs(number(stream, "source_rate_hz") - 99.5) < 1e-9);
    assert_int_equal(number(stream, "source_gaps"), 3);
    assert_int_equal(number(stream, "source_duplicates"), 4);
    const json_t *train = json_array_get(json_object_get(json, "roles"), 0);
    assert_int_equal(number(train, "people"), 3);
    assert_true(fabs(number(train, "seconds") - 3 * N_FRAMES / RATE) < 1e-9);
    json_decref(json);
}

/* The area under the peak of a tone is the tone's power, half the square of its amplitude (Parseval). */
static void a_tone(void **state)
{
    (void)state;
    const int bin = 32, segment = 256;
    const double amplitude = 2000, hz = bin * RATE / segment;
    for (int i = 0; i < N_PEOPLE; i++) {
        for (int t = 0; t < N_FRAMES; t++) {
            w.counts[i][t * N_CHANNELS] = (int16_t)rint(amplitude * sin(6.283185307179586 * hz * t / RATE));
        }
    }
    json_t *json = stats();
    const json_t *spectra = json_object_get(json, "spectra");
    assert_true(fabs(number(spectra, "step_hz") - RATE / segment) < 1e-9);
    for (size_t k = 0; k < 3; k++) {
        const json_t *values =
            json_array_get(json_object_get(json_array_get(json_object_get(spectra, "classes"), k), "density"), 0);
        double area = 0, all = 0;
        assert_int_equal(json_array_size(values), segment / 2 + 1);
        for (int i = 0; i <= segment / 2; i++) {
            double v = json_number_value(json_array_get(values, (size_t)i)) * RATE / segment;
            all += v;
            area += abs(i - bin) <= 20 ? v : 0; /* what a window of 60 frames leaves of it */
        }
        double power = amplitude * ACCEL_SCALE * amplitude * ACCEL_SCALE / 2;
        assert_true(fabs(area - power) < 0.02 * power);
        assert_true(fabs(all - power) < 0.02 * power);
    }
    json_decref(json);
}

static void in_folder(char path[TIN_PATH_MAX], const char *name)
{
    assert_int_equal(tin_path_join(path, TEST_TEMPORARY, name, NULL), TIN_OK);
}

/* A page of an hour, whose second recording is too long to be there whole. */
static void stats_page(void **state)
{
    (void)state;
    char path[TIN_PATH_MAX];
    static int16_t hour[180000 * N_CHANNELS], day[1000000 * N_CHANNELS];
    for (int t = 0; t < 180000; t++) {
        memcpy(hour + t * N_CHANNELS, w.counts[0] + t % N_FRAMES * N_CHANNELS, N_CHANNELS * sizeof(int16_t));
    }
    for (int t = 0; t < 1000000; t++) {
        memcpy(day + t * N_CHANNELS, w.counts[1] + t % N_FRAMES * N_CHANNELS, N_CHANNELS * sizeof(int16_t));
    }
    w.streams[0].counts = hour;
    w.streams[0].n_frames = 180000;
    w.streams[1].counts = day;
    w.streams[1].n_frames = 1000000;
    w.classes[1].name = (char *)(uintptr_t) "</script><script>alert(1)</script>";
    json_t *json = stats();
    in_folder(path, "stats.html");
    assert_int_equal(tin_stats_page(path, "a </script> title", "r3", json, &w.d, NULL), TIN_OK);
    /* the first cells of a row as the page must have them */
    const json_t *tap = json_array_get(json_object_get(json, "classes"), 2);
    char cells[128];
    snprintf(cells, sizeof cells, "<td>%.0f</td><td>%.0f&nbsp;s</td><td>%.1f&nbsp;%%</td>", number(tap, "labels"),
             number(tap, "seconds"), 100 * number(tap, "share"));
    in_folder(path, "tap.html");
    assert_int_equal(tin_file_write(path, cells, strlen(cells), NULL), TIN_OK);
    tin_error err = {0};
    assert_int_equal(tin_stats_page(path, "t", "r99", json, &w.d, &err), TIN_ERR_USAGE);
    json_decref(json);
}

/* One dense layer: shake reads ax, tap reads ay; none has a score of 40. */
typedef struct tiny {
    tin_qmodel model;
    int8_t weight[3 * N_CHANNELS];
    int32_t bias[3], mult[3];
} tiny;

static void make_tiny(tiny *t)
{
    memset(t, 0, sizeof *t);
    t->weight[N_CHANNELS] = t->weight[2 * N_CHANNELS + 1] = 1;
    t->bias[0] = 40;
    t->model = (tin_qmodel){.n_channels = N_CHANNELS, .n_classes = 3, .rate_hz = RATE, .n_layers = 1};
    t->model.classes = w.classes;
    t->model.channels = w.channels;
    t->model.input_shift = 2;
    t->model.input_scale = 1;
    for (int c = 0; c < N_CHANNELS; c++) {
        t->model.input_mult[c] = 1 << 30;
    }
    for (int o = 0; o < 3; o++) {
        t->mult[o] = 1 << 30;
    }
    t->model.layers[0] = (tin_qlayer){.op = TIN_OP_DENSE,
                                      .n_inputs = N_CHANNELS,
                                      .n_outputs = 3,
                                      .kernel = 1,
                                      .stride = 1,
                                      .dilation = 1,
                                      .groups = 1,
                                      .output_scale = 1.0f / 256,
                                      .weight = t->weight,
                                      .bias = t->bias,
                                      .mult = t->mult,
                                      .shift = 6};
    tin_qmodel_link(&t->model);
    tin_error err = {0};
    if (tin_qmodel_seal(&t->model, &err) != TIN_OK) {
        fail_msg("%s", tin_error_text(&err));
    }
}

/* Signals that the tiny model reads: 80 in a label, noise of +-10. */
static void make_readable(void)
{
    tin_rng rng;
    tin_rng_seed(&rng, 7);
    for (int i = 0; i < N_PEOPLE; i++) {
        for (int t = 0; t < N_FRAMES * N_CHANNELS; t++) {
            w.counts[i][t] = (int16_t)((int)tin_rng_below(&rng, 21) - 10);
        }
        for (size_t k = 0; k < w.streams[i].n_intervals; k++) {
            const tin_interval *v = &w.intervals[i][k];
            for (int64_t t = v->start; t < v->end; t++) {
                int16_t *x = &w.counts[i][t * N_CHANNELS + v->class_index - 1];
                *x = (int16_t)(*x + 80);
            }
        }
    }
}

static void model_contradicts(void **state)
{
    (void)state;
    char path[TIN_PATH_MAX], *text = NULL;
    size_t size;
    tiny t;
    tin_findings findings = {0};
    const tin_check_options options = {.model = &t.model, .quiet = true};
    make_readable();
    make_tiny(&t);
    assert_int_equal(tin_check_dataset(&findings, &w.d, &options, NULL), TIN_OK);
    assert_int_equal(findings.found[TIN_CHECK_CONTRADICTED], 0);
    assert_int_equal(findings.found[TIN_CHECK_MISSED], 0);
    tin_findings_free(&findings);

    tin_interval *changed = &w.intervals[1][4], gone = w.intervals[4][5];
    int32_t right = changed->class_index;
    changed->class_index = 3 - right;
    memmove(&w.intervals[4][5], &w.intervals[4][6], (--w.streams[4].n_intervals - 5) * sizeof gone);
    assert_int_equal(tin_check_dataset(&findings, &w.d, &options, NULL), TIN_OK);
    assert_int_equal(findings.found[TIN_CHECK_CONTRADICTED], 1);
    assert_int_equal(findings.found[TIN_CHECK_MISSED], 1);
    for (size_t i = 0; i < findings.n; i++) {
        const tin_finding *f = &findings.items[i];
        if (f->check == TIN_CHECK_CONTRADICTED) {
            assert_int_equal(f->stream, 1);
            assert_int_equal(f->start, changed->start);
            assert_int_equal(f->suggested, right);
        } else if (f->check == TIN_CHECK_MISSED) {
            assert_int_equal(f->stream, 4);
            assert_int_equal(f->start, gone.start);
            assert_int_equal(f->end, gone.end);
            assert_int_equal(f->suggested, gone.class_index);
        }
    }
    in_folder(path, "relabel.csv");
    assert_int_equal(tin_findings_relabel(&findings, &w.d, path, NULL), TIN_OK);
    assert_int_equal(tin_file_read(path, &text, &size, NULL), TIN_OK);
    char expected[256];
    snprintf(expected, sizeof expected, "stream,start,end,label,suggested\nr2,%.3f,%.3f,%s,%s\nr5,%.3f,%.3f,,%s\n",
             (double)changed->start / RATE, (double)changed->end / RATE, w.classes[3 - right].name,
             w.classes[right].name, (double)gone.start / RATE, (double)gone.end / RATE,
             w.classes[gone.class_index].name);
    assert_string_equal(text, expected);
    tin_free(text);

    w.classes[2].name = (char *)(uintptr_t) "</script><script>alert(1)</script>";
    json_t *json = NULL;
    assert_int_equal(tin_findings_json(&json, &findings, &w.d, "0123456789ab", NULL), TIN_OK);
    in_folder(path, "check.html");
    assert_int_equal(tin_check_page(path, "a </script> title", json, &findings, &w.d, &t.model, NULL), TIN_OK);
    w.classes[2].name = (char *)(uintptr_t) "other";
    tin_qmodel other = t.model;
    tin_class classes[3] = {
        {(char *)(uintptr_t) "a", false}, {(char *)(uintptr_t) "b", true}, {(char *)(uintptr_t) "c", true}};
    other.classes = classes;
    tin_findings_free(&findings);
    assert_int_equal(tin_check_dataset(&findings, &w.d, &(tin_check_options){.model = &other, .quiet = true}, NULL),
                     TIN_ERR_MODEL);
    tin_findings_free(&findings);
    json_decref(json);
}

static void nothing_wrong(void **state)
{
    (void)state;
    char path[TIN_PATH_MAX];
    json_t *json = NULL;
    const tin_findings none = {0};
    assert_int_equal(tin_findings_json(&json, &none, &w.d, NULL, NULL), TIN_OK);
    in_folder(path, "clean.html");
    assert_int_equal(tin_check_page(path, "clean", json, &none, &w.d, NULL, NULL), TIN_OK);
    json_decref(json);
}

static void every_allocation(void **state)
{
    (void)state;
    char path[TIN_PATH_MAX];
    tiny t;
    tin_findings findings = {0};
    make_readable();
    make_tiny(&t);
    w.d.n_streams = 2;
    w.streams[0].n_frames = w.streams[1].n_frames = 1500;
    w.streams[0].n_intervals = w.streams[1].n_intervals = 4;
    w.intervals[1][2].class_index = 3 - w.intervals[1][2].class_index;
    in_folder(path, "allocations.html");
    size_t n = 1;
    for (;; n++) {
        json_t *json = NULL, *report = NULL;
        const tin_check_options options = {.model = &t.model, .quiet = true};
        (void)tin_memory_fail_at(n);
        tin_status status = tin_check_dataset(&findings, &w.d, &options, NULL);
        status = status ? status : tin_findings_json(&json, &findings, &w.d, "run", NULL);
        status = status ? status : tin_check_page(path, "t", json, &findings, &w.d, &t.model, NULL);
        status = status ? status : tin_stats_json(&report, &w.d, NULL);
        status = status ? status : tin_stats_page(path, "t", NULL, report, &w.d, NULL);
        (void)tin_memory_fail_at(0);
        json_decref(json);
        json_decref(report);
        tin_findings_free(&findings);
        if (status == TIN_OK) {
            break;
        }
        assert_int_equal(status, TIN_ERR_MEMORY);
    }
    assert_true(n > 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(sums, setup),          cmocka_unit_test_setup(a_tone, setup),
        cmocka_unit_test_setup(stats_page, setup),    cmocka_unit_test_setup(model_contradicts, setup),
        cmocka_unit_test_setup(nothing_wrong, setup), cmocka_unit_test_setup(every_allocation, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
