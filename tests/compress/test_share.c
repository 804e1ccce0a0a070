/* Blocks and codebooks: which weights go, what stays of them, and that training's constraint recognises and keeps them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first */
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "compress/compress.h"
#include "compress/share.h"
#include "compress/sparse.h"
#include "compress_support.h"
#include "model/quant_spec.h"
#include "train/constraint.h"
#include "train_models.h"

static const tin_layer_spec layers[] = {{.op = TIN_OP_CONV1D, .units = 10, .kernel = 3},
                                        {.op = TIN_OP_CONV1D, .kernel = 3, .depthwise = true},
                                        {.op = TIN_OP_CONV1D, .units = 8, .kernel = 2, .dilation = 2},
                                        {.op = TIN_OP_GRU, .units = 6},
                                        {.op = TIN_OP_DENSE}};

static tin_model *net(void)
{
    return test_model(layers, N_LAYERS(layers), 6, 4, 3);
}

/* The greatest number of different int8 values that the quantiser makes of four rows of a gate. */
static int count_values(const tin_model *m, int layer, int p)
{
    const tin_param *param = &m->layers[layer].params[p];
    int rows = param->shape[0], n = (int)param->size / rows, units = m->layers[layer].n_outputs, count = 0, most = 0;
    bool used[256] = {false};
    for (int r = 0; r < rows; r++) {
        const float *w = m->params + param->offset + (size_t)(r * n);
        double scale = tin_weight_scale(w, n, 8, false);
        if (r % units % 4 == 0) {
            memset(used, 0, sizeof used);
            count = 0;
        }
        for (int i = 0; i < n; i++) {
            bool *at = &used[128 + (scale > 0 ? (int)rint((double)w[i] / scale) : 0)];
            count += !*at;
            *at = true;
        }
        most = count > most ? count : most;
    }
    return most;
}

static int block_of(const tin_sparse *b, const tin_model *m, int layer, int p, int row, int input, int tap)
{
    const tin_param *param = &m->layers[layer].params[p];
    int taps = param->n_dims == 3 ? param->shape[2] : 1;
    return b->of_param[param->offset + (size_t)((row * param->shape[1] + input) * taps + tap)];
}

/* The layout of the generator: columns are taps times inputs; gates apart; leftover columns their own. */
static void blocks_are_those_of_the_kernels(void **state)
{
    (void)state;
    tin_error err = {0};
    tin_sparse b;
    tin_model *m = net();
    assert_ok(tin_sparse_find(&b, m, &err), &err);
    /* conv 6 -> 10, 3 taps: 18 columns, 5 blocks wide, 3 high; columns 4..7 are inputs 4, 5 of tap 0 and 0, 1 of tap 1 */
    assert_int_equal(block_of(&b, m, 0, 0, 0, 4, 0), block_of(&b, m, 0, 0, 3, 1, 1));
    assert_int_not_equal(block_of(&b, m, 0, 0, 0, 4, 0), block_of(&b, m, 0, 0, 0, 2, 1));
    assert_int_not_equal(block_of(&b, m, 0, 0, 3, 4, 0), block_of(&b, m, 0, 0, 4, 4, 0));
    assert_int_equal(block_of(&b, m, 1, 0, 0, 0, 0), -1); /* depthwise */
    /* with dilation each tap starts anew: 10 inputs are 3 blocks */
    assert_int_not_equal(block_of(&b, m, 2, 0, 0, 8, 0), block_of(&b, m, 2, 0, 0, 0, 1));
    assert_int_equal(block_of(&b, m, 2, 0, 0, 8, 0), block_of(&b, m, 2, 0, 0, 9, 0));
    /* gru 6: rows 4, 5 of a gate are a block of their own, and gate z begins another */
    assert_int_equal(block_of(&b, m, 3, 1, 4, 0, 0), block_of(&b, m, 3, 1, 5, 3, 0));
    assert_int_not_equal(block_of(&b, m, 3, 1, 5, 0, 0), block_of(&b, m, 3, 1, 6, 0, 0));
    assert_int_equal(b.n, 3 * 5 + 2 * 2 * 3 + 3 * 2 * 2 + 3 * 2 * 2 + 1 * 2);
    tin_sparse_free(&b);
    tin_model_free(m);
}

static void least_blocks_go(void **state)
{
    (void)state;
    tin_error err = {0};
    tin_sparse b;
    tin_model *m = net();
    double importance[100];
    bool removed[100];
    tin_rng rng;
    tin_rng_seed(&rng, 5);
    assert_ok(tin_sparse_find(&b, m, &err), &err);
    assert_true(b.n < 100);
    for (int k = 0; k < b.n; k++) {
        importance[k] = tin_rng_uniform(&rng) * (b.matrix[k] == 0 ? 1e-6 : 1);
    }
    assert_ok(tin_sparse_choose(&b, importance, 0.5, removed, &err), &err);
    int stay = 0, first = 0;
    for (int k = 0; k < b.n; k++) {
        stay += !removed[k];
        first += b.matrix[k] == 0 && !removed[k];
    }
    assert_int_equal(stay, (int)(0.5 * b.n + 0.5));
    assert_int_equal(first, 2); /* 1/8 of 15, although they hardly matter */
    tin_sparse_clear(&b, m, removed);
    for (size_t i = 0; i < m->n_params; i++) {
        assert_int_equal(m->params[i] == 0, b.of_param[i] >= 0 && removed[b.of_param[i]]);
    }
    tin_compress_size size;
    assert_ok(tin_compress_measure(m, &size, &err), &err);
    assert_true(size.nonzero < size.parameters && size.macs < tin_model_macs(m));
    tin_sparse_free(&b);
    tin_model_free(m);
}

