/* The decision layer: from scores to triggers, in integers, the same on host and device. THIS DEFINES THE RESULT.
 *
 * Per decision, with z the int16 scores and E the event classes:
 *
 *     r    = max of z over the classes that are no events (0 when every class is an event)
 *     m_k  = z_k - r                                                    margin of event class k
 *     a_k += m_k - (a_k >> smooth_shift); s_k = a_k >> smooth_shift     moving average by shifts; s_k = m_k at shift 0
 *     x_k  = s_k - on_k                                                 excess over the threshold of its class
 *     best = class of E with the greatest x_k, the lowest index on a tie
 *     candidate = best when x_best >= 0, else none
 *     1. held = wait > 0; kept = wait > W - (min_length - 1); if held: wait -= 1
 *        with W = max(refractory, min_length - 1)
 *     2. active != none and not kept and s_active < on_active - hysteresis: active = none
 *     3. of the last `of` decisions, this one among them, at least `needed` had this candidate, which is not none and not
 *        active, and not held, and (active is none or x_candidate - x_active >= lead):
 *        active = candidate, trigger = candidate, wait = W
 *
 * `active` (per decision) gives the segments of IoU metrics; `trigger` is what the device reports. The state starts at
 * zero and none. docs/metrics.md, "The decision rule", says what each element is for and what it brings. */
#ifndef TIN_DECISION_H
#define TIN_DECISION_H

#include "model/model.h"

#define TIN_RULE_OF_MAX 16           /* decisions that a rule looks back */
#define TIN_RULE_SCORE_MAX 131072    /* of thresholds, hysteresis and lead: no margin is beyond it */
#define TIN_RULE_WAIT_MAX 1000000000 /* of min_length and refractory */

/* Fields besides `on`: name (in files too), least and greatest value. */
#define TIN_RULE_FIELD_LIST(X)                                                                                         \
    X(smooth_shift, 0, 8)                /* 0: no smoothing */                                                         \
    X(hysteresis, 0, TIN_RULE_SCORE_MAX) /* score units; an event ends below on - hysteresis */                        \
    X(lead, 0, TIN_RULE_SCORE_MAX)       /* score units by which another event must be ahead of the active one */      \
    X(needed, 1, TIN_RULE_OF_MAX)        /* decisions out of the last `of`, at most those */                           \
    X(of, 1, TIN_RULE_OF_MAX)            /* 1: the first decision counts */                                            \
    X(min_length, 0, TIN_RULE_WAIT_MAX)  /* decisions that an event lasts at least, no other beginning; 0, 1: none */  \
    X(refractory, 0, TIN_RULE_WAIT_MAX)  /* decisions without a new trigger after one; 0: none */

typedef struct tin_decision_rule {
    int32_t on[TIN_MAX_CLASSES]; /* score units (logit * 256), +-TIN_RULE_SCORE_MAX, of each class; 0: it is no event */
#define X(field, least, most) int32_t field;
    TIN_RULE_FIELD_LIST(X)
#undef X
} tin_decision_rule;

/* The rule with one threshold for all classes and all else neutral: the first decision at or above `on` counts, the event
 * ends with the first one below it. */
tin_decision_rule tin_decision_plain(int32_t on);

#define TIN_DECISION_NONE (-1)

typedef struct tin_decision_state {
    int32_t sum[TIN_MAX_CLASSES]; /* a_k */
    int active, wait;
    int candidates[TIN_RULE_OF_MAX]; /* of the last decisions, the newest first */
} tin_decision_state;

void tin_decision_reset(tin_decision_state *state);
/* scores [n_classes]. Returns the trigger, a class index or TIN_DECISION_NONE; state->active is the class now active or
 * TIN_DECISION_NONE. */
int tin_decision_step(tin_decision_state *state, const tin_decision_rule *rule, const tin_class *classes, int n_classes,
                      const int16_t *scores);
/* The same for equal rules, whatever `on` is of classes that are no events; other rules have another one, but for accidents. */
uint32_t tin_decision_hash(const tin_decision_rule *rule, const tin_class *classes, int n_classes);
/* TIN_ERR_MODEL names the field that is out of range. */
tin_status tin_decision_check(const tin_decision_rule *rule, tin_error *err) TIN_USE_RESULT;

#endif
