/* The op log_energy against a second implementation (scripts/golden/model_log_energy.py), and what its shapes may be. */
#include "model_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "model/log_energy.h"

static void compare(const tin_tensor *counts, const tin_tensor *want, const tin_log_energy_shape *shape)
{
    int8_t q[4 * TIN_LOG_ENERGY_MAX_LEVELS];
    size_t n = (size_t)(shape->n_channels * shape->levels), bytes = tin_log_energy_state_bytes(shape);
    void *state = tin_alloc(1, bytes, NULL);
    assert_non_null(state);
    for (int pass = 0; pass < 2; pass++) { /* the second after a reset in the middle of a block */
        int64_t block = 0;
        for (int64_t t = 0; t < counts->shape[0]; t++) {
            bool due = tin_log_energy_step(shape, state, (const int16_t *)counts->data + t * shape->n_channels, q);
            assert_int_equal(due, (t + 1) % shape->stride == 0);
            if (due)
                assert_memory_equal(q, (const int8_t *)want->data + (size_t)block * n, n);
            block += due;
        }
        assert_int_equal(block, want->shape[0]);
        (void)tin_log_energy_step(shape, state, counts->data, q);
        memset(state, 0, bytes);
    }
    tin_free(state);
}

static void values_equal_the_second_implementation(void **state)
{
    (void)state;
    static const int shapes[][3] = {{5, 1, 32}, {8, 2, 128}, {7, 1, 128}, {3, 5, 8},
                                    {5, 8, 16}, {6, 12, 16}, {1, 1, 8},   {4, 3, 1024}};
    tin_safetensors *golden = NULL;
    assert_int_equal(tin_safetensors_read(&golden, test_path(TEST_FILES, "log_energy", ".golden.safetensors"), NULL),
                     TIN_OK);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        char name[40];
        const tin_log_energy_shape shape = {4, shapes[i][0], shapes[i][1], shapes[i][2]};
        snprintf(name, sizeof name, "q.%d.%d.%d", shape.levels, shape.kernel, shape.stride);
        assert_null(tin_log_energy_mend(shape.levels, shape.kernel, shape.stride));
        compare(tin_safetensors_find(golden, "counts"), tin_safetensors_find(golden, name), &shape);
    }
    tin_safetensors_free(golden);
}

static void row_of(const int16_t counts[8], int8_t q[2])
{
    const tin_log_energy_shape shape = {1, 2, 1, 8};
    int64_t state[32] = {0};
    assert_true(tin_log_energy_state_bytes(&shape) <= sizeof state);
    for (int t = 0; t < 8; t++)
        assert_int_equal(tin_log_energy_step(&shape, state, &counts[t], q), t == 7);
}

/* The table of docs/integer-arithmetic.md. Worked out by hand: with counts of +-100, d_1 is -200 always, four of them
 * in the block, so e_1 = 160000; E + 16 = 160016 = 2^17 * 1.22, L = 8 * 17 + 9 - 8 = 137, L(16) = 32. */
static void rows_by_hand(void **state)
{
    (void)state;
    int8_t q[2];
    row_of((const int16_t[]){100, -100, 100, -100, 100, -100, 100, -100}, q);
    assert_int_equal(q[0], 137 - 32 - 112);
    assert_int_equal(q[1], -112);
    row_of((const int16_t[]){0, 0, 0, 0, 1, 1, 1, 1}, q); /* only a_2 differs, which no level looks at */
    assert_int_equal(q[0], -112);
    assert_int_equal(q[1], -112);
    row_of((const int16_t[]){-32768, 32767, -32768, 32767, -32768, 32767, -32768, 32767}, q);
    assert_int_equal(q[0], 112);
    assert_int_equal(q[1], -112);
}

/* q stays within its range whatever the energy, and never falls when the energy grows. */
static void q_is_bounded_and_monotone(void **state)
{
    (void)state;
    static const int kernels[] = {1, 2, 3, 7, 100, 16384};
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
        int kernel = kernels[i];
        int8_t before = tin_log_energy_q(0, kernel);
        assert_int_equal(before, -112);
        assert_int_equal(tin_log_energy_q((uint64_t)kernel * UINT32_MAX, kernel), 112);
        for (uint64_t e = 1; e <= (uint64_t)kernel * UINT32_MAX; e += e / 9 + 1) {
            int8_t q = tin_log_energy_q(e, kernel);
            assert_true(q >= before && q <= 112);
            before = q;
        }
    }
}

