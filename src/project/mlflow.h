/* A run to an MLflow tracking server, by its REST API: the project is the experiment, settings are parameters, figures metrics,
 * hashes and the version tags, and the run's files artifacts where the server takes files by HTTP (`--serve-artifacts`, its
 * default). Nothing of MLflow is needed here. https://mlflow.org/docs/latest/rest-api.html */
#ifndef TIN_MLFLOW_H
#define TIN_MLFLOW_H

#include <stdbool.h>

#include "project/runs.h"

typedef struct tin_mlflow_result {
    char experiment_id[64], run_id[64];
    bool again;                 /* the server had the run already; it was brought up to date */
    size_t n_params, n_metrics; /* sent */
    size_t n_files;
    char no_files[600]; /* why no files were sent; "" when they were */
} tin_mlflow_result;

/* url: "http://HOST:PORT", user and password in it where needed; the variable MLFLOW_TRACKING_TOKEN is a bearer token. A run
 * that was sent before is found by its tag tinamou.run, so that sending it again adds no second one. The files must be what
 * their stages recorded. Redirects are not followed. After a failure the server's run is marked FAILED where that is possible;
 * sending again completes it. */
tin_status tin_mlflow_export(tin_runs *runs, const tin_run_row *row, const char *url, tin_mlflow_result *result,
                             tin_error *err) TIN_USE_RESULT;

#endif
