#include "metrics/margins.h"

#include <math.h>
#include <string.h>

tin_margins tin_margins_common(int64_t early, int64_t late, bool allow_repeats)
{
    tin_margins margins = {.most = {early, late}, .deadline = INT64_MAX, .unit = 1, .allow_repeats = allow_repeats};
    for (int k = 0; k < TIN_MAX_CLASSES; k++) {
        margins.of[k] = margins.most;
    }
    return margins;
}

static int64_t frames_of(double ms, double rate_hz)
{
    return ms > 0 ? llround(ms * rate_hz / 1000) : 0;
}

int64_t tin_deadline_frames(double ms, double rate_hz)
{
    return (int64_t)floor(ms * rate_hz / 1000 + 1e-9);
}

tin_status tin_margins_create(tin_margins *margins, const tin_config_evaluate *settings, const tin_dataset *dataset,
                              tin_error *err)
{
    double rate_hz = dataset->rate_hz;
    *margins = tin_margins_common(frames_of(settings->early_ms, rate_hz), frames_of(settings->late_ms, rate_hz),
                                  settings->allow_repeats);
    margins->collar = settings->collar_ms * rate_hz / 1000;
    margins->unit = rate_hz; /* a second */
    margins->deadline = tin_deadline_frames(settings->deadline_ms, rate_hz);
    for (unsigned i = 0; i < settings->margins_count; i++) {
        const tin_config_margin *given = &settings->margins[i];
        int k = 0;
        while (k < dataset->n_classes && strcmp(dataset->classes[k].name, given->class) != 0) {
            k++;
        }
        if (k == dataset->n_classes || !dataset->classes[k].event) {
            return tin_fail(err, TIN_ERR_CONFIG,
                            "evaluate.margins names '%s', which is no class with `event: true`; write one of "
                            "data.classes",
                            given->class);
        }
        if (given->early_ms >= 0) {
            margins->of[k].early = frames_of(given->early_ms, rate_hz);
        }
        if (given->late_ms >= 0) {
            margins->of[k].late = frames_of(given->late_ms, rate_hz);
        }
    }
    margins->most = (tin_margin){0, 0};
    for (int k = 0; k < dataset->n_classes; k++) {
        const tin_margin *m = &margins->of[k];
        if (dataset->classes[k].event) {
            margins->most.early = m->early > margins->most.early ? m->early : margins->most.early;
            margins->most.late = m->late > margins->most.late ? m->late : margins->most.late;
        }
    }
    return TIN_OK;
}
