#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first */
#include <cmocka.h>

#include <math.h>

#include "base/rng.h"
#include "compress_support.h"

void assert_ok(tin_status status, tin_error *err)
{
    if (status) {
        fail_msg("%s", tin_error_text(err));
    }
}

double score_difference(const tin_model *a, const tin_model *b, int n_frames)
{
    tin_error err = {0};
    tin_float_runner *run_a = NULL, *run_b = NULL;
    float scores_a[TIN_MAX_CLASSES], scores_b[TIN_MAX_CLASSES];
    int16_t counts[TIN_MAX_CHANNELS];
    double greatest = 0;
    int n_decisions = 0;
    tin_rng rng;
    tin_rng_seed(&rng, 17);
    assert_ok(tin_float_runner_create(&run_a, a, &err), &err);
    assert_ok(tin_float_runner_create(&run_b, b, &err), &err);
    for (int t = 0; t < n_frames; t++) {
        for (int c = 0; c < a->n_channels; c++) {
            counts[c] = (int16_t)tin_rng_range(&rng, -2000, 2000);
        }
        int due = tin_float_runner_step(run_a, counts, scores_a);
        assert_int_equal(due, tin_float_runner_step(run_b, counts, scores_b));
        for (int k = 0; due && k < a->n_classes; k++) {
            greatest = fmax(greatest, fabs((double)scores_a[k] - (double)scores_b[k]));
        }
        n_decisions += due;
    }
    assert_true(n_decisions > 5);
    tin_float_runner_free(run_a);
    tin_float_runner_free(run_b);
    return greatest;
}
