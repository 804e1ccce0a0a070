/* The op log_mel against a second implementation and against floating point (scripts/golden/model_log_mel.py), by hand, and
 * what its shapes may be; how features go through a model. */
#include "model_support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "model/feature.h"

#define N_SIGNALS 4

static const tin_feature_shape shapes[] = {
    {.op = TIN_OP_LOG_MEL, .kernel = 400, .stride = 160, .bands = 40, .low_hz = 20, .high_hz = 8000, .rate_hz = 16000},
    {.op = TIN_OP_LOG_MEL, .kernel = 512, .stride = 320, .bands = 32, .low_hz = 60, .high_hz = 7600, .rate_hz = 16000},
    {.op = TIN_OP_LOG_MEL,
     .kernel = 1024,
     .stride = 480,
     .bands = 64,
     .low_hz = 100,
     .high_hz = 16000,
     .rate_hz = 48000},
    {.op = TIN_OP_LOG_MEL, .kernel = 252, .stride = 252, .bands = 20, .low_hz = 60, .high_hz = 4000, .rate_hz = 8000},
    {.op = TIN_OP_LOG_MEL, .kernel = 64, .stride = 32, .bands = 12, .low_hz = 0, .high_hz = 100, .rate_hz = 200},
    {.op = TIN_OP_LOG_MEL, .kernel = 20, .stride = 13, .bands = 6, .low_hz = 0, .high_hz = 1600, .rate_hz = 3200},
};
#define N_SHAPES (sizeof shapes / sizeof shapes[0])

static const tin_tensor *find(const tin_safetensors *golden, const char *what, size_t shape)
{
    char name[16];
    snprintf(name, sizeof name, "%s.%zu", what, shape);
    const tin_tensor *t = tin_safetensors_find(golden, name);
    assert_non_null(t);
    return t;
}

static int peak_of(const int16_t *counts, int64_t end, int kernel)
{
    int peak = 1;
    for (int64_t t = end - kernel < 0 ? 0 : end - kernel; t < end; t++)
        peak = abs(counts[t * N_SIGNALS]) > peak ? abs(counts[t * N_SIGNALS]) : peak;
    return peak;
}

/* In log2 of power, where the band has at least 2^-18 of the square of the window's greatest count: what L cuts off (1/8
 * and the chord's 0.09), the table of the window and the rounding of the transform. A silent window is exact. */
static void check_error(int q, double log2_power, double peak)
{
    double error = (q + 63) / 8.0 - log2_power;
    if (q < 127 && log2_power >= 2 * log2(peak) - 18)
        assert_true(error > -0.33 && error < 0.07);
}

static void compare(const tin_safetensors *golden, size_t index)
{
    const tin_tensor *counts = tin_safetensors_find(golden, "counts"), *want = find(golden, "q", index),
                     *exact = find(golden, "log2", index);
    tin_feature_shape shape = shapes[index];
    tin_feature *f = NULL;
    shape.n_channels = N_SIGNALS;
    size_t rows = (size_t)want->shape[1], bands = (size_t)shape.bands;
    assert_null(tin_feature_mend(&shape));
    assert_int_equal(tin_feature_create(&f, &shape, NULL), TIN_OK);
    void *state = tin_alloc(1, tin_feature_state_bytes(f), NULL);
    for (int pass = 0; pass < 2; pass++) { /* the second after a reset in the middle of a window */
        size_t row = 0;
        memset(state, 0, tin_feature_state_bytes(f));
        for (int64_t t = 0; t < counts->shape[0]; t++) {
            const int16_t *frame = (const int16_t *)counts->data + t * N_SIGNALS;
            int32_t q[N_SIGNALS * TIN_LOG_MEL_MAX_BANDS];
            bool due = tin_feature_step(f, state, frame, q);
            assert_int_equal(due, (t + 1) % shape.stride == 0);
            for (size_t c = 0; due && c < N_SIGNALS; c++) {
                size_t at = (c * rows + row) * bands;
                double peak = peak_of((const int16_t *)counts->data + c, t + 1, shape.kernel);
                for (size_t m = 0; m < bands; m++) {
                    assert_int_equal(q[c * bands + m], ((const int8_t *)want->data)[at + m]);
                    check_error(q[c * bands + m], ((const int16_t *)exact->data)[at + m] / 256.0, peak);
                }
            }
            row += due;
        }
        assert_int_equal(row, rows);
        (void)tin_feature_step(f, state, counts->data, (int32_t[N_SIGNALS * TIN_LOG_MEL_MAX_BANDS]){0});
    }
    tin_free(state);
    tin_feature_free(f);
}

