/* Knowledge distillation (Hinton et al. 2015) with targets: the opinion of a larger or later model about each decision is
 * mixed into the target of the loss. Of several teachers it is the mean of what they say. */
#ifndef TIN_TEACHER_H
#define TIN_TEACHER_H

#include "train/engine.h"
#include "train/sampler.h"

typedef struct tin_teacher tin_teacher;

typedef struct tin_teacher_settings {
    const tin_model *const *teachers; /* [n_teachers] of the same layers; the mean of their opinions counts */
    int n_teachers;
    const tin_model *student; /* all must outlive it */
    double distill, temperature;
    int n_lanes, chunk;
    bool windows; /* only the last decision of a chunk has a target, and it speaks of the window whatever the delay */
    tin_isa isa;
    tin_pool *pool;
} tin_teacher_settings;

/* TIN_ERR_MODEL or TIN_ERR_CONFIG when the two do not fit together. */
tin_status tin_teacher_create(tin_teacher **teacher, const tin_teacher_settings *settings,
                              tin_error *err) TIN_USE_RESULT;
void tin_teacher_free(tin_teacher *teacher);

/* Frames by which the teacher's decision about a frame comes after the student's; negative: before. */
int tin_teacher_lead(const tin_teacher *teacher);

size_t tin_teacher_state_bytes(const tin_teacher *teacher);

/* Runs the teachers over batch->ahead, which is rescaled to their input, and changes batch->target: a decision of targets
 * t_c, class weights included, gets (1 - distill) * t_c + distill * p_c * sum t_c with p = mean of
 * softmax(z / temperature). What it weighs is up to its label, as in the training of a teacher, whose p has these weights
 * inside: a weight on each p_c would favour rare classes twice. */
void tin_teacher_run(tin_teacher *teacher, void *state, tin_sampler_batch *batch);

#endif
