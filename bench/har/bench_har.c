/* Figures of the network of docs/deployment.md (conv 6->16 k5 s2 relu, conv 16->24 k5 s2 relu, GRU 24, dense 24->6)
 * with random weights on random frames: bench_har FOLDER [CMSIS-NN-M4 [CMSIS-NN-M55]] prints "id value unit" lines;
 * with folders of CMSIS-NN, built for the two cores, those of the back end cmsis-nn too. Files are left in FOLDER. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/progress.h"
#include "deploy/deploy.h"
#include "deploy/random_model.h"

#define N_FRAMES 20000

static double generate_seconds = INFINITY; /* the least of all */

/* For which core, and by which library: NULL for none. */
typedef struct core {
    const char *target, *cmsis_nn;
} core;

static tin_status measure(const tin_qmodel *model, core on, const char *folder, const char *encode,
                          const char *optimize, const char *schedule, tin_footprint *footprint, tin_error *err)
{
    const tin_decision_rule rule = common_rule(300, 200, 2, 3);
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
                                      .target = on.target,
                                      .backend = on.cmsis_nn ? "cmsis-nn" : "auto",
                                      .optimize = encode,
                                      .schedule = schedule};
    tin_measure_options options = {.optimize = optimize, .target = on.target, .cmsis_nn = on.cmsis_nn, .quiet = true};
    char id[] = "noise";
    int16_t *counts = tin_alloc((size_t)N_FRAMES * (size_t)model->n_channels, sizeof *counts, err);
    if (counts == NULL) {
        return TIN_ERR_MEMORY;
    }
    random_counts(counts, N_FRAMES, model->n_channels, 5);
    tin_stream stream = {.id = id, .role = TIN_ROLE_TEST, .n_frames = N_FRAMES, .counts = counts};
    const tin_dataset dataset = {
        .n_channels = model->n_channels, .n_classes = model->n_classes, .streams = &stream, .n_streams = 1};
    const double started = tin_now();
    tin_status status = tin_generate(model, &rule, &facts, folder, err);
    generate_seconds = fmin(generate_seconds, tin_now() - started);
    if (status == TIN_OK) {
        status = tin_schedule_latency(model, &facts, &options.latency, err);
    }
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
            status = measure(model, (core){"m4", NULL}, folder, rows[i].optimize, "balanced", "earliest", &f, err);
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

/* Instructions, sizes and memory on a core, by the library or, where it is NULL, by the own kernels. */
static tin_status measure_core(const tin_qmodel *model, core on, const char *folder, tin_error *err)
{
    tin_footprint f;
    const tin_status status = measure(model, on, folder, "balanced", "balanced", "earliest", &f, err);
    if (status == TIN_OK) {
        char id[64];
        (void)snprintf(id, sizeof id, "%s.har%s", on.target, on.cmsis_nn ? ".cmsis_nn" : "");
        (void)printf("%s.insn_per_decision %.0f insn\n", id, f.insn_per_decision);
        (void)printf("%s.flash_bytes %ld B\n%s.ram_bytes %ld B\n%s.stack_bytes %ld B\n", id, f.flash_bytes, id,
                     f.state_bytes, id, f.stack_bytes);
    }
    return status;
}

int main(int argc, char **argv)
{
    tin_error err = {0};
    tin_qmodel *model = NULL;
    tin_footprint speed, size, spread;
    int latency = 0;
    if (argc < 2 || argc > 4) {
        (void)fprintf(stderr, "usage: bench_har FOLDER [CMSIS-NN-M4 [CMSIS-NN-M55]]\n");
        return tin_status_exit_code(TIN_ERR_USAGE);
    }
    tin_status status = tin_folder_make(argv[1], &err);
    if (status == TIN_OK) {
        status = random_model_har(&model, 7, &err);
    }
    if (status == TIN_OK) {
        status = measure(model, (core){"m4", NULL}, argv[1], "balanced", "balanced", "earliest", &speed, &err);
    }
    if (status == TIN_OK) {
        status = measure(model, (core){"m4", NULL}, argv[1], "size", "size", "earliest", &size, &err);
    }
    if (status == TIN_OK) {
        status = measure(model, (core){"m4", NULL}, argv[1], "balanced", "balanced", "spread", &spread, &err);
    }
    if (status == TIN_OK) {
        const tin_generate_facts facts = {.optimize = "balanced", .schedule = "spread"};
        status = tin_schedule_latency(model, &facts, &latency, &err);
    }
    if (status == TIN_OK) {
        status = tin_footprint_save(&speed, argv[1], "footprint.json", &err);
    }
    if (status == TIN_OK) {
        status = measure_encodings(argv[1], &err);
    }
    const core cores[] = {{"m0", NULL},
                          {"m3", NULL},
                          {"m7", NULL},
                          {"m33", NULL},
                          {"m55", NULL},
                          {"rv32", NULL},
                          {"m4", argc > 2 ? argv[2] : NULL},
                          {"m55", argc > 3 ? argv[3] : NULL}};
    const int n_cores = 6 + argc - 2; /* the last two by the library */
    for (int i = 0; i < n_cores && status == TIN_OK; i++) {
        status = measure_core(model, cores[i], argv[1], &err);
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
    (void)printf("m4.har.earliest.worst_frame_insn %ld insn\n", speed.insn_worst_frame);
    (void)printf("m4.har.worst_frame_insn %ld insn\nm4.har.worst_frame_ratio %.3f x\n", spread.insn_worst_frame,
                 (double)spread.insn_worst_frame / spread.insn_per_frame);
    (void)printf("m4.har.spread.insn_per_decision %.0f insn\nm4.har.spread.latency %d frames\n",
                 spread.insn_per_decision, latency);
    (void)printf("m4.har.spread.ram_bytes %ld B\nm4.har.spread.flash_bytes %ld B\n", spread.state_bytes,
                 spread.flash_bytes);
    (void)printf("gen.seconds %.4f s\n", generate_seconds);
    return 0;
}
