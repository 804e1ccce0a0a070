#include "model/decision.h"

#include <string.h>

void tin_decision_reset(tin_decision_state *state)
{
    memset(state, 0, sizeof *state);
    state->active = TIN_DECISION_NONE;
    state->candidate = TIN_DECISION_NONE;
}

/* max of z over the classes that are no events, 0 when there is none */
static int32_t background_score(const tin_class *classes, int n_classes, const int16_t *scores)
{
    bool found = false;
    int32_t r = 0;
    for (int k = 0; k < n_classes; k++) {
        if (!classes[k].event && (!found || scores[k] > r)) {
            r = scores[k];
            found = true;
        }
    }
    return r;
}

int tin_decision_step(tin_decision_state *state, const tin_decision_rule *rule, const tin_class *classes, int n_classes,
                      const int16_t *scores)
{
    int32_t r = background_score(classes, n_classes, scores);
    int best = TIN_DECISION_NONE;
    int32_t s_best = 0;
    for (int k = 0; k < n_classes; k++) {
        if (!classes[k].event)
            continue;
        /* |m| < 2^16 and shift <= 8, so |a| stays below 2^25 */
        int32_t *a = &state->sum[k];
        *a += scores[k] - r - (*a >> rule->smooth_shift);
        int32_t s = *a >> rule->smooth_shift;
        if (best == TIN_DECISION_NONE || s > s_best) {
            best = k;
            s_best = s;
        }
    }
    bool held = state->wait > 0;
    if (held)
        state->wait--;
    if (state->active != TIN_DECISION_NONE && (state->sum[state->active] >> rule->smooth_shift) < rule->off)
        state->active = TIN_DECISION_NONE;
    if (best != TIN_DECISION_NONE && s_best >= rule->on) {
        if (best != state->candidate)
            state->run = 1;
        else if (state->run < rule->count)
            state->run++;
        state->candidate = best;
    } else {
        state->run = 0;
        state->candidate = TIN_DECISION_NONE;
    }
    if (state->run >= rule->count && best != state->active && !held) {
        state->active = best;
        state->wait = rule->refractory;
        return best;
    }
    return TIN_DECISION_NONE;
}

tin_status tin_decision_check(const tin_decision_rule *rule, tin_error *err)
{
    if (rule->smooth_shift < 0 || rule->smooth_shift > 8)
        return tin_fail(err, TIN_ERR_MODEL, "decision rule: smooth_shift is %d; use 0 to 8", rule->smooth_shift);
    if (rule->off > rule->on)
        return tin_fail(err, TIN_ERR_MODEL, "decision rule: off (%d) is above on (%d); make off the smaller one",
                        (int)rule->off, (int)rule->on);
    if (rule->count < 1)
        return tin_fail(err, TIN_ERR_MODEL, "decision rule: count is %d; use 1 or more decisions", rule->count);
    if (rule->refractory < 0)
        return tin_fail(err, TIN_ERR_MODEL, "decision rule: refractory is %d; use 0 (none) or more decisions",
                        rule->refractory);
    return TIN_OK;
}
