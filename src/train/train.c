#include "train/train.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/progress.h"
#include "base/rng.h"
#include "base/text.h"
#include "train/checkpoint.h"
#include "train/engine.h"
#include "train/sampler.h"
#include "train/teacher.h"
#include "train/validate.h"

#define SEED_DROPOUT 0x64726f70u

/* Everything of one training. */
typedef struct training {
    tin_model *model;
    const tin_dataset *dataset;
    const tin_train_options *options;
    const tin_config_train *settings;
    tin_engine *engine;
    tin_sampler *sampler;
    tin_validation *validation;
    tin_teacher *teacher; /* NULL: none */
    tin_metric metric;
    tin_sampler_batch batch;
    double *gradient;
    tin_progress_state state;
    tin_checkpoint_owner owner;
    char checkpoint[TIN_PATH_MAX], curve[TIN_PATH_MAX], page[TIN_PATH_MAX];
    double last_loss, last_score;
} training;

static tin_status check_settings(const tin_config_train *s, tin_error *err)
{
    if (s->steps < 1 || s->batch < 1 || s->chunk < 1 || s->evaluate_every < 1) {
        return tin_fail(err, TIN_ERR_CONFIG,
                        "train: steps %d, batch %d, chunk %d and evaluate_every %d must all be 1 or more", s->steps,
                        s->batch, s->chunk, s->evaluate_every);
    }
    if (tin_metric_from_name(s->metric) == TIN_METRIC_COUNT) {
        return tin_fail(err, TIN_ERR_CONFIG, "train.metric is '%s', which is no metric", s->metric);
    }
    if (tin_optimiser_from_name(s->optimiser) == TIN_OPTIMISER_COUNT ||
        tin_schedule_from_name(s->schedule) == TIN_SCHEDULE_COUNT) {
        return tin_fail(err, TIN_ERR_CONFIG, "train: there is no optimiser '%s' or no schedule '%s'",
                        s->optimiser ? s->optimiser : "", s->schedule ? s->schedule : "");
    }
    if (!(s->mixup >= 0 && s->mixup <= 1) || !(s->average_decay >= 0 && s->average_decay <= 1) ||
        !(s->carry_over >= 0 && s->carry_over <= 1) || !(s->focal_gamma >= 0)) {
        return tin_fail(err, TIN_ERR_CONFIG,
                        "train: mixup %g, average_decay %g and carry_over %g must be in 0..1, focal_gamma %g at least "
                        "0",
                        s->mixup, s->average_decay, s->carry_over, s->focal_gamma);
    }
    const tin_config_augment *a = &s->augment;
    if (!(s->learning_rate > 0) || !(a->speed.by >= 0 && a->speed.by < 1) || !(a->warp.by >= 0 && a->warp.by < 1) ||
        !(s->label_smoothing >= 0 && s->label_smoothing < 1)) {
        return tin_fail(
            err, TIN_ERR_CONFIG,
            "train: learning_rate %g must be above 0, by of speed %g and warp %g in 0..1, label_smoothing %g "
            "in 0..1",
            s->learning_rate, a->speed.by, a->warp.by, s->label_smoothing);
    }
    return TIN_OK;
}

static void describe_network(const tin_model *model, tin_text *text)
{
    for (int i = 0; i < model->n_layers; i++) {
        const tin_layer *l = &model->layers[i];
        tin_text_printf(text, "%s %d %d %d %d %d %d %a %d %d %d from", tin_op_name(l->op), l->n_inputs, l->n_outputs,
                        l->kernel, l->stride, l->dilation, l->groups, (double)l->rate, l->reset_before, l->shift,
                        l->levels);
        for (int k = 0; k < l->n_from; k++) {
            tin_text_printf(text, " %d", l->from[k]);
        }
        tin_text_add(text, "\n");
    }
    for (int c = 0; c < model->n_channels; c++) {
        tin_text_printf(text, "input %d %a\n", model->input.offset[c], (double)model->input.scale[c]);
    }
}

