#include "compress/compress.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "compress/importance.h"
#include "compress/low_rank.h"
#include "compress/prune.h"
#include "compress/share.h"
#include "compress/sparse.h"
#include "train/train.h"

#define SPARSE_ROUNDS 4

/* What all steps share. */
typedef struct work {
    tin_model *model;
    const tin_dataset *dataset;
    const tin_compress_options *options;
    tin_model *teachers[TIN_MAX_TEACHERS]; /* they take part in every fine-tuning from their step on */
    int n_teachers;
    double distill, temperature;
} work;

static tin_train_options training(const tin_compress_options *options, const char *name)
{
    const tin_config *config = options->config;
    return (tin_train_options){.settings = config->train,
                               .seed = config->seed,
                               .pool = options->pool,
                               .folder = options->folder,
                               .name = name,
                               .evaluate = config->evaluate,
                               .quiet = options->quiet};
}

/* Fine-tuning: the settings of training with the steps and learning rate of the step; looked at eight times. */
static tin_train_options fine_tuning(const work *w, const tin_config_compress *step, int steps, const char *name)
{
    tin_train_options options = training(w->options, name);
    options.teachers = (const tin_model *const *)w->teachers;
    options.n_teachers = w->n_teachers;
    options.distill = w->distill;
    options.temperature = w->temperature;
    int eighth = steps / 8 > 0 ? steps / 8 : 1;
    options.settings.steps = steps;
    options.settings.learning_rate = step->learning_rate;
    options.settings.warmup = steps / 20;
    options.settings.patience = 0;
    if (options.settings.evaluate_every > eighth) {
        options.settings.evaluate_every = eighth;
    }
    return options;
}

static void replace(work *w, tin_model *model)
{
    tin_model_free(w->model);
    w->model = model;
}

static tin_status prune(work *w, const tin_config_compress *step, const tin_train_options *options, tin_error *err)
{
    tin_channels *channels = NULL;
    tin_model *pruned = NULL;
    int *group = NULL;
    double *importance = NULL;
    bool *removed = NULL;
    const tin_model *model = w->model;
    tin_status status = tin_channels_find(&channels, model, err);
    if (status) {
        return status;
    }
    group = tin_alloc(model->n_params, sizeof *group, err);
    importance = tin_alloc((size_t)channels->n_groups, sizeof *importance, err);
    removed = tin_alloc((size_t)channels->n_groups, sizeof *removed, err);
    if (!group || !importance || !removed) {
        status = TIN_ERR_MEMORY;
        goto cleanup;
    }
    tin_channels_readers(channels, model, group);
    status = tin_importance_measure(model, w->dataset, options, group, channels->n_groups, importance, err);
    if (status) {
        goto cleanup;
    }
    tin_prune_choose(model, channels, importance, step->keep, removed);
    status = tin_prune_apply(&pruned, model, channels, removed, err);
    if (status == TIN_OK) {
        replace(w, pruned);
    }
cleanup:
    tin_free(removed);
    tin_free(importance);
    tin_free(group);
    tin_free(channels);
    return status;
}

static tin_status sparse(work *w, double keep, const tin_train_options *options, tin_error *err)
{
    tin_sparse blocks;
    tin_status status = tin_sparse_find(&blocks, w->model, err);
    if (status) {
        return status;
    }
    double *importance = tin_alloc((size_t)blocks.n, sizeof *importance, err);
    bool *removed = tin_alloc((size_t)blocks.n, sizeof *removed, err);
    status = importance && removed ? TIN_OK : TIN_ERR_MEMORY;
    status = status ? status
                    : tin_importance_measure(w->model, w->dataset, options, blocks.of_param, blocks.n, importance, err);
    status = status ? status : tin_sparse_choose(&blocks, importance, keep, removed, err);
    if (status == TIN_OK) {
        tin_sparse_clear(&blocks, w->model, removed);
    }
    tin_free(removed);
    tin_free(importance);
    tin_sparse_free(&blocks);
    return status;
}

