/* Private to src/deploy: what the reference gives, frame by frame. Everything that the generated code is compared with
 * comes from here: the emulated cores, the golden vectors of a package, the board on a serial line. */
#ifndef TIN_EXPECT_H
#define TIN_EXPECT_H

#include "model/decision.h"
#include "model/qmodel.h"

typedef struct tin_expectation {
    const tin_qmodel *model;
    const tin_decision_rule *rule;
    tin_qrunner *runner;
    tin_decision_state decision;
    int latency; /* frames by which a decision comes later, below the hop; 0 until the caller sets it */
    int wait;    /* frames until a decision that is made comes; 0: none is made */
    /* of the last decision: the scores [n_classes], then class_index, active, trigger */
    int16_t values[TIN_MAX_CLASSES + 3];
} tin_expectation;

/* model and rule must live as long. tin_expectation_end frees what is there, also after a failure. */
tin_status tin_expectation_begin(tin_expectation *x, const tin_qmodel *model, const tin_decision_rule *rule,
                                 tin_error *err) TIN_USE_RESULT;
void tin_expectation_end(tin_expectation *x);
/* As NAME_init. */
void tin_expectation_reset(tin_expectation *x);
/* As NAME_step: counts [n_channels]; 1 when a decision is due and `values` is filled, else 0. */
int tin_expectation_step(tin_expectation *x, const int16_t *counts);
/* How many values a decision has: n_classes + 3. */
int tin_expectation_fields(const tin_expectation *x);
/* "score 2", "class_index", "active", "trigger": what values[field] is. */
void tin_expectation_field(const tin_expectation *x, int field, char name[32]);

#endif
