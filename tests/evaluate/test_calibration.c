/* Calibration against scikit-learn (scripts/golden/calibration.py), and frames of models that decide seldom and late. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/rng.h"
#include "evaluate/calibration.h"

#define N 240
#define CLASSES 4

typedef struct one_stream {
    tin_scored_set set;
    tin_scored_stream item;
    tin_stream stream;
    int16_t labels[N], scores[N * CLASSES];
} one_stream;

static void prepare(one_stream *s, tin_timing timing)
{
    memset(s, 0, sizeof *s);
    s->stream.n_frames = N;
    s->item = (tin_scored_stream){
        .stream = &s->stream, .labels = s->labels, .scores = s->scores, .n_decisions = N / timing.hop};
    s->set = (tin_scored_set){.items = &s->item, .n = 1, .n_classes = CLASSES, .timing = timing};
}

static double real(const json_t *list, size_t i)
{
    return json_number_value(json_array_get(list, i));
}

static void as_scikit_learn(void **state)
{
    (void)state;
    static one_stream s;
    tin_calibration c;
    json_t *golden = json_load_file(TEST_FILES "/calibration.json", 0, NULL);
    const json_t *scores = json_object_get(golden, "scores");
    assert_int_equal(json_array_size(scores), N);
    prepare(&s, (tin_timing){1, 0, 0});
    for (size_t t = 0; t < N; t++) {
        s.labels[t] = (int16_t)real(json_object_get(golden, "labels"), t);
        for (size_t k = 0; k < CLASSES; k++) {
            s.scores[t * CLASSES + k] = (int16_t)real(json_array_get(scores, t), k);
        }
    }
    tin_calibration_measure(&c, &s.set);
    size_t filled = 0;
    for (size_t b = 0; b < TIN_CALIBRATION_BINS; b++) {
        const tin_calibration_bin *bin = &c.bins[b];
        assert_int_equal(bin->n, real(json_object_get(golden, "counts"), b));
        if (bin->n > 0) {
            assert_true(fabs((double)bin->n_right / (double)bin->n - real(json_object_get(golden, "right"), filled)) <
                        1e-9);
            assert_true(fabs(bin->confidence / (double)bin->n - real(json_object_get(golden, "confidence"), filled)) <
                        1e-9);
            filled++;
        }
    }
    assert_true(filled > 8);
    assert_true(fabs(c.ece - json_number_value(json_object_get(golden, "ece"))) < 1e-9);
    assert_true(fabs(c.overconfident - json_number_value(json_object_get(golden, "overconfident"))) < 1e-9);
    json_decref(golden);
}

/* What counts as right is what tin_frame_predictions says, but for frames before the first decision. */
static void frames_are_those_of_the_predictions(void **state)
{
    (void)state;
    static const tin_timing timings[] = {{1, 0, 0}, {4, 0, 0}, {4, 8, 0}, {4, 0, 3}, {7, 14, 2}, {100, 0, 0}};
    static one_stream s;
    static int16_t predictions[N];
    tin_rng rng;
    tin_rng_seed(&rng, 3);
    for (size_t i = 0; i < sizeof timings / sizeof *timings; i++) {
        const tin_timing timing = timings[i];
        tin_calibration c;
        prepare(&s, timing);
        for (size_t t = 0; t < N; t++) {
            s.labels[t] = (int16_t)((int)tin_rng_below(&rng, CLASSES + 1) - 1);
        }
        for (size_t t = 0; t < N * CLASSES; t++) {
            s.scores[t] = (int16_t)((int)tin_rng_below(&rng, 2001) - 1000);
        }
        tin_frame_predictions(s.scores, s.item.n_decisions, CLASSES, timing, N, predictions);
        int64_t n = 0, right = 0, n_right = 0, first = timing.hop - 1 - timing.delay;
        for (int64_t t = first > 0 ? first : 0; t < N; t++) {
            n += s.labels[t] != TIN_LABEL_IGNORE;
            right += s.labels[t] == predictions[t];
        }
        tin_calibration_measure(&c, &s.set);
        for (size_t b = 0; b < TIN_CALIBRATION_BINS; b++) {
            n_right += c.bins[b].n_right;
        }
        assert_int_equal(c.n, n);
        assert_int_equal(n_right, right);
    }
}

static void nothing_gives_nothing(void **state)
{
    (void)state;
    const tin_scored_set set = {.n_classes = CLASSES, .timing = {1, 0, 0}};
    tin_calibration c;
    tin_calibration_measure(&c, &set);
    assert_int_equal(c.n, 0);
    assert_true(isnan(c.ece) && isnan(c.overconfident));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_scikit_learn),
        cmocka_unit_test(frames_are_those_of_the_predictions),
        cmocka_unit_test(nothing_gives_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
