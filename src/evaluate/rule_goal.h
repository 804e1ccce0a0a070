/* What is asked of a decision rule: bounds that it must hold, and which of two rules that hold them is the better one.
 * docs/metrics.md, "How the decision rule is chosen". */
#ifndef TIN_RULE_GOAL_H
#define TIN_RULE_GOAL_H

#include "evaluate/sweep.h"

/* aim, name in files and options */
#define TIN_AIM_LIST(X)                                                                                                \
    X(TIN_AIM_EVENT_F1, "event_f1")         /* greatest F1 of triggers */                                              \
    X(TIN_AIM_IOU_F1, "iou_f1")             /* greatest F1 of active segments at an IoU of 0.5 */                      \
    X(TIN_AIM_IN_TIME_F1, "in_time_f1")     /* greatest F1 of triggers that come by the deadline */                    \
    X(TIN_AIM_PROMPT_F1, "prompt_f1")       /* the same, but a true one is worth what is left of the deadline */       \
    X(TIN_AIM_EVENT_F05, "event_f0.5")      /* greatest F0.5 of triggers: a false one weighs four times a miss */      \
    X(TIN_AIM_MISSES, "misses")             /* fewest missed and misnamed events */                                    \
    X(TIN_AIM_FALSE_ALARMS, "false_alarms") /* fewest false positives */                                               \
    X(TIN_AIM_LATENCY, "latency")           /* least mean latency of the true positives */
typedef enum tin_aim {
#define X(aim, name) aim,
    TIN_AIM_LIST(X)
#undef X
        TIN_AIM_COUNT
} tin_aim;
const char *tin_aim_name(tin_aim aim);
/* False when no aim is called so. */
bool tin_aim_find(const char *name, tin_aim *aim);

#define TIN_GOAL_AIMS 3
typedef struct tin_rule_goal {
    double max_fp_per_hour, max_fnr, max_latency_s; /* INFINITY: any */
    double rate_hz;
    double deadline_frames;      /* > 0: of TIN_AIM_PROMPT_F1 */
    tin_aim aims[TIN_GOAL_AIMS]; /* [n_aims] the first one in which two rules differ decides */
    int n_aims;
    /* The aims are those of the sum over all thresholds that are at most so many score units away: a rule that is good
     * only at its own threshold does not hold on other people. 0: of the rule alone. */
    int32_t spread;
} tin_rule_goal;

/* The bounds hold. Rates are those of the point's own time and events. */
bool tin_goal_met(const tin_rule_goal *goal, const tin_sweep_point *point);
/* > 0: a is better, < 0: b is better, 0: equal. Behind the aims, fewer false positives are better. Bounds are not looked
 * at. */
int tin_goal_compare(const tin_rule_goal *goal, const tin_sweep_point *a, const tin_sweep_point *b);
/* Whether the goal looks at overlaps, which cost time to count. */
bool tin_goal_overlap(const tin_rule_goal *goal);
/* False positives in these rejection frames that max_fp_per_hour allows. */
int64_t tin_goal_false_positives(const tin_rule_goal *goal, int64_t rejection_frames);

/* Which of two rules is simpler, for those that do the same: > 0: a. A total order: 0 for equal rules alone. */
int tin_rule_simpler(const tin_decision_rule *a, const tin_decision_rule *b, const tin_class *classes, int n_classes);

#endif
