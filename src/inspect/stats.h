/* What is in a dataset: classes with their durations, people, parts of the split, recordings with the rate and the gaps of
 * their sources, and how strong each frequency is per class and channel. */
#ifndef TIN_STATS_H
#define TIN_STATS_H

#include <jansson.h>

#include "dataset/dataset.h"

/* The JSON of `tinamou data stats --json` (docs/checks.md), which the page holds too; json_decref()d by the caller. */
tin_status tin_stats_json(json_t **json, const tin_dataset *dataset, tin_error *err) TIN_USE_RESULT;

/* stats.html: the same, and a view of the signals. At most 8 MiB of counts are in the page: the recording `first` (an id;
 * NULL: none), then one of each person, then the others as they fit; a recording above 4 MiB as least and greatest value of
 * its columns. What is left out is named. TIN_ERR_USAGE when there is no recording `first`. */
tin_status tin_stats_page(const char *path, const char *title, const char *first, const json_t *json,
                          const tin_dataset *dataset, tin_error *err) TIN_USE_RESULT;

#endif
