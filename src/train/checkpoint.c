#include "train/checkpoint.h"

#include <string.h>

#include "base/file.h"
#include "model/safetensors.h"

#define FORMAT "tinamou-checkpoint-3"

/* The state as tensors; the same list writes and reads. Doubles and lanes go as the 64-bit integers that hold their
 * bits. */
enum { TENSORS = 11, COUNTERS = 10, LANE_WORDS = 5, SCALE_ROWS = 4 };

_Static_assert(sizeof(tin_scales) == SCALE_ROWS * TIN_MAX_LAYERS * sizeof(int64_t), "four rows of doubles");
_Static_assert(sizeof(tin_sampler_lane) == LANE_WORDS * sizeof(int64_t), "a lane is five words");

static void list_tensors(const tin_progress_state *s, const int64_t *counters, tin_tensor t[TENSORS])
{
    int64_t n = (int64_t)s->optimiser.n;
    t[0] = (tin_tensor){"params", TIN_F32, 1, {n}, s->params, NULL};
    t[1] = (tin_tensor){"best", TIN_F32, 1, {n}, s->best, NULL};
    t[2] = (tin_tensor){"optimiser.mean", TIN_F32, 1, {n}, s->optimiser.mean, NULL};
    t[3] = (tin_tensor){"optimiser.square", TIN_F32, 1, {n}, s->optimiser.square, NULL};
    t[4] = (tin_tensor){"carried", TIN_U8, 1, {(int64_t)s->carried_bytes}, s->carried, NULL};
    t[5] = (tin_tensor){"lanes", TIN_I64, 2, {s->n_lanes, LANE_WORDS}, s->lanes, NULL};
    t[6] = (tin_tensor){"curve", TIN_I64, 2, {s->n_curve, TIN_CURVE_COLUMNS}, s->curve, NULL};
    t[7] = (tin_tensor){"teacher", TIN_U8, 1, {(int64_t)s->teacher_bytes}, s->teacher, NULL};
    t[8] = (tin_tensor){"average", TIN_F32, 1, {s->average ? n : 0}, s->average, NULL};
    t[9] = (tin_tensor){"scales", TIN_I64, 2, {s->scales ? SCALE_ROWS : 0, TIN_MAX_LAYERS}, s->scales, NULL};
    t[10] = (tin_tensor){"counters", TIN_I64, 1, {COUNTERS}, counters, NULL};
}

static void save_counters(const tin_progress_state *s, int64_t c[COUNTERS])
{
    int64_t integers[] = {s->step, s->best_step, s->finished, s->n_losses, s->n_begun, s->n_curve};
    memcpy(c, integers, sizeof integers);
    memcpy(&c[6], &s->loss_sum, sizeof s->loss_sum);
    memcpy(&c[7], &s->best_score, sizeof s->best_score);
    memcpy(&c[8], &s->seconds, sizeof s->seconds);
    c[9] = s->n_averaged;
}

static void load_counters(tin_progress_state *s, const int64_t c[COUNTERS])
{
    s->step = c[0];
    s->best_step = c[1];
    s->finished = c[2];
    s->n_losses = c[3];
    s->n_begun = c[4];
    s->n_curve = c[5];
    memcpy(&s->loss_sum, &c[6], sizeof s->loss_sum);
    memcpy(&s->best_score, &c[7], sizeof s->best_score);
    memcpy(&s->seconds, &c[8], sizeof s->seconds);
    s->n_averaged = c[9];
}

/* SHA-256 of every byte of the state and of whose it is: a flipped bit would otherwise train on, to another model. */
static tin_status digest(const tin_checkpoint_owner *owner, const tin_tensor tensors[TENSORS], char hex[TIN_HASH_HEX],
                         tin_error *err)
{
    tin_hash *hash = NULL;
    tin_status status = tin_hash_begin(&hash, err);
    if (status) {
        return status;
    }
    tin_hash_add(hash, owner->run, strlen(owner->run));
    tin_hash_add(hash, owner->kernel, strlen(owner->kernel));
    for (int i = 0; i < TENSORS; i++) {
        tin_hash_add(hash, tensors[i].data, tin_tensor_bytes(&tensors[i]));
    }
    tin_hash_end(hash, hex);
    return TIN_OK;
}

