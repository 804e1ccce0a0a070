/* A pruned graph computes what the original computes when nothing reads the channels that went: through chains, norms,
 * depthwise filters, residual adds, concats, products and every recurrent layer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first */
#include <cmocka.h>

#include "base/memory.h"
#include "base/rng.h"
#include "compress/prune.h"
#include "compress_support.h"
#include "train_models.h"

#define FRAMES 200

static const tin_layer_spec chain[] = {{.op = TIN_OP_CONV1D, .units = 12, .kernel = 3, .stride = 2},
                                       {.op = TIN_OP_BATCH_NORM},
                                       {.op = TIN_OP_RELU},
                                       {.op = TIN_OP_CONV1D, .kernel = 3, .units = 24, .depthwise = true},
                                       {.op = TIN_OP_MAX_POOL, .kernel = 2},
                                       {.op = TIN_OP_CONV1D, .units = 10, .kernel = 2, .dilation = 3},
                                       {.op = TIN_OP_SIGMOID},
                                       {.op = TIN_OP_AVG_POOL, .kernel = 3},
                                       {.op = TIN_OP_DENSE, .units = 9},
                                       {.op = TIN_OP_EMA, .shift = 2},
                                       {.op = TIN_OP_DENSE}};
static const tin_layer_spec residual[] = {
    {.op = TIN_OP_CONV1D, .units = 12, .kernel = 3, .name = "stem"},
    {.op = TIN_OP_RELU},
    {.op = TIN_OP_CONV1D, .units = 12, .kernel = 3, .name = "body"},
    {.op = TIN_OP_ADD, .from = {"body", "stem"}, .n_from = 2, .name = "sum"},
    {.op = TIN_OP_DENSE, .units = 12, .name = "gate", .from = {"sum"}, .n_from = 1},
    {.op = TIN_OP_HARD_SIGMOID, .name = "squeeze"},
    {.op = TIN_OP_MULTIPLY, .from = {"sum", "squeeze"}, .n_from = 2},
    {.op = TIN_OP_DENSE}};
static const tin_layer_spec branches[] = {
    {.op = TIN_OP_CONV1D, .units = 8, .kernel = 3, .name = "left"},
    {.op = TIN_OP_CONV1D, .units = 6, .kernel = 2, .name = "right", .from = {"input"}, .n_from = 1},
    {.op = TIN_OP_CONCAT, .from = {"left", "right", "input"}, .n_from = 3},
    {.op = TIN_OP_DENSE, .units = 14, .name = "mix"},
    {.op = TIN_OP_CONCAT, .from = {"left", "right"}, .n_from = 2, .name = "again"},
    {.op = TIN_OP_ADD, .from = {"mix", "again"}, .n_from = 2},
    {.op = TIN_OP_DENSE}};
static const tin_layer_spec recurrent[] = {{.op = TIN_OP_GRU, .units = 10},
                                           {.op = TIN_OP_LSTM, .units = 9},
                                           {.op = TIN_OP_MGU, .units = 8},
                                           {.op = TIN_OP_MIN_GRU, .units = 11},
                                           {.op = TIN_OP_GRU, .units = 8, .reset_before = true},
                                           {.op = TIN_OP_DENSE}};

static const struct {
    const tin_layer_spec *layers;
    int n;
} nets[] = {{chain, N_LAYERS(chain)},
            {residual, N_LAYERS(residual)},
            {branches, N_LAYERS(branches)},
            {recurrent, N_LAYERS(recurrent)}};
#define N_NETS (sizeof nets / sizeof *nets)

static tin_model *net(size_t which, uint64_t seed)
{
    return test_model(nets[which].layers, nets[which].n, 5, 4, seed);
}

/* Every third group that may go, from `first` on. */
static int mark_some(const tin_channels *channels, int first, bool *removed)
{
    int n = 0;
    for (int g = 0; g < channels->n_groups; g++) {
        removed[g] = !channels->fixed[g] && g % 3 == first;
        n += removed[g];
    }
    return n;
}

static void pruned_equals_zeroed(void **state)
{
    (void)state;
    static bool removed[TIN_MAX_GROUPS];
    for (size_t which = 0; which < N_NETS; which++) {
        for (int first = 0; first < 3; first++) {
            tin_error err = {0};
            tin_channels *channels = NULL;
            tin_model *model = net(which, 7 + (uint64_t)first), *pruned = NULL;
            assert_ok(tin_channels_find(&channels, model, &err), &err);
            assert_true(mark_some(channels, first, removed) > 2);
            assert_ok(tin_prune_apply(&pruned, model, channels, removed, &err), &err);
            assert_true(tin_model_trainable(pruned) < tin_model_trainable(model));

            int *reads = tin_alloc(model->n_params, sizeof *reads, &err);
            tin_channels_readers(channels, model, reads);
            for (size_t i = 0; i < model->n_params; i++) {
                model->params[i] = reads[i] >= 0 && removed[reads[i]] ? 0 : model->params[i];
            }
            assert_true(score_difference(model, pruned, FRAMES) == 0);
            tin_free(reads);
            tin_free(channels);
            tin_model_free(pruned);
            tin_model_free(model);
        }
    }
}

