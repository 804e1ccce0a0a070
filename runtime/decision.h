/* The decision layer: from scores to triggers (docs/generated-code.md). Needs tink_decision_t and the constants of the
 * rule, which the header declares, and in front of it the constants tink_events_first and tink_events_on. What the rule
 * does not use is left out. */
#ifndef TINK_DECISION_H
#define TINK_DECISION_H

#include "runtime/kernel.h"

/* [fragment] */
/* The class with the greatest score, the first of the list on a tie. */
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

/* Returns the trigger, a class index or -1; *greatest is the class with the greatest score. */
TINK_KERNEL int32_t tink_decide(tink_decision_t *d, const int16_t *score, int16_t *greatest)
{
#if TINK_EVENTFUL
    int32_t best = tink_greatest(score, tink_events_first, tink_events_first + TINK_EVENTS);
#if TINK_RESTS
    const int32_t other = tink_greatest(score, tink_events_first + TINK_EVENTS, tink_events_first + TINK_CLASSES);
    const int32_t background = score[other];
#else
    const int32_t background = 0;
#endif
    int32_t excess = score[best] - background; /* over its threshold, once that is taken off */
    int32_t lasting = 0;                       /* the same of the active event */
#if TINK_SCANS
    int32_t i;
#endif
#if TINK_RUNS
    int32_t agree = 0;
#endif
#if TINK_HISTORY
    int32_t agree = 1, newest, place;
#endif
#if TINK_WAITS
    const int32_t wait = d->wait;
#endif
#if TINK_RESTS
    *greatest = (int16_t)(excess > 0 || (excess == 0 && best < other) ? best : other);
#else
    *greatest = (int16_t)best;
#endif
#if TINK_SCANS
    for (i = 0; i < TINK_EVENTS; i++) {
        const int32_t k = (int32_t)tink_events_first[i];
        int32_t over = score[k] - background;
#if TINK_SMOOTHS
        const int32_t before = d->average[i];
        d->average[i] = before - (before >> TINK_SMOOTH_SHIFT) + over;
        over = d->average[i] >> TINK_SMOOTH_SHIFT;
#endif
#if TINK_THRESHOLDS
        over -= tink_events_on[i];
#else
        over -= TINK_ON;
#endif
        if (i == 0 || over > excess) {
            best = k;
            excess = over;
        }
        if (k == d->active) {
            lasting = over;
        }
    }
#else
    excess -= TINK_ON;
    if (d->active >= 0) {
        lasting = score[d->active] - background - TINK_ON;
    }
#endif
#if TINK_KEEPS
    if (lasting < -TINK_HYSTERESIS && wait <= TINK_WAIT - (TINK_MIN_LENGTH - 1)) {
        d->active = -1;
    }
#else
    if (lasting < -TINK_HYSTERESIS) {
        d->active = -1;
    }
#endif
#if TINK_WAITS
    if (wait > 0) {
        d->wait = wait - 1;
    }
#endif
    if (excess < 0) {
        best = -1;
    }
#if TINK_RUNS
    if (best >= 0) {
        agree = best != d->candidate ? 1 : d->run < TINK_NEEDED ? d->run + 1 : TINK_NEEDED;
    }
    d->candidate = best;
    d->run = agree;
#endif
#if TINK_HISTORY
    newest = best + 1; /* 0: none */
    for (place = 0; place < TINK_OF - 1; place++) {
        const int32_t older = (int32_t)d->candidates[place];
        d->candidates[place] = (uint8_t)newest;
        newest = older;
        if (older == best + 1) {
            agree++;
        }
    }
#endif
#if TINK_AGREES
    if (agree < TINK_NEEDED) {
        return -1;
    }
#endif
#if TINK_WAITS
    if (wait > 0) {
        return -1;
    }
#endif
#if TINK_LEADS
    if (d->active >= 0 && excess - lasting < TINK_LEAD) {
        return -1;
    }
#endif
    if (best < 0 || best == d->active) {
        return -1;
    }
    d->active = best;
#if TINK_WAITS
    d->wait = TINK_WAIT;
#endif
    return best;
#else
    *greatest = (int16_t)tink_greatest(score, tink_events_first, tink_events_first + TINK_CLASSES);
    return d->active; /* there is no event */
#endif
}
/* [end] */

#endif
