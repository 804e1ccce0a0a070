#include "deploy/expect.h"

#include <stdio.h>

tin_status tin_expectation_begin(tin_expectation *x, const tin_qmodel *model, const tin_decision_rule *rule,
                                 tin_error *err)
{
    *x = (tin_expectation){.model = model, .rule = rule};
    const tin_status status = tin_qrunner_create(&x->runner, model, err);
    if (status == TIN_OK) {
        tin_expectation_reset(x);
    }
    return status;
}

void tin_expectation_end(tin_expectation *x)
{
    tin_qrunner_free(x->runner);
    x->runner = NULL;
}

void tin_expectation_reset(tin_expectation *x)
{
    tin_qrunner_reset(x->runner);
    tin_decision_reset(&x->decision);
    x->wait = 0;
}

static void decide(tin_expectation *x)
{
    const int n = x->model->n_classes;
    int best = 0;
    for (int k = 1; k < n; k++) {
        best = x->values[k] > x->values[best] ? k : best;
    }
    const int trigger = tin_decision_step(&x->decision, x->rule, x->model->classes, n, x->values);
    x->values[n] = (int16_t)best;
    x->values[n + 1] = (int16_t)x->decision.active;
    x->values[n + 2] = (int16_t)trigger;
}

int tin_expectation_step(tin_expectation *x, const int16_t *counts)
{
    if (tin_qrunner_step(x->runner, counts, x->values) == 1) {
        decide(x);
        x->wait = x->latency + 1;
    }
    if (x->wait == 0) {
        return 0;
    }
    x->wait--;
    return x->wait == 0;
}

int tin_expectation_fields(const tin_expectation *x)
{
    return x->model->n_classes + 3;
}

void tin_expectation_field(const tin_expectation *x, int field, char name[32])
{
    static const char *const names[] = {"class_index", "active", "trigger"};
    if (field < x->model->n_classes) {
        (void)snprintf(name, 32, "score %d", field);
    } else {
        (void)snprintf(name, 32, "%s", names[field - x->model->n_classes]);
    }
}
