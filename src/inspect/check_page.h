/* check.html: the findings, each with a picture of the signal around it, its labels and, where a model was asked, what it
 * says there. One file, needs no network. */
#ifndef TIN_CHECK_PAGE_H
#define TIN_CHECK_PAGE_H

#include <jansson.h>

#include "inspect/findings.h"
#include "model/qmodel.h"

/* json: of tin_findings_json. model NULL: pictures without scores. At most 40 pictures of a check, the first ones of the
 * list. */
tin_status tin_check_page(const char *path, const char *title, const json_t *json, const tin_findings *findings,
                          const tin_dataset *dataset, const tin_qmodel *model, tin_error *err) TIN_USE_RESULT;

#endif