static tin_status check_memory(const training *t, tin_error *err)
{
    tin_train_memory m;
    const tin_config_train *s = t->settings;
    const double mb = 1024 * 1024;
    if (s->max_memory_mb <= 0) {
        return TIN_OK;
    }
    tin_status status = tin_train_memory_of(t->model, t->dataset, t->options, &m, err);
    if (status == TIN_OK && (double)m.total > s->max_memory_mb * mb) {
        status =
            tin_fail(err, TIN_ERR_CONFIG,
                     "training would take %.0f MB of memory, %.0f of them in the engine; train.max_memory_mb is %d; "
                     "make train.batch (%d) or train.chunk (%d) smaller, or raise it",
                     (double)m.total / mb, (double)m.engine / mb, s->max_memory_mb, s->batch, s->chunk);
    }
    return status;
}

/* The text that a run is known by: everything that the weights depend on, except the instruction set. */
static void describe_settings(const training *t, tin_text *text)
{
    const tin_config_train *s = t->settings;
    const tin_config_evaluate *events = &t->options->evaluate;
    tin_text_printf(text, "seed %llu data %s name %s\n", (unsigned long long)t->options->seed, t->dataset->hash,
                    t->options->name);
    tin_text_add(text, "roles ");
    for (size_t i = 0; i < t->dataset->n_streams; i++) {
        tin_text_printf(text, "%d", (int)t->dataset->streams[i].role);
    }
    tin_text_add(text, "\n");
    tin_text_printf(text, "steps %d batch %d chunk %d stateful %d over %a windows %d history %d\n", s->steps, s->batch,
                    s->chunk, s->stateful, s->carry_over, s->windows, s->history_frames);
    tin_text_printf(text, "rate %a decay %a warmup %d clip %a weights %a smoothing %a border %a\n", s->learning_rate,
                    s->weight_decay, s->warmup, s->clip, s->class_weight_power, s->label_smoothing, s->border_ms);
    tin_text_printf(text, "optimiser %d momentum %a nesterov %d schedule %d final %a step %d %a\n",
                    tin_optimiser_from_name(s->optimiser), s->momentum, s->nesterov,
                    tin_schedule_from_name(s->schedule), s->final_rate, s->decay_every, s->decay_factor);
    tin_text_printf(text, "beta %a focal %a balance %a margin %a %a average %a %a mixup %a\n", s->class_weight_beta,
                    s->focal_gamma, s->event_balance, s->margin_ms, s->margin_weight, s->average_decay, s->average_from,
                    s->mixup);
    tin_text_printf(text, "delay %d metric %s margin %a %a\n", t->model->delay, tin_metric_name(t->metric),
                    events->early_ms, events->late_ms);
    for (unsigned i = 0; i < events->margins_count; i++) {
        tin_text_printf(text, "margin of %s %a %a\n", events->margins[i].class, events->margins[i].early_ms,
                        events->margins[i].late_ms);
    }
    tin_text_printf(text, "borders %s", s->border ? s->border : "");
    for (unsigned i = 0; i < s->borders_count; i++) {
        tin_text_printf(text, " %s %s %a %a", s->borders[i].class, s->borders[i].border, s->borders[i].early_ms,
                        s->borders[i].late_ms);
    }
    tin_text_add(text, "\n");
    tin_text_printf(text, "evaluate %d patience %d keep_last %d\n", s->evaluate_every, s->patience, s->keep_last);
    tin_config_augment_text(&s->augment, text);
    describe_network(t->model, text);
    if (t->options->n_teachers > 0) {
        tin_text_printf(text, "teacher delay %d distill %a temperature %a\n", t->options->teachers[0]->delay,
                        t->options->distill, t->options->temperature);
        describe_network(t->options->teachers[0], text);
    }
    if (t->options->quant) {
        tin_text_printf(text, "quant %a %d %d learn %d", (double)t->options->quant->input_scale,
                        t->options->quant->input_bits, t->options->quant->power_of_two, t->options->learn_scales);
        for (int i = 0; i < t->model->n_layers; i++) {
            tin_text_printf(text, " %a %d %d", (double)t->options->quant->output_scale[i],
                            t->options->quant->output_bits[i], t->options->quant->weight_bits[i]);
        }
    }
}

