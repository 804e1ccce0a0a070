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

/* Returns the trigger, a class index or -1; *greatest is the class with the greatest score. is_event [classes] holds 0
 * or 1. average [classes] is read and written when smooth_shift > 0, else it may be NULL. */
TINK_KERNEL int32_t tink_decide(tink_decision_t *d, int32_t *average, const tink_rule_t *rule, const uint8_t *is_event,
                                int32_t classes, const int16_t *score, int16_t *greatest)
{
    int32_t best = -1, value = -32769; /* of the events */
    int32_t other = -1, background = -32769;
    int32_t k, active_value, run, held = 0;
    for (k = 0; k < classes; k++) {
        const int32_t z = score[k];
        if (is_event[k] == 0) {
            if (z > background) {
                background = z;
                other = k;
            }
        } else {
            if (z > value) {
                value = z;
                best = k;
            }
        }
    }
    *greatest = (int16_t)(value > background || (value == background && best < other) ? best : other);
    background = other < 0 ? 0 : background;
    value -= background;
    active_value = d->active < 0 ? 0 : score[d->active] - background;
    if (rule->smooth_shift > 0) {
        best = -1;
        for (k = 0; k < classes; k++) {
            if (is_event[k] != 0) {
                const int32_t margin = score[k] - background;
                const int32_t before = average[k];
                average[k] = before - (before >> rule->smooth_shift) + margin;
                if (best < 0 || average[k] >> rule->smooth_shift > value) {
                    best = k;
                    value = average[k] >> rule->smooth_shift;
                }
            }
        }
        active_value = d->active < 0 ? 0 : average[d->active] >> rule->smooth_shift;
    }
    if (d->wait > 0) {
        d->wait--;
        held = 1;
    }
    if (active_value < rule->off) {
        d->active = -1;
    }
    run = 1;
    if (best == d->candidate) {
        run = d->run < rule->count ? d->run + 1 : rule->count;
    }
    if (best < 0 || value < rule->on) {
        best = -1;
        run = 0;
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