tin_status tin_checkpoint_write(const char *path, const tin_checkpoint_owner *owner, const tin_progress_state *state,
                                tin_error *err)
{
    int64_t counters[COUNTERS];
    tin_tensor tensors[TENSORS];
    save_counters(state, counters);
    list_tensors(state, counters, tensors);
    char hex[TIN_HASH_HEX];
    tin_status status = digest(owner, tensors, hex, err);
    if (status) {
        return status;
    }
    tin_metadata metadata[] = {{"format", FORMAT}, {"run", owner->run}, {"kernel", owner->kernel}, {"sha256", hex}};
    return tin_safetensors_write(path, tensors, TENSORS, metadata, 4, NULL, err);
}

static tin_status damaged(const char *path, const char *what, tin_error *err)
{
    return tin_fail_at(err, TIN_ERR_FORMAT, path, 0,
                       "the checkpoint is damaged (%s); delete it to train from the start", what);
}

/* Counters first, because they say how long the curve is; then every tensor into its place. */
static tin_status load(const tin_safetensors *file, const tin_checkpoint_owner *owner, tin_progress_state *state,
                       tin_error *err)
{
    const void *data = NULL;
    int64_t n_counters = COUNTERS;
    tin_status status = tin_safetensors_get(file, "counters", TIN_I64, 1, &n_counters, &data, err);
    if (status) {
        return status;
    }
    tin_progress_state read = *state;
    load_counters(&read, data);
    if (read.n_curve < 0 || read.n_curve > read.most_curve || read.step < 0 || read.n_begun < 0) {
        return tin_fail(err, TIN_ERR_FORMAT, "counters");
    }
    tin_tensor tensors[TENSORS];
    list_tensors(&read, data, tensors);
    for (int i = 0; i < TENSORS - 1; i++) {
        tin_tensor *t = &tensors[i];
        status = tin_safetensors_get(file, t->name, t->dtype, t->n_dims, t->shape, &data, err);
        if (status) {
            return status;
        }
        if (t->data) { /* there is no teacher's state without a teacher */
            memcpy((void *)(uintptr_t)t->data, data, tin_tensor_bytes(t));
        }
    }
    char hex[TIN_HASH_HEX];
    const char *expected = tin_safetensors_metadata(file, "sha256");
    status = digest(owner, tensors, hex, err);
    if (status) {
        return status;
    }
    if (!expected || strcmp(expected, hex) != 0) {
        return tin_fail(err, TIN_ERR_FORMAT, "its SHA-256 differs");
    }
    for (int l = 0; l < read.n_lanes; l++) {
        const tin_sampler_lane *lane = &read.lanes[l];
        if (lane->stream < 0 || (size_t)lane->stream >= owner->n_streams || !(lane->start >= 0) || lane->chunk < 0) {
            return tin_fail(err, TIN_ERR_FORMAT, "lanes");
        }
    }
    *state = read;
    return TIN_OK;
}

/* What is wrong with the file is the detail; what to do about it is always the same. */
static tin_status tell(const char *path, tin_status status, const tin_error *why, tin_error *err)
{
    if (status == TIN_ERR_FORMAT) {
        return damaged(path, why->message, err);
    }
    return status ? tin_fail_at(err, status, path, 0, "%s", why->message) : TIN_OK;
}

tin_status tin_checkpoint_read(const char *path, const tin_checkpoint_owner *owner, tin_progress_state *state,
                               bool *found, tin_error *err)
{
    *found = false;
    if (!tin_file_exists(path)) {
        return TIN_OK;
    }
    tin_safetensors *file = NULL;
    tin_error why = {0};
    tin_status status = tin_safetensors_read(&file, path, &why);
    if (status) {
        return tell(path, status, &why, err);
    }
    const char *format = tin_safetensors_metadata(file, "format"), *run = tin_safetensors_metadata(file, "run");
    const char *kernel = tin_safetensors_metadata(file, "kernel");
    if (!format || !run || !kernel || strcmp(format, FORMAT) != 0) {
        status = damaged(path, "metadata", err);
    } else if (strcmp(run, owner->run) == 0 && strcmp(kernel, owner->kernel) != 0) {
        status = tin_fail_at(
            err, TIN_ERR_MISMATCH, path, 0,
            "the checkpoint was written with %s instructions, this machine uses %s, and the rest of the run "
            "would not be the same; set train.kernels: %s, finish it where it began, or delete the checkpoint",
            kernel, owner->kernel, kernel);
    } else if (strcmp(run, owner->run) == 0) {
        status = tell(path, load(file, owner, state, &why), &why, err);
        *found = status == TIN_OK;
    }
    tin_safetensors_free(file);
    return status;
}