static void values_equal_the_second_implementation(void **state)
{
    (void)state;
    tin_safetensors *golden = NULL;
    assert_int_equal(tin_safetensors_read(&golden, test_path(TEST_FILES, "log_mel", ".golden.safetensors"), NULL),
                     TIN_OK);
    for (size_t i = 0; i < N_SHAPES; i++)
        compare(golden, i);
    tin_safetensors_free(golden);
}

static void window_of(int (*count)(int t), int8_t *q)
{
    const tin_log_mel_shape shape = {512, 160, 40, 20, 8000, 16000};
    int16_t counts[512];
    tin_log_mel tables;
    tin_log_mel_fill(&tables, &shape);
    for (int t = 0; t < 512; t++)
        counts[t] = (int16_t)count(t);
    tin_log_mel_window(&tables, counts, q);
}

static int silence(int t)
{
    (void)t;
    return 0;
}

static int last_bit(int t)
{
    return -(t & 1);
}

static int square(int t)
{
    return t / 8 % 2 ? 32767 : -32768; /* 1 kHz */
}

static int tone(int t)
{
    return (int)lrint(1000 * cos(t * 0.39269908169872414)); /* bin 32, 1 kHz */
}

/* The table of docs/integer-arithmetic.md. A tone of 1000 counts in one bin under a Hann window: the bin's |X| / M is 500,
 * its two neighbours half of that; the band whose centre is nearest takes about 2^17.9 of their 2^18.5. */
static void windows_by_hand(void **state)
{
    (void)state;
    int8_t q[40];
    window_of(silence, q);
    for (int m = 0; m < 40; m++)
        assert_int_equal(q[m], -127);
    window_of(last_bit, q); /* half a count at half of the rate, beyond the bands; its constant part is below them */
    for (int m = 1; m < 39; m++)
        assert_int_equal(q[m], -127);
    window_of(tone, q);
    int most = 0;
    for (int m = 1; m < 40; m++)
        most = q[m] > q[most] ? m : most;
    assert_int_equal(most, 13); /* 31 to 2840 mel in 41 steps: 1000 mel is step 14.1 */
    assert_true(q[13] >= 75 && q[13] <= 85);
    assert_true(q[3] <= -60 && q[30] <= -60);
    window_of(square, q);
    assert_int_equal(q[13], 127);
    for (int m = 0; m < 40; m++)
        assert_true(q[m] >= -47); /* the floor of a window of full scale */
}

/* Twice as loud is two octaves of power: 16 units, whatever the level; nothing falls when all of the sound grows. */
static void loudness_is_a_shift(void **state)
{
    (void)state;
    const tin_log_mel_shape shape = {400, 160, 24, 60, 7600, 16000};
    tin_log_mel tables;
    tin_rng rng;
    int16_t counts[400], louder[400];
    int8_t q[24], p[24];
    tin_log_mel_fill(&tables, &shape);
    tin_rng_seed(&rng, 5);
    for (int level = 64; level < 4000; level *= 2) {
        for (int t = 0; t < 400; t++) {
            counts[t] = (int16_t)lrint(tin_rng_normal(&rng) * level);
            louder[t] = (int16_t)(2 * counts[t]);
        }
        tin_log_mel_window(&tables, counts, q);
        tin_log_mel_window(&tables, louder, p);
        for (int m = 0; m < 24; m++)
            assert_true(p[m] == 127 || abs(p[m] - q[m] - 16) <= 1);
    }
}

