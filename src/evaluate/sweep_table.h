/* The threshold figure: what the chosen rule does on validation and on test at every other threshold. For sweep.csv and the
 * report. */
#ifndef TIN_SWEEP_TABLE_H
#define TIN_SWEEP_TABLE_H

#include "evaluate/sweep.h"

typedef struct tin_sweep_row {
    int32_t on; /* of the first event class; those of the others keep their distance from it */
    tin_sweep_point validation, test;
} tin_sweep_row;

typedef struct tin_sweep_table {
    tin_sweep_row *rows; /* [n_rows] thresholds rising */
    size_t n_rows;
} tin_sweep_table;

/* Thresholds are those of the validation streams; counts of the test are 0. */
tin_status tin_sweep_table_make(tin_sweep_table *table, const tin_sweep_input *validation,
                                const tin_decision_rule *rule, tin_error *err) TIN_USE_RESULT;
/* Counts of more test streams at the thresholds that are there. */
tin_status tin_sweep_table_add_test(tin_sweep_table *table, const tin_sweep_input *test, const tin_decision_rule *rule,
                                    tin_error *err) TIN_USE_RESULT;
void tin_sweep_table_free(tin_sweep_table *table);
/* FOLDER/sweep.csv, atomically; columns in docs/metrics-format.md. */
tin_status tin_sweep_table_save(const tin_sweep_table *table, double rate_hz, const char *folder,
                                tin_error *err) TIN_USE_RESULT;

#endif