static tin_status identify(training *t, tin_error *err)
{
    tin_text text = {0};
    tin_hash *hash = NULL;
    describe_settings(t, &text);
    tin_status status = tin_text_check(&text, err);
    if (status == TIN_OK) {
        status = tin_hash_begin(&hash, err);
    }
    if (status == TIN_OK) {
        tin_hash_add(hash, text.data, text.size);
        tin_hash_add(hash, t->model->params, t->model->n_params * sizeof *t->model->params);
        for (int i = 0; i < t->options->n_teachers; i++) {
            tin_hash_add(hash, t->options->teachers[i]->params, t->options->teachers[i]->n_params * sizeof(float));
        }
        if (t->options->constraint) {
            tin_hash_add(hash, t->options->constraint->label, t->options->constraint->n_params);
        }
        tin_hash_end(hash, t->owner.run);
    }
    tin_text_free(&text);
    t->owner.kernel = tin_isa_kernel(tin_isa_from_name(t->options->settings.kernels))->name;
    t->owner.n_streams = t->dataset->n_streams;
    return status;
}

static tin_status make_paths(training *t, tin_error *err)
{
    if (!t->options->folder) {
        return TIN_OK;
    }
    char name[256];
    snprintf(name, sizeof name, "%s_checkpoint.safetensors", t->options->name);
    tin_status status = tin_folder_make(t->options->folder, err);
    if (status == TIN_OK) {
        status = tin_path_join(t->checkpoint, t->options->folder, name, err);
    }
    snprintf(name, sizeof name, "%s_curve.csv", t->options->name);
    if (status == TIN_OK) {
        status = tin_path_join(t->curve, t->options->folder, name, err);
    }
    snprintf(name, sizeof name, "%s_curve.html", t->options->name);
    if (status == TIN_OK) {
        status = tin_path_join(t->page, t->options->folder, name, err);
    }
    return status;
}

static tin_status make_parts(training *t, tin_error *err)
{
    const tin_config_train *s = t->settings;
    tin_engine_settings engine = {.model = t->model,
                                  .quant = t->options->quant,
                                  .n_lanes = s->batch,
                                  .chunk = s->chunk,
                                  .isa = tin_isa_from_name(t->options->settings.kernels),
                                  .pool = t->options->pool};
    if (t->options->n_teachers > 0) {
        tin_teacher_settings teacher = {.teachers = t->options->teachers,
                                        .n_teachers = t->options->n_teachers,
                                        .student = t->model,
                                        .distill = t->options->distill,
                                        .temperature = t->options->temperature,
                                        .n_lanes = s->batch,
                                        .chunk = s->chunk,
                                        .windows = s->windows,
                                        .isa = engine.isa,
                                        .pool = t->options->pool};
        tin_status status = tin_teacher_create(&t->teacher, &teacher, err);
        if (status) {
            return status;
        }
    }
    int lead = t->teacher ? tin_teacher_lead(t->teacher) : 0;
    tin_sampler_settings sampler = {.model = t->model,
                                    .dataset = t->dataset,
                                    .train = s,
                                    .seed = t->options->seed,
                                    .n_lanes = s->batch,
                                    .lead = lead < 0 ? -lead : 0,
                                    .ahead = lead > 0 ? lead : 0,
                                    .pool = t->options->pool};
    tin_status status = tin_engine_create(&t->engine, &engine, err);
    if (status == TIN_OK) {
        status = tin_sampler_create(&t->sampler, &sampler, err);
    }
    if (status == TIN_OK) {
        status = tin_validation_create(&t->validation, t->model, t->dataset, s, &t->options->evaluate, err);
    }
    return status;
}

