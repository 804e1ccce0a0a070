/* How much memory a training takes at most, known before it starts. What is in proportion to batch, chunk, weights or
 * frames is counted as it is allocated; the small rest has a fixed allowance. */
#include "train/engine.h"
#include "train/labels.h"
#include "train/sampler.h"
#include "train/train.h"
#include "train/validate.h"

#define SMALL (1 << 20)      /* error texts, paths, plans, the digest, the names in a checkpoint */
#define PER_STREAM 1024      /* records of a stream and the padding of its arrays */
#define PER_WINDOW 256       /* places of a window or stretch of one label, in arrays that double */
#define PER_CURVE_ROW 1024   /* numbers of the curve and their text, in a text that doubles */
#define CHECKPOINT_COPIES 2  /* of a run that goes on: the file, and its tensors aligned */
#define CHECKPOINT_WEIGHTS 5 /* now, best, average, two moments */

typedef struct engine_need {
    size_t bytes, state, teacher_state; /* states: of n_lanes lanes */
    size_t validation;                  /* state of the validation's lanes */
} engine_need;

static size_t groups(int n_lanes)
{
    return ((size_t)n_lanes + TIN_LANES - 1) / TIN_LANES;
}

/* One recording per lane, or many windows of one. */
static int validation_lanes(const tin_dataset *dataset, bool windows)
{
    int n = 0;
    for (size_t i = 0; i < dataset->n_streams && n < TIN_VALIDATION_LANES; i++) {
        n += dataset->streams[i].role == TIN_ROLE_VALIDATION;
    }
    return windows ? TIN_VALIDATION_LANES : n;
}

static tin_status need_of(const tin_model *model, int validation, const tin_train_options *options, engine_need *need,
                          tin_error *err)
{
    size_t bytes = 0, state = 0;
    tin_engine_settings settings = {.model = model,
                                    .quant = options->quant,
                                    .n_lanes = options->settings.batch,
                                    .chunk = options->settings.chunk,
                                    .isa = tin_isa_from_name(options->settings.kernels),
                                    .pool = options->pool};
    tin_status status = tin_engine_memory(&settings, &need->bytes, &state, err);
    need->state = groups(settings.n_lanes) * state;
    need->validation = groups(validation) * state;
    if (status == TIN_OK && options->n_teachers > 0) {
        settings.model = options->teachers[0];
        settings.quant = NULL;
        status = tin_engine_memory(&settings, &bytes, &state, err);
        need->teacher_state = (size_t)options->n_teachers * groups(settings.n_lanes) * state;
        need->bytes += bytes;
    }
    return status;
}

/* Signals, with what lies between a teacher's frames and the model's (a chunk at most), targets, and teacher's scores. */
static size_t batch_bytes(const tin_model *model, int validation, const tin_train_options *options)
{
    size_t chunk = (size_t)options->settings.chunk, batch = (size_t)options->settings.batch;
    size_t signal = chunk * (size_t)model->n_channels, classes = (size_t)model->n_classes;
    size_t decisions = chunk / (size_t)model->hop;
    size_t floats = (batch + (size_t)validation) * (signal + decisions * classes);
    if (options->n_teachers > 0) {
        floats += batch * (3 * signal + (decisions + chunk / (size_t)options->teachers[0]->hop) * classes);
    }
    return floats * sizeof(float) + batch * (3 * sizeof(tin_sampler_lane) + sizeof(double) + 1);
}

static size_t data_bytes(const tin_model *model, const tin_dataset *dataset, const tin_config_train *s)
{
    size_t train = (size_t)tin_dataset_frames(dataset, TIN_ROLE_TRAIN);
    size_t validation = (size_t)tin_dataset_frames(dataset, TIN_ROLE_VALIDATION);
    size_t bytes = dataset->n_streams * PER_STREAM, longest = 0;
    for (size_t i = 0; i < dataset->n_streams; i++) {
        bytes += (2 * dataset->streams[i].n_intervals + 1) * sizeof(tin_label_run);
        longest = (size_t)dataset->streams[i].n_frames > longest ? (size_t)dataset->streams[i].n_frames : longest;
    }
    if (s->windows) {
        int step = (s->chunk - s->history_frames) / 2;
        return bytes + (train + validation) / (size_t)(step > 0 ? step : 1) * PER_WINDOW;
    }
    size_t found = sizeof(tin_interval) + sizeof(tin_overlap_pair) + 1;
    bytes += longest * sizeof(int16_t) + validation / (size_t)model->hop * sizeof(int16_t);
    bytes +=
        validation / (size_t)model->hop * ((size_t)model->n_classes * sizeof(int16_t) + sizeof(tin_trigger) + found);
    for (size_t i = 0; i < dataset->n_streams; i++) {
        bytes += dataset->streams[i].n_intervals * (found + sizeof(tin_event_outcome));
    }
    return bytes;
}

tin_status tin_train_memory_of(const tin_model *model, const tin_dataset *dataset, const tin_train_options *options,
                               tin_train_memory *memory, tin_error *err)
{
    const tin_config_train *s = &options->settings;
    int validation = validation_lanes(dataset, s->windows);
    engine_need need = {0};
    *memory = (tin_train_memory){0};
    tin_status status = need_of(model, validation, options, &need, err);
    if (status) {
        return status;
    }
    size_t copies = 1 + (options->folder ? CHECKPOINT_COPIES : 0);
    memory->engine = need.bytes + need.validation + copies * (need.state + need.teacher_state);
    memory->batch = batch_bytes(model, validation, options);
    /* Once more: clipped gradient, decay; gradient in double; which are trained. */
    memory->weights = model->n_params * ((copies * CHECKPOINT_WEIGHTS + 2) * sizeof(float) + sizeof(double) + 1);
    memory->data = data_bytes(model, dataset, s) +
                   tin_sampler_augmentation_bytes(model, dataset, s, tin_pool_threads(options->pool));
    size_t rows = (size_t)(s->steps / s->evaluate_every + 1);
    memory->total = memory->engine + memory->batch + memory->weights + memory->data + rows * PER_CURVE_ROW + SMALL;
    return TIN_OK;
}
