/* Private to src/train. Augmentation of one sequence, second part: what is no matrix on a frame. In the order in which
 * they act, all on the normalised signal: room, background, bias and drift, limited range, coarse resolution, dropped
 * samples, a mute channel. */
#ifndef TIN_EFFECTS_H
#define TIN_EFFECTS_H

#include "train/augment.h"
#include "train/stretches.h"

#define TIN_ECHOES 256

/* What the sequences of a dataset share: where background comes from, and how loud it and the recordings are. */
typedef struct tin_effects tin_effects;

/* recordings: as in tin_splicer_create. */
tin_status tin_effects_create(tin_effects **effects, const tin_augment_source *source, const tin_dataset *dataset,
                              const tin_stretch_query *recordings, tin_error *err) TIN_USE_RESULT;
void tin_effects_free(tin_effects *effects);
/* A bound of what it takes. */
size_t tin_effects_bytes(const tin_config_augment *settings, const tin_dataset *dataset);

/* What one sequence has. */
typedef struct tin_effect {
    int n_echoes; /* 0: no room */
    int delay[TIN_ECHOES];
    float echo[TIN_ECHOES];
    const int16_t *background; /* NULL: none; else [n_background][n_channels] */
    int64_t n_background, background_at;
    float background_gain[TIN_MAX_CHANNELS], background_mean[TIN_MAX_CHANNELS]; /* mean: counts */
    bool biased, drifts;
    float bias[TIN_MAX_CHANNELS], drift[TIN_MAX_CHANNELS]; /* drift: deviation after one step of it */
    uint64_t drift_seed;
    int64_t drift_frames, drift_steps; /* of a step, a second; more of them than the sequence has, a power of two */
    bool limited;
    float least[TIN_MAX_CHANNELS], most[TIN_MAX_CHANNELS];
    int shift;             /* bits that are lost; 0: none */
    int64_t drop_every;    /* frames of the sequence that have one stretch of lost samples; 0: none */
    double drop_frames[2]; /* how long: least, greatest */
    uint64_t drop_seed;
    int mute; /* channel, -1: none */
    bool any; /* beside the room */
} tin_effect;

void tin_effect_draw(tin_effect *effect, const tin_effects *effects, int64_t sequence, size_t stream);

/* Frames before the first one that the room listens to, at most. */
int tin_effects_reach(const tin_config_augment *settings, double rate_hz);

/* x [n_frames][n_channels] += echoes of dry [reach + n_frames][n_channels], whose frame `reach` is the first one of x. */
void tin_effect_room(const tin_effect *effect, const tin_effects *effects, const float *dry, int reach, int n_frames,
                     float *x);

/* All others, in place. first: frame of the sequence that x begins with; the first n_frames of a chunk, any number of
 * them. */
void tin_effect_apply(const tin_effect *effect, const tin_effects *effects, int64_t first, int n_frames, float *x);

#endif
