#include "evaluate/rule_goal.h"

#include <math.h>
#include <string.h>

static const char *const aim_names[] = {
#define X(aim, name) name,
    TIN_AIM_LIST(X)
#undef X
};

const char *tin_aim_name(tin_aim aim)
{
    return aim_names[aim];
}

bool tin_aim_find(const char *name, tin_aim *aim)
{
    for (int i = 0; i < TIN_AIM_COUNT; i++) {
        if (strcmp(aim_names[i], name) == 0) {
            *aim = (tin_aim)i;
            return true;
        }
    }
    return false;
}

int64_t tin_goal_false_positives(const tin_rule_goal *goal, int64_t rejection_frames)
{
    /* a hair more than the product, so that 5 per hour in exactly one hour is 5 */
    double most = floor(goal->max_fp_per_hour * ((double)rejection_frames / (3600 * goal->rate_hz)) * (1 + 1e-12));
    return most < 9e18 ? (int64_t)most : INT64_MAX; /* also INFINITY, and NaN of INFINITY * 0 */
}

bool tin_goal_met(const tin_rule_goal *goal, const tin_sweep_point *p)
{
    const tin_sweep_counts *c = &p->counts;
    return c->false_positives <= tin_goal_false_positives(goal, c->rejection_frames) &&
           (double)c->missed <= goal->max_fnr * (double)c->n_events * (1 + 1e-12) &&
           (isinf(goal->max_latency_s) || (double)p->counts.latency_frames <= goal->max_latency_s * goal->rate_hz *
                                                                                  (double)c->true_positives *
                                                                                  (1 + 1e-12));
}

static int sign(int64_t difference)
{
    return difference > 0 ? 1 : -(difference < 0);
}

/* Sign of a / b - c / d, with 0 / 0 as 0. Counts stay below 2^31, so that products are exact. */
static int compare_ratios(int64_t a, int64_t b, int64_t c, int64_t d)
{
    return sign((b > 0 ? a : 0) * (d > 0 ? d : 1) - (d > 0 ? c : 0) * (b > 0 ? b : 1));
}

/* Of the triggers those that are counted: repeats may be allowed. */
static int64_t triggers_and_events(const tin_sweep_counts *c)
{
    return c->true_positives + c->wrong_class + c->false_positives + c->n_events;
}

/* Half the F1 of triggers of which a true one is worth the part of the deadline that is left when it comes. Of the mean
 * delay, so that the sum of many thresholds can be judged; what comes early makes up for no more than what is late. */
static double prompt_f1(double deadline_frames, const tin_sweep_point *point)
{
    const tin_sweep_counts *c = &point->counts;
    const int64_t all = triggers_and_events(c), lost = c->latency_frames > 0 ? c->latency_frames : 0;
    const double worth = (double)c->true_positives * deadline_frames - (double)lost;
    return all > 0 && worth > 0 ? worth / (deadline_frames * (double)all) : 0;
}

static int compare_aim(const tin_rule_goal *goal, tin_aim aim, const tin_sweep_point *a, const tin_sweep_point *b)
{
    const tin_sweep_counts *p = &a->counts, *q = &b->counts;
    switch (aim) {
    case TIN_AIM_MISSES:
        return sign(q->missed + q->wrong_class - p->missed - p->wrong_class);
    case TIN_AIM_FALSE_ALARMS:
        return sign(q->false_positives - p->false_positives);
    case TIN_AIM_LATENCY:
        if (p->true_positives == 0 || q->true_positives == 0) {
            return sign(p->true_positives) - sign(q->true_positives); /* no trigger is later than any */
        }
        return compare_ratios(b->counts.latency_frames, q->true_positives, a->counts.latency_frames, p->true_positives);
    case TIN_AIM_IOU_F1:
        return compare_ratios(p->overlap50, p->n_segments + p->n_events, q->overlap50, q->n_segments + q->n_events);
    case TIN_AIM_IN_TIME_F1:
        return compare_ratios(p->in_time, triggers_and_events(p), q->in_time, triggers_and_events(q));
    case TIN_AIM_PROMPT_F1: {
        const double x = prompt_f1(goal->deadline_frames, a), y = prompt_f1(goal->deadline_frames, b);
        return (x > y) - (x < y);
    }
    case TIN_AIM_EVENT_F05: /* 1.25 TP / (0.25 events + triggers) */
        return compare_ratios(p->true_positives, 4 * triggers_and_events(p) - 3 * p->n_events, q->true_positives,
                              4 * triggers_and_events(q) - 3 * q->n_events);
    case TIN_AIM_EVENT_F1:
    default:
        return compare_ratios(p->true_positives, triggers_and_events(p), q->true_positives, triggers_and_events(q));
    }
}

int tin_goal_compare(const tin_rule_goal *goal, const tin_sweep_point *a, const tin_sweep_point *b)
{
    int order = 0;
    for (int i = 0; i < goal->n_aims && order == 0; i++) {
        order = compare_aim(goal, goal->aims[i], a, b);
    }
    return order != 0 ? order : compare_aim(goal, TIN_AIM_FALSE_ALARMS, a, b);
}

bool tin_goal_overlap(const tin_rule_goal *goal)
{
    bool any = false;
    for (int i = 0; i < goal->n_aims; i++) {
        any = any || goal->aims[i] == TIN_AIM_IOU_F1;
    }
    return any;
}

/* Event classes whose threshold is not that of the first one. */
static int own_thresholds(const tin_decision_rule *rule, const tin_class *classes, int n_classes)
{
    int first = -1, n = 0;
    for (int k = 0; k < n_classes; k++) {
        if (classes[k].event) {
            first = first < 0 ? k : first;
            n += rule->on[k] != rule->on[first];
        }
    }
    return n;
}

int tin_rule_simpler(const tin_decision_rule *a, const tin_decision_rule *b, const tin_class *classes, int n_classes)
{
    const int64_t differences[] = {
        own_thresholds(b, classes, n_classes) - own_thresholds(a, classes, n_classes),
        (int64_t)b->lead - a->lead,
        b->min_length - a->min_length,
        (b->of - b->needed) - (a->of - a->needed),
        b->smooth_shift - a->smooth_shift,
        b->needed - a->needed,
        (int64_t)b->hysteresis - a->hysteresis,
        b->refractory - a->refractory,
    };
    for (size_t i = 0; i < sizeof differences / sizeof *differences; i++) {
        if (differences[i] != 0) {
            return sign(differences[i]);
        }
    }
    for (int k = 0; k < n_classes; k++) {
        if (classes[k].event && a->on[k] != b->on[k]) {
            return a->on[k] > b->on[k] ? 1 : -1; /* the higher threshold */
        }
    }
    return 0;
}
