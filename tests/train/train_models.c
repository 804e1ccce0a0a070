/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include "train_models.h"
#include "base/rng.h"

#define CHANNEL                                                                                                        \
    {                                                                                                                  \
        "x", "g", 0.001                                                                                                \
    }
#define CHANNELS4 CHANNEL, CHANNEL, CHANNEL, CHANNEL
#define CLASS                                                                                                          \
    {                                                                                                                  \
        "c", true                                                                                                      \
    }

static tin_channel channels[] = {CHANNELS4, CHANNELS4};
static tin_class classes[] = {{"rest", false}, CLASS, CLASS, CLASS, CLASS, CLASS, CLASS};

const tin_dataset *test_frame(int n_channels, int n_classes)
{
    static tin_dataset frame;
    assert_true(n_channels <= 8 && n_classes <= 7);
    frame = (tin_dataset){.name = "test",
                          .rate_hz = 50,
                          .n_channels = n_channels,
                          .n_classes = n_classes,
                          .channels = channels,
                          .classes = classes,
                          .unlabelled = TIN_LABEL_IGNORE};
    return &frame;
}

void test_random(float *x, size_t n, double size, uint64_t seed)
{
    tin_rng rng;
    tin_rng_seed(&rng, seed);
    for (size_t i = 0; i < n; i++) {
        x[i] = (float)tin_rng_range(&rng, -size, size);
    }
}

tin_model *test_model(const tin_layer_spec *layers, int n_layers, int n_channels, int n_classes, uint64_t seed)
{
    tin_error err = {0};
    tin_model *model = NULL;
    if (tin_model_create(&model, test_frame(n_channels, n_classes), layers, n_layers, &err)) {
        fail_msg("%s", tin_error_text(&err));
    }
    test_random(model->params, model->n_params, 0.5, seed);
    for (int i = 0; i < model->n_layers; i++) {
        const tin_layer *layer = &model->layers[i];
        if (layer->op == TIN_OP_BATCH_NORM) {
            for (int c = 0; c < layer->n_outputs; c++) {
                model->params[layer->params[0].offset + (size_t)c] += 1;
                model->params[layer->params[3].offset + (size_t)c] += 1; /* variance > 0 */
            }
        }
    }
    for (int c = 0; c < n_channels; c++) {
        model->input.offset[c] = 10 * c;
        model->input.scale[c] = 0.001f;
    }
    return model;
}
