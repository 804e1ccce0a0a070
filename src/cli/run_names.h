/* Private to src/cli: runs by what a user calls them. */
#ifndef TIN_CLI_RUN_NAMES_H
#define TIN_CLI_RUN_NAMES_H

#include "cli/cli.h"
#include "evaluate/compare.h"

/* The one run that an ID, the beginning of one, or a tag means; a tag of several is TIN_ERR_USAGE. *row is freed with
 * tin_runs_list_free(*row, 1). */
tin_status cli_find_run(tin_runs *runs, const char *name, tin_run_row **row, tin_error *err) TIN_USE_RESULT;

/* Several runs as one side of a comparison: the seeds of one experiment. Zero-initialise; cli_run_group_free. */
typedef struct cli_run_group {
    tin_run_row *rows; /* [n] */
    size_t n;
    const char **folders; /* [n] */
} cli_run_group;
/* "a,b,c", each an ID, the beginning of one, or a tag, which stands for all runs that carry it. Every one must be evaluated. */
tin_status cli_find_group(tin_runs *runs, const char *names, cli_run_group *group, tin_error *err) TIN_USE_RESULT;
void cli_run_group_free(cli_run_group *group);

/* TIN_ERR_USAGE unless the stage is done and its files are what they were. */
tin_status cli_need_stage(tin_runs *runs, const tin_run_row *row, tin_stage stage, tin_error *err) TIN_USE_RESULT;
/* The figures of a finished stage as a new JSON object; NULL: not done. */
json_t *cli_row_figures(const tin_run_row *row, tin_stage stage);

/* Settings that differ, [{"key", "a", "b"}] into a new array; null where one has none. Without seed and fold when `seed` is
 * false. */
tin_status cli_settings_diff(const tin_run_row *a, const tin_run_row *b, bool seed, json_t **list,
                             tin_error *err) TIN_USE_RESULT;

#endif
