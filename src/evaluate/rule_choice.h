/* Choice of the decision rule on the validation people: every threshold of every family of a small grid, exactly
 * (sweep.h). It is given validation streams only, so it cannot look at the test people. docs/metrics.md says what is
 * chosen and why. */
#ifndef TIN_RULE_CHOICE_H
#define TIN_RULE_CHOICE_H

#include "base/pool.h"
#include "evaluate/sweep.h"

typedef enum tin_objective {
    TIN_OBJECTIVE_EVENT_F1,   /* greatest F1 of triggers */
    TIN_OBJECTIVE_IOU_F1,     /* greatest F1 of active segments at an IoU of 0.5 */
    TIN_OBJECTIVE_FEWEST_MISS /* fewest missed and misnamed events at no more than max_false_positives */
} tin_objective;

typedef struct tin_rule_goal {
    tin_objective objective;
    int64_t max_false_positives; /* TIN_OBJECTIVE_FEWEST_MISS: on all validation streams together */
    int refractory;              /* decisions; the grid tries 0 and this one */
} tin_rule_goal;

typedef struct tin_rule_choice {
    tin_rule_family family;
    tin_decision_rule rule;
    tin_event_counts counts; /* on validation, as far as tin_sweep_point fills them */
    int64_t n_candidates;    /* rules that were compared */
} tin_rule_choice;

/* pool NULL: in the caller's thread. The result does not depend on the number of threads. TIN_ERR_DATA when the streams
 * hold no event. */
tin_status tin_rule_choose(const tin_sweep_input *validation, const tin_rule_goal *goal, tin_pool *pool,
                           tin_rule_choice *choice, tin_error *err) TIN_USE_RESULT;

#endif
