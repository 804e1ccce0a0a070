/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "train_data.h"

#define LONGEST 90 /* frames of one label */

static tin_channel channels[TEST_CHANNELS] = {{"ax", "g", 0.001},     {"ay", "g", 0.001},     {"az", "g", 0.001},
                                              {"gx", "rad/s", 0.002}, {"gy", "rad/s", 0.002}, {"gz", "rad/s", 0.002}};
static tin_class classes[TEST_CLASSES] = {{"rest", false}, {"shake", true}, {"turn", true}};

static size_t fill(int16_t *counts, tin_interval *intervals, int64_t n_frames, tin_rng *rng)
{
    size_t n = 0;
    int32_t label = 0;
    for (int64_t start = 0, end; start < n_frames; start = end) {
        end = start + LONGEST / 2 + tin_rng_below(rng, LONGEST / 2);
        end = end < n_frames ? end : n_frames;
        label = (label + 1 + (int32_t)tin_rng_below(rng, TEST_CLASSES - 1)) % TEST_CLASSES;
        for (int64_t t = start; t < end; t++) {
            for (int c = 0; c < TEST_CHANNELS; c++) {
                double move = label == 1 && c < 3   ? 300 * sin(0.9 * (double)t + c)
                              : label == 2 && c > 2 ? 400 * sin(0.4 * (double)t + c)
                                                    : 0;
                double noise = 120 * tin_rng_normal(rng);
                counts[t * TEST_CHANNELS + c] = (int16_t)((c == 2 ? 1000 : 0) + lrint(move + noise));
            }
        }
        intervals[n++] = (tin_interval){start, end, label};
    }
    return n;
}

tin_dataset *test_dataset(const char *path, int n_streams, int64_t n_frames)
{
    tin_error err = {0};
    tin_dataset_builder *builder = NULL;
    tin_dataset *dataset = NULL;
    int16_t *counts = tin_alloc((size_t)n_frames * TEST_CHANNELS, sizeof *counts, &err);
    tin_interval *intervals = tin_alloc((size_t)n_frames, sizeof *intervals, &err);
    const tin_dataset head = {.name = (char[]){"oscillations"},
                              .rate_hz = 50,
                              .n_channels = TEST_CHANNELS,
                              .n_classes = TEST_CLASSES,
                              .channels = (tin_channel *)(uintptr_t)channels,
                              .classes = (tin_class *)(uintptr_t)classes,
                              .unlabelled = TIN_LABEL_IGNORE};
    if (tin_dataset_builder_create(&builder, path, &head, &err)) {
        fail_msg("%s", tin_error_text(&err));
    }
    for (int i = 0; i < n_streams; i++) {
        char id[20];
        tin_rng rng;
        tin_rng_derive(&rng, 8, (uint64_t)i);
        snprintf(id, sizeof id, "r%02d", i);
        size_t n = fill(counts, intervals, n_frames, &rng);
        tin_stream stream = {.id = id,
                             .subject = id,
                             .session = (char[]){""},
                             .origin = (char[]){"test"},
                             .role = i % 7 == 6   ? TIN_ROLE_TEST
                                     : i % 4 == 3 ? TIN_ROLE_VALIDATION
                                                  : TIN_ROLE_TRAIN,
                             .n_frames = n_frames,
                             .counts = counts,
                             .intervals = intervals,
                             .n_intervals = n - (n > 3)}; /* the last stretch has no label */
        if (tin_dataset_builder_add(builder, &stream, &err)) {
            fail_msg("%s", tin_error_text(&err));
        }
    }
    if (tin_dataset_builder_finish(builder, NULL, &err) || tin_dataset_open(&dataset, path, &err)) {
        fail_msg("%s", tin_error_text(&err));
    }
    tin_dataset_builder_free(builder);
    tin_free(counts);
    tin_free(intervals);
    return dataset;
}