static tin_status allocate(training *t, tin_error *err)
{
    size_t n_params = t->model->n_params, n_lanes = (size_t)t->settings->batch;
    size_t targets = (size_t)tin_engine_decisions(t->engine) * (size_t)t->model->n_classes;
    tin_progress_state *s = &t->state;
    t->batch.x = tin_alloc(n_lanes * (size_t)t->settings->chunk * (size_t)t->model->n_channels, sizeof(float), err);
    if (t->teacher) {
        t->batch.ahead =
            tin_alloc(n_lanes * (size_t)t->settings->chunk * (size_t)t->model->n_channels, sizeof(float), err);
        s->teacher_bytes = tin_teacher_state_bytes(t->teacher);
        s->teacher = tin_alloc(s->teacher_bytes, 1, err);
        if (!t->batch.ahead || !s->teacher) {
            return TIN_ERR_MEMORY;
        }
    }
    t->batch.target = tin_alloc(n_lanes * targets, sizeof(float), err);
    t->batch.reset = tin_alloc(n_lanes, 1, err);
    t->gradient = tin_alloc(n_params, sizeof *t->gradient, err);
    s->params = tin_alloc(n_params, sizeof *s->params, err);
    s->best = tin_alloc(n_params, sizeof *s->best, err);
    if (t->settings->average_decay > 0) {
        s->average = tin_alloc(n_params, sizeof *s->average, err);
        if (!s->average) {
            return TIN_ERR_MEMORY;
        }
    }
    s->carried_bytes = tin_engine_state_bytes(t->engine, t->settings->batch);
    s->carried = tin_alloc(s->carried_bytes, 1, err);
    s->n_lanes = t->settings->batch;
    s->lanes = tin_alloc(n_lanes, sizeof *s->lanes, err);
    s->most_curve = t->settings->steps / t->settings->evaluate_every + 1;
    s->curve = tin_alloc((size_t)s->most_curve * TIN_CURVE_COLUMNS, sizeof *s->curve, err);
    if (!t->batch.x || !t->batch.target || !t->batch.reset || !t->gradient || !s->params || !s->best || !s->carried ||
        !s->lanes || !s->curve) {
        return TIN_ERR_MEMORY;
    }
    memcpy(s->params, t->model->params, n_params * sizeof *s->params);
    memcpy(s->best, t->model->params, n_params * sizeof *s->best);
    if (t->options->quant && t->options->learn_scales) {
        s->scales = tin_alloc(1, sizeof *s->scales, err);
        if (!s->scales) {
            return TIN_ERR_MEMORY;
        }
    }
    s->best_score = -INFINITY;
    return tin_optimiser_create(&s->optimiser, t->model, err);
}

static void free_training(training *t)
{
    tin_engine_free(t->engine);
    tin_sampler_free(t->sampler);
    tin_validation_free(t->validation);
    tin_teacher_free(t->teacher);
    tin_optimiser_free(&t->state.optimiser);
    tin_free(t->batch.x);
    tin_free(t->batch.ahead);
    tin_free(t->batch.target);
    tin_free(t->batch.reset);
    tin_free(t->gradient);
    tin_free(t->state.scales);
    tin_free(t->state.params);
    tin_free(t->state.best);
    tin_free(t->state.average);
    tin_free(t->state.carried);
    tin_free(t->state.teacher);
    tin_free(t->state.lanes);
    tin_free(t->state.curve);
}

static tin_status write_checkpoint(training *t, tin_error *err)
{
    if (!t->options->folder) {
        return TIN_OK;
    }
    const tin_sampler_lane *lanes = tin_sampler_lanes(t->sampler, &t->state.n_begun);
    memcpy(t->state.lanes, lanes, (size_t)t->state.n_lanes * sizeof *lanes);
    return tin_checkpoint_write(t->checkpoint, &t->owner, &t->state, err);
}

static tin_curve curve_of(const training *t)
{
    const tin_progress_state *s = &t->state;
    return (tin_curve){.name = t->options->name,
                       .rows = s->curve,
                       .n = s->n_curve,
                       .metric = t->metric,
                       .averaged = s->average != NULL,
                       .best_step = s->best_step,
                       .steps = t->settings->steps,
                       .finished = s->finished != 0};
}

static tin_status write_curve(training *t, tin_error *err)
{
    if (!t->options->folder) {
        return TIN_OK;
    }
    tin_curve curve = curve_of(t);
    tin_status status = tin_curve_write_table(&curve, t->curve, err);
    return status ? status : tin_curve_write_page(&curve, t->page, err);
}

