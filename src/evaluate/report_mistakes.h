/* Private to src/evaluate: mistakes with their pictures for the page, and as a list of labels to look at. */
#ifndef TIN_REPORT_MISTAKES_H
#define TIN_REPORT_MISTAKES_H

#include "base/text.h"
#include "dataset/dataset.h"

/* Adds ,"mistakes":{...} of the run in `folder`, as docs/mistakes.md says; nothing when its files are not there. */
tin_status tin_report_mistakes(tin_text *out, const tin_dataset *dataset, const char *folder,
                               tin_error *err) TIN_USE_RESULT;

#endif