static tin_status low_rank(work *w, const tin_config_compress *step, tin_error *err)
{
    int rank[TIN_MAX_LAYERS];
    tin_model *factored = NULL;
    tin_status status = step->keep > 0 ? tin_low_rank_search(w->model, step->keep, rank, err)
                                       : tin_low_rank_choose(w->model, step->energy, rank, err);
    status = status ? status : tin_low_rank_apply(&factored, w->model, rank, err);
    if (status == TIN_OK) {
        replace(w, factored);
    }
    return status;
}

/* A norm would multiply the shared rows again, so it is folded before. */
static tin_status share(work *w, const tin_config_compress *step, tin_error *err)
{
    tin_model *folded = NULL;
    tin_status status = tin_model_fold(&folded, w->model, err);
    status = status ? status : tin_share_apply(folded, step->entries, err);
    if (status) {
        tin_model_free(folded);
        return status;
    }
    replace(w, folded);
    return TIN_OK;
}

/* A teacher has the settings of the model, and its layers unless it has some of its own; each has random numbers of its own,
 * which neither the model nor the teachers of the next seed have. */
static tin_status train_teacher(const work *w, const tin_config_compress *step, int index, int number,
                                tin_model **teacher, double *score, tin_error *err)
{
    const tin_config *config = w->options->config;
    tin_layer_spec specs[TIN_MAX_LAYERS];
    char name[40];
    tin_train_result result = {0};
    unsigned n_layers = step->layers_count > 0 ? step->layers_count : config->layers_count;
    tin_config_specs(step->layers_count > 0 ? step->layers : config->layers, n_layers, specs);
    snprintf(name, sizeof name, number > 1 ? "compress%d_teacher%d" : "compress%d_teacher", index + 1, number);
    tin_train_options options = training(w->options, name);
    options.seed += (uint64_t)number << 32;
    tin_status status = tin_model_create(teacher, w->dataset, specs, (int)n_layers, err);
    status = status ? status : tin_model_set_delay(*teacher, config->delay_ms + step->delay_ms, err);
    status = status ? status : tin_model_fit_input(*teacher, w->dataset, err);
    if (status == TIN_OK) {
        tin_model_initialise(*teacher, options.seed);
        status = tin_train(*teacher, w->dataset, &options, &result, err);
    }
    *score = result.best_score;
    return status;
}

static void forget_teachers(work *w)
{
    while (w->n_teachers > 0) {
        tin_model_free(w->teachers[--w->n_teachers]);
    }
}

static tin_status load_teacher(const work *w, const char *run, int index, tin_model **teacher, double *score,
                               tin_error *err)
{
    char name[60], path[TIN_PATH_MAX], manifest[TIN_PATH_MAX];
    tin_train_options options = training(w->options, "teacher");
    snprintf(name, sizeof name, "../%.12s/model_float", run);
    tin_status status = tin_path_join(path, w->options->folder, name, err);
    snprintf(name, sizeof name, "../%.12s/model_float.json", run);
    if (status == TIN_OK && !tin_path_join(manifest, w->options->folder, name, err) && !tin_file_exists(manifest)) {
        return tin_fail(err, TIN_ERR_CONFIG,
                        "compress[%d] (distill): teacher %s is no run of this project with a trained model; "
                        "`tinamou runs` lists them",
                        index + 1, run);
    }
    status = status ? status : tin_model_load(teacher, path, err);
    return status ? status : tin_train_score(*teacher, w->dataset, &options, score, err);
}

static tin_status distill(work *w, const tin_config_compress *step, int index, tin_compress_row *row, tin_error *err)
{
    tin_status status = TIN_OK;
    double sum = 0;
    forget_teachers(w);
    w->distill = step->weight;
    w->temperature = step->temperature;
    for (int i = 0; i < step->teachers && status == TIN_OK; i++) {
        tin_model **teacher = &w->teachers[w->n_teachers++];
        double score = 0;
        *teacher = NULL;
        status = step->teacher[0] ? load_teacher(w, step->teacher, index, teacher, &score, err)
                                  : train_teacher(w, step, index, i + 1, teacher, &score, err);
        sum += score;
    }
    row->teacher_score = sum / w->n_teachers;
    return status;
}