/* The curve is written again with it: what lies there may be newer than the checkpoint, damaged or gone. */
static tin_status read_checkpoint(training *t, tin_error *err)
{
    bool found = false;
    if (!t->options->folder) {
        return TIN_OK;
    }
    tin_status status = tin_checkpoint_read(t->checkpoint, &t->owner, &t->state, &found, err);
    if (found) {
        tin_sampler_restore(t->sampler, t->state.lanes, t->state.n_begun);
        status = write_curve(t, err);
    }
    return status;
}

/* Names the streams of the batch, the first ones when there are many. */
static tin_status not_finite(const training *t, double loss, double norm, tin_error *err)
{
    int64_t n_begun;
    const tin_sampler_lane *lanes = tin_sampler_lanes(t->sampler, &n_begun);
    char names[400] = "";
    size_t used = 0;
    for (int l = 0; l < t->state.n_lanes && used + 64 < sizeof names; l++) {
        int n = snprintf(names + used, sizeof names - used, "%s%.60s", l ? ", " : "",
                         t->dataset->streams[lanes[l].stream].id);
        used += n > 0 ? (size_t)n : 0;
    }
    return tin_fail(
        err, TIN_ERR_NUMERIC,
        "train: step %lld: loss %g, gradient norm %g; lower train.learning_rate (%g) or look at these recordings: "
        "%s",
        (long long)t->state.step + 1, loss, norm, t->settings->learning_rate, names);
}

/* The mean of the weights so far while it holds few steps, then an exponential one: decay 1 is the plain mean (Izmailov
 * et al. 2018), less is Polyak's. Running statistics are averaged like weights: the mean of a channel is linear in the
 * weights before it, so that its average fits the average of the weights. */
static void average_weights(training *t)
{
    tin_progress_state *s = &t->state;
    if (!s->average || (double)s->step <= t->settings->average_from * t->settings->steps) {
        return;
    }
    double n = (double)++s->n_averaged;
    float keep = (float)fmin(t->settings->average_decay, (n - 1) / n);
    for (size_t i = 0; i < t->model->n_params; i++) {
        s->average[i] = keep * s->average[i] + (1 - keep) * s->params[i];
    }
}

static void use_scales(training *t, const double *shift)
{
    tin_quant_spec quant = tin_scales_apply(t->options->quant, shift);
    tin_engine_set_scales(t->engine, &quant);
}

static tin_status train_step(training *t, tin_error *err)
{
    tin_progress_state *s = &t->state;
    tin_status status = tin_sampler_next(t->sampler, &t->batch, err);
    if (status) {
        return status;
    }
    if (t->teacher) {
        tin_teacher_run(t->teacher, s->teacher, &t->batch);
    }
    tin_rng rng;
    tin_rng_derive(&rng, t->options->seed ^ SEED_DROPOUT, (uint64_t)s->step);
    double scale_gradient[TIN_MAX_LAYERS];
    tin_engine_batch batch = {t->batch.x,
                              t->batch.target,
                              t->batch.weight,
                              t->batch.reset,
                              tin_rng_next(&rng),
                              t->settings->focal_gamma,
                              s->scales ? scale_gradient : NULL};
    double loss = tin_engine_step(t->engine, s->params, s->carried, &batch, t->gradient);
    double norm = tin_optimiser_norm(&s->optimiser, t->gradient);
    if (!isfinite(loss) || !isfinite(norm)) {
        return not_finite(t, loss, norm, err);
    }
    tin_optimiser_update(&s->optimiser, t->settings, (int)s->step, norm, t->gradient, s->params);
    if (t->options->constraint) {
        tin_constraint_project(t->options->constraint, t->model, s->params, false);
    }
    if (s->scales) {
        double share = tin_optimiser_rate(t->settings, (int)s->step) / t->settings->learning_rate;
        tin_scales_update(s->scales, (int)s->step, share, scale_gradient);
        use_scales(t, s->scales->shift);
    }
    s->step++;
    average_weights(t);
    s->loss_sum += loss;
    s->n_losses++;
    t->last_loss = loss;
    return TIN_OK;
}