static void shapes_that_hold_no_whole_details_are_refused(void **state)
{
    (void)state;
    assert_null(tin_log_energy_mend(3, 1, 8));
    assert_null(tin_log_energy_mend(5, 4, 8));
    assert_non_null(tin_log_energy_mend(4, 1, 8));
    assert_non_null(tin_log_energy_mend(5, 3, 16));
    assert_non_null(tin_log_energy_mend(1, 1, 4));
    assert_non_null(tin_log_energy_mend(1, 1, 24));
}

static void model_of(tin_model **m, const tin_layer_spec *energy, tin_error *err, tin_status wanted)
{
    test_dataset d;
    test_dataset_fill(&d, 3, 2);
    const tin_layer_spec layers[] = {*energy, {.op = TIN_OP_DENSE}};
    assert_int_equal(tin_model_create(m, &d.dataset, layers, 2, err), wanted);
}

/* The float runner gives the reference's values, whatever the input's scaling is. */
static void the_float_runner_reads_counts(void **state)
{
    (void)state;
    const tin_layer_spec spec = {.op = TIN_OP_LOG_ENERGY, .levels = 4, .kernel = 3, .stride = 16};
    const tin_log_energy_shape shape = {3, 4, 3, 16};
    tin_model *m = NULL;
    tin_float_runner *runner = NULL;
    int64_t reference[64] = {0};
    tin_error err = {0};
    tin_rng rng;
    model_of(&m, &spec, &err, TIN_OK);
    assert_int_equal(m->hop, 16);
    assert_int_equal(m->layers[0].n_outputs, 12);
    assert_true(tin_model_macs(m) == 3 * 15 + 12 * 2);
    m->input.offset[1] = 77;
    m->input.scale[1] = 0.01f;
    assert_ok(tin_float_runner_create(&runner, m, &err), &err);
    assert_true(tin_log_energy_state_bytes(&shape) <= sizeof reference);
    tin_rng_seed(&rng, 3);
    for (int pass = 0; pass < 2; pass++) {
        for (int t = 0; t < 200; t++) {
            int16_t counts[3];
            float scores[2];
            int8_t q[12];
            for (int c = 0; c < 3; c++)
                counts[c] = (int16_t)(tin_rng_normal(&rng) * (c == 0 ? 5000 : 10));
            bool due = tin_log_energy_step(&shape, reference, counts, q);
            assert_int_equal(tin_float_runner_step(runner, counts, scores), due);
            for (int i = 0; due && i < 12; i++)
                assert_true(tin_float_runner_output(runner, 0)[i] == (float)q[i] / 32);
        }
        memset(reference, 0, sizeof reference);
        tin_float_runner_reset(runner);
    }
    tin_float_runner_free(runner);
    tin_model_free(m);
}

static void a_model_refuses_what_has_no_meaning(void **state)
{
    (void)state;
    static const tin_layer_spec wrong[] = {{.op = TIN_OP_LOG_ENERGY, .levels = 5, .stride = 16},
                                           {.op = TIN_OP_LOG_ENERGY, .levels = 2, .stride = 24},
                                           {.op = TIN_OP_LOG_ENERGY, .levels = 9, .stride = 512},
                                           {.op = TIN_OP_LOG_ENERGY, .levels = 0, .stride = 16}};
    static const char *const words[] = {"kernel times stride", "stride of 8, 16", "levels is 9", "levels is 0"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        tin_model *m = NULL;
        tin_error err = {0};
        model_of(&m, &wrong[i], &err, TIN_ERR_MODEL);
        assert_non_null(strstr(err.message, words[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_equal_the_second_implementation),
        cmocka_unit_test(rows_by_hand),
        cmocka_unit_test(q_is_bounded_and_monotone),
        cmocka_unit_test(shapes_that_hold_no_whole_details_are_refused),
        cmocka_unit_test(the_float_runner_reads_counts),
        cmocka_unit_test(a_model_refuses_what_has_no_meaning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
