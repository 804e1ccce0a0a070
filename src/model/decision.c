#include "model/decision.h"

#include <stdio.h>
#include <string.h>

tin_decision_rule tin_decision_plain(int32_t on)
{
    tin_decision_rule rule = {.needed = 1, .of = 1};
    for (int k = 0; k < TIN_MAX_CLASSES; k++)
        rule.on[k] = on;
    return rule;
}

void tin_decision_reset(tin_decision_state *state)
{
    memset(state, 0, sizeof *state);
    state->active = TIN_DECISION_NONE;
    for (int i = 0; i < TIN_RULE_OF_MAX; i++)
        state->candidates[i] = TIN_DECISION_NONE;
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

static int32_t excess(const tin_decision_state *state, const tin_decision_rule *rule, int k)
{
    return (state->sum[k] >> rule->smooth_shift) - rule->on[k];
}

/* Takes the scores into the averages and returns the candidate. */
static int find_candidate(tin_decision_state *state, const tin_decision_rule *rule, const tin_class *classes,
                          int n_classes, const int16_t *scores)
{
    int32_t r = background_score(classes, n_classes, scores);
    int best = TIN_DECISION_NONE;
    for (int k = 0; k < n_classes; k++) {
        if (!classes[k].event)
            continue;
        /* |m| < 2^16 and shift <= 8, so |a| stays below 2^25 */
        state->sum[k] += scores[k] - r - (state->sum[k] >> rule->smooth_shift);
        if (excess(state, rule, k) >= 0 &&
            (best == TIN_DECISION_NONE || excess(state, rule, k) > excess(state, rule, best)))
            best = k;
    }
    return best;
}

/* Remembers the candidate; true when enough of the last decisions had the same. */
static bool is_confirmed(tin_decision_state *state, const tin_decision_rule *rule, int candidate)
{
    memmove(state->candidates + 1, state->candidates, (TIN_RULE_OF_MAX - 1) * sizeof *state->candidates);
    state->candidates[0] = candidate;
    int n = 0;
    for (int i = 0; i < rule->of; i++)
        n += state->candidates[i] == candidate;
    return candidate != TIN_DECISION_NONE && n >= rule->needed;
}

int tin_decision_step(tin_decision_state *state, const tin_decision_rule *rule, const tin_class *classes, int n_classes,
                      const int16_t *scores)
{
    const int kept_for = rule->min_length > 1 ? rule->min_length - 1 : 0;
    const int most = rule->refractory > kept_for ? rule->refractory : kept_for;
    const int candidate = find_candidate(state, rule, classes, n_classes, scores);
    const bool confirmed = is_confirmed(state, rule, candidate);
    const bool held = state->wait > 0, kept = state->wait > most - kept_for;
    if (held)
        state->wait--;
    if (state->active != TIN_DECISION_NONE && !kept && excess(state, rule, state->active) < -rule->hysteresis)
        state->active = TIN_DECISION_NONE;
    if (!confirmed || candidate == state->active || held)
        return TIN_DECISION_NONE;
    if (state->active != TIN_DECISION_NONE &&
        excess(state, rule, candidate) - excess(state, rule, state->active) < rule->lead)
        return TIN_DECISION_NONE;
    state->active = candidate;
    state->wait = most;
    return candidate;
}

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/ */
static uint32_t hash_add(uint32_t hash, int32_t value)
{
    for (int i = 0; i < 4; i++)
        hash = (hash ^ ((uint32_t)value >> 8 * i & 255)) * 16777619u;
    return hash;
}

uint32_t tin_decision_hash(const tin_decision_rule *rule, const tin_class *classes, int n_classes)
{
    uint32_t hash = 2166136261u;
    for (int k = 0; k < n_classes; k++) {
        if (classes[k].event)
            hash = hash_add(hash, rule->on[k]);
    }
#define X(field, least, most) hash = hash_add(hash, rule->field);
    TIN_RULE_FIELD_LIST(X)
#undef X
    return hash;
}

static tin_status check_range(const char *field, int32_t value, int32_t least, int32_t most, tin_error *err)
{
    return value >= least && value <= most ? TIN_OK
                                           : tin_fail(err, TIN_ERR_MODEL, "decision rule: %s is %d; use %d to %d",
                                                      field, (int)value, (int)least, (int)most);
}

tin_status tin_decision_check(const tin_decision_rule *rule, tin_error *err)
{
    tin_status status = TIN_OK;
    for (int k = 0; k < TIN_MAX_CLASSES && status == TIN_OK; k++) {
        char field[32];
        snprintf(field, sizeof field, "on of class %d", k);
        status = check_range(field, rule->on[k], -TIN_RULE_SCORE_MAX, TIN_RULE_SCORE_MAX, err);
    }
#define X(field, least, most) status = status ? status : check_range(#field, rule->field, least, most, err);
    TIN_RULE_FIELD_LIST(X)
#undef X
    return status ? status : check_range("needed", rule->needed, 1, rule->of, err);
}
