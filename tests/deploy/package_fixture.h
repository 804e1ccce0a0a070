/* What the tests of packages share: a small project and its package. Include after cmocka.h. */
#ifndef PACKAGE_FIXTURE_H
#define PACKAGE_FIXTURE_H

#include "deploy/fixture.h"
#include "deploy/package.h"

#define N_FRAMES 1500
#define NAME "Net2"

typedef struct project {
    tin_qmodel *model;
    tin_decision_rule rule;
    int16_t *counts;
    tin_interval event;
    tin_stream streams[3];
    tin_dataset dataset;
    tin_package package;
} project;

static char id_train[] = "train", id_first[] = "first", id_second[] = "second */ \"recording\"";

/* A model of `spec` with its code, a training stream and two test streams; an event of class 0 in the second one. */
static inline void make_project(project *p, const random_spec *spec, uint64_t seed)
{
    tin_error err = {0};
    const tin_generate_facts facts = facts_of(NAME);
    *p = (project){.rule = common_rule(120, 220, 1, 3)};
    p->rule.smooth_shift = 1;
    must(random_model(&p->model, spec, seed, &err), &err);
    const size_t n = (size_t)N_FRAMES * (size_t)spec->n_channels;
    p->counts = tin_alloc(3 * n, sizeof *p->counts, &err);
    assert_non_null(p->counts);
    random_counts(p->counts, 3 * N_FRAMES, spec->n_channels, seed);
    char *const ids[] = {id_train, id_first, id_second};
    for (int i = 0; i < 3; i++) {
        p->streams[i] = (tin_stream){.id = ids[i],
                                     .role = i == 0 ? TIN_ROLE_TRAIN : TIN_ROLE_TEST,
                                     .n_frames = N_FRAMES,
                                     .counts = p->counts + (size_t)i * n};
    }
    p->event = (tin_interval){900, 1000, 0};
    p->streams[2].intervals = &p->event;
    p->streams[2].n_intervals = 1;
    p->dataset = (tin_dataset){.rate_hz = p->model->rate_hz,
                               .n_channels = spec->n_channels,
                               .n_classes = spec->n_classes,
                               .classes = p->model->classes,
                               .streams = p->streams,
                               .n_streams = 3};
    must(tin_folder_make(path_of("code"), &err), &err);
    must(tin_generate(p->model, &p->rule, &facts, path_of("code"), &err), &err);
    p->package = (tin_package){.model = p->model,
                               .rule = &p->rule,
                               .dataset = &p->dataset,
                               .code = TEST_TEMPORARY "/code",
                               .name = NAME,
                               .version = "test",
                               .formats = TIN_PACKAGE_ALL};
}

static inline void free_project(project *p)
{
    tin_free(p->counts);
    tin_qmodel_free(p->model);
}

static const random_layer layers[] = {{.op = TIN_OP_CONV1D, .units = 8, .kernel = 5, .stride = 2, .relu = true},
                                      {.op = TIN_OP_GRU, .units = 6}};
static const random_spec ordinary = {
    .n_channels = 3, .n_classes = 4, .layers = layers, .n_layers = 2, .event_every = 2};

static inline const char *output_folder(void)
{
    tin_error err = {0};
    must(tin_folder_remove(path_of("packages"), &err), &err);
    return TEST_TEMPORARY "/packages";
}

#define PACKAGE(format) TEST_TEMPORARY "/packages/" format "/" NAME

static inline void build_with_cmake(const char *source, const char *build)
{
    tin_error err = {0};
    must(tin_folder_remove(build, &err), &err);
    run((const char *const[]){"cmake", "-G", "Ninja", "-S", source, "-B", build,
                              "-DCMAKE_C_FLAGS=-Wall -Wextra -Wconversion -Wshadow -pedantic -Werror", NULL});
    run((const char *const[]){"cmake", "--build", build, NULL});
}

#endif
