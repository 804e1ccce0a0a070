/* The decision layer: from scores to triggers, in integers, the same on host and device. THIS DEFINES THE RESULT.
 *
 * Per decision, with z the int16 scores and E the event classes:
 *
 *     r    = max of z over the classes that are no events (0 when every class is an event)
 *     m_k  = z_k - r                                                    margin of event class k
 *     a_k += m_k - (a_k >> smooth_shift); s_k = a_k >> smooth_shift     moving average by shifts; s_k = m_k at shift 0
 *     best = class of E with the greatest s_k, the lowest index on a tie
 *     1. held = wait > 0; if held: wait -= 1
 *     2. active != none and s_active < off: active = none
 *     3. s_best >= on: run = (best == candidate ? min(run + 1, count) : 1), candidate = best
 *        else: run = 0, candidate = none
 *     4. run >= count and best != active and not held: active = best, trigger = best, wait = refractory
 *
 * `active` (per decision) gives the segments of IoU metrics; `trigger` is what the device reports. The state starts at
 * zero and none. */
#ifndef TIN_DECISION_H
#define TIN_DECISION_H

#include "model/model.h"

typedef struct tin_decision_rule {
    int smooth_shift; /* 0..8; 0: no smoothing */
    int32_t on;       /* score units (logit * 256) */
    int32_t off;      /* <= on; hysteresis is on - off */
    int count;        /* >= 1 consecutive decisions at or above `on` */
    int refractory;   /* decisions without a new trigger after one; 0: none */
} tin_decision_rule;

#define TIN_DECISION_NONE (-1)

typedef struct tin_decision_state {
    int32_t sum[TIN_MAX_CLASSES]; /* a_k */
    int active, candidate, run, wait;
} tin_decision_state;

void tin_decision_reset(tin_decision_state *state);
/* scores [n_classes]. Returns the trigger, a class index or TIN_DECISION_NONE; state->active is the class now active or
 * TIN_DECISION_NONE. */
int tin_decision_step(tin_decision_state *state, const tin_decision_rule *rule, const tin_class *classes, int n_classes,
                      const int16_t *scores);
tin_status tin_decision_check(const tin_decision_rule *rule, tin_error *err) TIN_USE_RESULT;

#endif
