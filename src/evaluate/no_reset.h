/* What a device feels that evaluation of single recordings does not: nobody resets it between them. */
#ifndef TIN_NO_RESET_H
#define TIN_NO_RESET_H

#include "dataset/dataset.h"
#include "metrics/frame_metrics.h"
#include "model/qmodel.h"

#define TIN_NO_RESET_FRAMES 2000000 /* read at most, up to the end of a recording */

/* Frame accuracy (docs/metrics.md) of the integer model on the streams of `role`, in the order of the dataset, when its state goes
 * on from each into the next. NaN with fewer than two streams or no labelled frame. */
tin_status tin_no_reset_accuracy(const tin_qmodel *model, const tin_dataset *dataset, tin_role role, tin_timing timing,
                                 double *accuracy, tin_error *err) TIN_USE_RESULT;

#endif