/* Trains with whatever the weights ask to be kept. */
static tin_status fine_tune(work *w, tin_train_options *options, double *score, tin_error *err)
{
    tin_constraint *constraint = NULL;
    tin_train_result result = {0};
    tin_status status = tin_constraint_create(&constraint, w->model, err);
    if (status == TIN_OK) {
        options->constraint = constraint->any ? constraint : NULL;
        status = tin_train(w->model, w->dataset, options, &result, err);
        *score = result.best_score;
    }
    tin_constraint_free(constraint);
    return status;
}

static tin_status change(work *w, const tin_config_compress *step, double keep, const tin_train_options *options,
                         tin_error *err)
{
    if (strcmp(step->method, "prune") == 0) {
        return prune(w, step, options, err);
    }
    if (strcmp(step->method, "sparse") == 0) {
        return sparse(w, keep, options, err);
    }
    if (strcmp(step->method, "low_rank") == 0) {
        return low_rank(w, step, err);
    }
    return strcmp(step->method, "share") == 0 ? share(w, step, err) : TIN_OK;
}

/* Blocks go in rounds, more at first and fewer at the end (Zhu and Gupta 2017: the share that is gone grows as
 * 1 - (1 - t)^3), each with its part of the fine-tuning; the other methods have one round. */
static tin_status run_step(work *w, int index, tin_compress_row *row, tin_error *err)
{
    const tin_config_compress *step = &w->options->config->compress[index];
    bool gradual = strcmp(step->method, "sparse") == 0;
    int rounds = gradual && step->steps >= SPARSE_ROUNDS ? SPARSE_ROUNDS : 1;
    tin_status status = strcmp(step->method, "distill") == 0 ? distill(w, step, index, row, err) : TIN_OK;
    for (int r = 1; r <= rounds && status == TIN_OK; r++) {
        char name[40];
        double left = 1 - (double)r / rounds;
        tin_train_options options = fine_tuning(w, step, step->steps / rounds, name);
        snprintf(name, sizeof name, "compress%d_%d", index + 1, r);
        status = change(w, step, step->keep + (1 - step->keep) * left * left * left, &options, err);
        status = status ? status : tin_train_score(w->model, w->dataset, &options, &row->changed_score, err);
        row->score = row->changed_score;
        if (status == TIN_OK && step->steps > 0) {
            status = fine_tune(w, &options, &row->score, err);
        }
    }
    return status ? status : tin_compress_measure(w->model, &row->size, err);
}

static void name_row(const tin_config_compress *step, tin_compress_row *row)
{
    if (strcmp(step->method, "share") == 0) {
        snprintf(row->step, sizeof row->step, "share %d", step->entries);
    } else if (strcmp(step->method, "distill") == 0) {
        snprintf(row->step, sizeof row->step, "distill %.4g", step->weight);
    } else if (step->keep > 0) {
        snprintf(row->step, sizeof row->step, "%s %.4g", step->method, step->keep);
    } else {
        snprintf(row->step, sizeof row->step, "%s energy %.4g", step->method, step->energy);
    }
}

tin_status tin_compress(tin_model **model, const tin_dataset *dataset, const tin_compress_options *options,
                        tin_compress_row rows[TIN_MAX_COMPRESS + 1], int *n_rows, tin_error *err)
{
    work w = {.model = *model, .dataset = dataset, .options = options};
    tin_train_options plain = training(options, "trained");
    memset(rows, 0, (TIN_MAX_COMPRESS + 1) * sizeof *rows);
    snprintf(rows[0].step, sizeof rows[0].step, "trained");
    *n_rows = 1;
    tin_status status = tin_compress_measure(*model, &rows[0].size, err);
    status = status ? status : tin_train_score(*model, dataset, &plain, &rows[0].score, err);
    rows[0].changed_score = rows[0].score;
    for (unsigned i = 0; i < options->config->compress_count && status == TIN_OK; i++) {
        name_row(&options->config->compress[i], &rows[*n_rows]);
        status = run_step(&w, (int)i, &rows[*n_rows], err);
        *n_rows += status == TIN_OK;
    }
    forget_teachers(&w);
    *model = w.model;
    return status;
}
