/* Figures of the network of docs/deployment.md (conv 6->16 k5 s2 relu, conv 16->24 k5 s2 relu, GRU 24, dense 24->6)
 * with random weights on random frames: bench_m4_har FOLDER prints "id value unit" lines. Files are left in FOLDER. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "deploy/deploy.h"
#include "deploy/random_model.h"

#define N_FRAMES 20000

static tin_status measure(const tin_qmodel *model, const char *folder, const char *encode, const char *optimize,
                          tin_footprint *footprint, tin_error *err)
{
    const tin_decision_rule rule = {.on = 300, .off = 100, .count = 2, .refractory = 3};
    const tin_generate_facts facts = {.name = "har",
                                      .version = TINAMOU_VERSION,
                                      .data_hash = "",
                                      .config_hash = "",
                                      .command = "",
                                      .frame_accuracy = NAN,
                                      .fnr = NAN,
                                      .fcr = NAN,
                                      .fp_per_hour = NAN,
                                      .latency_mean_s = NAN,
                                      .optimize = encode};
    const tin_measure_options options = {.optimize = optimize, .quiet = true};
    char id[] = "noise";
    int16_t *counts = tin_alloc((size_t)N_FRAMES * (size_t)model->n_channels, sizeof *counts, err);
    if (counts == NULL) {
        return TIN_ERR_MEMORY;
    }
    random_counts(counts, N_FRAMES, model->n_channels, 5);
    tin_stream stream = {.id = id, .role = TIN_ROLE_TEST, .n_frames = N_FRAMES, .counts = counts};
    const tin_dataset dataset = {
        .n_channels = model->n_channels, .n_classes = model->n_classes, .streams = &stream, .n_streams = 1};
    tin_status status = tin_generate(model, &rule, &facts, folder, err);
    if (status == TIN_OK) {
        status = tin_measure(model, &rule, &dataset, folder, "har", &options, footprint, err);
    }
    tin_free(counts);
    return status;
}

/* One line of figures per encoding of the weights, each with the setting that takes it. */
static tin_status measure_encodings(const char *folder, tin_error *err)
{
    static const struct {
        const char *name, *optimize;
        random_values values;
    } rows[] = {{"plain", "plain", RANDOM_ANY},
                {"t2", "balanced", RANDOM_ANY},
                {"t43", "speed", RANDOM_ANY},
                {"n4", "balanced", RANDOM_INT4},
                {"book", "size", RANDOM_BOOK},
                {"sparse_50", "balanced", RANDOM_SPARSE_50},
                {"sparse_75", "balanced", RANDOM_SPARSE_75}};
    tin_status status = TIN_OK;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0] && status == TIN_OK; i++) {
        tin_footprint f;
        tin_qmodel *model = NULL;
        status = random_model_har(&model, 7, err);
        if (status == TIN_OK) {
            status = random_model_values(model, rows[i].values, 7, err);
        }
        if (status == TIN_OK) {
            status = measure(model, folder, rows[i].optimize, "balanced", &f, err);
        }
        tin_qmodel_free(model);
        if (status == TIN_OK) {
            (void)printf("m4.har.%s.insn_per_decision %.0f insn\nm4.har.%s.weight_bytes %ld B\n", rows[i].name,
                         f.insn_per_decision, rows[i].name, f.weight_bytes);
            (void)printf("m4.har.%s.code_bytes %ld B\n", rows[i].name, f.code_bytes);
        }
    }
    return status;
}

int main(int argc, char **argv)
{
    tin_error err = {0};
    tin_qmodel *model = NULL;
    tin_footprint speed, size;
    if (argc != 2) {
        (void)fprintf(stderr, "usage: bench_m4_har FOLDER\n");
        return tin_status_exit_code(TIN_ERR_USAGE);
    }
    tin_status status = tin_folder_make(argv[1], &err);
    if (status == TIN_OK) {
        status = random_model_har(&model, 7, &err);
    }
    if (status == TIN_OK) {
        status = measure(model, argv[1], "balanced", "balanced", &speed, &err);
    }
    if (status == TIN_OK) {
        status = measure(model, argv[1], "size", "size", &size, &err);
    }
    if (status == TIN_OK) {
        status = tin_footprint_save(&speed, argv[1], "footprint.json", &err);
    }
    if (status == TIN_OK) {
        status = measure_encodings(argv[1], &err);
    }
    tin_qmodel_free(model);
    if (status) {
        (void)fprintf(stderr, "%s\n", tin_error_text(&err));
        return tin_status_exit_code(status);
    }
    (void)printf("m4.har.insn_per_decision %.0f insn\n", speed.insn_per_decision);
    for (int i = 0; i < speed.n_layers; i++) {
        if (strncmp(speed.layers[i].name, "gru", 3) == 0) {
            (void)printf("m4.har.gru_step_insn %.0f insn\n", speed.layers[i].insn_per_run);
        }
    }
    (void)printf("m4.har.code_bytes %ld B\nm4.har.weight_bytes %ld B\n", size.code_bytes, size.weight_bytes);
    (void)printf("m4.har.ram_bytes %ld B\nm4.har.stack_bytes %ld B\n", speed.state_bytes, speed.stack_bytes);
    (void)printf("m4.har.worst_frame_insn %ld insn\n", speed.insn_worst_frame);
    return 0;
}
