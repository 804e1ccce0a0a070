/* A small made world for tests of the whole evaluation: two signals that show two event classes, and an integer model
 * of one dense layer that reads them. Included by one test each. */
#ifndef MADE_WORLD_H
#define MADE_WORLD_H

#include <string.h>

#include "base/file.h"
#include "base/rng.h"
#include "evaluate/evaluate.h"

#define N_FRAMES 600
#define N_CHANNELS 2
#define RATE 10.0

static const tin_class CLASSES[] = {{"rest", false}, {"wave", true}, {"knock", true}};
static const tin_channel CHANNELS[] = {{"a", "g", 1.0}, {"b", "g", 1.0}};

/* One person: an event every 60 frames, 20 long, classes in turn; signal of the class 80, noise +-10. Labels of `role`
 * are exchanged when swap is set (class 1 <-> 2). unlabelled: frames 0..39; 10..29 have a label that is no class. */
static inline void add_person(tin_dataset_builder *builder, const char *name, tin_role role, uint64_t seed, bool swap)
{
    static int16_t counts[N_FRAMES * N_CHANNELS];
    tin_interval intervals[24];
    tin_rng rng;
    tin_rng_seed(&rng, seed);
    tin_stream stream = {.id = (char *)name,
                         .subject = (char *)name,
                         .session = "",
                         .origin = "made",
                         .role = role,
                         .n_frames = N_FRAMES,
                         .counts = counts,
                         .intervals = intervals};
    for (int t = 0; t < N_FRAMES * N_CHANNELS; t++) {
        counts[t] = (int16_t)((int)tin_rng_below(&rng, 21) - 10);
    }
    intervals[stream.n_intervals++] = (tin_interval){10, 30, TIN_LABEL_IGNORE};
    int64_t free_from = 40;
    for (int i = 0; i < 9; i++) {
        int64_t start = 50 + 60 * i + (int64_t)tin_rng_below(&rng, 20);
        int32_t k = 1 + (int32_t)tin_rng_below(&rng, 2);
        intervals[stream.n_intervals++] = (tin_interval){free_from, start, 0};
        intervals[stream.n_intervals++] = (tin_interval){start, start + 20, swap ? 3 - k : k};
        for (int64_t t = start; t < start + 20; t++) {
            counts[t * N_CHANNELS + k - 1] = (int16_t)(counts[t * N_CHANNELS + k - 1] + 80);
        }
        free_from = start + 20;
    }
    intervals[stream.n_intervals++] = (tin_interval){free_from, N_FRAMES, 0};
    assert_int_equal(tin_dataset_builder_add(builder, &stream, NULL), TIN_OK);
}

static inline tin_dataset *make_dataset(const char *path, const tin_class *classes, bool swap_test)
{
    tin_dataset_builder *builder = NULL;
    tin_dataset *dataset = NULL;
    const tin_dataset head = {.name = (char *)(uintptr_t) "made",
                              .rate_hz = RATE,
                              .n_channels = N_CHANNELS,
                              .n_classes = 3,
                              .channels = (tin_channel *)(uintptr_t)CHANNELS,
                              .classes = (tin_class *)(uintptr_t)classes,
                              .unlabelled = TIN_LABEL_IGNORE};
    assert_int_equal(tin_dataset_builder_create(&builder, path, &head, NULL), TIN_OK);
    add_person(builder, "ann", TIN_ROLE_TRAIN, 1, false);
    add_person(builder, "bob", TIN_ROLE_TRAIN, 2, false);
    add_person(builder, "cy", TIN_ROLE_VALIDATION, 3, false);
    add_person(builder, "dee", TIN_ROLE_VALIDATION, 4, false);
    add_person(builder, "eve", TIN_ROLE_TEST, 5, swap_test);
    add_person(builder, "fay", TIN_ROLE_TEST, 6, swap_test);
    assert_int_equal(tin_dataset_builder_finish(builder, NULL, NULL), TIN_OK);
    tin_dataset_builder_free(builder);
    assert_int_equal(tin_dataset_open(&dataset, path, NULL), TIN_OK);
    return dataset;
}

/* scores = (rest 10 q.., wave 20 a, knock 20 b) by a dense layer with weights 0/1; multipliers of requantize: counts *
 * 2^31/2^32 * 2. */
typedef struct tiny {
    tin_qmodel model;
    int8_t weight[6];
    int32_t bias[3], mult[3];
} tiny;

static inline void make_tiny(tiny *t, const tin_dataset *dataset)
{
    memset(t, 0, sizeof *t);
    t->weight[2] = t->weight[5] = 1; /* [O][I]: wave reads a, knock reads b */
    t->bias[0] = 40;                 /* rest */
    for (int o = 0; o < 3; o++) {
        t->mult[o] = 1 << 30; /* with shift 6: times 16 */
    }
    t->model = (tin_qmodel){.n_channels = N_CHANNELS, .n_classes = 3, .rate_hz = RATE, .n_layers = 1};
    t->model.classes = dataset->classes;
    t->model.channels = dataset->channels;
    t->model.input_shift = 2; /* multiply_high by 2^30 is a quarter */
    t->model.input_mult[0] = t->model.input_mult[1] = 1 << 30;
    t->model.input_scale = 1;
    t->model.layers[0] = (tin_qlayer){.op = TIN_OP_DENSE,
                                      .n_inputs = 2,
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

static inline tin_evaluate_options options_in(const char *folder)
{
    assert_int_equal(tin_folder_make(folder, NULL), TIN_OK);
    return (tin_evaluate_options){
        .settings = {.early_ms = 200, .late_ms = 500, .deadline_ms = 1000, .collar_ms = 200, .bootstrap = 200, .window_frames = 10, .window_step = 5},
        .seed = 7,
        .folder = folder,
        .quiet = true};
}

#endif
