/* Private to src/inspect: the checks one by one, and what they share. */
#ifndef TIN_CHECK_PARTS_H
#define TIN_CHECK_PARTS_H

#include "inspect/check.h"

/* One run of the checks. */
typedef struct tin_checking {
    const tin_dataset *dataset;
    const tin_check_options *options;
    tin_findings *findings;
} tin_checking;

/* Each adds what it finds. */
tin_status tin_check_subjects(tin_checking *c, tin_error *err) TIN_USE_RESULT;
tin_status tin_check_classes(tin_checking *c, tin_error *err) TIN_USE_RESULT;
tin_status tin_check_durations(tin_checking *c, tin_error *err) TIN_USE_RESULT;
tin_status tin_check_unlabelled(tin_checking *c, tin_error *err) TIN_USE_RESULT;
tin_status tin_check_sources(tin_checking *c, tin_error *err) TIN_USE_RESULT;
tin_status tin_check_sensors(tin_checking *c, tin_error *err) TIN_USE_RESULT;
tin_status tin_check_axes(tin_checking *c, tin_error *err) TIN_USE_RESULT;
tin_status tin_check_copies(tin_checking *c, tin_error *err) TIN_USE_RESULT;
tin_status tin_check_near_copies(tin_checking *c, tin_error *err) TIN_USE_RESULT;
tin_status tin_check_borders(tin_checking *c, tin_error *err) TIN_USE_RESULT;
tin_status tin_check_model(tin_checking *c, tin_error *err) TIN_USE_RESULT;

/* Calls job(context, i, findings, err) for i in 0..n-1, in parallel; the findings are joined in the order of i, and the
 * first failure in that order is the result. */
typedef tin_status tin_check_job(void *context, size_t i, tin_findings *findings, tin_error *err);
tin_status tin_check_parallel(tin_checking *c, const char *title, size_t n, tin_check_job *job, void *context,
                              tin_error *err) TIN_USE_RESULT;

/* Three channels that follow one another and have the same unit, as x, y and z of one sensor. */
typedef enum tin_sensor_kind { TIN_SENSOR_OTHER, TIN_SENSOR_ACCEL, TIN_SENSOR_GYRO } tin_sensor_kind;
typedef struct tin_sensor {
    tin_sensor_kind kind;
    int first;       /* channel */
    double si_scale; /* m/s^2 or rad/s per unit of the channel */
} tin_sensor;
/* Sensors of the dataset in the order of their channels, at most TIN_MAX_CHANNELS / 3; returns how many. */
int tin_find_sensors(const tin_dataset *dataset, tin_sensor sensors[TIN_MAX_CHANNELS / 3]);

/* People in the order of their first stream. */
typedef struct tin_people {
    size_t *of_stream; /* [n_streams]: index of the person */
    size_t *first;     /* [n]: first stream */
    size_t n;
} tin_people;
tin_status tin_people_find(tin_people *people, const tin_dataset *dataset, tin_error *err) TIN_USE_RESULT;
void tin_people_free(tin_people *people);

/* Median of n >= 1 values, which are put in order. */
double tin_median(double *values, size_t n);
double tin_seconds(const tin_dataset *dataset, int64_t frames);

#define TIN_STANDARD_GRAVITY 9.80665 /* m/s^2 */

#endif
