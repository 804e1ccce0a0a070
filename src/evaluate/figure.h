/* Private to src/evaluate: the central figure of the report as a picture for papers and slides: error rates and latency over the
 * threshold with the chosen one, the confusions of events with the rejection row and column, and a piece of a recording with what
 * was true and what the device said. */
#ifndef TIN_FIGURE_H
#define TIN_FIGURE_H

#include <jansson.h>

#include "dataset/dataset.h"
#include "evaluate/positions.h"

typedef struct tin_figure_input {
    const tin_dataset *dataset;
    const tin_positions *positions;
    tin_decision_rule rule;  /* the chosen one */
    const json_t *timelines; /* timelines.json; its first recording is shown */
    const char *title;
} tin_figure_input;

/* PNG of 1600 x 1180 pixels, SVG of the same size; atomically, of the same bytes for the same inputs and fonts. */
tin_status tin_figure_png(const tin_figure_input *input, const char *path, tin_error *err) TIN_USE_RESULT;
tin_status tin_figure_svg(const tin_figure_input *input, const char *path, tin_error *err) TIN_USE_RESULT;

#endif
