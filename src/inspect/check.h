/* Checks of a dataset: what is wrong with recordings and labels. Works on the memory-mapped file, stream by stream.
 *
 *     tin_findings findings = {0};
 *     status = tin_check_dataset(&findings, dataset, &(tin_check_options){.pool = pool}, &err);
 *     tin_findings_free(&findings); */
#ifndef TIN_CHECK_H
#define TIN_CHECK_H

#include "base/pool.h"
#include "inspect/findings.h"
#include "model/qmodel.h"

typedef struct tin_check_options {
    const tin_qmodel *model; /* a trained run's: the labels that it contradicts; NULL: those checks are left out */
    tin_pool *pool;          /* NULL: in the caller's thread; changes no result */
    bool quiet;
} tin_check_options;

/* Findings in the order of tin_findings_sort. TIN_ERR_MODEL when the model was made for other channels or classes.
 * `findings` is freed by the caller, after a failure too. */
tin_status tin_check_dataset(tin_findings *findings, const tin_dataset *dataset, const tin_check_options *options,
                             tin_error *err) TIN_USE_RESULT;

#endif
