/* Private to src/cli: several runs as one, for `run --folds`, `run --leave-one-out` and `runs pool`. */
#ifndef TIN_CLI_POOLED_H
#define TIN_CLI_POOLED_H

#include "cli/cli.h"
#include "cli/run_names.h"

enum { CLI_POOL_TAG = 24 };

/* The figures over the test people of all runs (evaluate/pool_runs.h) into a new object. */
tin_status cli_pool(const cli_session *session, const cli_run_group *group, json_t **pooled,
                    tin_error *err) TIN_USE_RESULT;
/* The same of the runs with these IDs [n], which get a tag in common, by which they are found again: "folds-" and 8 digits of
 * the hash of the IDs, so that a tag always means all folds of one experiment. */
tin_status cli_pool_folds(const cli_session *session, const char *const *ids, size_t n, char tag[CLI_POOL_TAG],
                          json_t **pooled, tin_error *err) TIN_USE_RESULT;
/* Tables for people: the figures with their intervals and the worst person, every person, detectors that look at no signal. */
tin_status cli_print_pooled(const json_t *pooled, tin_error *err) TIN_USE_RESULT;

#endif