/* The two sides of an add go together; what a concat joins goes by itself. */
static void groups_follow_the_graph(void **state)
{
    (void)state;
    tin_error err = {0};
    tin_channels *ch = NULL;
    tin_model *model = net(1, 1);
    assert_ok(tin_channels_find(&ch, model, &err), &err);
    assert_int_equal(ch->output[0][5], ch->output[2][5]); /* stem, body */
    assert_int_equal(ch->output[0][5], ch->output[4][5]); /* the gate multiplies the sum */
    assert_int_not_equal(ch->output[0][5], ch->output[0][6]);
    assert_false(ch->fixed[ch->output[0][0]]);
    assert_true(ch->fixed[ch->output[7][0]]);
    tin_free(ch);
    tin_model_free(model);
    model = net(2, 1);
    assert_ok(tin_channels_find(&ch, model, &err), &err);
    assert_int_equal(ch->input[3][0], ch->output[0][0]);
    assert_int_equal(ch->input[3][8], ch->output[1][0]);
    assert_true(ch->fixed[ch->input[3][14]]); /* the input itself */
    assert_int_equal(ch->output[3][9], ch->output[1][1]);
    assert_int_not_equal(ch->makers[ch->output[0][0]], ch->makers[ch->output[1][0]]);
    tin_free(ch);
    tin_model_free(model);
}

static void choice_takes_the_least_and_keeps_fours(void **state)
{
    (void)state;
    static bool removed[TIN_MAX_GROUPS];
    static double importance[TIN_MAX_GROUPS];
    for (size_t which = 0; which < N_NETS; which++) {
        tin_error err = {0};
        tin_channels *channels = NULL;
        tin_model *model = net(which, 3), *pruned = NULL;
        tin_rng rng;
        tin_rng_seed(&rng, which);
        assert_ok(tin_channels_find(&channels, model, &err), &err);
        for (int g = 0; g < channels->n_groups; g++) {
            importance[g] = tin_rng_uniform(&rng);
        }
        tin_prune_choose(model, channels, importance, 0.6, removed);
        assert_ok(tin_prune_apply(&pruned, model, channels, removed, &err), &err);
        assert_true((double)tin_model_trainable(pruned) <= 0.6 * (double)tin_model_trainable(model));
        for (int a = 0; a < channels->n_groups; a++) {
            int was = 0, is = 0;
            for (int b = 0; b < channels->n_groups; b++) {
                bool same = channels->makers[a] == channels->makers[b] && !channels->fixed[b];
                was += same;
                is += same && !removed[b];
            }
            assert_true(channels->fixed[a] || is == was || (is >= 4 && is % 4 == 0));
        }
        /* whoever stayed matters at least as much as whoever went from the same layers */
        for (int a = 0; a < channels->n_groups; a++) {
            for (int b = 0; b < channels->n_groups; b++) {
                bool rivals = channels->makers[a] == channels->makers[b] && !channels->fixed[a] && !channels->fixed[b];
                assert_true(!(rivals && removed[a] && !removed[b]) || importance[a] <= importance[b]);
            }
        }
        tin_prune_choose(model, channels, importance, 1, removed);
        for (int g = 0; g < channels->n_groups; g++) {
            assert_false(removed[g]);
        }
        tin_free(channels);
        tin_model_free(pruned);
        tin_model_free(model);
    }
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    static bool removed[TIN_MAX_GROUPS];
    tin_model *model = net(1, 3);
    for (size_t n = 1;; n++) {
        tin_channels *channels = NULL;
        tin_model *pruned = NULL;
        tin_memory_fail_at(n);
        tin_status status = tin_channels_find(&channels, model, NULL);
        if (status == TIN_OK) {
            mark_some(channels, 1, removed);
            status = tin_prune_apply(&pruned, model, channels, removed, NULL);
        }
        tin_memory_fail_at(0);
        tin_free(channels);
        tin_model_free(pruned);
        if (status == TIN_OK) {
            assert_true(n > 5);
            break;
        }
        assert_int_equal(status, TIN_ERR_MEMORY);
    }
    tin_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pruned_equals_zeroed),
        cmocka_unit_test(groups_follow_the_graph),
        cmocka_unit_test(choice_takes_the_least_and_keeps_fours),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
