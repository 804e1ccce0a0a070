/* The decision layer: from scores to triggers (docs/generated-code.md). Needs tink_decision_t, which the header
 * declares. */
#ifndef TINK_DECISION_H
#define TINK_DECISION_H

#include "runtime/kernel.h"

/* [fragment] */
typedef struct tink_rule_t {
    int32_t on, off, count, refractory;
    int16_t smooth_shift;
} tink_rule_t;

/* The class with the greatest score, the first of the list on a tie; -1: the list is empty. */
static inline int32_t tink_greatest(const int16_t *score, const uint8_t *of, const uint8_t *end)
{
    int32_t best = -1, value = -32769;
    while (of != end) {
        const int32_t k = (int32_t)*of++;
        if (score[k] > value) {
            value = score[k];
            best = k;
        }
    }
    return best;
}

/* Returns the trigger, a class index or -1; *greatest is the class with the greatest score. order [classes]: the
 * classes, the first `events` of them events, either kind in ascending order. average [classes] is read and written
 * when smooth_shift > 0, else it may be NULL. */
TINK_KERNEL int32_t tink_decide(tink_decision_t *d, int32_t *average, const tink_rule_t *rule, const uint8_t *order,
                                int32_t events, int32_t classes, const int16_t *score, int16_t *greatest)
{
    const int32_t other = tink_greatest(score, order + events, order + classes);
    const int32_t background = other < 0 ? 0 : score[other];
    int32_t best = tink_greatest(score, order, order + events);
    int32_t value = best < 0 ? 0 : score[best] - background, run = 0, held = 0;
    *greatest = (int16_t)(other < 0 || (best >= 0 && (value > 0 || (value == 0 && best < other))) ? best : other);
    if (rule->smooth_shift > 0) {
        int32_t i;
        for (i = 0; i < events; i++) {
            const int32_t k = (int32_t)order[i], margin = score[k] - background, before = average[k];
            average[k] = before - (before >> rule->smooth_shift) + margin;
            if (i == 0 || average[k] >> rule->smooth_shift > value) {
                best = k;
                value = average[k] >> rule->smooth_shift;
            }
        }
    }
    if (d->active >= 0) {
        const int32_t margin =
            rule->smooth_shift > 0 ? average[d->active] >> rule->smooth_shift : score[d->active] - background;
        if (margin < rule->off) {
            d->active = -1;
        }
    }
    if (d->wait > 0) {
        d->wait--;
        held = 1;
    }
    if (best < 0 || value < rule->on) {
        best = -1;
    } else if (best == d->candidate) {
        run = d->run < rule->count ? d->run + 1 : rule->count;
    } else {
        run = 1;
    }
    d->candidate = best;
    d->run = run;
    if (run < rule->count || best == d->active || held) {
        return -1;
    }
    d->active = best;
    d->wait = rule->refractory;
    return best;
}
/* [end] */

#endif
