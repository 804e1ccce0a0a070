/* Private to src/evaluate: parts of the report that its exports share. */
#ifndef TIN_REPORT_PARTS_H
#define TIN_REPORT_PARTS_H

#include <jansson.h>

#include "evaluate/evaluate.h"

/* timelines.json, which must be of this dataset. json_decref()d by the caller. */
tin_status tin_report_timelines(json_t **timelines, const tin_dataset *dataset, const char *folder,
                                tin_error *err) TIN_USE_RESULT;
/* All data of the page. */
tin_status tin_report_write_json(const tin_dataset *dataset, const tin_report_options *options, const char *path,
                                 tin_error *err) TIN_USE_RESULT;

#endif