static void keep_better(training *t, const float *params, double goodness)
{
    tin_progress_state *s = &t->state;
    if (goodness > s->best_score || t->settings->keep_last) {
        s->best_score = goodness;
        s->best_step = s->step;
        memcpy(s->best, params, t->model->n_params * sizeof *s->best);
        if (s->scales) {
            memcpy(s->scales->best, s->scales->shift, sizeof s->scales->best);
        }
    }
}

static tin_status validate(training *t, tin_error *err)
{
    tin_progress_state *s = &t->state;
    tin_validation_score score;
    tin_status status = tin_validation_run(t->validation, t->engine, s->params, &score, err);
    if (status) {
        return status;
    }
    double row[TIN_CURVE_COLUMNS] = {(double)s->step, tin_optimiser_rate(t->settings, (int)s->step - 1),
                                     s->loss_sum / (double)s->n_losses, [TIN_CURVE_AVERAGE] = (double)NAN};
    memcpy(row + TIN_CURVE_METRICS, score.value, sizeof score.value);
    memcpy(s->curve + s->n_curve++ * TIN_CURVE_COLUMNS, row, sizeof row);
    s->loss_sum = 0;
    s->n_losses = 0;
    t->last_score = score.value[t->metric];
    keep_better(t, s->params, tin_validation_goodness(&score, t->metric));
    if (s->n_averaged > 0) {
        status = tin_validation_run(t->validation, t->engine, s->average, &score, err);
        if (status) {
            return status;
        }
        s->curve[(s->n_curve - 1) * TIN_CURVE_COLUMNS + TIN_CURVE_AVERAGE] = score.value[t->metric];
        keep_better(t, s->average, tin_validation_goodness(&score, t->metric));
    }
    bool patient =
        t->settings->keep_last || t->settings->patience <= 0 || s->step - s->best_step < t->settings->patience;
    s->finished = !patient || s->step >= t->settings->steps;
    return write_curve(t, err);
}

/* Fine-tuning competes with what it starts from: the quantised model without fine-tuning, step 0. */
static tin_status score_start(training *t, tin_error *err)
{
    tin_validation_score score;
    if (!t->options->quant || t->state.step > 0) {
        return TIN_OK;
    }
    tin_status status = tin_validation_run(t->validation, t->engine, t->state.params, &score, err);
    if (status == TIN_OK) {
        t->state.best_score = tin_validation_goodness(&score, t->metric);
    }
    return status;
}

/* On a terminal with the course of both. */
static void show_progress(const training *t, tin_progress *bar)
{
    char loss[TIN_SPARK_BYTES] = "", score[TIN_SPARK_BYTES] = "", note[3 * TIN_SPARK_BYTES];
    if (bar->terminal && !bar->quiet) {
        tin_curve curve = curve_of(t);
        tin_curve_spark(&curve, TIN_CURVE_LOSS, loss);
        tin_curve_spark(&curve, TIN_CURVE_METRICS + (int)t->metric, score);
    }
    if (t->validation) {
        snprintf(note, sizeof note, "loss %.3f %s%svalidation %.4f %s", t->last_loss, loss, loss[0] ? " " : "",
                 t->last_score, score);
    } else {
        snprintf(note, sizeof note, "loss %.3f %s", t->last_loss, loss);
    }
    tin_progress_update(bar, (long)t->state.step, note);
}

