/* Training with quantisation sees what the device computes: scores of the engine with rounding against the integer
 * interpreter of the converted model. Float is the control: it must be farther away. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "model/qmodel.h"
#include "quantize/quantize.h"
#include "train/augment.h"
#include "train/engine.h"
#include "train/train.h"
#include "train_data.h"

#define FRAMES 1000

static const tin_layer_spec chain[] = {{.op = TIN_OP_CONV1D, .units = 12, .kernel = 5, .stride = 2},
                                       {.op = TIN_OP_BATCH_NORM},
                                       {.op = TIN_OP_RELU},
                                       {.op = TIN_OP_CONV1D, .kernel = 3, .stride = 2, .depthwise = true},
                                       {.op = TIN_OP_CONV1D, .units = 12},
                                       {.op = TIN_OP_RELU},
                                       {.op = TIN_OP_AVG_POOL, .kernel = 2},
                                       {.op = TIN_OP_GRU, .units = 16},
                                       {.op = TIN_OP_DENSE}};
#define FROM(...) .from = {__VA_ARGS__}, .n_from = (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *))
/* A residual block, squeeze and excite, a side branch. */
static const tin_layer_spec branches[] = {
    {.op = TIN_OP_CONV1D, .units = 10, .kernel = 5, .stride = 2},
    {.op = TIN_OP_RELU6, .name = "stem"},
    {.op = TIN_OP_CONV1D, .units = 10, .kernel = 3, .dilation = 2, .name = "deep"},
    {.op = TIN_OP_ADD, FROM("deep", "stem")},
    {.op = TIN_OP_RELU, .name = "block"},
    {.op = TIN_OP_EMA, .shift = 3},
    {.op = TIN_OP_DENSE, .units = 10},
    {.op = TIN_OP_HARD_SIGMOID, .name = "excite"},
    {.op = TIN_OP_MULTIPLY, FROM("block", "excite"), .name = "squeezed"},
    {.op = TIN_OP_MAX_POOL, .kernel = 6, .stride = 2, FROM("input"), .name = "most"},
    {.op = TIN_OP_CONV1D, .units = 6, .kernel = 4, .stride = 2, FROM("input")},
    {.op = TIN_OP_TANH, .name = "side"},
    {.op = TIN_OP_DENSE, .units = 5, FROM("squeezed")},
    {.op = TIN_OP_HARD_TANH, .name = "clipped"},
    {.op = TIN_OP_DENSE, .units = 5, FROM("squeezed")},
    {.op = TIN_OP_SIGMOID, .name = "soft"},
    {.op = TIN_OP_CONCAT, FROM("most", "squeezed", "side", "clipped", "soft")},
    {.op = TIN_OP_GRU, .units = 12},
    {.op = TIN_OP_DENSE}};
#define CELL(...)                                                                                                      \
    {                                                                                                                  \
        {.op = TIN_OP_CONV1D, .units = 12, .kernel = 5, .stride = 2}, {.op = TIN_OP_RELU}, {__VA_ARGS__},              \
        {                                                                                                              \
            .op = TIN_OP_DENSE                                                                                         \
        }                                                                                                              \
    }
static const tin_layer_spec reset_before[] = CELL(.op = TIN_OP_GRU, .units = 16, .reset_before = true);
static const tin_layer_spec lstm[] = CELL(.op = TIN_OP_LSTM, .units = 16);
static const tin_layer_spec mgu[] = CELL(.op = TIN_OP_MGU, .units = 16);
static const tin_layer_spec min_gru[] = CELL(.op = TIN_OP_MIN_GRU, .units = 16);

static void must(tin_status status, tin_error *err)
{
    if (status) {
        fail_msg("%s", tin_error_text(err));
    }
}

/* Logits of one stream, [decisions][classes]. */
static float *engine_scores(const tin_model *model, const tin_quant_spec *quant, const tin_stream *stream,
                            tin_pool *pool)
{
    tin_engine *engine = NULL;
    tin_error err = {0};
    tin_engine_settings settings = {.model = model, .quant = quant, .n_lanes = 1, .chunk = FRAMES, .pool = pool};
    must(tin_engine_create(&engine, &settings, &err), &err);
    void *state = tin_alloc(tin_engine_state_bytes(engine, 1), 1, NULL);
    float *x = tin_alloc(FRAMES * TEST_CHANNELS, sizeof *x, NULL);
    float *scores = tin_alloc(FRAMES * TEST_CLASSES, sizeof *scores, NULL);
    tin_augment plain;
    uint8_t reset = 1;
    tin_augment_none(&plain, model);
    tin_clock clock = {.speed = 1};
    tin_augment_apply(&plain, &clock, stream->counts, FRAMES, TEST_CHANNELS, FRAMES, NULL, x);
    tin_engine_infer(engine, model->params, state, 1, x, &reset, scores);
    tin_free(x);
    tin_free(state);
    tin_engine_free(engine);
    return scores;
}

