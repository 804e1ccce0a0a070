/* The Pareto front of decision rules: those that no other one beats in false alarms, missed and misnamed events, and mean
 * latency together. */
#ifndef TIN_RULE_FRONT_H
#define TIN_RULE_FRONT_H

#include "evaluate/rule_goal.h"

typedef struct tin_front_rule {
    tin_decision_rule rule;
    tin_sweep_point point;
} tin_front_rule;

/* Rules of one number of false positives that no other one of them beats: misses rising, latency falling. */
typedef struct tin_front_list {
    tin_front_rule *rules;
    size_t n, capacity;
} tin_front_list;

typedef struct tin_front {
    const tin_class *classes;
    int n_classes;
    tin_front_list *lists; /* [most + 1] by false positives */
    int64_t most;          /* false positives; rules with more are not taken */
} tin_front;

tin_status tin_front_create(tin_front *front, const tin_class *classes, int n_classes, int64_t most,
                            tin_error *err) TIN_USE_RESULT;
void tin_front_free(tin_front *front);
/* Takes the rule of `family` at the point's threshold when it may be on the front. Of rules that do the same the simplest
 * stays, so that the order of adding does not matter. A rule without a true positive is not taken. */
tin_status tin_front_add(tin_front *front, const tin_sweep_family *family, const tin_sweep_point *point,
                         tin_error *err) TIN_USE_RESULT;
/* Adds all of `other`. */
tin_status tin_front_join(tin_front *front, const tin_front *other, tin_error *err) TIN_USE_RESULT;
/* The front: false positives rising, then misses rising. *rules is tin_free()d by the caller. */
tin_status tin_front_rules(const tin_front *front, tin_front_rule **rules, size_t *n, tin_error *err) TIN_USE_RESULT;

#endif
