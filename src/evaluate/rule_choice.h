/* Choice of the decision rule on the validation people: every threshold of many families of rules, exactly (sweep.h). It
 * is given validation streams only, so it cannot look at the test people. docs/metrics.md says what is chosen and why. */
#ifndef TIN_RULE_CHOICE_H
#define TIN_RULE_CHOICE_H

#include "base/pool.h"
#include "evaluate/rule_front.h"
#include "evaluate/rule_goal.h"

#define TIN_CHOICE_GOALS 4  /* at a time */
#define TIN_CHOICE_PEOPLE 6 /* left out in turn; more people are put together into so many groups */

typedef struct tin_choice_options {
    int refractory; /* decisions; the search tries 0 and this one */
    tin_pool *pool; /* NULL: in the caller's thread; the result does not depend on the number of threads */
    bool quiet;
} tin_choice_options;

/* What is best for one goal. */
typedef struct tin_rule_choice {
    bool any; /* some rule holds the bounds */
    tin_decision_rule rule;
    tin_sweep_point point; /* on validation, as far as the sweep fills it; on is of no meaning */
    /* The sum over the people, each counted under the rule that is best for the others: what to expect of people on whom
     * nothing was chosen. n_left_out: people, or groups of them; 0: only one. */
    tin_sweep_point left_out;
    int n_left_out;
} tin_rule_choice;

typedef struct tin_choices {
    tin_rule_choice of[TIN_CHOICE_GOALS];
    tin_front_rule *front; /* [n_front] of all rules that were compared */
    size_t n_front;
    int64_t n_candidates; /* rules that were compared */
} tin_choices;

/* TIN_ERR_DATA when the streams hold no event. tin_choices_free in any
 * case. */
tin_status tin_rules_choose(const tin_sweep_input *validation, const tin_rule_goal *goals, int n_goals,
                            const tin_choice_options *options, tin_choices *choices, tin_error *err) TIN_USE_RESULT;
void tin_choices_free(tin_choices *choices);

#endif