static double squared_error(const tin_model *a, const tin_model *b)
{
    double sum = 0;
    for (size_t i = 0; i < a->n_params; i++) {
        sum += pow((double)a->params[i] - (double)b->params[i], 2);
    }
    return sum;
}

static void codebooks_are_small_and_near(void **state)
{
    (void)state;
    tin_error err = {0};
    double before = 1e9;
    for (int entries = 4; entries <= 16; entries += 4) {
        tin_model *m = net(), *shared = NULL;
        tin_sparse b;
        bool removed[100] = {[1] = true, [7] = true, [20] = true, [39] = true, [40] = true};
        assert_ok(tin_sparse_find(&b, m, &err), &err);
        tin_sparse_clear(&b, m, removed);
        assert_ok(tin_model_copy(&shared, m, &err), &err);
        assert_ok(tin_share_apply(shared, entries, &err), &err);
        for (int i = 0; i < m->n_layers; i++) {
            for (int p = 0; p < m->layers[i].n_params; p++) {
                bool matrix = tin_sparse_has(&m->layers[i], &m->layers[i].params[p]);
                assert_true(!matrix || count_values(shared, i, p) <= entries);
            }
        }
        for (size_t i = 0; i < m->n_params; i++) {
            assert_true(m->params[i] != 0 || shared->params[i] == 0);
        }
        double error = squared_error(m, shared);
        assert_true(error > 0 && error < before);
        before = error;
        tin_sparse_free(&b);
        tin_model_free(shared);
        tin_model_free(m);
    }
    /* 16 even levels in +-1/2 would give (1/15)^2 / 12 per weight */
    assert_true(before / 1000 < 1.0 / 225 / 12);
}

/* Any disturbance is projected away: zeros are zero, and each matrix still has few values. */
static void constraint_keeps_zeros_and_codebooks(void **state)
{
    (void)state;
    tin_error err = {0};
    tin_sparse b;
    tin_constraint *c = NULL;
    tin_model *m = net(), *before = NULL;
    bool removed[100] = {[1] = true, [7] = true, [20] = true, [30] = true};
    assert_ok(tin_constraint_create(&c, m, &err), &err);
    assert_false(c->any); /* random weights ask for nothing */
    tin_constraint_free(c);
    assert_ok(tin_sparse_find(&b, m, &err), &err);
    tin_sparse_clear(&b, m, removed);
    for (int shared = 0; shared < 2; shared++) {
        if (shared) {
            assert_ok(tin_share_apply(m, 12, &err), &err);
        }
        assert_ok(tin_model_copy(&before, m, &err), &err);
        assert_ok(tin_constraint_create(&c, m, &err), &err);
        assert_true(c->any);
        tin_constraint_project(c, m, m->params, true);
        assert_true(squared_error(m, before) < 1e-9); /* what keeps it already stays */
        tin_rng rng;
        tin_rng_seed(&rng, 9);
        for (int round = 0; round < 50; round++) {
            for (size_t i = 0; i < m->n_params; i++) {
                m->params[i] += (float)tin_rng_range(&rng, -0.02, 0.02);
            }
            tin_constraint_project(c, m, m->params, false);
        }
        assert_true(squared_error(m, before) > 1e-3);
        tin_constraint_project(c, m, m->params, true);
        for (size_t i = 0; i < m->n_params; i++) {
            assert_true(b.of_param[i] < 0 || !removed[b.of_param[i]] || m->params[i] == 0);
        }
        for (int i = 0; shared && i < m->n_layers; i++) {
            for (int p = 0; p < m->layers[i].n_params; p++) {
                bool matrix = tin_sparse_has(&m->layers[i], &m->layers[i].params[p]);
                assert_true(!matrix || count_values(m, i, p) <= 12);
            }
        }
        tin_constraint_free(c);
        tin_model_free(before);
    }
    tin_sparse_free(&b);
    tin_model_free(m);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    tin_error err = {0};
    tin_model *model = net();
    for (size_t n = 1;; n++) {
        tin_model *m = NULL;
        tin_sparse b;
        tin_constraint *c = NULL;
        tin_compress_size size;
        double importance[100] = {0};
        bool removed[100];
        assert_ok(tin_model_copy(&m, model, &err), &err);
        tin_memory_fail_at(n);
        tin_status status = tin_sparse_find(&b, m, NULL);
        if (status == TIN_OK) {
            status = tin_sparse_choose(&b, importance, 0.5, removed, NULL);
            status = status ? status : tin_share_apply(m, 16, NULL);
            status = status ? status : tin_constraint_create(&c, m, NULL);
            status = status ? status : tin_compress_measure(m, &size, NULL);
            tin_sparse_free(&b);
        }
        tin_memory_fail_at(0);
        tin_constraint_free(c);
        tin_model_free(m);
        if (status == TIN_OK) {
            assert_true(n > 10);
            break;
        }
        assert_int_equal(status, TIN_ERR_MEMORY);
    }
    tin_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_those_of_the_kernels), cmocka_unit_test(least_blocks_go),
        cmocka_unit_test(codebooks_are_small_and_near),    cmocka_unit_test(constraint_keeps_zeros_and_codebooks),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
