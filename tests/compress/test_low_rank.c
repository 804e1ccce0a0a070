/* Low rank: at full rank the same function, at less the best one, and what is saved. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first */
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "compress/low_rank.h"
#include "compress_support.h"
#include "train_models.h"

static const tin_layer_spec layers[] = {{.op = TIN_OP_CONV1D, .units = 20, .kernel = 5, .stride = 2, .dilation = 2},
                                        {.op = TIN_OP_BATCH_NORM},
                                        {.op = TIN_OP_RELU, .name = "stem"},
                                        {.op = TIN_OP_CONV1D, .kernel = 3, .depthwise = true},
                                        {.op = TIN_OP_DENSE, .units = 24, .name = "wide"},
                                        {.op = TIN_OP_GRU, .units = 8},
                                        {.op = TIN_OP_LSTM, .units = 7, .from = {"wide"}, .n_from = 1, .name = "l"},
                                        {.op = TIN_OP_CONCAT, .from = {"gru_6", "l"}, .n_from = 2},
                                        {.op = TIN_OP_MIN_GRU, .units = 12},
                                        {.op = TIN_OP_DENSE}};

static tin_model *net(void)
{
    return test_model(layers, N_LAYERS(layers), 5, 4, 3);
}

static int full_rank(const tin_layer *l)
{
    if (l->n_params == 0 || l->params[0].n_dims < 2 || l->groups > 1) {
        return 0;
    }
    int rows = l->params[0].shape[0], n = (int)l->params[0].size / rows;
    return rows < n ? rows : n;
}

static void full_rank_computes_the_same(void **state)
{
    (void)state;
    tin_error err = {0};
    tin_model *model = net(), *factored = NULL;
    int rank[TIN_MAX_LAYERS], n = 0;
    for (int i = 0; i < model->n_layers; i++) {
        rank[i] = full_rank(&model->layers[i]);
        n += rank[i] > 0;
    }
    assert_ok(tin_low_rank_apply(&factored, model, rank, &err), &err);
    assert_int_equal(factored->n_layers, model->n_layers + n);
    assert_string_equal(factored->layers[0].name, "conv1d_1_low");
    assert_true(score_difference(model, factored, 300) < 1e-5);
    tin_model_free(factored);
    tin_model_free(model);
}

/* Eckart and Young: what the factors miss has the energy of the singular values that were dropped; all of them together
 * have that of the matrix. Checked on a matrix whose singular values are known. */
static void rank_follows_energy(void **state)
{
    (void)state;
    tin_error err = {0};
    tin_model *model = net();
    const tin_layer *wide = &model->layers[4]; /* [24][20] */
    float *w = model->params + wide->params[0].offset;
    memset(w, 0, wide->params[0].size * sizeof *w);
    for (int k = 0; k < 20; k++) {
        w[k * 20 + k] = k < 4 ? 10 : k < 8 ? 1 : 0.01f; /* energies 400, 4, 0.0012 */
    }
    int rank[TIN_MAX_LAYERS];
    assert_ok(tin_low_rank_choose(model, 0.98, rank, &err), &err);
    assert_int_equal(rank[4], 4);
    assert_ok(tin_low_rank_choose(model, 0.9999, rank, &err), &err);
    assert_int_equal(rank[4], 8);
    assert_ok(tin_low_rank_choose(model, 1, rank, &err), &err);
    assert_int_equal(rank[4], 0); /* nothing would be saved */

    tin_model *factored = NULL;
    memset(rank, 0, sizeof rank);
    rank[4] = 8;
    assert_ok(tin_low_rank_apply(&factored, model, rank, &err), &err);
    const tin_layer *low = &factored->layers[4], *high = &factored->layers[5];
    assert_string_equal(low->name, "wide_low");
    assert_int_equal(low->n_outputs, 8);
    for (int r = 0; r < 24; r++) {
        for (int c = 0; c < 20; c++) {
            double product = 0;
            for (int k = 0; k < 8; k++) {
                product += (double)factored->params[high->params[0].offset + (size_t)(r * 8 + k)] *
                           (double)factored->params[low->params[0].offset + (size_t)(k * 20 + c)];
            }
            assert_true(fabs(product - (r == c ? (r < 4 ? 10 : r < 8 ? 1 : 0) : 0)) < 1e-5);
        }
    }
    tin_model_free(factored);
    tin_model_free(model);
}

static void search_meets_the_budget(void **state)
{
    (void)state;
    tin_error err = {0};
    tin_model *model = net();
    for (int percent = 60; percent <= 95; percent += 5) {
        int rank[TIN_MAX_LAYERS];
        tin_model *factored = NULL;
        assert_ok(tin_low_rank_search(model, percent / 100.0, rank, &err), &err);
        assert_ok(tin_low_rank_apply(&factored, model, rank, &err), &err);
        double share = (double)tin_model_trainable(factored) / (double)tin_model_trainable(model);
        assert_true(share <= percent / 100.0 && share > percent / 100.0 - 0.2);
        tin_model_free(factored);
    }
    tin_model_free(model);
}

static void weights_that_are_no_numbers_and_long_names_are_refused(void **state)
{
    (void)state;
    tin_error err = {0};
    const tin_layer_spec named[] = {{.op = TIN_OP_DENSE, .units = 8, .name = "a_name_of_just_28_characters"},
                                    {.op = TIN_OP_DENSE}};
    tin_model *model = test_model(named, 2, 5, 4, 1), *factored = NULL;
    int rank[TIN_MAX_LAYERS] = {2};
    assert_int_equal(tin_low_rank_apply(&factored, model, rank, &err), TIN_ERR_MODEL);
    assert_non_null(strstr(err.message, "too long"));
    assert_null(factored);
    tin_model_free(model);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    tin_model *model = net();
    for (size_t n = 1;; n++) {
        int rank[TIN_MAX_LAYERS];
        tin_model *factored = NULL;
        tin_memory_fail_at(n);
        tin_status status = tin_low_rank_search(model, 0.8, rank, NULL);
        status = status ? status : tin_low_rank_apply(&factored, model, rank, NULL);
        tin_memory_fail_at(0);
        tin_model_free(factored);
        if (status == TIN_OK) {
            assert_true(n > 20);
            break;
        }
        assert_int_equal(status, TIN_ERR_MEMORY);
    }
    tin_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_rank_computes_the_same),
        cmocka_unit_test(rank_follows_energy),
        cmocka_unit_test(search_meets_the_budget),
        cmocka_unit_test(weights_that_are_no_numbers_and_long_names_are_refused),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
