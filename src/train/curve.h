/* The learning curve of a training: a table for programs, a page for people, and a line for the terminal. */
#ifndef TIN_CURVE_H
#define TIN_CURVE_H

#include "base/error.h"
#include "train/validate.h"

/* step, learning rate, loss, the metrics of validation, and the deciding one of the averaged weights */
enum {
    TIN_CURVE_STEP,
    TIN_CURVE_RATE,
    TIN_CURVE_LOSS,
    TIN_CURVE_METRICS,
    TIN_CURVE_AVERAGE = TIN_CURVE_METRICS + TIN_METRIC_COUNT,
    TIN_CURVE_COLUMNS
};

typedef struct tin_curve {
    const char *name;   /* of the training, "train" or "finetune" */
    const double *rows; /* [n][TIN_CURVE_COLUMNS]; NaN where a figure does not apply */
    int64_t n;
    tin_metric metric; /* the deciding one */
    bool averaged;     /* the last column is used */
    int64_t best_step; /* of the weights that are kept so far */
    int steps;         /* that the training may take */
    bool finished;
} tin_curve;

/* One row per validation, columns by name. */
tin_status tin_curve_write_table(const tin_curve *curve, const char *path, tin_error *err) TIN_USE_RESULT;
/* One file that opens offline and, until the training is finished, reads itself again every few seconds. */
tin_status tin_curve_write_page(const tin_curve *curve, const char *path, tin_error *err) TIN_USE_RESULT;

#define TIN_SPARK_BYTES 64
/* The last values of a column as a line of blocks (UTF-8), low to high. Empty for less than two. */
void tin_curve_spark(const tin_curve *curve, int column, char text[TIN_SPARK_BYTES]);

#endif