/* Mean distance in logits from the interpreter. */
static double distance(const tin_qmodel *qmodel, const tin_stream *stream, const float *scores)
{
    tin_qrunner *runner = NULL;
    int16_t integer[TEST_CLASSES];
    double sum = 0;
    int n = 0;
    assert_int_equal(tin_qrunner_create(&runner, qmodel, NULL), TIN_OK);
    for (int64_t t = 0; t < FRAMES; t++) {
        if (tin_qrunner_step(runner, stream->counts + t * TEST_CHANNELS, integer)) {
            for (int c = 0; c < TEST_CLASSES; c++) {
                sum += fabs((double)integer[c] / TIN_SCORE_ONE - (double)scores[n * TEST_CLASSES + c]);
            }
            n++;
        }
    }
    tin_qrunner_free(runner);
    assert_int_equal(n, FRAMES / qmodel->hop);
    return sum / n / TEST_CLASSES;
}

/* Rounding must come nearer to the integers than `most` logits, and four times nearer than float. */
static void compare(const char *what, const tin_layer_spec *layers, int n_layers, tin_config_quantize settings,
                    double most)
{
    tin_error err = {0};
    tin_dataset *dataset = test_dataset(TEST_TEMPORARY "/quant.tind", 14, FRAMES);
    tin_model *model = NULL, *folded = NULL;
    tin_qmodel *qmodel = NULL;
    tin_pool *pool = NULL;
    tin_quant_spec quant = {0};
    tin_train_result result;
    must(tin_pool_create(&pool, 1, &err), &err);
    must(tin_model_create(&model, dataset, layers, n_layers, &err), &err);
    must(tin_model_fit_input(model, dataset, &err), &err);
    tin_model_initialise(model, 2);
    tin_train_options options = {.settings = {.steps = 100,
                                              .batch = 16,
                                              .chunk = 80,
                                              .stateful = true,
                                              .learning_rate = 1e-2,
                                              .warmup = 10,
                                              .clip = 1,
                                              .evaluate_every = 50},
                                 .seed = 1,
                                 .pool = pool,
                                 .name = "train",
                                 .quiet = true};
    must(tin_train(model, dataset, &options, &result, &err), &err);
    must(tin_model_fold(&folded, model, &err), &err);
    settings.method = (char[]){"percentile"};
    settings.percentile = 0.999;
    settings.activation_percentile = 0.9999;
    must(tin_quantize_prepare(folded, dataset, &settings, &err), &err);
    must(tin_quantize_calibrate(folded, dataset, &settings, &quant, &err), &err);
    options.quant = &quant;
    options.name = "finetune";
    options.settings.learning_rate = 1e-3;
    must(tin_train(folded, dataset, &options, &result, &err), &err);
    must(tin_quantize_convert(folded, &quant, &qmodel, &err), &err);
    const tin_stream *stream = &dataset->streams[3];
    float *rounded = engine_scores(folded, &quant, stream, pool), *exact = engine_scores(folded, NULL, stream, pool);
    double near = distance(qmodel, stream, rounded), far = distance(qmodel, stream, exact);
    print_message("%s: logits from the interpreter: %.4f with rounding, %.4f in float\n", what, near, far);
    assert_true(near < most && near < far / 4);
    tin_free(rounded);
    tin_free(exact);
    tin_qmodel_free(qmodel);
    tin_model_free(model);
    tin_model_free(folded);
    tin_pool_destroy(pool);
    tin_dataset_close(dataset);
}

#define COUNT(layers) ((int)(sizeof(layers) / sizeof *(layers)))

static void rounding_is_the_devices(void **unused)
{
    (void)unused;
    const tin_config_quantize plain = {0};
    compare("chain", chain, COUNT(chain), plain, 0.005);
    compare("branches", branches, COUNT(branches), plain, 0.005);
}

static void recurrent_states_are_the_devices(void **unused)
{
    (void)unused;
    const tin_config_quantize plain = {0};
    compare("gru, reset before", reset_before, COUNT(reset_before), plain, 0.005);
    compare("lstm", lstm, COUNT(lstm), plain, 0.005);
    compare("mgu", mgu, COUNT(mgu), plain, 0.005);
    compare("min_gru", min_gru, COUNT(min_gru), plain, 0.005);
}

static void widths_and_scales_are_the_devices(void **unused)
{
    (void)unused;
    const tin_config_quantize narrow = {.weight_bits = (char[]){"4"}};
    const tin_config_quantize wide = {.activation_bits = (char[]){"16"}, .input_bits = (char[]){"16"}};
    const tin_config_quantize powers = {.power_of_two = true};
    compare("chain, 4-bit weights", chain, COUNT(chain), narrow, 0.02);
    compare("chain, 16-bit activations", chain, COUNT(chain), wide, 0.005);
    compare("chain, powers of two", chain, COUNT(chain), powers, 0.01);
    compare("lstm, powers of two", lstm, COUNT(lstm), powers, 0.01);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rounding_is_the_devices),
        cmocka_unit_test(recurrent_states_are_the_devices),
        cmocka_unit_test(widths_and_scales_are_the_devices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