static void shapes_without_meaning_are_refused(void **state)
{
    (void)state;
    static const struct {
        tin_log_mel_shape shape;
        const char *word;
    } wrong[] = {{{8, 8, 2, 0, 100, 200}, "kernel of 16, 20"},   {{1028, 8, 2, 0, 100, 200}, "to 1024"},
                 {{66, 64, 2, 0, 100, 200}, "kernel of 16, 20"}, {{64, 65, 2, 0, 100, 200}, "at most its kernel"},
                 {{64, 32, 2, 0, 101, 200}, "half of the rate"}, {{64, 32, 2, 50, 50, 200}, "low_hz below high_hz"},
                 {{64, 32, 0, 0, 100, 200}, "1 to 128 bands"},   {{64, 32, 128, 0, 100, 200}, "narrower than a bin"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const char *mend = tin_log_mel_mend(&wrong[i].shape);
        assert_non_null(mend);
        assert_non_null(strstr(mend, wrong[i].word));
    }
}

static tin_status model_of(tin_model **m, const tin_layer_spec *spec, double rate_hz, tin_error *err)
{
    test_dataset d;
    test_dataset_fill(&d, 2, 3);
    d.dataset.rate_hz = rate_hz;
    const tin_layer_spec layers[] = {*spec, {.op = TIN_OP_DENSE}};
    return tin_model_create(m, &d.dataset, layers, 2, err);
}

/* The float runner gives the reference's values, whatever the input's scaling is; the file keeps the layer. */
static void a_model_reads_counts(void **state)
{
    (void)state;
    const tin_layer_spec spec = {.op = TIN_OP_LOG_MEL, .kernel = 40, .stride = 20, .bands = 7, .low_hz = 10};
    tin_feature_shape shape;
    tin_model *m = NULL, *loaded = NULL;
    tin_float_runner *runner = NULL;
    tin_feature *reference = NULL;
    tin_error err = {0};
    tin_rng rng;
    assert_ok(model_of(&m, &spec, 201, &err), &err);
    assert_int_equal(m->hop, 20);
    assert_int_equal(m->layers[0].high_hz, 100);
    assert_int_equal(m->layers[0].n_outputs, 14);
    assert_true(tin_model_macs(m) == 2 * (40 + 2 * 32 * 5 + 5 * 32) + 3 * 14);
    assert_ok(tin_model_save(m, test_path(TEST_TEMPORARY, "mel", ""), &err), &err);
    assert_ok(tin_model_load(&loaded, test_path(TEST_TEMPORARY, "mel", ""), &err), &err);
    assert_int_equal(loaded->layers[0].bands, 7);
    assert_int_equal(loaded->layers[0].low_hz, 10);
    assert_int_equal(loaded->layers[0].high_hz, 100);
    loaded->input.offset[1] = 77;
    loaded->input.scale[1] = 0.01f;
    shape = tin_feature_of_layer(&loaded->layers[0], loaded->rate_hz);
    assert_ok(tin_feature_create(&reference, &shape, &err), &err);
    void *stream = tin_alloc(1, tin_feature_state_bytes(reference), &err);
    assert_ok(tin_float_runner_create(&runner, loaded, &err), &err);
    tin_rng_seed(&rng, 3);
    for (int t = 0; t < 200; t++) {
        int16_t counts[2] = {(int16_t)(tin_rng_normal(&rng) * 5000), (int16_t)(tin_rng_normal(&rng) * 10)};
        float scores[3];
        int32_t q[14];
        bool due = tin_feature_step(reference, stream, counts, q);
        assert_int_equal(tin_float_runner_step(runner, counts, scores), due);
        for (int i = 0; due && i < 14; i++)
            assert_true(tin_float_runner_output(runner, 0)[i] == (float)q[i] / 32);
    }
    tin_free(stream);
    tin_feature_free(reference);
    tin_float_runner_free(runner);
    tin_model_free(loaded);
    tin_model_free(m);
}

static void a_model_refuses_what_has_no_meaning(void **state)
{
    (void)state;
    static const tin_layer_spec wrong[] = {
        {.op = TIN_OP_LOG_MEL, .kernel = 40, .stride = 20},
        {.op = TIN_OP_LOG_MEL, .kernel = 40, .stride = 20, .bands = 7, .high_hz = 101},
        {.op = TIN_OP_LOG_MEL, .kernel = 40, .stride = 20, .bands = 7, .levels = 2},
        {.op = TIN_OP_LOG_ENERGY, .levels = 2, .stride = 8, .bands = 7},
        {.op = TIN_OP_LOG_ENERGY, .levels = 2, .stride = 8, .low_hz = 7},
        {.op = TIN_OP_LOG_MEL, .kernel = 1000, .stride = 20, .bands = 129}};
    static const char *const words[] = {"bands is 0", "half of the rate",  "levels is 2",
                                        "bands is 7", "low_hz or high_hz", "bands is 129"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        tin_model *m = NULL;
        tin_error err = {0};
        assert_int_equal(model_of(&m, &wrong[i], 200, &err), TIN_ERR_MODEL);
        if (!strstr(err.message, words[i]))
            fail_msg("%s", err.message);
    }
}

static void failed_allocations_leave_nothing(void **state)
{
    (void)state;
    tin_feature_shape shape = shapes[0];
    shape.n_channels = 1;
    for (size_t n = 1;; n++) {
        tin_feature *f = NULL;
        tin_error err = {0};
        (void)tin_memory_fail_at(n);
        tin_status status = tin_feature_create(&f, &shape, &err);
        (void)tin_memory_fail_at(0);
        tin_feature_free(f);
        if (status == TIN_OK) {
            assert_int_equal(n, 3);
            break;
        }
        assert_int_equal(status, TIN_ERR_MEMORY);
        assert_null(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_equal_the_second_implementation),
        cmocka_unit_test(windows_by_hand),
        cmocka_unit_test(loudness_is_a_shift),
        cmocka_unit_test(shapes_without_meaning_are_refused),
        cmocka_unit_test(a_model_reads_counts),
        cmocka_unit_test(a_model_refuses_what_has_no_meaning),
        cmocka_unit_test(failed_allocations_leave_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
