/* Findings for programs: the JSON of `tinamou data check --json`, which is what the page holds too, and the list of labels
 * to change. */
#ifndef TIN_FINDINGS_JSON_H
#define TIN_FINDINGS_JSON_H

#include <jansson.h>

#include "inspect/findings.h"

/* {"dataset": {...}, "run": ..., "summary": {...}, "checks": [...], "findings": [...]}; docs/checks.md. run NULL: none.
 * *json is json_decref()d by the caller. */
tin_status tin_findings_json(json_t **json, const tin_findings *findings, const tin_dataset *dataset, const char *run,
                             tin_error *err) TIN_USE_RESULT;
/* Writes path atomically: CSV "stream,start,end,label,suggested", seconds from the stream's first frame, a line per finding
 * that suggests another label, the most certain first. */
tin_status tin_findings_relabel(const tin_findings *findings, const tin_dataset *dataset, const char *path,
                                tin_error *err) TIN_USE_RESULT;

#endif
