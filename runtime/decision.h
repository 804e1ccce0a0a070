/* The decision layer: from scores to triggers (docs/generated-code.md). Needs tink_decision_t, which the header
 * declares. */
#ifndef TINK_DECISION_H
#define TINK_DECISION_H

#include <stddef.h>
#include <stdint.h>

/* [fragment] */
typedef struct tink_rule_t {
    int32_t on, off, count, refractory;
    int16_t smooth_shift;
} tink_rule_t;

/* Returns the trigger, a class index or -1. is_event [classes] holds 0 or 1. average [classes] is read and written when
 * smooth_shift > 0, else it may be NULL. */
static int32_t tink_decide(tink_decision_t *d, int32_t *average, const tink_rule_t *rule, const uint8_t *is_event,
                           int32_t classes, const int16_t *score)
{
    int32_t background = 0, best = -1, best_value = 0, active_value = 0;
    int32_t k, held = 0, found = 0;
    for (k = 0; k < classes; k++) {
        if (is_event[k] == 0 && (found == 0 || score[k] > background)) {
            background = score[k];
            found = 1;
        }
    }
    for (k = 0; k < classes; k++) {
        int32_t value;
        if (is_event[k] == 0) {
            continue;
        }
        value = score[k] - background;
        if (rule->smooth_shift > 0) {
            const int32_t before = average[k];
            average[k] = before - (before >> rule->smooth_shift) + value;
            value = average[k] >> rule->smooth_shift;
        }
        if (best < 0 || value > best_value) {
            best = k;
            best_value = value;
        }
        if (k == d->active) {
            active_value = value;
        }
    }
    if (d->wait > 0) {
        d->wait--;
        held = 1;
    }
    if (d->active >= 0 && active_value < rule->off) {
        d->active = -1;
    }
    if (best < 0 || best_value < rule->on) {
        d->run = 0;
        d->candidate = -1;
        return -1;
    }
    d->run = best != d->candidate ? 1 : d->run < rule->count ? d->run + 1 : rule->count;
    d->candidate = best;
    if (d->run < rule->count || best == d->active || held) {
        return -1;
    }
    d->active = best;
    d->wait = rule->refractory;
    return best;
}
/* [end] */

#endif