static tin_status loop(training *t, tin_error *err)
{
    tin_progress_state *s = &t->state;
    tin_progress bar;
    double started = tin_now(), before = s->seconds;
    if (s->scales) { /* a run that goes on */
        use_scales(t, s->scales->shift);
    }
    tin_status status = score_start(t, err);
    tin_progress_begin(&bar, t->options->name, t->settings->steps, t->options->quiet);
    while (!s->finished && status == TIN_OK) {
        status = train_step(t, err);
        bool last = s->step >= t->settings->steps;
        if (status == TIN_OK && (s->step % t->settings->evaluate_every == 0 || last)) {
            status = validate(t, err);
        }
        s->seconds = before + tin_now() - started;
        bool stop = tin_stop_requested();
        bool due = t->settings->checkpoint_every > 0 && s->step % t->settings->checkpoint_every == 0;
        if (status == TIN_OK && (due || stop || s->finished)) {
            status = write_checkpoint(t, err);
        }
        if (status == TIN_OK && stop && !s->finished) {
            status = tin_fail(err, TIN_ERR_INTERRUPTED, "stopped at step %lld of %d; run again to go on",
                              (long long)s->step, t->settings->steps);
        }
        show_progress(t, &bar);
    }
    char note[120];
    if (t->validation) {
        snprintf(note, sizeof note, "%lld steps, best validation %s %.4f at step %lld", (long long)s->step,
                 tin_metric_name(t->metric), s->best_score, (long long)s->best_step);
    } else {
        snprintf(note, sizeof note, "%lld steps, nobody validates", (long long)s->step);
    }
    tin_progress_end(&bar, note);
    return status;
}

/* Whether the model belongs to the dataset, and decides at least once in the longest recording. */
static tin_status check_data(const tin_model *model, const tin_dataset *dataset, tin_error *err)
{
    int64_t longest = 0;
    for (size_t i = 0; i < dataset->n_streams; i++) {
        const tin_stream *s = &dataset->streams[i];
        longest = s->role == TIN_ROLE_TRAIN && s->n_frames > longest ? s->n_frames : longest;
    }
    if (dataset->n_channels != model->n_channels) {
        return tin_fail(err, TIN_ERR_MODEL,
                        "the dataset has %d channels, the model %d; make the model for this dataset",
                        dataset->n_channels, model->n_channels);
    }
    if (dataset->n_classes != model->n_classes) {
        return tin_fail(err, TIN_ERR_MODEL, "the dataset has %d classes, the model %d; make the model for this dataset",
                        dataset->n_classes, model->n_classes);
    }
    if (longest > 0 && longest < model->hop) {
        return tin_fail(err, TIN_ERR_MODEL,
                        "the model decides every %d frames, but the longest recording of the training people has %lld; "
                        "give layers smaller strides, or the dataset longer recordings",
                        model->hop, (long long)longest);
    }
    return TIN_OK;
}

tin_status tin_train(tin_model *model, const tin_dataset *dataset, const tin_train_options *options,
                     tin_train_result *result, tin_error *err)
{
    training t = {.model = model,
                  .dataset = dataset,
                  .options = options,
                  .settings = &options->settings,
                  .metric = tin_metric_from_name(options->settings.metric)};
    tin_status status = check_settings(t.settings, err);
    if (status == TIN_OK) {
        status = check_data(model, dataset, err);
    }
    if (status == TIN_OK) {
        status = check_memory(&t, err);
    }
    if (status == TIN_OK) {
        status = make_paths(&t, err);
    }
    if (status == TIN_OK) {
        status = make_parts(&t, err);
    }
    if (status == TIN_OK) {
        status = identify(&t, err);
    }
    if (status == TIN_OK) {
        status = allocate(&t, err);
    }
    if (status == TIN_OK) {
        status = read_checkpoint(&t, err);
    }
    if (status == TIN_OK) {
        status = loop(&t, err);
    }
    if (status == TIN_OK) {
        memcpy(model->params, t.state.best, model->n_params * sizeof *model->params);
        if (options->constraint) {
            tin_constraint_project(options->constraint, model, model->params, true);
        }
        double frames = (double)t.state.step * t.settings->batch * t.settings->chunk;
        *result = (tin_train_result){.steps = (int)t.state.step,
                                     .best_step = (int)t.state.best_step,
                                     .best_score = t.state.best_score,
                                     .seconds = t.state.seconds,
                                     .frames_per_second = t.state.seconds > 0 ? frames / t.state.seconds : 0};
    }
    if (status == TIN_OK && options->quant) {
        result->quant = *options->quant;
        if (t.state.scales) {
            use_scales(&t, t.state.scales->best);
            tin_engine_get_scales(t.engine, &result->quant);
        }
    }
    free_training(&t);
    return status;
}
